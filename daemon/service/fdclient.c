/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors that outlive this process, by sd_listen_fds(3) and
 * sd_pid_notify_with_fds(3).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/fault.h"
#include "util/log.h"
#include "util/mem.h"
#include "service/notify.h"
#include "service/fdclient.h"

#define FIRST_FD	3
#define PASSED_MAX	4096
#define BARRIER_MS	5000

/* What was passed, in its order: a socket unit's come before the store's. */
static struct passed {
	int	fd;			/* -1: taken, or closed */
	char	name[FDCLIENT_NAME_MAX];
} *passed;
static unsigned npassed;

/*
 * A socket that is passed without a name is the one for clients:
 * systemd-socket-activate sets no names, and a socket unit without a
 * FileDescriptorName= names it after itself.
 */
void
fdclient_name(const char *list, unsigned i, char name[FDCLIENT_NAME_MAX])
{
	size_t	len = 0, end;

	for (unsigned at = 0; list != NULL && at < i; at++) {
		if ((list = strchr(list, ':')) != NULL)
			list++;
	}
	if (list != NULL)
		len = strcspn(list, ":");
	end = strlen(".socket");
	if ((len == 0 && i == 0) ||
	    (len > end && memcmp(list + len - end, ".socket", end) == 0))
		(void)snprintf(name, FDCLIENT_NAME_MAX, "rpc");
	else if (len == 0 || len >= FDCLIENT_NAME_MAX)
		name[0] = '\0';
	else
		(void)snprintf(name, FDCLIENT_NAME_MAX, "%.*s", (int)len, list);
}

/* How many descriptors there are for this process. */
static unsigned
count(void)
{
	const char	*pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	long		 n;

	if (pid == NULL || fds == NULL || atol(pid) != (long)getpid())
		return 0;
	n = atol(fds);
	return n < 0 || n > PASSED_MAX ? 0 : (unsigned)n;
}

void
fdclient_init(void)
{
	npassed = count();
	passed = xcalloc(npassed + 1, sizeof *passed);
	for (unsigned i = 0; i < npassed; i++) {
		passed[i].fd = FIRST_FD + (int)i;
		fdclient_name(getenv("LISTEN_FDNAMES"), i, passed[i].name);
		if (fcntl(passed[i].fd, F_SETFD, FD_CLOEXEC) == -1)
			passed[i].fd = -1;
	}
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
}

/*
 * Many managers want to be told when a daemon is ready but store no descriptors.
 * A manager that stores them says so in FDSTORE: systemd since version 254, our
 * unit on behalf of older versions, and our keeper.
 */
bool
fdclient_present(void)
{
	const char	*max = getenv("FDSTORE");

	return getenv("NOTIFY_SOCKET") != NULL && max != NULL && atol(max) > 0;
}

int
fdclient_take(const char *name)
{
	int	fd;

	for (unsigned i = 0; i < npassed; i++) {
		if ((fd = passed[i].fd) != -1 && strcmp(passed[i].name, name) == 0) {
			passed[i].fd = -1;
			return fd;
		}
	}
	return -1;
}

/*
 * The manager closes its end of a pipe when it has done all that was asked of
 * it before: so we do not go on, or die, before it has the descriptor.
 */
static bool
wait_for_manager(void)
{
	struct pollfd	done = { .events = POLLIN };
	int		ends[2], n = 0;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return false;
	done.fd = ends[0];
	if (notify_send("BARRIER=1", ends[1])) {
		(void)close(ends[1]);
		while ((n = poll(&done, 1, BARRIER_MS)) == -1 && errno == EINTR)
			;
	} else {
		(void)close(ends[1]);
	}
	(void)close(ends[0]);
	return n == 1;
}

bool
fdclient_put(const char *name, int fd)
{
	char	lines[FDCLIENT_NAME_MAX + 40];

	(void)snprintf(lines, sizeof lines, "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
	if (notify_send(lines, fd) && wait_for_manager()) {
		fault_point("stored");
		return true;
	}
	log_err("store: the service manager does not confirm that it holds \"%s\"", name);
	return false;
}

void
fdclient_remove(const char *name)
{
	char	lines[FDCLIENT_NAME_MAX + 40];

	(void)snprintf(lines, sizeof lines, "FDSTOREREMOVE=1\nFDNAME=%s", name);
	(void)notify_send(lines, -1);
}

/* Whether another of this name was passed before: it may be in use, so the name stays. */
static bool
is_double(unsigned i)
{
	for (unsigned j = 0; j < i; j++) {
		if (strcmp(passed[j].name, passed[i].name) == 0)
			return true;
	}
	return false;
}

void
fdclient_finish(void)
{
	for (unsigned i = 0; i < npassed; i++) {
		if (passed[i].fd == -1)
			continue;
		log_warning("store: descriptor %d, \"%s\", was passed and is not known: closed",
		    passed[i].fd, passed[i].name);
		if (fdclient_present() && passed[i].name[0] != '\0' && !is_double(i))
			fdclient_remove(passed[i].name);
		(void)close(passed[i].fd);
		passed[i].fd = -1;
	}
	free(passed);
	passed = NULL;
	npassed = 0;
}
