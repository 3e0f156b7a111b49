// SPDX-License-Identifier: GPL-2.0
/* Transport keys: one session's pair of keys, and a peer's three slots. */
#include "keypair.h"

#include "device.h"
#include "handshake.h"
#include "peer.h"
#include "trace.h"

#include <linux/slab.h>
#include <linux/timekeeping.h>

static atomic64_t keypair_ids = ATOMIC64_INIT(0);

static struct wg_keypair *slot(struct wg_keypairs *keypairs,
			       struct wg_keypair __rcu *keypair)
{
	return rcu_dereference_protected(keypair,
					 lockdep_is_held(&keypairs->lock));
}

/**
 * wg_keypair_create() - an empty keypair for a peer
 * @peer: peer; the keypair takes a reference of its own
 *
 * Context: process; may sleep.
 * Return: a keypair with one reference, or NULL when out of memory.
 */
struct wg_keypair *wg_keypair_create(struct wg_peer *peer)
{
	struct wg_keypair *keypair = kzalloc(sizeof(*keypair), GFP_KERNEL);

	if (unlikely(!keypair))
		return NULL;
	keypair->id = atomic64_inc_return(&keypair_ids);
	keypair->index.kind = WG_INDEX_KEYPAIR;
	keypair->index.peer = wg_peer_get(peer);
	refcount_set(&keypair->refs, 1);
	wg_replay_init(&keypair->replay);
	pr_debug("%s: Keypair %llu created for peer %llu\n",
		 peer->device->dev->name, keypair->id, peer->id);
	trace_wg_keypair(keypair, "created");
	return keypair;
}

/**
 * wg_keypair_get() - take a reference to a keypair found under RCU
 * @keypair: keypair
 *
 * Context: RCU section in which it was found.
 * Return: false where it is going away already.
 */
bool wg_keypair_get(struct wg_keypair *keypair)
{
	return refcount_inc_not_zero(&keypair->refs);
}

static void keypair_free_rcu(struct rcu_head *rcu)
{
	kfree_sensitive(container_of(rcu, struct wg_keypair, rcu));
}

/**
 * wg_keypair_put() - give references back
 * @keypair: keypair
 * @refs: how many; a batch of packets gives back all of theirs at once
 *
 * The last one wipes it after a grace period. The peer's reference goes at
 * once: whoever finds the keypair by index after this fails to get it, and does
 * not look at the peer.
 *
 * Context: any.
 */
void wg_keypair_put(struct wg_keypair *keypair, unsigned int refs)
{
	struct wg_peer *peer;

	if (!keypair || !refcount_sub_and_test(refs, &keypair->refs))
		return;
	peer = keypair->index.peer;
	pr_debug("%s: Keypair %llu destroyed for peer %llu\n",
		 peer->device->dev->name, keypair->id, peer->id);
	trace_wg_keypair(keypair, "destroyed");
	call_rcu(&keypair->rcu, keypair_free_rcu);
	wg_peer_put(peer);
}

/**
 * wg_keypair_expired() - is a keypair older than so many seconds?
 * @keypair: keypair
 * @secs: seconds, boot time: a suspended machine's keys age too
 *
 * Context: any.
 * Return: true if it is.
 */
bool wg_keypair_expired(const struct wg_keypair *keypair, unsigned int secs)
{
	return (s64)(keypair->birthdate + (u64)secs * NSEC_PER_SEC) <=
	       (s64)ktime_get_coarse_boottime_ns();
}

/**
 * wg_keypair_stop_sending() - a keypair seals nothing more
 * @keypair: keypair, or NULL
 *
 * Context: any.
 */
void wg_keypair_stop_sending(struct wg_keypair *keypair)
{
	if (!keypair || !READ_ONCE(keypair->sending_valid))
		return;
	WRITE_ONCE(keypair->sending_valid, false);
	trace_wg_keypair(keypair, "expired");
}

/* Takes a keypair out of use: not to be found by index, its slot's ref gone. */
static void retire(struct wg_peer *peer, struct wg_keypair *keypair)
{
	if (!keypair)
		return;
	wg_index_remove(&peer->device->indices, &keypair->index);
	wg_keypair_put(keypair, 1);
}

