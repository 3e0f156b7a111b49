// SPDX-License-Identifier: GPL-2.0
/* Any text as a configuration. What is accepted has to make sense. */
#include "config.h"
#include "say.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int said;

void say(const char *format, ...)
{
	(void)format;
	said++;
}

int fail(const char *format, ...)
{
	(void)format;
	said++;
	return -1;
}

static void check_prefixes(const struct prefixes *prefixes)
{
	size_t i;

	for (i = 0; i < prefixes->count; i++) {
		if (prefixes->of[i].length >
		    (prefixes->of[i].family == AF_INET6 ? 128 : 32))
			abort();
	}
}

static void check(const struct config *config)
{
	size_t i;

	if (!config->has_key)
		abort();
	check_prefixes(&config->addresses);
	for (i = 0; i < config->peer_count; i++) {
		const struct peer *peer = &config->peers[i];

		check_prefixes(&peer->allowed);
		if (!peer->has_key || peer->member_count >= MOST_TUNNELS ||
		    (peer->host && (!*peer->host || !peer->port)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct config config;

	memcpy(text, data, size);
	text[size] = '\0';
	said = 0;
	if (config_parse(&config, "file", text, size)) {
		/* One sentence, no more. */
		if (said != 1)
			abort();
	} else {
		if (said)
			abort();
		check(&config);
		config_free(&config);
	}
	free(text);
	return 0;
}
