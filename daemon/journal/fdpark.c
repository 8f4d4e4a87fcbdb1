/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors that wait in the queues of socket pairs.
 *
 * A message in a pair's queue says which numbers it brings: those that are
 * added, or all there are, which makes what is before it void. To take one
 * out, a message with all the others is sent and then what is before it read
 * away, so that at no instant one is in no queue.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fault.h"
#include "hash.h"
#include "known.h"
#include "log.h"
#include "mem.h"
#include "park.h"
#include "store.h"

#define LOT_MAX		200		/* descriptors; the kernel passes 253 at once */
#define LOTS_MAX	100		/* two descriptors of each in one message */
#define MESSAGES_MAX	16		/* before they become one */

enum kind { WHOLE, ADDED };

struct message {
	uint32_t	kind;
	uint32_t	n;
	uint64_t	number[LOT_MAX];
};

/* A pair and what is in its queue. */
struct lot {
	int		 in;
	int		 out;
	unsigned	 n;
	unsigned	 messages;
	struct place	*place[LOT_MAX];
};

/* One descriptor that is parked. */
struct place {
	struct hash_node	 node;		/* key: its number */
	struct lot		*lot;
	unsigned		 at;
	int			 fd;
	bool			 taken;
};

static struct lot lots[LOTS_MAX];
static size_t nlots;
static struct lot master = { .in = -1, .out = -1 };
static struct hash places;

bool
park_on(void)
{
	return master.in != -1;
}

size_t
park_count(void)
{
	return places.count;
}

/* ---- messages ------------------------------------------------------- */

static bool
send_message(int in, enum kind kind, const uint64_t *number, const int *fd, unsigned nnumbers,
    unsigned nfds)
{
	static union {
		struct cmsghdr	c;
		char		room[CMSG_SPACE(2 * LOTS_MAX * sizeof(int))];
	} control;
	static struct message	m;
	struct iovec		iov = { &m, offsetof(struct message, number) + nnumbers * 8 };
	struct msghdr		h = { .msg_iov = &iov, .msg_iovlen = 1 };

	m.kind = kind;
	m.n = nnumbers;
	memcpy(m.number, number, nnumbers * 8);
	if (nfds > 0) {
		h.msg_control = &control;
		h.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		control.c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
		    .cmsg_len = CMSG_LEN(nfds * sizeof(int)) };
		memcpy(CMSG_DATA(&control.c), fd, nfds * sizeof(int));
	}
	return sendmsg(in, &h, MSG_NOSIGNAL | MSG_DONTWAIT) != -1;
}

/* Forget the oldest messages: without room for them descriptors are dropped. */
static void
read_away(struct lot *l, unsigned messages)
{
	char	c;

	while (messages-- > 0) {
		(void)recv(l->out, &c, 1, MSG_DONTWAIT);
		l->messages--;
	}
}

/* One message with all that are in the lot takes the place of the others. */
static bool
rewrite(struct lot *l)
{
	uint64_t	number[LOT_MAX];
	int		fd[LOT_MAX];
	unsigned	before = l->messages;

	for (unsigned i = 0; i < l->n; i++) {
		number[i] = l->place[i]->node.key;
		fd[i] = l->place[i]->fd;
	}
	if (l->n > 0) {
		if (!send_message(l->in, WHOLE, number, fd, l->n, l->n))
			return false;
		l->messages++;
		fault_point("rewritten");
	}
	read_away(l, before);
	return true;
}

/* ---- lots ----------------------------------------------------------- */

/* The manager's pair holds the ends of all the others. */
static bool
rewrite_master(void)
{
	uint64_t	number[LOTS_MAX];
	int		fd[2 * LOTS_MAX];
	unsigned	before = master.messages;

	for (unsigned i = 0; i < nlots; i++) {
		number[i] = i;
		fd[2 * i] = lots[i].in;
		fd[2 * i + 1] = lots[i].out;
	}
	if (!send_message(master.in, WHOLE, number, fd, (unsigned)nlots, 2 * (unsigned)nlots))
		return false;
	master.messages++;
	fault_point("rewritten");
	read_away(&master, before);
	return true;
}

