/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's end of the memory that a tap shares with its reader: see proto/tapring.h.
 *
 * Of what the reader may write, only tail is read here, and a wrong one makes the ring full. The file cannot be made
 * shorter under the daemon (F_SEAL_SHRINK).
 *
 * What is written is shown later: tapring_commit says that the journal knows of everything that was written until now,
 * and tapring_show lets the reader see that much.
 */
#ifndef SOCKET_TAPRING_H
#define SOCKET_TAPRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/pcapng.h"

struct tapring {
	struct tap_ring	*shared;
	char		*data;		/* mapped twice, one after the other */
	size_t		 size;
	uint64_t	 written;
	uint64_t	 full_at;	/* there is room until here, as far as was looked */
	uint64_t	 committed;
	uint64_t	 shown;
};

/* Of so many bytes, a power of two. The descriptor is what the reader needs; -1: errno says why there is none. */
int tapring_open(struct tapring *, size_t size);
void tapring_close(struct tapring *);

/* So much room to write into, and then how much of it was used. */
bool tapring_begin(struct tapring *, size_t room, struct pcapng *);
void tapring_wrote(struct tapring *, size_t);

void tapring_commit(struct tapring *);
/* True: the reader had caught up, and must be told that there is more. */
bool tapring_show(struct tapring *, uint64_t messages, uint64_t dropped);

#endif
