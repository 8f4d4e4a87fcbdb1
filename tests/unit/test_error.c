/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Error codes, and the text that tells people what was wrong.
 */
#include <string.h>

#include "proto/error.h"
#include "unit.h"

static enum error
of(const char *text)
{
	return error_from_text(text, strlen(text));
}

START_TEST(an_errno_has_its_code)
{
	ck_assert_int_eq(error_from_errno(EADDRINUSE), ERR_eaddrinuse);
	ck_assert_int_eq(error_from_errno(EWOULDBLOCK), ERR_eagain);
	ck_assert_int_eq(error_from_errno(ENOTSUP), ERR_eopnotsupp);
	ck_assert_int_eq(error_from_errno(EXDEV), ERR_eio);	/* has no row */
	ck_assert_int_eq(error_from_errno(0), ERR_eio);
	ck_assert_int_eq(error_from_errno(-1), ERR_eio);
}
END_TEST

START_TEST(a_text_begins_with_its_code)
{
	ck_assert_int_eq(of("einval: stream 5: the association has 0 to 4"), ERR_einval);
	ck_assert_int_eq(of("closed"), ERR_closed);
	ck_assert_int_eq(of("closed:"), ERR_closed);
	ck_assert_int_eq(of("close: x"), ERR_OK);
	ck_assert_int_eq(of("closedx: x"), ERR_OK);
	ck_assert_int_eq(of(""), ERR_OK);
	ck_assert_int_eq(of(": badarg"), ERR_OK);
	ck_assert_int_eq(error_from_text("closed: x", 5), ERR_OK);
	for (int e = 1; e < ERR_COUNT; e++)
		ck_assert_int_eq(of(error_table[e].code), e);
}
END_TEST

START_TEST(causes_have_gen_sctps_words)
{
	ck_assert_str_eq(error_cause(0), "ok");
	ck_assert_str_eq(error_cause(1), "Invalid Stream Identifier");
	ck_assert_str_eq(error_cause(12), "User Initiated Abort");
	ck_assert_str_eq(error_cause(13), "Protocol Violation");
	ck_assert_ptr_null(error_cause(14));
	ck_assert_ptr_null(error_cause(0xffffffff));
}
END_TEST

START_TEST(a_path_grows_at_its_front)
{
	struct errtext	e;

	errtext_set(&e, "%d is out of range", 5);
	ck_assert_str_eq(e.path, "");
	ck_assert_str_eq(e.why, "5 is out of range");
	errtext_under(&e, "max", 3);
	errtext_under(&e, "sctp_rtoinfo!", 12);
	errtext_under(&e, "options", 7);
	ck_assert_str_eq(e.path, "options.sctp_rtoinfo.max");
	errtext_set(&e, "again");
	ck_assert_str_eq(e.path, "");
}
END_TEST

START_TEST(long_texts_are_cut_and_end)
{
	struct errtext	e;
	char		text[1000];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	errtext_set(&e, "%s", text);
	ck_assert_uint_eq(strlen(e.why), sizeof e.why - 1);
	for (int i = 0; i < 5; i++)
		errtext_under(&e, text, sizeof text - 1);
	ck_assert_uint_eq(strlen(e.path), sizeof e.path - 1);
}
END_TEST

START_TEST(errors_are_utf8_whatever_they_quote)
{
	static const char *const pairs[][2] = {
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", NULL },
		{ "a\x80z", "a?z" },			/* no lead byte */
		{ "a\xffz", "a?z" },
		{ "a\xc3", "a?" },			/* cut in two */
		{ "a\xf0\x9f\x98", "a???" },
		{ "a\xc3z", "a?z" },
		{ "\xc0\xaf", "??" },			/* too long a form */
		{ "\xe0\x80\xaf", "???" },
		{ "\xed\xa0\x80", "???" },		/* half a surrogate */
		{ "\xf4\x90\x80\x80", "????" },		/* past Unicode's end */
		{ "a\nb\x1b[2J\x7f", "a?b?[2J?" },	/* for whose terminal? */
	};

	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		struct errtext	e;

		errtext_set(&e, "%s", pairs[i][0]);
		errtext_under(&e, pairs[i][0], strlen(pairs[i][0]));
		ck_assert_str_eq(e.why, pairs[i][pairs[i][1] != NULL]);
		ck_assert_str_eq(e.path, e.why);
	}
}
END_TEST

Suite *
error_suite(void)
{
	Suite	*s = suite_create("error");
	TCase	*tc = tcase_create("error");

	tcase_add_test(tc, an_errno_has_its_code);
	tcase_add_test(tc, a_text_begins_with_its_code);
	tcase_add_test(tc, causes_have_gen_sctps_words);
	tcase_add_test(tc, a_path_grows_at_its_front);
	tcase_add_test(tc, long_texts_are_cut_and_end);
	tcase_add_test(tc, errors_are_utf8_whatever_they_quote);
	suite_add_tcase(s, tc);
	return s;
}
