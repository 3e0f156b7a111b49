// SPDX-License-Identifier: GPL-2.0
/* Any words as a list of CPUs, the name of a counter, and single values. */
#include "cpulist.h"
#include "ethtool.h"
#include "say.h"
#include "state.h"
#include "value.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void say(const char *format, ...)
{
	(void)format;
}

int fail(const char *format, ...)
{
	(void)format;
	return -1;
}

static void try_counter(const char *text)
{
	struct counter counter;

	counter_parse(&counter, text);
	if (counter.cpu < -1 || !*counter.what ||
	    strlen(counter.mode) + strlen(counter.what) >= STAT_NAME)
		abort();
}

static void try_key(const char *text)
{
	uint8_t key[KEY_BYTES];
	char again[KEY_TEXT];

	if (!value_key(text, key))
		return;
	value_key_text(key, again);
	if (strcmp(text, again))
		abort();
}

static void try_endpoint(char *text)
{
	const char *host;
	uint16_t port;

	if (value_endpoint(text, &host, &port) && (!*host || !port))
		abort();
}

static void try_state(const char *text)
{
	struct state state, again;
	char written[STATE_TEXT];

	if (!state_read(&state, text))
		return;
	state_write(&state, written);
	if (!state_read(&again, written) || again.tunnel != state.tunnel ||
	    strcmp(again.bundle, state.bundle) ||
	    (state.tunnel == 1 && again.hash4 != state.hash4))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct prefix prefix;
	uint32_t number;

	memcpy(text, data, size);
	text[size] = '\0';
	cpulist_check(text);
	try_counter(text);
	try_key(text);
	try_state(text);
	if (value_number_or_off(text, 1000, &number) && number > 1000)
		abort();
	if (value_prefix(text, &prefix) &&
	    prefix.length > (prefix.family == AF_INET6 ? 128 : 32))
		abort();
	try_endpoint(text);
	free(text);
	return 0;
}
