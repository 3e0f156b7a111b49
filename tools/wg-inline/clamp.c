// SPDX-License-Identifier: GPL-2.0
/* A table of nftables. */
#include "clamp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FORWARD "forward"
#define OUT "postrouting"
#define IN "prerouting"
/* Where nft's "mangle" is, before filters. */
#define PRIORITY (-150)
#define ROOM 16384

/**
 * struct batch - changes that are made all at once or not at all
 * @table: that they are about
 * @at: the message that is being written
 * @sequence: of it
 * @list: of the rule that is being written, its expressions
 * @room: for all messages
 */
struct batch {
	char table[32];
	struct nlmsghdr *at;
	uint32_t sequence;
	struct nlattr *list;
	char room[ROOM] __attribute__((aligned(8)));
};

/* ------------------------------------------------------------- messages -- */

static void put(struct batch *batch, uint16_t type, uint16_t flags,
		uint8_t family, uint16_t subsystem)
{
	void *next = batch->room;
	struct nfgenmsg *header;

	if (batch->at)
		next = mnl_nlmsg_get_payload_tail(batch->at);
	batch->at = mnl_nlmsg_put_header(next);
	batch->at->nlmsg_type = type;
	batch->at->nlmsg_flags = NLM_F_REQUEST | flags;
	batch->at->nlmsg_seq = ++batch->sequence;
	header = mnl_nlmsg_put_extra_header(batch->at, sizeof(*header));
	header->nfgen_family = family;
	header->version = NFNETLINK_V0;
	header->res_id = htons(subsystem);
}

