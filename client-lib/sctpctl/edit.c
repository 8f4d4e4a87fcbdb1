/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines at a terminal, by libedit. It asks for each character by a function of
 * ours, which polls whatever else there is to wait for.
 */
#include "sctpctl/edit.h"

#ifdef EDIT
#include <histedit.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#define LINES		1000	/* of the history */
#define MAX_WORDS	64

static struct {
	EditLine		*el;
	History			*history;
	char			*path;		/* of the history, or NULL */
	const char		*prompt;
	edit_wait_fn		*wait;
	edit_complete_fn	*complete;
	void			*arg;
} state;

static char *
prompt(EditLine *el)
{
	(void)el;
	return (char *)(uintptr_t)state.prompt;
}

static int
get_char(EditLine *el, wchar_t *to)
{
	mbstate_t	mb = { 0 };
	char		c;

	(void)el;
	for (;;) {
		if (!state.wait(state.arg) || read(STDIN_FILENO, &c, 1) != 1)
			return -1;
		switch (mbrtowc(to, &c, 1, &mb)) {
		case (size_t)-2:
			break;		/* there is more of it */
		case (size_t)-1:
			return -1;
		default:
			return 1;
		}
	}
}

/* ---- completion ----------------------------------------------------- */

/* What all lines of the text begin with, and how many lines there are. */
static size_t
common(const char *text, size_t *lines)
{
	size_t	len = strcspn(text, "\n");

	*lines = 0;
	for (const char *s = text; *s != '\0'; s += strcspn(s, "\n") + 1, ++*lines) {
		while (strncmp(text, s, len) != 0)
			len--;
	}
	return len;
}

static unsigned char
insert(EditLine *el, const char *text, const char *typed)
{
	char	more[256];
	size_t	lines, len = common(text, &lines), had = strlen(typed);

	if (lines == 0)
		return CC_ERROR;
	/* A word that is whole has a blank behind it. */
	(void)snprintf(more, sizeof more, "%.*s%s", len > had ? (int)(len - had) : 0, text + had,
	    lines == 1 && strchr("=.", text[len - 1]) == NULL ? " " : "");
	if (*more != '\0')
		return el_insertstr(el, more) == 0 ? CC_REFRESH : CC_ERROR;
	printf("\n%s", text);
	fflush(stdout);
	return CC_REDISPLAY;
}

static unsigned char
complete(EditLine *el, int ch)
{
	const LineInfo	*li = el_line(el);
	char		*line = strndup(li->buffer, (size_t)(li->cursor - li->buffer)), *text = NULL;
	char		*argv[MAX_WORDS], *save = NULL, empty[] = "";
	size_t		 size;
	unsigned char	 result = CC_ERROR;
	int		 argc = 0;
	FILE		*f = open_memstream(&text, &size);
	bool		 begun = line != NULL && (*line == '\0' || strchr(" \t", line[strlen(line) - 1]) != NULL);

	(void)ch;
	for (char *w = strtok_r(line, " \t", &save); w != NULL && argc < MAX_WORDS - 1; w = strtok_r(NULL, " \t", &save))
		argv[argc++] = w;
	if (begun)
		argv[argc++] = empty;
	if (f != NULL && argc > 0) {
		argv[0] += argc == 1 && argv[0][0] == '-';
		state.complete(f, argc, argv);
		fclose(f);
		result = insert(el, text, argv[argc - 1]);
	}
	free(text);
	free(line);
	return result;
}

/* ---- history -------------------------------------------------------- */

/* The file, with the folders that it is in: $XDG_STATE_HOME/sctpctl/history. */
static char *
history_path(void)
{
	const char	*xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char		*path;

	if (xdg == NULL || *xdg != '/') {
		if (home == NULL || asprintf(&path, "%s/.local/state/sctpctl/history", home) == -1)
			return NULL;
	} else if (asprintf(&path, "%s/sctpctl/history", xdg) == -1) {
		return NULL;
	}
	for (char *s = strchr(path + 1, '/'); s != NULL; s = strchr(s + 1, '/')) {
		*s = '\0';
		(void)mkdir(path, 0700);
		*s = '/';
	}
	return path;
}

/* Keys are not kept, nor is what begins with a blank. */
static bool
is_kept(const char *line)
{
	return *line != ' ' && *line != '\n' && *line != '\0' &&
	    strstr(line, "sctp_auth_key") == NULL && strstr(line, "options.auth") == NULL;
}

/* ---- lines ---------------------------------------------------------- */

bool
edit_begin(void)
{
	HistEvent	ev;

	setlocale(LC_CTYPE, "");
	if ((state.el = el_init("sctpctl", stdin, stdout, stderr)) == NULL)
		return false;
	el_set(state.el, EL_PROMPT, prompt);
	el_set(state.el, EL_EDITOR, "emacs");
	el_set(state.el, EL_GETCFN, get_char);
	el_set(state.el, EL_ADDFN, "sctpctl-complete", "complete the word", complete);
	if ((state.history = history_init()) != NULL) {
		history(state.history, &ev, H_SETSIZE, LINES);
		history(state.history, &ev, H_SETUNIQUE, 1);
		el_set(state.el, EL_HIST, history, state.history);
		if ((state.path = history_path()) != NULL)
			history(state.history, &ev, H_LOAD, state.path);
	}
	el_source(state.el, NULL);
	el_set(state.el, EL_BIND, "^I", "sctpctl-complete", NULL);
	el_set(state.el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	return true;
}

const char *
edit_line(const char *p, edit_wait_fn *wait, edit_complete_fn *completes, void *arg)
{
	HistEvent	 ev;
	const char	*line;
	int		 n = 0;

	state.prompt = p;
	state.wait = wait;
	state.complete = completes;
	state.arg = arg;
	el_resize(state.el);
	line = el_gets(state.el, &n);
	if (line == NULL || n <= 0)
		return NULL;
	if (state.history != NULL && is_kept(line))
		history(state.history, &ev, H_ENTER, line);
	return line;
}

void
edit_hide(void)
{
	fputs("\r\033[K", stdout);
}

void
edit_show(void)
{
	el_set(state.el, EL_REFRESH);
}

void
edit_end(void)
{
	HistEvent	ev;

	if (state.el == NULL)
		return;
	if (state.history != NULL && state.path != NULL)
		history(state.history, &ev, H_SAVE, state.path);
	el_end(state.el);
	if (state.history != NULL)
		history_end(state.history);
	free(state.path);
	state.el = NULL;
}

#else

bool
edit_begin(void)
{
	return false;
}

const char *
edit_line(const char *p, edit_wait_fn *wait, edit_complete_fn *completes, void *arg)
{
	(void)p, (void)wait, (void)completes, (void)arg;
	return NULL;
}

void
edit_hide(void)
{
}

void
edit_show(void)
{
}

void
edit_end(void)
{
}

#endif
