// SPDX-License-Identifier: GPL-2.0
/* The clocks of a peer (whitepaper, section 6). */
#include "timers.h"

#include "device.h"
#include "endpoint.h"
#include "handshake.h"
#include "keypair.h"
#include "log.h"
#include "messages.h"
#include "noise.h"
#include "peer.h"
#include "stage.h"
#include "trace.h"

#include <linux/jiffies.h>
#include <linux/netdevice.h>
#include <linux/random.h>

/* Data that nothing came back for: the peer had its time to keep alive. */
#define UNANSWERED_TX_SECS	(WG_KEEPALIVE_TIMEOUT + WG_REKEY_TIMEOUT)
/* Secrets outlive the last session by this. */
#define ZERO_KEYS_SECS		(WG_REJECT_AFTER_TIME * 3)

static unsigned long jitter(void)
{
	return get_random_u32_below(msecs_to_jiffies(WG_REKEY_TIMEOUT_JITTER_MS) ?: 1);
}

/* Jiffies as a note, where 0 means that there is none. */
static unsigned long now_note(void)
{
	return jiffies ?: 1;
}

/*
 * Arms a timer unless the peer or its device is on the way out. Who takes them
 * down first says so (dead, or not running), then waits for a grace period, then
 * deletes the timers: so inside a read-side section the answer holds.
 */
static void arm_at(struct wg_peer *peer, struct timer_list *timer,
		   unsigned long expires)
{
	rcu_read_lock_bh();
	if (likely(netif_running(peer->device->dev) && !READ_ONCE(peer->dead)))
		mod_timer(timer, expires);
	rcu_read_unlock_bh();
}

static void arm(struct wg_peer *peer, struct timer_list *timer,
		unsigned long delay)
{
	arm_at(peer, timer, jiffies + delay);
}

/*
 * A timer fired, but what it waits for is due later: true, and it waits on, at
 * least until then.
 */
static bool wait_on(struct wg_peer *peer, struct timer_list *timer,
		    unsigned long due, unsigned long slack)
{
	if (time_after_eq(jiffies, due))
		return false;
	arm_at(peer, timer, due + slack);
	return true;
}

/*
 * Notes a moment, and arms the timer that goes by it. If that seems to be armed, it
 * may have fired just now; then either it sees the note, or this sees that it fired,
 * as each has a full barrier in between: see note_of().
 */
static void note(struct wg_peer *peer, unsigned long *moment,
		 struct timer_list *timer, unsigned long delay)
{
	WRITE_ONCE(*moment, now_note());
	smp_mb(); /* the note before the look at the timer */
	if (!timer_pending(timer))
		arm(peer, timer, delay);
}

/* For the function of the timer. */
static unsigned long note_of(const unsigned long *moment)
{
	smp_mb(); /* that the timer fired before the look at the note */
	return READ_ONCE(*moment);
}

static void give_up(struct wg_peer *peer)
{
	wg_dbg_peer(peer, "No answer to handshakes, giving up");
	trace_wg_handshake(peer->device, peer, "given_up");
	WRITE_ONCE(peer->timers.unanswered_rx, 0);
	wg_stage_purge(peer, WG_DROP_TX_NO_KEY);
	/* Whatever keys there still are go after the usual time. */
	if (!timer_pending(&peer->timers.zero_keys))
		arm(peer, &peer->timers.zero_keys, ZERO_KEYS_SECS * HZ);
}

static void on_retransmit(struct timer_list *timer)
{
	struct wg_peer *peer = timer_container_of(peer, timer,
						  timers.retransmit);
	unsigned int attempts = READ_ONCE(peer->timers.handshake_attempts);

	if (attempts > WG_MAX_HANDSHAKE_RETRIES) {
		give_up(peer);
		return;
	}
	WRITE_ONCE(peer->timers.handshake_attempts, attempts + 1);
	/* Perhaps our own address went away: let routing choose again. */
	wg_endpoint_clear_src(peer);
	wg_handshake_initiate(peer, true);
}

