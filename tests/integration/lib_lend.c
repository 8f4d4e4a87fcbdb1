/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that has its sockets lent, and one that sends and takes many
 * messages at once: for test_lib_lend.py.
 *
 * lib_lend MODE SOCKET ...: see modes[].
 */
#include <err.h>
#include <inttypes.h>
#include <sctpd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE	20000	/* ms */
#define AT_ONCE		1000

static struct sctpd	*c;
static uint64_t		 here, there;	/* two sockets with an association */
static uint32_t		 here_id, there_id;

static void
check(int code)
{
	if (code != SCTPD_OK)
		errx(1, "%s", sctpd_error(c));
}

static bool
is_data(const struct sctpd_event *ev)
{
	return strcmp(ev->name, "data") == 0;
}

static const struct sctpd_event *
next_data(uint64_t sock)
{
	const struct sctpd_event	*ev;

	do
		check(sctpd_recv(c, sock, PATIENCE, &ev));
	while (!is_data(ev));
	return ev;
}

static void
begin(const char *path, bool session)
{
	const struct sctpd_event	*ev;
	struct sctpd_assoc		 a;
	uint64_t			 many;
	uint16_t			 port;

	c = sctpd_new();
	if (session)
		check(sctpd_resumable(c, PATIENCE, NULL, NULL));
	check(sctpd_dial(c, path));
	check(sctpd_open(c, &there, "ip=127.0.0.1"));
	check(sctpd_sockname(c, there, NULL, 0, &port));
	check(sctpd_listen(c, there, -1));
	check(sctpd_open(c, &many, "ip=127.0.0.1"));
	check(sctpd_connect(c, many, "127.0.0.1", port, PATIENCE, &a));
	check(sctpd_peeloff(c, many, a.assoc_id, &here));
	here_id = a.assoc_id;
	check(sctpd_recv(c, there, PATIENCE, &ev));
	there_id = ev->assoc_id;
	check(sctpd_close(c, many));
}

static void
wait_readable(int fd)
{
	int	one = 0;
	ssize_t	n;

	while ((n = recv(fd, &one, sizeof one, MSG_PEEK)) == -1)
		(void)usleep(1000);
}

/* Talk directly; give it back with something in it; and once more. */
static void
lend(int argc, char **argv)
{
	char	data[100];
	int	fd, again;

	(void)argc;
	begin(argv[0], false);
	for (int round = 0; round < 2; round++) {
		check(sctpd_lend(c, here, &fd));
		printf("%s", sctpd_code_name(sctpd_lend(c, here, &again)));
		printf(" %s", sctpd_code_name(sctpd_send(c, here, here_id, 0, "x", 1)));
		if (send(fd, "direct", 6, 0) != 6)
			err(1, "send");
		printf(" %s", next_data(there)->data);
		for (int i = 0; i < 20; i++) {
			snprintf(data, sizeof data, "%d", i);
			check(sctpd_send(c, there, there_id, 0, data, strlen(data) + 1));
		}
		for (int i = 0; i < 10; i++) {
			wait_readable(fd);
			if (recv(fd, data, sizeof data, 0) < 1)
				err(1, "recv");
			printf(" %s", data);
		}
		if (round == 0)
			close(fd);
		check(sctpd_return(c, here));
		if (round == 1)
			close(fd);
		for (int i = 0; i < 10; i++)
			printf(" %s", next_data(here)->data);
		printf(" %s\n", sctpd_code_name(sctpd_return(c, here)));
		check(sctpd_send(c, here, here_id, 0, "again", 5));
		printf("%s\n", next_data(there)->data);
	}
	printf("%s\n", sctpd_code_name(sctpd_lend(c, there, &fd)));
}

/* Send so many as one batch. */
static void
send_numbers(uint64_t sock, uint32_t assoc_id, int n)
{
	static struct sctpd_message	m[AT_ONCE];
	static char			data[AT_ONCE][16];
	size_t				sent;

	for (int i = 0; i < n; i++) {
		m[i] = (struct sctpd_message){ .data = data[i], .info = { .stream = 1, .assoc_id = assoc_id } };
		m[i].len = (size_t)snprintf(data[i], sizeof data[i], "%d", i);
	}
	check(sctpd_send_many(c, sock, m, (size_t)n, &sent));
	if (sent != (size_t)n)
		errx(1, "%zu of %d were sent", sent, n);
}

/* Send many of the events that were taken back at once: their data as it is. */
static void
echo_events(const struct sctpd_event **ev, size_t n)
{
	static struct sctpd_message	m[AT_ONCE];
	size_t				to = 0, sent;

	for (size_t i = 0; i < n; i++) {
		if (is_data(ev[i]) && ev[i]->sock == there)
			m[to++] = (struct sctpd_message){ .data = ev[i]->data, .len = ev[i]->len,
			    .info = { .stream = 1, .assoc_id = ev[i]->assoc_id } };
	}
	check(sctpd_send_many(c, there, m, to, &sent));
}

