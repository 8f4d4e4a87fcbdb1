/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A terminal that shows one text after the other. It is ncurses, where that is
 * installed when sctpctl is built; where it is not, there is no screen.
 */
#ifndef SCTPCTL_SCREEN_H
#define SCTPCTL_SCREEN_H

#include "sctpctl/ctl.h"

/* Keys that are no characters. */
enum { SCREEN_NOTHING = -1, SCREEN_UP = 0x1000, SCREEN_DOWN, SCREEN_PAGE_UP, SCREEN_PAGE_DOWN, SCREEN_HOME, SCREEN_END,
    SCREEN_ENTER, SCREEN_RESIZED };

/* Why there is no screen, and what to do; NULL: there may be one. */
const char *screen_why_not(void);

/* Take the terminal, and give it back. */
void screen_begin(void);
void screen_end(void);

int screen_width(void);
int screen_height(void);

/*
 * Show these lines. The line "head" has headings; "chosen" is the one that is
 * chosen; either may be -1. The last line of the screen has the note.
 */
void screen_show(const char *text, int head, int chosen, const char *note);

/* The next key, if one is pressed in time. */
int screen_key(int ms);

/* Ask for a line in the screen's last line. False: it was left with Escape. */
bool screen_ask(const char *question, char *to, size_t size);

#endif
