// SPDX-License-Identifier: GPL-2.0
#include "machine.h"

#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int number, failed;
static char root[32];

struct patient patient;
struct snapshot tunnels[4];
struct link links[4];
struct path paths[4];
struct nic nic;
struct irq irqs[4];
uint64_t received[4];
struct report report;

int cmd_usage(const char *name)
{
	return name ? 1 : 0;
}

void result(bool good, const char *what)
{
	size_t i;

	printf("%s %d - %s\n", good ? "ok" : "not ok", ++number, what);
	failed += !good;
	for (i = 0; !good && i < report.count; i++)
		printf("# %s | %s\n", report.of[i].text,
		       report.of[i].command ? report.of[i].command : "");
	for (i = 0; !good && i < report.note_count; i++)
		printf("# note %s\n", report.notes[i]);
}

/* -------------------------------------------------------------- the files -- */

static void make_parents(char *path)
{
	char *at;

	for (at = path + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			abort();
		*at = '/';
	}
}

void put(const char *name, const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	make_parents(path);
	file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file))
		abort();
}

static int remove_one(const char *path, const struct stat *about, int kind,
		      struct FTW *where)
{
	(void)about;
	(void)kind;
	return where->level ? remove(path) : 0;
}

void clear(void)
{
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ------------------------------------------------------------ the machine -- */

static int open_dir(const char *name)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s/", root, name);
	make_parents(path);
	fd = open(path, O_PATH | O_DIRECTORY);
	if (fd < 0)
		abort();
	return fd;
}

static void make_tunnels(void)
{
	int i;

	memset(links, 0, sizeof(links));
	memset(tunnels, 0, sizeof(tunnels));
	memset(paths, 0, sizeof(paths));
	memset(received, 0, sizeof(received));
	for (i = 0; i < 4; i++) {
		snprintf(links[i].name, IF_NAMESIZE, "wg%d", i + 1);
		links[i].index = 11 + i;
		links[i].mtu = 1420;
		tunnels[i].link = &links[i];
		strcpy(tunnels[i].mode, "inline");
		strcpy(tunnels[i].cpus, "0-3");
		paths[i].tunnel = links[i].index;
		paths[i].index = 5;
		paths[i].mtu = 1500;
	}
}

static void make_nic(void)
{
	static const struct feature on = { true, true };
	int i;

	memset(&nic, 0, sizeof(nic));
	memset(irqs, 0, sizeof(irqs));
	strcpy(nic.name, "eth0");
	strcpy(nic.driver, "ixgbe");
	nic.index = 5;
	nic.tunnels = 2;
	nic.families[V4] = true;
	nic.queues = 2;
	nic.most = 8;
	nic.combined = true;
	nic.ports[V4] = 1;
	nic.ports[V6] = 1;
	nic.gro = on;
	nic.segmentation = on;
	nic.forwarding = on;
	nic.node = UNKNOWN;
	nic.irqs = irqs;
	nic.irq_count = 2;
	for (i = 0; i < 4; i++) {
		irqs[i].number = 40 + i;
		irqs[i].taker = i;
		irqs[i].fired = 1000;
		CPU_SET(i, &irqs[i].cpus);
	}
}

void new_machine(void)
{
	places_close(&patient.places);
	clear();
	memset(&patient, 0, sizeof(patient));
	patient.places.proc = open_dir("proc");
	patient.places.sys = open_dir("sys");
	make_tunnels();
	make_nic();
	patient.survey.count = 2;
	patient.survey.of = tunnels;
	patient.received = received;
	patient.path_count = 2;
	patient.paths = paths;
	patient.nic_count = 1;
	patient.nics = &nic;
	cpus_from_list(&patient.online, "0-3");
	put("proc/sys/net/ipv4/conf/all/rp_filter", "0\n");
}

static void run(check_fn check)
{
	report_free(&report);
	report.check = "test";
	check(&patient, &report);
}

void sick(check_fn check, const char *what, const char *words,
	  const char *command)
{
	const struct finding *finding;

	run(check);
	finding = report.of;
	result(report.count == 1 && strstr(finding->text, words) &&
	       (command ? finding->command &&
			  !strcmp(finding->command, command) :
			  !finding->command), what);
}

void healthy(check_fn check, const char *what)
{
	run(check);
	result(!report.count, what);
}

void machine_begin(void)
{
	strcpy(root, "/tmp/wgi-doctor-XXXXXX");
	if (!mkdtemp(root))
		abort();
	puts("KTAP version 1");
}

int machine_end(void)
{
	report_free(&report);
	places_close(&patient.places);
	clear();
	rmdir(root);
	printf("1..%d\n# %d passed, %d failed\n", number, number - failed,
	       failed);
	return failed ? 1 : 0;
}
