/* SPDX-License-Identifier: GPL-2.0 */
/* The mode of a device: which engine it points to, and how that changes. */
#ifndef _WG_MODE_H
#define _WG_MODE_H

#include <linux/compiler.h>
#include <linux/netdevice.h>

#include "device.h"
#include "engine.h"

/* Does stock have threads poll, if nobody says anything? include/compat may know. */
#ifndef WG_STOCK_THREADED
#define WG_STOCK_THREADED true
#endif

/**
 * enum wg_mode - as the words that users write
 * @WG_MODE_INLINE: all steps on one core, one after the other
 * @WG_MODE_THREADED: the pipeline, its NAPIs polled by threads
 * @WG_MODE_SOFTIRQ: the pipeline, its NAPIs polled in softirq
 * @WG_MODES: how many there are
 *
 * What mode.c keeps about each is in this order.
 */
enum wg_mode { WG_MODE_INLINE, WG_MODE_THREADED, WG_MODE_SOFTIRQ, WG_MODES };

/**
 * wg_mode_is_pipeline() - does a device spread its work over CPUs?
 * @wg: device
 *
 * Return: true if so, at this moment.
 */
static inline bool wg_mode_is_pipeline(const struct wg_device *wg)
{
	return READ_ONCE(wg->engine) == &wg_pipeline_engine;
}

/**
 * wg_mode_is_threaded() - do kernel threads deliver a device's packets?
 * @wg: device
 *
 * The core changes its flag without telling us; it is a bit-field in some
 * kernels.
 *
 * Return: true if so, at this moment.
 */
static inline bool wg_mode_is_threaded(const struct wg_device *wg)
{
	/* No READ_ONCE() of a bit-field. Who sees it late acts a moment late. */
	return wg_mode_is_pipeline(wg) && data_race(!!wg->dev->threaded);
}

/**
 * wg_mode_of() - the mode that a device is in
 * @wg: device
 *
 * Return: it, at this moment.
 */
static inline enum wg_mode wg_mode_of(const struct wg_device *wg)
{
	if (!wg_mode_is_pipeline(wg))
		return WG_MODE_INLINE;
	return wg_mode_is_threaded(wg) ? WG_MODE_THREADED : WG_MODE_SOFTIRQ;
}

void wg_mode_tell(struct wg_device *wg, enum wg_mode from, enum wg_mode to);

/**
 * wg_mode_notice() - the mode that a device is in, which is traced if it is news
 * @wg: device
 *
 * Nobody says when the core's flag is written, but who works on packets looks at it.
 *
 * Context: any.
 * Return: it, at this moment.
 */
static inline enum wg_mode wg_mode_notice(struct wg_device *wg)
{
	/* First: so what there is now is no older than what was told. */
	enum wg_mode told = smp_load_acquire(&wg->mode_told);
	enum wg_mode mode = wg_mode_of(wg);

	if (unlikely(mode != told))
		wg_mode_tell(wg, told, mode);
	return mode;
}

const char *wg_mode_word(enum wg_mode mode);
void wg_mode_init(struct wg_device *wg);
int wg_mode_apply_default(struct wg_device *wg);
enum wg_mode wg_mode_pipeline(const struct wg_device *wg);
int wg_mode_choose(struct wg_device *wg, bool is_inline, bool threaded);
int wg_mode_set(struct wg_device *wg, const char *word);
void wg_mode_forget(struct wg_device *wg);

#endif /* _WG_MODE_H */
