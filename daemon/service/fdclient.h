/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client of a file descriptor store: descriptors outlive this process,
 * because the service manager (systemd, or our own keeper) holds them by name
 * and passes them to the next process.
 *
 *	start:	fdclient_init, fdclient_take for each known name, fdclient_finish
 *	then:	fdclient_put and fdclient_remove
 *
 * A name is in the store once, and is put only if it was not taken. The cost of
 * the store to systemd grows with the square of its descriptors: see fdpark.h.
 */
#ifndef FDCLIENT_H
#define FDCLIENT_H

#include <stdbool.h>
#include <stddef.h>

#define FDCLIENT_NAME_MAX	256	/* with its '\0': systemd's limit; ours are short */

/* Take what was passed out of the environment. */
void fdclient_init(void);

/* There is a manager with a store for us: what is put is kept. */
bool fdclient_present(void);

/* The descriptor that was passed under that name, or -1. The caller owns it. */
int fdclient_take(const char *name);

/*
 * Have a duplicate kept under that name, and wait until it is kept. After 5 s it
 * logs a line and returns false.
 */
bool fdclient_put(const char *name, int fd);

/* Remove what is kept under that name. */
void fdclient_remove(const char *name);

/* Close what was passed and nobody took, and remove it from the store. */
void fdclient_finish(void);

/* For fdclient_init, and its tests: the name of number i in a list like "a:b:c". */
void fdclient_name(const char *list, unsigned i, char name[FDCLIENT_NAME_MAX]);

#endif
