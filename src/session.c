// SPDX-License-Identifier: GPL-2.0
/* From a completed handshake to a keypair in use. */

#include "device.h"
#include "kdf.h"
#include "keypair.h"
#include "noise.h"
#include "peer.h"
#include "table.h"

#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/timekeeping.h>

/* The initiator sends with the first key, whitepaper section 5.4.5. */
static void session_derive(struct wg_keypair *keypair,
			   const struct wg_handshake *hs)
{
	u8 *first, *second;

	keypair->initiator = hs->state == WG_HANDSHAKE_CONSUMED_RESPONSE;
	first = keypair->initiator ? keypair->sending_key :
				     keypair->receiving_key;
	second = keypair->initiator ? keypair->receiving_key :
				      keypair->sending_key;
	wg_kdf(first, second, NULL, hs->chaining_key, NULL, 0);

	keypair->remote_index = hs->remote_index;
	keypair->birthdate = ktime_get_coarse_boottime_ns();
	keypair->sending_valid = true;
	keypair->receiving_valid = true;
}

/*
 * The index goes to the keypair before the keypair goes to its slot: whoever
 * empties the slots can then take the index out of the table as well. No packet
 * can find a keypair that is in no slot yet, as the other side learns of it
 * from the message that we send after this (responder), or may not use it
 * before our first packet (initiator).
 *
 * The RCU section is what the grace period between a peer's death, or the end of
 * its device's being up, and the clearing of its keypairs waits for.
 */
static bool session_install(struct wg_peer *peer, struct wg_keypair *keypair)
{
	bool ok;

	rcu_read_lock_bh();
	ok = !READ_ONCE(peer->dead) && netif_running(peer->device->dev) &&
	     wg_index_replace(&peer->device->indices, &peer->handshake.index,
			      &keypair->index);
	if (ok)
		wg_keypair_install(peer, keypair);
	rcu_read_unlock_bh();
	return ok;
}

/**
 * wg_noise_begin_session() - make transport keys of a completed handshake
 * @peer: the peer; the caller holds a reference
 *
 * The keypair takes over the handshake's receiver index, so that there is no
 * moment at which it belongs to nobody, and is installed as the peer's next or
 * current one. The handshake's secrets are gone afterwards, whatever is
 * returned.
 *
 * Context: process; takes the handshake's lock, may sleep.
 * Return: false if the handshake was not complete, the peer is dead or memory
 *	is short.
 */
bool wg_noise_begin_session(struct wg_peer *peer)
{
	struct wg_handshake *hs = &peer->handshake;
	struct wg_keypair *keypair;
	bool ok = false;

	down_write(&hs->lock);
	if (hs->state != WG_HANDSHAKE_CREATED_RESPONSE &&
	    hs->state != WG_HANDSHAKE_CONSUMED_RESPONSE)
		goto out;
	keypair = wg_keypair_create(peer);
	if (keypair) {
		session_derive(keypair, hs);
		ok = session_install(peer, keypair);
		if (!ok)
			wg_keypair_put(keypair, 1);
	}
	wg_noise_handshake_end(peer);
out:
	up_write(&hs->lock);
	return ok;
}
