// SPDX-License-Identifier: GPL-2.0
/*
 * An abstract address of AF_UNIX is of a network namespace, as bundles are, needs
 * no place that can be written to, and is free again when its owner ends.
 */
#include "lock.h"

#include "end.h"
#include "interrupt.h"
#include "say.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME "wg-inline bundle"
/* In the environment of hooks: whoever calls them waits for them. */
#define HELD "WG_INLINE_BUNDLE_LOCKED"
/* Milliseconds. */
#define A_WHILE 1000
#define TOO_LONG 120000
#define REFUSALS 20

static const struct sockaddr_un address = {
	.sun_family = AF_UNIX,
	.sun_path = "\0" NAME,
};

static const socklen_t length = offsetof(struct sockaddr_un, sun_path) +
				sizeof(NAME);

/**
 * struct waiter - who wants it
 * @lock: has the address, or is to have it
 * @owner: a connection to who has it, or -1
 * @refused: how often in a row there could be none
 */
struct waiter {
	int lock;
	int owner;
	unsigned int refused;
};

static int open_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static bool is_connected(int owner)
{
	char byte;

	return owner >= 0 && recv(owner, &byte, 1, 0) < 0 && errno == EAGAIN;
}

/*
 * Anybody may take an address, but only who could bring a bundle up is waited for:
 * that is root, or who we are. Such an owner listens at once.
 */
static bool is_worth_it(struct waiter *waiter)
{
	struct ucred owner = { .uid = 0 };
	socklen_t size = sizeof(owner);

	if (is_connected(waiter->owner))
		return true;
	if (waiter->owner >= 0)
		close(waiter->owner);
	waiter->owner = open_socket();
	if (connect(waiter->owner, (const void *)&address, length))
		return ++waiter->refused < REFUSALS;
	waiter->refused = 0;
	getsockopt(waiter->owner, SOL_SOCKET, SO_PEERCRED, &owner, &size);
	return !owner.uid || owner.uid == geteuid();
}

/* 1 if it is somebody else's for now. */
static int try(struct waiter *waiter)
{
	if (!bind(waiter->lock, (const void *)&address, length))
		return listen(waiter->lock, SOMAXCONN) ? -errno : 0;
	if (errno != EADDRINUSE)
		return -errno;
	return is_worth_it(waiter);
}

static int wait_for(struct waiter *waiter)
{
	int64_t begun = end_now();
	bool told = false;
	int ret;

	while ((ret = try(waiter)) > 0 && end_now() - begun < TOO_LONG) {
		if (interrupt_came())
			return fail("interrupted by %s", interrupt_came());
		if (!told && end_now() - begun > A_WHILE) {
			say("another wg-inline is bringing a bundle up or down: waiting for it");
			told = true;
		}
		interrupt_wait(50);
	}
	if (ret > 0)
		return fail("another wg-inline has been bringing a bundle up or down for %d seconds",
			    TOO_LONG / 1000);
	return ret ? fail("cannot know whether another wg-inline is at work: %s",
			  strerror(-ret)) : 0;
}

int lock_take(void)
{
	struct waiter waiter = { .owner = -1 };
	int ret;

	waiter.lock = open_socket();
	if (waiter.lock < 0)
		return fail("cannot open a socket: %s", strerror(errno));
	if (getenv(HELD))
		return waiter.lock;
	ret = wait_for(&waiter);
	if (waiter.owner >= 0)
		close(waiter.owner);
	if (ret) {
		close(waiter.lock);
		return -1;
	}
	setenv(HELD, "1", 1);
	return waiter.lock;
}

void lock_release(int lock)
{
	close(lock);
}
