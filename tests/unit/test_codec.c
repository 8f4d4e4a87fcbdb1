/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Struct to map and back: what is taken, what is refused and in which words.
 */
#include <stdio.h>
#include <math.h>
#include <string.h>

#include "proto/addr.h"
#include "proto/codec.h"
#include "unit.h"

struct inner {
	uint16_t	port;
	uint32_t	ppid;
};

struct all {
	bool			flag;
	int32_t			wide_flag;
	uint8_t			u8;
	uint16_t		u16;
	uint32_t		u32;
	int32_t			s32;
	uint64_t		u64;
	int64_t			timeout;
	int32_t			word;
	uint16_t		words;
	struct sockaddr_storage	addr;
	struct sockaddr_storage	endpoint;
	struct slice		str;
	struct slice		bin;
	struct inner		inner;
	struct any		any;
};

static const struct word colours[] = {
	{ 0, "red" }, { 7, "green" }, { -2, "blue" }, { 0, NULL }
};

static const struct word bits[] = {
	{ 1, "one" }, { 4, "four" }, { 0x8000, "top" }, { 0, NULL }
};

static const struct field inner_fields[] = {
	FIELD(inner, port, BE16, "port", "x"),
	FIELD(inner, ppid, BE32, "ppid", "x"),
	{ .key = NULL }
};

static const struct field all_fields[] = {
	FIELD(all, flag, BOOL, "flag", "x"),
	FIELD(all, wide_flag, BOOL, "wide_flag", "x"),
	FIELD(all, u8, U8, "u8", "x"),
	FIELD(all, u16, U16, "u16", "x"),
	FIELD(all, u32, U32, "u32", "x"),
	FIELD(all, s32, S32, "s32", "x"),
	FIELD(all, u64, U64, "u64", "x"),
	FIELD(all, timeout, TIMEOUT, "timeout", "x"),
	WORDED(all, word, WORD, colours, "word", "x"),
	WORDED(all, words, WORDS, bits, "words", "x"),
	FIELD(all, addr, ADDR, "addr", "x"),
	FIELD(all, endpoint, ENDPOINT, "endpoint", "x"),
	FIELD(all, str, STR, "str", "x"),
	FIELD(all, bin, BIN, "bin", "x"),
	RECORD(all, inner, inner_fields, "inner", "x"),
	FIELD(all, any, ANY, "any", "x"),
	{ .key = NULL }
};

struct few {
	uint32_t	need;
	uint32_t	may;
	struct slice	text;
	struct sockaddr_storage from;
};

static const struct field few_fields[] = {
	{ FIELD_BASE(few, need, U32, "need", "x"), .required = true },
	SPARSE(few, may, U32, "may", "x"),
	SPARSE(few, text, STR, "text", "x"),
	SPARSE(few, from, ENDPOINT, "from", "x"),
	{ .key = NULL }
};

static const char *
packed(const struct field *fields, const void *base, size_t len)
{
	msgpack_sbuffer	 buf;
	msgpack_packer	 pk;
	const char	*text;

	msgpack_sbuffer_init(&buf);
	msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
	codec_pack(&pk, fields, base, len);
	text = text_show(buf.data, buf.size);
	msgpack_sbuffer_destroy(&buf);
	return text;
}

static void
takes(const char *text, struct all *a)
{
	struct errtext	err = { .path = "", .why = "" };

	ck_assert_msg(codec_unpack(text_object(text), all_fields, a, NULL, &err),
	    "%s: %s: %s", text, err.path, err.why);
}

/* The text is refused, with these words. */
static void
refuses_by(const struct field *fields, const char *text, const char *words)
{
	struct all	a = { .u8 = 0 };
	struct errtext	err = { .path = "", .why = "" };
	char		got[sizeof err + 4];

	ck_assert_msg(!codec_unpack(text_object(text), fields, &a, NULL, &err),
	    "%s was taken", text);
	(void)snprintf(got, sizeof got, "%s: %s", err.path, err.why);
	ck_assert_str_eq(got, words);
}

static void
refuses(const char *text, const char *words)
{
	refuses_by(all_fields, text, words);
}

