/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/daemon.h"
#include "run/say.h"

#define AWAY_MOST	60000	/* ms that the daemon may be away for */

static void	on_daemon(evutil_socket_t, short, void *);

/* The descriptor changes with each connection of the session. */
static void
watch_daemon(struct run *r)
{
	int	fd = r->lost ? -1 : sctpd_fd(r->c);
	short	wants = fd == -1 ? 0 : sctpd_wants(r->c);
	short	what = EV_PERSIST | ((wants & POLLIN) != 0 ? EV_READ : 0) | ((wants & POLLOUT) != 0 ? EV_WRITE : 0);

	if (fd == r->daemon_fd && wants == r->daemon_wants)
		return;
	if (r->on_daemon != NULL)
		event_free(r->on_daemon);
	r->on_daemon = NULL;
	r->daemon_fd = fd;
	r->daemon_wants = wants;
	if (fd != -1 && (r->on_daemon = event_new(r->base, fd, what, on_daemon, r)) != NULL)
		(void)event_add(r->on_daemon, NULL);
}

static void
forget_daemon(struct run *r)
{
	if (r->on_daemon != NULL)
		event_free(r->on_daemon);
	r->on_daemon = NULL;
	r->daemon_fd = -1;
	r->daemon_wants = 0;
}

/* The old descriptor is closed when this returns. */
static void
on_session(struct sctpd *c, enum sctpd_session_change change, void *arg)
{
	struct run	*r = arg;

	(void)c;
	forget_daemon(r);
	if (r->verbose)
		say("%s", change == SCTPD_GONE ? "the daemon is away" : change == SCTPD_BACK ? "the daemon is back" :
		    change == SCTPD_OVER ? "the session has ended" : "the daemon is there again");
}

static void
on_event(struct sctpd *c, const struct sctpd_event *ev, void *arg)
{
	struct run	*r = arg;

	(void)c;
	r->event(r, ev);
}

/* All that the program has is gone. New sockets can be opened when a daemon is there again. */
static void
lose_daemon(struct run *r)
{
	static const struct timeval	second = { .tv_sec = 1 };

	if (!r->lost)
		say("%s; the program's SCTP sockets have ended", sctpd_error(r->c));
	r->lost = true;
	forget_daemon(r);
	r->lose(r);
	if (r->redial != NULL)
		(void)evtimer_add(r->redial, &second);
}

static void
process_daemon(struct run *r)
{
	int	code;

	daemon_hold(r);
	code = sctpd_process(r->c);
	if (code != SCTPD_OK && !r->lost)
		lose_daemon(r);
	daemon_release(r);
}

static void
on_daemon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	process_daemon(arg);
}

void
daemon_asked(struct run *r)
{
	if (r->held > 0 || r->lost)
		return;
	(void)sctpd_flush(r->c);
	watch_daemon(r);
}

void
daemon_hold(struct run *r)
{
	r->held++;
}

void
daemon_release(struct run *r)
{
	r->held--;
	daemon_asked(r);
}

static void
read_limits(struct run *r, const struct sctpd_value *status)
{
	int64_t	most = sctpd_get_int(status, "limits.max_message");

	r->kernel_stack = strcmp(sctpd_get_str(status, "stack"), "kernel") == 0;
	r->max_message = most > 0 ? (size_t)most : 1U << 20;
}

static int
ask_limits(struct run *r)
{
	const struct sctpd_value	*v;
	int				 code = sctpd_call(r->c, &v, "status");

	if (code == SCTPD_OK)
		read_limits(r, v);
	return code;
}

static int
dial(struct run *r)
{
	int	code = sctpd_dial(r->c, r->path);

	if (code == SCTPD_OK)
		code = ask_limits(r);
	return code;
}

int
daemon_dial(struct run *r)
{
	int	code = sctpd_resumable(r->c, AWAY_MOST, on_session, r);

	r->daemon_fd = -1;
	if (code == SCTPD_OK)
		code = dial(r);
	sctpd_on_event(r->c, on_event, r);
	return code;
}

static void
on_redial(evutil_socket_t fd, short what, void *arg)
{
	struct run	*r = arg;

	(void)fd, (void)what;
	if (dial(r) != SCTPD_OK) {
		lose_daemon(r);
		return;
	}
	r->lost = false;
	say("the daemon is there again; new sockets can be opened");
	watch_daemon(r);
}

bool
daemon_begin(struct run *r)
{
	if ((r->redial = evtimer_new(r->base, on_redial, r)) == NULL)
		return false;
	watch_daemon(r);
	return true;
}

/* ---- words ----------------------------------------------------------- */

void
word_add(struct words *w, const char *fmt, ...)
{
	va_list	ap;
	int	n = -1;

	if (w->n == WORDS || w->failed) {
		w->failed = true;
		return;
	}
	va_start(ap, fmt);
	n = vasprintf(&w->v[w->n], fmt, ap);
	va_end(ap);
	if (n == -1)
		w->failed = true;
	else
		w->n++;
}

void
word_bytes(struct words *w, const char *key, const void *bytes, size_t len)
{
	static const char	digits[] = "0123456789abcdef";
	const unsigned char	*p = bytes;
	size_t			 head = strlen(key) + strlen("=hex:");
	char			*text;

	if (w->n == WORDS || w->failed || (text = malloc(head + 2 * len + 1)) == NULL) {
		w->failed = true;
		return;
	}
	(void)snprintf(text, head + 1, "%s=hex:", key);
	for (size_t i = 0; i < len; i++) {
		text[head + 2 * i] = digits[p[i] >> 4];
		text[head + 2 * i + 1] = digits[p[i] & 15];
	}
	text[head + 2 * len] = '\0';
	w->v[w->n++] = text;
}

void
word_free(struct words *w)
{
	while (w->n > 0)
		free(w->v[--w->n]);
}

bool
daemon_ask(struct run *r, struct words *w, sctpd_reply_fn *fn, void *arg)
{
	bool	asked = !w->failed && !r->lost && sctpd_callv_async(r->c, fn, arg, w->n, (const char *const *)w->v) == SCTPD_OK;

	word_free(w);
	daemon_asked(r);
	return asked;
}

void
daemon_tell(struct run *r, struct words *w)
{
	(void)daemon_ask(r, w, NULL, NULL);
}

void
daemon_tell_sock(struct run *r, const char *method, uint64_t handle)
{
	struct words	w = { 0 };

	word_add(&w, "%s", method);
	word_add(&w, "sock=%" PRIu64, handle);
	daemon_tell(r, &w);
}
