/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_CLAMP_H
#define WGI_CLAMP_H

#include <stdint.h>

/**
 * clamp_set() - have TCP that is forwarded know what fits
 * @name: of the bundle
 * @group: of its interfaces
 * @mtu: of each of them
 *
 * In a table of nftables of its own, the largest segment that a connection's ends
 * announce to each other is lowered, in packets that come by the group or go by it.
 * TCP of this machine itself looks at the interface.
 *
 * Return: 0 or a negative error; -EOPNOTSUPP if the kernel has no nftables.
 */
int clamp_set(const char *name, uint32_t group, unsigned int mtu);

/* clamp_remove() - take it away; 0 also if there is nothing */
int clamp_remove(const char *name);

#endif
