/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store from both sides: what the daemon takes and asks for, and what the
 * keeper keeps and understands.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "service/fdstore.h"
#include "util/log.h"
#include "service/notify.h"
#include "service/fdclient.h"
#include "unit.h"

static const char *
name_of(const char *list, unsigned i)
{
	static char	name[FDCLIENT_NAME_MAX];

	fdclient_name(list, i, name);
	return name;
}

START_TEST(names_are_read_from_the_list)
{
	char	long_list[2 * FDCLIENT_NAME_MAX];

	ck_assert_str_eq(name_of("a:journal:park-in", 0), "a");
	ck_assert_str_eq(name_of("a:journal:park-in", 1), "journal");
	ck_assert_str_eq(name_of("a:journal:park-in", 2), "park-in");
	ck_assert_str_eq(name_of("a:journal:park-in", 3), "");
	ck_assert_str_eq(name_of("a::b", 1), "");
	ck_assert_str_eq(name_of("a::b", 2), "b");
	memset(long_list, 'x', sizeof long_list);
	long_list[sizeof long_list - 1] = '\0';
	ck_assert_str_eq(name_of(long_list, 0), "");
}
END_TEST

/* systemd-socket-activate gives none; a socket unit may give its own. */
START_TEST(the_clients_socket_needs_no_name)
{
	ck_assert_str_eq(name_of(NULL, 0), "rpc");
	ck_assert_str_eq(name_of(NULL, 1), "");
	ck_assert_str_eq(name_of("", 0), "rpc");
	ck_assert_str_eq(name_of("journal:my-sctpd.socket", 1), "rpc");
	ck_assert_str_eq(name_of("journal:.socket", 1), ".socket");
	ck_assert_str_eq(name_of("socket", 0), "socket");
}
END_TEST

/* Make this process one that n descriptors were passed to. */
static void
pass(int n, const char *names, long pid)
{
	char	text[24];

	for (int i = 0; i < n; i++)
		ck_assert_int_ne(dup2(STDIN_FILENO, 3 + i), -1);
	(void)snprintf(text, sizeof text, "%d", n);
	(void)setenv("LISTEN_FDS", text, 1);
	(void)snprintf(text, sizeof text, "%ld", pid);
	(void)setenv("LISTEN_PID", text, 1);
	(void)setenv("LISTEN_FDNAMES", names, 1);
}

START_TEST(what_was_passed_is_taken_by_name)
{
	pass(3, "rpc:junk:journal", getpid());
	fdclient_init();
	ck_assert_ptr_null(getenv("LISTEN_FDS"));
	ck_assert_ptr_null(getenv("LISTEN_PID"));
	ck_assert_ptr_null(getenv("LISTEN_FDNAMES"));
	ck_assert_int_eq(fdclient_take("journal"), 5);
	ck_assert_int_eq(fdclient_take("journal"), -1);
	ck_assert_int_eq(fdclient_take("park-in"), -1);
	ck_assert_int_eq(fdclient_take("rpc"), 3);
	ck_assert_int_eq(fcntl(5, F_GETFD), FD_CLOEXEC);
	log_set_level(LOG_ERR);
	fdclient_finish();
	ck_assert_int_eq(fcntl(4, F_GETFD), -1);
	ck_assert_int_eq(fcntl(5, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fdclient_take("junk"), -1);
}
END_TEST

START_TEST(what_was_passed_to_another_is_not_taken)
{
	pass(1, "rpc", (long)getpid() + 1);
	fdclient_init();
	ck_assert_int_eq(fdclient_take("rpc"), -1);
	fdclient_finish();
	ck_assert_int_ne(fcntl(3, F_GETFD), -1);
}
END_TEST

START_TEST(numbers_that_cannot_be_are_none)
{
	static const char *const numbers[] = { "", "-1", "0", "x", "4097", "99999999999999999999" };

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		pass(0, "rpc", getpid());
		(void)setenv("LISTEN_FDS", numbers[i], 1);
		fdclient_init();
		ck_assert_int_eq(fdclient_take("rpc"), -1);
		fdclient_finish();
	}
}
END_TEST

START_TEST(a_store_is_there_if_its_size_is_said)
{
	(void)setenv("NOTIFY_SOCKET", "/nowhere", 1);
	(void)unsetenv("FDSTORE");
	ck_assert(!fdclient_present());
	(void)setenv("FDSTORE", "0", 1);
	ck_assert(!fdclient_present());
	(void)setenv("FDSTORE", "16", 1);
	ck_assert(fdclient_present());
	(void)unsetenv("NOTIFY_SOCKET");
	ck_assert(!fdclient_present());
}
END_TEST

