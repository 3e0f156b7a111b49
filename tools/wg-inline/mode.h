/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_MODE_H
#define WGI_MODE_H

#include "link.h"

#include <stddef.h>

#define MODE_ROOM 32

/**
 * mode_get() - in which mode an interface is
 * @link: interface
 * @word: filled; at least MODE_ROOM bytes
 *
 * Return: 0; -ENOENT with a module that has no modes, as stock; or another
 * negative error.
 */
int mode_get(const struct link *link, char *word);

/**
 * mode_set() - have it change
 * @link: interface
 * @word: inline, threaded or softirq
 *
 * Netlink is tried first, as containers may have a read-only /sys.
 *
 * Return: 0, or -1 after having said why; then nothing has changed.
 */
int mode_set(const struct link *link, const char *word);

/* mode_known() - is this a word that means a mode? */
int mode_known(const char *word);

#endif
