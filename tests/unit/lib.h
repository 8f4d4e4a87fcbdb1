/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of the library share: a connection whose other end is the
 * test, which plays the daemon. Answers are written before they are asked
 * for: what the ids of requests will be is known.
 */
#ifndef LIB_H
#define LIB_H

#include "lib/sctpd.h"
#include "unit.h"

#define FIRST	"1048576"	/* the first request's id */
#define AGAIN	"2097152"	/* the next's, when that was answered */
#define THIRD	"3145728"
#define FOURTH	"4194304"
#define SECOND	"1048577"	/* the second's, when the first was not */

Suite	*lib_acks_suite(void);
Suite	*lib_async_suite(void);
Suite	*lib_conn_suite(void);
Suite	*lib_groups_suite(void);
Suite	*lib_words_suite(void);

extern struct sctpd	*lib_conn;
extern int		 lib_daemon;

void	 lib_setup(void);
void	 lib_teardown(void);

/* Write a message, or bytes, as the daemon. */
void	 lib_say(const char *text);
void	 lib_say_bytes(const char *, size_t len);

/* The daemon goes away. */
void	 lib_hang_up(void);

/* The one message that the library has sent, or "nothing". */
const char *lib_heard(void);

#endif
