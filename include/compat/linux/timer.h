/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _COMPAT_LINUX_TIMER_H
#define _COMPAT_LINUX_TIMER_H

#include_next <linux/timer.h>

/* Before 6.16: named otherwise. */
#ifndef timer_container_of
#define timer_container_of from_timer
#endif

#endif /* _COMPAT_LINUX_TIMER_H */
