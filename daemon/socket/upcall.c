/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What both stacks do alike.
 */
#include <errno.h>
#include <stdio.h>

#include "config.h"
#include "limits/drain.h"
#include "rpc/call.h"
#include "socket/assoc.h"
#include "socket/deliver.h"
#include "socket/owner.h"
#include "socket/report.h"
#include "socket/upcall.h"
#include "util/log.h"

#define DRAINED	"an administrator drains sctpd: it takes no new associations"

/* The largest id that is a word and no association: SCTP_ALL_ASSOC (RFC 6458 7.1). */
#define LAST_WORD	2

struct assoc *
upcall_meant(struct sock *s, uint32_t id)
{
	return s->many && id <= LAST_WORD ? NULL : assoc_find(s, id);
}

void
upcall_forget_defaults(struct sock *s)
{
	struct assoc	*a = NULL;

	while ((a = assoc_next(s, a)) != NULL)
		a->defaults_known = false;
}

const char *
upcall_no_room(const struct sock *s)
{
	return drain_is_on() ? DRAINED : budget_no_room(s->user);
}

void
upcall_turn_away(struct assoc *a, const char *why)
{
	report_refuse(a, drain_is_on() ? "this host is being drained" : "too many associations", why);
}

/*
 * The socket may not have the association any more: it is over, or the process
 * before had looked, and peeled it off.
 */
static bool
has_auth(struct assoc *a)
{
	const struct sockopt			*o = sockopt_find("sctp_auth_supported", 19);
	struct { uint32_t assoc_id, on; }	 v = { .assoc_id = assoc_id(a) };
	int					 number = stack->getopt(a->sock, o, &v);

	return number == 0 ? v.on != 0 : number == EINVAL;
}

bool
upcall_lacks_auth(struct assoc *a)
{
	return a->sock->own.refuse_without_auth && !a->unwanted && !has_auth(a);
}

void
upcall_abort_without_auth(struct assoc *a)
{
	report_refuse(a, "AUTH is required", "the peer does not support AUTH, and the socket requires it");
}

void
upcall_refuse_long_message(struct assoc *a)
{
	static const char	reason[] = "message too long";
	char			cause[200];

	(void)snprintf(cause, sizeof cause, "the peer sends a message over max_message, %llu bytes, or too many long ones at once, or user %u has no memory for them",
	    (unsigned long long)config.max_message, (unsigned)user_uid(a->user));
	(void)report_abort(a, reason, sizeof reason - 1, NULL, cause);
}

void
upcall_over(struct sock *s, struct assoc *a)
{
	struct event_closed	e = { .reason = { "the association is over", 23 } };

	s->over = true;
	sock_changed(s);
	sock_tell(s, EVENT_closed, a, &e);
	if (s->group != 0)
		sock_ops->happened(s);
}

int
upcall_accept(struct sock *s, const char **why)
{
	struct event_accept	 e;
	struct client		*c = s->recv != NULL ? s->recv->client : s->owner;
	struct sock		*to;
	struct assoc		*a;
	int			 number;

	/* Else a peer would wait to be accepted, and believe that the association is up. */
	if (!drain_is_on() && (*why = sock_no_room(c)) != NULL)
		return ENFILE;
	to = sock_new(c, false, s->family);
	number = stack->accept(s, to, &a);
	if (number == 0 && (drain_is_on() || upcall_lacks_auth(a))) {
		if (drain_is_on())
			upcall_turn_away(a, DRAINED);
		else
			upcall_abort_without_auth(a);
		sock_close(to, NULL);
		return 0;
	}
	if (number != 0) {
		sock_close(to, NULL);
		return number;
	}
	to->group = s->group;
	e.accepted = to->node.key;
	e.assoc_id = assoc_id(a);
	sock_tell(s, EVENT_accept, a, &e);
	return 0;
}

void
upcall_peers_wait(const struct sock *s, const char *why)
{

	if (log_seldom(LOG_WARNING, "peers wait to be accepted"))
		log_warning("sock %llu: accept: %s; peers wait",
		    (unsigned long long)s->node.key, why);
}
