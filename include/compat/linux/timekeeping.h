/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 6.1: not complete without its includer. There is no guard here, as that one
 * includes this file again and means the real one.
 */
#include <linux/ktime.h>
#include_next <linux/timekeeping.h>
