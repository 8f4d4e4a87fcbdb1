/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: its wire, SCTP in UDP (RFC 6951), or over IP alone.
 *
 * Packets are read many at a time. Each packet says which address of this host
 * it came to, as the answer must come from that address. userland/out.c sends
 * packets.
 */
#include <errno.h>
#include <netinet/udp.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config.h"
#include "proto/addr.h"
#include "userland/userland.h"
#include "util/log.h"
#include "util/loop.h"

#define UDP_BUFFER	(16 << 20)	/* takes a burst of packets on loopback */
#define LARGE		(256 << 10)	/* bytes that were received in one turn: the next receives */
#define FEW		4		/* so many messages */
#define HEARTBEAT_ACK	5

static struct udp_batch	in;
static struct event		readable[UDP_MAX_FDS];

/* ---- packets -------------------------------------------------------- */

/*
 * Give a packet its port number inside usrsctp. False: the packet is for
 * nobody, and nobody answers.
 */
static bool
go_inside(char *packet, size_t len, const struct path *path)
{
	struct port	*port = port_for(path, packet_port(packet, 0), packet_port(packet, 2));

	if (port != NULL) {
		packet_set_port(packet, 2, port->inner);
		embryo_look(port, path, packet, len);
	}
	/*
	 * A packet without a port is for usrsctp to answer, unless inside
	 * usrsctp its number is that of another port.
	 */
	return port != NULL || !port_is_inside(packet_port(packet, 2));
}

static void
take_packet(int fd, char *packet, size_t len, const struct sockaddr_storage *from,
    const struct sockaddr_storage *to, uint8_t tos)
{
	struct local		*local;
	struct path		*path;
	uint32_t		 sum;

	if (len < SCTP_HEADER + 4 || !packet_is_sound(packet, len))
		return;
	memcpy(&sum, packet + 8, sizeof sum);
	if (sum != packet_checksum(packet, len) || (local = udp_local_at(fd, to)) == NULL)
		return;
	memcpy(packet + 8, &sum, sizeof sum);
	if ((path = path_for(local, from, packet)) == NULL)
		local_drop(local);
	if (path == NULL || !go_inside(packet, len, path))
		return;
	path->beats += packet[SCTP_HEADER] == HEARTBEAT_ACK;
	usrsctp_conninput((void *)(uintptr_t)path->node.key, packet, len, tos & 3);
}

/* ---- in ------------------------------------------------------------- */

/*
 * The address that a packet came to, and its type of service; and the length of
 * each packet, if the kernel has joined several (UDP_GRO).
 */
static void
read_control(struct msghdr *h, struct sockaddr_storage *to, uint8_t *tos, size_t *each)
{
	struct sockaddr_in	s4 = { .sin_family = AF_INET };
	struct sockaddr_in6	s6 = { .sin6_family = AF_INET6 };
	struct in_pktinfo	p4;
	struct in6_pktinfo	p6;
	int			size;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&p4, CMSG_DATA(c), sizeof p4);
			s4.sin_addr = p4.ipi_addr;
			if (p4.ipi_spec_dst.s_addr == p4.ipi_addr.s_addr)	/* else it came to many hosts */
				memcpy(to, &s4, sizeof s4);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&p6, CMSG_DATA(c), sizeof p6);
			s6.sin6_addr = p6.ipi6_addr;
			if (IN6_IS_ADDR_LINKLOCAL(&p6.ipi6_addr))
				s6.sin6_scope_id = p6.ipi6_ifindex;
			if (!IN6_IS_ADDR_MULTICAST(&p6.ipi6_addr))
				memcpy(to, &s6, sizeof s6);
		} else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) ||
		    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS))
			*tos = *CMSG_DATA(c);
		else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
			memcpy(&size, CMSG_DATA(c), sizeof size);
			*each = size > 0 ? (size_t)size : *each;
		}
	}
}

/* One message: a packet, or several of that length each, of which the last may be shorter. */
static void
take_packets(int fd, unsigned i, size_t each, const struct sockaddr_storage *to, uint8_t tos)
{
	size_t	len = in.header[i].msg_len, n;

	if (wire_is_raw())
		len = raw_strip(in.addr[i].ss_family, in.data[i], len);

	for (size_t at = 0; at < len; at += n) {
		n = len - at < each ? len - at : each;
		if (at % sizeof(uint64_t) != 0)		/* to where what was dealt with lies aligned */
			memcpy(in.data[i], in.data[i] + at, n);
		take_packet(fd, in.data[i] + (at % sizeof(uint64_t) != 0 ? 0 : at), n, &in.addr[i], to, tos);
	}
}

static void
udp_receive(int fd)
{
	static unsigned		want = UDP_BATCH;
	struct sockaddr_storage	to;
	uint8_t			tos;
	size_t			each, bytes = 0;
	int			n;

	for (unsigned i = 0; i < want; i++) {
		in.iov[i] = (struct iovec){ in.data[i], UDP_PACKET };
		in.header[i].msg_hdr = (struct msghdr){
			.msg_name = &in.addr[i],
			.msg_namelen = sizeof in.addr[i],
			.msg_iov = &in.iov[i],
			.msg_iovlen = 1,
			.msg_control = in.control[i],
			.msg_controllen = UDP_CONTROL,
		};
	}
	n = recvmmsg(fd, in.header, want, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		memset(&to, 0, sizeof to);
		tos = 0;
		each = UDP_PACKET;
		read_control(&in.header[i].msg_hdr, &to, &tos, &each);
		if (to.ss_family != 0)
			take_packets(fd, (unsigned)i, each, &to, tos);
		bytes += in.header[i].msg_len;
	}
	/* A turn is not to become long because each message has many packets. */
	want = bytes > LARGE ? FEW : UDP_BATCH;
}

