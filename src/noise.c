// SPDX-License-Identifier: GPL-2.0
/*
 * The key exchange, whitepaper sections 5.4.2 to 5.4.5:
 *
 *	initiation	e, es, s, ss, {timestamp}
 *	response	e, ee, se, psk, {}
 *
 * Each of the four steps runs in three acts. It copies what it needs out of the
 * handshake under its lock; it computes, which takes very much longer, with no
 * handshake locked; it commits the outcome under the lock, if what it copied is
 * still in progress. The generation tells: state alone gets back to one value
 * with each attempt, and an answer to an abandoned ephemeral key would be
 * mixed into its successor (CVE-2026-99059).
 *
 * The identity is read-locked for a whole step, so that none sees two of them.
 */

#include "noise.h"
#include "device.h"
#include "peer.h"
#include "table.h"
#include "transcript.h"

#include <linux/align.h>
#include <linux/lockdep.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/unaligned.h>

/* What TAI64 calls the moment that is 0 in Unix time. */
#define TAI64_UNIX_EPOCH	0x400000000000000aULL
/*
 * Timestamps tell the sender's clock to its peers, so they are coarse; but two
 * initiations that are far enough apart to be accepted must still differ.
 */
#define TIMESTAMP_GRAIN_NS	BIT(24)
#define INITIATION_SPACING_NS	(NSEC_PER_SEC / WG_INITIATIONS_PER_SECOND)

static_assert(TIMESTAMP_GRAIN_NS < INITIATION_SPACING_NS);

/**
 * struct exchange - a step's own copy of the handshake that it works on
 * @transcript: how far it has come
 * @ephemeral_private: as in &struct wg_handshake
 * @remote_ephemeral: as in &struct wg_handshake
 * @preshared_key: as in &struct wg_handshake
 * @remote_index: as in &struct wg_handshake
 * @generation: which handshake this is a copy of
 */
struct exchange {
	struct wg_transcript transcript;
	u8 ephemeral_private[WG_KEY_SIZE];
	u8 remote_ephemeral[WG_KEY_SIZE];
	u8 preshared_key[WG_KEY_SIZE];
	__le32 remote_index;
	u32 generation;
};

/**
 * wg_noise_handshake_init() - set up a new peer's handshake
 * @peer: the peer, zeroed, with @device set; nobody else may know it yet
 * @public_key: its static public key; one of low order is taken, as
 *	configuration does not fail, but no handshake with it gets anywhere
 * @preshared_key: symmetric key shared with it, or NULL
 *
 * Context: process.
 */
void wg_noise_handshake_init(struct wg_peer *peer,
			     const u8 public_key[WG_KEY_SIZE],
			     const u8 preshared_key[WG_KEY_SIZE])
{
	struct wg_handshake *hs = &peer->handshake;

	memset(hs, 0, sizeof(*hs));
	init_rwsem(&hs->lock);
	hs->index.kind = WG_INDEX_HANDSHAKE;
	hs->index.peer = peer;
	memcpy(hs->remote_static, public_key, WG_KEY_SIZE);
	if (preshared_key)
		memcpy(hs->preshared_key, preshared_key, WG_KEY_SIZE);
}

/**
 * wg_noise_handshake_end() - end the exchange in progress, if there is one
 * @peer: the peer
 *
 * Its receiver index is free again, unless a keypair has taken it over, and all
 * its secrets are gone.
 *
 * Context: process; the handshake's lock is held for writing.
 */
void wg_noise_handshake_end(struct wg_peer *peer)
{
	struct wg_handshake *hs = &peer->handshake;

	lockdep_assert_held_write(&hs->lock);

	wg_index_remove(&peer->device->indices, &hs->index);
	memzero_explicit(hs->ephemeral_private, WG_KEY_SIZE);
	memzero_explicit(hs->remote_ephemeral, WG_KEY_SIZE);
	memzero_explicit(hs->hash, WG_HASH_SIZE);
	memzero_explicit(hs->chaining_key, WG_HASH_SIZE);
	hs->remote_index = 0;
	hs->state = WG_HANDSHAKE_ZEROED;
}

/**
 * wg_noise_handshake_clear() - forget the exchange in progress, if there is one
 * @peer: the peer; need not hold a reference beyond the call
 *
 * Its receiver index is free again and all its secrets are gone, the cached DH
 * of the static keys too. The configured keys stay, and so does the timestamp:
 * what was accepted once is a replay for as long as the peer exists.
 *
 * Once a peer is dead, this makes sure that no index and no keypair of it will
 * appear any more.
 *
 * Context: process; takes the handshake's lock.
 */
