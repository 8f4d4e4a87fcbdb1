/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data path's messages by hand against the same by the tables, and what
 * is not ordinary, which they must leave to the others.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/fastpath.h"
#include "unit.h"

#define ROUNDS	20000

static uint32_t
some(void)
{
	switch (random() % 5) {
	case 0:
		return 0;
	case 1:
		return (uint32_t)random() % 128;
	case 2:
		return (uint32_t)random() % 300;
	case 3:
		return (uint32_t)random() % 70000;
	}
	return (uint32_t)random() * 2 + 1;
}

static struct sndrcvinfo
some_info(void)
{
	return (struct sndrcvinfo){
		.stream = (uint16_t)some(),
		.ssn = (uint16_t)some(),
		.flags = random() % 2 ? SNDRCV_UNORDERED : 0,
		.ppid = some(),
		.context = some(),
		.timetolive = some(),
		.tsn = some(),
		.cumtsn = some(),
		.assoc_id = some(),
	};
}

static void
some_peer(struct sockaddr_storage *ss)
{
	struct sockaddr_in	s4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)some()),
	    .sin_addr.s_addr = some() };
	struct sockaddr_in6	s6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)some()) };

	memset(ss, 0, sizeof *ss);
	for (size_t i = 0; i < sizeof s6.sin6_addr.s6_addr; i++)
		s6.sin6_addr.s6_addr[i] = (uint8_t)(random() % 3 ? random() : 0);
	if (random() % 2)
		memcpy(ss, &s4, sizeof s4);
	else
		memcpy(ss, &s6, sizeof s6);
}

/* The event as the tables have it, but for the message's bytes. */
static void
pack_event(msgpack_sbuffer *b, uint64_t seq, uint64_t sock, const struct sockaddr_storage *from,
    const struct sndrcvinfo *info, uint64_t timestamp, uint32_t len)
{
	msgpack_packer	pk;

	msgpack_packer_init(&pk, b, msgpack_sbuffer_write);
	msgpack_pack_array(&pk, 3);
	msgpack_pack_uint8(&pk, 2);
	codec_pack_text(&pk, "data");
	msgpack_pack_array(&pk, 1);
	msgpack_pack_map(&pk, 2u + (seq != 0) + (from != NULL) + (info != NULL) + (timestamp != 0));
	if (seq != 0) {
		codec_pack_text(&pk, "seq");
		msgpack_pack_uint64(&pk, seq);
	}
	codec_pack_text(&pk, "sock");
	msgpack_pack_uint64(&pk, sock);
	if (from != NULL) {
		codec_pack_text(&pk, "from");
		codec_pack_endpoint(&pk, from);
	}
	if (info != NULL) {
		codec_pack_text(&pk, "sctp_sndrcvinfo");
		codec_pack(&pk, sndrcvinfo_fields, info, sizeof *info);
	}
	if (timestamp != 0) {
		codec_pack_text(&pk, "timestamp");
		msgpack_pack_uint64(&pk, timestamp);
	}
	codec_pack_text(&pk, "data");
	msgpack_pack_bin(&pk, len);
}

START_TEST(events_are_what_the_tables_say)
{
	static struct fastpath_from	f;
	struct sockaddr_storage	peer;
	char			hot[FASTPATH_EVENT_MAX];

	for (int i = 0; i < ROUNDS; i++) {
		struct sndrcvinfo	 info = some_info();
		const struct sndrcvinfo	*in = random() % 4 ? &info : NULL;
		uint64_t		 seq = some(), sock = (uint64_t)some() << (random() % 20);
		uint64_t		 timestamp = (uint64_t)some() << (random() % 20);
		uint32_t		 len = some();
		msgpack_sbuffer		 b;
		size_t			 n;
		bool			 from;

		if (random() % 3 == 0 || i == 0)
			some_peer(&peer);
		from = random() % 5 != 0;
		msgpack_sbuffer_init(&b);
		pack_event(&b, seq, sock, from ? &peer : NULL, in, timestamp, len);
		n = fastpath_write_data(hot, seq, sock, &f, from ? &peer : NULL, in, timestamp, len);
		ck_assert_msg(n == b.size && memcmp(hot, b.data, n) == 0, "round %d: %s, wanted %s", i,
		    text_show(hot, n), text_show(b.data, b.size));
		msgpack_sbuffer_destroy(&b);
	}
}
END_TEST

