/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Methods that make, name and end sockets.
 */
#include <errno.h>
#include <string.h>

#include "methods/admin.h"
#include "methods/arguments.h"
#include "methods/bind.h"
#include "methods/handler.h"
#include "methods/policy.h"
#include "proto/addr.h"
#include "proto/codec.h"
#include "rpc/session.h"
#include "rpc/turn.h"
#include "socket/deliver.h"
#include "socket/ending.h"
#include "socket/owner.h"

#define OPEN_UNITS	32	/* see rpc/turn.h */
#define CLOSE_UNITS	16	/* for the socket, and for each association */

/* The kernel counts the backlog with 16 bits. */
#define BACKLOG_MAX	65535

/* The events that gen_sctp subscribes: all but adaptation and what came later. */
static const uint8_t default_events[SUBSCRIBE_SIZE] = { 1, 1, 1, 1, 1, 1, 1 };

/* The requested family, or that of the first address. */
static int
family_of(const struct rpc_open_in *in)
{
	const msgpack_object	*o = in->ip.obj;
	struct sockaddr_storage	 ss;

	if (RPC_HAS(in, open, family))
		return in->family;
	if (!RPC_HAS(in, open, ip))
		return AF_INET;
	if (o->type == MSGPACK_OBJECT_ARRAY && o->via.array.size > 0)
		o = &o->via.array.ptr[0];
	if (o->type == MSGPACK_OBJECT_STR &&
	    addr_parse(o->via.str.ptr, o->via.str.size, &ss))
		return ss.ss_family;
	return AF_INET;
}

static enum error
open_failed(int number, const char *netns)
{
	if (netns != NULL && number == EPERM)
		return call_fail(ERR_eperm, "options.netns: the daemon lacks CAP_SYS_ADMIN, or RestrictNamespaces in its unit forbids it; see sctpd(8)");
	if (netns != NULL && number == ENOENT)
		return call_fail(ERR_enoent, "options.netns: %s: it is not a network namespace that the daemon can enter",
		    netns);
	if (netns != NULL && number == ENOPROTOOPT)
		return call_fail(ERR_enoprotoopt, "options.netns: the %s stack has no namespaces", stack->name);
	if (number == EPROTONOSUPPORT || number == ESOCKTNOSUPPORT)
		return call_fail(error_from_errno(number), "%s", stack->probe());
	return call_fail(error_from_errno(number), "socket: %s", strerror(number));
}

/* The requested network namespace, copied to a buffer; NULL for none. */
static enum error
find_netns(const struct call *call, const struct rpc_open_in *in, char *path, size_t size,
    const char **netns)
{
	const msgpack_object	*o = find_option(in->options.obj, "netns");

	*netns = NULL;
	if (o == NULL)
		return ERR_OK;
	if (o->type != MSGPACK_OBJECT_STR || o->via.str.size >= size)
		return call_fail(ERR_badarg, "options.netns: it takes a path, such as \"/run/netns/left\"");
	memcpy(path, o->via.str.ptr, o->via.str.size);
	path[o->via.str.size] = '\0';
	if (strlen(path) != o->via.str.size)
		return call_fail(ERR_badarg, "options.netns: there is a zero byte in the path");
	*netns = path;
	return policy_netns(call->client->uid);
}

static bool
is_unbound(const struct rpc_open_in *in)
{
	return RPC_HAS(in, open, bind) && !in->bind;
}

static enum error
may_leave_unbound(const struct rpc_open_in *in)
{
	if (!is_unbound(in) || (!RPC_HAS(in, open, ip) && !RPC_HAS(in, open, port)))
		return ERR_OK;
	return call_fail(ERR_badarg, "bind: false leaves the socket unbound, so it takes neither ip nor port; give them to the method bind");
}

