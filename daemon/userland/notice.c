/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: notifications, and what they say of associations.
 */
#include <arpa/inet.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "config.h"
#include "log.h"
#include "mem.h"
#include "userland-field.h"
#include "userland.h"

static const struct word assoc_state[] = {
	{ SCTP_COMM_UP, "comm_up" },
	{ SCTP_COMM_LOST, "comm_lost" },
	{ SCTP_RESTART, "restart" },
	{ SCTP_SHUTDOWN_COMP, "shutdown_comp" },
	{ SCTP_CANT_STR_ASSOC, "cant_assoc" },
	{ 0, NULL }
};

static const struct word path_state[] = {
	{ SCTP_ADDR_AVAILABLE, "addr_available" },
	{ SCTP_ADDR_UNREACHABLE, "addr_unreachable" },
	{ SCTP_ADDR_REMOVED, "addr_removed" },
	{ SCTP_ADDR_ADDED, "addr_added" },
	{ SCTP_ADDR_MADE_PRIM, "addr_made_prim" },
	{ SCTP_ADDR_CONFIRMED, "addr_confirmed" },
	{ 0, NULL }
};

static const struct word pdapi_indication[] = {
	{ SCTP_PARTIAL_DELIVERY_ABORTED, "partial_delivery_aborted" },
	{ 0, NULL }
};

static const struct word auth_indication[] = {
	{ SCTP_AUTH_NEW_KEY, "new_key" },
	{ SCTP_AUTH_FREE_KEY, "free_key" },
	{ SCTP_AUTH_NO_AUTH, "no_auth" },
	{ 0, NULL }
};

static const struct word stream_reset_flags[] = {
	{ SCTP_STREAM_RESET_INCOMING_SSN, "incoming" },
	{ SCTP_STREAM_RESET_OUTGOING_SSN, "outgoing" },
	{ SCTP_STREAM_RESET_DENIED, "denied" },
	{ SCTP_STREAM_RESET_FAILED, "failed" },
	{ 0, NULL }
};

static const struct word change_flags[] = {
	{ SCTP_STREAM_CHANGE_DENIED, "denied" },
	{ SCTP_STREAM_CHANGE_FAILED, "failed" },
	{ 0, NULL }
};

/* Length of a chunk's head, which usrsctp leaves before the causes. */
#define CHUNK_HEAD	4

