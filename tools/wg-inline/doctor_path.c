// SPDX-License-Identifier: GPL-2.0
/* wg-inline doctor: by which ways the packets of tunnels go. */
#include "doctor.h"

#include "nl.h"
#include "route.h"
#include "say.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* So many peers show all ways that there are, as a rule. */
#define MOST_PEERS 256
#define TRIES 100

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct endpoints {
	size_t count;
	bool more;
	union address of[MOST_PEERS];
};

static void add_endpoint(struct endpoints *endpoints, const struct nlattr *peer)
{
	const struct nlattr *have[WGPEER_A_MAX + 1];
	const struct nlattr *at;
	union address *to;
	size_t length;

	nl_nested(peer, have, WGPEER_A_MAX + 1);
	at = have[WGPEER_A_ENDPOINT];
	length = at ? mnl_attr_get_payload_len(at) : 0;
	if (length < sizeof(to->v4) || length > sizeof(*to))
		return;
	if (endpoints->count == MOST_PEERS) {
		endpoints->more = true;
		return;
	}
	to = &endpoints->of[endpoints->count++];
	memcpy(to, mnl_attr_get_payload(at), length);
}

static int read_peers(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *have[WGDEVICE_A_MAX + 1];
	struct nlattr *peer;

	nl_payload(message, sizeof(struct genlmsghdr), have,
		   WGDEVICE_A_MAX + 1);
	if (!have[WGDEVICE_A_PEERS])
		return 0;
	mnl_attr_for_each_nested(peer, have[WGDEVICE_A_PEERS])
		add_endpoint(data, peer);
	return 0;
}

static int get_endpoints(struct nl *nl, struct endpoints *endpoints,
			 const struct link *link)
{
	struct nlmsghdr *message;
	int ret, tries = 0;

	do {
		memset(endpoints, 0, sizeof(*endpoints));
		message = nl_command(nl, WG_CMD_GET_DEVICE, WG_GENL_VERSION,
				     NLM_F_DUMP);
		mnl_attr_put_u32(message, WGDEVICE_A_IFINDEX, link->index);
		ret = nl_talk(nl, message, read_peers, endpoints);
	} while (ret == -EINTR && ++tries < TRIES);
	return ret;
}

/* ------------------------------------------------------------- routes -- */

struct way {
	unsigned int index;
	unsigned int mtu;
};

static int read_way(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *have[RTA_METRICS + 1], *metrics[RTAX_MTU + 1];
	struct way *way = data;

	nl_payload(message, sizeof(struct rtmsg), have, RTA_METRICS + 1);
	nl_nested(have[RTA_METRICS], metrics, RTAX_MTU + 1);
	way->index = nl_u32(have[RTA_OIF]);
	way->mtu = nl_u32(metrics[RTAX_MTU]);
	return 0;
}

static int find_way(struct nl *nl, const union address *to, uint32_t mark,
		    struct way *way)
{
	bool v6 = to->any.sa_family == AF_INET6;
	struct nlmsghdr *message;
	struct rtmsg *header;
	int ret;

	message = nl_request(nl, RTM_GETROUTE, 0);
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->rtm_family = to->any.sa_family;
	header->rtm_dst_len = v6 ? 128 : 32;
	if (v6)
		mnl_attr_put(message, RTA_DST, 16, &to->v6.sin6_addr);
	else
		mnl_attr_put(message, RTA_DST, 4, &to->v4.sin_addr);
	/* To a link-local address, only along that link. */
	if (v6 && to->v6.sin6_scope_id)
		mnl_attr_put_u32(message, RTA_OIF, to->v6.sin6_scope_id);
	if (mark)
		mnl_attr_put_u32(message, RTA_MARK, mark);
	memset(way, 0, sizeof(*way));
	ret = nl_talk(nl, message, read_way, way);
	return ret || !way->index ? -1 : 0;
}

static struct path *find_path(struct patient *patient, const struct path *like)
{
	size_t i;

	for (i = 0; i < patient->path_count; i++) {
		struct path *path = &patient->paths[i];

		if (path->tunnel == like->tunnel && path->index == like->index &&
		    path->family == like->family)
			return path;
	}
	return NULL;
}

/* Of several peers along the same way, the narrowest counts. */
static int add_path(struct patient *patient, const struct path *path)
{
	struct path *have = find_path(patient, path), *more;

	if (have) {
		if (path->mtu < have->mtu)
			have->mtu = path->mtu;
		have->detour |= path->detour;
		return 0;
	}
	more = reallocarray(patient->paths, patient->path_count + 1,
			    sizeof(*more));
	if (!more)
		return fail("out of memory");
	patient->paths = more;
	more[patient->path_count++] = *path;
	return 0;
}

static int look_at_peer(struct patient *patient, struct nl *nl,
			const struct snapshot *tunnel, const union address *to)
{
	struct way way, unmarked;
	struct path path = {
		.tunnel = tunnel->link->index,
		.family = to->any.sa_family == AF_INET6 ? V6 : V4,
	};

	if (find_way(nl, to, tunnel->tunnel.mark, &way))
		return 0;
	path.index = way.index;
	path.mtu = way.mtu ? way.mtu : link_mtu(way.index);
	path.detour = tunnel->tunnel.mark &&
		      !find_way(nl, to, 0, &unmarked) &&
		      unmarked.index != way.index;
	return add_path(patient, &path);
}

