// SPDX-License-Identifier: GPL-2.0
/*
 * The tunnels of a bundle move to other ports until they land on as many CPUs as can
 * be. Where one lands is seen by sending echo requests through it and looking at which
 * CPU the answers were counted, and never computed from how a NIC is said to choose.
 *
 * A NIC looks at the ports of both ends, and so an end that moves changes where the
 * other one receives. Each end only ever moves its own ports, only those of tunnels
 * that are too many where they land, and stays until it has seen nothing change for a
 * while: if both ends do so at a time, either goes on until both are content.
 */
#include "bundle.h"

#include "configure.h"
#include "mode.h"
#include "say.h"
#include "sounding.h"
#include "spread.h"
#include "tunnel.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Milliseconds until a tunnel answers at first. */
#define FIRST 3000
/*
 * A tunnel that does not answer on a new port goes back after so many, and up to so
 * many more: if both ends move at once, neither finds the other, and one of them has to
 * be back for longer than it takes the other to call.
 */
#define PATIENCE 1500
#define JITTER 500
/* After so many without an answer on its old port, it is left alone. */
#define SILENT 5000
/* Nothing has changed for so long: the other end is content, too. */
#define CALM 3000
#define PAUSE 200
/* After so long, what there is has to do. */
#define LIMIT 60000

/**
 * struct mover - the ports of a tunnel
 * @first: at the beginning
 * @good: the last one on which it answered
 * @best: when more tunnels were in place than ever before
 * @now: which it has
 */
struct mover {
	uint16_t first;
	uint16_t good;
	uint16_t best;
	uint16_t now;
};

/**
 * struct spreader - a bundle that is being spread
 * @name: of it
 * @listen: ListenPort of its file
 * @all: its tunnels, as they are asked
 * @of: their ports
 * @spread: where they land
 * @tried: so many ports
 * @placed: the most tunnels that ever were where they can stay
 * @restless: when something last changed that we did not do
 */
struct spreader {
	const char *name;
	uint16_t listen;
	struct soundings all;
	struct mover of[MOST_TUNNELS];
	struct spread spread;
	unsigned int tried;
	int placed;
	int64_t restless;
};

static bool is_interrupted(void)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, SIGINT) ||
	       sigismember(&pending, SIGTERM) || sigismember(&pending, SIGHUP);
}

static const char *name_of(const struct spreader *spreader, unsigned int i)
{
	return spreader->all.of[i].link->name;
}

/* --------------------------------------------------------------- moving -- */

/* Return: 0; 1 if somebody else is there; -1 after having said why not. */
static int listen_on(struct spreader *spreader, unsigned int i, uint16_t port)
{
	const struct link *link = spreader->all.of[i].link;
	struct mover *mover = &spreader->of[i];
	struct tunnel tunnel;
	int ret;

	if (mover->now == port && port)
		return 0;
	ret = tunnel_listen(link->index, port);
	if (ret == -EADDRINUSE)
		return 1;
	if (ret)
		return fail("cannot have %s listen on port %u: %s", link->name,
			    port, strerror(-ret));
	mover->now = port;
	if (port)
		return 0;
	ret = tunnel_get(&tunnel, link->name);
	if (ret)
		return ret > 0 ? fail("%s has gone", link->name) : ret;
	mover->now = tunnel.port;
	return 0;
}

/* Where there is no ListenPort, the kernel chooses. 1: there are no more ports. */
static int move(struct spreader *spreader, unsigned int i)
{
	uint16_t port = 0;
	int ret;

	do {
		if (spreader->tried >= SPREAD_PORTS)
			return 1;
		if (spreader->listen)
			port = spread_port(spreader->listen, spreader->tried);
		spreader->tried++;
		ret = listen_on(spreader, i, port);
	} while (ret > 0);
	return ret;
}

static int move_all(struct spreader *spreader, uint32_t which)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < spreader->all.count && !ret; i++) {
		if (which & 1U << i)
			ret = move(spreader, i);
	}
	return ret;
}

/* Its port may be somebody else's by now; then the one that it is on has to do. */
static int go_back(struct spreader *spreader, unsigned int i, uint16_t port)
{
	spreader->restless = end_now();
	return listen_on(spreader, i, port) < 0 ? -1 : 0;
}

/* --------------------------------------------------------------- rounds -- */

