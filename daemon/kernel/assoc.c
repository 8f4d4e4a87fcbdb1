/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: how associations get a descriptor of their own, and
 * lending.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "journal/fdpark.h"
#include "kernel/kernel.h"
#include "util/fault.h"
#include "util/log.h"
#include "util/loop.h"

static void
assoc_on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	assoc_writable(arg);
}

static void
assoc_on_finish(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	kernel_finish(arg);
}

void
kernel_assoc_init(struct assoc *a)
{
	a->stack.fd = -1;
	partials_init(&a->stack.data, a->number);
	partial_init(&a->stack.notice, PARTIAL_NOTICE, a->number);
	partial_init(&a->stack.failed, PARTIAL_FAILED, a->number);
	(void)event_assign(&a->stack.writable, loop_base(), -1, 0, assoc_on_writable, a);
	(void)event_assign(&a->stack.linger, loop_base(), -1, 0, assoc_on_finish, a);
}

void
kernel_has_fd(struct assoc *a)
{
	(void)event_assign(&a->stack.writable, loop_base(), a->stack.fd, EV_WRITE,
	    assoc_on_writable, a);
}

/* The kernel peels off only associations in the network namespace of the caller. */
int
kernel_peel(struct sock *s, uint32_t id)
{
	sctp_peeloff_flags_arg_t	arg = {
		.p_arg = { .associd = (sctp_assoc_t)id, .sd = -1 },
		.flags = SOCK_NONBLOCK | SOCK_CLOEXEC,
	};
	socklen_t			len = sizeof arg;
	int				home = -1;

	if (s->stack.netns != -1 && (home = kernel_go_to(s->stack.netns)) == -1)
		return -1;
	if (getsockopt(s->stack.fd, IPPROTO_SCTP, SCTP_SOCKOPT_PEELOFF_FLAGS, &arg, &len) == -1)
		arg.p_arg.sd = -1;
	if (home != -1)
		kernel_come_back(home);
	return arg.p_arg.sd;
}

/*
 * The association was peeled off and parked, and then the process died: search
 * the parked descriptors that no record claims.
 */
static int
find_orphan(struct assoc *a)
{
	struct sctp_status	st;
	uint64_t		number = 0;
	int			fd;

	while ((fd = fdpark_next_untaken(&number)) != -1) {
		if (kernel_assoc_on(fd, &st) != assoc_id(a))
			continue;
		(void)fdpark_take(number);
		a->number = number;
		a->stack.parked = true;
		return fd;
	}
	errno = EINVAL;
	return -1;
}

void
kernel_came_up(struct assoc *a)
{
	struct sock	*s = a->sock;

	if (!s->many) {
		kernel_interleave(a);
		if (a->stack.one_to_one && a->state == ASSOC_COMING_UP)
			kernel_size_assoc(a);
		return;
	}
	if (a->stack.fd != -1)
		return;
	if ((a->stack.fd = kernel_peel(s, assoc_id(a))) != -1) {
		fault_point("peeled");
		a->stack.parked = fdpark_put(a->number, a->stack.fd);
	} else if (errno == EINVAL)
		a->stack.fd = find_orphan(a);
	fault_point("peeloff");
	if (a->stack.fd == -1) {
		if (errno == EINVAL)
			return;		/* it is over, and its socket says the rest */
		if (log_allowed(LOG_ERR, "association aborted, no descriptor"))
			log_err("assoc %u: aborted, no descriptor for it: %s; raise LimitNOFILE",
			    assoc_id(a), strerror(errno));
		/*
		 * The kernel has made a socket of the association already, and
		 * closes it in silence.
		 */
		a->stack.no_fd = kernel_abort(a, "out of descriptors", 18) != 0;
		return;
	}
	a->stack.owns_fd = true;
	kernel_has_fd(a);
	kernel_size_assoc(a);
	kernel_inherit(s, a->stack.fd);
	kernel_interleave(a);
	kernel_follow(a, false);
}

int
kernel_peeloff(struct assoc *a, struct sock *to)
{
	struct sock	*from = a->sock;
	int		 number;

	if (a->stack.fd == -1)
		return EAGAIN;		/* it is not up yet */
	kernel_begin(to);
	if ((number = kernel_watch(to, a->stack.fd, a, a->stack.at_end)) != 0)
		return number;
	kernel_unwatch(from, a->stack.fd);
	assoc_move(a, to);
	to->port = from->port;
	to->name = from->name;
	memcpy(to->subscribed, from->subscribed, sizeof to->subscribed);
	to->own = from->own;
	to->stack.sizes = from->stack.sizes;
	to->stack.has_local_options = from->stack.has_local_options;
	to->peeled = true;
	sock_keeps_output(to);
	kernel_adopt(to, a->stack.fd);
	to->stack.own_point = from->stack.own_point;
	to->stack.own_port = from->stack.own_port;
	to->stack.interleaves = kernel_interleaves(a->stack.fd);
	/*
	 * The association's number stays parked too: the journal has the
	 * descriptor under it until the commit.
	 */
	a->stack.owns_fd = false;
	sock_changed(to);
	return 0;
}

/* ---- lending -------------------------------------------------------- */

bool
kernel_has_part(const struct assoc *a)
{
	return a->stack.data.n > 0 || a->stack.notice.begun;
}

int
kernel_lend(const struct sock *s)
{
	return s->stack.fd;
}

/*
 * The client that had the descriptor may have read how the association ended.
 * Then the kernel does not tell the daemon.
 */
void
kernel_take_back(struct sock *s)
{
	struct sctp_status	 st = { .sstat_assoc_id = 0 };
	socklen_t		 len = sizeof st;
	struct assoc		*a = assoc_next(s, NULL);
	char			 c;

	(void)fcntl(s->stack.fd, F_SETFL, O_RDWR | O_NONBLOCK);
	s->stack.has_local_options = true;	/* the borrower may have set any */
	if (a != NULL) {
		a->stack.has_tail = true;	/* the borrower may have sent with MSG_MORE */
		kernel_forget_names(a);		/* and may have read of a restart */
		kernel_flush(a);
	}
	if (a == NULL || getsockopt(s->stack.fd, IPPROTO_SCTP, SCTP_STATUS, &st, &len) == 0 ||
	    recv(s->stack.fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
		return;
	assoc_enter(a, ASSOC_OVER);
	kernel_finish(a);
}
