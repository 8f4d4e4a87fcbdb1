/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Associations that outlive their host.
 *
 * Members are bridges with the same host and bucket, each on a machine with an sctpd. One of them is the owner, as the
 * bucket says (bucket.h). The others stand by:
 *
 *	a standby	has its sockets open on the addresses that move, which are elsewhere (freebind), and answers nothing
 *			there that it does not know (blackhole). It reads nothing and writes nothing, and has a copy of the
 *			bucket, which tells it at once when it becomes the owner
 *	take over	it is the owner: it sends an INIT to each peer in the bucket, from the same addresses and port. The peers
 *			restart their associations (RFC 9260 5.2). Then it goes the way of a bridge that begins
 *	give up		it is not the owner any more: it answers nothing that it does not know. When the new owner has said
 *			that it has restarted what there was, it aborts what it has, and takes supervised associations down: that
 *			has tags that no peer has any more. What it had and could not hand on is counted and named
 *
 * Two members never write one log: each message says what must stand before it (in.h). So a member that does not know
 * yet that it has lost is refused, looks who the owner is, and gives up.
 *
 * In subjects an association keeps its name, ASSOC-SESSION of the member that had it first. So it stays in its partition,
 * and a consumer goes on. The table below knows which association of our own session a name is.
 */
#ifndef NATS_STANDBY_H
#define NATS_STANDBY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/sctpd.h"
#include "nats/bucket.h"
#include "nats/row.h"
#include "nats/subject.h"

/* Is this a member of a standby? */
bool standby_on(void);

/* Are we the owner, as far as is known? Then the bridge may run. */
bool standby_owns(void);

/* The bucket is known, and there is a session: take over, or give up. False: sctpd is of no use any more. */
bool standby_settle(struct sctpd *);

/* Does the bucket say something else than what was settled last? */
bool standby_is_news(void);

/* The term of that owner. */
uint64_t standby_term(void);

/* Nobody can say who the owner is: answer nothing that is not known, until somebody can. What is there goes on. */
void standby_doubt(struct sctpd *);

/* An endpoint was opened: it is as the others are. */
void standby_opened(struct sctpd *);

/* The session is over, and with it all that had a number in it. */
void standby_forget(void);

/* What an association of ours is called in subjects. */
struct standby_name standby_name(uint32_t assoc_id);

/* The association of ours that a subject of the queue means. False: there is none. */
bool standby_find(const struct subject_out *, uint32_t *assoc_id);

/* A row of the bucket has changed; its text, or NULL. */
void standby_row(const char *name, const char *text);

/*
 * While the bridge runs: it begins; rows that another member has changed are written again; before and after an event is
 * published; and in each turn.
 */
void standby_run(struct sctpd *);
void standby_mend(struct sctpd *);
void standby_before(const struct sctpd_event *);
void standby_after(struct sctpd *, const struct sctpd_event *);

/* Gives why the bridge does not go on, or NULL. */
const char *standby_turn(struct life *);

#endif
