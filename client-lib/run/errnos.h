/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon's codes as errno. */
#ifndef RUN_ERRNOS_H
#define RUN_ERRNOS_H

/* The errno of an enum sctpd_code; SCTPD_OK is 0. */
int errno_of(int code);

#endif
