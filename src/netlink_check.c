// SPDX-License-Identifier: GPL-2.0
/*
 * WG_CMD_SET_DEVICE: does a request make sense?
 *
 * Generic netlink has held it against the policies of netlink.c, down to the
 * innermost nest, before it gets here: lengths and bits are right, and what is
 * left to check is what no policy can express.
 */
#include <uapi/linux/wireguard.h>

#include "netlink_set.h"
#include "device.h"
#include "peer.h"
#include "table.h"

#include <crypto/curve25519.h>
#include <linux/capability.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/sched.h>
#include <linux/socket.h>
#include <linux/string.h>
#include <net/net_namespace.h>
#include <net/netlink.h>

/* The only protocol version there is. */
#define PROTOCOL_VERSION	1

static bool address_is_valid(const struct nlattr *addr, u16 family, u8 cidr)
{
	switch (family) {
	case AF_INET:
		return nla_len(addr) == sizeof(struct in_addr) && cidr <= 32;
	case AF_INET6:
		return nla_len(addr) == sizeof(struct in6_addr) && cidr <= 128;
	default:
		return false;
	}
}

/**
 * wg_set_parse_allowedip() - read what is said of one allowed IP
 * @attr: its nest
 * @ip: filled; points into @attr
 * @extack: is told what is wrong, or NULL
 *
 * Context: any.
 * Return: 0, or -EINVAL if something is missing or does not fit together.
 */
int wg_set_parse_allowedip(const struct nlattr *attr,
			   struct wg_set_allowedip *ip,
			   struct netlink_ext_ack *extack)
{
	struct nlattr *tb[WGALLOWEDIP_A_MAX + 1];
	int ret;

	ret = nla_parse_nested(tb, WGALLOWEDIP_A_MAX, attr, NULL, extack);
	if (ret)
		return ret;
	if (!tb[WGALLOWEDIP_A_FAMILY] || !tb[WGALLOWEDIP_A_IPADDR] ||
	    !tb[WGALLOWEDIP_A_CIDR_MASK]) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "Allowed IP needs family, address and mask");
		return -EINVAL;
	}
	*ip = (struct wg_set_allowedip) {
		.addr = nla_data(tb[WGALLOWEDIP_A_IPADDR]),
		.family = nla_get_u16(tb[WGALLOWEDIP_A_FAMILY]),
		.cidr = nla_get_u8(tb[WGALLOWEDIP_A_CIDR_MASK]),
		.remove = wg_set_get_flags(tb[WGALLOWEDIP_A_FLAGS]) &
			  WGALLOWEDIP_F_REMOVE_ME,
	};
	if (!address_is_valid(tb[WGALLOWEDIP_A_IPADDR], ip->family,
			      ip->cidr)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "Allowed IP's family, address and mask do not match");
		return -EINVAL;
	}
	return 0;
}

/**
 * wg_set_parse_peer() - read what is said of one peer
 * @attr: its nest
 * @entry: filled; points into @attr. Its allowed IPs are not looked into
 * @extack: is told what is wrong, or NULL
 *
 * Context: any.
 * Return: 0, -EINVAL if there is no public key, or -EPFNOSUPPORT for a version
 * of the protocol that is not the one there is.
 */
int wg_set_parse_peer(const struct nlattr *attr, struct wg_set_peer *entry,
		      struct netlink_ext_ack *extack)
{
	struct nlattr *tb[WGPEER_A_MAX + 1], *version, *psk;
	int ret;

	ret = nla_parse_nested(tb, WGPEER_A_MAX, attr, NULL, extack);
	if (ret)
		return ret;
	if (!tb[WGPEER_A_PUBLIC_KEY]) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "Peer without a public key");
		return -EINVAL;
	}
	version = tb[WGPEER_A_PROTOCOL_VERSION];
	if (version && nla_get_u32(version) != PROTOCOL_VERSION) {
		NL_SET_ERR_MSG_ATTR(extack, version,
				    "Unknown version of the protocol");
		return -EPFNOSUPPORT;
	}
	psk = tb[WGPEER_A_PRESHARED_KEY];
	*entry = (struct wg_set_peer) {
		.public_key = nla_data(tb[WGPEER_A_PUBLIC_KEY]),
		.preshared_key = psk ? nla_data(psk) : NULL,
		.endpoint = tb[WGPEER_A_ENDPOINT],
		.keepalive = tb[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL],
		.allowedips = tb[WGPEER_A_ALLOWEDIPS],
		.flags = wg_set_get_flags(tb[WGPEER_A_FLAGS]),
	};
	return 0;
}

/* Whoever configures peers must also rule the namespace that packets use. */
static bool may_touch_sockets(struct wg_device *wg)
{
	struct net *net;
	bool allowed;

	rcu_read_lock();
	net = rcu_dereference(wg->creating_net);
	if (net && !maybe_get_net(net))
		net = NULL;
	rcu_read_unlock();
	if (!net)
		return false;
	allowed = ns_capable(net->user_ns, CAP_NET_ADMIN);
	put_net(net);
	return allowed;
}

/**
 * wg_set_is_own_key() - is this the device's own public key?
 * @wg: device
 * @public_key: 32 bytes
 *
 * Context: process; takes the identity's lock for reading.
 * Return: true if it is. A device without a key has no own one.
 */
