// SPDX-License-Identifier: GPL-2.0
/*
 * Where senders come in: packets of a peer that wait, and the gate that keeps packets
 * in order.
 *
 * Senders on any CPU go straight ahead while the gate is open. The first that
 * may not (no key; nested too deep for this stack) closes it, and from
 * then on everybody queues, until a worker has sent what waits and found nothing
 * more under the lock. So no packet overtakes one that was there before it.
 *
 * Senders that together are faster than the worker would keep it going for ever,
 * at the speed of one CPU. Once the queue has overflowed, so that packets are lost
 * anyhow, and some rounds have not helped, the worker admits nothing more for one
 * round, and then opens the gate.
 */
#include "stage.h"

#include "device.h"
#include "drop.h"
#include "engine.h"
#include "handshake.h"
#include "log.h"
#include "messages.h"
#include "packet.h"
#include "peer.h"
#include "tx.h"

/* Rounds that the worker gives senders to let a full queue get empty. */
#define FLUSH_ROUNDS		16
/* Bound while the worker is at it: then the queue moves. */
#define FLUSHING_SEGMENTS	1024

static void drop_oldest(struct wg_peer *peer, struct sk_buff_head *dropped)
{
	struct wg_stage *stage = &peer->stage;
	struct sk_buff *skb = __skb_dequeue(&stage->packets);

	stage->segments -= wg_packet_segments(skb);
	__skb_queue_tail(dropped, skb);
}

static void drop(struct wg_peer *peer, struct sk_buff_head *dropped,
		 enum wg_drop cause)
{
	if (skb_queue_empty(dropped))
		return;
	DEV_STATS_ADD(peer->device->dev, tx_dropped,
		      wg_drop_queue(peer->device, peer, dropped, cause));
}

/* As far as one can tell without the lock: who sees it late queues behind nothing. */
static bool is_open(const struct wg_stage *stage)
{
	return READ_ONCE(stage->gate) == WG_STAGE_OPEN;
}

/*
 * Takes a packet over; drops the oldest ones where there are too many. The caller then
 * makes sure that something ends the wait: wg_stage_flush().
 */
static void add(struct wg_peer *peer, struct sk_buff *skb)
{
	struct wg_stage *stage = &peer->stage;
	struct sk_buff_head dropped;
	enum wg_drop cause;
	unsigned int limit;

	__skb_queue_head_init(&dropped);
	spin_lock_bh(&stage->packets.lock);
	cause = stage->gate < WG_STAGE_FLUSHING ? WG_DROP_TX_NO_KEY :
						  WG_DROP_TX_QUEUE_FULL;
	if (stage->gate == WG_STAGE_CLOSING) {
		__skb_queue_tail(&dropped, skb);
	} else {
		if (stage->gate == WG_STAGE_OPEN)
			WRITE_ONCE(stage->gate, WG_STAGE_WAITING);
		limit = stage->gate == WG_STAGE_FLUSHING ?
			FLUSHING_SEGMENTS : WG_MAX_STAGED_PACKETS;
		stage->segments += wg_packet_segments(skb);
		__skb_queue_tail(&stage->packets, skb);
		while (stage->segments > limit &&
		       skb_queue_len(&stage->packets) > 1)
			drop_oldest(peer, &dropped);
		stage->overflowed |= !skb_queue_empty(&dropped);
	}
	spin_unlock_bh(&stage->packets.lock);
	drop(peer, &dropped, cause);
}

/* Hands what waits to the worker, unless it has it already. */
static void start_flush(struct wg_peer *peer)
{
	struct wg_stage *stage = &peer->stage;
	bool start;

	spin_lock_bh(&stage->packets.lock);
	start = stage->gate == WG_STAGE_WAITING;
	if (start) {
		WRITE_ONCE(stage->gate, WG_STAGE_FLUSHING);
		stage->overflowed = false;
	}
	spin_unlock_bh(&stage->packets.lock);
	if (start)
		wg_peer_queue_work(peer, &stage->flush_work);
}

/*
 * Who waits for a key must not pin its socket's memory: there may be no end. Who
 * waits for a worker may: that ends, and until then its socket has to know.
 */
static void orphan_all(struct wg_stage *stage)
{
	struct sk_buff *skb;

	spin_lock_bh(&stage->packets.lock);
	if (stage->gate == WG_STAGE_WAITING)
		skb_queue_walk(&stage->packets, skb)
			skb_orphan(skb);
	spin_unlock_bh(&stage->packets.lock);
}

/**
 * wg_stage_flush() - send what waits, or see to it that there is a key
 * @peer: peer; the caller holds a reference, found it in its RCU-bh section, or
 *	keeps it by the device's update lock
 *
 * Called by who put a packet in and by who installed a key. One of the two sees
 * what the other did, as each writes, passes a full barrier, and then reads.
 *
 * Context: any.
 */
void wg_stage_flush(struct wg_peer *peer)
{
	smp_mb(); /* pairs with itself on the other side, see above */
	if (READ_ONCE(peer->stage.gate) != WG_STAGE_WAITING)
		return;
	if (wg_tx_has_key(peer)) {
		start_flush(peer);
		return;
	}
	orphan_all(&peer->stage);
	wg_handshake_initiate(peer, false);
}

/* Next round's packets; none when the gate was opened instead. */
static bool take_round(struct wg_stage *stage, unsigned int round,
		       struct sk_buff_head *packets)
{
	bool any;

