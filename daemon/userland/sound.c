/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: packets that usrsctp must not see.
 *
 * usrsctp 0.9.5.0 looks for addresses in an INIT that comes to an association,
 * and loops for ever at a parameter whose length is zero. Whoever sends such an
 * INIT needs to know only the ports, and hangs the daemon.
 */
#include <arpa/inet.h>
#include <string.h>

#include "userland/userland.h"

/* Where parameters begin: after the packet's header, and the fixed part of INIT or INIT ACK. */
#define PARAMETERS	(12 + 20)

/* usrsctp looks through all of the packet and not only the chunk. So do we. */
bool
packet_is_sound(const char *packet, size_t len)
{
	unsigned char	type = (unsigned char)packet[12];
	uint16_t	n;

	if (type != SCTP_INITIATION && type != SCTP_INITIATION_ACK)
		return true;
	for (size_t at = PARAMETERS; at + 4 <= len; at += (n + 3u) & ~3u) {
		memcpy(&n, packet + at + 2, sizeof n);
		if ((n = ntohs(n)) < 4)
			return false;
	}
	return true;
}
