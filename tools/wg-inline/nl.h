/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_NL_H
#define WGI_NL_H

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel never sends more in one go than it is given room for. */
#define NL_ROOM 32768

/**
 * struct nl - a netlink socket and the request that is being made on it
 * @socket: libmnl's handle
 * @family: number of the generic netlink family, if it speaks one
 * @sequence: of the last request
 * @said: what the kernel added to its last refusal; empty if nothing
 * @room: the request, then the answers to it
 */
struct nl {
	struct mnl_socket *socket;
	uint16_t family;
	uint32_t sequence;
	char said[160];
	char room[NL_ROOM] __attribute__((aligned(8)));
};

/**
 * nl_open() - open a netlink socket in the current network namespace
 * @bus: NETLINK_ROUTE or NETLINK_GENERIC
 *
 * Return: to be closed by nl_close(), or NULL with errno set.
 */
struct nl *nl_open(int bus);

/**
 * nl_open_family() - open a socket for a generic netlink family
 * @name: the family's
 *
 * Asking for a family lets the kernel load the module that has it.
 *
 * Return: to be closed by nl_close(), or NULL with errno set; ENOENT if the
 * kernel has no such family.
 */
struct nl *nl_open_family(const char *name);

void nl_close(struct nl *nl);

/**
 * nl_request() - begin a request
 * @nl: socket
 * @type: of the message
 * @flags: beyond NLM_F_REQUEST and NLM_F_ACK
 *
 * Return: the message, in @nl's room.
 */
struct nlmsghdr *nl_request(struct nl *nl, uint16_t type, uint16_t flags);

/* nl_command() - the same for a command of @nl's family */
struct nlmsghdr *nl_command(struct nl *nl, uint8_t command, uint8_t version,
			    uint16_t flags);

/**
 * nl_talk() - send a request and read all that is answered
 * @nl: socket
 * @message: what nl_request() or nl_command() began
 * @each: called with each message of the answer, may be NULL; returns 0 or a
 *	negative error, which ends the conversation's use but not its reading
 * @data: for @each
 *
 * Return: 0, or a negative error; -EINTR if the kernel's state changed while
 * it was being dumped, so that @each may have seen something twice or not.
 */
int nl_talk(struct nl *nl, struct nlmsghdr *message,
	    int (*each)(const struct nlmsghdr *message, void *data), void *data);

/**
 * nl_index() - attributes by their type
 * @first: where they begin
 * @length: of all of them, in bytes
 * @table: filled; NULL where there is none
 * @size: entries in @table; higher types are not looked at
 */
void nl_index(const void *first, size_t length, const struct nlattr **table,
	      size_t size);

/* nl_nested() - the attributes in an attribute, nl_payload() - in a message */
void nl_nested(const struct nlattr *attribute, const struct nlattr **table,
	       size_t size);
void nl_payload(const struct nlmsghdr *message, size_t header,
		const struct nlattr **table, size_t size);

/* nl_u32() - the number in an attribute, 0 if there is none or it is short */
uint8_t nl_u8(const struct nlattr *attribute);
uint16_t nl_u16(const struct nlattr *attribute);
uint32_t nl_u32(const struct nlattr *attribute);
uint64_t nl_u64(const struct nlattr *attribute);

/* nl_text() - the string in an attribute, "" if there is none or no end to it */
const char *nl_text(const struct nlattr *attribute);

/* nl_reason() - why the kernel refused: its own words if it had any */
const char *nl_reason(const struct nl *nl, int error);

#endif