static void on_keepalive(struct timer_list *timer)
{
	struct wg_peer *peer = timer_container_of(peer, timer,
						  timers.keepalive);
	unsigned long since = note_of(&peer->timers.unanswered_rx);

	if (!since ||
	    wait_on(peer, timer, since + WG_KEEPALIVE_TIMEOUT * HZ, 0))
		return;
	/* Even if none can be made: what comes from now on wants another. */
	WRITE_ONCE(peer->timers.unanswered_rx, 0);
	wg_stage_keepalive(peer);
}

static void on_new_handshake(struct timer_list *timer)
{
	struct wg_peer *peer = timer_container_of(peer, timer,
						  timers.new_handshake);
	unsigned long since = note_of(&peer->timers.unanswered_tx);

	if (!since || wait_on(peer, timer, since + UNANSWERED_TX_SECS * HZ,
			      jitter()))
		return;
	wg_dbg_peer(peer, "Silent for too long, new handshake");
	WRITE_ONCE(peer->timers.unanswered_tx, 0);
	wg_endpoint_clear_src(peer);
	wg_handshake_initiate(peer, false);
}

static void on_zero_keys(struct timer_list *timer)
{
	struct wg_peer *peer = timer_container_of(peer, timer,
						  timers.zero_keys);

	rcu_read_lock_bh();
	if (!READ_ONCE(peer->dead))
		wg_peer_queue_work(peer, &peer->timers.zero_work);
	rcu_read_unlock_bh();
}

static void zero_worker(struct work_struct *work)
{
	struct wg_peer *peer = container_of(work, struct wg_peer,
					    timers.zero_work);

	/* Armed anew: there was a session just before this could run. */
	if (!timer_pending(&peer->timers.zero_keys)) {
		pr_debug("%s: Peer %llu was idle for %u seconds, wiping its keys\n",
			 peer->device->dev->name, peer->id, ZERO_KEYS_SECS);
		wg_noise_handshake_clear(peer);
		wg_keypairs_clear(peer);
	}
	wg_peer_put(peer);
}

static void on_persistent(struct timer_list *timer)
{
	struct wg_peer *peer = timer_container_of(peer, timer,
						  timers.persistent);
	unsigned int interval = READ_ONCE(peer->timers.persistent_interval);
	unsigned long last = READ_ONCE(peer->timers.last_traversal);

	if (!interval || wait_on(peer, timer, last + interval * HZ, 0))
		return;
	wg_stage_keepalive(peer);
	/* Without a session the packet went nowhere: try again in a while. */
	if (!timer_pending(timer))
		arm(peer, timer, interval * HZ);
}

/* Any authenticated packet, either way, keeps a NAT's mapping alive. */
static void note_traversal(struct wg_peer *peer)
{
	unsigned int interval = READ_ONCE(peer->timers.persistent_interval);
	unsigned long now = jiffies;

	if (!interval)
		return;
	if (READ_ONCE(peer->timers.last_traversal) != now)
		WRITE_ONCE(peer->timers.last_traversal, now);
	if (unlikely(!timer_pending(&peer->timers.persistent)))
		arm(peer, &peer->timers.persistent, interval * HZ);
}

/**
 * wg_timers_data_sent() - packets with content are about to go out
 * @peer: peer
 *
 * Context: BH off.
 */
void wg_timers_data_sent(struct wg_peer *peer)
{
	if (likely(READ_ONCE(peer->timers.unanswered_tx)))
		return;
	note(peer, &peer->timers.unanswered_tx, &peer->timers.new_handshake,
	     UNANSWERED_TX_SECS * HZ + jitter());
}

/**
 * wg_timers_data_received() - authentic packets with content came in
 * @peer: peer
 *
 * Context: BH off.
 */
void wg_timers_data_received(struct wg_peer *peer)
{
	if (likely(READ_ONCE(peer->timers.unanswered_rx)))
		return;
	note(peer, &peer->timers.unanswered_rx, &peer->timers.keepalive,
	     WG_KEEPALIVE_TIMEOUT * HZ);
}

/**
 * wg_timers_authenticated_sent() - anything at all is about to go out
 * @peer: peer
 *
 * Context: any.
 */
void wg_timers_authenticated_sent(struct wg_peer *peer)
{
	if (READ_ONCE(peer->timers.unanswered_rx))
		WRITE_ONCE(peer->timers.unanswered_rx, 0);
	note_traversal(peer);
}

