/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_SOUNDING_H
#define WGI_SOUNDING_H

#include "end.h"
#include "link.h"

#include <stdbool.h>
#include <stdint.h>

/* One end has moved while answers came: they were not received by one CPU. */
#define SOUNDING_UNCLEAR (-2)

/**
 * struct sounding - a tunnel through which echoes are asked for
 * @link: interface
 * @left: it is not to be asked
 * @local: the other end answers by the address of this tunnel
 * @plain: it has answered by another one
 * @answers: so many in this round
 * @heard: when the last one came
 * @before: what was received when the round began, by CPU
 */
struct sounding {
	const struct link *link;
	bool left;
	bool local;
	bool plain;
	unsigned int answers;
	int64_t heard;
	uint64_t *before;
};

/**
 * struct soundings - those of a bundle
 * @of: tunnels
 * @count: how many
 * @end: the other end
 * @probe: by which it is asked
 * @cpus: how many CPUs may have counters
 * @received: room for as many
 * @round: its number
 */
struct soundings {
	struct sounding of[MOST_TUNNELS];
	unsigned int count;
	struct end end;
	struct probe probe;
	unsigned int cpus;
	uint64_t *received;
	uint32_t round;
};

/**
 * soundings_begin() - be ready for rounds
 * @all: filled, to be released by soundings_end()
 * @links: members of the bundle; have to live as long
 * @config: of it, with one peer
 *
 * Return: 0, or -1 after having said why; there is nothing to release then.
 */
int soundings_begin(struct soundings *all, const struct links *links,
		    const struct config *config);
void soundings_end(struct soundings *all);

/**
 * soundings_take() - a round: ask all tunnels, until they have answered
 * @all: tunnels
 * @patience: so many milliseconds at most
 * @stop: or until this says so
 *
 * Return: 0, or -1 after having said why not.
 */
int soundings_take(struct soundings *all, int patience, bool (*stop)(void));

/* soundings_call() - ask, and leave it at that: the other end learns of our ports */
void soundings_call(struct soundings *all);

/* sounding_answered() - has it, in this round? */
bool sounding_answered(const struct sounding *sounding);

/**
 * sounding_landing() - where the answers of this round were received
 * @all: tunnels
 * @tunnel: one that has answered
 * @cpu: set, or to SOUNDING_UNCLEAR
 *
 * Return: 0, or -1 after having said why it cannot be seen.
 */
int sounding_landing(struct soundings *all, unsigned int tunnel, int *cpu);

#endif