static bool
make_pair(struct lot *l)
{
	int	pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == -1)
		return false;
	memset(l, 0, sizeof *l);
	l->in = pair[0];
	l->out = pair[1];
	return true;
}

static struct lot *
find_lot(void)
{
	for (size_t i = nlots; i-- > 0;) {
		if (lots[i].n < LOT_MAX)
			return &lots[i];
	}
	if (nlots == LOTS_MAX || !make_pair(&lots[nlots]))
		return NULL;
	nlots++;
	if (rewrite_master())
		return &lots[nlots - 1];
	nlots--;
	(void)close(lots[nlots].in);
	(void)close(lots[nlots].out);
	return NULL;
}

static void
add_place(struct lot *l, uint64_t number, int fd, bool taken)
{
	struct place	*p = xcalloc(1, sizeof *p);

	p->fd = fd;
	p->lot = l;
	p->at = l->n;
	p->taken = taken;
	l->place[l->n++] = p;
	hash_add(&places, &p->node, number);
}

static void
remove_place(struct place *p)
{
	struct lot	*l = p->lot;

	l->place[p->at] = l->place[--l->n];
	l->place[p->at]->at = p->at;
	hash_remove(&places, &p->node);
	free(p);
}

bool
park_put(uint64_t number, int fd)
{
	struct lot	*l;

	if (!park_on())
		return false;
	must_be_known(HASH_FIND(place, &places, number) == NULL, "which of two descriptors a number means");
	if ((l = find_lot()) == NULL || !send_message(l->in, ADDED, &number, &fd, 1, 1)) {
		if (log_allowed())
			log_warning("park: no room for one more descriptor: %s; it will end with the daemon",
			    strerror(errno));
		return false;
	}
	fault_point("parked");
	l->messages++;
	add_place(l, number, fd, true);
	if (l->messages > MESSAGES_MAX)
		(void)rewrite(l);
	return true;
}

/* The last lot is given up when it is empty and there is plenty of room before it. */
static void
give_up_empty(void)
{
	while (nlots > 1 && lots[nlots - 1].n == 0 && lots[nlots - 2].n <= LOT_MAX / 2) {
		nlots--;
		if (!rewrite_master()) {
			nlots++;
			return;
		}
		(void)close(lots[nlots].in);
		(void)close(lots[nlots].out);
	}
}

void
park_drop(uint64_t number)
{
	struct place	*p = HASH_FIND(place, &places, number);
	struct lot	*l;

	if (p == NULL)
		return;
	l = p->lot;
	remove_place(p);
	if (!rewrite(l))
		log_err("park: %s", strerror(errno));
	fault_point("unparked");
	give_up_empty();
}

/* ---- what was left -------------------------------------------------- */

/* Look at the next message in a queue without taking it; -1: there is none. */
static int
peek_message(int out, struct message *m, int *fd, unsigned max)
{
	union {
		struct cmsghdr	c;
		char		room[CMSG_SPACE(253 * sizeof(int))];
	} control;
	struct iovec	iov = { m, sizeof *m };
	struct msghdr	h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
	    .msg_controllen = sizeof control };
	struct cmsghdr	*c;
	ssize_t		 got = recvmsg(out, &h, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	unsigned	 n = 0;

	if (got <= 0)
		return -1;
	c = CMSG_FIRSTHDR(&h);
	if (c != NULL && c->cmsg_type == SCM_RIGHTS)
		n = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	for (unsigned i = 0; i < n; i++) {
		int	one;

		memcpy(&one, CMSG_DATA(c) + i * sizeof one, sizeof one);
		if (i < max)
			fd[i] = one;
		else
			(void)close(one);
	}
	if ((size_t)got < offsetof(struct message, number) ||
	    m->n * 8 != (size_t)got - offsetof(struct message, number))
		m->n = 0;
	return (int)(n < max ? n : max);
}

static void
begin_to_peek(int out, int on)
{
	(void)setsockopt(out, SOL_SOCKET, SO_PEEK_OFF, &on, sizeof on);
}

