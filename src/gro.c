// SPDX-License-Identifier: GPL-2.0
/*
 * Outer packets that GRO has put together.
 *
 * The messages of a session that one poll of the NIC brings go through the outer
 * network's layers as one packet, and come apart only at the tunnel's socket.
 * Plain UDP GRO does not do that for a socket that decapsulates, so the socket
 * has callbacks of its own. What they make is what plain UDP GRO makes, and the
 * stack can cut it up again should a rule send it elsewhere.
 */
#include "gro.h"

#include "drop.h"
#include "messages.h"

#include <linux/inetdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/dsfield.h>
#include <net/gro.h>
#include <net/sock.h>

/* As many as plain UDP GRO takes. */
#define MESSAGES_MAX	64

/* The UDP header of a held packet, which is where that of the new one is. */
static const struct udphdr *gro_udp(const struct sk_buff *skb,
				    const struct sk_buff *held)
{
	return (void *)held->data + skb_gro_offset(skb) - sizeof(struct udphdr);
}

/*
 * The IP headers are right in front of the UDP headers: GRO knows IPv4 without
 * options only, and may_merge() IPv6 without. Where skb_network_header() is during
 * GRO differs between kernels, and behind a VLAN tag.
 */
static const struct iphdr *gro_ip4(const struct udphdr *udp)
{
	return (void *)udp - sizeof(struct iphdr);
}

static const struct ipv6hdr *gro_ip6(const struct udphdr *udp)
{
	return (void *)udp - sizeof(struct ipv6hdr);
}

/*
 * Packets that are one may differ in length and checksum only: their ECN marks
 * and hop limits must all be those of the first.
 */
static bool same_outer(const struct sock *sk, const struct udphdr *a,
		       const struct udphdr *b)
{
	const struct ipv6hdr *a6 = gro_ip6(a), *b6 = gro_ip6(b);
	const struct iphdr *a4 = gro_ip4(a), *b4 = gro_ip4(b);

	if (sk->sk_family == AF_INET)
		return a4->tos == b4->tos && a4->ttl == b4->ttl &&
		       a4->frag_off == b4->frag_off;
	return ipv6_get_dsfield(a6) == ipv6_get_dsfield(b6) &&
	       a6->hop_limit == b6->hop_limit;
}

static bool same_session(const struct sock *sk, const struct sk_buff *skb,
			 const struct sk_buff *held,
			 const struct wg_message_data *message)
{
	const struct wg_message_data *first =
		(void *)held->data + skb_gro_offset(skb);

	return message->receiver_index == first->receiver_index &&
	       same_outer(sk, gro_udp(skb, skb), gro_udp(skb, held));
}

/*
 * On a cable of veth packets come with their sender, who paid by size: the charge
 * moves to where the size does. The first must keep its owner, by which GRO tells one
 * flow from another: else the third packet is of no flow that is held, and overtakes.
 */
static void chain_owner(struct sk_buff *held, struct sk_buff *skb)
{
	if (held->sk == skb->sk && held->destructor == sock_wfree &&
	    skb->destructor == sock_wfree) {
		skb->sk = NULL;
		skb->destructor = NULL;
	} else {
		skb_orphan(held);
		skb_orphan(skb);
	}
}

/*
 * Puts a packet behind those held, its headers off but still in front of its data.
 * It stays in memory of its own, so that nothing is copied when it comes out again.
 */
static bool chain(struct sk_buff *held, struct sk_buff *skb, unsigned int len)
{
	if (held->len + len > IP_MAX_MTU || NAPI_GRO_CB(skb)->flush ||
	    skb_zcopy(held) || skb_zcopy(skb) || skb_is_gso(skb) ||
	    !pskb_may_pull(skb, skb_gro_offset(skb)))
		return false;
	__skb_pull(skb, skb_gro_offset(skb));
	chain_owner(held, skb);
	if (NAPI_GRO_CB(held)->last == held)
		skb_shinfo(held)->frag_list = skb;
	else
		NAPI_GRO_CB(held)->last->next = skb;
	NAPI_GRO_CB(held)->last = skb;
	NAPI_GRO_CB(held)->count++;
	NAPI_GRO_CB(skb)->same_flow = 1;
	held->len += len;
	held->data_len += len;
	held->truesize += skb->truesize;
	skb_shinfo(held)->flags |= skb_shinfo(skb)->flags & SKBFL_SHARED_FRAG;
	return true;
}

/*
 * A longer packet begins a new aggregate, a shorter one ends this, and one of
 * another kind does both, so that none gets ahead of another. Returns the held
 * packet if it is to go up the stack now.
 */
