// SPDX-License-Identifier: GPL-2.0
/* wg-inline doctor: where the work is done, and how fast. */
#include "doctor.h"

#include "state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Below so many packets in a second, shares mean nothing. */
#define TRAFFIC 1000
#define TUNNEL_TRAFFIC 100
#define MOST_OF_IT 80		/* per cent */
#define SATURATED 90

bool tunnel_counts(const struct patient *patient, const struct link *link)
{
	return !patient->focus || patient->focus == link->index;
}

/* In inline mode there are no workers that a packet would go through. */
static bool workers(const struct snapshot *tunnel, cpu_set_t *cpus)
{
	cpus_from_list(cpus, tunnel->cpus);
	return strcmp(tunnel->mode, "inline");
}

static void mend_workers(struct report *report, const struct link *link,
			 const cpu_set_t *cpus)
{
	if (CPU_COUNT(cpus))
		mend(report, "wg-inline set %s cpus %s", quoted(link->name),
		     cpus_text(cpus));
}

/* ---------------------------------------------------------- isolated CPUs -- */

/* How many interrupts fire on one of these CPUs; or, not WITHIN, on another. */
static unsigned int count_irqs(const struct nic *nic, const cpu_set_t *cpus,
			       bool within)
{
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < nic->irq_count; i++)
		count += nic->irqs[i].taker != UNKNOWN &&
			 !!CPU_ISSET(nic->irqs[i].taker, cpus) == within;
	return count;
}

static void check_isolated_irqs(const struct patient *patient,
				const struct nic *nic, struct report *report)
{
	unsigned int count = count_irqs(nic, &patient->isolated, true);

	if (!count)
		return;
	found(report, nic->name, nic,
	      "%u of its interrupts fire on isolated CPUs (%s), where its packets are then decrypted",
	      count, cpus_text(&patient->isolated));
	mend_irqs(report, patient, nic);
}

void check_isolated(const struct patient *patient, struct report *report)
{
	const struct survey *survey = &patient->survey;
	cpu_set_t cpus;
	size_t i;

	for (i = 0; i < patient->nic_count; i++)
		check_isolated_irqs(patient, &patient->nics[i], report);
	for (i = 0; i < survey->count; i++) {
		const struct link *link = survey->of[i].link;

		if (!tunnel_counts(patient, link) ||
		    !workers(&survey->of[i], &cpus) ||
		    !cpus_overlap(&cpus, &patient->isolated))
			continue;
		found(report, link->name, NULL,
		      "its workers may run on CPUs %s, of which %s are isolated",
		      cpus_text(&cpus), cpus_text(&patient->isolated));
		cpus_without(&cpus, &patient->isolated);
		mend_workers(report, link, &cpus);
	}
}

/* ------------------------------------------------------------------ NUMA -- */

static void check_node_irqs(const struct patient *patient,
			    const struct nic *nic, struct report *report)
{
	unsigned int count = count_irqs(nic, &nic->near, false);

	if (!count)
		return;
	found(report, nic->name, nic,
	      "it is near to memory of node %d, and %u of its interrupts fire on CPUs of another (its own: %s)",
	      nic->node, count, cpus_text(&nic->near));
	mend_irqs(report, patient, nic);
}

static bool goes_by(const struct patient *patient, const struct link *link,
		    const struct nic *nic)
{
	size_t i;

	for (i = 0; i < patient->path_count; i++) {
		if (patient->paths[i].tunnel == link->index &&
		    patient->paths[i].index == nic->index)
			return true;
	}
	return false;
}

static void check_node_workers(const struct patient *patient,
			       const struct nic *nic, struct report *report)
{
	const struct survey *survey = &patient->survey;
	cpu_set_t cpus, fit = nic->near;
	size_t i;

	cpus_without(&fit, &patient->isolated);
	for (i = 0; i < survey->count; i++) {
		const struct link *link = survey->of[i].link;

		if (!tunnel_counts(patient, link) ||
		    !goes_by(patient, link, nic) ||
		    !workers(&survey->of[i], &cpus) ||
		    cpus_within(&cpus, &nic->near))
			continue;
		found(report, link->name, NULL,
		      "its workers may run on CPUs %s, and %s is near to node %d, which has %s",
		      cpus_text(&cpus), nic->name, nic->node,
		      cpus_text(&nic->near));
		mend_workers(report, link, &fit);
	}
}

void check_numa(const struct patient *patient, struct report *report)
{
	cpu_set_t nodes;
	char list[256];
	size_t i;

	place_line(patient->places.sys, list, sizeof(list),
		   "devices/system/node/online");
	cpus_from_list(&nodes, list);
	for (i = 0; CPU_COUNT(&nodes) > 1 && i < patient->nic_count; i++) {
		const struct nic *nic = &patient->nics[i];

		if (!CPU_COUNT(&nic->near))
			continue;
		check_node_irqs(patient, nic, report);
		check_node_workers(patient, nic, report);
	}
}

/* -------------------------------------------------------------- governor -- */

#define CPUFREQ "devices/system/cpu/cpufreq"

/*
 * With a driver that leaves it to the hardware, "powersave" means neither the
 * slowest nor standing still; there it is the preference that matters.
 */
