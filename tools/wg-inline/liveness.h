/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_LIVENESS_H
#define WGI_LIVENESS_H

#include <stdbool.h>
#include <stdint.h>

/* Times in milliseconds. A turn is how often a tunnel is looked at. */
#define LIVENESS_TURN 100
#define LIVENESS_DEAD 2000
/* However late answers come, more patience than this nobody gets for it. */
#define LIVENESS_LAG 3000

/**
 * struct liveness - does a tunnel answer?
 * @heard: when an answer came last, or when it was first looked at
 * @asked: when it was last asked; 0 for never
 * @row: how many answers came one soon after the other
 * @lag: how late they come at present; it rises at once and falls slowly
 * @ever: has it ever answered?
 * @alive: is it taken to answer?
 */
struct liveness {
	int64_t heard;
	int64_t asked;
	unsigned int row;
	unsigned int lag;
	bool ever;
	bool alive;
};

/* liveness_begin() - look at a tunnel from now on; it is not alive yet */
void liveness_begin(struct liveness *liveness, int64_t now);

/**
 * liveness_ask() - is it time to ask it?
 *
 * Twice a second, but ten times where an answer is overdue, or where a dead one
 * has answered: what is lost to overload must not look like death.
 */
bool liveness_ask(struct liveness *liveness, int64_t now);

/* liveness_hear() - it has answered what was asked @lag ago */
void liveness_hear(struct liveness *liveness, int64_t now, unsigned int lag);

/**
 * liveness_judge() - has it died?
 * @liveness: this one
 * @now: the time
 * @lag: the worst of its and its neighbours'
 *
 * Where queues are long, what was asked since an answer was overdue has not been
 * answered yet either, and one loss would look like a row of them: so much longer it
 * is waited. Neighbours count, as they often share the queue. Up to half a second
 * leaves time for many questions, and changes nothing.
 *
 * Return: true if it has just died.
 */
bool liveness_judge(struct liveness *liveness, int64_t now, unsigned int lag);

/* liveness_forgive() - for so long it was we who slept */
void liveness_forgive(struct liveness *liveness, int64_t time);

/**
 * liveness_choose() - which tunnels should be used
 * @answering: for each peer, a bit for each tunnel that answers; bit 0 is tunnel 1
 * @peers: how many
 * @used: what is used now
 *
 * Peers that answer nowhere have no say. A tunnel is used if all others answer on
 * it; if there is no such tunnel, if any of them does; and if none answers at
 * all, nothing changes: a tunnel that may be dead is better than none.
 *
 * Return: a bit for each.
 */
uint32_t liveness_choose(const uint32_t *answering, unsigned int peers,
			 uint32_t used);

#endif
