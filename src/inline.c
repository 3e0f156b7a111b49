// SPDX-License-Identifier: GPL-2.0
/*
 * The inline engine: all steps of a packet one after the other, on the core that
 * sends or receives it, now (Netdev 0x18, HPSR 2025).
 *
 * Sending happens in the sender's context. What is received is decrypted within
 * the poll of the NIC that brought it. It goes on in NAPIs of our own, one per
 * CPU, on a device that exists for nothing else: encap_rcv sees one packet at a
 * time and no end of a burst, and a poll of ours makes a batch of what one poll of
 * the NIC brought. It runs right after it, in the same softirq, and as any
 * driver's does: with a budget, and moved to ksoftirqd in overload. The queue in
 * front of it is bounded, and what is too much is dropped before it is decrypted.
 * Nested tunnels meet in that queue, not on the stack.
 *
 * Lifetime. A packet in a queue holds its keypair, and so its peer and, until
 * wg_engine.forget() has run, the device may be looked at. Sending never stores
 * anything, and is over at the end of the RCU-bh section it began in.
 */
#include "engine.h"

#include "device.h"
#include "keypair.h"
#include "packet.h"
#include "peer.h"
#include "rx.h"
#include "tx.h"

#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/percpu.h>

/* Packets that wait for one CPU; some 3 ms of work. */
#define QUEUE_MAX	1024
/*
 * How deep on one stack tunnels may nest. What is deeper goes on in a worker.
 * Newer kernels drop tunnelled packets not much later; older ones run on.
 */
#define NESTING_MAX	3

/**
 * struct inline_rx - a CPU's receive side
 * @napi: polls @queue
 * @queue: admitted packets; its lock is taken with BH off. Filled by its own CPU;
 *	emptied by the poll, which runs elsewhere once the CPU is gone
 */
struct inline_rx {
	struct napi_struct napi;
	struct sk_buff_head queue;
};

static DEFINE_PER_CPU_ALIGNED(struct inline_rx, inline_rx);
static struct net_device *napi_host;
/* A NAPI can be disabled once at a time. */
static DEFINE_MUTEX(forget_lock);

static bool inline_xmit(struct wg_peer *peer, struct sk_buff *skb)
{
	return likely(dev_recursion_level() <= NESTING_MAX) &&
	       wg_tx_send(peer, skb);
}

/*
 * Who finds others queued knows that the first of them, on this same CPU, has
 * scheduled the NAPI, and that no poll since left the queue and completed.
 */
static void enqueue(struct inline_rx *rx, struct sk_buff_head *opened)
{
	bool first;

	spin_lock(&rx->queue.lock);
	first = skb_queue_empty(&rx->queue);
	skb_queue_splice_tail(opened, &rx->queue);
	spin_unlock(&rx->queue.lock);
	if (first)
		napi_schedule(&rx->napi);
}

/*
 * A full queue schedules the NAPI all the same, so that nothing missed can stop
 * it for good.
 */
static void drop(struct wg_device *wg, struct inline_rx *rx,
		 struct sk_buff_head *packets)
{
	DEV_STATS_ADD(wg->dev, rx_dropped, skb_queue_len(packets));
	wg_rx_drop(packets);
	napi_schedule(&rx->napi);
}

/*
 * Decrypts at once, within the poll of the NIC: while that lasts the NIC need not
 * wake this CPU again for what comes in behind. What is too much for the queue is
 * dropped before it costs that.
 */
static void inline_receive(struct wg_device *wg, struct sk_buff_head *packets)
{
	struct inline_rx *rx = this_cpu_ptr(&inline_rx);
	struct wg_rx_batch batch;

	if (unlikely(skb_queue_len_lockless(&rx->queue) >= QUEUE_MAX)) {
		drop(wg, rx, packets);
		return;
	}
	while (wg_rx_group(&batch, packets)) {
		wg_rx_open(&batch);
		if (likely(!skb_queue_empty(&batch.packets)))
			enqueue(rx, &batch.packets);
	}
}

