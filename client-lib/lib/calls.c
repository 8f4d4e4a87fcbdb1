/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The methods as C functions. Arguments and results are the structs that
 * rpc.def makes, packed and read by its own field tables.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/codes.h"
#include "lib/core.h"
#include "lib/given.h"
#include "lib/message.h"
#include "lib/numbers.h"
#include "lib/wait.h"
#include "lib/words.h"
#include "proto/codec.h"
#include "proto/rpc.h"

#define HAS(method, field)	(UINT64_C(1) << RPC_BIT_##method##_##field)

/* ---- any method ----------------------------------------------------- */

static int
finish(struct sctpd *c, int code, int64_t timeout, const struct sctpd_value **result)
{
	if (result != NULL)
		*result = NULL;
	if (code != SCTPD_OK || (code = conn_finish(c, timeout)) != SCTPD_OK)
		return code;
	if (result != NULL)
		*result = value_of(conn_result(c));
	return SCTPD_OK;
}

static int
finish_async(struct sctpd *c, int code, sctpd_reply_fn *fn, void *arg)
{
	return code != SCTPD_OK ? code : core_end(c, REQUEST_CALLBACK, fn, arg);
}

int
sctpd_callv(struct sctpd *c, const struct sctpd_value **result, int argc,
    const char *const *argv)
{
	int64_t	timeout = 0;
	int	code = words_begin(c, true, argc, argv, &timeout);

	return finish(c, code, timeout, result);
}

int
sctpd_call(struct sctpd *c, const struct sctpd_value **result, const char *format, ...)
{
	int64_t	timeout = 0;
	va_list	ap;
	int	code;

	va_start(ap, format);
	code = words_beginf(c, true, NULL, format, ap, &timeout);
	va_end(ap);
	return finish(c, code, timeout, result);
}

int
sctpd_callv_async(struct sctpd *c, sctpd_reply_fn *fn, void *arg, int argc,
    const char *const *argv)
{
	return finish_async(c, words_begin(c, fn != NULL, argc, argv, NULL), fn, arg);
}

int
sctpd_call_async(struct sctpd *c, sctpd_reply_fn *fn, void *arg, const char *format, ...)
{
	va_list	ap;
	int	code;

	va_start(ap, format);
	code = words_beginf(c, fn != NULL, NULL, format, ap, NULL);
	va_end(ap);
	return finish_async(c, code, fn, arg);
}

/* ---- methods with structs ------------------------------------------- */

/* Pack those fields of in, a struct rpc_*_in, whose bits are set in has. */
static int
begin(struct sctpd *c, enum rpc_method m, bool answered, const void *in)
{
	const struct rpc_desc	*d = &rpc_table[m];
	struct field		 one[2] = { { .key = NULL }, { .key = NULL } };
	uint64_t		 has;
	int			 code;

	memcpy(&has, in, sizeof has);
	if ((code = core_begin(c, d->name, answered)) != SCTPD_OK)
		return code;
	msgpack_pack_map(&c->pk, (size_t)__builtin_popcountll(has));
	for (const struct field *f = d->in; f->key != NULL; f++) {
		if ((has >> (f - d->in) & 1) == 0)
			continue;
		one[0] = *f;
		codec_pack_fields(&c->pk, one, in, d->in_size);
	}
	return SCTPD_OK;
}

/* Read the answer into out, a struct rpc_*_out; what is absent stays. */
static int
read_result(struct sctpd *c, enum rpc_method m, void *out)
{
	struct errtext	why;
	uint64_t	has;

	if (codec_read(conn_result(c), rpc_table[m].out, out, &has, &why)) {
		memcpy(out, &has, sizeof has);
		return SCTPD_OK;
	}
	return lib_error(c, SCTPD_EPROTO, "the answer of sctpd to %s: %s%s%s", rpc_table[m].name,
	    why.path, why.path[0] != '\0' ? ": " : "", why.why);
}

/* Call and wait; timeout is the method's own, -1 for ever. */
static int
call(struct sctpd *c, enum rpc_method m, const void *in, void *out, int64_t timeout)
{
	int	code = begin(c, m, true, in);

	if (code != SCTPD_OK || (code = conn_finish(c, timeout)) != SCTPD_OK)
		return code;
	return out != NULL ? read_result(c, m, out) : SCTPD_OK;
}

