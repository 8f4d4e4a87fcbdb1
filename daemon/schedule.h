/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the kernel schedules the daemon.
 *
 * A process that wakes up interrupts a process that runs. That is right for a
 * daemon with few associations, because somebody waits for the message. With
 * many associations, and all processors busy, the daemon would find only one or
 * two messages each time, and it would interrupt the processes that are about
 * to send more. So it asks for SCHED_BATCH. Then, where no processor is idle,
 * it waits for its turn and has more to do in that turn.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H

/*
 * Called at the start. If another policy than the usual was chosen for the
 * daemon, that stays. Otherwise the daemon fits the policy to the number of
 * associations once a turn.
 */
void schedule_init(void);

#endif
