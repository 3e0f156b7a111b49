/* SPDX-License-Identifier: GPL-2.0 */
/* What the module keeps in an skb's control block, and how one is cleaned. */
#ifndef _WG_PACKET_H
#define _WG_PACKET_H

#include <linux/build_bug.h>
#include <linux/skbuff.h>
#include <linux/types.h>

struct wg_keypair;

/**
 * struct wg_packet - &sk_buff.cb while a packet is ours
 * @keypair: what it was, or is to be, decrypted with; holds a reference
 * @counter: its nonce
 * @mtu: of the route of an inner packet, bounds its padding; 0 for none
 * @ds: DS field of the outer header
 *
 * Its contents mean nothing before the packet is ours, nor after. @keypair and
 * @counter are of packets received, @mtu of packets to be sent, @ds of both.
 */
struct wg_packet {
	struct wg_keypair *keypair;
	u64 counter;
	u32 mtu;
	u8 ds;
};

/**
 * wg_packet() - our part of an skb
 * @skb: a packet that is ours
 *
 * Return: the part, in its control block.
 */
static inline struct wg_packet *wg_packet(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct wg_packet) > sizeof(skb->cb));
	return (struct wg_packet *)skb->cb;
}

/**
 * wg_packet_segments() - how many packets an skb is on a wire
 * @skb: packet
 *
 * Return: its segments if it is a GSO packet, else 1.
 */
static inline unsigned int wg_packet_segments(const struct sk_buff *skb)
{
	return max_t(unsigned int, skb_shinfo(skb)->gso_segs, 1);
}

struct sk_buff *wg_packet_new_outer(unsigned int len);
void wg_packet_become_outer(struct sk_buff *skb);
void wg_packet_become_inner(struct sk_buff *skb);
void wg_packet_inherit(struct sk_buff *outer, struct sk_buff *inner);

#endif /* _WG_PACKET_H */
