// SPDX-License-Identifier: GPL-2.0
/*
 * How a batch is sealed: each packet where it is or into a new one, or all segments
 * of one into the pages of few large ones, which the layers below take as one.
 */
#include "tx.h"

#include "aead.h"
#include "device.h"
#include "drop.h"
#include "keypair.h"
#include "messages.h"
#include "packet.h"
#include "peer.h"
#include "stats.h"

#include <linux/local_lock.h>
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/udp.h>
#include <net/ip_tunnels.h>
#include <net/sock.h>

/* What fits into one outer UDP GSO packet, which has a 16-bit length. */
#define SUPER_MAX	(IP_MAX_MTU - WG_OUTER_HEADERS_V6)
/*
 * How many messages: what UDP GSO takes on all kernels. A virtual machine's host may
 * have an older one, and drops what has more.
 */
#define SUPER_SEGMENTS	64

/**
 * struct super_frag - where one CPU writes the sealed segments of super-packets to
 * @lock: with BH off a CPU is one sender's alone, except where the kernel is
 *	preemptible in real time: there this is a lock, and costs nothing elsewhere
 * @frag: what is free of the page. Who has got a piece of it, and a reference to
 *	the page, writes to it without the lock
 */
struct super_frag {
	local_lock_t lock; /* @frag */
	struct page_frag frag;
};

static DEFINE_PER_CPU(struct super_frag, super_frags) = {
	.lock = INIT_LOCAL_LOCK(lock),
};

/* Zeros up to a multiple of 16, but never beyond the MTU. */
static unsigned int padding(unsigned int len, u32 mtu)
{
	unsigned int padded;

	if (mtu && unlikely(len > mtu))
		len %= mtu;
	padded = ALIGN(len, WG_PADDING);
	if (mtu && padded > mtu)
		padded = mtu;
	return padded - len;
}

static void write_header(const struct wg_tx_batch *batch, void *to, u64 counter)
{
	struct wg_message_data *message = to;

	message->type = cpu_to_le32(WG_MESSAGE_DATA);
	message->receiver_index = batch->keypair->remote_index;
	message->counter = cpu_to_le64(counter);
}

/* May a packet be sealed where it is? Its bytes must be nobody else's. */
static bool sealable_in_place(const struct sk_buff *skb, unsigned int tail)
{
	return !skb_is_nonlinear(skb) && !skb_cloned(skb) &&
	       skb_headroom(skb) >= sizeof(struct wg_message_data) +
				    WG_OUTER_HEADERS_V6 &&
	       skb_tailroom(skb) >= tail;
}

static struct sk_buff *seal_in_place(struct wg_tx_batch *batch,
				     struct sk_buff *skb, unsigned int pad,
				     u64 counter)
{
	unsigned int len = skb->len + pad;
	u8 *data = skb->data;

	memset(__skb_put(skb, pad + WG_TAG_SIZE), 0, pad);
	wg_aead_encrypt(data, data, len, counter, batch->keypair->sending_key);
	write_header(batch, __skb_push(skb, sizeof(struct wg_message_data)),
		     counter);
	wg_packet_become_outer(skb);
	return skb;
}

static void drop_sealing(struct wg_tx_batch *batch, struct sk_buff *skb,
			 enum wg_drop cause)
{
	batch->count--;
	DEV_STATS_INC(batch->peer->device->dev, tx_errors);
	wg_drop(batch->peer->device, batch->peer, skb, cause);
}

/* The inner packet is consumed, and the new one has its owner. */
static struct sk_buff *seal_to_new(struct wg_tx_batch *batch,
				   struct sk_buff *skb, unsigned int pad,
				   u64 counter)
{
	unsigned int len = skb->len + pad;
	struct sk_buff *out = wg_packet_new_outer(WG_DATA_OVERHEAD + len);

	if (unlikely(!out)) {
		drop_sealing(batch, skb, WG_DROP_TX_NO_MEMORY);
		return NULL;
	}
	write_header(batch, __skb_put(out, sizeof(struct wg_message_data)),
		     counter);
	wg_aead_encrypt_skb(__skb_put(out, len + WG_TAG_SIZE), skb, 0,
			    skb->len, len, counter,
			    batch->keypair->sending_key);
	wg_packet_inherit(out, skb);
	consume_skb(skb);
	return out;
}

