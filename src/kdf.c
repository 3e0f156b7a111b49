// SPDX-License-Identifier: GPL-2.0
/*
 * The hash functions of Noise. They are here once so that nobody else has to
 * get the order of BLAKE2s' arguments right, which differs between kernels and
 * which the compiler cannot check; the self-test does.
 */

#include "kdf.h"

#include <linux/string.h>

/**
 * wg_hash2() - BLAKE2s-256 of two strings, one after the other
 * @out: the hash; may be @a or @b
 * @a: first string
 * @a_len: its length
 * @b: second string
 * @b_len: its length
 *
 * Context: any.
 */
void wg_hash2(u8 out[WG_HASH_SIZE], const void *a, size_t a_len,
	      const void *b, size_t b_len)
{
	struct blake2s_ctx ctx;

	blake2s_init(&ctx, WG_HASH_SIZE);
	blake2s_update(&ctx, a, a_len);
	blake2s_update(&ctx, b, b_len);
	blake2s_final(&ctx, out);
}

/**
 * wg_mac() - BLAKE2s-128 under a key: Mac() of the whitepaper
 * @out: the authenticator
 * @key: the key
 * @key_len: its length, 1 to 32
 * @data: what is authenticated
 * @len: its length
 *
 * Context: any.
 */
void wg_mac(u8 out[WG_MAC_SIZE], const u8 *key, size_t key_len,
	    const void *data, size_t len)
{
	blake2s(key, key_len, data, len, out, WG_MAC_SIZE);
}

/* One of the two layers of HMAC: the hash of the key, masked, and of @data. */
static void hmac_layer(u8 out[WG_HASH_SIZE], const u8 key[WG_HASH_SIZE],
		       u8 mask, const void *data, size_t len)
{
	u8 block[BLAKE2S_BLOCK_SIZE];
	size_t i;

	memset(block, mask, sizeof(block));
	for (i = 0; i < WG_HASH_SIZE; i++)
		block[i] ^= key[i];
	wg_hash2(out, block, sizeof(block), data, len);
	memzero_explicit(block, sizeof(block));
}

/* HMAC-BLAKE2s, RFC 2104, for keys as long as a hash. @out may be @data. */
static void hmac(u8 out[WG_HASH_SIZE], const u8 key[WG_HASH_SIZE],
		 const void *data, size_t len)
{
	u8 inner[WG_HASH_SIZE];

	hmac_layer(inner, key, 0x36, data, len);
	hmac_layer(out, key, 0x5c, inner, sizeof(inner));
	memzero_explicit(inner, sizeof(inner));
}

/**
 * wg_kdf() - derive up to three keys: KDF_n() of the whitepaper, RFC 5869
 * @out1: first key, &WG_HASH_SIZE bytes as the others; may be @chaining_key
 * @out2: second key, or NULL if only one is wanted
 * @out3: third key, or NULL if only two are wanted
 * @chaining_key: HKDF's salt
 * @data: HKDF's input keying material, or NULL
 * @len: length of @data
 *
 * Context: any.
 */
void wg_kdf(u8 *out1, u8 *out2, u8 *out3, const u8 chaining_key[WG_HASH_SIZE],
	    const void *data, size_t len)
{
	u8 *const outs[] = { out1, out2, out3 };
	u8 secret[WG_HASH_SIZE];
	u8 block[WG_HASH_SIZE + 1];
	size_t fed_back = 0;
	u8 i;

	hmac(secret, chaining_key, data, len);
	for (i = 0; i < ARRAY_SIZE(outs) && outs[i]; i++) {
		block[fed_back] = i + 1;
		hmac(block, secret, block, fed_back + 1);
		memcpy(outs[i], block, WG_HASH_SIZE);
		fed_back = WG_HASH_SIZE;
	}
	memzero_explicit(secret, sizeof(secret));
	memzero_explicit(block, sizeof(block));
}

#ifdef DEBUG
#include "selftest/kdf.c"
#endif
