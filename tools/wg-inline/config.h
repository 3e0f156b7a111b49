/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_CONFIG_H
#define WGI_CONFIG_H

#include "value.h"

#include <stddef.h>

/* Names of members end in -2 to -32. */
#define MOST_TUNNELS 32

/**
 * enum table - where routes go
 * @TABLE_AUTO: the main table, and one of its own for a default route
 * @TABLE_OFF: nowhere
 * @TABLE_GIVEN: a table by its number
 */
enum table {
	TABLE_AUTO,
	TABLE_OFF,
	TABLE_GIVEN,
};

/* struct prefixes - addresses, or allowed IPs */
struct prefixes {
	size_t count;
	struct prefix *of;
};

/* struct lines - commands of hooks, in the order of the file */
struct lines {
	size_t count;
	char **of;
};

/**
 * struct member - the other end of a further tunnel
 * @port: that it listens on; 0 if it will call first
 * @key: its public key
 */
struct member {
	uint16_t port;
	uint8_t key[KEY_BYTES];
};

/**
 * struct peer - a section [Peer]
 * @line: where it begins
 * @key: public, of the first tunnel
 * @has_key: is there one?
 * @psk: preshared key, of all tunnels; zero for none
 * @host: name or address of the endpoint, or NULL
 * @port: of the endpoint of the first tunnel
 * @keepalive: seconds; 0 for never
 * @has_keepalive: is it given?
 * @allowed: allowed IPs
 * @members: tunnels 2 and up
 * @member_count: how many of them
 */
struct peer {
	unsigned int line;
	uint8_t key[KEY_BYTES];
	bool has_key;
	uint8_t psk[KEY_BYTES];
	char *host;
	uint16_t port;
	uint16_t keepalive;
	bool has_keepalive;
	struct prefixes allowed;
	struct member members[MOST_TUNNELS - 1];
	size_t member_count;
};

/**
 * struct config - a file for wg-quick, and what comments say beyond
 * @path: of the file, for messages
 * @key: private, of the first tunnel
 * @has_key: is there one?
 * @port: to listen on, of the first tunnel; 0 for any
 * @mark: firewall mark of outer packets
 * @has_mark: is it given?
 * @mtu: 0 to find one
 * @table: where routes go
 * @table_number: if that is TABLE_GIVEN
 * @dns_line: of a line that asks for name servers; 0 if there is none
 * @save_line: of a line that asks to save the configuration on the way down
 * @addresses: of the interface
 * @pre_up: hooks
 * @post_up: hooks
 * @pre_down: hooks
 * @post_down: hooks
 * @peers: they
 * @peer_count: how many
 */
struct config {
	const char *path;
	uint8_t key[KEY_BYTES];
	bool has_key;
	uint16_t port;
	uint32_t mark;
	bool has_mark;
	uint32_t mtu;
	enum table table;
	uint32_t table_number;
	unsigned int dns_line;
	unsigned int save_line;
	struct prefixes addresses;
	struct lines pre_up;
	struct lines post_up;
	struct lines pre_down;
	struct lines post_down;
	struct peer *peers;
	size_t peer_count;
};

/**
 * config_parse() - understand a configuration
 * @config: filled, to be released by config_free()
 * @path: of the file, has to live as long
 * @text: its contents, which are cut to pieces
 * @length: of it
 *
 * Return: 0, or -1 after having said which line is wrong; there is nothing to
 * release then.
 */
int config_parse(struct config *config, const char *path, char *text,
		 size_t length);

/* config_read() - the same, of a file, or of standard input if @path is "-" */
int config_read(struct config *config, const char *path);

/* config_is_exposed() - may everybody read the file, or write to it? */
bool config_is_exposed(const char *path);

/* config_free() - release it, and leave no key in memory */
void config_free(struct config *config);

#endif
