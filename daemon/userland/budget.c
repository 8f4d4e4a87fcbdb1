/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: how much of our memory usrsctp's queues may take.
 *
 * The queues are in this process, and usrsctp counts less than they take.
 * Around each message that it was given there are AROUND bytes that the send
 * buffer does not count. So the number of messages is limited, too
 * (userland/given.c). For each message that waits to be read, usrsctp counts
 * COUNTED bytes and takes AROUND. An association is charged for all of that as
 * long as we have it (limits/budget.c).
 *
 * An association that is not accepted yet, or whose notification is not read
 * yet, counts as held (userland/embryo.c). Only the receive buffer counts: the
 * peer can fill that, and we send nothing. The association keeps this receive
 * buffer when it becomes ours.
 *
 * A send buffer costs six times as much as a receive buffer. A message that is
 * longer than half a window comes slowly. So the receive buffer shrinks half as
 * fast as the send buffer.
 *
 * Half of max_memory is the budget for all associations. usrsctp computes the
 * window from the current receive buffer, so that buffer may change at any
 * time.
 */
#include <errno.h>

#include "limits/user.h"
#include "userland/userland.h"

/*
 * The buffers of an association while there is enough memory for all. Their
 * sizes are what the kernel's buffers read back as.
 */
#define SEND		(4 << 20)
#define RECEIVE		(1 << 20)
/* No association works with less, as usrsctp offers no smaller window. */
#define SEND_LEAST	(4 << 10)
#define RECEIVE_LEAST	(4 << 10)

#define AROUND		441
#define COUNTED		256
/* A send buffer may have one message for each so many bytes of its size. */
#define PER_MESSAGE	256

/* A message of up to this length always gets room. */
#define MESSAGE_LEAST	65536

/* A fragment of a long message takes AROUND bytes, too, and holds at least this many. */
#define FRAGMENT	1024

static unsigned
messages_in(int send)
{
	return (unsigned)send / PER_MESSAGE;
}

/* The memory that these buffers can take. */
static uint64_t
cost(struct buffers z)
{
	uint64_t	receive = z.receive > RECEIVE_LEAST ? (uint64_t)z.receive : RECEIVE_LEAST;

	return receive * AROUND / COUNTED + (uint64_t)z.send +
	    (uint64_t)AROUND * messages_in(z.send);
}

static void
size_all(void)
{
	struct sock	*s = NULL;

	while ((s = sock_next(s)) != NULL)
		userland_size_socket(s);
}

static struct budget	budget = {
	.smallest = { RECEIVE_LEAST, SEND_LEAST },
	.receive_levels = 2,
	.is_ours = true,
	.cost = cost,
	.size_all = size_all,
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
	s->stack.sizes.want = (struct buffers){ RECEIVE, SEND };
	userland_size_anew(s);
}

void
userland_size_anew(struct sock *s)
{
	s->stack.sizes.level = BUDGET_LEVEL_UNKNOWN;
	userland_size_socket(s);
}

void
userland_size_socket(struct sock *s)
{
	struct userland_sock	*u = s->stack.userland;

	if (u == NULL || u->so == NULL || (!s->many && assoc_next(s, NULL) != NULL) ||
	    !budget_new_level(&s->stack.sizes, s->user))
		return;
	set_buffers(u->so, budget_buffers(&s->stack.sizes));
}

/* ---- associations --------------------------------------------------- */

static void
charge(struct assoc *a, unsigned level)
{
	struct buffers	z = budget_at_level(&a->sock->stack.sizes, level);

	if (z.receive < a->stack.userland->promised)
		z.receive = a->stack.userland->promised;
	a->stack.userland->buffers = z;
	a->stack.userland->messages = messages_in(z.send);
	a->stack.userland->want_send = a->sock->stack.sizes.want.send;
	budget_charge(&a->stack.charged, a->sock->user, cost(z));
}

void
userland_charge_new(struct assoc *a)
{
	charge(a, a->sock->stack.sizes.level);
	userland_size_socket(a->sock);
}

void
userland_size_assoc(struct assoc *a)
{
	struct sock	*s = a->sock;

	budget_uncharge(&a->stack.charged);
	charge(a, budget_level(&s->stack.sizes, s->user));
	set_buffers(a->stack.userland->so, a->stack.userland->buffers);
	userland_size_socket(s);
}

int
userland_receive_size(const struct sock *s)
{
	return budget_buffers(&s->stack.sizes).receive;
}

void
userland_charge_embryo(struct charged *c, const struct sock *s, int receive)
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
	more = len - (size_t)z->send;
	more += AROUND * (more / FRAGMENT + 1);
	if (len > MESSAGE_LEAST && more > budget_left_to(c->user))
		return ENOBUFS;
	budget_add(c, more);
	z->send = (int)len;
	set_buffer(userland_so(a), SO_SNDBUF, z->send);
	return 0;
}

/* ---- what a client sets --------------------------------------------- */

/* Called for the socket first, and then for each association that has a socket of its own. */
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
	return want(s, a, &s->stack.sizes.want.send, raw);
}

int
userland_want_receive(struct sock *s, struct assoc *a, const void *raw)
{
	return want(s, a, &s->stack.sizes.want.receive, raw);
}
