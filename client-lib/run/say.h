/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said on standard error: "sctpctl: ...". */
#ifndef RUN_SAY_H
#define RUN_SAY_H

/* Say it, and give the exit status. */
int say_fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
