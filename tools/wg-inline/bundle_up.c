// SPDX-License-Identifier: GPL-2.0
/* A bundle comes up. */
#include "bundle.h"

#include "configure.h"
#include "hook.h"
#include "measure.h"
#include "route.h"
#include "say.h"
#include "sysctl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAIN_TABLE 254
#define FIRST_TABLE 51820
#define OVERHEAD 80		/* the most that a tunnel adds to a packet */
#define USUAL_MTU 1420
/* So many milliseconds may pass until the other end answers, to measure the MTU. */
#define PATIENCE 2000

/**
 * struct up - a bundle on its way up
 * @name: of it
 * @config: what its file says
 * @count: of tunnels
 * @layer4: may flows be told apart by ports in the whole namespace?
 * @mark: of outer packets
 * @hosts: addresses of the peers
 * @links: members that there are so far
 * @state: what the first is to remember
 * @groups: for each family, which groups exist; bit n for the first n members
 */
struct up {
	const char *name;
	const struct config *config;
	unsigned int count;
	bool layer4;
	uint32_t mark;
	struct sockaddr_storage *hosts;
	struct links links;
	struct state state;
	uint64_t groups[2];
};

static int is_v6(const struct prefix *prefix)
{
	return prefix->family == AF_INET6;
}

static const char *prefix_text(const struct prefix *prefix)
{
	static char text[INET6_ADDRSTRLEN + 4];

	inet_ntop(prefix->family, &prefix->v6, text, INET6_ADDRSTRLEN);
	sprintf(text + strlen(text), "/%u", prefix->length);
	return text;
}

/* --------------------------------------------------------------- plan -- */

static bool has_default(const struct config *config, int family)
{
	size_t i, j;

	for (i = 0; i < config->peer_count; i++) {
		const struct prefixes *allowed = &config->peers[i].allowed;

		for (j = 0; j < allowed->count; j++) {
			if (!allowed->of[j].length &&
			    allowed->of[j].family == family)
				return true;
		}
	}
	return false;
}

static int free_table(uint32_t *table)
{
	int used;

	for (*table = FIRST_TABLE; (used = table_used(*table)) > 0; ++*table)
		continue;
	return used;
}

/* The mark of what is encrypted is the number of the table for what is not. */
static int choose_table(struct up *up)
{
	const struct config *config = up->config;
	int ret = 0;

	up->mark = config->mark;
	if (config->table != TABLE_AUTO || (!has_default(config, AF_INET) &&
					    !has_default(config, AF_INET6)))
		return 0;
	if (!up->mark)
		ret = free_table(&up->mark);
	if (ret)
		return fail("cannot list routes: %s", strerror(-ret));
	up->state.table = up->mark;
	return 0;
}

static int resolve(struct up *up)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *found;
	const struct config *config = up->config;
	size_t i;
	int ret;

	up->hosts = calloc(config->peer_count + 1, sizeof(*up->hosts));
	if (!up->hosts)
		return fail("out of memory");
	for (i = 0; i < config->peer_count; i++) {
		if (!config->peers[i].host)
			continue;
		ret = getaddrinfo(config->peers[i].host, NULL, &hints, &found);
		if (ret)
			return fail("cannot find the host %s: %s",
				    config->peers[i].host, gai_strerror(ret));
		memcpy(&up->hosts[i], found->ai_addr, found->ai_addrlen);
		freeaddrinfo(found);
	}
	return 0;
}

static unsigned int most_tunnels(const struct config *config)
{
	unsigned int most = 1;
	size_t i;

	for (i = 0; i < config->peer_count; i++) {
		if (config->peers[i].member_count + 1 > most)
			most = config->peers[i].member_count + 1;
	}
	return most;
}

