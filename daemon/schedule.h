/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the kernel schedules the daemon.
 *
 * Who wakes up interrupts who runs. That is right for a daemon of few
 * associations: somebody waits for that message. One of many finds, where the
 * processors are all busy, one or two messages each time, and interrupts those
 * that are about to send more. So it asks for SCHED_BATCH: where no processor
 * is idle it waits for its turn, and then has more to do in it.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H

/* Once, at the start: what was chosen for us, other than the usual, stays. */
void schedule_init(void);

/* Once a turn: as it is to be with the associations that there are. */
void schedule_fit(void);

#endif
