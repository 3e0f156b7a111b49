// SPDX-License-Identifier: GPL-2.0
/* A bundle that comes up gets its routes. */
#include "bundle_up.h"

#include "clamp.h"
#include "route.h"
#include "say.h"
#include "sysctl.h"

#include <errno.h>
#include <string.h>

#define MAIN_TABLE 254
/* Bits of the fields that policy 3 looks at. */
#define PORT_FIELDS 0x30

static int is_v6(const struct prefix *prefix)
{
	return prefix->family == AF_INET6;
}

bool up_has_default(const struct config *config, int family)
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

static int change_sysctl(struct up *up, const char *name, int *was)
{
	int now, ret;

	ret = sysctl_get(name, &now);
	if (ret || now == 1)
		return ret ? fail("cannot read %s: %s", name, strerror(-ret)) :
		       0;
	*was = now;
	if (up_remember(up))
		return -1;
	ret = sysctl_set(name, 1);
	return ret ? fail("cannot set %s: %s", name, strerror(-ret)) : 0;
}

static int refuse_foreign(int family)
{
	char foreign[64];
	int ret = route_foreign(family, foreign, sizeof(foreign));

	if (ret)
		return fail("cannot list routes: %s", strerror(-ret));
	return *foreign ? fail("the multipath route to %s would spread its flows by ports too: --layer4 allows it",
			       foreign) : 0;
}

static bool is_by_ports(int v6, int policy)
{
	int fields = 0;

	if (policy == 3)
		sysctl_get(v6 ? HASH_FIELDS6 : HASH_FIELDS4, &fields);
	return policy == 1 || fields & PORT_FIELDS;
}

/* Layer 4 decides for all of the namespace: others' routes are not ours to change. */
static int hash_by_ports(struct up *up, int v6)
{
	const char *name = v6 ? HASH6 : HASH4;
	int now, ret;

	ret = sysctl_get(name, &now);
	if (ret)
		return fail("cannot read %s: %s", name, strerror(-ret));
	if (is_by_ports(v6, now))
		return 0;
	if (now && !up->layer4) {
		say("%s is %d, by which all flows between two hosts may share a tunnel: --layer4 has it be 1 meanwhile",
		    name, now);
		return 0;
	}
	if (!up->layer4 && refuse_foreign(v6 ? AF_INET6 : AF_INET))
		return -1;
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

static bool same_bits(const struct prefix *a, const struct prefix *b,
		      unsigned int count)
{
	const uint8_t *x = a->v6.s6_addr, *y = b->v6.s6_addr;
	unsigned int whole = count / 8, rest = count % 8;

	return a->family == b->family && !memcmp(x, y, whole) &&
	       (!rest || !((x[whole] ^ y[whole]) >> (8 - rest)));
}

static bool same_network(const struct prefix *a, const struct prefix *b)
{
	return a->length == b->length && same_bits(a, b, a->length);
}

/*
 * Of several addresses, the kernel takes the first for any route to an interface;
 * but to its own networks that which is in them. With IPv6 it looks by itself.
 */
static const struct prefix *source_for(const struct up *up,
				       const struct prefix *prefix)
{
	const struct prefixes *addresses = &up->config->addresses;
	const struct prefix *best = NULL;
	size_t i;

	for (i = 0; i < addresses->count; i++) {
		const struct prefix *own = &addresses->of[i];

		if (own->family == AF_INET && own->length <= prefix->length &&
		    same_bits(own, prefix, own->length) &&
		    (!best || own->length > best->length))
			best = own;
	}
	return best;
}

static int add_route(struct up *up, const struct prefix *prefix,
		     uint32_t table, unsigned int count)
{
	uint32_t group;
	int ret;

	if (get_group(up, count, prefix->family, &group))
		return -1;
	ret = route_add(prefix, table, group, up->links.of[0].index,
			source_for(up, prefix));
	if (ret == -EEXIST)
		return fail("there is a route to %s already",
			    up_prefix_text(prefix));
	return ret ? fail("cannot add a route to %s: %s",
			  up_prefix_text(prefix), strerror(-ret)) : 0;
}

static uint32_t table_for(const struct up *up, const struct prefix *prefix)
{
	if (up->config->table == TABLE_GIVEN)
		return up->config->table_number;
	return prefix->length ? MAIN_TABLE : up->state.table;
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
		    add_route(up, &peer->allowed.of[j],
			      table_for(up, &peer->allowed.of[j]),
			      tunnels_of(up, peer)))
			return -1;
	}
	return 0;
}

