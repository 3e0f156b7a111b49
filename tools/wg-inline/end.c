// SPDX-License-Identifier: GPL-2.0
/* The other end of a bundle, and how it is asked. */
#include "end.h"

#include "bundle.h"
#include "configure.h"

#include <poll.h>
#include <string.h>
#include <time.h>

static const struct prefix *own_address(const struct config *config, int family)
{
	size_t i;

	for (i = 0; i < config->addresses.count; i++) {
		if (config->addresses.of[i].family == family)
			return &config->addresses.of[i];
	}
	return NULL;
}

/* A single allowed IP is the peer itself, or a host behind it. */
static void find_inner(struct end *end, const struct config *config,
		       const struct peer *peer)
{
	const struct prefix *own;
	size_t i;

	for (i = 0; i < peer->allowed.count; i++) {
		const struct prefix *ip = &peer->allowed.of[i];

		if (ip->length != (ip->family == AF_INET6 ? 128 : 32))
			continue;
		own = own_address(config, ip->family);
		if (!own)
			continue;
		end->inner = *ip;
		end->own_inner = *own;
		return;
	}
}

void end_find(struct end *end, const struct config *config,
	      const struct peer *peer, unsigned int tunnels)
{
	uint8_t key[KEY_BYTES];
	unsigned int i;

	memset(end, 0, sizeof(*end));
	end->tunnels = peer->member_count + 1 < tunnels ?
		       peer->member_count + 1 : tunnels;
	find_inner(end, config, peer);
	for (i = 0; i < end->tunnels; i++) {
		value_local(tunnel_key(peer, i + 1), &end->locals[i]);
		bundle_public(config, i + 1, key);
		value_local(key, &end->own_locals[i]);
	}
}

/* What cannot be sent is not answered either. */
void end_ask(const struct end *end, const struct probe *probe,
	     unsigned int index, unsigned int tunnel, bool local,
	     uint64_t token, size_t size)
{
	if (local)
		probe_send(probe, index, &end->own_locals[tunnel],
			   &end->locals[tunnel], token, size);
	else if (end->inner.family)
		probe_send(probe, index, &end->own_inner, &end->inner, token,
			   size);
}

static bool same_address(const struct prefix *a, const struct prefix *b)
{
	size_t size = a->family == AF_INET6 ? sizeof(a->v6) : sizeof(a->v4);

	return a->family == b->family && !memcmp(&a->v6, &b->v6, size);
}

bool end_is_from(const struct end *end, const struct answer *answer,
		 unsigned int index, unsigned int tunnel, bool local)
{
	if (tunnel >= end->tunnels)
		return false;
	if (!local)
		return same_address(&answer->from, &end->inner);
	return answer->index == index &&
	       same_address(&answer->from, &end->locals[tunnel]);
}

int64_t end_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

bool end_wait(const struct probe *probe, int64_t deadline)
{
	struct pollfd wait[] = {
		{ .fd = probe->sockets[0], .events = POLLIN },
		{ .fd = probe->sockets[1], .events = POLLIN },
	};
	int64_t left = deadline - end_now();

	if (left <= 0)
		return false;
	poll(wait, 2, left);
	return true;
}
