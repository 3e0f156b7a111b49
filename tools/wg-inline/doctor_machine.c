// SPDX-License-Identifier: GPL-2.0
/* wg-inline doctor: what files say of NICs and CPUs, and of their work. */
#include "doctor.h"

#include "ticks.h"

#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------ NICs -- */

static void read_queues(struct nic *nic, const struct places *places)
{
	char mask[CPU_SETSIZE / 2];
	unsigned int count = 0;
	struct dirent *entry;
	cpu_set_t cpus;
	DIR *dir;

	CPU_ZERO(&nic->rps);
	dir = place_list(places->sys, "class/net/%s/queues", nic->name);
	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "rx-", 3))
			continue;
		count++;
		place_line(places->sys, mask, sizeof(mask),
			   "class/net/%s/queues/%s/rps_cpus", nic->name,
			   entry->d_name);
		cpus_from_mask(&cpus, mask);
		CPU_OR(&nic->rps, &nic->rps, &cpus);
	}
	if (dir)
		closedir(dir);
	/* What the driver says of those in use is better than how many exist. */
	if (!nic->queues)
		nic->queues = count;
}

static void read_node(struct nic *nic, const struct places *places)
{
	char list[1024];

	nic->node = place_number(places->sys, "class/net/%s/device/numa_node",
				 nic->name);
	CPU_ZERO(&nic->near);
	if (nic->node < 0)
		return;
	place_line(places->sys, list, sizeof(list),
		   "devices/system/node/node%d/cpulist", nic->node);
	cpus_from_list(&nic->near, list);
}

static int add_irq(struct nic *nic, unsigned int number)
{
	struct irq *more;
	size_t i;

	for (i = 0; i < nic->irq_count; i++) {
		if (nic->irqs[i].number == number)
			return 0;
	}
	more = reallocarray(nic->irqs, nic->irq_count + 1, sizeof(*more));
	if (!more) {
		errno = ENOMEM;
		return -1;
	}
	nic->irqs = more;
	more = &more[nic->irq_count++];
	memset(more, 0, sizeof(*more));
	more->number = number;
	more->taker = UNKNOWN;
	return 0;
}

/* With virtio, the interrupts are those of the device above. */
static int list_irqs(struct nic *nic, const struct places *places)
{
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	dir = place_list(places->sys, "class/net/%s/device/msi_irqs",
			 nic->name);
	if (!dir)
		dir = place_list(places->sys,
				 "class/net/%s/device/../msi_irqs", nic->name);
	while (dir && !ret && (entry = readdir(dir))) {
		if (isdigit((unsigned char)*entry->d_name))
			ret = add_irq(nic, atoi(entry->d_name));
	}
	if (dir)
		closedir(dir);
	return ret;
}

static void read_affinity(struct irq *irq, const struct places *places)
{
	char list[1024];

	if (!place_line(places->proc, list, sizeof(list),
			"irq/%u/effective_affinity_list", irq->number) ||
	    !*list)
		place_line(places->proc, list, sizeof(list),
			   "irq/%u/smp_affinity_list", irq->number);
	cpus_from_list(&irq->cpus, list);
}

int nic_read(struct nic *nic, const struct places *places)
{
	size_t i;

	read_queues(nic, places);
	read_node(nic, places);
	if (list_irqs(nic, places))
		return -1;
	for (i = 0; i < nic->irq_count; i++)
		read_affinity(&nic->irqs[i], places);
	return 0;
}

/* ------------------------------------------------------------------ CPUs -- */

void machine_read(struct patient *patient)
{
	int sys = patient->places.sys;
	cpu_set_t nohz;
	char list[1024];

	place_line(sys, list, sizeof(list), "devices/system/cpu/online");
	cpus_from_list(&patient->online, list);
	place_line(sys, list, sizeof(list), "devices/system/cpu/isolated");
	cpus_from_list(&patient->isolated, list);
	place_line(sys, list, sizeof(list), "devices/system/cpu/nohz_full");
	cpus_from_list(&nohz, list);
	CPU_OR(&patient->isolated, &patient->isolated, &nohz);
}

/* --------------------------------------------------------------- traffic -- */

/* Counters of the kernel's only grow; the room holds what they were before. */
static void since(uint64_t *room, uint64_t now)
{
	*room = now - *room;
}

/*
 * Numbers in hexadecimal: packets, drops, and ten more before that of the CPU,
 * which older kernels leave out.
 */