static bool is_slow(int sys, const char *policy, char *governor, size_t size)
{
	char driver[64], preference[64];

	place_line(sys, governor, size, CPUFREQ "/%s/scaling_governor", policy);
	place_line(sys, driver, sizeof(driver), CPUFREQ "/%s/scaling_driver",
		   policy);
	if (strcmp(governor, "powersave"))
		return !strcmp(governor, "conservative");
	if (strcmp(driver, "intel_pstate") && strcmp(driver, "amd-pstate-epp"))
		return true;
	place_line(sys, preference, sizeof(preference),
		   CPUFREQ "/%s/energy_performance_preference", policy);
	return !strcmp(preference, "power") ||
	       !strcmp(preference, "balance_power");
}

static void say_slow(int sys, const char *policy, const char *governor,
		     unsigned int count, struct report *report)
{
	int now = place_number(sys, CPUFREQ "/%s/scaling_cur_freq", policy);
	int most = place_number(sys, CPUFREQ "/%s/cpuinfo_max_freq", policy);
	char speed[64] = "";

	if (now > 0 && most > 0)
		snprintf(speed, sizeof(speed), " (at %d of %d MHz now)",
			 now / 1000, most / 1000);
	found(report, "", NULL,
	      "\"%s\" governs the frequency of %u group%s of CPUs, and is slow to raise it, if it does%s",
	      governor, count, count > 1 ? "s" : "", speed);
	mend(report,
	     "echo performance | tee /sys/" CPUFREQ "/policy*/scaling_governor");
}

void check_governor(const struct patient *patient, struct report *report)
{
	char governor[64] = "", slow[64] = "", policy[64] = "";
	int sys = patient->places.sys;
	DIR *dir = place_list(sys, CPUFREQ);
	struct dirent *entry;
	unsigned int count = 0;

	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "policy", 6) ||
		    !is_slow(sys, entry->d_name, governor, sizeof(governor)))
			continue;
		count++;
		strcpy(slow, governor);
		snprintf(policy, sizeof(policy), "%.63s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	if (count)
		say_slow(sys, policy, slow, count, report);
}

/* --------------------------------------------------------------- traffic -- */

void check_backlog(const struct patient *patient, struct report *report)
{
	int most = place_number(patient->places.proc,
				"sys/net/core/netdev_max_backlog");
	uint64_t dropped = 0;
	int cpu;

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		dropped += patient->cores[cpu].dropped;
	if (!dropped)
		return;
	found(report, "", NULL,
	      "%" PRIu64 " packets were dropped while we looked, as the queue of their CPU was full",
	      dropped);
	/* More room helps against bursts; it is no good without any limit. */
	if (most > 0 && most < 10000)
		mend(report, "sysctl -w net.core.netdev_max_backlog=%d",
		     2 * most);
}

static int busiest(const struct patient *patient, uint64_t *all)
{
	int cpu, most = 0;

	*all = 0;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		*all += patient->cores[cpu].received;
		if (patient->cores[cpu].received >
		    patient->cores[most].received)
			most = cpu;
	}
	return most;
}

static unsigned int active_tunnels(const struct patient *patient)
{
	unsigned int active = 0;
	size_t i;

	for (i = 0; i < patient->survey.count; i++)
		active += patient->received[i] >= TUNNEL_TRAFFIC;
	return active;
}

/* Are those that received something all of one bundle? */
static bool of_one_bundle(const struct patient *patient, struct state *bundle)
{
	struct state state;
	size_t i;

	memset(bundle, 0, sizeof(*bundle));
	for (i = 0; i < patient->survey.count; i++) {
		if (patient->received[i] < TUNNEL_TRAFFIC)
			continue;
		if (!state_read(&state, patient->survey.of[i].link->alias) ||
		    (*bundle->bundle && strcmp(state.bundle, bundle->bundle)))
			return false;
		*bundle = state;
	}
	return *bundle->bundle;
}

/* Of packets or clock ticks. */
static unsigned int percent(uint64_t part, uint64_t whole)
{
	return whole ? 100 * part / whole : 0;
}

void check_landing(const struct patient *patient, struct report *report)
{
	unsigned int active = active_tunnels(patient), share, soft;
	const struct core *core;
	int cpus = CPU_COUNT(&patient->online), cpu;
	struct state bundle;
	uint64_t all;

	cpu = busiest(patient, &all);
	core = &patient->cores[cpu];
	share = percent(core->received, all);
	soft = percent(core->soft, core->ticks);
	if (all < TRAFFIC || cpus < 2 || share < MOST_OF_IT)
		return;
	if (active > 1) {
		found(report, "", NULL,
		      "%u tunnels received packets while we looked, and CPU %d had %u %% of all packets, and %u %% of its time in interrupts",
		      active, cpu, share, soft);
		if (of_one_bundle(patient, &bundle))
			mend(report, "wg-inline bundle spread %s",
			     quoted(bundle.bundle));
	} else if (active && soft >= SATURATED) {
		found(report, "", NULL,
		      "one tunnel received packets while we looked, and CPU %d had %u %% of its time in interrupts: more tunnels could use more CPUs",
		      cpu, soft);
		mend(report, "wg-inline bundle up FILE -n %d",
		     cpus < MOST_TUNNELS ? cpus : MOST_TUNNELS);
	}
}
