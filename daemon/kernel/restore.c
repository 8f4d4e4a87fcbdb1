/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: taking over what a process before us left.
 *
 * Its descriptors wait in the park. What it had read is in the journal's
 * areas. And between a system call and the commit that speaks of it there may
 * be things of which only the kernel and the park know: an association that
 * was peeled off or accepted, and one that a connect had begun.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addr.h"
#include "event.h"
#include "keep.h"
#include "kernel.h"
#include "log.h"
#include "mem.h"
#include "park.h"

bool
stack_restore_sock(struct sock *s)
{
	int	fd = park_take(s->node.key), number;

	if (kernel_make_set(s) != 0)
		return false;
	if (s->stack.netns_number != 0)
		s->stack.netns = park_take(s->stack.netns_number);
	if (fd == -1)
		return false;
	s->stack.fd = fd;
	s->stack.parked = true;
	kernel_restore_sizes(s);
	if (s->many && kernel_read_at_once(s) != 0)
		stack_read(s, false, true);
	else if (!s->many && s->listening && (number = kernel_watch(s, fd, NULL, false)) != 0)
		kernel_accept_later(s, strerror(number));
	return true;
}

bool
stack_restore_assoc(struct assoc *a)
{
	struct sock	*s = a->sock;

	if (a->stack.owns_fd) {
		a->stack.fd = park_take(a->number);
		a->stack.parked = a->stack.fd != -1;
	} else if (s != NULL && !s->many)
		a->stack.fd = s->stack.fd;
	if (a->stack.fd == -1)
		return !a->stack.owns_fd && s != NULL && s->many;
	kernel_charge_restored(a);
	kernel_has_fd(a);
	if (a->state == ASSOC_GOING_DOWN)
		kernel_going(a);
	if (s != NULL)
		kernel_follow(a, false);
	else
		kernel_linger(a);
	/* It lingered, and ended: nobody said so, or the one whom it was said to died. */
	return s != NULL || a->state == ASSOC_COMING_UP || kernel_knows(a) ||
	    !kernel_is_drained(a->stack.fd);
}

bool
stack_restore_joint(struct sock *s, struct assoc *a, struct record *r)
{
	enum joint_kind	kind;

	(void)joint_owner(r, &kind);
	if (kind == JOINT_SOCKET && s != NULL)
		return joint_restore(&s->stack.notice, r);
	if (kind == JOINT_DATA && a != NULL)
		return joint_restore(&a->stack.data, r);
	if (kind == JOINT_NOTICE && a != NULL)
		return joint_restore(&a->stack.notice, r);
	return kind == JOINT_FAILED && a != NULL && joint_restore(&a->stack.failed, r);
}

/* ---- the last batch ------------------------------------------------- */

static struct assoc *
find_by_number(uint64_t number)
{
	struct sock	*s = NULL;
	struct assoc	*a;

	while (number != 0 && (s = sock_next(s)) != NULL) {
		for (a = assoc_next(s, NULL); a != NULL; a = assoc_next(s, a)) {
			if (a->number == number)
				return a;
		}
	}
	return NULL;
}

static void
take_batch(const struct kernel_batch *b)
{
	struct assoc	*a = find_by_number(b->assoc);
	struct sock	*s = a != NULL ? a->sock : sock_find(b->sock);

	if (b->assoc != 0 && a == NULL)
		s = NULL;	/* it lingers, or is no more: nobody wants them */
	kernel_take_last_batch(b, s, a);
	if (a != NULL && a->state == ASSOC_OVER && a->stack.fd == -1)
		kernel_finish(a);
}

static void
take_last_batches(void)
{
	struct kernel_batch	b;

	for (unsigned i = 0; kernel_last_batch(i, &b); i++)
		take_batch(&b);
}

/* ---- what nobody knows of ------------------------------------------- */

static uint32_t
assoc_on(int fd, struct sctp_status *st)
{
	socklen_t	len = sizeof *st;

	memset(st, 0, sizeof *st);
	if (getsockopt(fd, IPPROTO_SCTP, SCTP_STATUS, st, &len) == -1)
		return 0;
	return (uint32_t)st->sstat_assoc_id;
}

