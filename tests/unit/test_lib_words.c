/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words and structs of the library as arguments on the wire, and its codes.
 */
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdio.h>
#include <string.h>

#include "proto/error.h"
#include "lib.h"

/* What the words become on the wire; or why they do not. */
static const char *
wire(const char *words)
{
	static char	 text[512];
	const char	*argv[16];
	int		 argc = 0;

	snprintf(text, sizeof text, "%s", words);
	for (char *w = strtok(text, " "); w != NULL; w = strtok(NULL, " "))
		argv[argc++] = w;
	if (sctpd_callv_async(lib_conn, NULL, NULL, argc, argv) != SCTPD_OK)
		return sctpd_error(lib_conn);
	(void)sctpd_flush(lib_conn);
	return lib_heard();
}

START_TEST(words_become_values)
{
	ck_assert_str_eq(wire("status"), "[2, \"status\", [{}]]");
	ck_assert_str_eq(wire("open ip=::1 port=0x10 type=stream family=inet6"),
	    "[2, \"open\", [{\"ip\": \"::1\", \"port\": 16, \"type\": \"stream\", \"family\": \"inet6\"}]]");
	ck_assert_str_eq(wire("listen sock=1 backlog=false"), "[2, \"listen\", [{\"sock\": 1, \"backlog\": false}]]");
	ck_assert_str_eq(wire("listen sock=1 backlog=7"), "[2, \"listen\", [{\"sock\": 1, \"backlog\": 7}]]");
	ck_assert_str_eq(wire("recv sock=1 timeout=infinity"), "[2, \"recv\", [{\"sock\": 1, \"timeout\": \"infinity\"}]]");
	ck_assert_str_eq(wire("watch on=0"), "[2, \"watch\", [{\"on\": false}]]");
	ck_assert_str_eq(wire("send sock=1 data=5"), "[2, \"send\", [{\"sock\": 1, \"data\": x\"35\"}]]");
	ck_assert_str_eq(wire("send sock=1 data=hex:00Ff"), "[2, \"send\", [{\"sock\": 1, \"data\": x\"00ff\"}]]");
	ck_assert_str_eq(wire("send sock=1 data=text:hex:0"), "[2, \"send\", [{\"sock\": 1, \"data\": x\"6865783a30\"}]]");
	ck_assert_str_eq(wire("send sock=1 data=a=b.c"), "[2, \"send\", [{\"sock\": 1, \"data\": x\"613d622e63\"}]]");
	ck_assert_str_eq(wire("send sock=1 sctp_sndrcvinfo.flags=unordered,addr_over data=x sctp_sndrcvinfo.ppid=46"),
	    "[2, \"send\", [{\"sock\": 1, \"sctp_sndrcvinfo\": {\"flags\": [\"unordered\", \"addr_over\"], \"ppid\": 46}, \"data\": x\"78\"}]]");
}
END_TEST

START_TEST(options_keep_their_order)
{
	ck_assert_str_eq(wire("setopts sock=1 options.sctp_rtoinfo.max=4000 options.active=once options.sctp_nodelay=true options.sctp_rtoinfo.min=1"),
	    "[2, \"setopts\", [{\"sock\": 1, \"options\": [[\"sctp_rtoinfo\", {\"max\": 4000, \"min\": 1}], [\"active\", \"once\"], [\"sctp_nodelay\", true]]}]]");
	ck_assert_str_eq(wire("setopts sock=1 options.active=-5"), "[2, \"setopts\", [{\"sock\": 1, \"options\": [[\"active\", -5]]}]]");
	ck_assert_str_eq(wire("getopts sock=1 options=sctp_nodelay,sctp_rtoinfo options.sctp_status.assoc_id=3"),
	    "[2, \"getopts\", [{\"sock\": 1, \"options\": [\"sctp_nodelay\", \"sctp_rtoinfo\", [\"sctp_status\", {\"assoc_id\": 3}]]}]]");
	ck_assert_str_eq(wire("setopts sock=1 options.sctp_primary_addr.addr=[::1]:5 options.sctp_primary_addr.assoc_id=2"),
	    "[2, \"setopts\", [{\"sock\": 1, \"options\": [[\"sctp_primary_addr\", {\"addr\": {\"addr\": \"::1\", \"port\": 5}, \"assoc_id\": 2}]]}]]");
}
END_TEST

