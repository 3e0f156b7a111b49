/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGKDF_H
#define WGKDF_H

#include <stddef.h>
#include <stdint.h>

/* The BLAKE2s hash of A followed by B. */
void hash2(uint8_t out[32], const void *a, size_t alen, const void *b,
	   size_t blen);

/* Keyed BLAKE2s of 16 bytes. */
void mac(uint8_t out[16], const void *key, size_t keylen, const void *data,
	 size_t len);

/* HKDF: COUNT keys of 32 bytes in a row. OUT may not overlap CHAIN. */
void kdf(uint8_t *out, int count, const uint8_t chain[32], const void *data,
	 size_t len);

#endif