START_TEST(every_type_makes_the_way_there_and_back)
{
	static const char	text[] = "{\"flag\": true, \"wide_flag\": true, "
	    "\"u8\": 201, \"u16\": 60001, \"u32\": 4000000001, \"s32\": -5, "
	    "\"u64\": 9007199254740992, \"timeout\": 1500, \"word\": \"blue\", "
	    "\"words\": [\"one\", \"top\"], \"addr\": \"2001:db8::1\", "
	    "\"endpoint\": {\"addr\": \"10.0.0.1\", \"port\": 2905}, "
	    "\"str\": \"text\", \"bin\": x\"00ff\", "
	    "\"inner\": {\"port\": 258, \"ppid\": 16909060}, "
	    "\"any\": [1, {\"a\": nil}]}";
	struct all		a = { .u8 = 0 };

	takes(text, &a);
	ck_assert_int_eq(a.word, -2);
	ck_assert_uint_eq(a.words, 0x8001);
	ck_assert_mem_eq(&a.inner.port, "\x01\x02", 2);
	ck_assert_mem_eq(&a.inner.ppid, "\x01\x02\x03\x04", 4);
	ck_assert_uint_eq(addr_port(&a.endpoint), 2905);
	ck_assert_str_eq(packed(all_fields, &a, sizeof a), text);
}
END_TEST

START_TEST(ends_of_the_ranges_are_taken)
{
	struct all	a = { .u8 = 0 };

	takes("{\"u8\": 0, \"u16\": 0, \"u32\": 0, \"s32\": -2147483648, \"u64\": 0, \"timeout\": 0}", &a);
	ck_assert_int_eq(a.s32, INT32_MIN);
	takes("{\"u8\": 255, \"u16\": 65535, \"u32\": 4294967295, \"s32\": 2147483647, \"timeout\": 4294967294}", &a);
	ck_assert_uint_eq(a.u8, 255);
	ck_assert_uint_eq(a.u16, 65535);
	ck_assert_uint_eq(a.u32, UINT32_MAX);
	ck_assert_int_eq(a.s32, INT32_MAX);
	ck_assert_int_eq(a.timeout, INT64_C(4294967294));
	takes("{\"timeout\": \"infinity\"}", &a);
	ck_assert_int_eq(a.timeout, -1);
}
END_TEST

#define INTEGER(R) "an integer from " R

START_TEST(beyond_the_ranges_is_refused)
{
	refuses("{\"u8\": 256}", "u8: 256 is out of range; it takes " INTEGER("0 to 255"));
	refuses("{\"u8\": -1}", "u8: -1 is out of range; it takes " INTEGER("0 to 255"));
	refuses("{\"u16\": 65536}", "u16: 65536 is out of range; it takes " INTEGER("0 to 65535"));
	refuses("{\"u32\": 4294967296}", "u32: 4294967296 is out of range; it takes " INTEGER("0 to 4294967295"));
	refuses("{\"s32\": 2147483648}", "s32: 2147483648 is out of range; it takes " INTEGER("-2147483648 to 2147483647"));
	refuses("{\"s32\": -2147483649}", "s32: -2147483649 is out of range; it takes " INTEGER("-2147483648 to 2147483647"));
	refuses("{\"u64\": 9007199254740993}", "u64: 9007199254740993 is out of range; it takes " INTEGER("0 to 2^53"));
	refuses("{\"u64\": 18446744073709551615}", "u64: 9223372036854775807 is out of range; it takes " INTEGER("0 to 2^53"));
	refuses("{\"timeout\": -1}", "timeout: -1 is out of range; it takes milliseconds from 0 to 4294967294, or \"infinity\"");
	refuses("{\"inner\": {\"port\": 65536}}", "inner.port: 65536 is out of range; it takes " INTEGER("0 to 65535"));
}
END_TEST

