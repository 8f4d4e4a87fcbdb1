/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Methods that send and receive.
 */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "methods/arguments.h"
#include "methods/handler.h"
#include "proto/codec.h"
#include "rpc/turn.h"
#include "socket/deliver.h"
#include "socket/ending.h"
#include "socket/report.h"
#include "socket/sends.h"

/* Parameters that contradict each other, or would mean nothing. */
static enum error
check_info(struct sndrcvinfo *info)
{
	bool	no_addr = IN6_IS_ADDR_UNSPECIFIED(&info->addr);

	if (info->flags & SNDRCV_SENDALL)
		return call_fail(ERR_einval, "flags: sendall would have one answer for all associations, though each takes or refuses the message on its own; send it to each, as assocs lists them");
	if (info->flags & SNDRCV_ADDR_OVER && no_addr)
		return call_fail(ERR_badarg, "addr: missing; the flag addr_over sends to it");
	if (info->pr_policy != PR_NONE && info->timetolive != 0)
		return call_fail(ERR_badarg, "timetolive: give it or pr_policy with pr_value, not both");
	if (info->pr_policy == PR_NONE && info->pr_value != 0)
		return call_fail(ERR_badarg, "pr_value: it says nothing without pr_policy");
	if (info->pr_policy == PR_TTL && info->pr_value == 0)
		return call_fail(ERR_einval, "pr_value: with ttl it is 1 ms or more; without pr_policy a message is never given up");
	if (!no_addr)
		info->flags |= SNDRCV_ADDR_OVER;
	return ERR_OK;
}

/* The sndrcvinfo to send with: as given, or, in own, the defaults with a stream. */
static inline enum error
find_info(struct sock *s, const struct rpc_send_in *in, struct sndrcvinfo *own,
    const struct sndrcvinfo **info, struct assoc **a)
{
	bool		whole = RPC_HAS(in, send, sctp_sndrcvinfo);
	uint32_t	id = whole ? in->sctp_sndrcvinfo.assoc_id : in->assoc_id;
	enum error	e;

	if (whole && (RPC_HAS(in, send, stream) || RPC_HAS(in, send, assoc_id)))
		return call_fail(ERR_badarg, "sctp_sndrcvinfo: it contains assoc_id and stream; give it or those two, not both");
	if ((e = find_assoc(s, id, a)) != ERR_OK)
		return e;
	if (whole) {
		*info = &in->sctp_sndrcvinfo;
		return ERR_OK;
	}
	*info = own;
	if (!(*a)->defaults_known) {
		stack->defaults(*a, &(*a)->defaults);
		(*a)->defaults_known = true;
	}
	*own = (*a)->defaults;
	own->stream = in->stream;
	if (own->flags & SNDRCV_ADDR_OVER)
		return call_fail(ERR_einval, "sctp_default_send_param has the flag addr_over, and no address goes with it; give sctp_sndrcvinfo with addr");
	return ERR_OK;
}

/* gen_sctp's way to shut down or abort; the data is the reason then. */
static enum error
send_end(const struct client *c, struct assoc *a, const struct sndrcvinfo *info,
    const struct rpc_send_in *in)
{
	char	who[REPORT_WHO];

	if (info->flags & SNDRCV_ABORT)
		return assoc_abort(report_who(c, who), a, in->data.ptr, in->data.len);
	if (in->data.len > 0)
		return call_fail(ERR_einval, "data: a message cannot be sent with eof; send it before");
	return assoc_shut(a);
}

static inline enum error
check_data(const struct rpc_send_in *in)
{
	if (in->data.len == 0)
		return call_fail(ERR_einval, "data: it is empty; a message has one byte or more");
	if (in->data.len > config.max_message)
		return call_fail(ERR_emsgsize, "data: %u bytes are more than max_message, %llu",
		    in->data.len, (unsigned long long)config.max_message);
	return ERR_OK;
}

static inline enum error
send_message(struct call *call, const struct rpc_send_in *in)
{
	struct sndrcvinfo	 own;
	const struct sndrcvinfo	*info;
	struct sock		*s;
	struct assoc		*a;
	enum error		 e;

	if ((e = find_sock(call, in->sock, &s)) != ERR_OK)
		return e;
	if ((e = find_info(s, in, &own, &info, &a)) != ERR_OK)
		return e;
	if (info->flags & (SNDRCV_EOF | SNDRCV_ABORT))
		return send_end(call->client, a, info, in);
	if ((e = check_data(in)) != ERR_OK)
		return e;
	return assoc_send(a, call, info, in->data.ptr, in->data.len);
}

/* Refused: what was a notification goes back to its sender. */
static enum error
refuse_send(const struct call *call, const struct rpc_send_in *in, enum error e)
{
	struct sndrcvinfo	info = in->sctp_sndrcvinfo;
	char			why[512];

	if (!RPC_HAS(in, send, sctp_sndrcvinfo)) {
		info.stream = in->stream;
		info.assoc_id = in->assoc_id;
	}
	(void)snprintf(why, sizeof why, "%s", call_why());
	assoc_send_run();	/* notifications are carried out in order */
	turn_spend_refusal(call->client->account.user);
	assoc_give_back(call->client, in->sock, &info, in->data, call_error_text(e, why));
	return CALL_ANSWERED;
}

enum error
send_plainly(struct call *call, const struct rpc_send_in *in)
{
	enum error	e = send_message(call, in);

	if (e == ERR_OK || e == CALL_ANSWERED || !call->notification)
		return e;
	return refuse_send(call, in, e);
}

