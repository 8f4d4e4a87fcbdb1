/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Unix socket that clients connect to.
 *
 * The socket may be passed to us by a socket unit, or because an earlier daemon
 * bound it and put it into the store. Then it exists all the time while daemons
 * come and go, and a client that connects in between waits and is not refused.
 *
 * When no more clients may connect, or no descriptor is left for one, the socket
 * is not polled for a while. Clients wait in the kernel's queue, and the loop
 * sleeps.
 */
#include <errno.h>
#include <event2/event_struct.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "config.h"
#include "limits/user.h"
#include "rpc/connection.h"
#include "rpc/listener.h"
#include "rpc/turn.h"
#include "service/fdclient.h"
#include "util/log.h"
#include "util/loop.h"

#define BACKLOG		1024
#define PATH_SIZE	sizeof ((struct sockaddr_un *)0)->sun_path
/* Clients accepted in a turn; fewer if another user waits for the turn to end. */
#define ACCEPTS_ALONE	16
#define ACCEPTS_SHARED	1

static int listen_fd = -1, lock_fd = -1;
static bool ours;	/* the file, to be removed at the end */
static char passed_at[PATH_SIZE];	/* where a socket that was passed is bound, or "" */
static struct event readable, retry;

static void
retry_later(void)
{
	static const struct timeval	wait = { .tv_usec = 100000 };

	(void)event_del(&readable);
	(void)evtimer_add(&retry, &wait);
}

static void
listener_on_readable(evutil_socket_t listener, short what, void *arg)
{
	int		most = turn_is_shared() ? ACCEPTS_SHARED : ACCEPTS_ALONE, fd;

	(void)listener, (void)what, (void)arg;
	for (int i = 0; i < most; i++) {
		if (user_total(CHARGE_CLIENTS) >= config.max_clients) {
			if (log_seldom(LOG_WARNING, "max_clients is reached"))
				log_warning("listen: max_clients is reached, others wait");
			retry_later();
			return;
		}
		fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1) {
			connection_new(fd);
			continue;
		}
		if (errno == EAGAIN)
			return;
		if (errno != EINTR && errno != ECONNABORTED) {
			if (log_seldom(LOG_ERR, "clients wait"))
				log_err("listen: %s; clients wait", strerror(errno));
			retry_later();
			return;
		}
	}
}

static void
listener_on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	if (event_add(&readable, NULL) == -1)
		retry_later();
}

static bool
fail(char *error, size_t size, const char *path, const char *why)
{
	(void)snprintf(error, size, "%s: %s", path, why);
	return false;
}

/* Why nothing can be created at path, and what to do about it. */
static bool
fail_to_make(char *error, size_t size, const char *path, int number)
{
	if (number == EACCES || number == EPERM || number == EROFS)
		(void)snprintf(error, size, "%s: %s; serve at a path where you may write: sctpd -s PATH, "
		    "and tell clients in SCTPD_SOCKET", path, strerror(number));
	else if (number == ENOENT || number == ENOTDIR)
		(void)snprintf(error, size, "%s: %s; make the directory first, or serve elsewhere: sctpd -s PATH",
		    path, strerror(number));
	else
		return fail(error, size, path, strerror(number));
	return false;
}

/* A leftover socket may be replaced. Any other file belongs to somebody. */
static bool
check_left_over(char *error, size_t size)
{
	struct stat	st;

	if (lstat(config.socket, &st) == -1)
		return true;
	if (S_ISSOCK(st.st_mode))
		return true;
	return fail(error, size, config.socket, S_ISDIR(st.st_mode) ?
	    "it is a directory; the socket needs a name in it" :
	    "it exists and is not a socket, so it is left alone; give another path with -s or socket");
}

/* Whoever has the lock may remove a socket that another sctpd left behind. */
static bool
take_lock(const char *socket_path, char *error, size_t size)
{
	struct stat	st;
	char		path[256];

	(void)snprintf(path, sizeof path, "%s.lock", socket_path);
	lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (lock_fd == -1 && errno != ELOOP && errno != EISDIR && errno != ENXIO)
		return fail_to_make(error, size, path, errno);
	if (lock_fd == -1 || fstat(lock_fd, &st) == -1 || !S_ISREG(st.st_mode))
		return fail(error, size, path, "it is not a regular file, so it is not a lock of sctpd; remove it");
	if (flock(lock_fd, LOCK_EX | LOCK_NB) == -1)
		return fail(error, size, socket_path, "another sctpd is running there");
	return true;
}

/* Does anybody listen there? If the lock is ours, it is not another sctpd. */
static bool
is_served(const struct sockaddr_un *sun)
{
	int	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool	served;

	served = fd != -1 && (connect(fd, (const struct sockaddr *)sun, sizeof *sun) == 0 ||
	    errno == EAGAIN || errno == EPROTOTYPE);
	if (fd != -1)
		(void)close(fd);
	return served;
}

