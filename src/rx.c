// SPDX-License-Identifier: GPL-2.0
/*
 * The steps of a packet on its way in: admit, group, open, accept, deliver.
 *
 * The order is the protocol's (whitepaper 5.4.6): nothing of a peer's state
 * changes before the tag was verified and the counter found new.
 */
#include "rx.h"

#include "aead.h"
#include "allowedips.h"
#include "device.h"
#include "drop.h"
#include "endpoint.h"
#include "engine.h"
#include "gro.h"
#include "handshake.h"
#include "keypair.h"
#include "log.h"
#include "messages.h"
#include "packet.h"
#include "peer.h"
#include "stage.h"
#include "stats.h"
#include "table.h"
#include "timers.h"
#include "tx.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/inet_ecn.h>
#include <net/ip_tunnels.h>
#include <net/udp.h>

/* An initiator begins anew while there is still time to (whitepaper 6.2). */
#define LAST_MINUTE \
	(WG_REJECT_AFTER_TIME - WG_KEEPALIVE_TIMEOUT - WG_REKEY_TIMEOUT)

static u8 received_ds(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IPV6) ?
		ipv6_get_dsfield(ipv6_hdr(skb)) : ip_hdr(skb)->tos;
}

/* Finds the key and takes a reference to it for the packet. RCU section. */
static struct wg_keypair *receiving_keypair(struct wg_device *wg, __le32 index)
{
	struct wg_index *entry = wg_index_lookup(&wg->indices, index);
	struct wg_keypair *keypair;

	if (unlikely(!entry || entry->kind != WG_INDEX_KEYPAIR))
		return NULL;
	keypair = container_of(entry, struct wg_keypair, index);
	if (unlikely(!READ_ONCE(keypair->receiving_valid) ||
		     !wg_keypair_get(keypair)))
		return NULL;
	return keypair;
}

/*
 * The rejects that cost little, so that a flood of junk does. Fills in &struct
 * wg_packet.
 */
static enum wg_drop admit(struct wg_device *wg, struct sk_buff *skb)
{
	const struct wg_message_data *message = (void *)skb->data;
	struct wg_packet *packet = wg_packet(skb);
	__le32 index = message->receiver_index;

	packet->counter = le64_to_cpu(message->counter);
	packet->ds = received_ds(skb);
	packet->keypair = receiving_keypair(wg, index);
	if (unlikely(!packet->keypair))
		return WG_DROP_RX_NO_KEY;
	if (likely(!wg_replay_hopeless(&packet->keypair->replay,
				       packet->counter)))
		return WG_DROP_NONE;
	wg_keypair_put(packet->keypair, 1);
	return WG_DROP_RX_REPLAY;
}

static void receive_data(struct wg_device *wg, struct sk_buff *skb,
			 struct sk_buff_head *admitted)
{
	enum wg_drop cause = WG_DROP_RX_MALFORMED;

	if (likely(skb->len >= WG_DATA_MIN_SIZE &&
		   pskb_may_pull(skb, sizeof(struct wg_message_data))))
		cause = admit(wg, skb);
	if (likely(!cause))
		__skb_queue_tail(admitted, skb);
	else
		wg_drop_from(wg, skb, cause);
}

static unsigned int handshake_size(__le32 type)
{
	switch (le32_to_cpu(type)) {
	case WG_MESSAGE_INITIATION:
		return sizeof(struct wg_message_initiation);
	case WG_MESSAGE_RESPONSE:
		return sizeof(struct wg_message_response);
	case WG_MESSAGE_COOKIE:
		return sizeof(struct wg_message_cookie);
	}
	return 0;
}

/* Takes the message over. */
static void receive_message(struct wg_device *wg, struct sk_buff *skb,
			    struct sk_buff_head *admitted)
{
	__le32 type;

	if (unlikely(!pskb_may_pull(skb, sizeof(type)))) {
		wg_drop_from(wg, skb, WG_DROP_RX_MALFORMED);
		return;
	}
	type = *(__le32 *)skb->data;
	if (likely(type == cpu_to_le32(WG_MESSAGE_DATA)))
		receive_data(wg, skb, admitted);
	else if (skb->len != handshake_size(type))
		wg_drop_from(wg, skb, WG_DROP_RX_MALFORMED);
	else if (skb_linearize(skb))
		wg_drop_from(wg, skb, WG_DROP_RX_NO_MEMORY);
	else
		wg_handshake_receive(wg, skb);
}