void wg_noise_handshake_clear(struct wg_peer *peer)
{
	struct wg_handshake *hs = &peer->handshake;

	down_write(&hs->lock);
	wg_noise_handshake_end(peer);
	memzero_explicit(hs->static_static, WG_KEY_SIZE);
	hs->static_generation = 0;
	up_write(&hs->lock);
}

/*
 * Gives the handshake a receiver index that nobody has seen yet. A dead peer
 * gets none: it has been unhashed for the last time; nor one whose device goes
 * down, which has said so before it clears the handshake under this lock. On
 * failure the exchange is over, as the index that it went by is gone.
 */
static bool handshake_renew_index(struct wg_peer *peer)
{
	struct wg_handshake *hs = &peer->handshake;

	lockdep_assert_held_write(&hs->lock);

	if (!READ_ONCE(peer->dead) && netif_running(peer->device->dev) &&
	    !wg_index_add(&peer->device->indices, &hs->index))
		return true;
	wg_noise_handshake_end(peer);
	return false;
}

static void handshake_store(struct wg_handshake *hs,
			    const struct wg_transcript *t,
			    enum wg_handshake_state state)
{
	memcpy(hs->hash, t->hash, WG_HASH_SIZE);
	memcpy(hs->chaining_key, t->chaining_key, WG_HASH_SIZE);
	hs->state = state;
}

/* Copies the exchange out if it is in @state; also tells which one it is. */
static bool exchange_load(struct exchange *x, struct wg_handshake *hs,
			  enum wg_handshake_state state)
{
	bool ok;

	down_read(&hs->lock);
	ok = hs->state == state;
	if (ok) {
		memcpy(x->transcript.hash, hs->hash, WG_HASH_SIZE);
		memcpy(x->transcript.chaining_key, hs->chaining_key,
		       WG_HASH_SIZE);
		memcpy(x->ephemeral_private, hs->ephemeral_private,
		       WG_KEY_SIZE);
		memcpy(x->remote_ephemeral, hs->remote_ephemeral, WG_KEY_SIZE);
		memcpy(x->preshared_key, hs->preshared_key, WG_KEY_SIZE);
		x->remote_index = hs->remote_index;
		x->generation = hs->generation;
	}
	up_read(&hs->lock);
	return ok;
}

/* Is what @x was copied from still in progress, and as far as it was? */
static bool exchange_is_current(const struct exchange *x,
				const struct wg_handshake *hs,
				enum wg_handshake_state state)
{
	lockdep_assert_held_write(&hs->lock);

	return hs->state == state && hs->generation == x->generation;
}

static bool transcript_statics(struct wg_transcript *t, struct wg_peer *peer)
{
	u8 secret[WG_KEY_SIZE];
	bool ok;

	ok = wg_identity_peer_dh(peer, secret);
	if (ok)
		wg_transcript_secret(t, secret);
	memzero_explicit(secret, sizeof(secret));
	return ok;
}

/* TAI64N: seconds and nanoseconds, big endian, so that memcmp() orders them. */
static void timestamp_now(u8 timestamp[WG_TIMESTAMP_SIZE])
{
	struct timespec64 now;

	ktime_get_real_ts64(&now);
	put_unaligned_be64(TAI64_UNIX_EPOCH + now.tv_sec, timestamp);
	put_unaligned_be32(ALIGN_DOWN(now.tv_nsec, TIMESTAMP_GRAIN_NS),
			   timestamp + sizeof(__be64));
}

/* Must not be called with a lock held, as it may wait for entropy. */
static bool ephemeral_generate(u8 private_key[WG_KEY_SIZE])
{
	if (wait_for_random_bytes())
		return false;
	curve25519_generate_secret(private_key);
	return true;
}

/* Identity read-locked. Fills in all of @msg but the index and the macs. */
static bool initiation_write(struct wg_peer *peer,
			     struct wg_message_initiation *msg,
			     const u8 ephemeral[WG_KEY_SIZE],
			     const u8 timestamp[WG_TIMESTAMP_SIZE],
			     struct wg_transcript *t)
{
	const u8 *remote_static = peer->handshake.remote_static;
	const struct wg_identity *identity = &peer->device->identity;