/* usrsctp's notifications, by the name of their row in notice_table. */
static const struct notification {
	const char		*name;
	uint16_t		 type;
	uint16_t		 size;
	uint16_t		 skip;		/* of the tail */
	const struct field	*fields;
} notifications[] = {
	{ "sctp_assoc_change", SCTP_ASSOC_CHANGE,
	  sizeof(struct sctp_assoc_change), CHUNK_HEAD, FIELDS(
		WORDED(sctp_assoc_change, sac_state, WORD, assoc_state, "state", NULL),
		FIELD(sctp_assoc_change, sac_error, U16, "error", NULL),
		FIELD(sctp_assoc_change, sac_outbound_streams, U16, "outbound_streams", NULL),
		FIELD(sctp_assoc_change, sac_inbound_streams, U16, "inbound_streams", NULL),
		FIELD(sctp_assoc_change, sac_assoc_id, U32, "assoc_id", NULL)) },
	{ "sctp_paddr_change", SCTP_PEER_ADDR_CHANGE,
	  sizeof(struct sctp_paddr_change), 0, FIELDS(
		FIELD(sctp_paddr_change, spc_aaddr, ENDPOINT, "addr", NULL),
		WORDED(sctp_paddr_change, spc_state, WORD, path_state, "state", NULL),
		FIELD(sctp_paddr_change, spc_error, S32, "error", NULL),
		FIELD(sctp_paddr_change, spc_assoc_id, U32, "assoc_id", NULL)) },
	{ "sctp_remote_error", SCTP_REMOTE_ERROR,
	  sizeof(struct sctp_remote_error), CHUNK_HEAD, FIELDS(
		FIELD(sctp_remote_error, sre_error, U16, "error", NULL),
		FIELD(sctp_remote_error, sre_assoc_id, U32, "assoc_id", NULL)) },
	{ "sctp_send_failed", SCTP_SEND_FAILED_EVENT,
	  sizeof(struct sctp_send_failed_event), 0, FIELDS(
		FIELD(sctp_send_failed_event, ssfe_assoc_id, U32, "assoc_id", NULL)) },
	{ "sctp_shutdown_event", SCTP_SHUTDOWN_EVENT,
	  sizeof(struct sctp_shutdown_event), 0, FIELDS(
		FIELD(sctp_shutdown_event, sse_assoc_id, U32, "assoc_id", NULL)) },
	{ "sctp_adaptation_event", SCTP_ADAPTATION_INDICATION,
	  sizeof(struct sctp_adaptation_event), 0, FIELDS(
		FIELD(sctp_adaptation_event, sai_adaptation_ind, U32, "adaptation_ind", NULL),
		FIELD(sctp_adaptation_event, sai_assoc_id, U32, "assoc_id", NULL)) },
	{ "sctp_pdapi_event", SCTP_PARTIAL_DELIVERY_EVENT,
	  sizeof(struct sctp_pdapi_event), 0, FIELDS(
		WORDED(sctp_pdapi_event, pdapi_indication, WORD, pdapi_indication, "indication", NULL),
		FIELD(sctp_pdapi_event, pdapi_stream, U32, "stream", NULL),
		FIELD(sctp_pdapi_event, pdapi_assoc_id, U32, "assoc_id", NULL)) },
	{ "sctp_authkey_event", SCTP_AUTHENTICATION_EVENT,
	  sizeof(struct sctp_authkey_event), 0, FIELDS(
		WORDED(sctp_authkey_event, auth_indication, WORD, auth_indication, "indication", NULL),
		FIELD(sctp_authkey_event, auth_keynumber, U16, "keynumber", NULL),
		FIELD(sctp_authkey_event, auth_assoc_id, U32, "assoc_id", NULL)) },
	{ "sctp_sender_dry_event", SCTP_SENDER_DRY_EVENT,
	  sizeof(struct sctp_sender_dry_event), 0, FIELDS(
		FIELD(sctp_sender_dry_event, sender_dry_assoc_id, U32, "assoc_id", NULL)) },
	{ "sctp_stream_reset_event", SCTP_STREAM_RESET_EVENT,
	  sizeof(struct sctp_stream_reset_event), 0, FIELDS(
		WORDED(sctp_stream_reset_event, strreset_flags, WORDS, stream_reset_flags, "flags", NULL),
		FIELD(sctp_stream_reset_event, strreset_assoc_id, U32, "assoc_id", NULL)) },
	{ "sctp_assoc_reset_event", SCTP_ASSOC_RESET_EVENT,
	  sizeof(struct sctp_assoc_reset_event), 0, FIELDS(
		WORDED(sctp_assoc_reset_event, assocreset_flags, WORDS, change_flags, "flags", NULL),
		FIELD(sctp_assoc_reset_event, assocreset_assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_assoc_reset_event, assocreset_local_tsn, U32, "local_tsn", NULL),
		FIELD(sctp_assoc_reset_event, assocreset_remote_tsn, U32, "remote_tsn", NULL)) },
	{ "sctp_stream_change_event", SCTP_STREAM_CHANGE_EVENT,
	  sizeof(struct sctp_stream_change_event), 0, FIELDS(
		WORDED(sctp_stream_change_event, strchange_flags, WORDS, change_flags, "flags", NULL),
		FIELD(sctp_stream_change_event, strchange_assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_stream_change_event, strchange_instrms, U16, "instrms", NULL),
		FIELD(sctp_stream_change_event, strchange_outstrms, U16, "outstrms", NULL)) },
	{ .name = NULL }
};

static const struct notification *
find(uint16_t type)
{
	const struct notification	*n = notifications;

	while (n->name != NULL && n->type != type)
		n++;
	return n->name != NULL ? n : NULL;
}

const struct notice *
userland_notice(const char *name)
{
	const struct notice	*n = notice_table;

	while (n->name != NULL && strcmp(n->name, name) != 0)
		n++;
	return n;
}

/* ---- associations --------------------------------------------------- */

static enum assoc_event
what_happened(uint16_t state)
{
	switch (state) {
	case SCTP_COMM_UP:
		return ASSOC_EVENT_UP;
	case SCTP_RESTART:
		return ASSOC_EVENT_RESTART;
	case SCTP_COMM_LOST:
		return ASSOC_EVENT_LOST;
	case SCTP_SHUTDOWN_COMP:
		return ASSOC_EVENT_SHUTDOWN_COMP;
	case SCTP_CANT_STR_ASSOC:
		return ASSOC_EVENT_CANT;
	}
	return ASSOC_EVENT_NONE;
}

static bool
is_up(enum assoc_event what)
{
	return what == ASSOC_EVENT_UP || what == ASSOC_EVENT_RESTART;
}

