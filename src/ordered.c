// SPDX-License-Identifier: GPL-2.0
/*
 * Order among workers: a peer's items leave as they came, whoever is done first.
 *
 * An item is put into its peer's list before any worker can have it. It leaves
 * the list when it is done and at the front. Whoever makes an item done kicks the
 * consumer afterwards; also where that was because there was no room for it in
 * the ring, and also where it was not let into the list for the lack of room
 * there. So the front item that is done has been followed by a kick, and the
 * argument in ordered.h says that a consumer sees it: a peer cannot stall, full
 * queues or not (CVE-2026-52945).
 *
 * Lifetime. An item holds its keypair, which holds the peer. An order that is not
 * idle holds the peer too, so its consumer may end the last item and then look
 * at the order. A kick may come when the peer's last reference has gone, as the item
 * is the consumer's by then; the memory stays until the end of its RCU section.
 */
#include "ordered.h"

#include "device.h"
#include "keypair.h"
#include "peer.h"

#include <linux/slab.h>
#include <linux/wait_bit.h>

/* Of one peer and direction; the device's ring bounds all of them together. */
#define QUEUED_MAX	1024

static struct kmem_cache *item_cache;

/**
 * wg_fifo_peek() - look at the oldest node
 * @fifo: list; the caller is the only one who takes
 *
 * Context: BH off, one CPU at a time.
 * Return: the node, still in the list, or NULL.
 */
struct llist_node *wg_fifo_peek(struct wg_fifo *fifo)
{
	if (!fifo->first && !llist_empty(&fifo->arrived))
		fifo->first = llist_reverse_order(llist_del_all(&fifo->arrived));
	return fifo->first;
}

/**
 * wg_fifo_pop() - take the oldest node
 * @fifo: list; the caller is the only one who takes
 *
 * Context: BH off, one CPU at a time.
 * Return: the node or NULL.
 */
struct llist_node *wg_fifo_pop(struct wg_fifo *fifo)
{
	struct llist_node *node = wg_fifo_peek(fifo);

	if (node)
		fifo->first = node->next;
	return node;
}

/**
 * wg_item_alloc() - an item without a batch
 *
 * Context: any.
 * Return: the item or NULL.
 */
struct wg_item *wg_item_alloc(void)
{
	struct wg_item *item = kmem_cache_alloc(item_cache, GFP_ATOMIC);

	if (likely(item)) {
		item->done = false;
		item->weight = 1;
		item->via = NULL;
	}
	return item;
}

/**
 * wg_item_free() - end an item that was never in a list
 * @item: item, its batch empty
 *
 * Context: BH off.
 */
void wg_item_free(struct wg_item *item)
{
	kmem_cache_free(item_cache, item);
}

/**
 * wg_item_done() - the step of an item is done
 * @item: item in a list; the consumer's from here on. A kick has to follow
 *
 * Context: BH off.
 */
void wg_item_done(struct wg_item *item)
{
	smp_store_release(&item->done, true); /* the batch, before this */
}

/**
 * wg_ordered_init() - an empty list
 * @order: order
 *
 * Context: any.
 */
void wg_ordered_init(struct wg_ordered *order)
{
	atomic_set(&order->turn.state, WG_TURN_IDLE);
	atomic_set(&order->queued, 0);
	wg_fifo_init(&order->items);
	order->cpu = -1;
	order->handed_over = 0;
}

/**
 * wg_ordered_add() - let an item take its place
 * @order: order
 * @item: item with a reference to its keypair
 *
 * Context: BH off.
 */
void wg_ordered_add(struct wg_ordered *order, struct wg_item *item)
{
	atomic_add(item->weight, &order->queued);
	wg_fifo_add(&order->items, &item->node);
}

/**
 * wg_ordered_admit_pipeline() - may one more of the pipeline's batches queue?
 * @order: order
 *
 * Where the pipeline is asked to take a batch, what wg_ordered_admit_inline() has
 * closed is open again: the next switch to inline must not find it closed.
 *
 * Context: BH off.
 * Return: false if it has to be dropped.
 */
bool wg_ordered_admit_pipeline(struct wg_ordered *order)
{
	if (unlikely(READ_ONCE(order->closed)))
		WRITE_ONCE(order->closed, false);
	return atomic_read(&order->queued) < QUEUED_MAX;
}

/**
 * wg_ordered_admit_inline() - may an inline batch queue behind the pipeline's?
 * @order: order
 *
 * Inline senders that together are faster than the consumer could keep the list
 * going for ever. Once it is full, so that packets are lost anyhow, no more are
 * let in until it is empty, and then they need it no longer.
 *
 * Context: BH off.
 * Return: false if it has to be dropped.
 */
bool wg_ordered_admit_inline(struct wg_ordered *order)
{
	int queued = atomic_read(&order->queued);

	if (unlikely(queued >= QUEUED_MAX))
		WRITE_ONCE(order->closed, true);
	else if (!queued && READ_ONCE(order->closed))
		WRITE_ONCE(order->closed, false);
	return !READ_ONCE(order->closed);
}

/**
 * wg_ordered_peek() - the front item, if it is done
 * @order: order, at the caller's turn
 *
 * Context: BH off.
 * Return: the item, still in the list, or NULL.
 */
struct wg_item *wg_ordered_peek(struct wg_ordered *order)
{
	struct llist_node *node = wg_fifo_peek(&order->items);
	struct wg_item *item;

	if (!node)
		return NULL;
	item = llist_entry(node, struct wg_item, node);
	/* pairs with wg_item_done() */
	return smp_load_acquire(&item->done) ? item : NULL;
}

/**
 * wg_ordered_end() - the front item has gone on
 * @order: order, at the caller's turn
 * @item: what wg_ordered_peek() returned; freed
 *
 * Context: BH off.
 */
void wg_ordered_end(struct wg_ordered *order, struct wg_item *item)
{
	wg_fifo_pop(&order->items);
	atomic_sub_return_release(item->weight, &order->queued);
	wg_keypair_put(item->keypair, 1);
	kmem_cache_free(item_cache, item);
}

/**
 * wg_ordered_kick() - an item may be ready to go on
 * @order: order
 * @peer: whose it is; there by a reference or the caller's RCU section
 *
 * Without references left there are no items, and so nobody to be sent.
 *
 * Context: BH off.
 * Return: true if the caller has to send a consumer, who calls
 * wg_ordered_release() at the end.
 */
bool wg_ordered_kick(struct wg_ordered *order, struct wg_peer *peer)
{
	if (!wg_turn_kick(&order->turn) || !wg_peer_get_maybe_zero(peer))
		return false;
	atomic_inc(&peer->device->pipeline.busy);
	return true;
}

/**
 * wg_ordered_release() - the consumer's turn has ended
 * @peer: peer; may be gone afterwards
 *
 * The peer's end may look at the device, so the device is let go last.
 *
 * Context: any.
 */
void wg_ordered_release(struct wg_peer *peer)
{
	struct wg_device *wg = peer->device;

	wg_peer_put(peer);
	if (atomic_dec_and_test(&wg->pipeline.busy))
		wake_up_var(&wg->pipeline.busy);
}

/**
 * wg_ordered_module_init() - make the cache that items come from
 *
 * Context: process, as the module is loaded.
 * Return: 0 or -ENOMEM.
 */
int wg_ordered_module_init(void)
{
	item_cache = KMEM_CACHE(wg_item, 0);
	return item_cache ? 0 : -ENOMEM;
}

/**
 * wg_ordered_module_exit() - end it
 *
 * Context: process; no item is left.
 */
void wg_ordered_module_exit(void)
{
	kmem_cache_destroy(item_cache);
}
