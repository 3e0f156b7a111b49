// SPDX-License-Identifier: GPL-2.0
/* Self-test of sealing and opening; part of aead.c in debug builds. */
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/slab.h>

/* The most bytes of a packet in the test, and what stays free behind them. */
#define AEAD_MAX 4096
#define AEAD_GUARD 64
#define AEAD_ROOM (AEAD_MAX + WG_PADDING + WG_TAG_SIZE + AEAD_GUARD)
#define AEAD_LAYOUTS 400

/* RFC 8439, appendix A.5: the key is that of all vectors here. */
static const u8 aead_key[WG_KEY_SIZE] = {
	0x1c, 0x92, 0x40, 0xa5, 0xeb, 0x55, 0xd3, 0x8a,
	0xf3, 0x33, 0x88, 0x86, 0x04, 0xf6, 0xb5, 0xf0,
	0x47, 0x39, 0x17, 0xc1, 0x40, 0x2b, 0x80, 0x09,
	0x9d, 0xca, 0x5c, 0xbc, 0x20, 0x70, 0x75, 0xc0
};

static const u8 aead_rfc_ad[] __initconst = {
	0xf3, 0x33, 0x88, 0x86, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x4e, 0x91
};

/* Its text, one line after the other; the quotation marks are in UTF-8. */
static const char * const aead_rfc_text[] __initconst = {
	"Internet-Drafts are draft documents valid for a maximum of six ",
	"months and may be updated, replaced, or obsoleted by other ",
	"documents at any time. It is inappropriate to use Internet-Drafts ",
	"as reference material or to cite them other than as ",
	"/\xe2\x80\x9cwork in progress./\xe2\x80\x9d",
};

static const u8 aead_rfc_head[] __initconst = {
	0x64, 0xa0, 0x86, 0x15, 0x75, 0x86, 0x1a, 0xf4
};

static const u8 aead_rfc_tag[WG_TAG_SIZE] __initconst = {
	0xee, 0xad, 0x9d, 0x67, 0x89, 0x0c, 0xbb, 0x22,
	0x39, 0x23, 0x36, 0xfe, 0xa1, 0x85, 0x1f, 0x38
};

#define AEAD_RFC_NONCE 0x0807060504030201ULL

/**
 * struct aead_vector - what the tag of a message must be
 * @nonce: its nonce
 * @len: its length; byte i of it is 7 * i
 * @tag: the tag, with no associated data
 *
 * These come from another implementation, which agrees with RFC 8439 on 2.8.2
 * and on A.5.
 */
struct aead_vector {
	u64 nonce;
	u16 len;
	u8 tag[WG_TAG_SIZE];
};

static const struct aead_vector aead_vectors[] __initconst = {
	{ 0, 0, {
		0x26, 0xed, 0xab, 0x23, 0xe9, 0xe2, 0xb8, 0x47,
		0x22, 0xa2, 0xd8, 0x91, 0x56, 0xef, 0x8b, 0x24 } },
	{ U64_MAX, 0, {
		0x1b, 0x3b, 0x0e, 0x09, 0x91, 0xce, 0xf6, 0xe0,
		0x98, 0xe3, 0x49, 0x11, 0xfc, 0xa8, 0xcb, 0x75 } },
	{ 1, 1, {
		0x86, 0x86, 0x19, 0xbc, 0xc7, 0xa4, 0x0b, 0x15,
		0x93, 0xb3, 0x06, 0x90, 0x27, 0xc7, 0x53, 0xc2 } },
	{ 2, 16, {
		0x28, 0x91, 0x5a, 0x59, 0x58, 0x15, 0x51, 0x16,
		0x6e, 0x4c, 0x02, 0xb3, 0x93, 0xac, 0x7a, 0x13 } },
	{ 3, 63, {
		0xbf, 0xd4, 0x54, 0x20, 0x92, 0x07, 0x14, 0x01,
		0x8e, 0x5b, 0x1a, 0x8b, 0x06, 0xe6, 0x8a, 0xe7 } },
	{ AEAD_RFC_NONCE, 64, {
		0xe3, 0xa2, 0x54, 0x5a, 0x7d, 0x27, 0x6e, 0xae,
		0x90, 0xae, 0x5e, 0x3e, 0xf7, 0xaa, 0xcb, 0x47 } },
	{ 1ULL << 32, 65, {
		0x13, 0x54, 0xc3, 0x3e, 0xf3, 0x84, 0xe9, 0x51,
		0x2e, 0xe6, 0xf7, 0xef, 0x92, 0xb2, 0xf7, 0xaf } },
	{ (1ULL << 60) + 1, 255, {
		0x58, 0xe8, 0x1c, 0x66, 0xe2, 0xce, 0xeb, 0x26,
		0x86, 0x1f, 0x7f, 0xa6, 0x5f, 0x34, 0x27, 0xbe } },
	{ U64_MAX - 8129, 1420, {
		0x49, 0xf8, 0x20, 0xb7, 0x41, 0x6b, 0xe7, 0x6a,
		0x3a, 0x79, 0xdb, 0x71, 0x19, 0x40, 0x5a, 0x10 } },
};

