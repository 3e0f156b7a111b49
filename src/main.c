// SPDX-License-Identifier: GPL-2.0
/* The module: what is set up before what. */
#include "aead.h"
#include "allowedips.h"
#include "cookie.h"
#include "delivery.h"
#include "device.h"
#include "kdf.h"
#include "lane.h"
#include "netlink.h"
#include "noise.h"
#include "ordered.h"
#include "peer.h"
#include "power.h"
#include "ratelimiter.h"
#include "replay.h"
#include "table.h"
#include "transcript.h"
#include "tx.h"

#include <linux/init.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <net/genetlink.h>
#include <net/rtnetlink.h>

/**
 * struct wg_part - a part of the module
 * @init: sets it up; 0 or a negative errno
 * @exit: undoes that
 */
struct wg_part {
	int (*init)(void);
	void (*exit)(void);
};

/* In order; undone in the opposite one. */
static const struct wg_part parts[] = {
	{ wg_allowedips_module_init, wg_allowedips_module_exit },
	{ wg_peer_module_init, wg_peer_module_exit },
	{ NULL, wg_tx_seal_module_exit },
	{ wg_ordered_module_init, wg_ordered_module_exit },
	{ wg_lane_module_init, wg_lane_module_exit },
	{ wg_delivery_module_init, wg_delivery_module_exit },
	{ wg_device_module_init, wg_device_module_exit },
	{ wg_power_module_init, wg_power_module_exit },
	{ wg_netlink_module_init, wg_netlink_module_exit },
};

static void exit_parts(unsigned int count)
{
	while (count--)
		parts[count].exit();
}

static bool __init selftests(void)
{
#ifdef DEBUG
	return wg_kdf_selftest() && wg_noise_selftest() &&
	       wg_cookie_selftest() && wg_ratelimiter_selftest() &&
	       wg_replay_selftest() && wg_allowedips_selftest() &&
	       wg_table_selftest() && wg_aead_selftest() &&
	       wg_device_selftest();
#else
	return true;
#endif
}

static int __init wg_module_init(void)
{
	unsigned int i;
	int ret;

	wg_transcript_module_init();
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		ret = parts[i].init ? parts[i].init() : 0;
		if (ret) {
			exit_parts(i);
			return ret;
		}
	}
	if (!selftests()) {
		exit_parts(i);
		return -ENOTRECOVERABLE;
	}
	pr_info("wireguard-inline %s loaded\n", WG_VERSION);
	return 0;
}

static void __exit wg_module_exit(void)
{
	exit_parts(ARRAY_SIZE(parts));
}

module_init(wg_module_init);
module_exit(wg_module_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("WireGuard secure network tunnel, run to completion");
MODULE_AUTHOR("The wireguard-inline authors");
MODULE_VERSION(WG_VERSION);
MODULE_ALIAS_RTNL_LINK(KBUILD_MODNAME);
MODULE_ALIAS_GENL_FAMILY("wireguard");
