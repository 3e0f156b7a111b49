/* SPDX-License-Identifier: GPL-2.0 */
/* Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s: the key exchange. */
#ifndef _WG_NOISE_H
#define _WG_NOISE_H

#include <linux/rwsem.h>
#include <linux/types.h>

#include "identity.h"
#include "messages.h"
#include "table.h"

struct wg_device;
struct wg_peer;

/**
 * enum wg_handshake_state - how far a handshake has come
 * @WG_HANDSHAKE_ZEROED: there is none
 * @WG_HANDSHAKE_CREATED_INITIATION: we initiated
 * @WG_HANDSHAKE_CONSUMED_INITIATION: the peer initiated
 * @WG_HANDSHAKE_CREATED_RESPONSE: and we have answered
 * @WG_HANDSHAKE_CONSUMED_RESPONSE: we initiated, and the peer has answered
 */
enum wg_handshake_state {
	WG_HANDSHAKE_ZEROED,
	WG_HANDSHAKE_CREATED_INITIATION,
	WG_HANDSHAKE_CONSUMED_INITIATION,
	WG_HANDSHAKE_CREATED_RESPONSE,
	WG_HANDSHAKE_CONSUMED_RESPONSE,
};

/**
 * struct wg_handshake - a peer's handshake in progress, and what outlives it
 * @lock: guards all members but @remote_static
 * @state: how far it has come
 * @index: our receiver index while the handshake lasts
 * @remote_index: the other side's
 * @generation: counts the handshakes begun, so that who left @lock to compute
 *	can tell that what it computed for is still in progress (CVE-2026-99059)
 * @remote_static: the peer's static public key; never changes
 * @preshared_key: zero where there is none
 * @static_static: DH of both static keys, valid for @static_generation
 * @static_generation: &wg_identity.generation that @static_static was made
 *	from, 0 for none
 * @ephemeral_private: ours, while we wait for a response
 * @remote_ephemeral: the initiator's, while we make the response
 * @hash: the transcript hash
 * @chaining_key: the key derivation so far
 * @latest_timestamp: the greatest TAI64N accepted from the peer
 * @last_initiation: when its last accepted initiation came, boot time in ns
 *
 * wg_noise_handshake_clear() wipes everything but the configured keys and what
 * tells replays.
 */
struct wg_handshake {
	struct rw_semaphore lock;
	enum wg_handshake_state state;
	struct wg_index index;
	__le32 remote_index;
	u32 generation;
	u8 remote_static[WG_KEY_SIZE];
	u8 preshared_key[WG_KEY_SIZE];
	u8 static_static[WG_KEY_SIZE];
	u32 static_generation;
	u8 ephemeral_private[WG_KEY_SIZE];
	u8 remote_ephemeral[WG_KEY_SIZE];
	u8 hash[WG_HASH_SIZE];
	u8 chaining_key[WG_HASH_SIZE];
	u8 latest_timestamp[WG_TIMESTAMP_SIZE];
	u64 last_initiation;
};

void wg_noise_handshake_init(struct wg_peer *peer,
			     const u8 public_key[WG_KEY_SIZE],
			     const u8 preshared_key[WG_KEY_SIZE]);
void wg_noise_handshake_end(struct wg_peer *peer);
void wg_noise_handshake_clear(struct wg_peer *peer);

bool wg_noise_create_initiation(struct wg_peer *peer,
				struct wg_message_initiation *msg);
struct wg_peer *
wg_noise_consume_initiation(struct wg_device *wg,
			    const struct wg_message_initiation *msg);
bool wg_noise_create_response(struct wg_peer *peer,
			      struct wg_message_response *msg);
struct wg_peer *
wg_noise_consume_response(struct wg_device *wg,
			  const struct wg_message_response *msg);
bool wg_noise_begin_session(struct wg_peer *peer);

#ifdef DEBUG
bool wg_noise_selftest(void);
#endif

#endif /* _WG_NOISE_H */
