/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proto/addr.h"
#include "run/descriptor.h"
#include "run/notice.h"
#include "run/sock.h"

#define WINDOW_LEAST	4	/* events at a time at first, */
#define WINDOW_MANY	32	/* of one-to-many, which has several associations, */
#define WINDOW_MOST	64	/* and at most, */
#define WINDOW_BYTES	4096	/* while they are no longer than that */

#define SPARE_FDS	8	/* that calls on sockets need for a moment */

int64_t
sock_now(void)
{
	struct timespec	ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct sock *
sock_of_inode(struct run *r, uint64_t inode)
{
	struct sock	*s;

	TAILQ_FOREACH(s, &r->by_inode[inode % RUN_BUCKETS], by_inode) {
		if (s->inode == inode)
			return s;
	}
	return NULL;
}

struct sock *
sock_of_handle(struct run *r, uint64_t handle)
{
	struct sock	*s;

	TAILQ_FOREACH(s, &r->by_handle[handle % RUN_BUCKETS], by_handle) {
		if (s->handle == handle)
			return s;
	}
	return NULL;
}

static void
free_arrival(struct arrival *a)
{
	free(a->data);
	free(a);
}

/* Its waiters are its first member. */
static void
free_sock(struct waiters *w)
{
	struct sock	*s = (struct sock *)w;
	struct arrival	*a;
	struct peer	*p;

	while ((a = TAILQ_FIRST(&s->arrivals)) != NULL) {
		TAILQ_REMOVE(&s->arrivals, a, entry);
		free_arrival(a);
	}
	while ((p = TAILQ_FIRST(&s->peers)) != NULL) {
		TAILQ_REMOVE(&s->peers, p, entry);
		free(p);
	}
	free(s);
}

struct sock *
sock_new(struct run *r, uint64_t handle, int family, int type)
{
	struct sock	*s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->run = r;
	waiters_init(&s->waiters, free_sock);
	s->handle = s->hashed = handle;
	s->end = -1;
	s->family = family;
	s->type = type;
	s->rcvtimeo = s->sndtimeo = -1;
	s->window = type == SOCK_STREAM ? WINDOW_LEAST : WINDOW_MANY;
	TAILQ_INIT(&s->peers);
	TAILQ_INIT(&s->arrivals);
	TAILQ_INSERT_HEAD(&r->by_handle[handle % RUN_BUCKETS], s, by_handle);
	r->nsocks++;
	return s;
}

/*
 * libevent does not tell of EPOLLHUP alone, so the ends of the pairs are in a
 * set of their own, in which nothing else is waited for.
 */
static bool
watch_end(struct sock *s)
{
	struct epoll_event	ev = { .events = 0, .data.ptr = s };

	return epoll_ctl(s->run->ends, EPOLL_CTL_ADD, s->end, &ev) == 0;
}

void
sock_ends(struct run *r)
{
	struct epoll_event	ev[64];
	struct sock		*s;
	int			n = epoll_wait(r->ends, ev, 64, 0);

	for (int i = 0; i < n; i++) {
		s = ev[i].data.ptr;
		if (s->arrived == NULL)
			sock_close(s);
		else {
			s->end_closed = true;
			(void)epoll_ctl(r->ends, EPOLL_CTL_DEL, s->end, NULL);
		}
	}
}

int
sock_pair(struct sock *s, int flags)
{
	struct stat	st;
	int		fds[2], one = 1;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1)
		return -1;
	if (fds[1] >= s->run->most_fds - SPARE_FDS) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		errno = EMFILE;
		return -1;
	}
	s->end = fds[0];
	/* As small as the kernel makes it: a full one has one message. */
	(void)setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &one, sizeof one);
	(void)evutil_make_socket_nonblocking(fds[0]);
	if ((flags & SOCK_NONBLOCK) != 0)
		(void)evutil_make_socket_nonblocking(fds[1]);
	if (fstat(fds[1], &st) == -1 || !watch_end(s)) {
		(void)close(fds[1]);
		errno = ENOMEM;
		return -1;
	}
	s->inode = st.st_ino;
	TAILQ_INSERT_HEAD(&s->run->by_inode[s->inode % RUN_BUCKETS], s, by_inode);
	return fds[1];
}

