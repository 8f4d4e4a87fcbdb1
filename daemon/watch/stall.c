/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stall detector.
 *
 * An association is looked at only while something of it is not acknowledged: the
 * first message that is sent begins that, and a look that finds nothing ends it.
 * A look asks for the memory that the stack has in use. Is it less than before,
 * something was acknowledged. If not, the stack is asked for all it knows.
 *
 * A loss looks like a stall for a while. To tell them apart, heartbeats are asked
 * for on all paths once a quarter of the time is over. It is a stall if most of
 * them, two at least, are answered and still nothing is acknowledged. What is lost is sent
 * again meanwhile, and with each answered heartbeat the stack's timeout is short
 * again, so it is sent several times.
 *
 * While our own window is closed, the peer may wait for our user: an echo server
 * cannot read on before it is rid of what it has. That is no stall of the peer's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "socket/assoc.h"
#include "socket/deliver.h"
#include "socket/report.h"
#include "socket/sock.h"
#include "watch/ask.h"
#include "watch/stall.h"

#define LOOKS		8	/* in the time of the option */
#define LOOK_LEAST	100	/* ms */
#define LOOK_MOST	400
#define BEAT_LEAST	250	/* ms between heartbeats */
#define BEAT_MOST	1000
#define ANSWERS		2	/* that a stall needs */
#define CLOSED		1500	/* a window is, if it has no room for a packet */

/* ---- what is said ---------------------------------------------------- */

static void
tell(struct watch *w, const char *state, const char *reason)
{
	struct event_stalled	e = {
		.state = { state, (uint32_t)strlen(state) },
		.reason = { reason, (uint32_t)strlen(reason) },
		.time = trace_now() - w->acked_at,
		.queued = w->queued,
		.waiting = w->assoc->waiting,
		.unackdata = w->last.unacked,
		.rwnd = w->last.window,
		.heartbeats = (uint32_t)w->answered,
		.path = w->last.path,
		.assoc_id = assoc_id(w->assoc),
	};

	sock_tell(w->assoc->sock, EVENT_stalled, w->assoc, &e);
}

static void
begin_stall(struct watch *w)
{
	const struct assoc	*a = w->assoc;
	char			 cause[240];
	bool			 closed = w->last.window < CLOSED;

	w->kept.stalled = w->acked_at;
	assoc_changed(w->assoc);
	(void)snprintf(cause, sizeof cause, "%s; nothing was acknowledged for %llu ms, %u chunks and %zu bytes wait, the peer's window is %u, %u of %u heartbeats were answered",
	    closed ? "the peer does not read" : "heartbeats arrive and data does not",
	    (unsigned long long)(trace_now() - w->acked_at), (unsigned)w->last.unacked, a->waiting,
	    (unsigned)w->last.window, (unsigned)w->answered, w->asked);
	report_watch(w->assoc, LINE_assoc_stalled, &w->last.path, cause);
	tell(w, "stalled", closed ? "window" : "data");
}

static void
end_stall(struct watch *w, const char *reason, const char *cause)
{
	if (w->kept.stalled == 0)
		return;
	tell(w, "ended", reason);
	w->kept.stalled = 0;
	assoc_changed(w->assoc);
	report_watch(w->assoc, LINE_assoc_moves, &w->last.path, cause);
}

/* ---- looking --------------------------------------------------------- */

/* Nobody waits any more, or everybody from now on. */
static void
begin_anew(struct watch *w, uint64_t now)
{
	w->acked_at = now;
	w->has_last = false;
	w->asked = 0;
	w->answered = 0;
}

void
stall_end(struct watch *w)
{
	end_stall(w, "option", "the option stall is off");
	begin_anew(w, 0);
	w->kept.wants_sends = false;
}

/* Was something acknowledged since the last look? */
static bool
has_moved(const struct watch *w, const struct stack_outstanding *o)
{
	return o->unacked < w->last.unacked || (o->sacks != w->last.sacks && o->acked > w->last.acked);
}

