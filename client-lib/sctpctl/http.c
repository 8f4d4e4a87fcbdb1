/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Metrics over HTTP: libevent's server, with bounds.
 *
 * A request is answered at once, while nothing else is served: its scrape ends in
 * time. What a connection may cost is bounded: its request's size, the time in
 * which nothing comes of it, and, by the descriptors that this process may have,
 * how many there are; and so are the bytes of answers that were not read yet, of
 * all together. If there are more, they hold descriptors and ask nothing, or ask
 * and do not read: all are closed. So nobody can keep others away by being slow.
 */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/addr.h"
#include "sctpctl/expose.h"
#include "sctpctl/http.h"

#define DESCRIPTORS	64	/* of all connections, and a few */
#define MORE		8	/* for the connection to the daemon */
#define MAX_HEADERS	8192	/* bytes of a request */
#define QUIET		10	/* s in which nothing comes of a connection, or goes */
#define OWED		(16u << 20)	/* bytes of answers that were not read yet, if there are several */
#define FIRST_FD	3	/* of those that systemd passes */
#define MAX_FDS		8
#define BACKLOG		128

struct server {
	struct ctl		*ctl;
	struct event_base	*base;
	struct evhttp		*http;
	struct event		*idle, *term, *interrupt;
	int			 fd[MAX_FDS];
	int			 nfds;
	size_t			 owed;
	bool			 was_up;
	const char		*remove;	/* path of our own socket, or NULL */
};

/* Begins anew. Here, as a listener's functions get evhttp's own argument. */
static struct event	*anew;

/* ---- answers --------------------------------------------------------- */

static void
let_have(rlim_t descriptors)
{
	struct rlimit	r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = descriptors < r.rlim_max ? descriptors : r.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
}

static void
used(struct server *s)
{
	if (s->ctl->idle > 0)
		(void)event_add(s->idle, &(struct timeval){ .tv_sec = s->ctl->idle });
}

/* Why the daemon is not up is said once. */
static void
say_if_new(struct server *s, const struct scrape *scrape)
{
	if (s->was_up && !scrape->complete)
		ctl_note("sctpctl: metrics: %s", scrape->why);
	else if (!s->was_up && scrape->complete)
		ctl_note("sctpctl: metrics: sctpd answers again");
	s->was_up = scrape->complete;
}

/* All metrics as text, allocated; NULL if there is no memory. */
static char *
make_text(struct server *s, bool openmetrics, size_t *len)
{
	struct scrape	 scrape;
	char		*text = NULL;
	FILE		*f = open_memstream(&text, len);

	if (f == NULL)
		return NULL;
	let_have(DESCRIPTORS + MORE);
	scrape_make(&scrape, s->ctl);
	let_have(DESCRIPTORS);
	say_if_new(s, &scrape);
	expose(f, &scrape, openmetrics);
	scrape_free(&scrape);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

/* It was read, or its connection was closed. */
static void
free_text(const void *text, size_t len, void *arg)
{
	((struct server *)arg)->owed -= len;
	free((void *)(uintptr_t)text);
}

/* Does it take OpenMetrics? A client that prefers the other one need not say that it takes this. */
static bool
wants_openmetrics(struct evhttp_request *req)
{
	const char	*accept = evhttp_find_header(evhttp_request_get_input_headers(req), "Accept");

	return accept != NULL && strstr(accept, "application/openmetrics-text") != NULL;
}

static void
answer_metrics(struct evhttp_request *req, void *arg)
{
	struct server	*s = arg;
	bool		 openmetrics = wants_openmetrics(req);
	size_t		 len;
	char		*text;

	used(s);
	if ((text = make_text(s, openmetrics, &len)) == NULL ||
	    evbuffer_add_reference(evhttp_request_get_output_buffer(req), text, len, free_text, s) != 0) {
		free(text);
		evhttp_send_error(req, HTTP_INTERNAL, NULL);
		return;
	}
	s->owed += len;
	if (s->owed > OWED && s->owed > len)
		event_active(anew, EV_TIMEOUT, 0);
	(void)evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type",
	    openmetrics ? EXPOSE_OPENMETRICS : EXPOSE_TEXT);
	evhttp_send_reply(req, HTTP_OK, "OK", NULL);
}

