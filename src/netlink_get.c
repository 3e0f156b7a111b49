// SPDX-License-Identifier: GPL-2.0
/*
 * WG_CMD_GET_DEVICE: tell all about a device, in as many messages as it takes.
 *
 * No lock is held between two messages, so anything may have happened when the
 * next one is asked for. The cursor therefore owns what it points to, or can
 * tell that it has become stale; and the device's generation tells user space
 * that the dump is no snapshot (NLM_F_DUMP_INTR), whereupon it asks again.
 */
#include <uapi/linux/wireguard.h>

#include "netlink.h"
#include "allowedips.h"
#include "device.h"
#include "endpoint.h"
#include "peer.h"

#include <linux/build_bug.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/time_types.h>
#include <net/genetlink.h>
#include <net/netlink.h>

/**
 * struct get_cursor - where a dump goes on
 * @wg: whose dump it is; its net_device is held from start to end, so peers
 *	and locks are there even after the interface was deleted
 * @peer: the first peer that was not told, or not completely; referenced
 * @ip: the first of @peer's allowed IPs that was not told, NULL while @peer is
 *	still to begin. Not referenced: means nothing unless @seq still holds
 * @seq: &wg_allowedips.seq when @ip was found
 * @begun: the device itself has been told
 */
struct get_cursor {
	struct wg_device *wg;
	struct wg_peer *peer;
	struct wg_allowedips_node *ip;
	u64 seq;
	bool begun;
};

static struct get_cursor *get_cursor(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct get_cursor) > sizeof(cb->ctx));

	return (struct get_cursor *)cb->ctx;
}

/* Ends the hold on the last peer and takes one on the next, if any. */
static void cursor_move(struct get_cursor *cursor, struct wg_peer *peer)
{
	struct wg_peer *old = cursor->peer;

	cursor->peer = peer ? wg_peer_get(peer) : NULL;
	if (old)
		wg_peer_put(old);
}

static int put_identity(struct sk_buff *skb, struct wg_identity *identity)
{
	int ret = 0;

	down_read(&identity->lock);
	if (identity->present)
		ret = nla_put(skb, WGDEVICE_A_PRIVATE_KEY, WG_KEY_SIZE,
			      identity->private_key) ?:
		      nla_put(skb, WGDEVICE_A_PUBLIC_KEY, WG_KEY_SIZE,
			      identity->public_key);
	up_read(&identity->lock);
	return ret;
}

static int put_device_state(struct sk_buff *skb, struct wg_device *wg)
{
	return nla_put_u32(skb, WGDEVICE_A_IFINDEX, wg->dev->ifindex) ?:
	       nla_put_string(skb, WGDEVICE_A_IFNAME, wg->dev->name) ?:
	       nla_put_u16(skb, WGDEVICE_A_LISTEN_PORT, wg->incoming_port) ?:
	       nla_put_u32(skb, WGDEVICE_A_FWMARK, wg->fwmark) ?:
	       put_identity(skb, &wg->identity);
}

static int put_preshared_key(struct sk_buff *skb, struct wg_handshake *hs)
{
	int ret;

	down_read(&hs->lock);
	ret = nla_put(skb, WGPEER_A_PRESHARED_KEY, WG_KEY_SIZE,
		      hs->preshared_key);
	up_read(&hs->lock);
	return ret;
}

static int put_endpoint(struct sk_buff *skb, struct wg_peer *peer)
{
	struct wg_endpoint endpoint;

	wg_endpoint_read(peer, &endpoint);
	switch (endpoint.addr.sa_family) {
	case AF_INET:
		return nla_put(skb, WGPEER_A_ENDPOINT, sizeof(endpoint.addr4),
			       &endpoint.addr4);
	case AF_INET6:
		return nla_put(skb, WGPEER_A_ENDPOINT, sizeof(endpoint.addr6),
			       &endpoint.addr6);
	default:
		return 0;
	}
}

