/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_MODULE_H
#define WGI_MODULE_H

/**
 * enum module_kind - which WireGuard it is
 * @MODULE_NONE: none at all
 * @MODULE_STOCK: the kernel's own
 * @MODULE_OURS: this project's
 * @MODULE_BUILTIN: the kernel's own, as a part of it that cannot be replaced
 */
enum module_kind {
	MODULE_NONE,
	MODULE_STOCK,
	MODULE_OURS,
	MODULE_BUILTIN,
};

/* struct module - one module, in memory or in a file */
struct module {
	enum module_kind kind;
	char version[32];
	char source[32];
	char path[512];
};

/**
 * struct modules - what is loaded, and what would be
 * @release: of the running kernel
 * @newest: release of the newest kernel that has modules here, which is what
 *	the next boot most likely takes; empty if there are none
 * @loaded: in memory
 * @disk: what modprobe finds for the running kernel
 * @next: what it will find with @newest
 */
struct modules {
	char release[65];
	char newest[256];
	struct module loaded;
	struct module disk;
	struct module next;
};

/* modules_get() - look; what cannot be read counts as not being there */
void modules_get(struct modules *modules);

/* module_word() - a kind in one word, as in JSON */
const char *module_word(enum module_kind kind);

/* modules_fallback() - is it stock that runs, or will, though ours is here? */
int modules_fallback(const struct modules *modules);

/* modules_warning() - what of it should worry a user, or NULL */
const char *modules_warning(const struct modules *modules);

/**
 * module_load() - have WireGuard loaded, as modprobe does
 *
 * Return: 0, also if it was loaded before; or a negative error.
 */
int module_load(void);

#endif
