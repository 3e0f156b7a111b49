// SPDX-License-Identifier: GPL-2.0
#include "place.h"

#include "say.h"
#include "sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int places_open(struct places *places)
{
	places->sys = -1;
	places->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (places->proc < 0)
		return fail("cannot look into /proc: %s", strerror(errno));
	places->sys = sysfs_root();
	if (places->sys < 0)
		return fail("cannot look into /sys: %s", strerror(errno));
	return 0;
}

void places_close(struct places *places)
{
	if (places->proc >= 0)
		close(places->proc);
	if (places->sys >= 0)
		close(places->sys);
}

static int open_below(int dir, int flags, const char *format, va_list args)
{
	char path[512];
	int length;

	length = vsnprintf(path, sizeof(path), format, args);
	if (length < 0 || length >= (int)sizeof(path))
		return -1;
	return openat(dir, path, O_RDONLY | O_CLOEXEC | flags);
}

static FILE *to_file(int fd)
{
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (!file && fd >= 0)
		close(fd);
	return file;
}

FILE *place_open(int dir, const char *format, ...)
{
	va_list args;
	int fd;

	va_start(args, format);
	fd = open_below(dir, 0, format, args);
	va_end(args);
	return to_file(fd);
}

DIR *place_list(int dir, const char *format, ...)
{
	va_list args;
	DIR *list;
	int fd;

	va_start(args, format);
	fd = open_below(dir, O_DIRECTORY, format, args);
	va_end(args);
	list = fd < 0 ? NULL : fdopendir(fd);
	if (!list && fd >= 0)
		close(fd);
	return list;
}

static bool first_line(FILE *file, char *line, size_t size)
{
	bool good = file && fgets(line, size, file);

	line[good ? strcspn(line, "\n") : 0] = '\0';
	if (file)
		fclose(file);
	return good;
}

bool place_line(int dir, char *line, size_t size, const char *format, ...)
{
	va_list args;
	int fd;

	va_start(args, format);
	fd = open_below(dir, 0, format, args);
	va_end(args);
	return first_line(to_file(fd), line, size);
}

int place_number(int dir, const char *format, ...)
{
	char line[64], *end;
	va_list args;
	long value;
	int fd;

	va_start(args, format);
	fd = open_below(dir, 0, format, args);
	va_end(args);
	if (!first_line(to_file(fd), line, sizeof(line)))
		return UNKNOWN;
	value = strtol(line, &end, 10);
	return end == line ? UNKNOWN : value;
}
