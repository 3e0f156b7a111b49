// SPDX-License-Identifier: GPL-2.0
/*
 * The NAPIs that hand inner packets to the stack, for both engines.
 *
 * They belong to devices that exist for nothing else, so that nobody outside can
 * switch, busy-poll or disable them. One per CPU is polled in softirq: it has a
 * queue of packets that the inline engine opened on that CPU, and takes orders of
 * peers whose items the pipeline's workers have opened. A few more are polled by
 * kernel threads, and take orders only. A peer is with one of them at a time, so
 * there are never more threads than these, however many peers there are.
 *
 * What a poll has handed on may be held back by GRO until the NAPI completes. So
 * an order's turn ends only after that, and then any NAPI may have the next one:
 * the choice is made anew each time, which is how a switch between softirq,
 * threads and inline takes effect. Where a peer is to go elsewhere while its NAPI
 * is too busy ever to complete, the poll completes in between.
 *
 * Nothing is missed. The core makes a NAPI that is scheduled while it polls poll
 * again; and as its way of noting that has had holes (CVE-2026-52945), a poll
 * that has completed looks again itself. Both lists are filled before the NAPI is
 * scheduled.
 */
#include "delivery.h"

#include "device.h"
#include "keypair.h"
#include "mode.h"
#include "ordered.h"
#include "packet.h"
#include "peer.h"
#include "rx.h"

#include <linux/cpumask.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/rtnetlink.h>
#include <linux/smp.h>

/* Opened packets that wait for one CPU; some 3 ms of work. */
#define QUEUE_MAX	1024
/* Of the threaded ones. */
#define THREADS_MAX	64
/* A poll leaves orders at least this much of its budget. */
#define ORDERS_SHARE	16

/**
 * struct wg_delivery - a NAPI and what waits for it
 * @napi: polls @opened and @orders
 * @opened: packets from the inline engine; its lock is taken with BH off. Filled
 *	by its own CPU; emptied by the poll, which may run elsewhere
 * @passed: packets that have left @opened; under its lock
 * @orders: peers' orders with items that are done
 * @threaded: a kernel thread polls
 * @cpu: whose NAPI it is, if no thread's
 * @call: has that CPU schedule it
 * @called: @call is on its way, or about to be: sending it is for one CPU at a time
 */
struct wg_delivery {
	struct napi_struct napi;
	struct sk_buff_head opened;
	unsigned int passed;
	struct wg_fifo orders;
	bool threaded;
	int cpu;
	call_single_data_t call;
	atomic_t called;
};

static DEFINE_PER_CPU_ALIGNED(struct wg_delivery, softirq_napis);
static struct wg_delivery threaded_napis[THREADS_MAX];
static unsigned int threaded_count;
static struct net_device *softirq_host, *threaded_host;
/* A NAPI can be disabled once at a time. */
static DEFINE_MUTEX(forget_lock);

/* Where a peer's packets are to be delivered from now on. BH off. */
static struct wg_delivery *choose(const struct wg_peer *peer)
{
	if (wg_mode_is_threaded(peer->device))
		return &threaded_napis[(u32)peer->id % threaded_count];
	return this_cpu_ptr(&softirq_napis);
}

/* @call is free again, so the next one may be sent. */
static void schedule_here(void *delivery)
{
	struct wg_delivery *here = delivery;

	atomic_xchg(&here->called, 0);
	napi_schedule(&here->napi);
}

/*
 * If a call is on its way already, it will see what is new: the caller stored that
 * before its xchg, and the CPU takes @called back by an xchg before it schedules the
 * NAPI. If that is disabled then, whoever enables it looks. Returns false if the CPU
 * is offline.
 */
static bool call_its_cpu(struct wg_delivery *there)
{
	if (atomic_xchg(&there->called, 1) ||
	    !smp_call_function_single_async(there->cpu, &there->call))
		return true;
	atomic_xchg(&there->called, 0);
	return false;
}

