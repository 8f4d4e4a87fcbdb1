/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: how associations end.
 *
 * Usually the kernel announces the end with a notification, or with "end" on a
 * one-to-one descriptor. In two cases it does not. After the peer's SHUTDOWN it
 * throws notifications away if shutdown(2) was called too, which happens
 * whenever both sides shut down at once. And it holds notifications back for
 * ever behind a message that was delivered in part and whose rest will not come
 * because the peer has restarted. Then the association is gone, and its
 * descriptor never says so. So the daemon asks the kernel once a second about
 * each association that is going down, until the kernel does not know the
 * association any more and nothing is left to read.
 *
 * An association that goes on alone (close.c) also has a time limit. When an
 * association shuts down and its peer keeps the window closed, the kernel gives
 * up after five minutes. But as long as messages wait in the daemon, the
 * association is not shutting down yet. So the daemon gives up after the same
 * time.
 */
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/socket.h>
#include <unistd.h>

#include "journal/fdpark.h"
#include "kernel/kernel.h"
#include "util/fault.h"
#include "util/log.h"
#include "util/loop.h"

#define LOOK_AT		1024	/* associations in a second */
#define IDLE_SECONDS	300	/* seconds: T5 of RFC 9260, five times RTO.Max */

static TAILQ_HEAD(goers, assoc) going = TAILQ_HEAD_INITIALIZER(going);
static struct event tick;
static bool ticking;

/* ---- shutting down and aborting -------------------------------------- */

/* Is the association of a one-to-one socket over, though nobody has read that yet? */
static bool
is_gone(const struct assoc *a)
{
	return (a->state == ASSOC_UP || a->state == ASSOC_GOING_DOWN) && !kernel_knows(a);
}

static int
shut_stream(struct assoc *a)
{
	struct sctp_status	st = { .sstat_assoc_id = 0 };
	socklen_t		len = sizeof st;
	bool			known = getsockopt(a->stack.fd, IPPROTO_SCTP, SCTP_STATUS, &st, &len) == 0;

	if (!known && (a->state == ASSOC_UP || a->state == ASSOC_GOING_DOWN))
		return EPIPE;
	/*
	 * After the peer's SHUTDOWN there is nothing to shut down. shutdown(2)
	 * would make the kernel throw away everything that it has still to say,
	 * above all the end of the association.
	 */
	if (known &&
	    (st.sstat_state == SCTP_SHUTDOWN_RECEIVED || st.sstat_state == SCTP_SHUTDOWN_ACK_SENT))
		return 0;
	return shutdown(a->stack.fd, SHUT_WR) == -1 ? errno : 0;
}

/* Send nothing but flags, such as EOF and ABORT, and what goes with them. */
static int
send_flags(struct assoc *a, uint16_t which, const void *data, size_t len)
{
	struct stack_message	m = { .info.flags = which, .data = data, .len = len };
	int			number;

	return kernel_send(a, &m, 1, &number) == 1 ? 0 : number;
}

/*
 * If the kernel is told to shut down an association that is coming up, it
 * forgets the association without a word. So the shutdown waits until the
 * association is up, and assoc_writable asks for it. The descriptor of a
 * one-to-many socket has room even before that, so there it is the reading of
 * SCTP_COMM_UP that calls assoc_writable.
 */
static int
eof_later(struct assoc *a)
{
	int	number = kernel_not_up_yet(a);

	if (number == EPIPE)
		return EPIPE;
	if (a->stack.one_to_one)
		kernel_await_room(a, true);
	return 0;
}

int
kernel_eof(struct assoc *a)
{
	int	number;

	if (a->state == ASSOC_COMING_UP && (!a->stack.one_to_one || kernel_not_up_yet(a) != 0))
		return eof_later(a);
	number = a->stack.one_to_one ? shut_stream(a) : send_flags(a, SNDRCV_EOF, NULL, 0);
	fault_point("eof");
	if (number != 0)
		return number;
	assoc_enter(a, ASSOC_GOING_DOWN);
	kernel_going(a);
	return 0;
}

void
kernel_say_end(struct assoc *a, enum sctp_sac_state state, uint16_t error)
{
	struct sctp_assoc_change	c = {
		.sac_type = SCTP_ASSOC_CHANGE,
		.sac_length = sizeof c,
		.sac_state = (uint16_t)state,
		.sac_error = error,
		.sac_assoc_id = (sctp_assoc_t)assoc_id(a),
	};
	struct stack_event		e = {
		.row = event_type_find(SCTP_ASSOC_CHANGE),
		.assoc = a,
		.assoc_id = assoc_id(a),
		.what = kernel_assoc_event((uint16_t)state),
		.error = error,
		.from = &a->peer,
		.body = &c,
		.len = sizeof c,
	};

	assoc_enter(a, ASSOC_OVER);
	sock_event(a->sock, &e);
}

/*
 * The kernel aborts the association of a one-to-one socket only when the socket
 * is closed. Say what the kernel says in other cases, and have the association
 * freed in the next turn.
 */
