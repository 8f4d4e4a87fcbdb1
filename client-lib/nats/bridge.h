/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bridge: when it reads, when it stands still, and how it goes on.
 *
 *	waiting		there is no connection to NATS, or the last attempt failed
 *	looking		a job looks where the log ends (streams.h)
 *	dialing		it is known; the session with sctpd is resumed from there
 *	running		events go into the log (in.h), messages out of the queue (out.h)
 *
 *	from		what happens					to
 *	waiting		there is a connection, and the pause is over	looking
 *	looking		the end of the log is found			dialing
 *	looking		JetStream says no, or the connection ended	waiting
 *	dialing		sctpd has resumed the session, or begun one	running
 *	dialing		sctpd is not there				dialing, after a pause
 *	running		something was refused, or lost, or ended	waiting
 *
 * Whatever went wrong, the way back is the one that a bridge takes that was killed. So
 * there is one way back, and it is taken often.
 *
 * The session stays connected while NATS is away, so that sctpd holds its sockets without
 * end. Nothing is read from it then, and sctpd reads nothing from the associations when
 * client_queue is full.
 */
#ifndef NATS_BRIDGE_H
#define NATS_BRIDGE_H

struct event_base;

/* Begin; the rest happens in the loop. */
void bridge_start(struct event_base *);

/* Stop where it stands. The sockets stay with sctpd for hold_time. */
void bridge_stop(void);

#endif
