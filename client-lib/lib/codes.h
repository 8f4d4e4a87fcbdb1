/* SPDX-License-Identifier: BSD-2-Clause */
/* Error codes, and the connection's last error. */
#ifndef LIB_CODES_H
#define LIB_CODES_H

#include "lib/internal.h"

/* The code that an error text begins with. */
int code_of_text(const char *, size_t len);
int code_of_errno(int);

/* Make the text the connection's last error; give the code. */
int lib_error(struct sctpd *, int code, const char *fmt, ...) SCTPD_PRINTF(3, 4);
/* The same with the text as the daemon sent it, code and all. */
int lib_error_text(struct sctpd *, int code, const char *text);
/* The same for SCTPD_ENOMEM. */
int lib_no_memory(struct sctpd *);
/* Why the connection ended. */
const char *lib_why_lost(const struct sctpd *);

#endif
