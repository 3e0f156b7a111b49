// SPDX-License-Identifier: GPL-2.0
/* Which WireGuard module is in memory, and which one the next boot finds. */
#include "module.h"

#include <dirent.h>
#include <errno.h>
#include <libkmod.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define MODULES "/lib/modules"
#define LOADED "/sys/module/wireguard"

static void copy(char *to, const char *from, size_t size)
{
	snprintf(to, size, "%s", from);
}

static bool read_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	bool good;

	if (!file)
		return false;
	good = fgets(line, size, file);
	fclose(file);
	line[good ? strcspn(line, "\n") : 0] = '\0';
	return good;
}

/*
 * The parameter tells them apart: stock WireGuard has none, and a version can
 * be anything.
 */
static void look_in_memory(struct module *module)
{
	memset(module, 0, sizeof(*module));
	if (access(LOADED, F_OK))
		return;
	if (!access(LOADED "/parameters/mode", F_OK))
		module->kind = MODULE_OURS;
	else if (!access(LOADED "/initstate", F_OK))
		module->kind = MODULE_STOCK;
	else
		module->kind = MODULE_BUILTIN;
	read_line(LOADED "/version", module->version, sizeof(module->version));
	read_line(LOADED "/srcversion", module->source, sizeof(module->source));
}

static void read_info(struct kmod_module *mod, struct module *module)
{
	struct kmod_list *info = NULL, *at;

	module->kind = MODULE_STOCK;
	if (kmod_module_get_info(mod, &info) < 0)
		return;
	kmod_list_foreach(at, info) {
		const char *key = kmod_module_info_get_key(at);
		const char *value = kmod_module_info_get_value(at);

		if (!strcmp(key, "version"))
			copy(module->version, value, sizeof(module->version));
		else if (!strcmp(key, "srcversion"))
			copy(module->source, value, sizeof(module->source));
		else if (!strcmp(key, "parm") && !strncmp(value, "mode:", 5))
			module->kind = MODULE_OURS;
	}
	kmod_module_info_free_list(info);
}

static void read_module(struct kmod_ctx *ctx, struct module *module)
{
	struct kmod_list *found = NULL;
	struct kmod_module *mod;
	const char *path;

	if (kmod_module_new_from_lookup(ctx, "wireguard", &found) < 0 || !found)
		return;
	mod = kmod_module_get_module(found);
	path = kmod_module_get_path(mod);
	if (path) {
		copy(module->path, path, sizeof(module->path));
		read_info(mod, module);
	} else {
		module->kind = MODULE_BUILTIN;
	}
	kmod_module_unref(mod);
	kmod_module_unref_list(found);
}

static void quiet(void *data, int priority, const char *file, int line,
		  const char *function, const char *format, va_list args)
{
	(void)data;
	(void)priority;
	(void)file;
	(void)line;
	(void)function;
	(void)format;
	(void)args;
}

static void look_on_disk(struct module *module, const char *release)
{
	struct kmod_ctx *ctx;
	char dir[512];

	memset(module, 0, sizeof(*module));
	snprintf(dir, sizeof(dir), MODULES "/%s", release);
	ctx = kmod_new(dir, NULL);
	if (!ctx)
		return;
	kmod_set_log_fn(ctx, quiet, NULL);
	read_module(ctx, module);
	kmod_unref(ctx);
}

/* A kernel that can be booted has a list of its modules. */
static bool has_modules(const char *release)
{
	char path[512];

	snprintf(path, sizeof(path), MODULES "/%s/modules.dep", release);
	return *release != '.' && !access(path, F_OK);
}

static void find_newest(char *newest, size_t size)
{
	struct dirent *entry;
	DIR *dir;

	*newest = '\0';
	dir = opendir(MODULES);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (has_modules(entry->d_name) &&
		    strverscmp(entry->d_name, newest) > 0)
			copy(newest, entry->d_name, size);
	}
	closedir(dir);
}

void modules_get(struct modules *modules)
{
	struct utsname system;

	uname(&system);
	copy(modules->release, system.release, sizeof(modules->release));
	find_newest(modules->newest, sizeof(modules->newest));
	look_in_memory(&modules->loaded);
	look_on_disk(&modules->disk, modules->release);
	if (*modules->newest)
		look_on_disk(&modules->next, modules->newest);
	else
		memset(&modules->next, 0, sizeof(modules->next));
}

const char *module_word(enum module_kind kind)
{
	static const char *const words[] = {
		[MODULE_NONE] = "none",
		[MODULE_STOCK] = "stock",
		[MODULE_OURS] = "ours",
		[MODULE_BUILTIN] = "builtin",
	};

	return words[kind];
}

static bool theirs(const struct module *module)
{
	return module->kind == MODULE_STOCK || module->kind == MODULE_BUILTIN;
}

/* Why packets do not, or soon will not, go through ours, though it is here. */
static const char *fallback(const struct modules *modules)
{
	const struct module *loaded = &modules->loaded, *disk = &modules->disk;

	if (theirs(loaded) && disk->kind == MODULE_OURS)
		return "stock WireGuard is loaded, though ours is installed";
	if (loaded->kind == MODULE_OURS && theirs(disk))
		return "the module on disk is stock: after a reload, ours is gone";
	if ((loaded->kind == MODULE_OURS || disk->kind == MODULE_OURS) &&
	    theirs(&modules->next))
		return "the newest kernel has stock WireGuard only: its boot falls back to it";
	return NULL;
}

int modules_fallback(const struct modules *modules)
{
	return !!fallback(modules);
}

const char *modules_warning(const struct modules *modules)
{
	const struct module *loaded = &modules->loaded, *disk = &modules->disk;
	const char *warning = fallback(modules);

	if (!warning && loaded->kind == MODULE_OURS &&
	    disk->kind == MODULE_OURS && strcmp(loaded->source, disk->source))
		warning = "the module on disk is another build than the one that is loaded";
	return warning;
}

int module_load(void)
{
	struct kmod_list *found = NULL, *at;
	struct kmod_ctx *ctx;
	int ret;

	ctx = kmod_new(NULL, NULL);
	if (!ctx)
		return -ENOMEM;
	kmod_set_log_fn(ctx, quiet, NULL);
	ret = kmod_module_new_from_lookup(ctx, "wireguard", &found);
	if (!ret && !found)
		ret = -ENOENT;
	kmod_list_foreach(at, found) {
		struct kmod_module *mod = kmod_module_get_module(at);

		ret = kmod_module_probe_insert_module(mod, 0, NULL, NULL, NULL,
						      NULL);
		kmod_module_unref(mod);
	}
	kmod_module_unref_list(found);
	kmod_unref(ctx);
	return ret;
}
