/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: notifications, and what they say of associations.
 */
#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

#include "kernel/kernel.h"

/* A cause of RFC 9260, 3.3.10. */
#define OUT_OF_RESOURCE	4

/* The association that a notification is about, from the field in its row. */
static uint32_t
id_in(const struct event_type *row, const char *p)
{
	uint32_t	id = 0;

	for (const struct field *f = row->fields; f->key != NULL; f++) {
		if (strcmp(f->key, "assoc_id") == 0)
			memcpy(&id, p + f->offset, sizeof id);
	}
	return id;
}

/*
 * For the client one of ours did not come up, one that the peer began was never
 * there, and one that the peer restarts without AUTH is over.
 */
static void
refuse(struct assoc *a, struct stack_event *e, bool is_ours)
{
	struct sctp_assoc_change	*c = (struct sctp_assoc_change *)(uintptr_t)e->body;

	if (is_ours) {
		c->sac_state = e->what == ASSOC_EVENT_UP ? SCTP_CANT_STR_ASSOC : SCTP_COMM_LOST;
		e->what = kernel_assoc_event(c->sac_state);
		sock_event(a->sock, e);
	}
	upcall_abort_without_auth(a);
}

static void
take_assoc_change(struct sock *s, struct assoc *a, struct stack_event *e, bool by_socket)
{
	const struct sctp_assoc_change	*c = e->body;
	const char			*why;
	bool				 is_ours = a != NULL;

	e->what = kernel_assoc_event(c->sac_state);
	e->error = c->sac_error;
	if (a != NULL && e->len > offsetof(struct sctp_assoc_change, sac_info) &&
	    e->what == ASSOC_EVENT_LOST)
		a->ended_by = ENDED_BY_PEER;
	if (a == NULL && assoc_event_is_up(e->what)) {	/* the peer began it */
		why = upcall_no_room(s);
		a = assoc_new(s, e->assoc_id, e->from);
		if (why != NULL)
			upcall_turn_away(a, why);
	}
	e->assoc = a;
	if (a != NULL && assoc_event_is_up(e->what) && upcall_lacks_auth(a)) {
		refuse(a, e, is_ours);
		return;
	}
	if (a == NULL) {
		sock_event(s, e);
		return;
	}
	if (assoc_event_is_up(e->what)) {
		if (!s->many && assoc_id(a) != e->assoc_id)
			assoc_set_id(a, e->assoc_id);
		a->outbound = c->sac_outbound_streams;
		a->inbound = c->sac_inbound_streams;
		a->peer = e->from != NULL ? *e->from : a->peer;
		kernel_forget_names(a);
		if (!a->unwanted)
			kernel_came_up(a);
		assoc_enter(a, ASSOC_UP);
	} else if (e->what != ASSOC_EVENT_NONE)
		assoc_enter(a, ASSOC_OVER);
	sock_event(s, e);
	if (a->stack.no_fd && a->state == ASSOC_UP)
		kernel_say_end(a, SCTP_COMM_LOST, OUT_OF_RESOURCE);
	if (a->state == ASSOC_OVER)
		assoc_fail_sends(a, ERR_epipe, "the association is over");
	else if (!TAILQ_EMPTY(&a->sends) || a->eof_asked)
		assoc_writable(a);
	/*
	 * An association without a descriptor has nothing left to read. Else
	 * its reader frees it.
	 */
	if (by_socket && a->state == ASSOC_OVER && a->stack.fd == -1)
		(void)assoc_free(a);
}

/*
 * The kernel gives a failed message back chunk by chunk, with each chunk's
 * begin and end bits in the flags. Join the chunks to the message again.
 */
static void
take_failed(struct sock *s, struct assoc *a, char *p, size_t len,
    const struct sockaddr_storage *from)
{
	enum { LAST = 1, FIRST = 2 };
	struct sctp_send_failed_event	f;
	struct event_send_failed	e = { .flags = false };
	struct stack_event		se = { .row = EVENT_send_failed, .assoc = a,
	    .from = from, .body = &e, .len = sizeof e };
	struct partial			lone = { .kind = PARTIAL_LONE };
	struct partial			*j = a != NULL ? &a->stack.failed : &lone;
	size_t				head = offsetof(struct sctp_send_failed_event, ssf_data);

	memcpy(&f, p, head);
	if (f.ssfe_info.snd_flags & FIRST)
		partial_clear(j);
	/* If the first chunk is missing, it was delivered. */
	if (f.ssf_flags == SCTP_DATA_SENT || (!j->begun && !(f.ssfe_info.snd_flags & FIRST)))
		partial_mark_sent(j);
	(void)partial_add(j, NULL, p + head, len - head);
	if (!(f.ssfe_info.snd_flags & LAST) && a != NULL)
		return;
	e.flags = j->sent;
	e.error = ntohs((uint16_t)f.ssf_error);
	e.assoc_id = se.assoc_id = (uint32_t)f.ssf_assoc_id;
	e.info = (struct sndrcvinfo){
		.stream = f.ssfe_info.snd_sid,
		.flags = f.ssfe_info.snd_flags & 4 ? SNDRCV_UNORDERED : 0,
		.ppid = ntohl(f.ssfe_info.snd_ppid),
		.context = f.ssfe_info.snd_context,
		.assoc_id = e.assoc_id,
	};
	e.data = (struct slice){ partial_data(j), (uint32_t)j->len };
	sock_event(s, &se);
	partial_clear(j);
}

