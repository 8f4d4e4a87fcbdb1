/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: reading.
 *
 * A message or a notification may come in pieces; what is not whole is joined
 * with its association, up to the longest message allowed. Nothing that a
 * peer can provoke is taken for impossible here.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "addr.h"
#include "config.h"
#include "kernel.h"
#include "log.h"
#include "loop.h"

#define BATCH	32
#define SLOT	65536
#define CONTROL	256

/* Where messages are received: one area, as there is one thread. */
static struct {
	struct mmsghdr		header[BATCH];
	struct iovec		iov[BATCH];
	struct sockaddr_storage	from[BATCH];
	_Alignas(struct cmsghdr) char control[BATCH][CONTROL];
	_Alignas(uint64_t) char	data[BATCH][SLOT];
} area;

/* One piece of what was received. */
struct piece {
	char				*data;
	size_t				 len;
	int				 flags;
	const struct sockaddr_storage	*from;
	struct msghdr			*header;
};

/* ---- joining -------------------------------------------------------- */

static void
joint_clear(struct joint *j)
{
	buf_drop(&j->part, buf_len(&j->part));
	j->begun = j->skip = j->sent = false;
}

/* Add a piece; false when it would be longer than is allowed. */
static bool
joint_add(struct joint *j, const char *p, size_t n)
{
	j->begun = true;
	if (j->skip || buf_len(&j->part) + n > config.max_message)
		return false;
	buf_add(&j->part, p, n);
	return true;
}

/*
 * Join a piece with those before it. True, with the whole in p and n, when it
 * was the last; a whole in one piece is not copied.
 */
static bool
join(struct joint *j, const struct piece *in, char **p, size_t *n, bool *too_long)
{
	bool	last = (in->flags & MSG_EOR) != 0;

	*p = in->data;
	*n = in->len;
	if (last && !j->begun)
		return true;
	if (!joint_add(j, in->data, in->len)) {
		*too_long = !j->skip;
		j->skip = !last;
		j->begun = !last;
		buf_drop(&j->part, buf_len(&j->part));
		return false;
	}
	*p = buf_data(&j->part);
	*n = buf_len(&j->part);
	return last;
}

/* ---- messages ------------------------------------------------------- */

static void
read_info(struct msghdr *h, struct sndrcvinfo *to)
{
	struct sctp_rcvinfo	 r;
	struct cmsghdr		*c;

	for (c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level != IPPROTO_SCTP || c->cmsg_type != SCTP_RCVINFO)
			continue;
		memcpy(&r, CMSG_DATA(c), sizeof r);
		*to = (struct sndrcvinfo){
			.stream = r.rcv_sid,
			.ssn = r.rcv_ssn,
			.flags = r.rcv_flags & SCTP_UNORDERED ? SNDRCV_UNORDERED : 0,
			.ppid = ntohl(r.rcv_ppid),
			.context = r.rcv_context,
			.tsn = r.rcv_tsn,
			.cumtsn = r.rcv_cumtsn,
			.assoc_id = (uint32_t)r.rcv_assoc_id,
		};
		return;
	}
}

static void
refuse_long_message(struct assoc *a)
{
	static const char	reason[] = "message too long";

	if (log_allowed())
		log_warning("assoc %u: aborted, its peer sends a message over max_message, %llu bytes",
		    assoc_id(a), (unsigned long long)config.max_message);
	(void)stack_abort(a, reason, sizeof reason - 1);
}

static void
take_data(struct sock *s, struct assoc *a, const struct piece *in)
{
	struct event_data	d = { .data = { NULL, 0 } };
	struct stack_event	e = { .row = notice_data, .assoc = a, .from = in->from };
	bool			too_long = false;
	char			*p;
	size_t			 n;

	read_info(in->header, &d.sctp_sndrcvinfo);
	if (a == NULL)	/* it has no descriptor: see kernel_came_up */
		e.assoc = a = assoc_find(s, d.sctp_sndrcvinfo.assoc_id);
	if (a == NULL || a->unwanted)
		return;
	if (!join(&a->stack.data, in, &p, &n, &too_long)) {
		if (too_long)
			refuse_long_message(a);
		return;
	}
	d.data = (struct slice){ p, (uint32_t)n };
	e.assoc_id = assoc_id(a);
	e.body = &d;
	e.len = sizeof d;
	sock_event(s, &e);
	joint_clear(&a->stack.data);
}

