// SPDX-License-Identifier: GPL-2.0
/* /sys/class/net/<if>/wireguard/ */
#include "sysfs.h"

#include "device.h"
#include "mode.h"
#include "pipeline.h"

#include <linux/capability.h>
#include <linux/cpumask.h>
#include <linux/device.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/sched/signal.h>
#include <net/net_namespace.h>

static ssize_t mode_show(struct device *device, struct device_attribute *attr,
			 char *buf)
{
	struct wg_device *wg = netdev_priv(to_net_dev(device));

	return sysfs_emit(buf, "%s\n", wg_mode_word(wg_mode_notice(wg)));
}

/*
 * The file's owner may be anybody who was given it: what counts is the right to
 * configure the device in the namespace where it is now.
 */
static ssize_t mode_store(struct device *device, struct device_attribute *attr,
			  const char *buf, size_t len)
{
	struct net_device *dev = to_net_dev(device);
	int ret;

	if (!ns_capable(dev_net(dev)->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (!rtnl_trylock())
		return restart_syscall();
	ret = wg_mode_set(netdev_priv(dev), buf);
	rtnl_unlock();
	return ret ?: len;
}

static DEVICE_ATTR_RW(mode);

static ssize_t cpus_show(struct device *device, struct device_attribute *attr,
			 char *buf)
{
	struct wg_device *wg = netdev_priv(to_net_dev(device));

	return sysfs_emit(buf, "%*pbl\n", cpumask_pr_args(wg->pipeline.cpus));
}

/* CPUs are the machine's, so a right in some user namespace is not enough. */
static ssize_t cpus_store(struct device *device, struct device_attribute *attr,
			  const char *buf, size_t len)
{
	struct wg_device *wg = netdev_priv(to_net_dev(device));
	cpumask_var_t cpus;
	int ret;

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	if (!alloc_cpumask_var(&cpus, GFP_KERNEL))
		return -ENOMEM;
	ret = cpulist_parse(buf, cpus);
	if (!ret) {
		mutex_lock(&wg->update_lock);
		ret = wg_pipeline_set_cpus(wg, cpus);
		mutex_unlock(&wg->update_lock);
	}
	free_cpumask_var(cpus);
	return ret ?: len;
}

static DEVICE_ATTR_RW(cpus);

static struct attribute *wg_attributes[] = {
	&dev_attr_mode.attr,
	&dev_attr_cpus.attr,
	NULL,
};

const struct attribute_group wg_sysfs_group = {
	.name = "wireguard",
	.attrs = wg_attributes,
};
