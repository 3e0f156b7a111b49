/* SPDX-License-Identifier: GPL-2.0 */
/* The mode of a device: which engine it points to, and how that changes. */
#ifndef _WG_MODE_H
#define _WG_MODE_H

#include "engine.h"

struct wg_device;

const struct wg_engine *wg_mode_default(void);
int wg_mode_set(struct wg_device *wg, const char *word);

#endif /* _WG_MODE_H */
