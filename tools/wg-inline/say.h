/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_SAY_H
#define WGI_SAY_H

/**
 * say() - tell the user, in one sentence on standard error
 * @format: as for printf(), without the name of the program or a newline
 */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * fail() - say why something cannot be done
 * @format: as for say()
 *
 * Return: -1, so that the caller can end with it.
 */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
