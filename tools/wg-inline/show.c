// SPDX-License-Identifier: GPL-2.0
/* wg-inline show */
#include "cmd.h"
#include "json.h"
#include "module.h"
#include "snapshot.h"
#include "state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Raised when a member changes its meaning or goes; not when one is added. */
#define JSON_VERSION 1

/* ----------------------------------------------------------- for people -- */

/* Two of them may be arguments of one printf(), hence the rooms in turn. */
static const char *amount(uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	static char rooms[2][24];
	static unsigned int turn;
	char *room = rooms[turn++ % 2];
	unsigned int unit = 0;
	double value = bytes;

	for (; value >= 1024 && unit < 4; unit++)
		value /= 1024;
	snprintf(room, sizeof(rooms[0]), unit ? "%.2f %s" : "%.0f %s", value,
		 units[unit]);
	return room;
}

static void print_module(const char *where, const struct module *module)
{
	static const char *const names[] = {
		[MODULE_NONE] = "none",
		[MODULE_STOCK] = "stock WireGuard",
		[MODULE_OURS] = "wireguard-inline",
		[MODULE_BUILTIN] = "stock WireGuard, built into the kernel,",
	};

	printf("  %s: %s", where, names[module->kind]);
	if (*module->version)
		printf(" %s", module->version);
	if (*module->path)
		printf(" (%s)", module->path);
	putchar('\n');
}

static void print_modules(void)
{
	struct modules modules;
	const char *warning;

	modules_get(&modules);
	puts("module");
	print_module("loaded", &modules.loaded);
	print_module("on disk", &modules.disk);
	if (*modules.newest && strcmp(modules.newest, modules.release)) {
		printf("  newest kernel: %s\n", modules.newest);
		print_module("its module", &modules.next);
	}
	warning = modules_warning(&modules);
	if (warning)
		printf("  warning: %s\n", warning);
}

static void print_peers(const struct tunnel *tunnel)
{
	printf("  peers: %lu", tunnel->peers);
	if (tunnel->peers)
		printf(", %lu with live keys", tunnel->live);
	if (tunnel->newest >= 0)
		printf("; latest handshakes %" PRId64 " s",
		       tunnel->newest);
	if (tunnel->oldest > tunnel->newest)
		printf(" to %" PRId64 " s", tunnel->oldest);
	if (tunnel->newest >= 0)
		fputs(" ago", stdout);
	if (tunnel->peers && tunnel->never)
		printf("; %lu without any handshake", tunnel->never);
	putchar('\n');
}

static void print_cpu(const struct snapshot *snapshot, int cpu)
{
	const struct counters *counters = &snapshot->counters;
	int any = 0;
	size_t i;

	for (i = 0; i < counters->count; i++) {
		const struct counter *counter = &counters->of[i];

		if (counter->cpu != cpu || !counter->value || counter->drop)
			continue;
		if (any++)
			fputs(",", stdout);
		else
			printf("  cpu %d:", cpu);
		if (*counter->mode)
			printf(" %s", counter->mode);
		printf(" %s %" PRIu64, counter->what, counter->value);
	}
	if (any)
		putchar('\n');
}

static void print_drops(const struct snapshot *snapshot)
{
	const char *cause;
	uint64_t value;
	int any = 0;
	size_t i;

	for (i = 0; snapshot_drops(snapshot, i, &cause, &value); i++) {
		if (value)
			printf("%s %s %" PRIu64, any++ ? "," : "  drops:",
			       cause, value);
	}
	if (any)
		putchar('\n');
}

static void print_interface(const struct snapshot *snapshot)
{
	const struct link *link = snapshot->link;
	struct state state;
	int cpu;

	printf("\ninterface %s%s\n", link->name, link->up ? "" : " (down)");
	if (state_read(&state, link->alias))
		printf("  bundle: %s, tunnel %u of %u\n", state.bundle,
		       state.tunnel, state.tunnels);
	printf("  mode: %s\n", *snapshot->mode ? snapshot->mode :
		"none, as the module is stock");
	if (*snapshot->cpus)
		printf("  workers on CPUs: %s\n", snapshot->cpus);
	print_peers(&snapshot->tunnel);
	printf("  received: %s in %llu packets, sent: %s in %llu packets\n",
	       amount(link->stats.rx_bytes), link->stats.rx_packets,
	       amount(link->stats.tx_bytes), link->stats.tx_packets);
	for (cpu = 0; cpu < snapshot_cpus(snapshot); cpu++)
		print_cpu(snapshot, cpu);
	print_drops(snapshot);
}

/* ------------------------------------------------------------- as JSON -- */

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

