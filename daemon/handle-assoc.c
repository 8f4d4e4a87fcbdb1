/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Methods that make and end associations.
 */
#include <errno.h>
#include <string.h>

#include "addr.h"
#include "find.h"
#include "handler.h"

/* Longest reason of an abort: it travels in one packet. */
#define MAX_REASON	1024

static enum error
connect_failed(int number, const struct sockaddr_storage *peer)
{
	char	text[ADDR_TEXT];

	(void)addr_text(peer, text);
	switch (number) {
	case EISCONN:
		return call_fail(ERR_eisconn, "%s:%u: the socket has an association with it already",
		    text, addr_port(peer));
	case EALREADY:
		return call_fail(ERR_ealready, "%s:%u: an association with it is being set up",
		    text, addr_port(peer));
	default:
		return call_fail(error_from_errno(number), "%s:%u: %s", text,
		    addr_port(peer), strerror(number));
	}
}

/* What connect and connect_init have in common. */
static enum error
begin(const struct call *call, uint64_t sock, const msgpack_object *addr, uint16_t port,
    const msgpack_object *options, struct assoc **a)
{
	struct sockaddr_storage	 addrs[FIND_ADDRS];
	struct sock		*s;
	enum error		 e;
	size_t			 n;
	int			 number;

	if ((e = find_sock(call, sock, &s)) != ERR_OK)
		return e;
	if (port == 0)
		return call_fail(ERR_einval, "port: 0 is no port of a peer; it takes 1 to 65535");
	if ((e = find_addrs(addr, "addr", false, s->family, addrs, &n)) != ERR_OK)
		return e;
	for (size_t i = 0; i < n; i++)
		addr_set_port(&addrs[i], port);
	if (s->over)
		return call_fail(ERR_closed, "sock %llu: its association is over; open another",
		    (unsigned long long)sock);
	if (!s->many && assoc_next(s, NULL) != NULL)
		return connect_failed(EISCONN, &addrs[0]);
	if (s->listening && !s->many)
		return call_fail(ERR_einval, "sock %llu: a listening stream socket cannot connect",
		    (unsigned long long)sock);
	if (options != NULL && (e = find_and_set_options(s, options)) != ERR_OK)
		return e;
	if ((number = stack_connect(s, addrs, n, a)) != 0)
		return connect_failed(number, &addrs[0]);
	return ERR_OK;
}

/* Nobody waits for it any more: take the attempt back. */
static void
connect_ended(struct call *call, enum call_end why)
{
	struct assoc	*a = call->waits_for;
	struct sock	*s = a->sock;

	a->connect = NULL;
	a->unwanted = true;
	s->connecting--;
	(void)stack_abort(a, NULL, 0);
	if (why == CALL_TIMED_OUT)
		call_finish_error(call, ERR_timeout,
		    "connect: the peer did not answer in time; the attempt was taken back");
	else
		call_forget(call);
}

enum error
handle_connect(struct call *call, const struct rpc_connect_in *in, struct rpc_connect_out *out)
{
	struct assoc	*a;
	enum error	 e;

	(void)out;
	if ((e = begin(call, in->sock, in->addr.obj, in->port, in->options.obj, &a)) != ERR_OK)
		return e;
	a->sock->connecting++;
	a->connect = call_keep(call, RPC_HAS(in, connect, timeout) ? in->timeout : -1,
	    connect_ended, a);
	sock_pump(a->sock);
	return CALL_ANSWERED;
}

enum error
handle_connect_init(struct call *call, const struct rpc_connect_init_in *in,
    struct rpc_connect_init_out *out)
{
	struct assoc	*a;
	enum error	 e;

	if ((e = begin(call, in->sock, in->addr.obj, in->port, in->options.obj, &a)) != ERR_OK)
		return e;
	out->assoc_id = assoc_id(a);
	sock_pump(a->sock);
	return ERR_OK;
}

static enum error
end_failed(int number, uint32_t id)
{
	return call_fail(error_from_errno(number), "assoc_id %u: %s", id,
	    number == EPIPE ? "it is over, or is being shut down" : strerror(number));
}

enum error
handle_eof(struct call *call, const struct rpc_eof_in *in, struct rpc_eof_out *out)
{
	struct sock	*s;
	struct assoc	*a;
	enum error	 e;
	int		 number;

	(void)out;
	if ((e = find_sock(call, in->sock, &s)) != ERR_OK ||
	    (e = find_assoc(s, in->assoc_id, &a)) != ERR_OK)
		return e;
	if ((number = assoc_eof(a)) != 0)
		return end_failed(number, in->assoc_id);
	return ERR_OK;
}

enum error
handle_abort(struct call *call, const struct rpc_abort_in *in, struct rpc_abort_out *out)
{
	struct sock	*s;
	struct assoc	*a;
	enum error	 e;
	int		 number;

	(void)out;
	if ((e = find_sock(call, in->sock, &s)) != ERR_OK ||
	    (e = find_assoc(s, in->assoc_id, &a)) != ERR_OK)
		return e;
	if (in->reason.len > MAX_REASON)
		return call_fail(ERR_emsgsize, "reason: %u bytes; it takes %d at most",
		    in->reason.len, MAX_REASON);
	if (in->reason.len > 0 && !s->many && !s->peeled)
		return call_fail(ERR_einval, "reason: a stream socket cannot give one");
	if (a->state == ASSOC_OVER)
		return end_failed(EPIPE, in->assoc_id);
	if ((number = stack_abort(a, in->reason.ptr, in->reason.len)) != 0)
		return end_failed(number, in->assoc_id);
	return ERR_OK;
}
