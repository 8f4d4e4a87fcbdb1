/* SPDX-License-Identifier: BSD-2-Clause */
/* The userland stack: messages that usrsctp could not deliver and gives back. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "userland/userland.h"
#include "util/mem.h"

/*
 * usrsctp gives messages back before it reports that the association is lost.
 * The kernel gives them back afterwards. So they are held until the end was
 * reported, or until nothing more is left to read.
 */
struct deferred {
	TAILQ_ENTRY(deferred)		entry;
	struct event_send_failed	e;
	char				data[];
};

static void
defer(struct userland_assoc *ua, const struct event_send_failed *e)
{
	struct deferred	*h = xmalloc(sizeof *h + e->data.len);

	h->e = *e;
	memcpy(h->data, e->data.ptr, e->data.len);
	h->e.data.ptr = h->data;
	TAILQ_INSERT_TAIL(&ua->deferred, h, entry);
}

static void
drop_first_deferred(struct userland_assoc *ua)
{
	struct deferred	*h = TAILQ_FIRST(&ua->deferred);

	TAILQ_REMOVE(&ua->deferred, h, entry);
	free(h);
}

void
userland_tell_deferred(struct assoc *a)
{
	struct userland_assoc	*ua = a->stack.userland;
	struct stack_event	 se = {
		.row = EVENT_send_failed,
		.assoc = a,
		.assoc_id = assoc_id(a),
		.from = &a->peer,
		.len = sizeof(struct event_send_failed),
	};

	while (!TAILQ_EMPTY(&ua->deferred)) {
		se.body = &TAILQ_FIRST(&ua->deferred)->e;
		sock_event(a->sock, &se);
		drop_first_deferred(ua);
	}
}

void
userland_drop_deferred(struct userland_assoc *ua)
{
	while (!TAILQ_EMPTY(&ua->deferred))
		drop_first_deferred(ua);
}

static void
tell_failed(struct sock *s, struct assoc *a, const struct sctp_send_failed_event *f,
    struct partial *j)
{
	struct userland_assoc		*ua = a != NULL ? a->stack.userland : NULL;
	struct event_send_failed	 e = {
		.flags = j->sent,
		.error = ua != NULL && ua->aborted ? USER_INITIATED : f->ssfe_error,
		.assoc_id = a != NULL ? assoc_id(a) : 0,
		.data = { partial_data(j), (uint32_t)j->len },
		.info = {
			.stream = f->ssfe_info.snd_sid,
			.flags = f->ssfe_info.snd_flags & (SCTP_UNORDERED | 4) ?
			    SNDRCV_UNORDERED : 0,
			.ppid = ntohl(f->ssfe_info.snd_ppid),
			.context = f->ssfe_info.snd_context,
		},
	};
	struct stack_event		 se = {
		.row = EVENT_send_failed,
		.assoc = a,
		.assoc_id = e.assoc_id,
		.from = a != NULL ? &a->peer : NULL,
		.body = &e,
		.len = sizeof e,
	};

	e.info.assoc_id = e.assoc_id;
	if (ua != NULL && (ua->so != NULL || ua->is_starting) && a->state != ASSOC_OVER)
		defer(ua, &e);
	else
		sock_event(s, &se);
}

/*
 * usrsctp gives a message back chunk by chunk, as the kernel does. Join the
 * chunks to the message again.
 */
void
userland_take_failed(struct sock *s, struct assoc *a, const char *p, size_t len)
{
	enum { LAST = 1, FIRST = 2 };
	struct sctp_send_failed_event	f;
	struct partial			lone = { .begun = false };
	struct partial			*j = a != NULL ? &a->stack.userland->failed : &lone;

	memcpy(&f, p, sizeof f);
	if (f.ssfe_info.snd_flags & FIRST)
		partial_clear(j);
	/*
	 * If the first chunk is missing, that chunk was delivered: the message
	 * counts as sent.
	 */
	if (f.ssfe_flags == SCTP_DATA_SENT || (!j->begun && !(f.ssfe_info.snd_flags & FIRST)))
		j->sent = true;
	(void)partial_add(j, NULL, p + sizeof f, len - sizeof f);
	if (!(f.ssfe_info.snd_flags & LAST) && a != NULL)
		return;
	tell_failed(s, a, &f, j);
	partial_clear(j);
}
