/* SPDX-License-Identifier: GPL-2.0 */
/* How a prefix is kept in memory; nobody's business but allowedips.c's. */
#ifndef _WG_ALLOWEDIPS_NODE_H
#define _WG_ALLOWEDIPS_NODE_H

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#include "prefix.h"

struct wg_peer;

/**
 * union wg_allowedips_slot - what follows a node as far as it needs it, in this
 *	order
 * @list: linkage in &wg_peer.allowedips; entries
 * @child: the longer prefixes, by their next bit; all but hosts
 * @address: IPv6
 * @rcu: frees an entry, in the place of its @list
 */
union wg_allowedips_slot {
	struct list_head list;
	struct wg_allowedips_node __rcu *child[2];
	struct wg_address address;
	struct rcu_head rcu;
};

/**
 * struct wg_allowedips_node - a prefix in a trie
 * @cidr: length of the prefix; also the bit that says which child to go to
 * @v6: belongs to the IPv6 trie
 * @entry: was made for a peer, else a fork; also the slot of the children
 * @address_at: slot of the IPv6 address
 * @v4: the IPv4 address in host order; no meaning in the IPv6 trie
 * @parent: the node above, or NULL; the writer's
 * @peer: whose the entry is; NULL in a fork, and in an entry that was taken out
 *	but has to stay as a fork
 * @rcu: frees a fork, which has no other place for it: readers do not look at
 *	either member that it overlays
 * @slot: list linkage, children, IPv6 address
 *
 * A host's address has no children, so that the commonest nodes, hosts and the
 * forks between them, are the smallest.
 */
struct wg_allowedips_node {
	u8 cidr;
	bool v6;
	bool entry;
	u8 address_at;
	u32 v4;
	union {
		struct {
			struct wg_allowedips_node *parent;
			struct wg_peer __rcu *peer;
		};
		struct rcu_head rcu;
	};
	union wg_allowedips_slot slot[];
};

#endif /* _WG_ALLOWEDIPS_NODE_H */
