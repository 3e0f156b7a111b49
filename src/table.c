// SPDX-License-Identifier: GPL-2.0
/*
 * The two hash tables of a device.
 *
 * Both are rhashtables: they follow their load in both directions, readers take
 * no lock, and a reader that an entry carries over into another chain, because
 * it was taken out and put back meanwhile, finds the wrong end marker there and
 * starts again. That is what lets an entry be used again with no grace period.
 */
#include "table.h"

#include "device.h"
#include "peer.h"

#include <linux/random.h>
#include <linux/string.h>

/**
 * struct peer_key - what the peers' rhashtable takes for a key
 * @public_key: the peer's
 * @secret: the table's, which hashing needs too
 */
struct peer_key {
	const u8 *public_key;
	const siphash_key_t *secret;
};

/*
 * The seed goes into the hash's key, not over its result: rhashtable rehashes
 * with a new one to break up a long chain, and must get another function by it.
 */
static u32 public_key_hash(const u8 *public_key, const siphash_key_t *secret,
			   u32 seed)
{
	siphash_key_t key = *secret;

	key.key[0] ^= seed;
	return siphash(public_key, WG_KEY_SIZE, &key);
}

static u32 peer_key_hash(const void *data, u32 len, u32 seed)
{
	const struct peer_key *key = data;

	return public_key_hash(key->public_key, key->secret, seed);
}

static u32 peer_hash(const void *data, u32 len, u32 seed)
{
	const struct wg_peer *peer = data;

	return public_key_hash(peer->handshake.remote_static,
			       &peer->device->peers.secret, seed);
}

/* Public keys are no secret, so an ordinary memcmp() will do. */
static int peer_compare(struct rhashtable_compare_arg *arg, const void *object)
{
	const struct peer_key *key = arg->key;
	const struct wg_peer *peer = object;

	return memcmp(key->public_key, peer->handshake.remote_static,
		      WG_KEY_SIZE);
}

static const struct rhashtable_params peer_params = {
	.key_len = sizeof(struct peer_key),
	.head_offset = offsetof(struct wg_peer, table_node),
	.min_size = 16,
	.automatic_shrinking = true,
	.hashfn = peer_key_hash,
	.obj_hashfn = peer_hash,
	.obj_cmpfn = peer_compare,
};

static const struct rhashtable_params index_params = {
	.key_len = sizeof_field(struct wg_index, index),
	.key_offset = offsetof(struct wg_index, index),
	.head_offset = offsetof(struct wg_index, node),
	.min_size = 16,
	.automatic_shrinking = true,
};

/**
 * wg_peer_table_init() - make an empty table of peers
 * @table: the &wg_device.peers of a new device
 *
 * Context: Process context.
 * Return: 0, or -ENOMEM.
 */
int wg_peer_table_init(struct wg_peer_table *table)
{
	get_random_bytes(&table->secret, sizeof(table->secret));
	return rhashtable_init(&table->ht, &peer_params);
}

/**
 * wg_peer_table_destroy() - free a table of peers
 * @table: table that wg_peer_table_init() has made, with no peers left
 *
 * Context: Process context; waits for a resize that is under way.
 */
void wg_peer_table_destroy(struct wg_peer_table *table)
{
	WARN_ON_ONCE(atomic_read(&table->ht.nelems));
	rhashtable_destroy(&table->ht);
}

/**
 * wg_peer_table_add() - let a peer be found by its public key
 * @table: the &wg_device.peers of @peer's device; takes no reference
 * @peer: peer with its key and device set; it must be taken out, and a grace
 *	period must pass, before its memory goes
 *
 * Context: Process context, device's update lock held.
 * Return: 0, -EEXIST if there is a peer of that key already, -ENOMEM, or -EBUSY
 *	if the table could not be grown in time.
 */
int wg_peer_table_add(struct wg_peer_table *table, struct wg_peer *peer)
{
	struct peer_key key = { peer->handshake.remote_static, &table->secret };

	return rhashtable_lookup_insert_key(&table->ht, &key, &peer->table_node,
					    peer_params);
}

/**
 * wg_peer_table_remove() - let a peer no longer be found
 * @table: table that may hold @peer
 * @peer: peer; readers may go on using it for a grace period. One that was
 *	never added, or was removed before, is left alone
 *
 * Context: Process context, device's update lock held.
 */
void wg_peer_table_remove(struct wg_peer_table *table, struct wg_peer *peer)
{
	rhashtable_remove_fast(&table->ht, &peer->table_node, peer_params);
}