static struct sk_buff *merge(const struct sock *sk, struct sk_buff *held,
			     struct sk_buff *skb,
			     const struct wg_message_data *message)
{
	/* What GRO will have the aggregate cut by, whatever any header says. */
	unsigned int size = skb_shinfo(held)->gso_size;
	unsigned int len = skb_gro_len(skb);

	if (!same_session(sk, skb, held, message) || len > size ||
	    !chain(held, skb, len) || len < size ||
	    NAPI_GRO_CB(held)->count >= MESSAGES_MAX)
		return held;
	return NULL;
}

/*
 * Is the IPv6 header right in front? With an extension header between, what is there
 * may be anything, an address too; but hardly the length of this very datagram.
 */
static bool is_plain6(const struct udphdr *udp)
{
	const struct ipv6hdr *ip6 = gro_ip6(udp);

	return ip6->version == 6 && ip6->nexthdr == IPPROTO_UDP &&
	       ip6->payload_len == udp->len;
}

/*
 * A data message in a UDP datagram that is as long as it says and has a checksum,
 * as whoever cuts the aggregate up again makes them.
 */
static bool may_merge(const struct sock *sk, const struct sk_buff *skb,
		      const struct wg_message_data *message)
{
	const struct udphdr *udp = gro_udp(skb, skb);

	if (message->type != cpu_to_le32(WG_MESSAGE_DATA) ||
	    skb_gro_len(skb) < WG_DATA_MIN_SIZE || !udp->check ||
	    ntohs(udp->len) != skb_gro_len(skb) + sizeof(*udp))
		return false;
	return sk->sk_family == AF_INET || is_plain6(udp);
}

/**
 * wg_gro_receive() - GRO has a packet for a tunnel socket
 * @sk: tunnel socket
 * @held: packets that GRO holds; those of other addresses or ports are marked as
 *	of another flow
 * @skb: the new one, GRO's offset at the message
 *
 * Nothing here is authentic, so nothing is believed: what can be had by lying is
 * to be dropped together.
 *
 * Context: softirq, RCU section.
 * Return: a held packet to be handed on now, or NULL.
 */
struct sk_buff *wg_gro_receive(struct sock *sk, struct list_head *held,
			       struct sk_buff *skb)
{
	unsigned int offset = skb_gro_offset(skb);
	const struct wg_message_data *message;
	struct sk_buff *other;

	/* Not the fast way: all headers must be in the linear part, here and held. */
	message = skb_gro_header_slow(skb, offset + sizeof(*message), offset);
	if (!message || !may_merge(sk, skb, message)) {
		NAPI_GRO_CB(skb)->flush = 1;
		return NULL;
	}
	list_for_each_entry(other, held, list) {
		if (NAPI_GRO_CB(other)->same_flow)
			return merge(sk, other, skb, message);
	}
	return NULL;
}

/*
 * By its address; what is for this machine by a route of another kind may be called
 * another's, as it is only slower for that.
 */
static bool for_this_machine(const struct sock *sk, const struct udphdr *udp)
{
	struct net *net = sock_net(sk);

	if (sk->sk_family == AF_INET)
		return __ip_dev_find(net, gro_ip4(udp)->daddr, false);
	return ipv6_chk_addr(net, &gro_ip6(udp)->daddr, NULL, 0);
}

/**
 * wg_gro_complete() - GRO hands an aggregate on
 * @sk: tunnel socket
 * @skb: aggregate
 * @offset: from its data to the first message
 *
 * It is what plain UDP GRO makes, which goes on whole where it only passes through
 * this machine. One for an address of this machine is marked as a tunnel's too, since
 * the socket gets it in pieces else; yet not as an encapsulation, since whoever cuts
 * it up must cut by the outer UDP header.
 *
 * A rule may still send such a one elsewhere, to a device that sends tunnels'
 * super-packets, and would look for inner headers. As no driver does remote checksums,
 * the core cuts it up before. But if another tunnel, one without a device, wraps it
 * before that, nobody can cut the result: hence no mark unless the address is ours.
 *
 * Context: softirq, RCU section.
 * Return: 0.
 */
int wg_gro_complete(struct sock *sk, struct sk_buff *skb, int offset)
{
	void *udp = skb->data + offset - sizeof(struct udphdr);
	struct skb_shared_info *info = skb_shinfo(skb);

	skb->encapsulation = 0;
	info->gso_type = SKB_GSO_UDP_L4;
	if (likely(for_this_machine(sk, udp)))
		info->gso_type |= SKB_GSO_UDP_TUNNEL_CSUM |
				  SKB_GSO_TUNNEL_REMCSUM;
	info->gso_segs = NAPI_GRO_CB(skb)->count;
	skb->csum_start = udp - (void *)skb->head;
	skb->csum_offset = offsetof(struct udphdr, check);
	skb->ip_summed = CHECKSUM_PARTIAL;
	return 0;
}

