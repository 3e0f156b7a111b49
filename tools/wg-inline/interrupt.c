// SPDX-License-Identifier: GPL-2.0
#include "interrupt.h"

#include <stddef.h>
#include <time.h>

static const struct {
	int number;
	const char *name;
} requests[] = {
	{ SIGHUP, "SIGHUP" },
	{ SIGINT, "SIGINT" },
	{ SIGQUIT, "SIGQUIT" },
	{ SIGTERM, "SIGTERM" },
};

static sigset_t before, held;
static const char *came;

static void note(int number)
{
	size_t i;

	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (requests[i].number == number)
			came = requests[i].name;
	}
}

/* What is ignored, as by nohup, stays so; once blocked, it would arrive. */
void interrupt_hold(void)
{
	struct sigaction now;
	sigset_t block;
	size_t i;

	sigemptyset(&held);
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (!sigaction(requests[i].number, NULL, &now) &&
		    now.sa_handler != SIG_IGN)
			sigaddset(&held, requests[i].number);
	}
	/* Who ignores it never hears of a child's end. */
	signal(SIGCHLD, SIG_DFL);
	sigaddset(&held, SIGCHLD);
	/* Nobody waits for that one: what cannot be written is seen at the end. */
	block = held;
	sigaddset(&block, SIGPIPE);
	sigprocmask(SIG_BLOCK, &block, &before);
}

void interrupt_release(void)
{
	static const struct timespec none;
	sigset_t pipes;

	interrupt_came();
	sigemptyset(&pipes);
	sigaddset(&pipes, SIGPIPE);
	sigtimedwait(&pipes, NULL, &none);
	sigprocmask(SIG_SETMASK, &before, NULL);
	came = NULL;
}

const char *interrupt_came(void)
{
	static const struct timespec none;
	int number;

	while ((number = sigtimedwait(&held, NULL, &none)) > 0)
		note(number);
	return came;
}

void interrupt_wait(int milliseconds)
{
	const struct timespec time = {
		milliseconds / 1000, milliseconds % 1000 * 1000000L
	};

	note(sigtimedwait(&held, NULL, &time));
}

const sigset_t *interrupt_before(void)
{
	return &before;
}
