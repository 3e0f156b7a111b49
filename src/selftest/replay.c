// SPDX-License-Identifier: GPL-2.0
/* Self-test of the replay window; part of replay.c in debug builds. */
#include "parallel.h"

#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/random.h>

/* How far behind the newest counter one may be. */
#define REACH ((u64)WG_REPLAY_WINDOW)
/* Where the far cases happen, away from zero and from any word's beginning. */
#define FAR 0x123456789abcULL
/* The last counter there is. */
#define LAST (WG_REJECT_AFTER_MESSAGES - 1)
/* What the oracle remembers: every counter from a base on. */
#define ORACLE_BITS BIT(18)
/* What every CPU offers in the race, and how many in a row. */
#define RACE_COUNTERS BIT(14)
#define RACE_STEP 1024

struct offer {
	u64 counter;
	bool accepted;
};

/* One after the other, with a new window where a case begins. */
#define BEGIN { U64_MAX, true }

static const struct offer offers[] __initconst = {
	BEGIN, { 0, true }, { 0, false }, { 1, true }, { 0, false },
	{ 3, true }, { 2, true }, { 2, false }, { 3, false }, { 1, false },
	/* The first counter need not be 0, and 0 may come late. */
	BEGIN, { REACH, true }, { 0, true }, { 0, false }, { REACH, false },
	BEGIN, { REACH + 1, true }, { 0, false }, { 1, true }, { 1, false },
	/* Both sides of the window's end, wherever in a word it falls. */
	BEGIN, { FAR, true }, { FAR - REACH - 1, false }, { FAR - REACH, true },
	{ FAR - REACH, false }, { FAR - REACH + 1, true },
	{ FAR + 1, true }, { FAR - REACH, false }, { FAR - REACH + 1, false },
	{ FAR - REACH + 2, true },
	BEGIN, { 63, true }, { REACH + 63, true }, { 63, false }, { 64, true },
	{ REACH + 64, true }, { 64, false }, { 65, true },
	BEGIN, { 64, true }, { REACH + 65, true }, { 64, false },
	/* A word is reused: what it held must be gone, and only that. */
	BEGIN, { 5, true }, { WG_REPLAY_WINDOW_BITS + 5, true }, { 5, false },
	{ WG_REPLAY_WINDOW_BITS + 4, true },
	{ WG_REPLAY_WINDOW_BITS + 5, false },
	BEGIN, { 64, true }, { 100, true }, { WG_REPLAY_WINDOW_BITS - 1, true },
	{ 64, false }, { 100, false }, { 65, true },
	/* Jumps over less than, just, and more than the whole ring. */
	BEGIN, { 1, true }, { 1 + REACH, true }, { 1, false }, { 2, true },
	BEGIN, { 1, true }, { WG_REPLAY_WINDOW_BITS * 2 + 1, true },
	{ WG_REPLAY_WINDOW_BITS + 1, false },
	{ WG_REPLAY_WINDOW_BITS * 2 + 1 - REACH, true },
	BEGIN, { 7, true }, { FAR, true }, { 7, false }, { FAR - 1, true },
	{ FAR, false }, { FAR * 2, true }, { FAR, false },
	{ FAR * 2 - REACH, true }, { FAR * 2 - REACH - 1, false },
	/* The last counter, what lies beyond it, and what is left behind. */
	BEGIN, { LAST + 1, false }, { LAST, true }, { LAST, false },
	{ LAST + 1, false }, { U64_MAX - 1, false }, { LAST - REACH, true },
	{ LAST - REACH - 1, false }, { 0, false }, { LAST - 1, true },
	BEGIN, { U64_MAX - 1, false }, { 0, true }, { 1, true },
};

static bool __init replay_test_offers(struct wg_replay *replay)
{
	const struct offer *offer;
	unsigned int i;
	bool hopeless;

	for (i = 0; i < ARRAY_SIZE(offers); ++i) {
		offer = &offers[i];
		if (offer->counter == U64_MAX) {
			wg_replay_init(replay);
			continue;
		}
		hopeless = replay->newest <= LAST &&
			   wg_replay_hopeless(replay, offer->counter);
		if (wg_replay_accept(replay, offer->counter) !=
		    offer->accepted || (hopeless && offer->accepted)) {
			pr_err("replay self-test: offer %u (%llu) failed\n", i,
			       offer->counter);
			return false;
		}
	}
	return true;
}

/* Fill a whole window in one direction, and then find all of it taken. */
static bool __init replay_test_fill(struct wg_replay *replay, u64 lowest,
				    bool forwards)
{
	bool accept = true;
	u64 i, counter;
	int round;

	wg_replay_init(replay);
	for (round = 0; round < 2; ++round, accept = false) {
		for (i = 0; i <= REACH; ++i) {
			counter = lowest + (forwards ? i : REACH - i);
			if (wg_replay_accept(replay, counter) != accept) {
				pr_err("replay self-test: filling %s from %llu failed at %llu\n",
				       forwards ? "forwards" : "backwards",
				       lowest, counter);
				return false;
			}
		}
	}
	return true;
}

/*
 * Behind the window it is hopeless, within and before it is not; after the last
 * counter all are.
 */
