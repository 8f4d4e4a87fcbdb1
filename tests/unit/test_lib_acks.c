/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the library acknowledges in a session, and when; and what it leaves to
 * the program.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "lib.h"

#define TOKEN	"0123456789abcdef0123456789abcdef"
#define QUEUE	", \"limits\": {\"client_queue\": 1000}"	/* bytes; twice that may be unacknowledged */

static unsigned	seq;

/* A session that is not dialed yet. */
static void
prepare(void)
{
	lib_conn = sctpd_new();
	ck_assert_int_eq(sctpd_resumable(lib_conn, 1000, NULL, NULL), SCTPD_OK);
	sctpd_set_timeout(lib_conn, 2000);
	seq = 1;
}

/* n messages come, each of so many bytes. */
static void
come(unsigned n, int bytes)
{
	char	text[512];

	while (n-- > 0) {
		snprintf(text, sizeof text, "[2, \"data\", [{\"sock\": 5, \"seq\": %u, \"data\": \"%0*d\"}]]", ++seq, bytes, 0);
		lib_say(text);
	}
}

/* The next n events are taken, and the last of them has the number seq_of. */
static void
take(unsigned n, unsigned seq_of)
{
	const struct sctpd_event	*ev = NULL;

	while (n-- > 0)
		ck_assert_int_eq(sctpd_next_event(lib_conn, 0, &ev), SCTPD_OK);
	ck_assert_uint_eq(ev->seq, seq_of);
}

static void
take_nothing(void)
{
	const struct sctpd_event	*ev;

	ck_assert_int_eq(sctpd_next_event(lib_conn, 0, &ev), SCTPD_TIMEOUT);
}

/* How often the library has acknowledged since the last look. */
static unsigned
acks(void)
{
	static const char	ack[] = "\xa3" "ack";
	char			buf[65536], *at = buf;
	unsigned		n = 0;
	ssize_t			len = recv(lib_daemon, buf, sizeof buf, MSG_DONTWAIT);

	for (; len > 0 && (at = memmem(at, (size_t)(buf + len - at), ack, sizeof ack - 1)) != NULL; at++)
		n++;
	return n;
}

/* That the library has acknowledged all up to that number, and said nothing else. */
static void
expect_ack(unsigned number)
{
	char	text[64];

	snprintf(text, sizeof text, "[2, \"ack\", [{\"seq\": %u}]]", number);
	ck_assert_str_eq(lib_heard(), text);
}

/* Dial. more is the rest of what the daemon answers to hello. The library acknowledges the answer. */
static void
dial(const char *more)
{
	int	fds[2];
	char	text[256];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	lib_daemon = fds[1];
	snprintf(text, sizeof text, "[1, 4294967294, nil, {\"resume\": \"" TOKEN "\", \"seq\": %u%s}]", seq, more);
	lib_say(text);
	ck_assert_int_eq(sctpd_use_fd(lib_conn, fds[0]), SCTPD_OK);
	ck_assert_str_ne(lib_heard(), "nothing");
	take_nothing();
	expect_ack(seq);
}

static void
setup(void)
{
	prepare();
	dial("");
}

static void
setup_small(void)
{
	prepare();
	dial(QUEUE);
}

static void
setup_own(void)
{
	prepare();
	ck_assert_int_eq(sctpd_own_acks(lib_conn), SCTPD_OK);
	dial(QUEUE);
}

/* ---- by the library -------------------------------------------------- */

START_TEST(what_came_at_once_is_not_acknowledged_one_by_one)
{
	come(192, 1);
	take(192, 193);
	ck_assert_uint_le(acks(), 3);
	take_nothing();
	ck_assert_uint_eq(acks(), 1);
}
END_TEST

/* Of more than the daemon keeps, what is handled is acknowledged one by one. */
START_TEST(little_of_too_much_is_acknowledged_at_once)
{
	come(10, 300);
	take(1, 2);
	ck_assert_uint_eq(acks(), 0);
	take(1, 3);
	expect_ack(2);
	take(1, 4);
	expect_ack(3);
}
END_TEST

/* ---- by the program -------------------------------------------------- */

START_TEST(the_program_acknowledges_by_itself)
{
	come(3, 1);
	take(3, 4);
	take_nothing();
	ck_assert_int_eq(sctpd_process(lib_conn), SCTPD_OK);
	ck_assert_str_eq(lib_heard(), "nothing");
	ck_assert_int_eq(sctpd_ack(lib_conn, 3), SCTPD_OK);
	ck_assert_int_eq(sctpd_process(lib_conn), SCTPD_OK);
	expect_ack(3);
	ck_assert_int_eq(sctpd_ack(lib_conn, 4), SCTPD_OK);
	ck_assert_int_eq(sctpd_ack(lib_conn, 2), SCTPD_OK);	/* that takes nothing back */
	ck_assert_int_eq(sctpd_flush(lib_conn), SCTPD_OK);
	ck_assert_str_eq(lib_heard(), "nothing");		/* so few are not worth a write */
	take_nothing();
	expect_ack(4);
}
END_TEST

/* The daemon stops reading sockets instead: nothing is lost. */
START_TEST(nothing_is_acknowledged_early_for_the_program)
{
	come(100, 100);
	take(100, 101);
	take_nothing();
	ck_assert_str_eq(lib_heard(), "nothing");
	ck_assert_int_eq(sctpd_ack(lib_conn, 50), SCTPD_OK);
	take_nothing();
	expect_ack(50);
}
END_TEST

