// SPDX-License-Identifier: GPL-2.0
/* Addresses, next hops, routes and rules. */
#include "route.h"

#include "nl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#define NEW (NLM_F_CREATE | NLM_F_EXCL)
#define BUCKETS 256
/*
 * In hundredths of a second. A bucket in which nothing was sent for so long may be
 * moved to a tunnel that has come back; what it still lacks after UNBALANCED is
 * moved without regard, or it would get nothing where no bucket ever pauses.
 */
#define IDLE 400
#define UNBALANCED 3000

static size_t address_size(int family)
{
	return family == AF_INET6 ? sizeof(struct in6_addr) :
	       sizeof(struct in_addr);
}

static void put_address(struct nlmsghdr *message, uint16_t type,
			const struct prefix *prefix)
{
	mnl_attr_put(message, type, address_size(prefix->family), &prefix->v6);
}

/* The bits that count, and zeros. */
static struct prefix network(const struct prefix *prefix)
{
	struct prefix masked = *prefix;
	uint8_t *bytes = masked.v6.s6_addr;
	unsigned int i, bits = prefix->length;

	for (i = 0; i < address_size(prefix->family); i++) {
		bytes[i] &= bits >= 8 ? 0xff : 0xff00 >> bits;
		bits -= bits >= 8 ? 8 : bits;
	}
	return masked;
}

/* one() - begin the only request of a conversation, with its header */
static struct nl *one(uint16_t type, uint16_t flags, size_t header,
		      struct nlmsghdr **message, void **extra)
{
	struct nl *nl = nl_open(NETLINK_ROUTE);

	if (!nl)
		return NULL;
	*message = nl_request(nl, type, flags);
	*extra = mnl_nlmsg_put_extra_header(*message, header);
	return nl;
}

static int end(struct nl *nl, struct nlmsghdr *message,
	       int (*each)(const struct nlmsghdr *message, void *data),
	       void *data)
{
	int ret = nl_talk(nl, message, each, data);

	nl_close(nl);
	return ret;
}

int address_add(unsigned int index, const struct prefix *prefix, bool route)
{
	struct nlmsghdr *message;
	struct ifaddrmsg *header;
	void *extra;
	struct nl *nl;

	nl = one(RTM_NEWADDR, NEW, sizeof(*header), &message, &extra);
	if (!nl)
		return -errno;
	header = extra;
	header->ifa_family = prefix->family;
	header->ifa_prefixlen = prefix->length;
	header->ifa_index = index;
	put_address(message, IFA_LOCAL, prefix);
	put_address(message, IFA_ADDRESS, prefix);
	if (!route)
		mnl_attr_put_u32(message, IFA_FLAGS, IFA_F_NOPREFIXROUTE);
	return end(nl, message, NULL, NULL);
}

/* ---------------------------------------------------------- next hops -- */

uint32_t hop_id(unsigned int index, int family)
{
	return HOP_BASE | index << 1 | (family == AF_INET6);
}

uint32_t group_id(unsigned int first, unsigned int count, int family)
{
	return GROUP_BASE | first << 7 | count << 1 | (family == AF_INET6);
}

static struct nl *new_hop(uint8_t family, uint32_t id, uint16_t flags,
			  struct nlmsghdr **message)
{
	struct nhmsg *header;
	void *extra;
	struct nl *nl;

	nl = one(RTM_NEWNEXTHOP, flags, sizeof(*header), message, &extra);
	if (!nl)
		return NULL;
	header = extra;
	header->nh_family = family;
	header->nh_protocol = RTPROT_STATIC;
	mnl_attr_put_u32(*message, NHA_ID, id);
	return nl;
}

int hop_add(unsigned int index, int family)
{
	struct nlmsghdr *message;
	struct nl *nl;

	nl = new_hop(family, hop_id(index, family), NEW, &message);
	if (!nl)
		return -errno;
	mnl_attr_put_u32(message, NHA_OIF, index);
	return end(nl, message, NULL, NULL);
}

