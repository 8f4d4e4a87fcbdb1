/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: how much of its memory associations may take.
 *
 * All SCTP of a host shares net.sctp.sctp_mem, and when that is used up
 * nobody's messages get through any more. An association that is not read
 * fills its receive buffer, one whose peer does not read fills its send
 * buffer, and a peer can have as many of them as it likes. So an association
 * is charged with all that its buffers could hold, and how large they are
 * follows from what there is:
 *
 *	- half of sctp_mem is the budget of all associations here;
 *	- no user has more than three quarters of what the others leave of it, and
 *	  what comes into a user's sockets counts for that user;
 *	- the n-th association of a user has a (6 + n)-th of what is left to it at
 *	  most: the first have full buffers, and a hundred still have useful ones;
 *	- but each has the least: its part of another third of sctp_mem, if there
 *	  were max_associations. If that is too little to work with, it gets more,
 *	  and a warning at the start says that memory may run out.
 *
 * The window that is offered is made from the receive buffer when the
 * association begins, counts bytes, and never grows. The memory behind it is
 * counted in whole packets. So the buffer is made a multiple of the window
 * once the association is up: else small messages exhaust it long before the
 * window is full, and each loss costs a second. The kernel begins associations
 * by itself, with the buffers of the socket that they come to: those are
 * always of the size that the next one may have.
 *
 * Sizes are as they are asked for; the kernel doubles them.
 */
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config.h"
#include "kernel.h"
#include "log.h"
#include "loop.h"
#include "user.h"

#define SCTP_MEM	"/proc/sys/net/sctp/sctp_mem"

/* The buffers of an association where there is enough for all. */
#define SEND		(2 << 20)
#define RECEIVE		(512 << 10)
/* And where SO_RCVBUFFORCE is not allowed: five times this must be. */
#define RECEIVE_SMALL	(32 << 10)
/* No association works with less. */
#define SEND_LEAST	(16 << 10)
#define RECEIVE_LEAST	(4 << 10)

#define PACKET		1500	/* bytes of one that are not too many for any window */
/* A message of that length always has room. */
#define MESSAGE_LEAST	65536

#define PART		6	/* of what is left to a user, the first association's */
#define LEVEL_MAX	20	/* halvings */
#define LEVEL_UNKNOWN	255

struct sizes {
	int	receive, send;
};

static uint64_t budget = UINT64_MAX, least, total;
static struct event regrow;
static bool short_of_it;	/* some socket has less than it wants */

static void	regrow_later(void);

/* Bytes that these buffers can hold. */
static uint64_t
cost(struct sizes z)
{
	return 2 * (KERNEL_RCVBUF_UP * (uint64_t)z.receive + (uint64_t)z.send);
}

void
kernel_budget_init(void)
{
	static const struct sizes	smallest = { RECEIVE_LEAST, SEND_LEAST };
	unsigned long			pages = 0;
	uint64_t			all;
	FILE				*f = fopen(SCTP_MEM, "re");

	if (f != NULL && fscanf(f, "%*u %*u %lu", &pages) != 1)
		pages = 0;
	if (f != NULL)
		(void)fclose(f);
	if (pages == 0)
		return;		/* there is no SCTP yet */
	all = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
	budget = all / 2;
	least = all / 3 / config.max_associations;
	short_of_it = true;
	regrow_later();
	if (least >= cost(smallest))
		return;
	least = cost(smallest);
	log_warning("net.sctp.sctp_mem allows %llu MiB: %llu associations that nobody reads can use that up, and max_associations is %llu; lower that, or raise sctp_mem",
	    (unsigned long long)(all >> 20), (unsigned long long)(all / 3 / least),
	    (unsigned long long)config.max_associations);
}

/* ---- what there is -------------------------------------------------- */

/* What a user, of whom so much is charged already, may still have. */
static uint64_t
left_to(uint64_t has)
{
	uint64_t	others = total - has, share;

	if (others >= budget)
		return 0;
	share = (budget - others) / 4 * 3;
	return share > has ? share - has : 0;
}

static struct sizes
wanted(const struct sock *s)
{
	return (struct sizes){ s->stack.want_receive, s->stack.want_send };
}

static int
halved(int want, unsigned level, int at_least)
{
	int	size = level <= LEVEL_MAX ? want >> level : 0;

	if (at_least > want)
		at_least = want;
	return size > at_least ? size : at_least;
}

static struct sizes
at_level(struct sizes want, unsigned level)
{
	return (struct sizes){ halved(want.receive, level, RECEIVE_LEAST),
	    halved(want.send, level, SEND_LEAST) };
}

