/* SPDX-License-Identifier: GPL-2.0 */
/* /sys/class/net/<if>/wireguard/ */
#ifndef _WG_SYSFS_H
#define _WG_SYSFS_H

#include <linux/sysfs.h>

extern const struct attribute_group wg_sysfs_group;

#endif /* _WG_SYSFS_H */
