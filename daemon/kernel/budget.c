/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: how much of the kernel's memory associations may take.
 *
 * All SCTP of a host shares net.sctp.sctp_mem. When that is used up, nobody's
 * messages get through any more. Half of it is the budget of all the daemon's
 * associations (limits/budget.c). Each association has a least share: a third
 * of sctp_mem divided by max_associations. If that is too little to work with,
 * the least share is made larger, and a warning at the start says that memory
 * may run out.
 *
 * The window that is offered to the peer is made from the receive buffer when
 * the association begins. The window counts bytes and never grows. The memory
 * behind it is counted in whole packets. So the receive buffer is made several
 * times as large as the window once the association is up. Otherwise small
 * messages would exhaust the buffer long before the window is full, and each
 * loss would cost a second.
 *
 * Sizes are as they are asked for; the kernel doubles them.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config.h"
#include "kernel/kernel.h"
#include "limits/budget.h"
#include "limits/user.h"
#include "util/log.h"

#define SCTP_SETTINGS	"/proc/sys/net/sctp"
#define SCTP_MEM	SCTP_SETTINGS "/sctp_mem"

/* The buffers of an association where there is enough for all. */
#define SEND		(2 << 20)
#define RECEIVE		(512 << 10)
/* Where SO_RCVBUFFORCE is not allowed: five times this must be allowed. */
#define RECEIVE_SMALL	(32 << 10)
/* No association works with less. */
#define SEND_LEAST	(16 << 10)
#define RECEIVE_LEAST	(4 << 10)

#define PACKET		1500	/* bytes of a packet that suits any window */
/* A message of that length always has room. */
#define MESSAGE_LEAST	65536

/* The bytes that these buffers can hold. */
static uint64_t
cost(struct buffers z)
{
	return 2 * (KERNEL_RCVBUF_UP * (uint64_t)z.receive + (uint64_t)z.send);
}

static void
size_all(void)
{
	struct sock	*s = NULL;

	while ((s = sock_next(s)) != NULL)
		kernel_size_socket(s);
}

static struct budget	budget = {
	.all = UINT64_MAX,
	.smallest = { RECEIVE_LEAST, SEND_LEAST },
	.receive_levels = 1,
	.cost = cost,
	.size_all = size_all,
};

/*
 * The third number of sctp_mem, in bytes. All network namespaces share this
 * limit, but only the first one has the file. In another one, as in a container,
 * the limit is taken to be what the kernel sets by itself: three sixteenths of
 * the memory. 0: there is no SCTP yet.
 */
static uint64_t
sctp_mem(bool *known)
{
	unsigned long	pages = 0;
	FILE		*f = fopen(SCTP_MEM, "re");

	*known = f != NULL && fscanf(f, "%*u %*u %lu", &pages) == 1 && pages > 0;
	if (f != NULL)
		(void)fclose(f);
	if (!*known && access(SCTP_SETTINGS, F_OK) == 0)
		pages = (unsigned long)sysconf(_SC_PHYS_PAGES) / 16 * 3;
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void
kernel_reload(void)
{
	bool		known;
	uint64_t	all = sctp_mem(&known);

	budget_set(&budget);
	if (all == 0)
		return;
	budget.all = all / 2;
	budget.least = all / 3 / config.max_associations;
	if (budget.least >= cost(budget.smallest))
		return;
	budget.least = cost(budget.smallest);
	log_warning("net.sctp.sctp_mem %s %llu MiB: %llu associations that nobody reads can use that up, and max_associations is %llu; lower that, or raise sctp_mem",
	    known ? "allows" : "cannot be read in this network namespace; it probably allows",
	    (unsigned long long)(all >> 20), (unsigned long long)(all / 3 / budget.least),
	    (unsigned long long)config.max_associations);
}

/* ---- descriptors ---------------------------------------------------- */

/* The daemon may have buffers of any size, so it need not ask which it got. */
static bool forced;

static void
set_buffer(int fd, int force, int plain, int bytes)
{
	forced = setsockopt(fd, SOL_SOCKET, force, &bytes, sizeof bytes) == 0;
	if (!forced)
		(void)setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof bytes);
}

static void
set_buffers(int fd, struct buffers z)
{
	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, z.receive);
	set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, z.send);
}

/* The size that the kernel has: twice what was asked for. */
static int
buffer_of(int fd, int optname)
{
	int		bytes = 0;
	socklen_t	len = sizeof bytes;

	if (getsockopt(fd, SOL_SOCKET, optname, &bytes, &len) == -1)
		return 0;
	return bytes;
}

/* The receive buffer of a descriptor for which that many bytes were asked. */
static int
receive_buffer(int fd, int asked)
{
	if (forced && asked >= RECEIVE_LEAST && asked <= INT32_MAX / 2)
		return 2 * asked;
	return buffer_of(fd, SO_RCVBUF);
}

/*
 * A message longer than the window would stand still until the sender probes
 * the window, which is a hundred times slower. So a message of half a window or
 * more is handed over in pieces (partial delivery). A shorter message comes
 * whole.
 */
