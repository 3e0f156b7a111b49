/* SPDX-License-Identifier: GPL-2.0 */
/* Handshake messages on their way in and out; process context. */
#ifndef _WG_HANDSHAKE_H
#define _WG_HANDSHAKE_H

#include <linux/atomic.h>
#include <linux/skbuff.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct wg_device;
struct wg_peer;

/**
 * struct wg_handshake_work - one CPU's worker
 * @work: the work item
 * @wg: whose queue it serves
 */
struct wg_handshake_work {
	struct work_struct work;
	struct wg_device *wg;
};

/**
 * struct wg_handshake_queue - handshake messages received, not yet worked on
 * @packets: the messages, &WG_MAX_QUEUED_HANDSHAKES at most; own lock
 * @workers: one work item per CPU, run by an unbound workqueue, so that a flood
 *	uses all CPUs that are not isolated
 * @last_under_load: boot time in ns when the queue was last found long
 * @last_cpu: whose work item was queued last
 */
struct wg_handshake_queue {
	struct sk_buff_head packets;
	struct wg_handshake_work __percpu *workers;
	atomic64_t last_under_load;
	int last_cpu;
};

int wg_handshake_queue_init(struct wg_device *wg);
void wg_handshake_queue_destroy(struct wg_device *wg);
void wg_handshake_queue_purge(struct wg_device *wg);
void wg_handshake_receive(struct wg_device *wg, struct sk_buff *skb);
void wg_handshake_forget_sent(struct wg_peer *peer);
void wg_handshake_initiate(struct wg_peer *peer, bool is_retry);
void wg_handshake_initiation_worker(struct work_struct *work);

#endif /* _WG_HANDSHAKE_H */
