/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See wire.h.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "wire.h"

#define OUT_SIZE	(2 << 20)
#define OUT_FULL	(64 << 10)	/* is written at once */
#define IN_SIZE		(256 << 10)
#define SMALL_SIZE	(8 << 10)

bool wire_polls;

static void
init(struct wire *w, int fd, size_t in_size, size_t out_size)
{
	*w = (struct wire){ .fd = fd, .in_size = in_size, .out_size = out_size };
	w->in = malloc(w->in_size);
	w->out = malloc(w->out_size);
	if (w->in == NULL || w->out == NULL)
		err(1, "malloc");
}

void
wire_init(struct wire *w, int fd)
{
	init(w, fd, IN_SIZE, OUT_SIZE);
}

/* One of many. */
void
wire_init_small(struct wire *w, int fd)
{
	init(w, fd, SMALL_SIZE, SMALL_SIZE);
}

void
wire_free(struct wire *w)
{
	free(w->in);
	free(w->out);
}

/* ---- out ------------------------------------------------------------ */

static uint8_t *
put_uint(uint8_t *p, unsigned bytes, uint64_t v)
{
	while (bytes > 0)
		*p++ = (uint8_t)(v >> (8 * --bytes));
	return p;
}

static uint8_t *
put_str(uint8_t *p, const char *s)
{
	size_t	n = strlen(s);

	*p++ = (uint8_t)(0xa0 | n);
	return (uint8_t *)memcpy(p, s, n) + n;
}

static uint8_t *
put_bin(uint8_t *p, size_t len)
{
	if (len <= UINT8_MAX) {
		*p++ = 0xc4;
		return put_uint(p, 1, len);
	}
	*p++ = len <= UINT16_MAX ? 0xc5 : 0xc6;
	return put_uint(p, len <= UINT16_MAX ? 2 : 4, len);
}

/* Everything of a send of len bytes but the bytes. */
void
wire_send_head(struct wire_head *h, bool request, uint64_t sock, uint32_t assoc_id, size_t len)
{
	uint8_t	*p = h->bytes;

	h->request = request;
	*p++ = request ? 0x94 : 0x93;
	*p++ = request ? 0 : 2;
	if (request) {
		*p++ = 0xce;
		p = put_uint(p, 4, 0);
	}
	p = put_str(p, "send");
	*p++ = 0x91;
	*p++ = 0x83;
	p = put_str(p, "sock");
	*p++ = 0xcf;
	p = put_uint(p, 8, sock);
	p = put_str(p, "assoc_id");
	*p++ = 0xce;
	p = put_uint(p, 4, assoc_id);
	p = put_str(p, "data");
	h->len = (size_t)(put_bin(p, len) - h->bytes);
}

static uint8_t *
out_room(struct wire *w, size_t len)
{
	if (w->out_len + len > w->out_size)
		wire_push(w);
	if (len > w->out_size)
		errx(1, "a message of %zu bytes is too long", len);
	return w->out + w->out_len;
}

void
wire_put(struct wire *w, const struct wire_head *h, const void *data, size_t len)
{
	uint8_t	*p = out_room(w, h->len + len);

	memcpy(p, h->bytes, h->len);
	if (h->request)
		(void)put_uint(p + 3, 4, w->msgid++);
	memcpy(p + h->len, data, len);
	w->out_len += h->len + len;
	if (w->out_len >= OUT_FULL)
		wire_push(w);
}

/* A request with one argument, a number. */
static void
put_request(struct wire *w, const char *method, const char *key, uint64_t value)
{
	uint8_t	*p = out_room(w, 64), *start = p;

	*p++ = 0x94;
	*p++ = 0;
	*p++ = 0xce;
	p = put_uint(p, 4, w->msgid++);
	p = put_str(p, method);
	*p++ = 0x91;
	*p++ = 0x81;
	p = put_str(p, key);
	*p++ = 0xcf;
	p = put_uint(p, 8, value);
	w->out_len += (size_t)(p - start);
}

/* The request that asks least: nothing of SCTP, and a short answer. */
void
wire_noop(struct wire *w)
{
	put_request(w, "error_string", "error", 0);
}

/* Have a socket's data come; the answer is the next one, and data may be with it. */
void
wire_activate(struct wire *w, uint64_t sock)
{
	uint8_t	*p = out_room(w, 64), *start = p;

	*p++ = 0x94;
	*p++ = 0;
	*p++ = 0xce;
	p = put_uint(p, 4, w->msgid++);
	p = put_str(p, "setopts");
	*p++ = 0x91;
	*p++ = 0x82;
	p = put_str(p, "sock");
	*p++ = 0xcf;
	p = put_uint(p, 8, sock);
	p = put_str(p, "options");
	*p++ = 0x81;
	p = put_str(p, "active");
	*p++ = 0xc3;
	w->out_len += (size_t)(p - start);
	wire_push(w);
}

/* Written at once: what answers it is not read with wire_fill. */
void
wire_lend(struct wire *w, uint64_t sock)
{
	put_request(w, "lend", "sock", sock);
	wire_push(w);
}

void
wire_push(struct wire *w)
{
	size_t	at = 0;

	while (at < w->out_len) {
		ssize_t	n = send(w->fd, w->out + at, w->out_len - at, MSG_NOSIGNAL);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			err(1, "the daemon's socket");
		at += (size_t)n;
	}
	w->out_len = 0;
}

/* ---- in ------------------------------------------------------------- */

/* Where the bytes to be read stand; at is NULL when they are too few. */
struct cursor {
	const uint8_t	*at, *end;
};

static uint64_t
take_uint(struct cursor *c, size_t bytes)
{
	uint64_t	v = 0;

	if (c->at == NULL || (size_t)(c->end - c->at) < bytes) {
		c->at = NULL;
		return 0;
	}
	while (bytes-- > 0)
		v = v << 8 | *c->at++;
	return v;
}

