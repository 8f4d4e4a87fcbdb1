/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scanner: where messages end, whatever way they arrive, and what is
 * stopped before msgpack-c sees it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"
#include "unit.h"

#define MAX	((size_t)1 << 20)

static msgpack_sbuffer	sent;

static void
setup(void)
{
	msgpack_sbuffer_init(&sent);
}

static void
teardown(void)
{
	msgpack_sbuffer_destroy(&sent);
}

static void
add(const char *text)
{
	msgpack_packer	pk;

	msgpack_packer_init(&pk, &sent, msgpack_sbuffer_write);
	text_pack(&pk, text);
}

static void
add_bytes(const void *p, size_t n)
{
	(void)msgpack_sbuffer_write(&sent, p, n);
}

/* What one scan of n bytes says. */
static enum frame_result
scan(const void *p, size_t n, size_t max, size_t *len)
{
	struct frame	f = { .at = 0 };

	return frame_scan(&f, p, n, max, len);
}

static void
gives(enum frame_result want)
{
	size_t			len = 0;
	enum frame_result	r = scan(sent.data, sent.size, MAX, &len);

	ck_assert_msg(r == want, "%s; wanted %s", frame_why(r), frame_why(want));
	if (r == FRAME_MESSAGE)
		ck_assert_uint_eq(len, sent.size);
	sent.size = 0;
}

static const char *const messages[] = {
	"[0, 0, \"hello\", []]",
	"[0, 4294967295, \"open\", [{\"port\": 2905}]]",
	"[1, 7, nil, {\"sock\": 1}]",
	"[1, 7, \"einval: x: y\", nil]",
	"[2, \"data\", [{\"sock\": 7, \"data\": x\"00010203\"}]]",
	"[0, 1, \"x\", [true, false, nil, 1.5, -1, -128, -32768, -2147483648, -9007199254740992]]",
	"[0, 1, \"x\", [127, 128, 65535, 65536, 4294967296, x\"\", \"\"]]",
	"[2, \"a string that is longer than thirty-one bytes\", [{}, [], [[]]]]",
	"[2, \"x\", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]]",
	"[0, 1, \"x\", nil]",
};
#define NMESSAGES	(sizeof messages / sizeof messages[0])

START_TEST(every_form_of_message_is_found)
{
	for (size_t i = 0; i < NMESSAGES; i++) {
		add(messages[i]);
		gives(FRAME_MESSAGE);
	}
}
END_TEST

/* Every head of MessagePack that is allowed, inside a message. */
START_TEST(every_head_is_measured)
{
	static const struct { const char *head; size_t n, body; } heads[] = {
		{ "\x00", 1, 0 }, { "\x7f", 1, 0 }, { "\xe0", 1, 0 }, { "\xff", 1, 0 },
		{ "\x80", 1, 0 }, { "\x90", 1, 0 }, { "\xa0", 1, 0 }, { "\xbf", 1, 31 },
		{ "\xc0", 1, 0 }, { "\xc2", 1, 0 }, { "\xc3", 1, 0 },
		{ "\xc4\x03", 2, 3 }, { "\xc5\x01\x00", 3, 256 }, { "\xc6\x00\x01\x00\x00", 5, 65536 },
		{ "\xc7\x03\x01", 3, 3 }, { "\xc8\x01\x00\x01", 4, 256 }, { "\xc9\x00\x01\x00\x00\x01", 6, 65536 },
		{ "\xca", 1, 4 }, { "\xcb", 1, 8 },
		{ "\xcc", 1, 1 }, { "\xcd", 1, 2 }, { "\xce", 1, 4 }, { "\xcf", 1, 8 },
		{ "\xd0", 1, 1 }, { "\xd1", 1, 2 }, { "\xd2", 1, 4 }, { "\xd3", 1, 8 },
		{ "\xd4\x01", 2, 1 }, { "\xd5\x01", 2, 2 }, { "\xd6\xff", 2, 4 }, { "\xd7\xff", 2, 8 }, { "\xd8\x01", 2, 16 },
		{ "\xd9\x05", 2, 5 }, { "\xda\x01\x00", 3, 256 }, { "\xdb\x00\x01\x00\x00", 5, 65536 },
		{ "\xdc\x00\x02", 3, 2 }, { "\xdd\x00\x00\x00\x02", 5, 2 },
		{ "\xde\x00\x02", 3, 4 }, { "\xdf\x00\x00\x00\x02", 5, 4 },
		{ "\x8f", 1, 30 }, { "\x9f", 1, 15 },
	};
	static const char zeros[65536];

	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		add_bytes("\x93\x02\xa1x", 4);
		add_bytes(heads[i].head, heads[i].n);
		add_bytes(zeros, heads[i].body);
		gives(FRAME_MESSAGE);
	}
}
END_TEST

