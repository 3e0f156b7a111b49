/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_MEASURE_H
#define WGI_MEASURE_H

#include "config.h"
#include "link.h"

#include <stdbool.h>

/* What every IPv6 link has to carry, and so no tunnel is given less. */
#define MEASURE_LEAST 1280

/* The most that the header of IPv4 can speak of; an interface's MTU may be more. */
#define MEASURE_MOST 65535

/**
 * struct search - which size fits, from MEASURE_LEAST to another
 * @fits: the largest known to, or MEASURE_LEAST
 * @not: the smallest known not to, or one more than what is hoped for
 * @begun: has anything been tried?
 */
struct search {
	unsigned int fits;
	unsigned int not;
	bool begun;
};

/* search_begin() - @most is the size that is hoped for, up to MEASURE_MOST */
void search_begin(struct search *search, unsigned int most);

/* search_next() - the next size to try, or 0 if it is found: @fits */
unsigned int search_next(const struct search *search);

void search_tell(struct search *search, unsigned int size, bool fits);

/**
 * measure() - the largest packets that reach all peers of a bundle in one piece
 * @links: its members, all with the MTU that is hoped for
 * @config: of the bundle
 * @patience: milliseconds to wait for first answers, to find out who does answer
 *
 * Echo requests of different sizes go through all tunnels at once. A size fits if
 * all that answer at all answer it, and the answer neither was cut into pieces
 * within the tunnel nor around it: no message of a router is needed. It takes a
 * few round trips if the hope comes true, and seconds if not.
 *
 * Return: the size; 0 if nobody answers; or a negative error.
 */
int measure(const struct links *links, const struct config *config,
	    int patience);

#endif