static int
manager(void)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };
	socklen_t		len = sizeof sun;
	int			s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* The kernel chooses an abstract name. */
	ck_assert_int_eq(bind(s, (struct sockaddr *)&sun, sizeof(sa_family_t)), 0);
	ck_assert_int_eq(getsockname(s, (struct sockaddr *)&sun, &len), 0);
	sun.sun_path[0] = '@';
	(void)setenv("NOTIFY_SOCKET", sun.sun_path, 1);
	return s;
}

/* The next message, and whether a descriptor came with it, which is closed. */
static const char *
hear(int s, bool *has_fd)
{
	static char	text[512];
	char		control[CMSG_SPACE(sizeof(int))];
	struct iovec	iov = { text, sizeof text - 1 };
	struct msghdr	msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof control };
	struct cmsghdr	*c;
	ssize_t		n = recvmsg(s, &msg, MSG_DONTWAIT);
	int		fd;

	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	if ((*has_fd = (c = CMSG_FIRSTHDR(&msg)) != NULL)) {
		memcpy(&fd, CMSG_DATA(c), sizeof fd);
		(void)close(fd);
	}
	return text;
}

START_TEST(what_the_manager_is_told)
{
	int	s = manager();
	bool	has_fd;

	notify_ready("Serving");
	ck_assert_str_eq(hear(s, &has_fd), "READY=1\nSTATUS=Serving");
	notify_reloading();
	ck_assert_int_eq(strncmp(hear(s, &has_fd), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	fdclient_remove("junk");
	ck_assert_str_eq(hear(s, &has_fd), "FDSTOREREMOVE=1\nFDNAME=junk");
	ck_assert(!has_fd);
	ck_assert(notify_send("FDSTORE=1", STDIN_FILENO));
	ck_assert_str_eq(hear(s, &has_fd), "FDSTORE=1");
	ck_assert(has_fd);
	ck_assert(notify_stopping());
	(void)close(s);
	log_set_level(LOG_ERR);
	ck_assert(!notify_stopping());
}
END_TEST

START_TEST(to_put_is_to_wait_for_the_manager)
{
	int	s = manager(), status;
	bool	has_fd;
	pid_t	pid = fork();

	if (pid == 0) {
		alarm(10);
		_exit(fdclient_put("rpc", STDIN_FILENO) ? 0 : 1);
	}
	(void)fcntl(s, F_SETFL, 0);
	while (recv(s, &(char){ 0 }, 1, MSG_PEEK) == -1)
		;
	ck_assert_str_eq(hear(s, &has_fd), "FDSTORE=1\nFDNAME=rpc\nFDPOLL=0");
	ck_assert(has_fd);
	while (recv(s, &(char){ 0 }, 1, MSG_PEEK) == -1)
		;
	ck_assert_str_eq(hear(s, &has_fd), "BARRIER=1");
	ck_assert(has_fd);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	(void)close(s);
}
END_TEST

START_TEST(the_watchdog_is_for_one_process)
{
	char	text[24];

	(void)unsetenv("WATCHDOG_PID");
	(void)unsetenv("WATCHDOG_USEC");
	ck_assert_uint_eq(notify_watchdog_usec(), 0);
	(void)setenv("WATCHDOG_USEC", "3000000", 1);
	ck_assert_uint_eq(notify_watchdog_usec(), 3000000);
	(void)setenv("WATCHDOG_PID", "1", 1);
	ck_assert_uint_eq(notify_watchdog_usec(), 0);
	(void)snprintf(text, sizeof text, "%ld", (long)getpid());
	(void)setenv("WATCHDOG_PID", text, 1);
	ck_assert_uint_eq(notify_watchdog_usec(), 3000000);
}
END_TEST

static int
a_descriptor(void)
{
	int	fd = dup(STDIN_FILENO);

	ck_assert_int_ne(fd, -1);
	return fd;
}

START_TEST(the_keeper_keeps_one_of_a_name)
{
	int	fd = a_descriptor(), first, second;

	ck_assert(fdstore_put("rpc", fd));
	first = fdstore_get("rpc");
	ck_assert_int_ge(first, 64);
	ck_assert(fdstore_put("rpc", a_descriptor()));
	second = fdstore_get("rpc");
	ck_assert_int_eq(fcntl(second, F_GETFD), FD_CLOEXEC);
	fdstore_remove("other");
	fdstore_remove("");
	ck_assert_int_eq(fdstore_get("rpc"), second);
	fdstore_remove("rpc");
	ck_assert_int_eq(fdstore_get("rpc"), -1);
	ck_assert_int_eq(fcntl(second, F_GETFD), -1);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

START_TEST(the_keeper_has_limits)
{
	char	name[FDSTORE_NAME_MAX + 1];

	for (int i = 0; i < FDSTORE_MAX; i++) {
		(void)snprintf(name, sizeof name, "n%d", i);
		ck_assert(fdstore_put(name, a_descriptor()));
	}
	ck_assert(!fdstore_put("more", a_descriptor()));
	ck_assert(fdstore_put("n3", a_descriptor()));
	fdstore_close();
	ck_assert_int_eq(fdstore_get("n3"), -1);
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	ck_assert(!fdstore_put(name, a_descriptor()));
	ck_assert(!fdstore_put("", a_descriptor()));
	ck_assert(!fdstore_put("a:b", a_descriptor()));
	ck_assert(!fdstore_put("a", -1));
}
END_TEST

START_TEST(what_the_keeper_passes_is_what_the_daemon_takes)
{
	char	names[FDSTORE_MAX * FDSTORE_NAME_MAX];

	ck_assert_uint_eq(fdstore_pass(names, sizeof names), 0);
	ck_assert_str_eq(names, "");
	ck_assert(fdstore_put("rpc", a_descriptor()));
	ck_assert(fdstore_put("park-in", a_descriptor()));
	ck_assert(fdstore_put("journal", a_descriptor()));
	fdstore_remove("park-in");
	ck_assert_uint_eq(fdstore_pass(names, sizeof names), 2);
	ck_assert_str_eq(names, "rpc:journal");
	ck_assert_int_eq(fcntl(4, F_GETFD), 0);
	pass(0, names, getpid());
	(void)setenv("LISTEN_FDS", "2", 1);
	fdclient_init();
	ck_assert_int_eq(fdclient_take("journal"), 4);
	ck_assert_int_eq(fdclient_take("rpc"), 3);
	fdclient_finish();
	fdstore_close();
}
END_TEST

START_TEST(the_keeper_reads_lines)
{
	char	value[8];

	ck_assert(fdstore_value("FDSTORE=1\nFDNAME=rpc\nFDPOLL=0", "FDNAME", value, sizeof value));
	ck_assert_str_eq(value, "rpc");
	ck_assert(fdstore_value("A=\nB=2", "A", value, sizeof value));
	ck_assert_str_eq(value, "");
	ck_assert(fdstore_value("A=123456789", "A", value, sizeof value));
	ck_assert_str_eq(value, "1234567");
	ck_assert(!fdstore_value("FDSTOREREMOVE=1", "FDSTORE", value, sizeof value));
	ck_assert(!fdstore_value("XA=1\n\nA\n", "A", value, sizeof value));
	ck_assert(!fdstore_value("", "A", value, sizeof value));
	ck_assert_str_eq(value, "");
}
END_TEST

START_TEST(a_crash_loop_is_slowed_down)
{
	static const int	pauses[] = { 0, 0, 0, 0, 0, 100, 200, 400, 800, 1600, 3200, 5000, 5000 };

	for (unsigned i = 0; i < sizeof pauses / sizeof pauses[0]; i++)
		ck_assert_int_eq(fdstore_pause(i), pauses[i]);
	ck_assert_int_eq(fdstore_pause(4000000000u), 5000);
}
END_TEST

Suite *
store_suite(void)
{
	Suite	*s = suite_create("store");
	TCase	*tc = tcase_create("store");

	tcase_add_test(tc, names_are_read_from_the_list);
	tcase_add_test(tc, the_clients_socket_needs_no_name);
	tcase_add_test(tc, what_was_passed_is_taken_by_name);
	tcase_add_test(tc, what_was_passed_to_another_is_not_taken);
	tcase_add_test(tc, numbers_that_cannot_be_are_none);
	tcase_add_test(tc, a_store_is_there_if_its_size_is_said);
	tcase_add_test(tc, what_the_manager_is_told);
	tcase_add_test(tc, to_put_is_to_wait_for_the_manager);
	tcase_add_test(tc, the_watchdog_is_for_one_process);
	tcase_add_test(tc, the_keeper_keeps_one_of_a_name);
	tcase_add_test(tc, the_keeper_has_limits);
	tcase_add_test(tc, what_the_keeper_passes_is_what_the_daemon_takes);
	tcase_add_test(tc, the_keeper_reads_lines);
	tcase_add_test(tc, a_crash_loop_is_slowed_down);
	suite_add_tcase(s, tc);
	return s;
}
