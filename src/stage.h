/* SPDX-License-Identifier: GPL-2.0 */
/* Packets of a peer that wait: for a key, or for packets before them. */
#ifndef _WG_STAGE_H
#define _WG_STAGE_H

#include <linux/skbuff.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "drop.h"

struct wg_peer;

/**
 * enum wg_stage_gate - who may send: what keeps packets in order
 * @WG_STAGE_OPEN: nothing waits: senders go ahead
 * @WG_STAGE_WAITING: packets wait; new ones queue behind them
 * @WG_STAGE_FLUSHING: as WAITING, and the flusher is at work
 * @WG_STAGE_CLOSING: the flusher's last round: no more may queue
 */
enum wg_stage_gate {
	WG_STAGE_OPEN,
	WG_STAGE_WAITING,
	WG_STAGE_FLUSHING,
	WG_STAGE_CLOSING,
};

/**
 * struct wg_stage - a peer's waiting packets
 * @gate: written under @packets.lock, read without it by senders
 * @overflowed: packets were dropped since the flusher began; @packets.lock
 * @segments: wire packets that @packets will become, bounded by dropping the
 *	oldest: at WG_MAX_STAGED_PACKETS, or more while the flusher is at it
 *	(stage.c); the newest stays in any case
 * @packets: inner packets, GSO ones whole
 * @flush_work: sends them; process context, one at a time
 */
struct wg_stage {
	enum wg_stage_gate gate;
	bool overflowed;
	unsigned int segments;
	struct sk_buff_head packets;
	struct work_struct flush_work;
};

void wg_stage_init(struct wg_peer *peer);
void wg_stage_submit(struct wg_peer *peer, struct sk_buff *skb);
void wg_stage_keepalive(struct wg_peer *peer);
void wg_stage_flush(struct wg_peer *peer);
void wg_stage_purge(struct wg_peer *peer, enum wg_drop cause);

#endif /* _WG_STAGE_H */