static int plan(struct up *up, unsigned int tunnels)
{
	const struct config *config = up->config;
	unsigned int most = most_tunnels(config);

	up->count = tunnels && tunnels < most ? tunnels : most;
	if (bundle_check(config, up->count))
		return -1;
	if (tunnels > most)
		say("%s: the other end has %u tunnel%s, so that is how many there will be",
		    config->path, most, most == 1 ? "" : "s");
	if (config->dns_line)
		say("%s:%u: DNS is left alone", config->path, config->dns_line);
	if (config->save_line)
		say("%s:%u: a bundle does not save its configuration",
		    config->path, config->save_line);
	snprintf(up->state.bundle, sizeof(up->state.bundle), "%s", up->name);
	up->state.tunnels = up->count;
	up->state.hash4 = NOT_SET;
	up->state.hash6 = NOT_SET;
	up->state.mark = NOT_SET;
	return choose_table(up) || resolve(up) ? -1 : 0;
}

/* -------------------------------------------------------------- steps -- */

static int remember(struct up *up, unsigned int tunnel)
{
	struct state state = up->state;
	char text[STATE_TEXT];
	int ret;

	state.tunnel = tunnel;
	state_write(&state, text);
	ret = link_change(up->links.of[tunnel - 1].index, 0, 0, text, false);
	return ret ? fail("cannot name %s: %s", up->links.of[tunnel - 1].name,
			  strerror(-ret)) : 0;
}

static int add_links(struct up *up)
{
	unsigned int i, group = up->config->port;
	struct link *link;
	int ret;

	up->links.of = calloc(up->count, sizeof(*link));
	if (!up->links.of)
		return fail("out of memory");
	for (i = 1; i <= up->count; i++) {
		link = &up->links.of[i - 1];
		if (i == 1)
			strcpy(link->name, up->name);
		else
			snprintf(link->name, sizeof(link->name), "%.12s-%u",
				 up->name, i);
		if (link_add(link->name, &link->index))
			return -1;
		up->links.count++;
		if (!group)
			group = link->index;
		ret = link_change(link->index, 0, group, NULL, false);
		if (ret)
			return fail("cannot put %s into group %u: %s",
				    link->name, group, strerror(-ret));
		if (remember(up, i))
			return -1;
	}
	return 0;
}

static int pre_up(struct up *up)
{
	return hooks_run(&up->config->pre_up, "PreUp", up->name);
}

static int configure(struct up *up)
{
	unsigned int i;

	for (i = 0; i < up->count; i++) {
		if (tunnel_configure(up->links.of[i].index, up->config, i + 1,
				     up->mark, up->hosts))
			return -1;
	}
	return 0;
}

/* For "bundle watch" of the other end. Without IPv6 it makes do with others. */
static void add_local_address(struct up *up, unsigned int tunnel)
{
	uint8_t key[KEY_BYTES];
	struct prefix local;

	bundle_public(up->config, tunnel, key);
	value_local(key, &local);
	local.length = 64;
	address_add(up->links.of[tunnel - 1].index, &local, true);
}

/* All members have all addresses: whichever a packet takes, it has a source. */
static int add_addresses(struct up *up)
{
	const struct prefixes *addresses = &up->config->addresses;
	unsigned int i;
	size_t j;
	int ret;

	for (i = 0; i < up->count; i++) {
		add_local_address(up, i + 1);
		for (j = 0; j < addresses->count; j++) {
			ret = address_add(up->links.of[i].index,
					  &addresses->of[j], false);
			if (ret && ret != -EEXIST)
				return fail("cannot add the address %s: %s",
					    prefix_text(&addresses->of[j]),
					    strerror(-ret));
		}
	}
	return 0;
}

/* The least that any peer's path has room for. */
static unsigned int find_mtu(const struct up *up)
{
	unsigned int least = 0, index, mtu;
	size_t i;

	if (up->config->mtu)
		return up->config->mtu;
	for (i = 0; i < up->config->peer_count; i++) {
		const void *host = &up->hosts[i];

		if (up->hosts[i].ss_family == AF_UNSPEC ||
		    route_interface(host, up->mark, &index))
			continue;
		mtu = link_mtu(index);
		if (mtu && (!least || mtu < least))
			least = mtu;
	}
	if (!least || least > 65535)
		return USUAL_MTU;
	return least < MEASURE_LEAST + OVERHEAD ? MEASURE_LEAST : least - OVERHEAD;
}

