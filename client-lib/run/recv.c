/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A call that receives is read from the program's memory each time it is tried:
 * a struct call keeps nothing of it, as the program may have changed it while
 * the call waited, and the kernel would read it then.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "proto/addr.h"
#include "run/decode.h"
#include "run/recv.h"
#include "run/memory.h"
#include "run/settle.h"
#include "run/sock.h"

/* Where the parts of a call are, in the program's memory. */
struct where {
	uint64_t	name;		/* 0: no address is wanted */
	uint64_t	name_len;	/* of a socklen_t */
	socklen_t	name_room;
	uint64_t	control;
	size_t		control_room;
	uint64_t	msg;		/* of a struct msghdr, or 0 */
	uint64_t	msg_len;	/* of recvmmsg's count, or 0 */
	int		flags;
	size_t		niov;
	struct iovec	iov[IOV_MAX];
};

/* ---- what the call says ---------------------------------------------- */

static int
where_iov(const struct call *c, uint64_t at, size_t n, struct where *w)
{
	if (n > IOV_MAX)
		return EMSGSIZE;
	w->niov = n;
	return memory_read(c->tid, at, w->iov, n * sizeof *w->iov) ? 0 : EFAULT;
}

static int
where_msg(const struct call *c, uint64_t at, int flags, struct where *w)
{
	struct msghdr	msg;

	if (!memory_read(c->tid, at, &msg, sizeof msg))
		return EFAULT;
	w->msg = at;
	w->flags = flags;
	w->name = (uintptr_t)msg.msg_name;
	w->name_room = msg.msg_namelen;
	if (w->name != 0 && w->name_room > INT_MAX)
		return EINVAL;
	w->name_len = at + offsetof(struct msghdr, msg_namelen);
	w->control = (uintptr_t)msg.msg_control;
	w->control_room = msg.msg_controllen;
	return where_iov(c, (uintptr_t)msg.msg_iov, msg.msg_iovlen, w);
}

static int
where_one(uint64_t at, uint64_t len, struct where *w)
{
	w->iov[0].iov_base = (void *)(uintptr_t)at;	/* NOLINT */
	w->iov[0].iov_len = len > SSIZE_MAX ? SSIZE_MAX : len;
	w->niov = 1;
	return 0;
}

static int
where_recvfrom(const struct call *c, struct where *w)
{
	w->flags = (int)c->args[3];
	w->name = c->args[4];
	w->name_len = c->args[5];
	if (w->name != 0 && !memory_read(c->tid, w->name_len, &w->name_room, sizeof w->name_room))
		return EFAULT;
	if (w->name != 0 && w->name_room > INT_MAX)
		return EINVAL;
	return where_one(c->args[1], c->args[2], w);
}

static int
where(const struct call *c, struct where *w)
{
	w->name = w->control = w->msg = w->msg_len = 0;
	w->control_room = 0;
	w->flags = 0;
	switch (c->nr) {
	case SYS_recvfrom:
		return where_recvfrom(c, w);
	case SYS_recvmmsg:
		w->msg_len = c->args[1] + offsetof(struct mmsghdr, msg_len);
		return where_msg(c, c->args[1], (int)c->args[3], w);
	case SYS_recvmsg:
		return where_msg(c, c->args[1], (int)c->args[2], w);
	case SYS_readv:
		return where_iov(c, c->args[1], c->args[2], w);
	default:
		return where_one(c->args[1], c->args[2], w);
	}
}

/* ---- what it gets ---------------------------------------------------- */

static void
rcvinfo_of(const struct sctp_sndrcvinfo *i, struct sctp_rcvinfo *r)
{
	*r = (struct sctp_rcvinfo){ .rcv_sid = i->sinfo_stream, .rcv_ssn = i->sinfo_ssn, .rcv_flags = i->sinfo_flags,
	    .rcv_ppid = i->sinfo_ppid, .rcv_tsn = i->sinfo_tsn, .rcv_cumtsn = i->sinfo_cumtsn,
	    .rcv_context = i->sinfo_context, .rcv_assoc_id = i->sinfo_assoc_id };
}

static void
nxtinfo_of(const struct arrival *a, struct sctp_nxtinfo *n)
{
	*n = (struct sctp_nxtinfo){ .nxt_sid = a->info.sinfo_stream, .nxt_ppid = a->info.sinfo_ppid,
	    .nxt_flags = (uint16_t)((a->info.sinfo_flags & SCTP_UNORDERED) | (a->is_notice ? SCTP_NOTIFICATION : 0)),
	    .nxt_length = (uint32_t)a->len, .nxt_assoc_id = a->info.sinfo_assoc_id };
}

