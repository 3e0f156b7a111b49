/* SPDX-License-Identifier: GPL-2.0 */
/* Order among workers: a peer's items leave as they came, whoever is done first. */
#ifndef _WG_ORDERED_H
#define _WG_ORDERED_H

#include <linux/atomic.h>
#include <linux/llist.h>
#include <linux/types.h>

#include "rx.h"
#include "tx.h"

struct wg_delivery;
struct wg_keypair;
struct wg_peer;

/**
 * enum wg_turn_state - who looks
 * @WG_TURN_IDLE: nobody looks, nobody is on the way
 * @WG_TURN_KICKED: somebody is on the way, and has not begun to look
 * @WG_TURN_LOOKING: somebody looks, and may be past what changed
 *
 * Somebody, one at a time, has to look at something whenever it has changed: a
 * worker at its ring, a consumer at its list.
 *
 * Who changes something then kicks; who finds IDLE there has to send somebody.
 * Who looks begins, looks, and ends; where the end fails, he begins once more.
 *
 * No change is missed. A kick is a full barrier between the change and its look
 * at the state, and begin one between KICKED -> LOOKING and the look at the
 * thing. So either the kick finds KICKED, and the begin that ends this state is
 * still to come and sees the change; or it makes the state KICKED itself: from
 * IDLE, and sends somebody, who begins; or from LOOKING, and then the end fails,
 * as it only ever makes LOOKING IDLE. There is no other way to IDLE.
 */
enum wg_turn_state {
	WG_TURN_IDLE,
	WG_TURN_KICKED,
	WG_TURN_LOOKING,
};

/**
 * struct wg_turn - whose turn it is to look
 * @state: &enum wg_turn_state
 */
struct wg_turn {
	atomic_t state;
};

/**
 * wg_turn_kick() - something has changed
 * @turn: turn
 *
 * Return: true if the caller has to send somebody to look.
 */
static inline bool wg_turn_kick(struct wg_turn *turn)
{
	smp_mb(); /* see above */
	if (atomic_read(&turn->state) == WG_TURN_KICKED)
		return false;
	return atomic_xchg(&turn->state, WG_TURN_KICKED) == WG_TURN_IDLE;
}

/**
 * wg_turn_begin() - what has changed until now will be seen
 * @turn: turn of the caller
 */
static inline void wg_turn_begin(struct wg_turn *turn)
{
	atomic_xchg(&turn->state, WG_TURN_LOOKING);
}

/**
 * wg_turn_end() - done with looking, unless something has changed meanwhile
 * @turn: turn of the caller
 *
 * Return: false if it is still the caller's turn.
 */
static inline bool wg_turn_end(struct wg_turn *turn)
{
	return atomic_cmpxchg(&turn->state, WG_TURN_LOOKING, WG_TURN_IDLE) ==
	       WG_TURN_LOOKING;
}

/**
 * wg_turn_is_idle() - does nobody look?
 * @turn: turn
 *
 * Return: true if nobody does or is about to, at this moment.
 */
static inline bool wg_turn_is_idle(const struct wg_turn *turn)
{
	return atomic_read(&turn->state) == WG_TURN_IDLE;
}

/**
 * struct wg_fifo - a list that many add to and one takes from, without a lock
 * @arrived: added and not seen by the taker yet, newest first
 * @first: the taker's: the others, oldest first
 */
struct wg_fifo {
	struct llist_head arrived;
	struct llist_node *first;
};

/**
 * wg_fifo_init() - an empty list
 * @fifo: list
 */
static inline void wg_fifo_init(struct wg_fifo *fifo)
{
	init_llist_head(&fifo->arrived);
	fifo->first = NULL;
}

/**
 * wg_fifo_add() - add a node
 * @fifo: list
 * @node: node
 *
 * Context: any.
 */
static inline void wg_fifo_add(struct wg_fifo *fifo, struct llist_node *node)
{
	llist_add(node, &fifo->arrived);
}

struct llist_node *wg_fifo_peek(struct wg_fifo *fifo);
struct llist_node *wg_fifo_pop(struct wg_fifo *fifo);

/**
 * struct wg_item - a batch on its way through the pipeline
 * @node: linkage in &wg_ordered.items
 * @keypair: what seals or opens it; the item holds a reference, and so the peer
 * @done: the step is done, or the batch was dropped and is empty; written with
 *	release order by the CPU that did it, which does not touch it afterwards
 * @weight: what it counts for in &wg_ordered.queued
 * @via: where packets before it may still be; NULL for nowhere
 * @mark: the value of &wg_delivery.passed at which they are gone from there
 * @tx: the batch on its way out
 * @rx: the batch on its way in
 */
struct wg_item {
	struct llist_node node;
	struct wg_keypair *keypair;
	bool done;
	unsigned int weight;
	struct wg_delivery *via;
	unsigned int mark;
	union {
		struct wg_tx_batch tx;
		struct wg_rx_batch rx;
	};
};

/**
 * struct wg_ordered - items of one peer and direction, in order of arrival
 * @turn: the consumer's
 * @queued: weight of the items in the list
 * @items: the items; the consumer takes those that are done from its front
 * @waiting: linkage in the list of who consumes
 * @more: the consumer's: it stopped before it had to
 * @closed: an inline sender found it full; see wg_ordered_admit_inline()
 * @epoch: on the way in: the &wg_pipeline.epoch in which an item was last put
 *	behind what was opened inline
 * @cpu: the consumer's: which one it was last or is to be next, -1 for none yet
 * @moved: the consumer's: jiffies when it last did anything
 * @handed_over: jiffies since when it waits for @cpu to go on, 0 while it does not
 *
 * The last three are of a peer's way out: see pipeline.c.
 *
 * While it is not idle it holds a reference to its peer, and the device's
 * &wg_pipeline.busy counts it.
 */
struct wg_ordered {
	struct wg_turn turn;
	atomic_t queued;
	struct wg_fifo items;
	struct llist_node waiting;
	bool more;
	bool closed;
	unsigned int epoch;
	int cpu;
	unsigned long moved;
	unsigned long handed_over;
};

/**
 * wg_ordered_is_busy() - would a packet that goes past it overtake another?
 * @order: order
 *
 * An item leaves @queued when its packets went on, which happens within a turn;
 * and the turn does not end before nothing holds them back any more. So who sees
 * no item, and then no turn, comes behind every packet that he could know of.
 *
 * Return: true if so.
 */
static inline bool wg_ordered_is_busy(const struct wg_ordered *order)
{
	return atomic_read_acquire(&order->queued) ||
	       !wg_turn_is_idle(&order->turn);
}

int wg_ordered_module_init(void);
void wg_ordered_module_exit(void);

struct wg_item *wg_item_alloc(void);
void wg_item_free(struct wg_item *item);
void wg_item_done(struct wg_item *item);

void wg_ordered_init(struct wg_ordered *order);
void wg_ordered_add(struct wg_ordered *order, struct wg_item *item);
bool wg_ordered_admit_pipeline(struct wg_ordered *order);
bool wg_ordered_admit_inline(struct wg_ordered *order);
struct wg_item *wg_ordered_peek(struct wg_ordered *order);
void wg_ordered_end(struct wg_ordered *order, struct wg_item *item);
bool wg_ordered_kick(struct wg_ordered *order, struct wg_peer *peer);
void wg_ordered_release(struct wg_peer *peer);

#endif /* _WG_ORDERED_H */