/* ------------------------------------------------------------ tunnels -- */

static bool has_port(int proc, const char *name, uint16_t port)
{
	FILE *file = place_open(proc, "net/%s", name);
	char line[512];
	bool found_it = false;
	unsigned int at;

	while (file && !found_it && fgets(line, sizeof(line), file))
		found_it = sscanf(line, " %*u: %*[0-9A-Fa-f]:%x", &at) == 1 &&
			   at == port;
	if (file)
		fclose(file);
	return found_it;
}

/*
 * A tunnel that was made in another namespace has its sockets there, and the
 * routes of this one have nothing to do with it.
 */
static bool is_here(const struct patient *patient,
		    const struct snapshot *tunnel)
{
	uint16_t port = tunnel->tunnel.port;

	return has_port(patient->places.proc, "udp", port) ||
	       has_port(patient->places.proc, "udp6", port);
}

static int look_at_tunnel(struct patient *patient, struct report *report,
			  struct nl *wireguard, struct nl *nl,
			  const struct snapshot *tunnel)
{
	static struct endpoints endpoints;
	const struct link *link = tunnel->link;
	bool asked = tunnel_counts(patient, link);
	size_t i, before = patient->path_count;
	int ret = 0;

	if (!link->up) {
		if (asked)
			note(report, "%s is down", link->name);
		return 0;
	}
	if (!is_here(patient, tunnel)) {
		if (asked)
			note(report, "the sockets of %s are in another network namespace: what its packets go through can only be seen there",
			     link->name);
		return 0;
	}
	/* It may be gone by now. */
	if (get_endpoints(wireguard, &endpoints, link))
		return 0;
	for (i = 0; i < endpoints.count && !ret; i++)
		ret = look_at_peer(patient, nl, tunnel, &endpoints.of[i]);
	if (endpoints.more && asked)
		note(report, "%s has more than %d peers whose address is known: only the ways to so many were looked at",
		     link->name, MOST_PEERS);
	if (patient->path_count == before && asked)
		note(report, "%s has no peer that this machine knows a way to",
		     link->name);
	return ret;
}

static int look_at_tunnels(struct patient *patient, struct report *report,
			   struct nl *nl)
{
	struct nl *wireguard = nl_open_family(WG_GENL_NAME);
	size_t i;
	int ret = 0;

	if (!wireguard)
		return fail("cannot talk to WireGuard: %s", strerror(errno));
	for (i = 0; i < patient->survey.count && !ret; i++)
		ret = look_at_tunnel(patient, report, wireguard, nl,
				     &patient->survey.of[i]);
	nl_close(wireguard);
	return ret;
}

/* ---------------------------------------------------------- multipath -- */

static bool is_tunnel(const struct patient *patient, unsigned int index)
{
	size_t i;

	for (i = 0; i < patient->survey.count; i++) {
		if (patient->survey.of[i].link->index == index)
			return true;
	}
	return false;
}

static unsigned int count_tunnels(const struct patient *patient,
				  const struct nlattr *hops)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(hops);
	int left = mnl_attr_get_payload_len(hops);
	unsigned int count = 0;

	for (; RTNH_OK(hop, left); hop = RTNH_NEXT(hop)) {
		count += is_tunnel(patient, hop->rtnh_ifindex);
		left -= RTNH_ALIGN(hop->rtnh_len);
	}
	return count;
}

/* Kernels may be told not to list the hops of a group; a bundle's are known. */
static int look_at_route(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *have[RTA_NH_ID + 1];
	struct patient *patient = data;
	enum family family = header->rtm_family == AF_INET6 ? V6 : V4;

	nl_payload(message, sizeof(*header), have, RTA_NH_ID + 1);
	if ((have[RTA_MULTIPATH] &&
	     count_tunnels(patient, have[RTA_MULTIPATH]) > 1) ||
	    (nl_u32(have[RTA_NH_ID]) & GROUP_BASE) == GROUP_BASE)
		patient->multipath[family] = true;
	return 0;
}

static void look_at_routes(struct patient *patient, struct report *report,
			   struct nl *nl, uint8_t family)
{
	struct nlmsghdr *message;
	struct rtmsg *header;
	int ret, tries = 0;

	do {
		message = nl_request(nl, RTM_GETROUTE, NLM_F_DUMP);
		header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
		header->rtm_family = family;
		ret = nl_talk(nl, message, look_at_route, patient);
	} while (ret == -EINTR && ++tries < TRIES);
	if (ret && ret != -EINTR)
		note(report, "the routes cannot be listed: %s",
		     nl_reason(nl, ret));
}

static bool has_detour(const struct patient *patient)
{
	size_t i;

	for (i = 0; i < patient->path_count; i++) {
		if (patient->paths[i].detour)
			return true;
	}
	return false;
}

int paths_look(struct patient *patient, struct report *report)
{
	struct nl *nl;
	int ret;

	if (!patient->survey.count)
		return 0;
	nl = nl_open(NETLINK_ROUTE);
	if (!nl)
		return fail("cannot talk to the kernel: %s", strerror(errno));
	ret = look_at_tunnels(patient, report, nl);
	look_at_routes(patient, report, nl, AF_INET);
	look_at_routes(patient, report, nl, AF_INET6);
	patient->restored = has_detour(patient) && marks_restored();
	nl_close(nl);
	return ret;
}
