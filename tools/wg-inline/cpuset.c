// SPDX-License-Identifier: GPL-2.0
/* Sets of CPUs, as the kernel writes them. */
#include "cpuset.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOMS 4
#define ROOM 1024

static bool number(const char **at, unsigned long *value)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return false;
	*value = strtoul(*at, &end, 10);
	*at = end;
	return *value < CPU_SETSIZE;
}

static bool range(const char **at, unsigned long *first, unsigned long *last)
{
	if (!number(at, first))
		return false;
	*last = *first;
	if (**at != '-')
		return true;
	++*at;
	return number(at, last);
}

void cpus_from_list(cpu_set_t *cpus, const char *text)
{
	unsigned long first, last;

	CPU_ZERO(cpus);
	while (range(&text, &first, &last)) {
		for (; first <= last; first++)
			CPU_SET(first, cpus);
		if (*text++ != ',')
			break;
	}
}

static int nibble(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower(c) - 'a' + 10;
}

/* The last digit is that of CPUs 0 to 3. */
void cpus_from_mask(cpu_set_t *cpus, const char *text)
{
	size_t i = strspn(text, "0123456789abcdefABCDEF,");
	unsigned int cpu = 0, bit;

	CPU_ZERO(cpus);
	while (i--) {
		if (text[i] == ',')
			continue;
		for (bit = 0; bit < 4; bit++) {
			if (nibble(text[i]) & 1 << bit)
				CPU_SET(cpu + bit, cpus);
		}
		cpu += 4;
	}
}

/* After the last one of a row that begins with @first. */
static int row_end(const cpu_set_t *cpus, int first)
{
	while (first < CPU_SETSIZE && CPU_ISSET(first, cpus))
		first++;
	return first;
}

const char *cpus_text(const cpu_set_t *cpus)
{
	static char rooms[ROOMS][ROOM];
	static unsigned int turn;
	char *room = rooms[turn++ % ROOMS];
	size_t length = 0;
	int cpu, end;

	*room = '\0';
	for (cpu = 0; cpu < CPU_SETSIZE; cpu = end + 1) {
		end = row_end(cpus, cpu);
		if (end == cpu || length > ROOM - 16)
			continue;
		length += sprintf(room + length, "%s%d", length ? "," : "",
				  cpu);
		if (end > cpu + 1)
			length += sprintf(room + length, "-%d", end - 1);
	}
	return room;
}

static unsigned int word_of(const cpu_set_t *cpus, int first)
{
	unsigned int word = 0, bit;

	for (bit = 0; bit < 32; bit++)
		word |= CPU_ISSET(first + bit, cpus) ? 1u << bit : 0;
	return word;
}

/* In words of 32 bits, the last CPUs first. */
const char *cpus_mask(const cpu_set_t *cpus)
{
	static char room[CPU_SETSIZE / 32 * 9 + 1];
	int first = CPU_SETSIZE - 32;
	size_t length;

	while (first && !word_of(cpus, first))
		first -= 32;
	length = sprintf(room, "%x", word_of(cpus, first));
	while ((first -= 32) >= 0)
		length += sprintf(room + length, ",%08x",
				  word_of(cpus, first));
	return room;
}

bool cpus_overlap(const cpu_set_t *a, const cpu_set_t *b)
{
	cpu_set_t both;

	CPU_AND(&both, a, b);
	return CPU_COUNT(&both);
}

bool cpus_within(const cpu_set_t *part, const cpu_set_t *whole)
{
	cpu_set_t both;

	CPU_AND(&both, part, whole);
	return CPU_EQUAL(&both, part);
}

void cpus_without(cpu_set_t *cpus, const cpu_set_t *other)
{
	cpu_set_t both;

	CPU_AND(&both, cpus, other);
	CPU_XOR(cpus, cpus, &both);
}
