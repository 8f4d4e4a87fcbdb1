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
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/event_type.h"
#include "proto/rpc.h"
#include "sctpctl/call.h"
#include "sctpctl/complete.h"
#include "sctpctl/edit.h"
#include "sctpctl/help.h"
#include "sctpctl/in.h"
#include "sctpctl/out.h"
#include "sctpctl/seen.h"
#include "sctpctl/shell.h"
#include "sctpctl/view.h"

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
	bool		 edits;		/* lines, with libedit */
	bool		 quit;
	int		 fail;		/* of events that came while a line was typed */
	struct variable	 vars[MAX_VARIABLES];
	size_t		 n_vars;
	struct seen	 seen[MAX_SEEN];
	size_t		 n_seen;
};

/* At a prompt ^C ends what is waited for, and not the shell. */
static volatile sig_atomic_t	interrupted;
static sigset_t			open_mask;

static void
on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

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

/* Write the value of the $NAME or ${NAME} at s to out; give what follows it. */
static const char *
expand(struct shell *sh, const char *s, FILE *out, bool *ok)
{
	bool			 brace = s[1] == '{';
	const char		*name = s + 1 + brace, *end = name;
	const struct variable	*v;

	while (isalnum((unsigned char)*end) || *end == '_')
		end++;
	if ((v = find_variable(sh, name, (size_t)(end - name))) == NULL) {
		ctl_fail(CTL_USAGE, "there is no variable $%.*s; answers and NAME=VALUE set variables",
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
		ctl_fail(CTL_USAGE, "a \" is not closed");
	free(text);
	return NULL;
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
	char	*text = seen_text(ev);

	if (text == NULL)
		return;
	if (sh->n_seen == MAX_SEEN)
		forget(sh, 1);
	sh->seen[sh->n_seen++] = (struct seen){ text, ev->assoc_id,
	    sctpd_get_int(ev->fields, "accepted") };
}

static int64_t
now_ms(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Wait for the daemon, so long or until ^C; ms -1: without end. */
static void
wait_for_daemon(const struct shell *sh, int64_t ms)
{
	struct pollfd	pfd = { .fd = sctpd_fd(sh->ctl->c), .events = sctpd_wants(sh->ctl->c) };
	struct timespec	ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	(void)ppoll(&pfd, 1, ms < 0 ? NULL : &ts, &open_mask);
}

/* sctpd_next_event; at a prompt ^C is a time-out, too. */
static int
next_event(const struct shell *sh, int timeout, const struct sctpd_event **ev)
{
	int64_t	end = now_ms() + timeout;
	int	code;

	if (!sh->prompt)
		return sctpd_next_event(sh->ctl->c, timeout, ev);
	while ((code = sctpd_next_event(sh->ctl->c, 0, ev)) == SCTPD_TIMEOUT && !interrupted && now_ms() < end)
		wait_for_daemon(sh, end - now_ms());
	return code;
}

/* Print the next event, if one comes in time. */
static int
print_event(struct shell *sh, int timeout)
{
	const struct sctpd_event	*ev;
	int				 code = next_event(sh, timeout, &ev);

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

/* Pass all events up to the one that is waited for; it sets variables. */
static bool
pass(struct shell *sh, int argc, char **argv)
{
	for (size_t i = 0; i < sh->n_seen; i++) {
		if (!seen_matches(sh->seen[i].text, argc - 1, argv + 1))
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

/* wait EVENT [key=value ...] [timeout=MS] */
static int
run_wait(struct shell *sh, int argc, char **argv)
{
	int64_t	end = now_ms() + 30000;
	int	code;

	if (argc < 2)
		return ctl_fail(CTL_USAGE,
		    "wait takes an event: wait EVENT [key=value ...] [timeout=MS]");
	if (event_type_named(argv[1], strlen(argv[1])) == NULL)
		return ctl_fail(CTL_USAGE, "there is no event \"%s\"; help lists the events", argv[1]);
	for (int i = 2; i < argc; i++) {
		if (strncmp(argv[i], "timeout=", 8) == 0)
			end = now_ms() + atoi(argv[i] + 8);
	}
	do {
		if (pass(sh, argc, argv))
			return CTL_OK;
		code = print_event(sh, now_ms() < end ? (int)(end - now_ms()) : 0);
	} while (code == SCTPD_OK);
	if (code == SCTPD_TIMEOUT && interrupted && putchar('\n') != EOF)
		return ctl_fail(CTL_FAILED, "interrupted; no %s came", argv[1]);
	if (code == SCTPD_TIMEOUT)
		return ctl_fail(CTL_TIMEOUT, "no %s came in time", argv[1]);
	return ctl_fail_call(sh->ctl, code);
}

/* ---- commands ------------------------------------------------------- */

static int
run_sleep(struct shell *sh, int argc, char **argv)
{
	int64_t	end = now_ms() + (argc > 1 ? atoi(argv[1]) : 0);
	int	code;

	do {
		code = print_event(sh, now_ms() < end ? (int)(end - now_ms()) : 0);
	} while (code == SCTPD_OK);
	return code == SCTPD_TIMEOUT ? CTL_OK : ctl_fail_call(sh->ctl, code);
}

static int
run_quit(struct shell *sh, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	sh->quit = true;
	return CTL_OK;
}

static int
run_help(struct shell *sh, int argc, char **argv)
{
	if (argc > 1)
		return help_run(sh->ctl, argc, argv);
	shell_commands();
	return out_flush();
}

/* A method that was called at the prompt. */
struct asked {
	struct shell	*sh;
	char		 method[48];
	bool		 done;
	bool		 left;		/* ^C: nobody waits for it any more */
	int		 fail;
};

static void
answered(struct sctpd *c, int code, const struct sctpd_value *v, void *arg)
{
	struct asked	*a = arg;

	(void)c;
	if (a->left)
		printf("the answer to %s:\n", a->method);
	a->fail = code == SCTPD_OK ? call_print(a->sh->ctl, a->method, v) : ctl_fail_call(a->sh->ctl, code);
	if (code == SCTPD_OK)
		set_from_answer(a->sh, v);
	a->done = true;
	if (a->left)
		free(a);
}

/* Call the method, and wait for its answer until ^C: then the answer is printed when it comes. */
static int
ask(struct ctl *ctl, int argc, const char *const *argv, void *arg)
{
	struct asked	*a = calloc(1, sizeof *a);
	int		 code, fail;

	if (a == NULL)
		return ctl_fail(CTL_FAILED, "there is no memory left");
	a->sh = arg;
	(void)snprintf(a->method, sizeof a->method, "%s", argv[0]);
	code = sctpd_callv_async(ctl->c, answered, a, argc, argv);
	if (code != SCTPD_OK) {
		free(a);
		return ctl_fail_call(ctl, code);
	}
	while ((code = sctpd_process(ctl->c)) == SCTPD_OK && !a->done && !interrupted)
		wait_for_daemon(arg, -1);
	if (!a->done && code == SCTPD_OK) {
		a->left = true;
		putchar('\n');
		return ctl_fail(CTL_FAILED, "interrupted; the daemon goes on with %s, and its answer is printed when it comes", argv[0]);
	}
	fail = a->done ? a->fail : ctl_fail_call(ctl, code);
	free(a);
	return fail;
}

static int
run_method(struct shell *sh, int argc, char **argv)
{
	const struct sctpd_value	*v = NULL;
	int				 fail;

	if (rpc_find(argv[0], strlen(argv[0])) == NULL)
		return ctl_fail(CTL_USAGE,
		    "the shell has no command or method \"%s\"; help lists its commands", argv[0]);
	/* Lists set no variables. */
	if (view_knows(argv[0]))
		return view_run(sh->ctl, argc, argv);
	if (sh->prompt)
		return call_with(sh->ctl, argc, argv, ask, sh);
	if ((fail = call_run(sh->ctl, argc, argv, &v)) == CTL_OK)
		set_from_answer(sh, v);
	return fail;
}

static int
run_call(struct shell *sh, int argc, char **argv)
{
	if (argc < 2)
		return ctl_fail(CTL_USAGE, "call takes a method: call METHOD [KEY=VALUE ...]");
	return run_method(sh, argc - 1, argv + 1);
}

/* A row without a function is no command; help prints it with them. */
static const struct {
	const char	*name;
	const char	*arguments;
	const char	*doc;
	int		(*run)(struct shell *, int argc, char **argv);
} shell_table[] = {
	{ "METHOD", " [KEY=VALUE ...]",
	  "Call the method. Its answer sets variables: $sock, $assoc_id, $port and so on.", NULL },
	{ "NAME=VALUE", "", "Set the variable $NAME.", NULL },
	{ "wait", " EVENT [KEY=VALUE ...] [timeout=MS]",
	  "Wait for an event that no earlier wait has passed, for 30000 ms unless timeout says otherwise. "
	  "It sets $assoc_id.", run_wait },
	{ "call", " METHOD [KEY=VALUE ...]", "Call a method that has the name of a command of the shell.", run_call },
	{ "sleep", " MS", "Print the events that come during this time.", run_sleep },
	{ "help", " [NAME ...]", "Print this list, or describe commands, methods, options, events and errors.", run_help },
	{ "-COMMAND", "", "Run the command, and go on if it fails.", NULL },
	{ "quit", "", "Leave the shell. The sockets that were opened here are closed.", run_quit },
	{ "# ...", "", "A comment.", NULL },
};

#define N_SHELL	(sizeof shell_table / sizeof shell_table[0])

void
shell_commands(void)
{
	char	name[64];

	puts("\ncommands:");
	for (size_t i = 0; i < N_SHELL; i++) {
		(void)snprintf(name, sizeof name, "%s%s", shell_table[i].name, shell_table[i].arguments);
		help_row(name, shell_table[i].doc);
	}
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
	for (size_t i = 0; i < N_SHELL; i++) {
		if (shell_table[i].run != NULL && strcmp(argv[0], shell_table[i].name) == 0)
			return shell_table[i].run(sh, argc, argv);
	}
	if (strcmp(argv[0], "exit") == 0)
		return run_quit(sh, argc, argv);
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
	int	 argc = 0, fail;

	while (isspace((unsigned char)*line))
		line++;
	may_fail = *line == '-';
	if ((text = prepare(sh, line + may_fail, &size)) == NULL)
		return CTL_USAGE;
	for (size_t i = 0; i < size && argc < MAX_WORDS; i++) {
		if (text[i] != '\0' && (i == 0 || text[i - 1] == '\0'))
			argv[argc++] = &text[i];
	}
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

/* Run the lines that were read. At a prompt, a mistake does not end the shell. */
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
		interrupted = 0;
		if (ppoll(pfd, 2, NULL, sh->prompt ? &open_mask : NULL) == -1 && errno != EINTR)
			return ctl_fail(CTL_FAILED, "poll: %s", strerror(errno));
		if (interrupted) {
			putchar('\n');
			show_prompt(sh);
			continue;
		}
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

/* Wait for a key, and print the events that come meanwhile above the line. */
static bool
wait_for_key(void *arg)
{
	struct shell	*sh = arg;
	struct pollfd	 pfd[2] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = sctpd_fd(sh->ctl->c), .events = sctpd_wants(sh->ctl->c) },
	};

	while (!interrupted && sh->fail == CTL_OK) {
		(void)ppoll(pfd, 2, NULL, &open_mask);
		if (!interrupted && pfd[1].revents != 0) {
			edit_hide();
			sh->fail = print_events(sh);
			edit_show();
		}
		if (!interrupted && pfd[0].revents != 0)
			return true;
		pfd[0].revents = pfd[1].revents = 0;
		pfd[1].events = sctpd_wants(sh->ctl->c);
	}
	return false;
}

static const struct ctl	*completing;

static void
complete_line(FILE *f, int argc, char **argv)
{
	size_t	len = strlen(argv[argc - 1]);

	complete_shell(f, completing, argc, argv);
	for (size_t i = 0; argc == 1 && i < N_SHELL; i++) {
		if (shell_table[i].run != NULL && strncmp(shell_table[i].name, argv[0], len) == 0 &&
		    rpc_find(shell_table[i].name, strlen(shell_table[i].name)) == NULL)
			fprintf(f, "%s\n", shell_table[i].name);
	}
}

/* Lines that are edited. */
static int
edit(struct shell *sh)
{
	const char	*line;
	char		*copy;
	int		 fail = CTL_OK;

	completing = sh->ctl;
	while (!sh->quit && fail != CTL_UNREACHABLE && sh->fail == CTL_OK) {
		interrupted = 0;
		line = edit_line("sctpctl> ", wait_for_key, complete_line, sh);
		if (line == NULL && interrupted && sh->fail == CTL_OK) {
			puts("^C");
			continue;
		}
		if (line == NULL || (copy = strdup(line)) == NULL)
			break;
		copy[strcspn(copy, "\r\n")] = '\0';
		fail = run_line(sh, copy);
		free(copy);
		if (fail != CTL_UNREACHABLE)
			sh->fail = print_events(sh);
	}
	if (!sh->quit)
		putchar('\n');
	return fail == CTL_UNREACHABLE ? fail : sh->fail;
}

/* At a terminal ^C is let in only where something is waited for. */
static int
talk(struct shell *sh)
{
	struct sigaction	sa = { .sa_handler = on_interrupt };
	sigset_t		block;
	int			fail;

	if (!sh->prompt)
		return loop(sh);
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, &open_mask);
	sigaction(SIGINT, &sa, NULL);
	sh->edits = edit_begin();
	fail = sh->edits ? edit(sh) : loop(sh);
	edit_end();
	return fail;
}

int
shell_run(struct ctl *ctl, int argc, char **argv)
{
	struct shell	sh = { .ctl = ctl };
	int		fail;

	if (argc > 2)
		return ctl_fail(CTL_USAGE,
		    "shell takes one file of commands; without it, it reads standard input");
	if (argc == 2 && (sh.in.fd = open(argv[1], O_RDONLY | O_CLOEXEC)) == -1)
		return ctl_fail(CTL_FAILED, "\"%s\": %s", argv[1], strerror(errno));
	sh.prompt = sh.in.fd == STDIN_FILENO && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	if ((fail = ctl_dial(ctl)) == CTL_OK)
		fail = talk(&sh);
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
