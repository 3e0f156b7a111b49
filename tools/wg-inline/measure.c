// SPDX-License-Identifier: GPL-2.0
/* How large packets may be, found out by asking with such packets. */
#include "measure.h"

#include "end.h"
#include "tunnel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A size is tried so often, with so many milliseconds in between. */
#define TRIES 8
#define INTERVAL 150
/*
 * What WireGuard and UDP put around a packet, which is filled up before to a multiple
 * of this.
 */
#define AROUND 40
#define FILLED 16

/* A token says who is asked, and at which address. */
#define TOKEN(question, local) ((question) << 1 | (local))

/**
 * struct question - a peer by a tunnel
 * @end: the peer
 * @index: of the tunnel's interface
 * @tunnel: its number, from 0
 * @answers: does it answer at all, at the one address or the other?
 * @small: has a small packet been answered since a large one was sent?
 * @large: has the large one?
 */
struct question {
	const struct end *end;
	unsigned int index;
	unsigned int tunnel;
	bool answers[2];
	bool small;
	bool large;
};

/**
 * struct measurement - all of them
 * @links: members
 * @ends: peers
 * @end_count: how many
 * @of: questions
 * @count: how many
 * @hosts: where the peers are, outside
 * @probe: by which they are asked
 * @size: of the large packets
 * @pieces: has a piece of a packet come from one of the peers?
 */
struct measurement {
	const struct links *links;
	struct end *ends;
	size_t end_count;
	struct question *of;
	unsigned int count;
	struct prefixes hosts;
	struct probe probe;
	unsigned int size;
	bool pieces;
};

/* ------------------------------------------------------------ questions -- */

static void add_questions(struct measurement *all, const struct end *end)
{
	struct question *question;
	unsigned int i;

	for (i = 0; i < end->tunnels; i++) {
		question = &all->of[all->count++];
		question->end = end;
		question->index = all->links->of[i].index;
		question->tunnel = i;
	}
}

static int make_questions(struct measurement *all, const struct config *config)
{
	size_t i;

	all->end_count = config->peer_count;
	all->ends = calloc(all->end_count + 1, sizeof(*all->ends));
	all->of = calloc((all->end_count + 1) * all->links->count,
			 sizeof(*all->of));
	if (!all->ends || !all->of)
		return -ENOMEM;
	for (i = 0; i < all->end_count; i++) {
		end_find(&all->ends[i], config, &config->peers[i],
			 all->links->count);
		add_questions(all, &all->ends[i]);
	}
	return 0;
}

static void ask(const struct measurement *all, unsigned int i, bool local,
		size_t size)
{
	const struct question *question = &all->of[i];

	end_ask(question->end, &all->probe, question->index, question->tunnel,
		local, TOKEN(i, local), size);
}

/* ------------------------------------------------------------- answers -- */

static bool is_at(const struct prefix *from, const struct prefix *host)
{
	return from->family == host->family &&
	       !memcmp(&from->v6, &host->v6, from->family == AF_INET6 ?
		       sizeof(from->v6) : sizeof(from->v4));
}

static bool is_inner(const struct measurement *all, const struct prefix *from)
{
	unsigned int i;

	for (i = 0; i < all->count; i++) {
		const struct question *question = &all->of[i];
		const struct end *end = question->end;

		if (is_at(from, question->answers[1] ?
			  &end->locals[question->tunnel] : &end->inner))
			return true;
	}
	return false;
}

static bool is_outer(const struct measurement *all, const struct prefix *from)
{
	size_t i;

	for (i = 0; i < all->hosts.count; i++) {
		if (is_at(from, &all->hosts.of[i]))
			return true;
	}
	return false;
}

/* Other packets are cut as well: these are known by how long they were. */
static bool is_of_answer(const struct measurement *all,
			 const struct answer *piece)
{
	unsigned int header = piece->from.family == AF_INET6 ? 40 : 20;
	unsigned int outer = all->size + AROUND;

	if (piece->size + header == all->size)
		return is_inner(all, &piece->from);
	return piece->size >= outer && piece->size < outer + FILLED &&
	       is_outer(all, &piece->from);
}

