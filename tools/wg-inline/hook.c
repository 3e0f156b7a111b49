// SPDX-License-Identifier: GPL-2.0
#include "hook.h"

#include "end.h"
#include "interrupt.h"
#include "say.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Milliseconds that a hook has to end when it is asked to. */
#define GRACE 3000

/* With each %i replaced; to be freed. */
static char *expand(const char *line, const char *name)
{
	char *text = NULL;
	size_t size;
	FILE *file;

	file = open_memstream(&text, &size);
	if (!file)
		return NULL;
	for (; *line; line++) {
		if (line[0] == '%' && line[1] == 'i') {
			fputs(name, file);
			line++;
		} else {
			fputc(*line, file);
		}
	}
	if (fclose(file)) {
		free(text);
		return NULL;
	}
	return text;
}

static int spawn(pid_t *pid, char *command, bool own_group)
{
	/* Hooks are written for wg-quick, and so for bash. */
	char *shell = access("/bin/bash", X_OK) ? "/bin/sh" : "/bin/bash";
	char *arguments[] = { shell, "-c", command, NULL };
	short flags = POSIX_SPAWN_SETSIGMASK;
	posix_spawnattr_t how;
	int ret;

	if (own_group)
		flags |= POSIX_SPAWN_SETPGROUP;
	posix_spawnattr_init(&how);
	posix_spawnattr_setflags(&how, flags);
	posix_spawnattr_setsigmask(&how, interrupt_before());
	ret = posix_spawn(pid, shell, NULL, &how, arguments, environ);
	posix_spawnattr_destroy(&how);
	return -ret;
}

/* Until it has ended, or so many milliseconds. */
static pid_t wait_for(pid_t pid, int *status, int milliseconds)
{
	int64_t deadline = end_now() + milliseconds;
	pid_t ended;

	while (!(ended = waitpid(pid, status, WNOHANG)) &&
	       end_now() < deadline)
		interrupt_wait(50);
	return ended;
}

/* Asked first, as it may have something to undo, too. */
static void stop(pid_t pid, pid_t group)
{
	int status;

	kill(group, SIGTERM);
	if (!wait_for(pid, &status, GRACE)) {
		kill(group, SIGKILL);
		waitpid(pid, &status, 0);
	}
}

/* A negative error, or 0, also if it was interrupted. */
static int run(char *command, int *status)
{
	/* It may have to ask somebody at the terminal, who can interrupt it there. */
	bool own_group = !isatty(STDIN_FILENO);
	pid_t pid, ended;
	int ret;

	ret = spawn(&pid, command, own_group);
	if (ret)
		return ret;
	while (!(ended = waitpid(pid, status, WNOHANG)) && !interrupt_came())
		interrupt_wait(100);
	if (!ended)
		stop(pid, own_group ? -pid : pid);
	return ended < 0 ? -errno : 0;
}

static int run_one(const char *line, const char *kind, const char *name)
{
	char *command = expand(line, name);
	int status = 0, ret = 0;

	if (!command)
		return fail("out of memory");
	if (!interrupt_came())
		ret = run(command, &status);
	if (interrupt_came())
		ret = fail("%s was interrupted by %s: %s", kind,
			   interrupt_came(), command);
	else if (ret)
		fail("%s cannot be run: %s: %s", kind, strerror(-ret), command);
	else if (status)
		ret = fail("%s failed with status %d: %s", kind,
			   WIFEXITED(status) ? WEXITSTATUS(status) :
			   128 + WTERMSIG(status), command);
	free(command);
	return ret;
}

int hooks_run(const struct lines *lines, const char *kind, const char *name)
{
	size_t i;

	/* What was printed so far comes before what they print. */
	fflush(stdout);
	for (i = 0; i < lines->count; i++) {
		if (run_one(lines->of[i], kind, name))
			return -1;
	}
	return 0;
}
