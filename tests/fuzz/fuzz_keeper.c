/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the daemon might say to its keeper, and what is passed to the daemon
 * as it starts: lines of sd_notify(3) with descriptors, sent over the keeper's
 * socket, and the environment of sd_listen_fds(3).
 *
 * The first byte is how many descriptors go with it. Nothing may crash, and
 * no descriptor be lost or closed twice.
 */
#include <fcntl.h>
#include <stdint.h>

#include "../../daemon/service/keeper.c"
#include "fuzz.h"

#define FIRST	3		/* of those that are passed */
#define PASSED	FDSTORE_MAX
#define MAX	2048

static int	talk, null;

/* The next descriptor that would be given: the same before and after. */
static int
next_fd(void)
{
	int	fd = dup(null);

	must(fd != -1);
	(void)close(fd);
	return fd;
}

/* The descriptors that may be passed are there, and nobody else's. */
static void
fill(void)
{
	for (int i = 0; i < PASSED; i++) {
		if (fcntl(FIRST + i, F_GETFD) == -1)
			must(dup2(null, FIRST + i) != -1);
	}
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int	pair[2], on = 1;

	(void)argc, (void)argv;
	log_set_level(-1);
	must((null = open("/dev/null", O_RDWR | O_CLOEXEC)) != -1);
	must((null = fcntl(null, F_DUPFD_CLOEXEC, 100)) != -1);
	fill();
	must(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) == 0);
	must((talk = fcntl(pair[0], F_DUPFD_CLOEXEC, 100)) != -1);
	must((notify_fd = fcntl(pair[1], F_DUPFD_CLOEXEC, 100)) != -1);
	must(setsockopt(notify_fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
	child = getpid();
	(void)close(pair[0]);
	(void)close(pair[1]);
	return 0;
}

/* ---- to the keeper --------------------------------------------------- */

static void
say(const uint8_t *data, size_t n, unsigned nfds)
{
	union {
		char		buf[CMSG_SPACE(20 * sizeof(int))];
		struct cmsghdr	head;
	} control = { .head = { .cmsg_len = CMSG_LEN(nfds * sizeof(int)),
	    .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec	iov = { (void *)(uintptr_t)data, n };
	struct msghdr	msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	for (unsigned i = 0; i < nfds; i++)
		memcpy(CMSG_DATA(&control.head) + i * sizeof null, &null, sizeof null);
	if (nfds > 0) {
		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
	}
	must(sendmsg(talk, &msg, 0) != -1);
	must(listen_once());
}

/* What is held has names that LISTEN_FDNAMES can say, each once. */
static void
look(void)
{
	char		 names[FDSTORE_MAX * FDSTORE_NAME_MAX], name[FDCLIENT_NAME_MAX];
	unsigned	 n = fdstore_pass(names, sizeof names);

	for (unsigned i = 0; i < n; i++) {
		fdclient_name(names, i, name);
		must(name[0] != '\0' && (strcmp(name, "rpc") == 0 ||
		    fcntl(fdstore_get(name), F_GETFD) != -1));
	}
}

/* ---- to the daemon --------------------------------------------------- */

/* Lines of the input are the variables' values. */
static void
set_environment(char *text)
{
	static const char *const	names[] = { "LISTEN_FDNAMES", "LISTEN_FDS", "LISTEN_PID",
	    "WATCHDOG_USEC", "WATCHDOG_PID", "FDSTORE" };
	char				*value;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		value = strsep(&text, "\n");
		if (value != NULL && strcmp(value, "$") != 0)
			(void)setenv(names[i], value, 1);
		else
			set_number(names[i], i == 1 ? PASSED : (long long)getpid());
	}
}

static void
start_daemon(const uint8_t *data, size_t n)
{
	char	text[MAX + 1];

	memcpy(text, data, n);
	text[n] = '\0';
	set_environment(text);
	/* Only those: what else is open is the fuzzer's. */
	if (getenv("LISTEN_FDS") != NULL && atol(getenv("LISTEN_FDS")) > PASSED)
		set_number("LISTEN_FDS", PASSED);
	fdclient_init();
	(void)fdclient_present();
	(void)notify_watchdog_usec();
	(void)close(fdclient_take("journal"));
	(void)close(fdclient_take("park-in"));
	(void)close(fdclient_take(""));
	fdclient_finish();
	fill();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	int	before = next_fd();

	if (n < 2 || n > MAX)
		return 0;
	phase = STARTING;
	for (size_t at = 1, len; at < n; at += len) {
		const uint8_t	*end = memchr(data + at, '\0', n - at);

		len = end != NULL ? (size_t)(end - data) + 1 - at : n - at;
		say(data + at, len, at == 1 ? data[0] % 20 : data[at] % 2);
		look();
	}
	fdstore_close();
	start_daemon(data + 1, n - 1);
	must(next_fd() == before);
	return 0;
}
