/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _COMPAT_LINUX_LOCAL_LOCK_H
#define _COMPAT_LINUX_LOCAL_LOCK_H

#include_next <linux/local_lock.h>

/*
 * Before 6.11: the lock does not know that BH are off, and costs a
 * preempt_disable() for that.
 */
#ifndef local_lock_nested_bh
#define local_lock_nested_bh(lock)	local_lock(lock)
#define local_unlock_nested_bh(lock)	local_unlock(lock)
#endif

#endif /* _COMPAT_LINUX_LOCAL_LOCK_H */
