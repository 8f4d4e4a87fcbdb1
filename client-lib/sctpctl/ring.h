/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader's end of the memory that a tap shares with the daemon: see proto/tapring.h.
 */
#ifndef CTL_RING_H
#define CTL_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	struct tap_ring	*shared;	/* NULL: there is none */
	const char	*data;		/* mapped twice, one after the other */
	size_t		 size;
	uint64_t	 tail;
};

/* Takes the descriptor, which may be -1. False: errno says why. */
bool ring_open(struct ring *, int fd, size_t size);
void ring_close(struct ring *);

/* Whole blocks, all that there are; 0: none. Then say how much is done with. */
size_t ring_read(const struct ring *, const char **);
void ring_done(struct ring *, size_t);

/* Messages until now, and those of them that found no room. */
uint64_t ring_messages(const struct ring *);
uint64_t ring_dropped(const struct ring *);

#endif
