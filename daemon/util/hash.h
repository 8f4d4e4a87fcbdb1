/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table of things that carry their own node and have a number.
 *
 * Written here because libevent's is private, and uthash would be one more
 * package for sixty lines and allocates a table per head.
 */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_node {
	struct hash_node	*next;
	uint64_t		 key;
};

/* All zeros is an empty table. */
struct hash {
	struct hash_node	**slots;
	size_t			  nslots;	/* 0 or a power of two */
	size_t			  count;
};

/* The thing that a node is part of; its node must be the first member. */
#define HASH_FIND(type, h, key)	((struct type *)(void *)hash_find((h), (key)))

struct hash_node *hash_find(const struct hash *, uint64_t key);
void hash_add(struct hash *, struct hash_node *, uint64_t key);
void hash_remove(struct hash *, struct hash_node *);

/*
 * All nodes, in no order: hash_next(h, NULL) is the first. The node that was
 * given last may be removed between calls if its successor was asked for.
 */
struct hash_node *hash_next(const struct hash *, const struct hash_node *);

/*
 * The node after this key, which need not be there; the first for NULL. The
 * order depends on the keys alone. So a walk may go on after nodes were added
 * and removed, and meets each node that was there all the time exactly once.
 */
struct hash_node *hash_after(const struct hash *, const uint64_t *key);

/* Free the table, not the things in it. */
void hash_free(struct hash *);

#endif
