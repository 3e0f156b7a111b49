// SPDX-License-Identifier: GPL-2.0
/*
 * Whoever does not know our public key gets no answer (mac1). Whoever does, but
 * cannot receive at the address he sends from, gets no work out of us while
 * there is too much of it (mac2): he is told a cookie made from that address,
 * and has to show it. Whitepaper sections 5.3, 5.4.4 and 5.4.7.
 */

#include "cookie.h"
#include "device.h"
#include "kdf.h"
#include "log.h"
#include "peer.h"
#include "ratelimiter.h"
#include "table.h"
#include "trace.h"

#include <crypto/utils.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/lockdep.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/udp.h>

#define SECRET_LIFETIME_NS	((s64)WG_COOKIE_LIFETIME * NSEC_PER_SEC)
#define COOKIE_LIFETIME_NS	((s64)(WG_COOKIE_LIFETIME - WG_COOKIE_LATENCY) * \
				 NSEC_PER_SEC)

/* Both labels of the whitepaper are as long. */
#define LABEL_SIZE		8

static const char mac1_label[] = "mac1----";
static const char cookie_label[] = "cookie--";

static_assert(sizeof(mac1_label) == LABEL_SIZE + 1);
static_assert(sizeof(cookie_label) == LABEL_SIZE + 1);

static void label_key(u8 key[WG_KEY_SIZE], const char *label,
		      const u8 public_key[WG_KEY_SIZE])
{
	wg_hash2(key, label, LABEL_SIZE, public_key, WG_KEY_SIZE);
}

/* The macs are the end of a handshake message, whichever it is. */
static struct wg_message_macs *message_macs(const void *msg, size_t len)
{
	return (void *)msg + len - sizeof(struct wg_message_macs);
}

static void compute_mac1(u8 mac[WG_MAC_SIZE], const u8 key[WG_KEY_SIZE],
			 const void *msg, size_t len)
{
	wg_mac(mac, key, WG_KEY_SIZE, msg,
	       (void *)message_macs(msg, len)->mac1 - msg);
}

static void compute_mac2(u8 mac[WG_MAC_SIZE], const u8 cookie[WG_COOKIE_SIZE],
			 const void *msg, size_t len)
{
	wg_mac(mac, cookie, WG_COOKIE_SIZE, msg,
	       (void *)message_macs(msg, len)->mac2 - msg);
}

/**
 * wg_cookie_checker_init() - set up a device's side, without keys
 * @checker: the checker; nobody else may know it yet
 *
 * The secret is made with the first cookie, when the random number generator is
 * more likely to be ready than when the system's interfaces are created.
 *
 * Context: process.
 */
void wg_cookie_checker_init(struct wg_cookie_checker *checker)
{
	memset(checker, 0, sizeof(*checker));
	init_rwsem(&checker->lock);
}

/**
 * wg_cookie_checker_set_keys() - follow a change of the device's identity
 * @checker: the checker
 * @public_key: the device's new public key
 *
 * Context: process; the caller holds the identity's lock for writing.
 */
void wg_cookie_checker_set_keys(struct wg_cookie_checker *checker,
				const u8 public_key[WG_KEY_SIZE])
{
	label_key(checker->cookie_key, cookie_label, public_key);
	label_key(checker->mac1_key, mac1_label, public_key);
}

/**
 * wg_cookie_checker_clear() - follow the removal of the device's identity
 * @checker: the checker
 *
 * Context: process; the caller holds the identity's lock for writing.
 */
void wg_cookie_checker_clear(struct wg_cookie_checker *checker)
{
	memzero_explicit(checker->cookie_key, WG_KEY_SIZE);
	memzero_explicit(checker->mac1_key, WG_KEY_SIZE);
}

/* @secret is what the cookie of the sender of @skb is made with. */
static void source_cookie(u8 cookie[WG_COOKIE_SIZE],
			  const u8 secret[WG_HASH_SIZE],
			  const struct sk_buff *skb)
{
	u8 source[sizeof(struct in6_addr) + sizeof(__be16)];
	size_t len;

	if (skb->protocol == htons(ETH_P_IPV6)) {
		len = sizeof(struct in6_addr);
		memcpy(source, &ipv6_hdr(skb)->saddr, len);
	} else {
		len = sizeof(__be32);
		memcpy(source, &ip_hdr(skb)->saddr, len);
	}
	memcpy(source + len, &udp_hdr(skb)->source, sizeof(__be16));
	wg_mac(cookie, secret, WG_HASH_SIZE, source, len + sizeof(__be16));
}

/* Another CPU may have made it a moment after the caller looked at the clock. */
static bool secret_is_fresh(const struct wg_cookie_checker *checker, u64 now)
{
	return checker->birthdate &&
	       (s64)(now - checker->birthdate) < SECRET_LIFETIME_NS;
}

