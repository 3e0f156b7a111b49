// SPDX-License-Identifier: GPL-2.0
/*
 * The replay window: RFC 6479, "IPsec Anti-Replay Algorithm without Bit
 * Shifting".
 *
 * The bitmap is a ring of words. The word that holds the newest counter is only
 * partly used, and the words behind it must not be reused before the window has
 * left them, so one word of the ring is always spare: that is why the window is
 * WG_REPLAY_WINDOW_BITS less one word.
 */
#include "replay.h"

#include <linux/kernel.h>
#include <linux/string.h>

#define SEEN_WORDS (WG_REPLAY_WINDOW_BITS / BITS_PER_LONG)

static_assert(WG_REPLAY_WINDOW_BITS % BITS_PER_LONG == 0);

/* @newest is one more than the largest counter, so 0 rules nothing out. */
static bool behind_window(u64 newest, u64 counter)
{
	return newest > WG_REPLAY_WINDOW &&
	       counter < newest - WG_REPLAY_WINDOW - 1;
}

/* Move the window so that @counter becomes its newest; the lock is held. */
static void advance(struct wg_replay *replay, u64 counter)
{
	u64 from = replay->newest ? (replay->newest - 1) / BITS_PER_LONG : 0;
	u64 to = counter / BITS_PER_LONG;
	u64 i, n = min_t(u64, to - from, SEEN_WORDS);

	/* What these words hold is of counters that have left the window. */
	for (i = 1; i <= n; ++i)
		replay->seen[(from + i) % SEEN_WORDS] = 0;
	WRITE_ONCE(replay->newest, counter + 1);
}

/**
 * wg_replay_init() - begin with no counter seen
 * @replay: window of a new receiving key
 *
 * Context: any.
 */
void wg_replay_init(struct wg_replay *replay)
{
	memset(replay, 0, sizeof(*replay));
	spin_lock_init(&replay->lock);
}

/**
 * wg_replay_accept() - take a counter, once
 * @replay: window of the receiving key
 * @counter: from a packet that this key has authenticated: anything else would
 *	let an enemy move the window
 *
 * Context: Any number of CPUs at once, all with BH off. That is why the lock
 *	need not turn it off again.
 * Return: true if @counter is new and near enough to the newest; it is then
 *	recorded. False for a duplicate, for one behind the window, and for
 *	counters beyond the last that a key may be used for.
 */
bool wg_replay_accept(struct wg_replay *replay, u64 counter)
{
	unsigned long bit = BIT(counter % BITS_PER_LONG);
	bool accepted = false;
	unsigned long *word;

	if (counter >= WG_REJECT_AFTER_MESSAGES)
		return false;

	word = &replay->seen[counter / BITS_PER_LONG % SEEN_WORDS];
	spin_lock(&replay->lock);
	if (behind_window(replay->newest, counter))
		goto out;
	if (counter >= replay->newest)
		advance(replay, counter);
	accepted = !(*word & bit);
	*word |= bit;
out:
	spin_unlock(&replay->lock);
	return accepted;
}

/**
 * wg_replay_hopeless() - is a packet not worth decrypting?
 * @replay: window of the receiving key
 * @counter: from a packet that nobody has authenticated yet
 *
 * What is behind the window, or beyond the last counter, would be refused by
 * wg_replay_accept() in any case. And with its last counter a key has ended for
 * good, for late packets too (6.1).
 *
 * It takes no lock: the window only moves forward, so that a stale value makes
 * for false. Where a u64 is read in two halves, a packet that comes while the
 * lower half overflows may be lost, once in 2^32 packets.
 *
 * Context: Any.
 * Return: true if the packet is to be dropped.
 */
bool wg_replay_hopeless(const struct wg_replay *replay, u64 counter)
{
	u64 newest = READ_ONCE(replay->newest);

	return counter >= WG_REJECT_AFTER_MESSAGES ||
	       newest >= WG_REJECT_AFTER_MESSAGES ||
	       behind_window(newest, counter);
}

#ifdef DEBUG
#include "selftest/replay.c"
#endif