static void read_softnet(struct patient *patient)
{
	FILE *file = place_open(patient->places.proc, "net/softnet_stat");
	unsigned int received, dropped, cpu, row = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		int got = sscanf(line, "%x %x %*x %*x %*x %*x %*x %*x %*x %*x %*x %*x %x",
				 &received, &dropped, &cpu);

		if (got < 3)
			cpu = row;
		row++;
		if (got < 2 || cpu >= CPU_SETSIZE)
			continue;
		/* They are 32 bits wide, and begin anew after that. */
		since(&patient->cores[cpu].received, received);
		patient->cores[cpu].received &= UINT32_MAX;
		since(&patient->cores[cpu].dropped, dropped);
		patient->cores[cpu].dropped &= UINT32_MAX;
	}
	if (file)
		fclose(file);
}

static void read_ticks(struct patient *patient)
{
	FILE *file = place_open(patient->places.proc, "stat");
	struct ticks ticks;
	int cpu;

	while ((cpu = ticks_next(file, CPU_SETSIZE, &ticks)) >= 0) {
		since(&patient->cores[cpu].ticks, ticks.all);
		since(&patient->cores[cpu].soft, ticks.soft);
	}
	if (file)
		fclose(file);
}

static struct irq *find_irq(struct patient *patient, unsigned int number)
{
	size_t i, j;

	for (i = 0; i < patient->nic_count; i++) {
		struct nic *nic = &patient->nics[i];

		for (j = 0; j < nic->irq_count; j++) {
			if (nic->irqs[j].number == number)
				return &nic->irqs[j];
		}
	}
	return NULL;
}

/* The first line names the CPUs that have a column. */
static size_t read_columns(const char *line, int *columns)
{
	size_t count = 0;
	int cpu, used;

	while (count < CPU_SETSIZE &&
	       sscanf(line, " CPU%d%n", &cpu, &used) == 1) {
		columns[count++] = cpu;
		line += used;
	}
	return count;
}

/* Some drivers have interrupts of their own for what was sent. */
static bool is_for_sending(const char *name)
{
	return strstr(name, "output") ||
	       (strcasestr(name, "tx") && !strcasestr(name, "rx"));
}

/* What it did since boot says nothing if it was sent elsewhere meanwhile. */
static int may_take(const struct irq *irq, int taker)
{
	int cpu;

	if (!CPU_COUNT(&irq->cpus) || CPU_ISSET(taker, &irq->cpus))
		return taker;
	for (cpu = 0; !CPU_ISSET(cpu, &irq->cpus); cpu++)
		continue;
	return cpu;
}

/*
 * Which CPU took most of what there was since the last time; or, if there was
 * nothing, what it was before stays, which was counted since boot.
 */
static void read_irq(struct irq *irq, const char *line, const int *columns,
		     size_t count)
{
	uint64_t most = 0, sum = 0, now;
	int taker = UNKNOWN;
	char *end;
	size_t i;

	for (i = 0; i < count; i++, line = end) {
		now = strtoull(line, &end, 10);
		if (end == line || columns[i] < 0 || columns[i] >= CPU_SETSIZE)
			break;
		since(&irq->counts[columns[i]], now);
		sum += irq->counts[columns[i]];
		if (irq->counts[columns[i]] > most) {
			most = irq->counts[columns[i]];
			taker = columns[i];
		}
		irq->counts[columns[i]] = now;
	}
	if (!sum || is_for_sending(line))
		return;
	irq->fired = sum;
	irq->taker = may_take(irq, taker);
}

static void read_interrupts(struct patient *patient)
{
	FILE *file = place_open(patient->places.proc, "interrupts");
	int columns[CPU_SETSIZE], used;
	size_t count = 0, size = 0;
	unsigned int number;
	char *line = NULL;

	if (file && getline(&line, &size, file) > 0)
		count = read_columns(line, columns);
	while (count && getline(&line, &size, file) > 0) {
		struct irq *irq = NULL;

		if (sscanf(line, " %u:%n", &number, &used) == 1)
			irq = find_irq(patient, number);
		if (irq)
			read_irq(irq, line + used, columns, count);
	}
	free(line);
	if (file)
		fclose(file);
}

void traffic_read(struct patient *patient)
{
	read_softnet(patient);
	read_ticks(patient);
	read_interrupts(patient);
}
