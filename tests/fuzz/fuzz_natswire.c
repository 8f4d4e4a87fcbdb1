/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a NATS server sends to the connection that sctpd-nats writes its log over. The first byte says how long the
 * pieces are in which it comes: what is told does not depend on that, and stays within what came.
 */
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fuzz.h"
#include "nats/link.h"
#include "nats/login.h"
#include "nats/wire.h"

#define MOST	4096

static struct {
	const uint8_t	*bytes;		/* that the server sends */
	size_t		 n, at, piece;
	size_t		 sent;		/* bytes of ours since the login */
	uint64_t	 told;		/* a sum of all that was told */
} peer;

/* ---- the server ------------------------------------------------------------- */

struct link {
	int	fd;
};

struct link *
link_connect(const char *host, const char *port, char *why, size_t size)
{
	static struct link	l = { .fd = -1 };

	(void)host, (void)port, (void)why, (void)size;
	if (l.fd == -1)
		must((l.fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC)) != -1);
	return &l;
}

bool
link_tls(struct link *l, const char *host, char *why, size_t size)
{
	(void)l, (void)host, (void)why, (void)size;
	return true;
}

void
link_no_wait(struct link *l)
{
	(void)l;
	peer.sent = 0;
}

int
link_fd(const struct link *l)
{
	return l->fd;
}

ssize_t
link_read(struct link *l, void *to, size_t size, char *why, size_t len)
{
	size_t	n = peer.n - peer.at < peer.piece ? peer.n - peer.at : peer.piece;

	(void)l, (void)why, (void)len;
	if (n > size)
		n = size;
	memcpy(to, peer.bytes + peer.at, n);
	peer.at += n;
	return (ssize_t)n;
}

ssize_t
link_write(struct link *l, const void *from, size_t size, char *why, size_t len)
{
	(void)l, (void)from, (void)why, (void)len;
	peer.sent += size;
	return (ssize_t)size;
}

void
link_close(struct link *l)
{
	(void)l;
}

bool
login_tls(void)
{
	return false;
}

char *
login_connect(const struct login *l, char *why, size_t size)
{
	(void)why, (void)size;
	must(strlen(l->nonce) < 256);
	return strdup("{}");
}

/* ---- what is told ------------------------------------------------------------- */

static void
add(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		peer.told = (peer.told ^ (unsigned char)data[i]) * 0x100000001b3;
	peer.told = (peer.told ^ 0x100) * 0x100000001b3;
}

static void
on_answer(const struct wire_answer *a)
{
	must(a->len < MOST && a->data[a->len] == '\0');
	add(a->subject != NULL ? a->subject : "-ERR", a->subject != NULL ? strlen(a->subject) : 4);
	add(a->headers, strlen(a->headers));
	add(a->data, a->len);
}

static void
on_turn(void)
{
}

/* The sum of what is told of these bytes, in pieces of so many. */
static uint64_t
tell(struct event_base *base, const uint8_t *bytes, size_t n, size_t piece)
{
	static const char	hello[] = "INFO {\"nonce\":\"a\\\"b\",\"tls_required\":false}\r\n", pong[] = "PONG\r\n";
	static uint8_t		all[sizeof hello + sizeof pong];
	struct wire		*w;
	char			why[256] = "";

	memcpy(all, hello, sizeof hello - 1);
	memcpy(all + sizeof hello - 1, pong, sizeof pong - 1);
	memset(&peer, 0, sizeof peer);
	peer.bytes = all;
	peer.n = sizeof hello + sizeof pong - 2;
	peer.piece = sizeof hello - 1;
	w = wire_connect("nats://user:word@[::1]:4222", why, sizeof why);
	must(w != NULL && peer.at == peer.n);
	peer.bytes = bytes;
	peer.n = n;
	peer.at = 0;
	peer.piece = piece;
	wire_begin(w, base, on_answer, on_turn);
	while (peer.at < peer.n && wire_ended(w) == NULL)
		must(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK) != -1);
	must(peer.sent <= 6 * n);	/* a PONG for each PING at most */
	if (wire_ended(w) != NULL)
		add(wire_ended(w), strlen(wire_ended(w)));
	wire_close(w);
	return peer.told;
}

/* What INFO may be. */
static void
greet(const uint8_t *bytes, size_t n)
{
	char	why[256] = "";

	memset(&peer, 0, sizeof peer);
	peer.bytes = bytes;
	peer.n = peer.piece = n;
	wire_close(wire_connect("host", why, sizeof why));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct event_base	*base;

	if (base == NULL)
		must((base = event_base_new()) != NULL);
	if (n < 2 || n > MOST)
		return 0;
	greet(data + 1, n - 1);
	must(tell(base, data + 1, n - 1, n) == tell(base, data + 1, n - 1, 1u + data[0] % 64));
	return 0;
}
