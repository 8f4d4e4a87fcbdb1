/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many messages and events with one call, and descriptors that come with
 * answers: a part of the suite lib_conn.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib.h"

TCase	*lib_many_case(void);

#define DATA(TEXT) "[2, \"data\", [{\"sock\": 5, \"from\": {\"addr\": \"10.0.0.2\", \"port\": 2905}, " \
	"\"sctp_sndrcvinfo\": {\"stream\": 2, \"flags\": [\"unordered\"], \"ppid\": 70000, \"assoc_id\": 3}, " \
	"\"data\": " TEXT "}]]"
#define NEW_ASSOC "[2, \"sctp_assoc_change\", [{\"sock\": 5, \"state\": \"comm_up\", \"assoc_id\": 3}]]"

/* Write but the first part of a message; gives how much of it is left. */
static size_t
say_half(const char *text, char *rest)
{
	msgpack_sbuffer	sb;
	msgpack_packer	pk;
	size_t		left;

	msgpack_sbuffer_init(&sb);
	msgpack_packer_init(&pk, &sb, msgpack_sbuffer_write);
	text_pack(&pk, text);
	left = sb.size - sb.size / 2;
	lib_say_bytes(sb.data, sb.size / 2);
	memcpy(rest, sb.data + sb.size / 2, left);
	msgpack_sbuffer_destroy(&sb);
	return left;
}

START_TEST(many_are_sent_as_one_is)
{
	struct sctpd_message	m = { .data = "a\0b", .len = 3,
	    .info = { .stream = 2, .ppid = 46, .timetolive = 70000, .assoc_id = 3 } };
	char			one[512];

	lib_say("[1, " FIRST ", nil, {}]");
	ck_assert_int_eq(sctpd_sendmsg(lib_conn, 5, &m.info, m.data, m.len), SCTPD_OK);
	ck_assert_str_eq(strcpy(one, strstr(lib_heard(), "\"send\"")), "\"send\", [{\"sock\": 5, \"data\": x\"610062\", "
	    "\"sctp_sndrcvinfo\": {\"stream\": 2, \"ppid\": 46, \"timetolive\": 70000, \"assoc_id\": 3}}]]");
	lib_say("[1, " AGAIN ", nil, {}]");
	ck_assert_int_eq(sctpd_send_many(lib_conn, 5, &m, 1, NULL), SCTPD_OK);
	ck_assert_str_eq(strstr(lib_heard(), "\"send\""), one);
	m.info.flags = SCTPD_UNORDERED;
	lib_say("[1, " THIRD ", nil, {}]");
	ck_assert_int_eq(sctpd_send_many(lib_conn, 5, &m, 1, NULL), SCTPD_OK);
	ck_assert_ptr_nonnull(strstr(lib_heard(), "\"flags\": [\"unordered\"], \"ppid\": 46"));
}
END_TEST

START_TEST(of_many_it_is_said_which_failed)
{
	struct sctpd_message	m[4] = { { .data = "a", .len = 1 }, { .data = "b", .len = 1 },
	    { .data = "c", .len = SIZE_MAX }, { .data = "d", .len = 1 } };
	size_t			sent;

	lib_say("[1, 1048578, \"closed: late\", nil]");
	lib_say("[1, " SECOND ", \"einval: stream 9: there is none\", nil]");
	lib_say("[1, " FIRST ", nil, {}]");
	ck_assert_int_eq(sctpd_send_many(lib_conn, 5, m, 4, &sent), SCTPD_EINVAL);
	ck_assert_str_eq(sctpd_error(lib_conn), "einval: message [1] of 4: stream 9: there is none");
	ck_assert_uint_eq(sent, 1);
	ck_assert_int_eq(m[0].code, SCTPD_OK);
	ck_assert_int_eq(m[1].code, SCTPD_EINVAL);
	ck_assert_int_eq(m[2].code, SCTPD_EMSGSIZE);
	ck_assert_int_eq(m[3].code, SCTPD_CLOSED);
	ck_assert_int_eq(sctpd_send_many(lib_conn, 5, m, 0, &sent), SCTPD_OK);
	ck_assert_uint_eq(sent, 0);
}
END_TEST

