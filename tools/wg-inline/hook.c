// SPDX-License-Identifier: GPL-2.0
#include "hook.h"

#include "say.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

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

/* Hooks are written for wg-quick, and so for bash. */
static int run(char *command, int *status)
{
	char *shell = access("/bin/bash", X_OK) ? "/bin/sh" : "/bin/bash";
	char *arguments[] = { shell, "-c", command, NULL };
	pid_t pid;
	int ret;

	ret = posix_spawn(&pid, shell, NULL, NULL, arguments, environ);
	if (ret)
		return -ret;
	while (waitpid(pid, status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

static int run_one(const char *line, const char *kind, const char *name)
{
	char *command = expand(line, name);
	int status = 0, ret;

	if (!command)
		return fail("out of memory");
	ret = run(command, &status);
	if (ret)
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
