/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_SYSCTL_H
#define WGI_SYSCTL_H

#define HASH4 "net/ipv4/fib_multipath_hash_policy"
#define HASH6 "net/ipv6/fib_multipath_hash_policy"
#define HASH_FIELDS4 "net/ipv4/fib_multipath_hash_fields"
#define HASH_FIELDS6 "net/ipv6/fib_multipath_hash_fields"
#define RP_FILTER_ALL "net/ipv4/conf/all/rp_filter"
#define RP_FILTER_NEW "net/ipv4/conf/default/rp_filter"
#define VALID_MARK "net/ipv4/conf/all/src_valid_mark"

/* Both are about this network namespace, and return 0 or a negative error. */
int sysctl_get(const char *name, int *value);
int sysctl_set(const char *name, int value);

#endif
