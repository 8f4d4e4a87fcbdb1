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
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "addr.h"
#include "config.h"
#include "fault.h"
#include "journal.h"
#include "keep.h"
#include "known.h"
#include "kernel.h"
#include "log.h"
#include "loop.h"

#define BATCH	32	/* messages received by one call, and kept until a commit */
#define FEW	8	/* less room than this is not worth a call */
#define READY	64	/* associations looked at in one turn */
#define LITTLE	4	/* messages in a turn: fewer are of one that is calm */
#define SHORT	16	/* what a busy one may say in a turn beside a calm one */
#define CALM	16	/* turns that a calm one is remembered for */
#define SLOT	65536
#define TURN	(192u << 10)	/* bytes of one in a turn, about: they stay in the cache, and
				   the client's socket takes them all at once */
#define CONTROL	256

/*
 * Where messages are received: one area, as there is one thread, and in the
 * journal. The kernel writes the lengths; a batch that is armed may not be
 * dealt with yet, and ceases to be with the same commit as what became of its
 * messages. Many associations with one message each share a commit.
 */
static struct area {
	uint64_t		armed;		/* batches that may hold something */
	struct kernel_batch	batch[BATCH];
	struct mmsghdr		header[BATCH];
	struct iovec		iov[BATCH];
	struct sockaddr_storage	from[BATCH];
	_Alignas(struct cmsghdr) char control[BATCH][CONTROL];
	_Alignas(uint64_t) char	data[BATCH][SLOT];
} *area;

/* The messages of a batch are being dealt with. */
static bool in_batch;

/* Slots with something in them, up to the next commit; those that are prepared. */
static unsigned used;
static uint32_t prepared;

/*
 * Slots have what a process before us had in hand: nothing is received before
 * the commit that says what became of it. To close a socket whose descriptor
 * was lost would, and overwrite them.
 */
static bool inherited;

bool
kernel_in_batch(void)
{
	return in_batch;
}

void
kernel_recv_init(void)
{
	area = journal_area(AREA_RECEIVE, sizeof *area);
	if (area->armed > BATCH) {
		log_err("journal: left out: what was received last: there cannot be so many batches");
		area->armed = 0;
	}
	inherited = area->armed != 0;
}

void
kernel_recv_stage(void)
{
	must_be_known(!in_batch, "all of a batch, before it is not armed any more");
	if (area->armed != 0)
		journal_set(&area->armed, 0);
	used = 0;
	inherited = false;
}

/* One piece of what was received. */
struct piece {
	char				*data;
	size_t				 len;
	int				 flags;
	const struct sockaddr_storage	*from;
	struct msghdr			*header;
};

/*
 * Join a piece with those before it. True, with the whole in p and n, when it
 * was the last; a whole in one piece is not copied.
 */
