/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_INTERRUPT_H
#define WGI_INTERRUPT_H

#include <signal.h>

/*
 * What changes several things one after the other is not to be ended in between: it
 * looks whether it was asked to end, and then undoes what it has done.
 */

/* interrupt_hold() - from now on, signals that ask to end are only noted */
void interrupt_hold(void);

/* interrupt_release() - they end the program again; what was noted has been heeded */
void interrupt_release(void);

/* interrupt_came() - the name of one that has come since, or NULL */
const char *interrupt_came(void);

/* interrupt_wait() - until one comes, or a child ends, or so many milliseconds */
void interrupt_wait(int milliseconds);

/* interrupt_before() - the mask that there was before, which children should have */
const sigset_t *interrupt_before(void);

#endif
