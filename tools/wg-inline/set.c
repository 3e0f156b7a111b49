// SPDX-License-Identifier: GPL-2.0
/* wg-inline set */
#include "cmd.h"
#include "cpulist.h"
#include "mode.h"
#include "say.h"
#include "sysfs.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

struct wishes {
	const char *mode;
	const char *cpus;
};

static int cpus_failed(const struct link *link, const char *cpus, int error)
{
	switch (error) {
	case -ENOENT:
		return fail("%s has no list of CPUs: the loaded module runs no workers that could be placed",
			    link->name);
	case -EINVAL:
	case -ERANGE:
	case -EOVERFLOW:
		return fail("this machine does not have the CPUs %s", cpus);
	case -EPERM:
	case -EACCES:
		return fail("no permission to place the workers of %s: that takes CAP_NET_ADMIN",
			    link->name);
	default:
		return fail("cannot place the workers of %s: %s", link->name,
			    strerror(-error));
	}
}

static int set_cpus(const struct link *link, const char *cpus)
{
	int ret = sysfs_write(link, "cpus", cpus);

	return ret ? cpus_failed(link, cpus, ret) : 0;
}

/* What can be seen to be wrong is, before anything is changed. */
static int check(const struct wishes *wishes)
{
	const char *wrong;

	if (wishes->mode && !mode_known(wishes->mode))
		return fail("there is no mode %s: it is inline, threaded or softirq",
			    wishes->mode);
	if (!wishes->cpus)
		return 0;
	wrong = cpulist_check(wishes->cpus);
	if (wrong)
		return fail("%s is not a list of CPUs: %s", wishes->cpus, wrong);
	return 0;
}

static int apply(const struct link *link, const struct wishes *wishes)
{
	char before[4096];
	int ret;

	if (!wishes->cpus)
		return mode_set(link, wishes->mode);
	ret = sysfs_read(link, "cpus", before, sizeof(before));
	if (ret)
		return cpus_failed(link, wishes->cpus, ret);
	ret = set_cpus(link, wishes->cpus);
	if (ret || !wishes->mode)
		return ret;
	ret = mode_set(link, wishes->mode);
	if (ret)
		set_cpus(link, before);
	return ret;
}

static int parse(int argc, char **argv, struct wishes *wishes)
{
	int i;

	if (argc < 4 || argc % 2)
		return -1;
	for (i = 2; i < argc; i += 2) {
		if (!strcmp(argv[i], "mode") && !wishes->mode)
			wishes->mode = argv[i + 1];
		else if (!strcmp(argv[i], "cpus") && !wishes->cpus)
			wishes->cpus = argv[i + 1];
		else
			return -1;
	}
	return 0;
}

int cmd_set(int argc, char **argv)
{
	struct wishes wishes = { NULL, NULL };
	struct links links;
	int ret;

	if (parse(argc, argv, &wishes))
		return cmd_usage("set");
	if (check(&wishes) || links_get(&links, argv[1]))
		return 1;
	ret = apply(links.of, &wishes);
	links_free(&links);
	return ret ? 1 : 0;
}
