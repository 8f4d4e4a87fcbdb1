/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A call of the program that the filter stopped.
 *
 * A call is answered once: with a value, an errno, or by letting the kernel
 * carry it out. What needs the daemon or an event first is kept and answered
 * later.
 *
 * A call whose thread gets a signal ends (signals.c; before Linux 5.19 the kernel
 * ends it, and we learn of that when we answer it, or by the next call of the
 * same thread: a thread makes one call at a time). The program then sees EINTR,
 * or the kernel repeats the call with the same arguments. So:
 *
 *  - What a call takes from a socket (a message, an association) is taken when
 *    the answer has arrived, not before. Else it stays where it was.
 *  - What a call did at the daemon cannot be taken back. Its call is kept, with
 *    the result if there is one. A call of the same thread that has the same
 *    number and arguments, and sends the same bytes, is the same call, and gets
 *    that result. A call that is kept is forgotten when its result is there and
 *    the thread makes another one.
 */
#ifndef RUN_CALL_H
#define RUN_CALL_H

#include "run/daemon.h"

struct sock;
struct out;
struct sockaddr_storage;

/* What a socket has for the calls on it: those that wait, and how many refer to it. */
struct waiters {
	struct calls	calls;
	unsigned	n, sweep_at;
	unsigned	refs;
	void		(*unused)(struct waiters *);	/* nothing refers to it any more */
};

void waiters_init(struct waiters *, void (*unused)(struct waiters *));
void waiters_unref(struct waiters *);

struct call {
	TAILQ_ENTRY(call)	 entry;		/* in run->calls */
	TAILQ_ENTRY(call)	 waiting;	/* in sock->waiters */
	struct run		*run;
	struct sock		*sock;		/* referred to; NULL for socket(2) */
	struct waiters		*on;		/* those of the socket */
	int			 nr;
	const char		*name;
	uint64_t		 id;
	pid_t			 tid;
	uint64_t		 args[6];
	uint64_t		 digest;	/* of what it sends */
	bool			 asked;		/* something was done at the daemon */
	unsigned		 asks;		/* questions that are not answered */
	bool			 over;		/* answered, or ended */
	bool			 interrupted;	/* its thread was sent on, and may repeat it */
	bool			 quick;		/* no signal ends it, as it cannot be repeated */
	unsigned		 pending;	/* looks that found a signal of its process */
	bool			 has_result;	/* and could not be answered with it */
	int64_t			 value;
	int			 number;	/* errno */
	bool			(*try)(struct call *);	/* while it waits: true when it was answered */
	int			 late;		/* errno when its time is over */
	struct event		*timer;
	/* what its function keeps */
	char			*data;
	size_t			 len;
	uint32_t		 assoc_id;
	uint64_t		 handle;
	uint64_t		 id_at;		/* where connectx wants the association, or 0 */
	struct out		*out;
	struct sockaddr_storage	*to;
};

/* Take the next one from the kernel; NULL: it has ended already. */
struct call *call_take(struct run *, int *nr);
/* It is a call on this socket. */
void call_on(struct call *, struct sock *, struct waiters *);

/*
 * Is there an earlier call that this one repeats? Then that one goes on in its
 * place, and this one must not be used any more.
 */
bool call_repeats(struct call *);

/* Answer it. False: it had ended before. The call must not be used any more. */
bool call_answer(struct call *, int64_t value);
bool call_fail(struct call *, int number);
void call_continue(struct call *);
/* It has ended, and what it did was undone. */
void call_drop(struct call *);
/* Does its thread wait for the answer, and may a signal end it? */
bool call_is_pending(const struct call *);
/* A signal ends it: its thread sees EINTR, or repeats it. */
void call_interrupt(struct call *, int number);

/* Is its thread still in it? */
bool call_is_valid(const struct call *);

/* May it wait: neither MSG_DONTWAIT nor O_NONBLOCK say otherwise? */
bool call_may_wait(const struct call *, int flags);

/* Try again whenever something happens on its socket, for ms at most (-1: without limit). */
void call_wait(struct call *, bool (*try)(struct call *), int64_t ms, int late);

/* It waits no more, and goes on. */
void call_wait_no_more(struct call *);

/* Try those that wait on a socket. */
void call_retry(struct waiters *);

/* Its descriptor, as a number of the program's. */
int call_fd(const struct call *);

/* Memory of the program; where that fails the call was answered with EFAULT. */
bool call_read(struct call *, uint64_t from, void *, size_t);
bool call_write(struct call *, uint64_t to, const void *, size_t);

/*
 * Put a descriptor of ours into the program, as one of SCTP; the call is
 * answered with its number, if answer says so. Gives the number, or -1 with
 * errno; ENOENT: the call has ended. The call is not yet over in any case but
 * the first.
 */
int call_give_fd(struct call *, int fd, bool cloexec, bool answer);

/* ---- questions to the daemon ---- */

typedef void call_reply(struct call *, int code, const struct sctpd_value *);

/* Ask, and free the words. fn is called later, with a call that may have ended; an error is a code for fn as well. */
void call_question(struct call *, struct words *, call_reply *fn);
/* The same for what changes nothing there: the call may be forgotten when it is interrupted. */
void call_question_idle(struct call *, struct words *, call_reply *fn);
/* The same for a message: data and len of the call. */
void call_question_send(struct call *, uint64_t sock, const struct sctpd_sndrcvinfo *, call_reply *fn);
/* For a question's function that only has to say how it went. */
void call_done(struct call *, int code, const struct sctpd_value *);

/* With -v, a line on standard error. */
void call_note(const struct call *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Every call that has not been answered fails: the program's end. */
void call_free_all(struct run *);

#endif
