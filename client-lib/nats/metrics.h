/* SPDX-License-Identifier: BSD-2-Clause */
/* What is counted, and the file that it is written to. */
#ifndef NATS_METRICS_H
#define NATS_METRICS_H

#include <stdint.h>

/* NAME, type, and what it says: a member of struct metrics each. */
#define METRICS(X)									\
	X(up, "gauge", "whether the bridge runs: connected to NATS and to sctpd")	\
	X(connects, "counter", "connections to NATS that were made")			\
	X(sessions, "counter", "sessions with sctpd that were begun")			\
	X(rewinds, "counter", "times that the bridge looked where the log ends")	\
	X(in_published, "counter", "messages and events that were given to JetStream")	\
	X(in_logged, "counter", "messages and events that are in the log")		\
	X(in_bytes, "counter", "bytes of these")					\
	X(in_waiting, "gauge", "of those, how many JetStream has not acknowledged")	\
	X(out_taken, "counter", "messages of the queue that were given to sctpd")	\
	X(out_bytes, "counter", "bytes of these")					\
	X(out_skipped, "counter", "messages of the queue that sctpd had already")	\
	X(out_removed, "counter", "messages of the queue that were gone before the bridge had read them")	\
	X(out_waiting, "gauge", "messages of the queue that sctpd has not confirmed")	\
	X(failed, "counter", "messages that came back and were published as failed")	\
	X(standby_owner, "gauge", "whether this member of a standby has the associations") \
	X(standby_restarted, "counter", "associations that were taken over from another member") \
	X(standby_lost_in, "counter", "messages of peers that were not in the log when another member had taken over") \
	X(standby_lost_out, "counter", "messages to peers that were not acknowledged when another member had taken over")

#define X(NAME, TYPE, TEXT)	uint64_t NAME;
struct metrics {
	METRICS(X)
};
#undef X

extern struct metrics metrics;

/* Write them to the file of the settings, if there is one. */
void metrics_write(void);

#endif
