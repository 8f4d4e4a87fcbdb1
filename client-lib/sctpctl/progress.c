/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The line that says how far it is, as pv(1) has it:
 *
 *	out 1.21GiB 12345 msgs [172MiB/s 1716/s]  in 0B 0 msgs  0:00:07 45% ETA 0:00:08
 *
 * It is there by itself where people look at it: standard error is a terminal,
 * and what is received does not go there, or what is sent does not come from
 * there. It begins after a second: what takes less needs no line.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sctpctl/pace.h"
#include "sctpctl/progress.h"

struct way {
	uint64_t	bytes, messages;
	uint64_t	bytes_then, messages_then;	/* at the line before */
};

static struct {
	bool		on;
	bool		terminal;
	bool		shown;		/* the line is on the screen */
	bool		begun;		/* there was a line */
	int64_t		start, next, then;
	struct way	out, in;
	uint64_t	total, done;
} state;

/* Is the line of use, though nobody asked for it? */
static bool
is_wanted(const struct ctl *ctl)
{
	struct stat	st;

	if (!isatty(STDERR_FILENO) || ctl->json || ctl->verbose)
		return false;
	return !isatty(STDOUT_FILENO) || ctl->has_count ||
	    (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode));
}

void
progress_begin(const struct ctl *ctl, uint64_t total)
{
	memset(&state, 0, sizeof state);
	state.on = ctl->progress || is_wanted(ctl);
	state.terminal = isatty(STDERR_FILENO);
	state.total = total;
	state.start = state.then = pace_now();
	state.next = state.start + PACE_SECOND;
	if (state.on)
		ctl_before_text(progress_hide);
}

void
progress_sent(size_t len)
{
	state.out.bytes += len;
	state.out.messages++;
}

void
progress_received(size_t len)
{
	state.in.bytes += len;
	state.in.messages++;
}

void
progress_done(uint64_t done)
{
	state.done = done;
}

void
progress_hide(void)
{
	if (!state.shown)
		return;
	fputs("\r\033[K", stderr);
	state.shown = false;
}

/* 1234567 as 1.18MiB: three digits. */
static int
print_bytes(char *to, size_t size, double n)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	unsigned		 u = 0;

	for (; n >= 1000 && u < 5; u++)
		n /= 1024;
	return snprintf(to, size, "%.*f%s", u == 0 || n >= 100 ? 0 : n >= 10 ? 1 : 2, n, units[u]);
}

static int
print_time(char *to, size_t size, double seconds)
{
	uint64_t	s = (uint64_t)seconds;

	return snprintf(to, size, "%" PRIu64 ":%02u:%02u", s / 3600, (unsigned)(s / 60 % 60), (unsigned)(s % 60));
}

/* One direction: all of it, and what it was a second ago, or on the average at the end. */
static int
print_way(char *to, size_t size, const char *name, struct way *w, double seconds, bool end)
{
	double	bytes = (double)(w->bytes - (end ? 0 : w->bytes_then)) / seconds;
	double	messages = (double)(w->messages - (end ? 0 : w->messages_then)) / seconds;
	size_t	n = (size_t)snprintf(to, size, "%s ", name);

	n += (size_t)print_bytes(to + n, size - n, (double)w->bytes);
	n += (size_t)snprintf(to + n, size - n, " %" PRIu64 " msgs", w->messages);
	if (w->messages > 0) {
		n += (size_t)snprintf(to + n, size - n, " [");
		n += (size_t)print_bytes(to + n, size - n, bytes);
		n += (size_t)snprintf(to + n, size - n, "/s %.*f/s]", messages < 100 ? 1 : 0, messages);
	}
	w->bytes_then = w->bytes;
	w->messages_then = w->messages;
	return (int)n;
}

static void
print_line(int64_t now, bool end)
{
	char		text[256];
	double		all = (double)(now - state.start) / PACE_SECOND;
	double		seconds = end ? all : (double)(now - state.then) / PACE_SECOND;
	size_t		n;
	struct winsize	w = { .ws_col = 0 };

	seconds = seconds > 0.000001 ? seconds : 0.000001;
	n = (size_t)print_way(text, sizeof text, "out", &state.out, seconds, end);
	n += (size_t)snprintf(text + n, sizeof text - n, "  ");
	n += (size_t)print_way(text + n, sizeof text - n, "in", &state.in, seconds, end);
	n += (size_t)snprintf(text + n, sizeof text - n, "  ");
	n += (size_t)print_time(text + n, sizeof text - n, all);
	if (state.total > 0 && state.done > 0 && !end) {
		n += (size_t)snprintf(text + n, sizeof text - n, " %u%% ETA ",
		    (unsigned)((double)state.done * 100 / (double)state.total));
		(void)print_time(text + n, sizeof text - n,
		    all * ((double)state.total / (double)state.done - 1) + 0.5);
	}
	if (state.terminal && ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 1 && w.ws_col <= sizeof text)
		text[w.ws_col - 1] = '\0';
	progress_hide();
	fprintf(stderr, "%s%s", text, state.terminal && !end ? "" : "\n");
	fflush(stderr);
	state.shown = state.terminal && !end;
	state.begun = true;
	state.then = now;
}

int64_t
progress_tick(void)
{
	int64_t	now = pace_now();

	if (!state.on)
		return -1;
	if (now >= state.next) {
		print_line(now, false);
		state.next += PACE_SECOND * ((now - state.next) / PACE_SECOND + 1);
	}
	return state.next - now;
}

void
progress_end(void)
{
	if (state.on && (state.begun || !state.terminal))
		print_line(pace_now(), true);
	if (state.on)
		ctl_before_text(NULL);
	state.on = false;
}
