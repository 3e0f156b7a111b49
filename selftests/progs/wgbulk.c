// SPDX-License-Identifier: GPL-2.0
/*
 * wgbulk - configure very many peers of a WireGuard device, fast
 *
 *   wgbulk DEV add FIRST COUNT IPS   peers FIRST to FIRST + COUNT - 1, each
 *                                    with IPS (0 or 1) allowed IPs
 *   wgbulk DEV del FIRST COUNT       remove them again
 *   wgbulk DEV flush                 remove all peers in one request
 *   wgbulk DEV key HEX               set the private key
 *   wgbulk DEV dump                  read everything, count
 *
 * Peer N has a key made from N, and 10.0.0.0 + N as its allowed IP. The answer
 * is one line: what was done, how many, and the seconds that it took.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/wireguard.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FULL 60000	/* a nested attribute ends at 65535 */

static unsigned char buf[1 << 17] __attribute__((aligned(8)));
static struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
static int fd, family;
static uint32_t seq;
static const char *dev;

static void fail(const char *what, int err)
{
	fprintf(stderr, "wgbulk: %s: %s\n", what, strerror(err));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static struct nlattr *put(int type, const void *data, int len)
{
	struct nlattr *a = (void *)(buf + NLMSG_ALIGN(nlh->nlmsg_len));

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy((char *)a + NLA_HDRLEN, data, len);
	nlh->nlmsg_len = NLMSG_ALIGN(nlh->nlmsg_len) + NLA_ALIGN(a->nla_len);
	return a;
}

static void put_u16(int type, uint16_t v)
{
	put(type, &v, sizeof(v));
}

static struct nlattr *nest(int type)
{
	return put(type | NLA_F_NESTED, NULL, 0);
}

static void nest_end(struct nlattr *a)
{
	a->nla_len = buf + nlh->nlmsg_len - (unsigned char *)a;
}

static void start(int type, int cmd, int flags)
{
	struct genlmsghdr *g = NLMSG_DATA(nlh);

	memset(buf, 0, NLMSG_HDRLEN + GENL_HDRLEN);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++seq;
	nlh->nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN;
	g->cmd = cmd;
	g->version = 1;
}

static void start_set(void)
{
	start(family, WG_CMD_SET_DEVICE, NLM_F_ACK);
	put(WGDEVICE_A_IFNAME, dev, strlen(dev) + 1);
}

static void transmit(void)
{
	if (send(fd, buf, nlh->nlmsg_len, 0) < 0)
		fail("send", errno);
}

static void acknowledged(void)
{
	unsigned char in[4096] __attribute__((aligned(8)));
	struct nlmsghdr *h = (void *)in;
	struct nlmsgerr *e = NLMSG_DATA(h);

	transmit();
	if (recv(fd, in, sizeof(in), 0) < 0)
		fail("recv", errno);
	if (h->nlmsg_type != NLMSG_ERROR)
		fail("unexpected answer", EPROTO);
	if (e->error)
		fail("the kernel says", -e->error);
}

static void find_family(void)
{
	unsigned char in[8192] __attribute__((aligned(8)));
	struct nlmsghdr *h = (void *)in;
	struct nlattr *a;
	int left;

	start(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	put(CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME, sizeof(WG_GENL_NAME));
	transmit();
	if (recv(fd, in, sizeof(in), 0) < 0)
		fail("recv", errno);
	if (h->nlmsg_type == NLMSG_ERROR)
		fail("no WireGuard in this kernel", ENOENT);
	a = (void *)((char *)NLMSG_DATA(h) + GENL_HDRLEN);
	left = h->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;
	while (left >= NLA_HDRLEN) {
		if (a->nla_type == CTRL_ATTR_FAMILY_ID)
			family = *(uint16_t *)((char *)a + NLA_HDRLEN);
		left -= NLA_ALIGN(a->nla_len);
		a = (void *)((char *)a + NLA_ALIGN(a->nla_len));
	}
}

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static void put_peer(uint32_t n, int ips, uint32_t flags)
{
	struct nlattr *peer, *list, *ip;
	uint64_t key[4];
	uint32_t address = htonl(0x0a000000 + n);
	uint8_t cidr = 32;

	for (int i = 0; i < 4; i++)
		key[i] = mix((uint64_t)n << 2 | i);
	peer = nest(0);
	put(WGPEER_A_PUBLIC_KEY, key, sizeof(key));
	if (flags)
		put(WGPEER_A_FLAGS, &flags, sizeof(flags));
	if (ips) {
		list = nest(WGPEER_A_ALLOWEDIPS);
		ip = nest(0);
		put_u16(WGALLOWEDIP_A_FAMILY, AF_INET);
		put(WGALLOWEDIP_A_IPADDR, &address, sizeof(address));
		put(WGALLOWEDIP_A_CIDR_MASK, &cidr, sizeof(cidr));
		nest_end(ip);
		nest_end(list);
	}
	nest_end(peer);
}

static void peers(uint32_t first, uint32_t count, int ips, uint32_t flags)
{
	struct nlattr *list;
	uint32_t n = first;

	while (n < first + count) {
		start_set();
		list = nest(WGDEVICE_A_PEERS);
		while (n < first + count && nlh->nlmsg_len < FULL)
			put_peer(n++, ips, flags);
		nest_end(list);
		acknowledged();
	}
}

static void set_key(const char *hex)
{
	unsigned char key[32];

	for (int i = 0; i < 32; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &key[i]) != 1)
			fail("a key is 64 hex digits", EINVAL);
	start_set();
	put(WGDEVICE_A_PRIVATE_KEY, key, sizeof(key));
	acknowledged();
}

static void flush(void)
{
	uint32_t flags = WGDEVICE_F_REPLACE_PEERS;

	start_set();
	put(WGDEVICE_A_FLAGS, &flags, sizeof(flags));
	acknowledged();
}

static int count_in(struct nlattr *list, int type, int *ips)
{
	struct nlattr *a = (void *)((char *)list + NLA_HDRLEN);
	int left = list->nla_len - NLA_HDRLEN, found = 0;

	while (left >= NLA_HDRLEN) {
		struct nlattr *b = (void *)((char *)a + NLA_HDRLEN);
		int inside = a->nla_len - NLA_HDRLEN;

		while (inside >= NLA_HDRLEN) {
			if ((b->nla_type & NLA_TYPE_MASK) == type)
				found++;
			if (ips && (b->nla_type & NLA_TYPE_MASK) ==
			    WGPEER_A_ALLOWEDIPS)
				*ips += count_in(b, WGALLOWEDIP_A_IPADDR, NULL);
			inside -= NLA_ALIGN(b->nla_len);
			b = (void *)((char *)b + NLA_ALIGN(b->nla_len));
		}
		left -= NLA_ALIGN(a->nla_len);
		a = (void *)((char *)a + NLA_ALIGN(a->nla_len));
	}
	return found;
}

static int dump(int *ips)
{
	static unsigned char in[1 << 17] __attribute__((aligned(8)));
	int found = 0;

	start(family, WG_CMD_GET_DEVICE, NLM_F_DUMP);
	put(WGDEVICE_A_IFNAME, dev, strlen(dev) + 1);
	transmit();
	for (;;) {
		int len = recv(fd, in, sizeof(in), 0);
		struct nlmsghdr *h = (void *)in;

		if (len < 0)
			fail("recv", errno);
		for (; NLMSG_OK(h, (unsigned int)len); h = NLMSG_NEXT(h, len)) {
			struct nlattr *a = (void *)((char *)NLMSG_DATA(h) +
						    GENL_HDRLEN);
			int left = h->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;

			if (h->nlmsg_type == NLMSG_DONE)
				return found;
			if (h->nlmsg_type == NLMSG_ERROR)
				fail("dump", EPROTO);
			while (left >= NLA_HDRLEN) {
				if ((a->nla_type & NLA_TYPE_MASK) ==
				    WGDEVICE_A_PEERS)
					found += count_in(a,
							  WGPEER_A_PUBLIC_KEY,
							  ips);
				left -= NLA_ALIGN(a->nla_len);
				a = (void *)((char *)a +
					     NLA_ALIGN(a->nla_len));
			}
		}
	}
}

int main(int argc, char **argv)
{
	int size = 1 << 20, done = 1, ips = 0;
	double begin;

	if (argc < 3)
		fail("DEV add|del|flush|key|dump ...", EINVAL);
	dev = argv[1];
	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	if (fd < 0)
		fail("socket", errno);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	find_family();
	begin = now();
	if (!strcmp(argv[2], "add") && argc == 6) {
		done = atoi(argv[4]);
		peers(atoi(argv[3]), done, atoi(argv[5]), 0);
	} else if (!strcmp(argv[2], "del") && argc == 5) {
		done = atoi(argv[4]);
		peers(atoi(argv[3]), done, 0, WGPEER_F_REMOVE_ME);
	} else if (!strcmp(argv[2], "flush")) {
		flush();
	} else if (!strcmp(argv[2], "key") && argc == 4) {
		set_key(argv[3]);
	} else if (!strcmp(argv[2], "dump")) {
		done = dump(&ips);
	} else {
		fail("unknown command", EINVAL);
	}
	printf("%s %d %d %.3f\n", argv[2], done, ips, now() - begin);
	return 0;
}
