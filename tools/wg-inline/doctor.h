/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_DOCTOR_H
#define WGI_DOCTOR_H

#include "cpuset.h"
#include "module.h"
#include "place.h"
#include "snapshot.h"

#include <net/if.h>

enum family { V4, V6, FAMILIES };

/**
 * struct path - how a tunnel's packets get to a peer
 * @tunnel: number of its interface
 * @family: of the outer packets
 * @index: number of the interface that they leave by
 * @mtu: of the way there, as far as this machine knows it
 * @detour: would they leave by another one, were they not marked?
 */
struct path {
	unsigned int tunnel;
	enum family family;
	unsigned int index;
	unsigned int mtu;
	bool detour;
};

/**
 * struct feature - something that ethtool(8) turns on and off
 * @on: is it?
 * @changeable: can that be changed?
 */
struct feature {
	bool on;
	bool changeable;
};

/**
 * struct irq - an interrupt of a NIC
 * @number: of it
 * @cpus: where it is delivered
 * @fired: how often it was: while we looked, or else since boot
 * @taker: which CPU took most of that; UNKNOWN if it was never
 * @counts: by CPU, when they were last read
 */
struct irq {
	unsigned int number;
	cpu_set_t cpus;
	uint64_t fired;
	int taker;
	uint64_t counts[CPU_SETSIZE];
};

/**
 * struct nic - a network interface under the routes of tunnels
 * @name: of it
 * @driver: what it calls itself; empty if it does not say
 * @index: number of the interface
 * @tunnels: how many tunnels have peers that are reached by it
 * @wanted: is there one among them that was asked for?
 * @families: of their outer packets
 * @queues: for receiving, in use; 0 if it does not say
 * @most: how many of them it could have; 0 if it does not say
 * @combined: are they those for sending, too?
 * @ports: does its receive hash look at UDP ports? 0, 1 or UNKNOWN
 * @gro: does it gather packets of a flow?
 * @segmentation: does it cut UDP packets to size itself?
 * @forwarding: does it gather UDP packets that are not for this machine?
 * @rps: CPUs that received packets are passed on to
 * @node: of the machine's memory that it is near to, or UNKNOWN
 * @near: CPUs of that node
 * @irq_count: how many interrupts
 * @irqs: they
 */
struct nic {
	char name[IF_NAMESIZE];
	char driver[32];
	unsigned int index;
	unsigned int tunnels;
	bool wanted;
	bool families[FAMILIES];
	unsigned int queues;
	unsigned int most;
	bool combined;
	int ports[FAMILIES];
	struct feature gro;
	struct feature segmentation;
	struct feature forwarding;
	cpu_set_t rps;
	int node;
	cpu_set_t near;
	size_t irq_count;
	struct irq *irqs;
};

/**
 * struct core - what a CPU did while we looked
 * @received: packets
 * @dropped: packets that its queue had no room for
 * @ticks: of the clock
 * @soft: those of them that went into interrupts
 */
struct core {
	uint64_t received;
	uint64_t dropped;
	uint64_t ticks;
	uint64_t soft;
};

/**
 * struct patient - what the checks look at
 * @places: for what is in files
 * @focus: number of the only interface of interest, or 0
 * @survey: all tunnels of this namespace
 * @received: packets that each of them received while we looked
 * @modules: in memory and on disk
 * @path_count: how many ways to peers
 * @paths: they
 * @nic_count: how many interfaces under them
 * @nics: they
 * @multipath: is there a route over several tunnels?
 * @restored: are packets given the mark of their connection? Only looked at where
 *	marks lead outer packets another way
 * @online: CPUs that there are
 * @isolated: those of them that are to be left alone
 * @cores: by CPU
 */
struct patient {
	struct places places;
	unsigned int focus;
	struct survey survey;
	uint64_t *received;
	struct modules modules;
	size_t path_count;
	struct path *paths;
	size_t nic_count;
	struct nic *nics;
	bool multipath[FAMILIES];
	bool restored;
	cpu_set_t online;
	cpu_set_t isolated;
	struct core cores[CPU_SETSIZE];
};