static bool
join(struct joint *j, struct user *u, const struct piece *in, char **p, size_t *n,
    bool *too_long)
{
	bool	last = (in->flags & MSG_EOR) != 0;

	*p = in->data;
	*n = in->len;
	if (last && !j->begun)
		return true;
	if (!joint_add(j, u, in->data, in->len)) {
		*too_long = !j->skip;
		joint_skip(j, last);
		return false;
	}
	*p = joint_data(j);
	*n = j->len;
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
		log_warning("assoc %u: aborted, its peer sends a message over max_message, %llu bytes, or its user %u has no memory for it",
		    assoc_id(a), (unsigned long long)config.max_message,
		    (unsigned)user_uid(a->user));
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
	if (!join(&a->stack.data, a->user, in, &p, &n, &too_long)) {
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

/* ---- pieces --------------------------------------------------------- */

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
	if (!join(j, NULL, in, &p, &n, &too_long))
		return;
	kernel_take_notification(s, a, p, n, in->from);
	joint_clear(j);
}

/* ---- descriptors ---------------------------------------------------- */

static void
prepare(unsigned i)
{
	if (prepared >> i & 1)
		return;
	area->iov[i] = (struct iovec){ area->data[i], SLOT };
	area->header[i].msg_hdr = (struct msghdr){
		.msg_name = &area->from[i],
		.msg_namelen = sizeof area->from[i],
		.msg_iov = &area->iov[i],
		.msg_iovlen = 1,
		.msg_control = area->control[i],
		.msg_controllen = CONTROL,
	};
	area->header[i].msg_len = 0;
	area->from[i].ss_family = 0;
	prepared |= UINT32_C(1) << i;
}

/* The slots from used on, for n pieces or as many as there is room for. */
static unsigned
reserve(unsigned n)
{
	if (used + n > BATCH && BATCH - used < FEW)
		keep_commit();		/* what is in them is dealt with */
	if (n > BATCH - used)
		n = BATCH - used;
	for (unsigned i = used; i < used + n; i++)
		prepare(i);
	return n;
}

/* A call's slots are armed before it, and none but those that it filled stay so. */
static void
arm(const struct sock *s, const struct assoc *a, unsigned n)
{
	area->batch[area->armed] = (struct kernel_batch){
		.sock = s != NULL ? s->node.key : 0,
		.assoc = a != NULL ? a->number : 0,
		.first = used,
		.n = n,
	};
	atomic_signal_fence(memory_order_seq_cst);
	(*(volatile uint64_t *)&area->armed)++;
	atomic_signal_fence(memory_order_seq_cst);
}

/* Receive up to *n pieces; -1 with errno, or how many, the first of them in *first. */
static int
receive(int fd, const struct sock *s, const struct assoc *a, unsigned *n, unsigned *first)
{
	int	got;

	if (inherited) {
		errno = EAGAIN;
		return -1;
	}
	/* Whose they are must be known to who comes after us. */
	if (a != NULL && a->record == NULL)
		keep_commit();
	must_be_known(s == NULL || s->record != NULL, "the socket that a message came to");
	*n = reserve(*n);
	*first = used;
	arm(s, a, *n);
	got = recvmmsg(fd, &area->header[used], *n, MSG_DONTWAIT, NULL);
	fault_point("recvmmsg");
	if (got <= 0) {
		area->armed--;
		return got;
	}
	area->batch[area->armed - 1].n = (uint32_t)got;
	for (int i = 0; i < got; i++)
		prepared &= ~(UINT32_C(1) << used++);
	return got;
}

static struct piece
piece_at(unsigned i)
{
	struct mmsghdr	*h = &area->header[i];

	return (struct piece){
		.data = area->data[i],
		.len = h->msg_len,
		.flags = h->msg_hdr.msg_flags,
		.from = h->msg_hdr.msg_namelen > 0 && area->from[i].ss_family != 0 ?
		    &area->from[i] : NULL,
		.header = &h->msg_hdr,
	};
}

bool
kernel_read_socket(struct sock *s)
{
	struct piece	in;
	unsigned	first, want = 1;
	int		n;

	if ((n = receive(s->stack.fd, s, NULL, &want, &first)) <= 0)
		return n == -1 && errno == EINTR;
	in = piece_at(first);
	in_batch = true;
	take(s, NULL, &in);
	in_batch = false;
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
		keep_sock(s);
		sock_tell(s, notice_closed, a, &e);
	}
	(void)assoc_free(a);
}

bool
kernel_is_drained(int fd)
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
	kernel_follow(a, true);
}

/* How an association ended is said once, before all that is left to read. */
static bool
is_error(int got)
{
	return got == -1 && errno != EAGAIN && errno != EINTR;
}

/* These n slots, up to one that says "end"; gives how many there were. */
static int
take_batch(struct sock *s, struct assoc *a, unsigned first, int n)
{
	int	i;

	in_batch = true;
	for (i = 0; i < n && area->header[first + (unsigned)i].msg_len > 0; i++) {
		struct piece	in = piece_at(first + (unsigned)i);

		take(s, a, &in);
	}
	in_batch = false;
	return i;
}

