/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sctpctl shell: many commands on one connection, for people and scripts.
 *
 * A socket lives as long as the connection that opened it, so whoever wants
 * to do two things with it needs this. Events are printed as they come.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rpc.h"
#include "sctpctl.h"

#define MAX_WORDS	64
#define MAX_VARIABLES	64
#define MAX_SEEN	256

struct variable {
	char	 name[32];
	char	*value;
};

/* An event that no wait has passed yet. */
struct seen {
	char	*text;		/* "name key=value key=value " */
	int64_t	 assoc_id;
	int64_t	 accepted;
};

struct shell {
	struct ctl	*ctl;
	struct in	 in;
	bool		 prompt;
	bool		 quit;
	struct variable	 vars[MAX_VARIABLES];
	size_t		 n_vars;
	struct seen	 seen[MAX_SEEN];
	size_t		 n_seen;
};

/* ---- variables ------------------------------------------------------ */

static struct variable *
find_variable(struct shell *sh, const char *name, size_t len)
{
	for (size_t i = 0; i < sh->n_vars; i++) {
		if (strlen(sh->vars[i].name) == len && memcmp(sh->vars[i].name, name, len) == 0)
			return &sh->vars[i];
	}
	return NULL;
}

static void
set_variable(struct shell *sh, const char *name, const char *value)
{
	struct variable	*v = find_variable(sh, name, strlen(name));
	char		*copy;

	if (strlen(name) >= sizeof v->name || (copy = strdup(value)) == NULL)
		return;
	if (v == NULL && sh->n_vars == MAX_VARIABLES) {
		free(copy);
		return;
	}
	if (v == NULL)
		v = &sh->vars[sh->n_vars++];
	free(v->value);
	(void)snprintf(v->name, sizeof v->name, "%s", name);
	v->value = copy;
}

static void
set_number(struct shell *sh, const char *name, int64_t v)
{
	char	number[24];

	(void)snprintf(number, sizeof number, "%" PRId64, v);
	set_variable(sh, name, number);
}

/* $sock, $assoc_id, $port and the like: what the last answer said. */
static void
set_from_answer(struct shell *sh, const struct sctpd_value *v)
{
	for (size_t i = 0; i < sctpd_count(v); i++) {
		if (sctpd_type(sctpd_item(v, i)) == SCTPD_STR)
			set_variable(sh, sctpd_key(v, i), sctpd_str(sctpd_item(v, i), NULL));
		if (sctpd_type(sctpd_item(v, i)) == SCTPD_INT)
			set_number(sh, sctpd_key(v, i), sctpd_int(sctpd_item(v, i)));
	}
}

/* ---- lines to words ------------------------------------------------- */

/* $NAME or ${NAME} at s: its value to out; gives what follows. */
static const char *
expand(struct shell *sh, const char *s, FILE *out, bool *ok)
{
	bool			 brace = s[1] == '{';
	const char		*name = s + 1 + brace, *end = name;
	const struct variable	*v;

	while (isalnum((unsigned char)*end) || *end == '_')
		end++;
	if ((v = find_variable(sh, name, (size_t)(end - name))) == NULL) {
		ctl_fail(CTL_USAGE, "there is no $%.*s; answers and NAME=VALUE set variables",
		    (int)(end - name), name);
		*ok = false;
	} else {
		fputs(v->value, out);
	}
	return end + (brace && *end == '}');
}

/* The line with its variables filled in and blanks between words made NUL. */
static char *
prepare(struct shell *sh, const char *s, size_t *size)
{
	char	*text = NULL;
	FILE	*out = open_memstream(&text, size);
	bool	 quoted = false, ok = out != NULL;

	while (ok && *s != '\0' && (quoted || *s != '#')) {
		if (*s == '"') {
			quoted = !quoted;
			s++;
		} else if (*s == '$') {
			s = expand(sh, s, out, &ok);
		} else {
			putc(isspace((unsigned char)*s) && !quoted ? '\0' : *s, out);
			s++;
		}
	}
	if (out != NULL)
		fclose(out);
	if (ok && !quoted)
		return text;
	if (ok)
		ctl_fail(CTL_USAGE, "a \" has no end");
	free(text);
	return NULL;
}

static int
split(char *text, size_t size, char **argv)
{
	int	argc = 0;

	for (size_t i = 0; i < size && argc < MAX_WORDS; i++) {
		if (text[i] != '\0' && (i == 0 || text[i - 1] == '\0'))
			argv[argc++] = &text[i];
	}
	return argc;
}

/* ---- events --------------------------------------------------------- */

static void
forget(struct shell *sh, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(sh->seen[i].text);
	sh->n_seen -= n;
	memmove(sh->seen, sh->seen + n, sh->n_seen * sizeof sh->seen[0]);
}

