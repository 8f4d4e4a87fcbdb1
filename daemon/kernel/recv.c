/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: reading.
 *
 * A message or a notification may come in pieces; what is not whole is joined
 * with its association, up to the longest message allowed. Nothing that a
 * peer can provoke is taken for impossible here.
 *
 * The receive area. A message that recvmmsg has returned is gone from the
 * kernel, so it must be in the journal from that very moment. Therefore the
 * buffers and headers of recvmmsg lie in an area of the journal, where a
 * process that is started after a SIGKILL finds them. Who writes what, in this
 * order:
 *
 *  1. prepare() sets the slots' lengths to 0.
 *  2. arm() writes a batch (the socket, the association, the slots) and then
 *     counts it in area->armed. The fences keep that order.
 *  3. The kernel writes the messages, and a length for each. A call that got
 *     nothing disarms its batch; else the batch is cut to what came.
 *  4. take_batch() deals with the messages: it joins pieces, changes
 *     associations, and hands events upward, where they are put into the
 *     client's output or wait. All of that is of no account yet.
 *  5. The commit at the end of the turn makes all of step 4 valid, and with the
 *     same transaction kernel_recv_stage() sets area->armed to 0. Only then are
 *     bytes written to clients.
 *
 * What a SIGKILL leaves:
 *
 *  before 2	nothing. The messages are in the kernel.
 *  in 2 to 3	an armed batch of lengths that are all 0. It is passed over. A call
 *		under way is finished by the kernel before the process dies, so
 *		its lengths are whole.
 *  in 4	an armed batch with messages. What had become of them was not committed
 *		and is gone; kernel_restore_batches() deals with them once more.
 *  after 5	nothing. What became of the messages is in the journal.
 *
 * So no commit may come between two messages of a batch: it would disarm the
 * batch, and a SIGKILL after it would lose the messages that were still to be
 * dealt with. kernel_in_batch says that this is so, and kernel_recv_stage()
 * checks it. A commit between two batches is harmless, and reserve() makes one
 * when the slots run out. receive() makes one before it reads an association
 * that the journal does not know, as nobody could tell later whose the messages
 * were. It reads nothing while the batches of a process before us are armed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "journal/changes.h"
#include "journal/journal.h"
#include "journal/known.h"
#include "kernel/kernel.h"
#include "util/fault.h"
#include "util/log.h"
#include "util/loop.h"

#define BATCH	32	/* messages received by one call, and kept until a commit */
#define FEW	8	/* fewer free slots than this are not worth a call */
#define READY	64	/* associations looked at in one turn */
#define LOOKS	32	/* at a descriptor that brings one thing each time, in one turn */
#define LITTLE	4	/* an association with fewer messages in a turn is quiet */
#define SHORT	16	/* messages of a busy association in a turn, beside a quiet one */
#define QUIET	16	/* turns for which a quiet association is remembered */
#define SLOT	65536
#define TURN	(192u << 10)	/* about the bytes of one association in a turn: they stay in
				   the cache, and the client's socket takes them all at once */
#define CONTROL	256

/*
 * The area where messages are received. There is one thread, so there is one
 * area, and it lies in the journal. The kernel writes the lengths. An armed
 * batch may hold messages that are not dealt with yet. The commit that disarms
 * the batch also records what became of its messages. Many associations with
 * one message each share a commit.
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

/*
 * How many slots have something in them, until the next commit; and a bit for
 * each slot that is prepared.
 */
static unsigned used;
static uint32_t prepared;

/*
 * The slots hold what the previous process had in hand. Nothing is received
 * before the commit that records what became of that. Closing a socket whose
 * descriptor was lost would otherwise receive, and overwrite the slots.
 */
static bool inherited;

void
kernel_recv_init(void)
{
	area = journal_area(AREA_RECEIVE, sizeof *area);
	if (area->armed > BATCH) {
		log_err("journal: left out: the messages received last: there are too many batches");
		area->armed = 0;
	}
	inherited = area->armed != 0;
}

