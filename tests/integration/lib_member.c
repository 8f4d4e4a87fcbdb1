/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A member of a group under load, in C: what class Member in crew.py is in Python.
 *
 * lib_member SOCKET NUMBER GROUP FD: it sends each numbered message back with its own
 * number, acknowledges it then, and writes what it did to FD, as struct record. At
 * SIGTERM it drains, and ends when it has nothing left.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sctpd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define MAX	256
#define WRITE	(4096 / sizeof(struct record))	/* a pipe takes so many whole */

/* RECORD in crew.py. */
struct record {
	char		kind;
	char		none;
	uint16_t	member;
	uint32_t	peer;
	uint64_t	n;
	uint64_t	at;
	uint64_t	sent;
};
_Static_assert(sizeof(struct record) == 32, "RECORD in crew.py has 32 bytes");

struct row {
	uint32_t	peer;
	uint64_t	n;
	uint64_t	sent;
	uint64_t	sock;
	uint32_t	assoc_id;
};

static struct sctpd	*c;
static const char	*group;
static unsigned		 number;
static int		 log_fd;

static void
check(int code)
{
	if (code != SCTPD_OK)
		errx(1, "member %u: %s", number, sctpd_error(c));
}

static void
note(char kind, const struct row *rows, size_t n)
{
	struct record	r[WRITE];
	struct timespec	ts;
	size_t		i, k;

	clock_gettime(CLOCK_REALTIME, &ts);
	for (i = 0; i < n; i += k) {
		for (k = 0; k < WRITE && i + k < n; k++)
			r[k] = (struct record){ .kind = kind, .member = (uint16_t)number, .peer = rows[i + k].peer,
			    .n = rows[i + k].n, .sent = rows[i + k].sent,
			    .at = (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000 };
		if (write(log_fd, r, k * sizeof r[0]) != (ssize_t)(k * sizeof r[0]))
			err(1, "write");
	}
}

static void
on_sent(struct sctpd *conn, int code, const struct sctpd_value *v, void *arg)
{
	(void)conn;
	(void)v;
	(void)arg;
	check(code);
}

static void
answer(const struct row *r)
{
	struct sctpd_sndrcvinfo	info = { .assoc_id = r->assoc_id };
	char			text[100];
	int			n = snprintf(text, sizeof text, "%" PRIu32 " %" PRIu64 " %" PRIu64 " %u",
				    r->peer, r->n, r->sent, number);

	check(sctpd_sendmsg_async(c, r->sock, &info, text, (size_t)n, on_sent, NULL));
}

/* It was taken out, and what it was given and had not handled is another's: join again, as somebody else. */
static void
join_again(void)
{
	static const struct row	none;

	note('T', &none, 1);
	number += 1 << 10;
	check(sctpd_join(c, group, -1, NULL));
}

/* The messages among the events. */
static size_t
rows_of(const struct sctpd_event **ev, size_t n, struct row *rows)
{
	const char	*state;
	size_t		 k = 0;
	struct row	*r;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(ev[i]->name, "data") == 0) {
			r = &rows[k++];
			*r = (struct row){ .sock = ev[i]->sock, .assoc_id = ev[i]->assoc_id };
			if (sscanf(ev[i]->data, "%" SCNu32 " %" SCNu64 " %" SCNu64, &r->peer, &r->n, &r->sent) != 3)
				errx(1, "the message %s", ev[i]->data);
			continue;
		}
		state = sctpd_get_str(ev[i]->fields, "state");
		if (strcmp(state, "comm_lost") == 0 || strcmp(state, "shutdown_comp") == 0)
			errx(1, "%s", state);
		if (strcmp(ev[i]->name, "left") == 0) {
			k = 0;
			join_again();
		}
	}
	return k;
}

/* Handle them, answer, acknowledge, and write that down once the daemon has answered. */
static void
work(const struct sctpd_event **ev, size_t n)
{
	static struct row	rows[MAX];
	uint64_t		seq = ev[n - 1]->seq;
	size_t			k = rows_of(ev, n, rows);

	note('H', rows, k);
	for (size_t i = 0; i < k; i++)
		answer(&rows[i]);
	check(sctpd_sync(c));
	check(sctpd_call(c, NULL, "ack seq=%" PRIu64, seq));
	note('A', rows, k);
}

/* All that has come. Was there something? */
static bool
take(void)
{
	const struct sctpd_event	*ev[MAX];
	size_t				 n;
	bool				 any = false;
	int				 code;

	while ((code = sctpd_events(c, ev, MAX, 0, &n)) == SCTPD_OK) {
		work(ev, n);
		any = true;
	}
	if (code != SCTPD_TIMEOUT)
		check(code);
	return any;
}

/* Has it given away all that it had? */
static bool
is_empty(void)
{
	size_t	n;

	check(sctpd_drain_member(c, group, 1, &n));
	return n == 0;
}

static int
stop_fd(void)
{
	sigset_t	set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void
serve(int stop)
{
	struct pollfd	pfd[2] = { { .events = POLLIN }, { .fd = stop, .events = POLLIN } };
	bool		draining = false;

	for (;;) {
		/* What came before an answer is read already, and poll does not tell of it. */
		do {
			if (draining && is_empty())
				return;
		} while (take());
		pfd[0].fd = sctpd_fd(c);
		pfd[0].events = sctpd_wants(c);
		if (poll(pfd, 2, -1) == -1 && errno != EINTR)
			err(1, "poll");
		if (pfd[1].revents != 0) {
			draining = true;
			pfd[1].fd = -1;
			pfd[1].revents = 0;
		}
	}
}

int
main(int argc, char **argv)
{
	char	name[16];
	int	stop = stop_fd();

	if (argc != 5)
		errx(1, "usage: lib_member SOCKET NUMBER GROUP FD");
	number = (unsigned)atoi(argv[2]);
	group = argv[3];
	log_fd = atoi(argv[4]);
	c = sctpd_new();
	check(sctpd_resumable(c, -1, NULL, NULL));
	check(sctpd_dial(c, argv[1]));
	snprintf(name, sizeof name, "m%u", number);
	check(sctpd_hello(c, name, NULL));
	check(sctpd_join(c, group, -1, NULL));
	serve(stop);
	check(sctpd_leave(c, group));
	close(stop);
	close(log_fd);
	return sctpd_free(c) != NULL;
}
