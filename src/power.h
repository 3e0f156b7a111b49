/* SPDX-License-Identifier: GPL-2.0 */
/* Keys do not survive a machine that sleeps or is cloned. */
#ifndef _WG_POWER_H
#define _WG_POWER_H

#include <linux/notifier.h>

/* Called when the machine turns out to be a clone; here for its self-test. */
extern struct notifier_block wg_power_vmfork;

int wg_power_module_init(void);
void wg_power_module_exit(void);

#endif /* _WG_POWER_H */