struct aead_test {
	u8 plain[AEAD_ROOM];
	u8 expected[AEAD_ROOM];
	u8 sealed[AEAD_ROOM];
	u8 opened[AEAD_ROOM];
};

/* The kernel's cipher, and that associated data is all that we leave out. */
static bool __init aead_test_rfc(struct aead_test *test)
{
	size_t len = 0, i;

	for (i = 0; i < ARRAY_SIZE(aead_rfc_text); ++i)
		len += scnprintf(test->plain + len, AEAD_MAX - len, "%s",
				 aead_rfc_text[i]);
	chacha20poly1305_encrypt(test->expected, test->plain, len,
				 aead_rfc_ad, sizeof(aead_rfc_ad),
				 AEAD_RFC_NONCE, aead_key);
	wg_aead_encrypt(test->sealed, test->plain, len, AEAD_RFC_NONCE,
			aead_key);
	return !memcmp(test->expected, aead_rfc_head, sizeof(aead_rfc_head)) &&
	       !memcmp(test->expected + len, aead_rfc_tag, WG_TAG_SIZE) &&
	       !memcmp(test->sealed, test->expected, len) &&
	       memcmp(test->sealed + len, aead_rfc_tag, WG_TAG_SIZE);
}

static bool __init aead_test_vector(struct aead_test *test, u64 nonce,
				    size_t len, const u8 *tag)
{
	size_t i;

	for (i = 0; i < len; ++i)
		test->plain[i] = 7 * i;
	memcpy(test->opened, test->plain, len);
	wg_aead_encrypt(test->sealed, test->plain, len, nonce, aead_key);
	wg_aead_encrypt(test->opened, test->opened, len, nonce, aead_key);
	if (memcmp(test->sealed + len, tag, WG_TAG_SIZE) ||
	    memcmp(test->sealed, test->opened, len + WG_TAG_SIZE))
		return false;
	if (!wg_aead_decrypt(test->opened, test->sealed, len + WG_TAG_SIZE,
			     nonce, aead_key) ||
	    memcmp(test->opened, test->plain, len))
		return false;
	return wg_aead_decrypt(test->sealed, test->sealed, len + WG_TAG_SIZE,
			       nonce, aead_key) &&
	       !memcmp(test->sealed, test->plain, len);
}

/* Is a message refused, and its place left alone? */
static bool __init aead_refused(struct aead_test *test, size_t len, u64 nonce,
				const u8 *key)
{
	memset(test->opened, 0xa5, len);
	return !wg_aead_decrypt(test->opened, test->sealed, len, nonce, key) &&
	       !memchr_inv(test->opened, 0xa5, len);
}

/* With one wrong bit, or another nonce, key or length, it is refused. */
static bool __init aead_test_forged(struct aead_test *test, size_t len)
{
	size_t bits = 8 * (len + WG_TAG_SIZE), i;
	u8 key[WG_KEY_SIZE];
	bool good = true;

	wg_aead_encrypt(test->sealed, test->plain, len, 9, aead_key);
	for (i = 0; i < bits; ++i) {
		test->sealed[i / 8] ^= 1 << i % 8;
		good &= aead_refused(test, len + WG_TAG_SIZE, 9, aead_key);
		test->sealed[i / 8] ^= 1 << i % 8;
	}
	for (i = 0; i < 64; ++i)
		good &= aead_refused(test, len + WG_TAG_SIZE, 9 ^ 1ULL << i,
				     aead_key);
	for (i = 0; i < WG_KEY_SIZE; ++i) {
		memcpy(key, aead_key, sizeof(key));
		key[i] ^= 0x10;
		good &= aead_refused(test, len + WG_TAG_SIZE, 9, key);
	}
	for (i = 0; i < len + WG_TAG_SIZE; ++i)
		good &= aead_refused(test, i, 9, aead_key);
	return good && wg_aead_decrypt(test->opened, test->sealed,
				       len + WG_TAG_SIZE, 9, aead_key);
}

/* Adds some of the next bytes as a fragment, at any place of a page. */
static bool __init aead_add_frag(struct sk_buff *skb, struct rnd_state *rnd,
				 const u8 **from, const u8 *end)
{
	u32 at = prandom_u32_state(rnd) % 256, len, most = end - *from;
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return false;
	len = prandom_u32_state(rnd) % 8 ? prandom_u32_state(rnd) % 2048 : 1;
	len = clamp_t(u32, len, 1, most);
	memcpy(page_address(page) + at, *from, len);
	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, at, len,
			PAGE_SIZE);
	*from += len;
	return true;
}

