// SPDX-License-Identifier: GPL-2.0
/* A WireGuard network device: link type, transmit entry, life cycle. */
#include "device.h"

#include "drop.h"
#include "endpoint.h"
#include "engine.h"
#include "ethtool.h"
#include "keypair.h"
#include "log.h"
#include "messages.h"
#include "mode.h"
#include "packet.h"
#include "peer.h"
#include "ratelimiter.h"
#include "socket.h"
#include "stage.h"
#include "stats.h"
#include "sysfs.h"
#include "timers.h"

#include <crypto/utils.h>
#include <linux/icmp.h>
#include <linux/if_arp.h>
#include <linux/inetdevice.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <net/addrconf.h>
#include <net/dst_metadata.h>
#include <net/icmp.h>
#include <net/ip_tunnels.h>
#include <net/rtnetlink.h>

/*
 * What a forwarded packet should have in front of it when it comes to us: enough
 * to be sealed where it is. An Ethernet frame with IPv4 in it; asking for IPv6
 * would cost every packet of nearly every NIC driver a copy, as with 64 bytes of
 * headroom plus the Ethernet header that they have, 64 fit but 80 do not (which is
 * what LL_RESERVED_SPACE() makes of it, in steps of 16).
 */
#define NEEDED_HEADROOM \
	(sizeof(struct wg_message_data) + WG_OUTER_HEADERS_V4 + ETH_HLEN)
#define NEEDED_TAILROOM	(WG_TAG_SIZE + WG_PADDING)
/* A super-packet of this size, sealed, is one UDP GSO packet still. */
#define TSO_MAX		61440

/*
 * The core cuts up what is not in here: lists of fragments, whose members need not be
 * of one size as those of a super-packet must, and GSO packets of untrusted origin.
 */
#define FEATURES (NETIF_F_HW_CSUM | NETIF_F_RXCSUM | NETIF_F_SG | \
		  NETIF_F_GSO | NETIF_F_GSO_SOFTWARE | NETIF_F_HIGHDMA)

/* All devices; RTNL. */
static LIST_HEAD(devices);

static void no_redirects(struct net_device *dev)
{
	struct in_device *dev4 = __in_dev_get_rtnl(dev);

	if (!dev4)
		return;
	/*
	 * A packet that leaves by the device that it came from goes to another
	 * peer; that there is a shorter way is not true.
	 */
	IN_DEV_CONF_SET(dev4, SEND_REDIRECTS, false);
	IPV4_DEVCONF_ALL(dev_net(dev), SEND_REDIRECTS) = false;
}

/* There is no neighbour to discover, so no link-local address either. */
static void no_link_local(struct net_device *dev)
{
	struct inet6_dev *dev6 = __in6_dev_get(dev);

	if (dev6)
		WRITE_ONCE(dev6->cnf.addr_gen_mode, IN6_ADDR_GEN_MODE_NONE);
}

static int wg_open(struct net_device *dev)
{
	struct wg_device *wg = netdev_priv(dev);
	struct wg_peer *peer;
	int ret;

	no_redirects(dev);
	no_link_local(dev);
	mutex_lock(&wg->update_lock);
	ret = wg_socket_open(wg, wg->incoming_port);
	if (ret)
		goto out;
	list_for_each_entry(peer, &wg->peer_list, list) {
		if (READ_ONCE(peer->timers.persistent_interval))
			wg_stage_keepalive(peer);
		else
			wg_stage_flush(peer);
		cond_resched();
	}
out:
	mutex_unlock(&wg->update_lock);
	return ret;
}

/*
 * Sockets first, and with them whatever came in by them: after that nothing of
 * the device is anywhere but in its peers. Who sends may go on until the core has
 * marked the device as down, which is after this; without keys he only gets as far
 * as the stage, and cannot keep the engines from ever being idle. The grace period
 * that closing the sockets takes is also the one that wg_timers_stop() and
 * wg_endpoint_forget_routes() ask for. From here on there are no routes: a device that
 * is deleted leaves our list next, and so does not hear of its namespace's end.
 */
static int wg_stop(struct net_device *dev)
{
	struct wg_device *wg = netdev_priv(dev);
	struct wg_peer *peer;

	mutex_lock(&wg->update_lock);
	wg_socket_close(wg);
	list_for_each_entry(peer, &wg->peer_list, list) {
		wg_keypairs_expire(peer);
		cond_resched();
	}
	/* Who took a key before has handed its packet on, if anything will. */
	synchronize_net();
	wg_mode_forget(wg);
	list_for_each_entry(peer, &wg->peer_list, list) {
		wg_timers_stop(peer);
		wg_endpoint_forget_routes(peer);
		wg_stage_purge(peer, WG_DROP_TX_CLOSED);
		wg_noise_handshake_clear(peer);
		wg_keypairs_clear(peer);
		wg_handshake_forget_sent(peer);
		cond_resched();
	}
	mutex_unlock(&wg->update_lock);
	wg_handshake_queue_purge(wg);
	return 0;
}

