/* SPDX-License-Identifier: BSD-2-Clause */
/* Metrics as text, in the formats that Prometheus reads. */
#ifndef SCTPCTL_EXPOSE_H
#define SCTPCTL_EXPOSE_H

#include "sctpctl/scrape.h"

#define EXPOSE_TEXT		"text/plain; version=0.0.4; charset=utf-8"
#define EXPOSE_OPENMETRICS	"application/openmetrics-text; version=1.0.0; charset=utf-8"

/* Write all of them. */
void expose(FILE *, const struct scrape *, bool openmetrics);

/* What help says of them. */
void expose_help(void);

#endif
