/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is written of clients, sockets and associations into the journal, and
 * how they come back.
 *
 * Whoever changes one of them says so; what has changed is written once, when
 * a turn or a batch is over, in one transaction with the messages that were
 * taken and given in it. Each thing is a record: a MessagePack map, so that a
 * daemon of another version finds the fields that it knows, and some words
 * that change too often for that.
 */
#ifndef KEEP_H
#define KEEP_H

#include <stdbool.h>
#include <stddef.h>

struct assoc;
struct call;
struct client;
struct pending;
struct record;
struct sndrcvinfo;
struct sock;

/* Something of it has changed that must not be forgotten. */
void keep_client(struct client *);
void keep_output(struct client *);	/* what is kept for it, or how far it is */
void keep_sock(struct sock *);
void keep_sock_words(struct sock *);	/* only its mode or its counters */
void keep_assoc(struct assoc *);

/* It is no more. */
void keep_drop_client(struct client *);
void keep_drop_sock(struct sock *);
void keep_drop_assoc(struct assoc *);

/* An event that waits, and its bytes; it waits in another socket. */
void keep_pending(struct sock *, struct pending *, const char *packed);
void keep_pending_moved(struct sock *, struct pending *);

/* A message that a session sent as a notification and that found no room. */
struct record *keep_waiting(const struct assoc *, const struct call *, const struct sndrcvinfo *,
    const char *data, size_t len);

/* Are those in the journal that wait? */
bool keep_waiting_known(void);

struct config;

/* The configuration in force; and what a process before us had. False: none. */
void keep_config(const struct config *);
bool keep_last_config(struct config *, char *error, size_t size);

/* All that changed, at once. */
void keep_commit(void);

/* What a process before us left, after journal_open said that there is some. */
void keep_restore(void);

#endif
