/* SPDX-License-Identifier: BSD-2-Clause */
/* The protocol of a connection, without I/O. */
#ifndef LIB_CORE_H
#define LIB_CORE_H

#include "lib/internal.h"

/*
 * Begin a request (or, not answered, a notification): its arguments, one map,
 * are then packed into c->pk, and core_end or core_cancel comes next. Ending
 * says who gets the answer; it gives the code of why the request cannot be
 * sent, and takes back what was packed.
 */
int core_begin(struct sctpd *, const char *method, bool answered);
int core_end(struct sctpd *, enum request_state, sctpd_reply_fn *, void *);
void core_cancel(struct sctpd *);

/* The answer is not waited for any more. */
void core_abandon(struct sctpd *, uint32_t id);

/*
 * Take the messages from c->in: answers reach those who wait for them, events
 * are queued. Stops while the queue is full. Gives SCTPD_OK, ENOMEM, EPROTO
 * for bytes that no daemon sends, or why a session is over.
 */
int core_parse(struct sctpd *);
/* Take one; *any says if there was one. */
int core_step(struct sctpd *, bool *any);
bool core_full(const struct sctpd *);

/* A descriptor came with the bytes that were read last. Takes it. */
void core_pass(struct sctpd *, int fd);
/* Close those that no answer came for. */
void core_pass_nothing(struct sctpd *);

/* The code of an answer's error, which becomes the connection's; SCTPD_OK for nil. */
int core_take_error(struct sctpd *, const msgpack_object *);

/* The next event of the queue, NULL if there is none to be given yet. Gives it. */
bool core_has_event(const struct sctpd *);
struct message *core_event(struct sctpd *);

/* The client is no member of any group any more: forget them, with the events of their sockets that wait. */
void core_leave_all(struct sctpd *);

/* No answer will come any more: tell those who wait. */
void core_fail_all(struct sctpd *, int code);

#endif
