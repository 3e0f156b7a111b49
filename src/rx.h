/* SPDX-License-Identifier: GPL-2.0 */
/* The steps of a packet on its way in. They do not know where they run. */
#ifndef _WG_RX_H
#define _WG_RX_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/types.h>

#include "drop.h"

struct sock;
struct wg_device;
struct wg_keypair;

/**
 * struct wg_rx_batch - packets of one keypair, oldest first
 * @keypair: what opens them; each packet holds a reference to it
 * @packets: outer packets, their data at the message; then inner ones
 */
struct wg_rx_batch {
	struct wg_keypair *keypair;
	struct sk_buff_head packets;
};

int wg_rx_socket(struct sock *sk, struct sk_buff *skb);

bool wg_rx_group(struct wg_rx_batch *batch, struct sk_buff_head *from);
void wg_rx_open(struct wg_rx_batch *batch);
void wg_rx_accept(struct wg_rx_batch *batch);
void wg_rx_deliver(struct wg_rx_batch *batch, struct napi_struct *napi);
void wg_rx_drop(struct sk_buff_head *packets, enum wg_drop cause);
void wg_rx_refuse(struct wg_device *wg, struct sk_buff_head *packets,
		  enum wg_drop cause);

#endif /* _WG_RX_H */
