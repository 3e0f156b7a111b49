// SPDX-License-Identifier: GPL-2.0
/*
 * What both sides of a handshake compute, message by message, from what is sent
 * and what is agreed on. Whitepaper section 5.4; functions work on their
 * arguments only and may be called in any context.
 */

#include "transcript.h"
#include "kdf.h"

#include <linux/cache.h>
#include <linux/init.h>
#include <linux/string.h>

static const char construction[] = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
static const char identifier[] = "WireGuard v1 zx2c4 Jason@zx2c4.com";

static struct wg_transcript initial __ro_after_init;

/**
 * wg_transcript_module_init() - compute what all handshakes begin with
 *
 * Context: process, once, before the first handshake.
 */
void __init wg_transcript_module_init(void)
{
	wg_hash2(initial.chaining_key, construction, strlen(construction),
		 NULL, 0);
	wg_hash2(initial.hash, initial.chaining_key, WG_HASH_SIZE,
		 identifier, strlen(identifier));
}

static void mix_hash(struct wg_transcript *t, const void *data, size_t len)
{
	wg_hash2(t->hash, t->hash, WG_HASH_SIZE, data, len);
}

/**
 * wg_transcript_begin() - begin a handshake
 * @t: the transcript
 * @responder_public: static key of the responder, which the initiator has to
 *	know beforehand
 *
 * Context: any.
 */
void wg_transcript_begin(struct wg_transcript *t,
			 const u8 responder_public[WG_KEY_SIZE])
{
	*t = initial;
	mix_hash(t, responder_public, WG_KEY_SIZE);
}

/**
 * wg_transcript_ephemeral() - mix an ephemeral key in that is sent in clear
 * @t: the transcript
 * @public_key: the key
 *
 * Context: any.
 */
void wg_transcript_ephemeral(struct wg_transcript *t,
			     const u8 public_key[WG_KEY_SIZE])
{
	mix_hash(t, public_key, WG_KEY_SIZE);
	wg_kdf(t->chaining_key, NULL, NULL, t->chaining_key,
	       public_key, WG_KEY_SIZE);
}

/**
 * wg_transcript_secret() - mix the outcome of a DH in
 * @t: the transcript
 * @secret: the outcome, which the caller has found not to be zero
 *
 * The whitepaper derives a key only where one is used. The chaining key is the
 * same either way.
 *
 * Context: any.
 */
void wg_transcript_secret(struct wg_transcript *t,
			  const u8 secret[WG_KEY_SIZE])
{
	wg_kdf(t->chaining_key, t->key, NULL, t->chaining_key,
	       secret, WG_KEY_SIZE);
}

/**
 * wg_transcript_dh() - do a DH and mix its outcome in
 * @t: the transcript
 * @private_key: one side's private key
 * @public_key: the other side's public key
 *
 * Context: any.
 * Return: false if @public_key is of low order. The outcome is known to
 *	everyone then, and the handshake must go no further.
 */
bool wg_transcript_dh(struct wg_transcript *t,
		      const u8 private_key[WG_KEY_SIZE],
		      const u8 public_key[WG_KEY_SIZE])
{
	u8 secret[WG_KEY_SIZE];
	bool ok;

	ok = curve25519(secret, private_key, public_key);
	if (ok)
		wg_transcript_secret(t, secret);
	memzero_explicit(secret, sizeof(secret));
	return ok;
}

/**
 * wg_transcript_psk() - mix the preshared key in
 * @t: the transcript
 * @preshared_key: the key, all zeros for none
 *
 * Context: any.
 */
void wg_transcript_psk(struct wg_transcript *t,
		       const u8 preshared_key[WG_KEY_SIZE])
{
	u8 tau[WG_HASH_SIZE];

	wg_kdf(t->chaining_key, tau, t->key, t->chaining_key,
	       preshared_key, WG_KEY_SIZE);
	mix_hash(t, tau, sizeof(tau));
	memzero_explicit(tau, sizeof(tau));
}

/**
 * wg_transcript_seal() - seal an item of a message and mix it in
 * @t: the transcript
 * @out: the item as sent, @len + &WG_TAG_SIZE bytes
 * @in: the item
 * @len: its length
 *
 * Context: any.
 */
void wg_transcript_seal(struct wg_transcript *t, u8 *out, const u8 *in,
			size_t len)
{
	chacha20poly1305_encrypt(out, in, len, t->hash, WG_HASH_SIZE, 0,
				 t->key);
	mix_hash(t, out, len + WG_TAG_SIZE);
}

/**
 * wg_transcript_open() - open an item of a message and mix it in
 * @t: the transcript
 * @out: the item
 * @in: the item as received, @len + &WG_TAG_SIZE bytes
 * @len: length of the item itself
 *
 * Context: any.
 * Return: false if it is not authentic: the handshake must go no further.
 */
bool wg_transcript_open(struct wg_transcript *t, u8 *out, const u8 *in,
			size_t len)
{
	if (!chacha20poly1305_decrypt(out, in, len + WG_TAG_SIZE, t->hash,
				      WG_HASH_SIZE, 0, t->key))
		return false;
	mix_hash(t, in, len + WG_TAG_SIZE);
	return true;
}
