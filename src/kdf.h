/* SPDX-License-Identifier: GPL-2.0 */
/* The hash functions of Noise: BLAKE2s, HMAC (RFC 2104) and HKDF (RFC 5869). */
#ifndef _WG_KDF_H
#define _WG_KDF_H

#include <linux/types.h>

#include "messages.h"

void wg_hash2(u8 out[WG_HASH_SIZE], const void *a, size_t a_len,
	      const void *b, size_t b_len);
void wg_mac(u8 out[WG_MAC_SIZE], const u8 *key, size_t key_len,
	    const void *data, size_t len);
void wg_kdf(u8 *out1, u8 *out2, u8 *out3, const u8 chaining_key[WG_HASH_SIZE],
	    const void *data, size_t len);

#ifdef DEBUG
bool wg_kdf_selftest(void);
#endif

#endif /* _WG_KDF_H */
