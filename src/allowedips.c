// SPDX-License-Identifier: GPL-2.0
/*
 * Cryptokey routing: from an inner address to the peer with the longest prefix.
 *
 * One path-compressed binary trie per family. A node stands for a prefix, and
 * every node below it for a longer one that begins with it. There are entries,
 * which users have configured, and forks, which are only there because the
 * prefixes below them part at the fork's end. As prefixes get longer on the way
 * down, no walk takes more than 129 steps whatever is configured or looked up,
 * and none recurses.
 *
 * Readers walk under RCU while the one writer, who holds the device's update
 * lock, changes single pointers. What leaves the trie keeps its pointers for a
 * grace period, so a reader on it comes back into the trie further down.
 *
 * Invariant: a node without a peer has two children. It follows that n entries
 * have n - 1 forks at most, and that with one entry at most one more node
 * becomes superfluous, its parent.
 */
#include "allowedips.h"

#include "allowedips_node.h"
#include "peer.h"
#include "prefix.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/unaligned.h>

/**
 * struct place - where in a trie a prefix belongs
 * @parent: the longest prefix above it, or NULL
 * @link: the pointer that it goes into
 * @node: what @link points to now, or NULL
 * @common: leading bits that the prefix and @node share
 * @exact: @node is a node for that very prefix
 */
struct place {
	struct wg_allowedips_node *parent;
	struct wg_allowedips_node __rcu **link;
	struct wg_allowedips_node *node;
	u8 common;
	bool exact;
};

/* Sizes of nodes differ by pieces of this many bytes, and by these at most. */
#define PIECE sizeof(union wg_allowedips_slot)
#define MAX_PIECES 3

/* By the pieces that a node has on top of &struct wg_allowedips_node. */
static struct kmem_cache *node_caches[MAX_PIECES + 1];

/* For the writer: nobody else changes the trie while the lock is held. */
#define writer_dereference(p) rcu_dereference_protected(p, true)
/* For readers, who may be in either kind of section. */
#define reader_dereference(p) rcu_dereference_check(p, rcu_read_lock_bh_held())

static struct wg_allowedips_node *
node_child(struct wg_allowedips_node *node, unsigned int bit)
{
	return writer_dereference(*node_link(node, bit));
}

static struct wg_allowedips_node __rcu **
table_root(struct wg_allowedips *table, bool v6)
{
	return v6 ? &table->root6 : &table->root4;
}

static struct kmem_cache *node_cache(const struct wg_allowedips_node *node)
{
	BUILD_BUG_ON(offsetof(struct wg_allowedips_entry, node) > PIECE);
	return node_caches[node->entry + node->v6 + !node_is_host(node)];
}

static struct wg_allowedips_node *node_create(const struct wg_prefix *prefix,
					      bool entry)
{
	struct wg_allowedips_node head = {
		.cidr = prefix->cidr,
		.v6 = prefix->v6,
		.entry = entry,
		.v4 = prefix->address.hi >> 32,
	}, *node;

	node = kmem_cache_zalloc(node_cache(&head), GFP_KERNEL);
	if (!node)
		return NULL;
	if (entry) {
		node = &((struct wg_allowedips_entry *)node)->node;
		INIT_LIST_HEAD(node_list(node));
	}
	*node = head;
	if (node->v6)
		node->slot[0].address = prefix->address;
	return node;
}

static void node_free(struct wg_allowedips_node *node)
{
	void *start = node->entry ? (void *)node_list(node) : node;

	kmem_cache_free(node_cache(node), start);
}

static void entry_free_rcu(struct rcu_head *rcu)
{
	node_free(&container_of(rcu, struct wg_allowedips_entry, rcu)->node);
}

static void fork_free_rcu(struct rcu_head *rcu)
{
	node_free(container_of(rcu, struct wg_allowedips_node, rcu));
}

/*
 * Not kfree_rcu(): what that has queued is not waited for by rcu_barrier(), and
 * not by kmem_cache_destroy() on every kernel.
 */
static void node_free_later(struct wg_allowedips_node *node)
{
	if (node->entry)
		call_rcu(&container_of(node, struct wg_allowedips_entry,
				       node)->rcu, entry_free_rcu);
	else
		call_rcu(&node->rcu, fork_free_rcu);
}

/* Put @node below @parent, which readers cannot see yet. */
static void node_adopt(struct wg_allowedips_node *parent,
		       struct wg_allowedips_node *node)
{
	struct wg_address address = node_address(node);
	unsigned int bit = wg_address_bit(&address, parent->cidr);

	node->parent = parent;
	rcu_assign_pointer(*node_link(parent, bit), node);
}

