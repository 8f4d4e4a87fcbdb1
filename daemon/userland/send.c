/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: sending, shutting down and aborting.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "userland.h"

static const struct {
	uint16_t	neutral;
	uint16_t	usrsctp;
} flags[] = {
	{ SNDRCV_UNORDERED, SCTP_UNORDERED },
	{ SNDRCV_ADDR_OVER, SCTP_ADDR_OVER },
	{ SNDRCV_ABORT, SCTP_ABORT },
	{ SNDRCV_EOF, SCTP_EOF },
};

static uint16_t
to_usrsctp(uint16_t neutral)
{
	uint16_t	u = 0;

	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
		if (neutral & flags[i].neutral)
			u |= flags[i].usrsctp;
	}
	return u;
}

/* Both bits are the kernel's third policy, by priority: here BUF is that. */
static uint16_t
policy_of(const struct sndrcvinfo *info)
{
	switch (info->flags & (SNDRCV_PR_TTL | SNDRCV_PR_RTX)) {
	case SNDRCV_PR_TTL | SNDRCV_PR_RTX:
		return SCTP_PR_SCTP_BUF;
	case SNDRCV_PR_RTX:
		return SCTP_PR_SCTP_RTX;
	default:
		return info->timetolive != 0 ? SCTP_PR_SCTP_TTL : SCTP_PR_SCTP_NONE;
	}
}

/* Take one message now, or give an errno. */
static int
send_one(struct assoc *a, const struct sndrcvinfo *info, const void *data, size_t len)
{
	struct sctp_sendv_spa	spa = {
		.sendv_flags = SCTP_SEND_SNDINFO_VALID,
		.sendv_sndinfo = {
			.snd_sid = info->stream,
			.snd_flags = to_usrsctp(info->flags),
			.snd_ppid = htonl(info->ppid),
			.snd_context = info->context,
			.snd_assoc_id = userland_id(a),
		},
	};
	struct socket		*so = userland_so(a);

	if (so == NULL)
		return EPIPE;
	if (policy_of(info) != SCTP_PR_SCTP_NONE) {
		spa.sendv_flags |= SCTP_SEND_PRINFO_VALID;
		spa.sendv_prinfo.pr_policy = policy_of(info);
		spa.sendv_prinfo.pr_value = info->timetolive;
	}
	/* It wants a place for the message though there is none. */
	if (usrsctp_sendv(so, data != NULL ? data : "", len, NULL, 0, &spa, sizeof spa,
	    SCTP_SENDV_SPA, 0) != -1)
		return 0;
	if (errno == ENOENT || errno == ECONNRESET || errno == ENOTCONN || errno == ESHUTDOWN)
		return EPIPE;
	return errno == EWOULDBLOCK ? EAGAIN : errno;
}

static int
send_next(struct assoc *a, const struct stack_message *m)
{
	int	number;

	if (!given_may_be_more(a))
		return EAGAIN;
	number = send_one(a, &m->info, m->data, m->len);
	if (number == EMSGSIZE && (number = userland_grow_send(a, m->len)) == 0)
		number = send_one(a, &m->info, m->data, m->len);
	if (number == 0)
		given_more(a, m->len, policy_of(&m->info) != SCTP_PR_SCTP_NONE);
	return number;
}

unsigned
userland_send(struct assoc *a, const struct stack_message *m, unsigned n, int *number)
{
	unsigned	i = 0;

	*number = 0;
	while (i < n && (*number = send_next(a, &m[i])) == 0)
		i++;
	return i;
}

/* It may be up though its user has not read that it is. */
static bool
is_set_up(const struct assoc *a)
{
	struct sctp_status	st = { .sstat_assoc_id = userland_id(a) };
	socklen_t		len = sizeof st;

	return a->state != ASSOC_COMING_UP || userland_so(a) == NULL ||
	    usrsctp_getsockopt(userland_so(a), IPPROTO_SCTP, SCTP_STATUS, &st, &len) == -1 ||
	    (st.sstat_state != SCTP_COOKIE_WAIT && st.sstat_state != SCTP_COOKIE_ECHOED);
}

/*
 * usrsctp takes an end for one of an association that is up, and sends SHUTDOWN
 * to a peer whose tag it does not know: during the set-up it waits.
 */
int
userland_eof(struct assoc *a)
{
	static const struct sndrcvinfo	eof = { .flags = SNDRCV_EOF };
	int				number;

	if (!is_set_up(a)) {
		a->stack.userland->eof_waits = true;
		return 0;
	}
	number = send_one(a, &eof, NULL, 0);
	if (number == 0)
		assoc_enter(a, ASSOC_GOING_DOWN);
	return number;
}

void
userland_go_on(struct assoc *a)
{
	struct userland_assoc	*ua = a->stack.userland;

	if (!ua->eof_waits || !is_set_up(a))
		return;
	ua->eof_waits = false;
	(void)userland_eof(a);
}

/* usrsctp gives back no more than its receive buffer takes. */
static void
make_room(const struct assoc *a)
{
	static const int	bytes = INT32_MAX / 4;
	struct socket		*so = a->stack.userland->so;

	if (so != NULL)
		(void)usrsctp_setsockopt(so, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

int
userland_abort(struct assoc *a, const void *reason, size_t len)
{
	static const struct sndrcvinfo	abort = { .flags = SNDRCV_ABORT };
	int				number;

	a->stack.userland->aborted = true;
	if (a->state == ASSOC_COMING_UP)
		return userland_take_back(a);
	make_room(a);
	number = send_one(a, &abort, reason, len);
	if (number != 0)
		return number;
	assoc_fail_sends(a, ERR_epipe, "the association was aborted");
	/* Of what we did ourselves usrsctp wakes nobody. */
	wake_now(a->stack.userland->so != NULL || a->sock == NULL ?
	    &a->stack.userland->wake : &a->sock->stack.userland->wake);
	return 0;
}

void
userland_defaults(struct assoc *a, struct sndrcvinfo *to)
{
	struct sctp_sndinfo		i = { .snd_assoc_id = userland_id(a) };
	struct sctp_default_prinfo	p = { .pr_assoc_id = userland_id(a) };
	socklen_t			len = sizeof i;

	memset(to, 0, sizeof *to);
	if (usrsctp_getsockopt(userland_so(a), IPPROTO_SCTP, SCTP_DEFAULT_SNDINFO, &i, &len) == -1)
		return;
	to->flags = i.snd_flags & SCTP_UNORDERED ? SNDRCV_UNORDERED : 0;
	to->ppid = ntohl(i.snd_ppid);
	to->context = i.snd_context;
	len = sizeof p;
	if (usrsctp_getsockopt(userland_so(a), IPPROTO_SCTP, SCTP_DEFAULT_PRINFO, &p, &len) == -1)
		return;
	to->timetolive = p.pr_policy == SCTP_PR_SCTP_NONE ? 0 : p.pr_value;
	to->flags |= p.pr_policy == SCTP_PR_SCTP_RTX ? SNDRCV_PR_RTX : 0;
}

void
userland_count_streams(struct assoc *a)
{
	struct sctp_status	st = { .sstat_assoc_id = userland_id(a) };
	socklen_t		len = sizeof st;

	if (userland_so(a) == NULL || usrsctp_getsockopt(userland_so(a), IPPROTO_SCTP,
	    SCTP_STATUS, &st, &len) == -1)
		return;
	a->outbound = st.sstat_outstrms;
	a->inbound = st.sstat_instrms;
}
