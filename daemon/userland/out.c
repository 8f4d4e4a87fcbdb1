/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: packets that go out, many with one call.
 *
 * The packets that usrsctp sends in a turn are joined here: messages share a
 * packet if they fit. Checksums are computed when a packet goes out, as its
 * ports are put right here.
 */
#include <errno.h>
#include <netinet/udp.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <string.h>
#include <sys/socket.h>

#include "config.h"
#include "proto/addr.h"
#include "userland/userland.h"
#include "util/log.h"
#include "util/loop.h"

/* An ABORT's T bit, and the error cause that has a text (RFC 9260 3.3.7, 3.3.10.13). */
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

/* ---- packets that the kernel takes apart ------------------------------ */

/*
 * Packets to one peer that have the same length, but for the last, which may be
 * shorter, go out as one message: the kernel takes them apart (UDP_SEGMENT) as
 * late as it can, and a receiver that may have them whole (UDP_GRO) gets them
 * whole. As udp_segments says in sctpd.conf(5), this is off unless it is asked
 * for: the kernel's own SCTP does not survive a message that reaches it whole,
 * as one does over lo and veth (Linux 6.1, __skb_checksum in sctp_rcv: a panic).
 * Where the kernel refuses that, for a route with a smaller MTU or a
 * device without checksums, they go one by one for a while.
 */
#define SEGMENTS_BYTES	65000
#define REFUSED_MS	10000

static int64_t refused;		/* when; 0: it is not */

static bool
may_join(unsigned first, unsigned i)
{
	const struct msghdr	*a = &out.header[first].msg_hdr, *b = &out.header[i].msg_hdr;

	return out.iov[i].iov_len <= out.iov[first].iov_len &&
	    a->msg_controllen == b->msg_controllen &&
	    memcmp(out.control[first], out.control[i], a->msg_controllen) == 0 &&
	    addr_equal(&out.addr[first], &out.addr[i]);
}

/* How many packets from the first on go out as one message. */
static unsigned
segments(unsigned first, unsigned end)
{
	size_t		size = out.iov[first].iov_len, all = size;
	unsigned	n = 1, most = wire_is_raw() ? 1 : (unsigned)config.udp_segments;

	while (refused == 0 && first + n < end && n < most && may_join(first, first + n) &&
	    all + out.iov[first + n].iov_len <= SEGMENTS_BYTES) {
		all += out.iov[first + n].iov_len;
		if (out.iov[first + n++].iov_len < size)
			break;
	}
	return n;
}

/*
 * Send the packets from the first on, up to end. Gives how many went out; -1
 * with errno, and how many the first message had, if that was refused.
 */
static int
send_some(unsigned first, unsigned end, unsigned *had)
{
	static struct mmsghdr	message[UDP_BATCH];
	unsigned		count[UDP_BATCH], n = 0;
	int			taken, sent = 0;

	for (unsigned i = first; i < end; i += count[n++]) {
		uint16_t	size = (uint16_t)out.iov[i].iov_len;
		struct msghdr	*h = &message[n].msg_hdr;

		count[n] = segments(i, end);
		*h = out.header[i].msg_hdr;
		h->msg_iovlen = count[n];
		if (count[n] > 1)
			h->msg_controllen += put_control(h, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size);
	}
	*had = count[0];
	if ((taken = sendmmsg(out.fd[first], message, n, MSG_DONTWAIT)) == -1)
		return -1;
	for (int i = 0; i < taken; i++)
		sent += (int)count[i];
	return sent;
}

/* A packet that cannot be sent is lost, as any packet may be. */
void
out_flush(void)
{
	unsigned	done = 0, end, had;
	uint32_t	sum;
	int		n;

	for (unsigned i = 0; i < out.n; i++) {
		sum = packet_checksum(out.data[i], out.iov[i].iov_len);
		memcpy(out.data[i] + 8, &sum, sizeof sum);
	}
	if (refused != 0 && clock_now() - refused > REFUSED_MS)
		refused = 0;
	while (done < out.n) {
		for (end = done; end < out.n && out.fd[end] == out.fd[done];)
			end++;
		n = send_some(done, end, &had);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n == -1 && had > 1)
			refused = clock_now();
		else
			done += n > 0 ? (unsigned)n : 1;
	}
	drop_sent(done);
	if (out.n > 0) {	/* go on when the UDP socket that is full has room again */
		(void)event_del(&flush);
		loop_watch(&flush, out.fd[0], EV_WRITE);
	}
}

static void
out_on_flush(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	out_flush();
}

/* ---- packets that become one ----------------------------------------- */

/*
 * Whether a packet says up to where all was received, and nothing else. Gaps
 * and duplicates would add to its length.
 */
static bool
is_bare_sack(const char *packet, size_t len)
{
	return len == SCTP_HEADER + BARE_SACK && packet[SCTP_HEADER] == SCTP_SELECTIVE_ACK &&
	    packet_port(packet, SCTP_HEADER + 2) == BARE_SACK;
}

/*
 * Many packets come at once, and usrsctp answers every second one. The last of
 * several such answers in a row says all that those before it said.
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
 * Many messages are sent at once, and usrsctp sends each in a packet of its own
 * while it may. Messages share a packet as long as it fits the path.
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
 * usrsctp tells the peer why it aborts an association by itself, but does not
 * tell us. An ABORT that belongs to no association has the T bit set.
 */
static void
note_abort(const struct path *path, const struct port *port, const char *packet, size_t len)
{
	struct userland_assoc	*ua = port_assoc(port, path, packet_port(packet, 2), NULL);
	const size_t		 cause = SCTP_HEADER + 4, text = cause + 4;

	if (ua == NULL || ua->aborted || len < text || (packet[SCTP_HEADER + 1] & OF_NOBODYS))
		return;
	ua->cause = packet_port(packet, cause);
	if (log_allowed(LOG_DEBUG, "association aborted by usrsctp"))
		log_debug("assoc %u: usrsctp aborts it, cause %u, \"%.*s\"",
		    assoc_id(ua->assoc), ua->cause,
		    ua->cause == PROTOCOL_VIOLATION ? (int)(len - text) : 0, packet + text);
}

/*
 * Note what a packet says about its association. After most packets usrsctp may
 * know the peer by the number of the path.
 */
static void
note(struct path *path, struct port *port, const char *packet, size_t len)
{
	uint16_t	to = packet_port(packet, 2);

	switch (packet[SCTP_HEADER]) {
	case SCTP_ABORT_ASSOCIATION:
		if (port != NULL) {
			embryo_over(port, path, to);
			note_abort(path, port, packet, len);
		}
		return;
	case SCTP_SHUTDOWN_COMPLETE:
	case SCTP_OPERATION_ERROR:
		return;			/* these also answer packets of no association */
	case SCTP_COOKIE_ACK:
		if (port != NULL)
			embryo_add(port, path, to, port_assoc(port, path, to, NULL) != NULL);
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