static int write_group(uint32_t id, const unsigned int *indexes,
		       unsigned int count, int family, uint16_t flags)
{
	struct nexthop_grp members[32] = { { .id = 0 } };
	struct nlmsghdr *message;
	struct nlattr *resilient;
	struct nl *nl;
	unsigned int i;

	for (i = 0; i < count; i++)
		members[i].id = hop_id(indexes[i], family);
	nl = new_hop(AF_UNSPEC, id, flags, &message);
	if (!nl)
		return -errno;
	mnl_attr_put(message, NHA_GROUP, count * sizeof(members[0]), members);
	mnl_attr_put_u16(message, NHA_GROUP_TYPE, NEXTHOP_GRP_TYPE_RES);
	resilient = mnl_attr_nest_start(message, NHA_RES_GROUP);
	mnl_attr_put_u16(message, NHA_RES_GROUP_BUCKETS, BUCKETS);
	mnl_attr_put_u32(message, NHA_RES_GROUP_IDLE_TIMER, IDLE);
	mnl_attr_put_u32(message, NHA_RES_GROUP_UNBALANCED_TIMER, UNBALANCED);
	mnl_attr_nest_end(message, resilient);
	return end(nl, message, NULL, NULL);
}

int group_add(uint32_t id, const unsigned int *indexes, unsigned int count,
	      int family)
{
	return write_group(id, indexes, count, family, NEW);
}

int group_change(uint32_t id, const unsigned int *indexes, unsigned int count,
		 int family)
{
	return write_group(id, indexes, count, family, NLM_F_REPLACE);
}

/* ------------------------------------------------------------- routes -- */

int route_add(const struct prefix *prefix, uint32_t table, uint32_t group,
	      unsigned int index, const struct prefix *source)
{
	struct prefix to = network(prefix);
	struct nlmsghdr *message;
	struct rtmsg *header;
	void *extra;
	struct nl *nl;

	nl = one(RTM_NEWROUTE, NEW, sizeof(*header), &message, &extra);
	if (!nl)
		return -errno;
	header = extra;
	header->rtm_family = to.family;
	header->rtm_dst_len = to.length;
	header->rtm_table = RT_TABLE_UNSPEC;
	header->rtm_protocol = RTPROT_STATIC;
	header->rtm_scope = to.family == AF_INET ? RT_SCOPE_LINK :
			    RT_SCOPE_UNIVERSE;
	header->rtm_type = RTN_UNICAST;
	put_address(message, RTA_DST, &to);
	mnl_attr_put_u32(message, RTA_TABLE, table);
	if (source)
		put_address(message, RTA_PREFSRC, source);
	if (group)
		mnl_attr_put_u32(message, RTA_NH_ID, group);
	else
		mnl_attr_put_u32(message, RTA_OIF, index);
	return end(nl, message, NULL, NULL);
}

static int is_ours(uint32_t id)
{
	return (id & GROUP_BASE) == GROUP_BASE;
}

struct foreign {
	char *text;
	size_t size;
};

static int look_for_foreign(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *have[RTA_NH_ID + 1];
	struct foreign *foreign = data;
	char address[INET6_ADDRSTRLEN];

	nl_payload(message, sizeof(*header), have, RTA_NH_ID + 1);
	if (!have[RTA_MULTIPATH] || is_ours(nl_u32(have[RTA_NH_ID])) ||
	    *foreign->text)
		return 0;
	if (!have[RTA_DST] ||
	    !inet_ntop(header->rtm_family, mnl_attr_get_payload(have[RTA_DST]),
		       address, sizeof(address)))
		snprintf(foreign->text, foreign->size, "default");
	else
		snprintf(foreign->text, foreign->size, "%s/%u", address,
			 header->rtm_dst_len);
	return 0;
}

static int dump_routes(int family,
		       int (*each)(const struct nlmsghdr *message, void *data),
		       void *data)
{
	struct nlmsghdr *message;
	struct rtmsg *header;
	void *extra;
	struct nl *nl;

	nl = one(RTM_GETROUTE, NLM_F_DUMP, sizeof(*header), &message, &extra);
	if (!nl)
		return -errno;
	header = extra;
	header->rtm_family = family;
	return end(nl, message, each, data);
}

int route_foreign(int family, char *text, size_t size)
{
	struct foreign foreign = { text, size };
	int ret, tries = 0;

	do {
		*text = '\0';
		ret = dump_routes(family, look_for_foreign, &foreign);
	} while (ret == -EINTR && ++tries < 100);
	return ret;
}

