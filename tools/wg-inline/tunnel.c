// SPDX-License-Identifier: GPL-2.0
/* The peers of an interface, by the netlink family that wg uses too. */
#include "tunnel.h"

#include "nl.h"
#include "say.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/time_types.h>
#include <linux/wireguard.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TRIES 100

/* A peer with many allowed IPs comes in pieces, one after the other. */
struct dump {
	struct tunnel *tunnel;
	bool begun;
	unsigned char last[WG_KEY_LEN];
	time_t now;
};

static bool same_as_last(struct dump *dump, const struct nlattr *key)
{
	bool same;

	if (!key || mnl_attr_get_payload_len(key) != WG_KEY_LEN)
		return true;
	same = dump->begun &&
	       !memcmp(dump->last, mnl_attr_get_payload(key), WG_KEY_LEN);
	memcpy(dump->last, mnl_attr_get_payload(key), WG_KEY_LEN);
	dump->begun = true;
	return same;
}

static int64_t handshake_time(const struct nlattr *attribute)
{
	struct __kernel_timespec when;

	if (!attribute || mnl_attr_get_payload_len(attribute) < sizeof(when))
		return 0;
	memcpy(&when, mnl_attr_get_payload(attribute), sizeof(when));
	return when.tv_sec;
}

static void count_peer(struct dump *dump, const struct nlattr *peer)
{
	const struct nlattr *have[WGPEER_A_MAX + 1];
	struct tunnel *tunnel = dump->tunnel;
	int64_t when, age;

	nl_nested(peer, have, WGPEER_A_MAX + 1);
	if (same_as_last(dump, have[WGPEER_A_PUBLIC_KEY]))
		return;
	tunnel->peers++;
	when = handshake_time(have[WGPEER_A_LAST_HANDSHAKE_TIME]);
	if (!when) {
		tunnel->never++;
		return;
	}
	/* Clocks may be set back. */
	age = dump->now > when ? dump->now - when : 0;
	if (age < TUNNEL_KEY_LIFE)
		tunnel->live++;
	if (when > tunnel->latest)
		tunnel->latest = when;
	if (tunnel->newest < 0 || age < tunnel->newest)
		tunnel->newest = age;
	if (age > tunnel->oldest)
		tunnel->oldest = age;
}

static int read_device(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *have[WGDEVICE_A_MAX + 1];
	struct dump *dump = data;
	struct nlattr *peer;

	nl_payload(message, sizeof(struct genlmsghdr), have,
		   WGDEVICE_A_MAX + 1);
	if (have[WGDEVICE_A_LISTEN_PORT])
		dump->tunnel->port = nl_u16(have[WGDEVICE_A_LISTEN_PORT]);
	if (have[WGDEVICE_A_FWMARK])
		dump->tunnel->mark = nl_u32(have[WGDEVICE_A_FWMARK]);
	if (!have[WGDEVICE_A_PEERS])
		return 0;
	mnl_attr_for_each_nested(peer, have[WGDEVICE_A_PEERS])
		count_peer(dump, peer);
	return 0;
}

static int dump_device(struct nl *nl, struct tunnel *tunnel, const char *name)
{
	struct dump dump = { .tunnel = tunnel, .now = time(NULL) };
	struct nlmsghdr *message;

	memset(tunnel, 0, sizeof(*tunnel));
	tunnel->newest = -1;
	tunnel->oldest = -1;
	message = nl_command(nl, WG_CMD_GET_DEVICE, WG_GENL_VERSION,
			     NLM_F_DUMP);
	mnl_attr_put_strz(message, WGDEVICE_A_IFNAME, name);
	return nl_talk(nl, message, read_device, &dump);
}

int tunnel_get(struct tunnel *tunnel, const char *name)
{
	int ret, tries = 0;
	struct nl *nl;

	nl = nl_open_family(WG_GENL_NAME);
	if (!nl && errno == ENOENT)
		return fail("the kernel has no WireGuard: no module is loaded");
	if (!nl)
		return fail("cannot talk to the kernel: %s", strerror(errno));
	do {
		ret = dump_device(nl, tunnel, name);
	} while (ret == -EINTR && ++tries < TRIES);
	if (ret == -ENODEV)
		ret = 1;
	else if (ret == -EPERM)
		ret = fail("no permission to ask %s for its peers: that takes CAP_NET_ADMIN",
			   name);
	else if (ret)
		ret = fail("cannot ask %s for its peers: %s", name,
			   nl_reason(nl, ret));
	nl_close(nl);
	return ret;
}

static int add_endpoint(struct prefixes *to, const struct nlattr *endpoint)
{
	const struct sockaddr_in6 *v6;
	const struct sockaddr_in *v4;
	struct prefix *more;

	if (!endpoint || mnl_attr_get_payload_len(endpoint) < sizeof(*v4))
		return 0;
	v4 = mnl_attr_get_payload(endpoint);
	v6 = mnl_attr_get_payload(endpoint);
	if (v4->sin_family == AF_INET6 &&
	    mnl_attr_get_payload_len(endpoint) < sizeof(*v6))
		return 0;
	more = reallocarray(to->of, to->count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	to->of = more;
	more += to->count++;
	memset(more, 0, sizeof(*more));
	more->family = v4->sin_family;
	if (more->family == AF_INET6)
		more->v6 = v6->sin6_addr;
	else
		more->v4 = v4->sin_addr;
	return 0;
}

static int read_endpoints(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *have[WGDEVICE_A_MAX + 1];
	const struct nlattr *about[WGPEER_A_MAX + 1];
	struct prefixes *to = data;
	struct nlattr *peer;
	int ret = 0;

	nl_payload(message, sizeof(struct genlmsghdr), have,
		   WGDEVICE_A_MAX + 1);
	if (!have[WGDEVICE_A_PEERS])
		return 0;
	mnl_attr_for_each_nested(peer, have[WGDEVICE_A_PEERS]) {
		nl_nested(peer, about, WGPEER_A_MAX + 1);
		if (!ret)
			ret = add_endpoint(to, about[WGPEER_A_ENDPOINT]);
	}
	return ret;
}

int tunnel_endpoints(struct prefixes *to, const char *name)
{
	struct nlmsghdr *message;
	struct nl *nl;
	int ret;

	nl = nl_open_family(WG_GENL_NAME);
	if (!nl)
		return -errno;
	message = nl_command(nl, WG_CMD_GET_DEVICE, WG_GENL_VERSION,
			     NLM_F_DUMP);
	mnl_attr_put_strz(message, WGDEVICE_A_IFNAME, name);
	ret = nl_talk(nl, message, read_endpoints, to);
	nl_close(nl);
	/* One that came or went meanwhile is not worth another try. */
	return ret == -EINTR ? 0 : ret;
}