/* ---- notifications -------------------------------------------------- */

/* The association that a notification is about, from its row's own field. */
static uint32_t
id_in(const struct notice *row, const char *p)
{
	uint32_t	id = 0;

	for (const struct field *f = row->fields; f->key != NULL; f++) {
		if (strcmp(f->key, "assoc_id") == 0)
			memcpy(&id, p + f->offset, sizeof id);
	}
	return id;
}

static enum assoc_event
what_happened(uint16_t state)
{
	switch (state) {
	case SCTP_COMM_UP:
		return ASSOC_EVENT_UP;
	case SCTP_RESTART:
		return ASSOC_EVENT_RESTART;
	case SCTP_COMM_LOST:
		return ASSOC_EVENT_LOST;
	case SCTP_SHUTDOWN_COMP:
		return ASSOC_EVENT_SHUTDOWN_COMP;
	case SCTP_CANT_STR_ASSOC:
		return ASSOC_EVENT_CANT;
	}
	return ASSOC_EVENT_NONE;
}

static bool
is_up(enum assoc_event what)
{
	return what == ASSOC_EVENT_UP || what == ASSOC_EVENT_RESTART;
}

/* An association that comes up from the peer's side, if there is room for it. */
static struct assoc *
incoming(struct sock *s, uint32_t id, const struct sockaddr_storage *from)
{
	struct assoc	*a = assoc_new(s, id, from);

	if (assoc_count() <= config.max_associations)
		return a;
	if (log_allowed())
		log_warning("assoc %u: aborted, max_associations is reached", id);
	(void)stack_abort(a, "too many associations", 21);
	a->unwanted = true;
	return a;
}

static void
take_assoc_change(struct sock *s, struct assoc *a, struct stack_event *e)
{
	const struct sctp_assoc_change	*c = e->body;

	e->what = what_happened(c->sac_state);
	e->error = c->sac_error;
	if (a == NULL && is_up(e->what))
		a = incoming(s, e->assoc_id, e->from);
	e->assoc = a;
	if (a == NULL) {
		sock_event(s, e);
		return;
	}
	if (is_up(e->what)) {
		a->outbound = c->sac_outbound_streams;
		a->inbound = c->sac_inbound_streams;
		a->peer = e->from != NULL ? *e->from : a->peer;
		if (!a->unwanted)
			kernel_came_up(a);
		assoc_enter(a, ASSOC_UP);
	} else if (e->what != ASSOC_EVENT_NONE)
		assoc_enter(a, ASSOC_OVER);
	sock_event(s, e);
	if (a->state == ASSOC_OVER)
		assoc_fail_sends(a, ERR_epipe, "the association is over");
	else if (!TAILQ_EMPTY(&a->sends))
		assoc_writable(a);
	/* One that never had a descriptor of its own has nothing left in it. */
	if (a->state == ASSOC_OVER && a->stack.fd == -1)
		(void)assoc_free(a);
}

/*
 * The kernel gives a message back chunk by chunk, with the chunk's own begin
 * and end bits in the flags. Join them to the message again.
 */