static enum assoc_event
what_is_said(const char *p, size_t len)
{
	struct sctp_assoc_change	c;

	if (len < sizeof c)
		return ASSOC_EVENT_NONE;
	memcpy(&c, p, sizeof c);
	return c.sac_type == SCTP_ASSOC_CHANGE ? what_happened(c.sac_state) : ASSOC_EVENT_NONE;
}

bool
userland_is_up(const char *p, size_t len)
{
	return is_up(what_is_said(p, len));
}

bool
userland_is_end(const char *p, size_t len)
{
	enum assoc_event	what = what_is_said(p, len);

	return what != ASSOC_EVENT_NONE && !is_up(what);
}

/* An association that comes up from the peer's side, if there is room for it. */
static struct assoc *
incoming(struct sock *s, sctp_assoc_t id, const struct sockaddr_conn *from)
{
	static time_t	 last;
	struct path	*path = path_of(from);
	struct assoc	*a;
	const char	*why;

	if (path == NULL)
		return NULL;
	why = budget_no_room(s->user);
	a = userland_new_assoc(s, path, ntohs(from->sconn_port), id);
	if (why == NULL)
		return a;
	if (log_seldom(&last))
		log_warning("assoc %u: aborted, %s", assoc_id(a), why);
	(void)userland_abort(a, "too many associations", 21);
	a->unwanted = true;
	return a;
}

static void
came_up(struct assoc *a, const struct sctp_assoc_change *c)
{
	a->outbound = c->sac_outbound_streams;
	a->inbound = c->sac_inbound_streams;
	if (!a->unwanted)
		userland_came_up(a);
	assoc_enter(a, ASSOC_UP);
}

static void
is_over(struct assoc *a)
{
	userland_tell_held(a);
	assoc_fail_sends(a, ERR_epipe, "the association is over");
	/* One without a socket of its own has nothing left in it. */
	if (a->stack.userland->so == NULL)
		userland_finish(a);
}

static void
take_assoc_change(struct sock *s, struct assoc *a, const struct sctp_assoc_change *c,
    struct stack_event *e)
{
	e->what = what_happened(c->sac_state);
	e->error = c->sac_error;
	if (a != NULL && is_up(e->what))
		came_up(a, c);
	else if (a != NULL && e->what != ASSOC_EVENT_NONE)
		assoc_enter(a, ASSOC_OVER);
	/* What the peer had not when it restarted is of the time before. */
	if (a != NULL && e->what == ASSOC_EVENT_RESTART)
		userland_tell_held(a);
	sock_event(s, e);
	if (a == NULL)
		return;
	if (a->state == ASSOC_OVER)
		is_over(a);
	else if (!TAILQ_EMPTY(&a->sends))
		assoc_writable(a);
	else
		userland_go_on(a);
}

/* ---- all of them ---------------------------------------------------- */

/* Where in the neutral struct the bytes of no fixed length are; 0: nowhere. */
static size_t
tail_offset(const struct notice *row)
{
	for (const struct field *f = row->fields; f->key != NULL; f++) {
		if (f->type == FIELD_TAIL || f->type == FIELD_TAIL16)
			return f->offset;
	}
	return 0;
}

/* What follows usrsctp's struct, less what is not of the event. */
static size_t
tail_of(const struct notification *n, const struct assoc *a, const char *p, size_t len,
    const char **tail)
{
	size_t	head = n->size;

	if (n->type == SCTP_STREAM_RESET_EVENT)
		head = offsetof(struct sctp_stream_reset_event, strreset_stream_list);
	if (n->type == SCTP_REMOTE_ERROR)
		head = offsetof(struct sctp_remote_error, sre_data);
	/* What came with comm_up is what the peer can do, not why. */
	if (n->type == SCTP_ASSOC_CHANGE && (!userland_is_end(p, len) ||
	    a == NULL || a->stack.userland->aborted))
		return 0;
	head += n->skip;
	*tail = p + head;
	return len > head ? len - head : 0;
}

/* The same as the tables describe it; freed by the caller. */
static char *
translate(const struct notification *n, const struct notice *row, struct assoc *a, char *p,
    size_t *len)
{
	const struct turn	 turn = { .assoc = a, .outward = true };
	const char		*tail = NULL;
	size_t			 tail_len = tail_offset(row) != 0 ? tail_of(n, a, p, *len, &tail) : 0;
	size_t			 at = tail_offset(row);
	char			*mem = xcalloc(1, row->size + tail_len + 1);
	const struct shape	 from = { n->fields, p };
	const struct shape	 to = { row->fields, mem };

	(void)userland_convert(&turn, &from, &to);
	if (tail_len > 0)
		memcpy(mem + at, tail, tail_len);
	*len = at != 0 ? at + tail_len : row->size;
	if (*len < row->size)
		*len = row->size;
	return mem;
}

