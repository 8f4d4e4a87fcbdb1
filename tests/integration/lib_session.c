/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program whose connection to sctpd breaks: for test_lib_session.py.
 *
 * lib_session MODE SOCKET ...: see modes[].
 */
#include <err.h>
#include <inttypes.h>
#include <poll.h>
#include <sctpd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE	20000	/* ms */

static struct sctpd	*c;
static uint64_t		 sock;
static unsigned		 gone, back, over, unanswered;
static bool		 end;

static void
on_session(struct sctpd *conn, enum sctpd_session_change change, void *arg)
{
	(void)conn;
	(void)arg;
	gone += change == SCTPD_GONE;
	back += change == SCTPD_BACK;
	over += change == SCTPD_OVER;
}

static void
check(int code)
{
	if (code != SCTPD_OK)
		errx(1, "%s", sctpd_error(c));
}

static bool
is_data(const struct sctpd_event *ev)
{
	if (strcmp(ev->name, "data") == 0)
		return true;
	/* The machine may have addresses that the peer confirms. */
	if (!end && strcmp(ev->name, "sctp_assoc_change") != 0 &&
	    strcmp(ev->name, "sctp_paddr_change") != 0)
		errx(1, "the event %s, %s", ev->name, sctpd_get_str(ev->fields, "error"));
	return false;
}

static void
begin(const char *path, int max_ms)
{
	c = sctpd_new();
	check(sctpd_resumable(c, max_ms, on_session, NULL));
	check(sctpd_dial(c, path));
}

static void
listen_on(const char *options)
{
	uint16_t	port;

	check(sctpd_open(c, &sock, "ip=127.0.0.1 %s", options));
	check(sctpd_sockname(c, sock, NULL, 0, &port));
	check(sctpd_listen(c, sock, -1));
	printf("%u\n", port);
}

/* Each message back, one after the other. */
static void
echo(int argc, char **argv)
{
	const struct sctpd_event	*ev;

	(void)argc;
	begin(argv[0], PATIENCE);
	listen_on("options.active=true");
	while (!end) {
		check(sctpd_next_event(c, -1, &ev));
		if (!is_data(ev))
			continue;
		end = strcmp(ev->data, "end") == 0;
		check(sctpd_send(c, sock, ev->assoc_id, 0, ev->data, ev->len));
	}
}

/* The same from a passive socket. */
static void
echo_passive(int argc, char **argv)
{
	const struct sctpd_event	*ev;
	char				 data[64];

	(void)argc;
	begin(argv[0], PATIENCE);
	listen_on("");
	while (!end) {
		check(sctpd_recv(c, sock, -1, &ev));
		if (!is_data(ev))
			continue;
		end = strcmp(ev->data, "end") == 0;
		snprintf(data, sizeof data, "%s", ev->data);
		check(sctpd_send(c, sock, ev->assoc_id, 0, data, strlen(data)));
	}
}

static void
on_sent(struct sctpd *conn, int code, const struct sctpd_value *v, void *arg)
{
	(void)conn;
	(void)v;
	(void)arg;
	check(code);
	unanswered--;
}

static void
on_event(struct sctpd *conn, const struct sctpd_event *ev, void *arg)
{
	struct sctpd_sndrcvinfo	 info = { .assoc_id = ev->assoc_id };
	sctpd_reply_fn		*fn = arg != NULL ? on_sent : NULL;

	if (!is_data(ev))
		return;
	end = strcmp(ev->data, "end") == 0;
	unanswered += fn != NULL;
	check(sctpd_sendmsg_async(conn, sock, &info, ev->data, ev->len, fn, NULL));
}

/* Wait until something can be written or read, and do so. */
static void
turn(void)
{
	struct pollfd	pfd = { .fd = sctpd_fd(c), .events = sctpd_wants(c) };

	if (poll(&pfd, 1, -1) == -1)
		err(1, "poll");
	check(sctpd_process(c));
}