/* The cookie for the sender of @skb; a new secret first, if that is due. */
static void make_cookie(struct wg_cookie_checker *checker,
			u8 cookie[WG_COOKIE_SIZE], const struct sk_buff *skb,
			u64 now)
{
	bool fresh;

	down_read(&checker->lock);
	fresh = secret_is_fresh(checker, now);
	if (fresh)
		source_cookie(cookie, checker->secret, skb);
	up_read(&checker->lock);
	if (fresh)
		return;

	down_write(&checker->lock);
	if (!secret_is_fresh(checker, now)) {
		get_random_bytes(checker->secret, WG_HASH_SIZE);
		checker->birthdate = now;
	}
	source_cookie(cookie, checker->secret, skb);
	up_write(&checker->lock);
}

/* Without an identity the key is all zeros, which anybody knows. */
static bool mac1_is_valid(struct wg_device *wg, const struct sk_buff *skb)
{
	u8 mac[WG_MAC_SIZE];
	bool present;

	down_read(&wg->identity.lock);
	present = wg->identity.present;
	compute_mac1(mac, wg->cookie_checker.mac1_key, skb->data, skb->len);
	up_read(&wg->identity.lock);

	return present &&
	       !crypto_memneq(mac, message_macs(skb->data, skb->len)->mac1,
			      WG_MAC_SIZE);
}

static bool mac2_is_valid(struct wg_cookie_checker *checker,
			  const struct sk_buff *skb, u64 now)
{
	u8 cookie[WG_COOKIE_SIZE];
	u8 mac[WG_MAC_SIZE];

	make_cookie(checker, cookie, skb, now);
	compute_mac2(mac, cookie, skb->data, skb->len);
	memzero_explicit(cookie, sizeof(cookie));
	return !crypto_memneq(mac, message_macs(skb->data, skb->len)->mac2,
			      WG_MAC_SIZE);
}

/* A namespace that is on its way out has no more business with us. */
static bool source_is_allowed(struct wg_device *wg, const struct sk_buff *skb)
{
	const struct net *net;
	bool allowed;

	rcu_read_lock();
	net = rcu_dereference(wg->creating_net);
	allowed = net && wg_ratelimiter_allow(skb, net);
	rcu_read_unlock();
	return allowed;
}

/**
 * wg_cookie_check() - judge a handshake message by its macs
 * @wg: device that received it
 * @skb: the message, linear and of the exact size of its type, with @data at
 *	the message and the headers of its outer packet still set; stays the
 *	caller's
 * @under_load: whether mac2 is wanted too
 *
 * Context: process; takes the identity's lock, which the caller must not hold.
 * Return: what the message deserves; without @under_load never more than
 *	&WG_MAC_VALID, as mac2 is not looked at.
 */
enum wg_mac_verdict wg_cookie_check(struct wg_device *wg, struct sk_buff *skb,
				    bool under_load)
{
	if (!mac1_is_valid(wg, skb))
		return WG_MAC_INVALID;
	if (!under_load || !mac2_is_valid(&wg->cookie_checker, skb,
					  ktime_get_coarse_boottime_ns()))
		return WG_MAC_VALID;
	return source_is_allowed(wg, skb) ? WG_MAC_COOKIE : WG_MAC_RATELIMITED;
}

/* All of wg_cookie_create_reply() that is not left to chance or to time. */
static void seal_reply(const struct wg_cookie_checker *checker,
		       struct wg_message_cookie *reply,
		       const struct sk_buff *skb,
		       const u8 cookie[WG_COOKIE_SIZE], __le32 index)
{
	const u8 *mac1 = message_macs(skb->data, skb->len)->mac1;

	reply->type = cpu_to_le32(WG_MESSAGE_COOKIE);
	reply->receiver_index = index;
	xchacha20poly1305_encrypt(reply->cookie_sealed, cookie, WG_COOKIE_SIZE,
				  mac1, WG_MAC_SIZE, reply->nonce,
				  checker->cookie_key);
}

/**
 * wg_cookie_create_reply() - tell the sender of a message his cookie
 * @checker: the checker, embedded in its device
 * @reply: the message to send; all of it is filled in
 * @skb: the message to answer, as for wg_cookie_check(), whose mac1 is valid;
 *	stays the caller's
 * @index: the sender index of @skb
 *
 * Context: process; takes the identity's lock, which the caller must not hold,
 *	and may wait for the random number generator.
 */
void wg_cookie_create_reply(struct wg_cookie_checker *checker,
			    struct wg_message_cookie *reply,
			    const struct sk_buff *skb, __le32 index)
{
	struct wg_device *wg = container_of(checker, struct wg_device,
					    cookie_checker);
	u8 cookie[WG_COOKIE_SIZE];

	get_random_bytes_wait(reply->nonce, sizeof(reply->nonce));
	make_cookie(checker, cookie, skb, ktime_get_coarse_boottime_ns());
	down_read(&wg->identity.lock);
	seal_reply(checker, reply, skb, cookie, index);
	up_read(&wg->identity.lock);
	memzero_explicit(cookie, sizeof(cookie));
}