enum error
handle_open(struct call *call, const struct rpc_open_in *in, struct rpc_open_out *out)
{
	struct sock	*s;
	char		 path[256];
	const char	*netns;
	enum error	 e;
	int		 number;

	if ((e = may_leave_unbound(in)) != ERR_OK ||
	    (e = find_netns(call, in, path, sizeof path, &netns)) != ERR_OK ||
	    (e = policy_port(call->client->uid, in->port)) != ERR_OK ||
	    (e = find_room(call->client->account.user, CHARGE_SOCKETS, 1)) != ERR_OK)
		return e;
	turn_cost(OPEN_UNITS);
	s = sock_new(call->client, in->type == SOCKTYPE_SEQPACKET, family_of(in));
	memcpy(s->subscribed, default_events, sizeof s->subscribed);
	if ((number = stack->open(s, netns)) != 0)
		e = open_failed(number, netns);
	if (e == ERR_OK && RPC_HAS(in, open, options))
		e = find_and_set_options(call, s, in->options.obj);
	if (e == ERR_OK && is_unbound(in))
		s->name.ss_family = (sa_family_t)s->family;
	else if (e == ERR_OK)
		e = bind_sock(s, in->ip.obj, in->port);
	if (e != ERR_OK) {
		sock_close(s, NULL);
		return e;
	}
	out->sock = s->node.key;
	out->port = s->port;
	return ERR_OK;
}

/* A backlog from true, false or a number; many programs give the largest number. */
static enum error
find_backlog(const struct sock *s, const struct rpc_listen_in *in, int *backlog)
{
	const msgpack_object	*o = in->backlog.obj;

	*backlog = s->many ? 5 : 128;
	if (!RPC_HAS(in, listen, backlog))
		return ERR_OK;
	if (o->type == MSGPACK_OBJECT_BOOLEAN) {
		*backlog = o->via.boolean ? *backlog : 0;
		return ERR_OK;
	}
	if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
		*backlog = o->via.u64 < BACKLOG_MAX ? (int)o->via.u64 : BACKLOG_MAX;
		return ERR_OK;
	}
	return call_fail(ERR_badarg, "backlog: it takes true, false, or a number from 0; a number over %d counts as %d",
	    BACKLOG_MAX, BACKLOG_MAX);
}

/* What an association left is for recv, even when the association is over. */
static bool
is_connected(struct sock *s)
{
	const struct pending	*p = TAILQ_FIRST(&s->pending);

	return !s->many && (assoc_next(s, NULL) != NULL || (p != NULL && p->row != EVENT_accept));
}

/* The socket listens no more: what comes next does not answer an accept. */
static void
end_accept(struct sock *s)
{
	struct call	*call = s->recv;

	if (s->many || s->listening || call == NULL || call->method != &rpc_table[RPC_accept])
		return;
	s->recv = NULL;
	call_finish_error(call, ERR_einval, "sock %llu: it no longer listens",
	    (unsigned long long)s->node.key);
}

enum error
handle_listen(struct call *call, const struct rpc_listen_in *in, struct rpc_listen_out *out)
{
	struct sock	*s;
	int		 backlog, number;
	enum error	 e;

	(void)out;
	if ((e = find_sock(call, in->sock, &s)) != ERR_OK ||
	    (e = find_backlog(s, in, &backlog)) != ERR_OK)
		return e;
	if (s->peeled)
		return call_fail(ERR_einval, "sock %llu: it was peeled off, so it cannot listen",
		    (unsigned long long)in->sock);
	if (s->over)
		return call_fail(ERR_closed, "sock %llu: its association has ended; open another socket",
		    (unsigned long long)in->sock);
	if (backlog > 0 && !s->listening && is_connected(s))
		return call_fail(ERR_einval, "sock %llu: it has an association, or messages of one wait to be received, so it cannot listen",
		    (unsigned long long)in->sock);
	if (backlog > 0 && (e = bind_free(s)) != ERR_OK)
		return e;
	if ((number = stack->listen(s, backlog)) == EADDRINUSE)
		return call_fail(ERR_eaddrinuse, "port %u: another socket listens on it", s->port);
	if (number != 0)
		return call_fail(error_from_errno(number), "listen: %s", strerror(number));
	end_accept(s);
	sock_pump(s);
	return ERR_OK;
}

