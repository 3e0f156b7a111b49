// SPDX-License-Identifier: GPL-2.0
/* Where a peer is on the outer network, and the source to talk to it from. */
#include "endpoint.h"

#include "peer.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/mutex.h>
#include <linux/udp.h>
#include <net/ipv6.h>

/* Serialises the first allocation of any peer's route cache. */
static DEFINE_MUTEX(routes_lock);

static void from_ipv4(struct wg_endpoint *endpoint, const struct sk_buff *skb)
{
	endpoint->addr4.sin_family = AF_INET;
	endpoint->addr4.sin_port = udp_hdr(skb)->source;
	endpoint->addr4.sin_addr.s_addr = ip_hdr(skb)->saddr;
	endpoint->src4.s_addr = ip_hdr(skb)->daddr;
	endpoint->src_if4 = skb->skb_iif;
}

static void from_ipv6(struct wg_endpoint *endpoint, const struct sk_buff *skb)
{
	endpoint->addr6.sin6_family = AF_INET6;
	endpoint->addr6.sin6_port = udp_hdr(skb)->source;
	endpoint->addr6.sin6_addr = ipv6_hdr(skb)->saddr;
	endpoint->addr6.sin6_scope_id =
		ipv6_iface_scope_id(&ipv6_hdr(skb)->saddr, skb->skb_iif);
	endpoint->src6 = ipv6_hdr(skb)->daddr;
}

/**
 * wg_endpoint_from_skb() - who sent this outer packet
 * @endpoint: filled in
 * @skb: outer packet with network and transport headers set
 *
 * Context: any.
 * Return: 0, or -EINVAL for what is neither IPv4 nor IPv6.
 */
int wg_endpoint_from_skb(struct wg_endpoint *endpoint,
			 const struct sk_buff *skb)
{
	memset(endpoint, 0, sizeof(*endpoint));
	if (skb->protocol == htons(ETH_P_IP))
		from_ipv4(endpoint, skb);
	else if (skb->protocol == htons(ETH_P_IPV6))
		from_ipv6(endpoint, skb);
	else
		return -EINVAL;
	return 0;
}

static bool same_v4(const struct wg_endpoint *a, const struct wg_endpoint *b)
{
	return a->addr4.sin_port == b->addr4.sin_port &&
	       a->addr4.sin_addr.s_addr == b->addr4.sin_addr.s_addr &&
	       a->src4.s_addr == b->src4.s_addr && a->src_if4 == b->src_if4;
}

static bool same_v6(const struct wg_endpoint *a, const struct wg_endpoint *b)
{
	return a->addr6.sin6_port == b->addr6.sin6_port &&
	       ipv6_addr_equal(&a->addr6.sin6_addr, &b->addr6.sin6_addr) &&
	       a->addr6.sin6_scope_id == b->addr6.sin6_scope_id &&
	       ipv6_addr_equal(&a->src6, &b->src6);
}

static bool same_endpoint(const struct wg_endpoint *a,
			  const struct wg_endpoint *b)
{
	if (a->addr.sa_family != b->addr.sa_family)
		return false;
	if (a->addr.sa_family == AF_INET)
		return same_v4(a, b);
	return a->addr.sa_family != AF_INET6 || same_v6(a, b);
}

/**
 * wg_endpoint_slot_init() - a peer's endpoint, not known yet
 * @slot: slot
 *
 * Context: any.
 */
void wg_endpoint_slot_init(struct wg_endpoint_slot *slot)
{
	memset(&slot->value, 0, sizeof(slot->value));
	memset(&slot->routes, 0, sizeof(slot->routes));
	seqlock_init(&slot->lock);
}

/**
 * wg_endpoint_slot_destroy() - drop the routes
 * @slot: slot that nobody uses any more
 *
 * Context: softirq, as an RCU callback.
 */
void wg_endpoint_slot_destroy(struct wg_endpoint_slot *slot)
{
	dst_cache_destroy(&slot->routes);
}

/**
 * wg_endpoint_prepare() - have room to cache routes to a peer
 * @peer: peer that is about to talk
 *
 * A million idle peers times the CPUs would be most of what a device needs, so
 * the cache comes with the first handshake. Without it, when out of memory,
 * every batch looks its route up: slower, and tried again at the next handshake.
 *
 * Context: process; may sleep.
 */
