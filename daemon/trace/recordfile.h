/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of the flight recorder.
 *
 * A file system may take seconds for a write, or for ever, and the loop waits for
 * nobody. So a thread writes: it takes sections from a queue, which has a bound.
 * What finds the queue full is not written, and that is counted and logged. The
 * thread touches nothing but the queue and the files.
 *
 * Sections are appended to record.pcapng in record_dir. A file that would become
 * longer than record_size is renamed to record.1.pcapng, that one to
 * record.2.pcapng and so on; there are record_files of them. Only the daemon's user
 * may read them: its group is often that of all clients, and they have everybody's
 * messages.
 *
 * Associations of one user, or their peers, must not push out what others' left:
 * a user other than root may write an eighth of all files at once, and that much again in an hour.
 *
 * A section that was written in part, as the process was killed or the disk was
 * full, would spoil all that follow. Whoever opens the file next cuts it off.
 */
#ifndef RECORDFILE_H
#define RECORDFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Is there a folder for the files, room in the queue, and some of the user's share left? If not, that is counted. */
bool recordfile_may(uid_t);

/* Write this section about an association of a user; takes the memory. */
void recordfile_put(uid_t, uint32_t assoc_id, char *section, size_t len);

/* At the end: waits a moment for what is in the queue. */
void recordfile_free(void);

#endif
