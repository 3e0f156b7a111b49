// SPDX-License-Identifier: GPL-2.0
/*
 * A bundle is watched: its tunnels are asked through themselves, and those that
 * do not answer leave the groups of next hops until they do.
 */
#include "bundle.h"

#include "bundle_fit.h"
#include "end.h"
#include "liveness.h"
#include "notify.h"
#include "route.h"
#include "say.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* An end that has not answered as one of ours for so long is another one. */
#define CHANGED 10000
/* Every so many probes it is asked whether it is one of ours by now. */
#define SELDOM 16
/* If turns come this much too late, it is this machine that is slow. */
#define LATE 1000

/* What a token consists of; the upper half is when it was sent. */
#define TOKEN(party, member, local, when) \
	((uint64_t)(when) << 32 | (party) << 6 | (member) << 1 | (local))
#define LATENESS(token, now) ((uint32_t)(now) - (uint32_t)((token) >> 32))
#define PARTY(token) ((uint32_t)(token) >> 6)
#define MEMBER(token) ((token) >> 1 & 31)
#define LOCAL(token) ((token) & 1)

/**
 * struct party - a peer
 * @end: how it is asked
 * @ours: does it answer by link-local addresses? Then no others count.
 * @since: when it was found to be, or not to be
 * @heard: when it did so last
 * @plain: has it answered by the other address?
 * @of: each tunnel's
 */
struct party {
	struct end end;
	bool ours;
	int64_t since;
	int64_t heard;
	bool plain;
	struct liveness of[MOST_TUNNELS];
};

/**
 * struct watch - a bundle that is being watched
 * @name: of it
 * @config: of it
 * @links: members
 * @probe: by which they are asked
 * @signals: where requests to end arrive
 * @parties: peers
 * @answers: room for a word for each of them
 * @count: how many
 * @fitter: measures the MTU
 * @turn: number of the current one
 * @last: when it was
 * @begun: when the first was
 * @settled: is it known who answers?
 * @silent: does nobody?
 * @used: for a group of that many tunnels, those that are in it
 */
struct watch {
	const char *name;
	const struct config *config;
	struct links links;
	struct probe probe;
	int signals;
	struct party *parties;
	uint32_t *answers;
	unsigned int count;
	struct fitter fitter;
	uint64_t turn;
	int64_t last;
	int64_t begun;
	bool settled;
	bool silent;
	uint32_t used[MOST_TUNNELS + 1];
};

static uint32_t first_bits(unsigned int count)
{
	return UINT32_MAX >> (32 - count);
}

/* --------------------------------------------------------------- begin -- */

static void begin_party(struct watch *watch, struct party *party,
			const struct config *config, const struct peer *peer)
{
	unsigned int i;

	end_find(&party->end, config, peer, watch->links.count);
	party->since = watch->begun;
	for (i = 0; i < party->end.tunnels; i++)
		liveness_begin(&party->of[i], watch->begun);
}

static int open_signals(struct watch *watch)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	watch->signals = signalfd(-1, &set, SFD_CLOEXEC);
	return watch->signals < 0 ? -errno : 0;
}

static int begin(struct watch *watch)
{
	const struct config *config = watch->config;
	unsigned int i;
	int ret;

	watch->begun = end_now();
	watch->last = watch->begun;
	watch->count = config->peer_count;
	watch->parties = calloc(watch->count + 1, sizeof(*watch->parties));
	watch->answers = calloc(watch->count + 1, sizeof(*watch->answers));
	if (!watch->parties || !watch->answers)
		return fail("out of memory");
	for (i = 0; i < watch->count; i++)
		begin_party(watch, &watch->parties[i], config,
			    &config->peers[i]);
	for (i = 1; i <= watch->links.count; i++)
		watch->used[i] = first_bits(i);
	ret = open_signals(watch);
	if (ret)
		return fail("cannot wait for signals: %s", strerror(-ret));
	ret = probe_open(&watch->probe);
	if (ret) {
		close(watch->signals);
		return fail("cannot watch %s: %s%s", watch->name, strerror(-ret),
			    ret == -EPERM ? ": that takes CAP_NET_RAW" : "");
	}
	return 0;
}