static void json_module(const char *key, const struct module *module)
{
	json_open(key, '{');
	json_text("kind", module_word(module->kind));
	json_text("version", or_null(module->version));
	json_text("srcversion", or_null(module->source));
	json_text("path", or_null(module->path));
	json_close('}');
}

static void json_modules(void)
{
	struct modules modules;

	modules_get(&modules);
	json_open("module", '{');
	json_text("release", modules.release);
	json_module("loaded", &modules.loaded);
	json_module("disk", &modules.disk);
	json_text("newest_release", or_null(modules.newest));
	json_module("newest", &modules.next);
	json_text("warning", modules_warning(&modules));
	json_close('}');
}

static void json_bundle(const char *alias)
{
	struct state state;

	if (!state_read(&state, alias)) {
		json_text("bundle", NULL);
		return;
	}
	json_open("bundle", '{');
	json_text("name", state.bundle);
	json_unsigned("tunnel", state.tunnel);
	json_unsigned("tunnels", state.tunnels);
	json_close('}');
}

static void json_peers(const struct tunnel *tunnel)
{
	json_open("peers", '{');
	json_unsigned("count", tunnel->peers);
	json_unsigned("live", tunnel->live);
	json_unsigned("never", tunnel->never);
	json_signed("newest_handshake_age", tunnel->newest);
	json_signed("oldest_handshake_age", tunnel->oldest);
	json_close('}');
}

static void json_way(const char *key, uint64_t packets, uint64_t bytes,
		     uint64_t errors, uint64_t dropped)
{
	json_open(key, '{');
	json_unsigned("packets", packets);
	json_unsigned("bytes", bytes);
	json_unsigned("errors", errors);
	json_unsigned("dropped", dropped);
	json_close('}');
}

static void json_counters(const struct counters *counters)
{
	size_t i;

	json_open("counters", '[');
	for (i = 0; i < counters->count; i++) {
		const struct counter *counter = &counters->of[i];

		json_open(NULL, '{');
		json_text("name", counter->name);
		json_text("mode", or_null(counter->mode));
		json_signed("cpu", counter->cpu);
		json_text("what", counter->what);
		json_bool("drop", counter->drop);
		json_unsigned("value", counter->value);
		json_close('}');
	}
	json_close(']');
}

static void json_drops(const struct snapshot *snapshot)
{
	const char *cause;
	uint64_t value;
	size_t i;

	json_open("drops", '{');
	for (i = 0; snapshot_drops(snapshot, i, &cause, &value); i++)
		json_unsigned(cause, value);
	json_close('}');
}

static void json_interface(const struct snapshot *snapshot)
{
	const struct rtnl_link_stats64 *stats = &snapshot->link->stats;
	const struct link *link = snapshot->link;

	json_open(NULL, '{');
	json_text("name", link->name);
	json_unsigned("ifindex", link->index);
	json_bool("up", link->up);
	json_unsigned("mtu", link->mtu);
	json_unsigned("group", link->group);
	json_bundle(link->alias);
	json_text("mode", or_null(snapshot->mode));
	json_text("cpus", or_null(snapshot->cpus));
	json_unsigned("listen_port", snapshot->tunnel.port);
	json_unsigned("fwmark", snapshot->tunnel.mark);
	json_peers(&snapshot->tunnel);
	json_way("rx", stats->rx_packets, stats->rx_bytes, stats->rx_errors,
		 stats->rx_dropped);
	json_way("tx", stats->tx_packets, stats->tx_bytes, stats->tx_errors,
		 stats->tx_dropped);
	json_counters(&snapshot->counters);
	json_drops(snapshot);
	json_close('}');
}

/* ------------------------------------------------------------ the command -- */

static void print_all(const struct survey *survey, int json)
{
	size_t i;

	if (!json) {
		print_modules();
		for (i = 0; i < survey->count; i++)
			print_interface(&survey->of[i]);
		return;
	}
	json_open(NULL, '{');
	json_unsigned("version", JSON_VERSION);
	json_modules();
	json_open("interfaces", '[');
	for (i = 0; i < survey->count; i++)
		json_interface(&survey->of[i]);
	json_close(']');
	json_close('}');
}

int cmd_show(int argc, char **argv)
{
	const char *name = NULL;
	struct survey survey;
	int i, json = 0;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json") && !json)
			json = 1;
		else if (*argv[i] != '-' && !name)
			name = argv[i];
		else
			return cmd_usage("show");
	}
	/* Printed when all is known: a failure leaves no half answer. */
	if (survey_take(&survey, name))
		return 1;
	print_all(&survey, json);
	survey_drop(&survey);
	return 0;
}
