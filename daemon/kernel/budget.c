/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: how much of its memory associations may take.
 *
 * All SCTP of a host shares net.sctp.sctp_mem, and when that is used up
 * nobody's messages get through any more. Half of it is the budget of all
 * associations here (budget.c); and each has the least: its part of another
 * third, if there were max_associations. If that is too little to work with,
 * it gets more, and a warning at the start says that memory may run out.
 *
 * The window that is offered is made from the receive buffer when the
 * association begins, counts bytes, and never grows. The memory behind it is
 * counted in whole packets. So the buffer is made a multiple of the window
 * once the association is up: else small messages exhaust it long before the
 * window is full, and each loss costs a second.
 *
 * Sizes are as they are asked for; the kernel doubles them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "budget.h"
#include "config.h"
#include "kernel.h"
#include "log.h"
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

/* Bytes that these buffers can hold. */
static uint64_t
cost(struct buffers z)
{
	return 2 * (KERNEL_RCVBUF_UP * (uint64_t)z.receive + (uint64_t)z.send);
}

static struct budget	budget = {
	.all = UINT64_MAX,
	.smallest = { RECEIVE_LEAST, SEND_LEAST },
	.receive_levels = 1,
	.cost = cost,
	.size = kernel_size_socket,
};

void
kernel_budget_init(void)
{
	unsigned long	pages = 0;
	uint64_t	all;
	FILE		*f = fopen(SCTP_MEM, "re");

	budget_set(&budget);
	if (f != NULL && fscanf(f, "%*u %*u %lu", &pages) != 1)
		pages = 0;
	if (f != NULL)
		(void)fclose(f);
	if (pages == 0)
		return;		/* there is no SCTP yet */
	all = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
	budget.all = all / 2;
	budget.least = all / 3 / config.max_associations;
	if (budget.least >= cost(budget.smallest))
		return;
	budget.least = cost(budget.smallest);
	log_warning("net.sctp.sctp_mem allows %llu MiB: %llu associations that nobody reads can use that up, and max_associations is %llu; lower that, or raise sctp_mem",
	    (unsigned long long)(all >> 20), (unsigned long long)(all / 3 / budget.least),
	    (unsigned long long)config.max_associations);
}

/* ---- descriptors ---------------------------------------------------- */

static void
set_buffer(int fd, int force, int plain, int bytes)
{
	if (setsockopt(fd, SOL_SOCKET, force, &bytes, sizeof bytes) == -1)
		(void)setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof bytes);
}

static void
set_buffers(int fd, struct buffers z)
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
	if (budget.all == UINT64_MAX)
		kernel_budget_init();	/* SCTP has come since */
	s->stack.want = (struct buffers){ RECEIVE, SEND };
	set_buffers(fd, s->stack.want);
	if (buffer_of(fd, SO_RCVBUF) < 2 * RECEIVE)
		s->stack.want.receive = RECEIVE_SMALL;
	set_buffers(fd, s->stack.want);
	set_delivery_point(fd);
}

void
kernel_size_socket(struct sock *s)
{
	bool	own_point;

	if (s->stack.fd == -1 || (!s->many && assoc_next(s, NULL) != NULL) ||
	    !budget_new_level(s))
		return;
	own_point = has_own_point(s->stack.fd);
	set_buffers(s->stack.fd, budget_at_level(s, s->stack.level));
	if (!own_point)
		set_delivery_point(s->stack.fd);
}

void
kernel_charge_connect(struct assoc *a)
{
	struct sock	*s = a->sock;

	budget_charge(&a->stack.charged, s->user, cost(budget_at_level(s, s->stack.level)));
	kernel_size_socket(s);
}

static int
times_up(int receive)
{
	return receive > INT32_MAX / KERNEL_RCVBUF_UP ? INT32_MAX : receive * KERNEL_RCVBUF_UP;
}

/* The buffers that it may have now; it began with so large a one at most. */
static struct buffers
grant(struct assoc *a, int most)
{
	struct sock	*s = a->sock;
	struct buffers	 z;

	budget_uncharge(&a->stack.charged);
	z = budget_at_level(s, budget_level(s));
	if (z.receive > most)
		z.receive = most;
	budget_charge(&a->stack.charged, s->user, cost(z));
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
	struct buffers	 z = grant(a, buffer_of(a->stack.fd, SO_RCVBUF) / 2);

	set_buffer(a->stack.fd, SO_RCVBUFFORCE, SO_RCVBUF, times_up(z.receive));
	if (z.send != budget_at_level(s, s->stack.level).send)	/* it has that of the socket */
		set_buffer(a->stack.fd, SO_SNDBUFFORCE, SO_SNDBUF, z.send);
	if (z.receive < s->stack.want.receive)
		fit_packets(a, z.receive);
	kernel_size_socket(s);
}

void
kernel_charge_restored(struct assoc *a)
{
	budget_charge(&a->stack.charged, a->user,
	    (uint64_t)buffer_of(a->stack.fd, SO_RCVBUF) + (uint64_t)buffer_of(a->stack.fd, SO_SNDBUF));
}

void
kernel_restore_sizes(struct sock *s)
{
	if (s->stack.want.receive <= 0)		/* an older version did not write it */
		s->stack.want.receive = buffer_of(s->stack.fd, SO_RCVBUF) / 2;
	if (s->stack.want.send <= 0)
		s->stack.want.send = buffer_of(s->stack.fd, SO_SNDBUF) / 2;
	s->stack.level = BUDGET_LEVEL_UNKNOWN;
	budget_is_short();
}

/* ---- what a client sets --------------------------------------------- */

void
kernel_want(struct sock *s, bool receive, int bytes)
{
	struct assoc	*a = NULL;
	struct buffers	 z;

	*(receive ? &s->stack.want.receive : &s->stack.want.send) = bytes;
	s->stack.level = BUDGET_LEVEL_UNKNOWN;
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
	struct charged	*c = &a->stack.charged;
	size_t		 has;

	if (c->user == NULL || a->stack.fd == -1 || a->sock == NULL ||
	    len > 2 * (size_t)a->sock->stack.want.send)
		return EMSGSIZE;
	has = (size_t)buffer_of(a->stack.fd, SO_SNDBUF);
	if (len <= has)
		return EMSGSIZE;	/* it is something else */
	if (len > MESSAGE_LEAST && len - has > budget_left_to(c->user))
		return ENOBUFS;
	budget_add(c, len - has);
	set_buffer(a->stack.fd, SO_SNDBUFFORCE, SO_SNDBUF, (int)(len / 2 + 1));
	return 0;
}
