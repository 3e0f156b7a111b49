/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _COMPAT_NET_RTNETLINK_H
#define _COMPAT_NET_RTNETLINK_H

#include_next <net/rtnetlink.h>

/*
 * Before 6.15: what newlink gets is not in a structure, and the core looks up
 * link-netnsid itself. The operations get a new type, with the members that are
 * in use here; the core's are inside.
 */
#ifndef HAVE_RTNL_NEWLINK_PARAMS
struct rtnl_newlink_params {
	struct net *src_net;
	struct nlattr **tb;
	struct nlattr **data;
};

static inline struct net *
rtnl_newlink_link_net(const struct rtnl_newlink_params *params)
{
	return params->src_net;
}

struct rtnl_link_ops_params {
	const char *kind;
	size_t priv_size;
	void (*setup)(struct net_device *dev);
	int (*newlink)(struct net_device *dev,
		       struct rtnl_newlink_params *params,
		       struct netlink_ext_ack *extack);
	struct rtnl_link_ops core;
};

static inline int rtnl_params_newlink(struct net *src_net,
				      struct net_device *dev,
				      struct nlattr *tb[],
				      struct nlattr *data[],
				      struct netlink_ext_ack *extack)
{
	const struct rtnl_link_ops_params *ops =
		container_of(dev->rtnl_link_ops, struct rtnl_link_ops_params,
			     core);
	struct rtnl_newlink_params params = {
		.src_net = src_net,
		.tb = tb,
		.data = data,
	};

	return ops->newlink(dev, &params, extack);
}

static inline int rtnl_params_register(struct rtnl_link_ops_params *ops)
{
	ops->core.kind = ops->kind;
	ops->core.priv_size = ops->priv_size;
	ops->core.setup = ops->setup;
	ops->core.newlink = rtnl_params_newlink;
	return rtnl_link_register(&ops->core);
}

static inline void rtnl_params_unregister(struct rtnl_link_ops_params *ops)
{
	rtnl_link_unregister(&ops->core);
}

#define rtnl_link_ops		rtnl_link_ops_params
#define rtnl_link_register	rtnl_params_register
#define rtnl_link_unregister	rtnl_params_unregister
#endif

#endif /* _COMPAT_NET_RTNETLINK_H */
