/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message is sent by a request, and its call answered with what the daemon
 * says: so the errors are those of the call that made them. The option
 * non_block_send of the daemon's sockets is on: the answer never waits. Where
 * the daemon says EAGAIN, the association has no room; then the message is sent
 * again, with the option off for that one request, so that the daemon answers
 * when there is room. A call that may wait is answered then. Another one is
 * answered at once, as the message has its place; until the daemon's answer
 * nothing can be written, and further messages are refused with EAGAIN.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/addr.h"
#include "run/decode.h"
#include "run/errnos.h"
#include "run/memory.h"
#include "run/send.h"
#include "run/settle.h"
#include "run/sock.h"

#define KNOWN_FLAGS	(SCTP_UNORDERED | SCTP_ADDR_OVER | SCTP_ABORT | SCTP_SACK_IMMEDIATELY | SCTP_SENDALL | SCTP_EOF)

/* What a call keeps while its message is under way. */
struct out {
	struct decoded		d;
	int			flags;		/* MSG_... */
	struct sockaddr_storage	to;		/* AF_UNSPEC: none */
	bool			begun;		/* its association is one that it began itself */
	bool			multiple;	/* sendmmsg: the answer is a count, */
	uint64_t		sent;		/* and the length goes there */
};

/* ---- answers --------------------------------------------------------- */

/* A signal would end the call, so the answer goes first. */
static void
fail(struct call *c, int number)
{
	pid_t	tid = c->tid;
	bool	raise_it = number == EPIPE && (c->out->flags & MSG_NOSIGNAL) == 0;

	if (call_fail(c, number) && raise_it)
		(void)syscall(SYS_tkill, tid, SIGPIPE);
}

static void
succeed(struct call *c)
{
	unsigned	n = (unsigned)c->len;

	settle_did(c);
	if (c->out->multiple && !memory_write(c->tid, c->out->sent, &n, sizeof n))
		(void)call_fail(c, EFAULT);
	else
		(void)call_answer(c, c->out->multiple ? 1 : (int64_t)c->len);
}

/* ---- requests -------------------------------------------------------- */

static void
policy_words(struct words *w, const struct decoded *d)
{
	static const char *const	names[] = { "none", "ttl", "rtx", "prio" };

	if (d->pr_policy != 0) {
		word_add(w, "sctp_sndrcvinfo.pr_policy=%s", names[d->pr_policy >> 4]);
		word_add(w, "sctp_sndrcvinfo.pr_value=%u", d->pr_value);
	}
	if (d->has_auth && d->auth_keynumber != 0)	/* 0 is there without AUTH, too */
		word_add(w, "sctp_sndrcvinfo.auth_keynumber=%u", d->auth_keynumber);
}

static const char *
flag_words(unsigned flags)
{
	switch (flags & (SCTP_UNORDERED | SCTP_SACK_IMMEDIATELY)) {
	case SCTP_UNORDERED:
		return "unordered";
	case SCTP_SACK_IMMEDIATELY:
		return "sack_immediately";
	case 0:
		return "";
	default:
		return "unordered,sack_immediately";
	}
}

/* A message with parameters that the library's own function does not take. */
static void
send_words(struct call *c, uint32_t assoc_id, call_reply *fn)
{
	const struct out		*o = c->out;
	const struct sctp_sndrcvinfo	*i = &o->d.info;
	char				 text[ADDR_TEXT];
	struct words			 w = { 0 };

	word_add(&w, "send");
	word_add(&w, "sock=%" PRIu64, c->sock->handle);
	word_add(&w, "sctp_sndrcvinfo.assoc_id=%u", assoc_id);
	word_add(&w, "sctp_sndrcvinfo.stream=%u", i->sinfo_stream);
	word_add(&w, "sctp_sndrcvinfo.ppid=%u", ntohl(i->sinfo_ppid));
	word_add(&w, "sctp_sndrcvinfo.context=%u", i->sinfo_context);
	if (i->sinfo_timetolive != 0)
		word_add(&w, "sctp_sndrcvinfo.timetolive=%u", i->sinfo_timetolive);
	if (*flag_words(i->sinfo_flags) != '\0')
		word_add(&w, "sctp_sndrcvinfo.flags=%s", flag_words(i->sinfo_flags));
	if ((i->sinfo_flags & SCTP_ADDR_OVER) != 0 && o->to.ss_family != AF_UNSPEC)
		word_add(&w, "sctp_sndrcvinfo.addr=%s", addr_text(&o->to, text));
	policy_words(&w, &o->d);
	word_bytes(&w, "data", c->data, c->len);
	call_question(c, &w, fn);
}

