// SPDX-License-Identifier: GPL-2.0
/* wg-inline doctor: modules, routing, packet sizes. */
#include "doctor.h"

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a tunnel adds to a packet: an IP header, UDP's, and 32 bytes of its own. */
static const unsigned int overheads[FAMILIES] = { 60, 80 };
static const char *const versions[FAMILIES] = { "IPv4", "IPv6" };

/* ---------------------------------------------------------------- module -- */

#define RELOAD "modprobe -r wireguard && modprobe wireguard"

/* Is what is on disk right, so that it only has to be loaded? */
static bool wants_reload(const struct modules *modules)
{
	return modules->disk.kind == MODULE_OURS &&
	       modules->loaded.kind != MODULE_BUILTIN &&
	       (modules->loaded.kind != MODULE_OURS ||
		!modules_fallback(modules));
}

/* A module takes its interfaces along: there is no such command while there are. */
static void advise_reload(size_t tunnels, const char *warning,
			  struct report *report)
{
	if (tunnels) {
		found(report, "", NULL,
		      "%s; the next boot loads the one on disk, or, once all WireGuard interfaces are taken down, of every network namespace, \"" RELOAD "\" (interfaces that are left are deleted with it)",
		      warning);
		return;
	}
	found(report, "", NULL,
	      "%s (interfaces in other network namespaces, if there are any, have to be taken down first: they would be deleted)",
	      warning);
	mend(report, RELOAD);
}

void check_module(const struct patient *patient, struct report *report)
{
	const struct modules *modules = &patient->modules;
	const char *warning = modules_warning(modules);

	if (!warning)
		return;
	if (wants_reload(modules)) {
		advise_reload(patient->survey.count, warning, report);
		return;
	}
	found(report, "", NULL, "%s", warning);
	if (modules->loaded.kind != MODULE_BUILTIN)
		mend(report, "dkms autoinstall -k %s",
		     modules->disk.kind == MODULE_OURS ? modules->newest :
		     modules->release);
}

/* ----------------------------------------------------------- hash policy -- */

/* Source and destination ports, in fib_multipath_hash_fields. */
#define FIELD_PORTS 0x30

/* Layer 3, layer 4, inner layer 3, and what fields say. */
static bool sees_ports(int proc, int version, int policy)
{
	int fields;

	if (policy != 3)
		return policy == 1;
	fields = place_number(proc, "sys/net/ipv%d/fib_multipath_hash_fields",
			      version);
	return fields != UNKNOWN && (fields & FIELD_PORTS);
}

void check_hash_policy(const struct patient *patient, struct report *report)
{
	int proc = patient->places.proc;
	enum family family;

	for (family = 0; family < FAMILIES; family++) {
		int version = family == V6 ? 6 : 4, policy;

		policy = place_number(proc,
				      "sys/net/ipv%d/fib_multipath_hash_policy",
				      version);
		if (!patient->multipath[family] || policy == UNKNOWN ||
		    sees_ports(proc, version, policy))
			continue;
		found(report, "", NULL,
		      "routes over several tunnels tell %s flows apart by their addresses only (policy %d), so all of what two hosts exchange takes one tunnel",
		      versions[family], policy);
		mend(report,
		     "sysctl -w net.ipv%d.fib_multipath_hash_policy=1",
		     version);
	}
}

/* ------------------------------------------------------------- rp_filter -- */

/* The stricter of two words counts; 2 is the looser one of the two that filter. */
static bool is_strict(int proc, const char *name)
{
	int all = place_number(proc, "sys/net/ipv4/conf/all/rp_filter");
	int own = place_number(proc, "sys/net/ipv4/conf/%s/rp_filter", name);

	return (all > own ? all : own) == 1;
}

static bool minds_marks(int proc, const char *name)
{
	return place_number(proc, "sys/net/ipv4/conf/all/src_valid_mark") > 0 ||
	       place_number(proc, "sys/net/ipv4/conf/%s/src_valid_mark",
			    name) > 0;
}

/* The kernel's table is two lines: names, then numbers. */
static uint64_t count_strays(int proc)
{
	FILE *file = place_open(proc, "net/netstat");
	char names[4096], numbers[4096], *name, *number, *a, *b;
	uint64_t strays = 0;

	while (file && fgets(names, sizeof(names), file) &&
	       fgets(numbers, sizeof(numbers), file)) {
		name = strtok_r(names, " \n", &a);
		number = strtok_r(numbers, " \n", &b);
		for (; name && number; name = strtok_r(NULL, " \n", &a),
		     number = strtok_r(NULL, " \n", &b)) {
			if (!strcmp(name, "IPReversePathFilter"))
				strays = strtoull(number, NULL, 10);
		}
	}
	if (file)
		fclose(file);
	return strays;
}