static void
set_delivery_point(int fd, int asked)
{
	int	bytes = receive_buffer(fd, asked) / 4;	/* a window is half of it */

	(void)setsockopt(fd, IPPROTO_SCTP, SCTP_PARTIAL_DELIVERY_POINT, &bytes, sizeof bytes);
}

/*
 * A one-to-one socket needs no buffers before it connects or listens, or
 * somebody asks how large they are. What it may have by then is then known, so
 * they are set once.
 */
void
kernel_begin_sizes(struct sock *s)
{
	if (budget.all == UINT64_MAX)
		kernel_reload();	/* SCTP was loaded after the start */
	s->stack.sizes.want = (struct buffers){ RECEIVE, SEND };
	s->stack.sizes.level = BUDGET_LEVEL_UNKNOWN;
	if (!s->many && forced)
		return;
	kernel_size_socket(s);
	if (s->stack.sizes.level == 0 && receive_buffer(s->stack.fd, RECEIVE) < 2 * RECEIVE) {
		s->stack.sizes.want.receive = RECEIVE_SMALL;
		s->stack.sizes.level = BUDGET_LEVEL_UNKNOWN;
		kernel_size_socket(s);
	}
}

void
kernel_size_socket(struct sock *s)
{
	if (s->stack.fd == -1 || (!s->many && assoc_next(s, NULL) != NULL) ||
	    !budget_new_level(&s->stack.sizes, s->user))
		return;
	set_buffers(s->stack.fd, budget_buffers(&s->stack.sizes));
	/* A delivery point that the client has set does not follow the window. */
	if (!s->stack.own_point)
		set_delivery_point(s->stack.fd, budget_buffers(&s->stack.sizes).receive);
}

void
kernel_charge_connect(struct assoc *a)
{
	struct sock	*s = a->sock;

	budget_charge(&a->stack.charged, s->user, cost(budget_buffers(&s->stack.sizes)));
	kernel_size_socket(s);
}

static int
times_up(int receive)
{
	return receive > INT32_MAX / KERNEL_RCVBUF_UP ? INT32_MAX : receive * KERNEL_RCVBUF_UP;
}

/*
 * The buffers that the association may have now. Its receive buffer is at most
 * what it began with.
 */
static struct buffers
grant(struct assoc *a, int most)
{
	struct sock	*s = a->sock;
	struct buffers	 z;

	budget_uncharge(&a->stack.charged);
	z = budget_at_level(&s->stack.sizes, budget_level(&s->stack.sizes, s->user));
	if (z.receive > most)
		z.receive = most;
	budget_charge(&a->stack.charged, s->user, cost(z));
	return z;
}

/*
 * The kernel tells the peer of new room in the window only once there is room
 * for a packet of the path's size. If the window is not much larger than such a
 * packet, the peer would never be told. So make packets small where they are
 * large, as on the loopback interface.
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
	bool		 known = s->stack.sizes.level != BUDGET_LEVEL_UNKNOWN;
	int		 began = known ? budget_buffers(&s->stack.sizes).receive : 0;
	/* A one-to-one socket that connected was sized and charged for this association. */
	bool		 has = known && !s->many && a->stack.charged.user != NULL && !a->stack.charged.held;
	struct buffers	 z = has ? budget_buffers(&s->stack.sizes) : grant(a, receive_buffer(a->stack.fd, began) / 2);

	set_buffer(a->stack.fd, SO_RCVBUFFORCE, SO_RCVBUF, times_up(z.receive));
	if (z.send != budget_buffers(&s->stack.sizes).send)	/* else it has the socket's */
		set_buffer(a->stack.fd, SO_SNDBUFFORCE, SO_SNDBUF, z.send);
	if (z.receive < s->stack.sizes.want.receive)
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
	if (s->stack.sizes.want.receive <= 0)		/* an older version did not write it */
		s->stack.sizes.want.receive = buffer_of(s->stack.fd, SO_RCVBUF) / 2;
	if (s->stack.sizes.want.send <= 0)
		s->stack.sizes.want.send = buffer_of(s->stack.fd, SO_SNDBUF) / 2;
	s->stack.sizes.level = BUDGET_LEVEL_UNKNOWN;
	budget_is_short();
}

/* ---- what a client sets --------------------------------------------- */

void
kernel_want(struct sock *s, bool receive, int bytes)
{
	struct assoc	*a = NULL;
	struct buffers	 z;

	*(receive ? &s->stack.sizes.want.receive : &s->stack.sizes.want.send) = bytes;
	s->stack.sizes.level = BUDGET_LEVEL_UNKNOWN;
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
	    len > 2 * (size_t)a->sock->stack.sizes.want.send)
		return EMSGSIZE;
	has = (size_t)buffer_of(a->stack.fd, SO_SNDBUF);
	if (len <= has)
		return EMSGSIZE;	/* there is another reason */
	if (len > MESSAGE_LEAST && len - has > budget_left_to(c->user))
		return ENOBUFS;
	budget_add(c, len - has);
	set_buffer(a->stack.fd, SO_SNDBUFFORCE, SO_SNDBUF, (int)(len / 2 + 1));
	return 0;
}
