/* SPDX-License-Identifier: GPL-2.0 */
/* Outer packets that GRO has put together, and how they come apart again. */
#ifndef _WG_GRO_H
#define _WG_GRO_H

#include <linux/list.h>
#include <linux/skbuff.h>
#include <linux/types.h>

struct sock;
struct wg_device;

struct sk_buff *wg_gro_receive(struct sock *sk, struct list_head *held,
			       struct sk_buff *skb);
int wg_gro_complete(struct sock *sk, struct sk_buff *skb, int offset);

bool wg_gro_is_aggregate(const struct sk_buff *skb);
void wg_gro_cut(struct wg_device *wg, struct sk_buff *skb,
		struct sk_buff_head *messages);

#endif /* _WG_GRO_H */