/*
 * A NAPI is polled where it was scheduled, and for as long as it is never idle. So
 * that it does not stay with a CPU that only looked in, its own one does that. With
 * PREEMPT_RT such a call must not raise a softirq, so there it stays.
 */
static void start_softirq(struct wg_delivery *there)
{
	if (there == this_cpu_ptr(&softirq_napis) ||
	    IS_ENABLED(CONFIG_PREEMPT_RT) || !call_its_cpu(there))
		napi_schedule(&there->napi);
}

/*
 * A thread's NAPI becomes its own in the same step in which it is scheduled. Before
 * 6.10 the core sets SCHED_THREADED later, or leaves it out where the thread seems to
 * sleep: a thread that was woken once too often has then seen nothing to do and sleeps
 * on, and nobody wakes it again; or it spins on a flag that came after its poll
 * (selftests/model). Nobody but us changes whether these NAPIs are threaded, and what
 * has a thread keeps it.
 */
static void start_threaded(struct wg_delivery *there)
{
	unsigned long val = READ_ONCE(there->napi.state), new;

	do {
		if (unlikely(val & NAPIF_STATE_DISABLE))
			return;
		new = val | (val & NAPIF_STATE_SCHED ? NAPIF_STATE_MISSED :
			     NAPIF_STATE_SCHED | NAPIF_STATE_SCHED_THREADED);
	} while (!try_cmpxchg(&there->napi.state, &val, new));
	if (!(val & NAPIF_STATE_SCHED))
		wake_up_process(there->napi.thread);
}

/* What is to be seen was written before a full barrier. BH off. */
static void start_poll(struct wg_delivery *there)
{
	if (!there->threaded)
		start_softirq(there);
	else if (likely(there->napi.thread))
		start_threaded(there);
	else
		napi_schedule(&there->napi);
}

static void send_to(struct wg_peer *peer, struct wg_delivery *there)
{
	wg_fifo_add(&there->orders, &peer->rx_order.waiting);
	start_poll(there);
}

/**
 * wg_delivery_kick() - an item of a peer may be ready to be delivered
 * @peer: peer; there by a reference or the caller's RCU section
 *
 * Context: BH off.
 */
void wg_delivery_kick(struct wg_peer *peer)
{
	if (wg_ordered_kick(&peer->rx_order, peer))
		send_to(peer, choose(peer));
}

/**
 * wg_delivery_has_room() - does this CPU's queue take one more?
 *
 * Context: softirq.
 * Return: true if so.
 */
bool wg_delivery_has_room(void)
{
	return skb_queue_len_lockless(this_cpu_ptr(&softirq_napis.opened)) <
	       QUEUE_MAX;
}

/**
 * wg_delivery_rearm() - this CPU's queue is full, and should not be for long
 *
 * Context: softirq.
 */
void wg_delivery_rearm(void)
{
	napi_schedule(this_cpu_ptr(&softirq_napis.napi));
}

/**
 * wg_delivery_add() - hand on what was opened inline
 * @opened: opened packets; taken over
 *
 * Who finds others queued knows that the first of them, on this same CPU, has
 * scheduled the NAPI, and that no poll since left the queue and completed.
 *
 * Context: softirq.
 */
void wg_delivery_add(struct sk_buff_head *opened)
{
	struct wg_delivery *here = this_cpu_ptr(&softirq_napis);
	bool first;

	spin_lock(&here->opened.lock);
	first = skb_queue_empty(&here->opened);
	skb_queue_splice_tail(opened, &here->opened);
	spin_unlock(&here->opened.lock);
	if (first)
		napi_schedule(&here->napi);
}

/**
 * wg_delivery_follow() - let an item come after what this CPU has queued
 * @item: item that no worker has yet
 *
 * Context: softirq.
 */
