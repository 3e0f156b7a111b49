/* SPDX-License-Identifier: GPL-2.0 */
/* The replay window of a keypair: RFC 6479's sliding bitmap. */
#ifndef _WG_REPLAY_H
#define _WG_REPLAY_H

#include <linux/bitops.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "messages.h"

/**
 * struct wg_replay - which counters of a receiving key have been seen
 * @newest: one more than the largest counter accepted so far, 0 at first
 * @lock: serialises wg_replay_accept(); taken with BH off
 * @seen: bitmap over counters, addressed by counter modulo its size
 */
struct wg_replay {
	u64 newest;
	spinlock_t lock;	/* @newest and @seen */
	unsigned long seen[WG_REPLAY_WINDOW_BITS / BITS_PER_LONG];
};

void wg_replay_init(struct wg_replay *replay);
bool wg_replay_accept(struct wg_replay *replay, u64 counter);
bool wg_replay_hopeless(const struct wg_replay *replay, u64 counter);

#ifdef DEBUG
bool wg_replay_selftest(void);
#endif

#endif /* _WG_REPLAY_H */
