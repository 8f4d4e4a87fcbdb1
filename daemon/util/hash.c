/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table of numbered things.
 */
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "mem.h"

#define FIRST_SLOTS	8

/* Fibonacci hashing: handles and association ids count up. */
static size_t
slot_of(const struct hash *h, uint64_t key)
{
	return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (h->nslots - 1);
}

static void
resize(struct hash *h, size_t nslots)
{
	struct hash	 old = *h;
	struct hash_node *n, *next;

	h->slots = xcalloc(nslots, sizeof *h->slots);
	h->nslots = nslots;
	for (size_t i = 0; i < old.nslots; i++) {
		for (n = old.slots[i]; n != NULL; n = next) {
			size_t	to = slot_of(h, n->key);

			next = n->next;
			n->next = h->slots[to];
			h->slots[to] = n;
		}
	}
	free(old.slots);
}

struct hash_node *
hash_find(const struct hash *h, uint64_t key)
{
	struct hash_node	*n;

	if (h->count == 0)
		return NULL;
	for (n = h->slots[slot_of(h, key)]; n != NULL; n = n->next) {
		if (n->key == key)
			return n;
	}
	return NULL;
}

void
hash_add(struct hash *h, struct hash_node *n, uint64_t key)
{
	size_t	slot;

	if (h->count == h->nslots)
		resize(h, h->nslots == 0 ? FIRST_SLOTS : h->nslots * 2);
	slot = slot_of(h, key);
	n->key = key;
	n->next = h->slots[slot];
	h->slots[slot] = n;
	h->count++;
}

void
hash_remove(struct hash *h, struct hash_node *n)
{
	struct hash_node	**p = &h->slots[slot_of(h, n->key)];

	while (*p != n)
		p = &(*p)->next;
	*p = n->next;
	n->next = NULL;
	h->count--;
}

struct hash_node *
hash_next(const struct hash *h, const struct hash_node *n)
{
	size_t	slot = 0;

	if (h->count == 0)
		return NULL;
	if (n != NULL) {
		if (n->next != NULL)
			return n->next;
		slot = slot_of(h, n->key) + 1;
	}
	for (; slot < h->nslots; slot++) {
		if (h->slots[slot] != NULL)
			return h->slots[slot];
	}
	return NULL;
}

void
hash_free(struct hash *h)
{
	free(h->slots);
	memset(h, 0, sizeof *h);
}
