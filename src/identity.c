// SPDX-License-Identifier: GPL-2.0
/* A device's static key, and what peers derive from it. */

#include "identity.h"
#include "device.h"
#include "peer.h"

#include <crypto/utils.h>
#include <linux/lockdep.h>
#include <linux/string.h>

static const u8 null_key[WG_KEY_SIZE];

/**
 * wg_identity_init() - set up a device's identity, without a key
 * @identity: the identity; nobody else may know it yet
 *
 * Context: process.
 */
void wg_identity_init(struct wg_identity *identity)
{
	memset(identity, 0, sizeof(*identity));
	init_rwsem(&identity->lock);
}

/**
 * wg_identity_clear() - take a device's key away
 * @identity: the identity; its lock is held for writing
 *
 * What peers have derived from the key is stale from here on. The caller wipes
 * the keys of the cookie checker with wg_cookie_checker_clear().
 *
 * Context: process.
 */
void wg_identity_clear(struct wg_identity *identity)
{
	lockdep_assert_held_write(&identity->lock);

	memzero_explicit(identity->private_key, WG_KEY_SIZE);
	memset(identity->public_key, 0, WG_KEY_SIZE);
	identity->present = false;
	/* 0 is the peers' word for "derived from no key". */
	if (!++identity->generation)
		identity->generation = 1;
}

/**
 * wg_identity_set() - give a device a key
 * @identity: the identity; its lock is held for writing
 * @private_key: the key; stored clamped
 *
 * No peer is looked at, however many there are: each derives what it needs when
 * it next shakes hands. The caller updates the cookie checker, with
 * wg_cookie_checker_set_keys() or wg_cookie_checker_clear() as this says.
 *
 * Context: process.
 * Return: false if there is no public key to @private_key, as for all zeros;
 *	then the device has no identity any more.
 */
bool wg_identity_set(struct wg_identity *identity,
		     const u8 private_key[WG_KEY_SIZE])
{
	wg_identity_clear(identity);
	if (!curve25519_generate_public(identity->public_key, private_key)) {
		memset(identity->public_key, 0, WG_KEY_SIZE);
		return false;
	}
	memcpy(identity->private_key, private_key, WG_KEY_SIZE);
	curve25519_clamp_secret(identity->private_key);
	identity->present = true;
	return true;
}

/**
 * wg_identity_peer_dh() - the DH of our static key and a peer's
 * @peer: the peer
 * @secret: the outcome
 *
 * It comes from a cache in the peer's handshake, filled when it is first needed
 * after a change of our key: so setting a private key costs the same with one
 * peer as with a million.
 *
 * Context: process; the identity's lock is held, the handshake's lock is not.
 * Return: false if the peer's key is of low order, which is remembered as well.
 */
bool wg_identity_peer_dh(struct wg_peer *peer, u8 secret[WG_KEY_SIZE])
{
	const struct wg_identity *identity = &peer->device->identity;
	struct wg_handshake *hs = &peer->handshake;
	bool cached, ok;

	lockdep_assert_held(&identity->lock);

	down_read(&hs->lock);
	cached = hs->static_generation == identity->generation;
	if (cached)
		memcpy(secret, hs->static_static, WG_KEY_SIZE);
	up_read(&hs->lock);
	if (cached)
		return crypto_memneq(secret, null_key, WG_KEY_SIZE);

	ok = curve25519(secret, identity->private_key, hs->remote_static);
	down_write(&hs->lock);
	memcpy(hs->static_static, ok ? secret : null_key, WG_KEY_SIZE);
	hs->static_generation = identity->generation;
	up_write(&hs->lock);
	return ok;
}
