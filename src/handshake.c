// SPDX-License-Identifier: GPL-2.0
/*
 * Handshake messages on their way in and out.
 *
 * Each costs curve operations, which are far too much for a softirq; so messages
 * wait in a queue for workers, and under a flood for a proof that their source
 * is real (whitepaper 5.3).
 */
#include "handshake.h"

#include "cookie.h"
#include "device.h"
#include "drop.h"
#include "endpoint.h"
#include "keypair.h"
#include "log.h"
#include "messages.h"
#include "noise.h"
#include "peer.h"
#include "socket.h"
#include "stage.h"
#include "timers.h"
#include "trace.h"

#include <linux/cpumask.h>
#include <linux/netdevice.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

/* From this length of the queue on, and for a second after, there is load. */
#define LOADED_LENGTH	(WG_MAX_QUEUED_HANDSHAKES / 8)
/* A retransmission's timer and the clock differ, while the clock is slewed. */
#define CLOCK_SLACK	(10 * NSEC_PER_MSEC)

/*
 * Puts a message into the queue. A flood must not make the CPUs that receive it
 * wait for each other, as the NIC's established traffic would wait with them
 * (NDSS 2022): so once the queue is half full, who does not get the lock drops.
 */
static bool enqueue(struct sk_buff_head *queue, struct sk_buff *skb)
{
	bool queued = false;

	if (skb_queue_len_lockless(queue) > WG_MAX_QUEUED_HANDSHAKES / 2) {
		if (!spin_trylock_bh(&queue->lock))
			return false;
	} else {
		spin_lock_bh(&queue->lock);
	}
	if (skb_queue_len(queue) < WG_MAX_QUEUED_HANDSHAKES) {
		__skb_queue_tail(queue, skb);
		queued = true;
	}
	spin_unlock_bh(&queue->lock);
	return queued;
}

/* The next CPU in turn; that two may choose the same one does no harm. */
static int next_cpu(struct wg_handshake_queue *queue)
{
	int cpu = cpumask_next(READ_ONCE(queue->last_cpu), cpu_possible_mask);

	if (cpu >= nr_cpu_ids)
		cpu = cpumask_first(cpu_possible_mask);
	WRITE_ONCE(queue->last_cpu, cpu);
	return cpu;
}

/**
 * wg_handshake_receive() - a handshake message came
 * @wg: device
 * @skb: outer packet, linear, its data at the message, which has a valid type
 *	and the right size; taken over
 *
 * Context: softirq, RCU section: so the workqueue is there, as the socket was.
 */
void wg_handshake_receive(struct wg_device *wg, struct sk_buff *skb)
{
	struct wg_handshake_queue *queue = &wg->handshakes;
	struct wg_handshake_work *worker;

	if (unlikely(!rng_is_initialized() || !enqueue(&queue->packets, skb))) {
		wg_drop_from(wg, skb, WG_DROP_RX_BUSY);
		return;
	}
	worker = per_cpu_ptr(queue->workers, next_cpu(queue));
	queue_work(wg->handshake_wq, &worker->work);
}

static bool under_load(struct wg_handshake_queue *queue)
{
	u64 now = ktime_get_coarse_boottime_ns();
	u64 last;

	if (skb_queue_len_lockless(&queue->packets) >= LOADED_LENGTH) {
		atomic64_set(&queue->last_under_load, now);
		return true;
	}
	last = atomic64_read(&queue->last_under_load);
	/* Another CPU may have written it a moment after this one looked at the clock. */
	return last && (s64)(now - last) < NSEC_PER_SEC;
}

static void send_cookie(struct wg_device *wg, struct sk_buff *skb, __le32 index)
{
	struct wg_message_cookie reply;

	wg_cookie_create_reply(&wg->cookie_checker, &reply, skb, index);
	trace_wg_handshake(wg, NULL, "cookie_sent");
	wg_socket_answer(wg, skb, &reply, sizeof(reply));
}

static __le32 sender_index(const struct sk_buff *skb)
{
	/* Both messages that have macs have it in the same place. */
	return ((const struct wg_message_initiation *)skb->data)->sender_index;
}

/* Is the message to be worked on, or why not? */
static enum wg_drop check(struct wg_device *wg, struct sk_buff *skb)
{
	bool loaded = under_load(&wg->handshakes);

