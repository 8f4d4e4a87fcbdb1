/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counters in the journal: they go on in the next process, by their names,
 * and a record that is not as we write it does no harm.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "journal/counters.h"
#include "journal/journal.h"
#include "unit.h"
#include "util/counter.h"
#include "util/log.h"

/* As another process that is given this one's journal. */
static void
restart(void)
{
	int	fd = fcntl(journal_fd(), F_DUPFD_CLOEXEC, 0);

	ck_assert_int_ne(fd, -1);
	journal_close();
	memset(counters, 0, sizeof counters);
	ck_assert(journal_open(fd));
	counters_restore();
}

static void
commit(void)
{
	counters_stage();
	journal_commit();
}

static size_t
count_records(void)
{
	struct record	*r = NULL;
	size_t		 n = 0;

	while ((r = journal_next(r, RECORD_COUNTERS)) != NULL)
		n++;
	return n;
}

static void
setup(void)
{
	log_set_level(-1);
	(void)journal_open(-1);
	counters_restore();
}

START_TEST(they_go_on)
{
	for (unsigned turn = 1; turn <= 3; turn++) {
		for (unsigned i = 0; i < COUNTERS; i++)
			counters[i] += i + 1;
		commit();
		COUNT(recv_cnt, 1);	/* it is not committed */
		restart();
		for (unsigned i = 0; i < COUNTERS; i++)
			ck_assert_uint_eq(counters[i], turn * (i + 1));
		commit();
		ck_assert_uint_eq(count_records(), 1);
	}
}
END_TEST

/* What the journal of an older version has: no record. */
START_TEST(a_journal_without_them_is_read)
{
	struct record	*r = journal_new(4);

	journal_keep(r, RECORD_CONFIG);
	journal_commit();
	restart();
	for (unsigned i = 0; i < COUNTERS; i++)
		ck_assert_uint_eq(counters[i], 0);
	commit();
	ck_assert_uint_eq(count_records(), 1);
}
END_TEST

/* A record as somebody else may have written it. */
static void
take_over(uint64_t n, const uint64_t *values, size_t nvalues, const char *names, size_t len)
{
	struct record	*r;

	journal_close();
	setup();
	r = journal_new(nvalues * sizeof *values + len);
	memcpy(r->body, values, nvalues * sizeof *values);
	memcpy(r->body + nvalues * sizeof *values, names, len);
	r->word[0] = n;
	journal_keep(r, RECORD_COUNTERS);
	journal_commit();
	restart();
}

static void
has(uint64_t received, uint64_t sent)
{
	ck_assert_uint_eq(counters[COUNTER_recv_cnt], received);
	ck_assert_uint_eq(counters[COUNTER_send_cnt], sent);
	commit();
	ck_assert_uint_eq(count_records(), 1);
}

START_TEST(another_version_has_others_in_another_order)
{
	static const uint64_t	values[] = { 3, 4, 5 };
	static const char	names[] = "send_cnt\0no_counter_of_ours\0recv_cnt";

	take_over(3, values, 3, names, sizeof names);
	has(5, 3);
}
END_TEST

START_TEST(a_damaged_record_does_no_harm)
{
	static const uint64_t	values[] = { 3, 4 };
	static const char	names[] = "send_cnt\0recv_cnt";

	take_over(2, values, 2, names, sizeof names - 1);	/* the last name has no end */
	has(0, 3);
	take_over(UINT64_MAX / 8 + 2, values, 2, names, sizeof names);
	has(0, 0);
	take_over(9, values, 2, names, sizeof names);
	has(0, 0);
	take_over(3, values, 2, "", 0);
	has(0, 0);
	take_over(2, values, 2, "", 0);
	has(0, 0);
	take_over(0, values, 0, "", 0);
	has(0, 0);
}
END_TEST

Suite *
counters_suite(void)
{
	Suite	*s = suite_create("counters");
	TCase	*tc = tcase_create("counters");

	tcase_add_checked_fixture(tc, setup, journal_close);
	tcase_add_test(tc, they_go_on);
	tcase_add_test(tc, a_journal_without_them_is_read);
	tcase_add_test(tc, another_version_has_others_in_another_order);
	tcase_add_test(tc, a_damaged_record_does_no_harm);
	suite_add_tcase(s, tc);
	return s;
}
