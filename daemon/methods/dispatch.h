/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Message -> row -> arguments -> handler -> answer. Knows no method by name.
 */
#ifndef DISPATCH_H
#define DISPATCH_H

#include "rpc/connection.h"

/* What connections need from the rooms above them: for connection_init. */
extern const struct client_ops dispatch_ops;

void dispatch_init(void);
void dispatch_free(void);

#endif
