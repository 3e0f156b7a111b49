// SPDX-License-Identifier: GPL-2.0
/* Echo requests through a tunnel, and the answers. */
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <sodium.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* No more of what is heard is looked at than this. */
#define LOOKED_AT 128
#define HOPS 64
/* The header of a piece of IPv6, or the least of one of IPv4. */
#define LEAST_PIECE 8

/* struct echo - the header of an echo, and what ours begin with */
struct echo {
	uint8_t type;
	uint8_t code;
	uint16_t sum;
	uint16_t id;
	uint16_t sequence;
	uint64_t secret;
	uint64_t token;
	uint32_t size;
} __attribute__((packed, aligned(2)));

/* What is added up for the checksum of ICMPv6, before the echo. */
struct pseudo {
	struct in6_addr from;
	struct in6_addr to;
	uint32_t length;
	uint32_t next;
};

/* ------------------------------------------------------------- hearing -- */

/**
 * struct family - how answers look in packets of IPv4 or IPv6
 * @width: of the field that tells a piece of a packet: BPF_B or BPF_H
 * @field: where that is
 * @test: BPF_JEQ or BPF_JSET
 * @piece: what it is tested with
 * @next: where the protocol is
 * @icmp: which has to be that
 * @header: its length; of IPv4 that of one without options: ours have none
 * @reply: type of the answer to an echo
 */
struct family {
	uint16_t width;
	uint32_t field;
	uint16_t test;
	uint32_t piece;
	uint32_t next;
	uint32_t icmp;
	uint32_t header;
	uint32_t reply;
};

static const struct family families[] = {
	{
		BPF_H, offsetof(struct iphdr, frag_off),
		BPF_JSET, IP_MF | IP_OFFMASK,
		offsetof(struct iphdr, protocol), IPPROTO_ICMP,
		sizeof(struct iphdr), ICMP_ECHOREPLY,
	}, {
		BPF_B, offsetof(struct ip6_hdr, ip6_nxt),
		BPF_JEQ, IPPROTO_FRAGMENT,
		offsetof(struct ip6_hdr, ip6_nxt), IPPROTO_ICMPV6,
		sizeof(struct ip6_hdr), ICMP6_ECHO_REPLY,
	},
};

static int listen_to(const struct probe *probe, int i, bool pieces)
{
	const struct family *family = &families[i];
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | family->width | BPF_ABS, family->field),
		BPF_JUMP(BPF_JMP | family->test | BPF_K, family->piece,
			 pieces ? 6 : 7, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, family->next),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, family->icmp, 0, 5),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, family->header),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, family->reply, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS,
			 family->header + offsetof(struct echo, id)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohs(probe->id), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, LOOKED_AT),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	return setsockopt(probe->sockets[i], SOL_SOCKET, SO_ATTACH_FILTER,
			  &program, sizeof(program));
}

int probe_pieces(const struct probe *probe, bool wanted)
{
	return listen_to(probe, 0, wanted) || listen_to(probe, 1, wanted) ?
	       -errno : 0;
}

/* It hears nothing before it has a protocol, and so nothing without the filter. */
static int begin(int fd, uint16_t protocol)
{
	struct sockaddr_ll all = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
	};

	return bind(fd, (struct sockaddr *)&all, sizeof(all));
}

int probe_open(struct probe *probe)
{
	int ret = 0, i, type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

	probe->id = randombytes_random();
	randombytes_buf(&probe->secret, sizeof(probe->secret));
	probe->sockets[1] = -1;
	for (i = 0; i < 2 && !ret; i++) {
		probe->sockets[i] = socket(AF_PACKET, type, 0);
		if (probe->sockets[i] < 0)
			ret = -errno;
	}
	if (!ret)
		ret = probe_pieces(probe, false);
	if (!ret && (begin(probe->sockets[0], ETH_P_IP) ||
		     begin(probe->sockets[1], ETH_P_IPV6)))
		ret = -errno;
	if (ret)
		probe_close(probe);
	return ret;
}

void probe_close(struct probe *probe)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (probe->sockets[i] >= 0)
			close(probe->sockets[i]);
	}
}

static bool is_piece_v4(const struct iphdr *ip, struct answer *answer)
{
	uint16_t where = ntohs(ip->frag_off);

	if (!(where & (IP_MF | IP_OFFMASK)))
		return false;
	answer->size = where & IP_MF ? 0 : (where & IP_OFFMASK) * 8 +
		       ntohs(ip->tot_len) - ip->ihl * 4;
	return true;
}

static bool is_piece_v6(const struct ip6_hdr *ip, struct answer *answer)
{
	const struct ip6_frag *piece = (const void *)(ip + 1);
	bool more = piece->ip6f_offlg & IP6F_MORE_FRAG;

	if (ip->ip6_nxt != IPPROTO_FRAGMENT)
		return false;
	answer->size = more ? 0 : ntohs(piece->ip6f_offlg & IP6F_OFF_MASK) +
		       ntohs(ip->ip6_plen) - sizeof(*piece);
	return true;
}