START_TEST(the_wrong_type_is_named_with_the_right_one)
{
	refuses("{\"flag\": 1}", "flag: got an integer; it takes true or false");
	refuses("{\"u8\": \"1\"}", "u8: got a string; it takes " INTEGER("0 to 255"));
	refuses("{\"u32\": 1.5}", "u32: got 1.5; it takes " INTEGER("0 to 4294967295"));
	refuses("{\"flag\": 1.5}", "flag: got a floating-point number; it takes true or false");
	refuses("{\"words\": [nil]}", "words: got nil; its words are: one, four, top");
	refuses("{\"timeout\": \"never\"}", "timeout: got a string; it takes milliseconds from 0 to 4294967294, or \"infinity\"");
	refuses("{\"addr\": 1}", "addr: got an integer; it takes an address, such as \"10.0.0.1\" or \"2001:db8::1\"");
	refuses("{\"addr\": \"10.0.0\"}", "addr: \"10.0.0\" does not parse; it takes an address, such as \"10.0.0.1\" or \"2001:db8::1\"");
	refuses("{\"addr\": \"\"}", "addr: \"\" does not parse; it takes an address, such as \"10.0.0.1\" or \"2001:db8::1\"");
	refuses("{\"str\": x\"00\"}", "str: got bytes; it takes a string");
	refuses("{\"bin\": 1}", "bin: got an integer; it takes bytes (bin, or a string)");
	refuses("{\"words\": \"one\"}", "words: got a string; it takes a list of its words");
	refuses("{\"inner\": [1]}", "inner: got a list; it takes a map");
	refuses("[1]", ": got a list; it takes a map");
	refuses("true", ": got a boolean; it takes a map");
}
END_TEST

/* What a client spelt so becomes this. */
static void
becomes(const char *text, const char *wanted)
{
	msgpack_object	o = *text_object(text);

	codec_normalize(&o);
	ck_assert_str_eq(text_show_object(&o), wanted);
	codec_normalize(&o);
	ck_assert_str_eq(text_show_object(&o), wanted);
}

START_TEST(spellings_of_other_languages_are_put_right)
{
	becomes("[1.0, -1.0, 0.0, -0.0, 1.5, -0.5]", "[1, -1, 0, 0, 1.5, -0.5]");
	becomes("[9007199254740992.0, 18446744073709549568.0, -9223372036854775808.0]",
	    "[9007199254740992, 18446744073709549568, -9223372036854775808]");
	becomes("{x\"6162\": {x\"63\": [x\"\", x\"64\", \"e\", nil, true]}}", "{\"ab\": {\"c\": [\"\", \"d\", \"e\", nil, true]}}");
	becomes("[]", "[]");
}
END_TEST

/* Neither an integer nor one that 64 bits can hold. */
START_TEST(what_is_no_integer_stays_a_float)
{
	static const double	values[] = { NAN, -NAN, INFINITY, -INFINITY, 0x1p64, -0x1.0000000000001p63, 1e300, 0.1 };

	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		msgpack_object	o = { .type = MSGPACK_OBJECT_FLOAT64, .via.f64 = values[i] };

		codec_normalize(&o);
		ck_assert_int_eq(o.type, MSGPACK_OBJECT_FLOAT64);
	}
}
END_TEST

START_TEST(nil_and_empty_lists_say_nothing)
{
	struct all	a = { .u8 = 7, .inner = { .port = htons(3) } };
	struct errtext	err;
	uint64_t	has = ~UINT64_C(0);

	ck_assert(codec_unpack(text_object("{\"u8\": nil, \"inner\": [], \"any\": nil, \"endpoint\": nil}"), all_fields, &a,
	    &has, &err));
	ck_assert(a.u8 == 7 && a.inner.port == htons(3) && has == 1u << 14);
	ck_assert(codec_unpack(text_object("[]"), all_fields, &a, &has, &err));
	ck_assert_uint_eq(has, 0);
	refuses_by(few_fields, "{\"need\": nil}", "need: missing; it takes " INTEGER("0 to 4294967295"));
	refuses_by(few_fields, "{\"need\": 1, \"nead\": nil}", "nead: unknown; there are: need, may, text, from");
	refuses("{\"endpoint\": []}", "endpoint.addr: missing; it takes an address, such as \"10.0.0.1\" or \"2001:db8::1\"");
}
END_TEST

