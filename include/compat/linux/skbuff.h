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

#endif /* _COMPAT_LINUX_SKBUFF_H */
