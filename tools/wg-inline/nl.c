// SPDX-License-Identifier: GPL-2.0
/* Requests to the kernel and its answers. */
#include "nl.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct nl *nl_open(int bus)
{
	int yes = 1;
	struct nl *nl;

	nl = calloc(1, sizeof(*nl));
	if (!nl)
		return NULL;
	nl->sequence = time(NULL);
	nl->socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!nl->socket)
		goto err_free;
	if (mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		goto err_close;
	/* Without them it still works, with fewer words. */
	mnl_socket_setsockopt(nl->socket, NETLINK_EXT_ACK, &yes, sizeof(yes));
	mnl_socket_setsockopt(nl->socket, NETLINK_CAP_ACK, &yes, sizeof(yes));
	return nl;

err_close:
	mnl_socket_close(nl->socket);
err_free:
	free(nl);
	return NULL;
}

void nl_close(struct nl *nl)
{
	if (!nl)
		return;
	mnl_socket_close(nl->socket);
	free(nl);
}

static int read_family(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *have[CTRL_ATTR_MAX + 1];
	uint16_t *family = data;

	nl_payload(message, sizeof(struct genlmsghdr), have, CTRL_ATTR_MAX + 1);
	*family = nl_u16(have[CTRL_ATTR_FAMILY_ID]);
	return 0;
}

struct nl *nl_open_family(const char *name)
{
	struct nlmsghdr *message;
	uint16_t family = 0;
	struct nl *nl;
	int ret;

	nl = nl_open(NETLINK_GENERIC);
	if (!nl)
		return NULL;
	nl->family = GENL_ID_CTRL;
	message = nl_command(nl, CTRL_CMD_GETFAMILY, 1, 0);
	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, name);
	ret = nl_talk(nl, message, read_family, &family);
	if (!ret && !family)
		ret = -ENOENT;
	if (ret) {
		nl_close(nl);
		errno = -ret;
		return NULL;
	}
	nl->family = family;
	return nl;
}

struct nlmsghdr *nl_request(struct nl *nl, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(nl->room);

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	message->nlmsg_seq = ++nl->sequence;
	return message;
}

struct nlmsghdr *nl_command(struct nl *nl, uint8_t command, uint8_t version,
			    uint16_t flags)
{
	struct nlmsghdr *message = nl_request(nl, nl->family, flags);
	struct genlmsghdr *header;

	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->cmd = command;
	header->version = version;
	return message;
}

/* The kernel's words follow its error number, and the request if it is there. */
static void keep_words(struct nl *nl, const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	const struct nlattr *have[NLMSGERR_ATTR_MSG + 1];
	size_t header = sizeof(*error);

	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(message->nlmsg_flags & NLM_F_CAPPED))
		header += error->msg.nlmsg_len - sizeof(error->msg);
	nl_payload(message, header, have, NLMSGERR_ATTR_MSG + 1);
	strncpy(nl->said, nl_text(have[NLMSGERR_ATTR_MSG]),
		sizeof(nl->said) - 1);
}

/* The verdict that a message carries: 0 or a negative error. */
static int verdict(struct nl *nl, const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	size_t room = mnl_nlmsg_get_payload_len(message);

	if (message->nlmsg_type == NLMSG_DONE)
		return room < sizeof(int) ? 0 : *(const int *)error;
	if (room < sizeof(*error))
		return -EBADMSG;
	if (error->error)
		keep_words(nl, message);
	return error->error;
}

struct conversation {
	int (*each)(const struct nlmsghdr *message, void *data);
	void *data;
	int result;
	bool over;
};

static void hear(struct nl *nl, const struct nlmsghdr *message,
		 struct conversation *talk)
{
	int ret = 0;

	if (message->nlmsg_seq != nl->sequence)
		return;
	if (message->nlmsg_type == NLMSG_ERROR ||
	    message->nlmsg_type == NLMSG_DONE) {
		ret = verdict(nl, message);
		talk->over = true;
	} else if (message->nlmsg_flags & NLM_F_DUMP_INTR) {
		ret = -EINTR;
	} else if (talk->each && !talk->result) {
		ret = talk->each(message, talk->data);
	}
	if (!talk->result)
		talk->result = ret;
}

int nl_talk(struct nl *nl, struct nlmsghdr *message,
	    int (*each)(const struct nlmsghdr *message, void *data), void *data)
{
	struct conversation talk = { .each = each, .data = data };
	int left;

	nl->said[0] = '\0';
	if (mnl_socket_sendto(nl->socket, message, message->nlmsg_len) < 0)
		return -errno;
	while (!talk.over) {
		ssize_t got = mnl_socket_recvfrom(nl->socket, nl->room, NL_ROOM);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		left = got;
		message = (struct nlmsghdr *)nl->room;
		for (; mnl_nlmsg_ok(message, left) && !talk.over;
		     message = mnl_nlmsg_next(message, &left))
			hear(nl, message, &talk);
	}
	return talk.result;
}

void nl_index(const void *first, size_t length, const struct nlattr **table,
	      size_t size)
{
	const struct nlattr *at = first;
	int left = length;

	memset(table, 0, size * sizeof(*table));
	while (mnl_attr_ok(at, left)) {
		if (mnl_attr_get_type(at) < size)
			table[mnl_attr_get_type(at)] = at;
		left -= MNL_ALIGN(at->nla_len);
		at = mnl_attr_next(at);
	}
}

void nl_nested(const struct nlattr *attribute, const struct nlattr **table,
	       size_t size)
{
	if (!attribute)
		nl_index(NULL, 0, table, size);
	else
		nl_index(mnl_attr_get_payload(attribute),
			 mnl_attr_get_payload_len(attribute), table, size);
}

void nl_payload(const struct nlmsghdr *message, size_t header,
		const struct nlattr **table, size_t size)
{
	size_t room = mnl_nlmsg_get_payload_len(message);

	header = MNL_ALIGN(header);
	nl_index(mnl_nlmsg_get_payload_offset(message, header),
		 room > header ? room - header : 0, table, size);
}

static void number(const struct nlattr *attribute, void *to, size_t size)
{
	memset(to, 0, size);
	if (attribute && mnl_attr_get_payload_len(attribute) >= size)
		memcpy(to, mnl_attr_get_payload(attribute), size);
}

uint8_t nl_u8(const struct nlattr *attribute)
{
	uint8_t value;

	number(attribute, &value, sizeof(value));
	return value;
}

uint16_t nl_u16(const struct nlattr *attribute)
{
	uint16_t value;

	number(attribute, &value, sizeof(value));
	return value;
}

uint32_t nl_u32(const struct nlattr *attribute)
{
	uint32_t value;

	number(attribute, &value, sizeof(value));
	return value;
}

uint64_t nl_u64(const struct nlattr *attribute)
{
	uint64_t value;

	number(attribute, &value, sizeof(value));
	return value;
}

const char *nl_text(const struct nlattr *attribute)
{
	size_t length;

	if (!attribute)
		return "";
	length = mnl_attr_get_payload_len(attribute);
	if (!memchr(mnl_attr_get_payload(attribute), '\0', length))
		return "";
	return mnl_attr_get_str(attribute);
}

const char *nl_reason(const struct nl *nl, int error)
{
	return nl->said[0] ? nl->said : strerror(error < 0 ? -error : error);
}