/**
 * wg_peer_table_get() - find a peer by public key
 * @table: table of peers
 * @public_key: static public key
 *
 * Context: Any but hard interrupts.
 * Return: the peer with a reference that the caller must put, or NULL if there
 *	is none, or if it is about to be freed.
 */
struct wg_peer *wg_peer_table_get(struct wg_peer_table *table,
				  const u8 public_key[WG_KEY_SIZE])
{
	struct peer_key key = { public_key, &table->secret };
	struct wg_peer *peer;

	rcu_read_lock();
	peer = rhashtable_lookup(&table->ht, &key, peer_params);
	if (peer)
		peer = wg_peer_get_maybe_zero(peer);
	rcu_read_unlock();
	return peer;
}

/**
 * wg_index_table_init() - make an empty table of receiver indices
 * @table: the &wg_device.indices of a new device
 *
 * Context: Process context.
 * Return: 0, or -ENOMEM.
 */
int wg_index_table_init(struct wg_index_table *table)
{
	return rhashtable_init(&table->ht, &index_params);
}

/**
 * wg_index_table_destroy() - free a table of receiver indices
 * @table: table that wg_index_table_init() has made, with no entries left
 *
 * Context: Process context; waits for a resize that is under way.
 */
void wg_index_table_destroy(struct wg_index_table *table)
{
	WARN_ON_ONCE(atomic_read(&table->ht.nelems));
	rhashtable_destroy(&table->ht);
}

/**
 * wg_index_add() - choose a number for an entry and let it be found
 * @table: table of the entry's device
 * @entry: entry with @kind and @peer set; its memory must outlast a grace
 *	period after it was taken out. If it is in the table already, it leaves
 *	it first and gets another number, so that answers to the old one are not
 *	heard
 *
 * The number is random, so nobody can predict which one will be heard. A table
 * of 2^20 peers uses 2^22 of the 2^32 numbers at most, so that one try in a
 * thousand hits a number in use.
 *
 * Context: Process context or BH, owner's lock held.
 * Return: 0, or -ENOMEM or -EBUSY with @entry not in the table.
 */
int wg_index_add(struct wg_index_table *table, struct wg_index *entry)
{
	int ret;

	wg_index_remove(table, entry);
	do {
		/*
		 * A reader that still stands on the entry may compare the old
		 * number or the new one, and gets the same entry by both. What
		 * the entry is good for is decided under its owner's lock.
		 */
		WRITE_ONCE(entry->index, (__force __le32)get_random_u32());
		ret = rhashtable_lookup_insert_fast(&table->ht, &entry->node,
						    index_params);
	} while (ret == -EEXIST);
	entry->hashed = !ret;
	return ret;
}

/**
 * wg_index_replace() - hand an entry's number over to another entry
 * @table: table of the entries' device
 * @old: entry that has a number; loses its place
 * @new: entry with @kind and @peer set that is not in the table; takes its
 *	place
 *
 * Readers find the one or the other and never neither. The number may have been
 * withdrawn in the meantime; whether it has is decided by @old's lock (a bug
 * that was published asked before it had the lock).
 *
 * Context: Process context or BH, @old's owner's lock held, @new still private.
 * Return: true, or false if @old was not in the table any more; @new is not put
 *	there then.
 */
bool wg_index_replace(struct wg_index_table *table, struct wg_index *old,
		      struct wg_index *new)
{
	if (!old->hashed)
		return false;
	new->index = old->index;
	if (WARN_ON_ONCE(rhashtable_replace_fast(&table->ht, &old->node,
						 &new->node, index_params)))
		return false;
	old->hashed = false;
	new->hashed = true;
	return true;
}

/**
 * wg_index_remove() - let a number no longer be found
 * @table: table of the entry's device
 * @entry: entry; left alone if it is not in the table. Readers may go on using
 *	it for a grace period
 *
 * Context: Process context or BH, owner's lock held.
 */
void wg_index_remove(struct wg_index_table *table, struct wg_index *entry)
{
	if (!entry->hashed)
		return;
	rhashtable_remove_fast(&table->ht, &entry->node, index_params);
	entry->hashed = false;
}

/**
 * wg_index_lookup() - find what a receiver index stands for
 * @table: table of the device that the packet came to
 * @index: number off the wire
 *
 * Context: BH off or RCU; the result is valid as long.
 * Return: the entry with no reference taken, or NULL.
 */
struct wg_index *wg_index_lookup(struct wg_index_table *table, __le32 index)
{
	return rhashtable_lookup_fast(&table->ht, &index, index_params);
}

#ifdef DEBUG
#include "selftest/table.c"
#endif
