/* SPDX-License-Identifier: GPL-2.0 */
/* Devices, peers and packets for self-tests, with no more than these need. */
#ifndef _WG_SELFTEST_FIXTURE_H
#define _WG_SELFTEST_FIXTURE_H

#include <linux/etherdevice.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/udp.h>

#include "../device.h"
#include "../peer.h"
#include "expect.h"

#define FIXTURE_PORT	51820

/**
 * fixture_device() - a device with a key, which nobody else can see
 * @private_key: its key
 *
 * Return: the device, to be given to fixture_device_free(), or NULL.
 */
static inline struct wg_device *fixture_device(const u8 *private_key)
{
	struct net_device *dev;
	struct wg_device *wg;

	dev = alloc_netdev(sizeof(*wg), "selftest", NET_NAME_UNKNOWN,
			   ether_setup);
	if (!dev)
		return NULL;
	wg = netdev_priv(dev);
	wg->dev = dev;
	set_bit(__LINK_STATE_START, &dev->state); /* up, for all that sessions know */
	if (wg_peer_table_init(&wg->peers))
		goto err_peers;
	if (wg_index_table_init(&wg->indices))
		goto err_indices;
	mutex_init(&wg->update_lock);
	wg_identity_init(&wg->identity);
	wg_cookie_checker_init(&wg->cookie_checker);
	down_write(&wg->identity.lock);
	if (wg_identity_set(&wg->identity, private_key))
		wg_cookie_checker_set_keys(&wg->cookie_checker,
					   wg->identity.public_key);
	up_write(&wg->identity.lock);
	return wg;

err_indices:
	wg_peer_table_destroy(&wg->peers);
err_peers:
	free_netdev(dev);
	return NULL;
}

/**
 * fixture_device_free() - undo fixture_device()
 * @wg: the device, or NULL
 *
 * Return: whether nothing was left in it.
 */
static inline bool fixture_device_free(struct wg_device *wg)
{
	bool ok;

	if (!wg)
		return true;
	ok = expect(!atomic_read(&wg->indices.ht.nelems),
		    "all receiver indices were freed");
	wg_index_table_destroy(&wg->indices);
	wg_peer_table_destroy(&wg->peers);
	free_netdev(wg->dev);
	return ok;
}

/**
 * fixture_peer() - a peer that exists as long as the test wants
 * @wg: its device
 * @public_key: its key
 * @preshared_key: its preshared key, or NULL
 *
 * Return: the peer, to be given to fixture_peer_free(), or NULL.
 */
static inline struct wg_peer *fixture_peer(struct wg_device *wg,
					   const u8 *public_key,
					   const u8 *preshared_key)
{
	struct wg_peer *peer;
	int err;

	if (!wg)
		return NULL;
	peer = kzalloc_obj(*peer, GFP_KERNEL);
	if (!peer)
		return NULL;
	peer->device = wg;
	kref_init(&peer->refs);
	spin_lock_init(&peer->keypairs.lock);
	wg_noise_handshake_init(peer, public_key, preshared_key);
	wg_cookie_init(&peer->cookie);
	mutex_lock(&wg->update_lock);
	err = wg_peer_table_add(&wg->peers, peer);
	mutex_unlock(&wg->update_lock);
	if (!err)
		return peer;
	kfree(peer);
	return NULL;
}

/**
 * fixture_peer_free() - undo fixture_peer()
 * @peer: the peer, or NULL
 *
 * Return: whether all other references to it had been given back.
 */
static inline bool fixture_peer_free(struct wg_peer *peer)
{
	bool ok;

	if (!peer)
		return true;
	wg_noise_handshake_clear(peer);
	wg_keypairs_clear(peer);
	mutex_lock(&peer->device->update_lock);
	wg_peer_table_remove(&peer->device->peers, peer);
	mutex_unlock(&peer->device->update_lock);
	ok = expect(kref_read(&peer->refs) == 1, "all references were put");
	synchronize_rcu();
	kfree_sensitive(peer);
	return ok;
}

/**
 * fixture_packet() - a UDP packet with room for its headers in front of @data
 * @source: where it is from, in network order
 * @source_len: 4 for IPv4, 16 for IPv6
 * @payload: what is in it
 * @len: length of @payload
 *
 * Return: the packet with its data at the copy of @payload, to be freed with
 *	kfree_skb(), or NULL.
 */
static inline struct sk_buff *fixture_packet(const void *source,
					     size_t source_len,
					     const void *payload, size_t len)
{
	size_t ip_len = source_len == 4 ? sizeof(struct iphdr) :
					  sizeof(struct ipv6hdr);
	struct sk_buff *skb;

	skb = alloc_skb(ip_len + sizeof(struct udphdr) + len, GFP_KERNEL);
	if (!skb)
		return NULL;
	skb_reset_network_header(skb);
	memset(skb_put(skb, ip_len + sizeof(struct udphdr)), 0,
	       ip_len + sizeof(struct udphdr));
	skb_set_transport_header(skb, ip_len);
	if (source_len == 4) {
		skb->protocol = htons(ETH_P_IP);
		memcpy(&ip_hdr(skb)->saddr, source, source_len);
	} else {
		skb->protocol = htons(ETH_P_IPV6);
		memcpy(&ipv6_hdr(skb)->saddr, source, source_len);
	}
	udp_hdr(skb)->source = htons(FIXTURE_PORT);
	skb_pull(skb, ip_len + sizeof(struct udphdr));
	skb_put_data(skb, payload, len);
	return skb;
}

#endif /* _WG_SELFTEST_FIXTURE_H */
