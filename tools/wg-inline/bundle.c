// SPDX-License-Identifier: GPL-2.0
/* wg-inline bundle: several tunnels that act as one. */
#include "bundle.h"

#include "cmd.h"
#include "say.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
			"0123456789_=+.-"

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
	if (config->port && config->port + tunnels - 1 > UINT16_MAX)
		return fail("%s: there are no %u ports from ListenPort %u on",
			    config->path, tunnels, config->port);
	return 0;
}

void bundle_public(const struct config *config, unsigned int tunnel,
		   uint8_t key[KEY_BYTES])
{
	uint8_t private[KEY_BYTES];

	bundle_key(config, tunnel, private);
	value_public(private, key);
	sodium_memzero(private, sizeof(private));
}

static void public_text(const struct config *config, unsigned int tunnel,
			char text[KEY_TEXT])
{
	uint8_t public[KEY_BYTES];

	bundle_public(config, tunnel, public);
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

/* ------------------------------------------------------- command line -- */

/**
 * struct request - what follows the verb
 * @file: as given
 * @tunnels: 0 if not given
 * @layer4: was --layer4 given?
 * @spread: was --spread?
 */
struct request {
	const char *file;
	unsigned int tunnels;
	bool layer4;
	bool spread;
};

static int keygen_verb(const struct bundle *bundle, const struct config *config,
		       const struct request *request)
{
	(void)bundle;
	return keygen(config, request->tunnels);
}

static int export_verb(const struct bundle *bundle, const struct config *config,
		       const struct request *request)
{
	(void)bundle;
	return export(config, request->tunnels);
}

/* That the bundle is up does not depend on where its tunnels land. */
static int up_verb(const struct bundle *bundle, const struct config *config,
		   const struct request *request)
{
	int ret = bundle_up(bundle, config, request->tunnels, request->layer4);

	if (!ret && request->spread)
		bundle_spread(bundle, config);
	return ret;
}

static int spread_verb(const struct bundle *bundle, const struct config *config,
		       const struct request *request)
{
	(void)request;
	return bundle_spread(bundle, config);
}

static int down_verb(const struct bundle *bundle, const struct config *config,
		     const struct request *request)
{
	(void)request;
	return bundle_down(bundle, config);
}

static int watch_verb(const struct bundle *bundle, const struct config *config,
		      const struct request *request)
{
	(void)request;
	return bundle_watch(bundle, config);
}

/* What a verb needs, and takes. */
#define NEEDS_TUNNELS 1
#define TAKES_TUNNELS 2
#define NEEDS_NAME 4
#define SPARES_FILE 8	/* it can do without, if need be */

static const struct verb {
	const char *name;
	int (*run)(const struct bundle *bundle, const struct config *config,
		   const struct request *request);
	int rules;
} verbs[] = {
	{ "keygen", keygen_verb, NEEDS_TUNNELS },
	{ "export", export_verb, NEEDS_TUNNELS },
	{ "up", up_verb, TAKES_TUNNELS | NEEDS_NAME },
	{ "down", down_verb, NEEDS_NAME | SPARES_FILE },
	{ "spread", spread_verb, NEEDS_NAME },
	{ "watch", watch_verb, NEEDS_NAME },
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

static int read_tunnels(const char *text, unsigned int *tunnels)
{
	uint32_t number;

	if (!value_number(text, MOST_TUNNELS, &number) || number < 2)
		return fail("a bundle has 2 to %d tunnels, not %s",
			    MOST_TUNNELS, text);
	*tunnels = number;
	return 0;
}

/* 1 if it is no way to call it; -1 if what is wrong has been said. */
static int parse(int argc, char **argv, const struct verb *verb,
		 struct request *request)
{
	int takes = verb->rules & (NEEDS_TUNNELS | TAKES_TUNNELS);
	int i;

	for (i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "-n") && i + 1 < argc && takes) {
			if (read_tunnels(argv[++i], &request->tunnels))
				return -1;
		} else if (!strcmp(argv[i], "--layer4") &&
			   verb->rules & TAKES_TUNNELS) {
			request->layer4 = true;
		} else if (!strcmp(argv[i], "--spread") &&
			   verb->rules & TAKES_TUNNELS) {
			request->spread = true;
		} else if ((*argv[i] != '-' || !argv[i][1]) && !request->file) {
			request->file = argv[i];
		} else {
			return 1;
		}
	}
	return !request->file ||
	       (verb->rules & NEEDS_TUNNELS && !request->tunnels);
}

/*
 * As with wg-quick: the name of a file is that of the interface, and a name alone
 * is that of a file in /etc/wireguard.
 */
static int locate(struct bundle *bundle, const char *file, bool needs_name)
{
	const char *base = strrchr(file, '/');
	size_t length, most = IF_NAMESIZE - 1 - strlen("-32");
	bool bare;

	base = base ? base + 1 : file;
	if (needs_name && !strcmp(file, "-"))
		return fail("a bundle is named after its file, and standard input has no name");
	length = strlen(base);
	bare = base == file && strcmp(file, "-") &&
	       (length < 5 || strcmp(base + length - 5, ".conf"));
	if (!bare && length > 5 && !strcmp(base + length - 5, ".conf"))
		length -= 5;
	if (snprintf(bundle->path, sizeof(bundle->path), bare ?
		     "/etc/wireguard/%s.conf" : "%s", file) >=
	    (int)sizeof(bundle->path))
		return fail("the name of the file is too long");
	if (!needs_name)
		return 0;
	if (!length || length > most || strspn(base, NAME_CHARACTERS) < length)
		return fail("a bundle is named after its file, in 1 to %zu letters and digits, not \"%.*s\"",
			    most, (int)length, base);
	memcpy(bundle->name, base, length);
	bundle->name[length] = '\0';
	return 0;
}

static int run(const struct verb *verb, const struct request *request)
{
	struct bundle bundle = { .name = "" };
	struct config config;
	int ret;

	if (sodium_init() < 0)
		return fail("libsodium does not work here");
	if (locate(&bundle, request->file, verb->rules & NEEDS_NAME))
		return -1;
	if (config_read(&config, bundle.path))
		return verb->rules & SPARES_FILE ?
		       verb->run(&bundle, NULL, request) : -1;
	ret = bundle_check(&config, request->tunnels);
	if (!ret)
		ret = verb->run(&bundle, &config, request);
	config_free(&config);
	return ret;
}

int cmd_bundle(int argc, char **argv)
{
	const struct verb *verb = argc > 1 ? find(argv[1]) : NULL;
	struct request request = { .file = NULL };
	int ret;

	if (argc > 1 && argc < 4 && !strcmp(argv[1], "show"))
		return bundle_show(argv[2]) ? 1 : 0;
	ret = verb ? parse(argc, argv, verb, &request) : 1;
	if (ret > 0)
		return cmd_usage("bundle");
	if (!ret)
		ret = run(verb, &request);
	return ret ? 1 : 0;
}
