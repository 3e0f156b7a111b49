// SPDX-License-Identifier: GPL-2.0
/*
 * The pipeline engine: steps spread over CPUs, order restored per peer.
 *
 *	sender: take --+--> ring --> workers: seal --+
 *	               `--> peer's tx order ---------+--> a worker: transmit
 *
 *	socket: admit -+--> ring --> workers: open --+
 *	               `--> peer's rx order ---------+--> a NAPI: accept, deliver
 *
 * A batch becomes an item, which is put into its peer's order first, and then
 * into its device's ring. A worker takes it from there and does the expensive
 * step; the cheap ones before and after it run in order. Both queues are bounded
 * by dropping; ordered.c says why no drop can stall a peer.
 *
 * Who sends is the worker that kicks first: what it sealed is in its cache. But a
 * peer stays with the CPU that sent last, for as long as what that one sent may
 * still be in a queue of that CPU's below, a backlog or a queue of a NIC, where what
 * another CPU sends would pass it. So others hand the peer over to that CPU's worker;
 * and with nothing else to do, it is that worker that is woken to seal. A CPU that
 * does not get to it loses the peers that wait for it: late is worse than out of
 * order. While a device is inline its senders send where they are, whatever there is
 * left of the pipeline.
 *
 * Lifetime. An item holds its keypair, so its peer; an order that has a consumer
 * holds its peer; and the device waits for both in wg_engine.forget() and in
 * wg_pipeline_destroy(): a ring with items in it has a worker, an order with done
 * items a consumer. So it is enough to wait for all workers, and then until no
 * order is busy. A peer alone waits for nothing: what is left of it in here sees
 * that it is dead, and lets go of it in its turn.
 */
#include "pipeline.h"

#include "delivery.h"
#include "device.h"
#include "engine.h"
#include "keypair.h"
#include "mode.h"
#include "packet.h"
#include "peer.h"
#include "rx.h"
#include "tx.h"

#include <linux/netdevice.h>
#include <linux/sched/isolation.h>
#include <linux/wait_bit.h>

/* Messages that a consumer may transmit at a stretch with BH off. */
#define TRANSMIT_MAX	256
/* After this nothing that was sent is in any queue below any more. */
#define SETTLED		(HZ / 8)
/*
 * For so long a peer waits for its CPU, in jiffies. A busy one needs a fraction, but
 * that of a virtual machine may stand still for a while.
 */
#define OVERDUE_JIFFIES	max(HZ / 10, 2)

static void seal(struct wg_item *item)
{
	if (likely(!READ_ONCE(item->tx.peer->dead)))
		wg_tx_seal(&item->tx);
	else
		wg_tx_drop(&item->tx, WG_DROP_TX_CLOSED);
}

static void open(struct wg_item *item)
{
	wg_rx_open(&item->rx);
}

static void hand_over(struct wg_peer *peer, int cpu)
{
	wg_lane_finish(&peer->device->pipeline.tx, &peer->tx_order, cpu);
}

/*
 * The consumer's turn on the way out. One that takes too long goes on in this CPU's
 * worker, which holds what this one holds.
 */
static void transmit(struct wg_peer *peer)
{
	struct wg_ordered *order = &peer->tx_order;
	int budget = TRANSMIT_MAX;
	struct wg_item *item;

	WRITE_ONCE(order->cpu, smp_processor_id());
	WRITE_ONCE(order->handed_over, 0);
	do {
		wg_turn_begin(&order->turn);
		while ((item = wg_ordered_peek(order))) {
			if (unlikely(budget <= 0)) {
				hand_over(peer, smp_processor_id());
				return;
			}
			budget -= max(item->tx.count, 1U);
			wg_tx_transmit(&item->tx);
			order->moved = jiffies;
			wg_ordered_end(order, item);
		}
	} while (!wg_turn_end(&order->turn));
	wg_ordered_release(peer);
}

