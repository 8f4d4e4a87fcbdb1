/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: packets that go out, many with one call.
 *
 * What usrsctp sends in a turn is put together here: messages that fit share
 * a packet. Checksums are made when it goes, since ports are put right here.
 */
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <string.h>
#include <sys/socket.h>

#include "addr.h"
#include "log.h"
#include "loop.h"
#include "userland.h"

/* Of an ABORT: its flag, and its cause that has a text (RFC 9260 3.3.7, 3.3.10.13). */
#define OF_NOBODYS		1
#define PROTOCOL_VIOLATION	13
/* The length of a SACK without gaps and duplicates. */
#define BARE_SACK	16

static struct udp_batch	out;
static struct event	flush;

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
		memcpy(out.control[to], out.control[i], UDP_CONTROL);
		out.addr[to] = out.addr[i];
		out.iov[to].iov_len = out.iov[i].iov_len;
		out.header[to].msg_hdr.msg_controllen = out.header[i].msg_hdr.msg_controllen;
		out.header[to].msg_hdr.msg_namelen = out.header[i].msg_hdr.msg_namelen;
		out.fd[to] = out.fd[i];
		out.path[to] = out.path[i];
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

/* When there is room in the socket that is full. */
static void
flush_later(int fd)
{
	(void)event_del(&flush);
	loop_watch(&flush, fd, EV_WRITE);
}

/* A packet that cannot be sent is lost, as packets are. */
void
out_flush(void)
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
		flush_later(out.fd[0]);
}

static void
out_on_flush(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	out_flush();
}

/* ---- packets that become one ----------------------------------------- */

/*
 * A packet that says how far all was received, and nothing else: gaps and
 * duplicates would add to its length.
 */
static bool
is_bare_sack(const char *packet, size_t len)
{
	return len == SCTP_HEADER + BARE_SACK && packet[SCTP_HEADER] == SCTP_SELECTIVE_ACK &&
	    packet_port(packet, SCTP_HEADER + 2) == BARE_SACK;
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

/* Packets of one association have path, ports and verification tag in common. */
static bool
join_last(const struct path *path, const char *packet, size_t len, uint8_t tos)
{
	unsigned	i = out.n - 1;

	return out.n > 0 && len > SCTP_HEADER && out.path[i] == path &&
	    memcmp(out.data[i], packet, 8) == 0 && addr_equal(&out.addr[i], &path->peer) &&
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
	out.path[out.n] = path;
	out.tos[out.n] = tos;
	if (out.n++ == 0)
		event_active(&flush, 0, 0);
}

/*
 * usrsctp tells its peer why it aborts an association by itself, but not us. An
 * abort of what is nobody's has a flag that says so.
 */
static void
note_abort(const struct path *path, const struct port *port, const char *packet, size_t len)
{
	struct userland_assoc	*ua = port_assoc(port, path, packet_port(packet, 2));
	const size_t		 cause = SCTP_HEADER + 4, text = cause + 4;

	if (ua == NULL || ua->aborted || len < text || (packet[SCTP_HEADER + 1] & OF_NOBODYS))
		return;
	ua->cause = packet_port(packet, cause);
	if (log_allowed())
		log_warning("assoc %u: usrsctp aborted it, cause %u, \"%.*s\"",
		    assoc_id(ua->assoc), ua->cause,
		    ua->cause == PROTOCOL_VIOLATION ? (int)(len - text) : 0, packet + text);
}

/* What usrsctp knows its peers for, by the number of their path. */
static void
note(struct path *path, struct port *port, const char *packet, size_t len)
{
	uint16_t	to = packet_port(packet, 2);

	switch (packet[SCTP_HEADER]) {
	case SCTP_ABORT_ASSOCIATION:
		if (port != NULL) {
			hold_over(port, path, to);
			note_abort(path, port, packet, len);
		}
		return;
	case SCTP_SHUTDOWN_COMPLETE:
	case SCTP_OPERATION_ERROR:
		return;			/* what is nobody's is answered with these */
	case SCTP_COOKIE_ACK:
		if (port != NULL)
			hold_add(port, path, to);
		break;
	}
	path_use(path);
}

int
out_send(void *number, void *packet, size_t len, uint8_t tos, uint8_t df)
{
	struct path		*path = path_find((uintptr_t)number);
	struct port		*port = port_inside(packet_port(packet, 0));

	(void)df;
	if (path == NULL || len < SCTP_HEADER || len > UDP_PACKET)
		return 0;
	if (port != NULL)
		packet_set_port(packet, 0, port->number);
	if (len > SCTP_HEADER)
		note(path, port, packet, len);
	if (join_last(path, packet, len, tos))
		return 0;
	if (out.n == UDP_BATCH)
		out_flush();
	if (out.n == UDP_BATCH)
		return ENOBUFS;
	put_packet(path, port, packet, len, tos);
	return 0;
}

/* ---- life ----------------------------------------------------------- */

void
out_begin(void)
{
	(void)event_assign(&flush, loop_base(), -1, EV_WRITE, out_on_flush, NULL);
}

void
out_end(void)
{
	if (event_initialized(&flush))
		(void)event_del(&flush);
}