static void end(struct watch *watch)
{
	fitter_end(&watch->fitter);
	probe_close(&watch->probe);
	close(watch->signals);
}

/* -------------------------------------------------------------- groups -- */

/* How many peers is the group of so many tunnels for? */
static unsigned int count_users(const struct watch *watch, unsigned int size)
{
	unsigned int i, count = 0;

	for (i = 0; i < watch->count; i++)
		count += watch->parties[i].end.tunnels == size;
	return count;
}

/* That of all tunnels is also there for the bundle's own network: for all peers. */
static unsigned int look_up_answers(const struct watch *watch,
				    unsigned int size)
{
	unsigned int i, j, count = 0, exact = count_users(watch, size);
	uint32_t *answers = watch->answers;

	for (i = 0; i < watch->count; i++) {
		const struct party *party = &watch->parties[i];

		if (exact && party->end.tunnels != size)
			continue;
		answers[count] = 0;
		for (j = 0; j < party->end.tunnels; j++) {
			if (party->of[j].alive)
				answers[count] |= 1U << j;
		}
		count++;
	}
	return count;
}

static unsigned int count_bits(uint32_t bits)
{
	return __builtin_popcount(bits);
}

/* A member that was down for a moment has lost its next hop. */
static int change_group(const struct watch *watch, unsigned int size,
			uint32_t use, int family)
{
	unsigned int indexes[MOST_TUNNELS], i, count = 0;
	int ret;

	for (i = 0; i < size; i++) {
		if (use & 1U << i)
			indexes[count++] = watch->links.of[i].index;
	}
	ret = group_change(group_id(watch->links.of[0].index, size, family),
			   indexes, count, family);
	if (ret == -EINVAL) {
		for (i = 0; i < count; i++)
			hop_add(indexes[i], family);
		ret = group_change(group_id(watch->links.of[0].index, size,
					    family), indexes, count, family);
	}
	return ret == -ENOENT ? 0 : ret;
}

static void tell_changes(const struct watch *watch, unsigned int size,
			 uint32_t use)
{
	uint32_t changed = use ^ watch->used[size];
	unsigned int i;

	for (i = 0; i < size; i++) {
		if (changed & 1U << i)
			printf("%s: %s %s, %u of %u tunnels in use\n",
			       watch->name, watch->links.of[i].name,
			       use & 1U << i ? "answers again" :
			       "does not answer", count_bits(use), size);
	}
}

static void set_group(struct watch *watch, unsigned int size, uint32_t use)
{
	int ret;

	ret = change_group(watch, size, use, AF_INET);
	if (!ret)
		ret = change_group(watch, size, use, AF_INET6);
	if (ret)
		say("%s: cannot change the group of %u next hops: %s",
		    watch->name, size, strerror(-ret));
	watch->used[size] = use;
}

static void tell_systemd(const struct watch *watch)
{
	char state[128];

	snprintf(state, sizeof(state), "READY=1\nSTATUS=%u of %zu tunnels in use",
		 count_bits(watch->used[watch->links.count]),
		 watch->links.count);
	notify(state);
}

/* At first, whoever watched before may have left the groups in any state. */
static void arrange(struct watch *watch, bool first)
{
	unsigned int size, count;
	bool changed = first;
	uint32_t use;

	for (size = 2; size <= watch->links.count; size++) {
		if (size < watch->links.count && !count_users(watch, size))
			continue;
		count = look_up_answers(watch, size);
		use = liveness_choose(watch->answers, count, watch->used[size]);
		if (use == watch->used[size] && !first)
			continue;
		if (!first)
			tell_changes(watch, size, use);
		if (use & ~watch->used[size])
			fitter_want(&watch->fitter, watch->last);
		set_group(watch, size, use);
		changed = true;
	}
	if (changed)
		tell_systemd(watch);
}

/* ------------------------------------------------------------- settling -- */

