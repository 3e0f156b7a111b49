/* SPDX-License-Identifier: GPL-2.0 */
/* A peer: everything that a device knows of one other end. */
#ifndef _WG_PEER_H
#define _WG_PEER_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable-types.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "cookie.h"
#include "endpoint.h"
#include "keypair.h"
#include "noise.h"
#include "ordered.h"
#include "stage.h"
#include "timers.h"

struct wg_device;

/**
 * struct wg_peer - one other end
 * @device: whose peer it is; outlives it
 * @keypairs: its sessions
 * @endpoint: where it was last heard from, or was configured to be
 * @stage: packets that wait for a key, or for their turn
 * @tx_order: batches that workers seal, in order
 * @rx_order: batches that workers open, in order
 * @rx_bytes: authenticated bytes received, as on the wire
 * @tx_bytes: bytes sent likewise
 * @timers: the protocol's clocks
 * @handshake: the key exchange
 * @cookie: what it gave us against floods
 * @initiation_work: makes and sends an initiation; process context
 * @table_node: linkage in &wg_device.peers
 * @list: linkage in &wg_device.peer_list, or among those that are being removed;
 *	update lock
 * @allowedips: its nodes in &wg_device.allowedips; update lock
 * @id: a number for the log and the tracepoints, and to choose a NAPI by
 * @dead: removed; set once, under the update lock, before a grace period
 * @refs: references; the lists hold the first
 * @rcu: frees the memory
 */
struct wg_peer {
	struct wg_device *device;
	struct wg_keypairs keypairs;
	struct wg_endpoint_slot endpoint;
	struct wg_stage stage;
	struct wg_ordered tx_order;
	struct wg_ordered rx_order;
	atomic64_t rx_bytes;
	atomic64_t tx_bytes;
	struct wg_timers timers;
	struct wg_handshake handshake;
	struct wg_cookie cookie;
	struct work_struct initiation_work;
	struct rhash_head table_node;
	struct list_head list;
	struct list_head allowedips;
	u64 id;
	bool dead;
	struct kref refs;
	struct rcu_head rcu;
};

int wg_peer_module_init(void);
void wg_peer_module_exit(void);

void wg_peer_queue_work(struct wg_peer *peer, struct work_struct *work);
struct wg_peer *wg_peer_create(struct wg_device *wg,
			       const u8 public_key[WG_KEY_SIZE],
			       const u8 preshared_key[WG_KEY_SIZE]);
struct wg_peer *wg_peer_get_maybe_zero(struct wg_peer *peer);
void wg_peer_put(struct wg_peer *peer);
void wg_peer_unlink(struct wg_peer *peer, struct list_head *removed);
void wg_peer_unlink_all(struct wg_device *wg, struct list_head *removed);
void wg_peer_finish_removal(struct list_head *removed);
void wg_peer_remove(struct wg_peer *peer);
void wg_peer_remove_all(struct wg_device *wg);

/**
 * wg_peer_get() - take one more reference
 * @peer: peer that the caller holds a reference to already
 *
 * Return: @peer.
 */
static inline struct wg_peer *wg_peer_get(struct wg_peer *peer)
{
	kref_get(&peer->refs);
	return peer;
}

#endif /* _WG_PEER_H */
