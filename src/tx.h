/* SPDX-License-Identifier: GPL-2.0 */
/* The steps of a packet on its way out. They do not know where they run. */
#ifndef _WG_TX_H
#define _WG_TX_H

#include <linux/skbuff.h>
#include <linux/types.h>

#include "drop.h"

struct wg_keypair;
struct wg_peer;

/**
 * struct wg_tx_batch - one inner packet, or what one GSO packet becomes
 * @peer: to whom
 * @keypair: what seals it; valid in the RCU-bh section of wg_tx_take(), or as long
 *	as somebody holds a reference
 * @packets: inner packets, linked by next; wg_tx_seal() makes them messages
 * @uncut: the GSO packet that they were cut from, or NULL
 * @counter: nonce of the first, the others follow
 * @count: how many; wg_tx_seal() takes off what it had to drop
 * @mtu: bound of the padding
 * @ds: DS field of the outer header
 * @has_data: there is content, it is not a keepalive
 */
struct wg_tx_batch {
	struct wg_peer *peer;
	struct wg_keypair *keypair;
	struct sk_buff *packets;
	struct sk_buff *uncut;
	u64 counter;
	unsigned int count;
	u32 mtu;
	u8 ds;
	bool has_data;
};

void wg_tx_seal_module_exit(void);

bool wg_tx_has_key(struct wg_peer *peer);
bool wg_tx_take(struct wg_tx_batch *batch, struct wg_peer *peer,
		struct sk_buff *skb);
void wg_tx_seal(struct wg_tx_batch *batch);
void wg_tx_drop(struct wg_tx_batch *batch, enum wg_drop cause);
void wg_tx_transmit(struct wg_tx_batch *batch);

#endif /* _WG_TX_H */
