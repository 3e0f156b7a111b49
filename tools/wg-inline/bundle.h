/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_BUNDLE_H
#define WGI_BUNDLE_H

#include "config.h"
#include "link.h"
#include "state.h"

/**
 * bundle_key() - the private key of a tunnel
 * @config: of the bundle
 * @tunnel: from 1, which has the key of the file
 * @key: filled
 */
void bundle_key(const struct config *config, unsigned int tunnel,
		uint8_t key[KEY_BYTES]);

/* bundle_public() - the public key that belongs to it */
void bundle_public(const struct config *config, unsigned int tunnel,
		   uint8_t key[KEY_BYTES]);

/* bundle_port() - the port that it listens on: one after the other, or any, 0 */
uint16_t bundle_port(const struct config *config, unsigned int tunnel);

/* bundle_check() - say so if ports do not suffice for so many tunnels */
int bundle_check(const struct config *config, unsigned int tunnels);

/**
 * struct bundle - a bundle as it is named on the command line
 * @name: of its first interface
 * @path: of its file
 */
struct bundle {
	char name[STATE_NAME];
	char path[4096];
};

/**
 * bundle_find() - the members of a bundle
 * @links: filled, to be released by links_free(); in the order of tunnels
 * @name: of the bundle, or NULL for those of all bundles
 * @state: set to what they remember, may be NULL; no name if there are none
 *
 * Return: 0, also if there are none; or -1 after having said why.
 */
int bundle_find(struct links *links, const char *name, struct state *state);

/**
 * bundle_remember() - have all members of a bundle remember something
 * @links: they, each with an alias that says which tunnel it is
 * @state: what
 *
 * Return: 0 or a negative error; who has gone is no error.
 */
int bundle_remember(const struct links *links, const struct state *state);

/**
 * bundle_dismantle() - undo what is not undone with the interfaces
 * @links: members, deleted too
 * @name: of the bundle
 *
 * What there is to undo is what they remember now, as another bundle may have handed
 * something over.
 *
 * Return: 0, or -1 after having said what could not be undone; the rest is.
 */
int bundle_dismantle(const struct links *links, const char *name);

/**
 * bundle_fit() - lower the MTU to what gets through to all peers in one piece, and
 * have forwarded TCP know it
 * @name: of the bundle, which is up
 * @config: of it; if that has an MTU, that is taken to fit
 * @patience: milliseconds to wait for first answers
 *
 * Return: 0, also if nobody answers; or -1 after having said why.
 */
int bundle_fit(const char *name, const struct config *config, int patience);

/**
 * bundle_take_down() - with its hooks, while signals are held
 * @links: members
 * @bundle: which
 * @config: of it, or NULL to go without hooks
 *
 * Return: 0, or -1 after having said what went wrong.
 */
int bundle_take_down(const struct links *links, const struct bundle *bundle,
		     const struct config *config);

/* The verbs. They return 0, or -1 after having said why. */
int bundle_up(const struct bundle *bundle, const struct config *config,
	      unsigned int tunnels, bool layer4);
int bundle_down(const struct bundle *bundle, const struct config *config);
int bundle_spread(const struct bundle *bundle, const struct config *config);
int bundle_watch(const struct bundle *bundle, const struct config *config);
int bundle_show(const char *name);

#endif
