// SPDX-License-Identifier: GPL-2.0
#include "json.h"

#include "utf8.h"

#include <inttypes.h>
#include <stdio.h>

static unsigned int depth;
static bool first = true;

/* A byte that is no part of a character is written as \xff, in four. */
static void put_odd(unsigned char c)
{
	if (c == '"' || c == '\\')
		printf("\\%c", c);
	else if (c < 0x80)
		printf("\\u%04x", c);
	else
		printf("\\\\x%02x", c);
}

static void put_string(const char *text)
{
	size_t length;

	putchar('"');
	for (; *text; text += length ? length : 1) {
		unsigned char c = *text;

		length = utf8_length(text);
		if (!length || c == '"' || c == '\\' || c < ' ' || c == 0x7f)
			put_odd(c);
		else
			fwrite(text, length, 1, stdout);
	}
	putchar('"');
}

static void new_line(void)
{
	printf("\n%*s", (int)(2 * depth), "");
}

static void begin(const char *key)
{
	if (!first)
		putchar(',');
	if (depth)
		new_line();
	first = false;
	if (!key)
		return;
	put_string(key);
	fputs(": ", stdout);
}

void json_open(const char *key, char bracket)
{
	begin(key);
	putchar(bracket);
	depth++;
	first = true;
}

void json_close(char bracket)
{
	depth--;
	if (!first)
		new_line();
	putchar(bracket);
	first = !depth;
	if (!depth)
		putchar('\n');
}

void json_text(const char *key, const char *value)
{
	begin(key);
	if (value)
		put_string(value);
	else
		fputs("null", stdout);
}

void json_unsigned(const char *key, uint64_t value)
{
	begin(key);
	printf("%" PRIu64, value);
}

void json_signed(const char *key, int64_t value)
{
	begin(key);
	if (value < 0)
		fputs("null", stdout);
	else
		printf("%" PRId64, value);
}

void json_bool(const char *key, bool value)
{
	begin(key);
	fputs(value ? "true" : "false", stdout);
}
