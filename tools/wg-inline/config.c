// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration files: those of wg-quick(8), where a comment of the form
 *
 *	# wg-inline: 51821:<public key> 51822:<public key>
 *
 * in a section [Peer] adds the peer's further tunnels.
 */
#include "config.h"

#include "say.h"

#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MARK "wg-inline:"
#define MOST_BYTES (64 << 20)

enum section {
	SECTION_NONE,
	SECTION_INTERFACE,
	SECTION_PEER,
};

/* struct parser - where it is, and what the current line says */
struct parser {
	struct config *config;
	enum section section;
	unsigned int line;
	const char *name;
};

static int bad(const struct parser *parser, const char *what)
{
	return fail("%s:%u: %s%s%s", parser->config->path, parser->line,
		    parser->name ? parser->name : "",
		    parser->name ? " " : "", what);
}

static int no_memory(const struct parser *parser)
{
	return bad(parser, "takes more memory than there is");
}

/* trim() - what is left without white space at both ends, in place */
static char *trim(char *text)
{
	char *end = text + strlen(text);

	while (isspace((unsigned char)*text))
		text++;
	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return text;
}

static struct peer *last_peer(const struct parser *parser)
{
	return &parser->config->peers[parser->config->peer_count - 1];
}

/* ------------------------------------------------------------- values -- */

static int add_prefix(struct parser *parser, struct prefixes *to,
		      const char *text)
{
	struct prefix *more;

	more = reallocarray(to->of, to->count + 1, sizeof(*more));
	if (!more)
		return no_memory(parser);
	to->of = more;
	if (!value_prefix(text, &more[to->count]))
		return bad(parser, "must be a list of addresses with prefix lengths, as 10.0.0.1/24, fd00::1/64");
	to->count++;
	return 0;
}

static int add_prefixes(struct parser *parser, struct prefixes *to, char *text,
			const char *separators)
{
	char *word;

	while ((word = strsep(&text, separators))) {
		word = trim(word);
		if (*word && add_prefix(parser, to, word))
			return -1;
	}
	return 0;
}

static int add_line(struct parser *parser, struct lines *to, const char *text)
{
	char **more;

	more = reallocarray(to->of, to->count + 1, sizeof(*more));
	if (!more)
		return no_memory(parser);
	to->of = more;
	more[to->count] = strdup(text);
	if (!more[to->count])
		return no_memory(parser);
	to->count++;
	return 0;
}

static int read_key(struct parser *parser, const char *text, uint8_t *key)
{
	if (!value_key(text, key))
		return bad(parser, "must be a key of 44 characters that ends in =");
	return 0;
}

static int read_port(struct parser *parser, const char *text, uint16_t *port)
{
	uint32_t number;

	if (!value_number(text, UINT16_MAX, &number))
		return bad(parser, "must be a port, from 0 to 65535");
	*port = number;
	return 0;
}

static int read_keepalive(struct parser *parser, const char *text,
			  struct peer *peer)
{
	uint32_t number;

	if (!value_number_or_off(text, UINT16_MAX, &number))
		return bad(parser, "must be off or seconds, from 0 to 65535");
	peer->keepalive = number;
	peer->has_keepalive = true;
	return 0;
}

static int read_mark(struct parser *parser, const char *text)
{
	if (!value_number_or_off(text, UINT32_MAX, &parser->config->mark))
		return bad(parser, "must be off or a number, as 0x1234");
	parser->config->has_mark = true;
	return 0;
}

/* IPv6 needs 1280; but not everybody needs IPv6. */
static int read_mtu(struct parser *parser, const char *text)
{
	if (!value_number(text, 65535, &parser->config->mtu) ||
	    parser->config->mtu < 68)
		return bad(parser, "must be a number of bytes, from 68 to 65535");
	return 0;
}

static int read_table(struct parser *parser, const char *text)
{
	struct config *config = parser->config;

	config->table = TABLE_GIVEN;
	if (!strcmp(text, "auto"))
		config->table = TABLE_AUTO;
	else if (!strcmp(text, "off"))
		config->table = TABLE_OFF;
	else if (!strcmp(text, "main"))
		config->table_number = 254;
	else if (!strcmp(text, "default"))
		config->table_number = 253;
	else if (!value_number_or_off(text, UINT32_MAX, &config->table_number) ||
		 !config->table_number)
		return bad(parser, "must be auto, off, main or the number of a table");
	return 0;
}

static int read_endpoint(struct parser *parser, char *text, struct peer *peer)
{
	const char *host;

	if (!value_endpoint(text, &host, &peer->port))
		return bad(parser, "must be host:port, or [address]:port with IPv6");
	free(peer->host);
	peer->host = strdup(host);
	return peer->host ? 0 : no_memory(parser);
}

