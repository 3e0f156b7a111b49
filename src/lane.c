// SPDX-License-Identifier: GPL-2.0
/*
 * A queue of items in front of workers on several CPUs.
 *
 * Who adds an item wakes one worker, unless one is at it; a worker that finds
 * more than it can take at once wakes another. So there are as many at work as
 * there is work for, and packets that come one by one cost one wake-up. A worker
 * only ends its turn on a ring that it saw empty, or where it is not to run any more
 * and has woken another (ordered.h says why that cannot miss an item).
 *
 * Orders are handed to one CPU's worker, each of which has a list of them.
 *
 * CPUs come and go: where a worker is woken is chosen anew each time, among those
 * online; and the workqueue itself moves what was queued on a CPU that has gone.
 * One that is there and does not get round to it, as something else runs there,
 * has others woken in its place, and its list taken over.
 */
#include "lane.h"

#include "keypair.h"
#include "peer.h"

#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/smp.h>

#define RING_SIZE	1024
/* Items that a worker takes at once. */
#define BURST		8
/* Items that come and none is taken: more than do while a CPU wakes up. */
#define OVERDUE_ITEMS	64

static struct workqueue_struct *lane_wq;

/*
 * The next one in turn, but not this one if there are others: it is here that the
 * work comes from, so there is enough to do. Without any that is allowed and
 * online, this one has to.
 */
static int next_cpu(const struct wg_lane *lane, int last)
{
	int self = smp_processor_id(), cpu;

	for_each_cpu_wrap(cpu, lane->cpus, last + 1) {
		if (cpu != self && cpu_online(cpu))
			return cpu;
	}
	return self;
}

static bool may_run(const struct wg_lane *lane, int cpu)
{
	return cpu >= 0 && cpu_online(cpu) &&
	       cpumask_test_cpu(cpu, lane->cpus);
}

static void wake(struct wg_lane *lane, int cpu)
{
	struct wg_worker *worker = per_cpu_ptr(lane->workers, cpu);

	if (!wg_turn_kick(&worker->turn))
		return;
	atomic_inc(&lane->wakes);
	queue_work_on(cpu, lane_wq, &worker->work);
}

static bool is_overdue(struct wg_lane *lane)
{
	unsigned int waiting = READ_ONCE(lane->waiting) + 1;

	WRITE_ONCE(lane->waiting, waiting);
	return waiting >= OVERDUE_ITEMS;
}

/* Instead of a CPU that does not get to it: this one, which runs. */
static int stand_in(const struct wg_lane *lane, int last)
{
	int self = smp_processor_id();

	return self != last && cpumask_test_cpu(self, lane->cpus) ? self :
	       next_cpu(lane, last);
}

static void wake_at(struct wg_lane *lane, int cpu)
{
	WRITE_ONCE(lane->last_cpu, cpu);
	WRITE_ONCE(lane->waiting, 0);
	wake(lane, cpu);
}

static bool is_idle(const struct wg_lane *lane, int cpu)
{
	return wg_turn_is_idle(&per_cpu_ptr(lane->workers, cpu)->turn);
}

/* Not where this comes from, nor one that was woken and does not get to it. */
static bool would_do(const struct wg_lane *lane, int cpu)
{
	return cpu != smp_processor_id() && may_run(lane, cpu) &&
	       is_idle(lane, cpu);
}

/*
 * Whoever was woken last may be at it still, or something else runs there. Without
 * anybody at it, @preferred is, if that one would do.
 */
static void wake_one(struct wg_lane *lane, int preferred)
{
	int cpu = READ_ONCE(lane->last_cpu);

	if (is_idle(lane, cpu))
		wake_at(lane, would_do(lane, preferred) ? preferred :
							  next_cpu(lane, cpu));
	else if (unlikely(is_overdue(lane)))
		wake_at(lane, stand_in(lane, cpu));
	else
		wake(lane, cpu);
}

/* False if there is no other. */
static bool wake_another(struct wg_lane *lane)
{
	int self = smp_processor_id(), cpu = next_cpu(lane, self);

	if (cpu == self)
		return false;
	wake(lane, cpu);
	return true;
}