static bool
is_plain(const struct out *o)
{
	return o->d.pr_policy == 0 && (!o->d.has_auth || o->d.auth_keynumber == 0) &&
	    ((o->d.info.sinfo_flags & SCTP_ADDR_OVER) == 0 || o->to.ss_family == AF_UNSPEC);
}

static void
send_request(struct call *c, uint32_t assoc_id, call_reply *fn)
{
	const struct sctp_sndrcvinfo	*i = &c->out->d.info;
	struct sctpd_sndrcvinfo		 info = { .stream = i->sinfo_stream,
	    .flags = i->sinfo_flags & (SCTP_UNORDERED | SCTP_SACK_IMMEDIATELY), .ppid = ntohl(i->sinfo_ppid),
	    .context = i->sinfo_context, .timetolive = i->sinfo_timetolive, .assoc_id = assoc_id };

	c->assoc_id = assoc_id;
	if (is_plain(c->out))
		call_question_send(c, c->sock->handle, &info, fn);
	else
		send_words(c, assoc_id, fn);
}

static void
set_blocking(struct sock *s, bool blocks)
{
	struct words	w = { 0 };

	word_add(&w, "setopts");
	word_add(&w, "sock=%" PRIu64, s->handle);
	word_add(&w, "options.non_block_send=%s", blocks ? "false" : "true");
	daemon_tell(s->run, &w);
}

/* ---- one message ----------------------------------------------------- */

/* It has found its room. */
static void
on_room(struct call *c, int code, const struct sctpd_value *v)
{
	(void)v;
	if (c->over) {		/* answered long ago */
		struct sock	*s = c->handle != 0 ? sock_of_handle(c->run, c->handle) : NULL;

		if (s != NULL) {
			sock_set_stuck(s, c->assoc_id, false);
			call_retry(&s->waiters);
		}
		return;
	}
	sock_set_stuck(c->sock, c->assoc_id, false);
	if (code == SCTPD_OK)
		succeed(c);
	else
		fail(c, errno_of(code));
}

/* There is none: send it so that it waits for some. */
static void
wait_for_room(struct call *c)
{
	struct sock	*s = c->sock;
	bool		 waits = call_may_wait(c, c->out->flags);

	set_blocking(s, true);
	send_request(c, c->assoc_id, on_room);
	set_blocking(s, false);
	if (waits || c->over)
		return;
	sock_set_stuck(s, c->assoc_id, true);
	sock_set_full(c);
	c->handle = s->handle;
	succeed(c);
}

static void	begin_assoc(struct call *);

/* One-to-many: a message for an address whose association has ended begins another one, and may fail with that. */
static bool
may_begin_another(const struct call *c, int code)
{
	return (code == SCTPD_CLOSED || code == SCTPD_EPIPE) && c->sock->type != SOCK_STREAM && c->out->to.ss_family != AF_UNSPEC;
}

static void
on_sent(struct call *c, int code, const struct sctpd_value *v)
{
	(void)v;
	if (c->over)
		return;
	if (may_begin_another(c, code) && !c->out->begun) {
		sock_remove_peer(c->sock, c->assoc_id);
		begin_assoc(c);
	} else if (code == SCTPD_OK || may_begin_another(c, code))
		succeed(c);
	else if (code == SCTPD_EAGAIN && !c->has_result)
		wait_for_room(c);
	else
		fail(c, errno_of(code));
}

/* SCTP_EOF and SCTP_ABORT end the association; what comes with an abort is its reason. */
static void
send_end(struct call *c, const char *method, uint32_t assoc_id)
{
	struct words	w = { 0 };

	word_add(&w, "%s", method);
	word_add(&w, "sock=%" PRIu64, c->sock->handle);
	word_add(&w, "assoc_id=%u", assoc_id);
	if (c->len > 0)
		word_bytes(&w, "reason", c->data, c->len < 1024 ? c->len : 1024);
	call_question(c, &w, on_sent);
}

static bool
try_stuck(struct call *c);

