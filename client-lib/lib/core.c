/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protocol of a connection, without I/O: requests become bytes in c->out,
 * bytes in c->in become answers and events.
 */
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/codes.h"
#include "lib/core.h"
#include "lib/fastpath.h"
#include "lib/groups.h"
#include "lib/message.h"
#include "lib/numbers.h"
#include "lib/requests.h"
#include "lib/sent.h"
#include "proto/codec.h"
#include "proto/rpc.h"

/* msgpack-c writes through this. It cannot stop half-way, so core_end reports a failure. */
static int
write_out(void *arg, const char *bytes, size_t n)
{
	struct sctpd	*c = arg;
	size_t		 off = c->out.off;

	if (c->no_memory || !buf_add(&c->out, bytes, n)) {
		c->no_memory = true;
		return 0;
	}
	if (c->out.off != off)
		c->begun -= off;	/* moved to the front */
	return 0;
}

/* Gives why a request cannot begin now, or SCTPD_OK. */
static int
may_begin(struct sctpd *c)
{
	if (c->lost != 0)
		return lib_error(c, c->lost, "%s", lib_why_lost(c));
	if (c->out.len - c->out.off >= CORE_MAX_OUT && c->begun_what != BEGUN_ACK)
		return lib_error(c, SCTPD_EAGAIN, c->session.on ?
		    "64 MiB of requests are not written or not answered; wait for answers" :
		    "64 MiB of requests are not written; flush, or wait for answers");
	return SCTPD_OK;
}

static enum begun
what_begins(const struct sctpd *c, const char *method)
{
	if (strcmp(method, "ack") == 0)
		return BEGUN_ACK;
	if (c->session.on && strcmp(method, "controlling_process") == 0)
		return BEGUN_GIFT;
	if (c->session.on && strcmp(method, "join") == 0)
		return BEGUN_JOIN;
	if (c->session.on && strcmp(method, "leave") == 0)
		return BEGUN_LEAVE;
	return BEGUN_OTHER;
}

/* The new owner receives every message that we have not acknowledged by now. */
static void
give_rest(struct sctpd *c)
{
	numbers_let_go(c);
	(void)numbers_ack(c);
}

