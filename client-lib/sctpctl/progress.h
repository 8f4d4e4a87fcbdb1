/* SPDX-License-Identifier: BSD-2-Clause */
/* The line that says how far it is, as pv(1) has it. */
#ifndef SCTPCTL_PROGRESS_H
#define SCTPCTL_PROGRESS_H

#include "sctpctl/ctl.h"

/* Begin, if it is wanted. total is the bytes that are to be sent, 0 if that is not known. */
void progress_begin(const struct ctl *, uint64_t total);

/* A message was taken by the stack, or came. */
void progress_sent(size_t len);
void progress_received(size_t len);

/* Of the total, so much is sent. */
void progress_done(uint64_t done);

/* Print the line if it is time; gives ns until it is time again, or -1. */
int64_t progress_tick(void);

/* Take the line away, since something else is to be printed at the terminal. */
void progress_hide(void);

/* Print it once more, for good. */
void progress_end(void);

#endif
