/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: taking over what the previous process left.
 *
 * The descriptors of the previous process wait in the park. What it had read is
 * in the journal's areas. Between a system call and the commit that records it,
 * some things are known only to the kernel and the park: an association that
 * was peeled off or accepted, and an association that a connect had begun.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "journal/fdpark.h"
#include "kernel/kernel.h"
#include "proto/addr.h"
#include "util/mem.h"

/* The process before died with the socket lent, or was of a version that did not note it. */
static bool
has_linger(int fd)
{
	struct linger	l = { .l_onoff = 0 };
	socklen_t	len = sizeof l;

	return getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &len) == 0 && l.l_onoff;
}

bool
kernel_restore_sock(struct sock *s)
{
	int	fd = fdpark_take(s->node.key), number;

	kernel_begin(s);
	s->stack.may_come = true;
	if (s->stack.netns_number != 0)
		s->stack.netns = fdpark_take(s->stack.netns_number);
	if (fd == -1)
		return false;
	s->stack.fd = fd;
	s->stack.parked = true;
	s->stack.was_sharing = s->stack.own_port && kernel_share_no_more(fd);
	s->stack.interleaves = kernel_interleaves(fd);
	kernel_restore_bound(s);
	kernel_restore_sizes(s);
	s->stack.has_local_options = s->stack.has_local_options || has_linger(fd);
	if (s->many && kernel_read_at_once(s) != 0)
		kernel_read(s, false, true);
	else if (!s->many && s->listening && (number = kernel_watch(s, fd, NULL, false)) != 0)
		kernel_accept_later(s, strerror(number));
	return true;
}

bool
kernel_restore_assoc(struct assoc *a)
{
	struct sock	*s = a->sock;

	if (a->stack.owns_fd) {
		a->stack.fd = fdpark_take(a->number);
		a->stack.parked = a->stack.fd != -1;
	} else if (s != NULL && !s->many)
		a->stack.fd = s->stack.fd;
	if (a->stack.fd == -1)
		return !a->stack.owns_fd && s != NULL && s->many;
	if (s != NULL && s->stack.was_sharing)
		(void)kernel_share_no_more(a->stack.fd);
	a->stack.has_tail = true;	/* for all that the previous process could say */
	kernel_flush(a);
	kernel_charge_restored(a);
	kernel_has_fd(a);
	if (a->state == ASSOC_GOING_DOWN)
		kernel_going(a);
	if (s != NULL)
		kernel_follow(a, false);
	else
		kernel_let_linger(a);
	/* A lingering association has ended. Nobody said so, or the process that was told died. */
	return s != NULL || a->state == ASSOC_COMING_UP || kernel_knows(a) ||
	    !kernel_is_drained(a->stack.fd);
}

bool
kernel_restore_partial(struct sock *s, struct assoc *a, struct record *r)
{
	enum partial_kind	kind;

	(void)partial_owner(r, &kind);
	if (kind == PARTIAL_SOCKET && s != NULL)
		return partial_restore(&s->stack.notice, r);
	if (kind == PARTIAL_DATA && a != NULL)
		return partials_restore(&a->stack.data, r);
	if (kind == PARTIAL_NOTICE && a != NULL)
		return partial_restore(&a->stack.notice, r);
	return kind == PARTIAL_FAILED && a != NULL && partial_restore(&a->stack.failed, r);
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
		s = NULL;	/* the association lingers, or is gone: nobody wants these */
	kernel_take_last_batch(b, s, a);
	if (a != NULL && a->state == ASSOC_OVER && a->stack.fd == -1)
		kernel_finish(a);
}

/* ---- what nobody knows of ------------------------------------------- */

/* The status is packed, so the address in it is not aligned. */
static void
peer_of(const struct sctp_status *st, struct sockaddr_storage *peer)
{
	memcpy(peer, (const char *)st + offsetof(struct sctp_status, sstat_primary) +
	    offsetof(struct sctp_paddrinfo, spinfo_address), sizeof *peer);
}

static struct sock *
listener_of(int fd)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = sizeof ss;
	struct sock		*s = NULL;
	uint16_t		 port;

	memset(&ss, 0, sizeof ss);
	port = getsockname(fd, (struct sockaddr *)&ss, &len) == -1 ? 0 : addr_port(&ss);
	while ((s = sock_next(s)) != NULL) {
		if (!s->many && s->listening && s->port == port)
			return s;
	}
	return NULL;
}

/* These were accepted and parked, and then the process died. */
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

	while ((fd = fdpark_next_untaken(&number)) != -1) {
		if (kernel_assoc_on(fd, &st) == 0 || (s = listener_of(fd)) == NULL)
			continue;
		to = sock_make(s->owner, false, s->family, number);
		kernel_begin(to);
		(void)fdpark_take(number);
		to->stack.parked = true;
		peer_of(&st, &peer);
		a = kernel_accepted(s, to, fd, &peer);
		if (upcall_lacks_auth(a)) {
			upcall_abort_without_auth(a);
			sock_close(to, NULL);
			continue;
		}
		e.accepted = to->node.key;
		e.assoc_id = assoc_id(a);
		sock_tell(s, EVENT_accept, a, &e);
	}
}

/*
 * Find the associations that no record speaks of. Some were begun by a connect,
 * which the client will ask for again, and some came from peers. Nobody can
 * tell these apart.
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
		a->asked = s->any_asked = true;
	}
	free(ids);
}

void
kernel_restore_batches(void)
{
	struct kernel_batch	 b;
	struct sock		*s = NULL;

	for (unsigned i = 0; kernel_last_batch(i, &b); i++)
		take_batch(&b);
	kernel_answer_last_sends();
	accept_orphans();
	while ((s = sock_next(s)) != NULL) {
		if (s->many && s->stack.fd != -1)
			find_begun(s);
	}
	(void)kernel_look_from_now_on();
}

void
kernel_gone(struct assoc *a)
{
	a->ended_by = ENDED_WITH_DAEMON;
	if (a->state != ASSOC_OVER)
		kernel_say_end(a, SCTP_COMM_LOST, 0);
	kernel_finish(a);
}
