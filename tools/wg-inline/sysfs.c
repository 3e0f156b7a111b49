// SPDX-License-Identifier: GPL-2.0
/* The files that the module keeps for each interface. */
#include "sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

/*
 * A sysfs shows the network namespace of whoever mounted it, so after a plain
 * nsenter(1) the one on /sys is another's, with a wg0 of its own perhaps. A
 * fresh one, which is mounted nowhere, shows ours. That takes CAP_SYS_ADMIN;
 * but so does entering a namespace: who has not got it may trust /sys.
 */
int sysfs_root(void)
{
	int context, root = -1;

	context = fsopen("sysfs", FSOPEN_CLOEXEC);
	if (context >= 0) {
		if (!fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
			root = fsmount(context, FSMOUNT_CLOEXEC, 0);
		close(context);
	}
	if (root < 0)
		root = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root;
}

static int open_at(int root, const char *name, const char *file, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "class/net/%s/%s", name, file);
	fd = openat(root, path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int read_word(int fd, char *word, size_t size)
{
	ssize_t got = read(fd, word, size - 1);

	if (got < 0)
		return -errno;
	word[got] = '\0';
	word[strcspn(word, "\n")] = '\0';
	return 0;
}

/* The interface may have been replaced by another of its name, or be foreign. */
static int same_interface(int root, const struct link *link)
{
	char word[16];
	int fd, ret;

	fd = open_at(root, link->name, "ifindex", O_RDONLY);
	if (fd < 0)
		return fd;
	ret = read_word(fd, word, sizeof(word));
	close(fd);
	if (!ret && strtoul(word, NULL, 10) != link->index)
		ret = -ENODEV;
	return ret;
}

static int open_file(const struct link *link, const char *name, int flags)
{
	int root, fd;
	char file[64];

	root = sysfs_root();
	if (root < 0)
		return -errno;
	snprintf(file, sizeof(file), "wireguard/%s", name);
	fd = same_interface(root, link);
	if (!fd)
		fd = open_at(root, link->name, file, flags);
	close(root);
	return fd;
}

int sysfs_read(const struct link *link, const char *name, char *word,
	       size_t size)
{
	int fd, ret;

	fd = open_file(link, name, O_RDONLY);
	if (fd < 0)
		return fd;
	ret = read_word(fd, word, size);
	close(fd);
	return ret;
}

int sysfs_write(const struct link *link, const char *name, const char *word)
{
	size_t length = strlen(word);
	ssize_t done;
	int fd;

	fd = open_file(link, name, O_WRONLY);
	if (fd < 0)
		return fd;
	done = write(fd, word, length);
	if (done < 0)
		done = -errno;
	close(fd);
	if (done < 0)
		return done;
	return (size_t)done == length ? 0 : -EIO;
}