	msg->type = cpu_to_le32(WG_MESSAGE_INITIATION);
	if (!curve25519_generate_public(msg->ephemeral, ephemeral))
		return false;

	wg_transcript_begin(t, remote_static);
	wg_transcript_ephemeral(t, msg->ephemeral);
	if (!wg_transcript_dh(t, ephemeral, remote_static))
		return false;
	wg_transcript_seal(t, msg->static_sealed, identity->public_key,
			   WG_KEY_SIZE);
	if (!transcript_statics(t, peer))
		return false;
	wg_transcript_seal(t, msg->timestamp_sealed, timestamp,
			   WG_TIMESTAMP_SIZE);
	return true;
}

/* A new initiation takes the place of whatever was in progress. */
static bool initiation_commit(struct wg_peer *peer,
			      struct wg_message_initiation *msg,
			      const u8 ephemeral[WG_KEY_SIZE],
			      const struct wg_transcript *t)
{
	struct wg_handshake *hs = &peer->handshake;
	bool ok;

	down_write(&hs->lock);
	ok = handshake_renew_index(peer);
	if (ok) {
		hs->generation++;
		hs->remote_index = 0;
		memcpy(hs->ephemeral_private, ephemeral, WG_KEY_SIZE);
		memzero_explicit(hs->remote_ephemeral, WG_KEY_SIZE);
		handshake_store(hs, t, WG_HANDSHAKE_CREATED_INITIATION);
		msg->sender_index = hs->index.index;
	}
	up_write(&hs->lock);
	return ok;
}

/* Identity read-locked. Chance and time come from outside, for self-tests. */
static bool initiation_create(struct wg_peer *peer,
			      struct wg_message_initiation *msg,
			      const u8 ephemeral[WG_KEY_SIZE],
			      const u8 timestamp[WG_TIMESTAMP_SIZE])
{
	struct wg_transcript t;
	bool ok;

	ok = initiation_write(peer, msg, ephemeral, timestamp, &t) &&
	     initiation_commit(peer, msg, ephemeral, &t);
	memzero_explicit(&t, sizeof(t));
	return ok;
}

/**
 * wg_noise_create_initiation() - make the first message of a handshake
 * @peer: whom to shake hands with; the caller holds a reference and makes one
 *	initiation at a time, or their timestamps might go out in wrong order
 * @msg: the message; all but the macs is filled in
 *
 * The handshake has a new receiver index then and waits for the response.
 * Whitepaper section 5.4.2.
 *
 * Context: process; may sleep, and waits for the random number generator.
 * Return: false if there is no private key, a key is of low order, the peer is
 *	dead or memory is short: there is nothing to send then.
 */
bool wg_noise_create_initiation(struct wg_peer *peer,
				struct wg_message_initiation *msg)
{
	struct wg_identity *identity = &peer->device->identity;
	u8 timestamp[WG_TIMESTAMP_SIZE];
	u8 ephemeral[WG_KEY_SIZE];
	bool ok;

	if (!ephemeral_generate(ephemeral))
		return false;
	timestamp_now(timestamp);

	down_read(&identity->lock);
	ok = identity->present &&
	     initiation_create(peer, msg, ephemeral, timestamp);
	up_read(&identity->lock);
	memzero_explicit(ephemeral, sizeof(ephemeral));
	return ok;
}

/*
 * Opens an initiation as far as needed to know who says that it is from him.
 * Identity read-locked. Returns a reference to the peer, or NULL.
 */
static struct wg_peer *
initiation_read_sender(struct wg_device *wg,
		       const struct wg_message_initiation *msg,
		       struct wg_transcript *t)
{
	const struct wg_identity *identity = &wg->identity;
	u8 remote_static[WG_KEY_SIZE];

	wg_transcript_begin(t, identity->public_key);
	wg_transcript_ephemeral(t, msg->ephemeral);
	if (!wg_transcript_dh(t, identity->private_key, msg->ephemeral) ||
	    !wg_transcript_open(t, remote_static, msg->static_sealed,
				WG_KEY_SIZE))
		return NULL;
	return wg_peer_table_get(&wg->peers, remote_static);
}

/*
 * Commits an authentic initiation, unless it is a replay or comes too soon
 * after the last. Both are judged under the same lock as the commitment, so
 * that of two copies on two CPUs only one wins.
 */
