/* SPDX-License-Identifier: BSD-2-Clause */
/* What the peers of a standby read from their command lines. */
#ifndef ADDRESSES_H
#define ADDRESSES_H

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#define MOST	4

/* A list with commas; gives how many. */
static inline int
addresses(struct sockaddr_in to[MOST], char *list, int port)
{
	int	n = 0;

	for (char *a = strtok(list, ","); a != NULL && n < MOST; a = strtok(NULL, ","), n++) {
		to[n] = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
		if (inet_pton(AF_INET, a, &to[n].sin_addr) != 1)
			errx(2, "%s is no address", a);
	}
	return n;
}

#endif