/* The kernel has the TSNs of both sides the wrong way round. */
static void
swap_tsns(struct sctp_assoc_reset_event *e)
{
	uint32_t	local = e->assocreset_remote_tsn;

	e->assocreset_remote_tsn = e->assocreset_local_tsn;
	e->assocreset_local_tsn = local;
}

/*
 * Correct what the kernel gives otherwise than the RFCs say, such as fields in
 * network byte order. This is done in a copy, because the next process may read
 * again what was received.
 */
static char *
correct(uint16_t type, char *p, size_t *len)
{
	static _Alignas(uint64_t) char	copy[(64 << 10) + 256];
	uint16_t			*error;

	if (type != SCTP_ASSOC_CHANGE && type != SCTP_REMOTE_ERROR && type != SCTP_ASSOC_RESET_EVENT)
		return p;
	if (*len > sizeof copy)
		*len = sizeof copy;
	memcpy(copy, p, *len);
	if (type == SCTP_ASSOC_RESET_EVENT) {
		swap_tsns((struct sctp_assoc_reset_event *)(void *)copy);
		return copy;
	}
	error = type == SCTP_ASSOC_CHANGE ? &((struct sctp_assoc_change *)(void *)copy)->sac_error :
	    (uint16_t *)&((struct sctp_remote_error *)(void *)copy)->sre_error;
	*error = ntohs(*error);
	return copy;
}

/* A message that is delivered in parts was given up. With I-DATA, the kernel says which. */
static void
forget_part(struct assoc *a, const char *p)
{
	struct sctp_pdapi_event	e;

	memcpy(&e, p, sizeof e);
	partials_forget(&a->stack.data,
	    partial_key((uint16_t)e.pdapi_stream, (e.pdapi_flags & SCTP_UNORDERED) != 0));
}

static bool
is_other_addrs(const char *p)
{
	struct sctp_paddr_change	c;

	memcpy(&c, p, sizeof c);
	return c.spc_state == SCTP_ADDR_ADDED || c.spc_state == SCTP_ADDR_REMOVED;
}

static void
take_unknown(struct sock *s, struct assoc *a, const struct sctp_assoc_change *h,
    const char *p, size_t len, const struct sockaddr_storage *from)
{
	struct event_unknown	u = {
		.type = h->sac_type,
		.flags = h->sac_flags,
		.data = { p + 8, (uint32_t)(len - 8) },
	};
	struct stack_event	e = { .row = EVENT_unknown, .assoc = a,
	    .assoc_id = a != NULL ? assoc_id(a) : 0, .from = from,
	    .body = &u, .len = sizeof u };

	sock_event(s, &e);
}

/* Deal with one whole notification. It lies aligned, in the receive area or in a buffer. */
void
kernel_take_notification(struct sock *s, struct assoc *a, char *p, size_t len,
    const struct sockaddr_storage *from)
{
	struct sctp_assoc_change	 h;	/* every notification begins so */
	const struct event_type		*row;
	struct stack_event		 e = { .from = from, .body = p, .len = len };
	bool				 by_socket = a == NULL;

	if (len < 8)
		return;
	memcpy(&h, p, 8);
	if (h.sac_type == SCTP_SEND_FAILED_EVENT &&
	    len >= offsetof(struct sctp_send_failed_event, ssf_data)) {
		row = EVENT_send_failed;
		memcpy(&e.assoc_id, p + offsetof(struct sctp_send_failed_event, ssf_assoc_id), 4);
	} else if ((row = event_type_find(h.sac_type)) == NULL || len < row->size) {
		take_unknown(s, a, &h, p, len, from);
		return;
	} else
		e.assoc_id = id_in(row, p);
	if (a == NULL)
		a = assoc_find(s, e.assoc_id);
	if (row == EVENT_send_failed) {
		take_failed(s, a, p, len, from);
		return;
	}
	e.body = p = correct(h.sac_type, p, &len);
	e.len = len;
	e.row = row;
	e.assoc = a;
	if (h.sac_type == SCTP_ASSOC_CHANGE) {
		take_assoc_change(s, a, &e, by_socket);
		return;
	}
	if (h.sac_type == SCTP_PARTIAL_DELIVERY_EVENT && a != NULL)
		forget_part(a, p);
	if (h.sac_type == SCTP_PEER_ADDR_CHANGE && a != NULL && is_other_addrs(p))
		kernel_forget_names(a);
	if (h.sac_type == SCTP_STREAM_CHANGE_EVENT && a != NULL)
		kernel_count_streams(a);
	if (h.sac_type == SCTP_SHUTDOWN_EVENT && a != NULL) {
		assoc_enter(a, ASSOC_GOING_DOWN);
		kernel_going(a);
	}
	if (a == NULL || !a->unwanted)
		sock_event(s, &e);
}
