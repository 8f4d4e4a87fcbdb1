/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: closing sockets, and associations that go on alone after
 * that until they are over.
 */
#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/socket.h>
#include <unistd.h>

#include "journal/fdpark.h"
#include "kernel/kernel.h"
#include "util/fault.h"
#include "util/loop.h"

static TAILQ_HEAD(, assoc) lingering = TAILQ_HEAD_INITIALIZER(lingering);

/* ---- alone ---------------------------------------------------------- */

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	if (!kernel_discard(arg))
		(void)assoc_free(arg);
}

static void
go_on_alone(struct assoc *a)
{
	a->stack.owns_fd = a->stack.is_lingering = true;
	a->stack.moved = 0;
	TAILQ_INSERT_TAIL(&lingering, a, stack.lingering);
	(void)event_assign(&a->stack.linger, loop_base(), -1, 0, on_readable, a);
	kernel_going(a);
}

void
kernel_let_linger(struct assoc *a)
{
	go_on_alone(a);
	loop_watch(&a->stack.linger, a->stack.fd, EV_READ | EV_PERSIST);
}

void
kernel_assoc_free(struct assoc *a)
{
	kernel_await_room(a, false);
	kernel_unthrottle(a);
	kernel_no_tail(a);
	budget_uncharge(&a->stack.charged);
	if (a->sock != NULL && a->stack.fd != -1)
		kernel_unwatch(a->sock, a->stack.fd);
	(void)event_del(&a->stack.linger);
	if (a->stack.is_lingering)
		TAILQ_REMOVE(&lingering, a, stack.lingering);
	a->stack.is_lingering = false;
	kernel_not_going(a);
	partials_clear(&a->stack.data);
	partial_clear(&a->stack.notice);
	partial_clear(&a->stack.failed);
	kernel_forget_names(a);
	if (a->stack.parked)
		fdpark_drop(a->number);
	if (a->stack.owns_fd && a->stack.fd != -1)
		(void)close(a->stack.fd);
	a->stack.fd = -1;
}

/* ---- a socket ------------------------------------------------------- */

/* May SO_LINGER be set? A client sets it, by its option or on a descriptor that was lent. */
static bool
may_have_linger(const struct sock *s)
{
	return s->stack.has_local_options || s->lent;
}

/*
 * The association's socket is closed. Send the messages that wait, shut down,
 * and read until the association is over.
 */
static void
linger(struct assoc *a)
{
	static const struct linger	off = { .l_onoff = 0 };

	/* We answer a close that waits; close(2) must not block. */
	if (may_have_linger(a->sock))
		(void)setsockopt(a->stack.fd, SOL_SOCKET, SO_LINGER, &off, sizeof off);
	assoc_move(a, NULL);
	if (!a->stack.parked)
		a->stack.parked = fdpark_put(a->number, a->stack.fd);
	go_on_alone(a);
	if (!a->eof_asked)
		(void)assoc_eof(a);
	if (kernel_discard(a))
		loop_watch(&a->stack.linger, a->stack.fd, EV_READ | EV_PERSIST);
	else
		(void)assoc_free(a);
}

int
kernel_linger(const struct sock *s)
{
	struct linger	l = { .l_onoff = 0 };
	socklen_t	len = sizeof l;

	if (s->stack.fd == -1 || !may_have_linger(s) ||
	    getsockopt(s->stack.fd, SOL_SOCKET, SO_LINGER, &l, &len) == -1 || !l.l_onoff)
		return -1;
	return l.l_linger;
}

/*
 * Does the association have something to do without its socket? An association
 * that is coming up has nothing to shut down, and the kernel would forget it
 * without a word. But a message that was taken before must arrive once the
 * association is up; for that the association gets a descriptor of its own.
 */
static bool
goes_on(struct assoc *a)
{
	if (a->state == ASSOC_OVER)
		return false;
	/* A one-to-one association may be up though the client has not read that yet. */
	if (a->state != ASSOC_COMING_UP || (a->stack.one_to_one && kernel_knows(a)))
		return a->stack.fd != -1;
	if (!a->stack.has_sent && TAILQ_EMPTY(&a->sends))
		return false;
	if (a->stack.fd == -1 && (a->stack.fd = kernel_peel(a->sock, assoc_id(a))) != -1)
		kernel_has_fd(a);
	return a->stack.fd != -1;
}

static void
close_assoc(struct assoc *a, bool abort)
{
	if (abort || !goes_on(a)) {
		if (a->state == ASSOC_COMING_UP || (abort && a->stack.fd != -1))
			kernel_abandon(a);
		(void)assoc_free(a);
		return;
	}
	if (a->stack.fd == a->sock->stack.fd)
		a->sock->stack.fd = -1;		/* the descriptor goes on with the association */
	linger(a);
}

/* May the socket have something to say of an association that has no descriptor yet? */
static bool
may_announce(struct sock *s)
{
	struct assoc	*a = NULL;

	if (s->stack.may_come)
		return s->many;
	while ((a = assoc_next(s, a)) != NULL) {
		if (a->state == ASSOC_COMING_UP)
			return s->many;
	}
	return false;
}

void
kernel_close(struct sock *s)
{
	struct assoc	*a;
	bool		 abort = kernel_linger(s) == 0;	/* with linger {on, 0} */

	/* Associations that the socket has not announced yet are closed too. */
	while (!abort && may_announce(s) && kernel_read_socket(s))
		;
	kernel_read_no_more(s);
	while ((a = assoc_next(s, NULL)) != NULL)
		close_assoc(a, abort);
	/* Drop the parked copies first: the last descriptor that is closed closes the socket. */
	if (s->stack.parked)
		fdpark_drop(s->node.key);
	if (s->stack.netns_number != 0)
		fdpark_drop(s->stack.netns_number);
	s->stack.parked = false;
	if (s->stack.set != -1)
		(void)close(s->stack.set);
	if (s->stack.fd != -1)
		(void)close(s->stack.fd);
	if (s->stack.netns != -1)
		(void)close(s->stack.netns);
	fault_point("closed");
	partial_clear(&s->stack.notice);
	s->stack.fd = s->stack.set = s->stack.netns = -1;
}

void
kernel_free(void)
{
	struct assoc	*a;

	while ((a = TAILQ_FIRST(&lingering)) != NULL)
		(void)assoc_free(a);
	budget_free();
}
