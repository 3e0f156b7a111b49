/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_NOTIFY_H
#define WGI_NOTIFY_H

/**
 * notify() - tell systemd, if it is that which started this
 * @state: lines as of sd_notify(3)
 */
void notify(const char *state);

#endif
