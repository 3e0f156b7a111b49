// SPDX-License-Identifier: GPL-2.0
/*
 * wgswarm - many active WireGuard peers in one process
 *
 *   wgswarm peers COUNT               the public keys, as "index key" lines
 *   wgswarm run COUNT KEY ADDRESS PORT SECONDS
 *   wgswarm storm COUNT KEY ADDRESS PORT
 *
 * Every peer is an initiator with a UDP socket, an address (10.80.0.0/16) and
 * a private key of its own and sends one flow of inner UDP packets. `run` goes
 * through four phases against the concentrator with the public key KEY:
 *
 *   connect     all peers send their initiation in the same instant
 *   traffic     all send data for SECONDS
 *   reconnect   all send a new initiation in the same instant, go on sending
 *               by their old keys, and take the new ones when they come
 *   removal     all send data, whoever is still there to take it, until its
 *               input ends and for SECONDS after
 *
 * and prints for each how long it took until the last handshake, how many were
 * still open then, how many cookie replies came, and how many packets were sent
 * in what time. A lost or refused initiation is sent again after 5 s and a
 * jitter, with mac2 when a cookie came, as the protocol says.
 *
 * `storm` never ends: all send data, and every peer starts a new handshake every
 * second or so, whatever became of the last; whether there is anybody to send to
 * does not matter to it.
 *
 * All peers send through one raw socket, many packets in a system call, so that
 * it is not the sender that is measured.
 *
 * Noise_IKpsk2 after the WireGuard whitepaper, section 5.4.
 */
#define _GNU_SOURCE
#include "wgkdf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_PEERS	60000
#define INNER_SIZE	1408
#define GIVE_UP		90.0
#define BATCH		8	/* packets of one peer in a row */
#define BURST		64	/* packets of one system call */

/* ----------------------------------------------------------- the peers -- */

struct session {
	uint8_t send[32];
	uint32_t remote;
	uint64_t counter;
	bool valid;
};

struct peer {
	int fd;
	uint16_t port;		/* in network order, as all addresses */
	uint32_t index;
	uint8_t private[32], public[32], static_static[32];
	uint8_t ephemeral[32], chain[32], hash[32];
	uint8_t message[148], cookie[16];
	bool open, has_cookie;
	double retry;
	struct session session;
};

static struct peer *peers;
static int count, open_count, cookies;
static uint8_t server[32], mac1_key[32], cookie_key[32];
static uint8_t chain0[32], hash0[32];

/* Outer packets on their way to the concentrator. */
struct outer {
	struct iphdr ip;
	struct udphdr udp;
	uint8_t message[16 + INNER_SIZE + 16];
};

static struct outer outers[BURST];
static int outer_count, raw_fd;
static bool storming;
static struct sockaddr_in concentrator = { .sin_family = AF_INET };

static uint32_t source_of(const struct peer *p)
{
	return htonl(0x0a500000 + 256 + (uint32_t)(p - peers));
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "wgswarm: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void flush(void)
{
	static struct mmsghdr headers[BURST];
	static struct iovec vectors[BURST];
	int done = 0, n;

	for (int i = 0; i < outer_count; i++) {
		vectors[i].iov_base = &outers[i];
		vectors[i].iov_len = ntohs(outers[i].ip.tot_len);
		headers[i].msg_hdr.msg_iov = &vectors[i];
		headers[i].msg_hdr.msg_iovlen = 1;
		headers[i].msg_hdr.msg_name = &concentrator;
		headers[i].msg_hdr.msg_namelen = sizeof(concentrator);
	}
	while (done < outer_count) {
		n = sendmmsg(raw_fd, headers + done, outer_count - done, 0);
		if (n > 0) {
			done += n;
		} else if (errno != ENOBUFS && errno != EINTR) {
			if (!storming)
				die("sendmmsg");
			usleep(1000);
			break;
		}
	}
	outer_count = 0;
}

/* Room for a message of LEN bytes of a peer, to be filled in before the next. */
static uint8_t *queue(const struct peer *p, size_t len)
{
	struct outer *o;

	if (outer_count == BURST)
		flush();
	o = &outers[outer_count++];
	memset(o, 0, sizeof(o->ip) + sizeof(o->udp));
	o->ip.version = 4;
	o->ip.ihl = 5;
	o->ip.tot_len = htons(sizeof(o->ip) + sizeof(o->udp) + len);
	o->ip.ttl = 64;
	o->ip.protocol = IPPROTO_UDP;
	o->ip.saddr = source_of(p);
	o->ip.daddr = concentrator.sin_addr.s_addr;
	o->udp.source = p->port;
	o->udp.dest = concentrator.sin_port;
	o->udp.len = htons(sizeof(o->udp) + len);
	return o->message;
}

static void make_keys(struct peer *p, uint32_t n)
{
	uint8_t seed[36] = "a seed of the swarm of WireGuards";

	memcpy(seed + 32, &n, 4);
	hash2(p->private, seed, sizeof(seed), NULL, 0);
	crypto_scalarmult_base(p->public, p->private);
}

static void seal(uint8_t *out, const uint8_t key[32], uint64_t counter,
		 const void *text, size_t len, const void *ad, size_t adlen)
{
	uint8_t nonce[12] = { 0 };

	memcpy(nonce + 4, &counter, 8);
	crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, text, len, ad,
						  adlen, NULL, nonce, key);
}

