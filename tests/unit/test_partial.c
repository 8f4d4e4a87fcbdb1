/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages of which not all has come: several of one association at a time, and
 * what a process before us left of them.
 */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "journal/journal.h"
#include "stack/partial.h"
#include "unit.h"

#define FLAGS_WORD	3
#define BEGUN		1

static struct partials	list;

static void
setup(void)
{
	config_init(&config);
	(void)journal_open(-1);
	partials_init(&list, 7);
}

static void
teardown(void)
{
	partials_clear(&list);
	journal_close();
	config_free(&config);
}

/* A piece of the message with this key. If it is the last, the message must be this. */
static void
piece(uint32_t key, uint32_t ppid, const char *text, const char *whole)
{
	struct partial	*j = partials_find(&list, key, ppid);
	char		*p = (char *)(uintptr_t)text;
	size_t		 n = strlen(text);
	bool		 too_long = false, too_many = false;

	if (j == NULL)
		j = partials_begin(&list, key, ppid, &too_many);
	ck_assert(j != NULL && !too_many);
	ck_assert(partial_join(j, NULL, whole != NULL, &p, &n, &too_long) == (whole != NULL));
	ck_assert(!too_long);
	if (whole == NULL)
		return;
	ck_assert_uint_eq(n, strlen(whole));
	ck_assert(memcmp(p, whole, n) == 0);
	partials_take(&list, j);
	partial_free(j);
}

START_TEST(pieces_are_joined_with_those_of_their_stream_and_kind)
{
	uint32_t	ordered = partial_key(65535, false), unordered = partial_key(65535, true);

	piece(ordered, 46, "a", NULL);
	piece(unordered, 47, "x", NULL);
	piece(partial_key(0, false), 48, "1", NULL);
	piece(ordered, 0, "b", NULL);
	ck_assert_uint_eq(list.n, 3);
	ck_assert_uint_eq(partials_find(&list, ordered, 0)->ppid, 46);
	piece(unordered, 1, "y", "xy");
	piece(ordered, 1, "c", "abc");
	partials_forget(&list, partial_key(0, false));
	ck_assert_uint_eq(list.n, 0);
}
END_TEST

START_TEST(there_is_a_largest_number_of_them)
{
	bool	too_many = false;

	for (uint16_t i = 0; i < PARTIALS; i++)
		piece(partial_key(i, false), 0, "a", NULL);
	ck_assert(partials_begin(&list, partial_key(PARTIALS, false), 0, &too_many) == NULL && too_many);
	ck_assert(partials_begin(&list, partial_key(PARTIALS, false), 0, &too_many) == NULL && !too_many);
	piece(partial_key(5, false), 0, "b", "ab");
}
END_TEST

/* The process ends, and the next one reads the records that there are. */
static unsigned
restored(void)
{
	struct partial	*j;
	struct record	*r = NULL;

	journal_commit();
	while ((j = LIST_FIRST(&list.list)) != NULL) {
		partials_take(&list, j);
		free(j);
	}
	partials_init(&list, 7);
	while ((r = journal_next(r, RECORD_PARTIAL)) != NULL)
		ck_assert(partials_restore(&list, r));
	return list.n;
}

START_TEST(what_was_left_of_them_goes_on)
{
	piece(partial_key(3, true), 46, "a", NULL);
	piece(partial_key(4, false), 47, "1", NULL);
	ck_assert_uint_eq(restored(), 2);
	piece(partial_key(4, false), 0, "2", "12");
	ck_assert_uint_eq(partials_find(&list, partial_key(3, true), 0)->ppid, 46);
	piece(partial_key(3, true), 0, "b", "ab");
}
END_TEST

START_TEST(what_a_daemon_left_that_knew_no_streams_takes_the_next_piece)
{
	piece(partial_key(3, false), 46, "a", NULL);
	journal_set(&LIST_FIRST(&list.list)->record->word[FLAGS_WORD], BEGUN);
	ck_assert_uint_eq(restored(), 1);
	piece(partial_key(9, true), 50, "b", "ab");
	ck_assert_uint_eq(list.n, 0);
}
END_TEST

Suite *
partial_suite(void)
{
	Suite	*s = suite_create("partial");
	TCase	*tc = tcase_create("partial");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, pieces_are_joined_with_those_of_their_stream_and_kind);
	tcase_add_test(tc, there_is_a_largest_number_of_them);
	tcase_add_test(tc, what_was_left_of_them_goes_on);
	tcase_add_test(tc, what_a_daemon_left_that_knew_no_streams_takes_the_next_piece);
	suite_add_tcase(s, tc);
	return s;
}
