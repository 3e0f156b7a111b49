/* SPDX-License-Identifier: GPL-2.0 */
/* What ethtool(8) shows of a device. */
#ifndef _WG_ETHTOOL_H
#define _WG_ETHTOOL_H

#include <linux/ethtool.h>

extern const struct ethtool_ops wg_ethtool_ops;

#endif /* _WG_ETHTOOL_H */