START_TEST(mistakes_are_named)
{
	ck_assert_str_eq(wire("frob a=1"), "enosys: there is no method \"frob\"");
	ck_assert_str_eq(wire("open x"), "badarg: open: \"x\" is not a key=value word");
	ck_assert_str_eq(wire("open =x"), "badarg: open: \"=x\" is not a key=value word");
	ck_assert_str_eq(wire("open prt=1"), "badarg: open: prt: unknown; there are: ip, port, type, family, options, bind");
	ck_assert_str_eq(wire("open port=65536"), "badarg: open: port: 65536 is out of range; it takes an integer from 0 to 65535");
	ck_assert_str_eq(wire("open port=1 port=2"), "badarg: open: port: given twice");
	ck_assert_str_eq(wire("open port.x=1"), "badarg: open: port: it has no parts");
	ck_assert_str_eq(wire("open type=foo"), "badarg: open: type: \"foo\" is not one of its words: seqpacket, stream");
	ck_assert_str_eq(wire("close"), "badarg: close: sock: missing; it takes an integer from 0 to 2^53");
	ck_assert_str_eq(wire("send sock=1 data=hex:0"), "badarg: send: data: hex: takes pairs of the digits 0-9 and a-f");
	ck_assert_str_eq(wire("setopts sock=1 options.foo=1"), "badarg: setopts: options.foo: there is no such option");
	ck_assert_str_eq(wire("setopts sock=1 options=active"), "badarg: setopts: options: name them: options.NAME=VALUE, options.NAME.FIELD=VALUE");
	ck_assert_str_eq(wire("setopts sock=1 options.sctp_status.assoc_id=1"), "badarg: setopts: options.sctp_status: it can only be read");
	ck_assert_str_eq(wire("setopts sock=1 options.netns=/x"), "badarg: setopts: options.netns: it can only be given at open");
	ck_assert_str_eq(wire("getopts sock=1 options=netns"), "badarg: getopts: options.netns: it can only be given at open");
	ck_assert_str_eq(wire("setopts sock=1 options.sctp_rtoinfo=1"), "badarg: setopts: options.sctp_rtoinfo: it is a record; name its parts: .assoc_id .initial .max .min");
	ck_assert_str_eq(wire("setopts sock=1 options.sctp_rtoinfo.max=-1"), "badarg: setopts: options.sctp_rtoinfo.max: -1 is out of range; it takes an integer from 0 to 4294967295");
	ck_assert_str_eq(wire("setopts sock=1 options.sctp_nodelay.x=1"), "badarg: setopts: options.sctp_nodelay: it is one value, without parts");
	ck_assert_str_eq(wire("send sock=1 data=x sctp_sndrcvinfo=5"), "badarg: send: sctp_sndrcvinfo: it is a record; name its parts: "
	    ".stream .ssn .flags .ppid .context .timetolive .tsn .cumtsn .assoc_id .pr_policy .pr_value .auth_keynumber .addr");
	ck_assert_str_eq(lib_heard(), "nothing");
	ck_assert_uint_eq(sctpd_pending(lib_conn), 0);
}
END_TEST

START_TEST(what_is_filled_in_cannot_add_words)
{
	ck_assert_int_eq(sctpd_call_async(lib_conn, NULL, NULL, "send sock=%d data=%s", 1, "a b=c\n d"), SCTPD_OK);
	ck_assert_int_eq(sctpd_flush(lib_conn), SCTPD_OK);
	ck_assert_str_eq(lib_heard(), "[2, \"send\", [{\"sock\": 1, \"data\": x\"6120623d630a2064\"}]]");
	ck_assert_int_eq(sctpd_call_async(lib_conn, NULL, NULL, "send sock=%d data=%s", 1, "a\x1f""b=c"), SCTPD_BADARG);
}
END_TEST