/* BH off. */
static struct wg_ordered *next_unfinished(struct wg_worker *worker)
{
	struct llist_node *node;

	spin_lock(&worker->lock);
	node = wg_fifo_pop(&worker->unfinished);
	spin_unlock(&worker->lock);
	return node ? llist_entry(node, struct wg_ordered, waiting) : NULL;
}

/* Others only ever empty it, and who adds to it kicks the worker afterwards. */
static bool has_unfinished(const struct wg_worker *worker)
{
	return READ_ONCE(worker->unfinished.first) ||
	       !llist_empty(&worker->unfinished.arrived);
}

/*
 * Each turn holds its peer and ends for itself; there may be as many as peers, so
 * BH go on and others run in between. What is not in hand may be taken over then.
 */
static bool resume(struct wg_worker *worker)
{
	struct wg_ordered *order;

	if (likely(!has_unfinished(worker)))
		return false;
	rcu_read_lock_bh();
	order = next_unfinished(worker);
	if (order)
		worker->lane->resume(order);
	rcu_read_unlock_bh();
	return order;
}

/*
 * The peers of items that are done already: their memory stays for this RCU
 * section, whatever becomes of the items.
 */
static void kick_all(struct wg_lane *lane, struct wg_peer **peers,
		     unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (i + 1 == count || peers[i] != peers[i + 1])
			lane->kick(peers[i]);
	}
}

/* False when there was nothing in the ring. */
static bool work_burst(struct wg_lane *lane)
{
	struct wg_peer *peers[BURST];
	void *items[BURST];
	int count, i;

	rcu_read_lock_bh();
	count = ptr_ring_consume_batched(&lane->ring, items, BURST);
	if (count)
		WRITE_ONCE(lane->waiting, 0);
	if (count == BURST)
		wake_another(lane);
	for (i = 0; i < count; i++) {
		struct wg_item *item = items[i];

		peers[i] = item->keypair->index.peer;
		lane->step(item);
		wg_item_done(item);
	}
	kick_all(lane, peers, count);
	rcu_read_unlock_bh();
	return count;
}

/*
 * Is this CPU none of the lane's any more, and another one sent to what is in the
 * ring? The other one looks at it after this, so nothing has to be left of it.
 */
static bool is_relieved(struct wg_worker *worker)
{
	bool relieved;

	if (likely(cpumask_test_cpu(worker->cpu, worker->lane->cpus)))
		return false;
	local_bh_disable();
	relieved = wake_another(worker->lane);
	local_bh_enable();
	return relieved;
}

/* What waits for this worker alone, and what anybody may do, by turns. */
static bool work_once(struct wg_worker *worker)
{
	bool resumed = resume(worker);

	return (!is_relieved(worker) && work_burst(worker->lane)) || resumed;
}

static void work(struct work_struct *work)
{
	struct wg_worker *worker = container_of(work, struct wg_worker, work);

	do {
		wg_turn_begin(&worker->turn);
		while (work_once(worker))
			cond_resched();
	} while (!wg_turn_end(&worker->turn));
}

/**
 * wg_lane_add() - have an item worked on
 * @lane: lane
 * @item: item that has its place in its peer's order
 * @cpu: where it would be best, -1 for anywhere
 *
 * Context: BH off; neither NMI nor hard interrupt.
 * Return: false if there was no room: the item is still the caller's.
 */
bool wg_lane_add(struct wg_lane *lane, struct wg_item *item, int cpu)
{
	bool added = !ptr_ring_produce(&lane->ring, item);

	wake_one(lane, cpu);
	return added;
}

static void give(struct wg_lane *lane, struct wg_ordered *order, int cpu)
{
	WRITE_ONCE(order->cpu, cpu);
	WRITE_ONCE(order->handed_over, jiffies ?: 1);
	wg_fifo_add(&per_cpu_ptr(lane->workers, cpu)->unfinished,
		    &order->waiting);
	wake(lane, cpu);
}

/**
 * wg_lane_finish() - have a worker go on with a consumer's turn
 * @lane: lane
 * @order: order, at the caller's turn, which the worker takes over
 * @cpu: whose worker; another's if that one may not run
 *
 * Context: BH off.
 */