/* A batch there, where each is sent back, and back here, all by one connection. */
static void
there_and_back(int n)
{
	const struct sctpd_event	*ev[AT_ONCE];
	int				 want = 0, calls = 0;
	size_t				 got;

	send_numbers(here, here_id, n);
	while (want < n) {
		check(sctpd_events(c, ev, AT_ONCE, PATIENCE, &got));
		calls++;
		echo_events(ev, got);
		for (size_t i = 0; i < got; i++) {
			if (!is_data(ev[i]) || ev[i]->sock != here)
				continue;
			if (atoi(ev[i]->data) != want++ || strlen(ev[i]->data) != ev[i]->len ||
			    ev[i]->info.stream != 1 || ev[i]->assoc_id != here_id ||
			    strcmp(ev[i]->from, "127.0.0.1") != 0)
				errx(1, "%d came as %s", want - 1, ev[i]->data);
		}
	}
	printf("%d %s\n", want, calls < n ? "together" : "one by one");
}

/* batch N: once; batch N ROUNDS: in a session, so many times. */
static void
batch(int argc, char **argv)
{
	begin(argv[0], argc > 2);
	check(sctpd_set_active(c, here, SCTPD_ACTIVE));
	check(sctpd_set_active(c, there, SCTPD_ACTIVE));
	for (int i = argc > 2 ? atoi(argv[2]) : 1; i > 0; i--)
		there_and_back(atoi(argv[1]));
}

/* While the socket is lent the daemon dies: when there is a line to read. */
static void
survive(int argc, char **argv)
{
	char	data[100];
	int	fd;

	(void)argc;
	begin(argv[0], true);
	check(sctpd_lend(c, here, &fd));
	puts("lent");
	if (fgets(data, sizeof data, stdin) == NULL)
		errx(1, "nothing to read");
	if (send(fd, "direct", 6, 0) != 6)
		err(1, "send");
	puts(next_data(there)->data);
	check(sctpd_send(c, there, there_id, 0, "back", 5));
	wait_readable(fd);
	if (recv(fd, data, sizeof data, 0) != 5)
		err(1, "recv");
	puts(data);
	check(sctpd_send(c, there, there_id, 0, "later", 5));
	close(fd);
	check(sctpd_return(c, here));
	puts(next_data(here)->data);
}

/* Of ten messages the second, the fourth and the ninth cannot be sent. */
static void
fail(int argc, char **argv)
{
	struct sctpd_message	m[10];
	size_t			sent;
	int			code;

	(void)argc;
	begin(argv[0], false);
	for (int i = 0; i < 10; i++)
		m[i] = (struct sctpd_message){ .data = &"0123456789"[i], .len = 1,
		    .info = { .assoc_id = here_id } };
	m[1].info.stream = 60000;
	m[3].len = 0;
	m[8].len = SIZE_MAX;
	code = sctpd_send_many(c, here, m, 10, &sent);
	printf("%s, %zu sent: %s\n", sctpd_code_name(code), sent, sctpd_error(c));
	for (int i = 0; i < 10; i++)
		printf("%s%c", sctpd_code_name(m[i].code), i < 9 ? ' ' : '\n');
	for (size_t i = 0; i < sent; i++)
		printf("%s%c", next_data(there)->data, i < sent - 1 ? ' ' : '\n');
}

/* Send so many messages of so many bytes in batches; the peer counts them. */
static void
flood(int argc, char **argv)
{
	static struct sctpd_message	 m[AT_ONCE];
	static char			 data[65536];
	const struct sctpd_event	*ev[AT_ONCE];
	size_t				 n, got = 0, all = strtoul(argv[1], NULL, 10);

	(void)argc;
	begin(argv[0], false);
	check(sctpd_set_active(c, there, SCTPD_ACTIVE));
	for (size_t i = 0; i < AT_ONCE; i++)
		m[i] = (struct sctpd_message){ .data = data, .len = strtoul(argv[2], NULL, 10),
		    .info = { .assoc_id = here_id } };
	for (size_t i = 0; i < all; i += AT_ONCE)
		check(sctpd_send_many(c, here, m, AT_ONCE, NULL));
	while (got < all) {
		check(sctpd_events(c, ev, AT_ONCE, PATIENCE, &n));
		for (size_t i = 0; i < n; i++)
			got += is_data(ev[i]) && ev[i]->len == m[0].len;
	}
	printf("%zu\n", got);
}

static const struct {
	const char	*name;
	void		(*run)(int, char **);
} modes[] = {
	{ "lend", lend },
	{ "batch", batch },
	{ "survive", survive },
	{ "fail", fail },
	{ "flood", flood },
};

int
main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		if (argc > 2 && strcmp(modes[i].name, argv[1]) == 0)
			modes[i].run(argc - 2, argv + 2);
	}
	return sctpd_free(c) != NULL;
}