/* So many pieces as the last one are a turn's share. */
static unsigned
share_of(const struct sock *s, unsigned n)
{
	unsigned	most = TURN / (s->stack.piece + 1);

	if (most == 0)
		most = 1;
	return n < most ? n : most;
}

/*
 * Read up to n pieces of an association, which rests if there were so many;
 * gives how many there were.
 */
static unsigned
receive_assoc(struct sock *s, struct assoc *a, unsigned n, bool rest)
{
	unsigned	first, want = n;
	int		got = receive(a->stack.fd, s, a, &want, &first);
	int		i;

	if (is_error(got))
		got = receive(a->stack.fd, s, a, &want, &first);
	i = take_batch(s, a, first, got);
	if (i > 0)
		s->stack.piece = area->header[first + (unsigned)i - 1].msg_len;
	if (a->stack.fd == -1)
		return (unsigned)i;	/* aborted: it is freed next turn */
	if (got > i || is_error(got))
		wait_for_news(a);
	else if (a->stack.at_end && got == (int)want)
		kernel_follow(a, true);	/* more is no news: ask for it */
	else if (rest && got == (int)want)
		kernel_rest(a);
	if (a->state == ASSOC_OVER && kernel_is_drained(a->stack.fd))
		kernel_finish(a);
	else if (a->state == ASSOC_GOING_DOWN && a->stack.at_end)
		(void)kernel_look_for_end(a);
	return (unsigned)i;
}

/* ---- accepting ------------------------------------------------------ */

static struct event accept_retry;