static void
udp_on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)what, (void)arg;
	udp_receive(fd);
}

/* ---- sockets -------------------------------------------------------- */

static void
set(int fd, int level, int name, int value)
{
	(void)setsockopt(fd, level, name, &value, sizeof value);
}

/* A UDP socket of this port; -1 with errno. */
static int
open_port(int family, uint16_t port)
{
	struct sockaddr_storage	ss = { .ss_family = (sa_family_t)family };
	int			fd, number;

	addr_set_port(&ss, port);
	if ((fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) == -1)
		return -1;
	if (family == AF_INET6)
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (bind(fd, (struct sockaddr *)&ss, addr_len(&ss)) == -1) {
		number = errno;
		(void)close(fd);
		errno = number;
		return -1;
	}
	return fd;
}

/* Open one socket; -1 with errno. A host without IPv6 is no error. */
static int
open_one(int family, uint16_t port)
{
	int	fd = wire_is_raw() ? raw_open(family) : open_port(family, port);

	if (fd == -1)
		return -1;
	set(fd, SOL_SOCKET, SO_RCVBUF, UDP_BUFFER);
	set(fd, SOL_SOCKET, SO_SNDBUF, UDP_BUFFER);
	set(fd, SOL_SOCKET, SO_RCVBUFFORCE, UDP_BUFFER);
	set(fd, SOL_SOCKET, SO_SNDBUFFORCE, UDP_BUFFER);
	set(fd, IPPROTO_UDP, UDP_GRO, 1);
	if (family == AF_INET) {
		set(fd, IPPROTO_IP, IP_PKTINFO, 1);
		set(fd, IPPROTO_IP, IP_RECVTOS, 1);
	} else {
		set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
		set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
	}
	return fd;
}

static const char *
open_failed(uint16_t port)
{
	static char	why[256];
	int		number = errno, n;

	udp_close();
	if (wire_is_raw()) {
		(void)snprintf(why, sizeof why, "encap none: raw sockets: %s%s", strerror(number), number == EPERM ?
		    "; the daemon needs CAP_NET_RAW, see sctpd(8), or set encap to udp" : "");
		return why;
	}
	n = snprintf(why, sizeof why, "UDP port %u: %s", port, strerror(number));
	if (number == EADDRINUSE)
		(void)snprintf(why + n, sizeof why - (size_t)n,
		    ": another program has it (ss -lunp sport = %u), or choose another with "
		    "udp_port, see sctpd.conf(5)", port);
	else if (number == EACCES)
		(void)snprintf(why + n, sizeof why - (size_t)n,
		    ": it needs CAP_NET_BIND_SERVICE; choose one from 1024 on with udp_port, "
		    "see sctpd.conf(5)");
	return why;
}

const char *
udp_open(void)
{
	uint16_t	ports[CONFIG_UDP_PORTS] = { 0 };
	size_t		n = wire_is_raw() ? 1 : config_ports(config.udp_port, ports);
	const char	*why;
	int		fd;

	if (udp_nfds > 0)
		return NULL;
	if (wire_is_raw() && (why = raw_why_not()) != NULL)
		return why;
	if (wire_is_raw())
		log_info("encap none: SCTP is sent over IP alone, by raw sockets");
	out_begin();
	for (size_t i = 0; i < n; i++) {
		for (int k = 0; k < 2; k++) {
			fd = open_one(k == 0 ? AF_INET : AF_INET6, ports[i]);
			if (fd == -1 && k == 1 && errno == EAFNOSUPPORT)
				continue;
			if (fd == -1)
				return open_failed(ports[i]);
			udp_fds[udp_nfds] = fd;
			(void)event_assign(&readable[udp_nfds], loop_base(), fd,
			    EV_READ | EV_PERSIST, udp_on_readable, NULL);
			if (event_add(&readable[udp_nfds++], NULL) == -1)
				return open_failed(ports[i]);
		}
	}
	return NULL;
}

void
udp_close(void)
{
	while (udp_nfds > 0) {
		udp_nfds--;
		(void)event_del(&readable[udp_nfds]);
		(void)close(udp_fds[udp_nfds]);
	}
	out_end();
	local_free_all();
}

void
udp_run(unsigned ms, bool (*done)(void))
{
	struct pollfd	p[UDP_MAX_FDS];

	for (unsigned i = 0; i < ms / 10 && !done(); i++) {
		for (unsigned k = 0; k < udp_nfds; k++)
			p[k] = (struct pollfd){ .fd = udp_fds[k], .events = POLLIN };
		out_flush();
		(void)poll(p, udp_nfds, 10);
		for (unsigned k = 0; k < udp_nfds; k++) {
			if (p[k].revents & POLLIN)
				udp_receive(udp_fds[k]);
		}
		clock_tick();
		wake_all();
	}
	out_flush();
}
