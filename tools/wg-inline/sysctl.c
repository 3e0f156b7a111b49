// SPDX-License-Identifier: GPL-2.0
#include "sysctl.h"

#include <errno.h>
#include <stdio.h>

static FILE *open_file(const char *name, const char *how)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	return fopen(path, how);
}

int sysctl_get(const char *name, int *value)
{
	FILE *file = open_file(name, "re");
	int got;

	if (!file)
		return -errno;
	got = fscanf(file, "%d", value);
	fclose(file);
	return got == 1 ? 0 : -EIO;
}

int sysctl_set(const char *name, int value)
{
	FILE *file = open_file(name, "we");
	int ret = 0;

	if (!file)
		return -errno;
	if (fprintf(file, "%d\n", value) < 0)
		ret = -EIO;
	/* What the kernel says of the value is only heard here. */
	if (fclose(file))
		ret = -errno;
	return ret;
}
