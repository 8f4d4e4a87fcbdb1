/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Methods that set and read options, and counters. This file knows no option by
 * name; each of the daemon's own options has a case.
 */
#include <string.h>

#include "methods/arguments.h"
#include "methods/handler.h"
#include "proto/codec.h"
#include "socket/deliver.h"

enum error
handle_setopts(struct call *call, const struct rpc_setopts_in *in, struct rpc_setopts_out *out)
{
	struct sock	*s;
	enum error	 e;

	(void)out;
	if ((e = find_sock(call, in->sock, &s)) != ERR_OK)
		return e;
	return find_and_set_options(call, s, in->options.obj);
}

static enum error
get_by_row(struct sock *s, const struct sockopt *o, const msgpack_object *key,
    msgpack_packer *pk)
{
	char		buf[SOCKOPT_MAX] = { 0 };
	struct errtext	err;
	enum error	e;

	if (key != NULL && o->fields[0].key[0] == '\0')
		return call_fail(ERR_badarg, "%s: it is read by its name alone", o->name);
	if (key != NULL && !codec_unpack(key, o->fields, buf, NULL, &err))
		return find_bad_value(o, &err);
	if ((e = find_value(s, o, buf)) != ERR_OK)
		return e;
	codec_pack(pk, o->fields, buf, o->size);
	return ERR_OK;
}

/* Pack one [name, value]. */
static enum error
get_option(struct sock *s, const msgpack_object *name, const msgpack_object *key,
    msgpack_packer *pk)
{
	const struct sockopt	*o = sockopt_find(name->via.str.ptr, name->via.str.size);

	if (o == NULL)
		return call_fail(ERR_einval, "%.*s: there is no such option; describe lists them",
		    name->via.str.size > 64 ? 64 : (int)name->via.str.size, name->via.str.ptr);
	if (!(o->access & SOCKOPT_GET))
		return call_fail(ERR_einval, "%s: it can only be %s", o->name,
		    o->access & SOCKOPT_OPEN ? "given at open" : "set");
	msgpack_pack_array(pk, 2);
	codec_pack_text(pk, o->name);
	if (o->level == LEVEL_STORED) {
		codec_pack(pk, o->fields, (const char *)&s->own + o->optname, o->size);
		return ERR_OK;
	}
	if (o->level != LEVEL_HANDLED)
		return get_by_row(s, o, key, pk);
	switch ((enum sockopt_handled)o->optname) {
	case HANDLED_ACTIVE:
		sock_pack_active(pk, s);
		break;
	case HANDLED_EVENTS:
		codec_pack(pk, o->fields, s->subscribed, o->size);
		break;
	case HANDLED_AUTH:
	case HANDLED_NETNS:
		break;		/* it has no SOCKOPT_GET */
	}
	return ERR_OK;
}

/* The i-th option asked for: a name, or a name with a record of the key fields. */
static enum error
get_wanted(struct sock *s, const msgpack_object *o, uint32_t i, msgpack_packer *pk)
{
	if (o->type == MSGPACK_OBJECT_STR)
		return get_option(s, o, NULL, pk);
	if (o->type == MSGPACK_OBJECT_ARRAY && o->via.array.size == 2 &&
	    o->via.array.ptr[0].type == MSGPACK_OBJECT_STR)
		return get_option(s, &o->via.array.ptr[0], &o->via.array.ptr[1], pk);
	return call_fail(ERR_badarg, "options: number %u is neither a name nor a [name, record]", i + 1);
}

enum error
handle_getopts(struct call *call, const struct rpc_getopts_in *in, struct rpc_getopts_out *out)
{
	const msgpack_object	*o = in->options.obj;
	msgpack_sbuffer		 packed;
	msgpack_packer		 pk;
	struct sock		*s;
	enum error		 e;

	if ((e = find_sock(call, in->sock, &s)) != ERR_OK)
		return e;
	if (o->type != MSGPACK_OBJECT_ARRAY)
		return call_fail(ERR_badarg, "options: got %s; it takes a list of names", codec_type(o));
	if ((e = find_too_many(s, o->via.array.size, false)) != ERR_OK)
		return e;
	msgpack_sbuffer_init(&packed);
	msgpack_packer_init(&pk, &packed, msgpack_sbuffer_write);
	msgpack_pack_array(&pk, o->via.array.size);
	for (uint32_t i = 0; i < o->via.array.size && e == ERR_OK; i++)
		e = get_wanted(s, &o->via.array.ptr[i], i, &pk);
	out->options.packed = (struct slice){ packed.data, (uint32_t)packed.size };
	if (e == ERR_OK)
		call_reply(call, out);
	msgpack_sbuffer_destroy(&packed);
	return e == ERR_OK ? CALL_ANSWERED : e;
}

static uint64_t
average(const struct sock_stat *st)
{
	return st->cnt > 0 ? st->oct / st->cnt : 0;
}

enum error
handle_getstat(struct call *call, const struct rpc_getstat_in *in, struct rpc_getstat_out *out)
{
	struct sock	*s;
	enum error	 e;

	if ((e = find_sock(call, in->sock, &s)) != ERR_OK)
		return e;
	out->recv_cnt = s->received.cnt;
	out->recv_oct = s->received.oct;
	out->recv_max = s->received.max;
	out->recv_avg = average(&s->received);
	out->send_cnt = s->sent.cnt;
	out->send_oct = s->sent.oct;
	out->send_max = s->sent.max;
	out->send_avg = average(&s->sent);
	out->send_pend = s->waiting;
	return ERR_OK;
}
