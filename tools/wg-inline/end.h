/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_END_H
#define WGI_END_H

#include "config.h"
#include "probe.h"

/**
 * struct end - the addresses by which a peer's end of a bundle is asked
 * @tunnels: that it has of ours
 * @locals: link-local, of each tunnel: what is sent there is answered by that tunnel
 * @own_locals: ours to ask from
 * @inner: an address that is the peer's alone, to which it answers by its routes
 * @own_inner: ours to ask from; no family if there is no such pair
 */
struct end {
	unsigned int tunnels;
	struct prefix locals[MOST_TUNNELS];
	struct prefix own_locals[MOST_TUNNELS];
	struct prefix inner;
	struct prefix own_inner;
};

/**
 * end_find() - find a peer's addresses
 * @end: filled
 * @config: of the bundle
 * @peer: in it
 * @tunnels: how many are up
 */
void end_find(struct end *end, const struct config *config,
	      const struct peer *peer, unsigned int tunnels);

/**
 * end_ask() - ask by a tunnel, at one of the two addresses
 * @end: peer
 * @probe: by this
 * @index: of the tunnel's interface
 * @tunnel: its number, from 0
 * @local: which address?
 * @token: as for probe_send()
 * @size: likewise
 */
void end_ask(const struct end *end, const struct probe *probe,
	     unsigned int index, unsigned int tunnel, bool local,
	     uint64_t token, size_t size);

/* end_is_from() - is the answer from that address, and did it come as it has to? */
bool end_is_from(const struct end *end, const struct answer *answer,
		 unsigned int index, unsigned int tunnel, bool local);

/* end_now() - milliseconds since some time */
int64_t end_now(void);

/**
 * end_wait() - wait until there may be answers, or until some time
 * @probe: by which was asked
 * @deadline: as of end_now()
 *
 * Return: false, without a look, once it is that late.
 */
bool end_wait(const struct probe *probe, int64_t deadline);

#endif