static void place_find(struct place *place, struct wg_allowedips *table,
		       const struct wg_prefix *prefix)
{
	const struct wg_address *to = &prefix->address;
	struct wg_allowedips_node *node = NULL;
	struct wg_address address;

	place->link = table_root(table, prefix->v6);
	do {
		place->parent = node;
		if (node)
			place->link = node_link(node,
						wg_address_bit(to, node->cidr));
		node = writer_dereference(*place->link);
		if (!node)
			break;
		address = node_address(node);
		place->common = min3(wg_address_common(to, &address),
				     (unsigned int)prefix->cidr,
				     (unsigned int)node->cidr);
	} while (place->common == node->cidr && node->cidr < prefix->cidr);
	place->node = node;
	place->exact = node && node->cidr == prefix->cidr &&
		       place->common == prefix->cidr;
}

/*
 * Put a new entry between a place and what stands there, with a fork above both
 * if they part. Everything is ready before readers can see any of it, and
 * nothing of the trie has changed if memory runs out.
 */
static int place_fill(struct place *place, const struct wg_prefix *prefix,
		      struct wg_allowedips_node *entry)
{
	struct wg_allowedips_node *top = entry, *node = place->node;
	struct wg_prefix shared = *prefix;

	if (node && place->common < prefix->cidr) {
		wg_prefix_shorten(&shared, place->common);
		top = node_create(&shared, false);
		if (!top)
			return -ENOMEM;
		node_adopt(top, entry);
		node_adopt(top, node);
	} else if (place->exact) {
		node_adopt(entry, node_child(node, 0));
		node_adopt(entry, node_child(node, 1));
	} else if (node) {
		node_adopt(entry, node);
	}
	top->parent = place->parent;
	rcu_assign_pointer(*place->link, top);
	if (place->exact)
		node_free_later(node);
	return 0;
}

static int insert(struct wg_allowedips *table, const struct wg_prefix *prefix,
		  struct wg_peer *peer)
{
	struct wg_allowedips_node *node;
	struct place place;
	int ret;

	place_find(&place, table, prefix);
	node = place.node;
	if (place.exact && node->entry) {
		rcu_assign_pointer(node->peer, peer);
	} else {
		node = node_create(prefix, true);
		if (!node)
			return -ENOMEM;
		RCU_INIT_POINTER(node->peer, peer);
		ret = place_fill(&place, prefix, node);
		if (ret) {
			node_free(node);
			return ret;
		}
	}
	list_move_tail(node_list(node), &peer->allowedips);
	++table->seq;
	return 0;
}

/* Put @child in the place of @node, which has no other children. */
static void node_splice(struct wg_allowedips *table,
			struct wg_allowedips_node *node,
			struct wg_allowedips_node *child)
{
	struct wg_allowedips_node __rcu **link = table_root(table, node->v6);
	struct wg_address address = node_address(node);

	if (node->parent)
		link = node_link(node->parent,
				 wg_address_bit(&address, node->parent->cidr));
	if (child)
		child->parent = node->parent;
	rcu_assign_pointer(*link, child);
	node_free_later(node);
}

static struct wg_allowedips_node *
node_only_child(struct wg_allowedips_node *node)
{
	if (node_is_host(node))
		return NULL;
	return node_child(node, 0) ?: node_child(node, 1);
}

/* Take out an entry, and its parent if that is left with no purpose. */
static void entry_remove(struct wg_allowedips *table,
			 struct wg_allowedips_node *node)
{
	struct wg_allowedips_node *parent = node->parent, *child;

	list_del_init(node_list(node));
	RCU_INIT_POINTER(node->peer, NULL);
	if (!node_is_host(node) && node_child(node, 0) && node_child(node, 1))
		return;
	child = node_only_child(node);
	node_splice(table, node, child);
	if (!child && parent && !rcu_access_pointer(parent->peer))
		node_splice(table, parent, node_only_child(parent));
}

/* The next child to visit when the walk came from @from, NULL from above. */
static struct wg_allowedips_node *
node_unvisited(struct wg_allowedips_node *node,
	       const struct wg_allowedips_node *from)
{
	if (node_is_host(node))
		return NULL;
	if (!from)
		return node_only_child(node);
	return from == node_child(node, 0) ? node_child(node, 1) : NULL;
}

/*
 * Free a trie that new readers cannot reach any more, from the bottom up: a node
 * goes after all that lead to it by their parent. It is still compared with then,
 * as a number, but not looked into, as a fork's way up ends when it goes.
 */
static void trie_dismantle(struct wg_allowedips_node *node)
{
	struct wg_allowedips_node *from = NULL, *next;

	while (node) {
		next = node_unvisited(node, from);
		if (next) {
			from = NULL;
			node = next;
			continue;
		}
		next = node->parent;
		if (node->entry)
			list_del_init(node_list(node));
		node_free_later(node);
		from = node;
		node = next;
		cond_resched();
	}
}

