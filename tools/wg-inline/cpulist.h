/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_CPULIST_H
#define WGI_CPULIST_H

#include <stddef.h>

/**
 * cpulist_check() - is this a list of CPUs, as 0-3,8?
 * @text: numbers and ranges, separated by commas; a range may end in
 *	":used/of", as 0-31:1/2 is every second CPU
 *
 * Return: NULL, or what is wrong with it.
 */
const char *cpulist_check(const char *text);

#endif