bool wg_set_is_own_key(struct wg_device *wg, const u8 *public_key)
{
	struct wg_identity *identity = &wg->identity;
	bool own;

	down_read(&identity->lock);
	own = identity->present &&
	      !memcmp(identity->public_key, public_key, WG_KEY_SIZE);
	up_read(&identity->lock);
	return own;
}

/* As wg_set_is_own_key(), once the request has set its private key, if any. */
static bool will_be_own_key(const struct wg_set_request *req,
			    const u8 *public_key)
{
	const struct nlattr *attr = req->attrs[WGDEVICE_A_PRIVATE_KEY];
	u8 private_key[WG_KEY_SIZE], own_key[WG_KEY_SIZE];
	bool own;

	if (!attr)
		return wg_set_is_own_key(req->wg, public_key);
	/* All zeros stand for no key, which clamping would hide. */
	if (!memchr_inv(nla_data(attr), 0, WG_KEY_SIZE))
		return false;
	memcpy(private_key, nla_data(attr), WG_KEY_SIZE);
	curve25519_clamp_secret(private_key);
	own = curve25519_generate_public(own_key, private_key) &&
	      !memcmp(own_key, public_key, WG_KEY_SIZE);
	memzero_explicit(private_key, sizeof(private_key));
	return own;
}

static bool peer_exists(struct wg_device *wg, const u8 *public_key)
{
	struct wg_peer *peer = wg_peer_table_get(&wg->peers, public_key);

	if (!peer)
		return false;
	wg_peer_put(peer);
	return true;
}

/*
 * Will entry @attr be passed over when its turn comes? A peer that exists by
 * then is changed; one that does not is created, save for an entry that only
 * updates and for our own key. So follow the peer's existence through all
 * entries before this one; the length of a nest being 16 bits, they are 1,500
 * at most.
 */
static bool entry_is_ignored(const struct wg_set_request *req,
			     const struct nlattr *attr,
			     const struct wg_set_peer *entry)
{
	bool own = will_be_own_key(req, entry->public_key);
	bool exists = !own && !(req->flags & WGDEVICE_F_REPLACE_PEERS) &&
		      peer_exists(req->wg, entry->public_key);
	const struct nlattr *other;
	struct wg_set_peer before;
	int rem;

	if (!own && !(entry->flags & WGPEER_F_UPDATE_ONLY))
		return false;
	nla_for_each_nested(other, req->attrs[WGDEVICE_A_PEERS], rem) {
		if (other == attr)
			break;
		cond_resched();
		if (wg_set_parse_peer(other, &before, NULL) ||
		    memcmp(before.public_key, entry->public_key, WG_KEY_SIZE))
			continue;
		if (before.flags & WGPEER_F_REMOVE_ME)
			exists = false;
		else if (!own && !(before.flags & WGPEER_F_UPDATE_ONLY))
			exists = true;
	}
	return !exists;
}

static int check_allowedips(const struct nlattr *allowedips,
			    struct netlink_ext_ack *extack)
{
	struct wg_set_allowedip entry;
	const struct nlattr *attr;
	int ret, rem;

	if (!allowedips)
		return 0;
	nla_for_each_nested(attr, allowedips, rem) {
		cond_resched();
		ret = wg_set_parse_allowedip(attr, &entry, extack);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * Whatever the entry would do to its peer is only looked at if it will be done:
 * an entry that removes, or that is passed over, may say anything besides.
 */
static int check_peer(const struct wg_set_request *req,
		      const struct nlattr *attr)
{
	struct wg_set_peer entry;
	int ret;

	ret = wg_set_parse_peer(attr, &entry, req->extack);
	if (ret || (entry.flags & WGPEER_F_REMOVE_ME))
		return ret;
	ret = check_allowedips(entry.allowedips, NULL);
	if (!ret)
		return 0;
	if (entry_is_ignored(req, attr, &entry))
		return 0;
	return check_allowedips(entry.allowedips, req->extack);
}

/**
 * wg_set_check() - may all of a request be done, as far as can be told before?
 * @req: the request
 *
 * Changes nothing.
 *
 * Context: process, may sleep; RTNL and the device's update lock held.
 * Return: 0; -EPERM without CAP_NET_ADMIN in the namespace of the sockets where
 * they are concerned; -EINVAL or -EPFNOSUPPORT for what makes no sense.
 */
int wg_set_check(const struct wg_set_request *req)
{
	const struct nlattr *peers = req->attrs[WGDEVICE_A_PEERS];
	const struct nlattr *port, *attr;
	int ret, rem;

	port = req->attrs[WGDEVICE_A_LISTEN_PORT] ?:
	       req->attrs[WGDEVICE_A_FWMARK];
	if (port && !may_touch_sockets(req->wg)) {
		NL_SET_ERR_MSG_ATTR(req->extack, port,
				    "Not permitted in the namespace of the sockets");
		return -EPERM;
	}
	if (!peers)
		return 0;
	nla_for_each_nested(attr, peers, rem) {
		cond_resched();
		ret = check_peer(req, attr);
		if (ret)
			return ret;
	}
	return 0;
}
