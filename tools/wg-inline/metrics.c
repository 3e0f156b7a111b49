// SPDX-License-Identifier: GPL-2.0
/*
 * wg-inline metrics: text that both OpenMetrics and the older format of
 * Prometheus allow, as node_exporter's textfile collector reads the latter:
 * a gauge of 1 takes the place of the type "info".
 */
#include "cmd.h"
#include "module.h"
#include "snapshot.h"
#include "utf8.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "wireguard_inline_"

static void family(const char *name, const char *type, const char *help)
{
	printf("# TYPE " PREFIX "%s %s\n", name, type);
	printf("# HELP " PREFIX "%s %s\n", name, help);
}

/*
 * Names of interfaces may hold anything but a slash and white space. A byte that is
 * no part of a character is written as \xff, with the backslash escaped.
 */
static void label(const char *name, const char *value)
{
	size_t length;

	printf("%s=\"", name);
	for (; *value; value += length ? length : 1) {
		length = utf8_length(value);
		if (!length)
			printf("\\\\x%02x", (unsigned char)*value);
		else if (*value == '"' || *value == '\\')
			printf("\\%c", *value);
		else
			fwrite(value, length, 1, stdout);
	}
	putchar('"');
}

static void sample(const char *name, const struct snapshot *snapshot)
{
	printf(PREFIX "%s{", name);
	label("interface", snapshot->link->name);
}

static void module_labels(const char *name, const struct module *module)
{
	char version[40];

	snprintf(version, sizeof(version), "%s_version", name);
	label(name, module_word(module->kind));
	putchar(',');
	label(version, module->version);
}

static void put_module(void)
{
	struct modules modules;

	modules_get(&modules);
	family("module_info", "gauge",
	       "Which module is loaded, on disk, and there for the newest kernel.");
	fputs(PREFIX "module_info{", stdout);
	module_labels("loaded", &modules.loaded);
	putchar(',');
	module_labels("disk", &modules.disk);
	putchar(',');
	module_labels("newest", &modules.next);
	fputs("} 1\n", stdout);
	family("module_fallback", "gauge",
	       "1 if it is stock WireGuard that runs, or will after a reload or boot, though ours is installed.");
	printf(PREFIX "module_fallback %d\n", modules_fallback(&modules));
}

static uint64_t is_up(const struct snapshot *s)
{
	return s->link->up;
}

static uint64_t peers(const struct snapshot *s)
{
	return s->tunnel.peers;
}

static uint64_t live_peers(const struct snapshot *s)
{
	return s->tunnel.live;
}

static uint64_t silent_peers(const struct snapshot *s)
{
	return s->tunnel.never;
}

/* Zero, the beginning of time, if there was none: long ago, to an alert. */
static uint64_t handshake(const struct snapshot *s)
{
	return s->tunnel.latest;
}

#define STATISTIC(name)	NULL, offsetof(struct rtnl_link_stats64, name)

/* What there is one of for each interface: a value, or one of its statistics. */
static const struct series {
	const char *name;
	const char *type;
	const char *help;
	uint64_t (*value)(const struct snapshot *snapshot);
	size_t statistic;
} series[] = {
	{ "up", "gauge", "1 if the interface is up.", is_up, 0 },
	{ "peers", "gauge", "Peers configured.", peers, 0 },
	{ "live_peers", "gauge", "Peers with keys that may be used.",
	  live_peers, 0 },
	{ "silent_peers", "gauge", "Peers that never had a handshake.",
	  silent_peers, 0 },
	{ "latest_handshake_timestamp_seconds", "gauge",
	  "When the latest handshake of any peer was; 0 if there was none.",
	  handshake, 0 },
	{ "receive_bytes", "counter", "Bytes received.",
	  STATISTIC(rx_bytes) },
	{ "transmit_bytes", "counter", "Bytes sent.",
	  STATISTIC(tx_bytes) },
	{ "receive_packets", "counter", "Packets received.",
	  STATISTIC(rx_packets) },
	{ "transmit_packets", "counter", "Packets sent.",
	  STATISTIC(tx_packets) },
	{ "receive_errors", "counter", "Packets refused.",
	  STATISTIC(rx_errors) },
	{ "transmit_errors", "counter", "Packets that could not be sent.",
	  STATISTIC(tx_errors) },
	{ "receive_dropped", "counter", "Packets dropped on the way in.",
	  STATISTIC(rx_dropped) },
	{ "transmit_dropped", "counter", "Packets dropped on the way out.",
	  STATISTIC(tx_dropped) },
};

static uint64_t value_of(const struct series *what,
			 const struct snapshot *snapshot)
{
	const char *statistics = (const char *)&snapshot->link->stats;
	uint64_t value;

	if (what->value)
		return what->value(snapshot);
	memcpy(&value, statistics + what->statistic, sizeof(value));
	return value;
}

/* A counter's samples have a suffix that its family has not. */
static void put_series(const struct survey *survey, const struct series *what)
{
	int counter = what->type[0] == 'c';
	size_t i;

	family(what->name, what->type, what->help);
	for (i = 0; i < survey->count; i++) {
		printf(PREFIX "%s%s{", what->name, counter ? "_total" : "");
		label("interface", survey->of[i].link->name);
		printf("} %" PRIu64 "\n", value_of(what, &survey->of[i]));
	}
}

static void put_modes(const struct survey *survey)
{
	size_t i;

	family("mode_info", "gauge", "The mode of the interface; empty with stock.");
	for (i = 0; i < survey->count; i++) {
		sample("mode_info", &survey->of[i]);
		putchar(',');
		label("mode", survey->of[i].mode);
		fputs("} 1\n", stdout);
	}
}

static void put_counters(const struct survey *survey)
{
	size_t i, j;

	family("driver", "counter", "The module's own counters, as of ethtool -S.");
	for (i = 0; i < survey->count; i++) {
		const struct counters *counters = &survey->of[i].counters;

		for (j = 0; j < counters->count; j++) {
			sample("driver_total", &survey->of[i]);
			printf(",cpu=\"");
			if (counters->of[j].cpu >= 0)
				printf("%d", counters->of[j].cpu);
			printf("\",");
			label("mode", counters->of[j].mode);
			putchar(',');
			label("counter", counters->of[j].name);
			printf("} %" PRIu64 "\n", counters->of[j].value);
		}
	}
}

static void put_drops(const struct survey *survey)
{
	const char *cause;
	uint64_t value;
	size_t i, j;

	family("drops", "counter", "Lost packets by cause.");
	for (i = 0; i < survey->count; i++) {
		const struct snapshot *snapshot = &survey->of[i];

		for (j = 0; snapshot_drops(snapshot, j, &cause, &value); j++) {
			sample("drops_total", snapshot);
			putchar(',');
			label("cause", cause);
			printf("} %" PRIu64 "\n", value);
		}
	}
}

int cmd_metrics(int argc, char **argv)
{
	struct survey survey;
	size_t i;

	if (argc != 1)
		return cmd_usage(argv[0]);
	if (survey_take(&survey, NULL))
		return 1;
	put_module();
	put_modes(&survey);
	for (i = 0; i < sizeof(series) / sizeof(series[0]); i++)
		put_series(&survey, &series[i]);
	put_counters(&survey);
	put_drops(&survey);
	puts("# EOF");
	survey_drop(&survey);
	return 0;
}
