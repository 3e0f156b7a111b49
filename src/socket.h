/* SPDX-License-Identifier: GPL-2.0 */
/* The outer UDP sockets of a device. */
#ifndef _WG_SOCKET_H
#define _WG_SOCKET_H

#include <linux/skbuff.h>
#include <linux/types.h>

struct wg_device;
struct wg_peer;

int wg_socket_open(struct wg_device *wg, u16 port);
void wg_socket_close(struct wg_device *wg);
int wg_socket_send(struct wg_peer *peer, struct sk_buff *skb, u8 ds);
int wg_socket_send_message(struct wg_peer *peer, const void *msg, size_t len,
			   u8 ds);
int wg_socket_answer(struct wg_device *wg, struct sk_buff *in, const void *msg,
		     size_t len);

#endif /* _WG_SOCKET_H */
