// SPDX-License-Identifier: GPL-2.0
/* The rate limiter by a clock of the test's own. */

#include "fixture.h"

/* Namespaces are only compared, so these need not be any. */
#define NET_A	((const struct net *)0x1000)
#define NET_B	((const struct net *)0x2000)

#define FIRST_MOMENT	(1000 * NSEC_PER_SEC)

/* How many of @offered packets, so far apart, may pass. */
static unsigned int __init count_allowed(const struct net *net, u64 address,
					 u64 start, u64 step, u64 offered)
{
	unsigned int allowed = 0;
	u64 i;

	for (i = 0; i < offered; i++)
		allowed += source_allow(net, address, start + i * step);
	return allowed;
}

static bool __init burst_and_refill(void)
{
	u64 now = FIRST_MOMENT;
	bool ok;

	ok = expect(count_allowed(NET_A, 1, now, 0, 100) == 5, "burst of 5") &&
	     expect(count_allowed(NET_B, 1, now, 0, 100) == 5,
		    "the same in another namespace") &&
	     expect(count_allowed(NET_A, 2, now, 0, 100) == 5,
		    "the same from another source");
	now += 50 * NSEC_PER_MSEC;
	ok &= expect(!source_allow(NET_A, 1, now - 1), "no token yet") &&
	      expect(count_allowed(NET_A, 1, now, 0, 9) == 1, "one token");
	now += 100 * NSEC_PER_MSEC;
	ok &= expect(count_allowed(NET_A, 1, now, 0, 9) == 2, "two tokens");
	now += 3600 * NSEC_PER_SEC;
	return ok & expect(count_allowed(NET_A, 1, now, 0, 99) == 5,
			   "no more than 5 tokens however long it takes");
}

static bool __init sustained_rate(void)
{
	unsigned int allowed;

	allowed = count_allowed(NET_A, 3, FIRST_MOMENT, NSEC_PER_MSEC, 10000);
	return expect(allowed == 5 + 10 * 20 - 1, "20 a second for 10 seconds");
}

static bool __init full_row(void)
{
	struct limiter_row *row = &rows[0];
	struct limiter_place *place;
	u64 now = FIRST_MOMENT;
	bool ok = true;
	u64 i;

	memset(row->places, 0, sizeof(row->places));
	for (i = 1; i <= PLACES_PER_ROW; i++) {
		place = row_find(row, NET_A, i, now);
		ok &= expect(place && place_take(place, now), "a place");
	}
	ok &= expect(!row_find(row, NET_A, i, now), "no place is left") &&
	      expect(row_find(row, NET_A, 1, now), "sources keep theirs") &&
	      expect(!row_find(row, NET_B, 1, now), "in their namespace");
	now += PACKET_COST_NS;
	ok &= expect(row_find(row, NET_A, i, now), "idle places are free");
	memset(row->places, 0, sizeof(row->places));
	return ok;
}

/* Chance decides how evenly sources spread, but not as far as to half. */
static bool __init full_table(void)
{
	unsigned int allowed = 0;
	u64 now = 2 * FIRST_MOMENT * 3600;
	u64 i;

	for (i = 0; i < ROWS * PLACES_PER_ROW * 4; i++)
		allowed += source_allow(NET_B, i, now);
	return expect(allowed <= ROWS * PLACES_PER_ROW, "a table has an end") &&
	       expect(allowed > ROWS * PLACES_PER_ROW / 2, "and is used");
}

static u64 __init address_of(const void *source, size_t len)
{
	struct sk_buff *skb = fixture_packet(source, len, "", 0);
	u64 address = 0;

	if (expect(skb, "memory for a packet"))
		address = source_address(skb);
	kfree_skb(skb);
	return address;
}

static bool __init addresses(void)
{
	static const u8 in_64[16] __initconst = "\x20\1\x0d\xb8\0\1\0\2host-a.";
	static const u8 same[16] __initconst = "\x20\1\x0d\xb8\0\1\0\2host-b.";
	static const u8 other[16] __initconst = "\x20\1\x0d\xb8\0\1\0\3host-a.";

	return expect(address_of(in_64, 16) == 0x20010db800010002ULL,
		      "IPv6 counts by /64") &&
	       expect(address_of(in_64, 16) == address_of(same, 16),
		      "a /64 is one source") &&
	       expect(address_of(in_64, 16) != address_of(other, 16),
		      "two /64 are two sources") &&
	       expect(address_of("\xc0\0\2\1", 4) !=
		      address_of("\xc0\0\2\2", 4), "two IPv4 sources") &&
	       expect(address_of("\0\0\0\0", 4) >> 32 == U32_MAX,
		      "no IPv4 address is an IPv6 prefix");
}

static bool __init whole_packets(void)
{
	struct sk_buff *skb = fixture_packet("\xc6\x33\x64\1", 4, "", 0);
	unsigned int allowed = 0;
	unsigned int i;

	if (!expect(skb, "memory for a packet"))
		return false;
	for (i = 0; i < 6; i++)
		allowed += wg_ratelimiter_allow(skb, NET_A);
	kfree_skb(skb);
	/* The sixth may find a token back if this thread was kept waiting. */
	return expect(allowed >= 5, "packets pass until there are too many");
}

/**
 * wg_ratelimiter_selftest() - rates, room and users of the rate limiter
 *
 * Context: process, before the first device.
 * Return: whether all was as it should be.
 */
bool __init wg_ratelimiter_selftest(void)
{
	bool ok;

	if (!expect(!wg_ratelimiter_get() && rows, "first user"))
		return false;
	ok = expect(!wg_ratelimiter_get() && !wg_ratelimiter_get() && rows,
		    "more users");
	ok &= burst_and_refill();
	ok &= sustained_rate();
	ok &= full_row();
	ok &= addresses();
	ok &= whole_packets();
	ok &= full_table();
	wg_ratelimiter_put();
	wg_ratelimiter_put();
	ok &= expect(rows && users == 1, "a table as long as there are users");
	wg_ratelimiter_put();
	ok &= expect(!rows && !users, "no table without users");
	return report("ratelimiter", ok);
}
