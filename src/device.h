/* SPDX-License-Identifier: GPL-2.0 */
/* A WireGuard network device. */
#ifndef _WG_DEVICE_H
#define _WG_DEVICE_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>

#include "allowedips.h"
#include "cookie.h"
#include "handshake.h"
#include "identity.h"
#include "noise.h"
#include "pipeline.h"
#include "table.h"

struct sock;
struct wg_engine;
struct wg_peer;
struct wg_stats;

/**
 * struct wg_device - netdev_priv() of a WireGuard interface
 * @dev: its net_device
 * @engine: where packets are worked on: the mode. Where a packet goes is decided by
 *	one READ_ONCE()
 * @sock4: outer IPv4 socket, RCU; NULL while down
 * @sock6: outer IPv6 socket likewise
 * @creating_net: namespace of the sockets, RCU. Not counted, as the device may
 *	be in a namespace that keeps this one alive and the other way round; NULL
 *	once that namespace is on its way out
 * @identity: our static key
 * @cookie_checker: macs and cookies of handshakes that come in
 * @allowedips: inner address to peer
 * @peers: public key to peer
 * @indices: receiver index to handshake or keypair
 * @handshakes: handshake messages received, and who works on them
 * @pipeline: workers and rings, in use or not
 * @idle_napi: never polls. The core's "threaded" attribute cannot be written
 *	while a device has no NAPI; ours all belong to another one
 * @stats: what it counts about its own work
 * @handshake_wq: runs initiations, received handshakes and stage flushes, and wipes
 *	old keys
 * @peer_list: all peers, in order of creation
 * @update_lock: guards configuration. Taken inside RTNL, outside everything else
 * @device_list: linkage in the list of all devices; RTNL
 * @num_peers: length of @peer_list
 * @device_generation: changes with every configuration change, for dumps; update
 *	lock
 * @mode_told: the mode that was traced last; changed by cmpxchg()
 * @fwmark: mark of outer packets; READ_ONCE()
 * @threaded_is_set: the core's "threaded" says which pipeline is wanted; before
 *	that nobody has; RTNL
 * @incoming_port: UDP port in host order, 0 until chosen; update lock
 */
struct wg_device {
	struct net_device *dev;
	const struct wg_engine *engine;
	struct sock __rcu *sock4;
	struct sock __rcu *sock6;
	struct net __rcu *creating_net;
	struct wg_identity identity;
	struct wg_cookie_checker cookie_checker;
	struct wg_allowedips allowedips;
	struct wg_peer_table peers;
	struct wg_index_table indices;
	struct wg_handshake_queue handshakes;
	struct wg_pipeline pipeline;
	struct napi_struct idle_napi;
	struct wg_stats __percpu *stats;
	struct workqueue_struct *handshake_wq;
	struct list_head peer_list;
	struct mutex update_lock; /* configuration, see above */
	struct list_head device_list;
	unsigned int num_peers;
	unsigned int device_generation;
	unsigned int mode_told;
	u32 fwmark;
	bool threaded_is_set;
	u16 incoming_port;
};

int wg_device_module_init(void);
void wg_device_module_exit(void);

void wg_device_set_private_key(struct wg_device *wg,
			       const u8 private_key[WG_KEY_SIZE]);

/* Something to do to a peer, in process context. */
typedef void (*wg_peer_fn)(struct wg_peer *peer);

void wg_device_visit_peers(wg_peer_fn todo);

bool wg_device_is_wireguard(const struct net_device *dev);

#ifdef DEBUG
bool wg_device_selftest(void);
#endif

#endif /* _WG_DEVICE_H */
