// SPDX-License-Identifier: GPL-2.0
/*
 * The part of the key exchange's self-test in which somebody misbehaves: he
 * alters, repeats, forges and overtakes messages, or takes keys and peers away.
 */

static const u8 zeros[WG_KEY_SIZE] __initconst;

static bool __init flipped_initiation(struct parties *p)
{
	size_t from = offsetof(struct wg_message_initiation, ephemeral);
	size_t to = offsetof(struct wg_message_initiation, macs);
	struct wg_message_initiation msg;
	bool ok = true;
	size_t i;

	if (!expect(make_initiation(p->to_responder, &msg), "initiation made"))
		return false;
	for (i = from; i < to; i += 7) {
		((u8 *)&msg)[i] ^= 1;
		ok &= expect(!takes_initiation(p->responder, &msg, FIXTURE_NOW),
			     "an altered initiation is dropped");
		((u8 *)&msg)[i] ^= 1;
	}
	/* X25519 does not look at this bit; the transcript does. */
	msg.ephemeral[WG_KEY_SIZE - 1] ^= 0x80;
	ok &= expect(!takes_initiation(p->responder, &msg, FIXTURE_NOW),
		     "an ephemeral key is taken in one form only");
	msg.ephemeral[WG_KEY_SIZE - 1] ^= 0x80;
	ok &= expect(is_wiped(&p->to_initiator->handshake) &&
		     !p->to_initiator->handshake.last_initiation,
		     "what was dropped left no trace");
	return ok & expect(takes_initiation(p->responder, &msg, FIXTURE_NOW),
			   "the unaltered initiation is taken");
}

static bool __init flipped_response(struct parties *p)
{
	size_t from = offsetof(struct wg_message_response, receiver_index);
	size_t to = offsetof(struct wg_message_response, macs);
	struct wg_message_response msg;
	bool ok = true;
	size_t i;

	if (!up_to_response(p, &msg))
		return false;
	for (i = from; i < to; i++) {
		((u8 *)&msg)[i] ^= 1;
		ok &= expect(!takes_response(p->initiator, &msg),
			     "an altered response is dropped");
		((u8 *)&msg)[i] ^= 1;
	}
	ok &= expect(p->to_responder->handshake.state ==
		     WG_HANDSHAKE_CREATED_INITIATION,
		     "what was dropped left no trace");
	return ok & expect(takes_response(p->initiator, &msg),
			   "the unaltered response is taken");
}

/* An initiation of another time, and with another ephemeral key. */
static bool __init initiation_at(struct parties *p, u8 seconds,
				 struct wg_message_initiation *msg)
{
	struct wg_identity *identity = &p->initiator->identity;
	u8 time[WG_TIMESTAMP_SIZE];
	u8 ephemeral[WG_KEY_SIZE];
	bool ok;

	memcpy(time, timestamp, sizeof(time));
	time[7] = seconds;
	memcpy(ephemeral, initiator_ephemeral, sizeof(ephemeral));
	ephemeral[8] ^= seconds;
	down_read(&identity->lock);
	ok = initiation_create(p->to_responder, msg, ephemeral, time);
	up_read(&identity->lock);
	return ok;
}

static bool __init replayed_initiation(struct parties *p)
{
	struct wg_message_initiation old, first, next;
	struct wg_device *wg = p->responder;
	u64 soon = FIXTURE_NOW + INITIATION_SPACING_NS;

	if (!expect(initiation_at(p, 1, &old) && initiation_at(p, 2, &first) &&
		    initiation_at(p, 3, &next), "initiations made"))
		return false;
	return expect(takes_initiation(wg, &first, FIXTURE_NOW), "first") &&
	       expect(!takes_initiation(wg, &first, soon), "no replay") &&
	       expect(!takes_initiation(wg, &old, soon), "nothing older") &&
	       expect(!takes_initiation(wg, &next, soon - 1), "not so soon") &&
	       expect(takes_initiation(wg, &next, soon), "not too late") &&
	       expect(!takes_initiation(wg, &first, soon * 2), "never again");
}

