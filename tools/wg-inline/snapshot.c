// SPDX-License-Identifier: GPL-2.0
/* An interface as show, metrics and top see it. */
#include "snapshot.h"

#include "say.h"
#include "sysfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int take_mode(struct snapshot *snapshot)
{
	const struct link *link = snapshot->link;
	int ret;

	ret = mode_get(link, snapshot->mode);
	if (ret)
		snapshot->mode[0] = '\0';
	if (ret && ret != -ENOENT)
		return fail("cannot read the mode of %s: %s", link->name,
			    strerror(-ret));
	if (sysfs_read(link, "cpus", snapshot->cpus, sizeof(snapshot->cpus)))
		snapshot->cpus[0] = '\0';
	return 0;
}

int snapshot_take(struct snapshot *snapshot, const struct link *link)
{
	int ret;

	memset(snapshot, 0, sizeof(*snapshot));
	snapshot->link = link;
	ret = take_mode(snapshot);
	if (!ret)
		ret = tunnel_get(&snapshot->tunnel, link->name);
	if (!ret)
		ret = counters_get(&snapshot->counters, link->name);
	return ret;
}

void snapshot_drop(struct snapshot *snapshot)
{
	counters_free(&snapshot->counters);
}

static int take_all(struct survey *survey)
{
	size_t i;
	int ret;

	survey->of = calloc(survey->links.count + 1, sizeof(*survey->of));
	if (!survey->of)
		return fail("out of memory");
	for (i = 0; i < survey->links.count; i++) {
		ret = snapshot_take(&survey->of[survey->count],
				    &survey->links.of[i]);
		if (ret < 0)
			return ret;
		survey->count += !ret;
	}
	return 0;
}

int survey_take(struct survey *survey, const char *name)
{
	int ret;

	memset(survey, 0, sizeof(*survey));
	if (links_get(&survey->links, name))
		return -1;
	ret = take_all(survey);
	if (!ret && name && !survey->count)
		ret = fail("there is no interface %s", name);
	if (ret)
		survey_drop(survey);
	return ret;
}

void survey_drop(struct survey *survey)
{
	size_t i;

	for (i = 0; i < survey->count; i++)
		snapshot_drop(&survey->of[i]);
	free(survey->of);
	links_free(&survey->links);
	memset(survey, 0, sizeof(*survey));
}

int snapshot_cpus(const struct snapshot *snapshot)
{
	int most = -1;
	size_t i;

	for (i = 0; i < snapshot->counters.count; i++) {
		if (snapshot->counters.of[i].cpu > most)
			most = snapshot->counters.of[i].cpu;
	}
	return most + 1;
}

static int ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length >= tail && !strcmp(text + length - tail, end);
}

uint64_t snapshot_sum(const struct snapshot *snapshot, int cpu,
		      const char *what)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < snapshot->counters.count; i++) {
		const struct counter *counter = &snapshot->counters.of[i];

		if (!counter->drop && ends_in(counter->what, what) &&
		    (cpu < 0 || counter->cpu == cpu))
			sum += counter->value;
	}
	return sum;
}

/* Has none of the counters before the i-th one the same cause? */
static int is_first(const struct counters *counters, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++) {
		if (counters->of[j].drop &&
		    !strcmp(counters->of[j].what, counters->of[i].what))
			return 0;
	}
	return 1;
}

static uint64_t lost_by(const struct counters *counters, const char *cause)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < counters->count; i++) {
		if (counters->of[i].drop && !strcmp(counters->of[i].what, cause))
			sum += counters->of[i].value;
	}
	return sum;
}

int snapshot_drops(const struct snapshot *snapshot, size_t i,
		   const char **cause, uint64_t *value)
{
	const struct counters *counters = &snapshot->counters;
	size_t j;

	for (j = 0; j < counters->count; j++) {
		if (!counters->of[j].drop || !is_first(counters, j) || i--)
			continue;
		*cause = counters->of[j].what;
		*value = lost_by(counters, *cause);
		return 1;
	}
	return 0;
}
