// SPDX-License-Identifier: GPL-2.0
#include "resolve.h"

#include "say.h"
#include "value.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RETRIES "WG_ENDPOINT_RESOLUTION_RETRIES"
#define USUAL_RETRIES 15
/* Milliseconds. */
#define FIRST_WAIT 1000
#define LONGEST_WAIT 20000

static uint32_t read_retries(void)
{
	const char *text = getenv(RETRIES);
	uint32_t retries;

	if (text && !strcmp(text, "infinity"))
		return UINT32_MAX;
	if (!text || !value_number(text, UINT32_MAX, &retries))
		return USUAL_RETRIES;
	return retries;
}

/* There is no such name, as far as those say who ought to know. */
static bool is_final(int error)
{
	return error == EAI_NONAME || error == EAI_FAIL || error == EAI_NODATA;
}

static const char *reason(int error)
{
	return error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error);
}

static int try(const char *host, struct sockaddr_storage *address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *found;
	int ret = getaddrinfo(host, NULL, &hints, &found);

	if (ret)
		return ret;
	memcpy(address, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return 0;
}

int resolve(const char *host, struct sockaddr_storage *address)
{
	uint32_t left = read_retries();
	unsigned int wait = FIRST_WAIT;
	int ret;

	while ((ret = try(host, address)) && left && !is_final(ret)) {
		say("cannot find the host %s: %s: trying again in %u.%u s",
		    host, reason(ret), wait / 1000, wait / 100 % 10);
		usleep(wait * 1000);
		wait = wait * 6 / 5 < LONGEST_WAIT ? wait * 6 / 5 : LONGEST_WAIT;
		left -= left != UINT32_MAX;
	}
	return ret ? fail("cannot find the host %s: %s", host, reason(ret)) : 0;
}
