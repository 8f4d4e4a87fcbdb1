/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver of libsctpd for tests/conformance: see README.md there. */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sctpd.h"

#define WORDS	16

static struct sctpd	*c;
static unsigned		 wanted;	/* events that were asked for */

/* ---- JSON ------------------------------------------------------------ */

static void
print_text(const char *s)
{
	putchar('"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\' || (unsigned char)*s < ' ')
			printf("\\u%04x", (unsigned char)*s);
		else
			putchar(*s);
	}
	putchar('"');
}

static void
print_bytes(const struct sctpd_value *v)
{
	static const char	 digits[] = "0123456789abcdef";
	size_t			 len;
	const char		*s = sctpd_str(v, &len);

	printf("{\"bytes\": \"");
	for (size_t i = 0; i < len; i++) {
		putchar_unlocked(digits[(unsigned char)s[i] >> 4]);
		putchar_unlocked(digits[s[i] & 15]);
	}
	printf("\"}");
}

static void
print_value(const struct sctpd_value *v)
{
	bool	is_map = sctpd_type(v) == SCTPD_MAP;

	switch (sctpd_type(v)) {
	case SCTPD_NIL:
		printf("null");
		return;
	case SCTPD_BOOL:
		printf(sctpd_int(v) ? "true" : "false");
		return;
	case SCTPD_INT:
		printf("%" PRId64, sctpd_int(v));
		return;
	case SCTPD_FLOAT:
		printf("%.17g", sctpd_float(v));
		return;
	case SCTPD_STR:
		print_text(sctpd_str(v, NULL));
		return;
	case SCTPD_BIN:
		print_bytes(v);
		return;
	case SCTPD_LIST:
	case SCTPD_MAP:
		break;
	}
	putchar(is_map ? '{' : '[');
	for (size_t i = 0; i < sctpd_count(v); i++) {
		if (i > 0)
			printf(", ");
		if (is_map) {
			print_text(sctpd_key(v, i));
			printf(": ");
		}
		print_value(sctpd_item(v, i));
	}
	putchar(is_map ? '}' : ']');
}

/* ---- what happens ---------------------------------------------------- */

static void
on_change(struct sctpd *conn, enum sctpd_session_change change, void *arg)
{
	static const char *const	names[] = { "gone", "reached", "back", "over" };

	(void)conn, (void)arg;
	printf("{\"change\": \"%s\"}\n", names[change]);
}

/* The answer to a call, whose name is arg. */
static void
on_answer(struct sctpd *conn, int code, const struct sctpd_value *result, void *arg)
{
	(void)conn;
	printf("{\"id\": ");
	print_text(arg);
	if (code == SCTPD_OK) {
		printf(", \"ok\": ");
		if (sctpd_type(result) == SCTPD_MAP)
			print_value(result);
		else
			printf("{}");
	} else {
		printf(", \"error\": \"%s\"", sctpd_code_name(code));
	}
	puts("}");
	free(arg);
}

static void
take_events(void)
{
	const struct sctpd_event	*ev;
	int				 code;

	while (wanted > 0) {
		if ((code = sctpd_next_event(c, 0, &ev)) == SCTPD_TIMEOUT)
			return;
		wanted--;
		if (code != SCTPD_OK) {
			printf("{\"event\": null, \"error\": \"%s\"}\n", sctpd_code_name(code));
			continue;
		}
		printf("{\"event\": ");
		print_text(ev->name);
		printf(", \"fields\": ");
		print_value(ev->fields);
		puts("}");
	}
}

/* ---- what is asked for ----------------------------------------------- */

static void
do_connect(const char *path, int argc, char **argv)
{
	int	code = SCTPD_OK;

	c = sctpd_free(c);
	if ((c = sctpd_new()) == NULL)
		errx(1, "no memory");
	if (strcmp(argv[1], "session") == 0)
		code = sctpd_resumable(c, atoi(argv[2]), on_change, NULL);
	if (code == SCTPD_OK && argc > 4)
		code = sctpd_resume(c, argv[3], (uint64_t)atoll(argv[4]));
	if (code == SCTPD_OK)
		code = sctpd_dial(c, path);
	if (code == SCTPD_OK)
		printf("{\"connected\": true, \"token\": \"%s\"}\n", sctpd_session(c, NULL));
	else
		printf("{\"connected\": false, \"error\": \"%s\"}\n", sctpd_code_name(code));
}

static void
do_call(int argc, char **argv)
{
	char	*id = strdup(argv[1]);
	int	 code;

	code = sctpd_callv_async(c, on_answer, id, argc - 2, (const char *const *)argv + 2);
	if (code != SCTPD_OK)
		on_answer(c, code, NULL, id);
}

static void
do_line(const char *path, char *line)
{
	char	*argv[WORDS + 1], *rest;
	int	 argc = 0;

	for (char *w = strtok_r(line, " \n", &rest); w != NULL && argc < WORDS; w = strtok_r(NULL, " \n", &rest))
		argv[argc++] = w;
	argv[argc] = NULL;
	if (argc == 0)
		return;
	if (strcmp(argv[0], "connect") == 0 && argc > 2)
		do_connect(path, argc, argv);
	else if (strcmp(argv[0], "call") == 0 && argc > 2)
		do_call(argc, argv);
	else if (strcmp(argv[0], "notify") == 0 && argc > 1)
		(void)sctpd_callv_async(c, NULL, NULL, argc - 1, (const char *const *)argv + 1);
	else if (strcmp(argv[0], "next") == 0)
		wanted++;
	else
		errx(1, "what is %s?", argv[0]);
}

/* Whole lines of the buffer; what is left is moved to its beginning. */
static size_t
do_lines(const char *path, char *buf, size_t len)
{
	char	*end;

	while ((end = memchr(buf, '\n', len)) != NULL) {
		size_t	n = (size_t)(end - buf) + 1;

		*end = '\0';
		do_line(path, buf);
		memmove(buf, buf + n, len -= n);
	}
	return len;
}

int
main(int argc, char **argv)
{
	static char	 buf[1 << 25];
	size_t		 len = 0;
	ssize_t		 n;

	if (argc != 2)
		errx(1, "usage: driver PATH");
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	for (;;) {
		struct pollfd	p[2] = { { .fd = 0, .events = POLLIN }, { .fd = -1 } };

		fflush(stdout);
		if (c != NULL) {
			p[1].fd = sctpd_fd(c);
			p[1].events = sctpd_wants(c);
		}
		if (poll(p, 2, -1) == -1 && errno != EINTR)
			err(1, "poll");
		if (p[0].revents != 0) {
			if ((n = read(0, buf + len, sizeof buf - len)) <= 0)
				break;
			len = do_lines(argv[1], buf, len + (size_t)n);
		}
		if (c != NULL && p[1].fd != -1) {
			(void)sctpd_process(c);
			take_events();
		}
	}
	c = sctpd_free(c);
	return 0;
}
