/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Engines decide where the steps of a packet run; the one that a device points
 * to is its mode.
 */
#ifndef _WG_ENGINE_H
#define _WG_ENGINE_H

#include <linux/skbuff.h>
#include <linux/types.h>

struct wg_device;
struct wg_peer;

/**
 * struct wg_engine - one way to run the steps
 * @xmit: run the steps of tx.h on an inner packet. BH off, RCU-bh section.
 *	False where it cannot be sent now: no key, or no stack left to nest; the
 *	packet is still the caller's then
 * @receive: run the steps of rx.h on the admitted packets of one call of the
 *	socket, one at least; takes them over. Softirq, RCU section
 * @forget: finish or drop what the engine still has of a device that nothing is
 *	received for any more. Process context; may sleep
 */
struct wg_engine {
	bool (*xmit)(struct wg_peer *peer, struct sk_buff *skb);
	void (*receive)(struct wg_device *wg, struct sk_buff_head *packets);
	void (*forget)(struct wg_device *wg);
};

extern const struct wg_engine wg_inline_engine;
extern const struct wg_engine wg_pipeline_engine;

#endif /* _WG_ENGINE_H */
