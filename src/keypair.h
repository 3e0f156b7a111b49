/* SPDX-License-Identifier: GPL-2.0 */
/* Transport keys: one session's pair of keys, and a peer's three slots. */
#ifndef _WG_KEYPAIR_H
#define _WG_KEYPAIR_H

#include <linux/atomic.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "messages.h"
#include "replay.h"
#include "table.h"

struct wg_peer;

/**
 * struct wg_keypair - the two transport keys of one session
 * @index: our receiver index; the keypair inherits it from its handshake
 * @remote_index: the other side's receiver index, put into every packet sent
 * @initiator: we sent the initiation
 * @sending_valid: the sending key may still be used; cleared for good
 * @receiving_valid: likewise for the receiving key
 * @birthdate: when the keys were derived, ktime_get_coarse_boottime_ns()
 * @sending_key: encrypts what we send
 * @receiving_key: decrypts what we receive
 * @id: a number for the log
 * @refs: one each for the slot it is in, every packet that was let in
 *	(&wg_packet.keypair) and every &struct wg_item
 * @rcu: frees it once nobody can find it by index any more
 * @sending_counter: next nonce; on a cache line of its own as senders share it
 * @replay: counters received; on a cache line of its own likewise
 *
 * A keypair holds a reference to its peer (through @index.peer) for as long as
 * it lives, so whoever holds a keypair may use the peer.
 */
struct wg_keypair {
	struct wg_index index;
	__le32 remote_index;
	bool initiator;
	bool sending_valid;
	bool receiving_valid;
	u64 birthdate;
	u8 sending_key[WG_KEY_SIZE];
	u8 receiving_key[WG_KEY_SIZE];
	u64 id;
	refcount_t refs;
	struct rcu_head rcu;
	atomic64_t sending_counter ____cacheline_aligned_in_smp;
	struct wg_replay replay ____cacheline_aligned_in_smp;
};

/**
 * struct wg_keypairs - the sessions of a peer
 * @current_keypair: sends, and receives
 * @previous_keypair: receives what was in flight when @current_keypair took over
 * @next_keypair: a responder's new keys, until the first packet proves that the
 *	initiator has them too
 * @lock: serialises changes; readers hold RCU-bh
 */
struct wg_keypairs {
	struct wg_keypair __rcu *current_keypair;
	struct wg_keypair __rcu *previous_keypair;
	struct wg_keypair __rcu *next_keypair;
	spinlock_t lock; /* changes, see above */
};

struct wg_keypair *wg_keypair_create(struct wg_peer *peer);
bool wg_keypair_get(struct wg_keypair *keypair);
void wg_keypair_put(struct wg_keypair *keypair, unsigned int refs);
void wg_keypair_stop_sending(struct wg_keypair *keypair);
bool wg_keypair_expired(const struct wg_keypair *keypair, unsigned int secs);
void wg_keypair_install(struct wg_peer *peer, struct wg_keypair *keypair);
bool wg_keypair_promote(struct wg_peer *peer, struct wg_keypair *keypair);
void wg_keypairs_clear(struct wg_peer *peer);
void wg_keypairs_expire(struct wg_peer *peer);

#endif /* _WG_KEYPAIR_H */
