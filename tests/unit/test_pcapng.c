/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks of pcapng: what finds no room, and that a message by a template is the same as one without.
 */
#include <stdio.h>
#include <string.h>

#include "proto/addr.h"
#include "proto/pcapng.h"
#include "unit.h"

static char			data[PCAPNG_LIKE_MOST + 1], mem[2][PCAPNG_LIKE_MOST + 4096];
static struct sockaddr_storage	here, there;

static struct pcapng_message
message(const char *local, const char *peer, bool sent, size_t len)
{
	ck_assert(addr_parse(local, strlen(local), &here) && addr_parse(peer, strlen(peer), &there));
	addr_set_port(&here, 2905);
	addr_set_port(&there, 36412);
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (char)(i * 7 + 1);
	return (struct pcapng_message){
		.us = 1700000000123456, .sent = sent,
		.from = sent ? &here : &there, .to = sent ? &there : &here,
		.stream = 3, .ssn = 4, .tsn = 0x12345678, .ppid = 60, .unordered = len % 2 == 1,
		.data = data, .len = len, .comment = "sock=1 assoc_id=2 client=3 name=four",
	};
}

static size_t
write_one(char *to, size_t size, const struct pcapng_message *m)
{
	struct pcapng	o = { .mem = to, .size = size };

	pcapng_message(&o, m);
	ck_assert(o.full == (o.len == 0));
	return o.len;
}

START_TEST(a_template_gives_the_same)
{
	static const size_t	sizes[] = { 1, 2, 3, 4, 5, 99, 100, 1001, PCAPNG_LIKE_MOST };
	static const char	*const addrs[][2] = {
		{ "10.0.0.1", "192.168.255.254" }, { "fd00::1", "fd00::2" }, { "10.0.0.1", "fd00::2" } };
	struct pcapng_template	 t;

	for (size_t i = 0; i < sizeof addrs / sizeof *addrs; i++)
		for (size_t n = 0; n < 2 * sizeof sizes / sizeof *sizes; n++) {
			struct pcapng_message	m = message(addrs[i][0], addrs[i][1], n % 2 == 1, sizes[n / 2]);
			struct pcapng		o = { .mem = mem[1], .size = sizeof mem[1] };

			pcapng_template(&t, &m);
			m.us += 5000000000;
			m.stream = 9;
			m.ssn = 10;
			m.tsn++;
			m.ppid = 46;
			memset(mem[1], 0xee, sizeof mem[1]);
			pcapng_like(&o, &t, &m);
			ck_assert_uint_eq(o.len, write_one(mem[0], sizeof mem[0], &m));
			ck_assert_uint_eq(o.len, pcapng_like_room(&t, m.len));
			ck_assert_mem_eq(mem[0], mem[1], o.len);
			ck_assert_uint_eq(pcapng_block(mem[1]), o.len);
		}
}
END_TEST

START_TEST(a_long_comment_is_cut)
{
	char			comment[1000];
	struct pcapng_template	t;
	struct pcapng_message	m = message("10.0.0.1", "10.0.0.2", true, 8);
	struct pcapng		o = { .mem = mem[0], .size = sizeof mem[0] };

	memset(comment, 'x', sizeof comment - 1);
	comment[sizeof comment - 1] = '\0';
	m.comment = comment;
	pcapng_template(&t, &m);
	pcapng_like(&o, &t, &m);
	ck_assert_uint_eq(pcapng_block(mem[0]), o.len);
}
END_TEST

START_TEST(what_finds_no_room_is_not_there)
{
	struct pcapng_message	m = message("10.0.0.1", "10.0.0.2", false, 100);
	size_t			whole = write_one(mem[0], sizeof mem[0], &m);

	ck_assert_uint_le(whole, pcapng_room(100) + strlen(m.comment));
	for (size_t n = 0; n < whole; n++)
		ck_assert_uint_eq(write_one(mem[0], n, &m), 0);
	ck_assert_uint_eq(write_one(mem[0], whole, &m), whole);
}
END_TEST

START_TEST(no_block_begins_with_these)
{
	static const char	bad[][PCAPNG_HEAD] = {
		{ 6, 0, 0, 0, 11, 0, 0, 0 }, { 6, 0, 0, 0, 8, 0, 0, 0 }, { 7, 0, 0, 0, 16, 0, 0, 0 }, { 0 } };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_uint_eq(pcapng_block(bad[i]), 0);
}
END_TEST

Suite *
pcapng_suite(void)
{
	Suite	*s = suite_create("pcapng");
	TCase	*tc = tcase_create("pcapng");

	tcase_add_test(tc, a_template_gives_the_same);
	tcase_add_test(tc, a_long_comment_is_cut);
	tcase_add_test(tc, what_finds_no_room_is_not_there);
	tcase_add_test(tc, no_block_begins_with_these);
	suite_add_tcase(s, tc);
	return s;
}
