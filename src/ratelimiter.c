// SPDX-License-Identifier: GPL-2.0
/*
 * Token buckets by source address, in a table of fixed size.
 *
 * A source that has been quiet for as long as its bucket takes to fill up is
 * the same as one never seen, so its place may be given away at any time. So a
 * flood cannot make us allocate memory, nothing has to be collected, and all
 * that there is to know of a source is one point in time: when its bucket will
 * be full (the generic cell rate algorithm, ITU-T I.371).
 *
 * Sources are spread over rows by SipHash under a random key, so that nobody
 * knows whose row he shares. One that finds its row taken by others that are
 * all active is refused; with 2^14 places and a quarter of a second to fill a
 * bucket, that takes some 2^16 new sources a second, more than the handshakes
 * that a machine can do.
 */

#include "ratelimiter.h"

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/time64.h>
#include <linux/timekeeping.h>
#include <linux/unaligned.h>

#define PACKETS_PER_SECOND	20
#define PACKETS_BURST		5
#define PACKET_COST_NS		(NSEC_PER_SEC / PACKETS_PER_SECOND)
#define BUCKET_SIZE_NS		(PACKETS_BURST * PACKET_COST_NS)

#define ROWS			2048
#define PLACES_PER_ROW		8

/**
 * struct limiter_place - the bucket of one source
 * @net: namespace that the source is in, only ever compared
 * @address: IPv4 address, or prefix of length 64, as source_address() makes it
 * @full_at: when all tokens will be back, boot time in ns; free if in the past
 */
struct limiter_place {
	const struct net *net;
	u64 address;
	u64 full_at;
};

/**
 * struct limiter_row - the buckets of all sources with one hash
 * @lock: guards @places
 * @places: in no order
 */
struct limiter_row {
	spinlock_t lock; /* guards places */
	struct limiter_place places[PLACES_PER_ROW];
};

static DEFINE_MUTEX(users_lock);
static unsigned int users;
/* Set while @users is not 0, so whoever counts as a user may just read them. */
static struct limiter_row *rows;
static siphash_key_t rows_key;

/**
 * wg_ratelimiter_get() - become a user of the rate limiter
 *
 * The first user pays for the table.
 *
 * Context: process; may sleep.
 * Return: 0 or -ENOMEM.
 */
int wg_ratelimiter_get(void)
{
	int ret = 0;
	size_t i;

	mutex_lock(&users_lock);
	if (!users) {
		rows = kvcalloc(ROWS, sizeof(*rows), GFP_KERNEL);
		if (!rows) {
			ret = -ENOMEM;
			goto out;
		}
		for (i = 0; i < ROWS; i++)
			spin_lock_init(&rows[i].lock);
		get_random_bytes(&rows_key, sizeof(rows_key));
	}
	users++;
out:
	mutex_unlock(&users_lock);
	return ret;
}

/**
 * wg_ratelimiter_put() - be a user no longer
 *
 * The caller has made sure that none of its calls of wg_ratelimiter_allow() is
 * still running.
 *
 * Context: process; may sleep.
 */
void wg_ratelimiter_put(void)
{
	mutex_lock(&users_lock);
	if (!WARN_ON(!users) && !--users) {
		kvfree(rows);
		rows = NULL;
	}
	mutex_unlock(&users_lock);
}

/*
 * A site has a /64 at least, so that is what counts as one source in IPv6. IPv4
 * goes where multicast prefixes would be, which are never a source.
 */
static u64 source_address(const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IPV6))
		return get_unaligned_be64(&ipv6_hdr(skb)->saddr);
	return GENMASK_ULL(63, 32) | be32_to_cpu(ip_hdr(skb)->saddr);
}

/* The place of the source, or the one to give to it, or NULL. Row locked. */
static struct limiter_place *row_find(struct limiter_row *row,
				      const struct net *net, u64 address,
				      u64 now)
{
	struct limiter_place *place, *free = NULL;

	for (place = row->places; place < row->places + PLACES_PER_ROW;
	     place++) {
		if (place->address == address && place->net == net)
			return place;
		if (place->full_at <= now)
			free = place;
	}
	if (free) {
		free->net = net;
		free->address = address;
		free->full_at = 0;
	}
	return free;
}

/* Takes a token, if there is one. Row locked. */
static bool place_take(struct limiter_place *place, u64 now)
{
	u64 full_at = max(place->full_at, now) + PACKET_COST_NS;

	if (full_at - now > BUCKET_SIZE_NS)
		return false;
	place->full_at = full_at;
	return true;
}

static bool source_allow(const struct net *net, u64 address, u64 now)
{
	struct limiter_place *place;
	struct limiter_row *row;
	bool allowed;

	row = &rows[siphash_2u64(address, (unsigned long)net, &rows_key) %
		    ROWS];
	spin_lock(&row->lock);
	place = row_find(row, net, address, now);
	allowed = place && place_take(place, now);
	spin_unlock(&row->lock);
	return allowed;
}

/**
 * wg_ratelimiter_allow() - may this source have another packet worked on?
 * @skb: the packet, with its outer network header set; stays the caller's
 * @net: namespace that it was received in; only its address matters
 *
 * Five packets at once, and twenty a second, for each IPv4 address or IPv6
 * prefix of length 64 in each namespace.
 *
 * Context: process, by a user of the rate limiter.
 * Return: whether it may.
 */
bool wg_ratelimiter_allow(const struct sk_buff *skb, const struct net *net)
{
	return source_allow(net, source_address(skb),
			    ktime_get_coarse_boottime_ns());
}

#ifdef DEBUG
#include "selftest/ratelimiter.c"
#endif
