/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_TUNNEL_H
#define WGI_TUNNEL_H

#include "config.h"

#include <stdint.h>

/* After so many seconds without a new handshake, keys are no longer used. */
#define TUNNEL_KEY_LIFE 180

/**
 * struct tunnel - what a WireGuard interface knows of its peers
 * @port: that it listens on
 * @mark: firewall mark of its outer packets
 * @peers: how many it has
 * @live: how many of them have keys that may be used
 * @never: how many never had a handshake
 * @latest: when the latest handshake was, in seconds since 1970; 0 if never
 * @newest: how many seconds ago that is; -1 if never
 * @oldest: seconds since the latest handshake of that peer whose is longest ago
 */
struct tunnel {
	uint16_t port;
	uint32_t mark;
	unsigned long peers;
	unsigned long live;
	unsigned long never;
	int64_t latest;
	int64_t newest;
	int64_t oldest;
};

/**
 * tunnel_get() - ask the module for an interface's peers
 * @tunnel: filled
 * @name: of the interface
 *
 * Return: 0; 1 if there is no such interface any more; or -1 after having said
 * why.
 */
int tunnel_get(struct tunnel *tunnel, const char *name);

/**
 * tunnel_endpoints() - where an interface's peers are
 * @to: each one's address is added, to be freed by the caller
 * @name: of the interface
 *
 * Return: 0 or a negative error.
 */
int tunnel_endpoints(struct prefixes *to, const char *name);

#endif
