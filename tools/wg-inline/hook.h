/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_HOOK_H
#define WGI_HOOK_H

#include "config.h"

/**
 * hooks_run() - the commands of PreUp and its likes
 * @lines: they, run one after the other until one fails
 * @kind: "PreUp", for the message
 * @name: of the bundle, for %i
 *
 * To be called while signals are held: one that comes ends the hook as well.
 *
 * Return: 0, or -1 after having said which one failed.
 */
int hooks_run(const struct lines *lines, const char *kind, const char *name);

#endif