static int keep_interface(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *have[RTA_OIF + 1];
	unsigned int *index = data;

	nl_payload(message, sizeof(struct rtmsg), have, RTA_OIF + 1);
	*index = nl_u32(have[RTA_OIF]);
	return 0;
}

int route_interface(const struct sockaddr *address, uint32_t mark,
		    unsigned int *index)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	struct nlmsghdr *message;
	struct rtmsg *header;
	void *extra;
	struct nl *nl;

	*index = 0;
	nl = one(RTM_GETROUTE, 0, sizeof(*header), &message, &extra);
	if (!nl)
		return -errno;
	header = extra;
	header->rtm_family = address->sa_family;
	header->rtm_dst_len = 8 * address_size(address->sa_family);
	mnl_attr_put(message, RTA_DST, address_size(address->sa_family),
		     address->sa_family == AF_INET6 ? (void *)&v6->sin6_addr :
		     (void *)&v4->sin_addr);
	if (mark)
		mnl_attr_put_u32(message, RTA_MARK, mark);
	return end(nl, message, keep_interface, index);
}

struct table {
	uint32_t number;
	int used;
};

static int look_for_table(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *have[RTA_TABLE + 1];
	struct table *table = data;

	nl_payload(message, sizeof(struct rtmsg), have, RTA_TABLE + 1);
	if (nl_u32(have[RTA_TABLE]) == table->number)
		table->used = 1;
	return 0;
}

int table_used(uint32_t number)
{
	struct table table = { number, 0 };
	int ret;

	ret = dump_routes(AF_UNSPEC, look_for_table, &table);
	return ret && ret != -EINTR ? ret : table.used;
}

/* -------------------------------------------------------------- rules -- */

/*
 * Two of them, as wg-quick has it: what is not yet encrypted, and so not marked,
 * goes by @table; but before that by the main table, if that has more than a
 * default route for it. Both have the same priority, so the one that comes first
 * is the one that was added first.
 */
static int rule(uint16_t type, uint16_t flags, int family, uint32_t table,
		uint32_t priority, bool suppress)
{
	struct fib_rule_hdr *header;
	struct nlmsghdr *message;
	void *extra;
	struct nl *nl;

	nl = one(type, flags, sizeof(*header), &message, &extra);
	if (!nl)
		return -errno;
	header = extra;
	header->family = family;
	header->action = FR_ACT_TO_TBL;
	mnl_attr_put_u32(message, FRA_PRIORITY, priority);
	if (suppress) {
		mnl_attr_put_u32(message, FRA_TABLE, RT_TABLE_MAIN);
		mnl_attr_put_u32(message, FRA_SUPPRESS_PREFIXLEN, 0);
	} else {
		header->flags = FIB_RULE_INVERT;
		mnl_attr_put_u32(message, FRA_TABLE, table);
		mnl_attr_put_u32(message, FRA_FWMARK, table);
	}
	return end(nl, message, NULL, NULL);
}

int rules_add(int family, uint32_t table, uint32_t priority)
{
	int ret;

	ret = rule(RTM_NEWRULE, NLM_F_CREATE, family, table, priority, true);
	return ret ? ret : rule(RTM_NEWRULE, NLM_F_CREATE, family, table,
				priority, false);
}

void rules_delete(int family, uint32_t table, uint32_t priority)
{
	rule(RTM_DELRULE, 0, family, table, priority, false);
	rule(RTM_DELRULE, 0, family, table, priority, true);
}

static int keep_lowest(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *have[FRA_PRIORITY + 1];
	uint32_t *lowest = data, priority;

	nl_payload(message, sizeof(struct fib_rule_hdr), have,
		   FRA_PRIORITY + 1);
	priority = nl_u32(have[FRA_PRIORITY]);
	if (priority && priority < *lowest)
		*lowest = priority;
	return 0;
}

int rules_place(int family, uint32_t *priority)
{
	struct fib_rule_hdr *header;
	uint32_t lowest = 32766;
	struct nlmsghdr *message;
	void *extra;
	struct nl *nl;
	int ret;

	nl = one(RTM_GETRULE, NLM_F_DUMP, sizeof(*header), &message, &extra);
	if (!nl)
		return -errno;
	header = extra;
	header->family = family;
	ret = end(nl, message, keep_lowest, &lowest);
	*priority = lowest > 1 ? lowest - 1 : 1;
	return ret == -EINTR ? 0 : ret;
}