static void say_unreachable(struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
	else
		icmpv6_ndo_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_ADDR_UNREACH,
				0);
}

static bool has_endpoint(const struct wg_peer *peer)
{
	return READ_ONCE(peer->endpoint.value.addr.sa_family) != AF_UNSPEC;
}

/* Nowhere to send it to; who sent it is told. Ends the packet. */
static netdev_tx_t refuse(struct wg_device *wg, const struct wg_peer *peer,
			  struct sk_buff *skb)
{
	DEV_STATS_INC(wg->dev, tx_errors);
	say_unreachable(skb);
	wg_drop(wg, peer, skb,
		peer ? WG_DROP_TX_NO_ENDPOINT : WG_DROP_TX_NO_PEER);
	return peer ? -EDESTADDRREQ : -ENOKEY;
}

static u8 ds_to_send(const struct sk_buff *skb)
{
	return ip_tunnel_ecn_encap(0, ip_hdr(skb), skb);
}

static void prepare(struct sk_buff *skb, struct net_device *dev)
{
	struct wg_packet packet = {
		.mtu = skb_valid_dst(skb) ? dst_mtu(skb_dst(skb)) : dev->mtu,
		.ds = ds_to_send(skb),
	};

	/* For queueing disciplines below, which cannot see the flow any more. */
	skb_get_hash(skb);
	skb_dst_drop(skb);
	*wg_packet(skb) = packet;
}

/*
 * BH is off and an RCU-bh section open, which keep the peer. @skb->protocol may
 * be anything where a packet socket sent it, so it has to agree with the packet.
 */
static netdev_tx_t wg_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct wg_device *wg = netdev_priv(dev);
	struct wg_peer *peer;

	if (unlikely(!pskb_inet_may_pull(skb) || !skb->protocol ||
		     ip_tunnel_parse_protocol(skb) != skb->protocol)) {
		DEV_STATS_INC(dev, tx_errors);
		wg_drop(wg, NULL, skb, WG_DROP_TX_MALFORMED);
		return -EPROTONOSUPPORT;
	}
	peer = wg_allowedips_lookup_dst(&wg->allowedips, skb);
	if (unlikely(!peer || !has_endpoint(peer)))
		return refuse(wg, peer, skb);
	prepare(skb, dev);
	wg_stage_submit(peer, skb);
	return NETDEV_TX_OK;
}

static int wg_init(struct net_device *dev)
{
	struct wg_device *wg = netdev_priv(dev);

	list_add_tail(&wg->device_list, &devices);
	return 0;
}

static void wg_uninit(struct net_device *dev)
{
	struct wg_device *wg = netdev_priv(dev);

	list_del(&wg->device_list);
}

static const struct net_device_ops wg_netdev_ops = {
	.ndo_init = wg_init,
	.ndo_uninit = wg_uninit,
	.ndo_open = wg_open,
	.ndo_stop = wg_stop,
	.ndo_start_xmit = wg_xmit,
	.ndo_get_stats64 = dev_get_tstats64,
};

static const struct device_type wg_device_type = { .name = KBUILD_MODNAME };

/**
 * wg_device_is_wireguard() - is a network device one of ours?
 * @dev: any network device
 *
 * Context: any.
 * Return: true if it is.
 */
bool wg_device_is_wireguard(const struct net_device *dev)
{
	return dev->netdev_ops == &wg_netdev_ops;
}

/**
 * wg_device_set_private_key() - give a device another identity
 * @wg: device
 * @private_key: the key; zeros for none
 *
 * A peer that has our own public key is removed. All sessions stop sending, as
 * the other ends know us by another key from now on. What depends on the key is
 * derived when it is needed, so that a million peers take no longer than to walk
 * their list.
 *
 * Context: RTNL and device's update lock held; may sleep.
 */
