/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: notifications, and what they say of associations.
 */
#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

#include "config.h"
#include "keep.h"
#include "kernel.h"
#include "log.h"

/* A cause of RFC 9260, 3.3.10. */
#define OUT_OF_RESOURCE	4

/* The association that a notification is about, from its row's own field. */
static uint32_t
id_in(const struct notice *row, const char *p)
{
	uint32_t	id = 0;

	for (const struct field *f = row->fields; f->key != NULL; f++) {
		if (strcmp(f->key, "assoc_id") == 0)
			memcpy(&id, p + f->offset, sizeof id);
	}
	return id;
}

enum assoc_event
kernel_what_happened(uint16_t state)
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

bool
kernel_is_up(enum assoc_event what)
{
	return what == ASSOC_EVENT_UP || what == ASSOC_EVENT_RESTART;
}

/* An association that comes up from the peer's side, if there is room for it. */
static struct assoc *
incoming(struct sock *s, uint32_t id, const struct sockaddr_storage *from)
{
	static time_t	 last;
	const char	*why = budget_no_room(s->user);
	struct assoc	*a = assoc_new(s, id, from);

	if (why == NULL)
		return a;
	if (log_seldom(&last))
		log_warning("assoc %u: aborted, %s", id, why);
	(void)stack_abort(a, "too many associations", 21);
	a->unwanted = true;
	keep_assoc(a);
	return a;
}

static void
take_assoc_change(struct sock *s, struct assoc *a, struct stack_event *e, bool by_socket)
{
	const struct sctp_assoc_change	*c = e->body;

	e->what = kernel_what_happened(c->sac_state);
	e->error = c->sac_error;
	if (a == NULL && kernel_is_up(e->what))
		a = incoming(s, e->assoc_id, e->from);
	e->assoc = a;
	if (a == NULL) {
		sock_event(s, e);
		return;
	}
	if (kernel_is_up(e->what)) {
		if (!s->many && assoc_id(a) != e->assoc_id)
			assoc_set_id(a, e->assoc_id);
		a->outbound = c->sac_outbound_streams;
		a->inbound = c->sac_inbound_streams;
		a->peer = e->from != NULL ? *e->from : a->peer;
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
	/* One that never had a descriptor has nothing left in it; else who reads that frees it. */
	if (by_socket && a->state == ASSOC_OVER && a->stack.fd == -1)
		(void)assoc_free(a);
}

/*
 * The kernel gives a message back chunk by chunk, with the chunk's own begin
 * and end bits in the flags. Join them to the message again.
 */
static void
take_failed(struct sock *s, struct assoc *a, char *p, size_t len,
    const struct sockaddr_storage *from)
{
	enum { LAST = 1, FIRST = 2 };
	struct sctp_send_failed_event	f;
	struct event_send_failed	e = { .flags = false };
	struct stack_event		se = { .row = notice_send_failed, .assoc = a,
	    .from = from, .body = &e, .len = sizeof e };
	struct joint			lone = { .kind = JOINT_LONE };
	struct joint			*j = a != NULL ? &a->stack.failed : &lone;
	size_t				head = offsetof(struct sctp_send_failed_event, ssf_data);

	memcpy(&f, p, head);
	if (f.ssfe_info.snd_flags & FIRST)
		joint_clear(j);
	/* What does not begin with its first chunk has had that delivered. */
	if (f.ssf_flags == SCTP_DATA_SENT || (!j->begun && !(f.ssfe_info.snd_flags & FIRST)))
		joint_mark_sent(j);
	(void)joint_add(j, NULL, p + head, len - head);
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
	e.data = (struct slice){ joint_data(j), (uint32_t)j->len };
	sock_event(s, &se);
	joint_clear(j);
}

/*
 * Byte orders that the kernel leaves as they were on the wire: in a copy, as
 * what was received may be read again, by who comes after us.
 */
static char *
put_right(uint16_t type, char *p, size_t *len)
{
	static _Alignas(uint64_t) char	copy[(64 << 10) + 256];
	uint16_t			*error;

	if (type != SCTP_ASSOC_CHANGE && type != SCTP_REMOTE_ERROR)
		return p;
	if (*len > sizeof copy)
		*len = sizeof copy;
	memcpy(copy, p, *len);
	error = type == SCTP_ASSOC_CHANGE ? &((struct sctp_assoc_change *)(void *)copy)->sac_error :
	    (uint16_t *)&((struct sctp_remote_error *)(void *)copy)->sre_error;
	*error = ntohs(*error);
	return copy;
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
	struct stack_event	e = { .row = notice_unknown, .assoc = a,
	    .assoc_id = a != NULL ? assoc_id(a) : 0, .from = from,
	    .body = &u, .len = sizeof u };

	sock_event(s, &e);
}

/* One whole notification. It lies aligned, in the area or in a buffer. */
void
kernel_take_notification(struct sock *s, struct assoc *a, char *p, size_t len,
    const struct sockaddr_storage *from)
{
	struct sctp_assoc_change	 h;	/* all begin with type, flags, length */
	const struct notice		*row;
	struct stack_event		 e = { .from = from, .body = p, .len = len };
	bool				 by_socket = a == NULL;

	if (len < 8)
		return;
	memcpy(&h, p, 8);
	if (h.sac_type == SCTP_SEND_FAILED_EVENT &&
	    len >= offsetof(struct sctp_send_failed_event, ssf_data)) {
		row = notice_send_failed;
		memcpy(&e.assoc_id, p + offsetof(struct sctp_send_failed_event, ssf_assoc_id), 4);
	} else if ((row = notice_find(h.sac_type)) == NULL || len < row->size) {
		take_unknown(s, a, &h, p, len, from);
		return;
	} else
		e.assoc_id = id_in(row, p);
	if (a == NULL)
		a = assoc_find(s, e.assoc_id);
	if (row == notice_send_failed) {
		take_failed(s, a, p, len, from);
		return;
	}
	e.body = p = put_right(h.sac_type, p, &len);
	e.len = len;
	e.row = row;
	e.assoc = a;
	if (h.sac_type == SCTP_ASSOC_CHANGE) {
		take_assoc_change(s, a, &e, by_socket);
		return;
	}
	if (h.sac_type == SCTP_PARTIAL_DELIVERY_EVENT && a != NULL)
		joint_clear(&a->stack.data);
	if (h.sac_type == SCTP_STREAM_CHANGE_EVENT && a != NULL)
		stack_count_streams(a);
	if (h.sac_type == SCTP_SHUTDOWN_EVENT && a != NULL) {
		assoc_enter(a, ASSOC_GOING_DOWN);
		kernel_going(a);
	}
	sock_event(s, &e);
}
