/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors that outlive the process.
 *
 * The service manager compares each descriptor it is given with all it has,
 * so it is given a socket pair only. Descriptors wait in the queue of such a
 * pair: some two hundred to a pair, and the pairs themselves in the queue of
 * the one that the manager holds.
 */
#ifndef PARK_H
#define PARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Take what is in the pair that was left, or make one and have it held. */
void park_init(void);

/* Is anything held at all? */
bool park_on(void);

/* The descriptor that waited under that number: ours from now on, and still parked. */
int park_take(uint64_t number);

/* One that nobody has taken yet, after that number; -1: there is none. */
int park_next_untaken(uint64_t *number);

/* Nobody will take the rest: close it. Gives how many there were. */
size_t park_finish(void);

/*
 * Park a descriptor that we keep open; and forget it, before it is closed.
 * false: there is no room, and it will end with us.
 */
bool park_put(uint64_t number, int fd);
void park_drop(uint64_t number);

size_t park_count(void);
void park_free(void);

#endif