static void begin(struct batch *batch, const char *name)
{
	memset(batch, 0, sizeof(*batch));
	snprintf(batch->table, sizeof(batch->table), "wg-inline-%s", name);
	put(batch, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

static void change(struct batch *batch, uint16_t type, uint16_t flags)
{
	put(batch, NFNL_SUBSYS_NFTABLES << 8 | type, flags, NFPROTO_INET, 0);
}

static void table(struct batch *batch, uint16_t type, uint16_t flags)
{
	change(batch, type, flags);
	mnl_attr_put_strz(batch->at, NFTA_TABLE_NAME, batch->table);
}

/* The answer to the last change, or the first that is no success. */
static int receive(struct mnl_socket *socket, uint32_t last)
{
	char answer[ROOM] __attribute__((aligned(8)));
	const struct nlmsgerr *error;
	const struct nlmsghdr *at;
	ssize_t got;
	int left;

	for (;;) {
		got = mnl_socket_recvfrom(socket, answer, sizeof(answer));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		at = (const void *)answer;
		left = got;
		for (; mnl_nlmsg_ok(at, left); at = mnl_nlmsg_next(at, &left)) {
			if (at->nlmsg_type != NLMSG_ERROR)
				continue;
			error = mnl_nlmsg_get_payload(at);
			if (error->error || at->nlmsg_seq == last)
				return error->error;
		}
	}
}

static int commit(struct batch *batch)
{
	uint32_t last = batch->sequence;
	struct mnl_socket *socket;
	size_t length;
	int ret;

	batch->at->nlmsg_flags |= NLM_F_ACK;
	put(batch, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	length = (char *)mnl_nlmsg_get_payload_tail(batch->at) - batch->room;
	socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!socket)
		return errno == EPROTONOSUPPORT ? -EOPNOTSUPP : -errno;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(socket, batch->room, length) < 0)
		ret = -errno;
	else
		ret = receive(socket, last);
	mnl_socket_close(socket);
	return ret;
}

/* ------------------------------------------------------------ expressions -- */

static void put_u32(struct batch *batch, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(batch->at, type, htonl(value));
}

static void put_data(struct batch *batch, uint16_t type, const void *data,
		     size_t length)
{
	struct nlattr *nest = mnl_attr_nest_start(batch->at, type);

	mnl_attr_put(batch->at, NFTA_DATA_VALUE, length, data);
	mnl_attr_nest_end(batch->at, nest);
}

/* struct expression - the two attributes that one is within */
struct expression {
	struct nlattr *element;
	struct nlattr *data;
};

static struct expression open_expression(struct batch *batch, const char *name)
{
	struct expression expression;

	expression.element = mnl_attr_nest_start(batch->at, NFTA_LIST_ELEM);
	mnl_attr_put_strz(batch->at, NFTA_EXPR_NAME, name);
	expression.data = mnl_attr_nest_start(batch->at, NFTA_EXPR_DATA);
	return expression;
}

static void close_expression(struct batch *batch, struct expression expression)
{
	mnl_attr_nest_end(batch->at, expression.data);
	mnl_attr_nest_end(batch->at, expression.element);
}

static void compare(struct batch *batch, const void *data, size_t length)
{
	struct expression this = open_expression(batch, "cmp");

	put_u32(batch, NFTA_CMP_SREG, NFT_REG_1);
	put_u32(batch, NFTA_CMP_OP, NFT_CMP_EQ);
	put_data(batch, NFTA_CMP_DATA, data, length);
	close_expression(batch, this);
}

static void match_meta(struct batch *batch, uint32_t key, const void *data,
		       size_t length)
{
	struct expression this = open_expression(batch, "meta");

	put_u32(batch, NFTA_META_KEY, key);
	put_u32(batch, NFTA_META_DREG, NFT_REG_1);
	close_expression(batch, this);
	compare(batch, data, length);
}

/* tcp flags & (syn | rst) == syn */
static void match_syn(struct batch *batch)
{
	static const uint8_t mask = TH_SYN | TH_RST, syn = TH_SYN, none;
	struct expression this = open_expression(batch, "payload");

	put_u32(batch, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_u32(batch, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
	put_u32(batch, NFTA_PAYLOAD_OFFSET, 13);
	put_u32(batch, NFTA_PAYLOAD_LEN, sizeof(mask));
	close_expression(batch, this);
	this = open_expression(batch, "bitwise");
	put_u32(batch, NFTA_BITWISE_SREG, NFT_REG_1);
	put_u32(batch, NFTA_BITWISE_DREG, NFT_REG_1);
	put_u32(batch, NFTA_BITWISE_LEN, sizeof(mask));
	put_data(batch, NFTA_BITWISE_MASK, &mask, sizeof(mask));
	put_data(batch, NFTA_BITWISE_XOR, &none, sizeof(none));
	close_expression(batch, this);
	compare(batch, &syn, sizeof(syn));
}

/* The kernel itself only ever lowers it. */
static void set_segment(struct batch *batch, uint16_t size)
{
	struct expression this = open_expression(batch, "immediate");
	uint16_t value = htons(size);

	put_u32(batch, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	put_data(batch, NFTA_IMMEDIATE_DATA, &value, sizeof(value));
	close_expression(batch, this);
	this = open_expression(batch, "exthdr");
	put_u32(batch, NFTA_EXTHDR_SREG, NFT_REG_1);
	mnl_attr_put_u8(batch->at, NFTA_EXTHDR_TYPE, TCPOPT_MAXSEG);
	put_u32(batch, NFTA_EXTHDR_OFFSET, 2);
	put_u32(batch, NFTA_EXTHDR_LEN, sizeof(value));
	put_u32(batch, NFTA_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT);
	close_expression(batch, this);
}

/* A mark to or from the register, as @way says, which is the same one always. */
static void move_mark(struct batch *batch, const char *name, uint16_t way,
		      uint16_t key, uint32_t mark)
{
	struct expression this = open_expression(batch, name);

	put_u32(batch, key, mark);
	put_u32(batch, way, NFT_REG_1);
	close_expression(batch, this);
}

/* ---------------------------------------------------------------- rules -- */

static void chain(struct batch *batch, const char *name, uint32_t number)
{
	struct nlattr *hook;

	change(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	mnl_attr_put_strz(batch->at, NFTA_CHAIN_TABLE, batch->table);
	mnl_attr_put_strz(batch->at, NFTA_CHAIN_NAME, name);
	mnl_attr_put_strz(batch->at, NFTA_CHAIN_TYPE, "filter");
	hook = mnl_attr_nest_start(batch->at, NFTA_CHAIN_HOOK);
	put_u32(batch, NFTA_HOOK_HOOKNUM, number);
	put_u32(batch, NFTA_HOOK_PRIORITY, (uint32_t)PRIORITY);
	mnl_attr_nest_end(batch->at, hook);
}

static void open_rule(struct batch *batch, const char *name)
{
	change(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	mnl_attr_put_strz(batch->at, NFTA_RULE_TABLE, batch->table);
	mnl_attr_put_strz(batch->at, NFTA_RULE_CHAIN, name);
	batch->list = mnl_attr_nest_start(batch->at, NFTA_RULE_EXPRESSIONS);
}

static void close_rule(struct batch *batch)
{
	mnl_attr_nest_end(batch->at, batch->list);
}

static void match_protocols(struct batch *batch, uint8_t family,
			    uint8_t protocol)
{
	match_meta(batch, NFT_META_NFPROTO, &family, sizeof(family));
	match_meta(batch, NFT_META_L4PROTO, &protocol, sizeof(protocol));
}

static void clamp(struct batch *batch, uint32_t direction, uint32_t group,
		  uint8_t family, uint16_t size)
{
	open_rule(batch, FORWARD);
	match_meta(batch, direction, &group, sizeof(group));
	match_protocols(batch, family, IPPROTO_TCP);
	match_syn(batch);
	set_segment(batch, size);
	close_rule(batch);
}

/* What is sent outside gives its mark to its connection, and answers get it back. */
static void keep_mark(struct batch *batch, uint8_t family, uint32_t mark)
{
	open_rule(batch, OUT);
	match_protocols(batch, family, IPPROTO_UDP);
	match_meta(batch, NFT_META_MARK, &mark, sizeof(mark));
	move_mark(batch, "ct", NFTA_CT_SREG, NFTA_CT_KEY, NFT_CT_MARK);
	close_rule(batch);
	open_rule(batch, IN);
	match_protocols(batch, family, IPPROTO_UDP);
	move_mark(batch, "ct", NFTA_CT_DREG, NFTA_CT_KEY, NFT_CT_MARK);
	compare(batch, &mark, sizeof(mark));
	move_mark(batch, "meta", NFTA_META_SREG, NFTA_META_KEY, NFT_META_MARK);
	close_rule(batch);
}

static void keep_marks(struct batch *batch, const struct state *state)
{
	if (!state->rules4 && !state->rules6)
		return;
	chain(batch, OUT, NF_INET_POST_ROUTING);
	chain(batch, IN, NF_INET_PRE_ROUTING);
	if (state->rules4)
		keep_mark(batch, NFPROTO_IPV4, state->table);
	if (state->rules6)
		keep_mark(batch, NFPROTO_IPV6, state->table);
}

int clamp_set(const struct state *state, uint32_t group, unsigned int mtu)
{
	static const uint32_t directions[] = {
		NFT_META_IIFGROUP, NFT_META_OIFGROUP,
	};
	struct batch batch;
	int i;

	begin(&batch, state->bundle);
	/* It has to be there to be deleted, and again to be as it should be. */
	table(&batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	table(&batch, NFT_MSG_DELTABLE, 0);
	table(&batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	chain(&batch, FORWARD, NF_INET_FORWARD);
	for (i = 0; i < 2; i++) {
		clamp(&batch, directions[i], group, NFPROTO_IPV4, mtu - 40);
		clamp(&batch, directions[i], group, NFPROTO_IPV6, mtu - 60);
	}
	keep_marks(&batch, state);
	return commit(&batch);
}

int clamp_remove(const char *name)
{
	struct batch batch;
	int ret;

	begin(&batch, name);
	table(&batch, NFT_MSG_DELTABLE, 0);
	ret = commit(&batch);
	return ret == -ENOENT || ret == -EOPNOTSUPP ? 0 : ret;
}
