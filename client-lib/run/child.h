/* SPDX-License-Identifier: BSD-2-Clause */
/* The program: started under the filter. */
#ifndef RUN_CHILD_H
#define RUN_CHILD_H

#include <linux/filter.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct child {
	struct sock_fprog filter;
	char		**argv;
	const sigset_t	*mask;		/* of signals, for the program */
	bool		 wait_killable;	/* result: signals do not end calls that were taken */
	int		 listener;	/* result: the filter's, or -1 */
	int		 error;		/* result: errno, if listener is -1 or exec failed */
	int		 rest;		/* result: whether exec failed */
};

/*
 * Start it. Gives its number once it has been executed, or -1 with what went
 * wrong in c.
 */
pid_t child_start(struct child *c);

#endif
