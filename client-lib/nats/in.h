/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From sctpd into the log: once, by construction.
 *
 * Each message says which message the log must end with before it, by that one's id
 * or sequence (JetStream's Nats-Expected-Last-Msg-Id and -Sequence), so the log is a
 * chain. If one message is lost on the way, all behind it are refused. If one is given
 * twice, because nobody knew whether it had arrived, the second is refused, however
 * late it comes. And an acknowledgement of one message is that of all before it, so
 * only the last one of a turn asks for it, and one of many. What was refused without
 * having been asked is known when the next one that asks is refused, too.
 * JetStream's window for doubles has no part in this.
 *
 * It says the id: by the sequence alone, a message of somebody else would take the
 * place of one of ours, which is refused, and the next of ours would stand behind that.
 * But a server that was restarted may not know the id any more. So the first message
 * after each look at the log says the sequence: nothing of ours is under way before it.
 * To say both would be no safer, and each header costs the server half a microsecond.
 *
 * Where several servers have the log, all messages say the sequence. Each server
 * decides by itself then whether a message that they have agreed on fits, and one that
 * was restarted would not know the id: it would refuse what the others take, and when
 * it becomes the leader the log would have lost all that. Sequences are the same at
 * all of them. So nobody else may publish there, and who does is heard: the wire
 * subscribes to the subjects of the log, without its own messages.
 *
 * The bridge sees to in_max_bytes, so that JetStream never has to refuse what is too
 * much. A server that removes old messages when it sees fit would find by itself that
 * the log is full, and have another log than the rest. And nats-server 2.9 counts less
 * than a message takes when it decides whether one fits; if it did not, it removes the
 * oldest one without a word, which nobody may have read (their issue 4775).
 *
 * When something is refused or not acknowledged in time, nothing more is published.
 * The bridge looks where the log ends, resumes the session with sctpd from there, and
 * sctpd sends again what is missing. So a message that is on its way is kept by sctpd,
 * and nowhere else; and a bridge that was killed does the same.
 *
 * An event is acknowledged to sctpd when all up to it is in the log. sctpd keeps no
 * more than client_queue bytes for us, and then reads nothing from the associations.
 *
 * A message that is longer than the servers take (max_payload) becomes several
 * pieces, with the header Sctp-Piece: i/n.
 */
#ifndef NATS_IN_H
#define NATS_IN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/sctpd.h"
#include "nats/bus.h"
#include "nats/streams.h"

void in_init(void);

/*
 * Begin to publish in that life, behind the end that was found. The first "skip" pieces
 * are in the log already, and are not published.
 */
void in_start(const struct look *, uint64_t skip);
void in_stop(void);

/* How many more events may be published now; 0 also when it is broken. */
unsigned in_room(void);

/* Publish an event of the session. The next one is to be asked for only if there is room. */
void in_event(const struct sctpd_event *);

/* Publish that a session began, to each partition; seq is the number of that in the session. */
void in_session(uint64_t seq);

/* Nothing follows now: have all that was published acknowledged. */
void in_flush(void);

/* What came on the wire: see wire_handler. */
void in_answer(const struct wire_answer *);

/* Take the acknowledgements that came. True: state.in_event grew, and sctpd may be told. */
bool in_turn(void);

/* Why it does not go on, or NULL. */
const char *in_broken(void);

#endif
