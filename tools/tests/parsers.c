// SPDX-License-Identifier: GPL-2.0
/* What the parsers make of values, one by one. KTAP on standard output. */
#include "cpulist.h"
#include "ethtool.h"
#include "utf8.h"
#include "value.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int number, failed;

static void result(bool good, const char *what, const char *about)
{
	printf("%s %d - %s: %s\n", good ? "ok" : "not ok", ++number, what,
	       about);
	failed += !good;
}

static void cpulists(void)
{
	static const char *const good[] = {
		"0", "0-3", "0,2,4", "0-3,8-11", "0-31:1/2", "65535", "3,1",
	};
	static const char *const bad[] = {
		"", ",", "0,", ",0", "-", "1-", "-1", "3-1", "a", "0 1", " 0",
		"0-", "65536", "99999999999999999999", "0-3:", "0-3:1",
		"0-3:1/0", "0-3:3/2", "0-3:1/2x", "0:1/2", "0x1",
	};
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		result(!cpulist_check(good[i]), "a list of CPUs", good[i]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		result(cpulist_check(bad[i]), "no list of CPUs", bad[i]);
	result(cpulist_check("0\n"), "no list of CPUs", "0 and a newline");
}

static void characters(void)
{
	static const char *const good[] = {
		"a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
		"\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
	};
	static const char *const bad[] = {
		"\xff", "\x80", "\xc3", "\xc3z", "\xc0\x80", "\xc1\xbf",
		"\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80", "\xed\xbf\xbf",
		"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
	};
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		result(utf8_length(good[i]) == strlen(good[i]),
		       "a character", "");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		result(!utf8_length(bad[i]), "bytes that are none", "");
}

static void counters(void)
{
	static const struct {
		const char *name, *mode, *what;
		int cpu;
		bool drop;
	} table[] = {
		{ "inline_cpu3_packets", "inline", "packets", 3, false },
		{ "threaded_cpu12_rx_packets", "threaded", "rx_packets", 12,
		  false },
		{ "cpu0_batches", "", "batches", 0, false },
		{ "softirq_drop_queue_full", "softirq", "queue_full", -1,
		  true },
		{ "drop_replay", "", "replay", -1, true },
		{ "inline_cpu1_no_key_drops", "inline", "no_key", 1, true },
		{ "rx_bad_tag_dropped", "", "rx_bad_tag", -1, true },
		{ "handshakes", "", "handshakes", -1, false },
		{ "drops", "", "any", -1, true },
		{ "inline", "inline", "count", -1, false },
		{ "cpu", "", "cpu", -1, false },
		{ "cpu99999999_x", "", "cpu99999999_x", -1, false },
		{ "inline_cpu1_cpu2", "inline", "cpu2", 1, false },
		{ "queue_inline", "", "queue_inline", -1, false },
		{ "", "", "count", -1, false },
	};
	struct counter counter;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		counter_parse(&counter, table[i].name);
		result(!strcmp(counter.mode, table[i].mode) &&
		       !strcmp(counter.what, table[i].what) &&
		       counter.cpu == table[i].cpu &&
		       counter.drop == table[i].drop, "counter",
		       table[i].name);
	}
}

