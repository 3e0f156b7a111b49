// SPDX-License-Identifier: GPL-2.0
/* What CPUs spend their time on: proc_stat(5). */
#include "ticks.h"

#include <inttypes.h>

/* As the file has them; what comes after these is part of the first two. */
enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, KINDS };

static int read_line(const char *line, uint64_t *kinds)
{
	int cpu, used, i;

	if (sscanf(line, "cpu%d%n", &cpu, &used) != 1)
		return -1;
	for (i = 0; i < KINDS; i++) {
		int more;

		line += used;
		if (sscanf(line, " %" SCNu64 "%n", &kinds[i], &more) != 1)
			return -1;
		used = more;
	}
	return cpu;
}

static void sum_up(const uint64_t *kinds, struct ticks *ticks)
{
	int i;

	ticks->all = 0;
	for (i = 0; i < KINDS; i++)
		ticks->all += kinds[i];
	ticks->idle = kinds[IDLE] + kinds[IOWAIT];
	ticks->soft = kinds[IRQ] + kinds[SOFTIRQ];
}

int ticks_next(FILE *file, int cpus, struct ticks *ticks)
{
	uint64_t kinds[KINDS];
	char line[512];
	int cpu;

	while (file && fgets(line, sizeof(line), file)) {
		cpu = read_line(line, kinds);
		if (cpu < 0 || cpu >= cpus)
			continue;
		sum_up(kinds, ticks);
		return cpu;
	}
	return -1;
}
