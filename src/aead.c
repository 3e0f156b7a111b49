// SPDX-License-Identifier: GPL-2.0
/*
 * Sealing and opening of data messages, by the kernel's ChaCha20-Poly1305.
 *
 * The whitepaper's nonce (5.4.6) is the counter in little endian behind four
 * zero bytes, which is what the kernel makes of a 64-bit nonce.
 */
#include "aead.h"

#include <crypto/chacha20poly1305.h>
#include <linux/skbuff.h>
#include <linux/string.h>

/**
 * wg_aead_encrypt() - seal a plaintext
 * @dst: takes @len bytes of ciphertext and the tag of WG_TAG_SIZE bytes
 * @src: plaintext; may be @dst itself, but not overlap it otherwise
 * @len: bytes of plaintext
 * @nonce: counter, never used with @key before
 * @key: sending key
 *
 * Context: Any but hard interrupts. The vector code is at its best with BH off.
 */
void wg_aead_encrypt(u8 *dst, const u8 *src, size_t len, u64 nonce,
		     const u8 key[WG_KEY_SIZE])
{
	chacha20poly1305_encrypt(dst, src, len, NULL, 0, nonce, key);
}

/**
 * wg_aead_decrypt() - open a ciphertext
 * @dst: takes @len less WG_TAG_SIZE bytes of plaintext, if the tag is right;
 *	nothing is written otherwise
 * @src: ciphertext and tag; may be @dst itself, but not overlap it otherwise
 * @len: bytes of both, WG_TAG_SIZE at least
 * @nonce: counter that came with it
 * @key: receiving key
 *
 * Context: Any but hard interrupts. The vector code is at its best with BH off.
 * Return: true if the tag is right.
 */
bool wg_aead_decrypt(u8 *dst, const u8 *src, size_t len, u64 nonce,
		     const u8 key[WG_KEY_SIZE])
{
	return chacha20poly1305_decrypt(dst, src, len, NULL, 0, nonce, key);
}

/**
 * wg_aead_encrypt_skb() - seal what is in a packet, which stays as it is
 * @dst: takes @padded bytes of ciphertext and the tag of WG_TAG_SIZE bytes
 * @src: packet of any layout. Its bytes are only read; they may be a clone's,
 *	the page cache's, or a user's, who may even change them now
 * @offset: where in @src the plaintext begins
 * @len: bytes of it; @src has as many
 * @padded: bytes to seal, @len or more; zeros make up for the difference
 * @nonce: counter, never used with @key before
 * @key: sending key
 *
 * The bytes are copied and then sealed where they lie. To put ChaCha20 and
 * Poly1305 together piece by piece, straight from the packet's pages, was
 * measured too, and is slower by a tenth to a half, since each piece costs the
 * cipher a start and a partial block. Only what is in one piece and needs no
 * padding goes without the copy: that is worth a twentieth.
 *
 * Context: Any but hard interrupts. The vector code is at its best with BH off.
 */
void wg_aead_encrypt_skb(u8 *dst, const struct sk_buff *src, int offset,
			 size_t len, size_t padded, u64 nonce,
			 const u8 key[WG_KEY_SIZE])
{
	if (len == padded && offset + len <= skb_headlen(src)) {
		wg_aead_encrypt(dst, src->data + offset, len, nonce, key);
		return;
	}
	/*
	 * Memory of a device that the CPU cannot read does not come this way.
	 * If it did, the other end would get zeros, not what @dst held before.
	 */
	if (WARN_ON_ONCE(skb_copy_bits(src, offset, dst, len)))
		memset(dst, 0, len);
	memset(dst + len, 0, padded - len);
	wg_aead_encrypt(dst, dst, padded, nonce, key);
}

#ifdef DEBUG
#include "selftest/aead.c"
#endif