/**
 * wg_keypair_install() - put new keys into a peer's slots
 * @peer: peer
 * @keypair: the keys; the slot takes over the caller's reference
 *
 * An initiator knows that the responder has the keys and sends with them at
 * once; what it sent with so far becomes previous_keypair. A responder must not
 * send before the initiator has, so its new keys wait in next_keypair.
 *
 * Context: process.
 */
void wg_keypair_install(struct wg_peer *peer, struct wg_keypair *keypair)
{
	struct wg_keypairs *keypairs = &peer->keypairs;
	struct wg_keypair *previous, *next, *current_keypair;

	spin_lock_bh(&keypairs->lock);
	previous = slot(keypairs, keypairs->previous_keypair);
	next = slot(keypairs, keypairs->next_keypair);
	current_keypair = slot(keypairs, keypairs->current_keypair);
	if (keypair->initiator) {
		/*
		 * A pending next one is newer than the current; and as the other
		 * side's session from it may carry data any moment, it is the
		 * one to keep.
		 */
		if (next) {
			RCU_INIT_POINTER(keypairs->next_keypair, NULL);
			rcu_assign_pointer(keypairs->previous_keypair, next);
			retire(peer, current_keypair);
		} else {
			rcu_assign_pointer(keypairs->previous_keypair,
					   current_keypair);
		}
		rcu_assign_pointer(keypairs->current_keypair, keypair);
	} else {
		rcu_assign_pointer(keypairs->next_keypair, keypair);
		RCU_INIT_POINTER(keypairs->previous_keypair, NULL);
		retire(peer, next);
	}
	retire(peer, previous);
	spin_unlock_bh(&keypairs->lock);
}

/**
 * wg_keypair_promote() - the other side proved that it has a keypair
 * @peer: peer
 * @keypair: what an authentic packet was received with
 *
 * Context: BH off.
 * Return: true when @keypair was waiting for this and is the current one now.
 */
bool wg_keypair_promote(struct wg_peer *peer, struct wg_keypair *keypair)
{
	struct wg_keypairs *keypairs = &peer->keypairs;
	bool promoted = false;

	if (likely(keypair != rcu_access_pointer(keypairs->next_keypair)))
		return false;
	spin_lock_bh(&keypairs->lock);
	if (keypair == slot(keypairs, keypairs->next_keypair)) {
		struct wg_keypair *old = slot(keypairs,
					      keypairs->previous_keypair);

		rcu_assign_pointer(keypairs->previous_keypair,
				   slot(keypairs, keypairs->current_keypair));
		rcu_assign_pointer(keypairs->current_keypair, keypair);
		RCU_INIT_POINTER(keypairs->next_keypair, NULL);
		retire(peer, old);
		promoted = true;
	}
	spin_unlock_bh(&keypairs->lock);
	return promoted;
}

/**
 * wg_keypairs_clear() - forget all keys of a peer
 * @peer: peer
 *
 * Context: process or softirq. The memory is wiped once no packet uses it.
 */
void wg_keypairs_clear(struct wg_peer *peer)
{
	struct wg_keypairs *keypairs = &peer->keypairs;

	spin_lock_bh(&keypairs->lock);
	retire(peer, rcu_replace_pointer(keypairs->previous_keypair, NULL,
					 lockdep_is_held(&keypairs->lock)));
	retire(peer, rcu_replace_pointer(keypairs->current_keypair, NULL,
					 lockdep_is_held(&keypairs->lock)));
	retire(peer, rcu_replace_pointer(keypairs->next_keypair, NULL,
					 lockdep_is_held(&keypairs->lock)));
	spin_unlock_bh(&keypairs->lock);
}

/**
 * wg_keypairs_expire() - send nothing more with the keys that there are
 * @peer: peer
 *
 * For a changed private key, a VM that was forked and a device that goes down: what is
 * on its way is received still, the next packet sent begins a handshake, at once. One
 * that is under way ends.
 *
 * Context: process; may sleep.
 */
void wg_keypairs_expire(struct wg_peer *peer)
{
	struct wg_keypairs *keypairs = &peer->keypairs;

	wg_noise_handshake_clear(peer);
	wg_handshake_forget_sent(peer);
	spin_lock_bh(&keypairs->lock);
	wg_keypair_stop_sending(slot(keypairs, keypairs->current_keypair));
	wg_keypair_stop_sending(slot(keypairs, keypairs->next_keypair));
	spin_unlock_bh(&keypairs->lock);
}