static void receive_aggregate(struct wg_device *wg, struct sk_buff *skb,
			      struct sk_buff_head *admitted)
{
	struct sk_buff_head messages;

	__skb_queue_head_init(&messages);
	wg_gro_cut(wg, skb, &messages);
	while ((skb = __skb_dequeue(&messages)))
		receive_message(wg, skb, admitted);
}

/**
 * wg_rx_socket() - a UDP packet came: the socket's encap_rcv
 * @sk: tunnel socket
 * @skb: packet, its data at the UDP header, or an aggregate of wg_gro_receive();
 *	the stack has verified the checksum, trimmed it to the UDP length and cut
 *	other GSO packets up; taken over
 *
 * Anything that is not a message of exactly the right form is dropped without a
 * trace, as whoever sent it must not learn that we are here.
 *
 * Context: softirq, RCU section.
 * Return: 0, always: the packet is ours.
 */
int wg_rx_socket(struct sock *sk, struct sk_buff *skb)
{
	struct wg_device *wg = rcu_dereference_sk_user_data(sk);
	struct sk_buff_head admitted;

	if (unlikely(!wg || !pskb_may_pull(skb, sizeof(struct udphdr)))) {
		kfree_skb(skb);
		return 0;
	}
	__skb_pull(skb, sizeof(struct udphdr));
	__skb_queue_head_init(&admitted);
	if (wg_gro_is_aggregate(skb))
		receive_aggregate(wg, skb, &admitted);
	else
		receive_message(wg, skb, &admitted);
	if (likely(!skb_queue_empty(&admitted)))
		READ_ONCE(wg->engine)->receive(wg, &admitted);
	return 0;
}

/* May be the last to hold the keypair, and so the peer. */
static void drop_one(struct sk_buff *skb, enum wg_drop cause)
{
	struct wg_keypair *keypair = wg_packet(skb)->keypair;
	struct wg_peer *peer = keypair->index.peer;

	wg_drop(peer->device, peer, skb, cause);
	wg_keypair_put(keypair, 1);
}

/**
 * wg_rx_drop() - end admitted packets that no batch will be made of
 * @packets: packets; empty afterwards
 * @cause: why
 *
 * Context: any.
 */
void wg_rx_drop(struct sk_buff_head *packets, enum wg_drop cause)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(packets)))
		drop_one(skb, cause);
}

/**
 * wg_rx_refuse() - end admitted packets that an engine has no room for
 * @wg: device, whose counter of dropped packets they count in
 * @packets: packets; empty afterwards
 * @cause: why
 *
 * Context: softirq.
 */
void wg_rx_refuse(struct wg_device *wg, struct sk_buff_head *packets,
		  enum wg_drop cause)
{
	DEV_STATS_ADD(wg->dev, rx_dropped, skb_queue_len(packets));
	wg_rx_drop(packets, cause);
}

/**
 * wg_rx_group() - take the packets of one keypair out of many
 * @batch: filled in with the packets of the keypair of the first, in order
 * @from: admitted packets; loses those
 *
 * Context: BH off.
 * Return: false when there is nothing left.
 */
bool wg_rx_group(struct wg_rx_batch *batch, struct sk_buff_head *from)
{
	struct sk_buff *skb = skb_peek(from), *next;

	if (!skb)
		return false;
	batch->keypair = wg_packet(skb)->keypair;
	__skb_queue_head_init(&batch->packets);
	skb_queue_walk_safe(from, skb, next) {
		if (wg_packet(skb)->keypair != batch->keypair)
			continue;
		__skb_unlink(skb, from);
		__skb_queue_tail(&batch->packets, skb);
	}
	return true;
}

/* May be the last to hold the keypair, which RCU keeps while the step lasts. */
static void drop_of_batch(struct wg_rx_batch *batch, struct sk_buff *skb,
			  enum wg_drop cause)
{
	__skb_unlink(skb, &batch->packets);
	drop_one(skb, cause);
}

/*
 * Decrypts one packet. Its bytes may be a clone's or a page that others see too:
 * then they are copied first.
 */
static enum wg_drop open_one(const struct wg_keypair *keypair,
			     struct sk_buff *skb)
{
	u8 *sealed;