START_TEST(a_message_may_arrive_split_anywhere)
{
	for (size_t i = 0; i < NMESSAGES; i++) {
		sent.size = 0;
		add(messages[i]);
		for (size_t cut = 0; cut < sent.size; cut++) {
			struct frame	f = { .at = 0 };
			size_t		len = 0;

			ck_assert_int_eq(frame_scan(&f, sent.data, cut, MAX, &len), FRAME_MORE);
			ck_assert_int_eq(frame_scan(&f, sent.data, sent.size, MAX, &len), FRAME_MESSAGE);
			ck_assert_uint_eq(len, sent.size);
		}
	}
}
END_TEST

START_TEST(messages_follow_one_another_byte_by_byte)
{
	struct frame	f = { .at = 0 };
	size_t		begin = 0, found = 0, len;

	for (size_t i = 0; i < NMESSAGES; i++)
		add(messages[i]);
	for (size_t n = 1; n <= sent.size; n++) {
		if (frame_scan(&f, sent.data + begin, n - begin, MAX, &len) != FRAME_MESSAGE)
			continue;
		ck_assert_uint_eq(begin + len, n);
		begin = n;
		found++;
	}
	ck_assert_uint_eq(found, NMESSAGES);
	ck_assert_uint_eq(begin, sent.size);
}
END_TEST

/* What is behind a message is none of the scan's business. */
START_TEST(a_scan_ends_with_its_message)
{
	size_t	len = 0;

	add(messages[0]);
	add_bytes("\xc1\xc1\xc1", 3);
	ck_assert_int_eq(scan(sent.data, sent.size, MAX, &len), FRAME_MESSAGE);
	ck_assert_uint_eq(len, sent.size - 3);
}
END_TEST

START_TEST(bytes_are_looked_at_once)
{
	struct frame	f = { .at = 0 };
	size_t		len, at;

	add("[2, \"x\", [1, 2, [3, 4], {\"a\": 5}, \"a longer string than all the others\"]]");
	ck_assert_int_eq(frame_scan(&f, sent.data, 12, MAX, &len), FRAME_MORE);
	at = f.at;
	ck_assert_uint_gt(at, 8);
	/* Were they read again, these would be garbage. */
	memset(sent.data + 2, 0xc1, at - 2);
	ck_assert_int_eq(frame_scan(&f, sent.data, sent.size, MAX, &len), FRAME_MESSAGE);
	ck_assert_uint_eq(len, sent.size);
}
END_TEST

/* A long body that trickles in costs a step per arrival, not a scan. */
START_TEST(a_trickle_is_linear)
{
	struct frame	f = { .at = 0 };
	size_t		len, n = 200000;
	char		*buf = calloc(1, n + 9);

	memcpy(buf, "\x93\x02\xa1x\xc6\x00\x03\x0d\x40", 9);
	for (size_t i = 1; i < n + 9; i++) {
		if (frame_scan(&f, buf, i, MAX, &len) != FRAME_MORE)	/* ck_assert writes to a file each time */
			ck_abort_msg("not FRAME_MORE after %zu bytes", i);
	}
	ck_assert_int_eq(frame_scan(&f, buf, n + 9, MAX, &len), FRAME_MESSAGE);
	ck_assert_uint_eq(len, n + 9);
	free(buf);
}
END_TEST

START_TEST(what_does_not_begin_like_a_message_is_garbage)
{
	static const char *const bad[] = {
		"\x92\x02\xa0", "\x95", "\xdc\x00\x04", "\x80", "\x01", "\xc0",
		"GET / HTTP/1.1", "\x94\x03", "\x94\xd4", "\x94\xc0", "\x93\xff", "\x93\x94",
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		add_bytes(bad[i], strlen(bad[i]));
		gives(FRAME_GARBAGE);
	}
	for (int head = 0; head < 256; head++) {
		char	c = (char)head;
		size_t	len;

		add_bytes("\x93\x02\xa1x", 4);
		add_bytes(&c, 1);
		ck_assert_msg((scan(sent.data, sent.size, MAX, &len) ==
		    FRAME_GARBAGE) == (head == 0xc1), "head %02x", head);
		sent.size = 0;
	}
}
END_TEST

static void
add_nested(unsigned depth, bool maps, bool full)
{
	add_bytes("\x93\x02\xa1x", 4);		/* one level */
	for (unsigned i = 1; i < depth; i++)
		add_bytes(maps ? "\x81\x00" : "\x91", maps ? 2 : 1);
	add_bytes(full ? "\x00" : "\x90", 1);
}