int
core_begin(struct sctpd *c, const char *method, bool answered)
{
	struct request	*r;
	int		 code;

	c->begun_what = what_begins(c, method);
	if ((code = may_begin(c)) != SCTPD_OK)
		return code;
	if (c->begun_what == BEGUN_GIFT)
		give_rest(c);
	c->no_memory = false;
	c->begun = c->out.len;
	c->begun_id = NO_ID;
	msgpack_packer_init(&c->pk, c, write_out);
	msgpack_pack_array(&c->pk, answered ? 4 : 3);
	if (answered) {
		if ((r = request_take(c)) == NULL) {
			c->out.len = c->begun;
			return lib_no_memory(c);
		}
		r->recv = strcmp(method, "recv") == 0;
		r->lends = strcmp(method, "lend") == 0;
		r->taps = strcmp(method, "tap") == 0;
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
		request_free(c, request_at(c, c->begun_id));
}

static uint64_t
number_in(const msgpack_object *map, const char *key)
{
	const msgpack_object	*v = map_get(map, key, strlen(key));

	return v != NULL && v->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? v->via.u64 : 0;
}

/* Note which socket the request gives away. Giving it to oneself does not count. */
static void
note_gift(struct sctpd *c, struct request *r, const msgpack_object *map)
{
	r->sock = number_in(map, "sock");
	r->gives = number_in(map, "client") != c->session.client;
	c->session.gives += r->gives;
}

/* Note which group the request joins or leaves. That another client leaves one does not count. */
static bool
note_group(struct sctpd *c, struct request *r, const msgpack_object *map)
{
	const msgpack_object	*name = map_get(map, "name", 4);

	if (name == NULL || name->type != MSGPACK_OBJECT_STR)
		return true;
	if (c->begun_what == BEGUN_LEAVE && map_get(map, "client", 6) != NULL &&
	    number_in(map, "client") != c->session.client)
		return true;
	if ((r->group = group_get(c, name->via.str.ptr, name->via.str.size)) == NULL)
		return false;
	group_hold(r->group);
	if (c->begun_what != BEGUN_LEAVE)
		return true;
	r->gives = true;
	c->session.gives++;
	give_rest(c);
	return true;
}

/* Note what the answer to the request that was just packed will mean. False without memory. */
static bool
note_request(struct sctpd *c)
{
	const msgpack_object	*map;
	struct request		*r;
	msgpack_zone		 zone;
	msgpack_object		 o;
	size_t			 off = 0;
	bool			 done = false;

	if (c->begun_id == NO_ID || c->begun_what <= BEGUN_ACK)
		return true;
	r = request_at(c, c->begun_id);
	if (!msgpack_zone_init(&zone, 512))
		return false;
	if (msgpack_unpack(c->out.data + c->begun, c->out.len - c->begun, &off, &zone, &o) >= 0) {
		map = &o.via.array.ptr[3].via.array.ptr[0];
		done = true;
		if (c->begun_what == BEGUN_GIFT)
			note_gift(c, r, map);
		else
			done = note_group(c, r, map);
	}
	msgpack_zone_destroy(&zone);
	return done;
}

int
core_end(struct sctpd *c, enum request_state state, sctpd_reply_fn *fn, void *arg)
{
	struct request	*r;

	if (c->no_memory) {
		core_cancel(c);
		return lib_no_memory(c);
	}
	if (c->out.len - c->begun > CORE_MAX_MESSAGE) {
		core_cancel(c);
		return lib_error(c, SCTPD_EMSGSIZE, "a call takes 16 MiB at most");
	}
	if (c->session.on && (!note_request(c) || !sent_note(c))) {
		core_cancel(c);
		return lib_no_memory(c);
	}
	if (c->begun_id == NO_ID)
		return SCTPD_OK;
	r = request_at(c, c->begun_id);
	r->state = state;
	r->fn = fn;
	r->arg = arg;
	r->order = c->session.order;
	c->pending -= state == REQUEST_OWN;
	return SCTPD_OK;
}

void
core_abandon(struct sctpd *c, uint32_t id)
{
	struct request	*r = request_find(c, id);

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

	request_free(c, r);
	if (fn != NULL)
		fn(c, code, value_of(result), arg);
}

static void
answer_wait(struct sctpd *c, struct request *r, int code, struct message *m)
{
	struct wait	*w = r->arg;

	request_free(c, r);
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
		case REQUEST_OWN:
			request_free(c, &c->requests[i]);
			break;
		}
	}
}

/* ---- what the daemon says ------------------------------------------- */

bool
core_full(const struct sctpd *c)
{
	/* The answer that these wait for comes behind all events that the daemon has kept. */
	if (c->session.gives > 0 || c->session.phase == SESSION_GREETING)
		return false;
	/* Until the program acknowledges them they all come again, and client_queue of the daemon is what bounds their number. */
	if (c->session.own_acks)
		return c->event_bytes >= CORE_MAX_EVENT_BYTES;
	if (c->batch != NULL && c->n_events < CORE_MAX_EVENTS_MEANWHILE)
		return c->event_bytes >= CORE_MAX_EVENT_BYTES;
	return c->n_events >= CORE_MAX_EVENTS || c->event_bytes >= CORE_MAX_EVENT_BYTES;
}

void
core_pass(struct sctpd *c, int fd)
{
	if (c->n_passed < CORE_MAX_PASSED)
		c->passed[c->n_passed++] = fd;
	else
		close(fd);
}

void
core_pass_nothing(struct sctpd *c)
{
	while (c->n_passed > 0)
		close(c->passed[--c->n_passed]);
}