	if (unlikely(skb_linearize_cow(skb)))
		return WG_DROP_RX_NO_MEMORY;
	sealed = skb->data + sizeof(struct wg_message_data);
	if (unlikely(!wg_aead_decrypt(sealed, sealed,
				      skb->len - sizeof(struct wg_message_data),
				      wg_packet(skb)->counter,
				      keypair->receiving_key)))
		return WG_DROP_RX_BAD_TAG;
	__skb_pull(skb, sizeof(struct wg_message_data));
	__skb_trim(skb, skb->len - WG_TAG_SIZE);
	return WG_DROP_NONE;
}

static bool may_open(const struct wg_keypair *keypair)
{
	return READ_ONCE(keypair->receiving_valid) &&
	       !READ_ONCE(keypair->index.peer->dead) &&
	       !wg_keypair_expired(keypair, WG_REJECT_AFTER_TIME);
}

/**
 * wg_rx_open() - decrypt a batch
 * @batch: batch; loses what is not authentic
 *
 * Context: BH off, RCU section.
 */
void wg_rx_open(struct wg_rx_batch *batch)
{
	bool may = may_open(batch->keypair);
	struct sk_buff *skb, *next;
	enum wg_drop cause;

	skb_queue_walk_safe(&batch->packets, skb, next) {
		cause = likely(may) ? open_one(batch->keypair, skb) :
				      WG_DROP_RX_NO_KEY;
		if (unlikely(cause))
			drop_of_batch(batch, skb, cause);
	}
	/* Without packets nobody may hold the keypair any more. */
	if (likely(!skb_queue_empty(&batch->packets)))
		wg_stats_count_crypted(batch->keypair->index.peer->device,
				       WG_RX, skb_queue_len(&batch->packets));
}

static void weed_replays(struct wg_rx_batch *batch)
{
	struct wg_keypair *keypair = batch->keypair;
	struct sk_buff *skb, *next;

	skb_queue_walk_safe(&batch->packets, skb, next) {
		if (likely(wg_replay_accept(&keypair->replay,
					    wg_packet(skb)->counter)))
			continue;
		drop_of_batch(batch, skb, WG_DROP_RX_REPLAY);
	}
}

/* The initiator has the new keys: from here on we may send with them too. */
static void confirm_session(struct wg_peer *peer, struct wg_keypair *keypair)
{
	if (likely(!wg_keypair_promote(peer, keypair)))
		return;
	wg_timers_handshake_complete(peer);
	wg_stage_flush(peer);
}

static void renew_last_minute(struct wg_peer *peer)
{
	const struct wg_keypair *keypair;

	if (READ_ONCE(peer->timers.sent_lastminute))
		return;
	keypair = rcu_dereference_bh(peer->keypairs.current_keypair);
	if (likely(!keypair || !keypair->initiator ||
		   !READ_ONCE(keypair->sending_valid) ||
		   !wg_keypair_expired(keypair, LAST_MINUTE)))
		return;
	WRITE_ONCE(peer->timers.sent_lastminute, true);
	wg_handshake_initiate(peer, false);
}

static bool any_data(const struct wg_rx_batch *batch)
{
	struct sk_buff *skb;

	skb_queue_walk(&batch->packets, skb) {
		if (skb->len)
			return true;
	}
	return false;
}

/**
 * wg_rx_accept() - what authentic packets mean for their peer
 * @batch: batch after wg_rx_open(); loses replays
 *
 * Each thing is done once for the batch: the endpoint is where the last came
 * from, one note for each timer.
 *
 * Context: BH off, RCU-bh section.
 */
void wg_rx_accept(struct wg_rx_batch *batch)
{
	struct wg_peer *peer = batch->keypair->index.peer;
	struct sk_buff *last;

	weed_replays(batch);
	last = skb_peek_tail(&batch->packets);
	if (unlikely(!last))
		return;
	wg_endpoint_learn(peer, last);
	confirm_session(peer, batch->keypair);
	renew_last_minute(peer);
	wg_timers_authenticated_received(peer);
	if (any_data(batch))
		wg_timers_data_received(peer);
}

/* Length of the inner packet by its own header, 0 for nonsense. */
static unsigned int inner_len(struct sk_buff *skb)
{
	switch (ip_tunnel_parse_protocol(skb)) {
	case htons(ETH_P_IP):
		return ntohs(ip_hdr(skb)->tot_len) >= sizeof(struct iphdr) ?
			ntohs(ip_hdr(skb)->tot_len) : 0;
	case htons(ETH_P_IPV6):
		return ntohs(ipv6_hdr(skb)->payload_len) +
			sizeof(struct ipv6hdr);
	}
	return 0;
}