/* At the caller's turn. */
static bool may_transmit_here(const struct wg_peer *peer)
{
	const struct wg_ordered *order = &peer->tx_order;

	return order->cpu == smp_processor_id() || order->cpu < 0 ||
	       time_after(jiffies, order->moved + SETTLED) ||
	       !wg_mode_is_pipeline(peer->device);
}

/*
 * Takes over the list of the CPU that the order names now. If the order has moved on
 * meanwhile, that is another list, taken over early, which does no harm.
 */
static void take_over_if_overdue(struct wg_peer *peer)
{
	struct wg_ordered *order = &peer->tx_order;
	unsigned long since = READ_ONCE(order->handed_over);
	int cpu = READ_ONCE(order->cpu);

	if (unlikely(since && cpu >= 0 &&
		     time_after(jiffies, since + OVERDUE_JIFFIES)))
		wg_lane_take_over(&peer->device->pipeline.tx, cpu);
}

static void kick_tx(struct wg_peer *peer)
{
	struct wg_ordered *order = &peer->tx_order;

	if (wg_ordered_kick(order, peer)) {
		if (likely(may_transmit_here(peer)))
			transmit(peer);
		else
			hand_over(peer, order->cpu);
	} else if (READ_ONCE(order->cpu) != smp_processor_id()) {
		/* This CPU runs, so whatever waits for it does not wait for long. */
		take_over_if_overdue(peer);
	}
}

static void resume_tx(struct wg_ordered *order)
{
	transmit(container_of(order, struct wg_peer, tx_order));
}

/* For callers whose stack may be too deep to transmit on: leaves it to a worker. */
static void kick_tx_later(struct wg_peer *peer)
{
	if (wg_ordered_kick(&peer->tx_order, peer))
		hand_over(peer, peer->tx_order.cpu);
	else
		take_over_if_overdue(peer);
}

static void drop_tx(struct wg_peer *peer, struct sk_buff *skb,
		    enum wg_drop cause)
{
	DEV_STATS_ADD(peer->device->dev, tx_dropped, wg_packet_segments(skb));
	wg_drop(peer->device, peer, skb, cause);
}

/*
 * An item of a packet; NULL if it had to be dropped. @skb is the caller's still
 * where there is no key, which @keyless says.
 */
static struct wg_item *take(struct wg_peer *peer, struct sk_buff *skb,
			    bool *keyless)
{
	struct wg_item *item = wg_item_alloc();

	*keyless = false;
	if (unlikely(!item)) {
		drop_tx(peer, skb, WG_DROP_TX_NO_MEMORY);
		return NULL;
	}
	if (unlikely(!wg_tx_take(&item->tx, peer, skb))) {
		*keyless = true;
	} else if (likely(item->tx.packets)) {
		if (likely(wg_keypair_get(item->tx.keypair))) {
			item->keypair = item->tx.keypair;
			return item;
		}
		/* The key was taken away this moment, as the peer may be. */
		wg_tx_drop(&item->tx, WG_DROP_TX_CLOSED);
	}
	wg_item_free(item);
	return NULL;
}

/* As take(), but @room says whether the peer's order has any; the item is in it. */
static struct wg_item *take_in_order(struct wg_peer *peer, struct sk_buff *skb,
				     bool room, bool *keyless)
{
	struct wg_item *item;

	if (unlikely(!room)) {
		*keyless = false;
		drop_tx(peer, skb, WG_DROP_TX_QUEUE_FULL);
		kick_tx_later(peer);
		return NULL;
	}
	item = take(peer, skb, keyless);
	if (likely(item))
		wg_ordered_add(&peer->tx_order, item);
	return item;
}

static bool pipeline_xmit(struct wg_peer *peer, struct sk_buff *skb)
{
	bool room = wg_ordered_admit_pipeline(&peer->tx_order), keyless;
	struct wg_item *item = take_in_order(peer, skb, room, &keyless);

	if (unlikely(!item))
		return !keyless;
	if (unlikely(!wg_lane_add(&peer->device->pipeline.tx, item,
				  READ_ONCE(peer->tx_order.cpu)))) {
		DEV_STATS_ADD(peer->device->dev, tx_dropped, item->tx.count);
		wg_tx_drop(&item->tx, WG_DROP_TX_QUEUE_FULL);
		wg_item_done(item);
		kick_tx_later(peer);
	}
	return true;
}