/* In the kernel's order. False: there was no room for all. */
static bool
control_of(const struct sock *s, const struct arrival *a, char *buf, size_t room, size_t *used)
{
	const struct arrival	*next = TAILQ_NEXT(a, entry);
	struct sctp_rcvinfo	 rcv;
	struct sctp_nxtinfo	 nxt;
	struct timeval		 tv = { .tv_sec = (time_t)(a->timestamp / 1000000), .tv_usec = (suseconds_t)(a->timestamp % 1000000) };
	bool			 fits = true;

	*used = 0;
	if (a->timestamp != 0)
		fits = decode_add_control(buf, room, used, SOL_SOCKET, SCM_TIMESTAMP, &tv, sizeof tv);
	if (s->kept[1][SCTP_RECVNXTINFO] != 0 && next != NULL && next->accepted == 0) {
		nxtinfo_of(next, &nxt);
		fits = decode_add_control(buf, room, used, IPPROTO_SCTP, SCTP_NXTINFO, &nxt, sizeof nxt) && fits;
	}
	if (s->kept[1][SCTP_RECVRCVINFO] != 0 && !a->is_notice) {
		rcvinfo_of(&a->info, &rcv);
		fits = decode_add_control(buf, room, used, IPPROTO_SCTP, SCTP_RCVINFO, &rcv, sizeof rcv) && fits;
	}
	if (s->subscribed[offsetof(struct sctp_event_subscribe, sctp_data_io_event)] != 0 && !a->is_notice)
		fits = decode_add_control(buf, room, used, IPPROTO_SCTP, SCTP_SNDRCV, &a->info, sizeof a->info) && fits;
	return fits;
}

static bool
put_name(const struct call *c, const struct arrival *a, const struct where *w)
{
	struct sockaddr_storage	ss = a->from;
	socklen_t		len;

	if (w->name == 0)
		return true;
	if (c->sock->family == AF_INET6 && ss.ss_family == AF_INET)
		addr_map(&ss);
	len = ss.ss_family == AF_UNSPEC ? 0 : addr_len(&ss);
	return memory_write(c->tid, w->name, &ss, len < w->name_room ? len : w->name_room) &&
	    memory_write(c->tid, w->name_len, &len, sizeof len);
}

/* The head of a message, for recvmsg and recvmmsg. */
static bool
put_msg(const struct call *c, const struct arrival *a, const struct where *w, int flags, size_t n)
{
	char		control[DECODE_CONTROL];
	size_t		used = 0;
	unsigned	count = (unsigned)n;

	if (w->msg == 0)
		return true;
	if (a != NULL && !control_of(c->sock, a, control,
	    w->control_room < sizeof control && w->control != 0 ? w->control_room : w->control != 0 ? sizeof control : 0, &used))
		flags |= MSG_CTRUNC;
	return memory_write(c->tid, w->control, control, used) &&
	    memory_write(c->tid, w->msg + offsetof(struct msghdr, msg_controllen), &used, sizeof used) &&
	    memory_write(c->tid, w->msg + offsetof(struct msghdr, msg_flags), &flags, sizeof flags) &&
	    (w->msg_len == 0 || memory_write(c->tid, w->msg_len, &count, sizeof count));
}

static int64_t
result(const struct where *w, size_t n)
{
	return w->msg_len != 0 ? 1 : (int64_t)n;
}

/* What came of it stays as long as it is not known that the program has it. */
static void
receive(struct call *c, const struct where *w, struct arrival *a)
{
	struct sock	*s = c->sock;
	size_t		 n, left = a->len - a->read;
	int		 flags = a->is_notice ? MSG_NOTIFICATION : 0;
	bool		 peek = (w->flags & MSG_PEEK) != 0;

	if (decode_room(w->iov, w->niov, left, &n) != 0) {
		(void)call_fail(c, EINVAL);
		return;
	}
	if (n == left)
		flags |= MSG_EOR;
	if (!call_is_valid(c) || !memory_write_iov(c->tid, w->iov, w->niov, a->data + a->read, n) ||
	    !put_name(c, a, w) || !put_msg(c, a, w, flags, n)) {
		(void)call_fail(c, EFAULT);
		return;
	}
	sock_ref(s);
	if (!peek && n == left && TAILQ_NEXT(a, entry) == NULL && s->readable) {
		/* The byte goes before the answer: the program may poll as soon as it has that. */
		TAILQ_REMOVE(&s->arrivals, a, entry);
		sock_clear_readable(c);
		TAILQ_INSERT_TAIL(&s->arrivals, a, entry);
	}
	if (call_answer(c, result(w, n)) && !peek) {
		a->read += n;
		if (a->read == a->len)
			sock_took(s);
	} else if (!peek)
		sock_set_readable(s);
	sock_unref(s);
}