START_TEST(endpoints_are_refused_by_their_parts)
{
	refuses("{\"endpoint\": \"10.0.0.1\"}", "endpoint: got a string; it takes a map");
	refuses("{\"endpoint\": {\"addr\": \"10.0.0.1\"}}", "endpoint.port: missing; it takes " INTEGER("0 to 65535"));
	refuses("{\"endpoint\": {\"port\": 1}}", "endpoint.addr: missing; it takes an address, such as \"10.0.0.1\" or \"2001:db8::1\"");
	refuses("{\"endpoint\": {\"addr\": \"x\", \"port\": 1}}", "endpoint.addr: \"x\" does not parse; it takes an address, such as \"10.0.0.1\" or \"2001:db8::1\"");
	refuses("{\"endpoint\": {\"host\": \"x\"}}", "endpoint.host: unknown; there are: addr, port");
}
END_TEST

START_TEST(unknown_words_are_refused_with_the_list)
{
	refuses("{\"word\": \"pink\"}", "word: \"pink\" is not one of its words: red, green, blue");
	refuses("{\"word\": \"re\"}", "word: \"re\" is not one of its words: red, green, blue");
	refuses("{\"word\": \"\"}", "word: \"\" is not one of its words: red, green, blue");
	refuses("{\"word\": 7}", "word: got an integer; its words are: red, green, blue");
	refuses("{\"words\": [\"one\", \"two\"]}", "words: \"two\" is not one of its words: one, four, top");
	refuses("{\"words\": [4]}", "words: got an integer; its words are: one, four, top");
}
END_TEST

START_TEST(numbers_without_a_word_pass_as_numbers)
{
	static const struct field	fields[] = {
		WORDED(all, word, WORD, colours, "word", "x"),
		WORDED(all, words, WORDS, bits, "words", "x"),
		{ .key = NULL }
	};
	struct all			a = { .word = -9, .words = 0x0107 };

	ck_assert_str_eq(packed(fields, &a, sizeof a),
	    "{\"word\": -9, \"words\": [\"one\", \"four\", 258]}");
}
END_TEST

START_TEST(keys_are_known_strings)
{
	refuses_by(few_fields, "{\"need\": 1, \"nead\": 2}", "nead: unknown; there are: need, may, text, from");
	refuses_by(few_fields, "{1: 2}", ": a key is an integer; keys are strings");
	refuses_by(few_fields, "{}", "need: missing; it takes " INTEGER("0 to 4294967295"));
	refuses_by(few_fields, "{\"nee\": 1}", "nee: unknown; there are: need, may, text, from");
	refuses_by(few_fields, "{\"\": 1}", ": a key is empty; there are: need, may, text, from");
	refuses_by(FIELDS({ .key = NULL }), "{\"a\": 1}", "a: unknown; there are no arguments here");
	refuses("{\"inner\": {\"x\": 1}}", "inner.x: unknown; there are: port, ppid");
}
END_TEST

START_TEST(long_quotes_are_cut)
{
	char		text[400];
	struct all	a = { .u8 = 0 };
	struct errtext	err;

	(void)snprintf(text, sizeof text, "{\"word\": \"%0300d\"}", 0);
	ck_assert(!codec_unpack(text_object(text), all_fields, &a, NULL, &err));
	ck_assert_uint_lt(strlen(err.why), 128);
	(void)snprintf(text, sizeof text, "{\"%0300d\": 1}", 0);
	ck_assert(!codec_unpack(text_object(text), all_fields, &a, NULL, &err));
	ck_assert_uint_eq(strlen(err.path), 64);
}
END_TEST

START_TEST(absent_keys_leave_their_fields_alone)
{
	struct all	a = { .u8 = 1, .u16 = 2, .inner = { .port = htons(3) } };
	struct errtext	err;
	uint64_t	has = ~UINT64_C(0);

	ck_assert(codec_unpack(text_object("{\"u16\": 9, \"inner\": {\"ppid\": 1}}"),
	    all_fields, &a, &has, &err));
	ck_assert_uint_eq(a.u8, 1);
	ck_assert_uint_eq(a.u16, 9);
	ck_assert_uint_eq(a.inner.port, htons(3));
	ck_assert_uint_eq(has, 1u << 3 | 1u << 14);
	ck_assert(codec_unpack(text_object("{}"), all_fields, &a, &has, &err));
	ck_assert_uint_eq(has, 0);
}
END_TEST