static void
take_failed(struct sock *s, struct assoc *a, char *p, size_t len,
    const struct sockaddr_storage *from)
{
	enum { LAST = 1, FIRST = 2 };
	struct sctp_send_failed_event	f;
	struct event_send_failed	e = { .flags = false };
	struct stack_event		se = { .row = notice_send_failed, .assoc = a,
	    .from = from, .body = &e, .len = sizeof e };
	struct joint			lone = { .begun = false };
	struct joint			*j = a != NULL ? &a->stack.failed : &lone;
	size_t				head = offsetof(struct sctp_send_failed_event, ssf_data);

	memcpy(&f, p, head);
	if (f.ssfe_info.snd_flags & FIRST)
		joint_clear(j);
	/* What does not begin with its first chunk has had that delivered. */
	if (f.ssf_flags == SCTP_DATA_SENT || (!j->begun && !(f.ssfe_info.snd_flags & FIRST)))
		j->sent = true;
	(void)joint_add(j, p + head, len - head);
	if (!(f.ssfe_info.snd_flags & LAST) && a != NULL)
		return;
	e.flags = j->sent;
	e.error = ntohs((uint16_t)f.ssf_error);
	e.assoc_id = se.assoc_id = (uint32_t)f.ssf_assoc_id;
	e.info = (struct sndrcvinfo){
		.stream = f.ssfe_info.snd_sid,
		.flags = f.ssfe_info.snd_flags & 4 ? SNDRCV_UNORDERED : 0,
		.ppid = ntohl(f.ssfe_info.snd_ppid),
		.context = f.ssfe_info.snd_context,
		.assoc_id = e.assoc_id,
	};
	e.data = (struct slice){ buf_data(&j->part), (uint32_t)buf_len(&j->part) };
	sock_event(s, &se);
	joint_clear(j);
	buf_free(&lone.part);
}

/* Byte orders that the kernel leaves as they were on the wire. */
static void
put_right(uint16_t type, char *p)
{
	uint16_t	*error = NULL;

	if (type == SCTP_ASSOC_CHANGE)
		error = &((struct sctp_assoc_change *)(void *)p)->sac_error;
	if (type == SCTP_REMOTE_ERROR)
		error = (uint16_t *)&((struct sctp_remote_error *)(void *)p)->sre_error;
	if (error != NULL)
		*error = ntohs(*error);
}

static void
take_unknown(struct sock *s, struct assoc *a, const struct sctp_assoc_change *h,
    const char *p, size_t len, const struct sockaddr_storage *from)
{
	struct event_unknown	u = {
		.type = h->sac_type,
		.flags = h->sac_flags,
		.data = { p + 8, (uint32_t)(len - 8) },
	};
	struct stack_event	e = { .row = notice_unknown, .assoc = a,
	    .assoc_id = a != NULL ? assoc_id(a) : 0, .from = from,
	    .body = &u, .len = sizeof u };

	sock_event(s, &e);
}

/* One whole notification. It lies aligned, in the area or in a buffer. */
static void
take_notification(struct sock *s, struct assoc *a, char *p, size_t len,
    const struct sockaddr_storage *from)
{
	struct sctp_assoc_change	 h;	/* all begin with type, flags, length */
	const struct notice		*row;
	struct stack_event		 e = { .from = from, .body = p, .len = len };

	if (len < 8)
		return;
	memcpy(&h, p, 8);
	if (h.sac_type == SCTP_SEND_FAILED_EVENT &&
	    len >= offsetof(struct sctp_send_failed_event, ssf_data)) {
		row = notice_send_failed;
		memcpy(&e.assoc_id, p + offsetof(struct sctp_send_failed_event, ssf_assoc_id), 4);
	} else if ((row = notice_find(h.sac_type)) == NULL || len < row->size) {
		take_unknown(s, a, &h, p, len, from);
		return;
	} else
		e.assoc_id = id_in(row, p);
	if (a == NULL)
		a = assoc_find(s, e.assoc_id);
	if (row == notice_send_failed) {
		take_failed(s, a, p, len, from);
		return;
	}
	put_right(h.sac_type, p);
	e.row = row;
	e.assoc = a;
	if (h.sac_type == SCTP_ASSOC_CHANGE) {
		take_assoc_change(s, a, &e);
		return;
	}
	if (h.sac_type == SCTP_PARTIAL_DELIVERY_EVENT && a != NULL)
		joint_clear(&a->stack.data);
	if (h.sac_type == SCTP_STREAM_CHANGE_EVENT && a != NULL)
		stack_count_streams(a);
	if (h.sac_type == SCTP_SHUTDOWN_EVENT && a != NULL)
		assoc_enter(a, ASSOC_GOING_DOWN);
	sock_event(s, &e);
}