static unsigned int take(struct inline_rx *rx, struct sk_buff_head *packets,
			 unsigned int max)
{
	struct sk_buff *skb;

	spin_lock(&rx->queue.lock);
	if (skb_queue_len(&rx->queue) <= max) {
		skb_queue_splice_init(&rx->queue, packets);
	} else {
		while (skb_queue_len(packets) < max &&
		       (skb = __skb_dequeue(&rx->queue)))
			__skb_queue_tail(packets, skb);
	}
	spin_unlock(&rx->queue.lock);
	return skb_queue_len(packets);
}

/*
 * What comes in between the last look at the queue and napi_complete_done()
 * finds the NAPI scheduled still, and makes the core schedule it once more.
 */
static int inline_poll(struct napi_struct *napi, int budget)
{
	struct inline_rx *rx = container_of(napi, struct inline_rx, napi);
	struct sk_buff_head packets;
	struct wg_rx_batch batch;
	unsigned int done;

	if (unlikely(budget <= 0))
		return 0;
	__skb_queue_head_init(&packets);
	done = take(rx, &packets, budget);
	rcu_read_lock();
	while (wg_rx_group(&batch, &packets)) {
		wg_rx_accept(&batch);
		wg_rx_deliver(&batch, napi);
	}
	rcu_read_unlock();
	if (done < budget)
		napi_complete_done(napi, done);
	return done;
}

static bool belongs_to(struct sk_buff *skb, const struct wg_device *wg)
{
	return wg_packet(skb)->keypair->index.peer->device == wg;
}

static void forget_queued(struct inline_rx *rx, const struct wg_device *wg)
{
	struct sk_buff *skb, *next;
	struct sk_buff_head dropped;

	__skb_queue_head_init(&dropped);
	spin_lock_bh(&rx->queue.lock);
	skb_queue_walk_safe(&rx->queue, skb, next) {
		if (!belongs_to(skb, wg))
			continue;
		__skb_unlink(skb, &rx->queue);
		__skb_queue_tail(&dropped, skb);
	}
	spin_unlock_bh(&rx->queue.lock);
	wg_rx_drop(&dropped);
}

/*
 * A NAPI that is disabled runs no poll and has handed on what GRO held back, so
 * nothing of the device is left outside the queue. Other devices' packets wait
 * for these microseconds.
 */
static void inline_forget(struct wg_device *wg)
{
	int cpu;

	mutex_lock(&forget_lock);
	for_each_possible_cpu(cpu) {
		struct inline_rx *rx = per_cpu_ptr(&inline_rx, cpu);

		napi_disable(&rx->napi);
		forget_queued(rx, wg);
		napi_enable(&rx->napi);
		/* Who came meanwhile could not schedule it. */
		local_bh_disable();
		napi_schedule(&rx->napi);
		local_bh_enable();
	}
	mutex_unlock(&forget_lock);
}

const struct wg_engine wg_inline_engine = {
	.name = "inline",
	.xmit = inline_xmit,
	.receive = inline_receive,
	.forget = inline_forget,
};

static void setup_cpu(int cpu)
{
	struct inline_rx *rx = per_cpu_ptr(&inline_rx, cpu);

	skb_queue_head_init(&rx->queue);
	/* Nobody can busy-poll it: no socket learns its number. */
	set_bit(NAPI_STATE_NO_BUSY_POLL, &rx->napi.state);
	netif_napi_add(napi_host, &rx->napi, inline_poll);
	napi_enable(&rx->napi);
}

/**
 * wg_inline_module_init() - make the per-CPU NAPIs
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int wg_inline_module_init(void)
{
	int cpu;

	napi_host = alloc_netdev_dummy(0);
	if (!napi_host)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		setup_cpu(cpu);
	return 0;
}

/**
 * wg_inline_module_exit() - end the per-CPU NAPIs
 *
 * Context: process; no device is left.
 */
void wg_inline_module_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct inline_rx *rx = per_cpu_ptr(&inline_rx, cpu);

		napi_disable(&rx->napi);
		netif_napi_del(&rx->napi);
	}
	free_netdev(napi_host);
}
