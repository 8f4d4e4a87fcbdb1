/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nothing leaves the process that the journal does not know.
 *
 * The process may be killed between any two instructions, and another one
 * continues from the journal. What has left cannot be taken back: if the next
 * process does not know of it, it is done twice, or never mentioned again.
 * There are four ways out, and these are all the places:
 *
 * Bytes to a client.
 *   client_write, disconnect (output_write): what is packed for a session
 *	marks its output as changed, keep_commit writes that down, and the end
 *	of the turn writes only outputs that are not changed. What is packed
 *	while others are written waits for the next commit (client_end_turn).
 *	Connections without a session end with the process: nothing is owed.
 *   farewell_say: the rest of a message that was written in part, so it is
 *	in the journal, and an event that has no number.
 *   output_pass (lend): a descriptor goes with the answer; that the socket
 *	is lent is in the same commit as the answer. An answer that is written
 *	again has no descriptor, and libsctpd asks again.
 *
 * Messages to the kernel's SCTP.
 *   stack_send: a note of each message of a session, and the header in which
 *	the kernel writes that it took it, are in the journal's send area. The
 *	next process answers the requests that were taken (kernel_answer_last_sends)
 *	and drops the records of waiting messages that were (stack_took).
 *	A note says as well that the notifications before it were carried out: so
 *	what they did is committed first (commit_those_before). And a commit
 *	does not count those that are queued to be sent (assoc_unsettled).
 *	A notification that is to wait behind requests, which would be asked for
 *	again, takes them with it into the journal (asked.h).
 *   stack_connect: find_begun, when restoring, finds those that were begun.
 *   stack_eof, stack_abort, stack_close: no note. Asked again they find the
 *	association going down or over, and say so.
 *
 * Messages taken from the kernel's SCTP; its peer is told that they arrived.
 *   receive: they are received into the journal's receive area, in a batch
 *	that is armed before the call. No commit may come before all of a batch
 *	is dealt with; whose messages they are is committed before.
 *
 * Descriptors to the service manager, or the keeper.
 *   park_put, park_drop: a descriptor is parked under a number before the
 *	journal speaks of that number. The next process finds those that the
 *	journal does not know, and keeps or closes them (kernel_find_orphan,
 *	accept_orphans, park_finish). It is dropped after its association has
 *	been ended on the wire; a record without its descriptor is an
 *	association that is over (say_what_is_gone).
 *	Between accept4(2), or the peeling off, and the message that parks it, a
 *	descriptor is in no queue: killed right there, the association ends.
 *   store_put, at the start: the journal and the pair that holds what is
 *	parked, each with the manager's word that it has it.
 *
 * must_be_known checks this where something leaves, in builds for tests; in
 * those the process can also be made to die at each of these places: see
 * fault.h.
 */
#ifndef KNOWN_H
#define KNOWN_H

#include <stdbool.h>

#ifdef FAULT_POINTS
void known_check(bool holds, const char *what);
#define must_be_known(holds, what)	known_check((holds), (what))
#else
#define must_be_known(holds, what)	((void)0)
#endif

#endif