/* What was accepted stays accepted when keys are forgotten. */
static bool __init replay_after_clear(struct parties *p)
{
	struct wg_handshake *hs = &p->to_initiator->handshake;
	struct wg_message_initiation msg;

	if (!initiation_at(p, 1, &msg) ||
	    !expect(takes_initiation(p->responder, &msg, FIXTURE_NOW), "taken"))
		return false;
	wg_noise_handshake_clear(p->to_initiator);
	return expect(is_wiped(hs), "cleared") &&
	       expect(!memchr_inv(hs->static_static, 0, WG_KEY_SIZE) &&
		      !hs->static_generation, "cached DH forgotten") &&
	       expect_same(hs->preshared_key, preshared_key, WG_KEY_SIZE,
			   "psk kept") &&
	       expect_same(hs->remote_static, initiator_public, WG_KEY_SIZE,
			   "key kept") &&
	       expect(!takes_initiation(p->responder, &msg, FIXTURE_NOW * 2),
		      "no replay after clear");
}

/* An answer to the initiation in progress, to the index of the last session. */
static bool __init wrong_index(struct parties *p)
{
	struct wg_message_initiation second;
	struct wg_message_response msg;
	__le32 index;

	if (!up_to_response(p, &msg) ||
	    !expect(takes_response(p->initiator, &msg) &&
		    wg_noise_begin_session(p->to_responder), "session begun"))
		return false;
	index = keypair_of(p->to_responder)->index.index;
	if (!expect(initiation_at(p, 60, &second) &&
		    takes_initiation(p->responder, &second, FIXTURE_NOW * 2) &&
		    make_response(p->to_initiator, &msg), "response made"))
		return false;
	swap(index, msg.receiver_index);
	if (!expect(!takes_response(p->initiator, &msg), "a keypair's index"))
		return false;
	swap(index, msg.receiver_index);
	return expect(takes_response(p->initiator, &msg), "the right index");
}

static bool __init wrong_psk(struct parties *p)
{
	struct wg_message_response msg;

	p->to_initiator->handshake.preshared_key[0] ^= 1;
	return up_to_response(p, &msg) &&
	       expect(!takes_response(p->initiator, &msg), "psks must agree");
}

static bool __init set_key(struct wg_device *wg, const u8 *private_key)
{
	bool ok;

	down_write(&wg->identity.lock);
	ok = wg_identity_set(&wg->identity, private_key);
	up_write(&wg->identity.lock);
	return ok;
}

static bool __init peer_dh(struct wg_peer *peer, u8 secret[WG_KEY_SIZE])
{
	struct wg_identity *identity = &peer->device->identity;
	bool ok;

	down_read(&identity->lock);
	ok = wg_identity_peer_dh(peer, secret);
	up_read(&identity->lock);
	return ok;
}

/* The second call of each pair is answered from the cache. */
static bool __init cached_dh(struct parties *p)
{
	u8 first[WG_KEY_SIZE], second[WG_KEY_SIZE], other[WG_KEY_SIZE];

	return expect(peer_dh(p->to_initiator, first) &&
		      p->to_initiator->handshake.static_generation ==
		      p->responder->identity.generation &&
		      peer_dh(p->to_initiator, second) &&
		      !memcmp(first, second, WG_KEY_SIZE), "DH cached") &&
	       expect(peer_dh(p->to_responder, second) &&
		      !memcmp(first, second, WG_KEY_SIZE), "same DH") &&
	       expect(set_key(p->responder, first_key) &&
		      peer_dh(p->to_initiator, other) &&
		      memcmp(first, other, WG_KEY_SIZE), "another key's DH") &&
	       expect(set_key(p->responder, responder_private) &&
		      peer_dh(p->to_initiator, other) &&
		      !memcmp(first, other, WG_KEY_SIZE), "first key's DH");
}

/* To a device without a key, whose zeros anybody can compute with. */
static void __init forge_keyless(struct parties *p,
				 struct wg_message_initiation *msg)
{
	const u8 *sender = p->initiator->identity.public_key;
	struct wg_transcript t;