	spin_lock_bh(&stage->packets.lock);
	any = !skb_queue_empty(&stage->packets);
	if (!any)
		WRITE_ONCE(stage->gate, WG_STAGE_OPEN);
	else
		WRITE_ONCE(stage->gate,
			   stage->overflowed && round >= FLUSH_ROUNDS ?
			   WG_STAGE_CLOSING : WG_STAGE_FLUSHING);
	skb_queue_splice_tail_init(&stage->packets, packets);
	stage->segments = 0;
	spin_unlock_bh(&stage->packets.lock);
	return any;
}

/* The key went away half-way: what is left goes back to where it was. */
static void put_back(struct wg_peer *peer, struct sk_buff_head *packets)
{
	struct wg_stage *stage = &peer->stage;
	struct sk_buff_head dropped;
	struct sk_buff *skb;

	__skb_queue_head_init(&dropped);
	spin_lock_bh(&stage->packets.lock);
	skb_queue_walk(packets, skb)
		stage->segments += wg_packet_segments(skb);
	skb_queue_splice(packets, &stage->packets);
	WRITE_ONCE(stage->gate, WG_STAGE_WAITING);
	while (stage->segments > WG_MAX_STAGED_PACKETS &&
	       skb_queue_len(&stage->packets) > 1)
		drop_oldest(peer, &dropped);
	spin_unlock_bh(&stage->packets.lock);
	drop(peer, &dropped, WG_DROP_TX_NO_KEY);
}

/* Sends in order. False when there was no key for the first that is left. */
static bool send_round(struct wg_peer *peer, struct sk_buff_head *packets)
{
	struct sk_buff *skb;
	bool sent = true;

	while (sent && (skb = __skb_dequeue(packets))) {
		/* One at a time, so that BH is never off for long. */
		rcu_read_lock_bh();
		sent = READ_ONCE(peer->device->engine)->xmit(peer, skb);
		rcu_read_unlock_bh();
		if (!sent)
			__skb_queue_head(packets, skb);
		cond_resched();
	}
	return sent;
}

/* In process context, where the recursion level of nested devices starts anew. */
static void flush_worker(struct work_struct *work)
{
	struct wg_peer *peer = container_of(work, struct wg_peer,
					    stage.flush_work);
	struct sk_buff_head packets;
	unsigned int round = 0;

	__skb_queue_head_init(&packets);
	while (!READ_ONCE(peer->dead) &&
	       take_round(&peer->stage, round++, &packets)) {
		if (!send_round(peer, &packets)) {
			put_back(peer, &packets);
			rcu_read_lock_bh();
			if (!READ_ONCE(peer->dead))
				wg_stage_flush(peer);
			rcu_read_unlock_bh();
			break;
		}
	}
	if (READ_ONCE(peer->dead))
		wg_stage_purge(peer, WG_DROP_TX_CLOSED);
	wg_peer_put(peer);
}

/**
 * wg_stage_purge() - drop what waits
 * @peer: peer
 * @cause: why
 *
 * A worker that is at it goes on with what it has taken, and then opens the
 * gate.
 *
 * Context: any.
 */
void wg_stage_purge(struct wg_peer *peer, enum wg_drop cause)
{
	struct wg_stage *stage = &peer->stage;
	struct sk_buff_head dropped;

	__skb_queue_head_init(&dropped);
	spin_lock_bh(&stage->packets.lock);
	skb_queue_splice_init(&stage->packets, &dropped);
	stage->segments = 0;
	if (stage->gate == WG_STAGE_WAITING)
		WRITE_ONCE(stage->gate, WG_STAGE_OPEN);
	spin_unlock_bh(&stage->packets.lock);
	drop(peer, &dropped, cause);
}

/**
 * wg_stage_init() - an empty, open stage
 * @peer: peer
 *
 * Context: any.
 */
void wg_stage_init(struct wg_peer *peer)
{
	skb_queue_head_init(&peer->stage.packets);
	peer->stage.gate = WG_STAGE_OPEN;
	peer->stage.segments = 0;
	INIT_WORK(&peer->stage.flush_work, flush_worker);
}

/**
 * wg_stage_submit() - send an inner packet when and where it is its turn
 * @peer: to whom
 * @skb: inner packet with &struct wg_packet filled in; taken over
 *
 * Context: BH off, RCU-bh section.
 */
void wg_stage_submit(struct wg_peer *peer, struct sk_buff *skb)
{
	const struct wg_engine *engine = READ_ONCE(peer->device->engine);

	if (likely(is_open(&peer->stage) && engine->xmit(peer, skb)))
		return;
	add(peer, skb);
	wg_stage_flush(peer);
}

/**
 * wg_stage_keepalive() - send an empty packet, or what waits, or an initiation
 * @peer: peer
 *
 * Context: any.
 */
void wg_stage_keepalive(struct wg_peer *peer)
{
	struct sk_buff *skb;

	rcu_read_lock_bh();
	if (unlikely(READ_ONCE(peer->dead)))
		goto out;
	smp_mb(); /* who has installed a key sees what waits: wg_stage_flush() */
	if (!is_open(&peer->stage)) {
		wg_stage_flush(peer);
		goto out;
	}
	skb = wg_packet_new_outer(WG_DATA_OVERHEAD);
	if (unlikely(!skb))
		goto out;
	skb_reserve(skb, sizeof(struct wg_message_data));
	skb->dev = peer->device->dev;
	*wg_packet(skb) = (struct wg_packet){ .mtu = skb->dev->mtu };
	wg_dbg_peer(peer, "Sending keepalive");
	wg_stage_submit(peer, skb);
out:
	rcu_read_unlock_bh();
}
