/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The child shares memory and descriptors with this process until it has
 * executed the program, and this process waits for that, as in vfork(2). So
 * the listener that the child gets from the kernel is a descriptor of this
 * process, too, and no call that the filter may stop is needed to hand it over.
 * exec(2) gives the child descriptors of its own, where all of ours that are
 * close-on-exec are closed. A listener is.
 */
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/child.h"
#include "run/filter.h"

#define STACK_SIZE	(256U << 10)

static int
in_child(void *arg)
{
	struct child	*c = arg;

	(void)signal(SIGPIPE, SIG_DFL);	/* the supervisor ignores it */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);	/* without it there is no SCTP */
	if ((c->listener = filter_load(&c->filter, &c->wait_killable)) == -1) {
		c->error = errno;
		_exit(126);
	}
	(void)sigprocmask(SIG_SETMASK, c->mask, NULL);
	(void)execvp(c->argv[0], c->argv);
	c->error = errno;
	c->rest = 1;
	_exit(127);
}

pid_t
child_start(struct child *c)
{
	char	*stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	pid_t	 pid;

	c->listener = -1;
	c->error = c->rest = 0;
	if (stack == MAP_FAILED) {
		c->error = errno;
		return -1;
	}
	pid = clone(in_child, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, c);
	if (pid == -1)
		c->error = errno;
	(void)munmap(stack, STACK_SIZE);
	if (pid != -1 && c->error != 0) {
		(void)waitpid(pid, NULL, 0);
		pid = -1;
	}
	return pid;
}
