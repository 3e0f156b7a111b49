// SPDX-License-Identifier: GPL-2.0
/* Network interfaces. */
#include "link.h"

#include "module.h"
#include "nl.h"
#include "say.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

/* How often to begin again when interfaces come and go meanwhile. */
#define TRIES 100

static void read_stats(struct rtnl_link_stats64 *to, const struct nlattr *from)
{
	size_t length;

	if (!from)
		return;
	length = mnl_attr_get_payload_len(from);
	memcpy(to, mnl_attr_get_payload(from),
	       length < sizeof(*to) ? length : sizeof(*to));
}

static void read_link(const struct nlmsghdr *message, struct link *link)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *have[IFLA_GROUP + 1];
	const struct nlattr *about[IFLA_INFO_KIND + 1];

	memset(link, 0, sizeof(*link));
	nl_payload(message, sizeof(*info), have, IFLA_GROUP + 1);
	nl_nested(have[IFLA_LINKINFO], about, IFLA_INFO_KIND + 1);
	strncpy(link->name, nl_text(have[IFLA_IFNAME]), IF_NAMESIZE - 1);
	strncpy(link->alias, nl_text(have[IFLA_IFALIAS]),
		sizeof(link->alias) - 1);
	strncpy(link->kind, nl_text(about[IFLA_INFO_KIND]), IF_NAMESIZE - 1);
	link->index = info->ifi_index;
	link->up = info->ifi_flags & IFF_UP;
	link->mtu = nl_u32(have[IFLA_MTU]);
	link->group = nl_u32(have[IFLA_GROUP]);
	read_stats(&link->stats, have[IFLA_STATS64]);
}

static int add_link(const struct nlmsghdr *message, void *data)
{
	struct links *links = data;
	struct link link, *more;

	read_link(message, &link);
	if (strcmp(link.kind, "wireguard"))
		return 0;
	more = reallocarray(links->of, links->count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	links->of = more;
	more[links->count++] = link;
	return 0;
}

static int by_index(const void *a, const void *b)
{
	const struct link *one = a, *other = b;

	return (one->index > other->index) - (one->index < other->index);
}

static int get_all(struct nl *nl, struct links *links)
{
	struct nlmsghdr *message;
	struct ifinfomsg *info;
	int ret, tries = 0;

	do {
		links_free(links);
		message = nl_request(nl, RTM_GETLINK, NLM_F_DUMP);
		info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
		info->ifi_family = AF_UNSPEC;
		ret = nl_talk(nl, message, add_link, links);
	} while (ret == -EINTR && ++tries < TRIES);
	if (ret)
		return fail("cannot list interfaces: %s", nl_reason(nl, ret));
	if (links->count)
		qsort(links->of, links->count, sizeof(*links->of), by_index);
	return 0;
}

static int keep_one(const struct nlmsghdr *message, void *data)
{
	struct links *links = data;

	read_link(message, links->of);
	links->count = 1;
	return 0;
}

static int get_one(struct nl *nl, struct links *links, const char *name)
{
	const char *kind, *article;
	struct nlmsghdr *message;
	struct ifinfomsg *info;
	int ret;

	if (!*name || strlen(name) >= IF_NAMESIZE)
		return fail("\"%s\" cannot be the name of an interface", name);
	links->of = calloc(1, sizeof(*links->of));
	if (!links->of)
		return fail("out of memory");
	message = nl_request(nl, RTM_GETLINK, 0);
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	ret = nl_talk(nl, message, keep_one, links);
	if (ret == -ENODEV || (!ret && !links->count))
		return fail("there is no interface %s", name);
	if (ret)
		return fail("cannot look up %s: %s", name, nl_reason(nl, ret));
	kind = links->of->kind;
	article = *kind ? "of kind " : "no tunnel at all";
	if (strcmp(kind, "wireguard"))
		return fail("%s is not a WireGuard interface: it is %s%s", name,
			    article, kind);
	return 0;
}

int links_get(struct links *links, const char *name)
{
	struct nl *nl;
	int ret;

	memset(links, 0, sizeof(*links));
	nl = nl_open(NETLINK_ROUTE);
	if (!nl)
		return fail("cannot talk to the kernel: %s", strerror(errno));
	ret = name ? get_one(nl, links, name) : get_all(nl, links);
	if (ret)
		links_free(links);
	nl_close(nl);
	return ret;
}

/* ------------------------------------------------------------ changes -- */

/* Does @fill's request for interface @index, or for a new one. */
static int ask(int type, unsigned int index, uint16_t flags,
	       void (*fill)(struct nlmsghdr *message, const void *data),
	       const void *data)
{
	struct nlmsghdr *message;
	struct ifinfomsg *info;
	struct nl *nl;
	int ret;

	nl = nl_open(NETLINK_ROUTE);
	if (!nl)
		return -errno;
	message = nl_request(nl, type, flags);
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = index;
	if (fill)
		fill(message, data);
	ret = nl_talk(nl, message, NULL, NULL);
	nl_close(nl);
	return ret;
}

static void fill_new(struct nlmsghdr *message, const void *name)
{
	struct nlattr *about;

	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	about = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "wireguard");
	mnl_attr_nest_end(message, about);
}