enum error
handle_peeloff(struct call *call, const struct rpc_peeloff_in *in, struct rpc_peeloff_out *out)
{
	struct sock	*s, *to;
	struct assoc	*a;
	enum error	 e;
	int		 number;

	if ((e = find_sock(call, in->sock, &s)) != ERR_OK || (e = find_not_grouped(s)) != ERR_OK)
		return e;
	if (s->home != NULL)
		return call_fail(ERR_einval, "sock %llu: it is a supervised association's; %s",
		    (unsigned long long)s->node.key, "it stays there");
	if (!s->many)
		return call_fail(ERR_einval, "sock %llu: only an association of a one-to-many socket can be peeled off",
		    (unsigned long long)in->sock);
	a = HASH_FIND(assoc, &s->assocs, in->assoc_id);
	if (a == NULL || a->state == ASSOC_OVER)
		return call_fail(ERR_einval, "assoc_id %u: sock %llu has no such association",
		    in->assoc_id, (unsigned long long)in->sock);
	if ((e = find_room(call->client->account.user, CHARGE_SOCKETS, 1)) != ERR_OK)
		return e;
	to = sock_new(call->client, false, s->family);
	if ((number = stack->peeloff(a, to)) != 0) {
		sock_close(to, NULL);
		return number == EAGAIN ?
		    call_fail(ERR_einval, "assoc_id %u: it is not up yet", in->assoc_id) :
		    call_fail(error_from_errno(number), "assoc_id %u: %s", in->assoc_id,
		    strerror(number));
	}
	sock_move_pending(s, to, in->assoc_id);
	out->sock = to->node.key;
	return ERR_OK;
}

enum error
handle_close(struct call *call, const struct rpc_close_in *in, struct rpc_close_out *out)
{
	struct sock	*s;
	struct closer	*closer;
	int		 seconds;
	enum error	 e;

	(void)out;
	if ((e = admin_find_sock(call, in->sock, &s)) != ERR_OK)
		return e;
	if (s->home != NULL)
		return call_fail(ERR_einval, "sock %llu: it is a supervised association's; %s",
		    (unsigned long long)s->node.key, "detach gives it back, and down or unsupervise end it");
	if (s->group == s->node.key && !client_may_use(call->client, s->uid) &&
	    !policy_is_admin(call->client->uid))
		return call_fail(ERR_eacces, "sock %llu: it is the socket of a group of user %u, and you are user %u",
		    (unsigned long long)in->sock, (unsigned)s->uid, (unsigned)call->client->uid);
	turn_cost(CLOSE_UNITS * (1 + s->assocs.count));
	if ((seconds = stack->linger(s)) > 0)
		s->closer = closer_new(call, seconds);
	closer = s->closer;
	if (s->owner == call->client)
		sock_close(s, NULL);
	else
		admin_close(call->client, s);
	return closer != NULL ? closer_begin(closer) : ERR_OK;
}

enum error
handle_controlling_process(struct call *call, const struct rpc_controlling_process_in *in,
    struct rpc_controlling_process_out *out)
{
	struct sock	*s;
	struct client	*to;
	enum error	 e;

	(void)out;
	if ((e = find_sock(call, in->sock, &s)) != ERR_OK)
		return e;
	to = client_find(in->client);
	if (to == s->owner)
		return ERR_OK;
	if ((e = find_not_grouped(s)) != ERR_OK)
		return e;
	if (s->owner != call->client)
		return call_fail(ERR_not_owner, "sock %llu: client %llu owns it, and only the owner may give it away",
		    (unsigned long long)in->sock, (unsigned long long)s->owner->node.key);
	if (to == NULL || to->away || !client_may_use(to, s->uid))
		return call_fail(ERR_badarg, "client %llu: your user has no such client",
		    (unsigned long long)in->client);
	if (s->lent)
		return call_fail(ERR_einval, "sock %llu: it is lent to you; give it back first",
		    (unsigned long long)in->sock);
	if (!to->events)
		return call_fail(ERR_badarg, "client %llu: it has not called hello or watch, so it cannot be given a socket",
		    (unsigned long long)in->client);
	sock_give(s, to);
	return ERR_OK;
}