enum error
handle_send(struct call *call, const struct rpc_send_in *in, struct rpc_send_out *out)
{
	struct rpc_send_in	own = *in;
	enum error		e = check_info(&own.sctp_sndrcvinfo);

	(void)out;
	if (e == ERR_OK)
		return send_plainly(call, &own);
	return call->notification ? refuse_send(call, in, e) : e;
}

/* One message of send_many, checked; what is wrong with it is said of data, stream and so on. */
static enum error
find_one(struct sock *s, uint32_t id, const msgpack_object *o, struct stack_message *m, struct assoc **a)
{
	struct rpc_send_in	 one = { .assoc_id = id };
	struct one_of_many	 got = { .stream = 0 };
	const struct sndrcvinfo	*info = &m->info;
	struct errtext		 err;
	uint64_t		 has = 0;
	enum error		 e;

	if (o->type == MSGPACK_OBJECT_STR)	/* bytes are one here, too: codec_normalize */
		got.data = (struct slice){ o->via.str.ptr, o->via.str.size };
	else if (!codec_unpack(o, one_of_many_fields, &got, &has, &err))
		return call_fail(ERR_badarg, "%s%s%s", err.path, err.path[0] != '\0' ? ": " : "", err.why);
	if (s->many && got.sctp_sndrcvinfo.assoc_id != 0 && got.sctp_sndrcvinfo.assoc_id != id)
		return call_fail(ERR_badarg, "sctp_sndrcvinfo.assoc_id: %u is not the assoc_id of the request, %u",
		    got.sctp_sndrcvinfo.assoc_id, id);
	got.sctp_sndrcvinfo.assoc_id = id;
	one.sctp_sndrcvinfo = got.sctp_sndrcvinfo;
	one.stream = got.stream;
	one.data = got.data;
	if (has & ONE_HAS_STREAM)
		one.has |= UINT64_C(1) << RPC_BIT_send_stream;
	if (has & ONE_HAS_INFO)
		one.has |= UINT64_C(1) << RPC_BIT_send_sctp_sndrcvinfo;
	if ((e = check_info(&one.sctp_sndrcvinfo)) != ERR_OK ||
	    (e = find_info(s, &one, &m->info, &info, a)) != ERR_OK || (e = check_data(&one)) != ERR_OK)
		return e;
	if (info->flags & (SNDRCV_EOF | SNDRCV_ABORT))
		return call_fail(ERR_einval, "flags: eof and abort end the association; use the methods of these names");
	if (info != &m->info)
		m->info = *info;
	m->data = one.data.ptr;
	m->len = one.data.len;
	return ERR_OK;
}

enum error
handle_send_many(struct call *call, const struct rpc_send_many_in *in, struct rpc_send_many_out *out)
{
	static struct stack_message	 m[STACK_RUN];
	const msgpack_object		*list = in->messages.obj;
	struct assoc			*a = NULL;
	struct sock			*s;
	char				 why[400];
	enum error			 e;

	(void)out;
	if (call->notification)
		return call_fail(ERR_einval, "a notification has no answer that could say how many messages were taken; send a request, or each message by a notification");
	if (list->type != MSGPACK_OBJECT_ARRAY || list->via.array.size == 0 || list->via.array.size > STACK_RUN)
		return call_fail(ERR_badarg, "messages: got %s; it takes a list of 1 to %d maps",
		    list->type == MSGPACK_OBJECT_ARRAY ? "a list of another length" : codec_type(list), STACK_RUN);
	if ((e = find_sock(call, in->sock, &s)) != ERR_OK || (e = find_assoc(s, in->assoc_id, &a)) != ERR_OK)
		return e;
	turn_cost(list->via.array.size);
	for (uint32_t i = 0; i < list->via.array.size; i++) {
		if ((e = find_one(s, in->assoc_id, &list->via.array.ptr[i], &m[i], &a)) == ERR_OK)
			continue;
		(void)snprintf(why, sizeof why, "%s", call_why());
		return call_fail(e, "messages[%u].%s", i, why);
	}
	return assoc_send_many(a, call, m, list->via.array.size);
}

static void
recv_ended(struct call *call, enum call_end why)
{
	struct sock	*s = call->waits_for;

	s->recv = NULL;
	if (why == CALL_TIMED_OUT)
		call_finish_error(call, ERR_timeout, "sock %llu: nothing arrived in time",
		    (unsigned long long)s->node.key);
	else
		call_forget(call);
	sock_pump(s);
}

static enum error
begin_recv(struct call *call, struct sock *s, int64_t timeout)
{
	if (call->notification)
		return call_fail(ERR_einval, "a notification has no answer that could return a message; send a request");
	if (s->group == s->node.key && s->share == NULL)
		return call_fail(ERR_einval, "sock %llu: it is the socket of a group; what happens comes to its members as events",
		    (unsigned long long)s->node.key);
	if (s->active != ACTIVE_FALSE)
		return call_fail(ERR_einval, "sock %llu: it is active, so its owner receives what arrives; set active to false",
		    (unsigned long long)s->node.key);
	if (s->lent)
		return call_fail(ERR_einval, "sock %llu: it is lent to its owner, which reads it; give_back returns it",
		    (unsigned long long)s->node.key);
	if (s->recv != NULL)
		return call_fail(ERR_ealready, "sock %llu: another recv is waiting",
		    (unsigned long long)s->node.key);
	if (s->over && s->npending == 0)
		return call_fail(ERR_closed, "sock %llu: its association has ended, and nothing more will arrive",
		    (unsigned long long)s->node.key);
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
