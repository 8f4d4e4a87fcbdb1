/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper (sctpd -k): the daemon's supervisor on hosts without systemd.
 *
 * It is the daemon's parent and does three things. It holds the descriptors
 * that are to outlive the daemon. It starts the daemon with those descriptors,
 * and restarts it when it has died. It kills a daemon that gives no sign of
 * life. Both use the protocols of sd_notify(3) and sd_listen_fds(3), so the
 * daemon need not know whether systemd or the keeper supervises it.
 *
 * The keeper is small so that it does not fail itself: it has a loop around
 * poll, no memory of its own, and reads nothing but its child's messages.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "service/keeper.h"
#include "service/fdstore.h"
#include "util/log.h"
#include "service/notify.h"
#include "service/fdclient.h"

#define START_MS	90000	/* from the start to READY=1 */
#define WATCHDOG_MS	10000	/* between two signs of life */
#define ABORT_MS	5000	/* to die of SIGABRT, with a core dump */
#define STOP_MS		10000	/* to stop when told so */
#define POLL_AGAIN_MS	10
#define QUICK_MS	1000	/* an unready daemon that dies sooner died at its start */

static enum phase {
	PAUSING,	/* no child; one is started at the deadline */
	STARTING,	/* until READY=1 */
	SERVING,	/* the deadline is for the next WATCHDOG=1 */
	ENDING,		/* told to; it is killed at the deadline */
	KILLED		/* no deadline; it will not take long */
} phase;
static int64_t deadline, started;
static pid_t child;
static unsigned quick;			/* deaths at the start, in a row */
static bool stopping, reload, done;
static int notify_fd, signal_fd, exit_status;
static bool rpc_is_ours = true;		/* nobody passed the socket to the keeper */
static int64_t watchdog_ms = WATCHDOG_MS;
static struct sockaddr_un notify_addr = { .sun_family = AF_UNIX };

static int64_t
now(void)
{
	struct timespec	ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
enter(enum phase next, int64_t ms)
{
	phase = next;
	deadline = now() + ms;
}

/* ---- the child ------------------------------------------------------------ */

static void
set_number(const char *name, long long n)
{
	char	text[24];

	(void)snprintf(text, sizeof text, "%lld", n);
	(void)setenv(name, text, 1);
}

static void
become_daemon(pid_t keeper, const char *const argv[])
{
	char		names[FDSTORE_MAX * FDSTORE_NAME_MAX], *const *args = (char *const *)(uintptr_t)argv;
	sigset_t	none;

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != keeper)
		_exit(EXIT_FAILURE);	/* it died before it could be noticed */
	set_number("LISTEN_FDS", fdstore_pass(names, sizeof names));
	set_number("LISTEN_PID", getpid());
	(void)setenv("LISTEN_FDNAMES", names, 1);
	(void)setenv("NOTIFY_SOCKET", notify_addr.sun_path, 1);
	set_number("FDSTORE", FDSTORE_MAX);
	set_number("WATCHDOG_USEC", watchdog_ms * 1000);
	set_number("WATCHDOG_PID", getpid());
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* The path may lead to a newer version by now. The fallback is this program. */
	if (strchr(argv[0], '/') != NULL)
		(void)execv(argv[0], args);
	(void)execv("/proc/self/exe", args);
	log_err("keeper: cannot start %s: %s", argv[0], strerror(errno));
	_exit(EXIT_FAILURE);
}

static void
start(const char *const argv[])
{
	pid_t	keeper = getpid();

	if ((child = fork()) == 0)
		become_daemon(keeper, argv);
	started = now();
	if (child != -1) {
		enter(STARTING, START_MS);
		return;
	}
	log_err("keeper: fork: %s", strerror(errno));
	child = 0;
	enter(PAUSING, QUICK_MS);
}

/* A child that is stopped takes no other signal before it continues. */
static void
end_child(int signal, int64_t ms)
{
	(void)kill(child, signal);
	(void)kill(child, SIGCONT);
	enter(ENDING, ms);
}