void
kernel_recv_stage(void)
{
	must_be_known(!kernel_in_batch, "all of a batch, before it is not armed any more");
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

static bool
is_last(const struct piece *in)
{
	return (in->flags & MSG_EOR) != 0;
}

/* ---- messages ------------------------------------------------------- */

/* Microseconds since 1970. */
static uint64_t
timestamp_in(const struct cmsghdr *c)
{
	struct timeval	at;

	memcpy(&at, CMSG_DATA(c), sizeof at);
	return (uint64_t)at.tv_sec * 1000000 + (uint64_t)at.tv_usec;
}

static void
read_control(struct msghdr *h, struct event_data *to)
{
	struct sctp_rcvinfo	 r;
	struct cmsghdr		*c;

	to->timestamp = 0;
	for (c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level != IPPROTO_SCTP || c->cmsg_type != SCTP_RCVINFO) {
			/* With the option timestamp, and before the other. */
			if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMP)
				to->timestamp = timestamp_in(c);
			continue;
		}
		memcpy(&r, CMSG_DATA(c), sizeof r);
		to->sctp_sndrcvinfo = (struct sndrcvinfo){
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
	memset(&to->sctp_sndrcvinfo, 0, sizeof to->sctp_sndrcvinfo);
}

/*
 * A piece of a message, or a message while others are incomplete. True: the
 * message in d is whole. If it came in pieces, the caller has to free it.
 */
static bool
join(struct assoc *a, const struct piece *in, struct event_data *d, struct partial **whole)
{
	struct sndrcvinfo	*info = &d->sctp_sndrcvinfo;
	uint32_t		 key = partial_key(info->stream, (info->flags & SNDRCV_UNORDERED) != 0);
	struct partial		*j = partials_find(&a->stack.data, key, info->ppid);
	bool			 too_long = false, is_whole;
	char			*p = in->data;
	size_t			 n = in->len;

	if (j == NULL && is_last(in))
		return true;
	if (j == NULL && (j = partials_begin(&a->stack.data, key, info->ppid, &too_long)) == NULL) {
		if (too_long)
			upcall_refuse_long_message(a);
		return false;
	}
	is_whole = partial_join(j, a->user, is_last(in), &p, &n, &too_long);
	if (is_last(in))
		partials_take(&a->stack.data, j);
	if (is_whole) {
		info->ppid = j->ppid;
		d->data = (struct slice){ p, (uint32_t)n };
		*whole = j;
		return true;
	}
	if (too_long)
		upcall_refuse_long_message(a);
	if (is_last(in))
		partial_free(j);
	return false;
}

static void
take_data(struct sock *s, struct assoc *a, const struct piece *in)
{
	struct event_data	d;
	struct stack_event	e = { .row = EVENT_data, .assoc = a, .from = in->from };
	struct partial		*j = NULL;

	read_control(in->header, &d);
	d.data = (struct slice){ in->data, (uint32_t)in->len };
	if (a == NULL)	/* the association has no descriptor: see kernel_came_up */
		e.assoc = a = assoc_find(s, d.sctp_sndrcvinfo.assoc_id);
	if (a == NULL || a->unwanted)
		return;
	if ((!is_last(in) || a->stack.data.n > 0) && !join(a, in, &d, &j))
		return;
	e.assoc_id = assoc_id(a);
	e.body = &d;
	e.len = sizeof d;
	sock_event(s, &e);
	if (j != NULL)
		partial_free(j);
}

/* ---- pieces --------------------------------------------------------- */

static void
take(struct sock *s, struct assoc *a, const struct piece *in)
{
	struct partial	*j = a != NULL ? &a->stack.notice : &s->stack.notice;
	bool		 too_long = false;
	char		*p = in->data;
	size_t		 n = in->len;

	if (!(in->flags & MSG_NOTIFICATION)) {
		take_data(s, a, in);
		return;
	}
	if (!partial_join(j, NULL, is_last(in), &p, &n, &too_long))
		return;
	kernel_take_notification(s, a, p, n, in->from);
	partial_clear(j);
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

/* Prepare the slots from used on, for n pieces or as many as there is room for. */
static unsigned
reserve(unsigned n)
{
	if (used + n > BATCH && BATCH - used < FEW)
		changes_commit();		/* what is in the slots is dealt with */
	if (n > BATCH - used)
		n = BATCH - used;
	for (unsigned i = used; i < used + n; i++)
		prepare(i);
	return n;
}

/* The slots of a call are armed before it. Afterwards only the slots that it filled stay armed. */
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

/* Receive up to *n pieces. Gives how many came, with the first slot in *first; or -1 with errno. */
static int
receive(int fd, const struct sock *s, const struct assoc *a, unsigned *n, unsigned *first)
{
	int	got;

	if (inherited) {
		errno = EAGAIN;
		return -1;
	}
	/* The next process must know to which association the messages belong. */
	if (a != NULL && a->kept.record == NULL)
		changes_commit();
	must_be_known(s == NULL || s->kept.record != NULL, "the socket that a message came to");
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
	kernel_in_batch = true;
	take(s, NULL, &in);
	kernel_in_batch = false;
	return true;
}

/*
 * How often to look at a descriptor in this turn. Mostly there is one thing,
 * and to look once more would be a system call for nothing. Where there was as
 * much as was looked for, in the turn before too, there is more.
 */
static unsigned
looks(struct sock *s)
{
	unsigned	n = user_turn - s->stack.looked <= 1 ? s->stack.looks * 2u : 1;

	if (n == 0)
		n = 1;
	return n < LOOKS ? n : LOOKS;
}

/* There was something so often. */
static void
looked(struct sock *s, unsigned found)
{
	s->stack.looks = (uint8_t)found;
	s->stack.looked = user_turn;
}

static void
sock_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct sock	*s = arg;
	unsigned	 n = looks(s), i = 0;

	(void)fd, (void)what;
	if (!kernel_wants_events(s))
		return;
	while (i < n && kernel_read_socket(s))
		i++;
	looked(s, i);
	sock_pump(s);
}

int
kernel_read_at_once(struct sock *s)
{
	(void)event_assign(&s->stack.readable, loop_base(), s->stack.fd, EV_READ | EV_PERSIST,
	    sock_on_readable, s);
	if (event_add(&s->stack.readable, NULL) == -1)
		return errno;
	s->stack.reading = true;
	return 0;
}

/*
 * From the peer's SHUTDOWN on, the descriptor of a one-to-one socket says "end"
 * for ever, though the last notification is still to come. So watch the
 * descriptor for news only.
 */
static void
wait_for_news(struct assoc *a)
{
	if (a->stack.at_end)
		return;
	a->stack.at_end = true;
	kernel_follow(a, true);
}

/* The error that ended an association is reported once, before all that is left to read. */
static bool
is_error(int got)
{
	return got == -1 && errno != EAGAIN && errno != EINTR;
}

/* It says who ended the association. */
static void
note_error(struct assoc *a)
{
	switch (errno) {
	case ETIMEDOUT:
		a->ended_by = ENDED_BY_NOBODY;
		break;
	case ECONNRESET: case ECONNREFUSED:
		a->ended_by = ENDED_BY_PEER;
		break;
	case ECONNABORTED:
		a->ended_by = ENDED_BY_US;
		break;
	}
}

/* Deal with n slots, up to one that says "end". Gives how many slots there were before that. */
static int
take_batch(struct sock *s, struct assoc *a, unsigned first, int n)
{
	int	i;

	kernel_in_batch = true;
	for (i = 0; i < n && area->header[first + (unsigned)i].msg_len > 0; i++) {
		struct piece	in = piece_at(first + (unsigned)i);

		take(s, a, &in);
	}
	kernel_in_batch = false;
	return i;
}

/* How many pieces of the length of the last one are a turn's share. */
static unsigned
share_of(const struct sock *s, unsigned n)
{
	unsigned	most = TURN / (s->stack.piece + 1);

	if (most == 0)
		most = 1;
	return n < most ? n : most;
}

/*
 * Read up to n pieces of an association. If that many came, and rest is set,
 * the association rests. Gives how many came.
 */
static unsigned
receive_assoc(struct sock *s, struct assoc *a, unsigned n, bool rest)
{
	unsigned	first, want = n;
	int		got = receive(a->stack.fd, s, a, &want, &first);
	int		i;

	if (is_error(got)) {
		note_error(a);
		got = receive(a->stack.fd, s, a, &want, &first);
	}
	i = take_batch(s, a, first, got);
	if (i > 0)
		s->stack.piece = area->header[first + (unsigned)i - 1].msg_len;
	if (a->stack.fd == -1)
		return (unsigned)i;	/* the association was aborted: it is freed next turn */
	if (got > i || is_error(got))
		wait_for_news(a);
	else if (a->stack.at_end && got == (int)want)
		kernel_follow(a, true);	/* what is left to read is no news: ask for it */
	else if (rest && got == (int)want)
		kernel_throttle(a);
	if (a->state == ASSOC_OVER && kernel_is_drained(a->stack.fd))
		kernel_finish(a);
	else if (a->state == ASSOC_GOING_DOWN && a->stack.at_end)
		(void)kernel_look_for_end(a);
	return (unsigned)i;
}

/* ---- both ----------------------------------------------------------- */

/* The only association that is read, or NULL. */
static struct assoc *
only_one(struct sock *s)
{
	struct assoc	*a;

	if (s->stack.set == -1)
		return s->stack.only_assoc;
	if (s->assocs.count != 1 || (!s->many && s->listening))
		return NULL;
	a = assoc_next(s, NULL);
	return a->stack.fd != -1 && !a->stack.at_end ? a : NULL;
}

/*
 * Beside a quiet association, a busy association is read a little at a time,
 * and rests. Otherwise the quiet association would wait for the busy one each
 * time.
 */
static unsigned
receive_share(struct sock *s, struct assoc *a, unsigned share)
{
	bool		keep_short = s->stack.quiet > 0 && s->stack.quiet_assoc != a->number;
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
		s->stack.quiet = QUIET;
		s->stack.quiet_assoc = number;
	}
	return got;
}