START_TEST(of_one_request_it_is_said_how_many_were_taken)
{
	struct sctpd_message	m[2] = { { .data = "a", .len = 1, .info.ppid = 46 }, { .data = "b", .len = 1 } };
	size_t			taken;

	lib_say("[1, " FIRST ", nil, {\"taken\": 2}]");
	ck_assert_int_eq(sctpd_sendmmsg(lib_conn, 5, 3, m, 2, &taken), SCTPD_OK);
	ck_assert_str_eq(strstr(lib_heard(), "\"send_many\""), "\"send_many\", [{\"sock\": 5, \"assoc_id\": 3, \"messages\": "
	    "[{\"data\": x\"61\", \"sctp_sndrcvinfo\": {\"ppid\": 46}}, {\"data\": x\"62\", \"sctp_sndrcvinfo\": {}}]}]]");
	ck_assert_uint_eq(taken, 2);
	ck_assert(m[0].code == SCTPD_OK && m[1].code == SCTPD_OK);
	lib_say("[1, " AGAIN ", nil, {\"taken\": 1, \"error\": \"eagain: message [1]: no room\"}]");
	ck_assert_int_eq(sctpd_sendmmsg(lib_conn, 5, 3, m, 2, &taken), SCTPD_EAGAIN);
	ck_assert_str_eq(sctpd_error(lib_conn), "eagain: message [1]: no room");
	ck_assert(taken == 1 && m[0].code == SCTPD_OK && m[1].code == SCTPD_EAGAIN);
	lib_say("[1, " THIRD ", \"epipe: it is over\", nil]");
	ck_assert_int_eq(sctpd_sendmmsg(lib_conn, 5, 3, m, 2, &taken), SCTPD_EPIPE);
	ck_assert(taken == 0 && m[0].code == SCTPD_EPIPE && m[1].code == SCTPD_EPIPE);
	m[1].len = SIZE_MAX / 4;
	ck_assert_int_eq(sctpd_sendmmsg(lib_conn, 5, 3, m, 2, NULL), SCTPD_EMSGSIZE);
}
END_TEST

START_TEST(of_many_some_may_stay_unanswered)
{
	struct sctpd_message	m[2] = { { .data = "a", .len = 1 }, { .data = "b", .len = 1 } };
	size_t			sent;

	sctpd_set_timeout(lib_conn, 20);
	lib_say("[1, " FIRST ", nil, {}]");
	ck_assert_int_eq(sctpd_send_many(lib_conn, 5, m, 2, &sent), SCTPD_TIMEOUT);
	ck_assert_uint_eq(sent, 1);
	ck_assert_int_eq(m[0].code, SCTPD_OK);
	ck_assert_int_eq(m[1].code, SCTPD_TIMEOUT);
	lib_say("[1, " SECOND ", nil, {}]");	/* m may be gone by then */
	ck_assert_int_eq(sctpd_process(lib_conn), SCTPD_OK);
	ck_assert_int_eq(m[1].code, SCTPD_TIMEOUT);
	lib_hang_up();
	ck_assert_int_eq(sctpd_send_many(lib_conn, 5, m, 2, &sent), SCTPD_LOST);
	ck_assert_int_eq(m[0].code, SCTPD_LOST);
	ck_assert_uint_eq(sent, 0);
}
END_TEST

static void
check_data(const struct sctpd_event *ev, const char *data)
{
	ck_assert_str_eq(ev->name, "data");
	ck_assert_str_eq(ev->data, data);
	ck_assert_uint_eq(ev->len, strlen(data));
	ck_assert_str_eq(ev->from, "10.0.0.2");
	ck_assert_uint_eq(ev->from_port, 2905);
	ck_assert_uint_eq(ev->sock, 5);
	ck_assert_uint_eq(ev->assoc_id, 3);
	ck_assert_uint_eq(ev->info.stream, 2);
	ck_assert_uint_eq(ev->info.ppid, 70000);
	ck_assert_uint_eq(ev->info.flags, SCTPD_UNORDERED);
	ck_assert_uint_eq(ev->seq, 0);
}