/* The same in a loop of its own, sends being requests or, for "notes", notifications. */
static void
echo_loop(int argc, char **argv)
{
	begin(argv[0], PATIENCE);
	listen_on("options.active=true");
	sctpd_on_event(c, on_event, argc > 1 ? NULL : &end);
	while (!end || unanswered > 0)
		turn();
	check(sctpd_sync(c));
	check(sctpd_call(c, NULL, "status"));
}

/* Ask until that fails; say how. */
static void
ask(int argc, char **argv)
{
	int	code;

	(void)argc;
	begin(argv[0], atoi(argv[1]));
	puts("ready");
	while ((code = sctpd_call(c, NULL, "status")) == SCTPD_OK)
		;
	printf("%s\n%s\n", sctpd_code_name(code), sctpd_error(c));
}

/* The same, waiting for events. */
static void
wait_events(int argc, char **argv)
{
	const struct sctpd_event	*ev;
	int				 code;

	(void)argc;
	begin(argv[0], atoi(argv[1]));
	printf("%s\n", sctpd_session(c, NULL));
	while ((code = sctpd_next_event(c, -1, &ev)) == SCTPD_OK)
		;
	printf("%s\n%s\n", sctpd_code_name(code), sctpd_error(c));
}

/*
 * Note each message in a file together with its number; who is started again
 * with that file goes on. The file's first line has the token.
 */
static void
note(int argc, char **argv)
{
	const struct sctpd_event	*ev;
	char				 line[128], token[64] = "";
	uint64_t			 seq = 0;
	FILE				*f = fopen(argv[1], "a+");

	(void)argc;
	rewind(f);
	while (fgets(line, sizeof line, f) != NULL) {
		if (token[0] == '\0')
			sscanf(line, "%63s", token);
		else
			sscanf(line, "%" SCNu64, &seq);
	}
	c = sctpd_new();
	check(sctpd_resumable(c, PATIENCE, on_session, NULL));
	if (token[0] != '\0')
		check(sctpd_resume(c, token, seq));
	check(sctpd_dial(c, argv[0]));
	if (token[0] == '\0') {
		listen_on("options.on_owner_exit=hold");
		fprintf(f, "%s\n", sctpd_session(c, NULL));
		fflush(f);
		check(sctpd_set_active(c, sock, SCTPD_ACTIVE));
	} else {
		puts("again");
	}
	while (!end) {
		check(sctpd_next_event(c, -1, &ev));
		if (!is_data(ev))
			continue;
		end = strcmp(ev->data, "end") == 0;
		fprintf(f, "%" PRIu64 " %s\n", ev->seq, ev->data);
		fflush(f);
	}
	fclose(f);
	check(sctpd_close(c, sock != 0 ? sock : ev->sock));
}

static void
on_given(struct sctpd *conn, int code, const struct sctpd_value *v, void *arg)
{
	(void)conn;
	(void)v;
	*(int *)arg = code;
}

/* Give the socket to a client; with async, ask for events meanwhile. */
static int
give_to(uint64_t client, bool async)
{
	const struct sctpd_event	*ev;
	int				 code = -1;

	if (!async)
		return sctpd_controlling_process(c, sock, client);
	check(sctpd_call_async(c, on_given, &code, "controlling_process sock=%" PRIu64 " client=%" PRIu64,
	    sock, client));
	while (code == -1) {
		if (sctpd_next_event(c, 1, &ev) == SCTPD_OK)
			printf("%s\n", ev->data);
	}
	return code;
}

/*
 * Take some events; then, for each number on standard input, give the socket
 * to that client; 0 is itself.
 */