void wg_lane_finish(struct wg_lane *lane, struct wg_ordered *order, int cpu)
{
	give(lane, order,
	     likely(may_run(lane, cpu)) ? cpu : next_cpu(lane, cpu));
}

/**
 * wg_lane_take_over() - hand on what waits for a CPU that does not get to it
 * @lane: lane
 * @cpu: that CPU
 *
 * To this one, which runs, if it may. What that CPU's worker has in hand stays there.
 * Of the others none may be left: that worker may have looked for them in vain while
 * this was at it. And where to is not asked again for each: with other CPUs allowed
 * meanwhile it could be back to where it came from, and round for ever.
 *
 * Context: BH off.
 */
void wg_lane_take_over(struct wg_lane *lane, int cpu)
{
	struct wg_worker *worker = per_cpu_ptr(lane->workers, cpu);
	int to = stand_in(lane, cpu);
	struct wg_ordered *order;

	if (unlikely(to == cpu))
		return;
	while ((order = next_unfinished(worker)))
		give(lane, order, to);
}

static bool all_idle(struct wg_lane *lane)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		if (!is_idle(lane, cpu))
			return false;
	}
	return true;
}

static bool wakes_since(struct wg_lane *lane, int wakes)
{
	smp_rmb(); /* after the look at who is idle */
	return atomic_read(&lane->wakes) != wakes;
}

/**
 * wg_lane_flush() - wait until the lane is empty and nobody works on it
 * @lane: lane that nothing is added to any more, at least not for ever
 *
 * Context: process; may sleep.
 */
void wg_lane_flush(struct wg_lane *lane)
{
	int cpu, wakes;

	/*
	 * One that was waited for may be woken by another, also while they are looked
	 * at one by one. Who does that counts it, and is idle himself only then: so
	 * where nobody was sent from before to after the look, all were idle at its end.
	 */
	do {
		cond_resched();
		wakes = atomic_read(&lane->wakes);
		for_each_possible_cpu(cpu)
			flush_work(&per_cpu_ptr(lane->workers, cpu)->work);
	} while (!all_idle(lane) || wakes_since(lane, wakes));
}

/**
 * wg_lane_init() - an empty lane
 * @lane: lane; the caller fills in what to do
 * @cpus: where workers may run; may change
 *
 * Context: process; may sleep.
 * Return: 0 or -ENOMEM.
 */
int wg_lane_init(struct wg_lane *lane, const struct cpumask *cpus)
{
	int cpu, ret;

	lane->cpus = cpus;
	lane->last_cpu = cpumask_first(cpu_possible_mask);
	lane->workers = alloc_percpu(struct wg_worker);
	if (!lane->workers)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct wg_worker *worker = per_cpu_ptr(lane->workers, cpu);

		INIT_WORK(&worker->work, work);
		worker->lane = lane;
		worker->cpu = cpu;
		spin_lock_init(&worker->lock);
		wg_fifo_init(&worker->unfinished);
	}
	ret = ptr_ring_init(&lane->ring, RING_SIZE, GFP_KERNEL);
	if (ret)
		free_percpu(lane->workers);
	return ret;
}

/**
 * wg_lane_destroy() - end a lane
 * @lane: lane after wg_lane_flush()
 *
 * Context: process; may sleep.
 */
void wg_lane_destroy(struct wg_lane *lane)
{
	ptr_ring_cleanup(&lane->ring, NULL);
	free_percpu(lane->workers);
}

/**
 * wg_lane_module_init() - make the workqueue
 *
 * Context: process, as the module is loaded.
 * Return: 0 or -ENOMEM.
 */
int wg_lane_module_init(void)
{
	lane_wq = alloc_workqueue("wg-pipeline",
				  WQ_PERCPU | WQ_CPU_INTENSIVE |
				  WQ_MEM_RECLAIM, 0);
	return lane_wq ? 0 : -ENOMEM;
}

/**
 * wg_lane_module_exit() - end it
 *
 * Context: process; no lane is left.
 */
void wg_lane_module_exit(void)
{
	destroy_workqueue(lane_wq);
}