static void
answer_root(struct evhttp_request *req, void *arg)
{
	used(arg);
	(void)evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type", "text/plain; charset=utf-8");
	(void)evbuffer_add_printf(evhttp_request_get_output_buffer(req), "The metrics of sctpd are at /metrics.\n");
	evhttp_send_reply(req, HTTP_OK, "OK", NULL);
}

/* ---- connections ----------------------------------------------------- */

static struct bufferevent *
connection(struct event_base *base, void *arg)
{
	used(arg);
	return bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
}

/* A connection could not be accepted, as there are too many. */
static void
too_many(struct evconnlistener *l, void *arg)
{
	(void)arg;
	(void)evconnlistener_disable(l);
	event_active(anew, EV_TIMEOUT, 0);
}

/* Serve on all sockets; what was served before is closed. */
static bool
begin(struct server *s)
{
	struct evconnlistener	*l;

	if (s->http != NULL)
		evhttp_free(s->http);
	if ((s->http = evhttp_new(s->base)) == NULL)
		return false;
	evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(s->http, MAX_HEADERS);
	evhttp_set_max_body_size(s->http, MAX_HEADERS);
	evhttp_set_timeout(s->http, QUIET);
	evhttp_set_bevcb(s->http, connection, s);
	(void)evhttp_set_cb(s->http, "/metrics", answer_metrics, s);
	(void)evhttp_set_cb(s->http, "/", answer_root, s);
	for (int i = 0; i < s->nfds; i++) {
		/* The listening sockets stay when http goes. */
		l = evconnlistener_new(s->base, NULL, NULL, LEV_OPT_CLOSE_ON_EXEC, 0, s->fd[i]);
		if (l == NULL || evhttp_bind_listener(s->http, l) == NULL)
			return false;
		evconnlistener_set_error_cb(l, too_many);
	}
	return true;
}

static void
begin_anew(int fd, short what, void *arg)
{
	struct server	*s = arg;

	(void)fd, (void)what;
	if (!begin(s))
		(void)event_base_loopbreak(s->base);
}

static void
end(int fd, short what, void *arg)
{
	struct server	*s = arg;

	(void)fd, (void)what;
	(void)event_base_loopexit(s->base, NULL);
}

/* ---- the listening sockets ------------------------------------------- */

/* Those that systemd passes, if it does. */
static int
take_passed(struct server *s)
{
	const char	*pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	int		 count = pid != NULL && n != NULL && strtol(pid, NULL, 10) == getpid() ? atoi(n) : 0;

	if (count <= 0 || count > MAX_FDS)
		return ctl_fail(CTL_USAGE, "--http takes 1 to %d sockets from systemd, and there are %d; "
		    "without systemd, use --listen", MAX_FDS, count);
	for (s->nfds = 0; s->nfds < count; s->nfds++) {
		s->fd[s->nfds] = FIRST_FD + s->nfds;
		(void)evutil_make_socket_nonblocking(s->fd[s->nfds]);
	}
	return CTL_OK;
}

/* A socket file that nobody listens on is in the way. */
static bool
is_stale(const struct sockaddr_un *un)
{
	int	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool	stale = fd != -1 && connect(fd, (const struct sockaddr *)un, sizeof *un) == -1 && errno == ECONNREFUSED;

	if (fd != -1)
		(void)close(fd);
	return stale;
}

static int
listen_at(struct server *s, const struct sockaddr *sa, socklen_t len)
{
	int	fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;

	if (fd == -1)
		return -1;
	if (sa->sa_family != AF_UNIX)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, sa, len) == -1 || listen(fd, BACKLOG) == -1) {
		(void)close(fd);
		return -1;
	}
	s->fd[s->nfds++] = fd;
	return 0;
}