/**
 * wg_cookie_init() - set up a peer's side
 * @cookie: the cookie; nobody else may know it yet
 *
 * Context: process.
 */
void wg_cookie_init(struct wg_cookie *cookie)
{
	memset(cookie, 0, sizeof(*cookie));
	init_rwsem(&cookie->lock);
}

/* @key is that of mac1; the cookie's lock is held for writing. */
static void add_macs(struct wg_cookie *cookie, const u8 key[WG_KEY_SIZE],
		     void *msg, size_t len, u64 now)
{
	struct wg_message_macs *macs = message_macs(msg, len);

	lockdep_assert_held_write(&cookie->lock);

	compute_mac1(macs->mac1, key, msg, len);
	memcpy(cookie->last_mac1, macs->mac1, WG_MAC_SIZE);
	cookie->awaits_reply = true;

	if (cookie->valid &&
	    (s64)(now - cookie->birthdate) >= COOKIE_LIFETIME_NS) {
		memzero_explicit(cookie->cookie, WG_COOKIE_SIZE);
		cookie->valid = false;
	}
	if (cookie->valid)
		compute_mac2(macs->mac2, cookie->cookie, msg, len);
	else
		memset(macs->mac2, 0, WG_MAC_SIZE);
}

/**
 * wg_cookie_add_macs() - finish a handshake message
 * @cookie: the side of the peer that it goes to
 * @public_key: that peer's static public key
 * @msg: the message, complete but for the macs that end it
 * @len: its length with the macs
 *
 * From here on a cookie reply to @msg is welcome, and to no message before it.
 *
 * Context: process; takes the cookie's lock.
 */
void wg_cookie_add_macs(struct wg_cookie *cookie,
			const u8 public_key[WG_KEY_SIZE], void *msg,
			size_t len)
{
	u8 key[WG_KEY_SIZE];

	label_key(key, mac1_label, public_key);
	down_write(&cookie->lock);
	add_macs(cookie, key, msg, len, ktime_get_coarse_boottime_ns());
	up_write(&cookie->lock);
}

/*
 * A reply is taken once for each message that we sent: it has to prove that it
 * comes from somebody who saw that message, and a copy of it proves nothing
 * new.
 */
static bool take_reply(struct wg_cookie *cookie,
		       const u8 public_key[WG_KEY_SIZE],
		       const struct wg_message_cookie *reply, u64 now)
{
	u8 opened[WG_COOKIE_SIZE];
	u8 key[WG_KEY_SIZE];
	bool ok;

	label_key(key, cookie_label, public_key);
	down_write(&cookie->lock);
	ok = cookie->awaits_reply &&
	     xchacha20poly1305_decrypt(opened, reply->cookie_sealed,
				       sizeof(reply->cookie_sealed),
				       cookie->last_mac1, WG_MAC_SIZE,
				       reply->nonce, key);
	if (ok) {
		memcpy(cookie->cookie, opened, WG_COOKIE_SIZE);
		cookie->birthdate = now;
		cookie->valid = true;
		cookie->awaits_reply = false;
	}
	up_write(&cookie->lock);
	memzero_explicit(opened, sizeof(opened));
	return ok;
}

/**
 * wg_cookie_consume_reply() - take in a cookie that a peer gave us
 * @wg: device that received it
 * @reply: the message, of exact size
 *
 * Nothing is sent because of it: the next handshake message of the peer's usual
 * schedule carries the cookie. The index may be a handshake's or, after a
 * response, a keypair's. A reply that is not to our last message is dropped.
 *
 * Context: process; takes the lock of the peer's cookie.
 * Return: true if there was a cookie for us in it.
 */
bool wg_cookie_consume_reply(struct wg_device *wg,
			     const struct wg_message_cookie *reply)
{
	struct wg_peer *peer = NULL;
	struct wg_index *entry;
	bool taken;

	rcu_read_lock();
	entry = wg_index_lookup(&wg->indices, reply->receiver_index);
	if (entry)
		peer = wg_peer_get_maybe_zero(entry->peer);
	rcu_read_unlock();
	if (!peer)
		return false;

	taken = take_reply(&peer->cookie, peer->handshake.remote_static, reply,
			   ktime_get_coarse_boottime_ns());
	if (taken)
		trace_wg_handshake(wg, peer, "cookie_received");
	else
		wg_dbg_peer(peer, "Cookie answers nothing");
	wg_peer_put(peer);
	return taken;
}

#ifdef DEBUG
#include "selftest/cookie.c"
#endif
