/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See again.h. Programs such as watch(1) start the command again each time, which may take
 * longer than the list.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "sctpctl/again.h"
#include "sctpctl/out.h"

/* What a terminal does: go to the first place, clear the line's rest or the screen's, break lines or not. */
#define HOME		"\033[H"
#define CLEAR_LINE	"\033[K"
#define CLEAR_BELOW	"\033[J"
#define NO_WRAP		"\033[?7l"
#define WRAP		"\033[?7h"

static size_t
screen_lines(void)
{
	struct winsize	w;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row > 1 ? w.ws_row : 24;
}

static size_t
count_lines(const char *text)
{
	size_t	n = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

/* The lines that fit; the last one says how many do not. */
static void
print_screen(const char *text)
{
	size_t		 room = screen_lines() - 1, n = count_lines(text), shown = n > room ? room - 1 : n;
	const char	*end;

	fputs(NO_WRAP HOME, stdout);
	for (size_t i = 0; i < shown; i++, text = end + 1) {
		end = strchr(text, '\n');
		(void)fwrite(text, 1, (size_t)(end - text), stdout);
		fputs(CLEAR_LINE "\n", stdout);
	}
	if (shown < n)
		printf("%zu more lines do not fit; --sort COLUMN says what comes first" CLEAR_LINE "\n", n - shown);
	fputs(CLEAR_BELOW WRAP, stdout);
}

/* What run prints is kept until all of it is known: nobody sees half a list. */
static int
run_on_screen(struct ctl *ctl, int (*run)(struct ctl *, int argc, char **argv), int argc, char **argv)
{
	FILE	*screen = stdout;
	char	*text = NULL;
	size_t	 len;
	int	 fail;

	if ((stdout = open_memstream(&text, &len)) == NULL) {
		stdout = screen;
		return ctl_fail(CTL_FAILED, "there is no memory left");
	}
	fail = run(ctl, argc, argv);
	(void)fclose(stdout);
	stdout = screen;
	if (fail == CTL_OK) {
		print_screen(text);
		fail = out_flush();
	}
	free(text);
	return fail;
}

static void
wait_until(struct timespec *next, unsigned ms)
{
	next->tv_sec += ms / 1000;
	next->tv_nsec += ms % 1000 * 1000000L;
	if (next->tv_nsec >= 1000000000) {
		next->tv_sec++;
		next->tv_nsec -= 1000000000;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL) == EINTR)
		;
}

int
again_run(struct ctl *ctl, int (*run)(struct ctl *, int argc, char **argv), int argc, char **argv)
{
	bool		on_screen = isatty(STDOUT_FILENO) && !ctl->json;
	unsigned	delay = ctl->delay > 0 ? ctl->delay : CTL_DELAY;
	struct timespec	next;
	int		fail;

	(void)clock_gettime(CLOCK_MONOTONIC, &next);
	for (unsigned frame = 1;; frame++) {
		fail = on_screen ? run_on_screen(ctl, run, argc, argv) : run(ctl, argc, argv);
		if (fail != CTL_OK || frame == ctl->frames)
			return fail;
		wait_until(&next, delay);
		if (!on_screen && !ctl->json)
			putchar('\n');
	}
}