void wg_device_set_private_key(struct wg_device *wg,
			       const u8 private_key[WG_KEY_SIZE])
{
	u8 public_key[WG_KEY_SIZE];
	struct wg_peer *peer;

	lockdep_assert_held(&wg->update_lock);
	if (!crypto_memneq(wg->identity.private_key, private_key, WG_KEY_SIZE))
		return;
	/* Before the key is set, so that no handshake with ourselves begins. */
	if (curve25519_generate_public(public_key, private_key)) {
		peer = wg_peer_table_get(&wg->peers, public_key);
		if (peer) {
			wg_peer_remove(peer);
			wg_peer_put(peer);
		}
	}
	down_write(&wg->identity.lock);
	if (wg_identity_set(&wg->identity, private_key))
		wg_cookie_checker_set_keys(&wg->cookie_checker,
					   wg->identity.public_key);
	else
		wg_cookie_checker_clear(&wg->cookie_checker);
	list_for_each_entry(peer, &wg->peer_list, list) {
		wg_keypairs_expire(peer);
		cond_resched();
	}
	up_write(&wg->identity.lock);
}

static int never_poll(struct napi_struct *napi, int budget)
{
	return 0;
}

/* Enabled, as who switches threading off waits until the NAPI is idle. */
static void add_idle_napi(struct wg_device *wg)
{
	set_bit(NAPI_STATE_NO_BUSY_POLL, &wg->idle_napi.state);
	netif_napi_add(wg->dev, &wg->idle_napi, never_poll);
	napi_enable(&wg->idle_napi);
}

static void remove_idle_napi(struct wg_device *wg)
{
	napi_disable(&wg->idle_napi);
	netif_napi_del(&wg->idle_napi);
}

/* The workqueue first: what it does may need all the others. */
static void free_members(struct wg_device *wg)
{
	destroy_workqueue(wg->handshake_wq);
	wg_pipeline_destroy(wg);
	wg_handshake_queue_destroy(wg);
	wg_index_table_destroy(&wg->indices);
	wg_peer_table_destroy(&wg->peers);
	wg_stats_destroy(wg);
	wg_ratelimiter_put();
}

/*
 * Nobody refers to the device any more, it was stopped if it ever ran. Peers go
 * first; the workqueue's end is the end of the last references to them. RTNL is
 * not held, so that a million peers keep nobody else waiting.
 */
static void destruct(struct net_device *dev)
{
	struct wg_device *wg = netdev_priv(dev);

	remove_idle_napi(wg);
	mutex_lock(&wg->update_lock);
	rcu_assign_pointer(wg->creating_net, NULL);
	wg->incoming_port = 0;
	wg_socket_close(wg);
	wg_peer_remove_all(wg);
	mutex_unlock(&wg->update_lock);
	free_members(wg);
	wg_allowedips_free(&wg->allowedips);
	memzero_explicit(&wg->cookie_checker, sizeof(wg->cookie_checker));
	memzero_explicit(&wg->identity, sizeof(wg->identity));
	pr_debug("%s: Interface destroyed\n", dev->name);
}

static void wg_setup(struct net_device *dev)
{
	const int overhead = WG_DATA_OVERHEAD + WG_OUTER_HEADERS_V6;

	dev->netdev_ops = &wg_netdev_ops;
	dev->ethtool_ops = &wg_ethtool_ops;
	dev->header_ops = &ip_tunnel_header_ops;
	SET_NETDEV_DEVTYPE(dev, &wg_device_type);
	dev->sysfs_groups[0] = &wg_sysfs_group;
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP;
	dev->priv_flags |= IFF_NO_QUEUE;
	netif_set_lltx(dev);
	dev->features |= FEATURES;
	dev->hw_features |= FEATURES;
	dev->hw_enc_features |= FEATURES;
	dev->needed_headroom = NEEDED_HEADROOM;
	dev->needed_tailroom = NEEDED_TAILROOM;
	dev->mtu = WG_DEFAULT_MTU;
	dev->max_mtu = round_down(INT_MAX, WG_PADDING) - overhead;
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
	dev->needs_free_netdev = true;
	/* Its MTU bounds the padding, and ICMP errors are routed by it. */
	netif_keep_dst(dev);
	netif_set_tso_max_size(dev, TSO_MAX);
}

static void init_members(struct wg_device *wg, struct net_device *dev,
			 struct net *net)
{
	wg->dev = dev;
	wg_mode_init(wg);
	rcu_assign_pointer(wg->creating_net, net);
	wg_identity_init(&wg->identity);
	wg_cookie_checker_init(&wg->cookie_checker);
	wg_allowedips_init(&wg->allowedips);
	INIT_LIST_HEAD(&wg->peer_list);
	mutex_init(&wg->update_lock);
	wg->device_generation = 1;
}

