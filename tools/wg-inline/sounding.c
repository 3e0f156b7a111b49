// SPDX-License-Identifier: GPL-2.0
/* Where tunnels land: the CPUs by which answers to echo requests are counted. */
#include "sounding.h"

#include "ethtool.h"
#include "say.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So many echoes are asked for at a time, and so many are enough. */
#define ECHOES 6
#define ENOUGH 4
/* Milliseconds until they are asked for again. */
#define INTERVAL 150
/* Where counters stay behind answers, they are read again so often, after ms. */
#define RETRIES 20
#define RETRY 5

/* What a token consists of. */
#define TOKEN(round, tunnel, local) \
	((uint32_t)(round) << 6 | (tunnel) << 1 | (local))
#define ROUND(token) ((token) >> 6)
#define TUNNEL(token) ((token) >> 1 & 31)
#define LOCAL(token) ((token) & 1)

/* ------------------------------------------------------------- counters -- */

static int read_received(const char *name, uint64_t *received,
			 unsigned int cpus)
{
	struct counters counters;
	size_t i;
	int ret;

	memset(received, 0, cpus * sizeof(*received));
	ret = counters_get(&counters, name);
	if (ret)
		return ret < 0 ? ret : fail("%s has gone", name);
	for (i = 0; i < counters.count; i++) {
		const struct counter *counter = &counters.of[i];

		if (counter->cpu >= 0 && (unsigned int)counter->cpu < cpus &&
		    !counter->drop && !strcmp(counter->what, "rx_packets"))
			received[counter->cpu] += counter->value;
	}
	counters_free(&counters);
	return 0;
}

/* Which CPU has three of four packets that came since, and how many came? */
static int compare(const struct soundings *all, const uint64_t *before,
		   uint64_t *sum)
{
	unsigned int i, busiest = 0;
	uint64_t most = 0, more;

	*sum = 0;
	for (i = 0; i < all->cpus; i++) {
		more = all->received[i] - before[i];
		*sum += more;
		if (more <= most)
			continue;
		most = more;
		busiest = i;
	}
	return most < ENOUGH || most * 4 < *sum * 3 ? SOUNDING_UNCLEAR :
	       (int)busiest;
}

int sounding_landing(struct soundings *all, unsigned int tunnel, int *cpu)
{
	const struct sounding *sounding = &all->of[tunnel];
	unsigned int tries = 0;
	uint64_t sum;

	do {
		if (tries)
			poll(NULL, 0, RETRY);
		if (read_received(sounding->link->name, all->received,
				  all->cpus))
			return -1;
		*cpu = compare(all, sounding->before, &sum);
	} while (sum < sounding->answers && ++tries < RETRIES);
	return 0;
}

/* --------------------------------------------------------------- asking -- */

bool sounding_answered(const struct sounding *sounding)
{
	return sounding->answers >= ENOUGH;
}

static bool all_answered(const struct soundings *all)
{
	unsigned int i;

	for (i = 0; i < all->count; i++) {
		if (!all->of[i].left && !sounding_answered(&all->of[i]))
			return false;
	}
	return true;
}

static void ask(const struct soundings *all, unsigned int i)
{
	const struct sounding *sounding = &all->of[i];
	unsigned int index = sounding->link->index, echo;

	for (echo = 0; echo < ECHOES; echo++) {
		if (sounding->local || !sounding->plain)
			end_ask(&all->end, &all->probe, index, i, true,
				TOKEN(all->round, i, 1), PROBE_LEAST);
		if (!sounding->local)
			end_ask(&all->end, &all->probe, index, i, false,
				TOKEN(all->round, i, 0), PROBE_LEAST);
	}
}

void soundings_call(struct soundings *all)
{
	unsigned int i;

	for (i = 0; i < all->count; i++) {
		if (!all->of[i].left && !sounding_answered(&all->of[i]))
			ask(all, i);
	}
}

/* An answer that comes by another tunnel says nothing of this one. */
static void take(struct soundings *all, const struct answer *answer)
{
	uint32_t i = TUNNEL(answer->token);
	bool local = LOCAL(answer->token);
	struct sounding *sounding = &all->of[i];

	if (answer->piece || i >= all->count ||
	    ROUND(answer->token) != ROUND(TOKEN(all->round, 0, 0)) ||
	    answer->index != sounding->link->index ||
	    !end_is_from(&all->end, answer, answer->index, i, local))
		return;
	sounding->answers++;
	sounding->heard = end_now();
	sounding->local |= local;
	sounding->plain |= !local;
}

static void hear(struct soundings *all, int64_t deadline)
{
	struct answer answer;

	while (!all_answered(all) && end_wait(&all->probe, deadline)) {
		while (probe_hear(&all->probe, AF_INET, &answer))
			take(all, &answer);
		while (probe_hear(&all->probe, AF_INET6, &answer))
			take(all, &answer);
	}
}

static int begin_round(struct soundings *all)
{
	unsigned int i;

	all->round++;
	for (i = 0; i < all->count; i++) {
		struct sounding *sounding = &all->of[i];

		sounding->answers = 0;
		if (!sounding->left &&
		    read_received(sounding->link->name, sounding->before,
				  all->cpus))
			return -1;
	}
	return 0;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int soundings_take(struct soundings *all, int patience, bool (*stop)(void))
{
	int64_t deadline = end_now() + patience, now;

	if (begin_round(all))
		return -1;
	while (!all_answered(all) && (now = end_now()) < deadline && !stop()) {
		soundings_call(all);
		hear(all, sooner(now + INTERVAL, deadline));
	}
	return 0;
}

/* ---------------------------------------------------------------- begin -- */

static int make_room(struct soundings *all)
{
	unsigned int i;

	all->received = calloc(all->cpus, sizeof(*all->received));
	if (!all->received)
		return -ENOMEM;
	for (i = 0; i < all->count; i++) {
		all->of[i].before = calloc(all->cpus, sizeof(uint64_t));
		if (!all->of[i].before)
			return -ENOMEM;
	}
	return 0;
}

static void free_room(struct soundings *all)
{
	unsigned int i;

	for (i = 0; i < all->count; i++)
		free(all->of[i].before);
	free(all->received);
}

int soundings_begin(struct soundings *all, const struct links *links,
		    const struct config *config)
{
	unsigned int i;
	int ret;

	memset(all, 0, sizeof(*all));
	end_find(&all->end, config, &config->peers[0], links->count);
	all->count = all->end.tunnels;
	all->cpus = sysconf(_SC_NPROCESSORS_CONF);
	for (i = 0; i < all->count; i++) {
		all->of[i].link = &links->of[i];
		all->of[i].heard = end_now();
	}
	ret = make_room(all);
	if (!ret)
		ret = probe_open(&all->probe);
	if (!ret)
		return 0;
	free_room(all);
	return fail("cannot ask through tunnels: %s%s", strerror(-ret),
		    ret == -EPERM ? ": that takes CAP_NET_RAW" : "");
}

void soundings_end(struct soundings *all)
{
	probe_close(&all->probe);
	free_room(all);
}