void wg_delivery_follow(struct wg_item *item)
{
	struct wg_delivery *here = this_cpu_ptr(&softirq_napis);

	spin_lock(&here->opened.lock);
	item->mark = here->passed + skb_queue_len(&here->opened);
	spin_unlock(&here->opened.lock);
	item->via = here;
}

static unsigned int take(struct wg_delivery *here, struct sk_buff_head *packets,
			 unsigned int max)
{
	struct sk_buff *skb;

	spin_lock(&here->opened.lock);
	if (skb_queue_len(&here->opened) <= max) {
		skb_queue_splice_init(&here->opened, packets);
	} else {
		while (skb_queue_len(packets) < max &&
		       (skb = __skb_dequeue(&here->opened)))
			__skb_queue_tail(packets, skb);
	}
	here->passed += skb_queue_len(packets);
	spin_unlock(&here->opened.lock);
	return skb_queue_len(packets);
}

static void deliver(struct wg_rx_batch *batch, struct wg_delivery *here)
{
	wg_rx_accept(batch);
	wg_rx_deliver(batch, &here->napi);
}

static unsigned int poll_opened(struct wg_delivery *here, unsigned int max)
{
	struct sk_buff_head packets;
	struct wg_rx_batch batch;
	unsigned int done;

	if (skb_queue_empty_lockless(&here->opened))
		return 0;
	__skb_queue_head_init(&packets);
	done = take(here, &packets, max);
	while (wg_rx_group(&batch, &packets))
		deliver(&batch, here);
	return done;
}

/* Are packets before this item still in the queue of some other NAPI, or here? */
static bool must_wait(const struct wg_item *item,
		      const struct wg_delivery *here)
{
	return item->via &&
	       (item->via != here || (int)(here->passed - item->mark) < 0);
}

/* Adds the front item to the batch, which is delivered if it is another key's. */
static void deliver_item(struct wg_ordered *order, struct wg_item *item,
			 struct wg_rx_batch *batch, struct wg_delivery *here)
{
	if (batch->keypair != item->keypair) {
		if (!skb_queue_empty(&batch->packets))
			deliver(batch, here);
		batch->keypair = item->keypair;
	}
	skb_queue_splice_tail(&item->rx.packets, &batch->packets);
	wg_ordered_end(order, item);
}

/* Delivers what is done at the front of an order; returns how many packets. */
static unsigned int poll_order(struct wg_peer *peer, struct wg_delivery *here,
			       unsigned int max)
{
	struct wg_ordered *order = &peer->rx_order;
	struct wg_rx_batch batch = {};
	unsigned int done = 0;
	struct wg_item *item;

	__skb_queue_head_init(&batch.packets);
	wg_turn_begin(&order->turn);
	while ((item = wg_ordered_peek(order)) && done < max &&
	       !must_wait(item, here)) {
		done += max(skb_queue_len(&item->rx.packets), 1U);
		deliver_item(order, item, &batch, here);
	}
	order->more = item;
	if (!skb_queue_empty(&batch.packets))
		deliver(&batch, here);
	return done;
}

/* Where the front item has to go first, or NULL. For the consumer. */
static struct wg_delivery *detour(struct wg_ordered *order)
{
	return order->more ? wg_ordered_peek(order)->via : NULL;
}

/*
 * Has a peer to go elsewhere as soon as may be? Inline that is: anywhere, so that
 * its turn ends.
 */
static bool is_misplaced(struct wg_peer *peer, const struct wg_delivery *here)
{
	const struct wg_delivery *via = detour(&peer->rx_order);

	if (unlikely(via))
		return via != here;
	return wg_mode_is_threaded(peer->device) != here->threaded ||
	       !wg_mode_is_pipeline(peer->device);
}

static struct wg_peer *peer_of(struct llist_node *waiting)
{
	return container_of(waiting, struct wg_peer, rx_order.waiting);
}

/*
 * One round over the orders, which end up in @visited. Looking at one costs
 * budget also where there is nothing in it. @leave says that the poll has to
 * complete: for an order that goes elsewhere, or as there was nothing in any, or
 * so many empty ones would go round for ever.
 */