static struct wg_peer *lookup4(const struct wg_allowedips *table,
			       const void *addr)
{
	struct wg_allowedips_node *node = reader_dereference(table->root4);
	struct wg_peer *found = NULL, *peer;
	u32 ip = get_unaligned_be32(addr);
	unsigned int bit;

	/* In 64 bits, as the shift may be by all 32. */
	while (node && !((u64)(node->v4 ^ ip) << node->cidr >> 32)) {
		if (node->entry) {
			peer = reader_dereference(node->peer);
			found = peer ?: found;
			if (node->cidr == 32)
				break;
		}
		bit = ip >> (31 - node->cidr) & 1;
		node = reader_dereference(node->slot[0].child[bit]);
	}
	return found;
}

static struct wg_peer *lookup6(const struct wg_allowedips *table,
			       const void *addr)
{
	struct wg_allowedips_node *node = reader_dereference(table->root6);
	struct wg_address ip = wg_address_read6(addr);
	struct wg_peer *found = NULL, *peer;
	unsigned int bit;

	while (node && wg_address_common(&node->slot[0].address, &ip) >=
		       node->cidr) {
		if (node->entry) {
			peer = reader_dereference(node->peer);
			found = peer ?: found;
			if (node->cidr == 128)
				break;
		}
		bit = wg_address_bit(&ip, node->cidr);
		node = reader_dereference(node->slot[1].child[bit]);
	}
	return found;
}

static struct wg_peer *lookup(const struct wg_allowedips *table,
			      const struct sk_buff *skb, const void *addr4,
			      const void *addr6)
{
	switch (ip_hdr(skb)->version) {
	case 4:
		return lookup4(table, addr4);
	case 6:
		return lookup6(table, addr6);
	default:
		return NULL;
	}
}

/**
 * wg_allowedips_lookup_dst() - whom to send a packet to
 * @table: allowed IPs of the device
 * @skb: inner packet, its network header set and its IP header in the linear
 *	part
 *
 * Context: RCU or BH off; the result is valid as long.
 * Return: the peer that the inner destination belongs to, with no reference
 *	taken; NULL if there is none, or if this is no IP packet.
 */
struct wg_peer *wg_allowedips_lookup_dst(const struct wg_allowedips *table,
					 const struct sk_buff *skb)
{
	return lookup(table, skb, &ip_hdr(skb)->daddr, &ipv6_hdr(skb)->daddr);
}

/**
 * wg_allowedips_lookup_src() - who may have sent a packet
 * @table: allowed IPs of the device
 * @skb: inner packet as for wg_allowedips_lookup_dst()
 *
 * Context: RCU or BH off; the result is valid as long.
 * Return: the peer that the inner source belongs to, with no reference taken;
 *	NULL if there is none, or if this is no IP packet.
 */
struct wg_peer *wg_allowedips_lookup_src(const struct wg_allowedips *table,
					 const struct sk_buff *skb)
{
	return lookup(table, skb, &ip_hdr(skb)->saddr, &ipv6_hdr(skb)->saddr);
}

/**
 * wg_allowedips_init() - begin with no allowed IPs
 * @table: allowed IPs of a new device
 *
 * Context: any.
 */
void wg_allowedips_init(struct wg_allowedips *table)
{
	RCU_INIT_POINTER(table->root4, NULL);
	RCU_INIT_POINTER(table->root6, NULL);
	table->seq = 1;
}

/**
 * wg_allowedips_free() - take all allowed IPs from all peers
 * @table: allowed IPs of the device; stays usable
 *
 * All peers are left with no entries. Readers find nothing from now on; those who
 * had found a peer before may go on using it for a grace period. For many entries
 * this is cheaper than wg_allowedips_remove_peer() for each peer.
 *
 * Context: Process context, device's update lock held; may sleep, and takes time
 *	by the number of entries.
 */
void wg_allowedips_free(struct wg_allowedips *table)
{
	struct wg_allowedips_node *root4 = writer_dereference(table->root4);
	struct wg_allowedips_node *root6 = writer_dereference(table->root6);

	if (!root4 && !root6)
		return;
	RCU_INIT_POINTER(table->root4, NULL);
	RCU_INIT_POINTER(table->root6, NULL);
	++table->seq;
	trie_dismantle(root4);
	trie_dismantle(root6);
}

/**
 * wg_allowedips_insert() - give a prefix to a peer
 * @table: allowed IPs of the peer's device
 * @family: AF_INET or AF_INET6
 * @addr: address in network order, 4 or 16 bytes, at any alignment; bits after
 *	the first @cidr are ignored
 * @cidr: length of the prefix in bits
 * @peer: its new owner, in whose list it comes last. It leaves whoever had it
 *	before. Takes no reference: a peer's entries must be removed, and a
 *	grace period must pass, before its memory goes
 *
 * Context: Process context, device's update lock held; may sleep.
 * Return: 0, -EINVAL for another family or too long a prefix, or -ENOMEM;
 *	nothing has changed if not 0.
 */
