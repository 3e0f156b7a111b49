// SPDX-License-Identifier: GPL-2.0
/*
 * Which tunnels have to move so that all CPUs get as many. Nothing is known of how a
 * NIC chooses: a new port leads to any CPU, and to which is seen when it is tried.
 */
#include "spread.h"

#include <string.h>

/*
 * If there were one CPU more than the n that were seen, each try would miss it with
 * n / (n + 1); so many times n + 1 tries all do with less than e to the minus this.
 */
#define PATIENCE 8

void spread_begin(struct spread *spread, unsigned int tunnels,
		  unsigned int cpus)
{
	unsigned int i;

	memset(spread, 0, sizeof(*spread));
	spread->tunnels = tunnels;
	spread->cpus = cpus;
	for (i = 0; i < tunnels; i++)
		spread->at[i] = SPREAD_NOWHERE;
}

static bool is_new(const struct spread *spread, int cpu)
{
	unsigned int i;

	for (i = 0; i < spread->seen_count; i++) {
		if (spread->seen[i] == cpu)
			return false;
	}
	return true;
}

void spread_tell(struct spread *spread, unsigned int tunnel, int cpu,
		 bool fresh)
{
	if (fresh || cpu != spread->at[tunnel])
		spread->age[tunnel] = ++spread->clock;
	spread->at[tunnel] = cpu;
	if (cpu == SPREAD_NOWHERE)
		return;
	if (is_new(spread, cpu)) {
		if (spread->seen_count < MOST_TUNNELS)
			spread->seen[spread->seen_count++] = cpu;
		spread->barren = 0;
	} else {
		spread->barren += fresh;
	}
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

unsigned int spread_known(const struct spread *spread)
{
	unsigned int i, known = 0;

	for (i = 0; i < spread->tunnels; i++)
		known += spread->at[i] != SPREAD_NOWHERE;
	return known;
}

static unsigned int count_at(const struct spread *spread, int cpu,
			     unsigned int before)
{
	unsigned int i, count = 0;

	for (i = 0; i < before; i++)
		count += spread->at[i] == cpu;
	return count;
}

unsigned int spread_used(const struct spread *spread)
{
	unsigned int i, used = 0;

	for (i = 0; i < spread->tunnels; i++)
		used += spread->at[i] != SPREAD_NOWHERE &&
			!count_at(spread, spread->at[i], i);
	return used;
}

bool spread_is_all(const struct spread *spread)
{
	return spread->seen_count >= spread->cpus ||
	       spread->barren >= PATIENCE * (spread->seen_count + 1);
}

static unsigned int reachable(const struct spread *spread)
{
	unsigned int all = spread_is_all(spread) ? spread->seen_count :
			   spread->cpus;

	return least(spread_known(spread), all);
}

/* The one that came next after @age, or -1. */
static int next_in_age(const struct spread *spread, unsigned int age)
{
	unsigned int i;
	int next = -1;

	for (i = 0; i < spread->tunnels; i++) {
		if (spread->at[i] != SPREAD_NOWHERE && spread->age[i] > age &&
		    (next < 0 || spread->age[i] < spread->age[next]))
			next = i;
	}
	return next;
}

/* How many stay at the CPU, of those that were there before? */
static unsigned int staying(const struct spread *spread, int cpu,
			    uint32_t decided, uint32_t surplus)
{
	unsigned int i, count = 0;

	for (i = 0; i < spread->tunnels; i++)
		count += spread->at[i] == cpu &&
			 decided & ~surplus & 1U << i;
	return count;
}

uint32_t spread_surplus(const struct spread *spread)
{
	unsigned int cpus = reachable(spread), even, more, age = 0, load;
	uint32_t decided = 0, surplus = 0;
	int i;

	if (!cpus)
		return 0;
	even = spread_known(spread) / cpus;
	more = spread_known(spread) % cpus;
	while ((i = next_in_age(spread, age)) >= 0) {
		load = staying(spread, spread->at[i], decided, surplus);
		if (load == even && more)
			more--;
		else if (load >= even)
			surplus |= 1U << i;
		decided |= 1U << i;
		age = spread->age[i];
	}
	return surplus;
}

uint16_t spread_port(uint16_t listen, unsigned int n)
{
	if (n >= SPREAD_PORTS)
		return 0;
	/* Where there are too few above, those below. */
	if (listen + SPREAD_FIRST + SPREAD_PORTS - 1 > UINT16_MAX)
		return listen - SPREAD_FIRST - n;
	return listen + SPREAD_FIRST + n;
}
