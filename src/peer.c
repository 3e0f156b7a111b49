// SPDX-License-Identifier: GPL-2.0
/*
 * A peer: everything that a device knows of one other end.
 *
 * Removal. (1) The peer leaves the tables, so nobody finds it by key or address
 * any more, and says that it is dead. (2) One grace period for all that are
 * removed together, which is all that one netlink request names: who found it
 * before, sending or receiving, is done with it. Whoever gets to it later, through
 * the keypair of a packet that was queued, sees that it is dead, drops the packet
 * and arms nothing. (3) Its handshake and keys are wiped, after which no new keys
 * are installed (session.c looks at @dead under the handshake's lock), its timers are
 * stopped, its routes let go of. (4) What is left are references: queued packets
 * through their keypair, queued work, a netlink dump. The last one frees it after
 * another grace period, for those who look it up under RCU and fail to get a
 * reference.
 *
 * Packets in the engines' queues are finished or dropped when the whole device goes
 * (wg_engine.forget()), as they must not outlive it; for a single peer they are
 * only dropped when it is their turn.
 */
#include "peer.h"

#include "device.h"
#include "handshake.h"

#include <linux/netdevice.h>
#include <linux/sched.h>
#include <linux/slab.h>

static struct kmem_cache *peer_cache;
static atomic64_t peer_ids = ATOMIC64_INIT(0);

static void init_members(struct wg_peer *peer, struct wg_device *wg)
{
	peer->device = wg;
	peer->id = atomic64_inc_return(&peer_ids);
	spin_lock_init(&peer->keypairs.lock);
	wg_endpoint_slot_init(&peer->endpoint);
	wg_stage_init(peer);
	wg_ordered_init(&peer->tx_order);
	wg_ordered_init(&peer->rx_order);
	wg_timers_init(peer);
	wg_cookie_init(&peer->cookie);
	INIT_WORK(&peer->initiation_work, wg_handshake_initiation_worker);
	INIT_LIST_HEAD(&peer->list);
	INIT_LIST_HEAD(&peer->allowedips);
	kref_init(&peer->refs);
}

/**
 * wg_peer_queue_work() - have the device's workqueue do something for a peer
 * @peer: peer that the caller keeps
 * @work: one of its members; runs with a reference to the peer, which it puts.
 *	Nothing happens if it is queued already
 *
 * Context: any.
 */
void wg_peer_queue_work(struct wg_peer *peer, struct work_struct *work)
{
	wg_peer_get(peer);
	if (!queue_work(peer->device->handshake_wq, work))
		wg_peer_put(peer);
}

/**
 * wg_peer_create() - add a peer to a device
 * @wg: device
 * @public_key: its static public key, not that of another peer
 * @preshared_key: NULL or zeros for none
 *
 * Context: device's update lock held; may sleep.
 * Return: the peer, its reference the device's, or ERR_PTR(-ENOMEM), also at
 * WG_MAX_PEERS, or ERR_PTR(-EBUSY) as of wg_peer_table_add().
 */
struct wg_peer *wg_peer_create(struct wg_device *wg,
			       const u8 public_key[WG_KEY_SIZE],
			       const u8 preshared_key[WG_KEY_SIZE])
{
	struct wg_peer *peer;
	int ret;

	lockdep_assert_held(&wg->update_lock);
	if (wg->num_peers >= WG_MAX_PEERS)
		return ERR_PTR(-ENOMEM);
	peer = kmem_cache_zalloc(peer_cache, GFP_KERNEL);
	if (unlikely(!peer))
		return ERR_PTR(-ENOMEM);
	init_members(peer, wg);
	wg_noise_handshake_init(peer, public_key, preshared_key);
	ret = wg_peer_table_add(&wg->peers, peer);
	if (unlikely(ret)) {
		memzero_explicit(peer, sizeof(*peer));
		kmem_cache_free(peer_cache, peer);
		return ERR_PTR(ret);
	}
	list_add_tail(&peer->list, &wg->peer_list);
	wg->num_peers++;
	pr_debug("%s: Peer %llu created\n", wg->dev->name, peer->id);
	return peer;
}

/**
 * wg_peer_get_maybe_zero() - take a reference to a peer found under RCU
 * @peer: peer or NULL
 *
 * Context: RCU section in which it was found.
 * Return: @peer, or NULL where it is going away already.
 */
struct wg_peer *wg_peer_get_maybe_zero(struct wg_peer *peer)
{
	return peer && kref_get_unless_zero(&peer->refs) ? peer : NULL;
}

static void peer_free_rcu(struct rcu_head *rcu)
{
	struct wg_peer *peer = container_of(rcu, struct wg_peer, rcu);

	wg_endpoint_slot_destroy(&peer->endpoint);
	/* It had keys in it. */
	memzero_explicit(peer, sizeof(*peer));
	kmem_cache_free(peer_cache, peer);
}

