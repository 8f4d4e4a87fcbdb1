/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The penalty of paths that fail.
 */
#include "unit.h"
#include "watch/damp.h"

#define HALF_LIFE	15000

START_TEST(it_halves_with_the_half_life)
{
	ck_assert_uint_eq(damp_decay(8000, 0, HALF_LIFE), 8000);
	ck_assert_uint_eq(damp_decay(8000, HALF_LIFE, HALF_LIFE), 4000);
	ck_assert_uint_eq(damp_decay(8000, 3 * HALF_LIFE, HALF_LIFE), 1000);
	ck_assert_uint_eq(damp_decay(8000, HALF_LIFE / 2, HALF_LIFE), 6000);
	ck_assert_uint_eq(damp_decay(8000, UINT64_MAX, HALF_LIFE), 0);
	ck_assert_uint_eq(damp_decay(8000, 5, 0), 0);
	for (uint64_t ms = 1; ms < 10 * HALF_LIFE; ms++)
		ck_assert_uint_le(damp_decay(8000, ms, HALF_LIFE), damp_decay(8000, ms - 1, HALF_LIFE));
}
END_TEST

/* Once a second: damped at the third failure, whatever came before. */
START_TEST(once_a_second_is_too_often)
{
	uint32_t	penalty = 0;
	int		n = 0;

	for (; penalty < DAMP_SUPPRESS; n++)
		penalty = damp_fail(damp_decay(penalty, 1000, HALF_LIFE));
	ck_assert_int_eq(n, 3);
	for (; n < 100; n++)
		penalty = damp_fail(damp_decay(penalty, 1000, HALF_LIFE));
	ck_assert_uint_eq(penalty, DAMP_MOST);
}
END_TEST

START_TEST(once_in_two_half_lives_is_not)
{
	uint32_t	penalty = 0;

	for (int n = 0; n < 1000; n++) {
		penalty = damp_fail(damp_decay(penalty, 2 * HALF_LIFE, HALF_LIFE));
		ck_assert_uint_lt(penalty, DAMP_SUPPRESS);
	}
}
END_TEST

/* When the wait is over the penalty is low, and not much sooner. */
START_TEST(the_wait_ends_when_it_is_low)
{
	uint64_t	ms;

	for (uint32_t penalty = DAMP_REUSE; penalty <= DAMP_MOST; penalty += 7) {
		ms = damp_wait(penalty, HALF_LIFE);
		ck_assert_uint_le(damp_decay(penalty, ms, HALF_LIFE), DAMP_REUSE);
		if (ms > 100)
			ck_assert_uint_ge(damp_decay(penalty, ms - ms / 50 - 20, HALF_LIFE), DAMP_REUSE);
	}
	ck_assert_uint_eq(damp_wait(DAMP_REUSE - 1, HALF_LIFE), 0);
	ck_assert_uint_le(damp_wait(DAMP_MOST, HALF_LIFE), 3 * HALF_LIFE + 1);
}
END_TEST

Suite *
damp_suite(void)
{
	Suite	*s = suite_create("damp");
	TCase	*t = tcase_create("damp");

	tcase_add_test(t, it_halves_with_the_half_life);
	tcase_add_test(t, once_a_second_is_too_often);
	tcase_add_test(t, once_in_two_half_lives_is_not);
	tcase_add_test(t, the_wait_ends_when_it_is_low);
	suite_add_tcase(s, t);
	return s;
}
