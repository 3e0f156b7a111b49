/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * Generic netlink interface of WireGuard devices, as in Linux 7.3.
 *
 * Shipped with the module, so that every kernel that it is built for offers the
 * same attributes, whatever the kernel's own header knows. Nothing may be added
 * here: numbers are given out by the kernel's community alone.
 */
#ifndef _UAPI_LINUX_WIREGUARD_H
#define _UAPI_LINUX_WIREGUARD_H

#define WG_GENL_NAME	"wireguard"
#define WG_GENL_VERSION	1

/* Bytes of every key: private, public and preshared. */
#define WG_KEY_LEN	32

/**
 * enum wg_cmd - commands of the family
 * @WG_CMD_GET_DEVICE: dump one device with all its peers, in as many messages
 *	as it takes. A peer that did not fit goes on in the next message, which
 *	then has its public key and further allowed IPs only
 * @WG_CMD_SET_DEVICE: change one device and, where given, its peers. What the
 *	message does not mention stays as it is
 * @__WG_CMD_MAX: end marker
 *
 * Both name their device by exactly one of %WGDEVICE_A_IFINDEX and
 * %WGDEVICE_A_IFNAME, and need CAP_NET_ADMIN.
 */
enum wg_cmd {
	WG_CMD_GET_DEVICE,
	WG_CMD_SET_DEVICE,

	__WG_CMD_MAX
};

#define WG_CMD_MAX (__WG_CMD_MAX - 1)

/**
 * enum wgdevice_flag - bits of %WGDEVICE_A_FLAGS
 * @WGDEVICE_F_REPLACE_PEERS: drop all peers before those of the message are
 *	added
 */
enum wgdevice_flag {
	WGDEVICE_F_REPLACE_PEERS = 1,
};

/**
 * enum wgdevice_attribute - a device
 * @WGDEVICE_A_UNSPEC: unused
 * @WGDEVICE_A_IFINDEX: u32, which device
 * @WGDEVICE_A_IFNAME: string, which device
 * @WGDEVICE_A_PRIVATE_KEY: %WG_KEY_LEN bytes; zeros take the key away
 * @WGDEVICE_A_PUBLIC_KEY: %WG_KEY_LEN bytes; told, not taken
 * @WGDEVICE_A_FLAGS: u32 of &enum wgdevice_flag; taken, not told
 * @WGDEVICE_A_LISTEN_PORT: u16, UDP port; 0 lets the kernel choose
 * @WGDEVICE_A_FWMARK: u32, mark of outer packets; 0 for none
 * @WGDEVICE_A_PEERS: nest of nests of &enum wgpeer_attribute, their types 0
 * @__WGDEVICE_A_LAST: end marker
 */
enum wgdevice_attribute {
	WGDEVICE_A_UNSPEC,
	WGDEVICE_A_IFINDEX,
	WGDEVICE_A_IFNAME,
	WGDEVICE_A_PRIVATE_KEY,
	WGDEVICE_A_PUBLIC_KEY,
	WGDEVICE_A_FLAGS,
	WGDEVICE_A_LISTEN_PORT,
	WGDEVICE_A_FWMARK,
	WGDEVICE_A_PEERS,

	__WGDEVICE_A_LAST
};

#define WGDEVICE_A_MAX (__WGDEVICE_A_LAST - 1)

/**
 * enum wgpeer_flag - bits of %WGPEER_A_FLAGS
 * @WGPEER_F_REMOVE_ME: drop the peer; all else in its nest is ignored
 * @WGPEER_F_REPLACE_ALLOWEDIPS: drop the peer's allowed IPs before those of the
 *	message are added
 * @WGPEER_F_UPDATE_ONLY: ignore the nest if there is no such peer
 */
enum wgpeer_flag {
	WGPEER_F_REMOVE_ME = 1,
	WGPEER_F_REPLACE_ALLOWEDIPS = 2,
	WGPEER_F_UPDATE_ONLY = 4,
};

/**
 * enum wgpeer_attribute - a peer
 * @WGPEER_A_UNSPEC: unused, and padding before 64-bit values
 * @WGPEER_A_PUBLIC_KEY: %WG_KEY_LEN bytes, which peer
 * @WGPEER_A_PRESHARED_KEY: %WG_KEY_LEN bytes; zeros for none
 * @WGPEER_A_FLAGS: u32 of &enum wgpeer_flag; taken, not told
 * @WGPEER_A_ENDPOINT: a &struct sockaddr_in or &struct sockaddr_in6
 * @WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL: u16, seconds; 0 for off
 * @WGPEER_A_LAST_HANDSHAKE_TIME: &struct __kernel_timespec, wall clock; zero
 *	for never; told, not taken
 * @WGPEER_A_RX_BYTES: u64; told, not taken
 * @WGPEER_A_TX_BYTES: u64; told, not taken
 * @WGPEER_A_ALLOWEDIPS: nest of nests of &enum wgallowedip_attribute, their
 *	types 0
 * @WGPEER_A_PROTOCOL_VERSION: u32, 1 or left out
 * @__WGPEER_A_LAST: end marker
 */
enum wgpeer_attribute {
	WGPEER_A_UNSPEC,
	WGPEER_A_PUBLIC_KEY,
	WGPEER_A_PRESHARED_KEY,
	WGPEER_A_FLAGS,
	WGPEER_A_ENDPOINT,
	WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL,
	WGPEER_A_LAST_HANDSHAKE_TIME,
	WGPEER_A_RX_BYTES,
	WGPEER_A_TX_BYTES,
	WGPEER_A_ALLOWEDIPS,
	WGPEER_A_PROTOCOL_VERSION,

	__WGPEER_A_LAST
};

#define WGPEER_A_MAX (__WGPEER_A_LAST - 1)

/**
 * enum wgallowedip_flag - bits of %WGALLOWEDIP_A_FLAGS
 * @WGALLOWEDIP_F_REMOVE_ME: take this one from the peer, if it has it
 */
enum wgallowedip_flag {
	WGALLOWEDIP_F_REMOVE_ME = 1,
};

/**
 * enum wgallowedip_attribute - an allowed IP: a prefix routed to its peer
 * @WGALLOWEDIP_A_UNSPEC: unused
 * @WGALLOWEDIP_A_FAMILY: u16, AF_INET or AF_INET6
 * @WGALLOWEDIP_A_IPADDR: &struct in_addr or &struct in6_addr
 * @WGALLOWEDIP_A_CIDR_MASK: u8, length of the prefix
 * @WGALLOWEDIP_A_FLAGS: u32 of &enum wgallowedip_flag; taken, not told
 * @__WGALLOWEDIP_A_LAST: end marker
 */
enum wgallowedip_attribute {
	WGALLOWEDIP_A_UNSPEC,
	WGALLOWEDIP_A_FAMILY,
	WGALLOWEDIP_A_IPADDR,
	WGALLOWEDIP_A_CIDR_MASK,
	WGALLOWEDIP_A_FLAGS,

	__WGALLOWEDIP_A_LAST
};

#define WGALLOWEDIP_A_MAX (__WGALLOWEDIP_A_LAST - 1)

#endif /* _UAPI_LINUX_WIREGUARD_H */