static int
listen_unix(struct server *s, const char *path)
{
	struct sockaddr_un	un = { .sun_family = AF_UNIX };
	int			fail;

	if (*path == '\0' || strlen(path) >= sizeof un.sun_path)
		return ctl_fail(CTL_USAGE, "--listen: a path has 1 to %zu characters", sizeof un.sun_path - 1);
	(void)strcpy(un.sun_path, path);
	fail = listen_at(s, (const struct sockaddr *)&un, sizeof un);
	if (fail == -1 && errno == EADDRINUSE && is_stale(&un) && unlink(path) == 0)
		fail = listen_at(s, (const struct sockaddr *)&un, sizeof un);
	if (fail == -1)
		return ctl_fail(CTL_FAILED, "--listen: \"%s\": %s", path, strerror(errno));
	s->remove = path;
	return CTL_OK;
}

/* ADDRESS:PORT or [ADDRESS]:PORT. */
static bool
parse_address(const char *text, struct sockaddr_storage *ss)
{
	const char	*colon = strrchr(text, ':');
	char		*end;
	unsigned long	 port;
	size_t		 len;

	if (colon == NULL || colon[1] < '0' || colon[1] > '9')
		return false;
	port = strtoul(colon + 1, &end, 10);
	len = (size_t)(colon - text);
	if (len > 1 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (*end != '\0' || port > UINT16_MAX || !addr_parse(text, len, ss))
		return false;
	addr_set_port(ss, (uint16_t)port);
	return true;
}

static int
listen_inet(struct server *s, const char *address)
{
	struct sockaddr_storage	ss;
	socklen_t		len = sizeof ss;

	if (!parse_address(address, &ss))
		return ctl_fail(CTL_USAGE, "--listen takes ADDRESS:PORT, such as 127.0.0.1:9899 or [::1]:9899, "
		    "or unix:PATH, not \"%s\"", address);
	if (listen_at(s, (const struct sockaddr *)&ss, addr_len(&ss)) == -1)
		return ctl_fail(CTL_FAILED, "--listen: %s: %s", address, strerror(errno));
	if (s->ctl->verbose && getsockname(s->fd[0], (struct sockaddr *)&ss, &len) == 0)
		ctl_note("sctpctl: listening on port %u", addr_port(&ss));
	return CTL_OK;
}

/* ---- all ------------------------------------------------------------- */

/* Everything that libevent calls, but for what begin makes. */
static bool
prepare(struct server *s)
{
	if ((s->base = event_base_new()) == NULL)
		return false;
	anew = event_new(s->base, -1, 0, begin_anew, s);
	s->term = evsignal_new(s->base, SIGTERM, end, s);
	s->interrupt = evsignal_new(s->base, SIGINT, end, s);
	s->idle = event_new(s->base, -1, 0, end, s);
	return anew != NULL && s->term != NULL && s->interrupt != NULL && s->idle != NULL &&
	    event_add(s->term, NULL) == 0 && event_add(s->interrupt, NULL) == 0;
}

static void
free_all(struct server *s)
{
	struct event	*events[] = { anew, s->term, s->interrupt, s->idle };

	if (s->http != NULL)
		evhttp_free(s->http);
	for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
		if (events[i] != NULL)
			event_free(events[i]);
	}
	if (s->base != NULL)
		event_base_free(s->base);
}

static int
run(struct server *s)
{
	bool	good = prepare(s) && begin(s);

	if (good) {
		used(s);
		let_have(DESCRIPTORS);
		good = event_base_dispatch(s->base) == 0 && !event_base_got_break(s->base);
	}
	free_all(s);
	return good ? CTL_OK : ctl_fail(CTL_FAILED, "metrics: the HTTP server cannot go on: there is no memory left");
}

int
http_serve(struct ctl *ctl)
{
	struct server	s = { .ctl = ctl, .was_up = true };
	int		fail;

	if (ctl->listen == NULL)
		fail = take_passed(&s);
	else if (strncmp(ctl->listen, "unix:", 5) == 0)
		fail = listen_unix(&s, ctl->listen + 5);
	else
		fail = listen_inet(&s, ctl->listen);
	if (fail == CTL_OK)
		fail = run(&s);
	if (s.remove != NULL)
		(void)unlink(s.remove);
	return fail;
}