static void keys(void)
{
	static const char *const bad[] = {
		"", "=", "AAAA", "+C3tiK4XvUAmZGh6K4SR3VJ5oYCPuwDObMZbI5EX+Wg",
		"+C3tiK4XvUAmZGh6K4SR3VJ5oYCPuwDObMZbI5EX+Wh=",
		"-C3tiK4XvUAmZGh6K4SR3VJ5oYCPuwDObMZbI5EX_Wg=",
		"+C3tiK4XvUAmZGh6K4SR3VJ5oYCPuwDObMZbI5EX+W==",
		"+C3tiK4XvUAmZGh6K4SR3VJ5oYCPuwDObMZbI5EX+WgA",
		"+C3tiK4XvUAmZGh6K4SR3VJ5oYCPuwDObMZbI5EX Wg=",
		"+C3tiK4XvU\xb8mZGh6K4SR3VJ5oYCPuwDObMZbI5EX+Wg=",
	};
	uint8_t private[KEY_BYTES], derived[KEY_BYTES];
	char text[KEY_TEXT];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		result(!value_key(bad[i], private), "no key", bad[i]);
	if (!value_key("+C3tiK4XvUAmZGh6K4SR3VJ5oYCPuwDObMZbI5EX+Wg=", private))
		memset(private, 0, sizeof(private));
	value_public(private, derived);
	value_key_text(derived, text);
	result(!strcmp(text, "QyUzYAEWusYtco5lAPtQuHSFVQPVy8nYlR/cnUgO9Sw="),
	       "public key", text);
	/* Made by tests/derive.py, that is by hashlib. */
	value_derive(private, 2, derived);
	value_key_text(derived, text);
	result(!strcmp(text, "AP3Bauy5wljHP7U5ZVCjyzGr8AgRmlw3AWdm0GaTV2I="), "key of tunnel 2", text);
	value_derive(private, 32, derived);
	value_key_text(derived, text);
	result(!strcmp(text, "KA/ji5caTA3yC0y8vZf2nieS2+HIJBcXTuTIy3EQeGM="), "key of tunnel 32", text);
}

static void prefixes(void)
{
	static const struct {
		const char *text;
		int family, length;
	} table[] = {
		{ "10.0.0.1/24", AF_INET, 24 }, { "10.0.0.1", AF_INET, 32 },
		{ "0.0.0.0/0", AF_INET, 0 }, { "fd00::1/64", AF_INET6, 64 },
		{ "::/0", AF_INET6, 0 }, { "fd00::1", AF_INET6, 128 },
		{ "10.0.0.1/33", 0, 0 }, { "fd00::1/129", 0, 0 },
		{ "10.0.0/8", 0, 0 }, { "10.0.0.1/", 0, 0 },
		{ "10.0.0.1/+8", 0, 0 }, { "10.0.0.1/ 8", 0, 0 }, { "", 0, 0 },
		{ "/", 0, 0 }, { "fd00::1%eth0", 0, 0 },
		{ "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/1", 0, 0 },
	};
	struct prefix prefix;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		bool good = value_prefix(table[i].text, &prefix);

		result(table[i].family ? good &&
		       prefix.family == table[i].family &&
		       prefix.length == table[i].length : !good, "prefix",
		       table[i].text);
	}
}

static void endpoints(void)
{
	static const struct {
		const char *text, *host;
		int port;
	} table[] = {
		{ "a.example:1", "a.example", 1 }, { "192.0.2.1:65535",
		  "192.0.2.1", 65535 }, { "[::1]:51820", "::1", 51820 },
		{ "a:0", NULL, 0 }, { "a:65536", NULL, 0 }, { ":1", NULL, 0 },
		{ "[]:1", NULL, 0 }, { "::1:51820", NULL, 0 }, { "a", NULL, 0 },
		{ "", NULL, 0 }, { "[::1]", NULL, 0 }, { "[::1:1", NULL, 0 },
		{ "]:1", "]", 1 }, { "[:1", NULL, 0 }, { "a: 1", NULL, 0 },
		{ "a:+1", NULL, 0 },
	};
	const char *host;
	uint16_t port;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char *text = strdup(table[i].text);
		bool good = value_endpoint(text, &host, &port);

		result(table[i].host ? good && !strcmp(host, table[i].host) &&
		       port == table[i].port : !good, "endpoint",
		       table[i].text);
		free(text);
	}
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	puts("KTAP version 1");
	cpulists();
	characters();
	counters();
	keys();
	prefixes();
	endpoints();
	printf("1..%d\n# %d passed, %d failed\n", number, number - failed,
	       failed);
	return !!failed;
}