static void
deadline_passed(const char *const argv[])
{
	switch (phase) {
	case PAUSING:
		start(argv);
		break;
	case STARTING:
	case SERVING:
		log_err("keeper: sctpd %ld gives no sign of life; it is aborted", (long)child);
		end_child(SIGABRT, ABORT_MS);
		break;
	case ENDING:
		log_err("keeper: sctpd %ld does not end; it is killed", (long)child);
		(void)kill(child, SIGKILL);
		phase = KILLED;
		break;
	case KILLED:
		break;
	}
}

/* ---- what it says --------------------------------------------------------- */

/* Gives whether the descriptor was taken. */
static bool
hear(const char *lines, int fd)
{
	char	name[256], value[8];

	(void)fdstore_value(lines, "FDNAME", name, sizeof name);
	if (fdstore_value(lines, "FDSTORE", value, sizeof value) && fd != -1) {
		if (!fdstore_put(name, fd))
			log_err("keeper: no room for \"%s\"", name);
		return true;
	}
	if (fdstore_value(lines, "FDSTOREREMOVE", value, sizeof value))
		fdstore_remove(name);
	if (fdstore_value(lines, "WATCHDOG", value, sizeof value) && phase == SERVING) {
		enter(SERVING, watchdog_ms);
		if (notify_watchdog_usec() != 0)
			(void)notify_send(lines, -1);
	}
	if (fdstore_value(lines, "READY", value, sizeof value)) {
		if (phase == STARTING) {
			quick = 0;
			enter(SERVING, watchdog_ms);
		}
		if (reload)
			(void)kill(child, SIGHUP);
		reload = false;
	}
	/* Whoever started the keeper may want to know, too. */
	if (fdstore_value(lines, "STATUS", name, sizeof name) ||
	    fdstore_value(lines, "RELOADING", value, sizeof value))
		(void)notify_send(lines, -1);
	return false;
}

/* Returns the sender, and the first descriptor received. Others are closed. */
static pid_t
take_apart(struct msghdr *msg, int *fd)
{
	struct ucred	who = { .pid = 0 };
	int		got;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS)
			memcpy(&who, CMSG_DATA(c), sizeof who);
		for (size_t at = 0; c->cmsg_type == SCM_RIGHTS && CMSG_LEN(at + sizeof got) <= c->cmsg_len;
		    at += sizeof got) {
			memcpy(&got, CMSG_DATA(c) + at, sizeof got);
			if (*fd == -1)
				*fd = got;
			else
				(void)close(got);
		}
	}
	return who.pid;
}

/* False if there is no message. */
static bool
listen_once(void)
{
	union {
		char		buf[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(FDSTORE_MAX * sizeof(int))];
		struct cmsghdr	head;
	} control;
	char		lines[1024];
	struct iovec	iov = { lines, sizeof lines - 1 };
	struct msghdr	msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
			    .msg_controllen = sizeof control.buf };
	ssize_t		n = recvmsg(notify_fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int		fd = -1;

	if (n == -1)
		return errno == EINTR;
	lines[n] = '\0';
	/* To close a descriptor that came with BARRIER=1 is the answer to it. */
	if ((take_apart(&msg, &fd) != child || !hear(lines, fd)) && fd != -1)
		(void)close(fd);
	return true;
}

/* ---- its death ------------------------------------------------------------ */

static void
child_ended(int status)
{
	int	pause;

	while (listen_once())
		;	/* the last it said */
	if (WIFSIGNALED(status))
		log_notice("keeper: sctpd %ld died of signal %d", (long)child, WTERMSIG(status));
	else
		log_notice("keeper: sctpd %ld exited with %d", (long)child, WEXITSTATUS(status));
	exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	done = stopping || exit_status == EXIT_CONFIG;
	child = 0;
	quick = phase == STARTING && now() - started < QUICK_MS ? quick + 1 : 0;
	if ((pause = fdstore_pause(quick)) > 0 && !done)
		log_warning("keeper: sctpd ended %u times while it started; waiting for %d ms", quick, pause);
	enter(PAUSING, pause);
}