int wg_allowedips_insert(struct wg_allowedips *table, u16 family,
			 const void *addr, u8 cidr, struct wg_peer *peer)
{
	struct wg_prefix prefix;
	int ret;

	ret = wg_prefix_read(&prefix, family, addr, cidr);
	return ret ?: insert(table, &prefix, peer);
}

/**
 * wg_allowedips_remove() - take one prefix from a peer
 * @table: allowed IPs of the peer's device
 * @family: AF_INET or AF_INET6
 * @addr: address as for wg_allowedips_insert()
 * @cidr: length of the prefix in bits
 * @peer: its owner. Nothing happens if @peer does not own this very prefix
 *
 * Context: Process context, device's update lock held.
 * Return: 0, or -EINVAL for another family or too long a prefix.
 */
int wg_allowedips_remove(struct wg_allowedips *table, u16 family,
			 const void *addr, u8 cidr, struct wg_peer *peer)
{
	struct wg_prefix prefix;
	struct place place;
	int ret;

	ret = wg_prefix_read(&prefix, family, addr, cidr);
	if (ret)
		return ret;
	place_find(&place, table, &prefix);
	if (!place.exact || !peer ||
	    rcu_access_pointer(place.node->peer) != peer)
		return 0;
	entry_remove(table, place.node);
	++table->seq;
	return 0;
}

/**
 * wg_allowedips_remove_peer() - take all prefixes from a peer
 * @table: allowed IPs of the peer's device
 * @peer: left with none. Readers may go on using it for a grace period
 *
 * Context: Process context, device's update lock held; may sleep, and takes
 *	time by the number of the peer's entries.
 */
void wg_allowedips_remove_peer(struct wg_allowedips *table,
			       struct wg_peer *peer)
{
	struct wg_allowedips_entry *entry, *next;

	list_for_each_entry_safe(entry, next, &peer->allowedips, list) {
		entry_remove(table, &entry->node);
		++table->seq;
		cond_resched();
	}
}

/**
 * wg_allowedips_next() - go through a peer's entries in order of insertion
 * @peer: peer
 * @prev: the entry before, or NULL for the first. Whoever keeps it while the
 *	lock is not held must look at &wg_allowedips.seq before using it again
 *
 * Context: Device's update lock held.
 * Return: an entry for wg_allowedips_read(), or NULL after the last.
 */
struct wg_allowedips_node *wg_allowedips_next(const struct wg_peer *peer,
					      struct wg_allowedips_node *prev)
{
	struct list_head *next;

	next = prev ? node_list(prev)->next : peer->allowedips.next;
	if (next == &peer->allowedips)
		return NULL;
	return &list_entry(next, struct wg_allowedips_entry, list)->node;
}

/**
 * wg_allowedips_read() - what prefix an entry stands for
 * @node: entry
 * @addr: takes the address in network order: 4 bytes of it, or all 16
 * @cidr: takes the length of the prefix
 *
 * Context: Device's update lock held.
 * Return: AF_INET or AF_INET6.
 */
u16 wg_allowedips_read(const struct wg_allowedips_node *node, u8 addr[16],
		       u8 *cidr)
{
	struct wg_address address = node_address(node);

	*cidr = node->cidr;
	if (!node->v6) {
		put_unaligned_be32(address.hi >> 32, addr);
		return AF_INET;
	}
	put_unaligned_be64(address.hi, addr);
	put_unaligned_be64(address.lo, addr + 8);
	return AF_INET6;
}

/**
 * wg_allowedips_module_init() - make room for nodes
 *
 * Context: process, as the module is loaded.
 * Return: 0, or -ENOMEM with nothing to be undone.
 */
int __init wg_allowedips_module_init(void)
{
	static const char * const names[MAX_PIECES + 1] = {
		NULL, "wg_allowedips_1", "wg_allowedips_2", "wg_allowedips_3",
	};
	unsigned int i, size;

	for (i = 1; i <= MAX_PIECES; ++i) {
		size = sizeof(struct wg_allowedips_node) + i * PIECE;
		node_caches[i] = kmem_cache_create(names[i], size, 0, 0, NULL);
		if (!node_caches[i]) {
			wg_allowedips_module_exit();
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * wg_allowedips_module_exit() - undo wg_allowedips_module_init()
 *
 * Context: Process context, all tables freed; waits for their grace periods.
 */
void wg_allowedips_module_exit(void)
{
	unsigned int i;

	rcu_barrier();
	for (i = 1; i <= MAX_PIECES; ++i) {
		kmem_cache_destroy(node_caches[i]);
		node_caches[i] = NULL;
	}
}

#ifdef DEBUG
#include "selftest/allowedips.c"
#endif
