/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Message -> row -> arguments -> handler -> answer.
 */
#include <stdio.h>
#include <string.h>

#include "group/member.h"
#include "methods/arguments.h"
#include "methods/dispatch.h"
#include "methods/handler.h"
#include "proto/codec.h"
#include "proto/fastpath.h"
#include "rpc/client.h"
#include "rpc/turn.h"
#include "socket/assoc.h"
#include "socket/owner.h"
#include "socket/sends.h"
#include "socket/stuck.h"
#include "util/log.h"

typedef enum error (*handler)(struct call *, const void *, void *);

/* The table makes an adapter for each method, from an untyped slot to the typed handler. */
#define METHOD(name, from, doc) static enum error			\
	adapt_##name(struct call *call, const void *in, void *out)	\
	{ return handle_##name(call, in, out); }
#include "proto/rpc.def"

static const handler handlers[RPC_COUNT] = {
#define METHOD(name, from, doc) [RPC_##name] = adapt_##name,
#include "proto/rpc.def"
};

/* Room for the arguments and for the results of any method. */
union any_in {
#define METHOD(name, from, doc) struct rpc_##name##_in name;
#include "proto/rpc.def"
};
union any_out {
#define METHOD(name, from, doc) struct rpc_##name##_out name;
#include "proto/rpc.def"
};

/* Where msgpack-c keeps the objects of the message being served. */
static msgpack_zone zone;

/* Whether the method takes options, by its row. */
static bool has_options[RPC_COUNT];

void
dispatch_init(void)
{
	if (!msgpack_zone_init(&zone, 8192))
		log_fatal("out of memory");
	for (int m = 0; m < RPC_COUNT; m++) {
		for (const struct field *f = rpc_table[m].in; f->key != NULL; f++)
			has_options[m] = has_options[m] || strcmp(f->key, "options") == 0;
	}
}

void
dispatch_free(void)
{
	msgpack_zone_destroy(&zone);
}

/* The one map in params. Empty params count as an empty map, and so does nil in them. */
static enum error
find_args(const msgpack_object *params, const msgpack_object **args)
{
	static const msgpack_object	none = { .type = MSGPACK_OBJECT_MAP };

	if (params->type != MSGPACK_OBJECT_ARRAY)
		return call_fail(ERR_badarg, "params: got %s; it takes a list of one map of named arguments",
		    codec_type(params));
	if (params->via.array.size > 1)
		return call_fail(ERR_badarg, "params: got %u values; it takes one map of named arguments",
		    params->via.array.size);
	*args = params->via.array.size == 1 && params->via.array.ptr[0].type != MSGPACK_OBJECT_NIL ?
	    &params->via.array.ptr[0] : &none;
	return ERR_OK;
}

/* Keys do not stay where they were read, whatever became of the request. */
static void
forget_options(const msgpack_object *args)
{
	for (uint32_t i = 0; args->type == MSGPACK_OBJECT_MAP && i < args->via.map.size; i++) {
		if (codec_is(&args->via.map.ptr[i].key, "options"))
			find_and_forget_secrets(&args->via.map.ptr[i].val);
	}
}

/* The bytes of setsockopt may be a key, whatever the other arguments say. */
static void
forget_value(const msgpack_object *args)
{
	const msgpack_object	*v;

	for (uint32_t i = 0; args->type == MSGPACK_OBJECT_MAP && i < args->via.map.size; i++) {
		v = &args->via.map.ptr[i].val;
		if (codec_is(&args->via.map.ptr[i].key, "value") &&
		    (v->type == MSGPACK_OBJECT_BIN || v->type == MSGPACK_OBJECT_STR))
			connection_forget(v->type == MSGPACK_OBJECT_BIN ? v->via.bin.ptr : v->via.str.ptr,
			    v->type == MSGPACK_OBJECT_BIN ? v->via.bin.size : v->via.str.size);
	}
}

/* Decode the arguments and run the handler. */
static enum error
run(struct call *call, const msgpack_object *params, union any_out *out)
{
	const struct rpc_desc	*m = call->method;
	const msgpack_object	*args = NULL;
	union any_in		 in;
	struct errtext		 err;
	enum error		 e;

	if ((e = find_args(params, &args)) != ERR_OK)
		return e;
	memset(&in, 0, m->in_size);
	memset(out, 0, m->out_size);
	/* The member has comes first in every struct of arguments. */
	if (codec_unpack(args, m->in, &in, (uint64_t *)(void *)&in, &err))
		e = handlers[m - rpc_table](call, &in, out);
	else
		e = call_fail(ERR_badarg, "%s: %s", err.path[0] != '\0' ? err.path : "params", err.why);
	if (has_options[m - rpc_table])
		forget_options(args);
	if (m == &rpc_table[RPC_setsockopt])
		forget_value(args);
	return e;
}

/* A row for an unknown method, only for the answer, which is given at once. */
static const struct rpc_desc *
unknown(const msgpack_object *name)
{
	static char		text[65];
	static struct rpc_desc	method = { .name = text };

	errtext_name(text, sizeof text, name->via.str.ptr, name->via.str.size);
	return &method;
}

static void
serve_call(struct call *call, const msgpack_object *name, const msgpack_object *params)
{
	static const struct rpc_desc	 nameless = { .name = "" };
	union any_out			 out;
	enum error			 e;

	if (name->type == MSGPACK_OBJECT_EXT) {
		call->method = &nameless;
		e = call_fail(ERR_badarg, "method: got %s; it takes a string", codec_type(name));
	} else if ((call->method = rpc_find(name->via.str.ptr, name->via.str.size)) == NULL) {
		call->method = unknown(name);
		e = call_fail(ERR_enosys, "method \"%s\": unknown; describe lists them",
		    call->method->name);
	} else
		e = run(call, params, &out);
	if (e == CALL_ANSWERED)
		return;
	if (e == ERR_OK)
		call_reply(call, &out);
	else
		call_reply_error(call, e, call_why());
}

/* A notification was carried out, or is a message that was queued to be sent. */
static void
count_notification(struct client *c)
{
	c->notifications++;
	if (!assoc_has_queued(c, c->notifications))
		client_said(c);
	client_dirty(c);	/* so that the journal learns the number */
}

/* Is it a request, a notification, or a stray response? False: none of them. */
static bool
take_apart(const msgpack_object_array *a, struct call *call)
{
	const msgpack_object	*name, *params;
	uint64_t		 kind;

	if (a->ptr[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER)
		return false;
	kind = a->ptr[0].via.u64;
	if (kind == RPC_RESPONSE)
		return a->size == 4;	/* some clients send a response when in trouble */
	if (kind > RPC_NOTIFICATION)
		return false;
	call->notification = kind == RPC_NOTIFICATION;
	if (a->size != (call->notification ? 3u : 4u))
		return false;
	name = &a->ptr[a->size - 2];
	params = &a->ptr[a->size - 1];
	if (name->type != MSGPACK_OBJECT_STR && name->type != MSGPACK_OBJECT_EXT)
		return false;
	if (!call->notification) {
		if (a->ptr[1].type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
		    a->ptr[1].via.u64 > UINT32_MAX)
			return false;
		call->msgid = (uint32_t)a->ptr[1].via.u64;
	} else
		call->client->events = true;	/* failures of notifications reach it as events */
	call->ordinal = call->client->notifications + 1;
	serve_call(call, name, params);
	if (call->notification && call->method != &rpc_table[RPC_ack]) {
		count_notification(call->client);
	}
	return true;
}

static void
serve_send(struct client *c, const struct fastpath_send *m)
{
	static const struct rpc_send_out out;
	struct call		 call = {
		.client = c,
		.method = &rpc_table[RPC_send],
		.msgid = m->msgid,
		.notification = m->notification,
	};
	enum error		 e;

	if (m->notification)
		c->events = true;
	call.ordinal = c->notifications + 1;
	e = send_plainly(&call, &m->in);
	if (m->notification)
		count_notification(c);
	if (e == ERR_OK)
		call_reply(&call, &out);
	else if (e != CALL_ANSWERED) {
		turn_spend(c->account.user, 0);		/* the error's text costs more than a send */
		call_reply_error(&call, e, call_why());
	}
}

static size_t
dispatch_send(struct client *c, const char *p, size_t n)
{
	static struct fastpath_send	 m;
	size_t			 len = fastpath_read_send(p, n, &m);

	if (len > 0)
		serve_send(c, &m);
	return len;
}

static bool
dispatch(struct client *c, const char *p, size_t len)
{
	struct call	call = { .client = c };
	msgpack_object	o;
	size_t		off = 0;
	bool		ok = false;

	if (msgpack_unpack(p, len, &off, &zone, &o) == MSGPACK_UNPACK_SUCCESS &&
	    o.type == MSGPACK_OBJECT_ARRAY) {
		codec_normalize(&o);
		ok = take_apart(&o.via.array, &call);
	}
	msgpack_zone_clear(&zone);
	return ok;
}

const struct client_ops dispatch_ops = {
	.serve = dispatch,
	.serve_send = dispatch_send,
	.flush = assoc_send_run,
	.paused = stuck_look,
	.room = group_has_room,
	.gone = owner_exit,
	.back = group_is_back,
	.is_taken = sock_is_taken,
};
