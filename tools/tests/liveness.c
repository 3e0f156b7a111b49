// SPDX-License-Identifier: GPL-2.0
/* When is a tunnel dead, and what fits through? Hours in no time. KTAP. */
#include "liveness.h"
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>

static int number, failed;

static void result(bool good, const char *what)
{
	printf("%s %d - %s\n", good ? "ok" : "not ok", ++number, what);
	failed += !good;
}

/*
 * Turns of LIVENESS_TURN ms, with answers after @delay ms, of which @loss in
 * a hundred are lost, from @from to @to.
 *
 * Return: when its state changed for the first time; -1 if never.
 */
static int64_t run(struct liveness *liveness, int64_t from, int64_t to,
		   int loss, int delay)
{
	bool coming[64] = { false }, was = liveness->alive;
	int64_t now, change = -1;
	int slot;

	for (now = from; now < to; now += LIVENESS_TURN) {
		slot = now / LIVENESS_TURN % 64;
		if (coming[slot])
			liveness_hear(liveness, now, delay);
		coming[slot] = false;
		liveness_judge(liveness, now, liveness->lag);
		if (liveness->alive != was && change < 0)
			change = now;
		if (liveness_ask(liveness, now) && rand() % 100 >= loss)
			coming[(slot + delay / LIVENESS_TURN) % 64] = true;
	}
	return change;
}

static void death(void)
{
	struct liveness liveness;
	int64_t cut, died, worst = 0;
	bool good = true;

	/* Whenever it is cut, and however far away the other end is. */
	for (cut = 10000; cut < 12000; cut += LIVENESS_TURN) {
		liveness_begin(&liveness, 0);
		run(&liveness, 0, cut, 0, 200);
		good &= liveness.alive;
		died = run(&liveness, cut, cut + 10000, 100, 200);
		good &= died > cut;
		if (died - cut > worst)
			worst = died - cut;
	}
	result(good && worst <= 2500, "a tunnel that is cut dies within 2.5 s");
	liveness_begin(&liveness, 0);
	run(&liveness, 0, 10000, 0, 6000);
	result(run(&liveness, 10000, 16000, 100, 6000) > 0,
	       "however late it answered, within 5 s of silence");
	result(run(&liveness, 30000, 90000, 100, 200) < 0,
	       "what is dead stays dead");
	died = run(&liveness, 90000, 100000, 0, 200);
	result(died > 90000 && died <= 92000,
	       "what answers again is back within 2 s");
}

static void loss(void)
{
	struct liveness liveness;

	srand(1);
	liveness_begin(&liveness, 0);
	run(&liveness, 0, 10000, 0, 100);
	result(run(&liveness, 10000, 3600000, 30, 100) < 0,
	       "an hour with 30 % of loss is survived");
	run(&liveness, 3600000, 3604000, 0, 1900);
	result(run(&liveness, 3604000, 7200000, 50, 1900) < 0,
	       "and one of queues of 1.9 s that lose half");
	result(run(&liveness, 7200000, 7260000, 0, 3000) < 0 || liveness.alive,
	       "answers that come after 3 s come, too");
}

static void beginning(void)
{
	struct liveness liveness;

	liveness_begin(&liveness, 0);
	result(run(&liveness, 0, 10000, 100, 100) < 0 && !liveness.alive,
	       "what never answered is not alive");
	result(run(&liveness, 10000, 11000, 0, 100) <= 10600,
	       "its first answer is enough");
	liveness_begin(&liveness, 0);
	run(&liveness, 0, 5000, 0, 100);
	run(&liveness, 5000, 20000, 100, 100);
	liveness_hear(&liveness, 20000, 100);
	result(!liveness.alive, "after death, one is not");
}

static void sleeping(void)
{
	struct liveness liveness;

	liveness_begin(&liveness, 0);
	run(&liveness, 0, 5000, 0, 100);
	liveness_forgive(&liveness, 60000);
	result(!liveness_judge(&liveness, 65100, 0),
	       "who has slept does not take others for dead");
}

static void choice(void)
{
	static const struct {
		uint32_t answering[3], used, wanted;
		const char *what;
	} table[] = {
		{ { 15, 15, 15 }, 15, 15, "all answer" },
		{ { 13, 15, 15 }, 15, 13, "one tunnel is dead for one peer" },
		{ { 0, 15, 15 }, 15, 15, "a peer that is silent has no say" },
		{ { 1, 2, 0 }, 15, 3, "no tunnel has them all" },
		{ { 0, 0, 0 }, 15, 15, "nobody answers" },
		{ { 0, 0, 0 }, 4, 4, "the last tunnel dies" },
		{ { 8, 0, 8 }, 4, 8, "another one is back" },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		result(liveness_choose(table[i].answering, 3, table[i].used) ==
		       table[i].wanted, table[i].what);
}

/* Whatever fits, it is found, at most a step too small, with few questions. */
static void sizes(void)
{
	unsigned int most, limit, size, asked, worst = 0;
	struct search search;
	bool good = true;

	for (most = MEASURE_LEAST; most < 1600; most++) {
		for (limit = MEASURE_LEAST; limit < 1600; limit += 3) {
			search_begin(&search, most);
			asked = 0;
			while ((size = search_next(&search)) && asked < 100) {
				good &= size > MEASURE_LEAST && size <= most;
				search_tell(&search, size, size <= limit);
				asked++;
			}
			if (limit >= most)
				good &= search.fits == most && asked <= 1;
			else
				good &= search.fits <= limit &&
					search.fits + 16 > limit;
			if (asked > worst)
				worst = asked;
		}
	}
	result(good, "the largest size that fits is found");
	result(worst <= 6, "with six questions at most");
}

/* WireGuard's MTU may be more than a packet can be. */
static void no_size(void)
{
	struct search search;

	search_begin(&search, 100000);
	result(search_next(&search) == 65535, "no packet is longer than 65535");
	search_tell(&search, 65535, true);
	result(!search_next(&search) && search.fits == 65535,
	       "a longer one is not looked for");
	search_begin(&search, ~0u);
	result(search_next(&search) == 65535, "the largest number");
}

int main(void)
{
	puts("KTAP version 1");
	death();
	loss();
	beginning();
	sleeping();
	choice();
	sizes();
	no_size();
	printf("1..%d\n# %d passed, %d failed\n", number, number - failed,
	       failed);
	return failed != 0;
}