/* The group that the socket is given to; the daemon's own if the setting is empty. */
static bool
find_group(gid_t *gid, char *error, size_t size)
{
	struct group	*g;

	*gid = (gid_t)-1;
	if (config.socket_group[0] == '\0')
		return true;
	if ((g = getgrnam(config.socket_group)) == NULL)
		return fail(error, size, config.socket_group, "there is no such group; see socket_group");
	*gid = g->gr_gid;
	return true;
}

static bool
check_path(char *error, size_t size)
{
	if (config.socket[0] == '\0')
		return fail(error, size, "socket", "it is empty; it takes the path of a Unix socket");
	if (strlen(config.socket) >= PATH_SIZE)
		return fail(error, size, config.socket, "the path is too long for a Unix socket");
	return true;
}

/* The directory of path; false: there is none that may have to be created. */
static bool
directory_of(const char *path, char dir[PATH_SIZE])
{
	char	*slash;

	(void)snprintf(dir, PATH_SIZE, "%s", path);
	if ((slash = strrchr(dir, '/')) == NULL || slash == dir)
		return false;
	*slash = '\0';
	return true;
}

/* Does it exist, or can it be created? Whoever starts sctpd need not be able to write there. */
static bool
check_directory(char *error, size_t size)
{
	char	dir[PATH_SIZE], above[PATH_SIZE];

	if (!directory_of(config.socket, dir) || access(dir, F_OK) == 0 ||
	    !directory_of(dir, above) || access(above, F_OK) == 0)
		return true;
	return fail_to_make(error, size, dir, errno);
}

bool
listener_check(char *error, size_t size)
{
	gid_t	gid;

	return check_path(error, size) && check_directory(error, size) &&
	    check_left_over(error, size) && find_group(&gid, error, size);
}

static bool
set_permissions(char *error, size_t size)
{
	gid_t	gid;

	if (chmod(config.socket, (mode_t)config.socket_mode) == -1)
		return fail(error, size, config.socket, strerror(errno));
	if (!find_group(&gid, error, size))
		return false;
	if (gid != (gid_t)-1 && chown(config.socket, (uid_t)-1, gid) == -1)
		return fail(error, size, config.socket, strerror(errno));
	return true;
}

/* Without a unit that creates it, the directory may be missing. */
static bool
make_directory(char *error, size_t size)
{
	char	dir[PATH_SIZE];
	int	number;

	if (!directory_of(config.socket, dir) || mkdir(dir, 0755) == 0)
		return true;
	number = errno;
	return access(dir, F_OK) == 0 || fail_to_make(error, size, dir, number);
}

static bool
bind_own(char *error, size_t size)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };

	if (!check_path(error, size) || !check_left_over(error, size))
		return false;
	strcpy(sun.sun_path, config.socket);
	if (!make_directory(error, size) || !take_lock(config.socket, error, size))
		return false;
	if (is_served(&sun))
		return fail(error, size, config.socket, "another program serves there; give another path with -s or socket");
	(void)unlink(config.socket);
	listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listen_fd == -1 ||
	    bind(listen_fd, (struct sockaddr *)&sun, sizeof sun) == -1)
		return fail_to_make(error, size, config.socket, errno);
	ours = true;
	if (!set_permissions(error, size))
		return false;
	if (listen(listen_fd, BACKLOG) == -1)
		return fail(error, size, config.socket, strerror(errno));
	return true;
}

/*
 * A socket that was passed has its path already. If that can be locked, no
 * other sctpd takes the socket for a leftover.
 */
static void
adopt(void)
{
	struct sockaddr_un	sun;
	socklen_t		len = sizeof sun - 1;
	char			error[256];

	(void)fcntl(listen_fd, F_SETFL, O_NONBLOCK);
	memset(&sun, 0, sizeof sun);
	if (getsockname(listen_fd, (struct sockaddr *)&sun, &len) == -1 ||
	    sun.sun_family != AF_UNIX || sun.sun_path[0] != '/')
		return;
	(void)snprintf(passed_at, sizeof passed_at, "%s", sun.sun_path);
	if (!take_lock(sun.sun_path, error, sizeof error))
		log_warning("listen: cannot lock %s", error);
}

const char *
listener_path(void)
{
	return passed_at[0] != '\0' ? passed_at : config.socket;
}

bool
listener_open(char *error, size_t size)
{
	if ((listen_fd = fdclient_take("rpc")) != -1)
		adopt();
	else if (!bind_own(error, size))
		return false;
	if (ours && fdclient_present())
		ours = !fdclient_put("rpc", listen_fd);
	(void)event_assign(&readable, loop_base(), listen_fd, EV_READ | EV_PERSIST,
	    listener_on_readable, NULL);
	(void)evtimer_assign(&retry, loop_base(), listener_on_retry, NULL);
	return event_add(&readable, NULL) == 0 ||
	    fail(error, size, config.socket, strerror(errno));
}

void
listener_close(void)
{
	if (event_initialized(&readable)) {
		(void)event_del(&readable);
		(void)evtimer_del(&retry);
	}
	if (ours)
		(void)unlink(config.socket);
	if (listen_fd != -1)
		(void)close(listen_fd);
	if (lock_fd != -1)
		(void)close(lock_fd);
	listen_fd = lock_fd = -1;
}
