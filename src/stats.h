/* SPDX-License-Identifier: GPL-2.0 */
/* What a device counts about its own work, per CPU; ethtool shows it. */
#ifndef _WG_STATS_H
#define _WG_STATS_H

#include <linux/types.h>
#include <linux/u64_stats_sync.h>

#include "drop.h"
#include "mode.h"

struct wg_device;

/* Sizes of batches, by their highest bit: 1, 2 to 3, …, 64 and more. */
#define WG_STATS_SIZES 7

/**
 * enum wg_path - which way packets go
 * @WG_RX: in
 * @WG_TX: out
 * @WG_PATHS: how many ways there are
 */
enum wg_path { WG_RX, WG_TX, WG_PATHS };

/**
 * struct wg_path_stats - one way, in one mode, on one CPU
 * @packets: messages with data, or keepalives: received and authentic, with the
 *	inner packet in order; or handed to the socket
 * @batches: how many times that CPU had some of them to hand on
 * @crypted: packets that it opened, or sealed: elsewhere than it hands them on,
 *	perhaps
 * @sizes: batches by size
 */
struct wg_path_stats {
	u64_stats_t packets;
	u64_stats_t batches;
	u64_stats_t crypted;
	u64_stats_t sizes[WG_STATS_SIZES];
};

/**
 * struct wg_stats - the counters of one CPU
 * @syncp: for readers on machines of 32 bits. Who writes has BH off
 * @of: by mode and direction
 * @drops: by cause
 */
struct wg_stats {
	struct u64_stats_sync syncp;
	struct wg_path_stats of[WG_MODES][WG_PATHS];
	u64_stats_t drops[WG_DROP_COUNT];
};

int wg_stats_init(struct wg_device *wg);
void wg_stats_destroy(struct wg_device *wg);
void wg_stats_count_batch(struct wg_device *wg, enum wg_path path,
			  unsigned int packets);
void wg_stats_count_crypted(struct wg_device *wg, enum wg_path path,
			    unsigned int packets);
void wg_stats_count_drop(struct wg_device *wg, enum wg_drop cause,
			 unsigned int packets);
u64 wg_stats_read(const struct wg_stats *stats, const u64_stats_t *counter);

#endif /* _WG_STATS_H */