static void
give(int argc, char **argv)
{
	const struct sctpd_event	*ev;
	char				 line[64];
	uint64_t			 me, to;
	int				 n = atoi(argv[1]), code;

	begin(argv[0], PATIENCE);
	check(sctpd_hello(c, "giver", &me));
	listen_on("options.active=true");
	while (n > 0) {
		check(sctpd_next_event(c, -1, &ev));
		if (!is_data(ev))
			continue;
		printf("%s\n", ev->data);
		n--;
	}
	while (fgets(line, sizeof line, stdin) != NULL) {
		check(sctpd_call(c, NULL, "status"));	/* which reads what has come */
		to = strtoull(line, NULL, 10);
		code = give_to(to == 0 ? me : to, argc > 2);
		printf("%s\n", sctpd_code_name(code));
		if (code == SCTPD_OK && to != 0)
			break;
		check(sctpd_next_event(c, -1, &ev));
		printf("%s\n", ev->data);
	}
	while ((code = sctpd_next_event(c, 200, &ev)) == SCTPD_OK)
		printf("%s %s\n", ev->name, ev->data);
	printf("%s\n", sctpd_code_name(code));
}

/*
 * Send so many numbered messages behind a recv that is never answered: as
 * requests, a thousand or, for "all", all at once; or, for "notes", as
 * notifications.
 */
static void
flood(int argc, char **argv)
{
	static char			 data[5000];
	const struct sctpd_event	*ev;
	struct sctpd_sndrcvinfo		 info = { .stream = 0 };
	const char			*how = argc > 2 ? argv[2] : "";
	sctpd_reply_fn			*fn = strcmp(how, "notes") != 0 ? on_sent : NULL;
	bool				 all = strcmp(how, "all") == 0;
	uint64_t			 other;
	int				 code;

	begin(argv[0], PATIENCE);
	check(sctpd_open(c, &other, "ip=127.0.0.1"));
	listen_on("");
	check(sctpd_recv(c, sock, -1, &ev));
	info.assoc_id = ev->assoc_id;
	check(sctpd_call_async(c, on_sent, NULL, "recv sock=%" PRIu64 " timeout=infinity", other));
	for (int i = 0; i < atoi(argv[1]); i++) {
		snprintf(data, sizeof data, "%d", i);
		while ((code = sctpd_sendmsg_async(c, sock, &info, data, i % 50 == 0 ? sizeof data : 100,
		    fn, NULL)) == SCTPD_EAGAIN)
			turn();
		check(code);
		unanswered += fn != NULL;
		while (unanswered > 1000 && !all)
			turn();
	}
	while (unanswered > 0)
		turn();
	check(sctpd_eof(c, sock, info.assoc_id));
}

/* Come with a token that is none; then without. */
static void
stale(int argc, char **argv)
{
	(void)argc;
	c = sctpd_new();
	check(sctpd_resumable(c, PATIENCE, on_session, NULL));
	check(sctpd_resume(c, "0123456789abcdef0123456789abcdef", 7));
	printf("%s\n", sctpd_code_name(sctpd_dial(c, argv[0])));
	check(sctpd_dial(c, argv[0]));
	check(sctpd_call(c, NULL, "status"));
	printf("%zu\n", strlen(sctpd_session(c, NULL)));
}

/* Make many calls and do not take the event that waits. */
static void
deaf(int argc, char **argv)
{
	const struct sctpd_event	*ev;

	(void)argc;
	begin(argv[0], PATIENCE);
	listen_on("options.active=true");
	for (int i = 0; i < atoi(argv[1]); i++) {
		check(sctpd_call(c, NULL, "status"));
		if (i == atoi(argv[1]) / 2)
			puts("half");
	}
	check(sctpd_next_event(c, -1, &ev));
	printf("%s %s\n", ev->name, sctpd_get_str(ev->fields, "state"));
}

static const struct {
	const char	*name;
	void		(*run)(int, char **);
} modes[] = {
	{ "echo", echo },
	{ "echo_passive", echo_passive },
	{ "echo_loop", echo_loop },
	{ "ask", ask },
	{ "wait", wait_events },
	{ "note", note },
	{ "give", give },
	{ "flood", flood },
	{ "deaf", deaf },
	{ "stale", stale },
};

int
main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		if (argc > 2 && strcmp(modes[i].name, argv[1]) == 0)
			modes[i].run(argc - 2, argv + 2);
	}
	printf("gone %u back %u over %u\n", gone, back, over);
	return sctpd_free(c) != NULL;
}