/* The descriptor that came first, or -1. */
static int
passed_take(struct sctpd *c)
{
	int	fd = c->passed[0];

	if (c->n_passed == 0)
		return -1;
	memmove(c->passed, c->passed + 1, --c->n_passed * sizeof fd);
	return fd;
}

static bool
brings_descriptor(const struct request *r, const msgpack_object *result)
{
	return r->lends || (r->taps && sctpd_get(value_of(result), "ring") != NULL);
}

static void
queue_event(struct sctpd *c, struct message *m, const char *name, const msgpack_object *map)
{
	message_set_event(m, name, map);
	m->event.seq = m->mark.number;
	TAILQ_INSERT_TAIL(&c->events, m, entry);
	c->n_events++;
	c->event_bytes += m->len;
}

static void
unqueue(struct sctpd *c, struct message *m)
{
	TAILQ_REMOVE(&c->events, m, entry);
	c->n_events--;
	c->event_bytes -= m->len;
}

/* While a socket is being given away, any event may turn out to be another client's. */
bool
core_has_event(const struct sctpd *c)
{
	return !TAILQ_EMPTY(&c->events) && c->session.gives == 0;
}

struct message *
core_event(struct sctpd *c)
{
	struct message	*m = TAILQ_FIRST(&c->events);

	if (!core_has_event(c))
		return NULL;
	unqueue(c, m);
	if (strcmp(m->event.name, "sctp_closed") == 0)
		groups_closed(c, m->event.sock);
	return m;
}

/*
 * Forget the queued events of a socket, or of all that a group has here: they are
 * another client's. What was acknowledged early is ours.
 */
static void
drop_events(struct sctpd *c, uint64_t sock, const struct group *g)
{
	struct message	*m, *next;

	for (m = TAILQ_FIRST(&c->events); m != NULL; m = next) {
		next = TAILQ_NEXT(m, entry);
		if (g != NULL ? !group_has(g, m->event.sock) : m->event.sock != sock)
			continue;
		if (m->mark.number <= c->session.acked || strcmp(m->event.name, "watch") == 0)
			continue;
		unqueue(c, m);
		message_free(m);
	}
}

static void
leave(struct sctpd *c, struct group *g)
{
	drop_events(c, 0, g);
	group_left(c, g);
}

void
core_leave_all(struct sctpd *c)
{
	struct group	*g;

	TAILQ_FOREACH(g, &c->groups, entry)
		drop_events(c, 0, g);
	groups_forget(c);
}

/* The daemon has done what the request asked for: who has which sockets now? */
static void
settle(struct sctpd *c, const struct request *r, const msgpack_object *result)
{
	if (r->group != NULL && r->gives)
		leave(c, r->group);
	else if (r->group != NULL)
		r->group->sock = number_in(result, "sock");
	else if (r->gives)
		drop_events(c, r->sock, NULL);
}

int
core_take_error(struct sctpd *c, const msgpack_object *err)
{
	if (err->type == MSGPACK_OBJECT_NIL)
		return SCTPD_OK;
	if (err->type != MSGPACK_OBJECT_STR)
		return lib_error(c, SCTPD_UNKNOWN,
		    "the daemon answered with an error that is %s", codec_type(err));
	return lib_error_text(c, code_of_text(err->via.str.ptr, err->via.str.size),
	    err->via.str.ptr);
}

static int
senseless(struct sctpd *c, struct message *m)
{
	message_free(m);
	return lib_error(c, SCTPD_EPROTO,
	    "the daemon sent a message that is neither an event nor the answer to a request");
}

/*
 * In a session: an answer that came before, or what a process before this one
 * asked for. An event that its recv took is not thrown away.
 */
static void
take_old_response(struct sctpd *c, struct message *m, bool is_new)
{
	const msgpack_object	*result = &m->obj.via.array.ptr[3];

	if (c->session.fresh && is_new && sctpd_get(value_of(result), "event") != NULL)
		queue_event(c, m, NULL, result);
	else
		message_free(m);
}

