/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The wire: layouts and limits of the WireGuard protocol.
 *
 * WireGuard whitepaper (Donenfeld, NDSS 2017), sections 5.4 and 6. Everything
 * on the wire is little endian and unaligned in principle; every structure here
 * has natural alignment relative to the start of the UDP payload.
 */
#ifndef _WG_MESSAGES_H
#define _WG_MESSAGES_H

#include <crypto/blake2s.h>
#include <crypto/chacha20poly1305.h>
#include <crypto/curve25519.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/time.h>
#include <linux/types.h>

#define WG_KEY_SIZE		CURVE25519_KEY_SIZE
#define WG_HASH_SIZE		BLAKE2S_HASH_SIZE
#define WG_TAG_SIZE		CHACHA20POLY1305_AUTHTAG_SIZE
#define WG_MAC_SIZE		16
#define WG_COOKIE_SIZE		16
#define WG_COOKIE_NONCE_SIZE	XCHACHA20POLY1305_NONCE_SIZE
#define WG_TIMESTAMP_SIZE	12

/**
 * enum wg_message_type - what a message is (section 5.4)
 * @WG_MESSAGE_INITIATION: &struct wg_message_initiation
 * @WG_MESSAGE_RESPONSE: &struct wg_message_response
 * @WG_MESSAGE_COOKIE: &struct wg_message_cookie
 * @WG_MESSAGE_DATA: &struct wg_message_data
 *
 * Byte 0 of a message; bytes 1 to 3 are zero, so the four are one word.
 */
enum wg_message_type {
	WG_MESSAGE_INITIATION = 1,
	WG_MESSAGE_RESPONSE = 2,
	WG_MESSAGE_COOKIE = 3,
	WG_MESSAGE_DATA = 4,
};

/**
 * struct wg_message_macs - the end of a handshake message (section 5.4.4)
 * @mac1: over what is before it: the sender knows our public key
 * @mac2: over that and @mac1, with a cookie as its key, or zeros: the sender
 *	receives at its source
 */
struct wg_message_macs {
	u8 mac1[WG_MAC_SIZE];
	u8 mac2[WG_MAC_SIZE];
};

/**
 * struct wg_message_initiation - initiator to responder (section 5.4.2)
 * @type: &enum wg_message_type
 * @sender_index: what the responder is to address its answer to
 * @ephemeral: the initiator's key for this handshake
 * @static_sealed: its public key, encrypted
 * @timestamp_sealed: TAI64N, encrypted: an older one is a replay
 * @macs: see there
 */
struct wg_message_initiation {
	__le32 type;
	__le32 sender_index;
	u8 ephemeral[WG_KEY_SIZE];
	u8 static_sealed[WG_KEY_SIZE + WG_TAG_SIZE];
	u8 timestamp_sealed[WG_TIMESTAMP_SIZE + WG_TAG_SIZE];
	struct wg_message_macs macs;
};

/**
 * struct wg_message_response - responder to initiator (section 5.4.3)
 * @type: &enum wg_message_type
 * @sender_index: what the initiator is to address its data to
 * @receiver_index: the initiator's @sender_index
 * @ephemeral: the responder's key for this handshake
 * @empty_sealed: nothing, encrypted: the tag proves who it is
 * @macs: see there
 */
struct wg_message_response {
	__le32 type;
	__le32 sender_index;
	__le32 receiver_index;
	u8 ephemeral[WG_KEY_SIZE];
	u8 empty_sealed[WG_TAG_SIZE];
	struct wg_message_macs macs;
};

/**
 * struct wg_message_cookie - an answer under load (section 5.4.7)
 * @type: &enum wg_message_type
 * @receiver_index: the @sender_index of what it answers
 * @nonce: random
 * @cookie_sealed: a MAC of the source's address and port, encrypted
 */
struct wg_message_cookie {
	__le32 type;
	__le32 receiver_index;
	u8 nonce[WG_COOKIE_NONCE_SIZE];
	u8 cookie_sealed[WG_COOKIE_SIZE + WG_TAG_SIZE];
};

/**
 * struct wg_message_data - a packet (section 5.4.6)
 * @type: &enum wg_message_type
 * @receiver_index: the other side's number for the session
 * @counter: nonce, never used twice by one key
 * @sealed: inner packet and padding, encrypted, and a tag; or a tag alone
 */
struct wg_message_data {
	__le32 type;
	__le32 receiver_index;
	__le64 counter;
	u8 sealed[];
};

static_assert(sizeof(struct wg_message_initiation) == 148);
static_assert(sizeof(struct wg_message_response) == 92);
static_assert(sizeof(struct wg_message_cookie) == 64);
static_assert(sizeof(struct wg_message_data) == 16);

/* What a data message adds to its plaintext. */
#define WG_DATA_OVERHEAD	(sizeof(struct wg_message_data) + WG_TAG_SIZE)
/* An empty data message: the shortest message there is. */
#define WG_DATA_MIN_SIZE	WG_DATA_OVERHEAD
/* Plaintexts are padded with zeros to a multiple of this, up to the MTU. */
#define WG_PADDING		16

/* Room that any outer header in front of a message may need. */
#define WG_OUTER_HEADERS_V4	(20 + 8)
#define WG_OUTER_HEADERS_V6	(40 + 8)

/* Limits of section 6.1, in messages and in seconds. */
#define WG_REPLAY_WINDOW_BITS	8192
#define WG_REPLAY_WINDOW	(WG_REPLAY_WINDOW_BITS - BITS_PER_LONG)
#define WG_REKEY_AFTER_MESSAGES	BIT_ULL(60)
#define WG_REJECT_AFTER_MESSAGES (U64_MAX - WG_REPLAY_WINDOW - 1)
#define WG_REKEY_TIMEOUT	5
#define WG_REKEY_TIMEOUT_JITTER_MS 333
#define WG_REKEY_AFTER_TIME	120
#define WG_REJECT_AFTER_TIME	180
#define WG_KEEPALIVE_TIMEOUT	10
#define WG_REKEY_ATTEMPT_TIME	90
/* Counted retries before an initiator gives up. */
#define WG_MAX_HANDSHAKE_RETRIES (WG_REKEY_ATTEMPT_TIME / WG_REKEY_TIMEOUT)
#define WG_INITIATIONS_PER_SECOND 50
#define WG_COOKIE_LIFETIME	120
/* How much earlier than the giver the taker of a cookie lets go of it. */
#define WG_COOKIE_LATENCY	5

/* Limits of this implementation; as in stock, where users can see them. */
#define WG_MAX_STAGED_PACKETS	128
#define WG_MAX_QUEUED_HANDSHAKES 4096
#define WG_MAX_PEERS		BIT(20)
#define WG_DEFAULT_MTU		1420

/* DSCP AF41 with no ECN: handshakes overtake bulk data. */
#define WG_HANDSHAKE_DSCP	0x88

#endif /* _WG_MESSAGES_H */
