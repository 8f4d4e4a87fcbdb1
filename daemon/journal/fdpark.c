/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors that wait in the queues of socket pairs.
 *
 * A message in a pair's queue says which numbers it brings: either those that are
 * added, or all there are, which makes the earlier messages void. To take a
 * descriptor out, a message with all the others is sent first, and then the
 * earlier messages are read. So at every instant each descriptor is in a queue.
 *
 * The manager's pair brings the other pairs, each with a number of its own. As
 * long as they fit into one message, that message has all there are, as above.
 * Otherwise each message is a page with some of them, and nothing is void: the
 * next process leaves out the numbers that it has already. A pair that was given
 * up is empty, so it does no harm if it is still in an earlier page.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "journal/fdpark.h"
#include "journal/known.h"
#include "service/fdclient.h"
#include "util/fault.h"
#include "util/hash.h"
#include "util/log.h"
#include "util/mem.h"

#ifndef FDPARK_LOT			/* tests have smaller ones */
#define FDPARK_LOT	200
#endif
#define LOT_MAX		FDPARK_LOT	/* descriptors; the kernel passes 253 at once */
#define LOTS_MAX	1000
#define PAGE		100		/* lots in one message, with two descriptors of each */
#define MESSAGES_MAX	16		/* messages before they are joined into one */

enum kind { WHOLE, ADDED };	/* a page is ADDED */

struct message {
	uint32_t	kind;
	uint32_t	n;
	uint64_t	number[LOT_MAX > PAGE ? LOT_MAX : PAGE];
};

