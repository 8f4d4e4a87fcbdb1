/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run/copies.h"
#include "run/descriptor.h"
#include "run/pump.h"
#include "run/sock.h"

/* What goes through the pair itself would not be SCTP's. A program that may also copy does so. */
void
copies_refuse(struct call *c)
{
	(void)call_fail(c, EINVAL);
}

/* A copy with a number of the range. */
static void
copy(struct call *c, bool cloexec)
{
	int	fd = descriptor_take(c->tid, call_fd(c), c->sock->inode);

	if (fd == -1) {
		(void)call_fail(c, EBADF);
		return;
	}
	if (call_give_fd(c, fd, cloexec, true) == -1)
		(void)call_fail(c, errno);
	(void)close(fd);
}

void
copies_dup(struct call *c)
{
	copy(c, false);
}

void
copies_fcntl(struct call *c)
{
	copy(c, (int)c->args[1] == F_DUPFD_CLOEXEC);
}

/*
 * To a number of the range it is the kernel's. Another one is not trapped, so
 * what is there is a stream of bytes: as a program expects that inetd started.
 */
void
copies_dup2(struct call *c)
{
	int	to = (int)c->args[1];

	if (to < 0 || to >= c->run->first_fd) {
		call_continue(c);
		return;
	}
	pump_begin(c, to, c->nr == SYS_dup3 && ((int)c->args[2] & O_CLOEXEC) != 0);
}
