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
 *   write_some, disconnect (output_write): what is packed for a session
 *	marks its output as changed, changes_commit writes that down, and the end
 *	of the turn writes only outputs that are not changed. What is packed
 *	while others are written waits for the next commit (connection_write_all).
 *	Connections without a session end with the process: nothing is owed.
 *	A tap (socket/tap.h) is refused in a session: what is tapped is never
 *	in the journal, and cannot be resumed.
 *   tapring_show: the reader of a tap sees what was copied in turns that are
 *	committed; at the tap's end, what was copied in this one as well.
 *   What goes to another member of a group is packed anew for that, and made void
 *	where it was, by the same commit (sock_move).
 *   superseded_say: the rest of a message that was written in part, so it is
 *	in the journal, and an event that has no number.
 *   output_pass (lend): a descriptor goes with the answer; that the socket
 *	is lent is in the same commit as the answer. An answer that is written
 *	again has no descriptor, and libsctpd asks again.
 *
 * Messages to the kernel's SCTP.
 *   stack->send: a note of each message of a session, and the header in which
 *	the kernel writes that it took it, are in the journal's send area. The
 *	next process answers the requests that were taken (kernel_answer_last_sends)
 *	and drops the records of waiting messages that were (stack->took).
 *	A note says as well that the notifications before it were carried out: so
 *	what they did is committed first (commit_those_before). And a commit
 *	does not count those that are queued to be sent (client.unsettled).
 *	A notification that is to wait behind requests, which would be asked for
 *	again, takes them with it into the journal (rpc/asked.h).
 *   stack->connect: find_begun, when restoring, finds those that were begun.
 *   stack->eof, abort, close: no note. If they are repeated, they find the
 *	association going down or over, and say so.
 *   stack->bindx: no note. If it is repeated, it passes over what was done and
 *	does the rest; if nothing is left to do, it says so.
 *   stack->reset_streams, reset_assoc: no note. What was asked for goes on
 *	without the process, and its event comes to the next one. If it is
 *	repeated, it finds the first request unanswered and says so, or it is
 *	answered and there is a second reset.
 *
 *   stack->setopt of the path manager (watch/primary.c): no note. Which path is
 *	the primary is asked of the stack at each look, so a process that died
 *	right after a change leaves one that the next finds made, and does not tell.
 *
 * Messages taken from the kernel's SCTP; its peer is told that they arrived.
 *   receive: they are received into the journal's receive area, in a batch
 *	that is armed before the call. No commit may come before all of a batch
 *	is dealt with; whose messages they are is committed before.
 *
 * Descriptors to the service manager, or the keeper.
 *   fdpark_put, fdpark_drop: a descriptor is parked under a number before the
 *	journal speaks of that number. The next process finds those that the
 *	journal does not know, and keeps or closes them (find_orphan,
 *	accept_orphans, fdpark_finish). It is dropped after its association has
 *	been ended on the wire; a record without its descriptor is an
 *	association that is over (say_what_is_gone).
 *	Between accept4(2), or the peeling off, and the message that parks it, a
 *	descriptor is in no queue: killed right there, the association ends.
 *   fdclient_put, at the start: the journal and the pair that holds what is
 *	parked, each with the manager's word that it has it.
 *
 * The files of the flight recorder (trace/recordfile.c) are not among them: nobody
 * is owed one, and the journal does not speak of them. A death while one is
 * written leaves half a section at its end, which the next process cuts off.
 *
 * must_be_known checks this where something leaves, in builds for tests; in
 * those the process can also be made to die at each of these places: see
 * util/fault.h.
 */
#ifndef KNOWN_H
#define KNOWN_H

#include "util/fault.h"

#endif