static void add_macs(struct peer *p, size_t len)
{
	uint8_t *m = p->message;

	mac(m + len - 32, mac1_key, 32, m, len - 32);
	if (p->has_cookie)
		mac(m + len - 16, p->cookie, 16, m, len - 16);
	else
		memset(m + len - 16, 0, 16);
}

static void tai64n(uint8_t out[12])
{
	struct timespec t;
	uint64_t sec;
	uint32_t nsec;

	clock_gettime(CLOCK_REALTIME, &t);
	sec = htobe64(0x400000000000000aull + t.tv_sec);
	nsec = htonl(t.tv_nsec);
	memcpy(out, &sec, 8);
	memcpy(out + 8, &nsec, 4);
}

/* The next key of the chain, mixing in DATA; the chain moves on. */
static void mix_key(struct peer *p, uint8_t key[32], const uint8_t data[32])
{
	uint8_t out[64];

	kdf(out, 2, p->chain, data, 32);
	memcpy(p->chain, out, 32);
	memcpy(key, out + 32, 32);
}

static void mix_chain(struct peer *p, const uint8_t data[32])
{
	uint8_t out[32];

	kdf(out, 1, p->chain, data, 32);
	memcpy(p->chain, out, 32);
}

static void initiate(struct peer *p)
{
	uint8_t *m = p->message, key[32], dh[32], stamp[12];

	memset(m, 0, 148);
	m[0] = 1;
	p->index = randombytes_random();
	memcpy(m + 4, &p->index, 4);
	memcpy(p->chain, chain0, 32);
	randombytes_buf(p->ephemeral, 32);
	crypto_scalarmult_base(m + 8, p->ephemeral);
	hash2(p->hash, hash0, 32, m + 8, 32);
	mix_chain(p, m + 8);
	if (crypto_scalarmult(dh, p->ephemeral, server))
		die("the server has a key of low order");
	mix_key(p, key, dh);
	seal(m + 40, key, 0, p->public, 32, p->hash, 32);
	hash2(p->hash, p->hash, 32, m + 40, 48);
	mix_key(p, key, p->static_static);
	tai64n(stamp);
	seal(m + 88, key, 0, stamp, 12, p->hash, 32);
	hash2(p->hash, p->hash, 32, m + 88, 28);
	add_macs(p, 148);
}

static void send_initiation(struct peer *p)
{
	p->retry = now() + 5 + randombytes_uniform(333) / 1000.0;
	memcpy(queue(p, 148), p->message, 148);
}

static void send_data(struct peer *p, size_t inner)
{
	static uint8_t plain[INNER_SIZE];
	uint8_t *m = queue(p, 32 + inner);
	uint32_t address = htonl(0x0a000000 + (uint32_t)(p - peers));
	uint16_t total = htons(inner), udp_len = htons(inner - 20);
	uint32_t sum = 0;

	if (inner) {
		static const uint8_t head[28] = {
			0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0,
			0, 0, 0, 0, 10, 66, 0, 1, 0x1b, 0x58, 0x1b, 0x59,
		};

		memcpy(plain, head, 28);
		memcpy(plain + 2, &total, 2);
		memcpy(plain + 12, &address, 4);
		memcpy(plain + 24, &udp_len, 2);
		for (int i = 0; i < 20; i += 2)
			sum += plain[i] << 8 | plain[i + 1];
		sum = (sum & 0xffff) + (sum >> 16);
		sum = ~(sum + (sum >> 16)) & 0xffff;
		plain[10] = sum >> 8;
		plain[11] = sum;
	}
	memset(m, 0, 4);
	m[0] = 4;
	memcpy(m + 4, &p->session.remote, 4);
	memcpy(m + 8, &p->session.counter, 8);
	seal(m + 16, p->session.send, p->session.counter++, plain, inner,
	     NULL, 0);
}