static unsigned int poll_orders(struct wg_delivery *here, unsigned int max,
				struct llist_head *visited, bool *leave)
{
	struct llist_node *node;
	unsigned int done = 0;
	bool idle = true;

	while (done < max && (node = wg_fifo_pop(&here->orders))) {
		struct wg_peer *peer = peer_of(node);
		unsigned int found = poll_order(peer, here, max - done);

		__llist_add(node, visited);
		idle &= !found;
		*leave |= is_misplaced(peer, here);
		done += max(found, 1U);
	}
	*leave |= idle;
	return done;
}

/* There will be another round here. */
static void put_back(struct wg_delivery *here, struct llist_head *visited)
{
	struct llist_node *node, *next;

	llist_for_each_safe(node, next, llist_reverse_order(visited->first))
		wg_fifo_add(&here->orders, node);
}

/* The NAPI has completed, so nothing of these peers is held back by it. */
static void settle(struct llist_head *visited)
{
	struct llist_node *node, *next;

	llist_for_each_safe(node, next, llist_reverse_order(visited->first)) {
		struct wg_peer *peer = peer_of(node);
		struct wg_ordered *order = &peer->rx_order;

		if (!order->more && likely(wg_turn_end(&order->turn)))
			wg_ordered_release(peer);
		else
			send_to(peer, detour(order) ?: choose(peer));
	}
}

static void finish(struct wg_delivery *here, unsigned int done,
		   struct llist_head *visited)
{
	bool more = here->orders.first;

	napi_complete_done(&here->napi, done);
	settle(visited);
	smp_mb(); /* look again, after what completing the NAPI wrote */
	if (unlikely(more || !llist_empty(&here->orders.arrived) ||
		     !skb_queue_empty_lockless(&here->opened)))
		start_poll(here);
}

static int poll(struct napi_struct *napi, int budget)
{
	struct wg_delivery *here = container_of(napi, struct wg_delivery, napi);
	LLIST_HEAD(visited);
	bool leave = false;
	int done, share = 0;

	if (unlikely(budget <= 0))
		return 0;
	if (wg_fifo_peek(&here->orders))
		share = min(budget, ORDERS_SHARE);
	rcu_read_lock();
	done = poll_opened(here, budget - share);
	if (share)
		done += poll_orders(here, budget - done, &visited, &leave);
	if (done < budget || unlikely(leave)) {
		done = min(done, budget - 1);
		finish(here, done, &visited);
	} else {
		put_back(here, &visited);
		done = budget;
	}
	rcu_read_unlock();
	return done;
}

static bool belongs_to(struct sk_buff *skb, const struct wg_device *wg)
{
	return wg_packet(skb)->keypair->index.peer->device == wg;
}

static void forget_queued(struct wg_delivery *delivery,
			  const struct wg_device *wg)
{
	struct sk_buff *skb, *next;
	struct sk_buff_head dropped;

	__skb_queue_head_init(&dropped);
	spin_lock_bh(&delivery->opened.lock);
	skb_queue_walk_safe(&delivery->opened, skb, next) {
		if (!belongs_to(skb, wg))
			continue;
		__skb_unlink(skb, &delivery->opened);
		delivery->passed++;
		__skb_queue_tail(&dropped, skb);
	}
	spin_unlock_bh(&delivery->opened.lock);
	wg_rx_drop(&dropped, WG_DROP_RX_CLOSED);
}

/* Taking the lock orders this after any wg_delivery_add() that found the NAPI off. */
static bool has_arrivals(struct wg_delivery *delivery)
{
	bool any;

	spin_lock_bh(&delivery->opened.lock);
	any = !skb_queue_empty(&delivery->opened);
	spin_unlock_bh(&delivery->opened.lock);
	return any || !llist_empty(&delivery->orders.arrived);
}

