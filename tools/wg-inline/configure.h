/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_CONFIGURE_H
#define WGI_CONFIGURE_H

#include "config.h"

#include <sys/socket.h>

/* tunnel_key() - the public key of a peer's end of a tunnel */
const uint8_t *tunnel_key(const struct peer *peer, unsigned int tunnel);

/**
 * tunnel_configure() - give an interface its key, port, mark and peers
 * @index: of the interface
 * @config: of the bundle
 * @tunnel: number of the member, from 1
 * @mark: of outer packets
 * @hosts: where each peer of @config is, AF_UNSPEC if it will call first
 *
 * Peers that have fewer tunnels are left out. Besides what the file allows them,
 * all have the link-local address by which "bundle watch" probes them.
 *
 * Return: 0, or -1 after having said why.
 */
int tunnel_configure(unsigned int index, const struct config *config,
		     unsigned int tunnel, uint32_t mark,
		     const struct sockaddr_storage *hosts);

/**
 * tunnel_greet() - have handshakes begin with all peers whose address is known
 * @index: of the interface, which is up
 * @config: of the bundle
 * @tunnel: number of the member, from 1
 *
 * The other end answers through any member. One that is new here, but that the
 * other end still has keys for, would swallow answers until these are given up.
 *
 * Return: 0, or -1 after having said why.
 */
int tunnel_greet(unsigned int index, const struct config *config,
		 unsigned int tunnel);

/**
 * tunnel_listen() - have an interface listen on another port
 * @index: of the interface
 * @port: or 0 for any that is free
 *
 * Return: 0 or a negative error; -EADDRINUSE leaves it where it is.
 */
int tunnel_listen(unsigned int index, uint16_t port);

#endif
