/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_SYSCTL_H
#define WGI_SYSCTL_H

#define HASH4 "net/ipv4/fib_multipath_hash_policy"
#define HASH6 "net/ipv6/fib_multipath_hash_policy"
#define VALID_MARK "net/ipv4/conf/all/src_valid_mark"

/* Both are about this network namespace, and return 0 or a negative error. */
int sysctl_get(const char *name, int *value);
int sysctl_set(const char *name, int value);

#endif
