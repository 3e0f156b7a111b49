// SPDX-License-Identifier: GPL-2.0
/* What the names of counters say. */
#include "ethtool.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MOST_CPUS 65536

/* "cpu12": 12; anything else: -1 */
static int cpu_of(const char *word)
{
	unsigned long cpu;
	char *end;

	if (strncmp(word, "cpu", 3) || !isdigit((unsigned char)word[3]))
		return -1;
	cpu = strtoul(word + 3, &end, 10);
	return *end || cpu >= MOST_CPUS ? -1 : (int)cpu;
}

static bool is_drop(const char *word)
{
	return !strcmp(word, "drop") || !strcmp(word, "drops") ||
	       !strcmp(word, "dropped");
}

static bool is_mode(const char *word)
{
	return !strcmp(word, "inline") || !strcmp(word, "threaded") ||
	       !strcmp(word, "softirq") || !strcmp(word, "pipeline");
}

/* There is room: together, the words are no longer than the name. */
static void append(char *to, const char *word)
{
	if (*to)
		strcat(to, "_");
	strcat(to, word);
}

void counter_parse(struct counter *counter, const char *name)
{
	char words[STAT_NAME], *word, *rest = words;

	memset(counter, 0, sizeof(*counter));
	counter->cpu = -1;
	strncpy(counter->name, name, STAT_NAME - 1);
	strcpy(words, counter->name);
	while ((word = strsep(&rest, "_: "))) {
		if (!*word)
			continue;
		if (counter->cpu < 0 && cpu_of(word) >= 0)
			counter->cpu = cpu_of(word);
		else if (is_drop(word))
			counter->drop = true;
		else if (!*counter->mode && !*counter->what && is_mode(word))
			strcpy(counter->mode, word);
		else
			append(counter->what, word);
	}
	if (!*counter->what)
		strcpy(counter->what, counter->drop ? "any" : "count");
}
