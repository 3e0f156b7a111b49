/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _COMPAT_NET_GENETLINK_H
#define _COMPAT_NET_GENETLINK_H

#include_next <net/genetlink.h>

/*
 * Before 6.2: one entry holds what a command does and what it dumps. Our commands
 * only ever do one of these, so their entries mean the same either way.
 */
#ifndef HAVE_GENL_SPLIT_OPS
#define genl_split_ops	genl_ops
#define split_ops	ops
#define n_split_ops	n_ops
#endif

/* Before 6.6: of another type, with the one member in it that we use. */
#ifndef HAVE_GENL_INFO_DUMP
#define genl_info_dump	genl_dumpit_info
#endif

#endif /* _COMPAT_NET_GENETLINK_H */
