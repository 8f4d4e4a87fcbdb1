/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors that outlive the process, in any number.
 *
 * The service manager compares each descriptor that it is given with all that it
 * has, so it is given only one end of one socket pair. The descriptors lie in the
 * queues of other socket pairs, about two hundred in each, and those pairs lie in
 * the queue of the pair that the manager holds.
 */
#ifndef FDPARK_H
#define FDPARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Take over the pair that was left, or make a pair and put it into the store. */
void fdpark_init(void);

/* Is there a store, so that parked descriptors outlive us? */
bool fdpark_on(void);

/* The parked descriptor with that number. The caller owns it; it stays parked. */
int fdpark_take(uint64_t number);

/* The next descriptor after that number that nobody has taken yet; -1: there is none. */
int fdpark_next_untaken(uint64_t *number);

/* Close the descriptors that nobody took; returns how many there were. */
size_t fdpark_finish(void);

/*
 * Park a descriptor. The caller keeps it open, and must drop it before closing it.
 * False: there is no room, and the descriptor ends with this process.
 */
bool fdpark_put(uint64_t number, int fd);
void fdpark_drop(uint64_t number);

void fdpark_free(void);

#endif