static bool initiation_accept(struct wg_handshake *hs,
			      const struct wg_message_initiation *msg,
			      const u8 timestamp[WG_TIMESTAMP_SIZE],
			      const struct wg_transcript *t, u64 now)
{
	bool ok;

	down_write(&hs->lock);
	ok = memcmp(timestamp, hs->latest_timestamp, WG_TIMESTAMP_SIZE) > 0 &&
	     (!hs->last_initiation ||
	      (s64)(now - hs->last_initiation) >= INITIATION_SPACING_NS);
	if (ok) {
		hs->generation++;
		hs->last_initiation = now;
		hs->remote_index = msg->sender_index;
		memcpy(hs->latest_timestamp, timestamp, WG_TIMESTAMP_SIZE);
		memcpy(hs->remote_ephemeral, msg->ephemeral, WG_KEY_SIZE);
		memzero_explicit(hs->ephemeral_private, WG_KEY_SIZE);
		handshake_store(hs, t, WG_HANDSHAKE_CONSUMED_INITIATION);
	}
	up_write(&hs->lock);
	return ok;
}

/* Identity read-locked. Returns a reference to the peer, or NULL. */
static struct wg_peer *
initiation_consume(struct wg_device *wg,
		   const struct wg_message_initiation *msg, u64 now)
{
	u8 timestamp[WG_TIMESTAMP_SIZE];
	struct wg_transcript t;
	struct wg_peer *peer;
	bool ok;

	peer = initiation_read_sender(wg, msg, &t);
	ok = peer && transcript_statics(&t, peer) &&
	     wg_transcript_open(&t, timestamp, msg->timestamp_sealed,
				WG_TIMESTAMP_SIZE) &&
	     initiation_accept(&peer->handshake, msg, timestamp, &t, now);
	memzero_explicit(&t, sizeof(t));
	if (peer && !ok)
		wg_peer_put(peer);
	return ok ? peer : NULL;
}

/**
 * wg_noise_consume_initiation() - take in the first message of a handshake
 * @wg: device that received it
 * @msg: the message; its macs have been checked
 *
 * Nothing changes unless the message is authentic, newer than all before it and
 * at least a fiftieth of a second after the last. It ends whatever exchange was
 * in progress; wg_noise_create_response() answers it. Whitepaper section 5.4.2.
 *
 * Context: process; may sleep.
 * Return: the peer it is from, with a reference for the caller; NULL if the
 *	message is to be dropped without a word.
 */
struct wg_peer *
wg_noise_consume_initiation(struct wg_device *wg,
			    const struct wg_message_initiation *msg)
{
	struct wg_peer *peer = NULL;

	down_read(&wg->identity.lock);
	if (wg->identity.present)
		peer = initiation_consume(wg, msg,
					  ktime_get_coarse_boottime_ns());
	up_read(&wg->identity.lock);
	return peer;
}

/* Fills in all of @msg but our index and the macs. */
static bool response_write(const struct wg_handshake *hs,
			   struct wg_message_response *msg,
			   const u8 ephemeral[WG_KEY_SIZE], struct exchange *x)
{
	struct wg_transcript *t = &x->transcript;

	msg->type = cpu_to_le32(WG_MESSAGE_RESPONSE);
	msg->receiver_index = x->remote_index;
	if (!curve25519_generate_public(msg->ephemeral, ephemeral))
		return false;

	wg_transcript_ephemeral(t, msg->ephemeral);
	if (!wg_transcript_dh(t, ephemeral, x->remote_ephemeral) ||
	    !wg_transcript_dh(t, ephemeral, hs->remote_static))
		return false;
	wg_transcript_psk(t, x->preshared_key);
	wg_transcript_seal(t, msg->empty_sealed, NULL, 0);
	return true;
}

static bool response_commit(struct wg_peer *peer,
			    struct wg_message_response *msg,
			    const struct exchange *x)
{
	struct wg_handshake *hs = &peer->handshake;
	bool ok;

	down_write(&hs->lock);
	ok = exchange_is_current(x, hs, WG_HANDSHAKE_CONSUMED_INITIATION) &&
	     handshake_renew_index(peer);
	if (ok) {
		memzero_explicit(hs->remote_ephemeral, WG_KEY_SIZE);
		handshake_store(hs, &x->transcript,
				WG_HANDSHAKE_CREATED_RESPONSE);
		msg->sender_index = hs->index.index;
	}
	up_write(&hs->lock);
	return ok;
}

