/* SPDX-License-Identifier: GPL-2.0 */
/* What both sides of a handshake compute: the symmetric state of Noise. */
#ifndef _WG_TRANSCRIPT_H
#define _WG_TRANSCRIPT_H

#include <linux/types.h>

#include "messages.h"

/**
 * struct wg_transcript - what both sides of a handshake have computed so far
 * @hash: over all that was sent, H in the whitepaper
 * @chaining_key: from all that was agreed on, C in the whitepaper
 * @key: seals the next item, kappa in the whitepaper
 */
struct wg_transcript {
	u8 hash[WG_HASH_SIZE];
	u8 chaining_key[WG_HASH_SIZE];
	u8 key[WG_KEY_SIZE];
};

void wg_transcript_module_init(void);

void wg_transcript_begin(struct wg_transcript *t,
			 const u8 responder_public[WG_KEY_SIZE]);
void wg_transcript_ephemeral(struct wg_transcript *t,
			     const u8 public_key[WG_KEY_SIZE]);
void wg_transcript_secret(struct wg_transcript *t,
			  const u8 secret[WG_KEY_SIZE]);
bool wg_transcript_dh(struct wg_transcript *t,
		      const u8 private_key[WG_KEY_SIZE],
		      const u8 public_key[WG_KEY_SIZE]);
void wg_transcript_psk(struct wg_transcript *t,
		       const u8 preshared_key[WG_KEY_SIZE]);
void wg_transcript_seal(struct wg_transcript *t, u8 *out, const u8 *in,
			size_t len);
bool wg_transcript_open(struct wg_transcript *t, u8 *out, const u8 *in,
			size_t len);

#endif /* _WG_TRANSCRIPT_H */