/**
 * wg_timers_authenticated_received() - anything authentic came in
 * @peer: peer
 *
 * Context: any.
 */
void wg_timers_authenticated_received(struct wg_peer *peer)
{
	if (READ_ONCE(peer->timers.unanswered_tx))
		WRITE_ONCE(peer->timers.unanswered_tx, 0);
	note_traversal(peer);
}

/**
 * wg_timers_initiated() - an initiation is about to go out
 * @peer: peer
 *
 * Context: process.
 */
void wg_timers_initiated(struct wg_peer *peer)
{
	arm(peer, &peer->timers.retransmit, WG_REKEY_TIMEOUT * HZ + jitter());
}

/**
 * wg_timers_handshake_complete() - both sides are known to have the same keys
 * @peer: peer
 *
 * Context: any.
 */
void wg_timers_handshake_complete(struct wg_peer *peer)
{
	timer_delete(&peer->timers.retransmit);
	WRITE_ONCE(peer->timers.handshake_attempts, 0);
	WRITE_ONCE(peer->timers.sent_lastminute, false);
	atomic64_set(&peer->timers.last_handshake, ktime_get_real_ns());
	trace_wg_handshake(peer->device, peer, "complete");
}

/**
 * wg_timers_session_derived() - there are new transport keys
 * @peer: peer
 *
 * Context: any.
 */
void wg_timers_session_derived(struct wg_peer *peer)
{
	arm(peer, &peer->timers.zero_keys, ZERO_KEYS_SECS * HZ);
}

/**
 * wg_timers_set_persistent() - configure the persistent keepalive
 * @peer: peer
 * @interval: seconds; 0 switches it off
 *
 * Sends one at once where it was off and the device is up. Otherwise time goes on to
 * count from the last packet: however often a controller says the same, a NAT's mapping
 * does not run out.
 *
 * Context: process; device's update lock held.
 */
void wg_timers_set_persistent(struct wg_peer *peer, u16 interval)
{
	u16 old = peer->timers.persistent_interval;

	WRITE_ONCE(peer->timers.persistent_interval, interval);
	if (!interval) {
		timer_delete(&peer->timers.persistent);
		return;
	}
	if (!netif_running(peer->device->dev))
		return;
	if (!old) {
		WRITE_ONCE(peer->timers.last_traversal, jiffies);
		wg_stage_keepalive(peer);
	}
	arm_at(peer, &peer->timers.persistent,
	       READ_ONCE(peer->timers.last_traversal) + interval * HZ);
}

/**
 * wg_timers_init() - set up a new peer's timers, none of them armed
 * @peer: peer
 *
 * Context: any.
 */
void wg_timers_init(struct wg_peer *peer)
{
	struct wg_timers *timers = &peer->timers;

	timer_setup(&timers->retransmit, on_retransmit, 0);
	timer_setup(&timers->keepalive, on_keepalive, 0);
	timer_setup(&timers->new_handshake, on_new_handshake, 0);
	timer_setup(&timers->zero_keys, on_zero_keys, 0);
	timer_setup(&timers->persistent, on_persistent, 0);
	INIT_WORK(&timers->zero_work, zero_worker);
	/* A time to count from, also while jiffies are below zero after boot. */
	timers->last_traversal = jiffies;
}

/**
 * wg_timers_stop() - disarm all timers and forget what they went by
 * @peer: peer; dead, or its device not running, for a grace period already, so
 *	that nobody arms them again
 *
 * Context: process; may sleep until a timer function that runs has ended.
 */
void wg_timers_stop(struct wg_peer *peer)
{
	struct wg_timers *timers = &peer->timers;

	timer_delete_sync(&timers->retransmit);
	timer_delete_sync(&timers->keepalive);
	timer_delete_sync(&timers->new_handshake);
	timer_delete_sync(&timers->zero_keys);
	timer_delete_sync(&timers->persistent);
	WRITE_ONCE(timers->unanswered_rx, 0);
	WRITE_ONCE(timers->unanswered_tx, 0);
	WRITE_ONCE(timers->handshake_attempts, 0);
	WRITE_ONCE(timers->sent_lastminute, false);
}
