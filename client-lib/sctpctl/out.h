/* SPDX-License-Identifier: BSD-2-Clause */
/* Values on standard output. */
#ifndef SCTPCTL_OUT_H
#define SCTPCTL_OUT_H

#include "sctpctl/ctl.h"

/* {addr, port} as 10.0.0.1:2905 or [::1]:2905. */
void out_endpoint(const struct sctpd_value *, char *to, size_t size);
/* JSON, allocated. */
char *out_json_text(const struct sctpd_value *);
/* key=value words on one line. */
void out_words(FILE *, const struct sctpd_value *);
/* A result for people, as many lines as it takes. */
void out_result(const struct ctl *, const struct sctpd_value *);
/* An event on one line, with the time. */
void out_event(const struct ctl *, FILE *, const struct sctpd_event *);

/* What a connect was answered, as the event that it would be for others. */
void out_connected(uint64_t sock, const char *addr, const char *port, const struct sctpd_value *);
/* That a method failed for that address and port, as the event "error" of notifications has it. */
void out_failed(const char *method, const char *addr, const char *port, const char *error);
/* A list of maps as a table, a column for each key of the first. */
void out_table(const struct ctl *, const struct sctpd_value *list);
void out_hex(FILE *, const char *, size_t len);
/* Standard output, flushed; a reader that went away is no error. */
int out_flush(void);

#endif