/*
 * RFC 6040: what a router marked on the outer packet, the inner one says. The RFC has
 * those dropped that cannot say it. Stock delivers them, and so do we: there are paths
 * that write anything into these bits, and a tunnel works across them all the same.
 */
static void decapsulate_ecn(struct sk_buff *skb, u8 ds)
{
	if (skb->protocol == htons(ETH_P_IP))
		INET_ECN_decapsulate(skb, ds, ip_hdr(skb)->tos);
	else
		INET_ECN_decapsulate(skb, ds, ipv6_get_dsfield(ipv6_hdr(skb)));
}

/* The two kinds of nonsense are counted apart: no IP packet, or one that lies. */
static bool is_honest(struct sk_buff *skb, unsigned int *len)
{
	struct net_device *dev = skb->dev;

	skb_reset_network_header(skb);
	*len = inner_len(skb);
	if (likely(*len && *len <= skb->len))
		return true;
	DEV_STATS_INC(dev, rx_errors);
	if (ip_tunnel_parse_protocol(skb))
		DEV_STATS_INC(dev, rx_length_errors);
	else
		DEV_STATS_INC(dev, rx_frame_errors);
	return false;
}

/* Makes a plaintext an inner packet, if it is one and from this peer. */
static enum wg_drop become_inner(struct wg_peer *peer, struct sk_buff *skb)
{
	struct net_device *dev = peer->device->dev;
	u8 ds = wg_packet(skb)->ds;
	unsigned int len;

	skb->dev = dev;
	if (unlikely(!is_honest(skb, &len)))
		return WG_DROP_RX_BAD_LENGTH;
	__skb_trim(skb, len);
	wg_packet_become_inner(skb);
	decapsulate_ecn(skb, ds);
	if (unlikely(wg_allowedips_lookup_src(&peer->device->allowedips,
					      skb) != peer)) {
		DEV_STATS_INC(dev, rx_errors);
		DEV_STATS_INC(dev, rx_frame_errors);
		return WG_DROP_RX_BAD_SOURCE;
	}
	return WG_DROP_NONE;
}

/* Takes the packet over; false where it was not one that counts. */
static bool deliver_one(struct wg_peer *peer, struct sk_buff *skb,
			struct napi_struct *napi)
{
	enum wg_drop cause;

	/* An empty packet keeps a session alive and says no more. */
	if (!skb->len) {
		wg_dbg_peer(peer, "Received keepalive");
		consume_skb(skb);
		return true;
	}
	cause = become_inner(peer, skb);
	if (unlikely(cause)) {
		wg_drop(peer->device, peer, skb, cause);
		return false;
	}
	napi_gro_receive(napi, skb);
	return true;
}

/* Bytes as on the wire: padding, header and tag included. */
static void count_received(struct wg_peer *peer, unsigned int packets,
			   unsigned int bytes)
{
	struct pcpu_sw_netstats *stats = this_cpu_ptr(peer->device->dev->tstats);

	atomic64_add(bytes, &peer->rx_bytes);
	u64_stats_update_begin(&stats->syncp);
	u64_stats_add(&stats->rx_packets, packets);
	u64_stats_add(&stats->rx_bytes, bytes);
	u64_stats_update_end(&stats->syncp);
}

/**
 * wg_rx_deliver() - hand the inner packets of a batch to the stack
 * @batch: batch after wg_rx_accept(); ended
 * @napi: whose poll this is
 *
 * Context: poll function of @napi.
 */
void wg_rx_deliver(struct wg_rx_batch *batch, struct napi_struct *napi)
{
	struct wg_peer *peer = batch->keypair->index.peer;
	unsigned int packets = 0, bytes = 0, refs = 0, len;
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(&batch->packets))) {
		refs++;
		len = skb->len + WG_DATA_OVERHEAD;
		if (likely(deliver_one(peer, skb, napi))) {
			packets++;
			bytes += len;
		}
	}
	/* Without packets nobody may hold the keypair any more. */
	if (likely(refs)) {
		count_received(peer, packets, bytes);
		wg_stats_count_batch(peer->device, WG_RX, packets);
		wg_keypair_put(batch->keypair, refs);
	}
}
