// SPDX-License-Identifier: GPL-2.0
/* wg-inline bundle: several tunnels that act as one. */
#include "bundle.h"

#include "cmd.h"
#include "say.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* struct request - what follows the verb */
struct request {
	const char *path;
	unsigned int tunnels;
};

void bundle_key(const struct config *config, unsigned int tunnel,
		uint8_t key[KEY_BYTES])
{
	if (tunnel == 1)
		memcpy(key, config->key, KEY_BYTES);
	else
		value_derive(config->key, tunnel, key);
}

uint16_t bundle_port(const struct config *config, unsigned int tunnel)
{
	return config->port ? config->port + tunnel - 1 : 0;
}

int bundle_check(const struct config *config, unsigned int tunnels)
{
	if (config->port + tunnels - 1 > UINT16_MAX)
		return fail("%s: there are no %u ports from ListenPort %u on",
			    config->path, tunnels, config->port);
	return 0;
}

static void public_text(const struct config *config, unsigned int tunnel,
			char text[KEY_TEXT])
{
	uint8_t private[KEY_BYTES], public[KEY_BYTES];

	bundle_key(config, tunnel, private);
	value_public(private, public);
	sodium_memzero(private, sizeof(private));
	value_key_text(public, text);
}

static int keygen(const struct config *config, unsigned int tunnels)
{
	char text[KEY_TEXT];
	unsigned int i;

	for (i = 1; i <= tunnels; i++) {
		public_text(config, i, text);
		printf("%u\t%u\t%s\n", i, bundle_port(config, i), text);
	}
	return 0;
}

static int export(const struct config *config, unsigned int tunnels)
{
	char text[KEY_TEXT];
	unsigned int i;

	fputs("# wg-inline:", stdout);
	for (i = 2; i <= tunnels; i++) {
		public_text(config, i, text);
		printf(" %u:%s", bundle_port(config, i), text);
	}
	putchar('\n');
	return 0;
}

static const struct verb {
	const char *name;
	int (*run)(const struct config *config, unsigned int tunnels);
} verbs[] = {
	{ "keygen", keygen },
	{ "export", export },
};

static const struct verb *find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	}
	return NULL;
}

/* -1 if it is no way to call it, -2 if that has been said in other words. */
static int parse(int argc, char **argv, struct request *request)
{
	uint32_t number;
	int i;

	for (i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "-n") && i + 1 < argc) {
			if (!value_number(argv[++i], MOST_TUNNELS, &number) ||
			    number < 2)
				return fail("a bundle has 2 to %d tunnels, not %s",
					    MOST_TUNNELS, argv[i]) - 1;
			request->tunnels = number;
		} else if ((*argv[i] != '-' || !argv[i][1]) && !request->path) {
			request->path = argv[i];
		} else {
			return -1;
		}
	}
	return request->path && request->tunnels ? 0 : -1;
}

static int run(const struct verb *verb, const struct request *request)
{
	struct config config;
	int ret;

	if (sodium_init() < 0)
		return fail("libsodium does not work here");
	if (config_read(&config, request->path))
		return -1;
	ret = bundle_check(&config, request->tunnels);
	if (!ret)
		ret = verb->run(&config, request->tunnels);
	config_free(&config);
	return ret;
}

int cmd_bundle(int argc, char **argv)
{
	const struct verb *verb = argc > 1 ? find(argv[1]) : NULL;
	struct request request = { NULL, 0 };
	int ret;

	ret = verb ? parse(argc, argv, &request) : -1;
	if (ret == -1)
		return cmd_usage("bundle");
	if (!ret)
		ret = run(verb, &request);
	return ret ? 1 : 0;
}