void
sock_ref(struct sock *s)
{
	s->waiters.refs++;
}

void
sock_unref(struct sock *s)
{
	waiters_unref(&s->waiters);
}

/* ---- closing --------------------------------------------------------- */

/* RFC 9260 9: what was received and not read is lost, and the peer is to know. So does the kernel. */
static void
abort_unread(const struct sock *s)
{
	const struct arrival	*a;
	struct words		 w = { 0 };

	TAILQ_FOREACH(a, &s->arrivals, entry) {
		if (!a->is_notice && a->accepted == 0)
			break;
	}
	if (a == NULL || s->type != SOCK_STREAM || s->state != SOCK_UP)
		return;
	word_add(&w, "setopts");
	word_add(&w, "sock=%" PRIu64, s->handle);
	word_add(&w, "options.linger.on=true");
	word_add(&w, "options.linger.seconds=0");
	daemon_tell(s->run, &w);
}

void
sock_close(struct sock *s)
{
	const struct arrival	*a;
	struct call		*c;

	while ((c = TAILQ_FIRST(&s->waiters.calls)) != NULL)
		(void)call_fail(c, EBADF);
	TAILQ_FOREACH(a, &s->arrivals, entry) {
		if (a->accepted != 0)
			daemon_tell_sock(s->run, "close", a->accepted);
	}
	if (s->handle != 0) {
		abort_unread(s);
		daemon_tell_sock(s->run, "close", s->handle);
	}
	TAILQ_REMOVE(&s->run->by_handle[s->hashed % RUN_BUCKETS], s, by_handle);
	if (s->inode != 0)
		TAILQ_REMOVE(&s->run->by_inode[s->inode % RUN_BUCKETS], s, by_inode);
	if (s->end != -1)
		(void)close(s->end);
	s->end = -1;
	if (s->number != 0 && s->number < s->run->next_fd)
		s->run->next_fd = s->number;
	s->run->nsocks--;
	sock_unref(s);
}

void
sock_forget(struct sock *s)
{
	TAILQ_REMOVE(&s->run->by_handle[s->hashed % RUN_BUCKETS], s, by_handle);
	s->run->nsocks--;
	sock_unref(s);
}

/* The daemon does not know it any more; the program still has it. */
static void
forget_handle(struct sock *s)
{
	TAILQ_REMOVE(&s->run->by_handle[s->hashed % RUN_BUCKETS], s, by_handle);
	s->handle = s->hashed = 0;
	TAILQ_INSERT_HEAD(&s->run->by_handle[0], s, by_handle);
}

void
sock_lose_all(struct run *r)
{
	struct sock	*s, *next;

	for (size_t i = 0; i < RUN_BUCKETS; i++) {
		for (s = TAILQ_FIRST(&r->by_handle[i]); s != NULL; s = next) {
			next = TAILQ_NEXT(s, by_handle);
			if (s->handle == 0)
				continue;
			forget_handle(s);
			sock_enter_ended(s, s->state == SOCK_UP ? ECONNRESET : ENETDOWN);
		}
	}
}

/* ---- what poll finds ------------------------------------------------- */

bool
sock_has_something(const struct sock *s)
{
	return !TAILQ_EMPTY(&s->arrivals) || s->eof || s->error != 0 || s->cannot_read;
}

