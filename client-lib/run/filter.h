/* SPDX-License-Identifier: BSD-2-Clause */
/* The seccomp filter: which calls the kernel stops and tells the supervisor of. */
#ifndef RUN_FILTER_H
#define RUN_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>

struct call;

enum trap_when {
	WHEN_SOCKET,	/* it asks for SCTP */
	WHEN_FD,	/* the first argument is a descriptor in the range, or any with natural numbers */
	WHEN_FD_OUT,	/* the same; what it sends is compared when the kernel repeats it */
	WHEN_FD_EITHER,	/* the first or the third argument is */
	WHEN_FIONREAD,	/* the first is, and the second is FIONREAD */
	WHEN_FD_LEAVES,	/* the first is, and its copy may be none of the range; with natural numbers nothing */
	WHEN_FD_DUPFD,	/* the same for F_DUPFD and F_DUPFD_CLOEXEC */
};

struct trap {
	int		 nr;
	const char	*name;
	enum trap_when	 when;
	void		(*take)(struct call *);
};

/* The row of a call's number; NULL: it is not trapped. */
const struct trap *trap_find(int nr);

/*
 * Make the filter. Descriptors from first_fd on are trapped, all with 0. False,
 * after having said why. The caller frees prog->filter.
 */
bool filter_make(int first_fd, struct sock_fprog *prog);
/* Put this process under it; gives the listener's descriptor, or -1 with errno, and whether signals do not end its calls. */
int filter_load(const struct sock_fprog *, bool *wait_killable);

#endif
