// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family "wireguard", version 1, as Linux 7.3 defines it:
 * what may be asked and in which form. netlink_get.c answers, netlink_set.c
 * obeys.
 */
#include <uapi/linux/wireguard.h>

#include "netlink.h"
#include "device.h"

#include <linux/build_bug.h>
#include <linux/if.h>
#include <linux/in.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>
#include <linux/socket.h>
#include <linux/time_types.h>
#include <net/genetlink.h>
#include <net/netlink.h>
#include <net/sock.h>

#define POLICY_KEY	NLA_POLICY_EXACT_LEN(WG_KEY_LEN)
#define POLICY_IFNAME	{ .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 }

/* How long an address must be depends on the family: no policy can say that. */
static const struct nla_policy allowedip_policy[WGALLOWEDIP_A_MAX + 1] = {
	[WGALLOWEDIP_A_FAMILY] = { .type = NLA_U16 },
	[WGALLOWEDIP_A_IPADDR] = NLA_POLICY_MIN_LEN(sizeof(struct in_addr)),
	[WGALLOWEDIP_A_CIDR_MASK] = { .type = NLA_U8 },
	[WGALLOWEDIP_A_FLAGS] =
		NLA_POLICY_MASK(NLA_U32, WGALLOWEDIP_F_REMOVE_ME),
};

static const struct nla_policy peer_policy[WGPEER_A_MAX + 1] = {
	[WGPEER_A_PUBLIC_KEY] = POLICY_KEY,
	[WGPEER_A_PRESHARED_KEY] = POLICY_KEY,
	[WGPEER_A_FLAGS] =
		NLA_POLICY_MASK(NLA_U32, WGPEER_F_REMOVE_ME |
					 WGPEER_F_REPLACE_ALLOWEDIPS |
					 WGPEER_F_UPDATE_ONLY),
	[WGPEER_A_ENDPOINT] = NLA_POLICY_MIN_LEN(sizeof(struct sockaddr_in)),
	[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL] = { .type = NLA_U16 },
	[WGPEER_A_LAST_HANDSHAKE_TIME] =
		NLA_POLICY_EXACT_LEN(sizeof(struct __kernel_timespec)),
	[WGPEER_A_RX_BYTES] = { .type = NLA_U64 },
	[WGPEER_A_TX_BYTES] = { .type = NLA_U64 },
	[WGPEER_A_ALLOWEDIPS] = NLA_POLICY_NESTED_ARRAY(allowedip_policy),
	[WGPEER_A_PROTOCOL_VERSION] = { .type = NLA_U32 },
};

static const struct nla_policy get_policy[WGDEVICE_A_IFNAME + 1] = {
	[WGDEVICE_A_IFINDEX] = { .type = NLA_U32 },
	[WGDEVICE_A_IFNAME] = POLICY_IFNAME,
};

static const struct nla_policy set_policy[WGDEVICE_A_MAX + 1] = {
	[WGDEVICE_A_IFINDEX] = { .type = NLA_U32 },
	[WGDEVICE_A_IFNAME] = POLICY_IFNAME,
	[WGDEVICE_A_PRIVATE_KEY] = POLICY_KEY,
	[WGDEVICE_A_PUBLIC_KEY] = POLICY_KEY,
	[WGDEVICE_A_FLAGS] = NLA_POLICY_MASK(NLA_U32, WGDEVICE_F_REPLACE_PEERS),
	[WGDEVICE_A_LISTEN_PORT] = { .type = NLA_U16 },
	[WGDEVICE_A_FWMARK] = { .type = NLA_U32 },
	[WGDEVICE_A_PEERS] = NLA_POLICY_NESTED_ARRAY(peer_policy),
};

static const struct genl_split_ops netlink_ops[] = {
	{
		.cmd = WG_CMD_GET_DEVICE,
		.flags = GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
		.policy = get_policy,
		.maxattr = ARRAY_SIZE(get_policy) - 1,
		.start = wg_netlink_get_start,
		.dumpit = wg_netlink_get,
		.done = wg_netlink_get_done,
	},
	{
		.cmd = WG_CMD_SET_DEVICE,
		.flags = GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
		.policy = set_policy,
		.maxattr = ARRAY_SIZE(set_policy) - 1,
		.doit = wg_netlink_set,
	},
};

/*
 * Operations need no lock of generic netlink's: RTNL and the device's update
 * lock do all. So a long configuration run holds up nobody else's family.
 */
struct genl_family wg_netlink_family __ro_after_init = {
	.name = WG_GENL_NAME,
	.version = WG_GENL_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.split_ops = netlink_ops,
	.n_split_ops = ARRAY_SIZE(netlink_ops),
	.module = THIS_MODULE,
};

/**
 * wg_netlink_find_device() - the device that a request is about
 * @skb: the request; its socket's namespace is where to look
 * @attrs: attributes, by type, of which exactly one names the device
 * @extack: is told what is wrong
 *
 * Context: process; RTNL held, without which the result may go away.
 * Return: the device, no reference taken; or an ERR_PTR(): -EBADR if it is not
 * named in exactly one way, -ENODEV if there is none, -EOPNOTSUPP if it is not
 * a WireGuard device.
 */
struct wg_device *wg_netlink_find_device(const struct sk_buff *skb,
					 struct nlattr **attrs,
					 struct netlink_ext_ack *extack)
{
	struct nlattr *ifindex = attrs[WGDEVICE_A_IFINDEX];
	struct nlattr *ifname = attrs[WGDEVICE_A_IFNAME];
	struct net *net = sock_net(skb->sk);
	struct net_device *dev;

	ASSERT_RTNL();
	if (!ifindex == !ifname) {
		NL_SET_ERR_MSG(extack,
			       "Exactly one of interface index and name needed");
		return ERR_PTR(-EBADR);
	}
	dev = ifindex ? __dev_get_by_index(net, nla_get_u32(ifindex)) :
			__dev_get_by_name(net, nla_data(ifname));
	if (!dev) {
		NL_SET_ERR_MSG_ATTR(extack, ifindex ?: ifname,
				    "No such interface in this namespace");
		return ERR_PTR(-ENODEV);
	}
	if (!wg_device_is_wireguard(dev)) {
		NL_SET_ERR_MSG_ATTR(extack, ifindex ?: ifname,
				    "Not a WireGuard interface");
		return ERR_PTR(-EOPNOTSUPP);
	}
	return netdev_priv(dev);
}

/**
 * wg_netlink_module_init() - offer the family to user space
 *
 * Context: module init; requests may come in before this returns.
 * Return: 0 or a negative errno.
 */
int wg_netlink_module_init(void)
{
	BUILD_BUG_ON(WG_KEY_LEN != WG_KEY_SIZE);

	return genl_register_family(&wg_netlink_family);
}

/**
 * wg_netlink_module_exit() - take the family back
 *
 * Context: module exit. No operation is in progress afterwards; dumps hold the
 * module, so there is none left open.
 */
void wg_netlink_module_exit(void)
{
	genl_unregister_family(&wg_netlink_family);
}
