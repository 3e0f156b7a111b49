/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _COMPAT_LINUX_UDP_H
#define _COMPAT_LINUX_UDP_H

#include_next <linux/udp.h>

/* Before 7.3: no aggregate is so long that its length does not fit. */
#ifndef HAVE_UDP_GET_LEN_SHORT
static inline unsigned int udp_get_len_short(const struct udphdr *uh)
{
	return ntohs(uh->len);
}
#endif

#endif /* _COMPAT_LINUX_UDP_H */