static int bring_up(struct up *up)
{
	unsigned int i, mtu = find_mtu(up);
	int ret;

	for (i = 0; i < up->count; i++) {
		ret = link_change(up->links.of[i].index, mtu, 0, NULL, true);
		if (ret == -EADDRINUSE)
			return fail("port %u, for tunnel %u, is in use",
				    bundle_port(up->config, i + 1), i + 1);
		if (ret)
			return fail("cannot bring up %s with an MTU of %u: %s",
				    up->links.of[i].name, mtu, strerror(-ret));
	}
	return 0;
}

/* ------------------------------------------------------------- routing -- */

static int change_sysctl(struct up *up, const char *name, int *was)
{
	int now, ret;

	ret = sysctl_get(name, &now);
	if (ret || now)
		return ret ? fail("cannot read %s: %s", name, strerror(-ret)) :
		       0;
	*was = now;
	if (remember(up, 1))
		return -1;
	ret = sysctl_set(name, 1);
	return ret ? fail("cannot set %s: %s", name, strerror(-ret)) : 0;
}

/* Layer 4 decides for all of the namespace: others' routes are not ours to change. */
static int hash_by_ports(struct up *up, int v6)
{
	const char *name = v6 ? HASH6 : HASH4;
	char foreign[64];
	int now, ret;

	ret = sysctl_get(name, &now);
	if (ret)
		return fail("cannot read %s: %s", name, strerror(-ret));
	if (!now && !up->layer4) {
		ret = route_foreign(v6 ? AF_INET6 : AF_INET, foreign,
				    sizeof(foreign));
		if (ret)
			return fail("cannot list routes: %s", strerror(-ret));
		if (*foreign)
			return fail("the multipath route to %s would spread its flows by ports too: --layer4 allows it",
				    foreign);
	}
	return change_sysctl(up, name, v6 ? &up->state.hash6 :
			     &up->state.hash4);
}

static int add_hops(struct up *up, int family)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < up->count && !ret; i++)
		ret = hop_add(up->links.of[i].index, family);
	return ret;
}

/* The group of the first COUNT members, made when first asked for. */
static int get_group(struct up *up, unsigned int count, int family,
		     uint32_t *id)
{
	unsigned int indexes[MOST_TUNNELS], i;
	uint64_t *have = &up->groups[family == AF_INET6];
	int ret = 0;

	*id = count == 1 ? 0 : group_id(up->links.of[0].index, count, family);
	if (count == 1 || *have & 1ULL << count)
		return 0;
	for (i = 0; i < count; i++)
		indexes[i] = up->links.of[i].index;
	if (!*have) {
		if (hash_by_ports(up, family == AF_INET6))
			return -1;
		ret = add_hops(up, family);
	}
	if (!ret)
		ret = group_add(group_id(*indexes, count, family), indexes,
				count, family);
	if (ret)
		return fail("cannot make a group of next hops: %s",
			    strerror(-ret));
	*have |= 1ULL << count;
	return 0;
}

static int add_route(struct up *up, const struct prefix *prefix,
		     unsigned int count)
{
	uint32_t table = MAIN_TABLE, group;
	int ret;

	if (up->config->table == TABLE_GIVEN)
		table = up->config->table_number;
	else if (!prefix->length)
		table = up->state.table;
	if (get_group(up, count, prefix->family, &group))
		return -1;
	ret = route_add(prefix, table, group, up->links.of[0].index);
	if (ret == -EEXIST)
		return fail("there is a route to %s already",
			    prefix_text(prefix));
	return ret ? fail("cannot add a route to %s: %s", prefix_text(prefix),
			  strerror(-ret)) : 0;
}

static bool same_network(const struct prefix *a, const struct prefix *b)
{
	unsigned int whole = a->length / 8, rest = a->length % 8;
	const uint8_t *x = a->v6.s6_addr, *y = b->v6.s6_addr;

	return a->family == b->family && a->length == b->length &&
	       !memcmp(x, y, whole) &&
	       (!rest || !((x[whole] ^ y[whole]) >> (8 - rest)));
}

