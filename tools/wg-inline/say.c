// SPDX-License-Identifier: GPL-2.0
/* What the user is told when something goes wrong. */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>

static void write_line(const char *format, va_list args)
{
	char line[1024];
	char *at;

	vsnprintf(line, sizeof(line), format, args);
	/* Words of files and arguments are quoted in it: no escape sequences. */
	for (at = line; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	}
	fprintf(stderr, "wg-inline: %s\n", line);
}

void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(format, args);
	va_end(args);
}

int fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(format, args);
	va_end(args);
	return -1;
}
