/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_JSON_H
#define WGI_JSON_H

#include <stdbool.h>
#include <stdint.h>

/*
 * JSON on standard output, indented. KEY is the member's name in an object and
 * NULL in an array.
 */
void json_open(const char *key, char bracket);	/* '{' or '[' */
void json_close(char bracket);			/* '}' or ']' */
void json_text(const char *key, const char *value); /* NULL: null */
void json_unsigned(const char *key, uint64_t value);
void json_signed(const char *key, int64_t value); /* negative: null */
void json_bool(const char *key, bool value);

#endif