/* A pair and what is in its queue. */
struct lot {
	int		 in;
	int		 out;
	uint64_t	 number;
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
static uint64_t last_lot;		/* the largest number of a lot */
static struct lot master = { .in = -1, .out = -1 };
static struct hash places;

bool
fdpark_on(void)
{
	return master.in != -1;
}

/* ---- messages ------------------------------------------------------- */

static bool
send_message(int in, enum kind kind, const uint64_t *number, const int *fd, unsigned nnumbers,
    unsigned nfds)
{
	static union {
		struct cmsghdr	c;
		char		room[CMSG_SPACE(2 * PAGE * sizeof(int))];
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

/* Read the oldest messages away; no room is given, so the kernel drops their descriptors. */
static void
read_away(struct lot *l, unsigned messages)
{
	static struct mmsghdr	none[MESSAGES_MAX + 1];
	int			n = 0;

	while (messages > 0 && n != -1) {
		n = recvmmsg(l->out, none, messages <= MESSAGES_MAX ? messages : MESSAGES_MAX + 1,
		    MSG_DONTWAIT, NULL);
		if (n > 0) {
			l->messages -= (unsigned)n;
			messages -= (unsigned)n;
		}
	}
}

/* Replace the lot's messages by one message with all its descriptors. */
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

static bool
send_page(enum kind kind, const struct lot *l, unsigned n)
{
	uint64_t	number[PAGE];
	int		fd[2 * PAGE];

	for (unsigned i = 0; i < n; i++) {
		number[i] = l[i].number;
		fd[2 * i] = l[i].in;
		fd[2 * i + 1] = l[i].out;
	}
	if (!send_message(master.in, kind, number, fd, n, 2 * n))
		return false;
	master.messages++;
	fault_point("rewritten");
	return true;
}

/* The manager's pair holds the ends of all the others. */
static bool
rewrite_master(void)
{
	unsigned	before = master.messages, n;

	for (size_t i = 0; i < nlots; i += n) {
		n = nlots - i < PAGE ? (unsigned)(nlots - i) : PAGE;
		if (!send_page(nlots <= PAGE ? WHOLE : ADDED, &lots[i], n))
			return false;
	}
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
	l->number = ++last_lot;
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
fdpark_put(uint64_t number, int fd)
{
	struct lot	*l;

	if (!fdpark_on())
		return false;
	must_be_known(HASH_FIND(place, &places, number) == NULL, "which of two descriptors a number means");
	if ((l = find_lot()) == NULL || !send_message(l->in, ADDED, &number, &fd, 1, 1)) {
		if (log_allowed(LOG_WARNING, "park: no room"))
			log_warning("park: no room for another descriptor: %s; it will end with the daemon",
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

/* Close the last lot if it is empty and the lots before it have plenty of room. */
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
fdpark_drop(uint64_t number)
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
read_lot(struct lot *l)
{
	static struct message	m;
	int			fd[LOT_MAX], n;

	begin_to_peek(l->out, 0);
	while ((n = peek_message(l->out, &m, fd, LOT_MAX)) != -1) {
		l->messages++;
		while (m.kind == WHOLE && l->n > 0) {
			(void)close(l->place[0]->fd);
			remove_place(l->place[0]);
		}
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

static bool
has_lot(uint64_t number)
{
	for (size_t i = 0; i < nlots; i++) {
		if (lots[i].number == number)
			return true;
	}
	return false;
}

static void
take_lot(uint64_t number, int in, int out)
{
	if (has_lot(number) || nlots == LOTS_MAX) {
		(void)close(in);
		(void)close(out);
		return;
	}
	memset(&lots[nlots], 0, sizeof lots[nlots]);
	lots[nlots].number = number;
	lots[nlots].in = in;
	lots[nlots++].out = out;
	if (number > last_lot)
		last_lot = number;
}

/* The messages in the manager's pair have all pairs. */
static void
read_master(void)
{
	static struct message	m;
	int			fd[2 * PAGE], n;

	begin_to_peek(master.out, 0);
	while ((n = peek_message(master.out, &m, fd, 2 * PAGE)) != -1) {
		master.messages++;
		while (m.kind == WHOLE && nlots > 0) {
			nlots--;
			(void)close(lots[nlots].in);
			(void)close(lots[nlots].out);
		}
		for (int i = 0; i + 1 < n; i += 2)
			take_lot((unsigned)i / 2 < m.n ? m.number[i / 2] : last_lot + 1, fd[i], fd[i + 1]);
	}
	begin_to_peek(master.out, -1);
	for (size_t i = 0; i < nlots; i++)
		read_lot(&lots[i]);
}

/* An earlier process died between the two steps: the lot is empty, and names are not reused. */
static void
forget_half(void)
{
	if (master.in != -1)
		(void)close(master.in);
	if (master.out != -1)
		(void)close(master.out);
	if (master.in != -1 || master.out != -1) {
		fdclient_remove("park-in");
		fdclient_remove("park-out");
	}
}

void
fdpark_init(void)
{
	if (!fdclient_present())
		return;
	master.in = fdclient_take("park-in");
	master.out = fdclient_take("park-out");
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
	(void)fdclient_put("park-in", master.in);
	(void)fdclient_put("park-out", master.out);
}

int
fdpark_take(uint64_t number)
{
	struct place	*p = HASH_FIND(place, &places, number);

	if (p == NULL || p->taken)
		return -1;
	p->taken = true;
	return p->fd;
}

int
fdpark_next_untaken(uint64_t *number)
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
fdpark_finish(void)
{
	struct hash_node	*n = hash_next(&places, NULL), *next;
	size_t			 closed = 0;

	for (; n != NULL; n = next) {
		struct place	*p = (struct place *)(void *)n;
		int		 fd = p->fd;

		next = hash_next(&places, n);
		if (p->taken)
			continue;
		fdpark_drop(p->node.key);
		(void)close(fd);
		closed++;
	}
	return closed;
}

void
fdpark_free(void)
{
	struct place	*p;

	while ((p = (struct place *)(void *)hash_next(&places, NULL)) != NULL)
		remove_place(p);
	hash_free(&places);
	for (size_t i = 0; i < nlots; i++) {
		(void)close(lots[i].in);
		(void)close(lots[i].out);
	}
	if (fdpark_on()) {
		(void)close(master.in);
		(void)close(master.out);
	}
	nlots = 0;
	master.in = master.out = -1;
}
