/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Places where a test may have the daemon die: right after something has left
 * the process, or entered it. In the test build only; otherwise there is
 * nothing here.
 */
#ifndef FAULT_H
#define FAULT_H

/* All places; tests read this table. */
#define FAULT_PLACES(X)							\
	X("recvmmsg", "messages were taken from the kernel")		\
	X("bundle", "all messages of a run but the last were given to the kernel") \
	X("sendmmsg", "messages were given to the kernel")		\
	X("connectx", "an association was begun")			\
	X("peeled", "a descriptor was peeled off and is not parked")	\
	X("peeloff", "and now it is")					\
	X("accept4", "an association was accepted and is not parked")	\
	X("accept", "and now it is")					\
	X("eof", "a shutdown was begun")				\
	X("abort", "an association was aborted")			\
	X("bound", "a socket was bound")				\
	X("bindx", "addresses of one descriptor were changed")		\
	X("reset", "the kernel was asked to reset streams")		\
	X("handover", "a socket of a group went to another member")	\
	X("supervised", "a supervised association began, changed or ended; its record is not written") \
	X("attached", "its socket went to another owner")		\
	X("reloaded", "a paragraph of the configuration was taken in")	\
	X("opened", "the descriptor of a socket was parked")		\
	X("closed", "a socket was closed")				\
	X("parked", "a descriptor was given to a queue")		\
	X("rewritten", "a queue was rewritten and not yet read away")	\
	X("unparked", "a descriptor was taken from its queue")		\
	X("stored", "the manager has a descriptor")			\
	X("uncommitted", "a transaction is ready")			\
	X("committed", "and made, and not applied")			\
	X("applied", "and applied")					\
	X("written", "bytes were written to a client")			\
	X("recorded", "half of a section was written to a record's file")

/* What must hold before something leaves the process: see journal/known.h. */
#ifdef FAULT_POINTS
#include <stdbool.h>

void fault_point(const char *name);
void known_check(bool holds, const char *what);
#define must_be_known(holds, what)	known_check((holds), (what))
#else
#define fault_point(name)		((void)0)
#define must_be_known(holds, what)	((void)0)
#endif

#endif
