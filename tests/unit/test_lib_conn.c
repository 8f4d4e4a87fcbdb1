/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The library's calls that wait, and the messages that come meanwhile.
 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

TCase	*lib_many_case(void);	/* test_lib_many.c */

START_TEST(a_call_is_answered)
{
	const struct sctpd_value	*v;

	lib_say("[1, " FIRST ", nil, {\"sock\": 5, \"port\": 2905}]");
	ck_assert_int_eq(sctpd_call(lib_conn, &v, "open port=%d ip=%s", 2905, "10.0.0.1,10.0.1.1"), SCTPD_OK);
	ck_assert_int_eq(sctpd_get_int(v, "sock"), 5);
	ck_assert_str_eq(lib_heard(), "[0, " FIRST ", \"open\", [{\"port\": 2905, \"ip\": [\"10.0.0.1\", \"10.0.1.1\"]}]]");
	ck_assert_uint_eq(sctpd_pending(lib_conn), 0);
}
END_TEST

START_TEST(an_error_keeps_its_text)
{
	lib_say("[1, " FIRST ", \"einval: stream 5: the association has streams 0 to 4\", nil]");
	ck_assert_int_eq(sctpd_send(lib_conn, 5, 3, 5, "x", 1), SCTPD_EINVAL);
	ck_assert_str_eq(sctpd_error(lib_conn), "einval: stream 5: the association has streams 0 to 4");
	lib_say("[1, " AGAIN ", \"enew: from the future\", nil]");
	ck_assert_int_eq(sctpd_close(lib_conn, 5), SCTPD_UNKNOWN);
	ck_assert_str_eq(sctpd_error(lib_conn), "enew: from the future");
}
END_TEST

START_TEST(typed_calls_say_what_they_mean)
{
	struct sctpd_sndrcvinfo	info = { .stream = 2, .ppid = 46, .assoc_id = 3, .flags = SCTPD_UNORDERED };
	struct sctpd_assoc	a;
	uint64_t		sock;

	lib_say("[1, " FIRST ", nil, {}]");
	ck_assert_int_eq(sctpd_sendmsg(lib_conn, 5, &info, "a\0b", 3), SCTPD_OK);
	ck_assert_str_eq(lib_heard(), "[0, " FIRST ", \"send\", [{\"sock\": 5, \"data\": x\"610062\", "
	    "\"sctp_sndrcvinfo\": {\"stream\": 2, \"flags\": [\"unordered\"], \"ppid\": 46, \"assoc_id\": 3}}]]");
	lib_say("[1, " AGAIN ", nil, {\"state\": \"comm_up\", \"error\": 0, \"outbound_streams\": 5, "
	    "\"inbound_streams\": 10, \"assoc_id\": 3, \"newer\": 1}]");
	ck_assert_int_eq(sctpd_connect(lib_conn, 5, "10.0.0.2", 2905, 500, &a), SCTPD_OK);
	ck_assert_uint_eq(a.assoc_id, 3);
	ck_assert_uint_eq(a.outbound_streams, 5);
	ck_assert_uint_eq(a.inbound_streams, 10);
	ck_assert_str_eq(lib_heard(), "[0, " AGAIN ", \"connect\", [{\"sock\": 5, \"addr\": \"10.0.0.2\", \"port\": 2905, \"timeout\": 500}]]");
	lib_say("[1, " THIRD ", nil, {\"sock\": 9}]");
	ck_assert_int_eq(sctpd_peeloff(lib_conn, 5, 3, &sock), SCTPD_OK);
	ck_assert_uint_eq(sock, 9);
	ck_assert_str_eq(lib_heard(), "[0, " THIRD ", \"peeloff\", [{\"sock\": 5, \"assoc_id\": 3}]]");
}
END_TEST

START_TEST(events_between_answers_are_kept)
{
	const struct sctpd_event	*ev;

	lib_say("[2, \"data\", [{\"sock\": 5, \"from\": {\"addr\": \"10.0.0.2\", \"port\": 2905}, "
	    "\"sctp_sndrcvinfo\": {\"stream\": 1, \"ppid\": 60, \"assoc_id\": 3}, \"data\": x\"6869\"}]]");
	lib_say("[1, " FIRST ", nil, {}]");
	lib_say("[2, \"sctp_assoc_change\", [{\"sock\": 5, \"state\": \"shutdown_comp\", \"assoc_id\": 3}]]");
	ck_assert_int_eq(sctpd_close(lib_conn, 7), SCTPD_OK);
	ck_assert_int_eq(sctpd_next_event(lib_conn, 0, &ev), SCTPD_OK);
	ck_assert_str_eq(ev->name, "data");
	ck_assert_uint_eq(ev->sock, 5);
	ck_assert_str_eq(ev->from, "10.0.0.2");
	ck_assert_uint_eq(ev->from_port, 2905);
	ck_assert_uint_eq(ev->assoc_id, 3);
	ck_assert_uint_eq(ev->info.stream, 1);
	ck_assert_uint_eq(ev->info.ppid, 60);
	ck_assert_uint_eq(ev->len, 2);
	ck_assert_str_eq(ev->data, "hi");
	ck_assert_int_eq(sctpd_next_event(lib_conn, 0, &ev), SCTPD_OK);
	ck_assert_str_eq(ev->name, "sctp_assoc_change");
	ck_assert_str_eq(sctpd_get_str(ev->fields, "state"), "shutdown_comp");
	ck_assert_str_eq(ev->from, "");
	ck_assert_int_eq(sctpd_next_event(lib_conn, 0, &ev), SCTPD_TIMEOUT);
	ck_assert_ptr_null(ev);
}
END_TEST