/**
 * struct finding - something that keeps the machine from scaling
 * @check: which check found it
 * @nic: whose driver decides what can be done, or NULL
 * @interface: that it is about; empty if it is the machine
 * @text: a sentence
 * @command: that mends it, or NULL
 */
struct finding {
	const char *check;
	const struct nic *nic;
	char interface[IF_NAMESIZE];
	char *text;
	char *command;
};

/**
 * struct report - what the checks have to say
 * @check: that is at work
 * @count: how many findings
 * @of: they
 * @note_count: how many notes
 * @notes: what could not be looked at, and why
 * @incomplete: was there too little memory for it?
 */
struct report {
	const char *check;
	size_t count;
	struct finding *of;
	size_t note_count;
	char **notes;
	bool incomplete;
};

/* found() - add a finding; mend() - and how to do away with it */
void found(struct report *report, const char *interface, const struct nic *nic,
	   const char *format, ...) __attribute__((format(printf, 4, 5)));
void mend(struct report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void note(struct report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* report_print() - to people, or as JSON */
void report_print(const struct report *report, const struct patient *patient,
		  bool json);
void report_free(struct report *report);

/* quoted() - so that a shell takes a name for a word; four at a time */
const char *quoted(const char *name);

/**
 * struct driver - what is known of one
 * @name: of it
 * @tried: has this project tried its advice on it?
 * @hash: why its receive hash is as it is, or NULL
 */
struct driver {
	const char *name;
	bool tried;
	const char *hash;
};

/* driver_of() - what is known of a NIC's, never NULL */
const struct driver *driver_of(const struct nic *nic);

/* ------------------------------------------------------------- to look -- */

/**
 * patient_look() - find out all that there is to know, which takes a second
 * @patient: zero but for @places; filled, to be released in any case
 * @report: takes notes of what cannot be seen
 * @name: of the only interface of interest, or NULL
 *
 * Return: 0, or -1 after having said why.
 */
int patient_look(struct patient *patient, struct report *report,
		 const char *name);
void patient_free(struct patient *patient);

/* paths_look() - where peers are, and routes over several tunnels */
int paths_look(struct patient *patient, struct report *report);

/* marks_restored() - does a rule of nftables give packets their connection's mark? */
bool marks_restored(void);

/* nics_look() - the interfaces under the paths */
int nics_look(struct patient *patient, struct report *report);

/* nic_ask() - what ethtool(8) would say of one */
void nic_ask(struct nic *nic);

/* nic_read() - what files say of one; -1 without memory */
int nic_read(struct nic *nic, const struct places *places);

/* machine_read() - which CPUs there are */
void machine_read(struct patient *patient);

/* traffic_read() - where packets and interrupts were since it was last called */
void traffic_read(struct patient *patient);

/* ----------------------------------------------------------- the checks -- */

void check_module(const struct patient *patient, struct report *report);
void check_hash_policy(const struct patient *patient, struct report *report);
void check_rp_filter(const struct patient *patient, struct report *report);
void check_mtu(const struct patient *patient, struct report *report);
void check_queues(const struct patient *patient, struct report *report);
void check_rss_hash(const struct patient *patient, struct report *report);
void check_irqs(const struct patient *patient, struct report *report);
void check_rps(const struct patient *patient, struct report *report);
void check_offloads(const struct patient *patient, struct report *report);
void check_isolated(const struct patient *patient, struct report *report);
void check_numa(const struct patient *patient, struct report *report);
void check_governor(const struct patient *patient, struct report *report);
void check_backlog(const struct patient *patient, struct report *report);
void check_landing(const struct patient *patient, struct report *report);

/* mend_irqs() - the command that spreads a NIC's interrupts over fit CPUs */
void mend_irqs(struct report *report, const struct patient *patient,
	       const struct nic *nic);

/* tunnel_counts() - is this interface one of those that were asked for? */
bool tunnel_counts(const struct patient *patient, const struct link *link);

#endif