/* A packet of the next bytes: some in the head, the others in fragments. */
static struct sk_buff * __init aead_make_skb(struct rnd_state *rnd,
					     const u8 **from, const u8 *end)
{
	u32 head = prandom_u32_state(rnd) % 256, frags;
	struct sk_buff *skb;

	if (!(prandom_u32_state(rnd) % 4))
		head = AEAD_MAX;
	head = min_t(u32, head, end - *from);
	skb = alloc_skb(head, GFP_KERNEL);
	if (!skb)
		return NULL;
	skb_put_data(skb, *from, head);
	*from += head;
	frags = prandom_u32_state(rnd) % (MAX_SKB_FRAGS + 1);
	while (*from < end && frags--) {
		if (!aead_add_frag(skb, rnd, from, end)) {
			kfree_skb(skb);
			return NULL;
		}
	}
	return skb;
}

/* A packet of all the bytes, with a list of further ones as it takes them. */
static struct sk_buff * __init aead_make_packet(struct rnd_state *rnd,
						const u8 *from, size_t len)
{
	struct sk_buff *skb, *next, **link;
	const u8 *end = from + len;

	skb = aead_make_skb(rnd, &from, end);
	if (!skb)
		return NULL;
	link = &skb_shinfo(skb)->frag_list;
	while (from < end) {
		next = aead_make_skb(rnd, &from, end);
		if (!next) {
			kfree_skb(skb);
			return NULL;
		}
		skb->len += next->len;
		skb->data_len += next->len;
		*link = next;
		link = &next->next;
	}
	return skb;
}

/*
 * Seal a stretch of a packet of any layout. It must be what the kernel makes of
 * the same bytes in a row, end where it should, and leave the packet alone.
 */
static bool __init aead_test_layout(struct aead_test *test,
				    struct rnd_state *rnd)
{
	size_t total = prandom_u32_state(rnd) % AEAD_MAX + 1, len, padded;
	u32 offset = prandom_u32_state(rnd) % min_t(size_t, total, 128);
	u64 nonce = prandom_u32_state(rnd);
	struct sk_buff *skb;
	bool good;

	if (prandom_u32_state(rnd) % 2)
		offset = 0;
	len = total - offset;
	if (!(prandom_u32_state(rnd) % 4))
		len = prandom_u32_state(rnd) % (len + 1);
	padded = len + prandom_u32_state(rnd) % 2 *
		 (prandom_u32_state(rnd) % WG_PADDING);
	prandom_bytes_state(rnd, test->plain, total);
	skb = aead_make_packet(rnd, test->plain, total);
	if (!skb)
		return false;

	memset(test->sealed, 0xa5, AEAD_ROOM);
	wg_aead_encrypt_skb(test->sealed, skb, offset, len, padded, nonce,
			    aead_key);
	good = !memchr_inv(test->sealed + padded + WG_TAG_SIZE, 0xa5,
			   AEAD_GUARD);
	good &= !skb_copy_bits(skb, 0, test->opened, total) &&
		!memcmp(test->opened, test->plain, total);
	memset(test->plain + offset + len, 0, padded - len);
	chacha20poly1305_encrypt(test->expected, test->plain + offset, padded,
				 NULL, 0, nonce, aead_key);
	good &= !memcmp(test->sealed, test->expected, padded + WG_TAG_SIZE);
	kfree_skb(skb);
	return good;
}

static bool __init aead_test_layouts(struct aead_test *test)
{
	u64 seed = get_random_u64();
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, seed);
	for (i = 0; i < AEAD_LAYOUTS; ++i) {
		if (!aead_test_layout(test, &rnd)) {
			pr_err("aead self-test: layout %u of seed %#llx failed\n",
			       i, seed);
			return false;
		}
	}
	return true;
}

static bool __init aead_test_all(struct aead_test *test)
{
	unsigned int i;

	if (!aead_test_rfc(test)) {
		pr_err("aead self-test: RFC 8439 A.5 failed\n");
		return false;
	}
	for (i = 0; i < ARRAY_SIZE(aead_vectors); ++i) {
		if (!aead_test_vector(test, aead_vectors[i].nonce,
				      aead_vectors[i].len,
				      aead_vectors[i].tag)) {
			pr_err("aead self-test: vector %u failed\n", i);
			return false;
		}
	}
	if (!aead_test_forged(test, 0) || !aead_test_forged(test, 77)) {
		pr_err("aead self-test: forgeries failed\n");
		return false;
	}
	return aead_test_layouts(test);
}

/**
 * wg_aead_selftest() - does sealing follow RFC 8439, whatever the layout?
 *
 * Context: Module initialisation.
 * Return: true if it does; else a line in the log says what is wrong.
 */
bool __init wg_aead_selftest(void)
{
	struct aead_test *test = kvmalloc(sizeof(*test), GFP_KERNEL);
	bool good;

	good = test && aead_test_all(test);
	kvfree(test);
	if (good)
		pr_info("aead self-tests: pass\n");
	else
		pr_err("aead self-tests: FAIL\n");
	return good;
}
