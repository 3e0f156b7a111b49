// SPDX-License-Identifier: GPL-2.0
/* A bundle comes up. */
#include "bundle_up.h"

#include "configure.h"
#include "hook.h"
#include "interrupt.h"
#include "lock.h"
#include "measure.h"
#include "resolve.h"
#include "route.h"
#include "say.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_TABLE 51820
#define OVERHEAD 80		/* the most that a tunnel adds to a packet */
#define USUAL_MTU 1420
/* So many milliseconds may pass until the other end answers, to measure the MTU. */
#define PATIENCE 2000

const char *up_prefix_text(const struct prefix *prefix)
{
	static char text[INET6_ADDRSTRLEN + 4];

	inet_ntop(prefix->family, &prefix->v6, text, INET6_ADDRSTRLEN);
	sprintf(text + strlen(text), "/%u", prefix->length);
	return text;
}

/* --------------------------------------------------------------- plan -- */

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
	if (config->table != TABLE_AUTO || (!up_has_default(config, AF_INET) &&
					    !up_has_default(config, AF_INET6)))
		return 0;
	if (!up->mark)
		ret = free_table(&up->mark);
	if (ret)
		return fail("cannot list routes: %s", strerror(-ret));
	up->state.table = up->mark;
	return 0;
}

static int resolve_all(struct up *up)
{
	const struct config *config = up->config;
	size_t i;

	up->hosts = calloc(config->peer_count + 1, sizeof(*up->hosts));
	if (!up->hosts)
		return fail("out of memory");
	for (i = 0; i < config->peer_count; i++) {
		if (config->peers[i].host &&
		    resolve(config->peers[i].host, &up->hosts[i]))
			return -1;
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
	if (config_is_exposed(config->path))
		say("everybody has access to %s, and so to the private key",
		    config->path);
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
	return choose_table(up);
}

/* -------------------------------------------------------------- steps -- */

int up_remember(struct up *up)
{
	int ret = bundle_remember(&up->links, &up->state);

	return ret ? fail("cannot write down what %s is: %s", up->name,
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
		up->state.tunnel = i;
		state_write(&up->state, link->alias);
		ret = link_change(link->index, 0, group, link->alias, false);
		if (ret)
			return fail("cannot put %s into group %u: %s",
				    link->name, group, strerror(-ret));
	}
	return 0;
}

/* A hook may have taken another bundle down, which has handed something over. */
static int look_again(struct up *up)
{
	struct links links;
	int ret = 0;

	if (bundle_find(&links, up->name, &up->state))
		return -1;
	if (links.count != up->count)
		ret = fail("an interface of %s has gone meanwhile", up->name);
	links_free(&links);
	return ret;
}

static int pre_up(struct up *up)
{
	if (hooks_run(&up->config->pre_up, "PreUp", up->name))
		return -1;
	return look_again(up);
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
					    up_prefix_text(&addresses->of[j]),
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

static int finish(struct up *up)
{
	if (look_again(up))
		return -1;
	up->state.complete = 1;
	return up_remember(up);
}

static int (*const steps[])(struct up *up) = {
	add_links, pre_up, configure, add_addresses, bring_up, up_add_routes,
	greet, fit, post_up, finish,
};

/* A hook has said so itself. */
static int interrupted(void)
{
	const char *name = interrupt_came();

	return name ? fail("interrupted by %s", name) : 0;
}

/* A step that fails has said why; all that was done until then is undone. */
static int climb(struct up *up, unsigned int tunnels)
{
	size_t i;

	if (plan(up, tunnels))
		return -1;
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i](up) || interrupted()) {
			bundle_dismantle(&up->links, up->name);
			return -1;
		}
	}
	return 0;
}

/* 1 if it is up already. */
static int is_whole(const char *name)
{
	struct state state;
	struct links links;
	int ret;

	if (bundle_find(&links, name, &state))
		return -1;
	ret = links.count && state.complete && links.count == state.tunnels;
	if (ret)
		printf("%s is up already\n", name);
	links_free(&links);
	return ret;
}

static int clear(const struct bundle *bundle, const struct config *config,
		 const struct links *links, const struct state *state)
{
	if (!state->complete) {
		say("%s is neither up nor down, as something was killed: it is taken down first",
		    bundle->name);
		return bundle_dismantle(links, bundle->name);
	}
	say("%s has %zu of its %u tunnels left: it is taken down first",
	    bundle->name, links->count, state->tunnels);
	return bundle_take_down(links, bundle, config);
}

/*
 * Something of it may be there, but not all: the last "up" or "down" was killed, or
 * somebody has removed an interface.
 */
static int clear_away(const struct bundle *bundle, const struct config *config)
{
	struct state state;
	struct links links;
	int ret = 0;

	if (bundle_find(&links, bundle->name, &state))
		return -1;
	if (links.count)
		ret = clear(bundle, config, &links, &state);
	links_free(&links);
	return ret;
}

/* One after the other: what one finds unused the next one finds in use. */
static int bring_whole(struct up *up, const struct bundle *bundle,
		       unsigned int tunnels)
{
	int lock, ret = -1;

	interrupt_hold();
	lock = lock_take();
	if (lock >= 0)
		ret = is_whole(bundle->name);
	if (!ret)
		ret = clear_away(bundle, up->config);
	if (!ret)
		ret = climb(up, tunnels);
	if (lock >= 0)
		lock_release(lock);
	interrupt_release();
	return ret;
}

int bundle_up(const struct bundle *bundle, const struct config *config,
	      unsigned int tunnels, bool layer4)
{
	struct up up = {
		.name = bundle->name,
		.config = config,
		.layer4 = layer4,
	};
	int ret;

	ret = is_whole(bundle->name);
	if (!ret)
		ret = resolve_all(&up);
	if (!ret)
		ret = bring_whole(&up, bundle, tunnels);
	free(up.hosts);
	links_free(&up.links);
	return ret < 0 ? -1 : 0;
}
