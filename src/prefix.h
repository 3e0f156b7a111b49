/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses and prefixes of either family, as numbers to compute with. */
#ifndef _WG_PREFIX_H
#define _WG_PREFIX_H

#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/socket.h>
#include <linux/types.h>
#include <linux/unaligned.h>

/**
 * struct wg_address - an address in host order
 * @hi: its first 64 bits; an IPv4 address is in the upper half of it
 * @lo: the rest of an IPv6 address, else zero
 */
struct wg_address {
	u64 hi;
	u64 lo;
};

/**
 * struct wg_prefix - the addresses that begin with the same bits
 * @address: those bits, zero after them
 * @cidr: how many they are
 * @v6: of IPv6
 */
struct wg_prefix {
	struct wg_address address;
	u8 cidr;
	bool v6;
};

/**
 * wg_address_read4() - take an IPv4 address from a packet or an attribute
 * @addr: 4 bytes in network order at any alignment
 *
 * Return: the address.
 */
static inline struct wg_address wg_address_read4(const void *addr)
{
	return (struct wg_address){
		.hi = (u64)get_unaligned_be32(addr) << 32,
	};
}

/**
 * wg_address_read6() - take an IPv6 address from a packet or an attribute
 * @addr: 16 bytes in network order at any alignment
 *
 * Return: the address.
 */
static inline struct wg_address wg_address_read6(const void *addr)
{
	return (struct wg_address){
		.hi = get_unaligned_be64(addr),
		.lo = get_unaligned_be64(addr + 8),
	};
}

/**
 * wg_address_bit() - one bit of an address
 * @a: address
 * @at: its number, 0 for the first on the wire, 127 at most
 *
 * Return: 0 or 1.
 */
static inline unsigned int wg_address_bit(const struct wg_address *a,
					  unsigned int at)
{
	return (at < 64 ? a->hi >> (63 - at) : a->lo >> (127 - at)) & 1;
}

/**
 * wg_address_common() - how many leading bits two addresses share
 * @a: address
 * @b: another of the same family
 *
 * Return: 0 to 128, and 128 for any two that are equal.
 */
static inline unsigned int wg_address_common(const struct wg_address *a,
					     const struct wg_address *b)
{
	if (a->hi != b->hi)
		return 64 - fls64(a->hi ^ b->hi);
	return 128 - fls64(a->lo ^ b->lo);
}

/**
 * wg_prefix_shorten() - keep only the first bits of a prefix
 * @prefix: prefix; its address may have bits set anywhere
 * @cidr: its new length
 */
static inline void wg_prefix_shorten(struct wg_prefix *prefix, u8 cidr)
{
	struct wg_address *a = &prefix->address;

	if (cidr < 64)
		a->hi &= cidr ? ~0ULL << (64 - cidr) : 0;
	if (cidr < 128)
		a->lo &= cidr > 64 ? ~0ULL << (128 - cidr) : 0;
	prefix->cidr = cidr;
}

/**
 * wg_prefix_read() - make a prefix of what users configure
 * @prefix: takes it
 * @family: AF_INET or AF_INET6
 * @addr: address in network order, 4 or 16 bytes, at any alignment; bits after
 *	the first @cidr are ignored
 * @cidr: its length
 *
 * Return: 0, or -EINVAL for another family or too long a prefix.
 */
static inline int wg_prefix_read(struct wg_prefix *prefix, u16 family,
				 const void *addr, u8 cidr)
{
	if (family == AF_INET && cidr <= 32)
		prefix->address = wg_address_read4(addr);
	else if (family == AF_INET6 && cidr <= 128)
		prefix->address = wg_address_read6(addr);
	else
		return -EINVAL;
	prefix->v6 = family == AF_INET6;
	wg_prefix_shorten(prefix, cidr);
	return 0;
}

#endif /* _WG_PREFIX_H */
