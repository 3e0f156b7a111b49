// SPDX-License-Identifier: GPL-2.0
/* Network interfaces. */
#include "link.h"

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

void links_free(struct links *links)
{
	free(links->of);
	memset(links, 0, sizeof(*links));
}
