/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file descriptor store of the keeper: descriptors by name, and how the
 * keeper reads what the daemon says. The daemon's side is fdclient.h.
 */
#ifndef FDSTORE_H
#define FDSTORE_H

#include <stdbool.h>
#include <stddef.h>

#define FDSTORE_MAX	16	/* the daemon has a handful */
#define FDSTORE_NAME_MAX	32	/* with the '\0' */

/* Takes the descriptor, in place of one of that name. False if there is no room. */
bool fdstore_put(const char *name, int fd);
void fdstore_remove(const char *name);
void fdstore_close(void);

/* Borrowed; or -1. */
int fdstore_get(const char *name);

/*
 * In the process that is to become the daemon: duplicates from descriptor 3
 * on; gives their number, and their names as in LISTEN_FDNAMES.
 */
unsigned fdstore_pass(char *names, size_t size);

/* The value of KEY in lines of KEY=value: empty, and false, if it is not there. */
bool fdstore_value(const char *lines, const char *key, char *value, size_t size);

/* How long to wait, in ms, before starting what died n times at its start. */
int fdstore_pause(unsigned n);

#endif
