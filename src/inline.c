// SPDX-License-Identifier: GPL-2.0
/*
 * The inline engine: all steps of a packet one after the other, on the core that
 * sends or receives it, now (Netdev 0x18, HPSR 2025).
 *
 * Sending happens in the sender's context. What is received is decrypted within
 * the poll of the NIC that brought it. It goes on in this CPU's NAPI of our own
 * (delivery.c): encap_rcv sees a packet or an aggregate and no end of a burst, and
 * a poll of ours makes a batch of what one poll of the NIC brought. It runs right
 * after it, in the same softirq, and as any driver's does: with a budget, and
 * moved to ksoftirqd in overload. The queue in front of it is bounded, and what is
 * too much is dropped before it is decrypted. Nested tunnels meet in that queue,
 * not on the stack.
 *
 * Lifetime. A packet in a queue holds its keypair, and so its peer and, until
 * wg_engine.forget() has run, the device may be looked at. Sending stores
 * nothing, but for what goes behind the pipeline's packets (pipeline.c), and is over
 * at the end of the RCU-bh section it began in.
 */
#include "engine.h"

#include "delivery.h"
#include "device.h"
#include "keypair.h"
#include "ordered.h"
#include "peer.h"
#include "pipeline.h"
#include "rx.h"
#include "tx.h"

#include <linux/netdevice.h>

/*
 * How deep on one stack tunnels may nest. What is deeper goes on in a worker.
 * Newer kernels drop tunnelled packets not much later; older ones run on.
 */
#define NESTING_MAX	3

/* False where there is no key; @skb is still the caller's then. */
static bool send_now(struct wg_peer *peer, struct sk_buff *skb)
{
	struct wg_tx_batch batch;

	if (unlikely(!wg_tx_take(&batch, peer, skb)))
		return false;
	wg_tx_seal(&batch);
	wg_tx_transmit(&batch);
	return true;
}

static bool inline_xmit(struct wg_peer *peer, struct sk_buff *skb)
{
	if (unlikely(dev_recursion_level() > NESTING_MAX))
		return false;
	if (unlikely(wg_ordered_is_busy(&peer->tx_order)))
		return wg_pipeline_send_behind(peer, skb);
	return send_now(peer, skb);
}

/*
 * Decrypts at once, within the poll of the NIC: while that lasts the NIC need not
 * wake this CPU again for what comes in behind. What is too much for the queue is
 * dropped before it costs that; the queue's NAPI is scheduled all the same: should
 * delivery.c's argument that nothing is missed be wrong, that ends it.
 */
static void inline_receive(struct wg_device *wg, struct sk_buff_head *packets)
{
	struct wg_rx_batch batch;

	if (unlikely(!wg_delivery_has_room())) {
		wg_rx_refuse(wg, packets, WG_DROP_RX_QUEUE_FULL);
		wg_delivery_rearm();
		return;
	}
	while (wg_rx_group(&batch, packets)) {
		struct wg_peer *peer = batch.keypair->index.peer;

		if (unlikely(wg_ordered_is_busy(&peer->rx_order))) {
			wg_pipeline_receive_behind(&batch);
			continue;
		}
		wg_rx_open(&batch);
		if (likely(!skb_queue_empty(&batch.packets)))
			wg_delivery_add(&batch.packets);
	}
}

const struct wg_engine wg_inline_engine = {
	.xmit = inline_xmit,
	.receive = inline_receive,
	.forget = wg_delivery_forget,
};
