/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_PLACE_H
#define WGI_PLACE_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What may be a number, but is not there to be read. */
#define UNKNOWN (-1)

/**
 * struct places - where the kernel's files are
 * @proc: directory, /proc but for tests
 * @sys: directory, a sysfs of this network namespace but for tests
 */
struct places {
	int proc;
	int sys;
};

/* places_open() - of this machine; 0, or -1 after having said why */
int places_open(struct places *places);
void places_close(struct places *places);

/*
 * Below a directory of them, by a path as for printf(): a file, the first line
 * of one ("" if there is none), the number that it begins with, or UNKNOWN.
 */
FILE *place_open(int dir, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
DIR *place_list(int dir, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
bool place_line(int dir, char *line, size_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
int place_number(int dir, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
