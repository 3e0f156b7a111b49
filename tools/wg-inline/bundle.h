/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_BUNDLE_H
#define WGI_BUNDLE_H

#include "config.h"

/**
 * bundle_key() - the private key of a tunnel
 * @config: of the bundle
 * @tunnel: from 1, which has the key of the file
 * @key: filled
 */
void bundle_key(const struct config *config, unsigned int tunnel,
		uint8_t key[KEY_BYTES]);

/* bundle_port() - the port that it listens on: one after the other, or any, 0 */
uint16_t bundle_port(const struct config *config, unsigned int tunnel);

/* bundle_check() - say so if ports do not suffice for so many tunnels */
int bundle_check(const struct config *config, unsigned int tunnels);

#endif