static void
empty_lot(struct lot *l)
{
	while (l->n > 0) {
		(void)close(l->place[0]->fd);
		remove_place(l->place[0]);
	}
}

static void
read_lot(struct lot *l)
{
	static struct message	m;
	int			fd[LOT_MAX], n;

	begin_to_peek(l->out, 0);
	while ((n = peek_message(l->out, &m, fd, LOT_MAX)) != -1) {
		l->messages++;
		if (m.kind == WHOLE)
			empty_lot(l);
		for (int i = 0; i < n; i++) {
			if ((unsigned)i < m.n && l->n < LOT_MAX &&
			    hash_find(&places, m.number[i]) == NULL)
				add_place(l, m.number[i], fd[i], false);
			else
				(void)close(fd[i]);
		}
	}
	begin_to_peek(l->out, -1);
}

/* The last message of the manager's pair has all pairs. */
static void
read_master(void)
{
	static struct message	m;
	int			fd[2 * LOTS_MAX], n;

	begin_to_peek(master.out, 0);
	while ((n = peek_message(master.out, &m, fd, 2 * LOTS_MAX)) != -1) {
		master.messages++;
		while (nlots > 0) {
			nlots--;
			(void)close(lots[nlots].in);
			(void)close(lots[nlots].out);
		}
		for (int i = 0; i + 1 < n; i += 2) {
			memset(&lots[nlots], 0, sizeof lots[nlots]);
			lots[nlots].in = fd[i];
			lots[nlots++].out = fd[i + 1];
		}
	}
	begin_to_peek(master.out, -1);
	for (size_t i = 0; i < nlots; i++)
		read_lot(&lots[i]);
}

/* A process before us died between the two: nothing is in it, and names are used once. */
static void
forget_half(void)
{
	if (master.in != -1)
		(void)close(master.in);
	if (master.out != -1)
		(void)close(master.out);
	if (master.in != -1 || master.out != -1) {
		store_remove("park-in");
		store_remove("park-out");
	}
}

void
park_init(void)
{
	if (!store_present())
		return;
	master.in = store_take("park-in");
	master.out = store_take("park-out");
	if (master.in != -1 && master.out != -1) {
		read_master();
		return;
	}
	forget_half();
	if (!make_pair(&master)) {
		log_err("park: %s; nothing will outlive the daemon", strerror(errno));
		master.in = master.out = -1;
		return;
	}
	(void)store_put("park-in", master.in);
	(void)store_put("park-out", master.out);
}

int
park_take(uint64_t number)
{
	struct place	*p = HASH_FIND(place, &places, number);

	if (p == NULL || p->taken)
		return -1;
	p->taken = true;
	return p->fd;
}

int
park_next_untaken(uint64_t *number)
{
	struct hash_node	*n = NULL;
	struct place		*p, *best = NULL;

	while ((n = hash_next(&places, n)) != NULL) {
		p = (struct place *)(void *)n;
		if (!p->taken && p->node.key > *number &&
		    (best == NULL || p->node.key < best->node.key))
			best = p;
	}
	if (best == NULL)
		return -1;
	*number = best->node.key;
	return best->fd;
}

size_t
park_finish(void)
{
	struct hash_node	*n = hash_next(&places, NULL), *next;
	size_t			 closed = 0;

	for (; n != NULL; n = next) {
		struct place	*p = (struct place *)(void *)n;
		int		 fd = p->fd;

		next = hash_next(&places, n);
		if (p->taken)
			continue;
		park_drop(p->node.key);
		(void)close(fd);
		closed++;
	}
	return closed;
}

void
park_free(void)
{
	struct place	*p;

	while ((p = (struct place *)(void *)hash_next(&places, NULL)) != NULL)
		remove_place(p);
	hash_free(&places);
	for (size_t i = 0; i < nlots; i++) {
		(void)close(lots[i].in);
		(void)close(lots[i].out);
	}
	if (park_on()) {
		(void)close(master.in);
		(void)close(master.out);
	}
	nlots = 0;
	master.in = master.out = -1;
}