static void
send_to(struct call *c, uint32_t assoc_id)
{
	const struct peer	*p = sock_peer(c->sock, assoc_id);
	unsigned		 flags = c->out->d.info.sinfo_flags;

	c->assoc_id = assoc_id;
	if ((flags & (SCTP_ABORT | SCTP_EOF)) != 0 && c->sock->type == SOCK_STREAM && !c->sock->peeled)
		fail(c, EINVAL);	/* RFC 6458 4.1.8: they have shutdown and close */
	else if ((flags & SCTP_ABORT) != 0)
		send_end(c, "abort", assoc_id);
	else if (((flags & SCTP_EOF) != 0) != (c->len == 0))
		fail(c, EINVAL);
	else if ((flags & SCTP_EOF) != 0)
		send_end(c, "eof", assoc_id);
	else if (p != NULL && p->stuck) {
		/* What another call left there comes first. */
		if (call_may_wait(c, c->out->flags))
			call_wait(c, try_stuck, c->sock->sndtimeo, EAGAIN);
		else
			fail(c, EAGAIN);
	} else
		send_request(c, assoc_id, on_sent);
}

static bool
try_stuck(struct call *c)
{
	const struct peer	*p = sock_peer(c->sock, c->assoc_id);

	if (p != NULL && p->stuck)
		return false;
	call_wait_no_more(c);
	if (p == NULL)
		fail(c, EPIPE);
	else
		send_to(c, c->assoc_id);
	return true;
}

/* ---- to whom --------------------------------------------------------- */

/* An association that a message begins. */
static void
on_begun(struct call *c, int code, const struct sctpd_value *v)
{
	uint32_t	 id;
	struct sock	*s = c->sock;

	if (c->over)
		return;
	if (code != SCTPD_OK) {
		fail(c, errno_of(code));
		return;
	}
	id = (uint32_t)sctpd_get_int(v, "assoc_id");
	c->out->begun = true;
	(void)sock_add_peer(s, id, &c->out->to);
	if (s->type == SOCK_STREAM && s->state == SOCK_IDLE) {
		s->state = SOCK_CONNECTING;
		s->assoc_id = id;
	}
	send_to(c, id);
}

static void
begin_assoc(struct call *c)
{
	const struct out		*o = c->out;
	const struct sctp_initmsg	*m = &o->d.init;
	struct words			 w = { 0 };
	char				 text[ADDR_TEXT];

	c->sock->connecting_since = sock_now();
	word_add(&w, "connect_init");
	word_add(&w, "sock=%" PRIu64, c->sock->handle);
	word_add(&w, "addr=%s", addr_text(&o->to, text));
	word_add(&w, "port=%u", addr_port(&o->to));
	if (o->d.has_init && m->sinit_num_ostreams != 0)
		word_add(&w, "options.sctp_initmsg.num_ostreams=%u", m->sinit_num_ostreams);
	if (o->d.has_init && m->sinit_max_instreams != 0)
		word_add(&w, "options.sctp_initmsg.max_instreams=%u", m->sinit_max_instreams);
	call_question(c, &w, on_begun);
}

/* One-to-one: its association, or, with an address, the one that begins so. */
static void
send_stream(struct call *c)
{
	struct sock	*s = c->sock;

	if (s->state == SOCK_ENDED)
		fail(c, EPIPE);
	else if (s->state == SOCK_IDLE && c->out->to.ss_family != AF_UNSPEC && !s->listening)
		begin_assoc(c);
	else if (s->state == SOCK_IDLE)
		fail(c, EPIPE);
	else
		send_to(c, s->assoc_id);
}

static void
send_seqpacket(struct call *c)
{
	uint32_t		 id = (uint32_t)c->out->d.info.sinfo_assoc_id;
	const struct peer	*p;

	if ((c->out->d.info.sinfo_flags & SCTP_SENDALL) != 0)
		fail(c, EOPNOTSUPP);
	else if (c->out->to.ss_family != AF_UNSPEC && (p = sock_peer_at(c->sock, &c->out->to)) != NULL)
		send_to(c, p->assoc_id);
	else if (id > SCTP_ALL_ASSOC)
		send_to(c, id);
	else if (c->out->to.ss_family == AF_UNSPEC)
		fail(c, EPIPE);
	else if ((c->out->d.info.sinfo_flags & (SCTP_EOF | SCTP_ABORT)) != 0)
		fail(c, EINVAL);
	else
		begin_assoc(c);
}

/* Is it the message of an earlier call, which the kernel repeats? */
static uint64_t
digest(const char *bytes, size_t len)
{
	uint64_t	h = 14695981039346656037U;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)bytes[i]) * 1099511628211U;
	return h;
}