START_TEST(sparse_fields_are_left_out_when_they_say_nothing)
{
	struct few	f = { .need = 0 };

	ck_assert_str_eq(packed(few_fields, &f, sizeof f), "{\"need\": 0}");
	f.text.ptr = "";
	f.may = 1;
	f.from.ss_family = AF_INET;
	ck_assert_str_eq(packed(few_fields, &f, sizeof f),
	    "{\"need\": 0, \"may\": 1, \"text\": \"\", "
	    "\"from\": {\"addr\": \"0.0.0.0\", \"port\": 0}}");
}
END_TEST

START_TEST(a_scalar_stands_for_itself)
{
	const struct field	*number = SCALAR(U8, int, "x");
	const struct field	*flag = SCALAR(BOOL, int, "x");
	struct errtext		 err;
	int			 v = -1;

	ck_assert(codec_unpack(text_object("200"), number, &v, NULL, &err));
	ck_assert_int_eq(v, 200);
	ck_assert_str_eq(packed(number, &v, sizeof v), "200");
	ck_assert_str_eq(packed(flag, &v, sizeof v), "true");
	refuses_by(number, "256", ": 256 is out of range; it takes " INTEGER("0 to 255"));
	refuses_by(flag, "{}", ": got a map; it takes true or false");
}
END_TEST

struct tailed {
	uint32_t	head;
	uint8_t		bytes[8];
};

START_TEST(tails_reach_to_the_end_of_what_came)
{
	static const struct field	bytes[] = {
		TAIL(tailed, bytes, TAIL, "t", "x"), { .key = NULL }
	};
	static const struct field	list[] = {
		TAIL(tailed, bytes, TAIL16, "t", "x"), { .key = NULL }
	};
	static const struct field	sparse[] = {
		{ .key = "t", .type = FIELD_TAIL, .offset = 4, .sparse = true },
		{ .key = NULL }
	};
	struct tailed			t = { .head = 1 };
	const uint16_t			u16[] = { 5, 60000 };

	memcpy(t.bytes, u16, sizeof u16);
	ck_assert_str_eq(packed(list, &t, 8), "{\"t\": [5, 60000]}");
	ck_assert_str_eq(packed(list, &t, 7), "{\"t\": [5]}");	/* odd */
	ck_assert_str_eq(packed(list, &t, 4), "{\"t\": []}");
	ck_assert_str_eq(packed(list, &t, 2), "{\"t\": []}");	/* too short */
	ck_assert_str_eq(packed(bytes, &t, 6), "{\"t\": x\"0500\"}");
	ck_assert_str_eq(packed(bytes, &t, 0), "{\"t\": x\"\"}");
	ck_assert_str_eq(packed(sparse, &t, 4), "{}");
	refuses_by(bytes, "{\"t\": x\"00\"}", "t: only the daemon writes this");
}
END_TEST

struct listed {
	uint16_t	nbytes;
	uint16_t	bytes[2];	/* of which the list has four of one byte each */
	uint32_t	nwords;
	uint16_t	words[3];
	uint16_t	behind;
};