START_TEST(sixteen_levels_pass_and_seventeen_do_not)
{
	for (int maps = 0; maps < 2; maps++) {
		add_nested(16, maps, true);
		gives(FRAME_MESSAGE);
		add_nested(17, maps, true);
		gives(FRAME_TOO_DEEP);
		add_nested(100000, maps, true);
		gives(FRAME_TOO_DEEP);
	}
	/* An empty one inside the last opens no level. */
	add_nested(16, false, false);
	gives(FRAME_MESSAGE);
}
END_TEST

START_TEST(counts_in_the_billions_are_refused_at_once)
{
	static const struct { const char *bytes; size_t n; } bombs[] = {
		{ "\xdd\xff\xff\xff\xff", 5 }, { "\xdf\xff\xff\xff\xff", 5 },
		{ "\xdd\x1d\xcd\x65\x00", 5 }, { "\xdf\x80\x00\x00\x00", 5 },
		{ "\xc6\xff\xff\xff\xff", 5 }, { "\xdb\xff\xff\xff\xff", 5 },
	};

	for (size_t i = 0; i < sizeof bombs / sizeof bombs[0]; i++) {
		add_bytes("\x93\x02\xa1x", 4);
		add_bytes(bombs[i].bytes, bombs[i].n);
		gives(FRAME_TOO_BIG);
	}
	/* The same when the limit is the largest there can be. */
	for (size_t i = 0; i < 4; i++) {
		size_t	len;

		add_bytes("\x93\x02\xa1x", 4);
		add_bytes(bombs[i].bytes, bombs[i].n);
		ck_assert_int_ne(scan(sent.data, sent.size, SIZE_MAX, &len), FRAME_MESSAGE);
		ck_assert_int_ne(scan(sent.data, sent.size, UINT32_MAX, &len), FRAME_MESSAGE);
		sent.size = 0;
	}
}
END_TEST

/* An array of n small integers; three values stand in front of them. */
static void
add_items(uint32_t n)
{
	const unsigned char	head[] = { 0x93, 0x02, 0xa0, 0xdd,
	    (unsigned char)(n >> 24), (unsigned char)(n >> 16),
	    (unsigned char)(n >> 8), (unsigned char)n };

	add_bytes(head, sizeof head);
	for (uint32_t i = 0; i < n; i++)
		add_bytes("\x01", 1);
}

START_TEST(items_are_counted)
{
	add_items(FRAME_MAX_ITEMS - 4);
	gives(FRAME_MESSAGE);
	add_items(FRAME_MAX_ITEMS - 3);
	gives(FRAME_TOO_MANY);
	add_items(FRAME_MAX_ITEMS + 1);
	gives(FRAME_TOO_MANY);
}
END_TEST

/* Many small arrays are no way around the count. */
START_TEST(items_are_counted_across_arrays)
{
	add_bytes("\x93\x02\xa0\xdc\x80\x00", 6);
	for (int i = 0; i < 0x8000; i++)
		add_bytes("\x91\xc0", 2);
	gives(FRAME_TOO_MANY);
}
END_TEST

START_TEST(the_size_limit_is_exact)
{
	size_t	len = 0;

	add("[2, \"x\", [x\"0001020304050607\"]]");
	ck_assert_int_eq(scan(sent.data, sent.size, sent.size, &len), FRAME_MESSAGE);
	for (size_t max = 1; max < sent.size; max++)
		ck_assert_int_eq(scan(sent.data, sent.size, max, &len), FRAME_TOO_BIG);
	/* One that announces too much is refused before it comes. */
	ck_assert_int_eq(scan(sent.data, 7, sent.size - 1, &len), FRAME_TOO_BIG);
	/* The limit may be reached by a message that never ends. */
	ck_assert_int_eq(scan("\x94\x00\x00\x00", 4, 4, &len), FRAME_TOO_BIG);
	ck_assert_int_eq(scan("\x93\x02\x92\x01\x01", 5, 5, &len), FRAME_TOO_BIG);
}
END_TEST

START_TEST(no_bytes_are_no_message_yet)
{
	size_t	len;

	ck_assert_int_eq(scan("", 0, MAX, &len), FRAME_MORE);
}
END_TEST

/* ---- against msgpack-c ---------------------------------------------- */

