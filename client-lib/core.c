/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protocol of a connection, without I/O: requests become bytes in c->out,
 * bytes in c->in become answers and events.
 *
 * Ids of requests are slot numbers with a count of the slot's uses above, so
 * an answer is found without a search and a wrong one is known as such.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "core.h"
#include "rpc.h"

#define SLOT_BITS	20
#define SLOT_MASK	((1u << SLOT_BITS) - 1)
#define NO_ID		UINT32_MAX	/* of a notification */

/* ---- bytes ---------------------------------------------------------- */

bool
buf_reserve(struct buf *b, size_t n)
{
	size_t	 room = b->room > 0 ? b->room : 4096;
	char	*data;

	if (b->room - b->len >= n)
		return true;
	if (b->off > 0) {
		memmove(b->data, b->data + b->off, b->len - b->off);
		b->len -= b->off;
		b->off = 0;
	}
	while (room - b->len < n)
		room *= 2;
	if (room == b->room)
		return true;
	if ((data = realloc(b->data, room)) == NULL)
		return false;
	b->data = data;
	b->room = room;
	return true;
}

void
buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .data = NULL };
}

/* ---- errors --------------------------------------------------------- */

int
core_error(struct sctpd *c, int code, const char *fmt, ...)
{
	char	why[sizeof c->error];
	va_list	ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	(void)snprintf(c->error, sizeof c->error, "%s: %s", sctpd_code_name(code), why);
	return code;
}

int
core_error_text(struct sctpd *c, int code, const char *text)
{
	(void)snprintf(c->error, sizeof c->error, "%s", text);
	return code;
}

static int
no_memory(struct sctpd *c)
{
	return core_error(c, SCTPD_ENOMEM, "this program has no memory left");
}

/* ---- requests ------------------------------------------------------- */

static bool
slots_grow(struct sctpd *c)
{
	uint32_t	 room = c->room > 0 ? c->room * 2 : 16;
	struct request	*r;

	if (room > SLOT_MASK || (r = realloc(c->requests, room * sizeof *r)) == NULL)
		return false;
	for (uint32_t i = c->room; i < room; i++)
		r[i] = (struct request){ .id = i, .next_free = i + 1 };
	c->requests = r;
	c->room = room;
	return true;
}

static struct request *
slot_take(struct sctpd *c)
{
	struct request	*r;

	if (c->free == c->room && !slots_grow(c))
		return NULL;
	r = &c->requests[c->free];
	c->free = r->next_free;
	c->pending++;
	r->id += 1u << SLOT_BITS;
	return r;
}

static void
slot_free(struct sctpd *c, struct request *r)
{
	r->state = REQUEST_FREE;
	r->next_free = c->free;
	c->free = r->id & SLOT_MASK;
	c->pending--;
}

static struct request *
slot_find(struct sctpd *c, uint64_t id)
{
	struct request	*r;

	if ((id & SLOT_MASK) >= c->room)
		return NULL;
	r = &c->requests[id & SLOT_MASK];
	return r->state != REQUEST_FREE && r->id == id ? r : NULL;
}

/* msgpack-c's way to write; it cannot fail half-way, so failing waits. */
static int
write_out(void *arg, const char *bytes, size_t n)
{
	struct sctpd	*c = arg;
	size_t		 off = c->out.off;

	if (c->no_memory || !buf_reserve(&c->out, n)) {
		c->no_memory = true;
		return 0;
	}
	if (c->out.off != off)
		c->begun -= off;	/* moved to the front */
	if (n > 0)
		memcpy(c->out.data + c->out.len, bytes, n);
	c->out.len += n;
	return 0;
}

int
core_begin(struct sctpd *c, const char *method, bool answered)
{
	struct request	*r;

	if (c->lost != 0)
		return core_error(c, c->lost, "the connection to sctpd ended");
	if (c->out.len - c->out.off >= CORE_MAX_OUT)
		return core_error(c, SCTPD_EAGAIN,
		    "64 MiB wait to be written; flush, or wait for answers");
	c->no_memory = false;
	c->begun = c->out.len;
	c->begun_id = NO_ID;
	msgpack_packer_init(&c->pk, c, write_out);
	msgpack_pack_array(&c->pk, answered ? 4 : 3);
	if (answered) {
		if ((r = slot_take(c)) == NULL) {
			c->out.len = c->begun;
			return no_memory(c);
		}
		r->recv = strcmp(method, "recv") == 0;
		c->begun_id = r->id;
		msgpack_pack_int(&c->pk, RPC_REQUEST);
		msgpack_pack_uint32(&c->pk, r->id);
	} else {
		msgpack_pack_int(&c->pk, RPC_NOTIFICATION);
	}
	codec_pack_text(&c->pk, method);
	msgpack_pack_array(&c->pk, 1);
	return SCTPD_OK;
}

void
core_cancel(struct sctpd *c)
{
	c->out.len = c->begun;
	if (c->begun_id != NO_ID)
		slot_free(c, &c->requests[c->begun_id & SLOT_MASK]);
}

int
core_end(struct sctpd *c, enum request_state state, sctpd_reply_fn *fn, void *arg)
{
	struct request	*r;

	if (c->no_memory) {
		core_cancel(c);
		return no_memory(c);
	}
	if (c->out.len - c->begun > CORE_MAX_MESSAGE) {
		core_cancel(c);
		return core_error(c, SCTPD_EMSGSIZE, "a call takes 16 MiB at most");
	}
	if (c->begun_id == NO_ID)
		return SCTPD_OK;
	r = &c->requests[c->begun_id & SLOT_MASK];
	r->state = state;
	r->fn = fn;
	r->arg = arg;
	return SCTPD_OK;
}

