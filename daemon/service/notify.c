/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a service manager wants to hear.
 *
 * A few lines of our own: libsystemd would bring six libraries of crypto and
 * compression into a process that holds everybody's associations.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "util/log.h"
#include "service/notify.h"

#define TRIES		10
#define AGAIN_MS	10

/* False if there is no such address. */
static bool
manager(struct sockaddr_un *sun, socklen_t *len)
{
	const char	*path = getenv("NOTIFY_SOCKET");
	size_t		 n;

	if (path == NULL || (n = strlen(path)) >= sizeof sun->sun_path)
		return false;
	memset(sun, 0, sizeof *sun);
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, path, n);
	if (path[0] == '@')
		sun->sun_path[0] = '\0';	/* an abstract name */
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	return true;
}

/*
 * Gives 0 or an errno. Only what brings a descriptor waits for a manager that
 * does not read, and not for ever: with the others it may do as it likes.
 */
static int
send_once(const struct sockaddr_un *sun, socklen_t len, const char *lines, int fd)
{
	static const struct timeval	patience = { .tv_sec = 5 };
	union {
		char		buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr	head;
	} control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
	    .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec		iov = { (void *)(uintptr_t)lines, strlen(lines) };
	struct msghdr		msg = { .msg_name = (void *)(uintptr_t)sun, .msg_namelen = len,
				    .msg_iov = &iov, .msg_iovlen = 1 };
	int			s, number = 0;

	if (fd != -1) {
		memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof control.buf;
	}
	if ((s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return errno;
	(void)setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (sendmsg(s, &msg, MSG_NOSIGNAL | (fd == -1 ? MSG_DONTWAIT : 0)) == -1)
		number = errno;
	(void)close(s);
	return number;
}

/* Of what there may be enough in a moment. */
static bool
passes(int number)
{
	return number == EINTR || number == EAGAIN || number == ENOBUFS || number == ENOMEM ||
	    number == EMFILE || number == ENFILE;
}

bool
notify_send(const char *lines, int fd)
{
	struct sockaddr_un	sun;
	socklen_t		len;
	int			number = 0;

	if (!manager(&sun, &len))
		return false;
	for (int i = 0; i < TRIES; i++) {
		if ((number = send_once(&sun, len, lines, fd)) == 0)
			return true;
		if (!passes(number) || (number == EAGAIN && fd != -1))
			break;
		(void)poll(NULL, 0, number == EINTR ? 0 : AGAIN_MS);
	}
	if (log_allowed(LOG_WARNING, "notify"))
		log_warning("notify: %s: %s", getenv("NOTIFY_SOCKET"), strerror(number));
	return false;
}

void
notify_ready(const char *status)
{
	char	lines[512];

	(void)snprintf(lines, sizeof lines, "READY=1\nSTATUS=%s", status);
	(void)notify_send(lines, -1);
}

/* systemd wants to know when, to tell this reload from an earlier one. */
void
notify_reloading(void)
{
	char		lines[80];
	struct timespec	now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)snprintf(lines, sizeof lines, "RELOADING=1\nMONOTONIC_USEC=%llu",
	    (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
	(void)notify_send(lines, -1);
}

bool
notify_stopping(void)
{
	return notify_send("STOPPING=1", -1);
}

uint64_t
notify_watchdog_usec(void)
{
	const char	*usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (usec == NULL || (pid != NULL && atol(pid) != (long)getpid()))
		return 0;
	return strtoull(usec, NULL, 10);
}