/* May the descriptor be lent to the owner now? */
static enum error
may_lend(const struct call *call, struct sock *s, const struct assoc *a)
{
	if (!stack->can_lend)
		return call_fail(ERR_enoprotoopt, "lend: the %s stack has no descriptors; talk through sctpd",
		    stack->name);
	if (s->owner != call->client)
		return call_fail(ERR_not_owner, "sock %llu: client %llu owns it, and only the owner may borrow it",
		    (unsigned long long)s->node.key, (unsigned long long)s->owner->node.key);
	if (s->many || s->listening)
		return call_fail(ERR_einval, "sock %llu: it may have several associations; peel one off or accept one first",
		    (unsigned long long)s->node.key);
	if (s->lent)
		return call_fail(ERR_ealready, "sock %llu: it is lent already", (unsigned long long)s->node.key);
	if (a == NULL || a->state != ASSOC_UP)
		return call_fail(ERR_enotconn, "sock %llu: its association is not up", (unsigned long long)s->node.key);
	if (s->npending > 0 || s->recv != NULL || !TAILQ_EMPTY(&a->sends) || stack->has_part(a))
		return call_fail(ERR_eagain, "sock %llu: messages wait in it; receive them first, and wait until those to be sent are sent",
		    (unsigned long long)s->node.key);
	return ERR_OK;
}

enum error
handle_lend(struct call *call, const struct rpc_lend_in *in, struct rpc_lend_out *out)
{
	struct sock	*s;
	struct assoc	*a;
	enum error	 e;

	if ((e = find_sock(call, in->sock, &s)) != ERR_OK)
		return e;
	a = assoc_next(s, NULL);
	if ((e = find_not_grouped(s)) != ERR_OK || (e = may_lend(call, s, a)) != ERR_OK)
		return e;
	if (call->client->out.pass != -1)
		return call_fail(ERR_eagain, "sock %llu: the descriptor of another socket is still being passed; read that answer first",
		    (unsigned long long)in->sock);
	if (call->notification)
		return call_fail(ERR_einval, "lend: a notification has no answer that could pass a descriptor; send a request");
	sock_lend(s);
	output_pass(&call->client->out, stack->lend(s));
	out->assoc_id = assoc_id(a);
	/* The answer is not repeated after a reconnect: the descriptor would be missing. */
	codec_pack(call_reply_begin_as(call, MESSAGE_HELLO, 0), call->method->out, out,
	    call->method->out_size);
	return CALL_ANSWERED;
}

enum error
handle_give_back(struct call *call, const struct rpc_give_back_in *in, struct rpc_give_back_out *out)
{
	struct sock	*s;
	enum error	 e;

	(void)out;
	if ((e = find_sock(call, in->sock, &s)) != ERR_OK)
		return e;
	if (!s->lent)
		return call_fail(ERR_einval, "sock %llu: it is not lent", (unsigned long long)in->sock);
	if (s->owner != call->client)
		return call_fail(ERR_not_owner, "sock %llu: client %llu has it", (unsigned long long)in->sock,
		    (unsigned long long)s->owner->node.key);
	sock_take_back(s);
	return ERR_OK;
}

enum error
handle_adopt(struct call *call, const struct rpc_adopt_in *in, struct rpc_adopt_out *out)
{
	struct sock	*s = sock_find(in->sock);
	struct client	*c;
	enum error	 e;

	(void)out;
	if (RPC_HAS(in, adopt, resume)) {
		c = session_find(in->resume.ptr, in->resume.len);
		if (c == NULL || s == NULL || c != s->owner)
			return call_fail(ERR_eacces, "resume: sock %llu belongs to no session with this token",
			    (unsigned long long)in->sock);
	} else if ((e = find_sock(call, in->sock, &s)) != ERR_OK)
		return e;
	if (s->home != NULL)
		return call_fail(ERR_einval, "sock %llu: it is a supervised association's; the method attach takes it",
		    (unsigned long long)in->sock);
	if (s->owner == call->client)
		return ERR_OK;
	if ((e = find_not_grouped(s)) != ERR_OK)
		return e;
	if (!s->owner->away)
		return call_fail(ERR_not_owner, "sock %llu: client %llu owns it and is connected; it can give the socket away with controlling_process",
		    (unsigned long long)in->sock, (unsigned long long)s->owner->node.key);
	if (!call->client->events)
		return call_fail(ERR_einval, "adopt: this client has not called hello or watch, so it cannot take over a socket");
	if (s->uid != call->client->uid) {
		if ((e = find_room(call->client->account.user, CHARGE_SOCKETS, 1)) != ERR_OK ||
		    (e = find_room(call->client->account.user, CHARGE_ASSOCIATIONS, s->assocs.count)) != ERR_OK)
			return e;
		sock_set_user(s, call->client->uid);
	}
	sock_give(s, call->client);
	return ERR_OK;
}