	switch (wg_cookie_check(wg, skb, loaded)) {
	case WG_MAC_COOKIE:
		return WG_DROP_NONE;
	case WG_MAC_VALID:
		if (!loaded)
			return WG_DROP_NONE;
		send_cookie(wg, skb, sender_index(skb));
		return WG_DROP_RX_NO_COOKIE;
	case WG_MAC_RATELIMITED:
		return WG_DROP_RX_RATELIMITED;
	default:
		return WG_DROP_RX_BAD_MAC;
	}
}

/**
 * wg_handshake_forget_sent() - let the next handshake begin at once
 * @peer: peer
 *
 * Context: any.
 */
void wg_handshake_forget_sent(struct wg_peer *peer)
{
	atomic64_set(&peer->timers.last_handshake_sent, 0);
}

static void note_sent(struct wg_peer *peer)
{
	atomic64_set(&peer->timers.last_handshake_sent,
		     ktime_get_coarse_boottime_ns());
}

/* Sends a message that was made for a peer: macs, timers, socket. */
static void send_message(struct wg_peer *peer, void *message, size_t len)
{
	wg_endpoint_prepare(peer);
	wg_cookie_add_macs(&peer->cookie, peer->handshake.remote_static,
			   message, len);
	wg_timers_authenticated_sent(peer);
	wg_socket_send_message(peer, message, len, WG_HANDSHAKE_DSCP);
}

/*
 * While an answer is made, and until the other side has had the time to send with
 * the new keys, what there is to send waits for those.
 */
static void answer_initiation(struct wg_peer *peer)
{
	struct wg_message_response message;

	note_sent(peer);
	wg_dbg_peer(peer, "Sending handshake response");
	if (!wg_noise_create_response(peer, &message) ||
	    !wg_noise_begin_session(peer))
		return;
	wg_timers_session_derived(peer);
	trace_wg_handshake(peer->device, peer, "response_sent");
	send_message(peer, &message, sizeof(message));
}

static struct wg_peer *take_initiation(struct wg_device *wg,
				       struct sk_buff *skb)
{
	struct wg_peer *peer;

	peer = wg_noise_consume_initiation(wg, (void *)skb->data);
	if (!peer)
		return NULL;
	wg_dbg_peer(peer, "Received handshake initiation");
	trace_wg_handshake(peer->device, peer, "initiation_received");
	wg_endpoint_learn(peer, skb);
	answer_initiation(peer);
	return peer;
}

static struct wg_peer *take_response(struct wg_device *wg, struct sk_buff *skb)
{
	struct wg_peer *peer;

	peer = wg_noise_consume_response(wg, (void *)skb->data);
	if (!peer)
		return NULL;
	wg_dbg_peer(peer, "Received handshake response");
	trace_wg_handshake(peer->device, peer, "response_received");
	wg_endpoint_learn(peer, skb);
	if (wg_noise_begin_session(peer)) {
		wg_timers_session_derived(peer);
		wg_timers_handshake_complete(peer);
		/* The responder may not send before it has heard from us. */
		wg_stage_keepalive(peer);
	}
	return peer;
}

/*
 * The core frees a device's counters before it has us wait for workers, but not
 * before a grace period since the device was up.
 */
static void count_received(struct wg_peer *peer, unsigned int len)
{
	struct net_device *dev = peer->device->dev;

	rcu_read_lock_bh();
	if (netif_running(dev))
		dev_sw_netstats_rx_add(dev, len);
	rcu_read_unlock_bh();
	atomic64_add(len, &peer->rx_bytes);
	wg_timers_authenticated_received(peer);
}

/* Does what the message asks for; or says why it is to be dropped. */
static enum wg_drop work_on(struct wg_device *wg, struct sk_buff *skb)
{
	struct wg_peer *peer = NULL;
	enum wg_drop cause;

	if (*(__le32 *)skb->data == cpu_to_le32(WG_MESSAGE_COOKIE))
		return wg_cookie_consume_reply(wg, (void *)skb->data) ?
			WG_DROP_NONE : WG_DROP_RX_BAD_HANDSHAKE;
	cause = check(wg, skb);
	if (cause)
		return cause;
	if (*(__le32 *)skb->data == cpu_to_le32(WG_MESSAGE_INITIATION))
		peer = take_initiation(wg, skb);
	else
		peer = take_response(wg, skb);
	if (!peer)
		return WG_DROP_RX_BAD_HANDSHAKE;
	count_received(peer, skb->len);
	wg_peer_put(peer);
	return WG_DROP_NONE;
}

