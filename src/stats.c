// SPDX-License-Identifier: GPL-2.0
/*
 * What a device counts about its own work, per CPU.
 *
 * Packets are counted once per batch, in the mode of that moment; right after a
 * switch a few are counted in a mode that they did not begin in.
 */
#include "stats.h"

#include "device.h"

#include <linux/bitops.h>
#include <linux/bottom_half.h>
#include <linux/percpu.h>

/**
 * wg_stats_init() - counters that are zero
 * @wg: device
 *
 * Context: process; may sleep.
 * Return: 0 or -ENOMEM.
 */
int wg_stats_init(struct wg_device *wg)
{
	int cpu;

	wg->stats = alloc_percpu(struct wg_stats);
	if (!wg->stats)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(wg->stats, cpu)->syncp);
	return 0;
}

/**
 * wg_stats_destroy() - end them
 * @wg: device that has no packets any more
 *
 * Context: process; may sleep.
 */
void wg_stats_destroy(struct wg_device *wg)
{
	free_percpu(wg->stats);
}

/**
 * wg_stats_count_batch() - packets were handed on
 * @wg: device
 * @path: from the network or to it
 * @packets: how many, at once; may be none
 *
 * Context: BH off.
 */
void wg_stats_count_batch(struct wg_device *wg, enum wg_path path,
			  unsigned int packets)
{
	struct wg_stats *stats = this_cpu_ptr(wg->stats);
	struct wg_path_stats *way = &stats->of[wg_mode_notice(wg)][path];

	if (unlikely(!packets))
		return;
	u64_stats_update_begin(&stats->syncp);
	u64_stats_add(&way->packets, packets);
	u64_stats_inc(&way->batches);
	u64_stats_inc(&way->sizes[min(fls(packets), WG_STATS_SIZES) - 1]);
	u64_stats_update_end(&stats->syncp);
}

/**
 * wg_stats_count_crypted() - packets were opened or sealed
 * @wg: device
 * @path: which of the two
 * @packets: how many
 *
 * Context: BH off.
 */
void wg_stats_count_crypted(struct wg_device *wg, enum wg_path path,
			    unsigned int packets)
{
	struct wg_stats *stats = this_cpu_ptr(wg->stats);

	u64_stats_update_begin(&stats->syncp);
	u64_stats_add(&stats->of[wg_mode_of(wg)][path].crypted, packets);
	u64_stats_update_end(&stats->syncp);
}

/**
 * wg_stats_count_drop() - packets were dropped
 * @wg: device
 * @cause: why
 * @packets: how many
 *
 * Context: any.
 */
void wg_stats_count_drop(struct wg_device *wg, enum wg_drop cause,
			 unsigned int packets)
{
	struct wg_stats *stats;

	local_bh_disable();
	stats = this_cpu_ptr(wg->stats);
	u64_stats_update_begin(&stats->syncp);
	u64_stats_add(&stats->drops[cause], packets);
	u64_stats_update_end(&stats->syncp);
	local_bh_enable();
}

/**
 * wg_stats_read() - a counter's value
 * @stats: of some CPU
 * @counter: one of them
 *
 * Context: any.
 * Return: the value.
 */
u64 wg_stats_read(const struct wg_stats *stats, const u64_stats_t *counter)
{
	unsigned int seq;
	u64 value;

	do {
		seq = u64_stats_fetch_begin(&stats->syncp);
		value = u64_stats_read(counter);
	} while (u64_stats_fetch_retry(&stats->syncp, seq));
	return value;
}