START_TEST(the_longest_event_fits)
{
	struct sndrcvinfo	info = { .stream = UINT16_MAX, .ssn = UINT16_MAX, .flags = SNDRCV_UNORDERED,
	    .ppid = UINT32_MAX, .context = UINT32_MAX, .timetolive = UINT32_MAX, .tsn = UINT32_MAX,
	    .cumtsn = UINT32_MAX, .assoc_id = UINT32_MAX };
	struct sockaddr_in6	s6 = { .sin6_family = AF_INET6, .sin6_port = 0xffff, .sin6_scope_id = UINT32_MAX };
	struct sockaddr_storage	ss;
	struct fastpath_from		f = { .len = 0 };
	char			hot[FASTPATH_EVENT_MAX];

	memset(&s6.sin6_addr, 0xee, sizeof s6.sin6_addr);
	memset(&ss, 0, sizeof ss);
	memcpy(&ss, &s6, sizeof s6);
	ck_assert(fastpath_write_data(hot, UINT64_MAX, UINT64_MAX, &f, &ss, &info, UINT64_MAX, UINT32_MAX) <= FASTPATH_EVENT_MAX);
}
END_TEST

START_TEST(answers_are_short)
{
	char	hot[FASTPATH_DONE_MAX];

	ck_assert_str_eq(text_show(hot, fastpath_write_done(hot, 0)), "[1, 0, nil, {}]");
	ck_assert_str_eq(text_show(hot, fastpath_write_done(hot, 77777)), "[1, 77777, nil, {}]");
	ck_assert(fastpath_write_done(hot, UINT32_MAX) == FASTPATH_DONE_MAX);
}
END_TEST

static size_t
reads(const char *text, struct fastpath_send *m)
{
	static msgpack_sbuffer	b;
	msgpack_packer		pk;

	msgpack_sbuffer_clear(&b);
	msgpack_packer_init(&pk, &b, msgpack_sbuffer_write);
	text_pack(&pk, text);
	return fastpath_read_send(b.data, b.size, m) == b.size ? b.size : 0;
}

START_TEST(ordinary_sends_are_read)
{
	struct fastpath_send	m;

	ck_assert(reads("[0, 70000, \"send\", [{\"sock\": 5000000000, \"assoc_id\": 3, \"stream\": 7, \"data\": x\"0102\"}]]", &m) > 0);
	ck_assert(!m.notification && m.msgid == 70000 && m.in.sock == 5000000000 && m.in.assoc_id == 3);
	ck_assert(m.in.stream == 7 && m.in.data.len == 2 && m.in.data.ptr[1] == 2);
	ck_assert(RPC_HAS(&m.in, send, stream) && !RPC_HAS(&m.in, send, sctp_sndrcvinfo));
	ck_assert(reads("[2, \"send\", [{\"data\": x\"01\", \"sock\": 1, \"sctp_sndrcvinfo\": {\"stream\": 2, \"ppid\": 46, \"assoc_id\": 9}}]]", &m) > 0);
	ck_assert(m.notification && m.in.sctp_sndrcvinfo.stream == 2 && m.in.sctp_sndrcvinfo.ppid == 46);
	ck_assert(m.in.sctp_sndrcvinfo.assoc_id == 9 && RPC_HAS(&m.in, send, sctp_sndrcvinfo));
}
END_TEST

/* As libraries have it that make bin of every string. */
START_TEST(sends_of_bin_alone_are_read)
{
	struct fastpath_send	m;

	/* send, sock, assoc_id, data, sctp_sndrcvinfo, ppid */
	ck_assert(reads("[0, 1, x\"73656e64\", [{x\"736f636b\": 5, x\"6173736f635f6964\": 3, x\"64617461\": x\"0102\"}]]", &m) > 0);
	ck_assert(m.in.sock == 5 && m.in.assoc_id == 3 && m.in.data.len == 2);
	ck_assert(reads("[2, x\"73656e64\", [{\"sock\": 5, x\"736374705f736e6472637"
	    "6696e666f\": {x\"70706964\": 46}, x\"64617461\": x\"01\"}]]", &m) > 0);
	ck_assert(m.notification && m.in.sctp_sndrcvinfo.ppid == 46);
}
END_TEST

