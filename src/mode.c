// SPDX-License-Identifier: GPL-2.0
/*
 * The mode of a device: which engine it points to, and how that changes.
 *
 * The switch
 *
 * A word may be written at any moment, under any load, as often as one likes.
 * Nothing is lost, doubled or put out of order, and nothing waits: the store
 * changes one pointer (@engine), or the core's flag that says who polls, and
 * returns. RTNL is the only lock, as the core's flag is under it; a store that
 * does not get it at once restarts the system call. What either engine has begun
 * it finishes; which one a packet goes to is decided anew for each, by the pointer
 * and by whether packets of its peer are still in the pipeline. Neither engine's
 * fast path takes a lock or an atomic for it.
 *
 * Out, inline to pipeline. Inline, a packet is with the socket before the sender
 * comes with its next one. Nothing to do.
 *
 * Out, pipeline to inline. While a peer's tx order is busy, an inline sender takes
 * its place in it: the packet is sealed by the sender, here and now, and only the
 * sending is done when it is its turn, by the same sender if nobody else is at it
 * (wg_pipeline_send_behind()). Once the order is not busy, everything before the
 * packet is with the socket, and it goes past the order.
 *
 * In, pipeline to inline. The same, with rx orders: what is received is opened
 * here and now, and delivered in its turn (wg_pipeline_receive_behind()). An order
 * is busy until its NAPI has completed, so that also what GRO held back is gone.
 *
 * In, inline to pipeline. What was opened inline waits in the queue of the NAPI of
 * the CPU that received it, or is held back by its GRO. The first item of each
 * peer after the switch (&wg_pipeline.epoch) is made on that same CPU, as long as
 * the underlay delivers the peer's packets there; it notes how long that queue
 * was, and only that NAPI delivers it, after that much
 * (wg_delivery_follow()). Those behind it wait for it.
 *
 * Threads to softirq and back. An order is with one NAPI at a time, and may be
 * with another in its next turn, which begins when the first NAPI has completed.
 * So it is enough that each turn begins where the flag says (delivery.c).
 *
 * What holds new packets meanwhile are the peer's orders, and only where something
 * is before them. Their bound is the pipeline's own, per peer: in packets on the way
 * in, in batches (a packet or a GSO packet) on the way out. One that is full while its
 * device is inline lets nothing in until it is empty, so the way back to inline ends
 * also in overload (ordered.c).
 *
 * Packets that wait for a key or a handshake are in the peer's stage, which hands
 * them to the engine of the moment when it opens, before anybody behind them.
 */
#include "mode.h"

#include "delivery.h"
#include "trace.h"

#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/rtnetlink.h>
#include <linux/string.h>

#define WORDS "inline, threaded, softirq"

/**
 * struct mode - a word and what it means
 * @word: in sysfs and for the module parameter
 * @engine: where packets are worked on
 * @threaded: with the pipeline: kernel threads poll
 */
struct mode {
	const char *word;
	const struct wg_engine *engine;
	bool threaded;
};

static const struct mode modes[WG_MODES] = {
	[WG_MODE_INLINE] = { "inline", &wg_inline_engine },
	[WG_MODE_THREADED] = { "threaded", &wg_pipeline_engine, true },
	[WG_MODE_SOFTIRQ] = { "softirq", &wg_pipeline_engine, false },
};

static const struct mode *default_mode = &modes[0];

/* Also where the word ends in a newline, as from echo. */
static const struct mode *find(const char *word)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		if (sysfs_streq(word, modes[i].word))
			return &modes[i];
	}
	return NULL;
}

static int set_default(const char *word, const struct kernel_param *param)
{
	const struct mode *mode = find(word);

	if (!mode) {
		pr_err("mode must be one of: " WORDS "\n");
		return -EINVAL;
	}
	WRITE_ONCE(default_mode, mode);
	return 0;
}

static int get_default(char *word, const struct kernel_param *param)
{
	return sysfs_emit(word, "%s\n", READ_ONCE(default_mode)->word);
}

static const struct kernel_param_ops default_ops = {
	.set = set_default,
	.get = get_default,
};
module_param_cb(mode, &default_ops, NULL, 0644);
MODULE_PARM_DESC(mode, "Mode of new devices: " WORDS " (default: inline)");

/**
 * wg_mode_word() - what users call a mode
 * @mode: mode
 *
 * Return: its word.
 */
const char *wg_mode_word(enum wg_mode mode)
{
	return modes[mode].word;
}

/**
 * wg_mode_tell() - trace a change of mode, unless somebody else does
 * @wg: device
 * @from: what was traced last
 * @to: what the mode is now
 *
 * Context: any.
 */