/* There is only one association to read, so epoll need not be asked which. */
static void
receive_from(struct sock *s, struct assoc *a, unsigned n, uint64_t until)
{
	unsigned	got;

	while (n > 0 && s->received.oct < until) {
		got = receive_assoc(s, a, share_of(s, n), false);
		/* The association may be gone, and only a full batch may leave more. */
		if (only_one(s) != a || got < BATCH)
			break;
		n -= got;
	}
	if (n > BATCH && only_one(s) == a)
		kernel_throttle_lone(a);
}

static void
accept_all(struct sock *s, unsigned n)
{
	unsigned	i = 0;

	if (n > looks(s))
		n = looks(s);
	while (i < n && kernel_receive_accept(s))
		i++;
	looked(s, i);
}

void
kernel_receive(struct sock *s, unsigned n)
{
	struct epoll_event	ev[READY];
	struct assoc		*a = only_one(s);
	uint64_t		until = s->received.oct + (s->own.buffer < TURN ? s->own.buffer : TURN);
	int			ready;

	if (a != NULL) {
		receive_from(s, a, n, until);
		return;
	}
	if (!s->many && s->listening) {
		accept_all(s, n);
		return;
	}
	ready = epoll_wait(s->stack.set, ev, n < READY ? (int)n : READY, 0);
	for (int i = 0; i < ready && n > 0 && s->received.oct < until; i++) {
		unsigned	share = n / (unsigned)(ready - i);

		share = receive_share(s, ev[i].data.ptr, share);
		n -= share < n ? share : n;
	}
	if (s->stack.quiet > 0)
		s->stack.quiet--;
}

