// SPDX-License-Identifier: GPL-2.0
/* A bundle's member gets its keys and peers. */
#include "configure.h"

#include "bundle.h"
#include "nl.h"
#include "say.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/wireguard.h>
#include <sodium.h>
#include <string.h>

/* A message is sent when it is as long as this, and another one begun. */
#define LONG 16384

/**
 * struct writer - a configuration as it becomes messages
 * @nl: socket
 * @index: of the interface
 * @message: what is being written
 * @peers: attribute in it
 * @peer: attribute in that
 * @ips: attribute in that
 * @key: public, of @peer
 */
struct writer {
	struct nl *nl;
	unsigned int index;
	struct nlmsghdr *message;
	struct nlattr *peers;
	struct nlattr *peer;
	struct nlattr *ips;
	const uint8_t *key;
};

static void begin(struct writer *writer)
{
	writer->message = nl_command(writer->nl, WG_CMD_SET_DEVICE,
				     WG_GENL_VERSION, 0);
	mnl_attr_put_u32(writer->message, WGDEVICE_A_IFINDEX, writer->index);
}

static void begin_peer(struct writer *writer, uint32_t flags)
{
	writer->peer = mnl_attr_nest_start(writer->message, 0);
	mnl_attr_put(writer->message, WGPEER_A_PUBLIC_KEY, KEY_BYTES,
		     writer->key);
	if (flags)
		mnl_attr_put_u32(writer->message, WGPEER_A_FLAGS, flags);
}

static void end_peer(struct writer *writer)
{
	mnl_attr_nest_end(writer->message, writer->ips);
	mnl_attr_nest_end(writer->message, writer->peer);
}

static int transmit(struct writer *writer)
{
	mnl_attr_nest_end(writer->message, writer->peers);
	return nl_talk(writer->nl, writer->message, NULL, NULL);
}

/* Room for the next piece, whatever it is. The peer goes on in a new message. */
static int make_room(struct writer *writer)
{
	int ret;

	if (writer->message->nlmsg_len < LONG)
		return 0;
	end_peer(writer);
	ret = transmit(writer);
	begin(writer);
	writer->peers = mnl_attr_nest_start(writer->message, WGDEVICE_A_PEERS);
	begin_peer(writer, 0);
	writer->ips = mnl_attr_nest_start(writer->message, WGPEER_A_ALLOWEDIPS);
	return ret;
}

static int put_allowed(struct writer *writer, const struct prefix *prefix)
{
	struct nlattr *ip;
	int ret;

	ret = make_room(writer);
	if (ret)
		return ret;
	ip = mnl_attr_nest_start(writer->message, 0);
	mnl_attr_put_u16(writer->message, WGALLOWEDIP_A_FAMILY, prefix->family);
	mnl_attr_put(writer->message, WGALLOWEDIP_A_IPADDR,
		     prefix->family == AF_INET6 ? sizeof(prefix->v6) :
		     sizeof(prefix->v4), &prefix->v6);
	mnl_attr_put_u8(writer->message, WGALLOWEDIP_A_CIDR_MASK,
			prefix->length);
	mnl_attr_nest_end(writer->message, ip);
	return 0;
}

static void put_endpoint(struct writer *writer,
			 const struct sockaddr_storage *host, uint16_t port)
{
	struct sockaddr_storage copy = *host;

	if (host->ss_family == AF_UNSPEC || !port)
		return;
	if (host->ss_family == AF_INET6) {
		((struct sockaddr_in6 *)&copy)->sin6_port = htons(port);
		mnl_attr_put(writer->message, WGPEER_A_ENDPOINT,
			     sizeof(struct sockaddr_in6), &copy);
	} else {
		((struct sockaddr_in *)&copy)->sin_port = htons(port);
		mnl_attr_put(writer->message, WGPEER_A_ENDPOINT,
			     sizeof(struct sockaddr_in), &copy);
	}
}

const uint8_t *tunnel_key(const struct peer *peer, unsigned int tunnel)
{
	return tunnel == 1 ? peer->key : peer->members[tunnel - 2].key;
}

static int put_peer(struct writer *writer, const struct peer *peer,
		    unsigned int tunnel, const struct sockaddr_storage *host)
{
	uint16_t port = peer->port;
	struct prefix local;
	size_t i;
	int ret;

	if (tunnel > 1)
		port = peer->members[tunnel - 2].port;
	writer->key = tunnel_key(peer, tunnel);
	begin_peer(writer, WGPEER_F_REPLACE_ALLOWEDIPS);
	mnl_attr_put(writer->message, WGPEER_A_PRESHARED_KEY, KEY_BYTES,
		     peer->psk);
	put_endpoint(writer, host, port);
	if (peer->has_keepalive)
		mnl_attr_put_u16(writer->message,
				 WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL,
				 peer->keepalive);
	writer->ips = mnl_attr_nest_start(writer->message, WGPEER_A_ALLOWEDIPS);
	value_local(writer->key, &local);
	ret = put_allowed(writer, &local);
	for (i = 0; i < peer->allowed.count && !ret; i++)
		ret = put_allowed(writer, &peer->allowed.of[i]);
	if (!ret)
		ret = make_room(writer);
	end_peer(writer);
	return ret;
}