/* Consumes @skb; returns the message, or NULL where it was dropped. */
static struct sk_buff *seal_one(struct wg_tx_batch *batch, struct sk_buff *skb,
				u64 counter)
{
	unsigned int pad = padding(skb->len, batch->mtu);

	skb_mark_not_on_list(skb);
	if (skb->ip_summed == CHECKSUM_PARTIAL &&
	    unlikely(skb_checksum_help(skb))) {
		drop_sealing(batch, skb, WG_DROP_TX_MALFORMED);
		return NULL;
	}
	if (sealable_in_place(skb, pad + WG_TAG_SIZE))
		return seal_in_place(batch, skb, pad, counter);
	return seal_to_new(batch, skb, pad, counter);
}

static unsigned int sealed_len(const struct wg_tx_batch *batch,
			       const struct sk_buff *skb)
{
	return WG_DATA_OVERHEAD + skb->len + padding(skb->len, batch->mtu);
}

/* Makes a piece of a page the last of a packet; takes a reference if need be. */
static bool append_piece(struct sk_buff *out, const struct page_frag *frag,
			 unsigned int len)
{
	int i = skb_shinfo(out)->nr_frags;

	if (skb_can_coalesce(out, i, frag->page, frag->offset)) {
		skb_frag_size_add(&skb_shinfo(out)->frags[i - 1], len);
	} else {
		if (unlikely(i >= MAX_SKB_FRAGS))
			return false;
		get_page(frag->page);
		skb_fill_page_desc(out, i, frag->page, frag->offset, len);
	}
	out->len += len;
	out->data_len += len;
	return true;
}

/*
 * Room behind what is in a super-packet, or NULL. A refill promises no more than
 * a page, whatever is asked for.
 */
static void *take_room(struct sk_buff *out, unsigned int len)
{
	struct page_frag *frag;
	void *room = NULL;

	if (unlikely(len > PAGE_SIZE))
		return NULL;
	local_lock_nested_bh(&super_frags.lock);
	frag = this_cpu_ptr(&super_frags.frag);
	if (likely(skb_page_frag_refill(len, frag, GFP_ATOMIC) &&
		   append_piece(out, frag, len))) {
		room = page_address(frag->page) + frag->offset;
		frag->offset += len;
	}
	local_unlock_nested_bh(&super_frags.lock);
	return room;
}

/* Adds one sealed segment to the pages of a super-packet. */
static bool seal_into(struct wg_tx_batch *batch, struct sk_buff *out,
		      const struct sk_buff *skb, u64 counter)
{
	unsigned int len = sealed_len(batch, skb);
	void *to = take_room(out, len);

	if (unlikely(!to))
		return false;
	write_header(batch, to, counter);
	wg_aead_encrypt_skb(to + sizeof(struct wg_message_data), skb, 0,
			    skb->len, len - WG_DATA_OVERHEAD, counter,
			    batch->keypair->sending_key);
	return true;
}

/* Makes messages in the pages of @out one packet to the UDP layer's GSO. */
static void finish_super(struct sk_buff *out, unsigned int size,
			 unsigned int segments)
{
	if (!out->destructor)
		out->truesize += out->data_len;
	if (segments < 2)
		return;
	skb_shinfo(out)->gso_type = SKB_GSO_UDP_L4;
	skb_shinfo(out)->gso_size = size;
	skb_shinfo(out)->gso_segs = segments;
	/* The UDP header goes right in front of what is there now. */
	out->ip_summed = CHECKSUM_PARTIAL;
	out->csum_start = skb_headroom(out) - sizeof(struct udphdr);
	out->csum_offset = offsetof(struct udphdr, check);
}

/*
 * Seals as many segments from the front of the batch as make one outer packet:
 * all of one size, the last may be shorter. Moves them from @next.
 */
