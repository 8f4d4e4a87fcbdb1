/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program whose threads are interrupted all the time, whatever call they are
 * in. With SA_RESTART the kernel repeats each call; without it the program
 * does. "run_signals restart US" and "run_signals eintr US", with microseconds: pairs of threads, of
 * which one sends numbers and the other sends them back, over one association
 * after the other. Each number comes once and in order, no call fails but with
 * EINTR, and no descriptor is left at the end. Prints "well".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id	_sigev_un._tid
#endif

#define PAIRS		4
#define ASSOCS		5
#define MESSAGES	20

static long	every;		/* ns */
static bool	again;		/* the program repeats, not the kernel */

/* A call, repeated while it is interrupted. */
#define CALL(R, WHAT) do {				\
	while (((R) = (WHAT)) == -1 && errno == EINTR)	\
		if (!again)				\
			errx(1, "EINTR: " #WHAT);	\
	if ((R) == -1)					\
		err(1, #WHAT);				\
} while (0)

static void
on_signal(int sig)
{
	(void)sig;
}

/* This thread, from now on. */
static void
interrupt(void)
{
	struct sigevent		ev = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM };
	struct itimerspec	often = { { 0, every }, { 0, every } };
	timer_t			timer;

	ev.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &ev, &timer) == -1 || timer_settime(timer, 0, &often, NULL) == -1)
		err(1, "timer");
}

static int
descriptors(void)
{
	DIR	*d = opendir("/proc/self/fd");
	int	 n = 0;

	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

/* Sends back what comes, until the end of each association. */
static void *
serve(void *arg)
{
	int		l = *(int *)arg, a;
	uint32_t	number;
	ssize_t		n;

	interrupt();
	for (int i = 0; i < ASSOCS; i++) {
		CALL(a, accept(l, NULL, NULL));
		for (;;) {
			CALL(n, recv(a, &number, sizeof number, 0));
			if (n == 0)
				break;
			CALL(n, send(a, &number, sizeof number, 0));
		}
		(void)close(a);
	}
	return NULL;
}

/* A connect that was interrupted goes on: who repeats it himself is told so, until it is there. */
static void
connect_to(int fd, const struct sockaddr_in *sin)
{
	while (connect(fd, (const struct sockaddr *)sin, sizeof *sin) == -1 && errno != EISCONN) {
		if (!again || (errno != EINTR && errno != EALREADY))
			err(1, "connect");
	}
}

static void *
talk(void *arg)
{
	const struct sockaddr_in	*sin = arg;
	int				 fd;
	uint32_t			 got;
	ssize_t				 n;

	interrupt();
	for (int i = 0; i < ASSOCS; i++) {
		CALL(fd, socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP));
		connect_to(fd, sin);
		for (uint32_t m = 0; m < MESSAGES; m++) {
			CALL(n, send(fd, &m, sizeof m, 0));
			CALL(n, recv(fd, &got, sizeof got, 0));
			if (n != sizeof got || got != m)
				errx(1, "got %zd bytes, %u instead of %u", n, got, m);
		}
		(void)close(fd);
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	struct sigaction	sa = { .sa_handler = on_signal };
	struct sockaddr_in	sin[PAIRS];
	socklen_t		len = sizeof sin[0];
	pthread_t		servers[PAIRS], talkers[PAIRS];
	int			listeners[PAIRS], before = descriptors();

	if (argc != 3)
		errx(2, "usage: run_signals restart|eintr US");
	again = strcmp(argv[1], "eintr") == 0;
	every = atol(argv[2]) * 1000;
	sa.sa_flags = again ? 0 : SA_RESTART;
	(void)sigaction(SIGALRM, &sa, NULL);
	for (int i = 0; i < PAIRS; i++) {
		sin[i] = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
		if ((listeners[i] = socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP)) == -1 ||
		    bind(listeners[i], (struct sockaddr *)&sin[i], len) == -1 || listen(listeners[i], 5) == -1 ||
		    getsockname(listeners[i], (struct sockaddr *)&sin[i], &len) == -1)
			err(1, "listen");
	}
	for (int i = 0; i < PAIRS; i++) {
		if (pthread_create(&servers[i], NULL, serve, &listeners[i]) != 0 ||
		    pthread_create(&talkers[i], NULL, talk, &sin[i]) != 0)
			errx(1, "no threads");
	}
	for (int i = 0; i < PAIRS; i++) {
		(void)pthread_join(talkers[i], NULL);
		(void)pthread_join(servers[i], NULL);
	}
	for (int i = 0; i < PAIRS; i++)
		(void)close(listeners[i]);
	if (descriptors() != before)
		errx(1, "%d descriptors, and %d before", descriptors(), before);
	puts("well");
	return 0;
}