/*
 * The end of the association, or the socket's error, which is told once. As in
 * the kernel, the end is one if the peer made it; who ended it himself, or was
 * told of the error, has no association, and poll(2) finds nothing.
 */
static void
receive_end(struct call *c, const struct where *w)
{
	struct sock	*s = c->sock;
	int		 number = s->error;

	if (number == 0 && !s->eof && !s->cannot_read) {
		(void)call_fail(c, call_may_wait(c, w->flags) ? ENOTCONN : EAGAIN);
		return;
	}
	if (number == 0) {
		if (!put_msg(c, NULL, w, 0, 0))
			(void)call_fail(c, EFAULT);
		else
			(void)call_answer(c, result(w, 0));
		return;
	}
	sock_ref(s);
	s->error = 0;
	sock_clear_readable(c);
	if (!call_fail(c, number)) {
		s->error = number;
		sock_set_readable(s);
	}
	sock_unref(s);
}

static bool
try(struct call *c)
{
	static struct where	 w;	/* large; one call at a time is looked at */
	const struct sock	*s = c->sock;
	struct arrival		*a = TAILQ_FIRST(&s->arrivals);
	int			 number;

	if (!sock_has_something(s) && s->state != SOCK_ENDED)
		return false;
	if ((number = where(c, &w)) != 0)
		(void)call_fail(c, number);
	else if (a != NULL)
		receive(c, &w, a);
	else
		receive_end(c, &w);
	return true;
}

static int
flags_of(const struct call *c)
{
	switch (c->nr) {
	case SYS_recvfrom:
	case SYS_recvmmsg:
		return (int)c->args[3];
	case SYS_recvmsg:
		return (int)c->args[2];
	default:
		return 0;
	}
}

/* Is there nobody from whom something could come? */
static bool
has_nobody(const struct sock *s)
{
	return s->type == SOCK_STREAM ? s->state == SOCK_IDLE : TAILQ_EMPTY(&s->peers) && !s->listening;
}

/* Why it cannot be carried out, whatever comes; 0: it can. */
static int
refuse(const struct call *c)
{
	static struct where	w;
	const struct sock	*s = c->sock;

	if ((flags_of(c) & MSG_ERRQUEUE) != 0)
		return EAGAIN;
	if ((flags_of(c) & MSG_OOB) != 0)
		return EOPNOTSUPP;
	if (s->type == SOCK_STREAM && s->listening)
		return ENOTCONN;
	return where(c, &w);
}

static void
take(struct call *c)
{
	struct sock	*s = c->sock;
	int		 number = refuse(c);

	if (number != 0) {
		(void)call_fail(c, number);
		return;
	}
	if (try(c))
		return;
	if (!call_may_wait(c, flags_of(c)))
		settle(c, try);
	else if (has_nobody(s))
		(void)call_fail(c, ENOTCONN);
	else
		call_wait(c, try, s->rcvtimeo, EAGAIN);
}

void
recv_recvfrom(struct call *c)
{
	take(c);
}

void
recv_recvmsg(struct call *c)
{
	take(c);
}

/* One message: a call may give fewer than were asked for. */
void
recv_recvmmsg(struct call *c)
{
	if (c->args[2] == 0)
		(void)call_answer(c, 0);
	else
		take(c);
}

void
recv_read(struct call *c)
{
	take(c);
}

void
recv_readv(struct call *c)
{
	take(c);
}

/* ioctl(FIONREAD): bytes of the next message. */
void
recv_fionread(struct call *c)
{
	const struct arrival	*a = TAILQ_FIRST(&c->sock->arrivals);
	int			 n = a != NULL && a->accepted == 0 ? (int)(a->len - a->read) : 0;

	if (call_write(c, c->args[2], &n, sizeof n))
		(void)call_answer(c, 0);
}
