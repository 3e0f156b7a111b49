/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_TESTS_MACHINE_H
#define WGI_TESTS_MACHINE_H

/*
 * A machine that is made up: facts in memory, and files in a directory that stands for
 * /proc and /sys. Results are KTAP on standard output.
 */
#include "doctor.h"

/* Two tunnels, of up to four, over one NIC with two queues, on four CPUs. */
extern struct patient patient;
extern struct snapshot tunnels[4];
extern struct link links[4];
extern struct path paths[4];
extern struct nic nic;
extern struct irq irqs[4];
extern uint64_t received[4];

/* What the last check had to say. */
extern struct report report;

void machine_begin(void);

/* new_machine() - one with which nothing is wrong */
void new_machine(void);

/* machine_end() - the exit status of the program */
int machine_end(void);

/* put() - write a file, clear() - remove all of them */
void put(const char *name, const char *text);
void clear(void);

void result(bool good, const char *what);

typedef void (*check_fn)(const struct patient *patient, struct report *report);

/* sick() - there is one finding, with @words in it; @command is all of its command */
void sick(check_fn check, const char *what, const char *words,
	  const char *command);
void healthy(check_fn check, const char *what);

#endif
