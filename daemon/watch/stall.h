/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stall detector: data that nobody acknowledges, though the peer is there.
 */
#ifndef STALL_H
#define STALL_H

#include "watch/state.h"

/* Look whether what was sent is acknowledged; when to look again. */
uint64_t stall_look(struct watch *);

/* It is not watched any more. */
void stall_end(struct watch *);

#endif
