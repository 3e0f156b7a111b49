// SPDX-License-Identifier: GPL-2.0
/* wg-inline doctor: what it has to say, and how. */
#include "doctor.h"

#include "json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Raised when a member changes its meaning or goes; not when one is added. */
#define JSON_VERSION 1

/* Names of interfaces get into it, and may hold escape sequences. */
static char *text_of(const char *format, va_list args)
{
	char *text, *at;

	if (vasprintf(&text, format, args) < 0)
		return NULL;
	for (at = text; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	}
	return text;
}

void found(struct report *report, const char *interface, const struct nic *nic,
	   const char *format, ...)
{
	struct finding *more;
	va_list args;

	more = reallocarray(report->of, report->count + 1, sizeof(*more));
	if (!more) {
		report->incomplete = true;
		return;
	}
	report->of = more;
	more = &more[report->count++];
	memset(more, 0, sizeof(*more));
	more->check = report->check;
	more->nic = nic;
	snprintf(more->interface, sizeof(more->interface), "%s", interface);
	va_start(args, format);
	more->text = text_of(format, args);
	va_end(args);
	if (!more->text)
		report->incomplete = true;
}

void mend(struct report *report, const char *format, ...)
{
	va_list args;

	if (!report->count)
		return;
	va_start(args, format);
	report->of[report->count - 1].command = text_of(format, args);
	va_end(args);
	if (!report->of[report->count - 1].command)
		report->incomplete = true;
}

void note(struct report *report, const char *format, ...)
{
	va_list args;
	char **more;

	more = reallocarray(report->notes, report->note_count + 1,
			    sizeof(*more));
	if (!more) {
		report->incomplete = true;
		return;
	}
	report->notes = more;
	va_start(args, format);
	more[report->note_count] = text_of(format, args);
	va_end(args);
	if (more[report->note_count])
		report->note_count++;
	else
		report->incomplete = true;
}

void report_free(struct report *report)
{
	size_t i;

	for (i = 0; i < report->count; i++) {
		free(report->of[i].text);
		free(report->of[i].command);
	}
	for (i = 0; i < report->note_count; i++)
		free(report->notes[i]);
	free(report->of);
	free(report->notes);
	memset(report, 0, sizeof(*report));
}

/* The commands are made to be pasted, and the kernel allows strange names. */
const char *quoted(const char *name)
{
	static char rooms[4][4 * IF_NAMESIZE + 3];
	static unsigned int turn;
	char *room = rooms[turn++ % 4], *at = room;

	if (*name != '-' &&
	    !name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@:-")])
		return name;
	*at++ = '\'';
	for (; *name && at < room + 4 * IF_NAMESIZE - 4; name++) {
		if (*name == '\'')
			at = stpcpy(at, "'\\''");
		else
			*at++ = *name;
	}
	strcpy(at, "'");
	return room;
}

/* ----------------------------------------------------------- for people -- */

static uint64_t all_received(const struct patient *patient)
{
	uint64_t all = 0;
	int cpu;

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		all += patient->cores[cpu].received;
	return all;
}

static void print_traffic(const struct patient *patient)
{
	uint64_t all = all_received(patient);
	int cpu;

	printf("in a second: %" PRIu64 " packets received", all);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		const struct core *core = &patient->cores[cpu];

		if (core->received)
			printf(", CPU %d %" PRIu64 " %%", cpu,
			       100 * core->received / all);
	}
	putchar('\n');
}

static void print_patient(const struct patient *patient)
{
	size_t i;

	printf("looked at: %zu tunnel%s, %d CPUs", patient->survey.count,
	       patient->survey.count == 1 ? "" : "s",
	       CPU_COUNT(&patient->online));
	for (i = 0; i < patient->nic_count; i++) {
		const struct nic *nic = &patient->nics[i];

		printf(", %s (%s, %u queue%s, under %u tunnel%s)", nic->name,
		       *nic->driver ? nic->driver : "no driver", nic->queues,
		       nic->queues == 1 ? "" : "s", nic->tunnels,
		       nic->tunnels == 1 ? "" : "s");
	}
	putchar('\n');
	print_traffic(patient);
}

static void print_finding(const struct finding *finding)
{
	printf("\n%s: %s%s%s\n", finding->check, finding->interface,
	       *finding->interface ? ": " : "", finding->text);
	if (finding->command)
		printf("    %s\n", finding->command);
	if (finding->command && finding->nic)
		printf("    (%s with the driver %s)\n",
		       driver_of(finding->nic)->tried ? "tried" : "untried",
		       *finding->nic->driver ? finding->nic->driver :
		       "that has no name");
}

static void print_people(const struct report *report,
			 const struct patient *patient)
{
	size_t i;

	print_patient(patient);
	for (i = 0; i < report->note_count; i++)
		printf("note: %s\n", report->notes[i]);
	for (i = 0; i < report->count; i++)
		print_finding(&report->of[i]);
	if (!report->count)
		puts("nothing found that keeps it from scaling");
}

/* --------------------------------------------------------------- as JSON -- */

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

static void json_patient(const struct patient *patient)
{
	int cpu;
	size_t i;

	json_open("tunnels", '[');
	for (i = 0; i < patient->survey.count; i++)
		json_text(NULL, patient->survey.of[i].link->name);
	json_close(']');
	json_open("nics", '[');
	for (i = 0; i < patient->nic_count; i++) {
		json_open(NULL, '{');
		json_text("name", patient->nics[i].name);
		json_text("driver", or_null(patient->nics[i].driver));
		json_bool("tried", driver_of(&patient->nics[i])->tried);
		json_unsigned("queues", patient->nics[i].queues);
		json_unsigned("tunnels", patient->nics[i].tunnels);
		json_close('}');
	}
	json_close(']');
	json_open("received", '[');
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &patient->online))
			continue;
		json_open(NULL, '{');
		json_unsigned("cpu", cpu);
		json_unsigned("packets", patient->cores[cpu].received);
		json_close('}');
	}
	json_close(']');
}

static void json_finding(const struct finding *finding)
{
	json_open(NULL, '{');
	json_text("check", finding->check);
	json_text("interface", or_null(finding->interface));
	json_text("text", finding->text);
	json_text("command", finding->command);
	if (finding->nic) {
		json_text("driver", or_null(finding->nic->driver));
		json_bool("tried", driver_of(finding->nic)->tried);
	} else {
		json_text("driver", NULL);
		json_text("tried", NULL);
	}
	json_close('}');
}

static void print_json(const struct report *report,
		       const struct patient *patient)
{
	size_t i;

	json_open(NULL, '{');
	json_unsigned("version", JSON_VERSION);
	json_patient(patient);
	json_open("notes", '[');
	for (i = 0; i < report->note_count; i++)
		json_text(NULL, report->notes[i]);
	json_close(']');
	json_open("findings", '[');
	for (i = 0; i < report->count; i++)
		json_finding(&report->of[i]);
	json_close(']');
	json_close('}');
}

void report_print(const struct report *report, const struct patient *patient,
		  bool json)
{
	if (json)
		print_json(report, patient);
	else
		print_people(report, patient);
}
