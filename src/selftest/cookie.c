// SPDX-License-Identifier: GPL-2.0
/* Macs and cookies with known answers, and with attempts to do without. */

#include "fixture.h"

/* From here to the end mark: made by selftests/vectors/gen_noise.py */
static const u8 receiver_public[32] __initconst = {
	0x53, 0x74, 0x9c, 0x38, 0xd4, 0x8b, 0x9a, 0xc5, 0x81, 0xf6, 0xf6, 0xcd,
	0xb3, 0xb3, 0xd7, 0x3e, 0x13, 0xf5, 0x47, 0x9a, 0xd2, 0xce, 0xca, 0x77,
	0x41, 0xae, 0xda, 0xd8, 0xde, 0xc4, 0x3d, 0x13,
};

static const u8 cookie_secret[32] __initconst = {
	0x17, 0xad, 0x76, 0x78, 0x76, 0xc7, 0x89, 0x13, 0xd5, 0x33, 0xd6, 0x26,
	0xa9, 0x99, 0x8e, 0x85, 0xbb, 0xfb, 0x96, 0x24, 0x02, 0xe1, 0xfd, 0x3d,
	0x11, 0x0d, 0xd5, 0x24, 0x67, 0x0b, 0xe3, 0x76,
};

static const u8 cookie_v4[16] __initconst = {
	0x0b, 0x1a, 0xe3, 0x84, 0x89, 0x2b, 0xe4, 0xad, 0xb8, 0x5c, 0x51, 0xe6,
	0x87, 0x42, 0xd1, 0x74,
};

static const u8 cookie_v6[16] __initconst = {
	0xc9, 0xe7, 0x64, 0x0a, 0xfd, 0xf5, 0x41, 0x63, 0xfd, 0x54, 0x3d, 0x81,
	0x1e, 0xa1, 0x70, 0x85,
};

