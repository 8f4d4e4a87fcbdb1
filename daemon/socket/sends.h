/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages that are sent, and those that wait for room.
 */
#ifndef SENDS_H
#define SENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/call.h"
#include "socket/assoc.h"

/*
 * Queue a message, to be sent with those that follow when assoc_send_run is
 * called. Borrows data until then. If there is no room, the message is copied and
 * waits. CALL_ANSWERED: the answer comes then, or later.
 */
enum error assoc_send(struct assoc *, struct call *, const struct sndrcvinfo *,
    const char *data, size_t len);

void assoc_send_run(void);

/*
 * Send messages of one request, and answer how many were taken; or let the first
 * wait. m needs info, data and len, and n is at most STACK_RUN.
 */
enum error assoc_send_many(struct assoc *, struct call *, struct stack_message *m, unsigned n);

/* A waiting message as a record of the journal: data has len bytes. */
struct record *assoc_write_waiting(const struct assoc *, const struct call *,
    const struct sndrcvinfo *, const char *data, size_t len);

/* Is the client's last notification, with this ordinal, one of those queued? */
bool assoc_has_queued(const struct client *, uint64_t ordinal);

/* A message sent as a notification failed: give it back to its sender, and say why. */
void assoc_give_back(struct client *, uint64_t sock, const struct sndrcvinfo *,
    struct slice data, const char *error);

/* Restore a message that waited in an earlier process, also if it has no sender. */
void assoc_wait_again(struct assoc *, const struct call *, const struct stack_message *,
    struct record *);

/* Are all waiting messages that must be in the journal there? */
bool assoc_waiting_known(void);

/* From the stack: there is room; or the association came up, and what waited goes on. */
void assoc_writable(struct assoc *);

/* What waits will never be sent: give it back with the error. */
void assoc_fail_sends(struct assoc *, enum error, const char *why);

#endif
