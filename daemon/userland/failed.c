/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: messages that it gives back.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "userland.h"

/*
 * usrsctp gives messages back before it says that the association is lost, the
 * kernel afterwards: they are held until it is said, or nothing more is.
 */
struct held {
	TAILQ_ENTRY(held)		entry;
	struct event_send_failed	e;
	char				data[];
};

static void
hold(struct userland_assoc *ua, const struct event_send_failed *e)
{
	struct held	*h = xmalloc(sizeof *h + e->data.len);

	h->e = *e;
	memcpy(h->data, e->data.ptr, e->data.len);
	h->e.data.ptr = h->data;
	TAILQ_INSERT_TAIL(&ua->held, h, entry);
}

static void
drop_first_held(struct userland_assoc *ua)
{
	struct held	*h = TAILQ_FIRST(&ua->held);

	TAILQ_REMOVE(&ua->held, h, entry);
	free(h);
}

void
userland_tell_held(struct assoc *a)
{
	struct userland_assoc	*ua = a->stack.userland;
	struct stack_event	 se = {
		.row = notice_send_failed,
		.assoc = a,
		.assoc_id = assoc_id(a),
		.from = &a->peer,
		.len = sizeof(struct event_send_failed),
	};

	while (!TAILQ_EMPTY(&ua->held)) {
		se.body = &TAILQ_FIRST(&ua->held)->e;
		sock_event(a->sock, &se);
		drop_first_held(ua);
	}
}

void
userland_drop_held(struct userland_assoc *ua)
{
	while (!TAILQ_EMPTY(&ua->held))
		drop_first_held(ua);
}

static void
tell_failed(struct sock *s, struct assoc *a, const struct sctp_send_failed_event *f,
    struct joint *j)
{
	struct userland_assoc		*ua = a != NULL ? a->stack.userland : NULL;
	struct event_send_failed	 e = {
		.flags = j->sent,
		.error = ua != NULL && ua->aborted ? USER_INITIATED : f->ssfe_error,
		.assoc_id = a != NULL ? assoc_id(a) : 0,
		.data = { joint_data(j), (uint32_t)j->len },
		.info = {
			.stream = f->ssfe_info.snd_sid,
			.flags = f->ssfe_info.snd_flags & (SCTP_UNORDERED | 4) ?
			    SNDRCV_UNORDERED : 0,
			.ppid = ntohl(f->ssfe_info.snd_ppid),
			.context = f->ssfe_info.snd_context,
		},
	};
	struct stack_event		 se = {
		.row = notice_send_failed,
		.assoc = a,
		.assoc_id = e.assoc_id,
		.from = a != NULL ? &a->peer : NULL,
		.body = &e,
		.len = sizeof e,
	};

	e.info.assoc_id = e.assoc_id;
	if (ua != NULL && (ua->so != NULL || ua->is_starting) && a->state != ASSOC_OVER)
		hold(ua, &e);
	else
		sock_event(s, &se);
}

/* Chunk by chunk, as the kernel gives it: join them to the message again. */
void
userland_take_failed(struct sock *s, struct assoc *a, const char *p, size_t len)
{
	enum { LAST = 1, FIRST = 2 };
	struct sctp_send_failed_event	f;
	struct joint			lone = { .begun = false };
	struct joint			*j = a != NULL ? &a->stack.userland->failed : &lone;

	memcpy(&f, p, sizeof f);
	if (f.ssfe_info.snd_flags & FIRST)
		joint_clear(j);
	/* What does not begin with its first chunk has had that delivered. */
	if (f.ssfe_flags == SCTP_DATA_SENT || (!j->begun && !(f.ssfe_info.snd_flags & FIRST)))
		j->sent = true;
	(void)joint_add(j, NULL, p + sizeof f, len - sizeof f);
	if (!(f.ssfe_info.snd_flags & LAST) && a != NULL)
		return;
	tell_failed(s, a, &f, j);
	joint_clear(j);
}
