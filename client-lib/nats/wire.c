/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "nats/clock.h"
#include "nats/json.h"
#include "nats/link.h"
#include "nats/login.h"
#include "nats/mem.h"
#include "nats/text.h"
#include "nats/wire.h"

#define CHUNK		(1 << 16)	/* is sent at once, though more may follow */
#define LINE		(1 << 16)	/* most bytes of a line, such as INFO */
#define LONG		(1 << 15)	/* a message of so many bytes is not kept whole */
#define LONGEST		(1UL << 31)	/* no server takes such a message */
#define QUIET_MS	2000		/* a server that says nothing for so long is asked */
#define DEAD_MS		6000		/* and for so long has gone */
#define TICK_MS		1000
#define NUMBERS		64		/* bytes of a message's line beside its subject, and of its end */
#define MSG_WORDS	6		/* HMSG subject sid reply header-bytes bytes */

struct wire {
	struct link	*link;
	char		 inbox[48];
	char		 version[32];	/* of the server */
	char		 why[256];	/* it has ended; or empty */

	char		*out;		/* what is to be sent */
	size_t		 out_room, out_len, out_sent;
	size_t		 out_ask;	/* where the reply of the last message would stand */
	char		 in[LINE];	/* what came, and is not whole */
	size_t		 in_len;
	size_t		 skip;		/* of what comes, as it belongs to a long message */
	bool		 hears;

	struct event	*readable, *writable, *tick;
	wire_handler	*handler;
	void		(*turn)(void);
	int64_t		 heard;		/* when something came */
	bool		 pinged;
};

const char *
wire_ended(const struct wire *w)
{
	return w->why[0] != '\0' ? w->why : NULL;
}

const char *
wire_version(const struct wire *w)
{
	return w->version;
}

const char *
wire_inbox(const struct wire *w)
{
	return w->inbox;
}

void
wire_close(struct wire *w)
{
	if (w == NULL)
		return;
	if (w->readable != NULL)
		event_free(w->readable);
	if (w->writable != NULL)
		event_free(w->writable);
	if (w->tick != NULL)
		event_free(w->tick);
	link_close(w->link);
	free(w->out);
	free(w);
}

/* ---- what is sent ---------------------------------------------------------- */

static char *
room(struct wire *w, size_t more)
{
	if (w->out_room - w->out_len < more && w->out_sent > 0) {
		memmove(w->out, w->out + w->out_sent, w->out_len - w->out_sent);
		w->out_len -= w->out_sent;
		w->out_ask -= w->out_sent;
		w->out_sent = 0;
	}
	while (w->out_room - w->out_len < more) {
		w->out_room = w->out_room * 2 + CHUNK * 2;
		if ((w->out = realloc(w->out, w->out_room)) == NULL)
			log_fatal("there is no memory left");
	}
	return w->out + w->out_len;
}

static void
put(struct wire *w, const void *data, size_t len)
{
	memcpy(room(w, len), data, len);
	w->out_len += len;
}

/* True: all is sent, or there was an error. */
static bool
send_out(struct wire *w)
{
	ssize_t	n;

	while (w->why[0] == '\0' && w->out_sent < w->out_len) {
		n = link_write(w->link, w->out + w->out_sent, w->out_len - w->out_sent, w->why, sizeof w->why);
		if (n == 0)
			return false;
		if (n > 0)
			w->out_sent += (size_t)n;
	}
	w->out_sent = w->out_len = 0;
	return true;
}

void
wire_flush(struct wire *w)
{
	if (!send_out(w))
		(void)event_add(w->writable, NULL);
}

void
wire_publish(struct wire *w, const struct wire_message *m)
{
	char	*begin, *p, *end;
	size_t	 most = strlen(m->subject) + m->headers_len + m->len + NUMBERS;

	if (w->out_len - w->out_sent >= CHUNK)
		wire_flush(w);
	p = begin = room(w, most);
	end = begin + most;
	p = text_put(p, end, "HPUB ");
	p = text_put(p, end, m->subject);
	p = text_put(p, end, " ");
	w->out_ask = w->out_len + (size_t)(p - begin);
	p = text_number(p, end, m->headers_len);
	p = text_put(p, end, " ");
	p = text_number(p, end, m->headers_len + m->len);
	p = text_put(p, end, "\r\n");
	p = text_bytes(p, end, m->headers, m->headers_len);
	if (m->len > 0)
		p = text_bytes(p, end, m->data, m->len);
	p = text_put(p, end, "\r\n");
	w->out_len += (size_t)(p - begin);
}

void
wire_ask(struct wire *w, const char *reply)
{
	size_t	 len = strlen(reply);
	char	*p;

	(void)room(w, len + 1);
	p = w->out + w->out_ask;
	memmove(p + len + 1, p, w->out_len - w->out_ask);
	memcpy(p, reply, len);
	p[len] = ' ';
	w->out_len += len + 1;
}