static void peer_release(struct kref *refs)
{
	struct wg_peer *peer = container_of(refs, struct wg_peer, refs);

	pr_debug("%s: Peer %llu (%pISpfsc) destroyed\n",
		 peer->device->dev->name, peer->id,
		 &peer->endpoint.value.addr);
	wg_stage_purge(peer, WG_DROP_TX_CLOSED);
	call_rcu(&peer->rcu, peer_free_rcu);
}

/**
 * wg_peer_put() - give a reference back
 * @peer: peer or NULL
 *
 * Context: any.
 */
void wg_peer_put(struct wg_peer *peer)
{
	if (peer)
		kref_put(&peer->refs, peer_release);
}

/* Step 1 of the removal, all but its allowed IPs. */
static void unlink_peer(struct wg_peer *peer, struct list_head *removed)
{
	struct wg_device *wg = peer->device;

	list_move_tail(&peer->list, removed);
	wg->num_peers--;
	wg_peer_table_remove(&wg->peers, peer);
	WRITE_ONCE(peer->dead, true);
}

/* Steps 3 and 4, a grace period after step 1. */
static void finish_removal(struct wg_peer *peer)
{
	wg_noise_handshake_clear(peer);
	wg_keypairs_clear(peer);
	wg_timers_stop(peer);
	wg_endpoint_forget_routes(peer);
	wg_stage_purge(peer, WG_DROP_TX_CLOSED);
	wg_peer_put(peer);
}

/**
 * wg_peer_unlink() - begin to remove a peer from its device
 * @peer: peer; nobody finds it any more, but who has found it may still use it.
 *	Its key and its allowed IPs are free for another peer
 * @removed: list of peers that wg_peer_finish_removal() is to be called for
 *	before the lock is given back; takes over the device's reference
 *
 * Context: device's update lock held; may sleep.
 */
void wg_peer_unlink(struct wg_peer *peer, struct list_head *removed)
{
	struct wg_device *wg = peer->device;

	lockdep_assert_held(&wg->update_lock);
	wg_allowedips_remove_peer(&wg->allowedips, peer);
	unlink_peer(peer, removed);
}

/**
 * wg_peer_unlink_all() - begin to remove all peers of a device
 * @wg: device
 * @removed: as for wg_peer_unlink()
 *
 * Context: device's update lock held; may sleep.
 */
void wg_peer_unlink_all(struct wg_device *wg, struct list_head *removed)
{
	struct wg_peer *peer, *next;

	lockdep_assert_held(&wg->update_lock);
	wg_allowedips_free(&wg->allowedips);
	list_for_each_entry_safe(peer, next, &wg->peer_list, list) {
		unlink_peer(peer, removed);
		cond_resched();
	}
}

/**
 * wg_peer_finish_removal() - remove peers, in one grace period for all of them
 * @removed: peers after wg_peer_unlink(); left empty
 *
 * A netlink dump that stopped at one of them knows it by @dead, not by its list
 * linkage, as that is in use until the end.
 *
 * Context: update lock of the peers' device held; may sleep.
 */
void wg_peer_finish_removal(struct list_head *removed)
{
	struct wg_peer *peer, *next;

	if (list_empty(removed))
		return;
	synchronize_net();
	list_for_each_entry_safe(peer, next, removed, list) {
		list_del_init(&peer->list);
		finish_removal(peer);
		cond_resched();
	}
}

/**
 * wg_peer_remove() - remove a peer from its device
 * @peer: peer; gives back the device's reference
 *
 * Context: device's update lock held; may sleep.
 */
void wg_peer_remove(struct wg_peer *peer)
{
	LIST_HEAD(removed);

	wg_peer_unlink(peer, &removed);
	wg_peer_finish_removal(&removed);
}

/**
 * wg_peer_remove_all() - remove all peers of a device
 * @wg: device
 *
 * Context: device's update lock held; may sleep.
 */
void wg_peer_remove_all(struct wg_device *wg)
{
	LIST_HEAD(removed);

	wg_peer_unlink_all(wg, &removed);
	wg_peer_finish_removal(&removed);
}

/**
 * wg_peer_module_init() - make the cache that peers come from
 *
 * Context: process, as the module is loaded.
 * Return: 0 or -ENOMEM.
 */
int wg_peer_module_init(void)
{
	peer_cache = KMEM_CACHE(wg_peer, 0);
	return peer_cache ? 0 : -ENOMEM;
}

/**
 * wg_peer_module_exit() - end it
 *
 * Context: process; no peer or keypair is left but in RCU callbacks, which this waits
 * for.
 */
void wg_peer_module_exit(void)
{
	rcu_barrier();
	kmem_cache_destroy(peer_cache);
}