/* Does it come again, there or at a later peer? That one gets the packets. */
static bool comes_again(const struct config *config, size_t peer, size_t at)
{
	const struct prefix *prefix = &config->peers[peer].allowed.of[at++];

	for (; peer < config->peer_count; peer++, at = 0) {
		for (; at < config->peers[peer].allowed.count; at++) {
			if (same_network(prefix,
					 &config->peers[peer].allowed.of[at]))
				return true;
		}
	}
	return false;
}

static unsigned int tunnels_of(const struct up *up, const struct peer *peer)
{
	return peer->member_count + 1 < up->count ? peer->member_count + 1 :
	       up->count;
}

static int add_peer_routes(struct up *up, size_t i)
{
	const struct peer *peer = &up->config->peers[i];
	size_t j;

	for (j = 0; j < peer->allowed.count; j++) {
		if (!comes_again(up->config, i, j) &&
		    add_route(up, &peer->allowed.of[j], tunnels_of(up, peer)))
			return -1;
	}
	return 0;
}

/* Is the network of an address among the allowed IPs? */
static bool is_allowed(const struct config *config, const struct prefix *prefix)
{
	size_t i, j;

	for (i = 0; i < config->peer_count; i++) {
		for (j = 0; j < config->peers[i].allowed.count; j++) {
			if (same_network(prefix, &config->peers[i].allowed.of[j]))
				return true;
		}
	}
	return false;
}

/* The routes that addresses bring along, for all members instead of one. */
static int add_own_routes(struct up *up)
{
	const struct prefixes *addresses = &up->config->addresses;
	size_t i, j;

	for (i = 0; i < addresses->count; i++) {
		const struct prefix *prefix = &addresses->of[i];
		bool before = prefix->length == (is_v6(prefix) ? 128 : 32);

		for (j = 0; j < i; j++)
			before |= same_network(prefix, &addresses->of[j]);
		if (!before && !is_allowed(up->config, prefix) &&
		    add_route(up, prefix, up->count))
			return -1;
	}
	return 0;
}

static int add_rules(struct up *up, int family)
{
	int ret;

	if (!up->state.table || !has_default(up->config, family))
		return 0;
	ret = rules_add(family, up->state.table);
	if (ret)
		return fail("cannot add rules for table %u: %s",
			    up->state.table, strerror(-ret));
	if (family == AF_INET)
		return change_sysctl(up, VALID_MARK, &up->state.mark);
	return 0;
}

static int add_routes(struct up *up)
{
	size_t i;

	if (up->config->table == TABLE_OFF)
		return 0;
	for (i = 0; i < up->config->peer_count; i++) {
		if (add_peer_routes(up, i))
			return -1;
	}
	if (add_own_routes(up) || add_rules(up, AF_INET))
		return -1;
	return add_rules(up, AF_INET6);
}

static int greet(struct up *up)
{
	unsigned int i;

	for (i = 0; i < up->count; i++) {
		if (tunnel_greet(up->links.of[i].index, up->config, i + 1))
			return -1;
	}
	return 0;
}

/* That the bundle is up does not depend on it. */
static int fit(struct up *up)
{
	bundle_fit(up->name, up->config, PATIENCE);
	return 0;
}

static int post_up(struct up *up)
{
	return hooks_run(&up->config->post_up, "PostUp", up->name);
}

static int (*const steps[])(struct up *up) = {
	add_links, pre_up, configure, add_addresses, bring_up, add_routes,
	greet, fit, post_up,
};

/* A step that fails has said why; all that was done until then is undone. */
static int climb(struct up *up, unsigned int tunnels)
{
	size_t i;

	if (plan(up, tunnels))
		return -1;
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i](up)) {
			bundle_dismantle(&up->links, &up->state);
			return -1;
		}
	}
	return 0;
}

int bundle_up(const struct bundle *bundle, const struct config *config,
	      unsigned int tunnels, bool layer4)
{
	struct up up = {
		.name = bundle->name,
		.config = config,
		.layer4 = layer4,
	};
	struct links links;
	size_t there;
	int ret;

	if (bundle_find(&links, bundle->name, NULL))
		return -1;
	there = links.count;
	links_free(&links);
	if (there) {
		printf("%s is up already\n", bundle->name);
		return 0;
	}
	ret = climb(&up, tunnels);
	free(up.hosts);
	links_free(&up.links);
	return ret;
}