static void
take(struct sock *s, struct assoc *a, const struct piece *in)
{
	struct joint	*j = a != NULL ? &a->stack.notice : &s->stack.notice;
	bool		 too_long = false;
	char		*p;
	size_t		 n;

	if (!(in->flags & MSG_NOTIFICATION)) {
		take_data(s, a, in);
		return;
	}
	if (!join(j, in, &p, &n, &too_long))
		return;
	take_notification(s, a, p, n, in->from);
	joint_clear(j);
}

/* ---- descriptors ---------------------------------------------------- */

/* Receive up to n pieces; -1 with errno, or how many. */
static int
receive(int fd, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		area.iov[i] = (struct iovec){ area.data[i], SLOT };
		area.header[i].msg_hdr = (struct msghdr){
			.msg_name = &area.from[i],
			.msg_namelen = sizeof area.from[i],
			.msg_iov = &area.iov[i],
			.msg_iovlen = 1,
			.msg_control = area.control[i],
			.msg_controllen = CONTROL,
		};
		area.from[i].ss_family = 0;
	}
	return recvmmsg(fd, area.header, n, MSG_DONTWAIT, NULL);
}

static struct piece
piece_at(int i)
{
	struct mmsghdr	*h = &area.header[i];

	return (struct piece){
		.data = area.data[i],
		.len = h->msg_len,
		.flags = h->msg_hdr.msg_flags,
		.from = h->msg_hdr.msg_namelen > 0 && area.from[i].ss_family != 0 ?
		    &area.from[i] : NULL,
		.header = &h->msg_hdr,
	};
}

bool
kernel_read_socket(struct sock *s)
{
	struct piece	in;
	int		n;

	if ((n = receive(s->stack.fd, 1)) <= 0)
		return n == -1 && errno == EINTR;
	in = piece_at(0);
	take(s, NULL, &in);
	return true;
}

void
kernel_finish(struct assoc *a)
{
	struct sock		*s = a->sock;
	bool			 was_up = a->outbound != 0;
	struct event_closed	 e = { .reason = { "the association is over", 23 } };

	/* One that was aborted has no descriptor left to connect with again. */
	if (!s->many && (was_up || s->stack.fd == -1)) {
		s->over = true;
		sock_tell(s, notice_closed, a, &e);
	}
	(void)assoc_free(a);
}

/* Nothing is left to read. Takes a pending error away, which is known. */
static bool
is_drained(int fd)
{
	char	c;

	for (int i = 0; i < 2; i++) {
		ssize_t	n = recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);

		if (n > 0)
			return false;
		if (n == 0 || errno == EAGAIN)
			return true;
	}
	return true;
}

/*
 * A stream socket's descriptor says "end" from the peer's SHUTDOWN on, for
 * ever, though the last event is still to come: be told of news only.
 */
static void
wait_for_news(struct assoc *a)
{
	if (a->stack.at_end)
		return;
	a->stack.at_end = true;
	kernel_watch(a->sock, a->stack.fd, a, true);
}

/* How an association ended is said once, before all that is left to read. */
static bool
is_error(int got)
{
	return got == -1 && errno != EAGAIN && errno != EINTR;
}

