/* SPDX-License-Identifier: BSD-2-Clause */
/* Metrics over HTTP. */
#ifndef SCTPCTL_HTTP_H
#define SCTPCTL_HTTP_H

#include "sctpctl/ctl.h"

/* Serve the metrics where --listen says, or on the sockets of systemd. Gives an exit code. */
int http_serve(struct ctl *);

#endif
