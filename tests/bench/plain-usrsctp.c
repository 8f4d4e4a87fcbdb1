/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plain program on libusrsctp: one thread, a UDP socket of its own and
 * poll, a call of usrsctp_sendv a message, and all set as the daemon sets it.
 * A server's SCTP port has the number of its UDP port.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <usrsctp.h>

#include "link.h"

/* As userland/ops.c and userland/udp.c have them. */
#define SNDBUF		(4 << 20)
#define RCVBUF		(1 << 20)
#define UDP_BUFFER	(16 << 20)
#define STREAMS		65535
#define CHUNKS		65536
#define TICK_US		10000
#define UDP_LONGEST	65504
#define HEADERS		(20 + 8)	/* of IPv4 and UDP */
#define SCTP_HEADER	12

#define A_TURN		64		/* packets that are read, or messages that are sent */

static int		udp;		/* connected to the peer */
static struct socket	*so;
static double		ticked;

/* usrsctp's way to say who the peer is: there is one. */
static struct sockaddr_conn
name_of(void *peer, uint16_t port)
{
	return (struct sockaddr_conn){ .sconn_family = AF_CONN, .sconn_port = htons(port), .sconn_addr = peer };
}

static int
output(void *peer, void *packet, size_t len, uint8_t tos, uint8_t df)
{
	(void)peer, (void)tos, (void)df;
	return send(udp, packet, len, MSG_NOSIGNAL) == -1 ? errno : 0;
}

/* A turn of the loop: what has come, and the time. */
static void
turn(bool wait)
{
	static _Alignas(uint64_t) char	packet[1 << 16];
	struct pollfd			p = { .fd = udp, .events = POLLIN };
	double				now;
	ssize_t				n;

	if (poll(&p, 1, wait ? TICK_US / 1000 : 0) == -1 && errno != EINTR)
		err(1, "poll");
	for (int i = 0; p.revents != 0 && i < A_TURN; i++) {
		if ((n = recv(udp, packet, sizeof packet, MSG_DONTWAIT)) == -1)
			break;
		usrsctp_conninput(&udp, packet, (size_t)n, 0);
	}
	if ((now = now_us()) - ticked < TICK_US)
		return;
	usrsctp_handle_timers((uint32_t)((now - ticked) / 1000));
	ticked = now;
}

/* ---- setting up ------------------------------------------------------ */

static void
set(int level, int name, int value)
{
	if (usrsctp_setsockopt(so, level, name, &value, sizeof value) == -1)
		err(1, "usrsctp_setsockopt");
}

static void
start(void)
{
	usrsctp_init_nothreads(0, output, NULL);
	usrsctp_register_address(&udp);
	(void)usrsctp_sysctl_set_sctp_auth_enable(0);
	(void)usrsctp_sysctl_set_sctp_asconf_enable(0);
	(void)usrsctp_sysctl_set_sctp_auto_asconf(0);
	(void)usrsctp_sysctl_set_sctp_reconfig_enable(0);
	(void)usrsctp_sysctl_set_sctp_nrsack_enable(0);
	(void)usrsctp_sysctl_set_sctp_pktdrop_enable(0);
	(void)usrsctp_sysctl_set_sctp_nr_incoming_streams_default(STREAMS);
	(void)usrsctp_sysctl_set_sctp_max_chunks_on_queue(CHUNKS);
	(void)usrsctp_sysctl_set_sctp_default_frag_interleave(0);
	(void)usrsctp_sysctl_set_sctp_default_ss_module(SCTP_SS_FIRST_COME);
	so = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
	if (so == NULL)
		err(1, "usrsctp_socket");
	(void)usrsctp_set_non_blocking(so, 1);
	set(IPPROTO_SCTP, SCTP_NODELAY, 1);
	set(SOL_SOCKET, SO_SNDBUF, SNDBUF);
	set(SOL_SOCKET, SO_RCVBUF, RCVBUF);
	ticked = now_us();
}

static struct sockaddr_in
endpoint(const char *addr, uint16_t port)
{
	struct sockaddr_in	a = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, addr, &a.sin_addr) != 1)
		errx(1, "%s is no address", addr);
	return a;
}