static int read_save(struct parser *parser, const char *text)
{
	if (!strcasecmp(text, "true"))
		parser->config->save_line = parser->line;
	else if (strcasecmp(text, "false"))
		return bad(parser, "must be true or false");
	return 0;
}

/* ----------------------------------------------------------- sections -- */

static int interface_value(struct parser *parser, char *value)
{
	struct config *config = parser->config;
	const char *name = parser->name;

	if (!strcasecmp(name, "PrivateKey")) {
		config->has_key = true;
		return read_key(parser, value, config->key);
	}
	if (!strcasecmp(name, "Address"))
		return add_prefixes(parser, &config->addresses, value, ", \t");
	if (!strcasecmp(name, "ListenPort"))
		return read_port(parser, value, &config->port);
	if (!strcasecmp(name, "FwMark"))
		return read_mark(parser, value);
	if (!strcasecmp(name, "MTU"))
		return read_mtu(parser, value);
	if (!strcasecmp(name, "Table"))
		return read_table(parser, value);
	if (!strcasecmp(name, "PreUp"))
		return add_line(parser, &config->pre_up, value);
	if (!strcasecmp(name, "PostUp"))
		return add_line(parser, &config->post_up, value);
	if (!strcasecmp(name, "PreDown"))
		return add_line(parser, &config->pre_down, value);
	if (!strcasecmp(name, "PostDown"))
		return add_line(parser, &config->post_down, value);
	if (!strcasecmp(name, "SaveConfig"))
		return read_save(parser, value);
	if (strcasecmp(name, "DNS"))
		return bad(parser, "is not known in [Interface]");
	config->dns_line = parser->line;
	return 0;
}

static int peer_value(struct parser *parser, char *value)
{
	struct peer *peer = last_peer(parser);
	const char *name = parser->name;

	if (!strcasecmp(name, "PublicKey")) {
		peer->has_key = true;
		return read_key(parser, value, peer->key);
	}
	if (!strcasecmp(name, "PresharedKey"))
		return read_key(parser, value, peer->psk);
	if (!strcasecmp(name, "AllowedIPs"))
		return add_prefixes(parser, &peer->allowed, value, ",");
	if (!strcasecmp(name, "Endpoint"))
		return read_endpoint(parser, value, peer);
	if (!strcasecmp(name, "PersistentKeepalive"))
		return read_keepalive(parser, value, peer);
	return bad(parser, "is not known in [Peer]");
}

static int add_peer(struct parser *parser)
{
	struct config *config = parser->config;
	struct peer *more;

	more = reallocarray(config->peers, config->peer_count + 1,
			    sizeof(*more));
	if (!more)
		return no_memory(parser);
	config->peers = more;
	more += config->peer_count++;
	memset(more, 0, sizeof(*more));
	more->line = parser->line;
	return 0;
}

static int begin_section(struct parser *parser, const char *line)
{
	if (!strcasecmp(line, "[Interface]")) {
		parser->section = SECTION_INTERFACE;
		return 0;
	}
	if (!strcasecmp(line, "[Peer]")) {
		parser->section = SECTION_PEER;
		return add_peer(parser);
	}
	return bad(parser, "unknown section: there are [Interface] and [Peer]");
}

/* ------------------------------------------------------------ members -- */

static int add_member(struct parser *parser, char *word)
{
	struct peer *peer = last_peer(parser);
	char *key = strchr(word, ':');
	struct member *member;
	uint32_t port;

	if (peer->member_count == MOST_TUNNELS - 1)
		return bad(parser, "names more tunnels than a bundle can have");
	member = &peer->members[peer->member_count];
	if (key)
		*key++ = '\0';
	if (!key || !value_number(word, UINT16_MAX, &port) ||
	    !value_key(key, member->key))
		return bad(parser, "must be a list of port:key, as \"bundle export\" prints it");
	member->port = port;
	peer->member_count++;
	return 0;
}

static int read_members(struct parser *parser, char *words)
{
	char *word;

	parser->name = MARK;
	if (parser->section != SECTION_PEER)
		return bad(parser, "belongs into the section [Peer] that it is about");
	last_peer(parser)->member_count = 0;
	while ((word = strsep(&words, " \t"))) {
		if (*word && add_member(parser, word))
			return -1;
	}
	return 0;
}

/* -------------------------------------------------------------- lines -- */

/*
 * wg takes an empty list of allowed IPs, and of nothing else; wg-quick what is for it
 * alone, as forms leave it that were not filled in. Neither does anything then.
 */
