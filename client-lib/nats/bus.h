/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connection to the NATS servers.
 *
 * All of the bridge runs on one thread, that of the loop. libnats has threads of
 * its own, for reading and for callbacks, and many of its functions wait for an
 * answer. So what waits is a job: it runs on one of four threads here, and when it
 * is done its second function is called by the loop. What libnats calls back
 * leaves a note where a mutex guards it, and wakes the loop.
 *
 * libnats has an adapter for libevent, which this does not use: it moves reading
 * and writing to the loop, but callbacks still come on other threads, and a
 * function that waits for an answer would then wait for the loop that called it.
 *
 * A connection that ends is not mended by libnats, which would send again what it
 * had kept. It is closed, and another one made, which is another life. Whatever
 * was under way in the life before is looked for in JetStream: see bridge.h.
 */
#ifndef NATS_BUS_H
#define NATS_BUS_H

#include <nats/nats.h>
#include <stdbool.h>
#include <stddef.h>

#include "nats/wire.h"

struct event_base;

/* A connection, from its beginning to its end, and the one beside it that the log is written over. */
struct life {
	unsigned	 refs;
	natsConnection	*nc;
	jsCtx		*js;
	struct wire	*wire;		/* for the log */
	int64_t		 max_payload;
};

/*
 * FETCH waits for messages most of the time, WATCH for changes of the bucket, and PARTS for consumers that are made;
 * CONTROL does everything else.
 */
enum bus_thread { BUS_CONTROL, BUS_FETCH, BUS_WATCH, BUS_PARTS, BUS_THREADS };

/* Begin to connect. turn is called by the loop whenever something happened; answers on the wire are the handler's. */
void bus_init(struct event_base *, void (*turn)(void), wire_handler *);
void bus_end(void);

/* The connection that is up, or NULL. Belongs to the loop; a job takes a reference. */
struct life *bus_life(void);
struct life *life_ref(struct life *);
void life_unref(struct life *);

/* Connect, but for the wire, and wait for it, for each server so long: not on the loop. False: why says it. */
bool bus_connect(struct life *, int64_t connect_ms, char *why, size_t size);

/* Run a function on a thread, and done, if not NULL, on the loop afterwards. */
void bus_job(enum bus_thread, void (*run)(void *), void (*done)(void *), void *arg);

/* The loop's part: called in each turn. */
void bus_turn(void);

/* From any thread: have the loop call turn. */
void bus_wake(void);

/* What went wrong in the last call of libnats on this thread, in one line. */
const char *bus_why(natsStatus, char *why, size_t size);

#endif
