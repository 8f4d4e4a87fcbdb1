/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of PPIDs: the table's form, and both directions.
 */
#include <ctype.h>
#include <string.h>

#include "proto/ppid.h"
#include "unit.h"

static uint32_t
of(const char *text)
{
	uint32_t	n = 999999;

	ck_assert_msg(ppid_parse(text, &n), "\"%s\" is no PPID", text);
	return n;
}

START_TEST(the_rows_are_in_order_and_have_words)
{
	for (const struct ppid *p = ppid_table; p->name != NULL; p++) {
		ck_assert_msg(p == ppid_table || p->number > p[-1].number, "%s is out of order", p->name);
		ck_assert_msg(islower((unsigned char)*p->name) && strlen(p->name) < PPID_TEXT &&
		    p->name[strspn(p->name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0',
		    "\"%s\" is hard to type", p->name);
		ck_assert_msg(*p->doc != '\0' && p->doc[strlen(p->doc) - 1] != '.', "%s: text", p->name);
		for (const struct ppid *q = ppid_table; q != p; q++)
			ck_assert_str_ne(p->name, q->name);
	}
}
END_TEST

START_TEST(a_name_is_a_number_and_back)
{
	char	text[PPID_TEXT];

	for (const struct ppid *p = ppid_table; p->name != NULL; p++) {
		ck_assert_uint_eq(of(p->name), p->number);
		ck_assert_str_eq(ppid_name(p->number), p->name);
		ck_assert_str_eq(ppid_text(text, p->number), p->name);
	}
	ck_assert_uint_eq(of("M3UA"), 3);
	ck_assert_uint_eq(of("diameter"), 46);
	ck_assert_uint_eq(of("ngap"), 60);
}
END_TEST

START_TEST(a_number_needs_no_name)
{
	char	text[PPID_TEXT];

	ck_assert_uint_eq(of("0"), 0);
	ck_assert_uint_eq(of("0x2e"), 46);
	ck_assert_uint_eq(of("4294967295"), 4294967295);
	ck_assert_ptr_null(ppid_name(4294967295));
	ck_assert_str_eq(ppid_text(text, 4294967295), "4294967295");
}
END_TEST

START_TEST(what_is_neither_is_refused)
{
	static const char *const	bad[] = { "", " ", "m4ua", "3 ", "-1", "+3", "4294967296", "m3u", "3a" };
	uint32_t			n = 7;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!ppid_parse(bad[i], &n), "\"%s\"", bad[i]);
	ck_assert_uint_eq(n, 7);
}
END_TEST

Suite *
ppid_suite(void)
{
	Suite	*s = suite_create("ppid");
	TCase	*t = tcase_create("ppid");

	tcase_add_test(t, the_rows_are_in_order_and_have_words);
	tcase_add_test(t, a_name_is_a_number_and_back);
	tcase_add_test(t, a_number_needs_no_name);
	tcase_add_test(t, what_is_neither_is_refused);
	suite_add_tcase(s, t);
	return s;
}
