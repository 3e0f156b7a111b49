// SPDX-License-Identifier: GPL-2.0
/* wg-inline doctor: queues, hashes, interrupts and offloads of NICs. */
#include "doctor.h"

#include <stdio.h>
#include <string.h>

/*
 * Tried means that every command which the checks advise for it was run by this
 * project, and did what it says. What is said of hashes was read in the drivers
 * of Linux 7.3.
 */
static const struct driver drivers[] = {
	{ "veth", true, NULL },
	{ "virtio_net", false,
	  "it is the host's to offer one, and hosts seldom do" },
	{ "ena", false, "AWS refuses to have it set" },
	{ "hv_netvsc", false, "what can be set is for sending only" },
	{ "gve", false, "the driver cannot set it" },
	{ "bnxt_en", false, NULL },
	{ "e1000e", false, "it has one queue" },
	{ "i40e", false, NULL },
	{ "ice", false, NULL },
	{ "igb", false, NULL },
	{ "igc", false, NULL },
	{ "ixgbe", false, NULL },
	{ "mlx5_core", false, NULL },
	{ "r8169", false, "it has one queue" },
	{ "vmxnet3", false, NULL },
};

const struct driver *driver_of(const struct nic *nic)
{
	static const struct driver unknown = { "", false, NULL };
	size_t i;

	for (i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		if (!strcmp(drivers[i].name, nic->driver))
			return &drivers[i];
	}
	return &unknown;
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* More than one for each CPU, or for each tunnel, is of no use. */
static unsigned int wanted_queues(const struct patient *patient,
				  const struct nic *nic)
{
	return least(nic->tunnels, CPU_COUNT(&patient->online));
}

/* Does RPS do in software what more queues would do? */
static bool passed_on(const struct nic *nic, unsigned int wanted)
{
	return (unsigned int)CPU_COUNT(&nic->rps) >= wanted;
}

/* CPUs that may be bothered, near to the NIC if there are any. */
static cpu_set_t fit_cpus(const struct patient *patient, const struct nic *nic)
{
	cpu_set_t fit = patient->online, near;

	cpus_without(&fit, &patient->isolated);
	CPU_AND(&near, &fit, &nic->near);
	return CPU_COUNT(&near) ? near : fit;
}

/* ---------------------------------------------------------------- queues -- */

static void advise_queues(const struct patient *patient, const struct nic *nic,
			  unsigned int wanted, struct report *report)
{
	cpu_set_t cpus = fit_cpus(patient, nic);

	if (nic->most > nic->queues) {
		mend(report, "ethtool -L %s %s %u", quoted(nic->name),
		     nic->combined ? "combined" : "rx",
		     least(wanted, nic->most));
		return;
	}
	mend(report,
	     "for q in /sys/class/net/%s/queues/rx-*; do echo %s >$q/rps_cpus; done",
	     quoted(nic->name), cpus_mask(&cpus));
}

void check_queues(const struct patient *patient, struct report *report)
{
	size_t i;

	for (i = 0; i < patient->nic_count; i++) {
		const struct nic *nic = &patient->nics[i];
		unsigned int wanted = wanted_queues(patient, nic);

		if (!nic->queues || nic->queues >= wanted ||
		    passed_on(nic, wanted))
			continue;
		found(report, nic->name, nic,
		      "%u tunnels come in by %u queue%s, and so by %u of %d CPUs%s",
		      nic->tunnels, nic->queues, nic->queues > 1 ? "s" : "",
		      nic->queues, CPU_COUNT(&patient->online),
		      nic->most > nic->queues ? "" :
		      "; it has no more, but the kernel can pass packets on to other CPUs (RPS)");
		advise_queues(patient, nic, wanted, report);
	}
}

/* -------------------------------------------------------------- RSS hash -- */

static void look_at_hash(const struct nic *nic, enum family family,
			 struct report *report)
{
	const char *known = driver_of(nic)->hash;
	int version = family == V6 ? 6 : 4;

	if (!nic->families[family] || nic->ports[family] == 1)
		return;
	if (nic->ports[family] == UNKNOWN) {
		note(report,
		     "%s (%s) does not say whether its receive hash looks at UDP ports (udp%d)%s%s",
		     nic->name, nic->driver, version, known ? ": " : "",
		     known ? known : "");
		return;
	}
	found(report, nic->name, nic,
	      "its receive hash does not look at the ports of UDP over IPv%d, so all tunnels to one host come in by one queue%s%s",
	      version, known ? "; " : "", known ? known : "");
	if (!known)
		mend(report, "ethtool -N %s rx-flow-hash udp%d sdfn",
		     quoted(nic->name), version);
}

void check_rss_hash(const struct patient *patient, struct report *report)
{
	enum family family;
	size_t i;

	for (i = 0; i < patient->nic_count; i++) {
		const struct nic *nic = &patient->nics[i];

		if (nic->queues < 2 || nic->tunnels < 2)
			continue;
		for (family = 0; family < FAMILIES; family++)
			look_at_hash(nic, family, report);
	}
}

/* ------------------------------------------------------------ interrupts -- */

/* How many of them fired, and on which CPU if it was the same for all. */
static unsigned int busy_irqs(const struct nic *nic, int *taker)
{
	unsigned int busy = 0;
	size_t i;

	*taker = UNKNOWN;
	for (i = 0; i < nic->irq_count; i++) {
		const struct irq *irq = &nic->irqs[i];

		if (irq->taker == UNKNOWN)
			continue;
		if (busy++ && irq->taker != *taker)
			return 0;
		*taker = irq->taker;
	}
	return busy;
}

static int next_cpu(const cpu_set_t *cpus, int cpu)
{
	do {
		cpu = (cpu + 1) % CPU_SETSIZE;
	} while (!CPU_ISSET(cpu, cpus));
	return cpu;
}

void mend_irqs(struct report *report, const struct patient *patient,
	       const struct nic *nic)
{
	cpu_set_t cpus = fit_cpus(patient, nic);
	char commands[16384];
	size_t i, used = 0;
	int cpu = -1;

	if (!CPU_COUNT(&cpus))
		return;
	for (i = 0; i < nic->irq_count && used + 64 < sizeof(commands); i++) {
		if (nic->irqs[i].taker == UNKNOWN)
			continue;
		cpu = next_cpu(&cpus, cpu);
		used += sprintf(commands + used,
				"%secho %d >/proc/irq/%u/smp_affinity_list",
				used ? "; " : "", cpu, nic->irqs[i].number);
	}
	if (used)
		mend(report, "%s", commands);
}

void check_irqs(const struct patient *patient, struct report *report)
{
	unsigned int busy;
	size_t i;
	int taker;

	for (i = 0; i < patient->nic_count; i++) {
		const struct nic *nic = &patient->nics[i];

		busy = busy_irqs(nic, &taker);
		if (busy < 2 || nic->queues < 2 ||
		    CPU_COUNT(&patient->online) < 2)
			continue;
		found(report, nic->name, nic,
		      "all of its %u interrupts for receiving that fire do so on CPU %d",
		      busy, taker);
		mend_irqs(report, patient, nic);
	}
}

/* ------------------------------------------------------------------- RPS -- */

void check_rps(const struct patient *patient, struct report *report)
{
	size_t i;

	for (i = 0; i < patient->nic_count; i++) {
		const struct nic *nic = &patient->nics[i];

		if (!CPU_COUNT(&nic->rps))
			continue;
		if (nic->queues > 1 &&
		    nic->queues >= wanted_queues(patient, nic)) {
			found(report, nic->name, nic,
			      "it has %u queues, yet RPS passes packets on to CPUs %s, which costs an interrupt of another CPU each time",
			      nic->queues, cpus_text(&nic->rps));
			mend(report,
			     "for q in /sys/class/net/%s/queues/rx-*; do echo 0 >$q/rps_cpus; done",
			     quoted(nic->name));
		} else if (cpus_overlap(&nic->rps, &patient->isolated)) {
			found(report, nic->name, nic,
			      "RPS passes packets on to CPUs %s, of which %s are isolated",
			      cpus_text(&nic->rps),
			      cpus_text(&patient->isolated));
		}
	}
}

/* -------------------------------------------------------------- offloads -- */

static void look_at_feature(const struct nic *nic, const struct feature *feature,
			    const char *name, const char *loss,
			    struct report *report)
{
	if (feature->on || !feature->changeable)
		return;
	found(report, nic->name, nic, "%s is off: %s", name, loss);
	mend(report, "ethtool -K %s %s on", quoted(nic->name), name);
}

static bool forwards(const struct patient *patient)
{
	int proc = patient->places.proc;

	return place_number(proc, "sys/net/ipv4/ip_forward") > 0 ||
	       place_number(proc, "sys/net/ipv6/conf/all/forwarding") > 0;
}

void check_offloads(const struct patient *patient, struct report *report)
{
	bool router = forwards(patient);
	size_t i;

	for (i = 0; i < patient->nic_count; i++) {
		const struct nic *nic = &patient->nics[i];

		look_at_feature(nic, &nic->gro, "rx-gro",
				"each packet of a tunnel goes through the network's layers alone",
				report);
		look_at_feature(nic, &nic->segmentation, "tx-udp-segmentation",
				"what is sent as one is cut to size by the CPU",
				report);
		if (router)
			look_at_feature(nic, &nic->forwarding,
					"rx-udp-gro-forwarding",
					"UDP that this machine forwards, as QUIC, enters tunnels packet by packet",
					report);
	}
}
