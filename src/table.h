/* SPDX-License-Identifier: GPL-2.0 */
/* Finding a peer by public key, a handshake or keypair by receiver index. */
#ifndef _WG_TABLE_H
#define _WG_TABLE_H

#include <linux/rhashtable.h>
#include <linux/siphash.h>
#include <linux/types.h>

#include "messages.h"

struct wg_peer;

/**
 * struct wg_peer_table - the peers of a device by static public key
 * @ht: rhashtable of &struct wg_peer through @table_node
 * @secret: SipHash key, random per device: a peer's key is its owner's choice,
 *	so without it whoever may add peers could make all of them collide
 *
 * Writers hold the device's update lock; readers hold RCU.
 */
struct wg_peer_table {
	struct rhashtable ht;
	siphash_key_t secret;
};

int wg_peer_table_init(struct wg_peer_table *table);
void wg_peer_table_destroy(struct wg_peer_table *table);
int wg_peer_table_add(struct wg_peer_table *table, struct wg_peer *peer);
void wg_peer_table_remove(struct wg_peer_table *table, struct wg_peer *peer);
struct wg_peer *wg_peer_table_get(struct wg_peer_table *table,
				  const u8 public_key[WG_KEY_SIZE]);

/**
 * enum wg_index_kind - what a receiver index stands for
 * @WG_INDEX_HANDSHAKE: a &struct wg_handshake
 * @WG_INDEX_KEYPAIR: a &struct wg_keypair
 */
enum wg_index_kind {
	WG_INDEX_HANDSHAKE,
	WG_INDEX_KEYPAIR,
};

/**
 * struct wg_index - one receiver index that is in use
 * @node: linkage in &struct wg_index_table; valid while @hashed
 * @index: the number on the wire, random, unique in the device
 * @kind: what the entry is embedded in
 * @hashed: in the table; changed only under the owner's lock
 * @peer: whose it is
 */
struct wg_index {
	struct rhash_head node;
	__le32 index;
	u8 kind;
	bool hashed;
	struct wg_peer *peer;
};

/**
 * struct wg_index_table - all receiver indices of a device
 * @ht: rhashtable of &struct wg_index by @index. The numbers are our own random
 *	ones, so no keyed hash is needed
 */
struct wg_index_table {
	struct rhashtable ht;
};

int wg_index_table_init(struct wg_index_table *table);
void wg_index_table_destroy(struct wg_index_table *table);
int wg_index_add(struct wg_index_table *table, struct wg_index *entry);
bool wg_index_replace(struct wg_index_table *table, struct wg_index *old,
		      struct wg_index *new);
void wg_index_remove(struct wg_index_table *table, struct wg_index *entry);
struct wg_index *wg_index_lookup(struct wg_index_table *table, __le32 index);

#ifdef DEBUG
bool wg_table_selftest(void);
#endif

#endif /* _WG_TABLE_H */