static int note_silence(struct spreader *spreader, unsigned int i)
{
	struct sounding *sounding = &spreader->all.of[i];
	struct mover *mover = &spreader->of[i];

	if (mover->now != mover->good)
		return go_back(spreader, i, mover->good);
	spreader->restless = end_now();
	if (end_now() - sounding->heard < SILENT)
		return 0;
	sounding->left = true;
	spread_tell(&spreader->spread, i, SPREAD_NOWHERE, false);
	return 0;
}

static int note_landing(struct spreader *spreader, unsigned int i)
{
	struct mover *mover = &spreader->of[i];
	bool fresh = mover->now != mover->good;
	int cpu;

	mover->good = mover->now;
	if (sounding_landing(&spreader->all, i, &cpu))
		return -1;
	if (cpu == SOUNDING_UNCLEAR ||
	    (!fresh && cpu != spreader->spread.at[i]))
		spreader->restless = end_now();
	if (cpu != SOUNDING_UNCLEAR)
		spread_tell(&spreader->spread, i, cpu, fresh);
	return 0;
}

static int count_placed(const struct spreader *spreader)
{
	return spread_known(&spreader->spread) -
	       __builtin_popcount(spread_surplus(&spreader->spread));
}

static void note_best(struct spreader *spreader)
{
	int placed = count_placed(spreader);
	unsigned int i;

	if (placed <= spreader->placed)
		return;
	spreader->placed = placed;
	for (i = 0; i < spreader->all.count; i++)
		spreader->of[i].best = spreader->of[i].now;
}

static int do_round(struct spreader *spreader, int patience)
{
	struct soundings *all = &spreader->all;
	unsigned int i;
	int ret;

	ret = soundings_take(all, patience, is_interrupted);
	for (i = 0; i < all->count && !ret; i++) {
		if (all->of[i].left)
			continue;
		ret = sounding_answered(&all->of[i]) ?
		      note_landing(spreader, i) : note_silence(spreader, i);
	}
	if (!ret)
		note_best(spreader);
	return ret;
}

/* Those that do not answer now get one more chance. */
static int first_round(struct spreader *spreader)
{
	unsigned int i;
	int ret;

	ret = do_round(spreader, FIRST);
	for (i = 0; i < spreader->all.count; i++) {
		if (!sounding_answered(&spreader->all.of[i]))
			spreader->all.of[i].heard = 0;
	}
	return ret;
}

/* Return: 0 if it is content, or has tried all that it can; or -1. */
static int search(struct spreader *spreader)
{
	int64_t begun = end_now(), now = begun;
	uint32_t surplus;
	int ret;

	spreader->restless = begun;
	ret = first_round(spreader);
	while (!ret && now - begun < LIMIT && !is_interrupted()) {
		surplus = spread_surplus(&spreader->spread);
		if (!surplus && now - spreader->restless >= CALM)
			break;
		if (surplus)
			ret = move_all(spreader, surplus);
		else
			poll(NULL, 0, PAUSE);
		if (!ret)
			ret = do_round(spreader, PATIENCE +
				       randombytes_uniform(JITTER));
		now = end_now();
	}
	return ret < 0 ? ret : 0;
}

/* ------------------------------------------------------------------ end -- */

/* The other end hears of it by being asked. */
static int return_all(struct spreader *spreader, bool best)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < spreader->all.count; i++) {
		struct mover *mover = &spreader->of[i];

		if (!spreader->all.of[i].left &&
		    go_back(spreader, i, best ? mover->best : mover->first))
			ret = -1;
	}
	return ret ? ret : do_round(spreader, PATIENCE);
}

static void tell_left(const struct spreader *spreader)
{
	unsigned int i;

	for (i = 0; i < spreader->all.count; i++) {
		if (spreader->all.of[i].left)
			say("%s does not answer, and is left on port %u",
			    name_of(spreader, i), spreader->of[i].now);
	}
}

static void tell(const struct spreader *spreader)
{
	const struct spread *spread = &spreader->spread;
	unsigned int i, used = spread_used(spread);
	const char *before = ":";

	tell_left(spreader);
	printf("%s: %u tunnels land on %u of %u CPUs", spreader->name,
	       spread_known(spread), used, spread->cpus);
	for (i = 0; i < spread->tunnels; i++) {
		if (spread->at[i] == SPREAD_NOWHERE)
			continue;
		printf("%s %s (port %u) on %d", before, name_of(spreader, i),
		       spreader->of[i].now, spread->at[i]);
		before = ",";
	}
	if (spread_surplus(spread))
		printf("; no better ports were found in time");
	else if (used < spread_known(spread) && used < spread->cpus)
		printf("; no port leads to others");
	putchar('\n');
	fflush(stdout);
}