void wg_mode_tell(struct wg_device *wg, enum wg_mode from, enum wg_mode to)
{
	if (cmpxchg(&wg->mode_told, from, to) == from)
		trace_wg_mode(wg, from, to);
}

/* In inline mode the core's flag is there too, and means nothing until then. */
static int set_threaded(struct wg_device *wg, bool threaded)
{
	int ret = 0;

	if (!!wg->dev->threaded != threaded)
		ret = dev_set_threaded(wg->dev, threaded ?
				       NETDEV_NAPI_THREADED_ENABLED :
				       NETDEV_NAPI_THREADED_DISABLED);
	if (!ret)
		wg->threaded_is_set = true;
	return ret;
}

static void set_engine(struct wg_device *wg, const struct wg_engine *engine)
{
	if (engine == &wg_pipeline_engine) {
		smp_wmb(); /* who sees the epoch sees that it was inline before */
		WRITE_ONCE(wg->pipeline.epoch, wg->pipeline.epoch + 1);
		smp_wmb(); /* who sees the engine sees the epoch */
	}
	WRITE_ONCE(wg->engine, engine);
}

static int apply(struct wg_device *wg, const struct mode *mode)
{
	int ret;

	ASSERT_RTNL();
	if (mode->engine == &wg_pipeline_engine) {
		/* For both words, as the flag may change behind our back. */
		ret = wg_delivery_start_threads();
		if (!ret)
			ret = set_threaded(wg, mode->threaded);
		if (ret)
			return ret;
	}
	if (mode->engine != READ_ONCE(wg->engine))
		set_engine(wg, mode->engine);
	wg_mode_notice(wg);
	return 0;
}

/**
 * wg_mode_init() - some mode for a device that nobody can use yet
 * @wg: device
 *
 * Context: process; may sleep.
 */
void wg_mode_init(struct wg_device *wg)
{
	wg->engine = &wg_inline_engine;
	wg->mode_told = WG_MODE_INLINE;
}

/**
 * wg_mode_apply_default() - give a new device its mode
 * @wg: device, registered, with its idle NAPI
 *
 * Context: RTNL held; may sleep.
 * Return: 0, or a negative errno where the module parameter's mode could not be
 * had, and the device is inline.
 */
int wg_mode_apply_default(struct wg_device *wg)
{
	return apply(wg, READ_ONCE(default_mode));
}

/**
 * wg_mode_set() - change a device's mode
 * @wg: device
 * @word: name of a mode
 *
 * Context: RTNL held; may sleep, for a new kernel thread or the end of one.
 * Return: 0, also where nothing changes; -EINVAL for a word that is no mode;
 * -ENOMEM and nothing changed.
 */
int wg_mode_set(struct wg_device *wg, const char *word)
{
	const struct mode *mode = find(word);

	return mode ? apply(wg, mode) : -EINVAL;
}

/**
 * wg_mode_pipeline() - which of the pipeline's modes a device is in, or would be
 * @wg: device
 *
 * The one that it was in last; before that what stock does on this kernel, unless
 * somebody has written to the core's flag.
 *
 * Context: RTNL held.
 * Return: that mode.
 */
enum wg_mode wg_mode_pipeline(const struct wg_device *wg)
{
	ASSERT_RTNL();
	if (wg->dev->threaded || (!wg->threaded_is_set && WG_STOCK_THREADED))
		return WG_MODE_THREADED;
	return WG_MODE_SOFTIRQ;
}

/**
 * wg_mode_choose() - change a device's mode, and which one it would go back to
 * @wg: device
 * @is_inline: inline, rather than a pipeline
 * @threaded: which pipeline: the one to be in, or, when inline, to go back to
 *
 * Context: RTNL held; may sleep, for a new kernel thread or the end of one.
 * Return: 0, or -ENOMEM and nothing changed.
 */
int wg_mode_choose(struct wg_device *wg, bool is_inline, bool threaded)
{
	int ret = 0;

	if (!is_inline)
		return apply(wg, &modes[threaded ? WG_MODE_THREADED :
						   WG_MODE_SOFTIRQ]);
	if ((wg_mode_pipeline(wg) == WG_MODE_THREADED) != threaded)
		ret = set_threaded(wg, threaded);
	return ret ?: apply(wg, &modes[WG_MODE_INLINE]);
}

/**
 * wg_mode_forget() - drop what any engine still has of a device
 * @wg: device that nothing is received for any more
 *
 * Context: process; may sleep.
 */
void wg_mode_forget(struct wg_device *wg)
{
	wg_pipeline_engine.forget(wg);
	wg_inline_engine.forget(wg);
}