/* The event may come before the wait for it is read. */
static void
remember(struct shell *sh, const struct sctpd_event *ev)
{
	char	*text = NULL;
	size_t	 size;
	FILE	*f = open_memstream(&text, &size);

	if (f == NULL)
		return;
	fprintf(f, "%s ", ev->name);
	out_words(f, ev->fields);
	fputs(" ", f);
	fclose(f);
	if (sh->n_seen == MAX_SEEN)
		forget(sh, 1);
	sh->seen[sh->n_seen++] = (struct seen){ text, ev->assoc_id,
	    sctpd_get_int(ev->fields, "accepted") };
}

/* Print the next event, if one comes in time. */
static int
print_event(struct shell *sh, int timeout)
{
	const struct sctpd_event	*ev;
	int				 code = sctpd_next_event(sh->ctl->c, timeout, &ev);

	if (code != SCTPD_OK)
		return code;
	out_event(sh->ctl, stdout, ev);
	remember(sh, ev);
	out_flush();
	return SCTPD_OK;
}

static int
print_events(struct shell *sh)
{
	int	code;

	if (sctpd_fd(sh->ctl->c) == -1)
		return CTL_OK;
	while ((code = print_event(sh, 0)) == SCTPD_OK)
		;
	return code == SCTPD_TIMEOUT ? CTL_OK : ctl_fail_call(sh->ctl, code);
}

/* Does a remembered event have that name and say every key=value? */
static bool
matches(const char *text, int argc, char **argv)
{
	char	word[256];

	(void)snprintf(word, sizeof word, "%s ", argv[1]);
	if (strncmp(text, word, strlen(word)) != 0)
		return false;
	for (int i = 2; i < argc; i++) {
		(void)snprintf(word, sizeof word, " %s ", argv[i]);
		if (strncmp(argv[i], "timeout=", 8) != 0 && strstr(text, word) == NULL)
			return false;
	}
	return true;
}

/* Pass all events up to the one that is waited for; it sets variables. */
static bool
pass(struct shell *sh, int argc, char **argv)
{
	for (size_t i = 0; i < sh->n_seen; i++) {
		if (!matches(sh->seen[i].text, argc, argv))
			continue;
		if (sh->seen[i].assoc_id != 0)
			set_number(sh, "assoc_id", sh->seen[i].assoc_id);
		if (sh->seen[i].accepted != 0)
			set_number(sh, "accepted", sh->seen[i].accepted);
		forget(sh, i + 1);
		return true;
	}
	forget(sh, sh->n_seen);
	return false;
}