/* If more were in place before, the best that was found is what remains. */
static int conclude(struct spreader *spreader)
{
	const struct spread *spread = &spreader->spread;
	unsigned int known = spread_known(spread);

	if (known < 2)
		return fail("only %u of the %u tunnels of %s answer%s: there is nothing to spread",
			    known, spread->tunnels, spreader->name,
			    known == 1 ? "s" : "");
	if (spread_used(spread) == 1 && spread_is_all(spread)) {
		return_all(spreader, false);
		return fail("all tunnels of %s land on CPU %d whatever their ports: the NIC has one queue, or its hash does not look at UDP ports; see \"wg-inline doctor\"",
			    spreader->name, spread->seen[0]);
	}
	if (count_placed(spreader) < spreader->placed &&
	    return_all(spreader, true))
		return -1;
	tell(spreader);
	return 0;
}

/* What has not answered yet on its new port is put back where it did. */
static void secure(struct spreader *spreader)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < spreader->all.count; i++) {
		struct mover *mover = &spreader->of[i];

		if (mover->now == mover->good)
			continue;
		listen_on(spreader, i, mover->good);
		any = true;
	}
	if (any)
		soundings_call(&spreader->all);
}

/* ---------------------------------------------------------------- begin -- */

static int check_mode(const struct link *link)
{
	char mode[MODE_ROOM];
	int ret = mode_get(link, mode);

	if (ret == -ENOENT)
		return fail("cannot spread %s: stock WireGuard does not say where packets land",
			    link->name);
	if (ret)
		return fail("cannot read the mode of %s: %s", link->name,
			    strerror(-ret));
	if (strcmp(mode, "inline"))
		return fail("cannot spread %s in mode %s: only inline leaves packets where they land",
			    link->name, mode);
	return 0;
}

static int begin_mover(struct mover *mover, const struct link *link)
{
	struct tunnel tunnel;
	int ret;

	if (check_mode(link))
		return -1;
	ret = tunnel_get(&tunnel, link->name);
	if (ret)
		return ret > 0 ? fail("%s has gone", link->name) : ret;
	mover->first = tunnel.port;
	mover->good = tunnel.port;
	mover->best = tunnel.port;
	mover->now = tunnel.port;
	return 0;
}

static int begin(struct spreader *spreader, const struct links *links,
		 const struct config *config)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t i;

	if (config->peer_count != 1)
		return fail("%s: there are %zu peers, and only tunnels to one can be spread",
			    config->path, config->peer_count);
	if (cpus < 2)
		return fail("cannot spread %s: this machine has one CPU",
			    spreader->name);
	for (i = 0; i < links->count; i++) {
		if (begin_mover(&spreader->of[i], &links->of[i]))
			return -1;
	}
	spreader->listen = config->port;
	if (soundings_begin(&spreader->all, links, config))
		return -1;
	spread_begin(&spreader->spread, spreader->all.count, cpus);
	return 0;
}

/* Who wants to end it gets a bundle of which every tunnel is where it answered. */
static int run(struct spreader *spreader)
{
	sigset_t held, before;
	int ret;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigprocmask(SIG_BLOCK, &held, &before);
	ret = search(spreader);
	if (!ret && !is_interrupted())
		ret = conclude(spreader);
	secure(spreader);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
}

int bundle_spread(const struct bundle *bundle, const struct config *config)
{
	struct spreader spreader = { .name = bundle->name, .placed = -1 };
	struct state first;
	struct links links;
	int ret;

	if (bundle_find(&links, bundle->name, &first))
		return -1;
	if (!links.count)
		ret = fail("%s is not up", bundle->name);
	else if (links.count != first.tunnels)
		ret = fail("%s has lost a tunnel: take it down and up again",
			   bundle->name);
	else
		ret = begin(&spreader, &links, config);
	if (!ret) {
		ret = run(&spreader);
		soundings_end(&spreader.all);
	}
	links_free(&links);
	return ret;
}
