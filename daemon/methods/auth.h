/* SPDX-License-Identifier: BSD-2-Clause */
/* The option sctp_auth_required. */
#ifndef METHODS_AUTH_H
#define METHODS_AUTH_H

#include "proto/error.h"
#include "proto/sockopt.h"
#include "socket/sock.h"

/* Peers of the socket must authenticate what they send, with this key. */
enum error auth_require(struct sock *, const struct sockopt *, const struct sockopt_auth *);

#endif
