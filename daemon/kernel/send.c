/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: sending, shutting down and aborting.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "client.h"
#include "fault.h"
#include "journal.h"
#include "keep.h"
#include "known.h"
#include "kernel.h"
#include "log.h"
#include "loop.h"
#include "park.h"

/* Sends between two commits, at most. */
#define NOTES	128

/* Neutral flags and the kernel's. */
static const struct {
	uint16_t	neutral;
	uint16_t	kernel;
} flags[] = {
	{ SNDRCV_UNORDERED, SCTP_UNORDERED },
	{ SNDRCV_ADDR_OVER, SCTP_ADDR_OVER },
	{ SNDRCV_ABORT, SCTP_ABORT },
	{ SNDRCV_EOF, SCTP_EOF },
	{ SNDRCV_PR_TTL, SCTP_PR_SCTP_TTL },
	{ SNDRCV_PR_RTX, SCTP_PR_SCTP_RTX },
};

static uint16_t
to_kernel(uint16_t neutral)
{
	uint16_t	k = 0;

	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
		if (neutral & flags[i].neutral)
			k |= flags[i].kernel;
	}
	return k;
}

static uint16_t
to_neutral(uint16_t kernel)
{
	uint16_t	n = 0;

	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
		if (kernel & flags[i].kernel)
			n |= flags[i].neutral;
	}
	return n;
}

/*
 * Of a one-to-one socket: does the kernel know its association? It does not
 * before that is up, nor when it is over, though nobody has read that yet.
 */
bool
kernel_knows(const struct assoc *a)
{
	struct sctp_status	st = { .sstat_assoc_id = (sctp_assoc_t)assoc_id(a) };
	socklen_t		len = sizeof st;

	return getsockopt(a->stack.fd, IPPROTO_SCTP, SCTP_STATUS, &st, &len) == 0;
}

/*
 * Why a one-to-one socket takes nothing as long as it connects; 0: it is up.
 * There is something to read once it is, or was, or will not be.
 */
static int
not_up_yet(const struct assoc *a)
{
	struct pollfd	p = { .fd = a->stack.fd, .events = POLLIN };

	if (!a->stack.stream || a->state != ASSOC_COMING_UP || kernel_knows(a))
		return 0;
	if (poll(&p, 1, 0) == 0)
		return EAGAIN;
	return kernel_knows(a) ? 0 : EPIPE;
}

/* The descriptor to send an association's messages on. */
static int
fd_of(const struct assoc *a)
{
	if (a->stack.fd != -1 || a->sock == NULL)
		return a->stack.fd;
	return a->sock->stack.fd;
}

/* How an association ended is said once to whoever asks first: ask again. */
static bool
is_old_error(int number)
{
	return number == ECONNABORTED || number == ECONNRESET ||
	    number == ECONNREFUSED || number == ETIMEDOUT;
}

/*
 * The sends of sessions since the last commit, in the journal: the kernel
 * writes msg_len when it has taken a message, and who comes after us answers
 * those that it took and nobody heard of.
 */
static struct send_area {
	uint64_t	n;
	struct {
		uint64_t	client;
		uint64_t	msgid;
		uint64_t	ordinal;	/* 0: it is a request */
	} note[NOTES];
	struct mmsghdr	header[NOTES];
} *sends;

/* What goes with a message of a run. */
struct control {
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(struct sctp_sndrcvinfo))];
};

static struct mmsghdr headers[STACK_RUN];
static struct iovec iovs[STACK_RUN];
static struct control controls[STACK_RUN];

void
kernel_send_init(void)
{
	sends = journal_area(AREA_SEND, sizeof *sends);
	if (sends->n <= NOTES)
		return;
	log_err("journal: left out: what was sent last: there cannot be so many notes");
	sends->n = 0;
}

void
kernel_send_stage(void)
{
	if (sends->n != 0)
		journal_set(&sends->n, 0);
}

static void
make_header(struct mmsghdr *h, const struct assoc *a, const struct stack_message *m, unsigned i)
{
	struct sctp_sndrcvinfo	info = {
		.sinfo_stream = m->info.stream,
		.sinfo_flags = m->info.flags != 0 ? to_kernel(m->info.flags) : 0,
		.sinfo_ppid = htonl(m->info.ppid),
		.sinfo_context = m->info.context,
		.sinfo_timetolive = m->info.timetolive,
		.sinfo_assoc_id = (sctp_assoc_t)assoc_id(a),
	};
	union { const void *in; void *out; } p = { .in = m->data };
	struct cmsghdr		*c = (struct cmsghdr *)(void *)controls[i].room;

	c->cmsg_level = IPPROTO_SCTP;
	c->cmsg_type = SCTP_SNDRCV;
	c->cmsg_len = CMSG_LEN(sizeof info);
	memcpy(CMSG_DATA(c), &info, sizeof info);
	iovs[i] = (struct iovec){ .iov_base = p.out, .iov_len = m->len };
	h->msg_len = 0;
	h->msg_hdr = (struct msghdr){
		.msg_iov = &iovs[i],
		.msg_iovlen = 1,
		.msg_control = c,
		.msg_controllen = sizeof controls[i].room,
	};
}