/* Does the network of an address have a route in the main table as an allowed IP? */
static bool is_allowed(const struct up *up, const struct prefix *prefix)
{
	const struct config *config = up->config;
	size_t i, j;

	if (config->table == TABLE_OFF || table_for(up, prefix) != MAIN_TABLE)
		return false;
	for (i = 0; i < config->peer_count; i++) {
		for (j = 0; j < config->peers[i].allowed.count; j++) {
			if (same_network(prefix, &config->peers[i].allowed.of[j]))
				return true;
		}
	}
	return false;
}

/*
 * The routes that addresses bring along, for all members instead of one: in the main
 * table, whatever the file has for others.
 */
static int add_own_routes(struct up *up)
{
	const struct prefixes *addresses = &up->config->addresses;
	size_t i, j;

	for (i = 0; i < addresses->count; i++) {
		const struct prefix *prefix = &addresses->of[i];
		bool before = prefix->length == (is_v6(prefix) ? 128 : 32);

		for (j = 0; j < i; j++)
			before |= same_network(prefix, &addresses->of[j]);
		if (!before && !is_allowed(up, prefix) &&
		    add_route(up, prefix, MAIN_TABLE, up->count))
			return -1;
	}
	return 0;
}

static int add_rules(struct up *up, int family)
{
	uint32_t *priority = family == AF_INET6 ? &up->state.rules6 :
			     &up->state.rules4;
	int ret;

	if (!up->state.table || !up_has_default(up->config, family))
		return 0;
	ret = rules_place(family, priority);
	if (ret)
		return fail("cannot list rules: %s", strerror(-ret));
	if (up_remember(up))
		return -1;
	ret = rules_add(family, up->state.table, *priority);
	if (ret)
		return fail("cannot add rules for table %u: %s",
			    up->state.table, strerror(-ret));
	if (family == AF_INET)
		return change_sysctl(up, VALID_MARK, &up->state.mark);
	return 0;
}

static bool filters_strictly(void)
{
	int all = 0, new = 0;

	sysctl_get(RP_FILTER_ALL, &all);
	sysctl_get(RP_FILTER_NEW, &new);
	return all == 1 || new == 1;
}

/*
 * Before anything comes in: what answers to a mark has to have that, or rp_filter
 * looks for the way back in the bundle's table. Elsewhere it does without.
 */
static void keep_marks(const struct up *up)
{
	const struct link *first = &up->links.of[0];
	int ret;

	if (!up->state.rules4 && !up->state.rules6)
		return;
	ret = clamp_set(&up->state, up->config->port ? up->config->port :
			first->index, link_mtu(first->index));
	if (ret && up->state.rules4 && filters_strictly())
		say("cannot have nftables keep marks, without which rp_filter may drop what comes in: %s",
		    strerror(-ret));
}

static int add_allowed_routes(struct up *up)
{
	size_t i;

	if (up->config->table == TABLE_OFF)
		return 0;
	for (i = 0; i < up->config->peer_count; i++) {
		if (add_peer_routes(up, i))
			return -1;
	}
	return 0;
}

int up_add_routes(struct up *up)
{
	if (add_allowed_routes(up) || add_own_routes(up) ||
	    add_rules(up, AF_INET) || add_rules(up, AF_INET6))
		return -1;
	keep_marks(up);
	return 0;
}
