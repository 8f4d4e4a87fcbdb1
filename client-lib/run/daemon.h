/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connection to the daemon: a session, so that a daemon that dies and comes
 * back is no event for the program. If the session ends all the same, the
 * program's sockets end, and a daemon that is there later gets new ones.
 */
#ifndef RUN_DAEMON_H
#define RUN_DAEMON_H

#include "run/run.h"

/* Reach it; gives an enum sctpd_code. */
int daemon_dial(struct run *);
/* Watch it from now on. False without memory. */
bool daemon_begin(struct run *);

/*
 * Between these two nothing is written; after them all at once. They are for
 * whoever asks many things.
 */
void daemon_hold(struct run *);
void daemon_release(struct run *);
/* Something was asked: it is written, unless it is held. */
void daemon_asked(struct run *);

/* key=value words of a question, for sctpd_callv_async. */
#define WORDS	40
struct words {
	int	 n;
	bool	 failed;	/* no memory */
	char	*v[WORDS];
};

void word_add(struct words *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* KEY=hex:... */
void word_bytes(struct words *, const char *key, const void *, size_t len);
void word_free(struct words *);

/* Ask for something that has no answer, and free the words. */
void daemon_tell(struct run *, struct words *);
/* The same with an answer. False: it was not asked. */
bool daemon_ask(struct run *, struct words *, sctpd_reply_fn *, void *);
/* The same for a method and a socket alone. */
void daemon_tell_sock(struct run *, const char *method, uint64_t handle);

#endif
