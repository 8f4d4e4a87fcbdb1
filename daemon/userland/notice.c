/* SPDX-License-Identifier: BSD-2-Clause */
/* The userland stack: notifications, and what they say about associations. */
#include <arpa/inet.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "userland/field.h"
#include "userland/userland.h"
#include "util/mem.h"
#include "proto/event_words.def"

/* The length of a chunk's head, which usrsctp leaves in front of the error causes. */
#define CHUNK_HEAD	4

/* usrsctp's notifications, by the name of their row in event_type_table. */
static const struct notification {
	const char		*name;
	uint16_t		 type;
	uint16_t		 size;
	uint16_t		 skip;		/* bytes to skip at the start of the tail */
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

/* ---- associations --------------------------------------------------- */

static enum assoc_event
assoc_event_of(uint16_t state)
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

static enum assoc_event
what_is_said(const char *p, size_t len)
{
	struct sctp_assoc_change	c;

	if (len < sizeof c)
		return ASSOC_EVENT_NONE;
	memcpy(&c, p, sizeof c);
	return c.sac_type == SCTP_ASSOC_CHANGE ? assoc_event_of(c.sac_state) : ASSOC_EVENT_NONE;
}

bool
userland_is_up(const char *p, size_t len)
{
	return assoc_event_is_up(what_is_said(p, len));
}

bool
userland_is_end(const char *p, size_t len)
{
	enum assoc_event	what = what_is_said(p, len);

	return what != ASSOC_EVENT_NONE && !assoc_event_is_up(what);
}

/* If the peer sent an ABORT, that stands behind the struct, whether it has a cause or not. */
static enum assoc_ended
who_ended(const struct assoc *a, const struct sctp_assoc_change *c)
{
	if (a->stack.userland->aborted || a->stack.userland->cause != 0)
		return ENDED_BY_US;
	return c->sac_length > sizeof *c ? ENDED_BY_PEER : ENDED_BY_NOBODY;
}

/* For the client one of ours did not come up, and one that the peer restarts without AUTH is over. */
static void
refuse(struct assoc *a, struct stack_event *e)
{
	const char		*word = e->what == ASSOC_EVENT_UP ? "cant_assoc" : "comm_lost";
	const struct field	*f = e->row->fields;
	const struct word	*w;
	uint16_t		 state;

	while (strcmp(f->key, "state") != 0)
		f++;
	for (w = f->words; strcmp(w->name, word) != 0; w++)
		continue;
	state = (uint16_t)w->value;
	memcpy((char *)(uintptr_t)e->body + f->offset, &state, sizeof state);
	e->what = e->what == ASSOC_EVENT_UP ? ASSOC_EVENT_CANT : ASSOC_EVENT_LOST;
	sock_event(a->sock, e);
	upcall_abort_without_auth(a);
}

static void
take_assoc_change(struct sock *s, struct assoc *a, const struct sctp_assoc_change *c,
    struct stack_event *e)
{
	e->what = assoc_event_of(c->sac_state);
	e->error = c->sac_error;
	if (a != NULL && e->what != ASSOC_EVENT_NONE && !assoc_event_is_up(e->what))
		a->ended_by = who_ended(a, c);
	if (a != NULL && assoc_event_is_up(e->what) && upcall_lacks_auth(a)) {
		refuse(a, e);
		return;
	}
	if (a != NULL && assoc_event_is_up(e->what)) {
		a->outbound = c->sac_outbound_streams;
		a->inbound = c->sac_inbound_streams;
		if (!a->unwanted)
			userland_came_up(a);
		assoc_enter(a, ASSOC_UP);
	} else if (a != NULL && e->what != ASSOC_EVENT_NONE)
		assoc_enter(a, ASSOC_OVER);
	/*
	 * Messages that the peer had not received when it restarted belong to
	 * the time before.
	 */
	if (a != NULL && e->what == ASSOC_EVENT_RESTART)
		userland_tell_deferred(a);
	sock_event(s, e);
	if (a == NULL)
		return;
	if (a->state == ASSOC_OVER) {
		userland_tell_deferred(a);
		assoc_fail_sends(a, ERR_epipe, "the association is over");
		/* An association without a socket of its own has nothing left to read. */
		if (a->stack.userland->so == NULL)
			userland_finish(a);
	} else if (!TAILQ_EMPTY(&a->sends))
		assoc_writable(a);
	else
		userland_go_on(a);
}

/* ---- all of them ---------------------------------------------------- */

/* The offset of the bytes of no fixed length in the neutral struct; 0: there are none. */
static size_t
tail_offset(const struct event_type *row)
{
	for (const struct field *f = row->fields; f->key != NULL; f++) {
		if (f->type == FIELD_TAIL || f->type == FIELD_TAIL16)
			return f->offset;
	}
	return 0;
}

/* The bytes that follow usrsctp's struct, without those that do not belong to the event. */
static size_t
tail_of(const struct notification *n, const struct assoc *a, const char *p, size_t len,
    const char **tail)
{
	size_t	head = n->size;

	if (n->type == SCTP_STREAM_RESET_EVENT)
		head = offsetof(struct sctp_stream_reset_event, strreset_stream_list);
	if (n->type == SCTP_REMOTE_ERROR)
		head = offsetof(struct sctp_remote_error, sre_data);
	/* The data of comm_up says what the peer can do. It is no error cause. */
	if (n->type == SCTP_ASSOC_CHANGE && (!userland_is_end(p, len) ||
	    a == NULL || a->stack.userland->aborted))
		return 0;
	head += n->skip;
	*tail = p + head;
	return len > head ? len - head : 0;
}

/* The same notification as the tables describe it. The caller frees it. */
static char *
translate(const struct notification *n, const struct event_type *row, struct assoc *a, char *p,
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

/* The association's id, from the field of that name that all notifications have. */
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

/*
 * The association that a notification is about: one that is on its way up on
 * this socket, or a new one that the peer has begun. If there is no room for
 * that, it is turned away.
 */
static struct assoc *
find_assoc_of(struct sock *s, const struct notification *n, const char *p,
    const struct sockaddr_conn *from)
{
	struct sctp_assoc_change	 c;
	sctp_assoc_t			 id = id_in(n, p);
	struct assoc			*a = userland_find_coming(s, id);
	struct path			*path;
	const char			*why;

	if (a != NULL || n->type != SCTP_ASSOC_CHANGE)
		return a;
	memcpy(&c, p, sizeof c);
	if (!assoc_event_is_up(assoc_event_of(c.sac_state)) || (path = path_of(from)) == NULL)
		return NULL;
	why = upcall_no_room(s);
	a = userland_new_assoc(s, path, ntohs(from->sconn_port), id);
	if (why != NULL)
		upcall_turn_away(a, why);
	else if (upcall_lacks_auth(a))
		upcall_abort_without_auth(a);
	return a;
}

/*
 * The error of comm_lost. For an abort of ours it is the cause of RFC 9260.
 * Otherwise, if usrsctp gave none, it is the cause that usrsctp told the peer.
 */
static void
fill_in_cause(const struct assoc *a, char *p)
{
	struct sctp_assoc_change	c;

	memcpy(&c, p, sizeof c);
	if (a != NULL && a->stack.userland->aborted && c.sac_state == SCTP_COMM_LOST)
		c.sac_error = USER_INITIATED;
	else if (a != NULL && c.sac_error == 0 && c.sac_state == SCTP_COMM_LOST)
		c.sac_error = a->stack.userland->cause;
	memcpy(p, &c, sizeof c);
}

/* The event says how many streams were added. usrsctp says how many there are. */
static void
fix_streams(struct assoc *a, char *p)
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

/* usrsctp says one more than the next TSN of the peer. */
static void
fix_tsn(char *p)
{
	struct sctp_assoc_reset_event	c;

	memcpy(&c, p, sizeof c);
	c.assocreset_remote_tsn--;
	memcpy(p, &c, sizeof c);
}

/* The confirmation of the only path is no news: comm_up has said so already. */
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
	const struct notification	*n = notifications;
	struct sctp_assoc_change	 c;
	struct stack_event		 e = { .row = NULL };
	char				*mem;

	if (len < sizeof(struct sctp_tlv))
		return;
	while (n->name != NULL && n->type != *(uint16_t *)(void *)p)
		n++;
	if (n->name == NULL || len < n->size || !is_news(n, p))
		return;
	if (a == NULL)
		a = find_assoc_of(s, n, p, from);
	if (n->type == SCTP_SEND_FAILED_EVENT) {
		userland_take_failed(s, a, p, len);
		return;
	}
	if (n->type == SCTP_ASSOC_CHANGE)
		fill_in_cause(a, p);
	if (n->type == SCTP_STREAM_CHANGE_EVENT)
		fix_streams(a, p);
	if (n->type == SCTP_ASSOC_RESET_EVENT)
		fix_tsn(p);
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
		if (n->type == SCTP_PARTIAL_DELIVERY_EVENT && a != NULL)
			partial_clear(&a->stack.userland->data);
		if (n->type == SCTP_SHUTDOWN_EVENT && a != NULL)
			assoc_enter(a, ASSOC_GOING_DOWN);
		if (a == NULL || !a->unwanted)
			sock_event(s, &e);
	}
	free(mem);
}