/* False: the piece says that the association is over. */
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
	if (!assoc_event_is_up(kernel_assoc_event(c.sac_state)))
		return false;
	/* It came up after its socket was closed. Send now what was taken before. */
	if (a->state == ASSOC_COMING_UP) {
		assoc_enter(a, ASSOC_UP);
		assoc_writable(a);
	}
	return true;
}

bool
kernel_discard(struct assoc *a)
{
	unsigned	first, want = BATCH;
	int		got = receive(a->stack.fd, NULL, a, &want, &first);
	bool		goes_on = true;

	if (is_error(got))
		note_error(a);
	if (got == -1)
		return errno == EAGAIN || errno == EINTR;
	kernel_in_batch = true;
	for (int i = 0; i < got && goes_on; i++) {
		struct piece	in = piece_at(first + (unsigned)i);

		goes_on = discard(a, &in);
	}
	kernel_in_batch = false;
	return goes_on;
}

/* ---- what the previous process received ----------------------------- */

/*
 * The previous process took this batch from the kernel. What had become of the
 * messages was lost with that process.
 */
void
kernel_take_last_batch(const struct kernel_batch *b, struct sock *s, struct assoc *a)
{
	struct mmsghdr	*h = &area->header[b->first];
	int		 n = 0;

	while ((uint32_t)n < b->n && h[n].msg_len > 0 && h[n].msg_len <= SLOT &&
	    h[n].msg_hdr.msg_controllen <= CONTROL) {
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