static int put_statistics(struct sk_buff *skb, struct wg_peer *peer)
{
	const struct timespec64 last =
		ns_to_timespec64(atomic64_read(&peer->timers.last_handshake));
	const struct __kernel_timespec time = {
		.tv_sec = last.tv_sec,
		.tv_nsec = last.tv_nsec,
	};

	return nla_put(skb, WGPEER_A_LAST_HANDSHAKE_TIME, sizeof(time),
		       &time) ?:
	       nla_put_u64_64bit(skb, WGPEER_A_RX_BYTES,
				 atomic64_read(&peer->rx_bytes),
				 WGPEER_A_UNSPEC) ?:
	       nla_put_u64_64bit(skb, WGPEER_A_TX_BYTES,
				 atomic64_read(&peer->tx_bytes),
				 WGPEER_A_UNSPEC);
}

/* What is told of a peer once, not again where its allowed IPs go on. */
static int put_peer_state(struct sk_buff *skb, struct wg_peer *peer)
{
	u16 keepalive = READ_ONCE(peer->timers.persistent_interval);

	return put_preshared_key(skb, &peer->handshake) ?:
	       put_endpoint(skb, peer) ?:
	       put_statistics(skb, peer) ?:
	       nla_put_u16(skb, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL,
			   keepalive) ?:
	       nla_put_u32(skb, WGPEER_A_PROTOCOL_VERSION, 1);
}

