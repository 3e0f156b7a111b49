/* SPDX-License-Identifier: GPL-2.0 */
/* The generic netlink family: how user space configures devices. */
#ifndef _WG_NETLINK_H
#define _WG_NETLINK_H

struct genl_family;
struct genl_info;
struct netlink_callback;
struct netlink_ext_ack;
struct nlattr;
struct sk_buff;
struct wg_device;

int wg_netlink_module_init(void);
void wg_netlink_module_exit(void);

/* Between the files of the family. */
extern struct genl_family wg_netlink_family;

struct wg_device *wg_netlink_find_device(const struct sk_buff *skb,
					 struct nlattr **attrs,
					 struct netlink_ext_ack *extack);
int wg_netlink_get_start(struct netlink_callback *cb);
int wg_netlink_get(struct sk_buff *skb, struct netlink_callback *cb);
int wg_netlink_get_done(struct netlink_callback *cb);
int wg_netlink_set(struct sk_buff *skb, struct genl_info *info);

#endif /* _WG_NETLINK_H */
