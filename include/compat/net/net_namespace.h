/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _COMPAT_NET_NET_NAMESPACE_H
#define _COMPAT_NET_NET_NAMESPACE_H

#include_next <net/net_namespace.h>

/*
 * Before 6.16: the core hands over a whole batch of namespaces under RTNL, and
 * does not say to whom. One set of operations in a file is what we have.
 */
#ifndef HAVE_EXIT_RTNL
struct pernet_operations_rtnl {
	void (*exit_rtnl)(struct net *net, struct list_head *dev_kill_list);
	struct pernet_operations core;
};

static inline struct pernet_operations_rtnl **pernet_rtnl_registered(void)
{
	static struct pernet_operations_rtnl *registered;

	return &registered;
}

static inline void pernet_rtnl_exit_batch(struct list_head *nets,
					  struct list_head *dev_kill_list)
{
	struct net *net;

	list_for_each_entry(net, nets, exit_list)
		(*pernet_rtnl_registered())->exit_rtnl(net, dev_kill_list);
}

static inline int pernet_rtnl_register(struct pernet_operations_rtnl *ops)
{
	*pernet_rtnl_registered() = ops;
	ops->core.exit_batch_rtnl = pernet_rtnl_exit_batch;
	return register_pernet_device(&ops->core);
}

static inline void pernet_rtnl_unregister(struct pernet_operations_rtnl *ops)
{
	unregister_pernet_device(&ops->core);
}

#define pernet_operations		pernet_operations_rtnl
#define register_pernet_device		pernet_rtnl_register
#define unregister_pernet_device	pernet_rtnl_unregister
#endif

#endif /* _COMPAT_NET_NET_NAMESPACE_H */
