// SPDX-License-Identifier: GPL-2.0
/* From inner to outer packet and back: what an skb keeps, and what it loses. */
#include "packet.h"

#include "messages.h"

#include <linux/netdevice.h>
#include <net/dst.h>
#include <net/ip_tunnels.h>
#include <net/sock.h>

/* What any outer network may need in front of a message. */
#define OUTER_ROOM	(LL_MAX_HEADER + WG_OUTER_HEADERS_V6)

/*
 * Everything that the stack noted about the packet in its other form. But not
 * nohdr: members of a GRO chain have it set, and it says which of the references to
 * the data this skb holds. Cleared, they would never all be dropped.
 */
static void forget(struct sk_buff *skb)
{
	/* Not of the packet but of its memory, which goes back there. */
	u16 alloc_cpu = skb->alloc_cpu;

	skb_scrub_packet(skb, true);
	skb_metadata_clear(skb);
	memset(&skb->headers, 0, sizeof(skb->headers));
	skb->alloc_cpu = alloc_cpu;
	skb_reset_redirect(skb);
	skb->queue_mapping = 0;
	skb->peeked = 0;
}

/* The device's byte counters count from the inner network header. */
static void begin_outer_here(struct sk_buff *skb)
{
	skb_reset_network_header(skb);
	skb_set_inner_network_header(skb, 0);
}

/**
 * wg_packet_new_outer() - a new, empty packet for the outer network
 * @len: bytes of message that there is to be room for, behind room for headers
 *
 * Context: any.
 * Return: the packet, or NULL without memory.
 */
struct sk_buff *wg_packet_new_outer(unsigned int len)
{
	struct sk_buff *skb = alloc_skb(OUTER_ROOM + len, GFP_ATOMIC);

	if (unlikely(!skb))
		return NULL;
	skb_reserve(skb, OUTER_ROOM);
	begin_outer_here(skb);
	return skb;
}

/**
 * wg_packet_become_outer() - make a sealed packet one of the outer network
 * @skb: what was an inner packet, its data already the message
 *
 * The socket, its accounting and the departure time stay, so that TSQ, pacing
 * and fair queueing go on working; so do the hash of the inner flow, for
 * queueing disciplines below, which otherwise see one flow per tunnel, and the
 * sender's priority.
 *
 * Context: BH off.
 */
void wg_packet_become_outer(struct sk_buff *skb)
{
	u8 clock = skb->tstamp_type;
	u8 l4_hash = skb->l4_hash;
	u8 sw_hash = skb->sw_hash;
	u32 hash = skb->hash;
	u32 priority = skb->priority;

	forget(skb);
	skb->tstamp_type = clock;
	skb->l4_hash = l4_hash;
	skb->sw_hash = sw_hash;
	skb->hash = hash;
	skb->priority = priority;
	begin_outer_here(skb);
}

/**
 * wg_packet_become_inner() - make an opened packet one of the inner network
 * @skb: what was an outer packet, its data already the inner IP header
 *
 * Context: softirq.
 */
void wg_packet_become_inner(struct sk_buff *skb)
{
	skb_orphan(skb); /* early demux may have left the tunnel's socket */
	skb->tstamp_type = 0; /* a time of departure is none of arrival */
	forget(skb);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_reset_transport_header(skb);
	skb_reset_mac_len(skb);
	/* Poly1305 covers more than any checksum in there. */
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->csum_level = ~0;
	skb->protocol = ip_tunnel_parse_protocol(skb);
}

static void inherit_owner(struct sk_buff *outer, struct sk_buff *inner)
{
	if (!outer->destructor) {
		swap(outer->sk, inner->sk);
		swap(outer->destructor, inner->destructor);
		swap(outer->truesize, inner->truesize);
		/* Packet sockets' destructor on 6.1 writes to where this points. */
		skb_shinfo(outer)->destructor_arg =
			skb_shinfo(inner)->destructor_arg;
	} else if (outer->sk == inner->sk &&
		   outer->destructor == inner->destructor) {
		outer->truesize += inner->truesize;
		inner->sk = NULL;
		inner->destructor = NULL;
	}
}

/* Who asked when his packet leaves is to be told; of several, for the last. */
static void inherit_timestamping(struct sk_buff *outer,
				 const struct sk_buff *inner)
{
	const struct skb_shared_info *asked = skb_shinfo(inner);

	if (likely(!(asked->tx_flags & SKBTX_ANY_TSTAMP)))
		return;
	skb_shinfo(outer)->tx_flags |= asked->tx_flags & SKBTX_ANY_TSTAMP;
	skb_shinfo(outer)->tskey = asked->tskey;
}

/**
 * wg_packet_inherit() - let a new packet take an inner packet's place
 * @outer: the new packet; may have taken other packets' places already
 * @inner: the packet that it carries; to be freed next
 *
 * The priority is for queueing disciplines below, as what stays in
 * wg_packet_become_outer(). Owner and destructor move, and with them the size that the
 * owner was charged: so its accounting stays exact, whatever memory the new packet
 * really takes.
 *
 * Context: BH off.
 */
void wg_packet_inherit(struct sk_buff *outer, struct sk_buff *inner)
{
	outer->priority = inner->priority;
	/* A departure time; any other is of when the packet came to this host. */
	if (inner->tstamp_type) {
		outer->tstamp = inner->tstamp;
		outer->tstamp_type = inner->tstamp_type;
	}
	outer->hash = inner->hash;
	outer->l4_hash = inner->l4_hash;
	outer->sw_hash = inner->sw_hash;
	inherit_timestamping(outer, inner);
	if (inner->destructor)
		inherit_owner(outer, inner);
}
