// SPDX-License-Identifier: GPL-2.0
/*
 * wg-inline doctor: does a rule of nftables give packets the mark of the connection
 * that they belong to, as those of wg-quick do? Those of the older iptables are not
 * seen, only of the one that speaks to nftables.
 */
#include "doctor.h"

#include "nl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_connmark.h>
#include <string.h>

#define TRIES 100

/* struct rule - does it read the mark of a connection, and set that of a packet? */
struct rule {
	bool reads;
	bool sets;
};

/* nftables has its numbers in network order. */
static uint32_t number(const struct nlattr *attribute)
{
	return ntohl(nl_u32(attribute));
}

static void look_at_ct(struct rule *rule, const struct nlattr *data)
{
	const struct nlattr *have[NFTA_CT_MAX + 1];

	nl_nested(data, have, NFTA_CT_MAX + 1);
	rule->reads |= have[NFTA_CT_DREG] &&
		       number(have[NFTA_CT_KEY]) == NFT_CT_MARK;
}

static void look_at_meta(struct rule *rule, const struct nlattr *data)
{
	const struct nlattr *have[NFTA_META_MAX + 1];

	nl_nested(data, have, NFTA_META_MAX + 1);
	rule->sets |= have[NFTA_META_SREG] &&
		      number(have[NFTA_META_KEY]) == NFT_META_MARK;
}

/* What the target CONNMARK does, in its first and its second form; -1 if neither. */
static int connmark_mode(const struct nlattr *info, uint32_t revision)
{
	const void *payload = mnl_attr_get_payload(info);
	size_t length = mnl_attr_get_payload_len(info);
	const struct xt_connmark_tginfo1 *first = payload;
	const struct xt_connmark_tginfo2 *second = payload;

	if (revision == 1 && length >= sizeof(*first))
		return first->mode;
	return revision == 2 && length >= sizeof(*second) ? second->mode : -1;
}

/* Of iptables, as nftables has it: -j CONNMARK --restore-mark */
static void look_at_target(struct rule *rule, const struct nlattr *data)
{
	const struct nlattr *have[NFTA_TARGET_MAX + 1];

	nl_nested(data, have, NFTA_TARGET_MAX + 1);
	if (have[NFTA_TARGET_INFO] &&
	    !strcmp(nl_text(have[NFTA_TARGET_NAME]), "CONNMARK") &&
	    connmark_mode(have[NFTA_TARGET_INFO],
			  number(have[NFTA_TARGET_REV])) == XT_CONNMARK_RESTORE)
		*rule = (struct rule){ .reads = true, .sets = true };
}

static void look_at_expression(struct rule *rule, const struct nlattr *at)
{
	const struct nlattr *have[NFTA_EXPR_MAX + 1];
	const char *name;

	nl_nested(at, have, NFTA_EXPR_MAX + 1);
	name = nl_text(have[NFTA_EXPR_NAME]);
	if (!strcmp(name, "ct"))
		look_at_ct(rule, have[NFTA_EXPR_DATA]);
	else if (!strcmp(name, "meta"))
		look_at_meta(rule, have[NFTA_EXPR_DATA]);
	else if (!strcmp(name, "target"))
		look_at_target(rule, have[NFTA_EXPR_DATA]);
}

static int look_at_rule(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *have[NFTA_RULE_MAX + 1];
	struct rule rule = { false, false };
	bool *restored = data;
	struct nlattr *at;

	nl_payload(message, sizeof(struct nfgenmsg), have, NFTA_RULE_MAX + 1);
	if (!have[NFTA_RULE_EXPRESSIONS])
		return 0;
	mnl_attr_for_each_nested(at, have[NFTA_RULE_EXPRESSIONS])
		look_at_expression(&rule, at);
	*restored |= rule.reads && rule.sets;
	return 0;
}

bool marks_restored(void)
{
	struct nl *nl = nl_open(NETLINK_NETFILTER);
	struct nlmsghdr *message;
	bool restored = false;
	int ret, tries = 0;

	if (!nl)
		return false;
	do {
		message = nl_request(nl, NFNL_SUBSYS_NFTABLES << 8 |
					 NFT_MSG_GETRULE, NLM_F_DUMP);
		mnl_nlmsg_put_extra_header(message, sizeof(struct nfgenmsg));
		ret = nl_talk(nl, message, look_at_rule, &restored);
	} while (ret == -EINTR && ++tries < TRIES);
	nl_close(nl);
	return restored;
}