void
sock_set_readable(struct sock *s)
{
	if (!s->readable && s->end != -1)
		s->readable = send(s->end, "r", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

/* The program's end, as a descriptor of ours, to be closed at once: while we have it, it is not closed. */
static int
end_of(const struct call *c)
{
	return descriptor_take(c->tid, call_fd(c), c->sock->inode);
}

void
sock_clear_readable(struct call *c)
{
	struct sock	*s = c->sock;
	char		 buf[16];
	int		 fd;

	if (!s->readable || sock_has_something(s) || (fd = end_of(c)) == -1)
		return;
	(void)recv(fd, buf, sizeof buf, MSG_DONTWAIT);
	s->readable = false;
	(void)close(fd);
}

/* So long that the kernel counts it as more than a quarter of the smallest buffer. */
void
sock_set_full(struct call *c)
{
	static const char	bytes[2048];
	struct sock		*s = c->sock;
	int			 fd;

	if (s->full || (fd = end_of(c)) == -1)
		return;
	s->full = send(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
	(void)close(fd);
}

void
sock_clear_full(struct sock *s)
{
	char	buf[4096];

	if (s->listening && s->type == SOCK_STREAM)
		return;
	while (s->full && recv(s->end, buf, sizeof buf, MSG_DONTWAIT) > 0)
		;
	s->full = false;
}

/* ---- associations ---------------------------------------------------- */

struct peer *
sock_peer(const struct sock *s, uint32_t assoc_id)
{
	struct peer	*p;

	TAILQ_FOREACH(p, &s->peers, entry) {
		if (p->assoc_id == assoc_id)
			return p;
	}
	return NULL;
}

static void
unmapped(const struct sockaddr_storage *from, struct sockaddr_storage *to)
{
	*to = *from;
	addr_unmap(to);
}

struct peer *
sock_peer_at(const struct sock *s, const struct sockaddr_storage *at)
{
	struct sockaddr_storage	 a, b;
	struct peer		*p;

	unmapped(at, &a);
	TAILQ_FOREACH(p, &s->peers, entry) {
		unmapped(&p->addr, &b);
		if (addr_equal(&a, &b) && addr_port(&a) == addr_port(&b))
			return p;
	}
	return NULL;
}

struct peer *
sock_add_peer(struct sock *s, uint32_t assoc_id, const struct sockaddr_storage *addr)
{
	struct peer	*p = sock_peer(s, assoc_id);

	if (p == NULL) {
		if ((p = calloc(1, sizeof *p)) == NULL)
			return NULL;
		p->assoc_id = assoc_id;
		TAILQ_INSERT_HEAD(&s->peers, p, entry);
	}
	if (addr->ss_family != AF_UNSPEC)
		p->addr = *addr;
	return p;
}

/* One-to-one sockets have their association as a peer, too. */
void
sock_set_stuck(struct sock *s, uint32_t assoc_id, bool stuck)
{
	struct peer	*p = sock_peer(s, assoc_id);

	if (p == NULL || p->stuck == stuck)
		return;
	p->stuck = stuck;
	s->stuck += stuck ? 1 : -1U;
	if (s->stuck == 0 && s->state != SOCK_CONNECTING)
		sock_clear_full(s);
}

void
sock_remove_peer(struct sock *s, uint32_t assoc_id)
{
	struct peer	*p = sock_peer(s, assoc_id);

	if (p == NULL)
		return;
	sock_set_stuck(s, assoc_id, false);
	TAILQ_REMOVE(&s->peers, p, entry);
	free(p);
}

static void
on_local(struct sctpd *c, int code, const struct sctpd_value *v, void *arg)
{
	const struct sctpd_value	*first = sctpd_item(sctpd_get(v, "addresses"), 0);
	const char			*text = sctpd_get_str(first, "addr");
	struct sock			*s = arg;

	(void)c;
	if (code == SCTPD_OK && addr_parse(text, strlen(text), &s->local))
		addr_set_port(&s->local, (uint16_t)sctpd_get_int(first, "port"));
	sock_unref(s);
}

void
sock_learn_local(struct sock *s)
{
	struct words	w = { 0 };

	if (s->type != SOCK_STREAM || s->handle == 0 || s->run->lost)
		return;
	word_add(&w, "socknames");
	word_add(&w, "sock=%" PRIu64, s->handle);
	word_add(&w, "assoc_id=%u", s->assoc_id);
	sock_ref(s);
	if (!daemon_ask(s->run, &w, on_local, s))
		sock_unref(s);
}

void
sock_enter_up(struct sock *s, uint32_t assoc_id)
{
	struct peer	*p = sock_peer(s, assoc_id);

	if (p != NULL)
		p->up = true;
	if (s->type == SOCK_STREAM && !s->listening) {
		s->state = SOCK_UP;
		s->assoc_id = assoc_id;
		sock_learn_local(s);
		sock_ask_more(s);
	}
	if (s->stuck == 0)
		sock_clear_full(s);
	call_retry(&s->waiters);
}

/* What had come before can still be read. */
void
sock_enter_ended(struct sock *s, int error)
{
	if (s->type == SOCK_STREAM)
		s->state = SOCK_ENDED;
	s->error = error;
	sock_clear_full(s);
	if (s->eof && s->end != -1)
		(void)shutdown(s->end, SHUT_WR);	/* for POLLRDHUP */
	else if (sock_has_something(s))
		sock_set_readable(s);
	if (s->arrived != NULL)
		s->arrived(s);
	call_retry(&s->waiters);
}

/* ---- events ---------------------------------------------------------- */

/* More at a time, while they are short; what is long comes one by one. */
static void
fit_window(struct sock *s, size_t len)
{
	if (len > WINDOW_BYTES)
		s->window = s->window > 1 ? s->window / 2 : 1;
	else if (s->window < WINDOW_MOST)
		s->window++;
}

void
sock_ask_more(struct sock *s)
{
	unsigned	more = s->credit + s->narrivals, window = s->type == SOCK_STREAM && s->state != SOCK_UP ? 1 : s->window;
	struct words	w = { 0 };

	if (s->handle == 0 || s->run->lost || more > window / 2)
		return;
	more = window - more;
	s->credit += more;
	word_add(&w, "setopts");
	word_add(&w, "sock=%" PRIu64, s->handle);
	word_add(&w, "options.active=%u", more);
	daemon_tell(s->run, &w);
}

/*
 * The kernel has an association's first message right behind its COMM_UP, as
 * they come in one packet, and programs rely on that. Here other associations
 * may have come between: what is next of this one goes before them.
 */
static void
keep_together(struct sock *s, const struct arrival *up)
{
	struct arrival	*a;

	if (!up->is_notice || s->type == SOCK_STREAM)
		return;
	TAILQ_FOREACH(a, &s->arrivals, entry) {
		if (a->info.sinfo_assoc_id == up->info.sinfo_assoc_id)
			break;
	}
	if (a == NULL || a->is_notice)
		return;
	TAILQ_REMOVE(&s->arrivals, a, entry);
	TAILQ_INSERT_HEAD(&s->arrivals, a, entry);
}

void
sock_took(struct sock *s)
{
	struct arrival	*a = TAILQ_FIRST(&s->arrivals);

	TAILQ_REMOVE(&s->arrivals, a, entry);
	s->narrivals--;
	keep_together(s, a);
	free_arrival(a);
	sock_ask_more(s);
}

static void
from_of(const struct sctpd_event *ev, struct sockaddr_storage *ss)
{
	memset(ss, 0, sizeof *ss);
	if (addr_parse(ev->from, strlen(ev->from), ss))
		addr_set_port(ss, ev->from_port);
}

/* It waits until the program reads it. */
static void
arrive(struct sock *s, struct arrival *a)
{
	TAILQ_INSERT_TAIL(&s->arrivals, a, entry);
	s->narrivals++;
	if (s->arrived != NULL)
		s->arrived(s);
	call_retry(&s->waiters);
	if (!TAILQ_EMPTY(&s->arrivals))
		sock_set_readable(s);
}

static struct arrival *
new_arrival(const struct sctpd_event *ev)
{
	struct arrival	*a = calloc(1, sizeof *a);

	if (a != NULL)
		from_of(ev, &a->from);
	return a;
}

static void
on_data(struct sock *s, const struct sctpd_event *ev)
{
	struct arrival	*a;

	if (s->cannot_read)
		return;		/* as in the kernel */
	a = new_arrival(ev);
	if (a == NULL || (a->data = malloc(ev->len > 0 ? ev->len : 1)) == NULL)
		abort();	/* nothing is lost silently */
	memcpy(a->data, ev->data, ev->len);
	a->len = ev->len;
	a->timestamp = ev->timestamp;
	a->info = (struct sctp_sndrcvinfo){ .sinfo_stream = ev->info.stream, .sinfo_ssn = ev->info.ssn,
	    .sinfo_flags = (uint16_t)(ev->info.flags & SCTP_UNORDERED), .sinfo_ppid = htonl(ev->info.ppid),
	    .sinfo_context = ev->info.context, .sinfo_tsn = ev->info.tsn, .sinfo_cumtsn = ev->info.cumtsn,
	    .sinfo_assoc_id = (sctp_assoc_t)ev->assoc_id };
	fit_window(s, ev->len);
	arrive(s, a);
}

static void
on_notice(struct sock *s, const struct sctpd_event *ev)
{
	int		 flag = notice_flag(ev);
	struct arrival	*a;

	if (flag < 0 || s->subscribed[flag] == 0 || (s->type == SOCK_STREAM && s->listening))
		return;
	if ((a = new_arrival(ev)) == NULL || (a->data = notice_pack(ev, &a->len)) == NULL)
		abort();
	a->is_notice = true;
	a->info.sinfo_assoc_id = (sctp_assoc_t)ev->assoc_id;
	arrive(s, a);
}

static void
on_accept(struct sock *s, const struct sctpd_event *ev)
{
	struct arrival	*a = new_arrival(ev);

	if (a == NULL)
		abort();
	a->accepted = (uint64_t)sctpd_get_int(ev->fields, "accepted");
	a->info.sinfo_assoc_id = (sctp_assoc_t)sctpd_get_int(ev->fields, "assoc_id");
	arrive(s, a);
}

/*
 * Neither stack says whether the peer refused, or did not answer. Who refuses
 * does so within a round trip, and no second attempt is made before RTO.Initial.
 */
static int
why_not_up(const struct sock *s)
{
	return sock_now() - s->connecting_since < 1000 ? ECONNREFUSED : ETIMEDOUT;
}

/* The association has come up, or is no more. */
static void
on_assoc_change(struct sock *s, const struct sctpd_event *ev)
{
	const char		*state = sctpd_get_str(ev->fields, "state");
	struct sockaddr_storage	 from;
	const struct peer	*p;

	if (strcmp(state, "comm_up") == 0 || strcmp(state, "restart") == 0) {
		from_of(ev, &from);
		(void)sock_add_peer(s, ev->assoc_id, &from);
		sock_enter_up(s, ev->assoc_id);
		return;
	}
	if (s->type == SOCK_STREAM && (p = sock_peer(s, ev->assoc_id)) != NULL)
		s->remote = p->addr;
	sock_remove_peer(s, ev->assoc_id);
	if (strcmp(state, "cant_assoc") == 0 && s->type != SOCK_STREAM)
		s->not_up = why_not_up(s);
	else if (strcmp(state, "cant_assoc") == 0) {
		s->state = SOCK_IDLE;
		s->error = why_not_up(s);
		sock_clear_full(s);
		sock_set_readable(s);
	} else if (s->type == SOCK_STREAM)
		sock_enter_ended(s, strcmp(state, "comm_lost") == 0 ? ECONNRESET : 0);
	call_retry(&s->waiters);
}

/* Nothing can be sent any more, and nothing else comes. */
static void
on_shutdown(struct sock *s)
{
	if (s->type != SOCK_STREAM)
		return;
	s->eof = true;
	sock_enter_ended(s, 0);
}

static void
on_closed_by_daemon(struct sock *s)
{
	forget_handle(s);
	if (s->type == SOCK_STREAM && s->state != SOCK_ENDED)
		sock_enter_ended(s, s->state == SOCK_UP ? ECONNRESET : ENETDOWN);
	call_retry(&s->waiters);
}

/* A notification comes before what follows from it: it can be read before the end. */
void
sock_event(struct run *r, const struct sctpd_event *ev)
{
	struct sock	*s = sock_of_handle(r, ev->sock);

	if (s == NULL || ev->sock == 0)
		return;
	sock_ref(s);
	if (s->credit > 0)
		s->credit--;
	if (strcmp(ev->name, "sctp_passive") == 0)
		s->credit = 0;
	else if (strcmp(ev->name, "data") == 0)
		on_data(s, ev);
	else if (strcmp(ev->name, "accept") == 0)
		on_accept(s, ev);
	else if (strcmp(ev->name, "sctp_closed") == 0)
		on_closed_by_daemon(s);
	else {
		on_notice(s, ev);
		if (strcmp(ev->name, "sctp_assoc_change") == 0)
			on_assoc_change(s, ev);
		else if (strcmp(ev->name, "sctp_shutdown_event") == 0)
			on_shutdown(s);
	}
	if (s->handle != 0)
		sock_ask_more(s);
	sock_unref(s);
}