static void receive_worker(struct work_struct *work)
{
	struct wg_device *wg = container_of(work, struct wg_handshake_work,
					    work)->wg;
	enum wg_drop cause;
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&wg->handshakes.packets))) {
		cause = work_on(wg, skb);
		if (cause)
			wg_drop_from(wg, skb, cause);
		else
			consume_skb(skb);
		cond_resched();
	}
}

static bool sent_lately(struct wg_peer *peer)
{
	u64 last = atomic64_read(&peer->timers.last_handshake_sent);
	s64 since = ktime_get_coarse_boottime_ns() - last;

	return last &&
	       since < (s64)WG_REKEY_TIMEOUT * NSEC_PER_SEC - CLOCK_SLACK;
}

static bool may_initiate(struct wg_peer *peer)
{
	return !sent_lately(peer) && !READ_ONCE(peer->dead) &&
	       netif_running(peer->device->dev);
}

/**
 * wg_handshake_initiate() - begin a handshake, unless one began just now
 * @peer: peer
 * @is_retry: the last one was not answered; else the count of retries starts
 *	anew
 *
 * Context: any.
 */
void wg_handshake_initiate(struct wg_peer *peer, bool is_retry)
{
	if (!is_retry)
		WRITE_ONCE(peer->timers.handshake_attempts, 0);
	rcu_read_lock_bh();
	if (may_initiate(peer))
		wg_peer_queue_work(peer, &peer->initiation_work);
	rcu_read_unlock_bh();
}

static void send_initiation(struct wg_peer *peer)
{
	struct wg_message_initiation message;

	if (!may_initiate(peer))
		return;
	/* First, so that nobody asks for another one meanwhile. */
	note_sent(peer);
	wg_dbg_peer(peer, "Sending handshake initiation");
	if (!wg_noise_create_initiation(peer, &message)) {
		/* Up again, there is nothing to wait for. */
		if (!netif_running(peer->device->dev))
			wg_handshake_forget_sent(peer);
		return;
	}
	/* Anew: that may have taken long, or the note was taken back meanwhile. */
	note_sent(peer);
	/* First, or an answer that comes at once would find nothing to stop. */
	wg_timers_initiated(peer);
	trace_wg_handshake(peer->device, peer, "initiation_sent");
	send_message(peer, &message, sizeof(message));
}

/**
 * wg_handshake_initiation_worker() - make and send an initiation
 * @work: &wg_peer.initiation_work; comes with a reference to the peer
 *
 * Context: process.
 */
void wg_handshake_initiation_worker(struct work_struct *work)
{
	struct wg_peer *peer = container_of(work, struct wg_peer,
					    initiation_work);

	send_initiation(peer);
	wg_peer_put(peer);
}

/**
 * wg_handshake_queue_init() - an empty queue and its workers
 * @wg: device
 *
 * Context: process; may sleep.
 * Return: 0 or -ENOMEM.
 */
int wg_handshake_queue_init(struct wg_device *wg)
{
	struct wg_handshake_queue *queue = &wg->handshakes;
	int cpu;

	skb_queue_head_init(&queue->packets);
	queue->workers = alloc_percpu(struct wg_handshake_work);
	if (!queue->workers)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct wg_handshake_work *worker;

		worker = per_cpu_ptr(queue->workers, cpu);
		worker->wg = wg;
		INIT_WORK(&worker->work, receive_worker);
	}
	return 0;
}

/**
 * wg_handshake_queue_purge() - drop what waits
 * @wg: device
 *
 * Context: any.
 */
void wg_handshake_queue_purge(struct wg_device *wg)
{
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&wg->handshakes.packets)))
		wg_drop(wg, NULL, skb, WG_DROP_RX_CLOSED);
}

/**
 * wg_handshake_queue_destroy() - end the queue
 * @wg: device whose sockets are closed and whose workqueue is drained
 *
 * Context: process; may sleep.
 */
void wg_handshake_queue_destroy(struct wg_device *wg)
{
	wg_handshake_queue_purge(wg);
	free_percpu(wg->handshakes.workers);
}
