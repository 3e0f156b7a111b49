/* SPDX-License-Identifier: GPL-2.0 */
/* A device's static key, and what peers derive from it. */
#ifndef _WG_IDENTITY_H
#define _WG_IDENTITY_H

#include <linux/rwsem.h>
#include <linux/types.h>

#include "messages.h"

struct wg_peer;

/**
 * struct wg_identity - a device's static key
 * @lock: guards all members; readers hold it for a whole handshake step. Taken
 *	inside the device's update lock and outside any handshake's lock
 * @private_key: zero while @present is false
 * @public_key: likewise
 * @generation: counts the changes of @private_key, so that what peers have
 *	derived from it can tell that it is stale
 * @present: a private key is set
 */
struct wg_identity {
	struct rw_semaphore lock;
	u8 private_key[WG_KEY_SIZE];
	u8 public_key[WG_KEY_SIZE];
	u32 generation;
	bool present;
};

void wg_identity_init(struct wg_identity *identity);
bool wg_identity_set(struct wg_identity *identity,
		     const u8 private_key[WG_KEY_SIZE]);
void wg_identity_clear(struct wg_identity *identity);
bool wg_identity_peer_dh(struct wg_peer *peer, u8 secret[WG_KEY_SIZE]);

#endif /* _WG_IDENTITY_H */
