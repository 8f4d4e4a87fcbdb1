/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Methods that send and receive.
 */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "find.h"
#include "handler.h"
#include "turn.h"

/* What to send with: all of it, or the defaults and a stream. */
static enum error
find_info(struct sock *s, const struct rpc_send_in *in, struct sndrcvinfo *info,
    struct assoc **a)
{
	bool		whole = RPC_HAS(in, send, sctp_sndrcvinfo);
	uint32_t	id = whole ? in->sctp_sndrcvinfo.assoc_id : in->assoc_id;
	enum error	e;

	if (whole && (RPC_HAS(in, send, stream) || RPC_HAS(in, send, assoc_id)))
		return call_fail(ERR_badarg, "sctp_sndrcvinfo: it says assoc_id and stream itself; give the one or the other");
	if ((e = find_assoc(s, id, a)) != ERR_OK)
		return e;
	if (whole) {
		*info = in->sctp_sndrcvinfo;
		return ERR_OK;
	}
	if (!(*a)->defaults_known) {
		stack_defaults(*a, &(*a)->defaults);
		(*a)->defaults_known = true;
	}
	*info = (*a)->defaults;
	info->stream = in->stream;
	return ERR_OK;
}

/* gen_sctp's way to shut down or abort; what is sent is the reason then. */
static enum error
send_end(struct assoc *a, const struct sndrcvinfo *info, const struct rpc_send_in *in)
{
	if (info->flags & SNDRCV_ABORT)
		return assoc_abort(a, in->data.ptr, in->data.len);
	if (in->data.len > 0)
		return call_fail(ERR_einval, "data: with eof nothing can be sent; send it first");
	return assoc_shut(a);
}

static enum error
send_message(struct call *call, const struct rpc_send_in *in, struct sndrcvinfo *info)
{
	struct sock	*s;
	struct assoc	*a;
	enum error	 e;

	if ((e = find_sock(call, in->sock, &s)) != ERR_OK)
		return e;
	if ((e = find_info(s, in, info, &a)) != ERR_OK)
		return e;
	if (info->flags & (SNDRCV_EOF | SNDRCV_ABORT))
		return send_end(a, info, in);
	if (in->data.len == 0)
		return call_fail(ERR_einval, "data: it is empty; a message has one byte or more");
	if (in->data.len > config.max_message)
		return call_fail(ERR_emsgsize, "data: %u bytes are more than max_message, %llu",
		    in->data.len, (unsigned long long)config.max_message);
	return assoc_send(a, call, info, in->data.ptr, in->data.len);
}

enum error
handle_send(struct call *call, const struct rpc_send_in *in, struct rpc_send_out *out)
{
	struct sndrcvinfo	info = { .stream = in->stream, .assoc_id = in->assoc_id };
	char			why[512];
	enum error		e;

	(void)out;
	if (RPC_HAS(in, send, sctp_sndrcvinfo))
		info = in->sctp_sndrcvinfo;
	e = send_message(call, in, &info);
	if (e == ERR_OK || e == CALL_ANSWERED || !call->notification)
		return e;
	info.assoc_id = in->assoc_id != 0 ? in->assoc_id : in->sctp_sndrcvinfo.assoc_id;
	(void)snprintf(why, sizeof why, "%s", call_why());
	assoc_send_run();	/* notifications are dealt with in their order */
	turn_spend_refusal(call->client->account.user);
	assoc_give_back(call->client, in->sock, &info, in->data, call_error_text(e, why));
	return CALL_ANSWERED;
}

static void
recv_ended(struct call *call, enum call_end why)
{
	struct sock	*s = call->waits_for;

	s->recv = NULL;
	if (why == CALL_TIMED_OUT)
		call_finish_error(call, ERR_timeout, "sock %llu: nothing came in time",
		    (unsigned long long)s->node.key);
	else
		call_forget(call);
	sock_pump(s);
}

/* May a recv wait on this socket now? */
static enum error
may_recv(const struct sock *s)
{
	if (s->active != ACTIVE_FALSE)
		return call_fail(ERR_einval, "sock %llu: it is active, and its owner is sent what comes; set active to false",
		    (unsigned long long)s->node.key);
	if (s->lent)
		return call_fail(ERR_einval, "sock %llu: it is lent to its owner, who reads it; give_back ends that",
		    (unsigned long long)s->node.key);
	if (s->recv != NULL)
		return call_fail(ERR_ealready, "sock %llu: another recv waits",
		    (unsigned long long)s->node.key);
	if (s->over && s->npending == 0)
		return call_fail(ERR_closed, "sock %llu: its association is over, and nothing more will come",
		    (unsigned long long)s->node.key);
	return ERR_OK;
}

static enum error
begin_recv(struct call *call, struct sock *s, int64_t timeout)
{
	enum error	e;

	if (call->notification)
		return call_fail(ERR_einval, "a notification has no answer that could bring what comes; send a request");
	if ((e = may_recv(s)) != ERR_OK)
		return e;
	s->recv = call_keep(call, timeout, recv_ended, s);
	sock_pump(s);
	return CALL_ANSWERED;
}

enum error
handle_recv(struct call *call, const struct rpc_recv_in *in, struct rpc_recv_out *out)
{
	struct sock	*s;
	enum error	 e;

	(void)out;
	if ((e = find_sock(call, in->sock, &s)) != ERR_OK)
		return e;
	return begin_recv(call, s, RPC_HAS(in, recv, timeout) ? in->timeout : -1);
}

enum error
handle_accept(struct call *call, const struct rpc_accept_in *in, struct rpc_accept_out *out)
{
	struct sock	*s;
	enum error	 e;

	(void)out;
	if ((e = find_sock(call, in->sock, &s)) != ERR_OK)
		return e;
	if (s->many || !s->listening)
		return call_fail(ERR_einval, "sock %llu: only a listening stream socket accepts",
		    (unsigned long long)in->sock);
	return begin_recv(call, s, RPC_HAS(in, accept, timeout) ? in->timeout : -1);
}
