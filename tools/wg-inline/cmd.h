/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_CMD_H
#define WGI_CMD_H

/*
 * The commands. Each gets its own name as the first argument, says what went
 * wrong, and returns the exit status: 0 or 1.
 */
int cmd_show(int argc, char **argv);
int cmd_set(int argc, char **argv);
int cmd_metrics(int argc, char **argv);
int cmd_bundle(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_doctor(int argc, char **argv); /* or 3, if it found something */

/* cmd_usage() - the command was called in a way that it does not know */
int cmd_usage(const char *name);

#endif
