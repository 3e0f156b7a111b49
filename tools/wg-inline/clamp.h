/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_CLAMP_H
#define WGI_CLAMP_H

#include "state.h"

/**
 * clamp_set() - have TCP that is forwarded know what fits, and answers the mark
 * @state: of the bundle
 * @group: of its interfaces
 * @mtu: of each of them
 *
 * In a table of nftables of its own, the largest segment that a connection's ends
 * announce to each other is lowered, in packets that come by the group or go by it.
 * TCP of this machine itself looks at the interface.
 *
 * With a default route, outer packets have a mark, and what answers them gets the same
 * by the tracking of connections: where rp_filter is strict, a packet is dropped if
 * the way back, for its mark, is another one.
 *
 * Return: 0 or a negative error; -EOPNOTSUPP if the kernel has no nftables.
 */
int clamp_set(const struct state *state, uint32_t group, unsigned int mtu);

/* clamp_remove() - take it away; 0 also if there is nothing */
int clamp_remove(const char *name);

#endif