/* As initiation_create(), for the response. */
static bool response_create(struct wg_peer *peer,
			    struct wg_message_response *msg,
			    const u8 ephemeral[WG_KEY_SIZE])
{
	struct wg_handshake *hs = &peer->handshake;
	struct exchange x;
	bool ok;

	ok = exchange_load(&x, hs, WG_HANDSHAKE_CONSUMED_INITIATION) &&
	     response_write(hs, msg, ephemeral, &x) &&
	     response_commit(peer, msg, &x);
	memzero_explicit(&x, sizeof(x));
	return ok;
}

/**
 * wg_noise_create_response() - answer an initiation
 * @peer: whose initiation was consumed; the caller holds a reference
 * @msg: the message; all but the macs is filled in
 *
 * wg_noise_begin_session() has to follow before @msg is sent, or the peer might
 * use keys that we do not have yet. Whitepaper section 5.4.3.
 *
 * Context: process; may sleep, and waits for the random number generator.
 * Return: false if the initiation is no longer the latest, a key is of low
 *	order, the peer is dead or memory is short: there is nothing to send.
 */
bool wg_noise_create_response(struct wg_peer *peer,
			      struct wg_message_response *msg)
{
	u8 ephemeral[WG_KEY_SIZE];
	bool ok;

	if (!ephemeral_generate(ephemeral))
		return false;
	ok = response_create(peer, msg, ephemeral);
	memzero_explicit(ephemeral, sizeof(ephemeral));
	return ok;
}

/* Returns a reference to the peer whose handshake has this index, or NULL. */
static struct wg_peer *handshake_lookup(struct wg_device *wg, __le32 index)
{
	struct wg_peer *peer = NULL;
	struct wg_index *entry;

	rcu_read_lock();
	entry = wg_index_lookup(&wg->indices, index);
	if (entry && entry->kind == WG_INDEX_HANDSHAKE)
		peer = wg_peer_get_maybe_zero(entry->peer);
	rcu_read_unlock();
	return peer;
}

/* Identity read-locked. */
static bool response_read(const struct wg_identity *identity,
			  const struct wg_message_response *msg,
			  struct exchange *x)
{
	struct wg_transcript *t = &x->transcript;

	wg_transcript_ephemeral(t, msg->ephemeral);
	if (!wg_transcript_dh(t, x->ephemeral_private, msg->ephemeral) ||
	    !wg_transcript_dh(t, identity->private_key, msg->ephemeral))
		return false;
	wg_transcript_psk(t, x->preshared_key);
	return wg_transcript_open(t, NULL, msg->empty_sealed, 0);
}

static bool response_accept(struct wg_handshake *hs,
			    const struct wg_message_response *msg,
			    const struct exchange *x)
{
	bool ok;

	down_write(&hs->lock);
	ok = exchange_is_current(x, hs, WG_HANDSHAKE_CREATED_INITIATION);
	if (ok) {
		hs->remote_index = msg->sender_index;
		memzero_explicit(hs->ephemeral_private, WG_KEY_SIZE);
		handshake_store(hs, &x->transcript,
				WG_HANDSHAKE_CONSUMED_RESPONSE);
	}
	up_write(&hs->lock);
	return ok;
}

/**
 * wg_noise_consume_response() - take in the second message of a handshake
 * @wg: device that received it
 * @msg: the message; its macs have been checked
 *
 * Nothing changes unless it is an authentic answer to the latest initiation;
 * wg_noise_begin_session() follows. Whitepaper section 5.4.3.
 *
 * Context: process; may sleep.
 * Return: the peer it is from, with a reference for the caller; NULL if the
 *	message is to be dropped without a word.
 */
struct wg_peer *wg_noise_consume_response(struct wg_device *wg,
					  const struct wg_message_response *msg)
{
	struct wg_peer *peer;
	struct exchange x;
	bool ok;

	peer = handshake_lookup(wg, msg->receiver_index);
	if (!peer)
		return NULL;

	down_read(&wg->identity.lock);
	ok = wg->identity.present &&
	     exchange_load(&x, &peer->handshake,
			   WG_HANDSHAKE_CREATED_INITIATION) &&
	     response_read(&wg->identity, msg, &x) &&
	     response_accept(&peer->handshake, msg, &x);
	up_read(&wg->identity.lock);
	memzero_explicit(&x, sizeof(x));
	if (!ok)
		wg_peer_put(peer);
	return ok ? peer : NULL;
}

#ifdef DEBUG
#include "selftest/noise.c"
#endif
