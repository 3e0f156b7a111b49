/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WGI_RESOLVE_H
#define WGI_RESOLVE_H

#include <sys/socket.h>

/**
 * resolve() - the address of a host
 * @host: name or address
 * @address: filled
 *
 * Name servers may not be reached yet, as at boot: it is tried again, with growing
 * waits, as often as WG_ENDPOINT_RESOLUTION_RETRIES says or 15 times, as by wg(8).
 *
 * Return: 0, or -1 after having said why.
 */
int resolve(const char *host, struct sockaddr_storage *address);

#endif
