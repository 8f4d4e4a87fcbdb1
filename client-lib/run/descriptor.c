/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run/descriptor.h"
#include "run/say.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD	O_EXCL		/* Linux 6.9 */
#endif

uint64_t
descriptor_inode(pid_t tid, int fd)
{
	char		path[64], link[64];
	ssize_t		n;
	uint64_t	inode;

	errno = 0;
	if (fd < 0)
		return 0;
	(void)snprintf(path, sizeof path, "/proc/%d/fd/%d", tid, fd);
	if ((n = readlink(path, link, sizeof link - 1)) <= 0)
		return 0;
	link[n] = '\0';
	return sscanf(link, "socket:[%" SCNu64 "]", &inode) == 1 ? inode : 0;
}

/* A thread that is no leader of its process has a pidfd of its own since Linux 6.9; before that its process has one. */
static int
open_pidfd(pid_t tid)
{
	char	path[64], text[1024], *tgid;
	ssize_t	n = -1;
	int	fd = (int)syscall(SYS_pidfd_open, tid, 0);

	if (fd != -1 || (fd = (int)syscall(SYS_pidfd_open, tid, PIDFD_THREAD)) != -1)
		return fd;
	(void)snprintf(path, sizeof path, "/proc/%d/status", tid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) != -1) {
		n = read(fd, text, sizeof text - 1);
		(void)close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	tgid = strstr(text, "Tgid:");
	return tgid == NULL ? -1 : (int)syscall(SYS_pidfd_open, atoi(tgid + strlen("Tgid:")), 0);
}

static int
take_fd(pid_t tid, int number)
{
	int	pidfd = open_pidfd(tid), fd;

	if (pidfd == -1)
		return -1;
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
	(void)close(pidfd);
	return fd;
}

/* It may be another one by now, if the program closed it meanwhile. */
int
descriptor_take(pid_t tid, int number, uint64_t inode)
{
	int		fd = take_fd(tid, number);
	struct stat	st;

	if (fd != -1 && (fstat(fd, &st) == -1 || st.st_ino != inode)) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

bool
descriptor_check(pid_t pid)
{
	char	path[64];
	int	fd = take_fd(pid, STDIN_FILENO);

	(void)snprintf(path, sizeof path, "/proc/%d/fd", pid);
	if (fd == -1 && errno != EBADF && errno != ESRCH) {
		say("descriptors of the program cannot be had (pidfd_getfd: %s); "
		    "in a container, allow pidfd_getfd, process_vm_readv and process_vm_writev in its seccomp profile; "
		    "see CONTAINERS in sctpctl-run(1)", strerror(errno));
		return false;
	}
	if (fd != -1)
		(void)close(fd);
	if (access(path, X_OK) == -1 && errno == ENOENT && access("/proc/self/fd", X_OK) == -1) {
		say("/proc is not mounted, and run needs it");
		return false;
	}
	return true;
}