static bool all_alive(const struct watch *watch)
{
	unsigned int i, j;

	for (i = 0; i < watch->count; i++) {
		for (j = 0; j < watch->parties[i].end.tunnels; j++) {
			if (!watch->parties[i].of[j].alive)
				return false;
		}
	}
	return true;
}

static bool is_silent(const struct watch *watch)
{
	unsigned int i, j;

	for (i = 0; i < watch->count; i++) {
		for (j = 0; j < watch->parties[i].end.tunnels; j++) {
			if (watch->parties[i].of[j].alive)
				return false;
		}
	}
	return true;
}

static void tell_members(const struct watch *watch, bool used)
{
	size_t i, size = watch->links.count;

	for (i = 0; i < size; i++) {
		if (!(watch->used[size] & 1U << i) == !used)
			printf(" %s", watch->links.of[i].name);
	}
}

/* What may be dead is better than nothing, which is what would be left. */
static void note_silence(struct watch *watch)
{
	bool silent = is_silent(watch);

	if (silent && !watch->silent)
		printf("%s: no tunnel answers: %u of %zu stay in use\n",
		       watch->name,
		       count_bits(watch->used[watch->links.count]),
		       watch->links.count);
	if (!silent && watch->silent)
		fitter_want(&watch->fitter, watch->last);
	watch->silent = silent;
}

static void settle(struct watch *watch)
{
	unsigned int size = watch->links.count, used;

	watch->settled = true;
	arrange(watch, true);
	used = count_bits(watch->used[size]);
	note_silence(watch);
	if (watch->silent)
		return;
	printf("%s: %u of %u tunnels answer:", watch->name, used, size);
	tell_members(watch, true);
	if (used < size) {
		printf("; left out until they do:");
		tell_members(watch, false);
	}
	putchar('\n');
}

/* -------------------------------------------------------------- asking -- */

static void ask(struct watch *watch, unsigned int i, unsigned int j)
{
	struct party *party = &watch->parties[i];
	unsigned int index = watch->links.of[j].index;
	bool plain = party->plain && watch->last - party->since > CHANGED;

	if (party->ours || !plain || !(watch->turn % SELDOM))
		end_ask(&party->end, &watch->probe, index, j, true,
			TOKEN(i, j, 1, watch->last), PROBE_LEAST);
	if (!party->ours)
		end_ask(&party->end, &watch->probe, index, j, false,
			TOKEN(i, j, 0, watch->last), PROBE_LEAST);
}

static void ask_all(struct watch *watch)
{
	unsigned int i, j;

	for (i = 0; i < watch->count; i++) {
		for (j = 0; j < watch->parties[i].end.tunnels; j++) {
			if (liveness_ask(&watch->parties[i].of[j], watch->last))
				ask(watch, i, j);
		}
	}
}

/* Another end may have taken the place of one of ours, without our addresses. */
static void doubt(struct watch *watch)
{
	unsigned int i;

	for (i = 0; i < watch->count; i++) {
		struct party *party = &watch->parties[i];

		if (party->ours && watch->last - party->heard > CHANGED) {
			party->ours = false;
			party->plain = false;
			party->since = watch->last;
		}
	}
}

/* ------------------------------------------------------------- hearing -- */

static void take(struct watch *watch, const struct answer *answer, int64_t now)
{
	uint32_t i = PARTY(answer->token), j = MEMBER(answer->token);
	bool local = LOCAL(answer->token);
	struct party *party;

	if (answer->piece || i >= watch->count || j >= watch->links.count)
		return;
	party = &watch->parties[i];
	if (!end_is_from(&party->end, answer, watch->links.of[j].index, j,
			 local))
		return;
	if (!local && party->ours)
		return;
	if (local) {
		party->ours = true;
		party->heard = now;
	} else {
		party->plain = true;
	}
	liveness_hear(&party->of[j], now, LATENESS(answer->token, now));
}

static void hear(struct watch *watch, int64_t now)
{
	struct answer answer;

	while (probe_hear(&watch->probe, AF_INET, &answer))
		take(watch, &answer, now);
	while (probe_hear(&watch->probe, AF_INET6, &answer))
		take(watch, &answer, now);
}