/**
 * wg_pipeline_send_behind() - send inline, but not before what is in the pipeline
 * @peer: to whom
 * @skb: inner packet; taken over when the result is true
 *
 * Context: BH off, RCU-bh section.
 * Return: false where there is no key; @skb is still the caller's then.
 */
bool wg_pipeline_send_behind(struct wg_peer *peer, struct sk_buff *skb)
{
	bool room = wg_ordered_admit_inline(&peer->tx_order), keyless;
	struct wg_item *item = take_in_order(peer, skb, room, &keyless);

	if (unlikely(!item))
		return !keyless;
	wg_tx_seal(&item->tx);
	wg_item_done(item);
	kick_tx(peer);
	return true;
}

/* Its packets hold the keypair, so there is another reference to be had. */
static void hold(struct wg_item *item)
{
	item->keypair = item->rx.keypair;
	item->weight = skb_queue_len(&item->rx.packets);
	wg_keypair_get(item->keypair);
}

/*
 * The first item of a peer after the device became a pipeline comes after what
 * this CPU has of the peer from before (mode.c).
 */
static void begin_epoch(struct wg_peer *peer, struct wg_item *item)
{
	unsigned int epoch;

	smp_rmb(); /* pairs with set_engine() in mode.c: the engine was read before */
	epoch = READ_ONCE(peer->device->pipeline.epoch);
	if (likely(READ_ONCE(peer->rx_order.epoch) == epoch))
		return;
	wg_delivery_follow(item);
	/* Not before its engine: what is opened inline until then comes first, too. */
	smp_rmb(); /* pairs with set_engine() in mode.c: the epoch was read before */
	if (likely(wg_mode_is_pipeline(peer->device)))
		WRITE_ONCE(peer->rx_order.epoch, epoch);
}

static void enter(struct wg_peer *peer, struct wg_item *item)
{
	hold(item);
	begin_epoch(peer, item);
	wg_ordered_add(&peer->rx_order, item);
	if (unlikely(!wg_lane_add(&peer->device->pipeline.rx, item, -1))) {
		wg_rx_refuse(peer->device, &item->rx.packets,
			     WG_DROP_RX_QUEUE_FULL);
		wg_item_done(item);
		wg_delivery_kick(peer);
	}
}

static void pipeline_receive(struct wg_device *wg, struct sk_buff_head *packets)
{
	struct wg_peer *peer;
	struct wg_item *item;

	while (!skb_queue_empty(packets)) {
		item = wg_item_alloc();
		if (unlikely(!item)) {
			wg_rx_refuse(wg, packets, WG_DROP_RX_NO_MEMORY);
			return;
		}
		wg_rx_group(&item->rx, packets);
		peer = item->rx.keypair->index.peer;
		if (likely(wg_ordered_admit_pipeline(&peer->rx_order))) {
			enter(peer, item);
			continue;
		}
		wg_delivery_kick(peer);
		wg_rx_refuse(wg, &item->rx.packets, WG_DROP_RX_QUEUE_FULL);
		wg_item_free(item);
	}
}

/**
 * wg_pipeline_receive_behind() - open inline, but do not overtake the pipeline
 * @batch: batch of wg_rx_group(); ended
 *
 * Context: softirq, RCU section.
 */
