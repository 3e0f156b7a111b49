/* SPDX-License-Identifier: GPL-2.0 */
/* Why packets are dropped, for whoever asks: counters, tracepoints, the core. */
#ifndef _WG_DROP_H
#define _WG_DROP_H

#include "packet.h"

#include <linux/skbuff.h>

struct wg_device;
struct wg_peer;

#define WG_DROP_CAUSE(name, ...) WG_DROP_##name,

/* Why a packet is dropped: drop_causes.h says what each means. */
enum wg_drop {
	WG_DROP_NONE,		/* not dropped */
#include "drop_causes.h"
	WG_DROP_COUNT,		/* of causes, and the one that is none */
};

#undef WG_DROP_CAUSE

/**
 * struct wg_drop_cause - what there is to say about a cause
 * @path: "rx" or "tx"
 * @word: its name
 * @reason: for the core
 */
struct wg_drop_cause {
	const char *path;
	const char *word;
	enum skb_drop_reason reason;
};

extern const struct wg_drop_cause wg_drop_causes[WG_DROP_COUNT];

void wg_drop_count(struct wg_device *wg, const struct wg_peer *peer,
		   enum wg_drop cause, unsigned int packets);

void wg_drop_log(struct wg_device *wg, const struct sk_buff *skb,
		 enum wg_drop cause);

/**
 * wg_drop() - drop a packet, or all that a GSO packet is
 * @wg: device
 * @peer: whose packet it was, or NULL where that is not known
 * @skb: packet; taken over
 * @cause: why
 *
 * Always inlined, so that the core's tracepoint tells the caller's place in the code.
 *
 * Context: any.
 */
static __always_inline void
wg_drop(struct wg_device *wg, const struct wg_peer *peer, struct sk_buff *skb,
	enum wg_drop cause)
{
	wg_drop_count(wg, peer, cause, wg_packet_segments(skb));
	kfree_skb_reason(skb, wg_drop_causes[cause].reason);
}

/**
 * wg_drop_from() - drop a message that is nobody's yet
 * @wg: device
 * @skb: outer packet, headers in place; taken over
 * @cause: why
 *
 * Context: any.
 */
static __always_inline void
wg_drop_from(struct wg_device *wg, struct sk_buff *skb, enum wg_drop cause)
{
	wg_drop_log(wg, skb, cause);
	wg_drop(wg, NULL, skb, cause);
}

/**
 * wg_drop_queue() - drop all packets of a queue
 * @wg: device
 * @peer: whose packets they were, or NULL
 * @queue: packets; empty afterwards; its lock is the caller's business
 * @cause: why
 *
 * Context: any.
 * Return: how many there were, a GSO packet being as many as it has segments.
 */
static __always_inline unsigned int
wg_drop_queue(struct wg_device *wg, const struct wg_peer *peer,
	      struct sk_buff_head *queue, enum wg_drop cause)
{
	unsigned int packets = 0;
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(queue))) {
		packets += wg_packet_segments(skb);
		kfree_skb_reason(skb, wg_drop_causes[cause].reason);
	}
	if (packets)
		wg_drop_count(wg, peer, cause, packets);
	return packets;
}

#endif /* _WG_DROP_H */