static int empty_value(struct parser *parser)
{
	static const char *const fine[] = {
		"Address", "DNS", "MTU", "Table", "PreUp", "PostUp", "PreDown",
		"PostDown",
	};
	size_t i;

	if (parser->section == SECTION_PEER && !strcasecmp(parser->name, "AllowedIPs"))
		return 0;
	for (i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		if (parser->section == SECTION_INTERFACE &&
		    !strcasecmp(parser->name, fine[i]))
			return 0;
	}
	return bad(parser, "has no value");
}

static int read_value(struct parser *parser, char *line)
{
	char *value = strchr(line, '=');

	if (!value)
		return bad(parser, "a line is Name = value, [Section], or a # comment");
	*value++ = '\0';
	parser->name = trim(line);
	value = trim(value);
	if (parser->section == SECTION_NONE)
		return bad(parser, "comes before any section");
	if (!*value)
		return empty_value(parser);
	return parser->section == SECTION_PEER ? peer_value(parser, value) :
	       interface_value(parser, value);
}

static int read_line(struct parser *parser, char *line)
{
	char *comment = strchr(line, '#');

	parser->line++;
	parser->name = NULL;
	if (comment) {
		*comment = '\0';
		comment = trim(comment + 1);
	}
	line = trim(line);
	if (comment && !*line && !strncmp(comment, MARK, strlen(MARK)))
		return read_members(parser, comment + strlen(MARK));
	if (!*line)
		return 0;
	if (*line == '[')
		return begin_section(parser, line);
	return read_value(parser, line);
}

/* What only the whole can lack. */
static int check(struct parser *parser)
{
	struct config *config = parser->config;
	size_t i;

	parser->name = NULL;
	for (i = 0; i < config->peer_count; i++) {
		parser->line = config->peers[i].line;
		if (!config->peers[i].has_key)
			return bad(parser, "this peer has no PublicKey");
	}
	if (!config->has_key)
		return fail("%s: there is no PrivateKey", config->path);
	return 0;
}

static int read_lines(struct parser *parser, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		if (read_line(parser, line))
			return -1;
	}
	return check(parser);
}

int config_parse(struct config *config, const char *path, char *text,
		 size_t length)
{
	struct parser parser = { .config = config };

	memset(config, 0, sizeof(*config));
	config->path = path;
	if (memchr(text, '\0', length))
		return fail("%s: this is no text", path);
	if (read_lines(&parser, text)) {
		config_free(config);
		return -1;
	}
	return 0;
}

static char *slurp(FILE *file, size_t *length)
{
	size_t room = 1 << 16, got = 0;
	char *text = NULL, *more;

	do {
		room *= 2;
		more = room > MOST_BYTES ? NULL : malloc(room);
		if (more && got)
			memcpy(more, text, got);
		if (text)
			sodium_memzero(text, got);
		free(text);
		text = more;
		if (!text) {
			errno = EFBIG;
			return NULL;
		}
		got += fread(text + got, 1, room - 1 - got, file);
	} while (got == room - 1);
	text[got] = '\0';
	*length = got;
	return text;
}

int config_read(struct config *config, const char *path)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	size_t length = 0;
	char *text;
	int ret;

	if (!file)
		return fail("cannot read %s: %s", path, strerror(errno));
	text = slurp(file, &length);
	if (!text || ferror(file))
		ret = fail("cannot read %s: %s", path, strerror(errno));
	else
		ret = config_parse(config, path, text, length);
	if (file != stdin)
		fclose(file);
	if (text)
		sodium_memzero(text, length);
	free(text);
	return ret;
}

/* As wg-quick has it: a directory that others cannot enter is protection enough. */
bool config_is_exposed(const char *path)
{
	struct stat file, directory;
	char *copy = strdup(path);
	bool exposed;

	exposed = copy && !stat(path, &file) && S_ISREG(file.st_mode) &&
		  !stat(dirname(copy), &directory) &&
		  file.st_mode & directory.st_mode & 0007;
	free(copy);
	return exposed;
}

static void free_lines(struct lines *lines)
{
	while (lines->count)
		free(lines->of[--lines->count]);
	free(lines->of);
}

void config_free(struct config *config)
{
	size_t i;

	for (i = 0; i < config->peer_count; i++) {
		free(config->peers[i].host);
		free(config->peers[i].allowed.of);
		sodium_memzero(config->peers[i].psk, KEY_BYTES);
	}
	free(config->peers);
	free(config->addresses.of);
	free_lines(&config->pre_up);
	free_lines(&config->post_up);
	free_lines(&config->pre_down);
	free_lines(&config->post_down);
	sodium_memzero(config, sizeof(*config));
}
