/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: its wire, SCTP in UDP (RFC 6951).
 *
 * Packets are read and written many at a time. Each says which address of
 * this host's it came to, as what answers it must come from there. Checksums
 * are made and checked here, since ports are put right here.
 */
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addr.h"
#include "config.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "userland.h"

#define BATCH		32
#define PACKET		65536
#define CONTROL		128
#define MAX_FDS		(2 * CONFIG_UDP_PORTS)
#define UDP_BUFFER	(16 << 20)	/* a burst of packets on loopback */
#define SCTP_HEADER	12

struct batch {
	struct mmsghdr		header[BATCH];
	struct iovec		iov[BATCH];
	struct sockaddr_storage	addr[BATCH];
	_Alignas(struct cmsghdr) char control[BATCH][CONTROL];
	_Alignas(uint64_t) char	data[BATCH][PACKET];
	int			fd[BATCH];
	uint8_t			tos[BATCH];
	unsigned		n;
};

static struct batch		in, out;
static int			fds[MAX_FDS];
static struct event		readable[MAX_FDS];
static unsigned			nfds;
static struct event		flush;

/* ---- packets -------------------------------------------------------- */

static uint16_t
get_port(const char *packet, size_t offset)
{
	uint16_t	port;

	memcpy(&port, packet + offset, sizeof port);
	return ntohs(port);
}

static void
put_port(char *packet, size_t offset, uint16_t port)
{
	port = htons(port);
	memcpy(packet + offset, &port, sizeof port);
}

/* Give a packet its port inside; false: it is nobody's, and nobody answers. */
static bool
go_inside(char *packet, const struct path *path)
{
	struct port	*port = port_for(path, get_port(packet, 0), get_port(packet, 2));

	if (port != NULL)
		put_port(packet, 2, port->inner);
	/* Else it may be nobody's, or somebody's on another address only. */
	return port != NULL || !port_is_inside(get_port(packet, 2));
}

static void
take_packet(int fd, char *packet, size_t len, const struct sockaddr_storage *from,
    const struct sockaddr_storage *to, uint8_t tos)
{
	const struct local	*local;
	struct path		*path;
	uint32_t		 sum;

	if (len < SCTP_HEADER + 4 || !packet_is_sound(packet, len))
		return;
	memcpy(&sum, packet + 8, sizeof sum);
	if (sum != packet_checksum(packet, len) || (local = udp_local_at(fd, to)) == NULL)
		return;
	memcpy(packet + 8, &sum, sizeof sum);
	if ((path = path_for(local, from, packet)) == NULL || !go_inside(packet, path))
		return;
	usrsctp_conninput((void *)(uintptr_t)path->node.key, packet, len, tos & 3);
}

/* ---- in ------------------------------------------------------------- */

/* The address that a packet came to, and its type of service. */
static void
read_control(struct msghdr *h, struct sockaddr_storage *to, uint8_t *tos)
{
	struct sockaddr_in	s4 = { .sin_family = AF_INET };
	struct sockaddr_in6	s6 = { .sin6_family = AF_INET6 };
	struct in_pktinfo	p4;
	struct in6_pktinfo	p6;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&p4, CMSG_DATA(c), sizeof p4);
			s4.sin_addr = p4.ipi_addr;
			memcpy(to, &s4, sizeof s4);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&p6, CMSG_DATA(c), sizeof p6);
			s6.sin6_addr = p6.ipi6_addr;
			if (IN6_IS_ADDR_LINKLOCAL(&p6.ipi6_addr))
				s6.sin6_scope_id = p6.ipi6_ifindex;
			memcpy(to, &s6, sizeof s6);
		} else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) ||
		    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS))
			*tos = *CMSG_DATA(c);
	}
}

static int
receive(int fd)
{
	for (unsigned i = 0; i < BATCH; i++) {
		in.iov[i] = (struct iovec){ in.data[i], PACKET };
		in.header[i].msg_hdr = (struct msghdr){
			.msg_name = &in.addr[i],
			.msg_namelen = sizeof in.addr[i],
			.msg_iov = &in.iov[i],
			.msg_iovlen = 1,
			.msg_control = in.control[i],
			.msg_controllen = CONTROL,
		};
	}
	return recvmmsg(fd, in.header, BATCH, MSG_DONTWAIT, NULL);
}

