/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses as text and as the system has them.
 */
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "proto/addr.h"
#include "unit.h"

static struct sockaddr_storage
parsed(const char *text)
{
	struct sockaddr_storage	ss;

	ck_assert_msg(addr_parse(text, strlen(text), &ss), "%s", text);
	return ss;
}

START_TEST(text_survives_the_way_there_and_back)
{
	static const char *const good[] = {
		"0.0.0.0", "10.0.0.1", "255.255.255.255", "::", "::1",
		"2001:db8::1", "::ffff:10.0.0.1", "fe80::1%lo",
		"1111:2222:3333:4444:5555:6666:7777:8888",
	};

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct sockaddr_storage	ss = parsed(good[i]);
		char			text[ADDR_TEXT];

		ck_assert_str_eq(addr_text(&ss, text), good[i]);
		ck_assert_uint_eq(addr_port(&ss), 0);
	}
}
END_TEST

START_TEST(what_is_no_address_is_refused)
{
	static const char *const bad[] = {
		"", " ", "10.0.0", "10.0.0.256", "10.0.0.1 ", " 10.0.0.1",
		"10.0.0.1:80", "[::1]", "::1::", ":::", "localhost", "12345",
		"fe80::1%", "fe80::1%0", "fe80::1%nosuchif", "fe80::1%1x",
		"fe80::1%99999999999", "10.0.0.1%lo", "%lo", "fe80::1%-1",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999",
		"0000000000000000000000000000000000000000000000000000000000000001",
	};
	struct sockaddr_storage	ss;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!addr_parse(bad[i], strlen(bad[i]), &ss), "%s", bad[i]);
	ck_assert(!addr_parse("10.0.0.1\0", 9, &ss));
	ck_assert(!addr_parse("10\0.0.0.1", 9, &ss));
	ck_assert(addr_parse("10.0.0.12", 8, &ss));	/* not past its end */
	ck_assert(addr_equal(&ss, &(struct sockaddr_storage){ 0 }) == false);
}
END_TEST

START_TEST(a_zone_may_be_a_number_and_outlives_its_interface)
{
	struct sockaddr_storage	ss = parsed("fe80::1%4000000");
	struct sockaddr_storage	lo;
	char			text[ADDR_TEXT];

	ck_assert_str_eq(addr_text(&ss, text), "fe80::1%4000000");
	(void)snprintf(text, sizeof text, "fe80::1%%%u", if_nametoindex("lo"));
	lo = parsed(text);
	ck_assert_str_eq(addr_text(&lo, text), "fe80::1%lo");
}
END_TEST

START_TEST(ports_and_lengths)
{
	struct sockaddr_storage	v4 = parsed("10.0.0.1"), v6 = parsed("::1");

	addr_set_port(&v4, 2905);
	addr_set_port(&v6, 65535);
	ck_assert_uint_eq(addr_port(&v4), 2905);
	ck_assert_uint_eq(((struct sockaddr_in *)&v4)->sin_port, htons(2905));
	ck_assert_uint_eq(((struct sockaddr_in6 *)&v6)->sin6_port, 0xffff);
	ck_assert_uint_eq(addr_len(&v4), sizeof(struct sockaddr_in));
	ck_assert_uint_eq(addr_len(&v6), sizeof(struct sockaddr_in6));
}
END_TEST

START_TEST(no_family_has_no_text)
{
	struct sockaddr_storage	none = { .ss_family = AF_UNSPEC };
	char			text[ADDR_TEXT] = "x";

	ck_assert_str_eq(addr_text(&none, text), "");
	ck_assert_uint_eq(addr_port(&none), 0);
}
END_TEST

START_TEST(equal_means_address_port_and_zone)
{
	struct sockaddr_storage	v4 = parsed("10.0.0.1");
	struct sockaddr_storage	mapped = parsed("::ffff:10.0.0.1");
	struct sockaddr_storage	other = parsed("10.0.0.2");
	struct sockaddr_storage	lo = parsed("fe80::1%lo"), bare = parsed("fe80::1");
	struct sockaddr_storage	far = parsed("fe80::1%4000000");

	ck_assert(addr_equal(&v4, &mapped));
	ck_assert(!addr_equal(&v4, &other));
	addr_set_port(&mapped, 1);
	ck_assert(!addr_equal(&v4, &mapped));
	addr_set_port(&v4, 1);
	ck_assert(addr_equal(&v4, &mapped));
	ck_assert(addr_equal(&lo, &bare));
	ck_assert(!addr_equal(&lo, &far));
}
END_TEST

START_TEST(any_is_known_in_both_families)
{
	static const char *const	any[] = { "0.0.0.0", "::", "::ffff:0.0.0.0" };
	static const char *const	some[] = { "0.0.0.1", "::1", "::ffff:127.0.0.1", "fe80::" };
	struct sockaddr_storage		ss;

	for (size_t i = 0; i < sizeof any / sizeof any[0]; i++) {
		ss = parsed(any[i]);
		addr_set_port(&ss, 5);
		ck_assert_msg(addr_is_any(&ss), "%s", any[i]);
	}
	for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
		ss = parsed(some[i]);
		ck_assert_msg(!addr_is_any(&ss), "%s", some[i]);
	}
}
END_TEST

Suite *
addr_suite(void)
{
	Suite	*s = suite_create("addr");
	TCase	*tc = tcase_create("addr");

	tcase_add_test(tc, text_survives_the_way_there_and_back);
	tcase_add_test(tc, what_is_no_address_is_refused);
	tcase_add_test(tc, a_zone_may_be_a_number_and_outlives_its_interface);
	tcase_add_test(tc, ports_and_lengths);
	tcase_add_test(tc, no_family_has_no_text);
	tcase_add_test(tc, equal_means_address_port_and_zone);
	tcase_add_test(tc, any_is_known_in_both_families);
	suite_add_tcase(s, tc);
	return s;
}
