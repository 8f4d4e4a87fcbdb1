/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Groups in the library: which events are thrown away when others have them.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "lib.h"

#define GROUPS_SOCK	1000
#define OWN_SOCK	2000
#define SOCKS		101		/* a prime: they are assigned out of order */

static unsigned	seq;
static unsigned	id;			/* of the next request */

static void
setup(void)
{
	int	fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	lib_daemon = fds[1];
	lib_say("[1, 4294967294, nil, {\"resume\": \"0123456789abcdef0123456789abcdef\", \"client\": 7, \"seq\": 1}]");
	seq = 1;
	id = 1u << 20;
	lib_conn = sctpd_new();
	ck_assert_int_eq(sctpd_resumable(lib_conn, 1000, NULL, NULL), SCTPD_OK);
	sctpd_set_timeout(lib_conn, 2000);
	ck_assert_int_eq(sctpd_use_fd(lib_conn, fds[0]), SCTPD_OK);
}

/* An event of a socket; more is the rest of its fields. */
static void
event(const char *name, unsigned sock, const char *more)
{
	char	text[256];

	snprintf(text, sizeof text, "[2, \"%s\", [{\"sock\": %u, \"seq\": %u%s}]]", name, sock, ++seq, more);
	lib_say(text);
}

static void
data(unsigned sock)
{
	event("data", sock, ", \"data\": x\"31\"");
}

static void
answer(const char *error, const char *result)
{
	char	text[256];

	snprintf(text, sizeof text, "[1, %u, %s, %s]", id++, error, result);
	seq++;
	lib_say(text);
}

static void
join(void)
{
	uint64_t	sock;

	answer("nil", "{\"sock\": 1000, \"members\": 1}");
	ck_assert_int_eq(sctpd_join(lib_conn, "g", -1, &sock), SCTPD_OK);
	ck_assert_uint_eq(sock, GROUPS_SOCK);
}

/* The next event is that, of that socket. */
static void
expect(const char *name, unsigned sock)
{
	const struct sctpd_event	*ev;

	ck_assert_int_eq(sctpd_next_event(lib_conn, 0, &ev), SCTPD_OK);
	ck_assert_str_eq(ev->name, name);
	ck_assert_uint_eq(ev->sock, sock);
}

static void
expect_nothing(void)
{
	const struct sctpd_event	*ev;

	ck_assert_int_eq(sctpd_next_event(lib_conn, 0, &ev), SCTPD_TIMEOUT);
}

/* All sockets are assigned, in some order. */
static void
assign_all(void)
{
	for (unsigned i = 1; i <= SOCKS; i++)
		event("assigned", 1 + i * 37 % SOCKS, ", \"group\": \"g\", \"assoc_id\": 1");
}

static void
data_of_all(void)
{
	for (unsigned i = 1; i <= SOCKS; i++)
		data(i);
	data(GROUPS_SOCK);
	data(OWN_SOCK);
}

START_TEST(who_leaves_loses_what_waits_of_its_sockets)
{
	assign_all();
	join();
	for (unsigned i = 1; i <= SOCKS; i++)
		expect("assigned", 1 + i * 37 % SOCKS);
	event("unassigned", 50, ", \"group\": \"g\"");
	data_of_all();
	event("sctp_closed", 7, ", \"reason\": \"it ended\"");
	answer("nil", "{}");
	ck_assert_int_eq(sctpd_leave(lib_conn, "g"), SCTPD_OK);
	expect("unassigned", 50);
	expect("data", 50);		/* it has come back in another way */
	expect("data", OWN_SOCK);
	expect_nothing();
}
END_TEST

START_TEST(who_may_not_leave_keeps_all)
{
	join();
	event("assigned", 5, ", \"group\": \"g\"");
	data(5);
	answer("\"einval: name: you are no member\"", "nil");
	ck_assert_int_eq(sctpd_leave(lib_conn, "g"), SCTPD_EINVAL);
	expect("assigned", 5);
	expect("data", 5);
}
END_TEST

START_TEST(another_that_is_made_to_leave_changes_nothing)
{
	join();
	event("assigned", 5, ", \"group\": \"g\"");
	data(5);
	answer("nil", "{}");
	ck_assert_int_eq(sctpd_call(lib_conn, NULL, "leave name=g client=8"), SCTPD_OK);
	expect("assigned", 5);
	expect("data", 5);
	data(5);
	answer("nil", "{}");
	ck_assert_int_eq(sctpd_call(lib_conn, NULL, "leave name=g client=7"), SCTPD_OK);
	expect_nothing();
}
END_TEST

START_TEST(who_was_made_to_leave_loses_what_waits_unless_the_group_ended)
{
	join();
	event("assigned", 5, ", \"group\": \"g\"");
	event("assigned", 6, ", \"group\": \"h\"");
	data(5);
	data(6);
	event("left", 0, ", \"group\": \"g\", \"reason\": \"why\"");
	event("left", 0, ", \"group\": \"h\", \"reason\": \"why\", \"ended\": true");
	answer("nil", "{}");
	ck_assert_int_eq(sctpd_call(lib_conn, NULL, "status"), SCTPD_OK);
	expect("assigned", 6);
	expect("data", 6);
	expect("left", 0);
	expect("left", 0);
	expect_nothing();
}
END_TEST

START_TEST(a_socket_is_forgotten_once_its_end_was_taken)
{
	join();
	event("assigned", 5, ", \"group\": \"g\"");
	event("sctp_closed", 5, ", \"reason\": \"it ended\"");
	expect("assigned", 5);
	expect("sctp_closed", 5);
	data(5);
	answer("nil", "{}");
	ck_assert_int_eq(sctpd_leave(lib_conn, "g"), SCTPD_OK);
	expect("data", 5);
}
END_TEST

/* Also when the connection is freed with requests that nobody answered. */
START_TEST(what_is_asked_for_and_not_answered_is_freed)
{
	event("assigned", 5, ", \"group\": \"g\"");
	ck_assert_int_eq(sctpd_call_async(lib_conn, NULL, NULL, "join name=f"), SCTPD_OK);
	sctpd_set_timeout(lib_conn, 1);
	ck_assert_int_eq(sctpd_join(lib_conn, "g", 5, NULL), SCTPD_TIMEOUT);
	ck_assert_int_eq(sctpd_leave(lib_conn, "g"), SCTPD_TIMEOUT);
	expect_nothing();		/* until that is answered */
}
END_TEST

Suite *
lib_groups_suite(void)
{
	Suite	*s = suite_create("lib_groups");
	TCase	*t = tcase_create("groups");

	tcase_add_checked_fixture(t, setup, lib_teardown);
	tcase_add_test(t, who_leaves_loses_what_waits_of_its_sockets);
	tcase_add_test(t, who_may_not_leave_keeps_all);
	tcase_add_test(t, another_that_is_made_to_leave_changes_nothing);
	tcase_add_test(t, who_was_made_to_leave_loses_what_waits_unless_the_group_ended);
	tcase_add_test(t, a_socket_is_forgotten_once_its_end_was_taken);
	tcase_add_test(t, what_is_asked_for_and_not_answered_is_freed);
	suite_add_tcase(s, t);
	return s;
}