static void
pass(struct cursor *c, uint64_t bytes)
{
	if (c->at == NULL || (uint64_t)(c->end - c->at) < bytes)
		c->at = NULL;
	else
		c->at += bytes;
}

/* Pass over the head of a value; gives how many values follow inside it. */
static uint64_t
take_head(struct cursor *c)
{
	static const uint8_t	ext[] = { 2, 3, 5, 9, 17 };
	uint8_t			b = (uint8_t)take_uint(c, 1);

	if (b < 0x80 || b >= 0xe0 || (b >= 0xc0 && b <= 0xc3))
		return 0;
	if (b < 0x90)
		return 2 * (uint64_t)(b & 15);
	if (b < 0xa0)
		return b & 15;
	if (b < 0xc0)
		pass(c, b & 31);
	else if (b <= 0xc6)
		pass(c, take_uint(c, (size_t)1 << (b - 0xc4)));
	else if (b <= 0xc9)
		pass(c, take_uint(c, (size_t)1 << (b - 0xc7)) + 1);
	else if (b <= 0xcb)
		pass(c, b == 0xca ? 4 : 8);
	else if (b <= 0xd3)
		pass(c, (uint64_t)1 << ((b - 0xcc) & 3));
	else if (b <= 0xd8)
		pass(c, ext[b - 0xd4]);
	else if (b <= 0xdb)
		pass(c, take_uint(c, (size_t)1 << (b - 0xd9)));
	else
		return take_uint(c, (b & 1) != 0 ? 4 : 2) * (b >= 0xde ? 2 : 1);
	return 0;
}

static void
skip(struct cursor *c)
{
	uint64_t	left = 1;

	while (left > 0 && c->at != NULL)
		left += take_head(c) - 1;
}

static uint64_t
take_number(struct cursor *c)
{
	uint8_t	b = (uint8_t)take_uint(c, 1);

	if (b >= 0xcc && b <= 0xcf)
		return take_uint(c, (size_t)1 << (b - 0xcc));
	return b;
}

/* A string or bin of bytes: where, and how many. */
static const uint8_t *
take_bytes(struct cursor *c, size_t *len)
{
	uint8_t		b = (uint8_t)take_uint(c, 1);
	const uint8_t	*p;

	if ((b & 0xe0) == 0xa0)
		*len = b & 31;
	else
		*len = take_uint(c, (size_t)1 << (b >= 0xd9 ? b - 0xd9 : (b - 0xc4) & 3));
	p = c->at;
	pass(c, *len);
	return p;
}

static bool
is(const uint8_t *p, size_t len, const char *name)
{
	return len == strlen(name) && memcmp(p, name, len) == 0;
}

static uint64_t
take_map(struct cursor *c)
{
	uint8_t	b = (uint8_t)take_uint(c, 1);

	return b >= 0xde ? take_uint(c, b == 0xdf ? 4 : 2) : b & 15;
}

static void
take_fields(struct cursor *c, struct wire_msg *m)
{
	for (uint64_t n = take_map(c); n > 0 && c->at != NULL; n--) {
		size_t		 len;
		const uint8_t	*key = take_bytes(c, &len);

		if (c->at == NULL)
			return;
		if (is(key, len, "data"))
			m->data = take_bytes(c, &m->len);
		else if (is(key, len, "sctp_sndrcvinfo"))
			take_fields(c, m);
		else if (is(key, len, "assoc_id"))
			m->assoc_id = (uint32_t)take_number(c);
		else
			skip(c);
	}
}

static void
take_answer(struct cursor *c, struct wire_msg *m)
{
	m->answer = true;
	m->msgid = (uint32_t)take_number(c);
	if (c->at != NULL && c->at < c->end && *c->at == 0xc0) {
		skip(c);
	} else {
		m->failed = true;
		m->error = take_bytes(c, &m->error_len);
	}
	skip(c);
}

static void
take_event(struct cursor *c, struct wire_msg *m)
{
	size_t		 len;
	const uint8_t	*name = take_bytes(c, &len);

	if (c->at == NULL)
		return;
	if (!is(name, len, "data")) {
		skip(c);
		return;
	}
	(void)take_uint(c, 1);
	take_fields(c, m);
}

/* The next message that has come whole; it is borrowed until wire_fill. */
bool
wire_next(struct wire *w, struct wire_msg *m)
{
	struct cursor	c = { w->in + w->in_at, w->in + w->in_len };

	*m = (struct wire_msg){ 0 };
	(void)take_uint(&c, 1);
	if (take_uint(&c, 1) == 1)
		take_answer(&c, m);
	else
		take_event(&c, m);
	if (c.at == NULL)
		return false;
	w->in_at = (size_t)(c.at - w->in);
	return true;
}

/* Read what there is; where that is nothing, wait for it if told so. */
void
wire_fill(struct wire *w, bool wait)
{
	struct pollfd	p = { .fd = w->fd, .events = POLLIN };
	ssize_t		n;

	memmove(w->in, w->in + w->in_at, w->in_len - w->in_at);
	w->in_len -= w->in_at;
	w->in_at = 0;
	if (w->in_len == w->in_size && (w->in = realloc(w->in, w->in_size *= 2)) == NULL)
		err(1, "realloc");
	if (wait && wire_polls)
		(void)poll(&p, 1, -1);
	do
		n = recv(w->fd, w->in + w->in_len, w->in_size - w->in_len, wait ? 0 : MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	if (n == 0)
		errx(1, "the daemon closed the connection");
	if (n == -1 && errno != EAGAIN)
		err(1, "the daemon's socket");
	if (n > 0)
		w->in_len += (size_t)n;
}