START_TEST(an_answer_is_acknowledged_with_the_events_before_it)
{
	come(1, 1);
	lib_say("[1, " FIRST ", nil, {}]");
	seq++;
	ck_assert_int_eq(sctpd_call(lib_conn, NULL, "status"), SCTPD_OK);
	ck_assert_str_ne(lib_heard(), "nothing");
	take(1, 2);
	take_nothing();
	ck_assert_str_eq(lib_heard(), "nothing");
	ck_assert_int_eq(sctpd_ack(lib_conn, 2), SCTPD_OK);
	take_nothing();
	expect_ack(3);
}
END_TEST

START_TEST(only_what_was_delivered_is_acknowledged)
{
	come(2, 1);
	take(1, 2);
	ck_assert_int_eq(sctpd_ack(lib_conn, 3), SCTPD_BADARG);
	ck_assert_str_eq(sctpd_error(lib_conn), "badarg: sctpd_ack: no event of that number has been delivered yet");
	ck_assert_int_eq(sctpd_ack(lib_conn, 2), SCTPD_OK);
	ck_assert_int_eq(sctpd_process(lib_conn), SCTPD_OK);
	expect_ack(2);
}
END_TEST

START_TEST(own_acks_are_chosen_before_the_connection_is_dialed)
{
	static const char	when[] = "badarg: call sctpd_own_acks after sctpd_resumable and before the connection is dialed";
	struct sctpd		*c = sctpd_new();

	ck_assert_int_eq(sctpd_own_acks(c), SCTPD_BADARG);
	ck_assert_str_eq(sctpd_error(c), when);
	sctpd_free(c);
	ck_assert_int_eq(sctpd_own_acks(lib_conn), SCTPD_BADARG);
	ck_assert_str_eq(sctpd_error(lib_conn), when);
	come(1, 1);
	take(1, 2);
	ck_assert_int_eq(sctpd_ack(lib_conn, 2), SCTPD_BADARG);
	ck_assert_str_eq(sctpd_error(lib_conn), "badarg: sctpd_ack: call sctpd_own_acks before the connection is dialed");
	take_nothing();
	expect_ack(2);
}
END_TEST

/* ---- notifications --------------------------------------------------- */

START_TEST(notifications_are_counted)
{
	ck_assert_uint_eq(sctpd_notifications(lib_conn), 0);
	ck_assert_int_eq(sctpd_call_async(lib_conn, NULL, NULL, "eof sock=5 assoc_id=1"), SCTPD_OK);
	ck_assert_int_eq(sctpd_call_async(lib_conn, NULL, NULL, "eof sock=5 assoc_id=2"), SCTPD_OK);
	lib_say("[1, " FIRST ", nil, {}]");
	ck_assert_int_eq(sctpd_call(lib_conn, NULL, "status"), SCTPD_OK);
	ck_assert_uint_eq(sctpd_notifications(lib_conn), 2);
}
END_TEST

/* Those of the program before this one. */
START_TEST(a_session_that_is_resumed_goes_on_with_its_notifications)
{
	prepare();
	ck_assert_int_eq(sctpd_own_acks(lib_conn), SCTPD_OK);
	ck_assert_int_eq(sctpd_resume(lib_conn, TOKEN, 7), SCTPD_OK);
	seq = 8;
	dial(", \"notifications\": 41");
	ck_assert_uint_eq(sctpd_notifications(lib_conn), 41);
	ck_assert_int_eq(sctpd_ack(lib_conn, 7), SCTPD_OK);	/* the program before had it */
	ck_assert_int_eq(sctpd_ack(lib_conn, 8), SCTPD_BADARG);
	ck_assert_int_eq(sctpd_call_async(lib_conn, NULL, NULL, "eof sock=5 assoc_id=1"), SCTPD_OK);
	ck_assert_uint_eq(sctpd_notifications(lib_conn), 42);
	take_nothing();
	(void)acks();		/* that, and the answer to hello */
	come(2, 1);
	take(2, 10);
	ck_assert_int_eq(sctpd_ack(lib_conn, 9), SCTPD_OK);
	take_nothing();
	expect_ack(9);
}
END_TEST

Suite *
lib_acks_suite(void)
{
	Suite	*s = suite_create("lib_acks");
	TCase	*library = tcase_create("library"), *small = tcase_create("small"), *program = tcase_create("program"), *before = tcase_create("before");

	tcase_add_checked_fixture(library, setup, lib_teardown);
	tcase_add_test(library, what_came_at_once_is_not_acknowledged_one_by_one);
	tcase_add_test(library, own_acks_are_chosen_before_the_connection_is_dialed);
	tcase_add_test(library, notifications_are_counted);
	tcase_add_checked_fixture(small, setup_small, lib_teardown);
	tcase_add_test(small, little_of_too_much_is_acknowledged_at_once);
	tcase_add_checked_fixture(program, setup_own, lib_teardown);
	tcase_add_test(program, the_program_acknowledges_by_itself);
	tcase_add_test(program, nothing_is_acknowledged_early_for_the_program);
	tcase_add_test(program, an_answer_is_acknowledged_with_the_events_before_it);
	tcase_add_test(program, only_what_was_delivered_is_acknowledged);
	tcase_add_checked_fixture(before, NULL, lib_teardown);
	tcase_add_test(before, a_session_that_is_resumed_goes_on_with_its_notifications);
	suite_add_tcase(s, library);
	suite_add_tcase(s, small);
	suite_add_tcase(s, program);
	suite_add_tcase(s, before);
	return s;
}