static void read_from(struct prefix *from, const uint8_t *packet, int family)
{
	const struct ip6_hdr *v6 = (const void *)packet;
	const struct iphdr *v4 = (const void *)packet;

	memset(from, 0, sizeof(*from));
	from->family = family;
	from->length = family == AF_INET6 ? 128 : 32;
	if (family == AF_INET6)
		from->v6 = v6->ip6_src;
	else
		from->v4.s_addr = v4->saddr;
}

bool probe_hear(const struct probe *probe, int family, struct answer *answer)
{
	size_t header = family == AF_INET6 ? sizeof(struct ip6_hdr) :
			sizeof(struct iphdr);
	int fd = probe->sockets[family == AF_INET6];
	uint8_t packet[LOOKED_AT] __attribute__((aligned(8)));
	const struct echo *echo = (const void *)(packet + header);
	struct sockaddr_ll by;
	socklen_t length;
	ssize_t got;

	for (;;) {
		length = sizeof(by);
		got = recvfrom(fd, packet, sizeof(packet), 0,
			       (struct sockaddr *)&by, &length);
		if (got < 0 && (errno == EINTR || errno == ENETDOWN))
			continue;
		if (got < 0)
			return false;
		if ((size_t)got < header + LEAST_PIECE)
			continue;
		answer->index = by.sll_ifindex;
		read_from(&answer->from, packet, family);
		answer->piece = family == AF_INET6 ?
				is_piece_v6((void *)packet, answer) :
				is_piece_v4((void *)packet, answer);
		if (answer->piece)
			return true;
		if ((size_t)got < header + sizeof(*echo) ||
		    echo->secret != probe->secret)
			continue;
		answer->token = echo->token;
		answer->size = echo->size;
		return true;
	}
}

/* ------------------------------------------------------------- sending -- */

static uint32_t add_up(const void *from, size_t length, uint32_t sum)
{
	const uint8_t *bytes = from;
	size_t i;

	for (i = 0; i + 1 < length; i += 2)
		sum += bytes[i] << 8 | bytes[i + 1];
	if (length & 1)
		sum += bytes[length - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void write_v4(uint8_t *packet, size_t size, const struct prefix *from,
		     const struct prefix *to)
{
	struct iphdr *ip = (void *)packet;
	struct echo *echo = (void *)(ip + 1);

	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tot_len = htons(size);
	ip->frag_off = htons(IP_DF);
	ip->ttl = HOPS;
	ip->protocol = IPPROTO_ICMP;
	ip->saddr = from->v4.s_addr;
	ip->daddr = to->v4.s_addr;
	ip->check = htons(~add_up(ip, sizeof(*ip), 0));
	echo->type = ICMP_ECHO;
	echo->sum = htons(~add_up(echo, size - sizeof(*ip), 0));
}

static void write_v6(uint8_t *packet, size_t size, const struct prefix *from,
		     const struct prefix *to)
{
	struct ip6_hdr *ip = (void *)packet;
	struct echo *echo = (void *)(ip + 1);
	struct pseudo pseudo = {
		.from = from->v6,
		.to = to->v6,
		.length = htonl(size - sizeof(*ip)),
		.next = htonl(IPPROTO_ICMPV6),
	};

	ip->ip6_flow = htonl(6 << 28);
	ip->ip6_plen = htons(size - sizeof(*ip));
	ip->ip6_nxt = IPPROTO_ICMPV6;
	ip->ip6_hlim = HOPS;
	ip->ip6_src = from->v6;
	ip->ip6_dst = to->v6;
	echo->type = ICMP6_ECHO_REQUEST;
	echo->sum = htons(~add_up(echo, size - sizeof(*ip),
				  add_up(&pseudo, sizeof(pseudo), 0)));
}

int probe_send(const struct probe *probe, unsigned int index,
	       const struct prefix *from, const struct prefix *to,
	       uint64_t token, size_t size)
{
	static uint8_t packet[PROBE_MOST + 1] __attribute__((aligned(8)));
	bool v6 = to->family == AF_INET6;
	size_t header = v6 ? sizeof(struct ip6_hdr) : sizeof(struct iphdr);
	struct echo *echo = (void *)(packet + header);
	struct sockaddr_ll by = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(v6 ? ETH_P_IPV6 : ETH_P_IP),
		.sll_ifindex = index,
	};

	if (size > PROBE_MOST)
		return -EMSGSIZE;
	memset(packet, 0, size);
	echo->id = probe->id;
	echo->secret = probe->secret;
	echo->token = token;
	echo->size = size;
	if (v6)
		write_v6(packet, size, from, to);
	else
		write_v4(packet, size, from, to);
	return sendto(probe->sockets[v6], packet, size, 0,
		      (struct sockaddr *)&by, sizeof(by)) < 0 ? -errno : 0;
}
