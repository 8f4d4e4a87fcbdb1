/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/call.h"
#include "run/child.h"
#include "run/descriptor.h"
#include "run/filter.h"
#include "run/say.h"
#include "run/signals.h"
#include "run/sock.h"
#include "run/start.h"

#define BATCH		16	/* calls that are taken before others have their turn */

/* Linux 6.6: the program is woken where the supervisor runs, as it does nothing else while it waits. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS	SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP	(1UL << 0)
#endif

static void
on_ends(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	sock_ends(arg);
}

/* ---- the program ----------------------------------------------------- */

/* POLLIN: a call waits; POLLHUP alone: no process is left that has the filter. Taking a call that is not there would wait. */
static short
listener_state(const struct run *r)
{
	struct pollfd	fd = { .fd = r->listener, .events = POLLIN };

	return poll(&fd, 1, 0) == 1 ? fd.revents : 0;
}

static void
stop_if_ended(struct run *r)
{
	if (r->all_ended && r->child_ended)
		(void)event_base_loopbreak(r->base);
}

/* PR_SET_DUMPABLE of prctl(2), or a program whose file may not be read. */
static void
fail_hidden(struct call *c)
{
	if (!c->run->said_hidden)
		say("process %d cannot be looked into, as it is not dumpable (PR_SET_DUMPABLE of prctl(2)): it has no SCTP",
		    c->tid);
	c->run->said_hidden = true;
	(void)call_fail(c, EACCES);
}

/*
 * A call with a descriptor that is none of ours is the kernel's: another file,
 * or one that is not open.
 */
static void
take_call(struct run *r)
{
	int			 nr;
	struct call		*c = call_take(r, &nr);
	const struct trap	*t = c != NULL ? trap_find(nr) : NULL;
	struct sock		*s;
	uint64_t		 inode;
	int			 number;

	if (c == NULL)
		return;
	if (t == NULL) {
		call_continue(c);
		return;
	}
	c->name = t->name;
	if (t->when != WHEN_SOCKET) {
		number = t->when == WHEN_FD_EITHER && (int)c->args[0] < r->first_fd ? 2 : 0;
		inode = descriptor_inode(c->tid, (int)c->args[number]);
		if (inode == 0 && errno == EACCES && r->first_fd != 0) {
			fail_hidden(c);
			return;
		}
		if ((s = sock_of_inode(r, inode)) == NULL) {
			call_continue(c);
			return;
		}
		call_on(c, s, &s->waiters);
	}
	/* Those that send look for that themselves, as they know what is sent. */
	if (t->when == WHEN_FD_OUT || !call_repeats(c))
		t->take(c);
}

static void
on_notice(evutil_socket_t fd, short what, void *arg)
{
	struct run	*r = arg;
	short		 state = 0;

	(void)fd, (void)what;
	daemon_hold(r);
	for (int i = 0; i < BATCH && ((state = listener_state(r)) & POLLIN) != 0; i++) {
		sock_ends(r);	/* what was closed before it may be in its way: a port */
		take_call(r);
	}
	daemon_release(r);
	signals_watch(r);
	if ((state & (POLLIN | POLLHUP)) == POLLHUP) {
		r->all_ended = true;
		(void)event_del(r->on_notice);
		stop_if_ended(r);
	}
}

/* Orphans of the program are ours, so that their memory may be read. */
static void
reap(struct run *r)
{
	pid_t	pid;
	int	status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != r->child)
			continue;
		r->status = status;
		r->child_ended = true;
		/* What follows: processes that it left. */
		stop_if_ended(r);
	}
}

/* A signal of the terminal has reached the program as well. */
static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct signalfd_siginfo	 si;
	struct run		*r = arg;

	(void)what;
	while (read(fd, &si, sizeof si) == (ssize_t)sizeof si) {
		if (si.ssi_signo == SIGCHLD)
			reap(r);
		else if (si.ssi_code != SI_KERNEL && !r->child_ended)
			(void)kill(r->child, (int)si.ssi_signo);
	}
}

/* ---- beginning and end ----------------------------------------------- */

/* Signals that are the program's. Stopping and going on are the whole job's. */
static const int	passed[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGALRM };

static void
block_signals(sigset_t *wanted, sigset_t *old)
{
	(void)sigemptyset(wanted);
	(void)sigaddset(wanted, SIGCHLD);
	for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++)
		(void)sigaddset(wanted, passed[i]);
	(void)sigprocmask(SIG_BLOCK, wanted, old);
}

