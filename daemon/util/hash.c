/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table of numbered things.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/hash.h"
#include "util/mem.h"

#define FIRST_SLOTS	8

/* Fibonacci hashing: handles and association ids count up. */
static uint32_t
mix(uint64_t key)
{
	return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static size_t
slot_of(const struct hash *h, uint64_t key)
{
	return (size_t)mix(key) & (h->nslots - 1);
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

/*
 * Where a key stands in the order of hash_after: its mixed bits, read backwards.
 * A slot holds the keys whose lowest bits are alike, which are the highest here.
 * So each slot is one stretch of the order, however many slots there are.
 */
static uint32_t
place_of(uint64_t key)
{
	uint32_t	m = mix(key);

	m = (m & 0x55555555) << 1 | (m >> 1 & 0x55555555);
	m = (m & 0x33333333) << 2 | (m >> 2 & 0x33333333);
	m = (m & 0x0f0f0f0f) << 4 | (m >> 4 & 0x0f0f0f0f);
	return m << 24 | (m & 0xff00) << 8 | (m >> 8 & 0xff00) | m >> 24;
}

static bool
comes_before(uint64_t a, uint64_t b)
{
	uint32_t	pa = place_of(a), pb = place_of(b);

	return pa < pb || (pa == pb && a < b);
}

/* The first of a slot in that order, of those after the key if there is one. */
static struct hash_node *
first_of(struct hash_node *n, const uint64_t *key)
{
	struct hash_node	*first = NULL;

	for (; n != NULL; n = n->next) {
		if ((key == NULL || comes_before(*key, n->key)) &&
		    (first == NULL || comes_before(n->key, first->key)))
			first = n;
	}
	return first;
}

struct hash_node *
hash_after(const struct hash *h, const uint64_t *key)
{
	struct hash_node	*n;
	size_t			 slot, bit;

	if (h->count == 0)
		return NULL;
	slot = key != NULL ? slot_of(h, *key) : 0;
	n = first_of(h->slots[slot], key);
	while (n == NULL) {
		/* The next slot: one more, counted from the highest bit down. */
		for (bit = h->nslots >> 1; (slot & bit) != 0; bit >>= 1)
			slot &= ~bit;
		if (bit == 0)
			return NULL;
		slot |= bit;
		n = first_of(h->slots[slot], NULL);
	}
	return n;
}

void
hash_free(struct hash *h)
{
	free(h->slots);
	memset(h, 0, sizeof *h);
}
