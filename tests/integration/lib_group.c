/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A member of a group that does what it is told: for test_lib_group.py.
 *
 * lib_group SOCKET session|plain: each line of its input is a command; see commands[].
 * It answers each with one line, which for errors is their text.
 */
#include <err.h>
#include <poll.h>
#include <sctpd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE	20000	/* ms */

static struct sctpd	*c;
static unsigned		 back, given, before, wanted;
static bool		 answered;

static void
on_session(struct sctpd *conn, enum sctpd_session_change change, void *arg)
{
	(void)conn;
	(void)arg;
	back += change == SCTPD_BACK;
}

static void
check(int code)
{
	if (code != SCTPD_OK)
		errx(1, "%s", sctpd_error(c));
}

static void
say(int code)
{
	puts(code == SCTPD_OK ? "ok" : sctpd_error(c));
}

static void
show(const struct sctpd_event *ev)
{
	printf("%s %llu", ev->name, (unsigned long long)ev->sock);
	if (strcmp(ev->name, "data") == 0)
		printf(" %s", ev->data);
	if (strcmp(ev->name, "left") == 0)
		printf(" %s: %s", sctpd_get_str(ev->fields, "group"), sctpd_get_str(ev->fields, "reason"));
	puts("");
}

/* ---- commands ----------------------------------------------------------- */

static void
hello(char *name, char *more)
{
	(void)more;
	say(sctpd_hello(c, name, NULL));
}

static void
join(char *name, char *priority)
{
	uint64_t	sock;
	int		code = sctpd_join(c, name, priority[0] != '\0' ? atoi(priority) : -1, &sock);

	if (code == SCTPD_OK)
		printf("joined %llu\n", (unsigned long long)sock);
	else
		say(code);
}

static void
leave(char *name, char *more)
{
	(void)more;
	say(sctpd_leave(c, name));
}

static void
drain(char *name, char *on)
{
	size_t	n;
	int	code = sctpd_drain_member(c, name, on[0] != '0', &n);

	if (code == SCTPD_OK)
		printf("has %zu\n", n);
	else
		say(code);
}

/* Any method with one argument or two. */
static void
call(char *method, char *more)
{
	char	line[512];

	snprintf(line, sizeof line, "%s %s", method, more);
	say(sctpd_call(c, NULL, line, NULL));
}

static void
next(char *ms, char *more)
{
	const struct sctpd_event	*ev;
	int				 code = sctpd_next_event(c, atoi(ms), &ev);

	(void)more;
	if (code == SCTPD_OK)
		show(ev);
	else
		say(code);
}

/* Read what has come, and leave it in the queue. */
static void
look(char *name, char *more)
{
	(void)name;
	(void)more;
	say(sctpd_call(c, NULL, "status"));
}

static void
on_answer(struct sctpd *conn, int code, const struct sctpd_value *v, void *arg)
{
	(void)conn;
	(void)v;
	*(int *)arg = code;
	before = given;
	answered = true;
}

static void
on_left(struct sctpd *conn, int code, const struct sctpd_value *v, void *arg)
{
	(void)conn;
	(void)v;
	(void)arg;
	check(code);
}

/* An event is taken by a callback, which dies at the message "die", and leaves at "leave". */
static void
on_event(struct sctpd *conn, const struct sctpd_event *ev, void *arg)
{
	(void)arg;
	show(ev);
	given++;
	if (strcmp(ev->data, "die") == 0)
		raise(SIGKILL);
	if (strcmp(ev->data, "leave") == 0)
		check(sctpd_call_async(conn, on_left, NULL, "leave name=g"));
}

static void
turn(void)
{
	struct pollfd	pfd = { .fd = sctpd_fd(c), .events = sctpd_wants(c) };

	if (poll(&pfd, 1, -1) == -1)
		err(1, "poll");
	check(sctpd_process(c));
}

/* Events go to the callback until that is so. Some may wait already. */
static void
run_until(bool (*done)(void))
{
	sctpd_on_event(c, on_event, NULL);
	check(sctpd_process(c));
	while (!done())
		turn();
	sctpd_on_event(c, NULL, NULL);
}

static bool
has_taken(void)
{
	return given >= wanted;
}

/* Take so many events by the callback. */
static void
take(char *n, char *more)
{
	(void)more;
	given = 0;
	wanted = (unsigned)atoi(n);
	run_until(has_taken);
	puts("taken");
}

static bool
is_answered(void)
{
	return answered;
}

/* A call without waiting, in a loop that takes what comes meanwhile. */
static void
async(char *method, char *more)
{
	int	code;

	answered = false;
	given = 0;
	check(sctpd_call_async(c, on_answer, &code, "%s %s", method, more));
	run_until(is_answered);
	printf("%s, %u events before it\n", sctpd_code_name(code), before);
}

static void
token(char *path, char *more)
{
	uint64_t	 seq;
	const char	*t = sctpd_session(c, &seq);

	(void)path;
	(void)more;
	printf("%s %llu\n", t, (unsigned long long)seq);
}

/* How often the session came back. */
static void
returns(char *name, char *more)
{
	(void)name;
	(void)more;
	printf("back %u\n", back);
}

static const struct {
	const char	*name;
	void		(*run)(char *, char *);
} commands[] = {
	{ "hello", hello },
	{ "join", join },
	{ "leave", leave },
	{ "drain", drain },
	{ "call", call },
	{ "next", next },
	{ "look", look },
	{ "take", take },
	{ "async", async },
	{ "token", token },
	{ "returns", returns },
};

static void
obey(char *line)
{
	char	*word = strtok(line, " \n"), *first = strtok(NULL, " \n"), *rest = strtok(NULL, "\n");

	for (size_t i = 0; word != NULL && i < sizeof commands / sizeof commands[0]; i++) {
		if (strcmp(commands[i].name, word) == 0) {
			commands[i].run(first != NULL ? first : "", rest != NULL ? rest : "");
			return;
		}
	}
	errx(1, "what is %s?", word != NULL ? word : "that");
}

int
main(int argc, char **argv)
{
	char	line[512];

	if (argc < 3)
		errx(1, "usage: lib_group SOCKET session|plain [TOKEN SEQ]");
	setvbuf(stdout, NULL, _IOLBF, 0);
	c = sctpd_new();
	if (strcmp(argv[2], "session") == 0)
		check(sctpd_resumable(c, PATIENCE, on_session, NULL));
	if (argc > 4)
		check(sctpd_resume(c, argv[3], strtoull(argv[4], NULL, 10)));
	check(sctpd_dial(c, argv[1]));
	while (fgets(line, sizeof line, stdin) != NULL)
		obey(line);
	return sctpd_free(c) != NULL;
}
