// SPDX-License-Identifier: GPL-2.0
/* A bundle gets the MTU that all its tunnels have room for. */
#include "bundle_fit.h"

#include "bundle.h"
#include "clamp.h"
#include "measure.h"
#include "say.h"
#include "sysctl.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* In milliseconds: once a tunnel is in use, and then now and again. */
#define SOON 1000
#define AGAIN 600000
#define PATIENCE 1000

static int set_all(const struct links *links, unsigned int mtu)
{
	size_t i;
	int ret;

	for (i = 0; i < links->count; i++) {
		ret = link_change(links->of[i].index, mtu, 0, NULL, false);
		if (ret)
			return fail("cannot give %s an MTU of %u: %s",
				    links->of[i].name, mtu, strerror(-ret));
	}
	return 0;
}

/* The MTU, as it is then; or 0 after having said why it cannot be. */
static unsigned int fit(const char *name, const struct links *links,
			const struct config *config, int patience)
{
	unsigned int most = links->of[0].mtu;
	int size = config->mtu ? 0 : measure(links, config, patience);

	if (size < 0) {
		say("cannot measure the MTU of %s: %s", name, strerror(-size));
		return 0;
	}
	if (!size || (unsigned int)size >= most)
		return most;
	if (set_all(links, size))
		return 0;
	printf("%s: the MTU is %d, as larger packets get lost or are cut into pieces on the way\n",
	       name, size);
	fflush(stdout);
	return size;
}

static bool forwards(void)
{
	int v4 = 0, v6 = 0;

	sysctl_get("net/ipv4/ip_forward", &v4);
	sysctl_get("net/ipv6/conf/all/forwarding", &v6);
	return v4 || v6;
}

/* Only where something is forwarded is it worth a word that it cannot be done. */
static int clamp(const struct state *state, uint32_t group, unsigned int mtu)
{
	struct state unmarked = *state;
	int ret = clamp_set(state, group, mtu);

	/* A kernel may have nftables, but not for what concerns connections. */
	if (ret == -ENOENT) {
		unmarked.rules4 = 0;
		unmarked.rules6 = 0;
		ret = clamp_set(&unmarked, group, mtu);
	}
	if (!ret || (ret == -EOPNOTSUPP && !forwards()))
		return 0;
	return fail("cannot tell forwarded TCP of %s's MTU by nftables: %s",
		    state->bundle, strerror(-ret));
}

/*
 * The bundle may be taken down meanwhile, and that looks for the table once the last
 * interface is gone. So who has made it looks for the interfaces, and is not to be
 * stopped in between.
 */
static int clamp_if_up(const struct state *state, uint32_t group,
		       unsigned int mtu)
{
	struct links links;
	sigset_t all, before;
	int ret;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	ret = clamp(state, group, mtu);
	if (!bundle_find(&links, state->bundle, NULL)) {
		if (!links.count)
			clamp_remove(state->bundle);
		links_free(&links);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
}

int bundle_fit(const char *name, const struct config *config, int patience)
{
	struct links links;
	struct state state;
	unsigned int mtu;
	int ret = 0;

	if (bundle_find(&links, name, &state))
		return -1;
	if (links.count) {
		mtu = fit(name, &links, config, patience);
		ret = mtu ? 0 : -1;
		if (clamp_if_up(&state, links.of[0].group, mtu ? mtu :
				links.of[0].mtu))
			ret = -1;
	}
	links_free(&links);
	return ret;
}

/* ----------------------------------------------------- beside other work -- */

void fitter_want(struct fitter *fitter, int64_t now)
{
	fitter->due = now + SOON;
}

/* What others have to say while it takes its time must not wait for it. */
static void begin(struct fitter *fitter, const char *name,
		  const struct config *config)
{
	sigset_t none;

	fflush(stdout);
	fitter->child = fork();
	if (fitter->child < 0) {
		say("cannot measure the MTU of %s: %s", name, strerror(errno));
		fitter->child = 0;
	}
	if (fitter->child)
		return;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	_exit(bundle_fit(name, config, PATIENCE) ? 1 : 0);
}

void fitter_turn(struct fitter *fitter, const char *name,
		 const struct config *config, int64_t now)
{
	if (fitter->child && waitpid(fitter->child, NULL, WNOHANG))
		fitter->child = 0;
	if (fitter->child || now < fitter->due)
		return;
	begin(fitter, name, config);
	fitter->due = now + AGAIN;
}

void fitter_end(struct fitter *fitter)
{
	if (!fitter->child)
		return;
	kill(fitter->child, SIGTERM);
	waitpid(fitter->child, NULL, 0);
	fitter->child = 0;
}
