/* SPDX-License-Identifier: GPL-2.0 */
/* The clocks of a peer: retransmission, keepalive, rekeying, forgetting. */
#ifndef _WG_TIMERS_H
#define _WG_TIMERS_H

#include <linux/atomic.h>
#include <linux/timekeeping.h>
#include <linux/timer.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct wg_peer;

/**
 * struct wg_timers - a peer's timers and what they go by
 * @retransmit: repeats an initiation that was not answered
 * @keepalive: answers data with an empty packet if nothing else did
 * @new_handshake: begins anew if data that was sent had no answer
 * @zero_keys: forgets all keys long after the last session
 * @persistent: sends an empty packet every so often, on request
 * @zero_work: the part of @zero_keys that needs process context
 * @unanswered_rx: jiffies when the oldest data came that nothing was sent after,
 *	0 for none; what @keepalive goes by
 * @unanswered_tx: jiffies when the oldest data was sent that nothing was
 *	received after, 0 for none; what @new_handshake goes by
 * @last_traversal: jiffies of the last authenticated packet in either
 *	direction; what @persistent goes by
 * @handshake_attempts: retries of the handshake under way
 * @persistent_interval: seconds, 0 for off
 * @sent_lastminute: a handshake was begun for the current key's last minute
 * @last_handshake: wall clock of the last complete handshake in ns, for users;
 *	0 for none
 * @last_handshake_sent: boot time in ns of our last initiation or response, for
 *	a while after which we begin no other; 0 for none
 *
 * Packets only note jiffies, and only when they change; the timers look at the
 * notes when they fire, and wait on if they were too early. So a busy tunnel
 * neither takes a timer base's lock per packet nor bounces a cache line. All
 * notes are written and read with WRITE_ONCE() and READ_ONCE(), by anybody.
 */
struct wg_timers {
	struct timer_list retransmit;
	struct timer_list keepalive;
	struct timer_list new_handshake;
	struct timer_list zero_keys;
	struct timer_list persistent;
	struct work_struct zero_work;
	unsigned long unanswered_rx;
	unsigned long unanswered_tx;
	unsigned long last_traversal;
	unsigned int handshake_attempts;
	u16 persistent_interval;
	bool sent_lastminute;
	atomic64_t last_handshake;
	atomic64_t last_handshake_sent;
};

void wg_timers_init(struct wg_peer *peer);
void wg_timers_stop(struct wg_peer *peer);

void wg_timers_data_sent(struct wg_peer *peer);
void wg_timers_data_received(struct wg_peer *peer);
void wg_timers_authenticated_sent(struct wg_peer *peer);
void wg_timers_authenticated_received(struct wg_peer *peer);
void wg_timers_initiated(struct wg_peer *peer);
void wg_timers_handshake_complete(struct wg_peer *peer);
void wg_timers_session_derived(struct wg_peer *peer);
void wg_timers_set_persistent(struct wg_peer *peer, u16 interval);

#endif /* _WG_TIMERS_H */
