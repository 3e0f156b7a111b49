/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_ETHTOOL_H
#define WGI_ETHTOOL_H

#include "link.h"

#include <stddef.h>
#include <stdint.h>

#define STAT_NAME 33

/**
 * struct counter - a counter of the driver, as of "ethtool -S"
 * @name: as the driver has it
 * @mode: the mode that the name begins with; may be empty
 * @what: what is left of the name: "packets", the cause of a drop
 * @value: the count
 * @cpu: whose it is; -1 if that is not in the name
 * @drop: does it count lost packets?
 */
struct counter {
	char name[STAT_NAME];
	char mode[STAT_NAME];
	char what[STAT_NAME];
	uint64_t value;
	int cpu;
	bool drop;
};

/* struct counters - all of an interface, in the driver's order */
struct counters {
	size_t count;
	struct counter *of;
};

/**
 * counter_parse() - understand the name of a counter
 * @counter: all but @value is set
 * @name: words joined by "_": a mode first, and anywhere cpu<N>, and drop, drops
 *	or dropped if it counts losses; the others are @what
 */
void counter_parse(struct counter *counter, const char *name);

/**
 * counters_get() - all counters of an interface
 * @counters: filled, to be released by counters_free(); empty with a driver
 *	that has none, as stock WireGuard
 * @name: of the interface
 *
 * Return: 0; 1 if there is no such interface any more; or -1 after having said
 * why.
 */
int counters_get(struct counters *counters, const char *name);

void counters_free(struct counters *counters);

/* flag in a set of private flags: not known to the driver, off, on */
#define FLAG_NONE (-1)

/**
 * flags_get() - private flags of an interface
 * @link: interface
 * @names: @count of them
 * @values: filled with FLAG_NONE, 0 or 1 for each
 *
 * Return: 0, or a negative error; -EOPNOTSUPP if the driver has no flags or
 * the kernel no netlink for them.
 */
int flags_get(const struct link *link, const char *const *names, int *values,
	      size_t count);

/* flags_set() - set them, all at once; those of value FLAG_NONE are left out */
int flags_set(const struct link *link, const char *const *names,
	      const int *values, size_t count);

#endif
