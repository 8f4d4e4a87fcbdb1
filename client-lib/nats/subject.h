/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Subjects, and what else has a form: names of streams, ids of messages.
 *
 *	sctp.HOST.in.ENDPOINT.PART.ASSOC-SESSION.STREAM		a message of a peer
 *	sctp.HOST.in.ENDPOINT.PART.ASSOC-SESSION.failed.STREAM	one that was not sent
 *	sctp.HOST.in.ENDPOINT.PART.ASSOC-SESSION.event.NAME	what happened
 *	sctp.HOST.out.ENDPOINT.ASSOC-SESSION.STREAM		a message to send
 *
 * The first three are the log, stream sctp-HOST-in; the last is the queue, stream
 * sctp-HOST-out. SESSION is what the bridge calls its session with sctpd. Numbers of
 * associations begin anew when a session ends, and a message for an association of
 * the session before must not reach one of this.
 *
 * A partition is a number that follows from the association alone, so the filter
 * sctp.HOST.in.*.PART.> has all that concerns an association, in order. It has to be
 * one filter: JetStream takes no more for a consumer, and two would have no order.
 */
#ifndef NATS_SUBJECT_H
#define NATS_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUBJECT_SIZE	512
#define SUBJECT_NOBODY	"_"	/* stands for an endpoint that there is not */

/* The partition of an association; of those that have none, it is 0. */
unsigned subject_part(uint32_t assoc_id);

/* A subject of the log; kind is "", "failed." or "event.", and last the stream's number or the event's name. */
void subject_make(char to[SUBJECT_SIZE], const char *endpoint, uint32_t assoc_id, uint32_t epoch, const char *kind, const char *last);

/* The parts of a subject of the queue. */
struct subject_out {
	char		endpoint[64];
	uint32_t	assoc_id;
	uint32_t	epoch;
	uint16_t	stream;
};

/* False: it has not that form. */
bool subject_read_out(const char *subject, struct subject_out *);

/* Names of the streams. */
const char *subject_in_stream(void);
const char *subject_out_stream(void);

/* The id of a message of the log: which event it is, and which piece of how many. */
struct log_id {
	uint32_t	epoch;
	uint64_t	event;
	unsigned	piece;		/* from 1 */
	unsigned	pieces;
};

#define LOG_ID_SIZE	64

void log_id_make(char to[LOG_ID_SIZE], const struct log_id *);
bool log_id_read(const char *, struct log_id *);

#endif