static bool __init replay_test_hopeless(struct wg_replay *replay)
{
	bool good;

	wg_replay_init(replay);
	good = !wg_replay_hopeless(replay, 0) &&
	       !wg_replay_hopeless(replay, LAST) &&
	       wg_replay_hopeless(replay, LAST + 1);
	good &= wg_replay_accept(replay, FAR);
	good &= !wg_replay_hopeless(replay, FAR + 1) &&
		!wg_replay_hopeless(replay, FAR) &&
		!wg_replay_hopeless(replay, FAR - REACH) &&
		wg_replay_hopeless(replay, FAR - REACH - 1) &&
		wg_replay_hopeless(replay, 0);
	good &= wg_replay_accept(replay, LAST - 1) &&
		!wg_replay_hopeless(replay, LAST - 2) &&
		wg_replay_accept(replay, LAST) &&
		wg_replay_hopeless(replay, LAST - 2);
	if (!good)
		pr_err("replay self-test: hopeless counters failed\n");
	return good;
}

/* A counter somewhere about the newest, mostly near, sometimes far ahead. */
static u64 __init replay_random_counter(struct rnd_state *rnd, u64 newest)
{
	u32 r = prandom_u32_state(rnd), distance = r >> 8;

	switch (r % 16) {
	case 0:
		return newest + distance % (REACH * 2);
	case 1 ... 4:
		return newest + distance % 200;
	case 5 ... 7:
		return newest - min(newest, REACH - 100 + distance % 200);
	default:
		return newest - min(newest, (u64)(distance % 300));
	}
}

/* The same offers to the window and to a list of all counters ever taken. */
static bool __init replay_test_random(struct wg_replay *replay,
				      unsigned long *taken, u64 base, u64 seed)
{
	u64 newest = base, counter;
	struct rnd_state rnd;
	bool expected;

	prandom_seed_state(&rnd, seed);
	wg_replay_init(replay);
	bitmap_zero(taken, ORACLE_BITS);
	for (;;) {
		counter = replay_random_counter(&rnd, newest);
		if (counter < base)
			continue;
		if (counter - base >= ORACLE_BITS)
			return true;
		expected = !test_bit(counter - base, taken) &&
			   (counter >= newest || newest - counter <= REACH);
		if (wg_replay_accept(replay, counter) != expected) {
			pr_err("replay self-test: %llu, newest %llu, seed %#llx failed\n",
			       counter, newest, seed);
			return false;
		}
		if (expected)
			__set_bit(counter - base, taken);
		newest = max(newest, counter);
	}
}

struct replay_race {
	struct wg_replay replay;
	unsigned int runners;
	atomic_t arrived;
	atomic_t times[RACE_COUNTERS];
};

/*
 * Offer all counters, in step with all other CPUs, so that they meet at each. A
 * few at a time they come the wrong way round. Nobody is ahead by more than
 * that, so whoever is the first to offer a counter finds it within the window.
 */
static int replay_racer(void *arg)
{
	unsigned int start, i, rounds = 0;
	struct replay_race *race = arg;

	while (!READ_ONCE(race->runners))
		cond_resched();
	for (start = 0; start < RACE_COUNTERS; start += RACE_STEP) {
		atomic_inc(&race->arrived);
		++rounds;
		while (atomic_read(&race->arrived) < rounds * race->runners)
			cond_resched();
		local_bh_disable();
		for (i = start; i < start + RACE_STEP; ++i) {
			if (wg_replay_accept(&race->replay, i ^ 3))
				atomic_inc(&race->times[i ^ 3]);
		}
		local_bh_enable();
	}
	return 0;
}

static bool __init replay_test_race(struct replay_race *race)
{
	struct wg_parallel *parallel;
	unsigned int i;

	wg_replay_init(&race->replay);
	parallel = wg_parallel_start(replay_racer, race);
	if (!parallel)
		return false;
	WRITE_ONCE(race->runners, parallel->n);
	wg_parallel_stop(parallel);
	for (i = 0; i < RACE_COUNTERS; ++i) {
		if (atomic_read(&race->times[i]) != 1) {
			pr_err("replay self-test: %u was accepted %d times\n",
			       i, atomic_read(&race->times[i]));
			return false;
		}
	}
	return true;
}

/**
 * wg_replay_selftest() - is the replay window as RFC 6479 has it?
 *
 * Context: Module initialisation.
 * Return: true if it is; else a line in the log says what is wrong.
 */
bool __init wg_replay_selftest(void)
{
	struct wg_replay *replay = kmalloc(sizeof(*replay), GFP_KERNEL);
	struct replay_race *race = kvzalloc(sizeof(*race), GFP_KERNEL);
	unsigned long *taken = bitmap_zalloc(ORACLE_BITS, GFP_KERNEL);
	u64 seed = get_random_u64();
	bool good = false;

	if (!replay || !race || !taken)
		goto out;

	local_bh_disable();
	good = replay_test_offers(replay) && replay_test_hopeless(replay) &&
	       replay_test_fill(replay, 0, true) &&
	       replay_test_fill(replay, 0, false) &&
	       replay_test_fill(replay, FAR, true) &&
	       replay_test_fill(replay, FAR, false) &&
	       replay_test_random(replay, taken, 0, seed) &&
	       replay_test_random(replay, taken, FAR, seed + 1);
	local_bh_enable();
	good = good && replay_test_race(race);
out:
	bitmap_free(taken);
	kvfree(race);
	kfree(replay);
	if (good)
		pr_info("replay self-tests: pass\n");
	else
		pr_err("replay self-tests: FAIL\n");
	return good;
}
