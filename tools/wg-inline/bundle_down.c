// SPDX-License-Identifier: GPL-2.0
/* A bundle comes down; and what there is of bundles. */
#include "bundle.h"

#include "clamp.h"
#include "hook.h"
#include "interrupt.h"
#include "lock.h"
#include "mode.h"
#include "route.h"
#include "say.h"
#include "sysctl.h"
#include "tunnel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------- members -- */

static int by_tunnel(const void *a, const void *b)
{
	const struct link *one = a, *other = b;
	struct state first, second;
	int order;

	state_read(&first, one->alias);
	state_read(&second, other->alias);
	order = strcmp(first.bundle, second.bundle);
	return order ? order : (int)first.tunnel - (int)second.tunnel;
}

static bool wanted(const struct link *link, const char *name)
{
	struct state state;

	return state_read(&state, link->alias) &&
	       (!name || !strcmp(state.bundle, name));
}

int bundle_find(struct links *links, const char *name, struct state *state)
{
	size_t i, kept = 0;

	if (links_get(links, NULL))
		return -1;
	for (i = 0; i < links->count; i++) {
		if (wanted(&links->of[i], name))
			links->of[kept++] = links->of[i];
	}
	links->count = kept;
	if (kept)
		qsort(links->of, kept, sizeof(*links->of), by_tunnel);
	if (state && (!kept || !state_read(state, links->of[0].alias)))
		memset(state, 0, sizeof(*state));
	return 0;
}

int bundle_remember(const struct links *links, const struct state *state)
{
	char text[STATE_TEXT];
	struct state own, now;
	size_t i;
	int ret;

	for (i = 0; i < links->count; i++) {
		if (!state_read(&own, links->of[i].alias))
			continue;
		now = *state;
		now.tunnel = own.tunnel;
		state_write(&now, text);
		ret = link_change(links->of[i].index, 0, 0, text, false);
		if (ret && ret != -ENODEV)
			return ret;
	}
	return 0;
}

/* -------------------------------------------------------------- undoing -- */

static bool find_heir(const char *name, struct state *heir)
{
	struct links links;
	bool found = false;
	size_t i;

	if (bundle_find(&links, NULL, NULL))
		return false;
	for (i = 0; i < links.count && !found; i++)
		found = state_read(heir, links.of[i].alias) &&
			strcmp(heir->bundle, name);
	links_free(&links);
	return found;
}

/*
 * What a bundle changed for the whole namespace is put back by the last one
 * that needs it: it is handed on to another one, if there is one.
 */
static bool hand_over(const struct state *state)
{
	struct links links;
	struct state heir;
	bool done;

	if (!find_heir(state->bundle, &heir) ||
	    bundle_find(&links, heir.bundle, &heir))
		return false;
	if (heir.hash4 == NOT_SET)
		heir.hash4 = state->hash4;
	if (heir.hash6 == NOT_SET)
		heir.hash6 = state->hash6;
	if (heir.mark == NOT_SET)
		heir.mark = state->mark;
	done = links.count && !bundle_remember(&links, &heir);
	links_free(&links);
	return done;
}

static int restore(const char *name, int value)
{
	int ret = value == NOT_SET ? 0 : sysctl_set(name, value);

	return ret ? fail("cannot put %s back to %d: %s", name, value,
			  strerror(-ret)) : 0;
}

static int restore_all(const struct state *state)
{
	int ret = 0;

	if (state->hash4 == NOT_SET && state->hash6 == NOT_SET &&
	    state->mark == NOT_SET)
		return 0;
	if (hand_over(state))
		return 0;
	ret |= restore(HASH4, state->hash4);
	ret |= restore(HASH6, state->hash6);
	ret |= restore(VALID_MARK, state->mark);
	return ret;
}

/* None but its own: others may have some for the same table. */
static void delete_rules(const struct state *state)
{
	if (state->rules4)
		rules_delete(AF_INET, state->table, state->rules4);
	if (state->rules6)
		rules_delete(AF_INET6, state->table, state->rules6);
}

static int undo(const char *name)
{
	struct links links;
	struct state state;
	int ret = 0;

	if (bundle_find(&links, name, &state))
		return -1;
	if (links.count) {
		/* Whatever ends it from here on, it is no longer whole. */
		state.complete = 0;
		bundle_remember(&links, &state);
		delete_rules(&state);
		ret = restore_all(&state);
	}
	links_free(&links);
	return ret;
}

int bundle_dismantle(const struct links *links, const char *name)
{
	int ret = undo(name), error;
	size_t i;

	for (i = links->count; i--;) {
		error = link_delete(links->of[i].index);
		if (error && error != -ENODEV)
			ret = fail("cannot remove %s: %s", links->of[i].name,
				   strerror(-error));
	}
	/* Not before: who measures the MTU may make it anew until then (bundle_fit.c). */
	error = links->count ? clamp_remove(name) : 0;
	if (error)
		ret = fail("cannot remove the table wg-inline-%s of nftables: %s",
			   name, strerror(-error));
	return ret;
}

int bundle_take_down(const struct links *links, const struct bundle *bundle,
		     const struct config *config)
{
	if (!config)
		return bundle_dismantle(links, bundle->name);
	if (hooks_run(&config->pre_down, "PreDown", bundle->name) ||
	    bundle_dismantle(links, bundle->name))
		return -1;
	return hooks_run(&config->post_down, "PostDown", bundle->name);
}

/* Why there is no configuration has been said. */
static int down(const struct bundle *bundle, const struct config *config)
{
	struct links links;
	int ret = 0;

	if (bundle_find(&links, bundle->name, NULL))
		return -1;
	if (links.count) {
		if (!config)
			say("%s is taken down without its PreDown and PostDown",
			    bundle->name);
		ret = bundle_take_down(&links, bundle, config);
	} else if (config) {
		printf("%s is down already\n", bundle->name);
	} else {
		ret = -1;
	}
	links_free(&links);
	return ret;
}

int bundle_down(const struct bundle *bundle, const struct config *config)
{
	int lock, ret = -1;

	interrupt_hold();
	lock = lock_take();
	if (lock >= 0) {
		ret = down(bundle, config);
		lock_release(lock);
	}
	interrupt_release();
	return ret;
}

/* ------------------------------------------------------------- showing -- */

static int show_member(const struct link *link)
{
	struct tunnel tunnel;
	struct state state;
	char mode[MODE_ROOM];
	int ret;

	ret = tunnel_get(&tunnel, link->name);
	if (ret)
		return ret < 0 ? ret : 0;
	state_read(&state, link->alias);
	if (mode_get(link, mode))
		strcpy(mode, "stock");
	if (state.tunnel == 1)
		printf("bundle %s, %u tunnels, group %u, mtu %u\n",
		       state.bundle, state.tunnels, link->group, link->mtu);
	printf("  %-15s port %-5u mode %-8s peers %lu live %lu", link->name,
	       tunnel.port, mode, tunnel.peers, tunnel.live);
	if (tunnel.newest >= 0)
		printf(" handshake %" PRId64 " s ago", tunnel.newest);
	puts(link->up ? "" : " (down)");
	return 0;
}

int bundle_show(const char *name)
{
	struct links links;
	int ret = 0;
	size_t i;

	if (bundle_find(&links, name, NULL))
		return -1;
	if (name && !links.count)
		ret = fail("there is no bundle %s", name);
	for (i = 0; i < links.count && !ret; i++)
		ret = show_member(&links.of[i]);
	links_free(&links);
	return ret;
}
