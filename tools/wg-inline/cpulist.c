// SPDX-License-Identifier: GPL-2.0
#include "cpulist.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* More than any kernel has. */
#define MOST 65536

static bool number(const char **at, unsigned long *value)
{
	*value = 0;
	if (!isdigit((unsigned char)**at))
		return false;
	for (; isdigit((unsigned char)**at) && *value < MOST; (*at)++)
		*value = 10 * *value + (**at - '0');
	return *value < MOST;
}

/* ":used/of" */
static bool stride(const char **at)
{
	unsigned long used, of;

	if (**at != ':')
		return true;
	(*at)++;
	if (!number(at, &used) || **at != '/')
		return false;
	(*at)++;
	return number(at, &of) && of && used <= of;
}

static const char *range(const char **at)
{
	unsigned long first, last;

	if (!number(at, &first))
		return "a CPU is a number from 0";
	if (**at != '-')
		return NULL;
	(*at)++;
	if (!number(at, &last))
		return "a range has a number at both ends";
	if (last < first)
		return "a range goes upwards";
	return stride(at) ? NULL : "the part after the colon is used/of";
}

const char *cpulist_check(const char *text)
{
	const char *wrong;

	do {
		wrong = range(&text);
		if (wrong)
			return wrong;
	} while (*text++ == ',');
	return text[-1] ? "ranges are separated by commas" : NULL;
}
