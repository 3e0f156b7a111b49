/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _COMPAT_CRYPTO_BLAKE2S_H
#define _COMPAT_CRYPTO_BLAKE2S_H

#include_next <crypto/blake2s.h>

/*
 * Before 6.19: another name, and another order of arguments, which compilers
 * hardly tell from this one.
 */
#ifndef HAVE_BLAKE2S_CTX
#define blake2s_ctx blake2s_state

static inline void blake2s_keyed(const u8 *key, size_t keylen, const u8 *in,
				 size_t inlen, u8 *out, size_t outlen)
{
	blake2s(out, in, key, outlen, inlen, keylen);
}

#define blake2s blake2s_keyed
#endif

#endif /* _COMPAT_CRYPTO_BLAKE2S_H */