static int explain_add(const char *name, int error)
{
	switch (error) {
	case -EPERM:
		return fail("no permission to make interfaces: that takes CAP_NET_ADMIN");
	case -EEXIST:
		return fail("there is an interface %s already; if wg-quick made it: wg-quick down %s",
			    name, name);
	case -EOPNOTSUPP:
		return fail("the kernel has no WireGuard, and its module cannot be loaded");
	default:
		return fail("cannot make the interface %s: %s", name,
			    strerror(-error));
	}
}

int link_add(const char *name, unsigned int *index)
{
	uint16_t flags = NLM_F_CREATE | NLM_F_EXCL;
	int ret;

	ret = ask(RTM_NEWLINK, 0, flags, fill_new, name);
	if (ret == -EOPNOTSUPP && !module_load())
		ret = ask(RTM_NEWLINK, 0, flags, fill_new, name);
	if (ret)
		return explain_add(name, ret);
	*index = if_nametoindex(name);
	return *index ? 0 : fail("the interface %s has gone at once", name);
}

int link_delete(unsigned int index)
{
	return ask(RTM_DELLINK, index, 0, NULL, NULL);
}

struct change {
	unsigned int mtu;
	unsigned int group;
	const char *alias;
	bool up;
};

static void fill_change(struct nlmsghdr *message, const void *data)
{
	struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	const struct change *change = data;

	if (change->up) {
		info->ifi_flags = IFF_UP;
		info->ifi_change = IFF_UP;
	}
	if (change->mtu)
		mnl_attr_put_u32(message, IFLA_MTU, change->mtu);
	if (change->group)
		mnl_attr_put_u32(message, IFLA_GROUP, change->group);
	if (change->alias)
		mnl_attr_put_str(message, IFLA_IFALIAS, change->alias);
}

int link_change(unsigned int index, unsigned int mtu, unsigned int group,
		const char *alias, bool up)
{
	struct change change = { mtu, group, alias, up };

	return ask(RTM_NEWLINK, index, 0, fill_change, &change);
}

static int keep_link(const struct nlmsghdr *message, void *data)
{
	read_link(message, data);
	return 0;
}

unsigned int link_mtu(unsigned int index)
{
	struct nlmsghdr *message;
	struct ifinfomsg *info;
	struct link link = { .mtu = 0 };
	struct nl *nl;

	nl = nl_open(NETLINK_ROUTE);
	if (!nl)
		return 0;
	message = nl_request(nl, RTM_GETLINK, 0);
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = index;
	nl_talk(nl, message, keep_link, &link);
	nl_close(nl);
	return link.mtu;
}

void links_free(struct links *links)
{
	free(links->of);
	memset(links, 0, sizeof(*links));
}