START_TEST(recv_gives_an_event)
{
	const struct sctpd_event	*ev;

	lib_say("[1, " FIRST ", nil, {\"event\": \"data\", \"sock\": 5, \"sctp_sndrcvinfo\": {\"assoc_id\": 3}, \"data\": x\"\"}]");
	ck_assert_int_eq(sctpd_recv(lib_conn, 5, 100, &ev), SCTPD_OK);
	ck_assert_str_eq(ev->name, "data");
	ck_assert_uint_eq(ev->len, 0);
	ck_assert_str_eq(ev->data, "");
	ck_assert_uint_eq(ev->assoc_id, 3);
}
END_TEST

START_TEST(a_late_recv_is_an_event)
{
	const struct sctpd_event	*ev;

	sctpd_set_timeout(lib_conn, 10);
	ck_assert_int_eq(sctpd_recv(lib_conn, 5, 10, &ev), SCTPD_TIMEOUT);
	ck_assert_uint_eq(sctpd_pending(lib_conn), 1);
	lib_say("[1, " FIRST ", nil, {\"event\": \"data\", \"sock\": 5, \"data\": x\"41\"}]");
	ck_assert_int_eq(sctpd_next_event(lib_conn, 1000, &ev), SCTPD_OK);
	ck_assert_str_eq(ev->data, "A");
	ck_assert_uint_eq(sctpd_pending(lib_conn), 0);
}
END_TEST

/* One byte at a time, and then all that is left at once. */
START_TEST(frames_may_come_in_pieces)
{
	const char	 bytes[] = "\x94\x01\xce\x00\x10\x00\x00\xc0\x81\xa4sock\xcd\x01\x00\x93\x02\xa1x\x90";
	const struct sctpd_event *ev;
	uint64_t	 sock = 0;
	pid_t		 pid;

	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		for (size_t i = 0; i < 20; i++) {
			(void)!write(lib_daemon, bytes + i, 1);
			usleep(500);
		}
		(void)!write(lib_daemon, bytes + 20, sizeof bytes - 1 - 20);
		_exit(0);
	}
	ck_assert_int_eq(sctpd_open(lib_conn, &sock, "port=0"), SCTPD_OK);
	ck_assert_uint_eq(sock, 256);
	ck_assert_int_eq(sctpd_next_event(lib_conn, 1000, &ev), SCTPD_OK);
	ck_assert_str_eq(ev->name, "x");
	ck_assert_uint_eq(sctpd_count(ev->fields), 0);
}
END_TEST

/* What no daemon says ends the connection, with a reason, and stays so. */
static void
refuses(const char *bytes, size_t len)
{
	lib_setup();
	lib_say_bytes(bytes, len);
	ck_assert_int_eq(sctpd_close(lib_conn, 5), SCTPD_EPROTO);
	ck_assert_int_eq(strncmp(sctpd_error(lib_conn), "eproto: the daemon sent ", 24), 0);
	ck_assert_int_eq(sctpd_fd(lib_conn), -1);
	ck_assert_int_eq(sctpd_close(lib_conn, 5), SCTPD_EPROTO);
	lib_teardown();
}

#define REFUSES(s)	refuses(s, sizeof s - 1)

START_TEST(nonsense_ends_the_connection)
{
	REFUSES("HTTP/1.1 400 Bad Request\r\n");
	REFUSES("\x94\x01\x07\xc0\xc0");			/* an id never given */
	REFUSES("\x94\x01\xce\x00\x10\x00\x01\xc0\xc0");	/* nor that */
	REFUSES("\x94\x01\xa1x\xc0\xc0");
	REFUSES("\x93\x01\xce\x00\x10\x00\x00\xc0");		/* too short... */
	REFUSES("\x93\x02\x05\x90");
	REFUSES("\x93\x02\xa1x\x80");
	REFUSES("\x94\x00\x01\xa4ping\x90");			/* a request */
	REFUSES("\x94\x01\xce\x00\x10\x00\x00\xc0\xc6\xff\xff\xff\xff");
	REFUSES("\x94\x01\xce\x00\x10\x00\x00\xc0\xdd\xff\xff\xff\xff");
	REFUSES("\x94\x01\xce\x00\x10\x00\x00\xc0\xc1");
	REFUSES("\x94\x01\xce\x00\x10\x00\x00\xc0\xc9\xff\xff\xff\xff\x01");
	REFUSES("\x94\x01\xce\x00\x10\x00\x00\xc0\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\xc0");
}
END_TEST

