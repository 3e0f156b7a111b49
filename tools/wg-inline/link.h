/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_LINK_H
#define WGI_LINK_H

#include <linux/if_link.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * struct link - a network interface
 * @name: in this namespace
 * @alias: a text that may be stored with it; state of a bundle, see state.h
 * @kind: what its driver calls itself, empty for hardware and loopback
 * @index: number in this namespace
 * @group: interface group
 * @mtu: of what it carries
 * @up: administratively
 * @stats: what the kernel counts for every interface
 */
struct link {
	char name[IF_NAMESIZE];
	char kind[IF_NAMESIZE];
	char alias[256];
	unsigned int index;
	unsigned int group;
	unsigned int mtu;
	bool up;
	struct rtnl_link_stats64 stats;
};

/**
 * struct links - interfaces, in the order of their numbers
 * @count: how many
 * @of: they
 */
struct links {
	size_t count;
	struct link *of;
};

/**
 * links_get() - the WireGuard interfaces of this namespace
 * @links: filled, to be released by links_free(); empty after a failure
 * @name: only this one, or NULL for all
 *
 * They are known by what the kernel says that they are, never by name.
 *
 * Return: 0, or -1 after having said why: @name does not exist, or it is not a
 * WireGuard interface.
 */
int links_get(struct links *links, const char *name);

/**
 * link_add() - make a WireGuard interface
 * @name: of it
 * @index: set to its number
 *
 * If the kernel knows no such interfaces, their module is loaded.
 *
 * Return: 0, or -1 after having said why.
 */
int link_add(const char *name, unsigned int *index);

/* link_delete() - remove it; a negative error, about which nothing was said */
int link_delete(unsigned int index);

/**
 * link_change() - change an interface
 * @index: number
 * @mtu: 0 to leave it
 * @group: likewise
 * @alias: NULL to leave it
 * @up: true to bring it up, false to leave it
 *
 * Return: 0 or a negative error.
 */
int link_change(unsigned int index, unsigned int mtu, unsigned int group,
		const char *alias, bool up);

/* link_mtu() - of any interface, by its number; 0 if there is none */
unsigned int link_mtu(unsigned int index);

void links_free(struct links *links);

#endif
