// SPDX-License-Identifier: GPL-2.0
/* The mode of an interface: by private flags, or by its file in sysfs. */
#include "mode.h"

#include "ethtool.h"
#include "say.h"
#include "sysfs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FLAGS 2

static const char *const flag_names[FLAGS] = { "inline", "threaded" };

/* What the flags are in each mode. */
static const struct mode {
	const char *word;
	int flags[FLAGS];
} modes[] = {
	{ "inline", { 1, 0 } },
	{ "threaded", { 0, 1 } },
	{ "softirq", { 0, 0 } },
};

static const struct mode *find(const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (!strcmp(modes[i].word, word))
			return &modes[i];
	}
	return NULL;
}

int mode_known(const char *word)
{
	return !!find(word);
}

/* In inline mode, the second flag may say what a switch back would lead to. */
static const char *word_of(const int *flags)
{
	if (flags[0] > 0)
		return "inline";
	return flags[1] > 0 ? "threaded" : "softirq";
}

int mode_get(const struct link *link, char *word)
{
	int flags[FLAGS], ret;

	ret = flags_get(link, flag_names, flags, FLAGS);
	if (!ret && flags[0] != FLAG_NONE) {
		strcpy(word, word_of(flags));
		return 0;
	}
	return sysfs_read(link, "mode", word, MODE_ROOM);
}

/* -EOPNOTSUPP if this kernel or module cannot do it this way. */
static int set_by_flags(const struct link *link, const struct mode *mode)
{
	int now[FLAGS], wanted[FLAGS], ret;
	size_t i;

	ret = flags_get(link, flag_names, now, FLAGS);
	if (ret)
		return ret;
	for (i = 0; i < FLAGS; i++) {
		wanted[i] = mode->flags[i];
		if (now[i] != FLAG_NONE)
			continue;
		if (wanted[i] || !i)
			return -EOPNOTSUPP;
		wanted[i] = FLAG_NONE;
	}
	/* In inline mode, the other flag is where a switch back would lead. */
	if (mode->flags[0])
		wanted[1] = FLAG_NONE;
	return flags_set(link, flag_names, wanted, FLAGS);
}

static int explain(const struct link *link, const char *word, int error)
{
	switch (error) {
	case -ENOENT:
		return fail("%s has no modes: the loaded module is the kernel's own",
			    link->name);
	case -EINVAL:
		return fail("the loaded module does not have the mode %s", word);
	case -EPERM:
	case -EACCES:
		return fail("no permission to change the mode of %s: that takes CAP_NET_ADMIN",
			    link->name);
	case -EROFS:
		return fail("cannot change the mode of %s: /sys is read-only here, and the module has no flags",
			    link->name);
	case -ENODEV:
		return fail("%s has just gone, or /sys shows another namespace",
			    link->name);
	default:
		return fail("cannot change the mode of %s: %s", link->name,
			    strerror(-error));
	}
}

int mode_set(const struct link *link, const char *word)
{
	const struct mode *mode = find(word);
	char now[MODE_ROOM];
	int ret;

	if (!mode)
		return fail("there is no mode %s: it is inline, threaded or softirq",
			    word);
	ret = set_by_flags(link, mode);
	if (ret && ret != -EPERM)
		ret = sysfs_write(link, "mode", word);
	if (ret)
		return explain(link, word, ret);
	if (!mode_get(link, now) && strcmp(now, word))
		return fail("%s was asked for mode %s, and is in mode %s",
			    link->name, word, now);
	return 0;
}