/* How often the buffers that a socket wants are to be halved for its next association. */
static unsigned
level_of(const struct sock *s)
{
	uint64_t	most = left_to(s->user->buffers) /
			    (PART + s->user->used[CHARGE_ASSOCIATIONS]);
	unsigned	level = 0;

	if (most < least)
		most = least;
	while (level < LEVEL_MAX && cost(at_level(wanted(s), level)) > most)
		level++;
	return level;
}

static void
charge(struct assoc *a, struct user *u, uint64_t bytes)
{
	kernel_uncharge(a);
	a->stack.charged_to = user_get(user_uid(u));
	a->stack.charged = bytes;
	u->buffers += bytes;
	total += bytes;
}

/* There is more again: sockets that had to do with less have it for their next. */
static void
budget_on_regrow(evutil_socket_t fd, short what, void *arg)
{
	struct sock	*s = NULL;

	(void)fd, (void)what, (void)arg;
	short_of_it = false;
	while ((s = sock_next(s)) != NULL)
		kernel_size_socket(s);
}

static void
regrow_later(void)
{
	static const struct timeval	wait = { .tv_usec = 100000 };

	if (!short_of_it)
		return;
	if (!event_initialized(&regrow))
		(void)evtimer_assign(&regrow, loop_base(), budget_on_regrow, NULL);
	if (!evtimer_pending(&regrow, NULL))
		(void)evtimer_add(&regrow, &wait);
}

void
kernel_uncharge(struct assoc *a)
{
	struct user	*u = a->stack.charged_to;

	if (u == NULL)
		return;
	u->buffers -= a->stack.charged;
	total -= a->stack.charged;
	a->stack.charged = 0;
	a->stack.charged_to = user_put(u);
	regrow_later();
}

void
kernel_budget_free(void)
{
	if (event_initialized(&regrow))
		(void)evtimer_del(&regrow);
}

/* ---- descriptors ---------------------------------------------------- */

static void
set_buffer(int fd, int force, int plain, int bytes)
{
	if (setsockopt(fd, SOL_SOCKET, force, &bytes, sizeof bytes) == -1)
		(void)setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof bytes);
}

static void
set_buffers(int fd, struct sizes z)
{
	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, z.receive);
	set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, z.send);
}

/* As the kernel has it: twice what was asked for. */
static int
buffer_of(int fd, int optname)
{
	int		bytes = 0;
	socklen_t	len = sizeof bytes;

	if (getsockopt(fd, SOL_SOCKET, optname, &bytes, &len) == -1)
		return 0;
	return bytes;
}

/*
 * A message longer than the window would stand still until the sender probes
 * it, a hundred times slower: such a one is handed over in pieces, from half a
 * window on. What is shorter comes whole.
 */
static void
set_delivery_point(int fd)
{
	int	bytes = buffer_of(fd, SO_RCVBUF) / 4;	/* a window is half of it */

	(void)setsockopt(fd, IPPROTO_SCTP, SCTP_PARTIAL_DELIVERY_POINT, &bytes, sizeof bytes);
}

/* Does the delivery point follow the window, or has the client set it? */
static bool
has_own_point(int fd)
{
	int		bytes = 0;
	socklen_t	len = sizeof bytes;

	return getsockopt(fd, IPPROTO_SCTP, SCTP_PARTIAL_DELIVERY_POINT, &bytes, &len) == 0 &&
	    bytes != buffer_of(fd, SO_RCVBUF) / 4;
}

void
kernel_begin_sizes(struct sock *s, int fd)
{
	if (budget == UINT64_MAX)
		kernel_budget_init();	/* SCTP has come since */
	s->stack.want_send = SEND;
	s->stack.want_receive = RECEIVE;
	set_buffers(fd, wanted(s));
	if (buffer_of(fd, SO_RCVBUF) < 2 * RECEIVE)
		s->stack.want_receive = RECEIVE_SMALL;
	set_buffers(fd, wanted(s));
	set_delivery_point(fd);
}

void
kernel_size_socket(struct sock *s)
{
	unsigned	level;
	bool		own_point;

	if (s->stack.fd == -1 || (!s->many && assoc_next(s, NULL) != NULL))
		return;
	level = level_of(s);
	short_of_it = short_of_it || level > 0;
	if (level == s->stack.level)
		return;
	s->stack.level = (uint8_t)level;
	own_point = has_own_point(s->stack.fd);
	set_buffers(s->stack.fd, at_level(wanted(s), level));
	if (!own_point)
		set_delivery_point(s->stack.fd);
}

void
kernel_charge_connect(struct assoc *a)
{
	struct sock	*s = a->sock;

	charge(a, s->user, cost(at_level(wanted(s), s->stack.level)));
	kernel_size_socket(s);
}

