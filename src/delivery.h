/* SPDX-License-Identifier: GPL-2.0 */
/* The NAPIs that hand inner packets to the stack, for both engines. */
#ifndef _WG_DELIVERY_H
#define _WG_DELIVERY_H

#include <linux/types.h>

struct sk_buff_head;
struct wg_device;
struct wg_item;
struct wg_peer;

int wg_delivery_module_init(void);
void wg_delivery_module_exit(void);
int wg_delivery_start_threads(void);

bool wg_delivery_has_room(void);
void wg_delivery_rearm(void);
void wg_delivery_add(struct sk_buff_head *opened);
void wg_delivery_forget(struct wg_device *wg);

void wg_delivery_follow(struct wg_item *item);
void wg_delivery_kick(struct wg_peer *peer);

#endif /* _WG_DELIVERY_H */
