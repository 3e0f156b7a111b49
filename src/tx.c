// SPDX-License-Identifier: GPL-2.0
/*
 * The steps of a packet on its way out: take key and nonces, seal (tx_seal.c),
 * transmit.
 *
 * All of them run with BH off. The keypair stays for the RCU-bh section of
 * wg_tx_take(); whoever goes on after it takes a reference first.
 */
#include "tx.h"

#include "device.h"
#include "drop.h"
#include "handshake.h"
#include "keypair.h"
#include "messages.h"
#include "packet.h"
#include "peer.h"
#include "socket.h"
#include "stats.h"
#include "timers.h"

#include <linux/netdevice.h>
#include <net/gso.h>

/* Valid in the RCU-bh section of the caller only. */
static struct wg_keypair *sending_keypair(struct wg_peer *peer)
{
	struct wg_keypair *keypair;

	keypair = rcu_dereference_bh(peer->keypairs.current_keypair);
	if (unlikely(!keypair || !READ_ONCE(keypair->sending_valid)))
		return NULL;
	if (unlikely(wg_keypair_expired(keypair, WG_REJECT_AFTER_TIME))) {
		wg_keypair_stop_sending(keypair);
		return NULL;
	}
	return keypair;
}

/**
 * wg_tx_has_key() - could a packet to this peer be sent now?
 * @peer: peer
 *
 * Context: any.
 * Return: true if there is a session to send with.
 */
bool wg_tx_has_key(struct wg_peer *peer)
{
	bool has_key;

	rcu_read_lock_bh();
	has_key = sending_keypair(peer);
	rcu_read_unlock_bh();
	return has_key;
}

/* A range of nonces that nobody else has, or false at the end of the key. */
static bool take_nonces(struct wg_tx_batch *batch)
{
	atomic64_t *counter = &batch->keypair->sending_counter;

	batch->counter = atomic64_add_return(batch->count, counter) -
			 batch->count;
	if (likely(batch->counter < WG_REJECT_AFTER_MESSAGES - batch->count))
		return true;
	wg_keypair_stop_sending(batch->keypair);
	return false;
}

/* Cuts a GSO packet up; its segments become the batch. */
static bool segment(struct wg_tx_batch *batch, struct sk_buff *skb)
{
	struct sk_buff *segments = skb_gso_segment(skb, NETIF_F_SG);

	if (IS_ERR_OR_NULL(segments)) {
		batch->count = wg_packet_segments(skb);
		return false;
	}
	batch->packets = segments;
	batch->uncut = skb;
	for (batch->count = 0; segments; segments = segments->next)
		batch->count++;
	return true;
}

/**
 * wg_tx_drop() - empty a batch
 * @batch: batch
 * @cause: why
 *
 * Context: any.
 */
void wg_tx_drop(struct wg_tx_batch *batch, enum wg_drop cause)
{
	enum skb_drop_reason reason = wg_drop_causes[cause].reason;

	wg_drop_count(batch->peer->device, batch->peer, cause, batch->count);
	kfree_skb_list_reason(batch->packets, reason);
	kfree_skb_reason(batch->uncut, reason);
	batch->packets = NULL;
	batch->uncut = NULL;
}

static void drop_batch(struct wg_tx_batch *batch, enum wg_drop cause)
{
	DEV_STATS_ADD(batch->peer->device->dev, tx_errors, batch->count);
	wg_tx_drop(batch, cause);
}

/**
 * wg_tx_take() - make a batch of an inner packet: key, nonces, segments
 * @batch: filled in
 * @peer: to whom
 * @skb: inner packet with &struct wg_packet filled in; the batch takes it over
 *
 * Nonces are taken last, so that senders on other CPUs have as little time as
 * can be to get ahead: the other side's window bears it, but not endlessly.
 *
 * Context: BH off, RCU-bh section. Before that ends, @batch is transmitted or a
 * reference to its keypair taken.
 * Return: false where there is no key to send with; @skb is still the caller's.
 * True else, with an empty batch where the packet had to be dropped.
 */
bool wg_tx_take(struct wg_tx_batch *batch, struct wg_peer *peer,
		struct sk_buff *skb)
{
	*batch = (struct wg_tx_batch){
		.peer = peer,
		.keypair = sending_keypair(peer),
		.packets = skb,
		.count = 1,
		.mtu = wg_packet(skb)->mtu,
		.ds = wg_packet(skb)->ds,
		.has_data = skb->len,
	};
	if (unlikely(!batch->keypair))
		return false;
	if (skb_is_gso(skb) && unlikely(!segment(batch, skb)))
		drop_batch(batch, WG_DROP_TX_MALFORMED);
	else if (unlikely(!take_nonces(batch)))
		drop_batch(batch, WG_DROP_TX_NO_KEY);
	return true;
}

/* Begin a new session before this one ends (whitepaper 6.2). */
static void keep_key_fresh(const struct wg_tx_batch *batch)
{
	const struct wg_keypair *keypair = batch->keypair;

	if (unlikely(batch->counter > WG_REKEY_AFTER_MESSAGES ||
		     (keypair->initiator &&
		      wg_keypair_expired(keypair, WG_REKEY_AFTER_TIME))))
		wg_handshake_initiate(batch->peer, false);
}

/* By this CPU, so with BH off it is what those below have just done. */
static u64 packets_sent(const struct net_device *dev)
{
	return u64_stats_read(&this_cpu_ptr(dev->tstats)->tx_packets);
}

/*
 * Sends what may be several messages, and returns how many have got to the layers
 * below. Those count packets as sent or dropped, and a super-packet is one to them:
 * the rest of its messages went the same way.
 */
static unsigned int send(struct wg_peer *peer, struct sk_buff *skb, u8 ds)
{
	unsigned int messages = wg_packet_segments(skb);
	struct net_device *dev = peer->device->dev;
	u64 before;

	if (messages == 1)
		return wg_socket_send(peer, skb, ds) ? 0 : 1;
	before = packets_sent(dev);
	if (unlikely(wg_socket_send(peer, skb, ds)))
		return 0;
	if (likely(packets_sent(dev) != before))
		dev_sw_netstats_tx_add(dev, messages - 1, 0);
	else
		DEV_STATS_ADD(dev, tx_dropped, messages - 1);
	return messages;
}

/**
 * wg_tx_transmit() - hand the messages of a batch to the socket
 * @batch: batch after wg_tx_seal(); empty afterwards
 *
 * Context: BH off, RCU-bh section, of wg_tx_take() unless the keypair is held.
 */
void wg_tx_transmit(struct wg_tx_batch *batch)
{
	struct sk_buff *skb = batch->packets, *next;
	unsigned int sent = 0;

	if (unlikely(!skb))
		return;
	batch->packets = NULL;
	/* First: an answer may come before the last of them is sent. */
	wg_timers_authenticated_sent(batch->peer);
	if (likely(batch->has_data))
		wg_timers_data_sent(batch->peer);
	for (; skb; skb = next) {
		next = skb->next;
		skb_mark_not_on_list(skb);
		sent += send(batch->peer, skb, batch->ds);
	}
	wg_stats_count_batch(batch->peer->device, WG_TX, sent);
	keep_key_fresh(batch);
}
