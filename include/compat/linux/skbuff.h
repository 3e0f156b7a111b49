/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _COMPAT_LINUX_SKBUFF_H
#define _COMPAT_LINUX_SKBUFF_H

#include_next <linux/skbuff.h>

/* Before 6.10: one bit, which says the same for CLOCK_MONOTONIC and real time. */
#ifndef HAVE_TSTAMP_TYPE
#define tstamp_type mono_delivery_time
#endif

/* Before 7.1 */
#ifndef HAVE_SKB_UNSET_TRANSPORT_HEADER
static inline void skb_unset_transport_header(struct sk_buff *skb)
{
	skb->transport_header = (typeof(skb->transport_header))~0U;
}
#endif

/*
 * Drop reasons that came later. Those of 6.1, in net/dropreason.h, need no look.
 */
#ifndef HAVE_DROP_SOCKET_CLOSE
#define SKB_DROP_REASON_SOCKET_CLOSE	SKB_DROP_REASON_NO_SOCKET
#endif
#ifndef HAVE_DROP_DUP_FRAG
#define SKB_DROP_REASON_DUP_FRAG	SKB_DROP_REASON_NOT_SPECIFIED
#endif
#ifndef HAVE_DROP_NO_TX_TARGET
#define SKB_DROP_REASON_NO_TX_TARGET	SKB_DROP_REASON_NEIGH_FAILED
#endif

#endif /* _COMPAT_LINUX_SKBUFF_H */
