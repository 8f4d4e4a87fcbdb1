/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The path manager: which of the peer's addresses is the primary path.
 */
#ifndef PRIMARY_H
#define PRIMARY_H

#include "watch/state.h"

/* Look after the paths of an association; when to look again. */
uint64_t primary_look(struct watch *);

#endif
