// SPDX-License-Identifier: GPL-2.0
/* wg-inline top: rates of all interfaces, and how busy each CPU is. */
#include "cmd.h"
#include "say.h"
#include "snapshot.h"
#include "ticks.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define BAR 30
#define MOST_CPUS 4096
/* Lines with neither an interface nor a CPU, and the one the cursor is left in. */
#define OTHER_LINES 6

/**
 * struct moment - what rates are the difference of two of
 * @when: on the monotonic clock, in seconds
 * @survey: the interfaces
 * @cpus: entries in @load
 * @load: of each CPU by number; all zero for one that is not there
 */
struct moment {
	double when;
	struct survey survey;
	int cpus;
	struct ticks load[MOST_CPUS];
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static void read_load(struct moment *moment)
{
	FILE *file = fopen("/proc/stat", "re");
	struct ticks ticks;
	int cpu;

	memset(moment->load, 0, sizeof(moment->load));
	moment->cpus = 0;
	while ((cpu = ticks_next(file, MOST_CPUS, &ticks)) >= 0) {
		moment->load[cpu] = ticks;
		if (cpu >= moment->cpus)
			moment->cpus = cpu + 1;
	}
	if (file)
		fclose(file);
}

static int take(struct moment *moment, const char *name)
{
	if (survey_take(&moment->survey, name))
		return -1;
	moment->when = now();
	read_load(moment);
	return 0;
}

static const struct snapshot *find(const struct survey *survey,
				   const struct link *link)
{
	size_t i;

	for (i = 0; i < survey->count; i++) {
		if (survey->of[i].link->index == link->index)
			return &survey->of[i];
	}
	return NULL;
}

/* Counters do not go back, but for an interface that is another one now. */
static double rate(uint64_t before, uint64_t after, double seconds)
{
	return after > before ? (after - before) / seconds : 0;
}

static uint64_t all_drops(const struct snapshot *snapshot)
{
	const struct rtnl_link_stats64 *stats = &snapshot->link->stats;

	return stats->rx_dropped + stats->tx_dropped + stats->rx_errors +
	       stats->tx_errors;
}

static void print_interface(const struct snapshot *was,
			    const struct snapshot *is, double seconds)
{
	const struct rtnl_link_stats64 *a = &was->link->stats;
	const struct rtnl_link_stats64 *b = &is->link->stats;

	printf("%-15s %-8s %7lu %7lu %8.3f %8.3f %8.1f %8.1f %8.0f ",
	       is->link->name, *is->mode ? is->mode : "stock",
	       is->tunnel.peers, is->tunnel.live,
	       rate(a->rx_bytes, b->rx_bytes, seconds) * 8 / 1e9,
	       rate(a->tx_bytes, b->tx_bytes, seconds) * 8 / 1e9,
	       rate(a->rx_packets, b->rx_packets, seconds) / 1e3,
	       rate(a->tx_packets, b->tx_packets, seconds) / 1e3,
	       rate(all_drops(was), all_drops(is), seconds));
	if (is->tunnel.newest < 0)
		puts("   never");
	else
		printf("%6" PRId64 " s\n", is->tunnel.newest);
}

static void print_more(size_t count, const char *what)
{
	if (count)
		printf("and %zu %s\n", count, what);
}

/* At most @room lines, of which the last may say what is left out. */
static void print_interfaces(const struct moment *a, const struct moment *b,
			     size_t room)
{
	size_t i, count = b->survey.count;

	if (count > room)
		count = room - 1;
	printf("%-15s %-8s %7s %7s %8s %8s %8s %8s %8s %8s\n", "interface",
	       "mode", "peers", "live", "rx Gb/s", "tx Gb/s", "rx kpps",
	       "tx kpps", "drops/s", "handshk");
	for (i = 0; i < count; i++) {
		const struct snapshot *is = &b->survey.of[i];
		const struct snapshot *was = find(&a->survey, is->link);

		if (was)
			print_interface(was, is, b->when - a->when);
	}
	print_more(b->survey.count - count, "more interfaces");
}

/* Packets of all interfaces that a CPU handled, if the module says. */
static uint64_t packets_on(const struct moment *moment, int cpu)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < moment->survey.count; i++)
		sum += snapshot_sum(&moment->survey.of[i], cpu, "packets");
	return sum;
}

static bool is_there(const struct moment *a, const struct moment *b, int cpu)
{
	return cpu < a->cpus && b->load[cpu].all > a->load[cpu].all;
}

static uint64_t busy_for(const struct moment *a, const struct moment *b, int cpu)
{
	uint64_t all = b->load[cpu].all - a->load[cpu].all;
	uint64_t idle = b->load[cpu].idle - a->load[cpu].idle;

	return all > idle ? all - idle : 0;
}

static int share(uint64_t part, uint64_t all)
{
	return all ? lround(BAR * (double)part / all) : 0;
}

