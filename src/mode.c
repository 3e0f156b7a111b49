// SPDX-License-Identifier: GPL-2.0
/* The mode of a device: which engine it points to, and how that changes. */
#include "mode.h"

#include "device.h"

#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

static const struct wg_engine *const engines[] = {
	&wg_inline_engine,
};

static const struct wg_engine *default_engine = &wg_inline_engine;

/* Also where the word ends in a newline, as from echo. */
static const struct wg_engine *find(const char *word)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(engines); i++) {
		if (sysfs_streq(word, engines[i]->name))
			return engines[i];
	}
	return NULL;
}

static int set_default(const char *word, const struct kernel_param *param)
{
	const struct wg_engine *engine = find(word);

	if (!engine) {
		pr_err("mode must be one of: inline\n");
		return -EINVAL;
	}
	WRITE_ONCE(default_engine, engine);
	return 0;
}

static int get_default(char *word, const struct kernel_param *param)
{
	return sysfs_emit(word, "%s\n", READ_ONCE(default_engine)->name);
}

static const struct kernel_param_ops default_ops = {
	.set = set_default,
	.get = get_default,
};
module_param_cb(mode, &default_ops, NULL, 0644);
MODULE_PARM_DESC(mode, "Mode of new devices: inline (default)");

/**
 * wg_mode_default() - the engine of a new device
 *
 * Return: the one that the module parameter names.
 */
const struct wg_engine *wg_mode_default(void)
{
	return READ_ONCE(default_engine);
}

/**
 * wg_mode_set() - change a device's mode
 * @wg: device
 * @word: name of a mode
 *
 * Context: process.
 * Return: 0, also where nothing changes; -EINVAL for a word that is no mode.
 */
int wg_mode_set(struct wg_device *wg, const char *word)
{
	const struct wg_engine *engine = find(word);

	if (!engine)
		return -EINVAL;
	WRITE_ONCE(wg->engine, engine);
	return 0;
}
