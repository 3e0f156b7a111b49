/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_ROUTE_H
#define WGI_ROUTE_H

#include "value.h"

#include <stddef.h>
#include <sys/socket.h>

/* Next hops of a bundle have numbers made from those of its interfaces. */
#define HOP_BASE 0x40000000u
#define GROUP_BASE 0x60000000u

/* All return 0 or a negative error. */

/* address_add() - to an interface, with or without the route to its network */
int address_add(unsigned int index, const struct prefix *prefix, bool route);

/* hop_id(), group_id() - of an interface; of the first COUNT of a bundle */
uint32_t hop_id(unsigned int index, int family);
uint32_t group_id(unsigned int first, unsigned int count, int family);

/* hop_add() - a next hop for each interface and family */
int hop_add(unsigned int index, int family);

/**
 * group_add() - a resilient group of next hops
 * @id: from group_id()
 * @indexes: of the interfaces
 * @count: how many
 * @family: AF_INET or AF_INET6
 *
 * Flows keep their member as long as it is there, whatever happens to others.
 */
int group_add(uint32_t id, const unsigned int *indexes, unsigned int count,
	      int family);

/* group_change() - the same, for a group that is there; -ENOENT if it is not */
int group_change(uint32_t id, const unsigned int *indexes, unsigned int count,
		 int family);

/**
 * route_add() - a route
 * @prefix: where to; only what counts of it
 * @table: routing table
 * @group: number of a group, or 0
 * @index: number of an interface, if there is no group
 * @source: what this machine sends from there, or NULL for the kernel to choose
 */
int route_add(const struct prefix *prefix, uint32_t table, uint32_t group,
	      unsigned int index, const struct prefix *source);

/**
 * route_foreign() - is there a multipath route that is not a bundle's?
 * @family: AF_INET or AF_INET6
 * @text: set to where it goes, empty if there is none
 * @size: of @text
 */
int route_foreign(int family, char *text, size_t size);

/* route_interface() - set *INDEX to that by which an address is reached */
int route_interface(const struct sockaddr *address, uint32_t mark,
		    unsigned int *index);

/* table_used() - has a routing table any routes? 1 if it has */
int table_used(uint32_t table);

/* rules_place() - set *PRIORITY to one before all other rules but the local table's */
int rules_place(int family, uint32_t *priority);

/**
 * rules_add() - have all that is not marked look into a table, but after the
 * main table, of which default routes do not count
 * @family: AF_INET or AF_INET6
 * @table: routing table, and mark
 * @priority: of these rules, by which they are known
 *
 * If it fails, one of the two may have been added.
 */
int rules_add(int family, uint32_t table, uint32_t priority);
void rules_delete(int family, uint32_t table, uint32_t priority);

#endif