void
wire_hear(struct wire *w, const char *subject)
{
	if (w->hears)
		return;
	w->hears = true;
	put(w, "SUB ", 4);
	put(w, subject, strlen(subject));
	put(w, " 2\r\n", 4);
}

/* ---- what comes ------------------------------------------------------------- */

static void
end(struct wire *w, const char *why)
{
	if (w->why[0] == '\0')
		(void)snprintf(w->why, sizeof w->why, "%s", why);
}

/* Its line says what it is; "body" are the headers, and what is behind them, of which so many bytes are there. */
static void
tell(struct wire *w, const char *subject, char *body, size_t head, size_t bytes)
{
	struct wire_answer	a = { .subject = subject, .headers = "", .data = "" };

	if (head > 0) {
		body[head - 1] = '\0';	/* it was the end of the empty line behind them */
		a.headers = body;
	}
	if (bytes < LONG) {
		body[bytes] = '\0';
		a.data = body + head;
		a.len = bytes - head;
	}
	w->handler(&a);
}

/* "MSG subject sid [reply] bytes", or HMSG with the bytes of headers before them. How much of the rest it took; 0: it is not whole. */
static size_t
message(struct wire *w, char *line, char *rest, size_t len)
{
	char	*word[MSG_WORDS], *p = line;
	size_t	 n = 0, bytes, head = 0, need;

	while (n < MSG_WORDS && (word[n] = strsep(&p, " ")) != NULL)
		n++;
	bytes = n >= 4 ? strtoul(word[n - 1], NULL, 10) : 0;
	if (*line == 'H')
		head = strtoul(word[n - 2], NULL, 10);
	if (n < 4 || bytes > LONGEST || head > bytes || head >= LONG) {
		end(w, "the server sent a message that is not one");
		return 0;
	}
	need = bytes < LONG ? bytes + 2 : head + 1;
	if (len < need) {
		/* The line is to be read again. */
		for (size_t i = 1; i < n; i++)
			word[i][-1] = ' ';
		return 0;
	}
	tell(w, word[1], rest, head, bytes);
	if (len >= bytes + 2)
		return bytes + 2;
	w->skip = bytes + 2 - len;
	return len;
}

/* One line, without its end, and what belongs to it. False: it is not whole. */
static bool
take_line(struct wire *w, char *line, char *rest, size_t len, size_t *more)
{
	*more = 0;
	if (strncmp(line, "MSG ", 4) == 0 || strncmp(line, "HMSG ", 5) == 0)
		return (*more = message(w, line, rest, len)) > 0;
	if (strcmp(line, "PING") == 0) {
		put(w, "PONG\r\n", 6);
		wire_flush(w);
	} else if (strncmp(line, "-ERR ", 5) == 0)
		w->handler(&(struct wire_answer){ .headers = "", .data = line + 5, .len = strlen(line + 5) });
	return true;
}

/* What of the buffer is whole. */
static void
take(struct wire *w)
{
	char	*p = w->in, *cr;
	size_t	 more = w->skip < w->in_len ? w->skip : w->in_len;

	p += more;
	w->skip -= more;
	while (w->why[0] == '\0' && (cr = memchr(p, '\r', (size_t)(w->in + w->in_len - p))) != NULL && cr + 1 < w->in + w->in_len) {
		*cr = '\0';
		if (!take_line(w, p, cr + 2, (size_t)(w->in + w->in_len - cr - 2), &more)) {
			*cr = '\r';
			break;
		}
		p = cr + 2 + more;
	}
	w->in_len -= (size_t)(p - w->in);
	memmove(w->in, p, w->in_len);
	if (w->in_len == sizeof w->in)
		end(w, "the server sent a line that is too long");
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct wire	*w = arg;
	ssize_t		 n;

	(void)fd, (void)what;
	while (w->why[0] == '\0' &&
	    (n = link_read(w->link, w->in + w->in_len, sizeof w->in - w->in_len, w->why, sizeof w->why)) > 0) {
		w->in_len += (size_t)n;
		w->heard = clock_ms();
		w->pinged = false;
		take(w);
	}
	if (w->why[0] != '\0')
		(void)event_del(w->readable);
	w->turn();
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	wire_flush(arg);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct wire	*w = arg;
	int64_t		 quiet = clock_ms() - w->heard;

	(void)fd, (void)what;
	if (quiet > DEAD_MS && w->pinged)
		end(w, "the server is silent");
	else if (quiet > QUIET_MS && !w->pinged) {
		put(w, "PING\r\n", 6);
		wire_flush(w);
		w->pinged = true;
	}
}