static void print_cpu(const struct moment *a, const struct moment *b, int cpu)
{
	const struct ticks *was = &a->load[cpu], *is = &b->load[cpu];
	uint64_t all = is->all - was->all, soft = is->soft - was->soft;
	uint64_t busy = busy_for(a, b, cpu);
	int i, hash = share(soft, all), bars = share(busy, all);

	printf("cpu %-4d %3d %% %3d %% [", cpu,
	       all ? (int)lround(100.0 * busy / all) : 0,
	       all ? (int)lround(100.0 * soft / all) : 0);
	for (i = 0; i < BAR; i++)
		putchar(i < hash ? '#' : i < bars ? '|' : ' ');
	printf("] %8.1f\n", rate(packets_on(a, cpu), packets_on(b, cpu),
				 b->when - a->when) / 1e3);
}

/* How many CPUs were busier than this one, or as busy and come before it? */
static size_t place_of(const struct moment *a, const struct moment *b, int cpu)
{
	uint64_t busy = busy_for(a, b, cpu), other;
	size_t before = 0;
	int i;

	for (i = 0; i < b->cpus; i++) {
		if (!is_there(a, b, i))
			continue;
		other = busy_for(a, b, i);
		before += other > busy || (other == busy && i < cpu);
	}
	return before;
}

/* Where there is no room for all of them, those that do the most. */
static void print_cpus(const struct moment *a, const struct moment *b,
		       size_t room)
{
	size_t count = 0, left_out = 0;
	int cpu;

	printf("\n%-8s %5s %5s  %-*s %9s\n", "", "busy", "soft", BAR,
	       "# softirq  | everything else", "kpps");
	for (cpu = 0; cpu < b->cpus; cpu++)
		count += is_there(a, b, cpu);
	if (count > room)
		left_out = count - (room - 1);
	for (cpu = 0; cpu < b->cpus; cpu++) {
		if (is_there(a, b, cpu) &&
		    (!left_out || place_of(a, b, cpu) < count - left_out))
			print_cpu(a, b, cpu);
	}
	print_more(left_out, "less busy");
}

/* The lines of the terminal that are left; any number where there is none. */
static size_t screen_room(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) ||
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row)
		return SIZE_MAX;
	return size.ws_row > OTHER_LINES + 4 ? size.ws_row - OTHER_LINES : 4;
}

/* Interfaces get what CPUs do not need, and no less than half. */
static void print_tables(const struct moment *a, const struct moment *b)
{
	size_t room = screen_room(), some = room - room / 2;
	size_t cpus = (size_t)b->cpus < some ? (size_t)b->cpus : some;
	size_t lines = b->survey.count;

	if (lines > room - cpus)
		lines = room - cpus;
	print_interfaces(a, b, lines);
	print_cpus(a, b, room - lines);
}

static void print_frame(const struct moment *a, const struct moment *b)
{
	char when[32];
	time_t time_now = time(NULL);
	int screen = isatty(STDOUT_FILENO);

	strftime(when, sizeof(when), "%H:%M:%S", localtime(&time_now));
	/* Home, clear, and draw; what is too long for a line is cut off. */
	fputs(screen ? "\033[H\033[J\033[?7l" : "", stdout);
	printf("wg-inline top  %s  over %.1f s\n\n", when, b->when - a->when);
	print_tables(a, b);
	fputs(screen ? "\033[?7h" : "\n", stdout);
	fflush(stdout);
}

static int wait_for(double seconds)
{
	struct timespec time = {
		.tv_sec = seconds,
		.tv_nsec = (seconds - floor(seconds)) * 1e9,
	};

	return nanosleep(&time, NULL);
}

static int watch(const char *name, double seconds, long times)
{
	static struct moment moments[2];
	struct moment *was = &moments[0], *is = &moments[1], *swap;
	int ret;

	if (take(was, name))
		return 1;
	for (ret = 0; times && !ret; times -= times < LONG_MAX) {
		wait_for(seconds);
		if (take(is, name)) {
			ret = 1;
			break;
		}
		print_frame(was, is);
		ret = ferror(stdout);
		survey_drop(&was->survey);
		swap = was;
		was = is;
		is = swap;
	}
	survey_drop(&was->survey);
	return ret;
}

int cmd_top(int argc, char **argv)
{
	const char *name = NULL;
	double seconds = 1;
	long times = LONG_MAX;
	char *end = "";
	int i;

	for (i = 1; i < argc && !*end; i++) {
		if (!strcmp(argv[i], "-d") && i + 1 < argc)
			seconds = strtod(argv[++i], &end);
		else if (!strcmp(argv[i], "-n") && i + 1 < argc)
			times = strtol(argv[++i], &end, 10);
		else if (*argv[i] != '-' && !name)
			name = argv[i];
		else
			return cmd_usage("top");
	}
	if (*end || !(seconds >= 0.1 && seconds <= 3600) || times < 1) {
		say("-d takes seconds from 0.1 to 3600, -n a number from 1");
		return 1;
	}
	return watch(name, seconds, times);
}