/* Room for the notes of a run; the headers then are in the journal, too. */
static struct mmsghdr *
make_notes(const struct stack_message *m, unsigned n)
{
	uint64_t	at;

	if (sends->n + n > NOTES) {
		if (kernel_in_batch())
			return NULL;	/* no commit may come here */
		keep_commit();
	}
	at = sends->n;
	for (unsigned i = 0; i < n; i++) {
		sends->note[at + i].client = m[i].client;
		sends->note[at + i].msgid = m[i].msgid;
		sends->note[at + i].ordinal = m[i].ordinal;
		sends->header[at + i].msg_len = 0;
	}
	return &sends->header[at];
}

/* The notes of what is about to be sent count; then those of what was sent. */
static void
count_notes(const struct mmsghdr *h, unsigned n)
{
	atomic_signal_fence(memory_order_seq_cst);
	*(volatile uint64_t *)&sends->n = (uint64_t)(h - sends->header) + n;
	atomic_signal_fence(memory_order_seq_cst);
}

/* It must arrive before it is given up; or it takes messages still. */
static void
note_progress(struct assoc *a, int sent)
{
	if (sent == 0)
		return;
	a->stack.has_sent = true;
	a->stack.moved = kernel_seconds();
}

unsigned
stack_send(struct assoc *a, const struct stack_message *m, unsigned n, int *number)
{
	bool		 noted = m->client != 0;
	struct mmsghdr	*h = noted ? make_notes(m, n) : headers;
	int		 sent;

	if ((*number = not_up_yet(a)) != 0)
		return 0;
	*number = EAGAIN;
	if (h == NULL)
		return 0;
	must_be_known(!noted || m->ordinal == 0 || keep_waiting_known(), "a message that waits, before the next");
	for (unsigned i = 0; i < n; i++)
		make_header(&h[i], a, &m[i], i);
	if (noted)
		count_notes(h, n);
	sent = sendmmsg(fd_of(a), h, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent == -1 && is_old_error(errno))
		sent = sendmmsg(fd_of(a), h, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent == -1 && errno == EMSGSIZE && (errno = kernel_grow_send(a, m->len)) == 0)
		sent = sendmmsg(fd_of(a), h, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent == -1) {
		*number = errno == EWOULDBLOCK ? EAGAIN : errno;
		sent = 0;
	} else
		fault_point("sendmmsg");
	if (noted)
		count_notes(h, (unsigned)sent);
	if (a->stack.is_lingering || a->state == ASSOC_COMING_UP)
		note_progress(a, sent);
	return (unsigned)sent;
}

/* Nothing but flags, such as EOF and ABORT, and what goes with them. */
static int
send_flags(struct assoc *a, uint16_t which, const void *data, size_t len)
{
	struct stack_message	m = { .info.flags = which, .data = data, .len = len };
	int			number;

	return stack_send(a, &m, 1, &number) == 1 ? 0 : number;
}

void
kernel_answer_last_sends(void)
{
	static const struct rpc_send_out	 out;
	struct client				*c;

	for (uint64_t i = 0; i < sends->n && i < NOTES; i++) {
		struct call	call = { .msgid = (uint32_t)sends->note[i].msgid,
		    .method = &rpc_table[RPC_send] };

		if (sends->header[i].msg_len == 0 ||
		    (c = client_find(sends->note[i].client)) == NULL)
			continue;
		call.client = c;
		log_info("journal: a send that was taken and not answered, client=%llu",
		    (unsigned long long)c->node.key);
		if (sends->note[i].ordinal == 0)
			call_reply(&call, &out);
		else if (sends->note[i].ordinal > c->notifications &&
		    !(sends->note[i].ordinal & ORDINAL_ANSWERED))
			c->notifications = sends->note[i].ordinal;
		client_dirty(c);
	}
}

/* A notification that waited, and that the kernel took as the process before us died. */
static bool
is_note_of(uint64_t i, uint64_t ordinal)
{
	if (ordinal & ORDINAL_BOUND)
		return sends->note[i].ordinal == 0 &&
		    sends->note[i].msgid == (ordinal & ~ORDINAL_BOUND);
	return sends->note[i].ordinal == ordinal;
}

bool
stack_took(uint64_t client, uint64_t ordinal)
{
	for (uint64_t i = 0; i < sends->n && i < NOTES; i++) {
		if (sends->note[i].client == client && sends->header[i].msg_len > 0 &&
		    is_note_of(i, ordinal))
			return true;
	}
	return false;
}

void
stack_await_room(struct assoc *a, bool on)
{
	if (a->stack.fd == -1 || event_get_events(&a->stack.writable) == 0)
		return;		/* it is asked again when it comes up */
	if (on)
		loop_watch(&a->stack.writable, a->stack.fd, EV_WRITE);
	else
		(void)event_del(&a->stack.writable);
}