/* ---- names ---------------------------------------------------------- */

/* One of a side's addresses, as the two results of sockname and peername. */
static void
put_name(const struct sockaddr_storage *ss, struct slice *addr, uint16_t *port)
{
	static char	text[ADDR_TEXT];

	(void)addr_text(ss, text);
	*addr = (struct slice){ text, (uint32_t)strlen(text) };
	*port = addr_port(ss);
}

enum error
handle_sockname(struct call *call, const struct rpc_sockname_in *in, struct rpc_sockname_out *out)
{
	struct sock	*s;
	enum error	 e;

	if ((e = find_sock(call, in->sock, &s)) != ERR_OK)
		return e;
	put_name(&s->name, &out->addr, &out->port);
	return ERR_OK;
}

enum error
handle_port(struct call *call, const struct rpc_port_in *in, struct rpc_port_out *out)
{
	struct sock	*s;
	enum error	 e;

	if ((e = find_sock(call, in->sock, &s)) != ERR_OK)
		return e;
	out->port = s->port;
	return ERR_OK;
}

enum error
handle_peername(struct call *call, const struct rpc_peername_in *in, struct rpc_peername_out *out)
{
	struct sock	*s;
	struct assoc	*a;
	enum error	 e;

	if ((e = find_sock(call, in->sock, &s)) != ERR_OK)
		return e;
	if (s->many || (a = assoc_next(s, NULL)) == NULL)
		return call_fail(ERR_enotconn, "sock %llu: %s", (unsigned long long)in->sock,
		    s->many ? "a one-to-many socket has no one peer; see peernames" :
		    "it has no association");
	put_name(&a->peer, &out->addr, &out->port);
	return ERR_OK;
}

static enum error
reply_names(const struct call *call, struct sock *s, struct assoc *a, bool peer)
{
	struct sockaddr_storage	*names;
	msgpack_packer		*pk;
	size_t			 n;
	int			 number;

	if ((number = stack->names(s, a, peer, &names, &n)) != 0)
		return call_fail(error_from_errno(number), "sock %llu: %s",
		    (unsigned long long)s->node.key, strerror(number));
	pk = call_reply_begin(call);
	msgpack_pack_map(pk, 1);
	codec_pack_text(pk, "addresses");
	msgpack_pack_array(pk, n);
	for (size_t i = 0; i < n; i++)
		codec_pack_endpoint(pk, &names[i]);
	free(names);
	return CALL_ANSWERED;
}

enum error
handle_socknames(struct call *call, const struct rpc_socknames_in *in, struct rpc_socknames_out *out)
{
	struct sock	*s;
	struct assoc	*a = NULL;
	enum error	 e;

	(void)out;
	if ((e = find_sock(call, in->sock, &s)) != ERR_OK)
		return e;
	if (RPC_HAS(in, socknames, assoc_id) &&
	    (e = find_assoc(s, in->assoc_id, &a)) != ERR_OK)
		return e;
	return reply_names(call, s, a, false);
}

enum error
handle_peernames(struct call *call, const struct rpc_peernames_in *in, struct rpc_peernames_out *out)
{
	struct sock	*s;
	struct assoc	*a;
	enum error	 e;

	(void)out;
	if ((e = find_sock(call, in->sock, &s)) != ERR_OK ||
	    (e = find_assoc(s, in->assoc_id, &a)) != ERR_OK)
		return e;
	return reply_names(call, s, a, true);
}