void wg_endpoint_prepare(struct wg_peer *peer)
{
	struct dst_cache *routes = &peer->endpoint.routes;
	struct dst_cache fresh = {};

	/* Pairs with the release below. */
	if (smp_load_acquire(&routes->cache))
		return;
	mutex_lock(&routes_lock);
	if (!routes->cache && !dst_cache_init(&fresh, GFP_KERNEL)) {
		routes->reset_ts = fresh.reset_ts;
		/* Senders see zeroed per-CPU memory or none. */
		smp_store_release(&routes->cache, fresh.cache);
	}
	mutex_unlock(&routes_lock);
}

/**
 * wg_endpoint_read() - a consistent copy of a peer's endpoint
 * @peer: peer
 * @endpoint: filled in; family AF_UNSPEC where there is none
 *
 * Context: any.
 * Return: what wg_endpoint_recheck() wants to know.
 */
unsigned int wg_endpoint_read(struct wg_peer *peer,
			      struct wg_endpoint *endpoint)
{
	unsigned int seq;

	do {
		seq = read_seqbegin(&peer->endpoint.lock);
		*endpoint = peer->endpoint.value;
	} while (read_seqretry(&peer->endpoint.lock, seq));
	return seq;
}

/**
 * wg_endpoint_recheck() - a route was cached: is it still one to the endpoint?
 * @peer: peer
 * @seq: what wg_endpoint_read() returned for the endpoint that was routed to
 *
 * Who changes the endpoint resets the cache after it. If that was before the
 * route went in, this sees the change, and resets once more.
 *
 * Context: any.
 */
void wg_endpoint_recheck(struct wg_peer *peer, unsigned int seq)
{
	smp_mb(); /* the route is in before we look */
	if (unlikely(read_seqretry(&peer->endpoint.lock, seq)))
		dst_cache_reset(&peer->endpoint.routes);
}

/**
 * wg_endpoint_set() - configure where a peer is
 * @peer: peer
 * @endpoint: its address; the source is chosen by routing
 *
 * Does nothing for a family other than IPv4 and IPv6. Without IPv6 in the kernel an
 * endpoint of that family is kept all the same, for who reads it back.
 *
 * Context: any.
 */
void wg_endpoint_set(struct wg_peer *peer, const struct wg_endpoint *endpoint)
{
	sa_family_t family = endpoint->addr.sa_family;
	struct wg_endpoint current_endpoint;

	if (family != AF_INET && family != AF_INET6)
		return;
	wg_endpoint_read(peer, &current_endpoint);
	if (likely(same_endpoint(endpoint, &current_endpoint)))
		return;
	write_seqlock_bh(&peer->endpoint.lock);
	peer->endpoint.value = *endpoint;
	dst_cache_reset(&peer->endpoint.routes);
	write_sequnlock_bh(&peer->endpoint.lock);
}

/**
 * wg_endpoint_learn() - an authentic packet came: this is where the peer is
 * @peer: peer
 * @skb: the outer packet, headers still in place
 *
 * Context: any; the data path calls it once per batch.
 */
void wg_endpoint_learn(struct wg_peer *peer, const struct sk_buff *skb)
{
	struct wg_endpoint endpoint;

	if (likely(!wg_endpoint_from_skb(&endpoint, skb)))
		wg_endpoint_set(peer, &endpoint);
}

/**
 * wg_endpoint_clear_src() - let routing choose the source address again
 * @peer: peer
 *
 * Context: any.
 */
void wg_endpoint_clear_src(struct wg_peer *peer)
{
	write_seqlock_bh(&peer->endpoint.lock);
	memset(&peer->endpoint.value.src6, 0,
	       sizeof(peer->endpoint.value.src6));
	dst_cache_reset(&peer->endpoint.routes);
	write_sequnlock_bh(&peer->endpoint.lock);
}

/**
 * wg_endpoint_forget_routes() - let go of what the routes pin, now
 * @peer: peer that nobody routes to any more: its device has had no sockets, or it has
 *	been dead, for a grace period
 *
 * A route belongs to the namespace of the sockets, which may go away before the peer's
 * last reference does, and then there is nothing left to free it with.
 *
 * Context: process.
 */
void wg_endpoint_forget_routes(struct wg_peer *peer)
{
	dst_cache_reset_now(&peer->endpoint.routes);
}