START_TEST(structs_become_options)
{
	struct sctp_rtoinfo	 rto = { .srto_max = 4000, .srto_min = 7 };
	struct sctp_paddrparams	 pp = { .spp_hbinterval = 5, .spp_flags = SPP_HB_ENABLE };
	int			 on = 1;

	lib_say("[1, " FIRST ", nil, {}]");
	ck_assert_int_eq(sctpd_setopt(lib_conn, 5, "sctp_rtoinfo", &rto, sizeof rto), SCTPD_OK);
	ck_assert_str_eq(lib_heard(), "[0, " FIRST ", \"setopts\", [{\"sock\": 5, \"options\": [[\"sctp_rtoinfo\", "
	    "{\"assoc_id\": 0, \"initial\": 0, \"max\": 4000, \"min\": 7}]]}]]");
	lib_say("[1, " AGAIN ", nil, {}]");
	ck_assert_int_eq(sctpd_setopt(lib_conn, 5, "sctp_nodelay", &on, sizeof on), SCTPD_OK);
	ck_assert_str_eq(lib_heard(), "[0, " AGAIN ", \"setopts\", [{\"sock\": 5, \"options\": [[\"sctp_nodelay\", true]]}]]");
	lib_say("[1, " THIRD ", nil, {}]");
	ck_assert_int_eq(sctpd_setopt(lib_conn, 5, "sctp_peer_addr_params", &pp, sizeof pp), SCTPD_OK);
	ck_assert_ptr_null(strstr(lib_heard(), "\"address\""));
	ck_assert_int_eq(sctpd_setopt(lib_conn, 5, "sctp_rtoinfo", &rto, 4), SCTPD_BADARG);
	ck_assert_int_eq(sctpd_setopt(lib_conn, 5, "sctp_foo", &rto, 4), SCTPD_BADARG);
	ck_assert_int_eq(sctpd_setopt(lib_conn, 5, "active", &on, sizeof on), SCTPD_BADARG);
	ck_assert_int_eq(sctpd_setopt(lib_conn, 5, "sctp_status", &on, sizeof on), SCTPD_BADARG);
	lib_say("[1, " FOURTH ", nil, {}]");
	ck_assert_int_eq(sctpd_set_active(lib_conn, 5, SCTPD_ONCE), SCTPD_OK);
	ck_assert_str_eq(lib_heard(), "[0, " FOURTH ", \"setopts\", [{\"sock\": 5, \"options\": [[\"active\", \"once\"]]}]]");
}
END_TEST

START_TEST(options_become_structs)
{
	struct sctp_status	 st;
	struct sockaddr_in	*sin = (struct sockaddr_in *)&st.sstat_primary.spinfo_address;
	int			 on = 0;

	memset(&st, 0, sizeof st);
	st.sstat_assoc_id = 3;
	lib_say("[1, " FIRST ", nil, {\"options\": [[\"sctp_status\", {\"assoc_id\": 3, \"state\": \"established\", \"rwnd\": 70000, "
	    "\"newer\": 1, \"primary\": {\"address\": {\"addr\": \"10.0.0.1\", \"port\": 2905}, \"cwnd\": 4380}}]]}]");
	ck_assert_int_eq(sctpd_getopt(lib_conn, 5, "sctp_status", &st, sizeof st), SCTPD_OK);
	ck_assert_str_eq(lib_heard(), "[0, " FIRST ", \"getopts\", [{\"sock\": 5, \"options\": [[\"sctp_status\", {\"assoc_id\": 3}]]}]]");
	ck_assert_int_eq(st.sstat_state, SCTP_ESTABLISHED);
	ck_assert_uint_eq(st.sstat_rwnd, 70000);
	ck_assert_uint_eq(ntohs(sin->sin_port), 2905);
	lib_say("[1, " AGAIN ", nil, {\"options\": [[\"sctp_nodelay\", true]]}]");
	ck_assert_int_eq(sctpd_getopt(lib_conn, 5, "sctp_nodelay", &on, sizeof on), SCTPD_OK);
	ck_assert_int_eq(on, 1);
	lib_say("[1, " THIRD ", nil, {\"options\": []}]");
	ck_assert_int_eq(sctpd_getopt(lib_conn, 5, "sctp_nodelay", &on, sizeof on), SCTPD_EPROTO);
	lib_say("[1, " FOURTH ", nil, {\"options\": [[\"sctp_nodelay\", 5]]}]");
	ck_assert_int_eq(sctpd_getopt(lib_conn, 5, "sctp_nodelay", &on, sizeof on), SCTPD_EPROTO);
}
END_TEST