/* A recv took an event from its socket, and its function no longer waits: queue the event. */
static void
take_abandoned(struct sctpd *c, struct request *r, struct message *m)
{
	const msgpack_object	*part = m->obj.via.array.ptr;

	if (r->recv && part[2].type == MSGPACK_OBJECT_NIL)
		queue_event(c, m, NULL, &part[3]);
	else
		message_free(m);
	request_free(c, r);
}

static void
take_callback(struct sctpd *c, struct request *r, struct message *m)
{
	const msgpack_object	*part = m->obj.via.array.ptr;
	struct mark		 busy = c->session.busy;
	int			 code = core_take_error(c, &part[2]);

	if (busy.number == 0)
		c->session.busy = m->mark;
	answer_callback(c, r, code, code == SCTPD_OK ? &part[3] : NULL);
	c->session.busy = busy;
	message_free(m);
}

/* [1, id, error, result]. Takes the message. */
static int
take_response(struct sctpd *c, struct message *m)
{
	const msgpack_object	*part = m->obj.via.array.ptr;
	struct request		*r;
	bool			 is_new = true;
	int			 code;

	if (m->obj.via.array.size != 4 || part[1].type != MSGPACK_OBJECT_POSITIVE_INTEGER)
		return senseless(c, m);
	if (c->session.phase == SESSION_GREETING && part[1].via.u64 == HELLO_ID) {
		code = c->session.on_hello(c, m);
		message_free(m);
		return code;
	}
	if (c->session.on)
		is_new = numbers_count(c, &m->mark, m->len, 0);
	r = c->session.fresh ? NULL : request_find(c, part[1].via.u64);
	if (r == NULL && !c->session.on)
		return senseless(c, m);
	if (r == NULL) {
		take_old_response(c, m, is_new);
		return SCTPD_OK;
	}
	sent_answered(c, r);
	if (part[2].type == MSGPACK_OBJECT_NIL && brings_descriptor(r, &part[3]))
		m->fd = passed_take(c);
	if (part[2].type == MSGPACK_OBJECT_NIL)
		settle(c, r, &part[3]);
	switch (r->state) {
	case REQUEST_WAIT:
		/* conn_finish takes the text when the waiting ends, as other errors may come before. */
		answer_wait(c, r, core_take_error(c, &part[2]), m);
		break;
	case REQUEST_CALLBACK:
		take_callback(c, r, m);
		break;
	case REQUEST_ABANDONED:
	case REQUEST_OWN:
	case REQUEST_FREE:
		take_abandoned(c, r, m);
		break;
	}
	return SCTPD_OK;
}

/* While the session was away, another client took over the socket, with all that we had not handled. */
static bool
is_adopted(const struct sctpd *c, const char *name, const msgpack_object *map)
{
	return strcmp(name, "owner") == 0 && number_in(map, "owner") != c->session.client;
}

/* [2, name, [{...}]]. Takes the message. */
static int
take_notification(struct sctpd *c, struct message *m)
{
	const msgpack_object	*part = m->obj.via.array.ptr, *map = NULL;
	const char		*name;
	struct group		*g;

	if (m->obj.via.array.size != 3 || part[1].type != MSGPACK_OBJECT_STR ||
	    part[2].type != MSGPACK_OBJECT_ARRAY)
		return senseless(c, m);
	name = part[1].via.str.ptr;
	if (part[2].via.array.size > 0)
		map = &part[2].via.array.ptr[0];
	if (c->session.on && strcmp(name, "superseded") == 0) {
		message_free(m);
		return lib_error(c, SCTPD_SUPERSEDED, "%s", sctpd_code_text(SCTPD_SUPERSEDED));
	}
	if (c->session.on &&
	    !numbers_count(c, &m->mark, m->len, (uint64_t)sctpd_get_int(value_of(map), "seq"))) {
		message_free(m);	/* it came before */
		return SCTPD_OK;
	}
	if (c->session.on && (g = groups_note(c, name, value_of(map))) != NULL)
		leave(c, g);
	if (c->session.on && map != NULL && is_adopted(c, name, map))
		drop_events(c, number_in(map, "sock"), NULL);
	queue_event(c, m, name, map);
	return SCTPD_OK;
}

