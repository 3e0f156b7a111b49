// SPDX-License-Identifier: GPL-2.0
#include "utf8.h"

#include <stdint.h>

/* The least number that needs so many bytes: it must not be written with more. */
static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

/* By the bits that the first byte begins with. */
static size_t announced(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc0 || first >= 0xf8)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t utf8_length(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t length = announced(*at), i;
	uint32_t number = length > 1 ? *at & 0x7f >> length : *at;

	for (i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		number = number << 6 | (at[i] & 0x3f);
	}
	/* Halves of UTF-16's pairs are no characters. */
	if (number < least[length] || number > 0x10ffff ||
	    (number >= 0xd800 && number < 0xe000))
		return 0;
	return length;
}
