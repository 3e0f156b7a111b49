// SPDX-License-Identifier: GPL-2.0
/*
 * What ethtool(8) shows of a device.
 *
 * Names of counters are words joined by "_": a mode, or none where it does not
 * matter; cpu<N>, or none for all CPUs together; then what is counted. The count
 * of counters does not depend on what happens: every CPU that may ever come has
 * its own, and nothing is added up twice.
 */
#include "ethtool.h"

#include "device.h"
#include "drop.h"
#include "mode.h"
#include "stats.h"

#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/string.h>

/* Of a mode, by CPU, and of batches' sizes; see write_mode_names(). */
#define COUNTERS_PER_MODE	(2 * 3)
#define SIZES_PER_MODE		(WG_PATHS * WG_STATS_SIZES)
/* Of causes, one is none. */
#define COUNTERS_PER_CPU \
	(WG_MODES * COUNTERS_PER_MODE + WG_DROP_COUNT - 1)

/* Private flags: the mode, for those to whom /sys is read-only. */
enum { FLAG_INLINE = BIT(0), FLAG_THREADED = BIT(1) };

static const char flag_names[][ETH_GSTRING_LEN] = { "inline", "threaded" };

static void get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
	strscpy(info->version, WG_VERSION, sizeof(info->version));
}

static int get_sset_count(struct net_device *dev, int set)
{
	if (set == ETH_SS_PRIV_FLAGS)
		return ARRAY_SIZE(flag_names);
	if (set != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return WG_MODES * SIZES_PER_MODE +
	       num_possible_cpus() * COUNTERS_PER_CPU;
}

/* "inline_rx_batches_1", "…_2_3", up to "…_64_up": bounds, both included. */
static void write_size_names(u8 **to, const char *mode, const char *path)
{
	int size;

	ethtool_sprintf(to, "%s_%s_batches_1", mode, path);
	for (size = 1; size < WG_STATS_SIZES - 1; size++)
		ethtool_sprintf(to, "%s_%s_batches_%u_%u", mode, path,
				1U << size, (2U << size) - 1);
	ethtool_sprintf(to, "%s_%s_batches_%u_up", mode, path, 1U << size);
}

static void write_mode_names(u8 **to, const char *mode, int cpu)
{
	ethtool_sprintf(to, "%s_cpu%d_rx_packets", mode, cpu);
	ethtool_sprintf(to, "%s_cpu%d_rx_batches", mode, cpu);
	ethtool_sprintf(to, "%s_cpu%d_opened", mode, cpu);
	ethtool_sprintf(to, "%s_cpu%d_tx_packets", mode, cpu);
	ethtool_sprintf(to, "%s_cpu%d_tx_batches", mode, cpu);
	ethtool_sprintf(to, "%s_cpu%d_sealed", mode, cpu);
}

static void write_cpu_names(u8 **to, int cpu)
{
	enum wg_drop cause;
	enum wg_mode mode;

	for (mode = 0; mode < WG_MODES; mode++)
		write_mode_names(to, wg_mode_word(mode), cpu);
	for (cause = WG_DROP_NONE + 1; cause < WG_DROP_COUNT; cause++)
		ethtool_sprintf(to, "cpu%d_%s_drop_%s", cpu,
				wg_drop_causes[cause].path,
				wg_drop_causes[cause].word);
}

static void write_counter_names(u8 *to)
{
	enum wg_mode mode;
	int cpu;

	for (mode = 0; mode < WG_MODES; mode++) {
		write_size_names(&to, wg_mode_word(mode), "rx");
		write_size_names(&to, wg_mode_word(mode), "tx");
	}
	for_each_possible_cpu(cpu)
		write_cpu_names(&to, cpu);
}

static void get_strings(struct net_device *dev, u32 set, u8 *to)
{
	if (set == ETH_SS_STATS)
		write_counter_names(to);
	else if (set == ETH_SS_PRIV_FLAGS)
		memcpy(to, flag_names, sizeof(flag_names));
}

static u64 sum_sizes(const struct wg_device *wg, enum wg_mode mode,
		     enum wg_path path, int size)
{
	const struct wg_stats *stats;
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		stats = per_cpu_ptr(wg->stats, cpu);
		sum += wg_stats_read(stats, &stats->of[mode][path].sizes[size]);
	}
	return sum;
}

static u64 *write_sizes(u64 *to, const struct wg_device *wg, enum wg_mode mode)
{
	enum wg_path path;
	int size;

	for (path = 0; path < WG_PATHS; path++) {
		for (size = 0; size < WG_STATS_SIZES; size++)
			*to++ = sum_sizes(wg, mode, path, size);
	}
	return to;
}

static u64 *write_path(u64 *to, const struct wg_stats *stats,
		       const struct wg_path_stats *way)
{
	*to++ = wg_stats_read(stats, &way->packets);
	*to++ = wg_stats_read(stats, &way->batches);
	*to++ = wg_stats_read(stats, &way->crypted);
	return to;
}

static u64 *write_cpu(u64 *to, const struct wg_stats *stats)
{
	enum wg_drop cause;
	enum wg_mode mode;

	for (mode = 0; mode < WG_MODES; mode++) {
		to = write_path(to, stats, &stats->of[mode][WG_RX]);
		to = write_path(to, stats, &stats->of[mode][WG_TX]);
	}
	for (cause = WG_DROP_NONE + 1; cause < WG_DROP_COUNT; cause++)
		*to++ = wg_stats_read(stats, &stats->drops[cause]);
	return to;
}

static void get_stats(struct net_device *dev, struct ethtool_stats *info,
		      u64 *to)
{
	const struct wg_device *wg = netdev_priv(dev);
	enum wg_mode mode;
	int cpu;

	for (mode = 0; mode < WG_MODES; mode++)
		to = write_sizes(to, wg, mode);
	for_each_possible_cpu(cpu)
		to = write_cpu(to, per_cpu_ptr(wg->stats, cpu));
}

/* In inline mode "threaded" says which mode "inline off" would lead to. */
static u32 get_priv_flags(struct net_device *dev)
{
	const struct wg_device *wg = netdev_priv(dev);
	u32 flags = 0;

	if (!wg_mode_is_pipeline(wg))
		flags |= FLAG_INLINE;
	if (wg_mode_pipeline(wg) == WG_MODE_THREADED)
		flags |= FLAG_THREADED;
	return flags;
}

/*
 * RTNL is held, and nothing is waited for under it (mode.c); ethtool has asked for
 * the same capability in the same namespace as the file in sysfs does.
 */
static int set_priv_flags(struct net_device *dev, u32 flags)
{
	return wg_mode_choose(netdev_priv(dev), flags & FLAG_INLINE,
			      flags & FLAG_THREADED);
}

const struct ethtool_ops wg_ethtool_ops = {
	.get_drvinfo = get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_sset_count = get_sset_count,
	.get_strings = get_strings,
	.get_ethtool_stats = get_stats,
	.get_priv_flags = get_priv_flags,
	.set_priv_flags = set_priv_flags,
};