static void take_response(struct peer *p, const uint8_t *m)
{
	uint8_t psk[32] = { 0 }, key[32], dh[32], out[96], chain[32], hash[32];
	uint8_t nonce[12] = { 0 };

	if (!p->open || memcmp(m + 8, &p->index, 4))
		return;
	memcpy(chain, p->chain, 32);
	memcpy(hash, p->hash, 32);
	hash2(p->hash, p->hash, 32, m + 12, 32);
	mix_chain(p, m + 12);
	if (crypto_scalarmult(dh, p->ephemeral, m + 12))
		goto refuse;
	mix_chain(p, dh);
	if (crypto_scalarmult(dh, p->private, m + 12))
		goto refuse;
	mix_chain(p, dh);
	kdf(out, 3, p->chain, psk, 32);
	memcpy(p->chain, out, 32);
	hash2(p->hash, p->hash, 32, out + 32, 32);
	memcpy(key, out + 64, 32);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, m + 44,
						      16, p->hash, 32, nonce,
						      key))
		goto refuse;
	kdf(out, 2, p->chain, NULL, 0);
	memcpy(p->session.send, out, 32);
	memcpy(&p->session.remote, m + 4, 4);
	p->session.counter = 0;
	p->session.valid = true;
	p->open = false;
	open_count--;
	send_data(p, 0);
	return;
refuse:
	memcpy(p->chain, chain, 32);
	memcpy(p->hash, hash, 32);
}

static void take_cookie(struct peer *p, const uint8_t *m)
{
	if (!p->open || memcmp(m + 4, &p->index, 4))
		return;
	if (!crypto_aead_xchacha20poly1305_ietf_decrypt(p->cookie, NULL, NULL,
							m + 32, 32,
							p->message + 116, 16,
							m + 8, cookie_key)) {
		p->has_cookie = true;
		cookies++;
	}
}

static void take(struct peer *p)
{
	uint8_t m[2048];
	int len = recv(p->fd, m, sizeof(m), 0);

	if (len == 92 && m[0] == 2)
		take_response(p, m);
	else if (len == 64 && m[0] == 3)
		take_cookie(p, m);
}

static void take_all(int epoll)
{
	struct epoll_event events[256];
	int n;

	while ((n = epoll_wait(epoll, events, 256, 0)) > 0)
		for (int i = 0; i < n; i++)
			take(events[i].data.ptr);
}

static void prepare_all(void)
{
	for (int i = 0; i < count; i++) {
		peers[i].open = true;
		peers[i].has_cookie = false;
	}
	open_count = count;
	for (int i = 0; i < count; i++)
		initiate(&peers[i]);
}

static void begin_all(void)
{
	for (int i = 0; i < count; i++)
		send_initiation(&peers[i]);
	flush();
}

/*
 * The peers are many, and this is one process: some at a time, or nobody would look
 * at an answer before it is too late for it.
 */
static void retry_some(int *turn)
{
	double t = now();
	int begun = 0;

	for (int i = 0; i < count && begun < 64; i++) {
		struct peer *p = &peers[(*turn)++ % count];

		if (p->open && p->retry < t) {
			initiate(p);
			send_initiation(p);
			begun++;
		}
	}
}

static void send_traffic(int *turn, uint64_t *sent)
{
	for (int i = 0; i < 64; i++) {
		struct peer *p = &peers[(*turn)++ % count];

		for (int k = 0; k < BATCH && p->session.valid; k++) {
			send_data(p, INNER_SIZE);
			(*sent)++;
		}
	}
	flush();
}

/*
 * Until all handshakes are done and SECONDS have passed; sends data wherever
 * there is a session when TRAFFIC is set.
 */
static void phase(const char *name, int epoll, double seconds, bool traffic,
		  bool handshakes)
{
	double start, last, t;
	uint64_t sent = 0;
	int before, turn = 0, retry = 0;

	cookies = 0;
	if (handshakes)
		prepare_all();
	start = last = t = now();
	if (handshakes)
		begin_all();
	while ((open_count && t < start + GIVE_UP) || t < start + seconds) {
		before = open_count;
		take_all(epoll);
		t = now();
		if (open_count < before)
			last = t;
		if (open_count)
			retry_some(&retry);
		if (traffic)
			send_traffic(&turn, &sent);
		else
			flush();
	}
	printf("%s last %.3f open %d cookies %d sent %llu spent %.3f\n", name,
	       last - start, open_count, cookies, (unsigned long long)sent,
	       t - start);
	fflush(stdout);
	open_count = 0;
}

