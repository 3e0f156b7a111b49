/* SPDX-License-Identifier: GPL-2.0 */
/* A queue of items in front of workers on several CPUs. */
#ifndef _WG_LANE_H
#define _WG_LANE_H

#include <linux/cpumask.h>
#include <linux/llist.h>
#include <linux/ptr_ring.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "ordered.h"

struct wg_lane;

/**
 * struct wg_worker - one CPU's worker of a lane
 * @work: on that CPU
 * @turn: to look at the lane and at @unfinished
 * @lane: the lane
 * @cpu: that CPU
 * @lock: of who takes from @unfinished: this worker, or who does it in its place
 * @unfinished: orders whose consumer's turn this worker is to go on with
 */
struct wg_worker {
	struct work_struct work;
	struct wg_turn turn;
	struct wg_lane *lane;
	int cpu;
	spinlock_t lock; /* who takes from @unfinished */
	struct wg_fifo unfinished;
};

/**
 * struct wg_lane - a device's ring of one direction, and who empties it
 * @ring: items that no worker has yet
 * @workers: one per CPU
 * @cpus: where they may run: &wg_pipeline.cpus
 * @step: works on an item. BH off, RCU section
 * @kick: an item of a peer is done. BH off, RCU section
 * @resume: goes on with an order that was in &wg_worker.unfinished; NULL if none
 *	ever is. BH off, RCU section
 * @last_cpu: whose worker was woken last
 * @waiting: items added since that, or since any worker took some; roughly, as
 *	adders miscount each other
 * @wakes: how often a worker was sent
 */
struct wg_lane {
	struct ptr_ring ring;
	struct wg_worker __percpu *workers;
	const struct cpumask *cpus;
	void (*step)(struct wg_item *item);
	void (*kick)(struct wg_peer *peer);
	void (*resume)(struct wg_ordered *order);
	int last_cpu;
	unsigned int waiting;
	atomic_t wakes;
};

int wg_lane_module_init(void);
void wg_lane_module_exit(void);

int wg_lane_init(struct wg_lane *lane, const struct cpumask *cpus);
void wg_lane_destroy(struct wg_lane *lane);
bool wg_lane_add(struct wg_lane *lane, struct wg_item *item, int cpu);
void wg_lane_finish(struct wg_lane *lane, struct wg_ordered *order, int cpu);
void wg_lane_take_over(struct wg_lane *lane, int cpu);
void wg_lane_flush(struct wg_lane *lane);

#endif /* _WG_LANE_H */
