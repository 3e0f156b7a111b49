/* SPDX-License-Identifier: GPL-2.0 */
/* Token buckets by source address, for handshakes under load. */
#ifndef _WG_RATELIMITER_H
#define _WG_RATELIMITER_H

#include <linux/types.h>

struct net;
struct sk_buff;

int wg_ratelimiter_get(void);
void wg_ratelimiter_put(void);
bool wg_ratelimiter_allow(const struct sk_buff *skb, const struct net *net);

#ifdef DEBUG
bool wg_ratelimiter_selftest(void);
#endif

#endif /* _WG_RATELIMITER_H */
