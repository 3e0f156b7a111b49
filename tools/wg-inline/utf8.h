/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_UTF8_H
#define WGI_UTF8_H

#include <stddef.h>

/**
 * utf8_length() - how many bytes the character takes that @text begins with
 * @text: not empty
 *
 * Return: 1 to 4, or 0 if it is not one of UTF-8. Interfaces may have names that
 * are not, and JSON and OpenMetrics have to be.
 */
size_t utf8_length(const char *text);

#endif
