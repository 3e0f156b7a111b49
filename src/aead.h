/* SPDX-License-Identifier: GPL-2.0 */
/* ChaCha20-Poly1305 as data messages use it: RFC 8439, no associated data. */
#ifndef _WG_AEAD_H
#define _WG_AEAD_H

#include <linux/types.h>

#include "messages.h"

struct sk_buff;

void wg_aead_encrypt(u8 *dst, const u8 *src, size_t len, u64 nonce,
		     const u8 key[WG_KEY_SIZE]);
void wg_aead_encrypt_skb(u8 *dst, const struct sk_buff *src, int offset,
			 size_t len, size_t padded, u64 nonce,
			 const u8 key[WG_KEY_SIZE]);
bool __must_check wg_aead_decrypt(u8 *dst, const u8 *src, size_t len,
				  u64 nonce, const u8 key[WG_KEY_SIZE]);

#ifdef DEBUG
bool wg_aead_selftest(void);
#endif

#endif /* _WG_AEAD_H */