START_TEST(many_events_are_taken_in_their_order)
{
	const struct sctpd_event	*ev[8];
	size_t				 n;

	lib_say(DATA("x\"61\""));
	lib_say(NEW_ASSOC);
	ck_assert_int_eq(sctpd_process(lib_conn), SCTPD_OK);	/* these are queued */
	lib_say(DATA("x\"6263\""));
	lib_say(DATA("x\"64\""));
	lib_say(NEW_ASSOC);
	lib_say(DATA("x\"65\""));
	ck_assert_int_eq(sctpd_events(lib_conn, ev, 8, 0, &n), SCTPD_OK);
	ck_assert_uint_eq(n, 2);
	check_data(ev[0], "a");
	ck_assert_str_eq(sctpd_get_str(ev[1]->fields, "state"), "comm_up");
	ck_assert_int_eq(sctpd_events(lib_conn, ev, 3, 0, &n), SCTPD_OK);
	ck_assert_uint_eq(n, 3);
	check_data(ev[0], "bc");
	check_data(ev[1], "d");
	ck_assert_str_eq(ev[2]->name, "sctp_assoc_change");
	ck_assert_int_eq(sctpd_events(lib_conn, ev, 8, 0, &n), SCTPD_OK);
	ck_assert_uint_eq(n, 1);
	check_data(ev[0], "e");
	ck_assert_int_eq(sctpd_events(lib_conn, ev, 8, 0, &n), SCTPD_TIMEOUT);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(sctpd_events(lib_conn, ev, 0, 0, &n), SCTPD_BADARG);
}
END_TEST

/* What was read behind those that were asked for is there when the daemon is not. */
START_TEST(none_is_lost_when_the_daemon_goes)
{
	const struct sctpd_event	*ev[8], *one;
	size_t				 n;

	lib_say(DATA("x\"61\""));
	lib_say(DATA("x\"62\""));
	lib_say(DATA("x\"63\""));
	ck_assert_int_eq(sctpd_events(lib_conn, ev, 1, 0, &n), SCTPD_OK);
	lib_hang_up();
	ck_assert_int_eq(sctpd_close(lib_conn, 5), SCTPD_LOST);
	check_data(ev[0], "a");
	ck_assert_int_eq(sctpd_next_event(lib_conn, 0, &one), SCTPD_OK);
	check_data(one, "b");
	ck_assert_int_eq(sctpd_events(lib_conn, ev, 8, 0, &n), SCTPD_OK);
	ck_assert_uint_eq(n, 1);
	check_data(ev[0], "c");
	ck_assert_int_eq(sctpd_events(lib_conn, ev, 8, 0, &n), SCTPD_LOST);
}
END_TEST

/* Calls that read leave them alone, whatever stands behind them. */
START_TEST(what_was_given_stays)
{
	static char			 answer[1 << 16];
	const struct sctpd_event	*ev[8], *one;
	struct sctpd_message		 m = { .data = "x", .len = 1 };
	char				 rest[512];
	size_t				 n, left;

	snprintf(answer, sizeof answer, "[1, " FIRST ", nil, {\"text\": \"%060000d\"}]", 0);
	for (int half = 0; half < 2; half++) {
		lib_say(DATA("x\"61\""));
		lib_say(DATA("x\"62\""));
		left = half ? say_half(DATA("x\"63\""), rest) : 0;
		ck_assert_int_eq(sctpd_events(lib_conn, ev, half ? 8 : 2, 0, &n), SCTPD_OK);
		ck_assert_uint_eq(n, 2);
		check_data(ev[0], "a");
		check_data(ev[1], "b");
		lib_say_bytes(rest, left);
		lib_say(half ? "[1, 3145728, nil, {}]" : answer);
		if (half)
			ck_assert_int_eq(sctpd_send_many(lib_conn, 5, &m, 1, NULL), SCTPD_OK);
		else
			ck_assert_int_eq(sctpd_call(lib_conn, NULL, "error_string error=1"), SCTPD_OK);
		check_data(ev[0], "a");
		check_data(ev[1], "b");
		if (half) {
			ck_assert_int_eq(sctpd_next_event(lib_conn, 0, &one), SCTPD_OK);
			check_data(one, "c");
		} else {
			lib_say("[1, " AGAIN ", nil, {}]");
			ck_assert_int_eq(sctpd_close(lib_conn, 5), SCTPD_OK);
		}
	}
}
END_TEST