static void
udp_receive(int fd)
{
	struct sockaddr_storage	to;
	uint8_t			tos;
	int			n = receive(fd);

	for (int i = 0; i < n; i++) {
		memset(&to, 0, sizeof to);
		tos = 0;
		read_control(&in.header[i].msg_hdr, &to, &tos);
		if (to.ss_family != 0)
			take_packet(fd, in.data[i], in.header[i].msg_len, &in.addr[i],
			    &to, tos);
	}
}

static void
udp_on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)what, (void)arg;
	udp_receive(fd);
}

/* ---- out ------------------------------------------------------------ */

static size_t
put_control(struct msghdr *h, int level, int type, const void *value, size_t len)
{
	struct cmsghdr	*c = (struct cmsghdr *)(void *)((char *)h->msg_control + h->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), value, len);
	return CMSG_SPACE(len);
}

static void
put_int(struct msghdr *h, int level, int type, int value)
{
	if (value != 0)
		h->msg_controllen += put_control(h, level, type, &value, sizeof value);
}

/* Where it comes from, its type of service and how far it may go. */
static void
write_control(struct msghdr *h, const struct sockaddr_storage *from, int tos,
    const struct port *port)
{
	struct sockaddr_in	s4;
	struct sockaddr_in6	s6;
	struct in_pktinfo	p4 = { .ipi_ifindex = 0 };
	struct in6_pktinfo	p6 = { .ipi6_ifindex = 0 };

	if (from->ss_family == AF_INET6) {
		memcpy(&s6, from, sizeof s6);
		p6.ipi6_addr = s6.sin6_addr;
		h->msg_controllen += put_control(h, IPPROTO_IPV6, IPV6_PKTINFO, &p6, sizeof p6);
		put_int(h, IPPROTO_IPV6, IPV6_TCLASS, tos | (port != NULL ? port->tclass : 0));
	} else {
		memcpy(&s4, from, sizeof s4);
		p4.ipi_spec_dst = s4.sin_addr;
		h->msg_controllen += put_control(h, IPPROTO_IP, IP_PKTINFO, &p4, sizeof p4);
		put_int(h, IPPROTO_IP, IP_TOS, tos | (port != NULL ? port->tos : 0));
		put_int(h, IPPROTO_IP, IP_TTL, port != NULL ? port->ttl : 0);
	}
}

/* Take those out of the batch that went. */
static void
drop_sent(unsigned sent)
{
	if (sent == out.n) {
		out.n = 0;
		return;
	}
	for (unsigned i = sent; i < out.n; i++) {
		unsigned	to = i - sent;

		memcpy(out.data[to], out.data[i], out.iov[i].iov_len);
		memcpy(out.control[to], out.control[i], CONTROL);
		out.addr[to] = out.addr[i];
		out.iov[to].iov_len = out.iov[i].iov_len;
		out.header[to].msg_hdr.msg_controllen = out.header[i].msg_hdr.msg_controllen;
		out.header[to].msg_hdr.msg_namelen = out.header[i].msg_hdr.msg_namelen;
		out.fd[to] = out.fd[i];
		out.tos[to] = out.tos[i];
	}
	out.n -= sent;
}

/* How many at the front go out of the same socket. */
static unsigned
same_fd(unsigned from)
{
	unsigned	n = from;

	while (n < out.n && out.fd[n] == out.fd[from])
		n++;
	return n - from;
}

static void
put_checksums(void)
{
	uint32_t	sum;

	for (unsigned i = 0; i < out.n; i++) {
		sum = packet_checksum(out.data[i], out.iov[i].iov_len);
		memcpy(out.data[i] + 8, &sum, sizeof sum);
	}
}

/* A packet that cannot be sent is lost, as packets are. */
static void
udp_flush(void)
{
	unsigned	done = 0;
	int		n;

	put_checksums();
	while (done < out.n) {
		n = sendmmsg(out.fd[done], out.header + done, same_fd(done), MSG_DONTWAIT);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			break;
		done += n > 0 ? (unsigned)n : 1;
	}
	drop_sent(done);
	if (out.n > 0)
		(void)event_add(&flush, NULL);
}

