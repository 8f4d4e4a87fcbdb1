/* SPDX-License-Identifier: BSD-2-Clause */
/* What this room tells the room supervise, which is above it. */
#ifndef SUPERVISED_H
#define SUPERVISED_H

#include "socket/sock.h"

/* What the room supervise is told of a socket that is a supervised association's. */
struct supervise_ops {
	void	 (*happened)(struct sock *, const struct stack_event *);
	void	 (*owned)(struct sock *);	/* it has another owner */
	void	 (*closed)(struct sock *, const char *why);
};

/* Borrows the functions for good. */
void supervised_tell(const struct supervise_ops *);
extern const struct supervise_ops *supervise_ops;

#endif