static const char *const others[] = {
	"[0, 1, \"sent\", [{\"sock\": 1, \"data\": x\"01\"}]]",
	"[0, 1, \"send\", []]",
	"[0, 1, \"send\", [{\"sock\": 1}]]",
	"[0, 1, \"send\", [{\"data\": x\"01\"}]]",
	"[0, 1, \"send\", [{\"sock\": 1, \"sock\": 1, \"data\": x\"01\"}]]",
	"[0, 1, \"send\", [{\"sock\": -1, \"data\": x\"01\"}]]",
	"[0, 1, \"send\", [{\"sock\": 1, \"data\": \"01\"}]]",
	"[0, 1, \"send\", [{\"sock\": 1, \"stream\": 65536, \"data\": x\"01\"}]]",
	"[0, 1, \"send\", [{\"sock\": 1, \"assoc_id\": 4294967296, \"data\": x\"01\"}]]",
	"[0, 1, \"send\", [{\"sock\": 1, \"other\": 1, \"data\": x\"01\"}]]",
	"[0, 1, \"send\", [{\"sock\": 1, \"data\": x\"01\", \"sctp_sndrcvinfo\": {\"flags\": [\"unordered\"]}}]]",
	"[0, 1, \"send\", [{\"sock\": 1, \"data\": x\"01\", \"sctp_sndrcvinfo\": {\"tsn\": 1}}]]",
	"[0, 1, \"send\", [{\"sock\": 1, \"data\": x\"01\", \"sctp_sndrcvinfo\": {\"pr_policy\": \"rtx\"}}]]",
	"[0, 1, \"send\", [{\"sock\": 1, \"data\": x\"01\", \"sctp_sndrcvinfo\": {\"pr_value\": 1}}]]",
	"[0, 1, \"send\", [{\"sock\": 1, \"data\": x\"01\", \"sctp_sndrcvinfo\": {\"auth_keynumber\": 1}}]]",
	"[0, 4294967296, \"send\", [{\"sock\": 1, \"data\": x\"01\"}]]",
	"[0, 1, \"send\", [{\"sock\": 1.0, \"data\": x\"01\"}]]",
	"[0, 1, \"send\", [{\"sock\": 1, \"stream\": nil, \"data\": x\"01\"}]]",
	"[1, 1, \"send\", [{\"sock\": 1, \"data\": x\"01\"}]]",
	"[0, 1, \"send\", [{\"sock\": 1, \"data\": x\"01\"}, 2]]",
};

START_TEST(what_is_not_ordinary_is_left_to_others)
{
	struct fastpath_send	m;

	ck_assert_msg(reads(others[_i], &m) == 0, "%s", others[_i]);
}
END_TEST

START_TEST(of_a_part_nothing_is_read)
{
	msgpack_sbuffer	b;
	msgpack_packer	pk;
	struct fastpath_send	m;

	msgpack_sbuffer_init(&b);
	msgpack_packer_init(&pk, &b, msgpack_sbuffer_write);
	text_pack(&pk, "[0, 70000, \"send\", [{\"sock\": 5000000000, \"assoc_id\": 3, \"sctp_sndrcvinfo\": {\"ppid\": 70000}, \"data\": x\"01020304\"}]]");
	for (size_t n = 0; n < b.size; n++) {
		char	*part = malloc(n + 1);	/* its end is where ASan sees it */

		memcpy(part, b.data, n);
		part = realloc(part, n > 0 ? n : 1);
		ck_assert(fastpath_read_send(part, n, &m) == 0);
		free(part);
	}
	msgpack_sbuffer_destroy(&b);
}
END_TEST

Suite *
fastpath_suite(void)
{
	Suite	*s = suite_create("fastpath");
	TCase	*t = tcase_create("hot");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, events_are_what_the_tables_say);
	tcase_add_test(t, the_longest_event_fits);
	tcase_add_test(t, answers_are_short);
	tcase_add_test(t, ordinary_sends_are_read);
	tcase_add_test(t, sends_of_bin_alone_are_read);
	tcase_add_loop_test(t, what_is_not_ordinary_is_left_to_others, 0, sizeof others / sizeof others[0]);
	tcase_add_test(t, of_a_part_nothing_is_read);
	suite_add_tcase(s, t);
	return s;
}