/* The last phase, until somebody has done what he meant to do meanwhile. */
static void removal(int epoll, double seconds)
{
	struct pollfd input = { .events = POLLIN };
	uint64_t sent = 0;
	double start = now(), end = 0;
	int turn = 0;
	char c;

	while (!end || now() < end) {
		take_all(epoll);
		send_traffic(&turn, &sent);
		if (!end && poll(&input, 1, 0) > 0 && read(0, &c, 1) <= 0)
			end = now() + seconds;
	}
	printf("removal sent %llu spent %.3f\n", (unsigned long long)sent,
	       now() - start);
	fflush(stdout);
}

static void storm(int epoll)
{
	uint64_t sent = 0;
	int turn = 0;
	double t;

	storming = true;
	for (;;) {
		take_all(epoll);
		t = now();
		for (int i = 0; i < count; i++) {
			struct peer *p = &peers[i];

			if (p->retry >= t)
				continue;
			open_count += !p->open;
			p->open = true;
			initiate(p);
			send_initiation(p);
			p->retry = t + 0.5 + randombytes_uniform(1000) / 1000.0;
		}
		send_traffic(&turn, &sent);
	}
}

static void open_sockets(int epoll, const char *address, int port)
{
	struct sockaddr_in *to = &concentrator;
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct rlimit limit = { MAX_PEERS + 100, MAX_PEERS + 100 };
	socklen_t len = sizeof(from);

	setrlimit(RLIMIT_NOFILE, &limit);
	to->sin_port = htons(port);
	inet_pton(AF_INET, address, &to->sin_addr);
	raw_fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (raw_fd < 0)
		die("a raw socket");
	for (int i = 0; i < count; i++) {
		struct epoll_event e = { .events = EPOLLIN,
					 .data.ptr = &peers[i] };

		from.sin_addr.s_addr = source_of(&peers[i]);
		from.sin_port = 0;
		peers[i].fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		if (peers[i].fd < 0 ||
		    bind(peers[i].fd, (void *)&from, sizeof(from)) ||
		    connect(peers[i].fd, (void *)to, sizeof(*to)) ||
		    getsockname(peers[i].fd, (void *)&from, &len) ||
		    epoll_ctl(epoll, EPOLL_CTL_ADD, peers[i].fd, &e))
			die("a socket");
		peers[i].port = from.sin_port;
	}
}

static void prepare(const char *key)
{
	static const char construction[] =
		"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
	static const char identifier[] = "WireGuard v1 zx2c4 Jason@zx2c4.com";

	for (int i = 0; i < 32; i++)
		if (sscanf(key + 2 * i, "%2hhx", &server[i]) != 1)
			die("a key is 64 hex digits");
	hash2(chain0, construction, strlen(construction), NULL, 0);
	hash2(hash0, chain0, 32, identifier, strlen(identifier));
	hash2(hash0, hash0, 32, server, 32);
	hash2(mac1_key, "mac1----", 8, server, 32);
	hash2(cookie_key, "cookie--", 8, server, 32);
	for (int i = 0; i < count; i++)
		if (crypto_scalarmult(peers[i].static_static, peers[i].private,
				      server))
			die("the server has a key of low order");
}

int main(int argc, char **argv)
{
	char text[64];
	int epoll;
	double seconds;

	count = argc > 2 ? atoi(argv[2]) : 0;
	if (count < 1 || count > MAX_PEERS || sodium_init() < 0) {
		errno = EINVAL;
		die("peers COUNT | run COUNT KEY ADDRESS PORT SECONDS | "
		    "storm COUNT KEY ADDRESS PORT");
	}
	peers = calloc(count, sizeof(*peers));
	if (!peers)
		die("memory");
	for (int i = 0; i < count; i++)
		make_keys(&peers[i], i);
	if (!strcmp(argv[1], "peers")) {
		for (int i = 0; i < count; i++)
			printf("%d %s\n", i,
			       sodium_bin2base64(text, sizeof(text),
						 peers[i].public, 32,
						 sodium_base64_VARIANT_ORIGINAL));
		return 0;
	}
	if ((strcmp(argv[1], "run") || argc != 7) &&
	    (strcmp(argv[1], "storm") || argc != 6)) {
		errno = EINVAL;
		die("run or storm");
	}
	prepare(argv[3]);
	epoll = epoll_create1(0);
	open_sockets(epoll, argv[4], atoi(argv[5]));
	if (argc == 6)
		storm(epoll);
	seconds = atof(argv[6]);
	phase("connect", epoll, 0, false, true);
	phase("traffic", epoll, seconds, true, false);
	phase("reconnect", epoll, seconds, true, true);
	removal(epoll, seconds);
	return 0;
}