int
sctpd_hello(struct sctpd *c, const char *name, uint64_t *client)
{
	struct rpc_hello_in	in = {
		.has = HAS(hello, name) | HAS(hello, protocol),
		.name = { name, (uint32_t)strlen(name) },
		.protocol = RPC_PROTOCOL,
	};
	struct rpc_hello_out	out = { .client = 0 };
	int			code = call(c, RPC_hello, &in, &out, 0);

	if (client != NULL)
		*client = out.client;
	return code;
}

int
sctpd_open(struct sctpd *c, uint64_t *sock, const char *format, ...)
{
	struct rpc_open_out	out = { .sock = 0 };
	va_list			ap;
	int			code;

	va_start(ap, format);
	code = words_beginf(c, true, "open", format, ap, NULL);
	va_end(ap);
	if (code == SCTPD_OK && (code = conn_finish(c, 0)) == SCTPD_OK)
		code = read_result(c, RPC_open, &out);
	*sock = out.sock;
	return code;
}

/* The words that connect and connect_init share. */
static int
begin_connect(struct sctpd *c, const char *format, ...)
{
	va_list	ap;
	int	code;

	va_start(ap, format);
	code = words_beginf(c, true, NULL, format, ap, NULL);
	va_end(ap);
	return code;
}

int
sctpd_connect(struct sctpd *c, uint64_t sock, const char *addr, uint16_t port,
    int timeout, struct sctpd_assoc *assoc)
{
	struct rpc_connect_out	out = { .assoc_id = 0 };
	char			ms[16] = "infinity";
	int			code;

	if (timeout >= 0)
		(void)snprintf(ms, sizeof ms, "%d", timeout);
	code = begin_connect(c, "connect sock=%llu addr=%s port=%u timeout=%s",
	    (unsigned long long)sock, addr, port, ms);
	if (code == SCTPD_OK && (code = conn_finish(c, timeout)) == SCTPD_OK)
		code = read_result(c, RPC_connect, &out);
	if (assoc != NULL)
		*assoc = (struct sctpd_assoc){ out.assoc_id, out.outbound_streams,
		    out.inbound_streams, out.error };
	return code;
}

int
sctpd_connect_init(struct sctpd *c, uint64_t sock, const char *addr, uint16_t port,
    uint32_t *assoc_id)
{
	struct rpc_connect_init_out	out = { .assoc_id = 0 };
	int				code;

	code = begin_connect(c, "connect_init sock=%llu addr=%s port=%u",
	    (unsigned long long)sock, addr, port);
	if (code == SCTPD_OK && (code = conn_finish(c, 0)) == SCTPD_OK)
		code = read_result(c, RPC_connect_init, &out);
	if (assoc_id != NULL)
		*assoc_id = out.assoc_id;
	return code;
}

int
sctpd_listen(struct sctpd *c, uint64_t sock, int backlog)
{
	msgpack_object		n = { .type = MSGPACK_OBJECT_POSITIVE_INTEGER };
	struct rpc_listen_in	in = { .has = HAS(listen, sock), .sock = sock };

	if (backlog >= 0) {
		n.via.u64 = (uint64_t)backlog;
		in.has |= HAS(listen, backlog);
		in.backlog.obj = &n;
	}
	return call(c, RPC_listen, &in, NULL, 0);
}

int
sctpd_accept(struct sctpd *c, uint64_t sock, int timeout, uint64_t *accepted)
{
	struct rpc_accept_in	in = {
		.has = HAS(accept, sock) | HAS(accept, timeout),
		.sock = sock, .timeout = timeout < 0 ? -1 : timeout,
	};
	struct rpc_accept_out	out = { .accepted = 0 };
	int			code = call(c, RPC_accept, &in, &out, in.timeout);

	*accepted = out.accepted;
	return code;
}

int
sctpd_peeloff(struct sctpd *c, uint64_t sock, uint32_t assoc_id, uint64_t *peeled)
{
	struct rpc_peeloff_in	in = {
		.has = HAS(peeloff, sock) | HAS(peeloff, assoc_id),
		.sock = sock, .assoc_id = assoc_id,
	};
	struct rpc_peeloff_out	out = { .sock = 0 };
	int			code = call(c, RPC_peeloff, &in, &out, 0);

	*peeled = out.sock;
	return code;
}