	wg_transcript_begin(&t, zeros);
	WARN_ON(!curve25519_generate_public(msg->ephemeral,
					    initiator_ephemeral));
	wg_transcript_ephemeral(&t, msg->ephemeral);
	WARN_ON(!wg_transcript_dh(&t, zeros, msg->ephemeral));
	wg_transcript_seal(&t, msg->static_sealed, sender, WG_KEY_SIZE);
	WARN_ON(!wg_transcript_dh(&t, zeros, sender));
	wg_transcript_seal(&t, msg->timestamp_sealed, timestamp,
			   WG_TIMESTAMP_SIZE);
}

static bool __init changed_identity(struct parties *p)
{
	struct wg_identity *identity = &p->responder->identity;
	struct wg_message_initiation msg, forged;

	forge_keyless(p, &forged);
	return expect(make_initiation(p->to_responder, &msg), "made") &&
	       expect(set_key(p->responder, first_key), "another key set") &&
	       expect(!(identity->private_key[0] & 7) &&
		      identity->private_key[31] >> 6 == 1, "key clamped") &&
	       expect(!takes_initiation(p->responder, &msg, FIXTURE_NOW),
		      "an initiation is for one identity only") &&
	       expect(!set_key(p->responder, zeros) &&
		      !identity->present, "zeros are no key") &&
	       expect(!wg_noise_consume_initiation(p->responder, &forged) &&
		      !wg_noise_create_initiation(p->to_initiator, &msg),
		      "no handshake without a key");
}

/* Whoever sends this knows the outcome of the first DH without any key. */
static void __init forge_ephemeral(struct parties *p, const u8 *point,
				   struct wg_message_initiation *msg)
{
	struct wg_transcript t;
	u8 secret[WG_KEY_SIZE];

	memcpy(msg->ephemeral, point, WG_KEY_SIZE);
	wg_transcript_begin(&t, p->responder->identity.public_key);
	wg_transcript_ephemeral(&t, msg->ephemeral);
	wg_transcript_secret(&t, zeros);
	wg_transcript_seal(&t, msg->static_sealed,
			   p->initiator->identity.public_key, WG_KEY_SIZE);
	peer_dh(p->to_responder, secret);
	wg_transcript_secret(&t, secret);
	wg_transcript_seal(&t, msg->timestamp_sealed, timestamp,
			   WG_TIMESTAMP_SIZE);
}

/* Whoever sends this says that he is a peer whose key is no key. */
static void __init forge_static(struct parties *p, const u8 *point,
				struct wg_message_initiation *msg)
{
	struct wg_transcript t;

	wg_transcript_begin(&t, p->responder->identity.public_key);
	WARN_ON(!curve25519_generate_public(msg->ephemeral,
					    initiator_ephemeral));
	wg_transcript_ephemeral(&t, msg->ephemeral);
	WARN_ON(!wg_transcript_dh(&t, initiator_ephemeral,
				  p->responder->identity.public_key));
	wg_transcript_seal(&t, msg->static_sealed, point, WG_KEY_SIZE);
	wg_transcript_secret(&t, zeros);
	wg_transcript_seal(&t, msg->timestamp_sealed, timestamp,
			   WG_TIMESTAMP_SIZE);
}

/* Whoever sends this has seen the initiation, but has no private key. */
static bool __init forge_response(struct parties *p, const u8 *point,
				  struct wg_message_response *msg)
{
	struct wg_handshake *hs = &p->to_responder->handshake;
	struct exchange x;

	if (!exchange_load(&x, hs, WG_HANDSHAKE_CREATED_INITIATION))
		return false;
	msg->receiver_index = hs->index.index;
	memcpy(msg->ephemeral, point, WG_KEY_SIZE);
	wg_transcript_ephemeral(&x.transcript, msg->ephemeral);
	wg_transcript_secret(&x.transcript, zeros);
	wg_transcript_secret(&x.transcript, zeros);
	wg_transcript_psk(&x.transcript, x.preshared_key);
	wg_transcript_seal(&x.transcript, msg->empty_sealed, NULL, 0);
	return true;
}

