/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_CPUSET_H
#define WGI_CPUSET_H

#include <sched.h>
#include <stdbool.h>

/* Both make of @text what they understand of it, up to the first strange word. */
void cpus_from_list(cpu_set_t *cpus, const char *text); /* 0-3,8 */
void cpus_from_mask(cpu_set_t *cpus, const char *text); /* f00,0000000f */

/* cpus_text() - as a list; there is room for four of them at a time */
const char *cpus_text(const cpu_set_t *cpus);

/* cpus_mask() - as a mask; there is one room for it */
const char *cpus_mask(const cpu_set_t *cpus);

bool cpus_overlap(const cpu_set_t *a, const cpu_set_t *b);
/* cpus_within() - is all of @part in @whole? */
bool cpus_within(const cpu_set_t *part, const cpu_set_t *whole);
/* cpus_without() - take @other's out of @cpus */
void cpus_without(cpu_set_t *cpus, const cpu_set_t *other);

#endif
