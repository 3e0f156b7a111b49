/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_PROBE_H
#define WGI_PROBE_H

#include "value.h"

#include <stddef.h>

/* The least that a probe has room for, of either family, and the most. */
#define PROBE_LEAST 72
#define PROBE_MOST 65535

/**
 * struct probe - what sends echo requests and hears the answers
 * @sockets: of IPv4 and IPv6
 * @id: of its echo requests
 * @secret: that is in each of them, so that nobody can make up an answer
 *
 * Requests are given to an interface as they are, and answers are heard as they
 * come in, whatever routes, rules, rp_filter and firewalls here say of them. Any
 * kernel answers.
 */
struct probe {
	int sockets[2];
	uint16_t id;
	uint64_t secret;
};

/**
 * struct answer - what was heard
 * @index: of the interface by which it came
 * @from: whose it is
 * @piece: it is a piece of some packet, of which nothing is known but @size
 * @token: as in the request
 * @size: of the request; of a last piece, all that was cut; else 0
 */
struct answer {
	unsigned int index;
	struct prefix from;
	bool piece;
	uint64_t token;
	uint32_t size;
};

/* Both return 0 or a negative error. */
int probe_open(struct probe *probe);

/* probe_pieces() - have pieces of packets be heard as well, or no longer */
int probe_pieces(const struct probe *probe, bool wanted);

void probe_close(struct probe *probe);

/**
 * probe_send() - send an echo request
 * @probe: by this
 * @index: of the tunnel's interface
 * @from: address of ours
 * @to: address of the peer's, of the same family
 * @token: any number, to know the answer by
 * @size: of the packet, from PROBE_LEAST to PROBE_MOST
 *
 * Return: 0 or a negative error.
 */
int probe_send(const struct probe *probe, unsigned int index,
	       const struct prefix *from, const struct prefix *to,
	       uint64_t token, size_t size);

/**
 * probe_hear() - take the next answer of a family, if there is one
 * @probe: by this
 * @family: AF_INET or AF_INET6
 * @answer: filled
 *
 * It does not wait.
 *
 * Return: whether there was one.
 */
bool probe_hear(const struct probe *probe, int family, struct answer *answer);

#endif
