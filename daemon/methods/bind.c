/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "methods/arguments.h"
#include "methods/bind.h"
#include "methods/handler.h"
#include "methods/policy.h"
#include "proto/addr.h"
#include "rpc/turn.h"

#define BIND_UNITS	4	/* see rpc/turn.h; for each address */

static enum error
bind_failed(int number, uint16_t port)
{
	switch (number) {
	case EADDRINUSE:
		return call_fail(ERR_eaddrinuse, "port %u: it is in use on that address", port);
	case EADDRNOTAVAIL:
		return call_fail(ERR_eaddrnotavail, "ip: not an address of this host");
	case EACCES:
		return call_fail(ERR_eacces, "port %u: the daemon may not bind it; ports below 1024 need CAP_NET_BIND_SERVICE", port);
	default:
		return call_fail(error_from_errno(number), "bind to port %u: %s", port, strerror(number));
	}
}

enum error
bind_sock(struct sock *s, const msgpack_object *ip, uint16_t port)
{
	static const msgpack_object	any = { .type = MSGPACK_OBJECT_STR, .via.str = { 3, "any" } };
	struct sockaddr_storage		addrs[FIND_ADDRS];
	size_t				n;
	enum error			e;
	int				number;

	if ((e = find_addrs(ip != NULL ? ip : &any, "ip", true, s->family, addrs, &n)) != ERR_OK)
		return e;
	turn_cost(BIND_UNITS * n);
	for (size_t i = 0; i < n; i++)
		addr_set_port(&addrs[i], port);
	if ((number = stack->bind(s, addrs, n)) != 0)
		return bind_failed(number, port);
	return ERR_OK;
}

enum error
bind_free(struct sock *s)
{
	return s->port != 0 ? ERR_OK : bind_sock(s, NULL, 0);
}

enum error
handle_bind(struct call *call, const struct rpc_bind_in *in, struct rpc_bind_out *out)
{
	struct sock	*s;
	enum error	 e;

	if ((e = find_sock(call, in->sock, &s)) != ERR_OK ||
	    (e = policy_port(call->client->uid, in->port)) != ERR_OK)
		return e;
	if (s->port != 0 && !s->stack.bound_untold)
		return call_fail(ERR_einval, "sock %llu: it is bound to port %u already; bindx_add adds addresses",
		    (unsigned long long)s->node.key, s->port);
	if ((e = bind_sock(s, in->ip.obj, in->port)) != ERR_OK)
		return e;
	s->stack.bound_untold = false;
	sock_changed(s);
	out->port = s->port;
	return ERR_OK;
}
