// SPDX-License-Identifier: GPL-2.0
/* Hashes of the handshake: BLAKE2s after RFC 7693, as libsodium has no such thing. */
#include "wgkdf.h"

#include <stdbool.h>
#include <string.h>

struct blake2s {
	uint32_t h[8];
	uint64_t count;
	uint8_t block[64];
	size_t fill, outlen;
};

static const uint32_t blake2s_iv[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const uint8_t blake2s_sigma[10][16] = {
	{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
	{ 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
	{ 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 },
	{ 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
	{ 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 },
	{ 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
	{ 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 },
	{ 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
	{ 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 },
	{ 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 },
};

static uint32_t ror(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static void quarter(uint32_t *v, int a, int b, int c, int d, uint32_t x,
		    uint32_t y)
{
	v[a] += v[b] + x;
	v[d] = ror(v[d] ^ v[a], 16);
	v[c] += v[d];
	v[b] = ror(v[b] ^ v[c], 12);
	v[a] += v[b] + y;
	v[d] = ror(v[d] ^ v[a], 8);
	v[c] += v[d];
	v[b] = ror(v[b] ^ v[c], 7);
}

static void blake2s_compress(struct blake2s *s, bool last)
{
	uint32_t m[16], v[16];

	memcpy(m, s->block, 64);
	memcpy(v, s->h, 32);
	memcpy(v + 8, blake2s_iv, 32);
	v[12] ^= (uint32_t)s->count;
	v[13] ^= (uint32_t)(s->count >> 32);
	if (last)
		v[14] = ~v[14];
	for (int r = 0; r < 10; r++) {
		const uint8_t *g = blake2s_sigma[r];

		for (int i = 0; i < 4; i++)
			quarter(v, i, i + 4, i + 8, i + 12, m[g[2 * i]],
				m[g[2 * i + 1]]);
		for (int i = 0; i < 4; i++)
			quarter(v, i, (i + 1) % 4 + 4, (i + 2) % 4 + 8,
				(i + 3) % 4 + 12, m[g[8 + 2 * i]],
				m[g[9 + 2 * i]]);
	}
	for (int i = 0; i < 8; i++)
		s->h[i] ^= v[i] ^ v[i + 8];
}

static void blake2s_update(struct blake2s *s, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len--) {
		if (s->fill == 64) {
			s->count += 64;
			blake2s_compress(s, false);
			s->fill = 0;
		}
		s->block[s->fill++] = *p++;
	}
}

static void blake2s_init(struct blake2s *s, size_t outlen, const void *key,
			 size_t keylen)
{
	uint8_t padded[64] = { 0 };

	memset(s, 0, sizeof(*s));
	memcpy(s->h, blake2s_iv, 32);
	s->h[0] ^= 0x01010000 ^ keylen << 8 ^ outlen;
	s->outlen = outlen;
	if (keylen) {
		memcpy(padded, key, keylen);
		blake2s_update(s, padded, 64);
	}
}

static void blake2s_final(struct blake2s *s, uint8_t *out)
{
	s->count += s->fill;
	memset(s->block + s->fill, 0, 64 - s->fill);
	blake2s_compress(s, true);
	memcpy(out, s->h, s->outlen);
}

void hash2(uint8_t out[32], const void *a, size_t alen, const void *b,
	   size_t blen)
{
	struct blake2s s;

	blake2s_init(&s, 32, NULL, 0);
	blake2s_update(&s, a, alen);
	blake2s_update(&s, b, blen);
	blake2s_final(&s, out);
}

void mac(uint8_t out[16], const void *key, size_t keylen, const void *data,
	 size_t len)
{
	struct blake2s s;

	blake2s_init(&s, 16, key, keylen);
	blake2s_update(&s, data, len);
	blake2s_final(&s, out);
}

static void hmac(uint8_t out[32], const uint8_t key[32], const void *data,
		 size_t len)
{
	uint8_t pad[64], inner[32];

	for (int i = 0; i < 64; i++)
		pad[i] = (i < 32 ? key[i] : 0) ^ 0x36;
	hash2(inner, pad, 64, data, len);
	for (int i = 0; i < 64; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	hash2(out, pad, 64, inner, 32);
}

void kdf(uint8_t *out, int count, const uint8_t chain[32], const void *data,
	 size_t len)
{
	uint8_t prk[32], step[33];

	hmac(prk, chain, data, len);
	step[0] = 1;
	hmac(out, prk, step, 1);
	for (int i = 1; i < count; i++) {
		memcpy(step, out + 32 * (i - 1), 32);
		step[32] = i + 1;
		hmac(out + 32 * i, prk, step, 33);
	}
}
