// SPDX-License-Identifier: GPL-2.0
/* Keys do not survive a machine that sleeps or is cloned. */
#include "power.h"

#include "device.h"
#include "keypair.h"
#include "noise.h"
#include "peer.h"

#include <linux/notifier.h>
#include <linux/random.h>
#include <linux/suspend.h>

static void wipe(struct wg_peer *peer)
{
	timer_delete(&peer->timers.zero_keys);
	wg_noise_handshake_clear(peer);
	wg_keypairs_clear(peer);
}

/*
 * A machine that sleeps every time nobody looks would shake hands all day; and
 * what it fears is not that somebody takes its memory out meanwhile.
 */
static bool sleeps_all_day(void)
{
	return IS_ENABLED(CONFIG_PM_AUTOSLEEP) ||
	       IS_ENABLED(CONFIG_PM_USERSPACE_AUTOSLEEP);
}

static int on_suspend(struct notifier_block *block, unsigned long action,
		      void *data)
{
	if (sleeps_all_day() ||
	    (action != PM_HIBERNATION_PREPARE && action != PM_SUSPEND_PREPARE))
		return 0;
	wg_device_visit_peers(wipe);
	/* The image or the memory must not have them: wait for the wiping. */
	rcu_barrier();
	return 0;
}

static struct notifier_block suspend_block = { .notifier_call = on_suspend };

/* Two machines with one set of keys would use the same nonces. */
static int on_vmfork(struct notifier_block *block, unsigned long action,
		     void *data)
{
	wg_device_visit_peers(wg_keypairs_expire);
	return 0;
}

struct notifier_block wg_power_vmfork = { .notifier_call = on_vmfork };

/**
 * wg_power_module_init() - be told of sleep and of clones
 *
 * Context: process, as the module is loaded.
 * Return: 0 or a negative errno.
 */
int wg_power_module_init(void)
{
	int ret;

	ret = register_pm_notifier(&suspend_block);
	if (ret)
		return ret;
	ret = register_random_vmfork_notifier(&wg_power_vmfork);
	if (ret)
		unregister_pm_notifier(&suspend_block);
	return ret;
}

/**
 * wg_power_module_exit() - be told no more
 *
 * Context: process, as the module is unloaded.
 */
void wg_power_module_exit(void)
{
	unregister_random_vmfork_notifier(&wg_power_vmfork);
	unregister_pm_notifier(&suspend_block);
}