static void
open_udp(void)
{
	static const int	size = UDP_BUFFER;

	if ((udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		err(1, "socket");
	(void)setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	(void)setsockopt(udp, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	(void)setsockopt(udp, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	(void)setsockopt(udp, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
}

/* Packets that fit the way to the peer: usrsctp does not know it. */
static void
set_mtu(void)
{
	struct sockaddr_conn	any = name_of(NULL, 0);
	struct sctp_paddrparams	p = { .spp_flags = SPP_PMTUD_DISABLE };
	int			mtu;
	socklen_t		len = sizeof mtu;

	if (getsockopt(udp, IPPROTO_IP, IP_MTU, &mtu, &len) == -1)
		err(1, "IP_MTU");
	mtu = mtu - HEADERS < UDP_LONGEST ? mtu - HEADERS : UDP_LONGEST;
	p.spp_pathmtu = (uint32_t)(mtu - SCTP_HEADER) & ~3u;
	memcpy(&p.spp_address, &any, sizeof any);
	if (usrsctp_setsockopt(so, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &p, sizeof p) == -1)
		err(1, "SCTP_PEER_ADDR_PARAMS");
}

static void
plain_call(struct link *l, const char *addr, uint16_t port)
{
	struct sockaddr_in	a = endpoint(addr, l->udp_port);
	struct sockaddr_conn	name = name_of(&udp, port);

	open_udp();
	if (connect(udp, (struct sockaddr *)&a, sizeof a) == -1)
		err(1, "connect to %s port %u", addr, port);
	start();
	if (usrsctp_connect(so, (struct sockaddr *)&name, sizeof name) == -1 && errno != EINPROGRESS)
		err(1, "usrsctp_connect");
	while ((usrsctp_get_events(so) & SCTP_EVENT_WRITE) == 0)
		turn(true);
	set_mtu();
}

/* The first packet says who calls. */
static void
meet(void)
{
	struct sockaddr_in	peer;
	socklen_t		len = sizeof peer;
	char			c;

	if (recvfrom(udp, &c, 1, MSG_PEEK, (struct sockaddr *)&peer, &len) == -1 ||
	    connect(udp, (struct sockaddr *)&peer, len) == -1)
		err(1, "meeting the peer");
}

static void
plain_serve(struct link *l, const char *addr, void (*say)(uint16_t port))
{
	struct sockaddr_in	a = endpoint(addr, 0);
	struct sockaddr_conn	name;
	socklen_t		len = sizeof a;
	struct socket		*listener;

	(void)l;
	open_udp();
	if (bind(udp, (struct sockaddr *)&a, sizeof a) == -1 || getsockname(udp, (struct sockaddr *)&a, &len) == -1)
		err(1, "bind to %s", addr);
	start();
	name = name_of(NULL, ntohs(a.sin_port));
	if (usrsctp_bind(so, (struct sockaddr *)&name, sizeof name) == -1 || usrsctp_listen(so, 1) == -1)
		err(1, "usrsctp_listen");
	say(ntohs(a.sin_port));
	meet();
	listener = so;
	while ((so = usrsctp_accept(listener, NULL, NULL)) == NULL)
		turn(true);
	(void)usrsctp_set_non_blocking(so, 1);
	set_mtu();
}

/* ---- sending and receiving ------------------------------------------- */

static void
plain_put(struct link *l, const void *data, size_t len)
{
	static unsigned		sent;
	struct sctp_sndinfo	info = { .snd_sid = 0 };

	(void)l;
	while (usrsctp_sendv(so, data, len, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0) == -1) {
		if (errno != EWOULDBLOCK)
			err(1, "usrsctp_sendv");
		turn(true);
	}
	if (++sent % A_TURN == 0)
		turn(false);
}

static void
plain_push(struct link *l)
{
	(void)l;
}

static const void *
plain_take(struct link *l, size_t *len)
{
	struct sockaddr_conn	from;
	struct sctp_rcvinfo	info;
	socklen_t		fromlen, infolen;
	unsigned		infotype;
	int			flags = 0;
	ssize_t			n;

	for (*len = 0; (flags & MSG_EOR) == 0;) {
		flags = 0;
		fromlen = sizeof from;
		infolen = sizeof info;
		n = usrsctp_recvv(so, l->buf + *len, MAX_BYTES - *len, (struct sockaddr *)&from, &fromlen, &info, &infolen,
		    &infotype, &flags);
		if (n == 0)
			return NULL;
		if (n > 0)
			*len += (size_t)n;
		else if (errno == EWOULDBLOCK)
			turn(true);
		else
			err(1, "usrsctp_recvv");
	}
	return l->buf;
}

const struct link_kind link_usrsctp = {
	"usrsctp", plain_call, plain_serve, plain_put, plain_push, plain_take
};
