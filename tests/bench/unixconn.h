/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection to a Unix socket, which may not be there yet.
 */
#ifndef UNIXCONN_H
#define UNIXCONN_H

int unix_connect(const char *path);

#endif
