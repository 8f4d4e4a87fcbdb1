/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sctpctl run: a program as it is gets its SCTP from sctpd.
 *
 * The program and its descendants run with a seccomp filter that stops the
 * calls which concern SCTP and tells this process, the supervisor, of them
 * (seccomp_unotify(2)). The supervisor reads what the call names from the
 * program's memory, asks the daemon, writes the results back, and answers. It
 * is a client of the daemon like any other, with a session.
 *
 * What the program holds as its SCTP socket is one end of a pair of Unix
 * sockets. No message ever passes through that pair. What lies in it says only
 * what poll(2) is to find: a byte towards the program says that something can
 * be read, and a full buffer towards the supervisor that nothing can be
 * written. So poll, select, epoll, fcntl, close, fork and exec are the
 * kernel's, and this program neither sees nor copies them. The supervisor
 * keeps the other end only: it learns of the last close of the program's end,
 * in whichever process, by the end of the pair. A descriptor is known by the
 * inode of the pair, so that it may be copied, passed on and inherited.
 *
 * One thread, one event loop. A call that has to wait is a struct call in a
 * list and is answered later; nothing here waits for it. The kernel ends a
 * call when its thread gets a signal, and repeats it, if it may, afterwards:
 * call.h says how nothing is then done twice.
 *
 *	run		what all of them know
 *	say		what is said on standard error
 *	errnos		the daemon's codes as errno
 *	memory		the memory of the program
 *	decode		structs of <netinet/sctp.h> and recvmsg(2), as bytes
 *	notice		events of the daemon as notifications of RFC 6458
 *	descriptor	descriptors of other processes
 *	daemon		the connection to the daemon
 *	call		calls: taken, answered, kept for later; questions to the daemon
 *	sock		sockets, their events, and what poll finds
 *	signals		signals for threads whose calls wait
 *	settle		what came of the last call, before EAGAIN
 *	recv		recvmsg and its kin
 *	send		sendmsg and its kin
 *	names		socket, bind, connect, listen, accept and addresses
 *	option		getsockopt and setsockopt
 *	pump		descriptors that must be a plain stream of bytes
 *	copies		dup and its kin
 *	traps		the table of calls that are trapped
 *	filter		the filter made of it
 *	child		starts the program
 *	start		the loop, signals, the end
 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "lib/sctpd.h"

/* Descriptors of SCTP sockets begin there, below what select(2) takes. */
#define RUN_FIRST_FD	600

TAILQ_HEAD(calls, call);
TAILQ_HEAD(socks, sock);
TAILQ_HEAD(pumps, pump);

#define RUN_BUCKETS	256

struct run {
	struct sctpd		*c;
	struct event_base	*base;
	const char		*path;		/* of the daemon's socket, or NULL */
	int			 listener;	/* of the filter */
	int			 first_fd;	/* 0: natural numbers */
	bool			 verbose;
	size_t			 max_message;
	bool			 kernel_stack;
	pid_t			 child;
	int			 status;	/* of the child, once it has ended */
	bool			 child_ended;
	bool			 all_ended;	/* nothing has the filter any more */
	bool			 lost;		/* no connection to the daemon */
	unsigned		held;		/* what is asked is not written yet */
	uint64_t		did;		/* handle of the socket that something was done with last; 0: that has come */
	void			(*event)(struct run *, const struct sctpd_event *);
	void			(*lose)(struct run *);	/* all sockets, as the daemon is gone */
	int			ends;		/* epoll set of the pairs' ends */
	struct event		*on_ends;
	struct event		*on_notice;
	struct event		*on_signal;
	struct event		*on_daemon;
	struct event		*redial;
	struct event		*look;		/* for signals */
	bool			 looks;
	unsigned		 looked;	/* the bucket of calls that was looked at last */
	bool			 wait_killable;	/* calls that were taken are not ended by signals */
	int			 daemon_fd;
	short			 daemon_wants;
	int			 most_fds;	/* that the supervisor may have */
	bool			 said_hidden;	/* that a process cannot be looked into */
	int			 next_fd;	/* where a free number is looked for first */
	struct calls		 calls[RUN_BUCKETS];	/* by thread */
	struct socks		 by_inode[RUN_BUCKETS];
	struct socks		 by_handle[RUN_BUCKETS];
	size_t			 nsocks;
	size_t			 ncalls;
	struct pumps		 pumps;
};

#endif