static int
take_message(struct sctpd *c, struct message *m)
{
	if (m->obj.type == MSGPACK_OBJECT_ARRAY && m->obj.via.array.size >= 3 &&
	    m->obj.via.array.ptr[0].type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
		if (m->obj.via.array.ptr[0].via.u64 == RPC_RESPONSE)
			return take_response(c, m);
		if (m->obj.via.array.ptr[0].via.u64 == RPC_NOTIFICATION)
			return take_notification(c, m);
	}
	return senseless(c, m);
}

/* Take an answer that says no more than "done", if c->in begins with one. */
static bool
take_done(struct sctpd *c)
{
	static const msgpack_object	 nothing = { .type = MSGPACK_OBJECT_MAP };
	struct mark			 busy = c->session.busy, mark = { .number = 0 };
	struct request			*r;
	uint32_t			 id;
	size_t				 len;

	if (c->session.phase != SESSION_UP || c->session.fresh ||
	    (len = fastpath_done(c->in.data + c->in.off, c->in.len - c->in.off, &id)) == 0)
		return false;
	r = request_find(c, id);
	if (r == NULL || r->state != REQUEST_CALLBACK || r->gives || r->lends || r->taps)
		return false;
	memset(&c->frame, 0, sizeof c->frame);
	c->in.off += len;
	if (c->session.on)
		(void)numbers_count(c, &mark, len, 0);
	sent_answered(c, r);
	if (busy.number == 0)
		c->session.busy = mark;
	answer_callback(c, r, SCTPD_OK, &nothing);
	c->session.busy = busy;
	return true;
}

/* Make room for what the message will make us note, so that it can be taken. False without memory. */
static bool
has_room_for(struct sctpd *c, const struct message *m)
{
	const msgpack_object	*part = m->obj.via.array.ptr;

	if (!c->session.on || m->obj.type != MSGPACK_OBJECT_ARRAY || m->obj.via.array.size != 3 ||
	    part[1].type != MSGPACK_OBJECT_STR || part[2].type != MSGPACK_OBJECT_ARRAY ||
	    part[2].via.array.size == 0)
		return true;
	return groups_reserve(c, part[1].via.str.ptr, value_of(&part[2].via.array.ptr[0]));
}

int
core_step(struct sctpd *c, bool *any)
{
	enum frame_result	 r;
	struct message		*m;
	size_t			 len;

	*any = false;
	if (c->in.off == c->in.len)
		core_pass_nothing(c);
	if (c->in.off == c->in.len || core_full(c) || c->doomed)
		return SCTPD_OK;
	if ((*any = take_done(c)))
		return SCTPD_OK;
	r = frame_scan(&c->frame, c->in.data + c->in.off, c->in.len - c->in.off,
	    CORE_MAX_MESSAGE, &len);
	if (r == FRAME_MORE)
		return SCTPD_OK;
	if (r != FRAME_MESSAGE)
		return lib_error(c, SCTPD_EPROTO, "the daemon sent %s", frame_why(r));
	if ((m = message_new(c->in.data + c->in.off, len)) == NULL)
		return lib_no_memory(c);
	if (!has_room_for(c, m)) {
		message_free(m);
		return lib_no_memory(c);
	}
	c->in.off += len;
	*any = true;
	return take_message(c, m);
}

int
core_parse(struct sctpd *c)
{
	bool	any = true;
	int	code = SCTPD_OK;

	while (code == SCTPD_OK && any)
		code = core_step(c, &any);
	return code;
}