static const u8 message_without_cookie[92] __initconst = {
	0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b,
	0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
	0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23,
	0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f,
	0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b,
	0x73, 0xd3, 0xe3, 0xa1, 0x8b, 0x0d, 0x78, 0x50, 0xda, 0xaf, 0x5b, 0x6f,
	0xb2, 0xa9, 0x70, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

static const u8 message_with_cookie[92] __initconst = {
	0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b,
	0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
	0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23,
	0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f,
	0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b,
	0x73, 0xd3, 0xe3, 0xa1, 0x8b, 0x0d, 0x78, 0x50, 0xda, 0xaf, 0x5b, 0x6f,
	0xb2, 0xa9, 0x70, 0x14, 0xd3, 0x98, 0x9b, 0x89, 0xf3, 0xb9, 0x84, 0x8d,
	0x9c, 0xe8, 0x3d, 0x08, 0xa5, 0x62, 0x40, 0x49,
};

static const u8 cookie_reply[64] __initconst = {
	0x03, 0x00, 0x00, 0x00, 0x26, 0x59, 0x41, 0x31, 0xd8, 0x4e, 0xbc, 0x65,
	0x7a, 0xb4, 0xbc, 0x2c, 0xc6, 0x4a, 0xc3, 0x29, 0x9d, 0xf6, 0xb4, 0xe8,
	0xb3, 0x48, 0x6e, 0xb7, 0x8d, 0xbe, 0x04, 0xe4, 0x98, 0x92, 0x57, 0x4e,
	0x0c, 0xa1, 0xc6, 0x43, 0x9d, 0x5e, 0xf2, 0xa0, 0x1f, 0x94, 0x84, 0xde,
	0x48, 0x83, 0xe4, 0x09, 0xcf, 0x6f, 0xac, 0xab, 0x79, 0x97, 0x1f, 0xd2,
	0x83, 0xb2, 0x52, 0x76,
};

/* End mark of gen_noise.py */

#define COOKIE_MESSAGE_SIZE	92
#define COOKIE_NOW		(1000 * NSEC_PER_SEC)

static const char source_v4[] __initconst = "\xc0\0\2\x4d";
static const char source_v6[] __initconst =
	"\x20\x01\x0d\xb8\0\1\0\2\0\3\0\4\0\5\0\6";

/* A checker that has a secret of the test's, made just now. */
static void __init known_checker(struct wg_cookie_checker *checker)
{
	wg_cookie_checker_init(checker);
	wg_cookie_checker_set_keys(checker, receiver_public);
	memcpy(checker->secret, cookie_secret, WG_HASH_SIZE);
	checker->birthdate = COOKIE_NOW;
}

static bool __init known_cookies(void)
{
	struct wg_cookie_checker checker;
	u8 cookie[WG_COOKIE_SIZE];
	struct sk_buff *v4, *v6;
	bool ok;

	known_checker(&checker);
	v4 = fixture_packet(source_v4, 4, "", 0);
	v6 = fixture_packet(source_v6, 16, "", 0);
	ok = expect(v4 && v6, "memory for packets");
	if (ok) {
		make_cookie(&checker, cookie, v4, COOKIE_NOW);
		ok &= expect_same(cookie, cookie_v4, WG_COOKIE_SIZE,
				  "cookie over IPv4");
		make_cookie(&checker, cookie, v6, COOKIE_NOW);
		ok &= expect_same(cookie, cookie_v6, WG_COOKIE_SIZE,
				  "cookie over IPv6");
		udp_hdr(v6)->source ^= htons(1);
		make_cookie(&checker, cookie, v6, COOKIE_NOW);
		ok &= expect(memcmp(cookie, cookie_v6, WG_COOKIE_SIZE),
			     "another port is another cookie");
		make_cookie(&checker, cookie, v4,
			    COOKIE_NOW + 120 * NSEC_PER_SEC - 1);
		ok &= expect_same(cookie, cookie_v4, WG_COOKIE_SIZE,
				  "cookie before its end");
		make_cookie(&checker, cookie, v4,
			    COOKIE_NOW + 120 * NSEC_PER_SEC);
		ok &= expect(memcmp(cookie, cookie_v4, WG_COOKIE_SIZE),
			     "a new secret") &&
		      expect(checker.birthdate ==
			     COOKIE_NOW + 120 * NSEC_PER_SEC, "of that time");
	}
	kfree_skb(v4);
	kfree_skb(v6);
	return ok;
}

/* The sender's part, from a message without a cookie to one with. */
static bool __init known_sender(void)
{
	u64 end = COOKIE_NOW + 115 * NSEC_PER_SEC;
	struct wg_message_cookie reply;
	u8 msg[COOKIE_MESSAGE_SIZE];
	struct wg_cookie cookie;
	u8 key[WG_KEY_SIZE];
	bool ok;

	label_key(key, mac1_label, receiver_public);
	memcpy(&reply, cookie_reply, sizeof(reply));
	memcpy(msg, message_without_cookie, sizeof(msg));
	memset(msg + 60, 0xff, sizeof(struct wg_message_macs));
	wg_cookie_init(&cookie);
	ok = expect(!take_reply(&cookie, receiver_public, &reply, COOKIE_NOW),
		    "no reply to nothing");
	down_write(&cookie.lock);
	add_macs(&cookie, key, msg, sizeof(msg), COOKIE_NOW);
	up_write(&cookie.lock);
	ok &= expect_same(msg, message_without_cookie, sizeof(msg),
			  "mac1 and no mac2");
	reply.cookie_sealed[0] ^= 1;
	ok &= expect(!take_reply(&cookie, receiver_public, &reply,
				 COOKIE_NOW),
		     "no altered reply");
	reply.cookie_sealed[0] ^= 1;
	cookie.last_mac1[0] ^= 1;
	ok &= expect(!take_reply(&cookie, receiver_public, &reply,
				 COOKIE_NOW),
		     "no reply to another message");
	cookie.last_mac1[0] ^= 1;
	ok &= expect(take_reply(&cookie, receiver_public, &reply, COOKIE_NOW),
		     "a reply") &&
	      expect(!take_reply(&cookie, receiver_public, &reply,
				 COOKIE_NOW), "no second one");
	down_write(&cookie.lock);
	add_macs(&cookie, key, msg, sizeof(msg), end - 1);
	ok &= expect_same(msg, message_with_cookie, sizeof(msg),
			  "mac1 and mac2");
	add_macs(&cookie, key, msg, sizeof(msg), end);
	up_write(&cookie.lock);
	return ok & expect_same(msg, message_without_cookie, sizeof(msg),
			  "stale cookie");
}

static bool __init known_reply(void)
{
	struct wg_message_cookie known, reply;
	struct wg_cookie_checker checker;
	struct sk_buff *skb;
	bool ok;

	known_checker(&checker);
	skb = fixture_packet(source_v4, 4, message_without_cookie,
			     sizeof(message_without_cookie));
	if (!expect(skb, "memory for a packet"))
		return false;
	memcpy(&known, cookie_reply, sizeof(known));
	memcpy(reply.nonce, known.nonce, sizeof(reply.nonce));
	seal_reply(&checker, &reply, skb, cookie_v4, known.receiver_index);
	ok = expect_same(&reply, cookie_reply, sizeof(reply),
			 "cookie reply, byte for byte");
	kfree_skb(skb);

	skb = fixture_packet(source_v4, 4, message_with_cookie,
			     sizeof(message_with_cookie));
	if (!expect(skb, "memory for a packet"))
		return false;
	ok &= expect(mac2_is_valid(&checker, skb, COOKIE_NOW), "mac2");
	skb->data[0] ^= 1;
	ok &= expect(!mac2_is_valid(&checker, skb, COOKIE_NOW), "no mac2");
	skb->data[0] ^= 1;
	ip_hdr(skb)->saddr ^= htonl(1);
	ok &= expect(!mac2_is_valid(&checker, skb, COOKIE_NOW),
		     "no mac2 from another address");
	kfree_skb(skb);
	return ok;
}

/**
 * struct visit - somebody who knocks at a device under load
 * @wg: the device
 * @peer: how the visitor knows it, in a device of its own
 * @index: the visitor's, as in its messages
 */
struct visit {
	struct wg_device *wg;
	struct wg_peer *peer;
	struct wg_index index;
};

/* A new message from the visitor, and what is made of it. */
static enum wg_mac_verdict __init knock(struct visit *v, bool under_load,
					struct wg_message_cookie *reply)
{
	u8 msg[COOKIE_MESSAGE_SIZE] = { WG_MESSAGE_RESPONSE };
	enum wg_mac_verdict verdict = WG_MAC_INVALID;
	struct sk_buff *skb;

	wg_cookie_add_macs(&v->peer->cookie, v->peer->handshake.remote_static,
			   msg, sizeof(msg));
	skb = fixture_packet(source_v4, 4, msg, sizeof(msg));
	if (expect(skb, "memory for a packet")) {
		verdict = wg_cookie_check(v->wg, skb, under_load);
		wg_cookie_create_reply(&v->wg->cookie_checker, reply, skb,
				       v->index.index);
		skb->data[5] ^= 1;
		if (!expect(wg_cookie_check(v->wg, skb, under_load) ==
			    WG_MAC_INVALID, "an altered message has no mac1"))
			verdict = WG_MAC_INVALID;
	}
	kfree_skb(skb);
	return verdict;
}

static bool __init visits(struct visit *v)
{
	struct wg_device *home = v->peer->device;
	struct wg_message_cookie reply;
	unsigned int i;
	bool ok;

	ok = expect(knock(v, false, &reply) == WG_MAC_VALID, "no load") &&
	     expect(knock(v, true, &reply) == WG_MAC_VALID, "load");
	wg_cookie_consume_reply(home, &reply);
	ok &= expect(v->peer->cookie.valid, "cookie taken") &&
	      expect(knock(v, false, &reply) == WG_MAC_VALID, "cookie unasked");
	for (i = 0; i < 5; i++)
		ok &= expect(knock(v, true, &reply) == WG_MAC_COOKIE, "cookie");
	/* Five are sure to pass; how long they took decides on the sixth. */
	v->wg->cookie_checker.birthdate = 0;
	ok &= expect(knock(v, true, &reply) == WG_MAC_VALID, "stale cookie");
	wg_cookie_consume_reply(home, &reply);
	RCU_INIT_POINTER(v->wg->creating_net, NULL);
	ok &= expect(knock(v, true, &reply) == WG_MAC_RATELIMITED,
		     "nobody is heard in a namespace that is gone");

	down_write(&v->wg->identity.lock);
	wg_identity_clear(&v->wg->identity);
	wg_cookie_checker_clear(&v->wg->cookie_checker);
	up_write(&v->wg->identity.lock);
	return ok & expect(knock(v, false, &reply) == WG_MAC_INVALID,
			   "nobody knows a device without a key");
}

/* With a key that is all zeros, which a device without identity checks with. */
static bool __init zero_mac1(struct visit *v)
{
	static const u8 zero_key[WG_KEY_SIZE];
	u8 msg[COOKIE_MESSAGE_SIZE] = { WG_MESSAGE_RESPONSE };
	struct sk_buff *skb;
	bool ok;

	compute_mac1(message_macs(msg, sizeof(msg))->mac1, zero_key, msg,
		     sizeof(msg));
	skb = fixture_packet(source_v4, 4, msg, sizeof(msg));
	ok = expect(skb && wg_cookie_check(v->wg, skb, false) == WG_MAC_INVALID,
		    "a key of zeros opens nothing");
	kfree_skb(skb);
	return ok;
}

static bool __init round_trip(void)
{
	struct visit v = { .index = { .kind = WG_INDEX_KEYPAIR } };
	struct wg_device *home;
	bool ok;

	v.wg = fixture_device(cookie_secret);
	home = fixture_device(cookie_secret);
	v.peer = v.wg && home ? fixture_peer(home, v.wg->identity.public_key,
					     NULL) : NULL;
	ok = expect(v.peer && !wg_ratelimiter_get(), "memory for a visit");
	if (ok) {
		RCU_INIT_POINTER(v.wg->creating_net, &init_net);
		v.index.peer = v.peer;
		ok = expect(!wg_index_add(&home->indices, &v.index), "index");
		ok = ok && visits(&v) && zero_mac1(&v);
		wg_index_remove(&home->indices, &v.index);
		wg_ratelimiter_put();
	}
	ok &= fixture_peer_free(v.peer);
	ok &= fixture_device_free(home);
	return ok & fixture_device_free(v.wg);
}

/**
 * wg_cookie_selftest() - macs and cookies, with known answers and without
 *
 * Context: process.
 * Return: whether all was as it should be.
 */
bool __init wg_cookie_selftest(void)
{
	bool ok = known_cookies();

	ok &= known_sender();
	ok &= known_reply();
	ok &= round_trip();
	return report("cookie", ok);
}
