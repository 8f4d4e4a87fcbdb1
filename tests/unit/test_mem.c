/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's containers: the hash table and the byte buffer.
 */
#include <stdlib.h>
#include <string.h>

#include "util/hash.h"
#include "util/mem.h"
#include "unit.h"

#define N	1000

struct thing {
	struct hash_node	node;
	int			seen;
};

START_TEST(a_hash_finds_what_is_in_it)
{
	static struct thing	things[N];
	struct hash		h = { .count = 0 };

	ck_assert_ptr_null(hash_find(&h, 0));
	ck_assert_ptr_null(hash_next(&h, NULL));
	for (uint64_t i = 0; i < N; i++)
		hash_add(&h, &things[i].node, i << 32 | i);
	ck_assert_uint_eq(h.count, N);
	for (uint64_t i = 0; i < N; i += 2)
		hash_remove(&h, &things[i].node);
	for (uint64_t i = 0; i < N; i++)
		ck_assert_ptr_eq(HASH_FIND(thing, &h, i << 32 | i),
		    i % 2 == 0 ? NULL : &things[i]);
	hash_free(&h);
	ck_assert_ptr_null(hash_find(&h, 1));
}
END_TEST

START_TEST(a_walk_meets_each_once)
{
	static struct thing	 things[N];
	struct hash		 h = { .count = 0 };
	struct hash_node	*n, *next;
	size_t			 met = 0;

	for (uint64_t i = 0; i < N; i++)
		hash_add(&h, &things[i].node, i * 64);
	for (n = hash_next(&h, NULL); n != NULL; n = next, met++) {
		ck_assert_int_eq(((struct thing *)(void *)n)->seen++, 0);
		next = hash_next(&h, n);
		if (met % 3 == 0)
			hash_remove(&h, n);
	}
	ck_assert_uint_eq(met, N);
	hash_free(&h);
}
END_TEST

/* One more node after each step: the table grows in the midst of the walk. */
START_TEST(a_walk_by_key_goes_on_after_changes)
{
	static struct thing	 things[4 * N];
	struct hash		 h = { .count = 0 };
	struct hash_node	*n;
	uint64_t		 key = 0;
	size_t			 added = N, met = 0;

	ck_assert_ptr_null(hash_after(&h, NULL));
	for (uint64_t i = 0; i < N; i++)
		hash_add(&h, &things[i].node, i << 32 | i);
	for (n = hash_after(&h, NULL); n != NULL; n = hash_after(&h, &key)) {
		key = n->key;
		((struct thing *)(void *)n)->seen++;
		met++;
		if (met % 3 == 0)	/* the walk goes on from a key that is gone */
			hash_remove(&h, n);
		if (added < 4 * N) {
			hash_add(&h, &things[added].node, added << 32 | added);
			added++;
		}
	}
	for (size_t i = 0; i < 4 * N; i++)
		ck_assert_int_le(things[i].seen, 1);
	for (size_t i = 0; i < N; i++)
		ck_assert_int_eq(things[i].seen, 1);
	ck_assert_uint_gt(met, N);
	ck_assert_uint_lt(met, 4 * N);
	hash_free(&h);
}
END_TEST

static void
add_number(struct buf *b, uint32_t n)
{
	buf_add(b, &n, sizeof n);
}

START_TEST(a_buffer_keeps_order)
{
	struct buf	b = { .cap = 0 };
	uint32_t	in = 0, out = 0, n;

	ck_assert_uint_eq(buf_len(&b), 0);
	for (int round = 0; round < 300; round++) {
		for (int i = 0; i < 50 + round % 7; i++)
			add_number(&b, in++);
		for (int i = 0; i < 48 + round % 5 && buf_len(&b) > 0; i++) {
			memcpy(&n, buf_data(&b), sizeof n);
			ck_assert_uint_eq(n, out++);
			buf_drop(&b, sizeof n);
		}
		ck_assert_uint_eq(buf_len(&b), (in - out) * sizeof n);
	}
	buf_free(&b);
}
END_TEST

START_TEST(an_empty_buffer_gives_large_memory_back)
{
	struct buf	b = { .cap = 0 };

	(void)buf_room(&b, 1 << 20);
	buf_grow(&b, 1 << 20);
	buf_drop(&b, (1 << 20) - 1);
	ck_assert_uint_eq(buf_len(&b), 1);
	buf_drop(&b, 1);
	ck_assert_uint_eq(b.cap, 0);
	buf_add(&b, "x", 1);
	ck_assert_mem_eq(buf_data(&b), "x", 1);
	buf_add(&b, NULL, 0);
	ck_assert_uint_eq(buf_len(&b), 1);
	buf_free(&b);
	buf_free(&b);
}
END_TEST

Suite *
mem_suite(void)
{
	Suite	*s = suite_create("mem");
	TCase	*tc = tcase_create("mem");

	tcase_add_test(tc, a_hash_finds_what_is_in_it);
	tcase_add_test(tc, a_walk_meets_each_once);
	tcase_add_test(tc, a_walk_by_key_goes_on_after_changes);
	tcase_add_test(tc, a_buffer_keeps_order);
	tcase_add_test(tc, an_empty_buffer_gives_large_memory_back);
	suite_add_tcase(s, tc);
	return s;
}