static void
signalled(void)
{
	struct signalfd_siginfo	s;
	pid_t			pid;
	int			status;

	if (read(signal_fd, &s, sizeof s) != sizeof s)
		return;
	switch (s.ssi_signo) {
	case SIGCHLD:
		/* Orphans, too: in a container the keeper may be the first process. */
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0 || (pid == -1 && errno == EINTR)) {
			if (pid > 0 && pid == child)
				child_ended(status);
		}
		break;
	case SIGHUP:		/* before it is ready, the signal would kill it */
		reload = phase != SERVING;
		if (!reload)
			(void)kill(child, SIGHUP);
		break;
	default:
		notify_stopping();
		stopping = true;
		if (child == 0)
			done = true;
		else
			end_child(SIGTERM, STOP_MS);
	}
}

/* ---- the beginning and the end -------------------------------------------- */

/* Beside the daemon's socket, as it must be allowed to make that. */
static bool
open_notify(void)
{
	char		*path = notify_addr.sun_path;
	const char	*slash = strrchr(config.socket, '/');
	int		 dir = slash != NULL ? (int)(slash - config.socket) : 0, on = 1;
	size_t		 room = sizeof notify_addr.sun_path;
	mode_t		 mask;
	bool		 ok;

	(void)snprintf(path, room, "%.*s", dir, config.socket);
	(void)mkdir(path, 0755);
	ok = (size_t)snprintf(path, room, "%.*s%skeeper.%ld", dir, config.socket,
	    slash != NULL ? "/" : "", (long)getpid()) < room;
	(void)unlink(path);
	mask = umask(0177);
	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ok = ok && notify_fd != -1 &&
	    setsockopt(notify_fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0 &&
	    bind(notify_fd, (struct sockaddr *)&notify_addr, sizeof notify_addr) == 0;
	(void)umask(mask);
	if (!ok)
		log_err("keeper: %s: %s", path, strerror(errno));
	return ok;
}

static bool
open_signals(void)
{
	sigset_t	set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	if ((signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) == -1)
		log_err("keeper: signalfd: %s", strerror(errno));
	return signal_fd != -1;
}

/* The daemon left its socket for a next one; now there will be none. */
static void
close_all(void)
{
	struct sockaddr_un	sun = { .sun_path = "" };
	socklen_t		len = sizeof sun - 1;

	if (rpc_is_ours && fdstore_get("rpc") != -1 &&
	    getsockname(fdstore_get("rpc"), (struct sockaddr *)&sun, &len) == 0)
		(void)unlink(sun.sun_path);
	fdstore_close();
	(void)unlink(notify_addr.sun_path);
	(void)close(notify_fd);
	(void)close(signal_fd);
	config_free(&config);
}

int
keeper_run(const char *const argv[])
{
	int	rpc = fdclient_take("rpc");

	(void)prctl(PR_SET_NAME, "sctpd-keeper");
	if (rpc != -1)
		rpc_is_ours = !fdstore_put("rpc", rpc);
	fdclient_finish();
	if (notify_watchdog_usec() >= 1000)
		watchdog_ms = (int64_t)(notify_watchdog_usec() / 1000);
	if (!open_notify() || !open_signals())
		return EXIT_FAILURE;
	start(argv);
	while (!done) {
		struct pollfd	fds[] = { { .fd = notify_fd, .events = POLLIN },
				    { .fd = signal_fd, .events = POLLIN } };
		int64_t		left = deadline - now();

		if (left > INT_MAX || phase == KILLED)
			left = INT_MAX;
		/* Where even that fails, both are asked, a little later. */
		if (poll(fds, 2, left < 0 ? 0 : (int)left) == -1) {
			if (errno != EINTR)
				(void)poll(NULL, 0, POLL_AGAIN_MS);
			fds[0].revents = fds[1].revents = POLLIN;
		}
		if (fds[0].revents != 0)
			(void)listen_once();
		if (fds[1].revents != 0)
			signalled();
		if (!done && now() >= deadline)
			deadline_passed(argv);
	}
	close_all();
	return stopping && exit_status == 128 + SIGTERM ? EXIT_SUCCESS : exit_status;
}
