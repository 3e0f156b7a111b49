/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_SNAPSHOT_H
#define WGI_SNAPSHOT_H

#include "ethtool.h"
#include "link.h"
#include "mode.h"
#include "tunnel.h"

/**
 * struct snapshot - all that there is to know of an interface at a moment
 * @link: what every interface has
 * @tunnel: peers
 * @counters: the module's own
 * @mode: empty with stock
 * @cpus: where workers may run; empty if the module does not say
 */
struct snapshot {
	const struct link *link;
	struct tunnel tunnel;
	struct counters counters;
	char mode[MODE_ROOM];
	char cpus[4096];
};

/**
 * snapshot_take() - look at an interface
 * @snapshot: filled, to be released by snapshot_drop()
 * @link: interface; has to live as long
 *
 * Return: 0; 1 if the interface has gone meanwhile; or -1 after having said why.
 * There is nothing to release but after 0.
 */
int snapshot_take(struct snapshot *snapshot, const struct link *link);

void snapshot_drop(struct snapshot *snapshot);

/**
 * struct survey - snapshots of several interfaces
 * @links: the interfaces
 * @count: how many of them were still there; they are in @links' order
 * @of: the snapshots
 */
struct survey {
	struct links links;
	size_t count;
	struct snapshot *of;
};

/**
 * survey_take() - look at one interface, or at all
 * @survey: filled, to be released by survey_drop()
 * @name: of the only interface of interest, or NULL
 *
 * Return: 0, or -1 after having said why; there is nothing to release then.
 */
int survey_take(struct survey *survey, const char *name);

void survey_drop(struct survey *survey);

/* snapshot_cpus() - one more than the highest CPU with a counter of its own */
int snapshot_cpus(const struct snapshot *snapshot);

/**
 * snapshot_sum() - add counters up
 * @snapshot: of which interface
 * @cpu: of this CPU only, or -1 for all
 * @what: end of the counters' @what
 *
 * Return: the sum of those that do not count drops.
 */
uint64_t snapshot_sum(const struct snapshot *snapshot, int cpu,
		      const char *what);

/**
 * snapshot_drops() - lost packets by cause
 * @snapshot: of which interface
 * @i: from 0
 * @cause: set to the cause
 * @value: set to how many, over all modes and CPUs
 *
 * Return: 0 if there are fewer than @i + 1 causes, else 1.
 */
int snapshot_drops(const struct snapshot *snapshot, size_t i,
		   const char **cause, uint64_t *value);

#endif
