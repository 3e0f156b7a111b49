/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_VALUE_H
#define WGI_VALUE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define KEY_BYTES 32
#define KEY_TEXT 45	/* with its end */

/**
 * struct prefix - an address and how much of it counts
 * @family: AF_INET or AF_INET6
 * @length: bits that count
 * @v4: the address, if @family is AF_INET
 * @v6: the address, if @family is AF_INET6
 */
struct prefix {
	int family;
	uint8_t length;
	union {
		struct in_addr v4;
		struct in6_addr v6;
	};
};

/*
 * Each reads all of TEXT, which has no white space around it, and returns
 * whether it could be understood.
 */
bool value_key(const char *text, uint8_t key[KEY_BYTES]);
bool value_number(const char *text, uint32_t most, uint32_t *number);
/* "off" is 0; hexadecimal after 0x */
bool value_number_or_off(const char *text, uint32_t most, uint32_t *number);
/* without a length, all of the address counts */
bool value_prefix(const char *text, struct prefix *prefix);
/* host:port or [address]:port; TEXT is cut in two, and *HOST points into it */
bool value_endpoint(char *text, const char **host, uint16_t *port);

/* value_key_text() - a key as people write it; secret if the key is */
void value_key_text(const uint8_t key[KEY_BYTES], char text[KEY_TEXT]);

/* value_public() - the public key that belongs to a private one */
void value_public(const uint8_t private[KEY_BYTES], uint8_t public[KEY_BYTES]);

/* value_local() - the link-local address of who has a public key: its 8 first bytes */
void value_local(const uint8_t public[KEY_BYTES], struct prefix *address);

/**
 * value_derive() - the private key of a further tunnel
 * @private: of the first tunnel
 * @tunnel: from 2
 * @derived: the key
 *
 * It is subkey number @tunnel, of 32 bytes, in the context "wginline", of
 * libsodium's key derivation with @private as the main key: BLAKE2b without a
 * message, with @private as the key, @tunnel (little endian) as the salt and the
 * context as the personalisation. Nobody who has only derived keys learns
 * @private or another derived key from them.
 */
void value_derive(const uint8_t private[KEY_BYTES], unsigned int tunnel,
		  uint8_t derived[KEY_BYTES]);

#endif
