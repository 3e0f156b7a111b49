/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_LOCK_H
#define WGI_LOCK_H

/**
 * lock_take() - only one at a time changes bundles of this network namespace
 *
 * Waits for another one, with a word, for as long as the hooks of a bundle may take;
 * but not if it is a hook of that other one that calls. To be called while signals
 * are held.
 *
 * Return: to be given to lock_release(), or -1 after having said why.
 */
int lock_take(void);

void lock_release(int lock);

#endif