/* Of a one-to-one socket: is it over, though nobody has read that yet? */
static bool
is_gone(const struct assoc *a)
{
	return (a->state == ASSOC_UP || a->state == ASSOC_GOING_DOWN) && !kernel_knows(a);
}

/*
 * After the peer's SHUTDOWN there is nothing to shut down; and the kernel would
 * throw away all that it has still to say, the end of the association above all.
 */
static bool
peer_shuts_down(const struct assoc *a)
{
	struct sctp_status	st = { .sstat_assoc_id = 0 };
	socklen_t		len = sizeof st;

	return getsockopt(a->stack.fd, IPPROTO_SCTP, SCTP_STATUS, &st, &len) == 0 &&
	    (st.sstat_state == SCTP_SHUTDOWN_RECEIVED || st.sstat_state == SCTP_SHUTDOWN_ACK_SENT);
}

static int
shut_stream(struct assoc *a)
{
	if (is_gone(a))
		return EPIPE;
	if (peer_shuts_down(a))
		return 0;
	return shutdown(a->stack.fd, SHUT_WR) == -1 ? errno : 0;
}

/*
 * The kernel forgets one that is coming up without a word if it is told to
 * shut it down: that waits until it is up, for assoc_writable. The descriptor
 * of a one-to-many socket's has room before; its comm_up is read, and calls it.
 */
static int
eof_later(struct assoc *a)
{
	int	number = not_up_yet(a);

	if (number == EPIPE)
		return EPIPE;
	if (a->stack.stream)
		stack_await_room(a, true);
	return 0;
}

int
stack_eof(struct assoc *a)
{
	int	number;

	if (a->state == ASSOC_COMING_UP && (!a->stack.stream || not_up_yet(a) != 0))
		return eof_later(a);
	number = a->stack.stream ? shut_stream(a) : send_flags(a, SNDRCV_EOF, NULL, 0);
	fault_point("eof");
	if (number != 0)
		return number;
	assoc_enter(a, ASSOC_GOING_DOWN);
	kernel_going(a);
	return 0;
}

/*
 * The kernel aborts a one-to-one socket's association only by closing it. Say
 * what it says on the others, and let the association be freed next turn.
 */
static int
abort_stream(struct assoc *a)
{
	static const struct linger	at_once = { .l_onoff = 1, .l_linger = 0 };
	struct sock			*s = a->sock;

	stack_await_room(a, false);
	kernel_unwatch(s, a->stack.fd);
	(void)setsockopt(a->stack.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	if (s->stack.parked)
		park_drop(s->node.key);
	s->stack.parked = false;
	(void)close(a->stack.fd);
	a->stack.fd = s->stack.fd = -1;
	fault_point("abort");
	kernel_say_end(a, SCTP_COMM_LOST, 12);	/* User Initiated Abort */
	assoc_fail_sends(a, ERR_epipe, "the association was aborted");
	event_active(&a->stack.linger, 0, 0);
	return 0;
}

void
kernel_say_end(struct assoc *a, enum sctp_sac_state state, uint16_t error)
{
	struct sctp_assoc_change	c = {
		.sac_type = SCTP_ASSOC_CHANGE,
		.sac_length = sizeof c,
		.sac_state = (uint16_t)state,
		.sac_error = error,
		.sac_assoc_id = (sctp_assoc_t)assoc_id(a),
	};
	struct stack_event		e = {
		.row = notice_find(SCTP_ASSOC_CHANGE),
		.assoc = a,
		.assoc_id = assoc_id(a),
		.what = kernel_what_happened((uint16_t)state),
		.error = error,
		.from = &a->peer,
		.body = &c,
		.len = sizeof c,
	};

	assoc_enter(a, ASSOC_OVER);
	sock_event(a->sock, &e);
}

int
stack_abort(struct assoc *a, const void *reason, size_t len)
{
	int	number;

	if (a->stack.stream && a->sock != NULL)
		return is_gone(a) ? EPIPE : abort_stream(a);
	number = send_flags(a, SNDRCV_ABORT, reason, len);
	fault_point("abort");
	if (number == 0)
		assoc_fail_sends(a, ERR_epipe, "the association was aborted");
	return number;
}

void
stack_defaults(struct assoc *a, struct sndrcvinfo *to)
{
	struct sctp_sndrcvinfo	i = { .sinfo_assoc_id = (sctp_assoc_t)assoc_id(a) };
	socklen_t		len = sizeof i;

	memset(to, 0, sizeof *to);
	if (getsockopt(fd_of(a), IPPROTO_SCTP, SCTP_DEFAULT_SEND_PARAM, &i, &len) == -1)
		return;
	to->flags = to_neutral(i.sinfo_flags);
	to->ppid = ntohl(i.sinfo_ppid);
	to->context = i.sinfo_context;
	to->timetolive = i.sinfo_timetolive;
}