static void
udp_on_flush(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	udp_flush();
}

/* ---- packets that become one ----------------------------------------- */

/* A packet that says what was received, and nothing else. */
static bool
is_bare_sack(const char *packet, size_t len)
{
	return len > SCTP_HEADER + 4 && packet[SCTP_HEADER] == SCTP_SELECTIVE_ACK &&
	    get_port(packet, SCTP_HEADER + 2) == len - SCTP_HEADER;
}

/*
 * Many packets come at once, and usrsctp answers every second: the last of
 * such answers in a row says all that those before it did.
 */
static bool
replace(unsigned i, const char *packet, size_t len)
{
	if (!is_bare_sack(packet, len) || !is_bare_sack(out.data[i], out.iov[i].iov_len))
		return false;
	memcpy(out.data[i], packet, len);
	out.iov[i].iov_len = len;
	return true;
}

/*
 * Many messages are sent at once, and usrsctp sends each in a packet of its
 * own while it may: they share one as far as it fits the path.
 */
static bool
append(unsigned i, const char *packet, size_t len, uint8_t tos, const struct path *path)
{
	size_t	at = out.iov[i].iov_len;
	char	first = out.data[i][SCTP_HEADER];

	if (packet[SCTP_HEADER] != SCTP_DATA || (first != SCTP_DATA && first != SCTP_SELECTIVE_ACK) ||
	    out.tos[i] != tos || at % 4 != 0 || at + len - SCTP_HEADER > path->longest)
		return false;
	memcpy(out.data[i] + at, packet + SCTP_HEADER, len - SCTP_HEADER);
	out.iov[i].iov_len += len - SCTP_HEADER;
	return true;
}

/* Packets of one association have ports and verification tag in common. */
static bool
join_last(const struct path *path, const char *packet, size_t len, uint8_t tos)
{
	unsigned	i = out.n - 1;

	return out.n > 0 && len > SCTP_HEADER && memcmp(out.data[i], packet, 8) == 0 &&
	    addr_equal(&out.addr[i], &path->peer) &&
	    (replace(i, packet, len) || append(i, packet, len, tos, path));
}

static void
put_packet(const struct path *path, const struct port *port, const char *packet, size_t len,
    uint8_t tos)
{
	struct msghdr	*h = &out.header[out.n].msg_hdr;

	memcpy(out.data[out.n], packet, len);
	out.addr[out.n] = path->peer;
	out.iov[out.n] = (struct iovec){ out.data[out.n], len };
	*h = (struct msghdr){
		.msg_name = &out.addr[out.n],
		.msg_namelen = addr_len(&path->peer),
		.msg_iov = &out.iov[out.n],
		.msg_iovlen = 1,
		.msg_control = out.control[out.n],
	};
	write_control(h, &path->local->addr, tos, port);
	out.fd[out.n] = path->local->fd;
	out.tos[out.n] = tos;
	if (out.n++ == 0)
		event_active(&flush, 0, 0);
}

/* Put a packet of usrsctp's into the batch; it goes out within this turn. */
int
udp_send(void *number, void *packet, size_t len, uint8_t tos, uint8_t df)
{
	struct path		*path = path_find((uintptr_t)number);
	const struct port	*port = port_inside(get_port(packet, 0));

	(void)df;
	if (path == NULL || len < SCTP_HEADER || len > PACKET)
		return 0;
	if (port != NULL)
		put_port(packet, 0, port->number);
	if (join_last(path, packet, len, tos))
		return 0;
	if (out.n == BATCH)
		udp_flush();
	if (out.n == BATCH)
		return ENOBUFS;
	put_packet(path, port, packet, len, tos);
	return 0;
}

/* ---- sockets -------------------------------------------------------- */

static void
set(int fd, int level, int name, int value)
{
	(void)setsockopt(fd, level, name, &value, sizeof value);
}