START_TEST(odd_answers_are_survived)
{
	const struct sctpd_event	*ev;
	struct sctpd_assoc		 a;
	uint64_t			 sock;

	lib_say("[1, " FIRST ", 5, nil]");			/* an error that is no string */
	ck_assert_int_eq(sctpd_close(lib_conn, 5), SCTPD_UNKNOWN);
	lib_say_bytes("\x94\x01\xce\x00\x20\x00\x00\xc0\xc7\x01\x01\x01", 12);	/* a result that is no map */
	ck_assert_int_eq(sctpd_open(lib_conn, &sock, "port=0"), SCTPD_EPROTO);
	ck_assert_int_ne(sctpd_fd(lib_conn), -1);
	lib_say("[1, " THIRD ", nil, {\"assoc_id\": \"x\"}]");
	ck_assert_int_eq(sctpd_connect(lib_conn, 5, "::1", 1, -1, &a), SCTPD_EPROTO);
	lib_say("[2, \"data\", [5]]");
	ck_assert_int_eq(sctpd_next_event(lib_conn, 0, &ev), SCTPD_OK);
	ck_assert_uint_eq(ev->sock, 0);
	lib_say("[2, \"data\", [{\"from\": 5, \"sctp_sndrcvinfo\": {\"stream\": -1}, \"data\": 7, \"\": 1}]]");
	ck_assert_int_eq(sctpd_next_event(lib_conn, 0, &ev), SCTPD_OK);
	ck_assert_str_eq(ev->from, "");
	ck_assert_uint_eq(ev->len, 0);
	lib_say("[1, " FOURTH ", nil, 7]");
	ck_assert_int_eq(sctpd_recv(lib_conn, 5, 0, &ev), SCTPD_OK);
	ck_assert_str_eq(ev->name, "");
}
END_TEST

START_TEST(a_result_that_is_nil_is_survived)
{
	uint64_t	sock;

	lib_say("[1, " FIRST ", nil, nil]");
	ck_assert_int_eq(sctpd_open(lib_conn, &sock, "port=0"), SCTPD_EPROTO);
	ck_assert_int_ne(sctpd_fd(lib_conn), -1);
}
END_TEST

START_TEST(the_end_of_the_daemon_is_told)
{
	const struct sctpd_event	*ev;

	lib_say("[2, \"sctp_closed\", [{\"sock\": 5, \"reason\": \"x\"}]]");
	lib_hang_up();
	ck_assert_int_eq(sctpd_close(lib_conn, 5), SCTPD_LOST);
	ck_assert_int_eq(sctpd_next_event(lib_conn, -1, &ev), SCTPD_OK);
	ck_assert_str_eq(ev->name, "sctp_closed");
	ck_assert_int_eq(sctpd_next_event(lib_conn, -1, &ev), SCTPD_LOST);
	ck_assert_int_eq(sctpd_close(lib_conn, 5), SCTPD_LOST);
	ck_assert_int_eq(strncmp(sctpd_error(lib_conn), "lost: ", 6), 0);
	ck_assert_int_eq(sctpd_wants(lib_conn), 0);
}
END_TEST

START_TEST(dialing_says_what_is_wrong)
{
	char		 longest[200];
	struct sctpd	*d = sctpd_new();

	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	ck_assert_int_eq(sctpd_close(d, 5), SCTPD_NOT_DIALED);
	ck_assert_int_eq(sctpd_dial(d, "/nonexistent/socket"), SCTPD_ENOENT);
	ck_assert_ptr_nonnull(strstr(sctpd_error(d), "/nonexistent/socket"));
	ck_assert_int_eq(sctpd_dial(d, "/dev/null"), SCTPD_ECONNREFUSED);
	ck_assert_int_eq(sctpd_dial(d, longest), SCTPD_BADARG);
	ck_assert_int_eq(sctpd_use_fd(d, -1), SCTPD_EIO);
	sctpd_free(d);
}
END_TEST

/* ---- limits --------------------------------------------------------- */

