/* SPDX-License-Identifier: GPL-2.0 */
/* The pipeline engine: steps spread over CPUs, order restored per peer. */
#ifndef _WG_PIPELINE_H
#define _WG_PIPELINE_H

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/types.h>

#include "lane.h"

struct sk_buff;
struct wg_device;
struct wg_peer;
struct wg_rx_batch;

/**
 * struct wg_pipeline - what a device has of the pipeline
 * @tx: items to be sealed
 * @rx: items to be opened
 * @cpus: where workers may run; may be seen half changed
 * @epoch: how often the device became a pipeline; read after &wg_device.engine
 * @busy: orders of its peers that are not idle
 */
struct wg_pipeline {
	struct wg_lane tx;
	struct wg_lane rx;
	cpumask_var_t cpus;
	unsigned int epoch;
	atomic_t busy;
};

int wg_pipeline_init(struct wg_device *wg);
void wg_pipeline_destroy(struct wg_device *wg);
int wg_pipeline_set_cpus(struct wg_device *wg, const struct cpumask *cpus);

bool wg_pipeline_send_behind(struct wg_peer *peer, struct sk_buff *skb);
void wg_pipeline_receive_behind(struct wg_rx_batch *batch);

#endif /* _WG_PIPELINE_H */
