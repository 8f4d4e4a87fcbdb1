/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: SCTP over IP alone (encap none), by raw sockets.
 *
 * A raw socket of protocol 132 gets every SCTP packet that comes to this host,
 * and what is sent on it goes out with an IP header of the kernel's making. The
 * kernel says "protocol unreachable" (ICMP) only of packets that no raw socket
 * takes, so it is silent while ours are open, but for kernels that have SCTP
 * themselves: these look for an association of their own, have none, and abort
 * the peer's. Another program with such sockets, such as another sctpd, does the
 * same. So in both cases nothing is opened.
 *
 * A packet from a kernel on the same machine may lack its checksum, as the
 * devices between them, veth for example, promise to compute it and need not.
 * Such a packet is dropped, as any with a wrong checksum. With
 * "ethtool -K DEVICE tx-checksum-sctp off" at the other end it has one.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userland/userland.h"

bool
wire_is_raw(void)
{
	return strcmp(config.encap, "none") == 0;
}

/* Has the kernel SCTP, or would it load it for whoever asks? */
static bool
kernel_has_sctp(void)
{
	int	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP);

	if (fd != -1)
		(void)close(fd);
	return fd != -1 || access("/proc/net/sctp", F_OK) == 0;
}

/* Is there a raw socket of protocol 132 in this network namespace? The protocol stands where others have a port. */
static bool
is_taken(const char *path)
{
	char		 line[256];
	unsigned	 protocol;
	bool		 found = false;
	FILE		*f = fopen(path, "re");

	if (f == NULL)
		return false;
	while (!found && fgets(line, sizeof line, f) != NULL)
		found = sscanf(line, " %*u: %*[0-9A-F]:%x", &protocol) == 1 && protocol == IPPROTO_SCTP;
	(void)fclose(f);
	return found;
}

const char *
raw_why_not(void)
{
	if (kernel_has_sctp())
		return "encap none: this kernel has SCTP, and would abort the associations of the userland stack; "
		    "set stack to kernel, or encap to udp, or keep the kernel from loading SCTP: see sctpd(8)";
	if (is_taken("/proc/net/raw") || is_taken("/proc/net/raw6"))
		return "encap none: another program receives SCTP by raw sockets (/proc/net/raw, protocol 132), "
		    "and each would abort the associations of the other; end that one, or set encap to udp";
	return NULL;
}

int
raw_open(int family)
{
	return socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_SCTP);
}

/* The kernel leaves the header of IPv4 before the packet, and takes that of IPv6 off. */
size_t
raw_strip(sa_family_t family, char *packet, size_t len)
{
	size_t	head = family == AF_INET && len > 0 ? ((size_t)packet[0] & 15) * 4 : 0;

	if (len <= head)
		return 0;
	memmove(packet, packet + head, len - head);
	return len - head;
}
