/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _COMPAT_LINUX_NETDEVICE_H
#define _COMPAT_LINUX_NETDEVICE_H

#include_next <linux/netdevice.h>

/**
 * netif_set_lltx() - a device takes packets without the core's transmit lock
 * @dev: network device, not registered yet
 *
 * No kernel has this one: what it sets is a member since 6.12, a feature before.
 */
static inline void netif_set_lltx(struct net_device *dev)
{
#ifdef HAVE_NETDEV_LLTX
	dev->lltx = true;
#else
	dev->features |= NETIF_F_LLTX;
#endif
}

/*
 * Before 6.10: there is init_dummy_netdev(), which starts by wiping all that
 * alloc_netdev() and free_netdev() have to know of each other.
 */
#ifndef HAVE_ALLOC_NETDEV_DUMMY
#include <linux/slab.h>

static inline struct net_device *alloc_netdev_dummy(int sizeof_priv)
{
	struct net_device *dev;

	dev = kzalloc(ALIGN(sizeof(*dev), NETDEV_ALIGN) + sizeof_priv,
		      GFP_KERNEL);
	if (dev)
		init_dummy_netdev(dev);
	return dev;
}

/* As the real one, this takes the NAPIs along that were left on the device. */
static inline void free_any_netdev(struct net_device *dev)
{
	struct napi_struct *napi, *next;

	if (dev->reg_state != NETREG_DUMMY) {
		free_netdev(dev);
		return;
	}
	list_for_each_entry_safe(napi, next, &dev->napi_list, dev_list)
		netif_napi_del(napi);
	kfree(dev);
}

#define free_netdev free_any_netdev
#endif

/* Before 6.17: dev_set_threaded() takes a bool, and stock's NAPIs have no threads. */
#ifndef HAVE_NAPI_THREADED_ENUM
#define WG_STOCK_THREADED		false
#define NETDEV_NAPI_THREADED_DISABLED	false
#define NETDEV_NAPI_THREADED_ENABLED	true
#endif

#endif /* _COMPAT_LINUX_NETDEVICE_H */