/* A peer that gets a keepalive interval is sent something at once. */
static int put_keepalives(struct writer *writer, const struct config *config,
			  unsigned int tunnel, uint16_t seconds)
{
	struct nlattr *peer;
	int ret = 0;
	size_t i;

	for (i = 0; i < config->peer_count && !ret; i++) {
		const struct peer *what = &config->peers[i];

		if (tunnel > what->member_count + 1 || what->keepalive)
			continue;
		begin(writer);
		writer->peers = mnl_attr_nest_start(writer->message,
						    WGDEVICE_A_PEERS);
		peer = mnl_attr_nest_start(writer->message, 0);
		mnl_attr_put(writer->message, WGPEER_A_PUBLIC_KEY, KEY_BYTES,
			     tunnel_key(what, tunnel));
		mnl_attr_put_u32(writer->message, WGPEER_A_FLAGS,
				 WGPEER_F_UPDATE_ONLY);
		mnl_attr_put_u16(writer->message,
				 WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL,
				 seconds);
		mnl_attr_nest_end(writer->message, peer);
		ret = transmit(writer);
	}
	return ret;
}

static int put_all(struct writer *writer, const struct config *config,
		   unsigned int tunnel, uint32_t mark,
		   const struct sockaddr_storage *hosts)
{
	uint8_t key[KEY_BYTES];
	int ret = 0;
	size_t i;

	bundle_key(config, tunnel, key);
	begin(writer);
	mnl_attr_put_u32(writer->message, WGDEVICE_A_FLAGS,
			 WGDEVICE_F_REPLACE_PEERS);
	mnl_attr_put(writer->message, WGDEVICE_A_PRIVATE_KEY, KEY_BYTES, key);
	sodium_memzero(key, sizeof(key));
	mnl_attr_put_u16(writer->message, WGDEVICE_A_LISTEN_PORT,
			 bundle_port(config, tunnel));
	mnl_attr_put_u32(writer->message, WGDEVICE_A_FWMARK, mark);
	writer->peers = mnl_attr_nest_start(writer->message, WGDEVICE_A_PEERS);
	for (i = 0; i < config->peer_count && !ret; i++) {
		const struct peer *peer = &config->peers[i];

		if (tunnel <= peer->member_count + 1)
			ret = put_peer(writer, peer, tunnel, &hosts[i]);
	}
	return ret ? ret : transmit(writer);
}

int tunnel_configure(unsigned int index, const struct config *config,
		     unsigned int tunnel, uint32_t mark,
		     const struct sockaddr_storage *hosts)
{
	struct writer writer = { .index = index };
	int ret;

	writer.nl = nl_open_family(WG_GENL_NAME);
	if (!writer.nl)
		return fail("cannot talk to WireGuard: %s", strerror(errno));
	ret = put_all(&writer, config, tunnel, mark, hosts);
	if (ret)
		ret = fail("cannot configure tunnel %u: %s", tunnel,
			   nl_reason(writer.nl, ret));
	/* It had keys in its room. */
	sodium_memzero(writer.nl->room, NL_ROOM);
	nl_close(writer.nl);
	return ret;
}

int tunnel_greet(unsigned int index, const struct config *config,
		 unsigned int tunnel)
{
	struct writer writer = { .index = index };
	int ret;

	writer.nl = nl_open_family(WG_GENL_NAME);
	if (!writer.nl)
		return fail("cannot talk to WireGuard: %s", strerror(errno));
	ret = put_keepalives(&writer, config, tunnel, 25);
	if (!ret)
		ret = put_keepalives(&writer, config, tunnel, 0);
	if (ret)
		ret = fail("cannot greet the peers of tunnel %u: %s", tunnel,
			   nl_reason(writer.nl, ret));
	nl_close(writer.nl);
	return ret;
}

int tunnel_listen(unsigned int index, uint16_t port)
{
	struct writer writer = { .index = index };
	int ret;

	writer.nl = nl_open_family(WG_GENL_NAME);
	if (!writer.nl)
		return -errno;
	begin(&writer);
	mnl_attr_put_u16(writer.message, WGDEVICE_A_LISTEN_PORT, port);
	ret = nl_talk(writer.nl, writer.message, NULL, NULL);
	nl_close(writer.nl);
	return ret;
}
