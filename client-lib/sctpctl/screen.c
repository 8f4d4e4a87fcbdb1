/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terminal, by ncurses.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sctpctl/screen.h"

#ifdef CURSES

#include <locale.h>
#include <curses.h>

#define ESCAPE	27

static bool	on;

const char *
screen_why_not(void)
{
	const char	*term = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || term == NULL || strcmp(term, "dumb") == 0)
		return "standard input and output are no terminal that can show a screen; -b prints tables as text";
	return NULL;
}

void
screen_begin(void)
{
	(void)setlocale(LC_CTYPE, "");
	(void)initscr();
	(void)cbreak();
	(void)noecho();
	(void)keypad(stdscr, true);
	(void)curs_set(0);
	set_escdelay(25);
	on = true;
}

void
screen_end(void)
{
	if (on)
		(void)endwin();
	on = false;
}

int
screen_width(void)
{
	return COLS;
}

int
screen_height(void)
{
	return LINES;
}

static void
show_line(int y, const char *line, size_t len, attr_t attributes)
{
	(void)attrset((int)attributes);
	(void)mvaddnstr(y, 0, line, len < (size_t)COLS ? (int)len : COLS);
	(void)clrtoeol();
	/* A heading and the chosen line are marked over the whole width. */
	if ((attributes & A_REVERSE) != 0)
		(void)mvchgat(y, 0, -1, attributes, 0, NULL);
	(void)attrset(A_NORMAL);
}

void
screen_show(const char *text, int head, int chosen, const char *note)
{
	size_t	len;
	int	y = 0;

	/* After something was said without the screen, all of it is drawn anew. */
	(void)clearok(stdscr, !on);
	on = true;
	(void)erase();
	for (; *text != '\0' && y < LINES - 1; text += len + (text[len] == '\n'), y++) {
		len = strcspn(text, "\n");
		show_line(y, text, len, y == head ? A_BOLD | A_UNDERLINE : y == chosen ? A_REVERSE : A_NORMAL);
	}
	show_line(LINES - 1, note, strlen(note), A_BOLD);
	(void)refresh();
}

int
screen_key(int ms)
{
	static const struct {
		int	curses, key;
	} keys[] = {
		{ ERR, SCREEN_NOTHING }, { KEY_UP, SCREEN_UP }, { KEY_DOWN, SCREEN_DOWN }, { KEY_PPAGE, SCREEN_PAGE_UP },
		{ KEY_NPAGE, SCREEN_PAGE_DOWN }, { KEY_HOME, SCREEN_HOME }, { KEY_END, SCREEN_END },
		{ KEY_ENTER, SCREEN_ENTER }, { '\n', SCREEN_ENTER }, { '\r', SCREEN_ENTER }, { KEY_RESIZE, SCREEN_RESIZED },
	};
	int	c;

	timeout(ms);
	c = getch();
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		if (keys[i].curses == c)
			return keys[i].key;
	}
	return c;
}

bool
screen_ask(const char *question, char *to, size_t size)
{
	size_t	n = 0;
	char	line[256];
	int	c;

	*to = '\0';
	timeout(-1);
	for (;;) {
		(void)snprintf(line, sizeof line, "%s%s", question, to);
		show_line(LINES - 1, line, strlen(line), A_BOLD);
		(void)refresh();
		c = getch();
		if (c == '\n' || c == '\r' || c == KEY_ENTER)
			return true;
		if (c == ESCAPE || c == ERR)
			return false;
		if ((c == KEY_BACKSPACE || c == 127 || c == '\b') && n > 0)
			to[--n] = '\0';
		else if (c >= ' ' && c < 127 && n + 1 < size) {
			to[n++] = (char)c;
			to[n] = '\0';
		}
	}
}

#else

const char *
screen_why_not(void)
{
	return "this sctpctl was built without ncurses (Debian: libncurses-dev); -b prints tables as text";
}

/* Nobody calls these where there is no screen. */
void
screen_begin(void)
{
	abort();
}

void
screen_end(void)
{
}

int
screen_width(void)
{
	abort();
}

int
screen_height(void)
{
	abort();
}

void
screen_show(const char *text, int head, int chosen, const char *note)
{
	(void)text, (void)head, (void)chosen, (void)note;
	abort();
}

int
screen_key(int ms)
{
	(void)ms;
	abort();
}

bool
screen_ask(const char *question, char *to, size_t size)
{
	(void)question, (void)to, (void)size;
	abort();
}

#endif