static void
count_answers(struct watch *w, const struct stack_outstanding *o, uint64_t now)
{
	uint64_t	n = w->asked > 0 ? o->answers - w->answers : 0;

	if (n > w->answered)
		w->answered_at = now;
	w->answered = n < w->asked ? n : w->asked;
}

static uint64_t
beat_every(uint64_t time)
{
	return time / 8 < BEAT_LEAST ? BEAT_LEAST : time / 8 > BEAT_MOST ? BEAT_MOST : time / 8;
}

/* On each path: which one messages take while some of them fail, only the stack knows. */
static void
send_heartbeats(const struct watch *w)
{
	struct sockaddr_storage	*addrs;
	size_t			 n;

	if (stack->names(w->assoc->sock, w->assoc, true, &addrs, &n) != 0)
		return;
	for (size_t i = 0; i < n; i++)
		ask_heartbeat(w->assoc, &addrs[i]);
	free(addrs);
}

static void
ask_again(struct watch *w, uint64_t time, uint64_t now)
{
	if (now - w->acked_at < time / 4 || (w->asked > 0 && now - w->asked_at < beat_every(time)))
		return;
	if (w->asked++ == 0)
		w->answers = w->last.answers;
	w->asked_at = now;
	send_heartbeats(w);
}

/* Heartbeats are answered: lately, and not only some of them. */
static bool
is_alive(const struct watch *w, uint64_t time, uint64_t now)
{
	return w->answered >= ANSWERS && 2 * w->answered >= w->asked &&
	    now - w->answered_at <= 3 * beat_every(time);
}

/* Nothing seems to have been acknowledged: ask the stack for all it knows. False: it was. */
static bool
is_still(struct watch *w, uint64_t now)
{
	struct stack_outstanding	o;

	if (!stack->outstanding(w->assoc, &o))
		return false;
	if (w->has_last && has_moved(w, &o)) {
		end_stall(w, "acknowledged", "something was acknowledged");
		w->last = o;
		return false;
	}
	w->last = o;
	w->has_last = true;
	if (o.own_closed) {
		end_stall(w, "own_window", "the peer waits for us: our own window is closed");
		return false;
	}
	count_answers(w, &o, now);
	return true;
}

static void
look_on(struct watch *w, uint64_t queued, const struct sockopt_stall *own, uint64_t now)
{
	bool		less = queued < w->queued;
	uint64_t	time = (uint64_t)own->time;

	w->queued = queued;
	if (less)
		end_stall(w, "acknowledged", "something was acknowledged");
	if (less || !is_still(w, now)) {
		begin_anew(w, now);
		return;
	}
	ask_again(w, time, now);
	if (w->kept.stalled != 0 || now - w->acked_at < time || !is_alive(w, time, now))
		return;
	begin_stall(w);
	if (own->abort)
		(void)report_abort(w->assoc, NULL, 0, NULL, "it has stalled, and the option stall says abort");
}

static void
look(struct watch *w, const struct sockopt_stall *own, uint64_t now)
{
	uint64_t	queued = stack->queued(w->assoc);

	w->kept.wants_sends = queued == 0 && w->assoc->waiting == 0;
	if (w->kept.wants_sends) {
		end_stall(w, "acknowledged", "everything was acknowledged");
		begin_anew(w, 0);
		w->queued = 0;
		return;
	}
	if (w->acked_at != 0) {
		look_on(w, queued, own, now);
		return;
	}
	begin_anew(w, w->kept.stalled != 0 ? w->kept.stalled : now);	/* it had stalled before a restart */
	w->queued = queued;
}

uint64_t
stall_look(struct watch *w)
{
	const struct sockopt_stall	*own = &w->assoc->sock->own.stall;
	uint64_t			 every = (uint64_t)own->time / LOOKS;

	if (own->time < 0) {
		stall_end(w);
		return NO_MORE_LOOKS;
	}
	if (w->assoc->sock->lent)
		begin_anew(w, trace_now());	/* its borrower sends and reads without the daemon */
	else
		look(w, own, trace_now());
	if (w->kept.wants_sends)
		return NO_MORE_LOOKS;
	return every < LOOK_LEAST ? LOOK_LEAST : every > LOOK_MOST ? LOOK_MOST : every;
}
