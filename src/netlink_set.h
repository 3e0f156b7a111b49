/* SPDX-License-Identifier: GPL-2.0 */
/* A request to change a device, between those who check and who do it. */
#ifndef _WG_NETLINK_SET_H
#define _WG_NETLINK_SET_H

#include <linux/list.h>
#include <linux/types.h>
#include <net/netlink.h>

struct netlink_ext_ack;
struct wg_device;

/**
 * struct wg_set_request - a request in work
 * @wg: the device; RTNL keeps it, its update lock is held
 * @attrs: attributes by type
 * @extack: is told what is wrong
 * @removed: peers that are unlinked, and wait for the grace period that they all
 *	share when the request has come to its end, whatever that is
 * @flags: of &enum wgdevice_flag
 */
struct wg_set_request {
	struct wg_device *wg;
	struct nlattr **attrs;
	struct netlink_ext_ack *extack;
	struct list_head removed;
	u32 flags;
};

/**
 * struct wg_set_peer - what a request says of one peer
 * @public_key: which; the pointers all lead into the request
 * @preshared_key: NULL to leave it as it is
 * @endpoint: attribute, or NULL
 * @keepalive: attribute, or NULL
 * @allowedips: attribute, or NULL
 * @flags: of &enum wgpeer_flag
 */
struct wg_set_peer {
	const u8 *public_key;
	const u8 *preshared_key;
	const struct nlattr *endpoint;
	const struct nlattr *keepalive;
	const struct nlattr *allowedips;
	u32 flags;
};

/**
 * struct wg_set_allowedip - what a request says of one allowed IP
 * @addr: as many bytes as @family says, in the request
 * @family: AF_INET or AF_INET6
 * @cidr: within @family's bounds
 * @remove: take it away instead of adding it
 */
struct wg_set_allowedip {
	const void *addr;
	u16 family;
	u8 cidr;
	bool remove;
};

int wg_set_parse_allowedip(const struct nlattr *attr,
			   struct wg_set_allowedip *ip,
			   struct netlink_ext_ack *extack);
int wg_set_parse_peer(const struct nlattr *attr, struct wg_set_peer *entry,
		      struct netlink_ext_ack *extack);
bool wg_set_is_own_key(struct wg_device *wg, const u8 *public_key);
int wg_set_check(const struct wg_set_request *req);

/**
 * wg_set_get_flags() - value of an attribute that may be absent
 * @attr: u32 attribute, or NULL
 *
 * Return: its bits, none if it is absent.
 */
static inline u32 wg_set_get_flags(const struct nlattr *attr)
{
	return attr ? nla_get_u32(attr) : 0;
}

#endif /* _WG_NETLINK_SET_H */
