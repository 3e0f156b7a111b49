/* SPDX-License-Identifier: GPL-2.0 */
/* How a prefix is kept in memory; nobody's business but allowedips.c's. */
#ifndef _WG_ALLOWEDIPS_NODE_H
#define _WG_ALLOWEDIPS_NODE_H

#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#include "prefix.h"

struct wg_peer;

/**
 * union wg_allowedips_slot - what follows a node, as far as it needs it
 * @address: comes first, in IPv6 nodes
 * @child: the longer prefixes, by their next bit; in all but hosts
 */
union wg_allowedips_slot {
	struct wg_address address;
	struct wg_allowedips_node __rcu *child[2];
};

/**
 * struct wg_allowedips_node - a prefix in a trie
 * @parent: the node above, or NULL; the writer's
 * @peer: whose the entry is; NULL in a fork, and in an entry that was taken out
 *	but has to stay as a fork
 * @rcu: frees a fork, which has no other place for it: readers do not look at
 *	either member that it overlays
 * @cidr: length of the prefix; also the bit that says which child to go to
 * @v6: belongs to the IPv6 trie; also the slot of the children
 * @entry: is in a &struct wg_allowedips_entry, else it is a fork
 * @v4: the IPv4 address in host order; no meaning in the IPv6 trie
 * @slot: address, children
 *
 * A host's address has no children, so that the commonest nodes, hosts and the
 * forks between them, are the smallest: 40 bytes for IPv4 and 56 for IPv6. What
 * readers want of a node is together, as they pay by the cache line.
 */
struct wg_allowedips_node {
	union {
		struct {
			struct wg_allowedips_node *parent;
			struct wg_peer __rcu *peer;
		};
		struct rcu_head rcu;
	};
	u8 cidr;
	bool v6;
	bool entry;
	u32 v4;
	union wg_allowedips_slot slot[];
};

/**
 * struct wg_allowedips_entry - a prefix that was configured
 * @list: linkage in &wg_peer.allowedips; empty while @node has no peer
 * @rcu: frees it, when it is on no list any more
 * @node: its place in the trie
 */
struct wg_allowedips_entry {
	union {
		struct list_head list;
		struct rcu_head rcu;
	};
	struct wg_allowedips_node node;
};

static inline bool node_is_host(const struct wg_allowedips_node *node)
{
	return node->cidr == (node->v6 ? 128 : 32);
}

/* The pointer to one of the children; for all but hosts. */
static inline struct wg_allowedips_node __rcu **
node_link(struct wg_allowedips_node *node, unsigned int bit)
{
	return &node->slot[node->v6].child[bit];
}

/* For entries. */
static inline struct list_head *node_list(struct wg_allowedips_node *node)
{
	return &container_of(node, struct wg_allowedips_entry, node)->list;
}

static inline struct wg_address
node_address(const struct wg_allowedips_node *node)
{
	if (node->v6)
		return node->slot[0].address;
	return (struct wg_address){ .hi = (u64)node->v4 << 32 };
}

#endif /* _WG_ALLOWEDIPS_NODE_H */
