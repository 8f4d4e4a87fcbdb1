/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory that a tap shares with its reader (the argument ring of the method tap).
 *
 * It is a file in memory (memfd_create(2)), whose descriptor comes with the answer, in host byte order: this struct, and at
 * TAP_RING_DATA the ring, whose size is in the answer and a power of two. The byte of the number n stands at n modulo size. The
 * daemon writes blocks of pcapng and then head; the reader reads up to head and then writes tail. Nobody waits: what finds no
 * room is dropped. When the reader has caught up, the daemon sends an event tap for what comes next, so a reader
 * compares head with tail once more before it waits.
 *
 * A reader does well to map the ring twice, one after the other, as the daemon does: no block is in two parts then.
 */
#ifndef TAPRING_H
#define TAPRING_H

#include <stdatomic.h>
#include <stdint.h>

#define TAP_RING_DATA	4096u
#define TAP_RING_MIN	(64u << 10)
#define TAP_RING_MAX	(4u << 20)	/* the daemon touches all of it when the tap begins */

struct tap_ring {
	_Atomic uint64_t	head;		/* bytes written since the tap began */
	_Atomic uint64_t	messages;	/* what the answer to the last call of tap says, until now */
	_Atomic uint64_t	dropped;
	uint64_t		spare[5];
	_Atomic uint64_t	tail;		/* bytes read; the reader's, and all else is the daemon's */
};

#endif