static uint32_t
next_random(void)
{
	static uint64_t	state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

/* Change some bytes, and sometimes the length; heads more than others. */
static size_t
mutate(unsigned char *p, size_t n, size_t room)
{
	for (uint32_t i = 0, times = 1 + next_random() % 4; i < times; i++) {
		size_t	at = 2 + next_random() % (n - 2);

		switch (next_random() % 4) {
		case 0:
			p[at] = (unsigned char)next_random();
			break;
		case 1:
			p[at] = (unsigned char)(0x80 | next_random() % 0x60);
			break;
		case 2:
			if (n + 1 < room) {
				memmove(p + at + 1, p + at, n - at);
				n++;
			}
			break;
		default:
			if (n > 8) {
				memmove(p + at, p + at + 1, n - at - 1);
				n--;
			}
			break;
		}
	}
	return n;
}

/* What the scanner takes, msgpack-c must take, with the same length. */
static bool
agrees(const unsigned char *p, size_t n)
{
	msgpack_unpacked	msg;
	size_t			len = 0, off = 0;
	bool			taken = scan(p, n, MAX, &len) == FRAME_MESSAGE;

	if (!taken)
		return false;
	msgpack_unpacked_init(&msg);
	ck_assert_int_eq(msgpack_unpack_next(&msg, (const char *)p, len, &off),
	    MSGPACK_UNPACK_SUCCESS);
	ck_assert_uint_eq(off, len);
	ck_assert_int_eq(msg.data.type, MSGPACK_OBJECT_ARRAY);
	msgpack_unpacked_destroy(&msg);
	/* And the same in two pieces. */
	ck_assert_int_ne(scan(p, len - 1, MAX, &off), FRAME_MESSAGE);
	return true;
}

START_TEST(msgpack_agrees_about_mutations)
{
	unsigned char	p[512];
	size_t		begin[NMESSAGES + 1] = { 0 }, taken = 0;

	for (size_t i = 0; i < NMESSAGES; i++) {
		add(messages[i]);
		begin[i + 1] = sent.size;
	}
	for (int i = 0; i < 200000; i++) {
		uint32_t	which = next_random() % NMESSAGES;
		size_t		n = begin[which + 1] - begin[which];

		memcpy(p, sent.data + begin[which], n);
		taken += agrees(p, mutate(p, n, sizeof p));
	}
	/* Else the test would test nothing. */
	ck_assert_uint_gt(taken, 20000);
}
END_TEST

static void
add_limits(Suite *s)
{
	TCase	*tc = tcase_create("limits");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_does_not_begin_like_a_message_is_garbage);
	tcase_add_test(tc, sixteen_levels_pass_and_seventeen_do_not);
	tcase_add_test(tc, counts_in_the_billions_are_refused_at_once);
	tcase_add_test(tc, items_are_counted);
	tcase_add_test(tc, items_are_counted_across_arrays);
	tcase_add_test(tc, the_size_limit_is_exact);
	suite_add_tcase(s, tc);
}

/* For what is no message: the journal's records. */
START_TEST(a_value_of_any_kind_is_measured)
{
	size_t	len = 0;

	ck_assert_int_eq(frame_value("\x81\xa1k\x01rest", 8, &len), FRAME_MESSAGE);
	ck_assert_uint_eq(len, 4);
	ck_assert_int_eq(frame_value("\x07", 1, &len), FRAME_MESSAGE);
	ck_assert_uint_eq(len, 1);
	ck_assert_int_eq(frame_value("", 0, &len), FRAME_MORE);
	ck_assert_int_eq(frame_value("\xdd\xff", 2, &len), FRAME_MORE);
	ck_assert_int_eq(frame_value("\x82\xa1k\x01", 4, &len), FRAME_TOO_BIG);
	ck_assert_int_eq(frame_value("\xdd\xff\xff\xff\xff", 5, &len), FRAME_TOO_BIG);
	ck_assert_int_eq(frame_value("\xc6\x00\x00\x00\x05" "abc", 8, &len), FRAME_TOO_BIG);
	ck_assert_int_eq(frame_value("\xc1", 1, &len), FRAME_GARBAGE);
	ck_assert_uint_eq(len, 1);
}
END_TEST

Suite *
frame_suite(void)
{
	Suite	*s = suite_create("frame");
	TCase	*tc = tcase_create("messages");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, every_form_of_message_is_found);
	tcase_add_test(tc, every_head_is_measured);
	tcase_add_test(tc, a_message_may_arrive_split_anywhere);
	tcase_add_test(tc, messages_follow_one_another_byte_by_byte);
	tcase_add_test(tc, a_scan_ends_with_its_message);
	tcase_add_test(tc, bytes_are_looked_at_once);
	tcase_add_test(tc, a_trickle_is_linear);
	tcase_add_test(tc, no_bytes_are_no_message_yet);
	tcase_add_test(tc, msgpack_agrees_about_mutations);
	tcase_add_test(tc, a_value_of_any_kind_is_measured);
	suite_add_tcase(s, tc);
	add_limits(s);
	return s;
}