static void
send_it(struct call *c)
{
	struct sock	*s = c->sock;

	c->digest = digest(c->data, c->len);
	if (call_repeats(c))
		return;
	if (!c->out->d.has_info)
		c->out->d.info = s->defaults;
	if ((c->out->d.info.sinfo_flags & ~KNOWN_FLAGS) != 0)
		fail(c, EINVAL);
	else if (s->error != 0 && s->type == SOCK_STREAM) {
		int	number = s->error;

		s->error = 0;
		fail(c, number);
	} else if (s->handle == 0)
		fail(c, EPIPE);
	else if (s->type == SOCK_STREAM)
		send_stream(c);
	else
		send_seqpacket(c);
}

/* ---- what the call says ---------------------------------------------- */

static bool
send_new(struct call *c)
{
	if ((c->out = calloc(1, sizeof *c->out)) != NULL)
		return true;
	(void)call_fail(c, ENOMEM);
	return false;
}

/* The bytes of the message. */
static int
read_data(struct call *c, const struct iovec *iov, size_t n)
{
	int	number = decode_iov(iov, n, c->run->max_message, &c->len);

	if (number != 0)
		return number;
	if ((c->data = malloc(c->len > 0 ? c->len : 1)) == NULL)
		return ENOMEM;
	return memory_read_iov(c->tid, iov, n, c->data, c->len) ? 0 : EFAULT;
}

static int
read_iov(struct call *c, uint64_t at, size_t n)
{
	static struct iovec	iov[IOV_MAX];

	if (n > IOV_MAX)
		return EMSGSIZE;
	return memory_read(c->tid, at, iov, n * sizeof *iov) ? read_data(c, iov, n) : EFAULT;
}

static int
read_name(struct call *c, uint64_t at, uint64_t len)
{
	char	bytes[sizeof(struct sockaddr_storage)];

	if (at == 0 || len == 0)
		return 0;
	if (len > sizeof bytes)
		return EINVAL;
	if (!memory_read(c->tid, at, bytes, len))
		return EFAULT;
	return decode_addr(bytes, len, &c->out->to);
}

static int
read_control(struct call *c, uint64_t at, size_t len)
{
	char	bytes[DECODE_CONTROL];

	if (at == 0 || len == 0)
		return 0;
	if (len > sizeof bytes)
		return ENOBUFS;
	return memory_read(c->tid, at, bytes, len) ? decode_control(bytes, len, &c->out->d) : EFAULT;
}

static int
read_msg(struct call *c, uint64_t at)
{
	struct msghdr	msg;
	int		number;

	if (!memory_read(c->tid, at, &msg, sizeof msg))
		return EFAULT;
	if ((number = read_name(c, (uintptr_t)msg.msg_name, msg.msg_namelen)) != 0 ||
	    (number = read_control(c, (uintptr_t)msg.msg_control, msg.msg_controllen)) != 0)
		return number;
	return read_iov(c, (uintptr_t)msg.msg_iov, msg.msg_iovlen);
}

static void
send_or_fail(struct call *c, int number)
{
	if (number != 0)
		fail(c, number);
	else if (!call_is_valid(c))
		call_drop(c);
	else
		send_it(c);
}

void
send_sendmsg(struct call *c)
{
	if (!send_new(c))
		return;
	c->out->flags = (int)c->args[2];
	send_or_fail(c, read_msg(c, c->args[1]));
}

/* The first message: a call may take fewer than there are. */
void
send_sendmmsg(struct call *c)
{
	if (c->args[2] == 0) {
		(void)call_answer(c, 0);
		return;
	}
	if (!send_new(c))
		return;
	c->out->flags = (int)c->args[3];
	c->out->multiple = true;
	c->out->sent = c->args[1] + offsetof(struct mmsghdr, msg_len);
	send_or_fail(c, read_msg(c, c->args[1]));
}

static int
read_one(struct call *c, uint64_t at, uint64_t len)
{
	struct iovec	iov = { .iov_base = (void *)(uintptr_t)at, .iov_len = len };	/* NOLINT */

	return read_data(c, &iov, 1);
}

void
send_sendto(struct call *c)
{
	int	number;

	if (!send_new(c))
		return;
	c->out->flags = (int)c->args[3];
	if ((number = read_name(c, c->args[4], (uint32_t)c->args[5])) == 0)
		number = read_one(c, c->args[1], c->args[2]);
	send_or_fail(c, number);
}

void
send_write(struct call *c)
{
	if (send_new(c))
		send_or_fail(c, read_one(c, c->args[1], c->args[2]));
}

void
send_writev(struct call *c)
{
	if (send_new(c))
		send_or_fail(c, read_iov(c, c->args[1], c->args[2]));
}
