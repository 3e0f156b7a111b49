/* SPDX-License-Identifier: GPL-2.0 */
/* Rate-limited debug lines about packets that may come from anybody. */
#ifndef _WG_LOG_H
#define _WG_LOG_H

#include <linux/net.h>
#include <linux/netdevice.h>

#include "endpoint.h"

/**
 * wg_log_source() - where an outer packet came from, to be printed
 * @from: filled in
 * @skb: outer packet, headers in place
 *
 * Return: the address.
 */
static inline const struct sockaddr *wg_log_source(struct wg_endpoint *from,
						   const struct sk_buff *skb)
{
	wg_endpoint_from_skb(from, skb);
	return &from->addr;
}

/**
 * wg_dbg_from() - "wg0: What from 192.0.2.1:51820", with dynamic debug
 * @dev: device
 * @skb: outer packet, headers in place
 * @what: format, and its arguments
 */
#define wg_dbg_from(dev, skb, what, ...) do {				\
	struct wg_endpoint __from;					\
									\
	net_dbg_ratelimited("%s: " what " from %pISpfsc\n",		\
			    (dev)->name, ##__VA_ARGS__,			\
			    wg_log_source(&__from, skb));		\
} while (0)

/**
 * wg_dbg_peer() - "wg0: What (peer 3)", with dynamic debug
 * @peer: peer
 * @what: string literal
 */
#define wg_dbg_peer(peer, what) do {					\
	const struct wg_peer *__peer = (peer);				\
									\
	net_dbg_ratelimited("%s: " what " (peer %llu)\n",		\
			    __peer->device->dev->name, __peer->id);	\
} while (0)

#endif /* _WG_LOG_H */