START_TEST(lists_have_as_many_items_as_there_is_room_for)
{
	static const struct word	shades[] = { { 1, "red" }, { 300, "blue" }, { 0, NULL } };
	static const struct field	fields[] = {
		{ .key = "b", .type = FIELD_LIST, .offset = offsetof(struct listed, bytes), .width = 4, .item = 1,
		  .count = offsetof(struct listed, nbytes), .count_width = 2, .doc = "x" },
		LIST(listed, words, nwords, 3, shades, "w", "x"),
		{ .key = NULL }
	};
	struct listed			l = { .nbytes = 3, .bytes = { 0x0201, 0x0403 }, .nwords = 2,
	    .words = { 300, 7 }, .behind = 9 };
	struct errtext			err = { .path = "" };

	ck_assert_str_eq(packed(fields, &l, sizeof l), "{\"b\": x\"010203\", \"w\": [\"blue\", 7]}");
	l.nbytes = UINT16_MAX;		/* more than there are */
	l.nwords = UINT32_MAX;
	ck_assert_str_eq(packed(fields, &l, sizeof l), "{\"b\": x\"01020304\", \"w\": [\"blue\", 7, 0]}");
	ck_assert(codec_unpack(text_object("{\"b\": \"ab\", \"w\": [\"red\"]}"), fields, &l, NULL, &err));
	ck_assert(l.nbytes == 2 && memcmp(l.bytes, "ab\0\0", 4) == 0);
	ck_assert(l.nwords == 1 && l.words[0] == 1 && l.words[1] == 0 && l.behind == 9);
	ck_assert(codec_unpack(text_object("{\"b\": \"\", \"w\": []}"), fields, &l, NULL, &err));
	ck_assert(l.nbytes == 0 && l.nwords == 0 && l.behind == 9);
	refuses_by(fields, "{\"b\": \"abcde\"}", "b: 5 bytes are too long; it takes at most 4");
	refuses_by(fields, "{\"b\": [1]}", "b: got a list; it takes bytes (bin, or a string)");
	refuses_by(fields, "{\"w\": [\"red\", \"red\", \"red\", \"red\"]}", "w: 4 are too many; it takes at most 3");
	refuses_by(fields, "{\"w\": [7]}", "w: got an integer; its words are: red, blue");
	refuses_by(fields, "{\"w\": \"red\"}", "w: got a string; it takes a list of its words");
	ck_assert(codec_read(text_object("{\"w\": [7]}"), fields, &l, NULL, &err) && l.words[0] == 7);
}
END_TEST

START_TEST(packed_bytes_go_out_as_they_are)
{
	static const struct field	fields[] = {
		FIELD(all, any, ANY, "any", "x"), { .key = NULL }
	};
	struct all			a = { .any = { .packed = { "\x92\x01\xc0", 3 } } };

	ck_assert_str_eq(packed(fields, &a, sizeof a), "{\"any\": [1, nil]}");
	a.any.packed.ptr = NULL;
	ck_assert_str_eq(packed(fields, &a, sizeof a), "{\"any\": nil}");
}
END_TEST

START_TEST(nothing_packs_as_empty)
{
	struct all	a = { .u8 = 0 };

	ck_assert_ptr_nonnull(strstr(packed(all_fields, &a, sizeof a),
	    "\"addr\": \"\", \"endpoint\": {\"addr\": \"\", \"port\": 0}, "
	    "\"str\": \"\", \"bin\": x\"\""));
}
END_TEST

START_TEST(reading_passes_over_what_a_newer_daemon_says)
{
	struct few	f = { .need = 5 };
	struct errtext	err;
	uint64_t	has;

	ck_assert(codec_read(text_object("{\"new\": [1], 5: 6, \"may\": 2}"),
	    few_fields, &f, &has, &err));
	ck_assert_uint_eq(f.need, 5);
	ck_assert_uint_eq(f.may, 2);
	ck_assert_uint_eq(has, 2);
	ck_assert(!codec_read(text_object("{\"may\": \"x\"}"), few_fields, &f, &has, &err));
	ck_assert_str_eq(err.path, "may");
	ck_assert(!codec_read(text_object("nil"), few_fields, &f, &has, &err));
}
END_TEST