START_TEST(lists_become_structs_and_back)
{
	/* The head of struct sctp_authkey, and the key: association 7, key 2, 3 bytes. */
	struct { int32_t id; uint16_t number, length; char key[5]; } key = { 7, 2, 3, "abc" };
	struct { int32_t id; uint32_t n; uint8_t chunks[4]; } chunks = { 3, 0, { 0 } };
	struct { uint32_t n; uint16_t idents[4]; } hmacs = { 2, { 3, 1 } };

	lib_say("[1, " FIRST ", nil, {}]");
	ck_assert_int_eq(sctpd_setopt(lib_conn, 5, "sctp_auth_key", &key, 11), SCTPD_OK);
	ck_assert_str_eq(lib_heard(), "[0, " FIRST ", \"setopts\", [{\"sock\": 5, \"options\": [[\"sctp_auth_key\", "
	    "{\"assoc_id\": 7, \"keynumber\": 2, \"key\": x\"616263\"}]]}]]");
	ck_assert_int_eq(sctpd_setopt(lib_conn, 5, "sctp_auth_key", &key, 10), SCTPD_BADARG);
	ck_assert_int_eq(sctpd_setopt(lib_conn, 5, "sctp_auth_key", &key, 7), SCTPD_BADARG);
	key.length = 65535;
	ck_assert_int_eq(sctpd_setopt(lib_conn, 5, "sctp_auth_key", &key, sizeof key), SCTPD_BADARG);
	ck_assert_int_eq(sctpd_setopt(lib_conn, 5, "sctp_auth_required", &key, sizeof key), SCTPD_BADARG);
	lib_say("[1, " AGAIN ", nil, {}]");
	ck_assert_int_eq(sctpd_setopt(lib_conn, 5, "sctp_hmac_ident", &hmacs, 8), SCTPD_OK);
	ck_assert_str_eq(lib_heard(), "[0, " AGAIN ", \"setopts\", [{\"sock\": 5, \"options\": [[\"sctp_hmac_ident\", "
	    "{\"idents\": [\"sha256\", \"sha1\"]}]]}]]");
	lib_say("[1, " THIRD ", nil, {\"options\": [[\"sctp_peer_auth_chunks\", {\"assoc_id\": 3, \"chunks\": [\"data\", \"asconf\", 200]}]]}]");
	ck_assert_int_eq(sctpd_getopt(lib_conn, 5, "sctp_peer_auth_chunks", &chunks, sizeof chunks), SCTPD_OK);
	ck_assert_str_eq(lib_heard(), "[0, " THIRD ", \"getopts\", [{\"sock\": 5, \"options\": [[\"sctp_peer_auth_chunks\", {\"assoc_id\": 3}]]}]]");
	ck_assert(chunks.n == 3 && chunks.chunks[0] == 0 && chunks.chunks[1] == 193 && chunks.chunks[2] == 200);
	lib_say("[1, " FOURTH ", nil, {\"options\": [[\"sctp_peer_auth_chunks\", {\"assoc_id\": 3, \"chunks\": [\"data\", \"data\", \"data\"]}]]}]");
	ck_assert_int_eq(sctpd_getopt(lib_conn, 5, "sctp_peer_auth_chunks", &chunks, 10), SCTPD_BADARG);
}
END_TEST

