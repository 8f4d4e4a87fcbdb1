/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: how much of our memory usrsctp's queues may take.
 *
 * They are in this process, and usrsctp counts less than it takes: around a
 * message that it was given there are AROUND bytes that its send buffer does not
 * count, so their number is bounded, too (userland-given.c); and with each that
 * waits to be read it counts COUNTED bytes and takes AROUND. An association is
 * charged with all of that, as long as we have it (budget.c). What came and was
 * not accepted or read of yet is held (userland-hold.c): its peer can fill its
 * receive buffer, and nothing is sent. It keeps that buffer when it is ours.
 *
 * A send buffer costs six times as much as a receive buffer, and what is longer
 * than half a window comes slowly: so the latter shrinks half as fast.
 *
 * Half of max_memory is the budget for all. usrsctp makes the window from the
 * receive buffer as it is, so that may change at any time.
 */
#include <errno.h>

#include "user.h"
#include "userland.h"

/* The buffers of an association where there is enough for all: as the kernel's read back. */
#define SEND		(4 << 20)
#define RECEIVE		(1 << 20)
/* No association works with less: usrsctp offers no smaller window. */
#define SEND_LEAST	(4 << 10)
#define RECEIVE_LEAST	(4 << 10)

#define AROUND		441
#define COUNTED		256
/* Bytes of a send buffer for each message that it may have. */
#define PER_MESSAGE	256

/* A message of that length always has room. */
#define MESSAGE_LEAST	65536

/* A fragment of a long message takes AROUND, too, and has as many bytes or more. */
#define FRAGMENT	1024

static unsigned
messages_in(int send)
{
	return (unsigned)send / PER_MESSAGE;
}

/* What more bytes of one message take. */
static uint64_t
fragments(size_t len)
{
	return len + AROUND * (len / FRAGMENT + 1);
}

/* Bytes that these buffers can hold. */
static uint64_t
cost(struct buffers z)
{
	uint64_t	receive = z.receive > RECEIVE_LEAST ? (uint64_t)z.receive : RECEIVE_LEAST;

	return receive * AROUND / COUNTED + (uint64_t)z.send +
	    (uint64_t)AROUND * messages_in(z.send);
}

static struct budget	budget = {
	.smallest = { RECEIVE_LEAST, SEND_LEAST },
	.receive_levels = 2,
	.is_ours = true,
	.cost = cost,
	.size = userland_size_socket,
};

void
userland_budget_init(void)
{
	budget.all = user_limit(CHARGE_MEMORY) / 2;
	budget.least = cost(budget.smallest);
	budget_set(&budget);
}

/* ---- sockets -------------------------------------------------------- */

static void
set_buffer(struct socket *so, int name, int bytes)
{
	(void)usrsctp_setsockopt(so, SOL_SOCKET, name, &bytes, sizeof bytes);
}

static void
set_buffers(struct socket *so, struct buffers z)
{
	set_buffer(so, SO_RCVBUF, z.receive);
	set_buffer(so, SO_SNDBUF, z.send);
}

void
userland_begin_sizes(struct sock *s)
{
	s->stack.want = (struct buffers){ RECEIVE, SEND };
	userland_size_anew(s);
}

void
userland_size_anew(struct sock *s)
{
	s->stack.level = BUDGET_LEVEL_UNKNOWN;
	userland_size_socket(s);
}

void
userland_size_socket(struct sock *s)
{
	struct userland_sock	*u = s->stack.userland;

	if (u == NULL || u->so == NULL || (!s->many && assoc_next(s, NULL) != NULL) ||
	    !budget_new_level(s))
		return;
	set_buffers(u->so, budget_at_level(s, s->stack.level));
}

/* ---- associations --------------------------------------------------- */

static void
charge(struct assoc *a, unsigned level)
{
	struct buffers	z = budget_at_level(a->sock, level);

	if (z.receive < a->stack.userland->promised)
		z.receive = a->stack.userland->promised;
	a->stack.userland->buffers = z;
	a->stack.userland->messages = messages_in(z.send);
	a->stack.userland->want_send = a->sock->stack.want.send;
	budget_charge(&a->stack.charged, a->sock->user, cost(z));
}

void
userland_charge_new(struct assoc *a)
{
	charge(a, a->sock->stack.level);
	userland_size_socket(a->sock);
}

void
userland_size_assoc(struct assoc *a)
{
	struct sock	*s = a->sock;

	budget_uncharge(&a->stack.charged);
	charge(a, budget_level(s));
	set_buffers(a->stack.userland->so, a->stack.userland->buffers);
	userland_size_socket(s);
}

int
userland_receive_size(const struct sock *s)
{
	return budget_at_level(s, s->stack.level).receive;
}

/* Nothing is sent before somebody has it. */
void
userland_charge_hold(struct charged *c, const struct sock *s, int receive)
{
	budget_hold(c, s->user, cost((struct buffers){ .receive = receive }));
}

int
userland_grow_send(struct assoc *a, size_t len)
{
	struct userland_assoc	*ua = a->stack.userland;
	struct buffers		*z = &ua->buffers;
	struct charged		*c = &a->stack.charged;
	uint64_t		 more;

	if (len > (size_t)ua->want_send || len <= (size_t)z->send)
		return EMSGSIZE;
	more = fragments(len - (size_t)z->send);
	if (len > MESSAGE_LEAST && more > budget_left_to(c->user))
		return ENOBUFS;
	budget_add(c, more);
	z->send = (int)len;
	set_buffer(userland_so(a), SO_SNDBUF, z->send);
	return 0;
}

/* ---- what a client sets --------------------------------------------- */

/* Called for the socket first, and then for each association that has its own. */
static int
want(struct sock *s, struct assoc *a, int *wanted, const void *raw)
{
	memcpy(wanted, raw, sizeof *wanted);
	if (a == NULL) {
		userland_size_anew(s);
		while ((a = assoc_next(s, a)) != NULL) {
			a->stack.userland->promised = 0;
			if (a->stack.userland->so == NULL)
				userland_charge_new(a);
		}
	} else if (a->stack.userland->so != NULL)
		userland_size_assoc(a);
	return 0;
}

int
userland_want_send(struct sock *s, struct assoc *a, const void *raw)
{
	return want(s, a, &s->stack.want.send, raw);
}

int
userland_want_receive(struct sock *s, struct assoc *a, const void *raw)
{
	return want(s, a, &s->stack.want.receive, raw);
}