/* The field of that name, which all of them have: the association. */
static sctp_assoc_t
id_in(const struct notification *n, const char *p)
{
	sctp_assoc_t	id = 0;

	for (const struct field *f = n->fields; f->key != NULL; f++) {
		if (strcmp(f->key, "assoc_id") == 0)
			memcpy(&id, p + f->offset, sizeof id);
	}
	return id;
}

/* Whose it is: of one that is coming, or of one that comes from the peer. */
static struct assoc *
find_assoc_of(struct sock *s, const struct notification *n, const char *p,
    const struct sockaddr_conn *from)
{
	struct sctp_assoc_change	 c;
	sctp_assoc_t			 id = id_in(n, p);
	struct assoc			*a = userland_find_coming(s, id);

	if (a != NULL || n->type != SCTP_ASSOC_CHANGE)
		return a;
	memcpy(&c, p, sizeof c);
	return is_up(what_happened(c.sac_state)) ? incoming(s, id, from) : NULL;
}

/* What it means for the association, beside its being told. */
static void
heed(struct assoc *a, uint16_t type)
{
	if (a == NULL)
		return;
	if (type == SCTP_PARTIAL_DELIVERY_EVENT)
		joint_clear(&a->stack.userland->data);
	if (type == SCTP_SHUTDOWN_EVENT)
		assoc_enter(a, ASSOC_GOING_DOWN);
}

/* The reason of an abort of ours is the one that RFC 9260 has for it, or usrsctp's. */
static void
put_right(const struct assoc *a, char *p)
{
	struct sctp_assoc_change	c;

	memcpy(&c, p, sizeof c);
	if (a != NULL && a->stack.userland->aborted && c.sac_state == SCTP_COMM_LOST)
		c.sac_error = USER_INITIATED;
	else if (a != NULL && c.sac_error == 0 && c.sac_state == SCTP_COMM_LOST)
		c.sac_error = a->stack.userland->cause;
	memcpy(p, &c, sizeof c);
}

/* The event has how many streams were added, usrsctp how many there are. */
static void
put_right_streams(struct assoc *a, char *p)
{
	struct sctp_stream_change_event	c;
	uint16_t			in, out;

	if (a == NULL)
		return;
	memcpy(&c, p, sizeof c);
	in = a->inbound;
	out = a->outbound;
	userland_count_streams(a);
	c.strchange_instrms = c.strchange_instrms > in ? c.strchange_instrms - in : 0;
	c.strchange_outstrms = c.strchange_outstrms > out ? c.strchange_outstrms - out : 0;
	memcpy(p, &c, sizeof c);
}

/* Of the only path, comm_up has said already that it was confirmed. */
static bool
is_news(const struct notification *n, const char *p)
{
	struct sctp_paddr_change	c;

	if (n->type != SCTP_PEER_ADDR_CHANGE)
		return true;
	memcpy(&c, p, sizeof c);
	return c.spc_state != SCTP_ADDR_CONFIRMED;
}

void
userland_take_notification(struct sock *s, struct assoc *a, char *p, size_t len,
    const struct sockaddr_conn *from)
{
	const struct notification	*n;
	struct sctp_assoc_change	 c;
	struct stack_event		 e = { .row = NULL };
	char				*mem;

	if (len < sizeof(struct sctp_tlv) || (n = find(*(uint16_t *)(void *)p)) == NULL ||
	    len < n->size || !is_news(n, p))
		return;
	if (a == NULL)
		a = find_assoc_of(s, n, p, from);
	if (n->type == SCTP_SEND_FAILED_EVENT) {
		userland_take_failed(s, a, p, len);
		return;
	}
	if (n->type == SCTP_ASSOC_CHANGE)
		put_right(a, p);
	if (n->type == SCTP_STREAM_CHANGE_EVENT)
		put_right_streams(a, p);
	e.row = userland_notice(n->name);
	mem = translate(n, e.row, a, p, &len);
	e.assoc = a;
	e.assoc_id = a != NULL ? assoc_id(a) : 0;
	e.from = a != NULL ? &a->peer : NULL;
	e.body = mem;
	e.len = len;
	if (n->type == SCTP_ASSOC_CHANGE) {
		memcpy(&c, p, sizeof c);
		take_assoc_change(s, a, &c, &e);
	} else {
		heed(a, n->type);
		sock_event(s, &e);
	}
	free(mem);
}
