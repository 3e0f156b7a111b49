/* SPDX-License-Identifier: GPL-2.0 */
/* Cryptokey routing: the longest-prefix map from inner addresses to peers. */
#ifndef _WG_ALLOWEDIPS_H
#define _WG_ALLOWEDIPS_H

#include <linux/types.h>

struct sk_buff;
struct wg_peer;
struct wg_allowedips_node;

/**
 * struct wg_allowedips - allowed IPs of all peers of a device
 * @root4: trie over IPv4 prefixes
 * @root6: trie over IPv6 prefixes
 * @seq: changes with every change, so that a dump that was interrupted between
 *	two messages can tell; starts at 1, never 0
 *
 * Writers hold the device's update lock; readers hold RCU (or RCU-bh).
 */
struct wg_allowedips {
	struct wg_allowedips_node __rcu *root4;
	struct wg_allowedips_node __rcu *root6;
	u64 seq;
};

int wg_allowedips_module_init(void);
void wg_allowedips_module_exit(void);

void wg_allowedips_init(struct wg_allowedips *table);
void wg_allowedips_free(struct wg_allowedips *table);
int wg_allowedips_insert(struct wg_allowedips *table, u16 family,
			 const void *addr, u8 cidr, struct wg_peer *peer);
int wg_allowedips_remove(struct wg_allowedips *table, u16 family,
			 const void *addr, u8 cidr, struct wg_peer *peer);
void wg_allowedips_remove_peer(struct wg_allowedips *table,
			       struct wg_peer *peer);

struct wg_peer *wg_allowedips_lookup_dst(const struct wg_allowedips *table,
					 const struct sk_buff *skb);
struct wg_peer *wg_allowedips_lookup_src(const struct wg_allowedips *table,
					 const struct sk_buff *skb);

struct wg_allowedips_node *wg_allowedips_next(const struct wg_peer *peer,
					      struct wg_allowedips_node *prev);
u16 wg_allowedips_read(const struct wg_allowedips_node *node, u8 addr[16],
		       u8 *cidr);

#ifdef DEBUG
void wg_allowedips_print_dot(const struct wg_allowedips *table);
bool wg_allowedips_selftest(void);
#endif

#endif /* _WG_ALLOWEDIPS_H */
