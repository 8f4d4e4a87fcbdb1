/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least that a broker can be: a process between a Unix socket and an
 * association, which takes and gives as many messages at a time as there are,
 * and knows nothing but how long they are. What sctpd's way costs beside it is
 * what sctpd does; the rest is the price of a process in between.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link.h"

#define BATCH	32
#define LONGEST	65536
#define IN_SIZE	(256 << 10)

struct batch {
	struct mmsghdr	h[BATCH];
	struct iovec	iov[BATCH];
	unsigned	n;
};

/* The next message that has come whole: its length, and its bytes. */
static char *
next(struct wire *w, size_t *len)
{
	uint32_t	n;

	if (w->in_len - w->in_at < sizeof n)
		return NULL;
	memcpy(&n, w->in + w->in_at, sizeof n);
	if (w->in_len - w->in_at - sizeof n < n)
		return NULL;
	*len = n;
	w->in_at += sizeof n + n;
	return (char *)w->in + w->in_at - n;
}

/* ---- in between ------------------------------------------------------ */

static void
send_batch(int fd, struct batch *b)
{
	int	n;

	for (unsigned at = 0; at < b->n; at += (unsigned)n)
		if ((n = sendmmsg(fd, b->h + at, b->n - at, MSG_NOSIGNAL)) == -1)
			err(1, "relay: sendmmsg");
	b->n = 0;
}

static void
from_unix(struct wire *w, int fd)
{
	static struct batch	b;
	char			*p;
	size_t			 len;

	wire_fill(w, false);
	while ((p = next(w, &len)) != NULL) {
		b.iov[b.n] = (struct iovec){ p, len };
		b.h[b.n].msg_hdr = (struct msghdr){ .msg_iov = &b.iov[b.n], .msg_iovlen = 1 };
		if (++b.n == BATCH)
			send_batch(fd, &b);
	}
	send_batch(fd, &b);
}

static bool
from_sctp(struct wire *w, int fd)
{
	static struct batch	b;
	static char		data[BATCH][LONGEST];
	struct wire_head	head = { .len = sizeof(uint32_t) };
	int			n;

	for (unsigned i = 0; i < BATCH; i++) {
		b.iov[i] = (struct iovec){ data[i], LONGEST };
		b.h[i].msg_hdr = (struct msghdr){ .msg_iov = &b.iov[i], .msg_iovlen = 1 };
	}
	n = recvmmsg(fd, b.h, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		if (b.h[i].msg_len == 0)
			return false;
		memcpy(head.bytes, &b.h[i].msg_len, sizeof(uint32_t));
		wire_put(w, &head, data[i], b.h[i].msg_len);
	}
	wire_push(w);
	return n > 0 || errno == EAGAIN;
}

static void
relay(int pair, int sctp)
{
	struct pollfd	p[2] = { { .fd = pair, .events = POLLIN }, { .fd = sctp, .events = POLLIN } };
	struct wire	w;

	wire_init(&w, pair);
	while (poll(p, 2, -1) != -1) {
		if (p[0].revents != 0)
			from_unix(&w, sctp);
		if (p[1].revents != 0 && !from_sctp(&w, sctp))
			break;
	}
}

/* ---- its client ------------------------------------------------------ */

/* From here on the association is another process's, and we have a socket to it. */
static void
put_between(struct link *l)
{
	int	pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		err(1, "socketpair");
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)close(pair[0]);
		relay(pair[1], l->fd);
		_exit(0);
	}
	(void)close(pair[1]);
	(void)close(l->fd);
	wire_init(&l->wire, pair[0]);
}

static void
relay_call(struct link *l, const char *addr, uint16_t port)
{
	link_direct.call(l, addr, port);
	put_between(l);
}

static void
relay_serve(struct link *l, const char *addr, void (*say)(uint16_t port))
{
	link_direct.serve(l, addr, say);
	put_between(l);
}

static void
relay_put(struct link *l, const void *data, size_t len)
{
	struct wire_head	head = { .len = sizeof(uint32_t) };
	uint32_t		n = (uint32_t)len;

	memcpy(head.bytes, &n, sizeof n);
	wire_put(&l->wire, &head, data, len);
}

static void
relay_push(struct link *l)
{
	wire_push(&l->wire);
}

static const void *
relay_take(struct link *l, size_t *len)
{
	const char	*p;

	while ((p = next(&l->wire, len)) == NULL) {
		wire_push(&l->wire);
		wire_fill(&l->wire, true);
	}
	return p;
}

const struct link_kind link_relay = {
	"relay", relay_call, relay_serve, relay_put, relay_push, relay_take
};