int
sctpd_eof(struct sctpd *c, uint64_t sock, uint32_t assoc_id)
{
	struct rpc_eof_in	in = {
		.has = HAS(eof, sock) | (assoc_id != 0 ? HAS(eof, assoc_id) : 0),
		.sock = sock, .assoc_id = assoc_id,
	};

	return call(c, RPC_eof, &in, NULL, 0);
}

int
sctpd_abort(struct sctpd *c, uint64_t sock, uint32_t assoc_id)
{
	struct rpc_abort_in	in = {
		.has = HAS(abort, sock) | (assoc_id != 0 ? HAS(abort, assoc_id) : 0),
		.sock = sock, .assoc_id = assoc_id,
	};

	return call(c, RPC_abort, &in, NULL, 0);
}

int
sctpd_close(struct sctpd *c, uint64_t sock)
{
	struct rpc_close_in	in = { .has = HAS(close, sock), .sock = sock };

	return call(c, RPC_close, &in, NULL, 0);
}

int
sctpd_controlling_process(struct sctpd *c, uint64_t sock, uint64_t client)
{
	struct rpc_controlling_process_in	in = {
		.has = HAS(controlling_process, sock) | HAS(controlling_process, client),
		.sock = sock, .client = client,
	};

	return call(c, RPC_controlling_process, &in, NULL, 0);
}

/* ---- groups --------------------------------------------------------- */

int
sctpd_join(struct sctpd *c, const char *name, int priority, uint64_t *sock)
{
	struct rpc_join_in	in = {
		.has = HAS(join, name) | (priority >= 0 ? HAS(join, priority) : 0),
		.name = { name, (uint32_t)strlen(name) }, .priority = (uint32_t)priority,
	};
	struct rpc_join_out	out = { .sock = 0 };
	int			code = call(c, RPC_join, &in, &out, 0);

	if (sock != NULL)
		*sock = out.sock;
	return code;
}

int
sctpd_leave(struct sctpd *c, const char *name)
{
	struct rpc_leave_in	in = {
		.has = HAS(leave, name), .name = { name, (uint32_t)strlen(name) },
	};

	return call(c, RPC_leave, &in, NULL, 0);
}

int
sctpd_drain_member(struct sctpd *c, const char *name, int on, size_t *sockets)
{
	struct rpc_drain_member_in	in = {
		.has = HAS(drain_member, name) | HAS(drain_member, on),
		.name = { name, (uint32_t)strlen(name) }, .on = on != 0,
	};
	struct rpc_drain_member_out	out = { .sockets = 0 };
	int				code = call(c, RPC_drain_member, &in, &out, 0);

	if (sockets != NULL)
		*sockets = out.sockets;
	return code;
}

/* ---- lending -------------------------------------------------------- */

int
sctpd_return(struct sctpd *c, uint64_t sock)
{
	struct rpc_give_back_in	in = { .has = HAS(give_back, sock), .sock = sock };

	return call(c, RPC_give_back, &in, NULL, 0);
}

int
sctpd_lend(struct sctpd *c, uint64_t sock, int *fd)
{
	struct rpc_lend_in	in = { .has = HAS(lend, sock), .sock = sock };
	int			code;

	*fd = -1;
	if ((code = call(c, RPC_lend, &in, NULL, 0)) != SCTPD_OK)
		return code;
	*fd = c->reply->fd;
	c->reply->fd = -1;
	if (*fd != -1)
		return SCTPD_OK;
	(void)sctpd_return(c, sock);
	return lib_error(c, SCTPD_EOPNOTSUPP,
	    "sock %llu: no descriptor came with the answer; this program may have too many open, or may not be connected to sctpd's own socket",
	    (unsigned long long)sock);
}

int
sctpd_passed(struct sctpd *c)
{
	int	fd = c->reply != NULL ? c->reply->fd : -1;

	if (c->reply != NULL)
		c->reply->fd = -1;
	return fd;
}

/* ---- names ---------------------------------------------------------- */