void
wire_begin(struct wire *w, struct event_base *base, wire_handler *handler, void (*turn)(void))
{
	struct timeval	tv = { .tv_sec = TICK_MS / 1000 };
	int		fd = link_fd(w->link);

	w->handler = handler;
	w->turn = turn;
	w->heard = clock_ms();
	if ((w->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, w)) == NULL ||
	    (w->writable = event_new(base, fd, EV_WRITE, on_writable, w)) == NULL ||
	    (w->tick = event_new(base, -1, EV_PERSIST, on_tick, w)) == NULL ||
	    event_add(w->readable, NULL) == -1 || event_add(w->tick, &tv) == -1)
		log_fatal("the event loop cannot be used: %s", strerror(errno));
}

/* ---- the beginning, which waits ----------------------------------------------- */

/* A line of the server, without its end, in w->in. */
static bool
wait_line(struct wire *w, char *why, size_t size)
{
	char	*cr;
	ssize_t	 n;

	for (w->in_len = 0; w->in_len < sizeof w->in - 1; w->in_len += (size_t)n) {
		n = link_read(w->link, w->in + w->in_len, sizeof w->in - 1 - w->in_len, why, size);
		if (n == 0)
			(void)snprintf(why, size, "the server does not answer");
		if (n <= 0)
			return false;
		w->in[w->in_len + (size_t)n] = '\0';
		if ((cr = strstr(w->in, "\r\n")) != NULL) {
			*cr = '\0';
			return true;
		}
	}
	(void)snprintf(why, size, "the server sent a line that is too long");
	return false;
}

/* A URL of a server and its parts, or NULL. It has the form scheme://user:password@host:port. */
struct url {
	char	*text, *user, *password, *host, *port;
};

static struct url
read_url(const char *text)
{
	struct url	 u = { .text = xstrdup(text) };
	char		*p = strstr(u.text, "://"), *at, *colon;

	u.host = p != NULL ? p + 3 : u.text;
	if ((at = strrchr(u.host, '@')) != NULL) {
		*at = '\0';
		u.user = u.host;
		u.host = at + 1;
		if ((u.password = strchr(u.user, ':')) != NULL)
			*u.password++ = '\0';
	}
	u.host[strcspn(u.host, "/")] = '\0';
	colon = strrchr(u.host, ':');
	if (colon != NULL && strchr(colon, ']') == NULL) {
		*colon = '\0';
		u.port = colon + 1;
	}
	if (*u.host == '[') {
		u.host++;
		u.host[strcspn(u.host, "]")] = '\0';
	}
	return u;
}

/* INFO, then TLS if it is to be. */
static bool
greet(struct wire *w, const struct url *u, char nonce[256], char *why, size_t size)
{
	char	tls[8];
	bool	must = login_tls() || strncmp(u->text, "tls:", 4) == 0, has;

	if (!wait_line(w, why, size))
		return false;
	has = json_pick(w->in, "tls_required", tls, sizeof tls) && strcmp(tls, "true") == 0;
	if (!json_pick(w->in, "nonce", nonce, 256))
		*nonce = '\0';
	if (!json_pick(w->in, "version", w->version, sizeof w->version))
		w->version[0] = '\0';
	if (must && !has) {
		(void)snprintf(why, size, "the server has no TLS");
		return false;
	}
	return !has || link_tls(w->link, u->host, why, size);
}

static bool
log_in(struct wire *w, const struct url *u, char *why, size_t size)
{
	char		 nonce[256], *text;
	struct login	 l = { .nonce = nonce, .user = u->user, .password = u->password };

	if (!greet(w, u, nonce, why, size) || (text = login_connect(&l, why, size)) == NULL)
		return false;
	put(w, "CONNECT ", 8);
	put(w, text, strlen(text));
	free(text);
	w->out_len += (size_t)sprintf(room(w, 128), "\r\nSUB %s.* 1\r\nPING\r\n", w->inbox);
	if (!send_out(w) || w->why[0] != '\0') {
		(void)snprintf(why, size, "%s", w->why[0] != '\0' ? w->why : "the server does not read");
		return false;
	}
	if (!wait_line(w, why, size))
		return false;
	if (strcmp(w->in, "PONG") == 0)
		return true;
	(void)snprintf(why, size, "%s", w->in);
	return false;
}

struct wire *
wire_connect(const char *url, char *why, size_t size)
{
	struct wire	*w = xcalloc(1, sizeof *w);
	struct url	 u = read_url(url);
	uint64_t	 n[2];
	bool		 ok;

	if (getrandom(n, sizeof n, 0) != sizeof n)
		log_fatal("there are no random numbers: %s", strerror(errno));
	(void)snprintf(w->inbox, sizeof w->inbox, "_INBOX.%016" PRIx64 "%016" PRIx64, n[0], n[1]);
	ok = (w->link = link_connect(u.host, u.port != NULL ? u.port : "4222", why, size)) != NULL && log_in(w, &u, why, size);
	free(u.text);
	if (ok) {
		link_no_wait(w->link);
		w->in_len = 0;
		return w;
	}
	wire_close(w);
	return NULL;
}