static int
abort_stream(struct assoc *a)
{
	static const struct linger	at_once = { .l_onoff = 1, .l_linger = 0 };
	struct sock			*s = a->sock;

	kernel_await_room(a, false);
	kernel_unwatch(s, a->stack.fd);
	(void)setsockopt(a->stack.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	if (s->stack.parked)
		fdpark_drop(s->node.key);
	s->stack.parked = false;
	(void)close(a->stack.fd);
	a->stack.fd = s->stack.fd = -1;
	fault_point("abort");
	kernel_say_end(a, SCTP_COMM_LOST, 12);	/* User Initiated Abort */
	assoc_fail_sends(a, ERR_epipe, "the association was aborted");
	event_active(&a->stack.linger, 0, 0);
	return 0;
}

int
kernel_abort(struct assoc *a, const void *reason, size_t len)
{
	int	number;

	if (a->stack.one_to_one && a->sock != NULL)
		return is_gone(a) ? EPIPE : abort_stream(a);
	number = send_flags(a, SNDRCV_ABORT, reason, len);
	fault_point("abort");
	if (number == 0)
		assoc_fail_sends(a, ERR_epipe, "the association was aborted");
	return number;
}

void
kernel_abandon(struct assoc *a)
{
	static const struct linger	at_once = { .l_onoff = 1, .l_linger = 0 };

	if (a->stack.one_to_one)	/* the close of its last descriptor aborts it */
		(void)setsockopt(a->stack.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	else
		(void)kernel_abort(a, NULL, 0);
}

void
kernel_finish(struct assoc *a)
{
	struct sock		*s = a->sock;
	bool			 was_up = a->outbound != 0;

	/* A socket whose association was aborted has no descriptor left to connect again. */
	if (!s->many && (was_up || s->stack.fd == -1))
		upcall_over(s, a);
	(void)assoc_free(a);
}

/* ---- ends that the kernel does not announce -------------------------- */

/*
 * The association still connects, and has something to send when it is up.
 * Older daemons left associations that have nothing to send; the kernel has
 * forgotten those.
 */
static bool
still_connects(const struct assoc *a)
{
	return a->state == ASSOC_COMING_UP && !(a->stack.is_lingering && a->stack.one_to_one &&
	    TAILQ_EMPTY(&a->sends));
}

/* Did the association end without a word? Then say so, which may free it. */
bool
kernel_look_for_end(struct assoc *a)
{
	if (a->stack.fd == -1 || (a->sock != NULL && a->sock->lent) || still_connects(a) ||
	    kernel_knows(a) || !kernel_is_drained(a->stack.fd))
		return false;
	if (a->sock == NULL) {
		(void)assoc_free(a);
		return true;
	}
	log_debug("assoc %u: the kernel does not know it any more", assoc_id(a));
	kernel_say_end(a, SCTP_SHUTDOWN_COMP, 0);
	assoc_fail_sends(a, ERR_epipe, "the association is over");
	kernel_finish(a);
	return true;
}

/* Has a lingering association taken nothing for as long as it may? */
static bool
stands_still(struct assoc *a)
{
	struct timespec	now;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (a->stack.moved == 0)
		a->stack.moved = now.tv_sec;
	return now.tv_sec - a->stack.moved > IDLE_SECONDS;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct assoc	*a, *last = TAILQ_LAST(&going, goers);
	bool		 more = true;

	(void)fd, (void)what, (void)arg;
	for (int i = 0; i < LOOK_AT && more && (a = TAILQ_FIRST(&going)) != NULL; i++) {
		more = a != last;
		TAILQ_REMOVE(&going, a, stack.going);
		TAILQ_INSERT_TAIL(&going, a, stack.going);
		if (kernel_look_for_end(a) || !a->stack.is_lingering ||
		    a->state >= ASSOC_GOING_DOWN || !stands_still(a))
			continue;
		log_notice("assoc %u: aborted, its socket is closed, and its peer accepted nothing for %d s, %zu bytes wait",
		    assoc_id(a), IDLE_SECONDS, a->waiting);
		a->ended_by = ENDED_BY_US;
		kernel_abandon(a);
		(void)assoc_free(a);
	}
}

/*
 * The timer runs while some association is going down. Most are over before
 * the turn is, where the peer is near, and need none.
 */
bool
kernel_look_from_now_on(void)
{
	static const struct timeval	second = { .tv_sec = 1 };

	if (TAILQ_EMPTY(&going))
		return false;
	if (!event_initialized(&tick))
		(void)event_assign(&tick, loop_base(), -1, EV_PERSIST, on_tick, NULL);
	if (!ticking)
		(void)event_add(&tick, &second);
	ticking = true;
	return false;
}

void
kernel_going(struct assoc *a)
{
	if (a->stack.is_going)
		return;
	a->stack.is_going = true;
	TAILQ_INSERT_TAIL(&going, a, stack.going);
	loop_at_end_of_turn(kernel_look_from_now_on);
}

void
kernel_not_going(struct assoc *a)
{
	if (!a->stack.is_going)
		return;
	TAILQ_REMOVE(&going, a, stack.going);
	a->stack.is_going = false;
	if (TAILQ_EMPTY(&going) && ticking) {
		(void)event_del(&tick);
		ticking = false;
	}
}
