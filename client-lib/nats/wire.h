/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connection that the log is written over, beside the one that libnats has.
 *
 * A publisher is as fast as its messages are cheap. libnats keeps headers in a table,
 * with four allocations for each of them, and hands every answer from thread to thread:
 * that took more time than the NATS server needs to store the message. Here a message
 * is written once, in the form in which it is sent ("HPUB"), all messages of a turn
 * leave together, and answers are read on the loop.
 *
 * So this speaks the client protocol of NATS, but only what a publisher needs. Which
 * server it is, whether it can be reached and what it may do libnats has found out
 * before: wire_connect goes where that is connected. The two live together: when one
 * ends, the other is closed, and both are made again (bus.h).
 *
 * What is to be sent waits here without a limit. The one who publishes has one: he
 * stops when too much is not acknowledged.
 */
#ifndef NATS_WIRE_H
#define NATS_WIRE_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct wire;

/* Connect to the server of that URL and log in, which waits. NULL: why says it. */
struct wire *wire_connect(const char *url, char *why, size_t size);
void wire_close(struct wire *);

/*
 * What comes. Without a subject it is an error that the server told ("-ERR"). A message
 * of no data, if it answers one of ours, says that there is no stream that takes it. Of
 * a message that is longer than an acknowledgement can be there are the headers only.
 */
struct wire_answer {
	const char	*subject;
	const char	*headers;	/* lines, or empty */
	const char	*data;		/* and a NUL that does not count */
	size_t		 len;
};

typedef void wire_handler(const struct wire_answer *);

/* From here on by the loop, which calls the handler, and turn after it. */
void wire_begin(struct wire *, struct event_base *, wire_handler *, void (*turn)(void));

/* The version that the server has, such as "2.10.27", or empty if it did not say. */
const char *wire_version(const struct wire *);

/* The subject that messages to this connection begin with. A token is to follow. */
const char *wire_inbox(const struct wire *);

/* Have what others publish on a subject come, too. */
void wire_hear(struct wire *, const char *subject);

struct wire_message {
	const char	*subject;
	const char	*headers;	/* "NATS/1.0", lines, and an empty line */
	size_t		 headers_len;
	const void	*data;
	size_t		 len;
};

/* Have a message sent, at the latest with wire_flush. */
void wire_publish(struct wire *, const struct wire_message *);

/* Have the message that was published last answered there; before wire_flush. */
void wire_ask(struct wire *, const char *reply);

/* Send what waits, as far as the network takes it; the rest when it does. */
void wire_flush(struct wire *);

/* Why it has ended, or NULL. */
const char *wire_ended(const struct wire *);

#endif
