// SPDX-License-Identifier: GPL-2.0
/* wg-inline: what there is to see and to set of WireGuard in inline mode. */
#include "cmd.h"
#include "say.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *arguments;
	const char *purpose;
} commands[] = {
	{ "show", cmd_show, "[INTERFACE] [--json]",
	  "interfaces, modes, peers, counters, and which module it is" },
	{ "set", cmd_set, "INTERFACE [mode WORD] [cpus LIST]",
	  "change the mode, or where workers may run" },
	{ "top", cmd_top, "[INTERFACE] [-d SECONDS] [-n TIMES]",
	  "the same as show, live" },
	{ "bundle", cmd_bundle,
	  "keygen|export FILE -n N, up FILE [-n N] [--layer4] [--spread], down|spread|watch FILE, show [NAME]",
	  "several tunnels that act as one, from one file of wg-quick's" },
	{ "doctor", cmd_doctor, "[INTERFACE] [--json]",
	  "what keeps this machine from scaling, and what mends it" },
	{ "metrics", cmd_metrics, "",
	  "OpenMetrics, for node_exporter's textfile collector" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help(FILE *to)
{
	size_t i;

	fputs("usage: wg-inline [COMMAND [ARGUMENTS]]\n\n", to);
	for (i = 0; i < COMMANDS; i++)
		fprintf(to, "  %s %s\n      %s\n", commands[i].name,
			commands[i].arguments, commands[i].purpose);
	fputs("  --help, --version\n\n"
	      "Without a command it is show. See wg-inline(8).\n", to);
}

static const struct command *find(const char *name)
{
	size_t i;

	for (i = 0; i < COMMANDS; i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

int cmd_usage(const char *name)
{
	const struct command *command = find(name);

	say("usage: wg-inline %s %s", name, command->arguments);
	return 1;
}

static int command_help(const struct command *command)
{
	printf("usage: wg-inline %s %s\n\n  %s\n\nSee wg-inline(8).\n",
	       command->name, command->arguments, command->purpose);
	return 0;
}

static int is(const char *word, const char *letter, const char *name)
{
	return !strcmp(word, letter) || !strcmp(word, name) ||
	       !strcmp(word, name + 2);
}

static int run(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2)
		return cmd_show(1, (char *[]){ "show", NULL });
	if (is(argv[1], "-h", "--help")) {
		help(stdout);
		return 0;
	}
	if (is(argv[1], "-v", "--version")) {
		puts("wg-inline " VERSION);
		return 0;
	}
	command = find(argv[1]);
	if (!command) {
		say("there is no command %s; wg-inline --help lists them",
		    argv[1]);
		return 1;
	}
	if (argc > 2 && (!strcmp(argv[2], "-h") || !strcmp(argv[2], "--help")))
		return command_help(command);
	return command->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	int ret = run(argc, argv);

	/* A full disk or a closed pipe must not look like success. */
	if (fflush(stdout) || ferror(stdout)) {
		say("cannot write: %s", strerror(errno));
		return 1;
	}
	return ret;
}
