/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_STATE_H
#define WGI_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATE_NAME 16
#define STATE_TEXT 256
#define NOT_SET (-1)

/**
 * struct state - what a member of a bundle remembers
 * @bundle: name of the bundle
 * @tunnel: number of the member, from 1
 * @tunnels: how many there are
 * @table: routing table of a default route; 0 if the bundle has none
 * @hash4: net.ipv4.fib_multipath_hash_policy before; NOT_SET if not changed
 * @hash6: the same of net.ipv6
 * @mark: net.ipv4.conf.all.src_valid_mark, likewise
 * @rules4: priority of the first of its rules for IPv4; 0 if it has none
 * @rules6: the same of IPv6
 * @complete: 1 once all of it is there, until it is taken down
 *
 * It is kept in the interface's alias: in the kernel, in the namespace that it
 * is about, and gone when the interface is. All members know all of it, so that
 * whichever is removed by hand, what it was is still known.
 */
struct state {
	char bundle[STATE_NAME];
	unsigned int tunnel;
	unsigned int tunnels;
	uint32_t table;
	int hash4;
	int hash6;
	int mark;
	uint32_t rules4;
	uint32_t rules6;
	unsigned int complete;
};

/* state_write() - as text, of at most STATE_TEXT bytes */
void state_write(const struct state *state, char *text);

/* state_read() - from text; false if it is no state of a bundle's member */
bool state_read(struct state *state, const char *text);

#endif