static int64_t
now_ms(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* wait EVENT [key=value ...] [timeout=MS] */
static int
run_wait(struct shell *sh, int argc, char **argv)
{
	int64_t	end = now_ms() + 30000;
	int	code;

	if (argc < 2)
		return ctl_fail(CTL_USAGE,
		    "wait takes an event: wait EVENT [key=value ...] [timeout=MS]");
	for (int i = 2; i < argc; i++) {
		if (strncmp(argv[i], "timeout=", 8) == 0)
			end = now_ms() + atoi(argv[i] + 8);
	}
	do {
		if (pass(sh, argc, argv))
			return CTL_OK;
		code = print_event(sh, now_ms() < end ? (int)(end - now_ms()) : 0);
	} while (code == SCTPD_OK);
	if (code == SCTPD_TIMEOUT)
		return ctl_fail(CTL_TIMEOUT, "no %s came in time", argv[1]);
	return ctl_fail_call(sh->ctl, code);
}

/* ---- commands ------------------------------------------------------- */

static int
run_sleep(struct shell *sh, int ms)
{
	int64_t	end = now_ms() + ms;
	int	code;

	do {
		code = print_event(sh, now_ms() < end ? (int)(end - now_ms()) : 0);
	} while (code == SCTPD_OK);
	return code == SCTPD_TIMEOUT ? CTL_OK : ctl_fail_call(sh->ctl, code);
}

static void
print_help(void)
{
	puts("METHOD key=value ...    call it; its answer sets $sock, $assoc_id, $port...\n"
	    "NAME=VALUE              set $NAME\n"
	    "wait EVENT [key=value ...] [timeout=MS]\n"
	    "                        wait for an event that no wait has passed yet, 30000 ms;\n"
	    "                        it sets $assoc_id\n"
	    "sleep MS                print what comes for so long\n"
	    "help [NAME]             this, or about a method, option, event or error\n"
	    "-COMMAND                run it; do not stop if it fails\n"
	    "quit                    leave; sockets opened here are closed\n"
	    "# ...                   a comment");
}

static int
run_method(struct shell *sh, int argc, char **argv)
{
	const struct sctpd_value	*v = NULL;
	int				 fail;

	if (rpc_find(argv[0], strlen(argv[0])) == NULL)
		return ctl_fail(CTL_USAGE,
		    "there is no command \"%s\"; help lists those that there are", argv[0]);
	if ((fail = call_run(sh->ctl, argc, argv, &v)) == CTL_OK)
		set_from_answer(sh, v);
	return fail;
}

static int
run_words(struct shell *sh, int argc, char **argv)
{
	char	*eq = strchr(argv[0], '=');

	if (eq != NULL && argc == 1) {
		*eq = '\0';
		set_variable(sh, argv[0], eq + 1);
		return CTL_OK;
	}
	if (strcmp(argv[0], "quit") == 0 || strcmp(argv[0], "exit") == 0) {
		sh->quit = true;
		return CTL_OK;
	}
	if (strcmp(argv[0], "help") == 0) {
		if (argc > 1)
			return help_run(argc, argv);
		print_help();
		return out_flush();
	}
	if (strcmp(argv[0], "wait") == 0)
		return run_wait(sh, argc, argv);
	if (strcmp(argv[0], "sleep") == 0)
		return run_sleep(sh, argc > 1 ? atoi(argv[1]) : 0);
	return run_method(sh, argc, argv);
}

/* Run a line; -... may fail. */
static int
run_line(struct shell *sh, const char *line)
{
	char	*argv[MAX_WORDS + 1] = { NULL };
	size_t	 size;
	char	*text;
	bool	 may_fail;
	int	 argc, fail;

	while (isspace((unsigned char)*line))
		line++;
	may_fail = *line == '-';
	if ((text = prepare(sh, line + may_fail, &size)) == NULL)
		return CTL_USAGE;
	argc = split(text, size, argv);
	fail = argc > 0 ? run_words(sh, argc, argv) : CTL_OK;
	free(text);
	return may_fail && fail != CTL_UNREACHABLE ? CTL_OK : fail;
}

/* ---- the loop ------------------------------------------------------- */

static void
show_prompt(const struct shell *sh)
{
	if (!sh->prompt)
		return;
	fputs("sctpctl> ", stdout);
	fflush(stdout);
}

/* Run the lines that were read; people may go on after a mistake. */
static int
run_lines(struct shell *sh)
{
	size_t	 len;
	char	*line;
	int	 fail;

	while (!sh->quit && (line = in_next(&sh->in, &len)) != NULL) {
		fail = run_line(sh, line);
		if (fail == CTL_OK)
			fail = print_events(sh);
		if (fail != CTL_OK && (!sh->prompt || fail == CTL_UNREACHABLE))
			return fail;
		show_prompt(sh);
	}
	return CTL_OK;
}

static int
loop(struct shell *sh)
{
	struct pollfd	pfd[2];
	int		fail = CTL_OK;

	show_prompt(sh);
	while (fail == CTL_OK && !sh->quit && !(sh->in.eof && sh->in.off == sh->in.len)) {
		pfd[0] = (struct pollfd){ .fd = sh->in.fd, .events = POLLIN };
		pfd[1] = (struct pollfd){ .fd = sctpd_fd(sh->ctl->c),
		    .events = sctpd_wants(sh->ctl->c) };
		if (poll(pfd, 2, -1) == -1 && errno != EINTR)
			return ctl_fail(CTL_FAILED, "poll: %s", strerror(errno));
		if (pfd[1].revents != 0)
			fail = print_events(sh);
		if (fail == CTL_OK && pfd[0].revents != 0) {
			in_read(&sh->in);
			fail = run_lines(sh);
		}
	}
	if (sh->prompt)
		putchar('\n');
	return fail;
}

int
shell_run(struct ctl *ctl, int argc, char **argv)
{
	struct shell	sh = { .ctl = ctl };
	int		fail;

	if (argc > 2)
		return ctl_fail(CTL_USAGE,
		    "shell takes one file of commands, or none for standard input");
	if (argc == 2 && (sh.in.fd = open(argv[1], O_RDONLY | O_CLOEXEC)) == -1)
		return ctl_fail(CTL_FAILED, "%s: %s", argv[1], strerror(errno));
	sh.prompt = sh.in.fd == STDIN_FILENO && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	if ((fail = ctl_dial(ctl)) == CTL_OK)
		fail = loop(&sh);
	for (size_t i = 0; i < sh.n_vars; i++)
		free(sh.vars[i].value);
	forget(&sh, sh.n_seen);
	in_free(&sh.in);
	if (sh.in.fd != STDIN_FILENO)
		close(sh.in.fd);
	return fail;
}

int
watch_run(struct ctl *ctl, int argc, char **argv)
{
	struct shell	sh = { .ctl = ctl };
	int		code, fail;

	(void)argv;
	if (argc > 1)
		return ctl_fail(CTL_USAGE, "watch takes no arguments");
	if ((fail = ctl_dial_session(ctl)) != CTL_OK)
		return fail;
	if ((code = sctpd_call(ctl->c, NULL, "watch on=true")) != SCTPD_OK)
		return ctl_fail_call(ctl, code);
	if (ctl->verbose)
		fputs("watching\n", stderr);
	while ((code = print_event(&sh, -1)) == SCTPD_OK)
		forget(&sh, sh.n_seen);
	return ctl_fail_call(ctl, code);
}
