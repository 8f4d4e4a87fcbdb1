/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reaching the daemon for the first time, and waiting until it has said hello.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/codes.h"
#include "lib/conn.h"
#include "lib/dial.h"
#include "lib/session.h"
#include "lib/wait.h"

#define FIRST_PAUSE	4	/* ms between two daemons that do not answer hello; */
#define LAST_PAUSE	1000	/* it doubles up to this */

static int
dial_error(struct sctpd *c, const char *path, int number)
{
	switch (number) {
	case ENOENT:
		return lib_error(c, SCTPD_ENOENT,
		    "cannot reach sctpd at %s: there is no such socket; is sctpd running?", path);
	case ECONNREFUSED:
		return lib_error(c, SCTPD_ECONNREFUSED,
		    "cannot reach sctpd at %s: nobody listens there; is sctpd running?", path);
	case EACCES:
		return lib_error(c, SCTPD_EACCES,
		    "cannot reach sctpd at %s: permission denied; members of the socket's group may connect", path);
	case EAGAIN:
		return lib_error(c, SCTPD_TIMEOUT,
		    "cannot reach sctpd at %s: it does not accept connections", path);
	default:
		return lib_error(c, code_of_errno(number),
		    "cannot reach sctpd at %s: %s", path, strerror(number));
	}
}

static int
dial_once(struct sctpd *c, const struct sockaddr_un *sun)
{
	struct timeval	tv = { c->timeout / 1000, c->timeout % 1000 * 1000 };
	int		fd, saved;

	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return lib_error(c, code_of_errno(errno), "socket: %s", strerror(errno));
	/* A Unix connect waits for room in the listener's queue; the timeout bounds it. */
	if ((c->timeout > 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv) == -1) ||
	    connect(fd, (const struct sockaddr *)sun, sizeof *sun) == -1) {
		saved = errno;
		close(fd);
		return dial_error(c, sun->sun_path, saved);
	}
	dial_remember(c, sun);
	return sctpd_use_fd(c, fd);
}

int
sctpd_dial(struct sctpd *c, const char *path)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };
	int64_t			deadline = conn_deadline(c->timeout);
	int			code, pause = FIRST_PAUSE;

	if (path == NULL)
		path = getenv("SCTPD_SOCKET");
	if (path == NULL || path[0] == '\0')
		path = SCTPD_SOCKET;
	if (strlen(path) >= sizeof sun.sun_path)
		return lib_error(c, SCTPD_BADARG,
		    "%s is too long for the path of a socket; it takes %zu bytes",
		    path, sizeof sun.sun_path - 1);
	memcpy(sun.sun_path, path, strlen(path));
	/* A daemon that dies before there is a session is no end of one: whoever listens in its place is greeted. */
	while ((code = dial_once(c, &sun)) == SCTPD_LOST && c->session.on && c->session.token[0] == '\0' &&
	    (deadline < 0 || conn_now() + pause < deadline)) {
		(void)poll(NULL, 0, pause);
		pause = pause * 2 > LAST_PAUSE ? LAST_PAUSE : pause * 2;
	}
	return code;
}

/* Say hello and wait for the answer. */
static int
greet(struct sctpd *c)
{
	int64_t	deadline = conn_deadline(c->timeout);
	int	code = SCTPD_OK;

	if (!session_greet(c))
		code = lib_no_memory(c);
	while (code == SCTPD_OK && c->session.phase != SESSION_UP)
		code = conn_wait(c, deadline);
	if (code == SCTPD_TIMEOUT)
		lib_error(c, code, "sctpd did not answer hello within %d ms", c->timeout);
	if (code != SCTPD_OK && c->lost == 0)
		conn_over(c, code);
	return code;
}

int
sctpd_use_fd(struct sctpd *c, int fd)
{
	int	flags, code;

	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1) {
		code = lib_error(c, code_of_errno(errno),
		    "descriptor %d: %s", fd, strerror(errno));
		close(fd);
		return code;
	}
	conn_enter(c);
	if (sctpd_fd(c) != -1)
		conn_over(c, lib_error(c, SCTPD_LOST, "the connection was dialed again"));
	conn_begin(c, fd);
	code = c->session.on ? greet(c) : SCTPD_OK;
	if (code == SCTPD_OK)
		code = conn_flush(c);
	return conn_leave(c) ? code : SCTPD_LOST;
}
