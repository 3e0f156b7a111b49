// SPDX-License-Identifier: GPL-2.0
/* The values that a configuration is made of. */
#include "value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

void value_key_text(const uint8_t key[KEY_BYTES], char text[KEY_TEXT])
{
	sodium_bin2base64(text, KEY_TEXT, key, KEY_BYTES,
			  sodium_base64_VARIANT_ORIGINAL);
}

/*
 * Base64 of 32 bytes has one length, and one way to write it; but libsodium also
 * reads some bytes beyond ASCII (1.0.18 does), hence the look back.
 */
bool value_key(const char *text, uint8_t key[KEY_BYTES])
{
	char again[KEY_TEXT];
	size_t got;
	bool good;

	if (strlen(text) != KEY_TEXT - 1 ||
	    sodium_base642bin(key, KEY_BYTES, text, KEY_TEXT - 1, NULL, &got,
			      NULL, sodium_base64_VARIANT_ORIGINAL) ||
	    got != KEY_BYTES)
		return false;
	value_key_text(key, again);
	good = !sodium_memcmp(text, again, KEY_TEXT);
	sodium_memzero(again, sizeof(again));
	return good;
}

static bool digits(const char *text, int base, uint32_t most, uint32_t *number)
{
	unsigned long long value;
	char *end;

	/* Neither a sign nor white space, which strtoull() would take. */
	if (base == 16 ? !isxdigit((unsigned char)*text) :
	    !isdigit((unsigned char)*text))
		return false;
	value = strtoull(text, &end, base);
	if (*end || value > most)
		return false;
	*number = value;
	return true;
}

bool value_number(const char *text, uint32_t most, uint32_t *number)
{
	return digits(text, 10, most, number);
}

bool value_number_or_off(const char *text, uint32_t most, uint32_t *number)
{
	if (!strcasecmp(text, "off")) {
		*number = 0;
		return true;
	}
	if (text[0] == '0' && (text[1] | ' ') == 'x')
		return digits(text + 2, 16, most, number);
	return digits(text, 10, most, number);
}

bool value_prefix(const char *text, struct prefix *prefix)
{
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	char address[INET6_ADDRSTRLEN];
	uint32_t bits;

	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	memset(prefix, 0, sizeof(*prefix));
	prefix->family = strchr(address, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(prefix->family, address, &prefix->v6) != 1)
		return false;
	bits = prefix->family == AF_INET6 ? 128 : 32;
	if (slash && !value_number(slash + 1, bits, &bits))
		return false;
	prefix->length = bits;
	return true;
}

bool value_endpoint(char *text, const char **host, uint16_t *port)
{
	char *colon = strrchr(text, ':'), *end = colon;
	uint32_t number;

	if (!colon || !value_number(colon + 1, UINT16_MAX, &number) || !number)
		return false;
	if (*text == '[') {
		if (colon == text || *--end != ']')
			return false;
		text++;
	} else if (memchr(text, ':', colon - text)) {
		return false;
	}
	if (text >= end)
		return false;
	*end = '\0';
	*host = text;
	*port = number;
	return true;
}

void value_public(const uint8_t private[KEY_BYTES], uint8_t public[KEY_BYTES])
{
	crypto_scalarmult_curve25519_base(public, private);
}

void value_local(const uint8_t public[KEY_BYTES], struct prefix *address)
{
	memset(address, 0, sizeof(*address));
	address->family = AF_INET6;
	address->length = 128;
	address->v6.s6_addr[0] = 0xfe;
	address->v6.s6_addr[1] = 0x80;
	memcpy(address->v6.s6_addr + 8, public, 8);
}

void value_derive(const uint8_t private[KEY_BYTES], unsigned int tunnel,
		  uint8_t derived[KEY_BYTES])
{
	_Static_assert(crypto_kdf_KEYBYTES == KEY_BYTES, "a key is a key");

	crypto_kdf_derive_from_key(derived, KEY_BYTES, tunnel, "wginline",
				   private);
	/* As keys of this curve are written, so that wg shows the same one. */
	derived[0] &= 248;
	derived[31] = (derived[31] & 127) | 64;
}