static int put_allowedip(struct sk_buff *skb,
			 const struct wg_allowedips_node *node)
{
	u8 addr[16] __aligned(8), cidr;
	struct nlattr *nest;
	size_t len;
	u16 family;

	nest = nla_nest_start(skb, 0);
	if (!nest)
		return -EMSGSIZE;
	family = wg_allowedips_read(node, addr, &cidr);
	len = family == AF_INET ? sizeof(struct in_addr) :
				  sizeof(struct in6_addr);
	if (nla_put_u16(skb, WGALLOWEDIP_A_FAMILY, family) ||
	    nla_put(skb, WGALLOWEDIP_A_IPADDR, len, addr) ||
	    nla_put_u8(skb, WGALLOWEDIP_A_CIDR_MASK, cidr)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/* From @node to the peer's last; returns the first that did not fit, or NULL. */
static struct wg_allowedips_node *
put_allowedips(struct sk_buff *skb, struct wg_peer *peer,
	       struct wg_allowedips_node *node)
{
	struct nlattr *nest;

	if (!node)
		return NULL;
	nest = nla_nest_start(skb, WGPEER_A_ALLOWEDIPS);
	if (!nest)
		return node;
	while (node && !put_allowedip(skb, node))
		node = wg_allowedips_next(peer, node);
	nla_nest_end(skb, nest);
	return node;
}

/*
 * One peer, or the rest of one. Returns false if it is not complete: then
 * @cursor->ip is where to go on, and NULL if nothing of it was told.
 */
static bool put_peer(struct sk_buff *skb, struct get_cursor *cursor,
		     struct wg_peer *peer)
{
	u64 seq = cursor->wg->allowedips.seq;
	struct wg_allowedips_node *node;
	struct nlattr *nest;

	nest = nla_nest_start(skb, 0);
	if (!nest)
		return false;
	if (nla_put(skb, WGPEER_A_PUBLIC_KEY, WG_KEY_SIZE,
		    peer->handshake.remote_static))
		goto err_cancel;
	if (!cursor->ip) {
		if (put_peer_state(skb, peer))
			goto err_cancel;
		node = wg_allowedips_next(peer, NULL);
		cursor->seq = seq;
	} else {
		/*
		 * An allowed IP was changed since: the node may be freed. The
		 * rest is left out, as user space will ask again anyway.
		 */
		node = cursor->seq == seq ? cursor->ip : NULL;
	}
	cursor->ip = put_allowedips(skb, peer, node);
	nla_nest_end(skb, nest);
	return !cursor->ip;

err_cancel:
	nla_nest_cancel(skb, nest);
	return false;
}

/* Where to go on; NULL for no peers, or if the peer to go on from was removed. */
static struct wg_peer *cursor_peer(const struct get_cursor *cursor)
{
	if (!cursor->begun)
		return list_first_entry_or_null(&cursor->wg->peer_list,
						struct wg_peer, list);
	/*
	 * A removed peer is on no list, or on a private one of whoever removes
	 * it, so its linkage must not be looked at (CVE-2024-26951).
	 */
	return cursor->peer->dead ? NULL : cursor->peer;
}

/* As many peers as fit. Returns true if that was all there is to tell. */
static bool put_peers(struct sk_buff *skb, struct get_cursor *cursor)
{
	struct wg_peer *peer = cursor_peer(cursor);
	struct wg_device *wg = cursor->wg;
	struct nlattr *nest;

	cursor->begun = true;
	if (!peer) {
		cursor_move(cursor, NULL);
		return true;
	}
	nest = nla_nest_start(skb, WGDEVICE_A_PEERS);
	if (nest) {
		list_for_each_entry_from(peer, &wg->peer_list, list)
			if (!put_peer(skb, cursor, peer))
				break;
		nla_nest_end(skb, nest);
		if (list_entry_is_head(peer, &wg->peer_list, list))
			peer = NULL;
	}
	cursor_move(cursor, peer);
	return !peer;
}

/* One message; RTNL, for the interface's name, and the update lock are held. */
static int put_message(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct get_cursor *cursor = get_cursor(cb);
	struct wg_device *wg = cursor->wg;
	bool complete;
	void *hdr;

	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &wg_netlink_family, NLM_F_MULTI, WG_CMD_GET_DEVICE);
	if (!hdr)
		return -EMSGSIZE;
	cb->seq = wg->device_generation;
	genl_dump_check_consistent(cb, hdr);

	if (!cursor->begun && put_device_state(skb, wg)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	complete = put_peers(skb, cursor);
	genlmsg_end(skb, hdr);
	return complete ? 0 : skb->len;
}

/**
 * wg_netlink_get_start() - begin a dump: find its device
 * @cb: the dump; holds the interface from now on
 *
 * Context: process, may sleep.
 * Return: 0, or what wg_netlink_find_device() finds wrong.
 */
int wg_netlink_get_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = genl_info_dump(cb)->attrs;
	struct wg_device *wg;
	int ret = 0;

	rtnl_lock();
	wg = wg_netlink_find_device(cb->skb, attrs, cb->extack);
	if (IS_ERR(wg)) {
		ret = PTR_ERR(wg);
	} else {
		dev_hold(wg->dev);
		get_cursor(cb)->wg = wg;
	}
	rtnl_unlock();
	return ret;
}

/**
 * wg_netlink_get() - the next message of a dump
 * @skb: to be filled
 * @cb: the dump, with its cursor
 *
 * Context: process, may sleep. Calls for one dump come one at a time.
 * Return: more than 0 if there is more to come, 0 at the end, -EMSGSIZE if @skb
 * does not even hold the device.
 */
int wg_netlink_get(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct wg_device *wg = get_cursor(cb)->wg;
	int ret;

	rtnl_lock();
	mutex_lock(&wg->update_lock);
	ret = put_message(skb, cb);
	mutex_unlock(&wg->update_lock);
	rtnl_unlock();
	return ret;
}

/**
 * wg_netlink_get_done() - end a dump, complete or not
 * @cb: the dump; lets go of the peer and the interface that it held
 *
 * Context: process. Called once for each success of wg_netlink_get_start().
 * Return: 0.
 */
int wg_netlink_get_done(struct netlink_callback *cb)
{
	struct get_cursor *cursor = get_cursor(cb);

	cursor_move(cursor, NULL);
	dev_put(cursor->wg->dev);
	return 0;
}