static int
times_up(int receive)
{
	return receive > INT32_MAX / KERNEL_RCVBUF_UP ? INT32_MAX : receive * KERNEL_RCVBUF_UP;
}

/* The buffers that it may have now; it began with so large a one at most. */
static struct sizes
grant(struct assoc *a, int most)
{
	struct sock	*s = a->sock;
	struct sizes	 z;

	kernel_uncharge(a);
	z = at_level(wanted(s), level_of(s));
	if (z.receive > most)
		z.receive = most;
	charge(a, s->user, cost(z));
	return z;
}

/*
 * A peer is told of room in the window once that is as much as a packet of the
 * path may be: of a window that is not much larger it would never be told. So
 * where packets are large, as on the loopback interface, make them small.
 */
static void
fit_packets(struct assoc *a, int window)
{
	struct sctp_paddrparams	p;
	socklen_t		len = sizeof p;

	memset(&p, 0, sizeof p);
	p.spp_assoc_id = (sctp_assoc_t)assoc_id(a);
	if (getsockopt(a->stack.fd, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &p, &len) == -1 ||
	    p.spp_pathmtu <= PACKET || p.spp_pathmtu * 2 <= (uint32_t)window)
		return;
	memset(&p, 0, sizeof p);
	p.spp_assoc_id = (sctp_assoc_t)assoc_id(a);
	p.spp_pathmtu = PACKET;
	p.spp_flags = SPP_PMTUD_DISABLE;
	(void)setsockopt(a->stack.fd, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &p, sizeof p);
}

void
kernel_size_assoc(struct assoc *a)
{
	struct sock	*s = a->sock;
	struct sizes	 z = grant(a, buffer_of(a->stack.fd, SO_RCVBUF) / 2);

	set_buffer(a->stack.fd, SO_RCVBUFFORCE, SO_RCVBUF, times_up(z.receive));
	if (z.send != at_level(wanted(s), s->stack.level).send)	/* it has that of the socket */
		set_buffer(a->stack.fd, SO_SNDBUFFORCE, SO_SNDBUF, z.send);
	if (z.receive < wanted(s).receive)
		fit_packets(a, z.receive);
	kernel_size_socket(s);
}

void
kernel_charge_restored(struct assoc *a)
{
	charge(a, a->user,
	    (uint64_t)buffer_of(a->stack.fd, SO_RCVBUF) + (uint64_t)buffer_of(a->stack.fd, SO_SNDBUF));
}

void
kernel_inherit_sizes(const struct sock *from, struct sock *to)
{
	to->stack.want_receive = from->stack.want_receive;
	to->stack.want_send = from->stack.want_send;
	to->stack.level = from->stack.level;
}

void
kernel_restore_sizes(struct sock *s)
{
	if (s->stack.want_receive <= 0)		/* an older version did not write it */
		s->stack.want_receive = buffer_of(s->stack.fd, SO_RCVBUF) / 2;
	if (s->stack.want_send <= 0)
		s->stack.want_send = buffer_of(s->stack.fd, SO_SNDBUF) / 2;
	s->stack.level = LEVEL_UNKNOWN;
	short_of_it = true;
	regrow_later();
}

/* ---- what a client sets --------------------------------------------- */

void
kernel_want(struct sock *s, bool receive, int bytes)
{
	struct assoc	*a = NULL;
	struct sizes	 z;

	*(receive ? &s->stack.want_receive : &s->stack.want_send) = bytes;
	s->stack.level = LEVEL_UNKNOWN;
	kernel_size_socket(s);
	while ((a = assoc_next(s, a)) != NULL) {
		if (a->stack.fd == -1)
			continue;
		z = grant(a, INT32_MAX);
		if (a->state != ASSOC_COMING_UP)
			z.receive = times_up(z.receive);
		set_buffers(a->stack.fd, z);
	}
}

int
kernel_grow_send(struct assoc *a, size_t len)
{
	struct user	*u = a->stack.charged_to;
	size_t		 has;

	if (u == NULL || a->stack.fd == -1 || a->sock == NULL ||
	    len > 2 * (size_t)a->sock->stack.want_send)
		return EMSGSIZE;
	has = (size_t)buffer_of(a->stack.fd, SO_SNDBUF);
	if (len <= has)
		return EMSGSIZE;	/* it is something else */
	if (len > MESSAGE_LEAST && len - has > left_to(u->buffers))
		return ENOBUFS;
	u->buffers += len - has;
	total += len - has;
	a->stack.charged += len - has;
	set_buffer(a->stack.fd, SO_SNDBUFFORCE, SO_SNDBUF, (int)(len / 2 + 1));
	return 0;
}