/* The status is packed, and its address not aligned. */
static void
peer_of(const struct sctp_status *st, struct sockaddr_storage *peer)
{
	memcpy(peer, (const char *)st + offsetof(struct sctp_status, sstat_primary) +
	    offsetof(struct sctp_paddrinfo, spinfo_address), sizeof *peer);
}

/* Peeled off and parked, and then the process died. */
int
kernel_find_orphan(struct assoc *a)
{
	struct sctp_status	st;
	uint64_t		number = 0;
	int			fd;

	while ((fd = park_next_untaken(&number)) != -1) {
		if (assoc_on(fd, &st) != assoc_id(a))
			continue;
		(void)park_take(number);
		a->number = number;
		a->stack.parked = true;
		return fd;
	}
	errno = EINVAL;
	return -1;
}

static uint16_t
port_of(int fd)
{
	struct sockaddr_storage	ss;
	socklen_t		len = sizeof ss;

	memset(&ss, 0, sizeof ss);
	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return 0;
	return addr_port(&ss);
}

static struct sock *
listener_of(int fd)
{
	struct sock	*s = NULL;
	uint16_t	 port = port_of(fd);

	while ((s = sock_next(s)) != NULL) {
		if (!s->many && s->listening && s->port == port)
			return s;
	}
	return NULL;
}

/* Accepted and parked, and then the process died. */
static void
accept_orphans(void)
{
	struct sctp_status	 st;
	struct sockaddr_storage	 peer;
	struct event_accept	 e;
	struct sock		*s, *to;
	struct assoc		*a;
	uint64_t		 number = 0;
	int			 fd;

	while ((fd = park_next_untaken(&number)) != -1) {
		if (assoc_on(fd, &st) == 0 || (s = listener_of(fd)) == NULL)
			continue;
		to = sock_make(s->owner, false, s->family, number);
		if (kernel_make_set(to) != 0) {
			sock_close(to, NULL);
			continue;
		}
		(void)park_take(number);
		to->stack.parked = true;
		peer_of(&st, &peer);
		a = kernel_accepted(s, to, fd, &peer);
		e.accepted = to->node.key;
		e.assoc_id = assoc_id(a);
		sock_tell(s, notice_accept, a, &e);
	}
}

/*
 * Of those that no record speaks of some were begun by a connect, which will
 * be asked for again, and some came from peers: nobody can tell them apart.
 */
static void
find_begun(struct sock *s)
{
	struct sctp_assoc_ids	*ids = xcalloc(1, sizeof *ids + 4096 * sizeof(sctp_assoc_t));
	socklen_t		 len = sizeof *ids + 4096 * sizeof(sctp_assoc_t);
	struct sctp_status	 st;
	struct sockaddr_storage	 peer;
	struct assoc		*a;

	if (getsockopt(s->stack.fd, IPPROTO_SCTP, SCTP_GET_ASSOC_ID_LIST, ids, &len) == -1)
		ids->gaids_number_of_ids = 0;
	for (uint32_t i = 0; i < ids->gaids_number_of_ids; i++) {
		uint32_t	id = (uint32_t)ids->gaids_assoc_id[i];

		len = sizeof st;
		memset(&st, 0, sizeof st);
		st.sstat_assoc_id = (sctp_assoc_t)id;
		if (HASH_FIND(assoc, &s->assocs, id) != NULL ||
		    getsockopt(s->stack.fd, IPPROTO_SCTP, SCTP_STATUS, &st, &len) == -1)
			continue;
		peer_of(&st, &peer);
		a = assoc_new(s, id, &peer);
		a->asked = true;
	}
	free(ids);
}

void
stack_restore_batches(void)
{
	struct sock	*s = NULL;

	take_last_batches();
	kernel_answer_last_sends();
	accept_orphans();
	while ((s = sock_next(s)) != NULL) {
		if (s->many && s->stack.fd != -1)
			find_begun(s);
	}
}

void
stack_gone(struct assoc *a)
{
	if (a->state != ASSOC_OVER)
		kernel_say_end(a, SCTP_COMM_LOST, 0);
	kernel_finish(a);
}