/**
 * wg_delivery_forget() - drop a device's opened packets
 * @wg: device that nothing is received for any more
 *
 * A NAPI that is disabled runs no poll and has handed on what GRO held back, so
 * nothing of the device is left outside the queue. Other devices' packets wait
 * for these microseconds.
 *
 * Context: process; may sleep.
 */
void wg_delivery_forget(struct wg_device *wg)
{
	int cpu;

	mutex_lock(&forget_lock);
	for_each_possible_cpu(cpu) {
		struct wg_delivery *delivery = per_cpu_ptr(&softirq_napis, cpu);
		bool more;

		napi_disable(&delivery->napi);
		forget_queued(delivery, wg);
		more = delivery->orders.first;
		napi_enable(&delivery->napi);
		/* Who came meanwhile could not schedule it. */
		if (more || has_arrivals(delivery)) {
			local_bh_disable();
			start_poll(delivery);
			local_bh_enable();
		}
	}
	mutex_unlock(&forget_lock);
}

static void setup(struct net_device *host, struct wg_delivery *delivery)
{
	skb_queue_head_init(&delivery->opened);
	/* Nobody can busy-poll it: no socket learns its number. */
	set_bit(NAPI_STATE_NO_BUSY_POLL, &delivery->napi.state);
	netif_napi_add(host, &delivery->napi, poll);
	napi_enable(&delivery->napi);
}

static void teardown(struct wg_delivery *delivery)
{
	napi_disable(&delivery->napi);
	netif_napi_del(&delivery->napi);
}

static struct net_device *make_host(void)
{
	struct net_device *host = alloc_netdev_dummy(0);

	/* Its threads are named after it. */
	if (host)
		strscpy(host->name, KBUILD_MODNAME, sizeof(host->name));
	return host;
}

/**
 * wg_delivery_start_threads() - make sure that the threaded NAPIs have threads
 *
 * They are not there from the start, as most never need them.
 *
 * Context: RTNL held; may sleep.
 * Return: 0 or -ENOMEM.
 */
int wg_delivery_start_threads(void)
{
	ASSERT_RTNL();
	return threaded_host->threaded ? 0 :
		dev_set_threaded(threaded_host, NETDEV_NAPI_THREADED_ENABLED);
}

/**
 * wg_delivery_module_init() - make the NAPIs
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int wg_delivery_module_init(void)
{
	unsigned int i;
	int cpu;

	softirq_host = make_host();
	if (!softirq_host)
		return -ENOMEM;
	threaded_host = make_host();
	if (!threaded_host) {
		free_netdev(softirq_host);
		return -ENOMEM;
	}
	for_each_possible_cpu(cpu) {
		struct wg_delivery *delivery = per_cpu_ptr(&softirq_napis, cpu);

		delivery->cpu = cpu;
		INIT_CSD(&delivery->call, schedule_here, delivery);
		setup(softirq_host, delivery);
	}
	threaded_count = min_t(unsigned int, num_possible_cpus(), THREADS_MAX);
	for (i = 0; i < threaded_count; i++) {
		threaded_napis[i].threaded = true;
		setup(threaded_host, &threaded_napis[i]);
	}
	return 0;
}

/**
 * wg_delivery_module_exit() - end the NAPIs
 *
 * CPUs may still be asked to schedule a NAPI. Once they all have answered, those that
 * were are done with it or are at it, with interrupts off. And a poll that has
 * completed may have some lines to go. Hence the grace period.
 *
 * Context: process; no device is left.
 */
void wg_delivery_module_exit(void)
{
	unsigned int i;
	int cpu;

	kick_all_cpus_sync();
	for_each_possible_cpu(cpu)
		teardown(per_cpu_ptr(&softirq_napis, cpu));
	for (i = 0; i < threaded_count; i++)
		teardown(&threaded_napis[i]);
	synchronize_net();
	free_netdev(threaded_host);
	free_netdev(softirq_host);
}