static bool __init forged_by_point(struct parties *p, const u8 *point)
{
	struct wg_message_initiation initiation;
	struct wg_message_response response;
	struct wg_peer *peer;
	u8 secret[WG_KEY_SIZE];
	bool ok;

	peer = fixture_peer(p->responder, point, NULL);
	if (!expect(peer, "a peer of low order can be configured"))
		return false;
	ok = expect(!wg_noise_create_initiation(peer, &initiation),
		    "no initiation to a peer of low order") &&
	     expect(!peer_dh(peer, secret) && !peer_dh(peer, secret),
		    "no DH with it, cached or not");
	forge_static(p, point, &initiation);
	ok &= expect(!takes_initiation(p->responder, &initiation, FIXTURE_NOW),
		     "no initiation from a peer of low order");
	forge_ephemeral(p, point, &initiation);
	ok &= expect(!takes_initiation(p->responder, &initiation, FIXTURE_NOW),
		     "no initiation with an ephemeral key of low order");
	ok &= expect(make_initiation(p->to_responder, &initiation) &&
		     forge_response(p, point, &response), "response forged");
	ok &= expect(!takes_response(p->initiator, &response),
		     "no response with an ephemeral key of low order");
	return ok & fixture_peer_free(peer);
}

static bool __init zero_dh(struct parties *p)
{
	bool ok = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(low_order); i++)
		ok &= forged_by_point(p, low_order[i]);
	return ok;
}

/* CVE-2026-99059: while the answer to one was computed, another was begun. */
static bool __init overtaken_initiation(struct parties *p)
{
	struct wg_handshake *hs = &p->to_responder->handshake;
	struct wg_message_initiation second;
	struct wg_message_response msg;
	u8 hash[WG_HASH_SIZE];
	struct exchange x;
	bool ok;

	if (!up_to_response(p, &msg) ||
	    !exchange_load(&x, hs, WG_HANDSHAKE_CREATED_INITIATION))
		return false;
	down_read(&p->initiator->identity.lock);
	ok = expect(response_read(&p->initiator->identity, &msg, &x), "read");
	up_read(&p->initiator->identity.lock);
	if (!ok || !initiation_at(p, 60, &second))
		return false;
	memcpy(hash, hs->hash, WG_HASH_SIZE);
	return expect(!response_accept(hs, &msg, &x), "overtaken by another") &&
	       expect(hs->state == WG_HANDSHAKE_CREATED_INITIATION &&
		      !memcmp(hash, hs->hash, WG_HASH_SIZE),
		      "which is as it was") &&
	       expect(takes_initiation(p->responder, &second, FIXTURE_NOW * 2),
		      "and is taken") &&
	       expect(make_response(p->to_initiator, &msg) &&
		      takes_response(p->initiator, &msg), "and answered");
}

/* The same at the other end. */
static bool __init overtaken_response(struct parties *p)
{
	struct wg_handshake *hs = &p->to_initiator->handshake;
	struct wg_message_initiation first, second;
	struct wg_message_response msg;
	struct exchange x;

	return initiation_at(p, 1, &first) && initiation_at(p, 2, &second) &&
	       takes_initiation(p->responder, &first, FIXTURE_NOW) &&
	       exchange_load(&x, hs, WG_HANDSHAKE_CONSUMED_INITIATION) &&
	       response_write(hs, &msg, responder_ephemeral, &x) &&
	       takes_initiation(p->responder, &second, FIXTURE_NOW * 2) &&
	       expect(!response_commit(p->to_initiator, &msg, &x),
		      "no response to an initiation that was overtaken") &&
	       expect(make_response(p->to_initiator, &msg) &&
		      takes_response(p->initiator, &msg), "but to the latest");
}

static bool __init dead_peers(struct parties *p)
{
	struct wg_message_initiation initiation;
	struct wg_message_response response;

	if (!up_to_response(p, &response) ||
	    !expect(takes_response(p->initiator, &response), "taken"))
		return false;
	p->to_responder->dead = true;
	p->to_initiator->dead = true;
	return expect(!wg_noise_begin_session(p->to_responder) &&
		      !wg_noise_begin_session(p->to_initiator),
		      "no session with a dead peer") &&
	       expect(!keypair_of(p->to_responder) &&
		      !keypair_of(p->to_initiator), "no keypair") &&
	       expect(!wg_noise_create_initiation(p->to_responder, &initiation),
		      "no initiation to a dead peer") &&
	       expect(!atomic_read(&p->initiator->indices.ht.nelems),
		      "no index for a dead peer");
}
