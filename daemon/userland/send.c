/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: sending.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "proto/addr.h"
#include "userland/userland.h"

static const struct {
	uint16_t	neutral;
	uint16_t	usrsctp;
} flags[] = {
	{ SNDRCV_UNORDERED, SCTP_UNORDERED },
	{ SNDRCV_ABORT, SCTP_ABORT },
	{ SNDRCV_EOF, SCTP_EOF },
	{ SNDRCV_SACK_IMMEDIATELY, SCTP_SACK_IMMEDIATELY },
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

static const uint16_t policies[] = {
	[PR_TTL] = SCTP_PR_SCTP_TTL,
	[PR_RTX] = SCTP_PR_SCTP_RTX,
	[PR_PRIO] = SCTP_PR_SCTP_BUF,
};

static uint16_t
policy_of(const struct sndrcvinfo *info)
{
	if (info->pr_policy != PR_NONE)
		return policies[info->pr_policy & 3];
	return info->timetolive != 0 ? SCTP_PR_SCTP_TTL : SCTP_PR_SCTP_NONE;
}

/* What usrsctp cannot do, or would do for another message; 0: nothing. */
static int
check_rare(const struct assoc *a, const struct sndrcvinfo *info)
{
	struct sockaddr_storage	to;

	if (info->auth_keynumber != 0)
		return ENOPROTOOPT;
	if (!(info->flags & SNDRCV_ADDR_OVER))
		return 0;
	addr_unpack(&info->addr, &to);	/* there is one path: it may be named */
	addr_set_port(&to, addr_port(&a->peer));
	return addr_equal(&to, &a->peer) ? 0 : EADDRNOTAVAIL;
}

int
userland_send_one(struct assoc *a, const struct sndrcvinfo *info, const void *data, size_t len)
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
	int			 number;

	if (so == NULL)
		return EPIPE;
	if ((number = check_rare(a, info)) != 0)
		return number;
	if (policy_of(info) != SCTP_PR_SCTP_NONE) {
		spa.sendv_flags |= SCTP_SEND_PRINFO_VALID;
		spa.sendv_prinfo.pr_policy = policy_of(info);
		spa.sendv_prinfo.pr_value = info->pr_policy != PR_NONE ? info->pr_value :
		    info->timetolive;
	}
	/* usrsctp wants a pointer even where there is no message. */
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
	number = userland_send_one(a, &m->info, m->data, m->len);
	if (number == EMSGSIZE && (number = userland_grow_send(a, m->len)) == 0)
		number = userland_send_one(a, &m->info, m->data, m->len);
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
	to->flags |= i.snd_flags & SCTP_ADDR_OVER ? SNDRCV_ADDR_OVER : 0;	/* refused, as nothing goes with it */
	to->ppid = ntohl(i.snd_ppid);
	to->context = i.snd_context;
	len = sizeof p;
	if (usrsctp_getsockopt(userland_so(a), IPPROTO_SCTP, SCTP_DEFAULT_PRINFO, &p, &len) == -1)
		return;
	if (p.pr_policy == SCTP_PR_SCTP_TTL)
		to->timetolive = p.pr_value;
	else if (p.pr_policy != SCTP_PR_SCTP_NONE) {
		to->pr_policy = p.pr_policy == SCTP_PR_SCTP_RTX ? PR_RTX : PR_PRIO;
		to->pr_value = p.pr_value;
	}
}