static struct sk_buff *seal_super(struct wg_tx_batch *batch,
				  struct sk_buff **next, u64 *counter)
{
	unsigned int size = sealed_len(batch, *next), segments = 0, len;
	struct sk_buff *out = wg_packet_new_outer(0), *skb;

	if (unlikely(!out))
		return NULL;
	while ((skb = *next)) {
		len = sealed_len(batch, skb);
		if (len > size || segments == SUPER_SEGMENTS ||
		    out->len + len > SUPER_MAX ||
		    !seal_into(batch, out, skb, *counter))
			break;
		*next = skb->next;
		wg_packet_inherit(out, skb);
		consume_skb(skb);
		++*counter;
		segments++;
		if (len < size)
			break;
	}
	if (unlikely(!segments)) {
		kfree_skb(out);
		return NULL;
	}
	finish_super(out, size, segments);
	return out;
}

/* What is left of a batch for which there is no memory. */
static void drop_rest(struct wg_tx_batch *batch, struct sk_buff *rest,
		      u64 counter)
{
	unsigned int lost = batch->counter + batch->count - counter;
	struct wg_device *wg = batch->peer->device;

	batch->count -= lost;
	DEV_STATS_ADD(wg->dev, tx_errors, lost);
	wg_drop_count(wg, batch->peer, WG_DROP_TX_NO_MEMORY, lost);
	kfree_skb_list_reason(rest,
			      wg_drop_causes[WG_DROP_TX_NO_MEMORY].reason);
}

/* Without memory what is left is dropped: its nonces are gone, which is fine. */
static void seal_supers(struct wg_tx_batch *batch)
{
	struct sk_buff *next = batch->packets, **tail = &batch->packets;
	u64 counter = batch->counter;

	batch->packets = NULL;
	while (next) {
		*tail = seal_super(batch, &next, &counter);
		if (unlikely(!*tail)) {
			drop_rest(batch, next, counter);
			break;
		}
		tail = &(*tail)->next;
	}
}

static void seal_singles(struct wg_tx_batch *batch)
{
	struct sk_buff *skb = batch->packets, *next, **tail = &batch->packets;
	u64 counter = batch->counter;

	batch->packets = NULL;
	for (; skb; skb = next) {
		next = skb->next;
		*tail = seal_one(batch, skb, counter++);
		if (likely(*tail))
			tail = &(*tail)->next;
	}
}

/*
 * Aggregates spare the layers below work: for what is forwarded, and for owners that
 * count by sock_wfree(). What cuts one in software gives its bytes back to any other
 * owner at once, and what does not gives back all of them at the same time. TCP
 * would take for sent what fills the device's queue, and go on until that overflows
 * (TCP small queues); and it would send from the softirq that gives them back, on the
 * CPU that has the most to do, rather than from its own.
 */
static bool worth_supers(const struct wg_tx_batch *batch)
{
	const struct sk_buff *first = batch->packets;

	if (!batch->uncut || sealed_len(batch, first) > PAGE_SIZE)
		return false;
	return !first->destructor || first->destructor == sock_wfree;
}

/**
 * wg_tx_seal() - encrypt a batch
 * @batch: batch from wg_tx_take(); its packets are messages afterwards, fewer
 *	where memory ran out
 *
 * Bytes that may be somebody else's too (clones, page cache, zero copy) are only
 * read.
 *
 * Context: BH off.
 */
void wg_tx_seal(struct wg_tx_batch *batch)
{
	if (unlikely(!batch->packets))
		return;
	if (worth_supers(batch))
		seal_supers(batch);
	else
		seal_singles(batch);
	consume_skb(batch->uncut);
	batch->uncut = NULL;
	wg_stats_count_crypted(batch->peer->device, WG_TX, batch->count);
}

/**
 * wg_tx_seal_module_exit() - give back what sealing kept per CPU
 *
 * Context: process; no device is left.
 */
void wg_tx_seal_module_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct page *page = per_cpu(super_frags, cpu).frag.page;

		if (page)
			put_page(page);
	}
}
