/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_SETTLE_H
#define RUN_SETTLE_H

#include "run/call.h"

/* Something was sent, begun or ended with the call's socket. */
void settle_did(const struct call *);
/* A call that must not wait finds nothing: it fails with EAGAIN, unless something comes of what was done before. */
void settle(struct call *, bool (*try)(struct call *));

#endif