void
core_abandon(struct sctpd *c, uint32_t id)
{
	struct request	*r = slot_find(c, id);

	if (r == NULL)
		return;
	r->state = REQUEST_ABANDONED;
	r->arg = NULL;
}

/* The callback may do what it likes, so the slot is free before it runs. */
static void
answer_callback(struct sctpd *c, struct request *r, int code, const msgpack_object *result)
{
	sctpd_reply_fn	*fn = r->fn;
	void		*arg = r->arg;

	slot_free(c, r);
	if (fn != NULL)
		fn(c, code, value_of(result), arg);
}

static void
answer_wait(struct sctpd *c, struct request *r, int code, struct message *m)
{
	struct wait	*w = r->arg;

	slot_free(c, r);
	w->done = true;
	w->code = code;
	w->reply = m;
}

void
core_fail_all(struct sctpd *c, int code)
{
	for (uint32_t i = 0; i < c->room && !c->doomed; i++) {
		switch (c->requests[i].state) {
		case REQUEST_FREE:
			break;
		case REQUEST_CALLBACK:
			answer_callback(c, &c->requests[i], code, NULL);
			break;
		case REQUEST_WAIT:
			answer_wait(c, &c->requests[i], code, NULL);
			break;
		case REQUEST_ABANDONED:
			slot_free(c, &c->requests[i]);
			break;
		}
	}
}

/* ---- what the daemon says ------------------------------------------- */

bool
core_full(const struct sctpd *c)
{
	return c->n_events >= CORE_MAX_EVENTS || c->event_bytes >= CORE_MAX_EVENT_BYTES;
}

static void
queue_event(struct sctpd *c, struct message *m, const char *name, const msgpack_object *map)
{
	message_set_event(m, name, map);
	TAILQ_INSERT_TAIL(&c->events, m, entry);
	c->n_events++;
	c->event_bytes += m->len;
}

struct message *
core_event(struct sctpd *c)
{
	struct message	*m = TAILQ_FIRST(&c->events);

	if (m == NULL)
		return NULL;
	TAILQ_REMOVE(&c->events, m, entry);
	c->n_events--;
	c->event_bytes -= m->len;
	return m;
}

/* The code of an answer's error; its text is kept. */
static int
take_error(struct sctpd *c, const msgpack_object *err)
{
	if (err->type == MSGPACK_OBJECT_NIL)
		return SCTPD_OK;
	if (err->type != MSGPACK_OBJECT_STR)
		return core_error(c, SCTPD_UNKNOWN,
		    "the daemon answered with an error that is %s", codec_type(err));
	return core_error_text(c, code_of_text(err->via.str.ptr, err->via.str.size),
	    err->via.str.ptr);
}

/* [1, id, error, result]. Takes the message. */
static bool
take_response(struct sctpd *c, struct message *m)
{
	const msgpack_object	*part = m->obj.via.array.ptr;
	struct request		*r;
	int			 code;

	if (m->obj.via.array.size != 4 || part[1].type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
	    (r = slot_find(c, part[1].via.u64)) == NULL) {
		message_free(m);
		return false;
	}
	if (r->state == REQUEST_ABANDONED) {
		/* What a recv took from its socket is not thrown away. */
		if (r->recv && part[2].type == MSGPACK_OBJECT_NIL)
			queue_event(c, m, NULL, &part[3]);
		else
			message_free(m);
		slot_free(c, r);
		return true;
	}
	if (r->state == REQUEST_WAIT) {
		/* The text is kept when the waiting ends: others may come. */
		answer_wait(c, r, take_error(c, &part[2]), m);
		return true;
	}
	code = take_error(c, &part[2]);
	answer_callback(c, r, code, code == SCTPD_OK ? &part[3] : NULL);
	message_free(m);
	return true;
}

/* [2, name, [{...}]]. Takes the message. */
static bool
take_notification(struct sctpd *c, struct message *m)
{
	const msgpack_object	*part = m->obj.via.array.ptr;

	if (m->obj.via.array.size != 3 || part[1].type != MSGPACK_OBJECT_STR ||
	    part[2].type != MSGPACK_OBJECT_ARRAY) {
		message_free(m);
		return false;
	}
	queue_event(c, m, part[1].via.str.ptr,
	    part[2].via.array.size > 0 ? &part[2].via.array.ptr[0] : NULL);
	return true;
}

static bool
take_message(struct sctpd *c, struct message *m)
{
	if (m->obj.type == MSGPACK_OBJECT_ARRAY && m->obj.via.array.size >= 3 &&
	    m->obj.via.array.ptr[0].type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
		if (m->obj.via.array.ptr[0].via.u64 == RPC_RESPONSE)
			return take_response(c, m);
		if (m->obj.via.array.ptr[0].via.u64 == RPC_NOTIFICATION)
			return take_notification(c, m);
	}
	message_free(m);
	return false;
}

int
core_parse(struct sctpd *c)
{
	enum frame_result	 r;
	struct message		*m;
	size_t			 len;

	while (c->in.off < c->in.len && !core_full(c) && !c->doomed) {
		r = frame_scan(&c->frame, c->in.data + c->in.off,
		    c->in.len - c->in.off, CORE_MAX_MESSAGE, &len);
		if (r == FRAME_MORE)
			return SCTPD_OK;
		if (r != FRAME_MESSAGE)
			return core_error(c, SCTPD_EPROTO, "the daemon sent %s", frame_why(r));
		if ((m = message_new(c->in.data + c->in.off, len)) == NULL)
			return no_memory(c);
		c->in.off += len;
		if (!take_message(c, m))
			return core_error(c, SCTPD_EPROTO,
			    "the daemon sent a message that answers nothing and is no event");
	}
	return SCTPD_OK;
}
