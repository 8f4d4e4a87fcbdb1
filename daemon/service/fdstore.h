/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the keeper holds: descriptors by name, and how it reads what the
 * daemon says.
 */
#ifndef HELD_H
#define HELD_H

#include <stdbool.h>
#include <stddef.h>

#define HELD_MAX	16	/* the daemon has a handful */
#define HELD_NAME_MAX	32	/* with the '\0' */

/* Takes the descriptor, in place of one of that name. False if there is no room. */
bool held_put(const char *name, int fd);
void held_remove(const char *name);
void held_close(void);

/* Borrowed; or -1. */
int held_get(const char *name);

/*
 * In the process that is to become the daemon: duplicates from descriptor 3
 * on; gives their number, and their names as in LISTEN_FDNAMES.
 */
unsigned held_pass(char *names, size_t size);

/* The value of KEY in lines of KEY=value: empty, and false, if it is not there. */
bool held_value(const char *lines, const char *key, char *value, size_t size);

/* How long to wait, in ms, before starting what died n times at its start. */
int held_pause(unsigned n);

#endif
