/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: packets that usrsctp shall not see.
 *
 * usrsctp 0.9.5.0 looks for addresses in an INIT that comes to an association,
 * and goes round for ever where a parameter says that it has no length. Who
 * sends one needs to know nothing but the ports: it hangs the daemon.
 */
#include <arpa/inet.h>
#include <string.h>

#include "userland.h"

/* Of a packet and of its first chunk, with what INIT and its answer begin with. */
#define PARAMETERS	(12 + 20)

/* As usrsctp does, look through all that is in the packet, not in the chunk. */
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