void wg_pipeline_receive_behind(struct wg_rx_batch *batch)
{
	struct wg_peer *peer = batch->keypair->index.peer;
	bool may_follow = wg_ordered_admit_inline(&peer->rx_order);
	struct wg_item *item = NULL;

	if (likely(may_follow))
		item = wg_item_alloc();
	if (unlikely(!item)) {
		wg_delivery_kick(peer);
		wg_rx_refuse(peer->device, &batch->packets,
			     may_follow ? WG_DROP_RX_NO_MEMORY :
					  WG_DROP_RX_QUEUE_FULL);
		return;
	}
	item->rx.keypair = batch->keypair;
	__skb_queue_head_init(&item->rx.packets);
	skb_queue_splice_init(&batch->packets, &item->rx.packets);
	hold(item);
	/*
	 * The order may be busy with a late kick only, and packets before these in
	 * this CPU's queue.
	 */
	wg_delivery_follow(item);
	wg_ordered_add(&peer->rx_order, item);
	wg_rx_open(&item->rx);
	wg_item_done(item);
	wg_delivery_kick(peer);
}

/*
 * Senders may go on sending, as keepalives and flushed stages do; but as the sockets
 * are closed, nothing gets far.
 */
static void pipeline_forget(struct wg_device *wg)
{
	struct wg_pipeline *pipeline = &wg->pipeline;

	wg_lane_flush(&pipeline->rx);
	wg_lane_flush(&pipeline->tx);
	wait_var_event(&pipeline->busy, !atomic_read(&pipeline->busy));
}

const struct wg_engine wg_pipeline_engine = {
	.xmit = pipeline_xmit,
	.receive = pipeline_receive,
	.forget = pipeline_forget,
};

/**
 * wg_pipeline_init() - what a device needs for the engine
 * @wg: device, zeroed
 *
 * There from the start, so that changing the mode cannot fail half-way. Workers
 * may run where the kernel lets its own unbound ones.
 *
 * Context: process; may sleep.
 * Return: 0 or -ENOMEM.
 */
int wg_pipeline_init(struct wg_device *wg)
{
	struct wg_pipeline *pipeline = &wg->pipeline;

	if (!alloc_cpumask_var(&pipeline->cpus, GFP_KERNEL))
		return -ENOMEM;
	rcu_read_lock();
	cpumask_and(pipeline->cpus, housekeeping_cpumask(HK_TYPE_DOMAIN),
		    housekeeping_cpumask(HK_TYPE_WQ));
	rcu_read_unlock();
	pipeline->tx.step = seal;
	pipeline->tx.kick = kick_tx;
	pipeline->tx.resume = resume_tx;
	pipeline->rx.step = open;
	pipeline->rx.kick = wg_delivery_kick;
	if (wg_lane_init(&pipeline->tx, pipeline->cpus))
		goto err_cpus;
	if (wg_lane_init(&pipeline->rx, pipeline->cpus))
		goto err_tx;
	return 0;
err_tx:
	wg_lane_destroy(&pipeline->tx);
err_cpus:
	free_cpumask_var(pipeline->cpus);
	return -ENOMEM;
}

/**
 * wg_pipeline_destroy() - end it
 * @wg: device that has no peers, sockets or other workers any more
 *
 * Context: process; may sleep.
 */
void wg_pipeline_destroy(struct wg_device *wg)
{
	struct wg_pipeline *pipeline = &wg->pipeline;

	pipeline_forget(wg);
	wg_lane_destroy(&pipeline->rx);
	wg_lane_destroy(&pipeline->tx);
	free_cpumask_var(pipeline->cpus);
}

/**
 * wg_pipeline_set_cpus() - say where a device's workers may run
 * @wg: device
 * @cpus: CPUs
 *
 * Those at work go on with what they were handed, and leave the ring to others. Who
 * reads the mask meanwhile may see some of either, which is one packet's worker in a
 * place where it might as well have been a moment earlier or later.
 *
 * Context: process; the device's update lock held, as two writers' words of the mask
 * might mix.
 * Return: 0, or -EINVAL if none of @cpus is online.
 */
int wg_pipeline_set_cpus(struct wg_device *wg, const struct cpumask *cpus)
{
	if (!cpumask_intersects(cpus, cpu_online_mask))
		return -EINVAL;
	cpumask_and(wg->pipeline.cpus, cpus, cpu_possible_mask);
	return 0;
}