/* Whatever the piece ends with, and however few are taken at a time. */
START_TEST(events_may_come_in_pieces)
{
	const struct sctpd_event	*ev[3];
	msgpack_sbuffer			 sb;
	msgpack_packer			 pk;
	size_t				 n, at = 0, got = 0;
	static const char		*texts[] = { DATA("x\"61\""), NEW_ASSOC, DATA("x\"62\""),
	    DATA("x\"63\"") };

	msgpack_sbuffer_init(&sb);
	msgpack_packer_init(&pk, &sb, msgpack_sbuffer_write);
	for (int i = 0; i < 400; i++)
		text_pack(&pk, texts[i % 4]);
	for (size_t step = 1; got < 400; step = step % 700 + 13) {
		if (step > sb.size - at)
			step = sb.size - at;
		lib_say_bytes(sb.data + at, step);
		at += step;
		while (sctpd_events(lib_conn, ev, 1 + step % 3, 0, &n) == SCTPD_OK) {
			for (size_t i = 0; i < n; i++, got++) {
				if (got % 4 == 1)
					ck_assert_str_eq(ev[i]->name, "sctp_assoc_change");
				else
					check_data(ev[i], got % 4 == 0 ? "a" : got % 4 == 2 ? "b" : "c");
			}
		}
	}
	msgpack_sbuffer_destroy(&sb);
}
END_TEST

static const struct sctpd_event	*given[8];
static int			 n_called;

static void
on_reply_wait(struct sctpd *conn, int code, const struct sctpd_value *v, void *arg)
{
	const struct sctpd_event	*ev[8];
	size_t				 n;

	(void)v, (void)arg;
	ck_assert_int_eq(code, SCTPD_OK);
	ck_assert_int_eq(sctpd_events(conn, ev, 8, 0, &n), SCTPD_BADARG);
	ck_assert_int_eq(sctpd_close(conn, 5), SCTPD_OK);	/* which reads */
	n_called++;
}

START_TEST(a_callback_may_wait_while_many_are_taken)
{
	size_t	n;

	ck_assert_int_eq(sctpd_call_async(lib_conn, on_reply_wait, NULL, "error_string error=0"), SCTPD_OK);
	ck_assert_int_eq(sctpd_flush(lib_conn), SCTPD_OK);
	ck_assert_ptr_nonnull(strstr(lib_heard(), "error_string"));
	lib_say(DATA("x\"61\""));
	lib_say("[1, " FIRST ", nil, {\"text\": \"ok\"}]");
	lib_say(DATA("x\"62\""));
	if (fork() == 0) {
		while (strstr(lib_heard(), "close") == NULL)
			(void)usleep(1000);
		lib_say(DATA("x\"63\""));
		lib_say("[1, " AGAIN ", nil, {}]");
		_exit(0);
	}
	ck_assert_int_eq(sctpd_events(lib_conn, given, 8, 0, &n), SCTPD_OK);
	ck_assert_int_eq(n_called, 1);
	ck_assert_uint_eq(n, 3);
	check_data(given[0], "a");
	check_data(given[1], "b");
	check_data(given[2], "c");
}
END_TEST

/* ---- descriptors ---------------------------------------------------- */

static void
say_with(const char *text, int fd)
{
	union {
		struct cmsghdr	c;
		char		room[CMSG_SPACE(sizeof fd)];
	} control = { .c = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
	    .cmsg_len = CMSG_LEN(sizeof fd) } };
	msgpack_sbuffer	sb;
	msgpack_packer	pk;
	struct iovec	iov;
	struct msghdr	h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
	    .msg_controllen = sizeof control };

	memcpy(CMSG_DATA(&control.c), &fd, sizeof fd);
	msgpack_sbuffer_init(&sb);
	msgpack_packer_init(&pk, &sb, msgpack_sbuffer_write);
	text_pack(&pk, text);
	iov = (struct iovec){ sb.data, sb.size };
	ck_assert_int_eq(sendmsg(lib_daemon, &h, 0), (ssize_t)sb.size);
	msgpack_sbuffer_destroy(&sb);
}

/* The lowest number that is free: as before, if nothing is left open. */
static int
next_fd(void)
{
	int	fd = dup(0);

	close(fd);
	return fd;
}

