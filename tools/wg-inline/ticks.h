/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_TICKS_H
#define WGI_TICKS_H

#include <stdint.h>
#include <stdio.h>

/**
 * struct ticks - what the clock ticks of a CPU went into since boot
 * @all: all of them
 * @idle: nothing, or waiting for a disk
 * @soft: interrupts, soft ones included
 */
struct ticks {
	uint64_t all;
	uint64_t idle;
	uint64_t soft;
};

/**
 * ticks_next() - the next CPU's line of /proc/stat
 * @file: that file; NULL is one without lines
 * @cpus: CPUs from this number on are passed over
 * @ticks: filled in
 *
 * Return: the CPU's number, or -1 after the last.
 */
int ticks_next(FILE *file, int cpus, struct ticks *ticks);

#endif
