/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a connection: write, read, end. */
#ifndef LIB_CONN_H
#define LIB_CONN_H

#include "lib/internal.h"

/* From now on fd is the connection. */
void conn_begin(struct sctpd *, int fd);
/* The connection is over for good; all who wait are told. Gives the code. */
int conn_over(struct sctpd *, int code);
/* The connection broke, errno says why. Gives SCTPD_OK if that is no end. */
int conn_lose_errno(struct sctpd *, const char *what);

/* A callback begins; one ended: false if the connection is gone. */
void conn_enter(struct sctpd *);
bool conn_leave(struct sctpd *);

/* Write what can be written. */
int conn_flush(struct sctpd *);
/* Take what has been read; bytes that make no sense end the connection. */
int conn_parse(struct sctpd *);
/* Take one message of it. */
int conn_step(struct sctpd *, bool *any);
/* Write and read; conn_turn also takes what was read. */
int conn_move(struct sctpd *);
int conn_turn(struct sctpd *);

int64_t conn_now(void);
int64_t conn_deadline(int64_t ms);

#endif
