// SPDX-License-Identifier: GPL-2.0
/*
 * WG_CMD_SET_DEVICE: change a device and its peers.
 *
 * A request is read twice by the same parsers: once to find out whether all of
 * it makes sense, before anything is changed, and once to do it. What fails in
 * the second reading is then for want of memory, a port or the like; it ends the
 * request there, and what was done stays done.
 */
#include <uapi/linux/wireguard.h>

#include "netlink.h"
#include "netlink_set.h"
#include "allowedips.h"
#include "device.h"
#include "endpoint.h"
#include "peer.h"
#include "socket.h"
#include "stage.h"
#include "table.h"
#include "timers.h"

#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <net/genetlink.h>
#include <net/netlink.h>

/* After a change of what routes were looked up by. */
static void clear_sources(struct wg_device *wg)
{
	struct wg_peer *peer;

	list_for_each_entry(peer, &wg->peer_list, list) {
		wg_endpoint_clear_src(peer);
		cond_resched();
	}
}

static void set_fwmark(struct wg_set_request *req)
{
	const struct nlattr *attr = req->attrs[WGDEVICE_A_FWMARK];

	if (!attr)
		return;
	WRITE_ONCE(req->wg->fwmark, nla_get_u32(attr));
	clear_sources(req->wg);
}

static int set_port(struct wg_set_request *req)
{
	const struct nlattr *attr = req->attrs[WGDEVICE_A_LISTEN_PORT];
	int ret;

	if (!attr || nla_get_u16(attr) == req->wg->incoming_port)
		return 0;
	ret = wg_socket_open(req->wg, nla_get_u16(attr));
	if (ret)
		NL_SET_ERR_MSG_ATTR(req->extack, attr,
				    "Cannot listen on this port");
	else
		clear_sources(req->wg);
	return ret;
}

/*
 * The first key makes handshakes possible: packets may have been waiting for
 * one, and no further packet may come to try again.
 */
static void set_private_key(struct wg_set_request *req)
{
	const struct nlattr *attr = req->attrs[WGDEVICE_A_PRIVATE_KEY];
	struct wg_device *wg = req->wg;
	struct wg_peer *peer;
	bool had_key;

	if (!attr)
		return;
	had_key = wg->identity.present;
	wg_device_set_private_key(wg, nla_data(attr));
	if (had_key || !wg->identity.present || !netif_running(wg->dev))
		return;
	list_for_each_entry(peer, &wg->peer_list, list) {
		wg_stage_flush(peer);
		cond_resched();
	}
}

/* An address of neither family, or not of its family's size, is none. */
static void set_endpoint(struct wg_peer *peer, const struct nlattr *attr)
{
	struct wg_endpoint endpoint = {};
	size_t len;

	if (!attr)
		return;
	len = nla_len(attr);
	if (len > sizeof(endpoint.addr6))
		return;
	memcpy(&endpoint.addr6, nla_data(attr), len);
	if ((endpoint.addr.sa_family == AF_INET &&
	     len == sizeof(endpoint.addr4)) ||
	    (endpoint.addr.sa_family == AF_INET6 &&
	     len == sizeof(endpoint.addr6)))
		wg_endpoint_set(peer, &endpoint);
}

static int set_allowedips(struct wg_set_request *req, struct wg_peer *peer,
			  const struct nlattr *allowedips)
{
	struct wg_allowedips *table = &req->wg->allowedips;
	struct wg_set_allowedip ip;
	const struct nlattr *attr;
	int ret, rem;

	if (!allowedips)
		return 0;
	nla_for_each_nested(attr, allowedips, rem) {
		cond_resched();
		ret = wg_set_parse_allowedip(attr, &ip, req->extack);
		if (ret)
			return ret;
		ret = ip.remove ?
		      wg_allowedips_remove(table, ip.family, ip.addr, ip.cidr,
					   peer) :
		      wg_allowedips_insert(table, ip.family, ip.addr, ip.cidr,
					   peer);
		if (ret) {
			NL_SET_ERR_MSG_ATTR(req->extack, attr,
					    "Cannot change the allowed IP");
			return ret;
		}
	}
	return 0;
}

static void set_preshared_key(struct wg_peer *peer, const u8 *preshared_key)
{
	if (!preshared_key)
		return;
	down_write(&peer->handshake.lock);
	memcpy(peer->handshake.preshared_key, preshared_key, WG_KEY_SIZE);
	up_write(&peer->handshake.lock);
}

/*
 * The peer of an entry, created where need be, with a reference; NULL if the
 * entry is to be passed over.
 */
static struct wg_peer *entry_get_peer(struct wg_device *wg,
				      const struct wg_set_peer *entry)
{
	struct wg_peer *peer;

	peer = wg_peer_table_get(&wg->peers, entry->public_key);
	if (peer)
		return peer;
	if (entry->flags & (WGPEER_F_REMOVE_ME | WGPEER_F_UPDATE_ONLY))
		return NULL;
	/*
	 * Nobody is his own peer. But one list of peers may be given to every
	 * machine that is in it, so this is no error.
	 */
	if (wg_set_is_own_key(wg, entry->public_key))
		return NULL;
	peer = wg_peer_create(wg, entry->public_key, entry->preshared_key);
	return IS_ERR(peer) ? peer : wg_peer_get(peer);
}

