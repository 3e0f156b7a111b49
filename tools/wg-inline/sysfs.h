/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_SYSFS_H
#define WGI_SYSFS_H

#include "link.h"

#include <stddef.h>

/* sysfs_root() - a sysfs of this network namespace, to be closed; or -1 */
int sysfs_root(void);

/**
 * sysfs_read() - the word in a file of /sys/class/net/<if>/wireguard
 * @link: interface
 * @name: of the file
 * @word: filled, without the newline
 * @size: of @word
 *
 * It is the interface of this network namespace that is looked at, whatever
 * is mounted on /sys.
 *
 * Return: 0, or a negative error; -ENOENT if this module has no such file.
 */
int sysfs_read(const struct link *link, const char *name, char *word,
	       size_t size);

/* sysfs_write() - the same, the other way; the error is the module's */
int sysfs_write(const struct link *link, const char *name, const char *word);

#endif