/* The pairs of all sockets need descriptors here. */
static void
raise_limit(struct run *r)
{
	struct rlimit	limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
		r->most_fds = limit.rlim_cur < INT_MAX ? (int)limit.rlim_cur : INT_MAX;
	}
}

static int
begin_child(struct run *r, char **argv, const sigset_t *mask)
{
	struct child	c = { .argv = argv, .mask = mask };
	__u64		sync = SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP;

	if (!filter_make(r->first_fd, &c.filter))
		return EXIT_FAILURE;
	r->child = child_start(&c);
	free(c.filter.filter);
	if (r->child == -1 && c.rest)
		return say_fail(c.error == ENOENT ? 127 : 126, "%s: %s", argv[0], strerror(c.error));
	if (r->child == -1)
		return say_fail(EXIT_FAILURE, "the program could not be put under a seccomp filter: %s%s", strerror(c.error),
		    c.error == EBUSY ? " (it is under another supervisor: run does not go inside of run, nor of the like)" : "");
	r->listener = c.listener;
	r->wait_killable = c.wait_killable;
	(void)ioctl(r->listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, sync);
	return 0;
}

static int
watch_all(struct run *r, const sigset_t *wanted)
{
	int	fd = signalfd(-1, wanted, SFD_CLOEXEC | SFD_NONBLOCK);

	if (fd == -1 || (r->on_signal = event_new(r->base, fd, EV_READ | EV_PERSIST, on_signal, r)) == NULL ||
	    (r->on_notice = event_new(r->base, r->listener, EV_READ | EV_PERSIST, on_notice, r)) == NULL ||
	    (r->on_ends = event_new(r->base, r->ends, EV_READ | EV_PERSIST, on_ends, r)) == NULL ||
	    event_add(r->on_ends, NULL) == -1 ||
	    !daemon_begin(r) ||
	    event_add(r->on_signal, NULL) == -1 || event_add(r->on_notice, NULL) == -1)
		return say_fail(EXIT_FAILURE, "the program's calls cannot be watched: %s", strerror(errno));
	return 0;
}

/* What the program left is closed in the daemon before we end, so that it is as if the program had closed it. */
static void
finish(struct run *r)
{
	struct sock	*s;

	for (size_t i = 0; i < RUN_BUCKETS; i++) {
		while ((s = TAILQ_FIRST(&r->by_handle[i])) != NULL)
			sock_close(s);
	}
	/* Answers that are still to come find their calls. */
	if (!r->lost) {
		sctpd_set_timeout(r->c, 1000);
		(void)sctpd_sync(r->c);
	}
	call_free_all(r);
}

static int
exit_status(const struct run *r)
{
	int	sig;

	if (WIFEXITED(r->status))
		return WEXITSTATUS(r->status);
	/* End by the same signal, so that whoever waits for us sees that; a core would be ours. */
	sig = WTERMSIG(r->status);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)signal(sig, SIG_DFL);
	{
		sigset_t	one;

		(void)sigemptyset(&one);
		(void)sigaddset(&one, sig);
		(void)sigprocmask(SIG_UNBLOCK, &one, NULL);
	}
	(void)kill(getpid(), sig);
	return 128 + sig;
}

static void
init(struct run *r)
{
	r->listener = -1;
	r->event = sock_event;
	r->lose = sock_lose_all;
	for (size_t i = 0; i < RUN_BUCKETS; i++) {
		TAILQ_INIT(&r->calls[i]);
		TAILQ_INIT(&r->by_inode[i]);
		TAILQ_INIT(&r->by_handle[i]);
	}
}

int
run_start(struct sctpd *c, const char *path, bool verbose, bool all_fds, char **argv)
{
	static struct run	r;
	sigset_t		wanted, old;
	int			fail;

	init(&r);
	r.c = c;
	r.path = path;
	r.verbose = verbose;
	r.first_fd = all_fds ? 0 : RUN_FIRST_FD;
	if ((r.base = event_base_new()) == NULL || (r.ends = epoll_create1(EPOLL_CLOEXEC)) == -1)
		return say_fail(EXIT_FAILURE, "there is no memory left");
	if (daemon_dial(&r) != SCTPD_OK)
		return say_fail(3, "%s", sctpd_error(r.c));
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	block_signals(&wanted, &old);
	if ((fail = begin_child(&r, argv, &old)) != 0)
		return fail;
	raise_limit(&r);
	if (!descriptor_check(r.child) || (fail = watch_all(&r, &wanted)) != 0) {
		(void)kill(r.child, SIGKILL);
		return EXIT_FAILURE;
	}
	(void)event_base_dispatch(r.base);
	finish(&r);
	return exit_status(&r);
}
