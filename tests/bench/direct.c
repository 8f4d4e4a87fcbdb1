/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plain program: lksctp-tools, a blocking socket, a system call a
 * message, and buffers set as the daemon sets them. Beside it, what borrowed
 * its descriptor from the daemon, and the bare Unix socket.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link.h"

#define SNDBUF		(2 << 20)
#define RCVBUF		(512 << 10)
#define RCVBUF_UP	(5 * RCVBUF)

/* Small until the association is up, large afterwards: see kernel/fd.c. */
void
link_tune(int fd, bool up)
{
	static const int		 one = 1, snd = SNDBUF;
	int				 rcv = up ? RCVBUF_UP : RCVBUF;
	struct sctp_event_subscribe	 events = { .sctp_data_io_event = 1 };

	(void)setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &one, sizeof one);
	(void)setsockopt(fd, IPPROTO_SCTP, SCTP_EVENTS, &events, sizeof events);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &snd, sizeof snd) == -1)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &snd, sizeof snd);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcv, sizeof rcv) == -1)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcv, sizeof rcv);
}

static struct sockaddr_in
endpoint(const char *addr, uint16_t port)
{
	struct sockaddr_in	a = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, addr, &a.sin_addr) != 1)
		errx(1, "%s is no address", addr);
	return a;
}

static int
open_socket(void)
{
	int	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP);

	if (fd == -1)
		err(1, "no SCTP in this kernel");
	link_tune(fd, false);
	return fd;
}

/* What is accepted from it is to be tuned once more. */
int
direct_listen(const char *addr, uint16_t *port)
{
	struct sockaddr_in	a = endpoint(addr, 0);
	socklen_t		len = sizeof a;
	int			fd = open_socket();

	if (bind(fd, (struct sockaddr *)&a, sizeof a) == -1 || listen(fd, 4096) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) == -1)
		err(1, "listen at %s", addr);
	*port = ntohs(a.sin_port);
	return fd;
}

int
direct_connect(const char *addr, uint16_t port)
{
	struct sockaddr_in	a = endpoint(addr, port);
	int			fd = open_socket();

	if (connect(fd, (struct sockaddr *)&a, sizeof a) == -1)
		err(1, "connect to %s port %u", addr, port);
	link_tune(fd, true);
	return fd;
}

int
direct_begin(const char *addr, uint16_t port)
{
	struct sockaddr_in	a = endpoint(addr, port);
	int			fd = open_socket();

	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) == -1 && errno != EINPROGRESS)
		err(1, "connect to %s port %u", addr, port);
	return fd;
}

static void
direct_call(struct link *l, const char *addr, uint16_t port)
{
	l->fd = direct_connect(addr, port);
}

static void
direct_serve(struct link *l, const char *addr, void (*say)(uint16_t port))
{
	uint16_t	port;
	int		fd = direct_listen(addr, &port);

	say(port);
	if ((l->fd = accept(fd, NULL, NULL)) == -1)
		err(1, "accept");
	(void)close(fd);
	link_tune(l->fd, true);
}

static void
direct_put(struct link *l, const void *data, size_t len)
{
	if (sctp_sendmsg(l->fd, data, len, NULL, 0, 0, 0, 0, 0, 0) == -1)
		err(1, "sctp_sendmsg");
}

static void
direct_push(struct link *l)
{
	(void)l;
}

static const void *
direct_take(struct link *l, size_t *len)
{
	struct sctp_sndrcvinfo	info;
	int			flags = 0;
	ssize_t			n;

	for (*len = 0; (flags & MSG_EOR) == 0; *len += (size_t)n) {
		n = sctp_recvmsg(l->fd, l->buf + *len, MAX_BYTES - *len, NULL, NULL, &info, &flags);
		if (n == -1)
			err(1, "sctp_recvmsg");
		if (n == 0)
			return NULL;
	}
	return l->buf;
}

const struct link_kind link_direct = {
	"direct", direct_call, direct_serve, direct_put, direct_push, direct_take
};

/* ---- the bare Unix socket, for what nothing can be faster than ------- */

static void
unix_put(struct link *l, const void *data, size_t len)
{
	if (send(l->fd, data, len, MSG_NOSIGNAL) == -1)
		err(1, "send");
}

/* One trip is under way at a time, so that what comes is one message. */
static const void *
unix_take(struct link *l, size_t *len)
{
	ssize_t	n = recv(l->fd, l->buf, MAX_BYTES, 0);

	if (n == -1)
		err(1, "recv");
	*len = (size_t)n;
	return n == 0 ? NULL : l->buf;
}

const struct link_kind link_unix = {
	.name = "unix", .put = unix_put, .push = direct_push, .take = unix_take
};