START_TEST(keys_are_given_in_words)
{
	ck_assert_str_eq(wire("setopts sock=1 options.sctp_auth_required.keynumber=1 options.sctp_auth_required.key=hex:00ff options.sctp_auth_required.chunks=data,asconf"),
	    "[2, \"setopts\", [{\"sock\": 1, \"options\": [[\"sctp_auth_required\", {\"keynumber\": 1, \"key\": x\"00ff\", \"chunks\": [\"data\", \"asconf\"]}]]}]]");
	ck_assert_str_eq(wire("setopts sock=1 options.sctp_auth_key.key=abc"),
	    "badarg: setopts: options.sctp_auth_key.keynumber: missing; it takes an integer from 0 to 65535");
}
END_TEST

/* Every row of error.def has a number, and no two have the same. */
START_TEST(codes_are_the_tables)
{
	char	seen[256] = { 0 };
	int	n = 0;

	for (int code = 1; code < 200; code++) {
		if (strcmp(sctpd_code_name(code), "unknown") != 0)
			seen[code] = 1;
		n += seen[code];
	}
	ck_assert_int_eq(n, ERR_COUNT - 1);
	ck_assert_str_eq(sctpd_code_name(SCTPD_OK), "ok");
	ck_assert_str_eq(sctpd_code_name(SCTPD_EADDRINUSE), "eaddrinuse");
	ck_assert_str_eq(sctpd_code_name(SCTPD_NOT_OWNER), "not_owner");
	ck_assert_str_eq(sctpd_code_name(SCTPD_ETIMEDOUT), "etimedout");
	ck_assert_str_eq(sctpd_code_name(SCTPD_LOST), "lost");
	ck_assert_str_eq(sctpd_code_text(SCTPD_TIMEOUT), "The operation did not finish within the given time.");
	ck_assert_str_eq(sctpd_cause_text(12), "User Initiated Abort");
	ck_assert_str_eq(sctpd_cause_text(99), "unknown_error");
}
END_TEST

START_TEST(values_take_anything)
{
	const struct sctpd_value	*v;

	lib_say("[1, " FIRST ", nil, {\"a\": {\"b\": [1, -2, 1.5, nil, true, \"\", x\"00\"], \"\": 1}, \"a.b\": 7}]");
	ck_assert_int_eq(sctpd_call(lib_conn, &v, "status"), SCTPD_OK);
	ck_assert_uint_eq(sctpd_count(sctpd_get(v, "a.b")), 7);
	ck_assert_int_eq(sctpd_int(sctpd_item(sctpd_get(v, "a.b"), 1)), -2);
	ck_assert(sctpd_float(sctpd_item(sctpd_get(v, "a.b"), 2)) == 1.5);
	ck_assert_int_eq(sctpd_int(sctpd_item(sctpd_get(v, "a.b"), 4)), 1);
	ck_assert_int_eq(sctpd_type(sctpd_item(sctpd_get(v, "a.b"), 6)), SCTPD_BIN);
	ck_assert_ptr_null(sctpd_item(v, 2));
	ck_assert_str_eq(sctpd_key(v, 2), "");
	ck_assert_ptr_null(sctpd_get(v, "c"));
	ck_assert_ptr_null(sctpd_get(v, "a.c"));
	ck_assert_ptr_null(sctpd_get(NULL, "a"));
	ck_assert_int_eq(sctpd_type(NULL), SCTPD_NIL);
	ck_assert_str_eq(sctpd_str(NULL, NULL), "");
	ck_assert_int_eq(sctpd_get_int(v, "a"), 0);
}
END_TEST

Suite *
lib_words_suite(void)
{
	Suite	*s = suite_create("lib_words");
	TCase	*t = tcase_create("words");

	tcase_add_checked_fixture(t, lib_setup, lib_teardown);
	tcase_add_test(t, words_become_values);
	tcase_add_test(t, options_keep_their_order);
	tcase_add_test(t, mistakes_are_named);
	tcase_add_test(t, what_is_filled_in_cannot_add_words);
	tcase_add_test(t, structs_become_options);
	tcase_add_test(t, options_become_structs);
	tcase_add_test(t, lists_become_structs_and_back);
	tcase_add_test(t, keys_are_given_in_words);
	tcase_add_test(t, codes_are_the_tables);
	tcase_add_test(t, values_take_anything);
	suite_add_tcase(s, t);
	return s;
}