START_TEST(the_queue_has_a_bound)
{
	const struct sctpd_event	*ev;
	pid_t				 pid = fork();

	if (pid == 0) {
		close(sctpd_fd(lib_conn));
		for (int i = 0; i < 5000; i++)
			lib_say_bytes("\x93\x02\xa1x\x90", 5);
		lib_say("[1, " FIRST ", nil, {}]");
		_exit(0);
	}
	ck_assert_int_eq(sctpd_close(lib_conn, 5), SCTPD_LIMIT);
	ck_assert_int_eq(sctpd_wants(lib_conn) & POLLIN, 0);
	ck_assert_int_eq(sctpd_close(lib_conn, 5), SCTPD_LIMIT);
	for (int i = 0; i < 5000; i++)
		ck_assert_int_eq(sctpd_next_event(lib_conn, 1000, &ev), SCTPD_OK);
	ck_assert_int_eq(sctpd_next_event(lib_conn, 50, &ev), SCTPD_TIMEOUT);
	ck_assert_uint_eq(sctpd_pending(lib_conn), 0);
}
END_TEST

START_TEST(a_call_has_a_bound)
{
	static char	big[17 << 20];

	ck_assert_int_eq(sctpd_send(lib_conn, 5, 3, 0, big, sizeof big), SCTPD_EMSGSIZE);
	ck_assert_str_eq(lib_heard(), "nothing");
	ck_assert_uint_eq(sctpd_pending(lib_conn), 0);
}
END_TEST

START_TEST(silence_has_an_end)
{
	sctpd_set_timeout(lib_conn, 20);
	ck_assert_int_eq(sctpd_close(lib_conn, 5), SCTPD_TIMEOUT);
	ck_assert_int_eq(sctpd_sync(lib_conn), SCTPD_TIMEOUT);
	/* The late answer is not taken for that of the next call. */
	lib_say("[1, " FIRST ", \"einval: late\", nil]");
	lib_say("[1, " SECOND ", nil, {}]");
	ck_assert_int_eq(sctpd_close(lib_conn, 6), SCTPD_OK);
}
END_TEST

/* Answers that nobody waits for, again and again. */
static void
talk_for_ever(int fd)
{
	static const char	answer[] = "\x94\x01\xcd\x03\xe7\xc0\x80";
	char			many[sizeof answer * 500];
	size_t			n = 0;

	for (; n + sizeof answer <= sizeof many; n += sizeof answer - 1)
		memcpy(many + n, answer, sizeof answer - 1);
	while (send(fd, many, n, MSG_NOSIGNAL) > 0)
		;
	_exit(0);
}

/* In a session they are passed over: they may have been given before. */
START_TEST(a_daemon_that_talks_for_ever_holds_up_nobody)
{
	const struct sctpd_value	*v;
	struct sctpd			*c = sctpd_new();
	int				 fds[2];
	pid_t				 pid;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	lib_daemon = fds[1];
	lib_say("[1, 4294967294, nil, {\"resume\": \"0123456789abcdef0123456789abcdef\", \"client\": 7}]");
	ck_assert_int_eq(sctpd_resumable(c, 1000, NULL, NULL), SCTPD_OK);
	sctpd_set_timeout(c, 200);
	ck_assert_int_eq(sctpd_use_fd(c, fds[0]), SCTPD_OK);
	if ((pid = fork()) == 0) {
		close(fds[0]);
		talk_for_ever(fds[1]);
	}
	ck_assert_int_eq(sctpd_call(c, &v, "status"), SCTPD_TIMEOUT);
	sctpd_free(c);
	lib_hang_up();
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

Suite *
lib_conn_suite(void)
{
	Suite	*s = suite_create("lib_conn");
	TCase	*calls = tcase_create("calls"), *alone = tcase_create("alone");

	tcase_add_checked_fixture(calls, lib_setup, lib_teardown);
	tcase_add_test(calls, a_call_is_answered);
	tcase_add_test(calls, an_error_keeps_its_text);
	tcase_add_test(calls, typed_calls_say_what_they_mean);
	tcase_add_test(calls, events_between_answers_are_kept);
	tcase_add_test(calls, recv_gives_an_event);
	tcase_add_test(calls, a_late_recv_is_an_event);
	tcase_add_test(calls, frames_may_come_in_pieces);
	tcase_add_test(calls, odd_answers_are_survived);
	tcase_add_test(calls, a_result_that_is_nil_is_survived);
	tcase_add_test(calls, the_end_of_the_daemon_is_told);
	tcase_add_test(calls, the_queue_has_a_bound);
	tcase_add_test(calls, a_call_has_a_bound);
	tcase_add_test(calls, silence_has_an_end);
	suite_add_tcase(s, calls);
	suite_add_tcase(s, lib_many_case());
	tcase_add_test(alone, nonsense_ends_the_connection);
	tcase_add_test(alone, dialing_says_what_is_wrong);
	tcase_add_test(alone, a_daemon_that_talks_for_ever_holds_up_nobody);
	suite_add_tcase(s, alone);
	return s;
}