/* Read up to n pieces of an association; gives how many there were. */
static unsigned
receive_assoc(struct sock *s, struct assoc *a, unsigned n)
{
	int	want = n < BATCH ? (int)n : BATCH;
	int	got = receive(a->stack.fd, (unsigned)want);
	int	i;

	if (is_error(got))
		got = receive(a->stack.fd, (unsigned)want);
	for (i = 0; i < got && area.header[i].msg_len > 0; i++) {
		struct piece	in = piece_at(i);

		take(s, a, &in);
	}
	if (got > i || is_error(got))
		wait_for_news(a);
	else if (a->stack.at_end && got == want)
		kernel_watch(s, a->stack.fd, a, true);	/* more is no news: ask for it */
	if (a->state == ASSOC_OVER && is_drained(a->stack.fd)) {
		kernel_finish(a);
		return (unsigned)i;
	}
	return (unsigned)i;
}

/* ---- accepting ------------------------------------------------------ */

static struct event accept_retry;

static void
accept_again(void)
{
	struct sock	*s = NULL;

	while ((s = sock_next(s)) != NULL) {
		if (s->stack.resting && s->listening)
			kernel_watch(s, s->stack.fd, NULL, false);
		s->stack.resting = false;
	}
}

static void
accept_on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	accept_again();
}

/*
 * There is no room for what could be accepted. It waits in the kernel's
 * queue, which is bounded; not to be told of it all the time, rest a while.
 */
static void
accept_later(struct sock *s, const char *why)
{
	static const struct timeval	wait = { .tv_usec = 100000 };

	if (log_allowed())
		log_warning("sock %llu: accept: %s; peers wait",
		    (unsigned long long)s->node.key, why);
	kernel_unwatch(s, s->stack.fd);
	s->stack.resting = true;
	if (!event_initialized(&accept_retry))
		(void)evtimer_assign(&accept_retry, loop_base(), accept_on_retry, NULL);
	if (!evtimer_pending(&accept_retry, NULL))
		(void)evtimer_add(&accept_retry, &wait);
}

/* A stream listener: each association becomes a socket. */
static void
receive_accept(struct sock *s)
{
	struct event_accept	 e;
	struct sock		*to;
	struct assoc		*a;
	int			 number;

	if (sock_count() >= config.max_sockets || assoc_count() >= config.max_associations) {
		accept_later(s, "max_sockets or max_associations is reached");
		return;
	}
	to = sock_new(s->recv != NULL ? s->recv->client : s->owner, false, s->family);
	if ((number = stack_accept(s, to, &a)) != 0) {
		sock_close(to, NULL);
		if (number != EAGAIN)
			accept_later(s, strerror(number));
		return;
	}
	e.accepted = to->node.key;
	e.assoc_id = assoc_id(a);
	sock_tell(s, notice_accept, a, &e);
}

/* ---- both ----------------------------------------------------------- */

void
stack_receive(struct sock *s, unsigned n)
{
	struct epoll_event	ev[16];
	uint64_t		until = s->received.oct + s->own.buffer;
	int			ready;

	ready = epoll_wait(s->stack.set, ev, n < 16 ? (int)n : 16, 0);
	for (int i = 0; i < ready && n > 0 && s->received.oct < until; i++) {
		unsigned	share = n / (unsigned)(ready - i);

		if (ev[i].data.ptr == NULL) {
			receive_accept(s);
			n--;
			continue;
		}
		share = receive_assoc(s, ev[i].data.ptr, share > 0 ? share : 1);
		n -= share < n ? share : n;
	}
}

bool
kernel_discard(struct assoc *a)
{
	int	got = receive(a->stack.fd, BATCH);

	if (got == -1)
		return errno == EAGAIN || errno == EINTR;
	for (int i = 0; i < got; i++) {
		struct piece			in = piece_at(i);
		struct sctp_assoc_change	c;

		if (in.len == 0)
			return false;
		if (!(in.flags & MSG_NOTIFICATION) || in.len < sizeof c)
			continue;
		memcpy(&c, in.data, sizeof c);
		if (c.sac_type == SCTP_ASSOC_CHANGE && !is_up(what_happened(c.sac_state)))
			return false;
	}
	return true;
}
