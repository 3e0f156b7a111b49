/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_SPREAD_H
#define WGI_SPREAD_H

#include "config.h"

#include <stdbool.h>
#include <stdint.h>

/* The ports that are tried begin so far after ListenPort, and are so many. */
#define SPREAD_FIRST 100
#define SPREAD_PORTS 1000

/* Where a tunnel lands, if that is not known, or does not matter. */
#define SPREAD_NOWHERE (-1)

/**
 * struct spread - which tunnel lands on which CPU, as far as it is known
 * @tunnels: how many there are, at most MOST_TUNNELS
 * @cpus: how many this machine has
 * @at: for each tunnel, the CPU; SPREAD_NOWHERE to leave it alone
 * @age: for each tunnel, when it came to be there; the smaller, the earlier
 * @clock: the latest of them
 * @seen: CPUs on which any has ever landed; no more than there are tunnels
 * @seen_count: how many
 * @barren: so many ports were tried since the last of them was seen first
 */
struct spread {
	unsigned int tunnels;
	unsigned int cpus;
	int at[MOST_TUNNELS];
	unsigned int age[MOST_TUNNELS];
	unsigned int clock;
	int seen[MOST_TUNNELS];
	unsigned int seen_count;
	unsigned int barren;
};

void spread_begin(struct spread *spread, unsigned int tunnels,
		  unsigned int cpus);

/**
 * spread_tell() - a tunnel was seen to land
 * @spread: what is known
 * @tunnel: from 0
 * @cpu: there; SPREAD_NOWHERE if it has to be left alone
 * @fresh: on a port that was not tried before
 */
void spread_tell(struct spread *spread, unsigned int tunnel, int cpu,
		 bool fresh);

/**
 * spread_surplus() - the tunnels that should land elsewhere
 * @spread: what is known
 *
 * Those that came first to a CPU stay there. As long as there may be CPUs on which
 * none has landed yet, room is left for these: until so many ports were tried in
 * vain that there is one in a chance of one in some thousands.
 *
 * Return: a bit for each; none if they are spread as well as they can be.
 */
uint32_t spread_surplus(const struct spread *spread);

/* spread_known() - how many tunnels count, spread_used() - on how many CPUs they are */
unsigned int spread_known(const struct spread *spread);
unsigned int spread_used(const struct spread *spread);

/* spread_is_all() - no port leads to more CPUs than those that were seen */
bool spread_is_all(const struct spread *spread);

/* spread_port() - the N-th port to try, from 0; 0 if there are no more */
uint16_t spread_port(uint16_t listen, unsigned int n);

#endif
