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
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/siphash.h>
#include <linux/slab.h>
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

/*
 * More than the entries of a request: the length of a nest has 16 bits, and no entry
 * is shorter than its public key.
 */
#define FATES	2048
static_assert(U16_MAX / (NLA_HDRLEN + NLA_HDRLEN + WG_KEY_SIZE) < FATES);

/**
 * struct fate - what entries have done to one peer
 * @public_key: whose, in the request; NULL: of nobody yet
 * @exists: it is there after them
 */
struct fate {
	const u8 *public_key;
	bool exists;
};

/**
 * struct check - a request and how far it has been read
 * @req: the request
 * @fates: hash table of &FATES, found by public key; NULL as long as nobody wants to
 *	know, which in most requests is until the end
 * @own_key: the device's public key once the private one that the request has for
 *	it, if any, is set; known when @fates are
 * @has_own_key: there is one
 */
struct check {
	const struct wg_set_request *req;
	struct fate *fates;
	u8 own_key[WG_KEY_SIZE];
	bool has_own_key;
};

/* As wg_identity_set() will find it. */
static void read_own_key(struct check *check, const struct nlattr *private)
{
	u8 private_key[WG_KEY_SIZE];

	/* All zeros stand for no key, which clamping would hide. */
	if (!memchr_inv(nla_data(private), 0, WG_KEY_SIZE))
		return;
	memcpy(private_key, nla_data(private), WG_KEY_SIZE);
	curve25519_clamp_secret(private_key);
	check->has_own_key = curve25519_generate_public(check->own_key,
							private_key);
	memzero_explicit(private_key, sizeof(private_key));
}

static void find_own_key(struct check *check)
{
	const struct nlattr *attr = check->req->attrs[WGDEVICE_A_PRIVATE_KEY];
	struct wg_identity *identity = &check->req->wg->identity;

	if (attr) {
		read_own_key(check, attr);
		return;
	}
	down_read(&identity->lock);
	check->has_own_key = identity->present;
	memcpy(check->own_key, identity->public_key, WG_KEY_SIZE);
	up_read(&identity->lock);
}

static bool is_own_key(const struct check *check, const u8 *public_key)
{
	return check->has_own_key &&
	       !memcmp(check->own_key, public_key, WG_KEY_SIZE);
}

static bool peer_exists(struct wg_device *wg, const u8 *public_key)
{
	struct wg_peer *peer = wg_peer_table_get(&wg->peers, public_key);

	if (!peer)
		return false;
	wg_peer_put(peer);
	return true;
}

/* Where the fate of a peer is, or where it goes. */
static struct fate *find_fate(const struct check *check, const u8 *public_key)
{
	const siphash_key_t *secret = &check->req->wg->peers.secret;
	u64 at = siphash(public_key, WG_KEY_SIZE, secret);
	struct fate *fate;

	do {
		fate = &check->fates[at++ % FATES];
	} while (fate->public_key &&
		 memcmp(fate->public_key, public_key, WG_KEY_SIZE));
	return fate;
}

/* An entry creates its peer, save for one that only updates and for our own key. */
static void note_fate(const struct check *check,
		      const struct wg_set_peer *entry)
{
	bool removes = entry->flags & WGPEER_F_REMOVE_ME;
	struct fate *fate;

	if (!removes && (entry->flags & WGPEER_F_UPDATE_ONLY ||
			 is_own_key(check, entry->public_key)))
		return;
	fate = find_fate(check, entry->public_key);
	fate->public_key = entry->public_key;
	fate->exists = !removes;
}

/* Catches up with the entries before @attr, all of which have been checked. */
static int begin_fates(struct check *check, const struct nlattr *attr)
{
	const struct wg_set_request *req = check->req;
	const struct nlattr *before;
	struct wg_set_peer entry;
	int rem;

	check->fates = kvcalloc(FATES, sizeof(*check->fates), GFP_KERNEL);
	if (!check->fates)
		return -ENOMEM;
	find_own_key(check);
	nla_for_each_nested(before, req->attrs[WGDEVICE_A_PEERS], rem) {
		if (before == attr)
			break;
		cond_resched();
		if (!wg_set_parse_peer(before, &entry, NULL))
			note_fate(check, &entry);
	}
	return 0;
}

/* Will there be such a peer when it is the turn of the entry after those read? */
static bool will_exist(const struct check *check, const u8 *public_key)
{
	const struct fate *fate = find_fate(check, public_key);

	if (fate->public_key)
		return fate->exists;
	return !(check->req->flags & WGDEVICE_F_REPLACE_PEERS) &&
	       !is_own_key(check, public_key) &&
	       peer_exists(check->req->wg, public_key);
}

/*
 * Will an entry be passed over when its turn comes? A peer that exists by then is
 * changed; one that does not is created, or is not.
 */
static bool entry_is_ignored(const struct check *check,
			     const struct wg_set_peer *entry)
{
	return (entry->flags & WGPEER_F_UPDATE_ONLY ||
		is_own_key(check, entry->public_key)) &&
	       !will_exist(check, entry->public_key);
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

/* An entry with allowed IPs that make no sense, which is no matter if ignored. */
static int check_bad_entry(struct check *check, const struct nlattr *attr,
			   const struct wg_set_peer *entry)
{
	int ret = check->fates ? 0 : begin_fates(check, attr);

	if (ret || entry_is_ignored(check, entry))
		return ret;
	return check_allowedips(entry->allowedips, check->req->extack);
}

/*
 * Whatever the entry would do to its peer is only looked at if it will be done:
 * an entry that removes, or that is passed over, may say anything besides.
 */
static int check_peer(struct check *check, const struct nlattr *attr)
{
	struct wg_set_peer entry;
	int ret;

	ret = wg_set_parse_peer(attr, &entry, check->req->extack);
	if (ret)
		return ret;
	if (!(entry.flags & WGPEER_F_REMOVE_ME) &&
	    check_allowedips(entry.allowedips, NULL))
		ret = check_bad_entry(check, attr, &entry);
	if (check->fates && !ret)
		note_fate(check, &entry);
	return ret;
}

/* Takes time by the length of the request, whatever is in it. */
static int check_peers(const struct wg_set_request *req)
{
	const struct nlattr *peers = req->attrs[WGDEVICE_A_PEERS];
	struct check check = { .req = req };
	const struct nlattr *attr;
	int ret = 0, rem;

	if (!peers)
		return 0;
	nla_for_each_nested(attr, peers, rem) {
		cond_resched();
		ret = check_peer(&check, attr);
		if (ret)
			break;
	}
	kvfree(check.fates);
	return ret;
}

/**
 * wg_set_check() - may all of a request be done, as far as can be told before?
 * @req: the request
 *
 * Changes nothing.
 *
 * Context: process, may sleep; RTNL and the device's update lock held.
 * Return: 0; -EPERM without CAP_NET_ADMIN in the namespace of the sockets where
 * they are concerned; -EINVAL or -EPFNOSUPPORT for what makes no sense; -ENOMEM.
 */
int wg_set_check(const struct wg_set_request *req)
{
	const struct nlattr *port;

	port = req->attrs[WGDEVICE_A_LISTEN_PORT] ?:
	       req->attrs[WGDEVICE_A_FWMARK];
	if (port && !may_touch_sockets(req->wg)) {
		NL_SET_ERR_MSG_ATTR(req->extack, port,
				    "Not permitted in the namespace of the sockets");
		return -EPERM;
	}
	return check_peers(req);
}
