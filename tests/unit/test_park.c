/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors that wait for the next process, in more lots than one message
 * brings: lots are small here, as the Makefile says.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal/fdpark.h"
#include "service/fdclient.h"
#include "unit.h"

#define MANY	500
#define STAY(i)	((i) % 3 != 0)

static char	fault[] = "/tmp/sctpd-park-XXXXXX";
static int	manager[2];		/* the ends of the pair that the manager holds */

/* In a process that serves: descriptor 3, by which check is told, is another one there. */
static void
must(bool holds)
{
	if (!holds)
		_exit(1);
}

/* This process is the next one that serves. */
static void
take_over(void)
{
	char	text[24];

	must(dup2(manager[0], 3) == 3 && dup2(manager[1], 4) == 4);
	(void)snprintf(text, sizeof text, "%ld", (long)getpid());
	(void)setenv("LISTEN_PID", text, 1);
	(void)setenv("LISTEN_FDS", "2", 1);
	(void)setenv("LISTEN_FDNAMES", "park-in:park-out", 1);
	(void)setenv("FDSTORE", "16", 1);
	(void)setenv("NOTIFY_SOCKET", "/nowhere", 1);
	fdclient_init();
	fdpark_init();
}

static void
make_manager(void)
{
	int	pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	for (int i = 0; i < 2; i++) {
		manager[i] = fcntl(pair[i], F_DUPFD, 10);
		(void)close(pair[i]);
	}
}

/* Run it in a process of its own; gives the process's status. */
static int
in_turn(void (*fn)(unsigned *), unsigned *arg)
{
	pid_t	pid = fork();
	int	status;

	if (pid == 0) {
		take_over();
		fn(arg);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void
put_all(unsigned *done)
{
	int	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	for (unsigned i = *done + 1; i <= MANY; i++) {
		must(fdpark_put(i, fd));
		*done = i;
	}
}

static void
drop_some(unsigned *done)
{
	(void)done;
	for (unsigned i = 1; i <= MANY; i++) {
		int	fd = fdpark_take(i);

		must(fd != -1);
		if (!STAY(i))
			fdpark_drop(i);
	}
}

static void
find_rest(unsigned *done)
{
	(void)done;
	for (unsigned i = 1; i <= MANY; i++)
		must(STAY(i) == (fdpark_take(i) != -1));
	must(fdpark_finish() == 0);
}

static void
find_done(unsigned *done)
{
	for (unsigned i = 1; i <= *done; i++)
		must(fdpark_take(i) != -1);
	for (unsigned i = *done; i >= 1; i--)
		fdpark_drop(i);
	(void)fdpark_finish();		/* the next one may have been parked, too */
}

START_TEST(more_than_a_message_brings_wait_for_the_next)
{
	unsigned	done = 0;

	make_manager();
	ck_assert_int_eq(in_turn(put_all, &done), 0);
	ck_assert_int_eq(in_turn(drop_some, &done), 0);
	ck_assert_int_eq(in_turn(find_rest, &done), 0);
	ck_assert_int_eq(in_turn(find_rest, &done), 0);
}
END_TEST

static void
die_at(int n)
{
	FILE	*f = fopen(fault, "we");

	ck_assert_ptr_nonnull(f);
	(void)fprintf(f, "rewritten %d\n", n);
	(void)fclose(f);
}

/* Around the message in which the lots become too many for one, and far from it. */
START_TEST(a_death_between_two_pages_loses_none)
{
	unsigned	*done = mmap(NULL, sizeof *done, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert(done != MAP_FAILED);
	(void)close(mkstemp(fault));
	(void)setenv("SCTPD_FAULT", fault, 1);
	for (int n = 1; n < 150; n += n < 95 || n > 115 ? 11 : 1) {
		make_manager();
		*done = 0;
		die_at(n);
		ck_assert(WIFSIGNALED(in_turn(put_all, done)));
		ck_assert_int_eq(in_turn(find_done, done), 0);
		for (int i = 0; i < 2; i++)
			(void)close(manager[i]);
	}
	(void)munmap(done, sizeof *done);
}
END_TEST

Suite *
park_suite(void)
{
	Suite	*s = suite_create("park");
	TCase	*tc = tcase_create("park");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, more_than_a_message_brings_wait_for_the_next);
	tcase_add_test(tc, a_death_between_two_pages_loses_none);
	suite_add_tcase(s, tc);
	return s;
}
