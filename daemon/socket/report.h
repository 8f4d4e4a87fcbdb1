/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log lines about associations and their paths: rows of lines.def, with their
 * causes in words.
 *
 * An association that was up, or that a client began, has one line for its end.
 * If the daemon aborts it, that line is written at once, as only then it is known
 * on whose behalf; otherwise with the stack's notification; otherwise, as when
 * its socket is closed at once, when it is freed.
 *
 * Each line goes to the association's record, too (trace/record.h), also those that
 * the log does not want. After those that say that something went wrong, the
 * record is written to a file.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stddef.h>

#include "lines.h"
#include "rpc/client.h"
#include "socket/assoc.h"

/* The stack says something about an association. */
void report_event(struct sock *, const struct stack_event *);

/* Whoever watches it says something: that line, about this path. */
void report_watch(struct assoc *, enum line, const struct sockaddr_storage *path, const char *cause);

/* It is freed. */
void report_gone(struct assoc *);

/* Its owner is gone, and so its socket will be closed. */
void report_owner_gone(struct assoc *, const struct client *);

/* What was recorded of it, as a section of a pcapng file, which the caller frees. */
char *report_section(const struct assoc *, const char *why, size_t *len);

/* Room for a text that says who a client is. */
#define REPORT_WHO	160

/* Who it is: its number, its name, its user and its process. */
const char *report_who(const struct client *, char to[REPORT_WHO]);

/*
 * Abort it with a reason for the peer. by and cause are for the line; by is NULL for
 * sctpd itself. Gives 0 or an errno.
 */
int report_abort(struct assoc *, const void *reason, size_t len, const char *by, const char *cause);

/* The same for one that a peer began and that must not be: it is refused. */
void report_refuse(struct assoc *, const char *reason, const char *cause);

#endif
