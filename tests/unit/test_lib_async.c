/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The library in a loop of its user's: nothing waits, callbacks are told.
 */
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib.h"

static int	codes[8], n_codes;	/* what callbacks were told */

static void
setup(void)
{
	n_codes = 0;
	lib_setup();
}

static void
on_reply(struct sctpd *conn, int code, const struct sctpd_value *v, void *arg)
{
	ck_assert_ptr_eq(conn, lib_conn);
	ck_assert_ptr_eq(arg, &n_codes);
	ck_assert_int_eq(v == NULL, code != SCTPD_OK);
	codes[n_codes++] = code;
}

START_TEST(answers_come_in_any_order)
{
	ck_assert_int_eq(sctpd_call_async(lib_conn, on_reply, &n_codes, "close sock=5"), SCTPD_OK);
	ck_assert_int_eq(sctpd_call_async(lib_conn, on_reply, &n_codes, "close sock=6"), SCTPD_OK);
	ck_assert_uint_eq(sctpd_pending(lib_conn), 2);
	ck_assert_int_eq(sctpd_wants(lib_conn), POLLIN | POLLOUT);
	ck_assert_str_eq(lib_heard(), "nothing");
	ck_assert_int_eq(sctpd_process(lib_conn), SCTPD_OK);
	ck_assert_int_eq(sctpd_wants(lib_conn), POLLIN);
	lib_say("[1, " SECOND ", \"closed: x\", nil]");
	lib_say("[1, " FIRST ", nil, {}]");
	ck_assert_int_eq(sctpd_process(lib_conn), SCTPD_OK);
	ck_assert_int_eq(n_codes, 2);
	ck_assert_int_eq(codes[0], SCTPD_CLOSED);
	ck_assert_int_eq(codes[1], SCTPD_OK);
}
END_TEST

START_TEST(calls_may_be_made_before_dialing)
{
	struct sctpd	*d = sctpd_new();
	int		 fds[2];
	char		 buf[64];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(sctpd_call_async(d, NULL, NULL, "close sock=5"), SCTPD_OK);
	ck_assert_int_eq(sctpd_use_fd(d, fds[0]), SCTPD_OK);
	ck_assert_str_eq(text_show(buf, (size_t)read(fds[1], buf, sizeof buf)), "[2, \"close\", [{\"sock\": 5}]]");
	sctpd_free(d);
	close(fds[1]);
}
END_TEST

START_TEST(the_end_answers_what_is_open)
{
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(sctpd_call_async(lib_conn, on_reply, &n_codes, "close sock=5"), SCTPD_OK);
	lib_hang_up();
	ck_assert_int_eq(sctpd_sync(lib_conn), SCTPD_LOST);
	ck_assert_int_eq(n_codes, 5);
	ck_assert_int_eq(codes[4], SCTPD_LOST);
	ck_assert_uint_eq(sctpd_pending(lib_conn), 0);
}
END_TEST

static void
on_reply_free(struct sctpd *conn, int code, const struct sctpd_value *v, void *arg)
{
	(void)code, (void)v, (void)arg;
	n_codes++;
	sctpd_free(conn);
}

START_TEST(a_callback_may_free)
{
	setup();
	ck_assert_int_eq(sctpd_call_async(lib_conn, on_reply_free, NULL, "close sock=5"), SCTPD_OK);
	ck_assert_int_eq(sctpd_call_async(lib_conn, on_reply_free, NULL, "close sock=6"), SCTPD_OK);
	lib_say("[1, " FIRST ", nil, {}]");
	lib_say("[1, " SECOND ", nil, {}]");
	ck_assert_int_eq(sctpd_process(lib_conn), SCTPD_LOST);
	ck_assert_int_eq(n_codes, 1);
	lib_hang_up();
	/* And when the connection is lost, in the midst of telling all. */
	setup();
	ck_assert_int_eq(sctpd_call_async(lib_conn, on_reply_free, NULL, "close sock=5"), SCTPD_OK);
	ck_assert_int_eq(sctpd_call_async(lib_conn, on_reply_free, NULL, "close sock=5"), SCTPD_OK);
	lib_hang_up();
	ck_assert_int_eq(sctpd_sync(lib_conn), SCTPD_LOST);
	ck_assert_int_eq(n_codes, 1);
}
END_TEST

static void
on_event(struct sctpd *conn, const struct sctpd_event *ev, void *arg)
{
	(void)conn, (void)arg;
	codes[n_codes++] = (int)sctpd_get_int(ev->fields, "n");
}

START_TEST(events_go_to_the_callback)
{
	sctpd_on_event(lib_conn, on_event, NULL);
	lib_say("[2, \"x\", [{\"n\": 1}]]");
	lib_say("[2, \"x\", [{\"n\": 2}]]");
	ck_assert_int_eq(sctpd_process(lib_conn), SCTPD_OK);
	ck_assert_int_eq(n_codes, 2);
	ck_assert_int_eq(codes[1], 2);
}
END_TEST

/* A call from inside a callback waits; what comes meanwhile follows. */
static void
on_event_call(struct sctpd *conn, const struct sctpd_event *ev, void *arg)
{
	if (n_codes > 0) {
		on_event(conn, ev, arg);
		return;
	}
	codes[n_codes++] = -1;
	ck_assert_int_eq(sctpd_close(conn, 5), SCTPD_OK);
	ck_assert_int_eq(sctpd_get_int(ev->fields, "n"), 1);
}

START_TEST(a_callback_may_wait)
{
	sctpd_on_event(lib_conn, on_event_call, NULL);
	lib_say("[2, \"x\", [{\"n\": 1}]]");
	if (fork() == 0) {
		char	buf[64];

		(void)!read(lib_daemon, buf, sizeof buf);
		lib_say("[2, \"x\", [{\"n\": 2}]]");
		lib_say("[1, " FIRST ", nil, {}]");
		_exit(0);
	}
	ck_assert_int_eq(sctpd_process(lib_conn), SCTPD_OK);
	ck_assert_int_eq(n_codes, 2);
	ck_assert_int_eq(codes[1], 2);
}
END_TEST

START_TEST(what_waits_to_be_written_has_a_bound)
{
	static char			big[16 << 20];
	struct sctpd_sndrcvinfo		info = { .assoc_id = 1 };
	int				code = SCTPD_OK, n = 0;

	while (code == SCTPD_OK && n++ < 100)
		code = sctpd_sendmsg_async(lib_conn, 5, &info, big, sizeof big, on_reply, &n_codes);
	ck_assert_int_eq(code, SCTPD_EAGAIN);
	ck_assert_int_lt(n, 8);
}
END_TEST

Suite *
lib_async_suite(void)
{
	Suite	*s = suite_create("lib_async");
	TCase	*calls = tcase_create("calls"), *alone = tcase_create("alone");

	tcase_add_checked_fixture(calls, setup, lib_teardown);
	tcase_add_test(calls, answers_come_in_any_order);
	tcase_add_test(calls, the_end_answers_what_is_open);
	tcase_add_test(calls, events_go_to_the_callback);
	tcase_add_test(calls, a_callback_may_wait);
	tcase_add_test(calls, what_waits_to_be_written_has_a_bound);
	suite_add_tcase(s, calls);
	tcase_add_test(alone, calls_may_be_made_before_dialing);
	tcase_add_test(alone, a_callback_may_free);
	suite_add_tcase(s, alone);
	return s;
}
