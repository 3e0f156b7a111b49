/* SPDX-License-Identifier: GPL-2.0 */
/* Where a peer is on the outer network, and the source to talk to it from. */
#ifndef _WG_ENDPOINT_H
#define _WG_ENDPOINT_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/seqlock.h>
#include <linux/socket.h>
#include <net/dst_cache.h>

struct sk_buff;
struct wg_peer;

/**
 * struct wg_endpoint - an outer address and how we reach it
 * @addr: the family member all three share; AF_UNSPEC means there is none
 * @addr4: its address, if IPv4
 * @addr6: its address, if IPv6, with the scope
 * @src4: our address that it talks to, zero where not known
 * @src_if4: the interface that its packets came in by, 0 where not known
 * @src6: our address likewise, IPv6
 */
struct wg_endpoint {
	union {
		struct sockaddr addr;
		struct sockaddr_in addr4;
		struct sockaddr_in6 addr6;
	};
	union {
		struct {
			struct in_addr src4;
			int src_if4;
		};
		struct in6_addr src6;
	};
};

/**
 * struct wg_endpoint_slot - a peer's endpoint, read on every CPU
 * @value: the endpoint
 * @lock: seqlock; writers have BH off
 * @routes: cached routes to @value, per CPU; allocated with the first handshake,
 *	as an idle peer needs none
 */
struct wg_endpoint_slot {
	struct wg_endpoint value;
	seqlock_t lock;
	struct dst_cache routes;
};

int wg_endpoint_from_skb(struct wg_endpoint *endpoint,
			 const struct sk_buff *skb);
void wg_endpoint_slot_init(struct wg_endpoint_slot *slot);
void wg_endpoint_slot_destroy(struct wg_endpoint_slot *slot);
void wg_endpoint_prepare(struct wg_peer *peer);
unsigned int wg_endpoint_read(struct wg_peer *peer,
			      struct wg_endpoint *endpoint);
void wg_endpoint_recheck(struct wg_peer *peer, unsigned int seq);
void wg_endpoint_set(struct wg_peer *peer, const struct wg_endpoint *endpoint);
void wg_endpoint_learn(struct wg_peer *peer, const struct sk_buff *skb);
void wg_endpoint_clear_src(struct wg_peer *peer);
void wg_endpoint_forget_routes(struct wg_peer *peer);

#endif /* _WG_ENDPOINT_H */