/* All that codec_pack writes, codec_read reads. */
START_TEST(reading_takes_what_the_daemon_has_no_word_for)
{
	static const char	text[] = "{\"word\": -9, \"words\": [\"one\", 258], "
	    "\"addr\": \"\", \"endpoint\": {\"addr\": \"\", \"port\": 0, \"new\": 1}, "
	    "\"inner\": {\"port\": 2, \"new\": {}}}";
	struct all		a = { .endpoint = { .ss_family = AF_INET } };
	struct errtext		err = { .why = "" };
	uint64_t		has;

	ck_assert_msg(codec_read(text_object(text), all_fields, &a, &has, &err),
	    "%s: %s", err.path, err.why);
	ck_assert_int_eq(a.word, -9);
	ck_assert_uint_eq(a.words, 259);
	ck_assert_uint_eq(a.endpoint.ss_family, AF_UNSPEC);
	ck_assert_uint_eq(a.inner.port, htons(2));
	refuses("{\"endpoint\": {\"addr\": \"\", \"port\": 0}}", "endpoint.addr: \"\" does not parse; it takes an address, such as \"10.0.0.1\" or \"2001:db8::1\"");
	ck_assert(!codec_read(text_object("{\"words\": [[]]}"), all_fields, &a, &has, &err));
	ck_assert(!codec_read(text_object("{\"word\": \"pink\"}"), all_fields, &a, &has, &err));
}
END_TEST

START_TEST(reading_takes_scalars_too)
{
	int		v = 0;
	struct errtext	err;

	ck_assert(codec_read(text_object("7"), SCALAR(U32, int, "x"), &v, NULL, &err));
	ck_assert_int_eq(v, 7);
	ck_assert(!codec_read(text_object("{}"), SCALAR(U32, int, "x"), &v, NULL, &err));
}
END_TEST

START_TEST(types_have_names)
{
	ck_assert_str_eq(codec_type(text_object("nil")), "nil");
	ck_assert_str_eq(codec_type(text_object("-1")), "an integer");
	ck_assert_str_eq(codec_type(text_object("{}")), "a map");
	ck_assert(codec_is(text_object("\"ab\""), "ab"));
	ck_assert(!codec_is(text_object("\"ab\""), "abc"));
	ck_assert(!codec_is(text_object("\"ab\""), "a"));
	ck_assert(!codec_is(text_object("x\"6162\""), "ab"));
	ck_assert(codec_is(text_object("\"\""), ""));
}
END_TEST

static void
add_unpacking(Suite *s)
{
	TCase	*tc = tcase_create("unpacking");

	tcase_add_test(tc, ends_of_the_ranges_are_taken);
	tcase_add_test(tc, beyond_the_ranges_is_refused);
	tcase_add_test(tc, the_wrong_type_is_named_with_the_right_one);
	tcase_add_test(tc, endpoints_are_refused_by_their_parts);
	tcase_add_test(tc, unknown_words_are_refused_with_the_list);
	tcase_add_test(tc, keys_are_known_strings);
	tcase_add_test(tc, long_quotes_are_cut);
	tcase_add_test(tc, spellings_of_other_languages_are_put_right);
	tcase_add_test(tc, what_is_no_integer_stays_a_float);
	tcase_add_test(tc, nil_and_empty_lists_say_nothing);
	tcase_add_test(tc, absent_keys_leave_their_fields_alone);
	tcase_add_test(tc, reading_passes_over_what_a_newer_daemon_says);
	tcase_add_test(tc, reading_takes_what_the_daemon_has_no_word_for);
	tcase_add_test(tc, reading_takes_scalars_too);
	suite_add_tcase(s, tc);
}

Suite *
codec_suite(void)
{
	Suite	*s = suite_create("codec");
	TCase	*tc = tcase_create("packing");

	tcase_add_test(tc, every_type_makes_the_way_there_and_back);
	tcase_add_test(tc, numbers_without_a_word_pass_as_numbers);
	tcase_add_test(tc, sparse_fields_are_left_out_when_they_say_nothing);
	tcase_add_test(tc, a_scalar_stands_for_itself);
	tcase_add_test(tc, tails_reach_to_the_end_of_what_came);
	tcase_add_test(tc, lists_have_as_many_items_as_there_is_room_for);
	tcase_add_test(tc, packed_bytes_go_out_as_they_are);
	tcase_add_test(tc, nothing_packs_as_empty);
	tcase_add_test(tc, types_have_names);
	suite_add_tcase(s, tc);
	add_unpacking(s);
	return s;
}
