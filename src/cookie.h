/* SPDX-License-Identifier: GPL-2.0 */
/* mac1, mac2, cookie replies: handshakes under a flood (whitepaper 5.4.7). */
#ifndef _WG_COOKIE_H
#define _WG_COOKIE_H

#include <linux/rwsem.h>
#include <linux/types.h>

#include "messages.h"

struct sk_buff;
struct wg_device;

/**
 * struct wg_cookie_checker - a device's side: checks macs, hands out cookies
 * @lock: guards @secret and @birthdate
 * @secret: what cookies are made from, replaced every two minutes
 * @birthdate: when @secret was made, boot time in ns
 * @cookie_key: seals cookie replies; from our public key
 * @mac1_key: checks mac1; from our public key. Both keys change with the
 *	identity, under its lock, and are read under it
 */
struct wg_cookie_checker {
	struct rw_semaphore lock;
	u8 secret[WG_HASH_SIZE];
	u64 birthdate;
	u8 cookie_key[WG_KEY_SIZE];
	u8 mac1_key[WG_KEY_SIZE];
};

/**
 * struct wg_cookie - a peer's side: the cookie it gave us
 * @lock: guards all members
 * @birthdate: when @cookie came, boot time in ns
 * @cookie: goes into mac2 while it is fresh
 * @last_mac1: mac1 of the last message we sent, which a reply must answer
 * @valid: there is a cookie
 * @awaits_reply: @last_mac1 is set and no reply to it has been taken yet
 *
 * The keys for mac1 and for opening replies are two hashes of the peer's public
 * key; they are made when needed, as a handshake costs a thousand times more.
 */
struct wg_cookie {
	struct rw_semaphore lock;
	u64 birthdate;
	u8 cookie[WG_COOKIE_SIZE];
	u8 last_mac1[WG_MAC_SIZE];
	bool valid;
	bool awaits_reply;
};

/**
 * enum wg_mac_verdict - what the macs of a handshake message are worth
 * @WG_MAC_INVALID: no mac1: from nobody who knows us
 * @WG_MAC_VALID: mac1 only: its source may be forged
 * @WG_MAC_COOKIE: mac2 too: it can receive at its source
 * @WG_MAC_RATELIMITED: mac2, but its source sends too many
 */
enum wg_mac_verdict {
	WG_MAC_INVALID,
	WG_MAC_VALID,
	WG_MAC_COOKIE,
	WG_MAC_RATELIMITED,
};

void wg_cookie_checker_init(struct wg_cookie_checker *checker);
void wg_cookie_checker_set_keys(struct wg_cookie_checker *checker,
				const u8 public_key[WG_KEY_SIZE]);
void wg_cookie_checker_clear(struct wg_cookie_checker *checker);
enum wg_mac_verdict wg_cookie_check(struct wg_device *wg, struct sk_buff *skb,
				    bool under_load);
void wg_cookie_create_reply(struct wg_cookie_checker *checker,
			    struct wg_message_cookie *reply,
			    const struct sk_buff *skb, __le32 index);

void wg_cookie_init(struct wg_cookie *cookie);
void wg_cookie_add_macs(struct wg_cookie *cookie,
			const u8 public_key[WG_KEY_SIZE], void *msg,
			size_t len);
bool wg_cookie_consume_reply(struct wg_device *wg,
			     const struct wg_message_cookie *reply);

#ifdef DEBUG
bool wg_cookie_selftest(void);
#endif

#endif /* _WG_COOKIE_H */