static void
accept_again(void)
{
	struct sock	*s = NULL;
	int		 number;

	while ((s = sock_next(s)) != NULL) {
		if (!s->stack.resting)
			continue;
		s->stack.resting = false;
		if (s->listening && (number = kernel_watch(s, s->stack.fd, NULL, false)) != 0)
			kernel_accept_later(s, strerror(number));
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
void
kernel_accept_later(struct sock *s, const char *why)
{
	static time_t			last;
	static const struct timeval	wait = { .tv_usec = 100000 };

	if (log_seldom(&last))
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
	struct client		*c = s->recv != NULL ? s->recv->client : s->owner;
	struct sock		*to;
	struct assoc		*a;
	const char		*why;
	int			 number;

	if ((why = sock_no_room(c)) != NULL) {
		kernel_accept_later(s, why);
		return;
	}
	to = sock_new(c, false, s->family);
	if ((number = stack_accept(s, to, &a)) != 0) {
		sock_close(to, NULL);
		if (number != EAGAIN)
			kernel_accept_later(s, strerror(number));
		return;
	}
	e.accepted = to->node.key;
	e.assoc_id = assoc_id(a);
	sock_tell(s, notice_accept, a, &e);
}

/* ---- both ----------------------------------------------------------- */

/* The association that is all there is in the set of a socket. */
static struct assoc *
only_one(struct sock *s)
{
	struct assoc	*a;

	if (s->assocs.count != 1 || (!s->many && s->listening))
		return NULL;
	a = assoc_next(s, NULL);
	return a->stack.fd != -1 && !a->stack.at_end ? a : NULL;
}

/* A full batch of it, after which there may be more: else 0, or it is gone. */
static int
receive_alone(struct sock *s, struct assoc *a, unsigned n)
{
	unsigned	got = receive_assoc(s, a, share_of(s, n), false);

	if (s->assocs.count != 1 || a->stack.at_end || got < BATCH)
		return 0;
	return (int)got;
}

/*
 * Beside an association that says a little now and then a busy one is read a
 * little at a time, and rests: else the other waits for it, each time.
 */
static unsigned
receive_share(struct sock *s, struct assoc *a, unsigned share)
{
	bool		keep_short = s->stack.calm > 0 && s->stack.calm_assoc != a->number;
	uint64_t	number = a->number;
	bool		rest;
	unsigned	got;

	if (share == 0)
		share = 1;
	if (keep_short && share > SHORT)
		share = SHORT;
	rest = keep_short && share == SHORT;
	share = share_of(s, share);
	got = receive_assoc(s, a, share, rest);
	if (got < LITTLE && got < share) {
		s->stack.calm = CALM;
		s->stack.calm_assoc = number;
	}
	return got;
}

void
stack_receive(struct sock *s, unsigned n)
{
	struct epoll_event	ev[READY];
	struct assoc		*a;
	uint64_t		until = s->received.oct + (s->own.buffer < TURN ? s->own.buffer : TURN);
	int			ready;

	/* Where there is but one to read, nobody has to be asked which. */
	if ((a = only_one(s)) != NULL) {
		while (n > 0 && s->received.oct < until && (ready = receive_alone(s, a, n)) > 0)
			n -= (unsigned)ready;
		if (n > BATCH && only_one(s) == a)
			kernel_rest_in_stream(a);
		return;
	}
	ready = epoll_wait(s->stack.set, ev, n < READY ? (int)n : READY, 0);
	for (int i = 0; i < ready && n > 0 && s->received.oct < until; i++) {
		unsigned	share = n / (unsigned)(ready - i);

		if (ev[i].data.ptr == NULL) {
			receive_accept(s);
			n--;
			continue;
		}
		share = receive_share(s, ev[i].data.ptr, share);
		n -= share < n ? share : n;
	}
	if (s->stack.calm > 0)
		s->stack.calm--;
}

/* It came up after its socket was closed: now what was sent before goes out. */
static void
came_up_alone(struct assoc *a)
{
	if (a->state != ASSOC_COMING_UP)
		return;
	assoc_enter(a, ASSOC_UP);
	assoc_writable(a);
}

/* False: it says that the association is over. */
static bool
discard(struct assoc *a, const struct piece *in)
{
	struct sctp_assoc_change	c;

	if (in->len == 0)
		return false;
	if (!(in->flags & MSG_NOTIFICATION) || in->len < sizeof c)
		return true;
	memcpy(&c, in->data, sizeof c);
	if (c.sac_type != SCTP_ASSOC_CHANGE)
		return true;
	if (!kernel_is_up(kernel_what_happened(c.sac_state)))
		return false;
	came_up_alone(a);
	return true;
}

bool
kernel_discard(struct assoc *a)
{
	unsigned	first, want = BATCH;
	int		got = receive(a->stack.fd, NULL, a, &want, &first);
	bool		goes_on = true;

	if (got == -1)
		return errno == EAGAIN || errno == EINTR;
	in_batch = true;
	for (int i = 0; i < got && goes_on; i++) {
		struct piece	in = piece_at(first + (unsigned)i);

		goes_on = discard(a, &in);
	}
	in_batch = false;
	return goes_on;
}

/* ---- what a process before us received ------------------------------ */

static bool
is_sound(const struct mmsghdr *h)
{
	return h->msg_len <= SLOT && h->msg_hdr.msg_controllen <= CONTROL;
}

/* It took this batch from the kernel, and what became of it was lost with it. */
void
kernel_take_last_batch(const struct kernel_batch *b, struct sock *s, struct assoc *a)
{
	struct mmsghdr	*h = &area->header[b->first];
	int		 n = 0;

	while ((uint32_t)n < b->n && is_sound(&h[n]) && h[n].msg_len > 0) {
		h[n].msg_hdr.msg_control = area->control[b->first + (uint32_t)n];
		n++;
	}
	if (n > 0)
		log_info("journal: %d messages of the last batch, assoc=%u", n,
		    a != NULL ? assoc_id(a) : 0);
	if (s != NULL)
		(void)take_batch(s, a, b->first, n);
}

bool
kernel_last_batch(unsigned i, struct kernel_batch *b)
{
	if (i >= area->armed || i >= BATCH)
		return false;
	*b = area->batch[i];
	return b->first < BATCH && b->n <= BATCH - b->first;
}