/* The answers of sockname and peername are alike. */
static int
name_result(struct sctpd *c, int code, char *addr, size_t addrlen, uint16_t *port)
{
	const struct sctpd_value	*v;

	if (code != SCTPD_OK)
		return code;
	v = value_of(conn_result(c));
	if (addr != NULL)
		(void)snprintf(addr, addrlen, "%s", sctpd_get_str(v, "addr"));
	if (port != NULL)
		*port = (uint16_t)sctpd_get_int(v, "port");
	return SCTPD_OK;
}

int
sctpd_sockname(struct sctpd *c, uint64_t sock, char *addr, size_t addrlen, uint16_t *port)
{
	struct rpc_sockname_in	in = { .has = HAS(sockname, sock), .sock = sock };

	return name_result(c, call(c, RPC_sockname, &in, NULL, 0), addr, addrlen, port);
}

int
sctpd_peername(struct sctpd *c, uint64_t sock, char *addr, size_t addrlen, uint16_t *port)
{
	struct rpc_peername_in	in = { .has = HAS(peername, sock), .sock = sock };

	return name_result(c, call(c, RPC_peername, &in, NULL, 0), addr, addrlen, port);
}

/* ---- messages ------------------------------------------------------- */

int
sctpd_recv(struct sctpd *c, uint64_t sock, int timeout, const struct sctpd_event **ev)
{
	struct rpc_recv_in	in = {
		.has = HAS(recv, sock) | HAS(recv, timeout),
		.sock = sock, .timeout = timeout < 0 ? -1 : timeout,
	};
	int			code;

	*ev = NULL;
	c->lent = message_free(c->lent);
	given_back(c);
	if ((code = call(c, RPC_recv, &in, NULL, in.timeout)) != SCTPD_OK)
		return code;
	c->lent = c->reply;
	c->reply = NULL;
	message_set_event(c->lent, NULL, &c->lent->obj.via.array.ptr[3]);
	c->lent->event.seq = c->lent->mark.number;
	numbers_show(c, &c->lent->mark);
	*ev = &c->lent->event;
	return SCTPD_OK;
}

/* A message's arguments, copied into the request. */
static int
begin_send(struct sctpd *c, bool answered, struct rpc_send_in *in, const void *data,
    size_t len)
{
	if (len > CORE_MAX_MESSAGE)
		return lib_error(c, SCTPD_EMSGSIZE,
		    "the message has %zu bytes; a call takes 16 MiB at most", len);
	in->has |= HAS(send, sock) | HAS(send, data);
	in->data = (struct slice){ data, (uint32_t)len };
	return begin(c, RPC_send, answered, in);
}

static struct rpc_send_in
send_args(uint64_t sock, const struct sctpd_sndrcvinfo *info)
{
	return (struct rpc_send_in){
		.has = HAS(send, sctp_sndrcvinfo), .sock = sock,
		.sctp_sndrcvinfo = {
			.stream = info->stream, .ssn = info->ssn,
			.flags = info->flags, .ppid = info->ppid,
			.context = info->context, .timetolive = info->timetolive,
			.assoc_id = info->assoc_id,
		},
	};
}

int
sctpd_send(struct sctpd *c, uint64_t sock, uint32_t assoc_id, uint16_t stream,
    const void *data, size_t len)
{
	struct rpc_send_in	in = {
		.has = HAS(send, stream) | (assoc_id != 0 ? HAS(send, assoc_id) : 0),
		.sock = sock, .assoc_id = assoc_id, .stream = stream,
	};
	int			code = begin_send(c, true, &in, data, len);

	return code != SCTPD_OK ? code : conn_finish(c, 0);
}

int
sctpd_sendmsg(struct sctpd *c, uint64_t sock, const struct sctpd_sndrcvinfo *info,
    const void *data, size_t len)
{
	struct rpc_send_in	in = send_args(sock, info);
	int			code = begin_send(c, true, &in, data, len);

	return code != SCTPD_OK ? code : conn_finish(c, 0);
}

int
sctpd_sendmsg_async(struct sctpd *c, uint64_t sock, const struct sctpd_sndrcvinfo *info,
    const void *data, size_t len, sctpd_reply_fn *fn, void *arg)
{
	struct rpc_send_in	in = send_args(sock, info);
	int			code = begin_send(c, fn != NULL, &in, data, len);

	return finish_async(c, code, fn, arg);
}