/* --------------------------------------------------------------- turns -- */

static void judge_party(struct party *party, int64_t now, int64_t late)
{
	unsigned int i, lag = 0;

	for (i = 0; i < party->end.tunnels; i++) {
		if (party->of[i].lag > lag)
			lag = party->of[i].lag;
	}
	for (i = 0; i < party->end.tunnels; i++) {
		if (late > LATE)
			liveness_forgive(&party->of[i], late);
		liveness_judge(&party->of[i], now, lag);
	}
}

static void judge(struct watch *watch, int64_t late)
{
	unsigned int i;

	for (i = 0; i < watch->count; i++)
		judge_party(&watch->parties[i], watch->last, late);
}

static void turn(struct watch *watch, int64_t now)
{
	int64_t late = now - watch->last - LIVENESS_TURN;

	watch->last = now;
	watch->turn++;
	judge(watch, late);
	doubt(watch);
	if (watch->settled) {
		arrange(watch, false);
		note_silence(watch);
	} else if (all_alive(watch) || now - watch->begun >= LIVENESS_DEAD) {
		settle(watch);
	}
	fflush(stdout);
	ask_all(watch);
	if (watch->settled && !watch->silent)
		fitter_turn(&watch->fitter, watch->name, watch->config, now);
}

/* Its interfaces are asked for once a second. */
static const char *who_is_gone(const struct watch *watch)
{
	char name[IF_NAMESIZE];
	size_t i;

	if (watch->turn % (1000 / LIVENESS_TURN))
		return NULL;
	for (i = 0; i < watch->links.count; i++) {
		if (!if_indextoname(watch->links.of[i].index, name))
			return watch->links.of[i].name;
	}
	return NULL;
}

/* Nobody would take back who is left out. */
static void take_all_back(struct watch *watch)
{
	unsigned int size;

	for (size = 2; size <= watch->links.count; size++) {
		if (watch->used[size] != first_bits(size))
			set_group(watch, size, first_bits(size));
	}
}

/* Is it being taken down, or has somebody removed an interface? */
static int part(const struct watch *watch, const char *gone)
{
	struct links links;
	struct state state;

	if (bundle_find(&links, watch->name, &state))
		return -1;
	links_free(&links);
	if (state.complete)
		return fail("%s has gone, but not all of %s: \"bundle up\" mends that",
			    gone, watch->name);
	printf("%s: %s has gone, there is nothing more to watch\n", watch->name,
	       gone);
	return 0;
}

static int go_on(struct watch *watch)
{
	struct pollfd wait[] = {
		{ .fd = watch->signals, .events = POLLIN },
		{ .fd = watch->probe.sockets[0], .events = POLLIN },
		{ .fd = watch->probe.sockets[1], .events = POLLIN },
	};
	int64_t now = watch->begun, next = now;
	const char *gone = NULL;

	while (!gone) {
		if (poll(wait, 3, now < next ? next - now : 0) < 0 &&
		    errno != EINTR)
			return fail("cannot wait: %s", strerror(errno));
		now = end_now();
		hear(watch, now);
		if (wait[0].revents) {
			take_all_back(watch);
			return 0;
		}
		if (now < next)
			continue;
		turn(watch, now);
		next = now + LIVENESS_TURN;
		gone = who_is_gone(watch);
	}
	return part(watch, gone);
}

int bundle_watch(const struct bundle *bundle, const struct config *config)
{
	struct watch watch = { .name = bundle->name, .config = config };
	struct state first;
	int ret;

	if (bundle_find(&watch.links, bundle->name, &first))
		return -1;
	if (!watch.links.count)
		ret = fail("%s is not up", bundle->name);
	else if (watch.links.count != first.tunnels)
		ret = fail("%s has lost a tunnel: \"bundle up\" mends that",
			   bundle->name);
	else
		ret = begin(&watch);
	if (!ret) {
		ret = go_on(&watch);
		notify("STOPPING=1");
		end(&watch);
	}
	free(watch.answers);
	free(watch.parties);
	links_free(&watch.links);
	return ret;
}