static void
set_up(int fd, int family)
{
	set(fd, SOL_SOCKET, SO_RCVBUF, UDP_BUFFER);
	set(fd, SOL_SOCKET, SO_SNDBUF, UDP_BUFFER);
	set(fd, SOL_SOCKET, SO_RCVBUFFORCE, UDP_BUFFER);
	set(fd, SOL_SOCKET, SO_SNDBUFFORCE, UDP_BUFFER);
	if (family == AF_INET) {
		set(fd, IPPROTO_IP, IP_PKTINFO, 1);
		set(fd, IPPROTO_IP, IP_RECVTOS, 1);
	} else {
		set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
		set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
	}
}

static struct sockaddr_storage
any_address(int family, uint16_t port)
{
	struct sockaddr_storage	ss = { .ss_family = (sa_family_t)family };

	addr_set_port(&ss, port);
	return ss;
}

/* Open one; -1 with errno. A host without IPv6 is no mistake. */
static int
open_one(int family, uint16_t port)
{
	struct sockaddr_storage	ss = any_address(family, port);
	int			fd, number;

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
	set_up(fd, family);
	return fd;
}

/* Why, and what to do about it. */
static const char *
open_failed(uint16_t port)
{
	static char	why[256];
	int		number = errno, n;

	n = snprintf(why, sizeof why, "UDP port %u: %s", port, strerror(number));
	if (number == EADDRINUSE)
		(void)snprintf(why + n, sizeof why - (size_t)n,
		    ": another program has it (ss -lunp sport = %u), or take another with "
		    "udp_port, see sctpd.conf(5)", port);
	else if (number == EACCES)
		(void)snprintf(why + n, sizeof why - (size_t)n,
		    ": it needs CAP_NET_BIND_SERVICE; take one from 1024 on with udp_port, "
		    "see sctpd.conf(5)");
	udp_close();
	return why;
}

const char *
udp_open(void)
{
	uint16_t	ports[CONFIG_UDP_PORTS];
	size_t		n = config_ports(config.udp_port, ports);
	int		fd;

	if (nfds > 0)
		return NULL;
	(void)event_assign(&flush, loop_base(), -1, EV_WRITE, udp_on_flush, NULL);
	for (size_t i = 0; i < n; i++) {
		for (int k = 0; k < 2; k++) {
			fd = open_one(k == 0 ? AF_INET : AF_INET6, ports[i]);
			if (fd == -1 && k == 1 && errno == EAFNOSUPPORT)
				continue;
			if (fd == -1)
				return open_failed(ports[i]);
			fds[nfds] = fd;
			(void)event_assign(&readable[nfds], loop_base(), fd,
			    EV_READ | EV_PERSIST, udp_on_readable, NULL);
			(void)event_add(&readable[nfds++], NULL);
		}
	}
	/* Its output may wait for room in the first. */
	(void)event_assign(&flush, loop_base(), fds[0], EV_WRITE, udp_on_flush, NULL);
	return NULL;
}

void
udp_close(void)
{
	while (nfds > 0) {
		nfds--;
		(void)event_del(&readable[nfds]);
		(void)close(fds[nfds]);
	}
	if (event_initialized(&flush))
		(void)event_del(&flush);
	local_free_all();
}

void
udp_run(unsigned ms, bool (*done)(void))
{
	struct pollfd	p[MAX_FDS];

	for (unsigned i = 0; i < ms / 10 && !done(); i++) {
		for (unsigned k = 0; k < nfds; k++)
			p[k] = (struct pollfd){ .fd = fds[k], .events = POLLIN };
		udp_flush();
		(void)poll(p, nfds, 10);
		for (unsigned k = 0; k < nfds; k++) {
			if (p[k].revents & POLLIN)
				udp_receive(fds[k]);
		}
		clock_tick();
		wake_all();
	}
	udp_flush();
}

int
udp_fd(sa_family_t family)
{
	struct sockaddr_storage	ss;
	socklen_t		len;

	for (unsigned i = 0; i < nfds; i++) {
		len = sizeof ss;
		if (getsockname(fds[i], (struct sockaddr *)&ss, &len) == 0 &&
		    ss.ss_family == family)
			return fds[i];
	}
	errno = EAFNOSUPPORT;
	return -1;
}