/**
 * wg_gro_is_aggregate() - is it several messages in one?
 * @skb: packet at a tunnel socket
 *
 * Context: any.
 * Return: true if so; wg_gro_cut() takes it then.
 */
bool wg_gro_is_aggregate(const struct sk_buff *skb)
{
	return skb_is_gso(skb);
}

/* What tells where a message came from goes with each of them. */
static void copy_outer(struct sk_buff *message, const struct sk_buff *skb)
{
	unsigned int headers = skb->data - skb_network_header(skb);

	memcpy(message->data - headers, skb_network_header(skb), headers);
	skb_set_network_header(message, -(int)headers);
	skb_set_transport_header(message, -(int)sizeof(struct udphdr));
	message->dev = skb->dev;
	message->skb_iif = skb->skb_iif;
	message->protocol = skb->protocol;
}

static struct sk_buff *copy_message(const struct sk_buff *skb,
				    unsigned int offset, unsigned int len)
{
	unsigned int room = NET_SKB_PAD + ALIGN(skb->data -
						skb_network_header(skb), 16);
	struct sk_buff *message = alloc_skb(room + len, GFP_ATOMIC);

	if (unlikely(!message))
		return NULL;
	skb_reserve(message, room);
	if (unlikely(skb_copy_bits(skb, offset, __skb_put(message, len), len))) {
		kfree_skb(message);
		return NULL;
	}
	copy_outer(message, skb);
	return message;
}

/*
 * Is each message a packet of its own still, as wg_gro_receive() chained them up?
 * Who looks on has a clone and the chain too; and who made such a packet without
 * GRO need not have kept to this.
 */
static bool is_chain(const struct sk_buff *skb, unsigned int size)
{
	unsigned int headers = skb->data - skb_network_header(skb);
	unsigned int left = skb->len;
	const struct sk_buff *message;

	if (!skb_has_frag_list(skb) || skb_cloned(skb))
		return false;
	skb_walk_frags(skb, message) {
		if (message->len != size &&
		    (message->next || message->len > size))
			return false;
		if (skb_has_frag_list(message) || skb_shared(message) ||
		    skb_cloned(message) || skb_headroom(message) < headers ||
		    message->len > left)
			return false;
		left -= message->len;
	}
	return left == size;
}

static void unchain(struct sk_buff *skb, struct sk_buff_head *messages)
{
	struct sk_buff *message = skb_shinfo(skb)->frag_list, *next;

	skb_orphan(skb); /* gives back by size, while that is of all */
	skb_shinfo(skb)->frag_list = NULL;
	skb_gso_reset(skb);
	__skb_queue_tail(messages, skb);
	for (; message; message = next) {
		next = message->next;
		skb->len -= message->len;
		skb->data_len -= message->len;
		skb->truesize -= message->truesize;
		copy_outer(message, skb);
		__skb_queue_tail(messages, message);
	}
}

/* Without memory the rest is lost, as on a full queue. */
static void copy_out(struct wg_device *wg, struct sk_buff *skb,
		     unsigned int size, struct sk_buff_head *messages)
{
	struct sk_buff *message;
	unsigned int offset;

	for (offset = 0; offset < skb->len; offset += size) {
		message = copy_message(skb, offset,
				       min(size, skb->len - offset));
		if (unlikely(!message)) {
			wg_drop_count(wg, NULL, WG_DROP_RX_NO_MEMORY,
				      DIV_ROUND_UP(skb->len - offset, size));
			break;
		}
		__skb_queue_tail(messages, message);
	}
	consume_skb(skb);
}

/**
 * wg_gro_cut() - take an aggregate apart
 * @wg: device that it came for
 * @skb: aggregate, its data at the first message, outer headers in front;
 *	taken over
 * @messages: gets the messages, each with a copy of the outer headers
 *
 * Pieces too short for any message, or too many, or not of UDP are no aggregate that
 * GRO made: all of it is dropped, at the cost of one packet. A tunnel's super-packet
 * gets here whole as well, as a virtual machine may send one; with what it says about
 * its inside it must not go on as a plaintext.
 *
 * Context: softirq.
 */
void wg_gro_cut(struct wg_device *wg, struct sk_buff *skb,
		struct sk_buff_head *messages)
{
	unsigned int size = skb_shinfo(skb)->gso_size;

	if (unlikely(!(skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4) ||
		     size < WG_DATA_MIN_SIZE ||
		     DIV_ROUND_UP(skb->len, size) > MESSAGES_MAX))
		wg_drop_from(wg, skb, WG_DROP_RX_MALFORMED);
	else if (is_chain(skb, size))
		unchain(skb, messages);
	else
		copy_out(wg, skb, size, messages);
}