static int alloc_members(struct wg_device *wg)
{
	int ret;

	ret = wg_stats_init(wg);
	if (ret)
		return ret;
	ret = wg_peer_table_init(&wg->peers);
	if (ret)
		goto err_stats;
	ret = wg_index_table_init(&wg->indices);
	if (ret)
		goto err_peers;
	ret = wg_handshake_queue_init(wg);
	if (ret)
		goto err_indices;
	ret = -ENOMEM;
	wg->handshake_wq = alloc_workqueue("wg-kex-%s",
					   WQ_UNBOUND | WQ_FREEZABLE |
					   WQ_MEM_RECLAIM, 0,
					   wg->dev->name);
	if (!wg->handshake_wq)
		goto err_queue;
	ret = wg_pipeline_init(wg);
	if (ret)
		goto err_workers;
	ret = wg_ratelimiter_get();
	if (!ret)
		return 0;
	wg_pipeline_destroy(wg);
err_workers:
	destroy_workqueue(wg->handshake_wq);
err_queue:
	wg_handshake_queue_destroy(wg);
err_indices:
	wg_index_table_destroy(&wg->indices);
err_peers:
	wg_peer_table_destroy(&wg->peers);
err_stats:
	wg_stats_destroy(wg);
	return ret;
}

static int wg_newlink(struct net_device *dev,
		      struct rtnl_newlink_params *params,
		      struct netlink_ext_ack *extack)
{
	struct wg_device *wg = netdev_priv(dev);
	int ret;

	init_members(wg, dev, rtnl_newlink_link_net(params));
	ret = alloc_members(wg);
	if (ret)
		return ret;
	ret = register_netdevice(dev);
	if (ret) {
		free_members(wg);
		return ret;
	}
	add_idle_napi(wg);
	ret = wg_mode_apply_default(wg);
	if (ret)
		netdev_warn(dev, "stays in mode inline: %d\n", ret);
	/* Not earlier, as a registration that fails would call it too. */
	dev->priv_destructor = destruct;
	pr_debug("%s: Interface created\n", dev->name);
	return 0;
}

static struct rtnl_link_ops wg_link_ops __read_mostly = {
	.kind = KBUILD_MODNAME,
	.priv_size = sizeof(struct wg_device),
	.setup = wg_setup,
	.newlink = wg_newlink,
};

/* The namespace of its sockets goes away: the device stays, without any. */
static void lose_namespace(struct wg_device *wg)
{
	struct wg_peer *peer;

	netif_carrier_off(wg->dev);
	mutex_lock(&wg->update_lock);
	rcu_assign_pointer(wg->creating_net, NULL);
	wg_socket_close(wg);
	/* Without sockets nobody looks a route up; what is cached pins devices. */
	list_for_each_entry(peer, &wg->peer_list, list) {
		wg_endpoint_clear_src(peer);
		wg_endpoint_forget_routes(peer);
		cond_resched();
	}
	mutex_unlock(&wg->update_lock);
}

static void __net_exit wg_net_exit_rtnl(struct net *net,
					struct list_head *dev_kill_list)
{
	struct wg_device *wg;

	list_for_each_entry(wg, &devices, device_list) {
		if (rcu_access_pointer(wg->creating_net) == net)
			lose_namespace(wg);
	}
}

static struct pernet_operations wg_net_ops = {
	.exit_rtnl = wg_net_exit_rtnl,
};

/**
 * wg_device_visit_peers() - do something to all peers of all devices
 * @todo: what; may sleep
 *
 * Context: process; takes RTNL and each device's update lock.
 */
void wg_device_visit_peers(wg_peer_fn todo)
{
	struct wg_device *wg;
	struct wg_peer *peer;

	rtnl_lock();
	list_for_each_entry(wg, &devices, device_list) {
		mutex_lock(&wg->update_lock);
		list_for_each_entry(peer, &wg->peer_list, list) {
			todo(peer);
			cond_resched();
		}
		mutex_unlock(&wg->update_lock);
	}
	rtnl_unlock();
}

/**
 * wg_device_module_init() - announce the kind of link
 *
 * Context: process, as the module is loaded.
 * Return: 0 or a negative errno.
 */
int wg_device_module_init(void)
{
	int ret;

	ret = register_pernet_device(&wg_net_ops);
	if (ret)
		return ret;
	ret = rtnl_link_register(&wg_link_ops);
	if (ret)
		unregister_pernet_device(&wg_net_ops);
	return ret;
}

/**
 * wg_device_module_exit() - end the kind of link, and all its devices
 *
 * Context: process.
 */
void wg_device_module_exit(void)
{
	rtnl_link_unregister(&wg_link_ops);
	unregister_pernet_device(&wg_net_ops);
	rcu_barrier();
}

#ifdef DEBUG
#include "selftest/device.c"
#endif