static void take(struct measurement *all, const struct answer *answer)
{
	bool local = answer->token & 1;
	struct question *question;

	if (answer->piece) {
		all->pieces |= is_of_answer(all, answer);
		return;
	}
	if (answer->token >> 1 >= all->count)
		return;
	question = &all->of[answer->token >> 1];
	if (!end_is_from(question->end, answer, question->index,
			 question->tunnel, local))
		return;
	question->answers[local] = true;
	question->small |= answer->size == PROBE_LEAST;
	question->large |= answer->size == all->size;
}

/* Until @deadline, or @done says so. */
static void hear(struct measurement *all, int64_t deadline,
		 bool (*done)(const struct measurement *all))
{
	struct answer answer;

	while (!done(all) && end_wait(&all->probe, deadline)) {
		while (probe_hear(&all->probe, AF_INET, &answer))
			take(all, &answer);
		while (probe_hear(&all->probe, AF_INET6, &answer))
			take(all, &answer);
	}
}

/* --------------------------------------------------------------- rounds -- */

/* Answers by the tunnel that was asked are waited for: they say more. */
static bool all_answer(const struct measurement *all)
{
	unsigned int i;

	for (i = 0; i < all->count; i++) {
		if (!all->of[i].answers[1])
			return false;
	}
	return true;
}

static void find_who_answers(struct measurement *all, int patience)
{
	int64_t deadline = end_now() + patience, now;
	unsigned int i;

	while (!all_answer(all) && (now = end_now()) < deadline) {
		for (i = 0; i < all->count; i++) {
			ask(all, i, true, PROBE_LEAST);
			ask(all, i, false, PROBE_LEAST);
		}
		hear(all, now + INTERVAL < deadline ? now + INTERVAL : deadline,
		     all_answer);
	}
}

/* Those that do not answer are left out, for good. */
static unsigned int keep(struct measurement *all,
			 bool (*wanted)(const struct question *question))
{
	unsigned int i, kept = 0;

	for (i = 0; i < all->count; i++) {
		if (wanted(&all->of[i]))
			all->of[kept++] = all->of[i];
	}
	all->count = kept;
	return kept;
}

static bool answers(const struct question *question)
{
	return question->answers[0] || question->answers[1];
}

static bool lives(const struct question *question)
{
	return question->small || question->large;
}

static bool is_decided(const struct measurement *all)
{
	unsigned int i;

	for (i = 0; i < all->count && !all->pieces; i++) {
		if (!all->of[i].large)
			return false;
	}
	return true;
}

static void try(struct measurement *all)
{
	unsigned int i;

	for (i = 0; i < all->count; i++) {
		bool local = all->of[i].answers[1];

		if (all->of[i].large)
			continue;
		ask(all, i, local, all->size);
		ask(all, i, local, PROBE_LEAST);
	}
	hear(all, end_now() + INTERVAL, is_decided);
}

/* A tunnel that answers neither has died meanwhile, and has no say. */
static bool fits(struct measurement *all, unsigned int size)
{
	unsigned int i;

	all->size = size;
	all->pieces = false;
	for (i = 0; i < all->count; i++) {
		all->of[i].small = false;
		all->of[i].large = false;
	}
	for (i = 0; i < TRIES && !is_decided(all); i++)
		try(all);
	if (!is_decided(all))
		keep(all, lives);
	return !all->pieces && is_decided(all);
}

static int find_size(struct measurement *all, unsigned int most)
{
	struct search search;
	unsigned int size;

	if (most <= MEASURE_LEAST)
		return most;
	search_begin(&search, most);
	while ((size = search_next(&search))) {
		search_tell(&search, size, fits(all, size));
		if (!all->count)
			return 0;
	}
	return search.fits;
}

int measure(const struct links *links, const struct config *config,
	    int patience)
{
	struct measurement all = { .links = links };
	int ret;
	size_t i;

	ret = make_questions(&all, config);
	if (!ret)
		ret = probe_open(&all.probe);
	if (ret)
		goto out;
	find_who_answers(&all, patience);
	for (i = 0; i < links->count && !ret; i++)
		ret = tunnel_endpoints(&all.hosts, links->of[i].name);
	if (!ret)
		ret = probe_pieces(&all.probe, true);
	if (!ret && keep(&all, answers))
		ret = find_size(&all, links->of[0].mtu);
	probe_close(&all.probe);
out:
	free(all.hosts.of);
	free(all.ends);
	free(all.of);
	return ret;
}