static int change_peer(struct wg_set_request *req, struct wg_peer *peer,
		       const struct wg_set_peer *entry)
{
	struct wg_device *wg = req->wg;
	int ret;

	set_preshared_key(peer, entry->preshared_key);
	set_endpoint(peer, entry->endpoint);
	if (entry->flags & WGPEER_F_REPLACE_ALLOWEDIPS)
		wg_allowedips_remove_peer(&wg->allowedips, peer);
	ret = set_allowedips(req, peer, entry->allowedips);
	if (ret)
		return ret;
	if (entry->keepalive)
		wg_timers_set_persistent(peer, nla_get_u16(entry->keepalive));
	if (netif_running(wg->dev))
		wg_stage_flush(peer);
	return 0;
}

static int set_peer(struct wg_set_request *req, const struct nlattr *attr)
{
	struct wg_set_peer entry;
	struct wg_peer *peer;
	int ret;

	ret = wg_set_parse_peer(attr, &entry, req->extack);
	if (ret)
		return ret;
	peer = entry_get_peer(req->wg, &entry);
	if (IS_ERR(peer)) {
		NL_SET_ERR_MSG_ATTR(req->extack, attr,
				    "Cannot create the peer");
		return PTR_ERR(peer);
	}
	if (!peer)
		return 0;
	if (entry.flags & WGPEER_F_REMOVE_ME)
		wg_peer_unlink(peer, &req->removed);
	else
		ret = change_peer(req, peer, &entry);
	wg_peer_put(peer);
	return ret;
}

static int set_peers(struct wg_set_request *req)
{
	const struct nlattr *peers = req->attrs[WGDEVICE_A_PEERS];
	const struct nlattr *attr;
	int ret, rem;

	if (!peers)
		return 0;
	nla_for_each_nested(attr, peers, rem) {
		cond_resched();
		ret = set_peer(req, attr);
		if (ret)
			return ret;
	}
	return 0;
}

/* In this order: a request may replace peers, key and peers in one go. */
static int apply_request(struct wg_set_request *req)
{
	int ret;

	req->wg->device_generation++;
	set_fwmark(req);
	ret = set_port(req);
	if (ret)
		return ret;
	if (req->flags & WGDEVICE_F_REPLACE_PEERS)
		wg_peer_unlink_all(req->wg, &req->removed);
	set_private_key(req);
	return set_peers(req);
}

static int set_device(struct sk_buff *skb, struct genl_info *info)
{
	struct wg_set_request req = {
		.attrs = info->attrs,
		.extack = info->extack,
		.removed = LIST_HEAD_INIT(req.removed),
		.flags = wg_set_get_flags(info->attrs[WGDEVICE_A_FLAGS]),
	};
	int ret;

	req.wg = wg_netlink_find_device(skb, info->attrs, info->extack);
	if (IS_ERR(req.wg))
		return PTR_ERR(req.wg);
	mutex_lock(&req.wg->update_lock);
	ret = wg_set_check(&req);
	if (!ret) {
		ret = apply_request(&req);
		wg_peer_finish_removal(&req.removed);
	}
	mutex_unlock(&req.wg->update_lock);
	return ret;
}

static void wipe_attribute(struct nlattr *attr)
{
	memzero_explicit(nla_data(attr), nla_len(attr));
}

static void wipe_preshared_keys(struct nlattr *peers)
{
	struct nlattr *peer, *attr;
	int rem, peer_rem;

	nla_for_each_nested(peer, peers, rem) {
		nla_for_each_nested(attr, peer, peer_rem)
			if (nla_type(attr) == WGPEER_A_PRESHARED_KEY)
				wipe_attribute(attr);
		cond_resched();
	}
}

/*
 * The request's memory is freed without being cleared, and it may be sent back
 * with the error. Found by walking the message, as a table of attributes knows
 * only the last of each type.
 */
static void wipe_keys(const struct genl_info *info)
{
	const struct nlmsghdr *nlh = info->nlhdr;
	struct nlattr *attr;
	int rem;

	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rem) {
		if (nla_type(attr) == WGDEVICE_A_PRIVATE_KEY)
			wipe_attribute(attr);
		else if (nla_type(attr) == WGDEVICE_A_PEERS)
			wipe_preshared_keys(attr);
	}
}

/**
 * wg_netlink_set() - change a device
 * @skb: the request, whose keys are wiped
 * @info: the request, taken apart
 *
 * Context: process, may sleep. Takes RTNL and the device's update lock.
 * Return: 0, or a negative errno of which the extack tells the reason. Before
 * anything is changed: what wg_netlink_find_device() finds wrong, -EPERM without
 * CAP_NET_ADMIN where the sockets are, -EINVAL or -EPFNOSUPPORT for a request
 * that makes no sense. Half way: what the operation that failed returned.
 */
int wg_netlink_set(struct sk_buff *skb, struct genl_info *info)
{
	int ret;

	rtnl_lock();
	ret = set_device(skb, info);
	rtnl_unlock();
	wipe_keys(info);
	return ret;
}
