/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors that outlive this process: who started us (systemd, or our own
 * keeper) holds them by name and passes them to the next.
 *
 *	start:	store_init, store_take for each name one knows, store_finish
 *	then:	store_put and store_remove
 *
 * A name is in the store once, and is put only when it was not taken. The
 * cost of the store to systemd is the square of what is in it.
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>

#define STORE_NAME_MAX	256	/* with its '\0': systemd's limit; ours are short */

/* Take what was passed out of the environment. */
void store_init(void);

/* What is put is kept: there is a manager, and it has a store for us. */
bool store_present(void);

/* The descriptor that was passed under that name, now the caller's; or -1. */
int store_take(const char *name);

/*
 * Have a duplicate kept under that name, and wait until it is: at most 5 s,
 * then there is a log line, and false.
 */
bool store_put(const char *name, int fd);

/* Have what is kept under that name forgotten. */
void store_remove(const char *name);

/* Close what was passed and nobody took, and have it forgotten. */
void store_finish(void);

/* For store_init, and its tests: the name of number i in a list like "a:b:c". */
void store_name(const char *list, unsigned i, char name[STORE_NAME_MAX]);

#endif
