/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_BUNDLE_UP_H
#define WGI_BUNDLE_UP_H

#include "bundle.h"

/**
 * struct up - a bundle on its way up
 * @name: of it
 * @config: what its file says
 * @count: of tunnels
 * @layer4: may flows be told apart by ports in the whole namespace?
 * @mark: of outer packets
 * @hosts: addresses of the peers
 * @links: members that there are so far
 * @state: what they are to remember
 * @groups: for each family, which groups exist; bit n for the first n members
 */
struct up {
	const char *name;
	const struct config *config;
	unsigned int count;
	bool layer4;
	uint32_t mark;
	struct sockaddr_storage *hosts;
	struct links links;
	struct state state;
	uint64_t groups[2];
};

/* up_remember() - have the members remember it; or -1 after having said why not */
int up_remember(struct up *up);

/* up_prefix_text() - as people write it, until it is called again */
const char *up_prefix_text(const struct prefix *prefix);

/* up_has_default() - does a peer get all packets of a family? */
bool up_has_default(const struct config *config, int family);

/* up_add_routes() - routes, groups of next hops and rules; or -1 after having said why */
int up_add_routes(struct up *up);

#endif