START_TEST(a_descriptor_comes_with_its_answer)
{
	int	p[2], fd;
	char	byte;

	ck_assert_int_eq(pipe(p), 0);
	lib_say(DATA("x\"61\""));
	say_with("[1, " FIRST ", nil, {\"assoc_id\": 3}]", p[1]);
	ck_assert_int_eq(sctpd_lend(lib_conn, 5, &fd), SCTPD_OK);
	ck_assert_str_eq(lib_heard(), "[0, " FIRST ", \"lend\", [{\"sock\": 5}]]");
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	ck_assert_int_eq(read(p[0], &byte, 1), 1);
	ck_assert_int_eq(close(fd), 0);
	lib_say("[1, " AGAIN ", nil, {}]");
	ck_assert_int_eq(sctpd_return(lib_conn, 5), SCTPD_OK);
	ck_assert_str_eq(lib_heard(), "[0, " AGAIN ", \"give_back\", [{\"sock\": 5}]]");
	lib_say("[1, " THIRD ", \"ealready: sock 5: it is lent already\", nil]");
	ck_assert_int_eq(sctpd_lend(lib_conn, 5, &fd), SCTPD_EALREADY);
	ck_assert_int_eq(fd, -1);
	close(p[0]);
	close(p[1]);
}
END_TEST

START_TEST(other_descriptors_are_closed)
{
	const struct sctpd_event	*ev;
	int				 p[2], fd, free_fd;

	ck_assert_int_eq(pipe(p), 0);
	free_fd = next_fd();
	say_with(DATA("x\"61\""), p[1]);
	ck_assert_int_eq(sctpd_next_event(lib_conn, 0, &ev), SCTPD_OK);
	ck_assert_int_eq(sctpd_process(lib_conn), SCTPD_OK);
	ck_assert_int_eq(next_fd(), free_fd);
	/* It comes when nobody waits for it any more. */
	sctpd_set_timeout(lib_conn, 20);
	ck_assert_int_eq(sctpd_lend(lib_conn, 5, &fd), SCTPD_TIMEOUT);
	say_with("[1, " FIRST ", nil, {\"assoc_id\": 3}]", p[1]);
	ck_assert_int_eq(sctpd_process(lib_conn), SCTPD_OK);
	ck_assert_int_eq(next_fd(), free_fd);
	/* By another name it is not given. */
	say_with("[1, " AGAIN ", nil, {\"assoc_id\": 3}]", p[1]);
	ck_assert_int_eq(sctpd_call(lib_conn, NULL, "lend sock=5"), SCTPD_OK);
	lib_say("[1, " THIRD ", nil, {}]");
	ck_assert_int_eq(sctpd_close(lib_conn, 5), SCTPD_OK);
	ck_assert_int_eq(next_fd(), free_fd);
	/* And there is none. */
	lib_say("[1, " FOURTH ", nil, {\"assoc_id\": 3}]");
	lib_say("[1, 5242880, nil, {}]");
	ck_assert_int_eq(sctpd_lend(lib_conn, 5, &fd), SCTPD_EOPNOTSUPP);
	ck_assert_int_eq(fd, -1);
	close(p[0]);
	close(p[1]);
}
END_TEST

TCase *
lib_many_case(void)
{
	TCase	*many = tcase_create("many");

	tcase_add_checked_fixture(many, lib_setup, lib_teardown);
	tcase_add_test(many, many_are_sent_as_one_is);
	tcase_add_test(many, of_many_it_is_said_which_failed);
	tcase_add_test(many, of_one_request_it_is_said_how_many_were_taken);
	tcase_add_test(many, of_many_some_may_stay_unanswered);
	tcase_add_test(many, many_events_are_taken_in_their_order);
	tcase_add_test(many, none_is_lost_when_the_daemon_goes);
	tcase_add_test(many, what_was_given_stays);
	tcase_add_test(many, events_may_come_in_pieces);
	tcase_add_test(many, a_callback_may_wait_while_many_are_taken);
	tcase_add_test(many, a_descriptor_comes_with_its_answer);
	tcase_add_test(many, other_descriptors_are_closed);
	return many;
}