/*
 * The way back to where an outer packet came from is looked up with its mark, if
 * that is minded; but it comes in without one, and only a rule gives it the mark of
 * what was sent.
 */
static bool refuses_outer(const struct patient *patient, const char *name)
{
	int proc = patient->places.proc;

	return is_strict(proc, name) &&
	       !(patient->restored && minds_marks(proc, name));
}

static bool is_detour(const struct path *path)
{
	return path->detour && path->family == V4;
}

static bool came_before(const struct patient *patient, size_t end)
{
	size_t i;

	for (i = 0; i < end; i++) {
		if (is_detour(&patient->paths[i]) &&
		    patient->paths[i].index == patient->paths[end].index)
			return true;
	}
	return false;
}

static void report_underlay(const struct patient *patient, const char *name,
			    struct report *report)
{
	found(report, name, NULL,
	      "rp_filter refuses the outer packets that come in by it: those going out are marked, which decides their way, and %s (%" PRIu64 " packets refused since boot)",
	      patient->restored ? "it does not mind marks" :
	      "no rule gives those that come in the same mark",
	      count_strays(patient->places.proc));
	if (patient->restored)
		mend(report, "sysctl -w net.ipv4.conf.all.src_valid_mark=1");
	else
		mend(report, "sysctl -w net/ipv4/conf/%s/rp_filter=2",
		     quoted(name));
}

static void check_underlay(const struct patient *patient, struct report *report)
{
	char name[IF_NAMESIZE];
	size_t i;

	for (i = 0; i < patient->path_count; i++) {
		const struct path *path = &patient->paths[i];

		if (is_detour(path) && !came_before(patient, i) &&
		    if_indextoname(path->index, name) &&
		    refuses_outer(patient, name))
			report_underlay(patient, name, report);
	}
}

struct words {
	char names[1024];
	char command[4096];
	unsigned int count;
};

/* sysctl takes slashes, too, of which there are none in names. */
static void add_words(struct words *words, const char *name)
{
	size_t named = strlen(words->names), told = strlen(words->command);

	snprintf(words->names + named, sizeof(words->names) - named, "%s%s",
		 words->count++ ? ", " : "", name);
	snprintf(words->command + told, sizeof(words->command) - told,
		 " net/ipv4/conf/%s/rp_filter=2", quoted(name));
}

void check_rp_filter(const struct patient *patient, struct report *report)
{
	const struct survey *survey = &patient->survey;
	int proc = patient->places.proc;
	struct words words = { .count = 0 };
	size_t i;

	check_underlay(patient, report);
	for (i = 0; survey->count > 1 && i < survey->count; i++) {
		const struct link *link = survey->of[i].link;

		/* There are words for as many as a bundle may have. */
		if (tunnel_counts(patient, link) &&
		    is_strict(proc, link->name) && words.count < MOST_TUNNELS)
			add_words(&words, link->name);
	}
	if (!words.count)
		return;
	found(report, "", NULL,
	      "rp_filter is strict on %s: packets whose answers would take another tunnel are refused (%" PRIu64 " refused since boot)",
	      words.names, count_strays(proc));
	mend(report, "sysctl -w%s", words.command);
}

/* ------------------------------------------------------------------- MTU -- */

/* What is less than the overhead is no MTU, and as a difference a large one. */
static const struct path *narrowest(const struct patient *patient,
				    const struct link *link)
{
	const struct path *best = NULL;
	size_t i;

	for (i = 0; i < patient->path_count; i++) {
		const struct path *path = &patient->paths[i];

		if (path->tunnel != link->index)
			continue;
		if (!best || path->mtu - overheads[path->family] <
			     best->mtu - overheads[best->family])
			best = path;
	}
	return best;
}

void check_mtu(const struct patient *patient, struct report *report)
{
	const struct survey *survey = &patient->survey;
	size_t i;

	for (i = 0; i < survey->count; i++) {
		const struct link *link = survey->of[i].link;
		const struct path *path = narrowest(patient, link);
		unsigned int overhead;

		if (!path || !tunnel_counts(patient, link))
			continue;
		overhead = overheads[path->family];
		if (path->mtu <= overhead ||
		    link->mtu <= path->mtu - overhead)
			continue;
		found(report, link->name, NULL,
		      "its MTU is %u, to which a tunnel over %s adds %u, and the way to its peer carries %u: long packets are cut to pieces",
		      link->mtu, versions[path->family], overhead, path->mtu);
		mend(report, "ip link set dev %s mtu %u", quoted(link->name),
		     path->mtu - overhead);
	}
}
