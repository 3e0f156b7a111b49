// SPDX-License-Identifier: GPL-2.0
/* wg-inline doctor: what keeps this machine from scaling. It changes nothing. */
#include "doctor.h"

#include "cmd.h"
#include "say.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* As cmd_show() and all others: 0 and 1; and this if something was found. */
#define SICK 3

static const struct check {
	const char *name;
	void (*run)(const struct patient *patient, struct report *report);
} checks[] = {
	{ "module", check_module },
	{ "hash-policy", check_hash_policy },
	{ "rp-filter", check_rp_filter },
	{ "mtu", check_mtu },
	{ "queues", check_queues },
	{ "rss-hash", check_rss_hash },
	{ "irqs", check_irqs },
	{ "rps", check_rps },
	{ "offloads", check_offloads },
	{ "isolated", check_isolated },
	{ "numa", check_numa },
	{ "governor", check_governor },
	{ "backlog", check_backlog },
	{ "landing", check_landing },
};

/* ------------------------------------------------------------------ looking -- */

static int find_focus(struct patient *patient, const char *name)
{
	struct links links;

	if (!name)
		return 0;
	if (links_get(&links, name))
		return -1;
	patient->focus = links.of->index;
	links_free(&links);
	return 0;
}

static const struct link *find_link(const struct links *links,
				    unsigned int index)
{
	size_t i;

	for (i = 0; i < links->count; i++) {
		if (links->of[i].index == index)
			return &links->of[i];
	}
	return NULL;
}

/* Packets of each tunnel since the survey. */
static int count_packets(struct patient *patient)
{
	const struct survey *survey = &patient->survey;
	const struct link *was, *is;
	struct links links;
	size_t i;

	if (links_get(&links, NULL))
		return -1;
	for (i = 0; i < survey->count; i++) {
		was = survey->of[i].link;
		is = find_link(&links, was->index);
		if (is && is->stats.rx_packets > was->stats.rx_packets)
			patient->received[i] = is->stats.rx_packets -
					       was->stats.rx_packets;
	}
	links_free(&links);
	return 0;
}

static int watch_traffic(struct patient *patient)
{
	struct timespec second = { .tv_sec = 1 };

	patient->received = calloc(patient->survey.count + 1,
				   sizeof(*patient->received));
	if (!patient->received)
		return fail("out of memory");
	traffic_read(patient);
	while (nanosleep(&second, &second) && errno == EINTR)
		continue;
	traffic_read(patient);
	return count_packets(patient);
}

int patient_look(struct patient *patient, struct report *report,
		 const char *name)
{
	if (find_focus(patient, name) || survey_take(&patient->survey, NULL))
		return -1;
	if (!patient->survey.count)
		note(report, "there are no tunnels, so only the machine was looked at");
	modules_get(&patient->modules);
	machine_read(patient);
	if (paths_look(patient, report) || nics_look(patient, report))
		return -1;
	return watch_traffic(patient);
}

void patient_free(struct patient *patient)
{
	size_t i;

	for (i = 0; i < patient->nic_count; i++)
		free(patient->nics[i].irqs);
	free(patient->nics);
	free(patient->paths);
	free(patient->received);
	survey_drop(&patient->survey);
	places_close(&patient->places);
}

/* -------------------------------------------------------------- the command -- */

static int examine(struct patient *patient, struct report *report,
		   const char *name, bool json)
{
	size_t i;

	if (places_open(&patient->places) ||
	    patient_look(patient, report, name))
		return 1;
	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		report->check = checks[i].name;
		checks[i].run(patient, report);
	}
	if (report->incomplete) {
		say("out of memory");
		return 1;
	}
	report_print(report, patient, json);
	return report->count ? SICK : 0;
}

int cmd_doctor(int argc, char **argv)
{
	static struct patient patient;
	struct report report = { .check = NULL };
	const char *name = NULL;
	bool json = false;
	int i, ret;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json") && !json)
			json = true;
		else if (*argv[i] != '-' && !name)
			name = argv[i];
		else
			return cmd_usage("doctor");
	}
	ret = examine(&patient, &report, name, json);
	report_free(&report);
	patient_free(&patient);
	return ret;
}
