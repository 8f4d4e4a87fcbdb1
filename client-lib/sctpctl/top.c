/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top: what happens on the associations, by rate.
 *
 * Each frame asks for all associations, in as many pages as that takes, and
 * compares what was counted with the frame before. The pages are small, so that
 * nobody else waits for the daemon meanwhile.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/addr.h"
#include "proto/ppid.h"
#include "sctpctl/assocs.h"
#include "sctpctl/help.h"
#include "sctpctl/out.h"
#include "sctpctl/pages.h"
#include "sctpctl/screen.h"
#include "sctpctl/top.h"

#define ABSENCE	30000	/* ms that sctpd may be away, */
#define AGAIN	200	/* and between two attempts to reach it */
#define HEAD	2	/* lines above the table */

enum showing { SHOW_TABLE, SHOW_ONE, SHOW_HELP };

struct top {
	struct ctl	*ctl;
	struct rows	 rows;		/* of this frame, sorted as they are shown */
	struct rows	 before;	/* of the frame before, sorted by socket and association */
	bool		 is_whole;	/* all rows are there */
	double		 at, before_at;	/* when they were asked for, s */
	double		 seconds;	/* between the two; 0: there was none before */
	bool		 on_screen;
	bool		 has_status;	/* all rows have, not only those that are shown */
	char		 sort[32];
	char		 state[16];	/* what ctl->by_state points to, once it was typed */
	char		*summary;	/* the lines above the table; allocated */

	enum showing	 showing;
	size_t		 first;		/* the row that is shown first */
	size_t		 chosen;
	uint64_t	 sock;		/* of that row, to find it again */
	uint32_t	 assoc_id;
	char		 note[200];
	bool		 now;		/* do not wait for the next frame */
	bool		 quit;
	int		 fail;
};

static double
seconds_now(void)
{
	struct timespec	t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- rates ---------------------------------------------------------- */

static int
compare_keys(const void *a, const void *b)
{
	const struct assoc_row	*x = *(void *const *)a, *y = *(void *const *)b;

	if (x->sock != y->sock)
		return x->sock < y->sock ? -1 : 1;
	return x->assoc_id < y->assoc_id ? -1 : x->assoc_id > y->assoc_id;
}

static double
rate(double now, double before, double seconds)
{
	return seconds > 0 && now > before ? (now - before) / seconds : 0;
}

/* An association that is new here has the average since it came up. */
static void
set_rates(struct assoc_row *r, const struct assoc_row *before, double seconds)
{
	static const struct assoc_row	zero;

	if (before == NULL || before->recv_cnt > r->recv_cnt || before->send_cnt > r->send_cnt) {
		before = &zero;
		seconds = r->age;
	}
	r->rate.recv_cnt = rate(r->recv_cnt, before->recv_cnt, seconds);
	r->rate.recv_oct = rate(r->recv_oct, before->recv_oct, seconds);
	r->rate.send_cnt = rate(r->send_cnt, before->send_cnt, seconds);
	r->rate.send_oct = rate(r->send_oct, before->send_oct, seconds);
}

/* The stack was not asked for each association in each frame: then there is no rate. */
static void
set_rtx_rate(struct assoc_row *r, const struct assoc_row *before, double seconds)
{
	r->rate.rtx = r->has_stats && before != NULL && before->has_stats ? rate(r->rtx, before->rtx, seconds) : -1;
}

static void
sort_by_keys(struct rows *r)
{
	if (r->n > 1)
		qsort(r->at, r->n, sizeof *r->at, compare_keys);
}

static struct assoc_row *
find_before(const struct top *t, const struct assoc_row *r)
{
	void	**found = t->before.n > 0 ? bsearch(&r, t->before.at, t->before.n, sizeof *t->before.at, compare_keys) : NULL;

	return found != NULL ? *found : NULL;
}

/* The frame that was shown is the one before; what came of one that failed is of no use. */
static void
turn_over(struct top *t)
{
	double	now = seconds_now();

	if (t->is_whole) {
		pages_free(&t->before);
		t->before = t->rows;
		t->before_at = t->at;
		t->rows = (struct rows){ .n = 0 };
	}
	pages_free(&t->rows);
	sort_by_keys(&t->before);
	t->is_whole = false;
	t->at = now;
	t->seconds = t->before_at > 0 ? now - t->before_at : 0;
}

static void
compare_frames(struct top *t)
{
	struct assoc_row	*r, *before;

	for (size_t i = 0; i < t->rows.n; i++) {
		r = rows_at(&t->rows, i);
		before = find_before(t, r);
		set_rates(r, before, t->seconds);
		set_rtx_rate(r, before, t->seconds);
	}
}

/* ---- a frame -------------------------------------------------------- */

/* What was chosen is chosen still, wherever it is now; if it is gone, what is in its place. */
static void
find_chosen(struct top *t)
{
	const struct assoc_row	*r;

	for (size_t i = 0; i < t->rows.n; i++) {
		r = rows_at(&t->rows, i);
		if (r->sock == t->sock && r->assoc_id == t->assoc_id)
			t->chosen = i;
	}
}

static void
choose(struct top *t, size_t i)
{
	const struct assoc_row	*r;

	t->chosen = t->rows.n == 0 ? 0 : i < t->rows.n ? i : t->rows.n - 1;
	if (t->rows.n == 0)
		return;
	r = rows_at(&t->rows, t->chosen);
	t->sock = r->sock;
	t->assoc_id = r->assoc_id;
}

static void
sort(struct top *t)
{
	/* What is equal stays where it is. */
	sort_by_keys(&t->rows);
	table_sort(&t->rows, top_columns, t->sort);
	if (t->sock != 0)
		find_chosen(t);
	choose(t, t->chosen);
}

static void
print_filters(FILE *f, const struct ctl *ctl)
{
	char	text[ADDR_TEXT], ppid[PPID_TEXT];

	if (ctl->by_peer)
		fprintf(f, " peer=%s:%u", addr_text(&ctl->peer, text), ctl->peer_port);
	if (ctl->by_state != NULL)
		fprintf(f, " state=%s", ctl->by_state);
	if (ctl->by_sock > 0)
		fprintf(f, " sock=%" PRIu64, ctl->by_sock);
	if (ctl->by_ppid)
		fprintf(f, " ppid=%s", ppid_text(ppid, ctl->ppid));
}

static void
print_sum(FILE *f, const char *name, double messages, double bytes)
{
	fprintf(f, "%s ", name);
	table_count(f, messages);
	fputs(" msg/s ", f);
	table_count(f, bytes);
	fputs(" B/s  ", f);
}

static void
print_sums(FILE *f, const struct top *t)
{
	double			 in = 0, out = 0, in_bytes = 0, out_bytes = 0, waiting = 0;
	const struct assoc_row	*r;

	for (size_t i = 0; i < t->rows.n; i++) {
		r = rows_at(&t->rows, i);
		in += r->rate.recv_cnt;
		out += r->rate.send_cnt;
		in_bytes += r->rate.recv_oct;
		out_bytes += r->rate.send_oct;
		waiting += (double)r->send_pend;
	}
	print_sum(f, "in", in, in_bytes);
	print_sum(f, "out", out, out_bytes);
	fputs("sendq ", f);
	table_count(f, waiting);
	fprintf(f, "  %zu by %s", t->rows.n, t->sort);
	print_filters(f, t->ctl);
	putc('\n', f);
}

static void
summarize(struct top *t, const struct sctpd_value *status)
{
	char		clock[16];
	size_t		size;
	time_t		now = time(NULL);
	struct tm	tm;
	FILE		*f;

	free(t->summary);
	t->summary = NULL;
	if ((f = open_memstream(&t->summary, &size)) == NULL)
		return;
	strftime(clock, sizeof clock, "%H:%M:%S", localtime_r(&now, &tm));
	fprintf(f, "%s up ", clock);
	table_age(f, (double)sctpd_get_int(status, "uptime"));
	fprintf(f, ", %s stack, %" PRId64 " clients, %" PRId64 " sockets, %" PRId64 " associations\n",
	    sctpd_get_str(status, "stack"), sctpd_get_int(status, "clients"), sctpd_get_int(status, "sockets"),
	    sctpd_get_int(status, "associations"));
	print_sums(f, t);
	fclose(f);
}

static int
take_frame(struct top *t)
{
	char				*words[] = { (char[]){ "assocs" }, NULL };
	const struct sctpd_value	*status;
	int				 fail, code;

	turn_over(t);
	t->has_status = !t->on_screen || assocs_needs_status(t->sort);
	if ((fail = assocs_get(t->ctl, 1, words, t->has_status, &t->rows)) != CTL_OK)
		return fail;
	compare_frames(t);
	sort(t);
	if ((code = sctpd_call(t->ctl->c, &status, "status")) != SCTPD_OK)
		return ctl_fail_call(t->ctl, code);
	summarize(t, status);
	t->is_whole = true;
	return CTL_OK;
}

/* The same; a daemon that is gone is waited for, as by listen, connect and watch. */
static int
take_frame_when_back(struct top *t)
{
	double	until;
	int	fail = take_frame(t);

	if (fail != CTL_UNREACHABLE)
		return fail;
	ctl_note("sctpctl: sctpd is gone, waiting");
	until = seconds_now() + (t->ctl->timeout >= 0 ? t->ctl->timeout : ABSENCE) / 1000.0;
	while (sctpd_dial(t->ctl->c, t->ctl->path) != SCTPD_OK) {
		if (seconds_now() >= until)
			return fail;
		(void)poll(NULL, 0, AGAIN);
	}
	ctl_note("sctpctl: sctpd is back");
	return take_frame(t);
}

/* ---- as text -------------------------------------------------------- */

static void
print_json(const struct top *t)
{
	const struct assoc_row	*r;

	printf("{\"time\": %lld, \"seconds\": %.3f, \"assocs\": [", (long long)time(NULL), t->seconds);
	for (size_t i = 0; i < t->rows.n; i++) {
		r = rows_at(&t->rows, i);
		printf("%s%.*s, \"rates\": {\"recv_cnt\": %.1f, \"recv_oct\": %.1f, \"send_cnt\": %.1f, \"send_oct\": %.1f, \"rtxchunks\": ",
		    i > 0 ? ", " : "", (int)strlen(r->json) - 1, r->json, r->rate.recv_cnt, r->rate.recv_oct,
		    r->rate.send_cnt, r->rate.send_oct);
		printf(r->has_stats ? "%.1f}}" : "null}}", r->rate.rtx);
	}
	puts("]}");
}

static void
print_text(const struct top *t, bool first)
{
	struct table_form	form = { 0, t->rows.n, t->ctl->verbose ? TABLE_ALL : table_width(), 1, t->ctl->color };

	if (!first)
		putchar('\n');
	fputs(t->summary != NULL ? t->summary : "", stdout);
	table_print(stdout, top_columns, &t->rows, &form);
}

static int
run_batch(struct top *t)
{
	double	next = seconds_now();
	int	fail;

	for (unsigned n = 0; t->ctl->frames == 0 || n < t->ctl->frames; n++) {
		if (n > 0 && next > seconds_now())
			(void)poll(NULL, 0, (int)((next - seconds_now()) * 1000));
		next += t->ctl->delay / 1000.0;
		if ((fail = n > 0 ? take_frame_when_back(t) : take_frame(t)) != CTL_OK)
			return fail;
		if (t->ctl->json)
			print_json(t);
		else
			print_text(t, n == 0);
		if ((fail = out_flush()) != CTL_OK)
			return fail;
	}
	return CTL_OK;
}

/* ---- the screen ----------------------------------------------------- */

static size_t
rows_of_screen(void)
{
	int	n = screen_height() - HEAD - 2;	/* without the heading and the note */

	return n > 0 ? (size_t)n : 1;
}

static void
print_keys(FILE *f)
{
	for (const struct top_key *k = top_keys; k->name != NULL; k++)
		fprintf(f, "  %-16s %s\n", k->name, k->doc);
}

/* Everything about the chosen association; the table again if it has ended. */
static void
print_one(struct top *t, FILE *f)
{
	long	begin = ftell(f);

	t->fail = assocs_describe(t->ctl, f, t->sock, t->assoc_id);
	if (t->fail == CTL_OK && ftell(f) == begin) {
		(void)snprintf(t->note, sizeof t->note, "association %" PRIu32 " of socket %" PRIu64 " has ended", t->assoc_id, t->sock);
		t->showing = SHOW_TABLE;
	}
}

/* Ask the stack about the rows that are seen, and no others. */
static int
ask_status(struct top *t, size_t n)
{
	struct assoc_row	*r;

	if (t->has_status || (t->fail = assocs_ask_status(t->ctl, &t->rows, t->first, n)) != CTL_OK)
		return t->fail;
	for (size_t i = t->first; i < t->rows.n && i - t->first < n; i++) {
		r = rows_at(&t->rows, i);
		set_rtx_rate(r, find_before(t, r), t->seconds);
	}
	return CTL_OK;
}

static void
print_table(struct top *t, FILE *f)
{
	struct table_form	form = { .width = screen_width(), .gap = 1 };
	size_t			n = rows_of_screen();

	if (t->chosen < t->first)
		t->first = t->chosen;
	if (t->chosen >= t->first + n)
		t->first = t->chosen - n + 1;
	if (ask_status(t, n) != CTL_OK)
		return;
	fputs(t->summary != NULL ? t->summary : "", f);
	form.from = t->first;
	form.n = n;
	table_print(f, top_columns, &t->rows, &form);
}

static void
draw(struct top *t)
{
	char	*text = NULL;
	size_t	 size;
	FILE	*f = open_memstream(&text, &size);

	if (f == NULL)
		exit(ctl_fail(CTL_FAILED, "there is no memory left"));
	if (t->showing == SHOW_ONE)
		print_one(t, f);
	if (t->showing == SHOW_HELP)
		print_keys(f);
	if (t->showing == SHOW_TABLE)
		print_table(t, f);
	fclose(f);
	if (t->fail == CTL_OK)
		screen_show(text, t->showing == SHOW_TABLE ? HEAD : -1,
		    t->showing == SHOW_TABLE && t->rows.n > 0 ? HEAD + 1 + (int)(t->chosen - t->first) : -1,
		    *t->note != '\0' ? t->note : t->showing == SHOW_TABLE ? "h: help  q: quit" : "Enter: back");
	free(text);
}

/* ---- keys ----------------------------------------------------------- */

static void
press_quit(struct top *t)
{
	if (t->showing == SHOW_TABLE)
		t->quit = true;
	t->showing = SHOW_TABLE;
}

static void
press_help(struct top *t)
{
	t->showing = t->showing == SHOW_HELP ? SHOW_TABLE : SHOW_HELP;
}

static void
press_enter(struct top *t)
{
	t->showing = t->showing == SHOW_TABLE && t->rows.n > 0 ? SHOW_ONE : SHOW_TABLE;
}

static void
press_up(struct top *t)
{
	choose(t, t->chosen > 0 ? t->chosen - 1 : 0);
}

static void
press_down(struct top *t)
{
	choose(t, t->chosen + 1);
}

static void
press_page_up(struct top *t)
{
	size_t	n = rows_of_screen();

	choose(t, t->chosen > n ? t->chosen - n : 0);
}

static void
press_page_down(struct top *t)
{
	choose(t, t->chosen + rows_of_screen());
}

static void
press_home(struct top *t)
{
	choose(t, 0);
}

static void
press_end(struct top *t)
{
	choose(t, SIZE_MAX);
}

/* Sort by the column so many places beside. */
static void
sort_beside(struct top *t, int step)
{
	const struct column	*c = table_find(top_columns, t->sort);
	long			 n = 0, at = c - top_columns;

	while (top_columns[n].name != NULL)
		n++;
	(void)snprintf(t->sort, sizeof t->sort, "%s", top_columns[(at + n + step) % n].name);
	t->now = assocs_needs_status(t->sort) && !t->has_status;
	sort(t);
	(void)snprintf(t->note, sizeof t->note, "sorted by %s: %s", t->sort, table_find(top_columns, t->sort)->doc);
}

static void
press_left(struct top *t)
{
	sort_beside(t, -1);
}

static void
press_right(struct top *t)
{
	sort_beside(t, 1);
}

static void
press_reverse(struct top *t)
{
	char	name[sizeof t->sort];

	(void)snprintf(name, sizeof name, "%s", t->sort);
	(void)snprintf(t->sort, sizeof t->sort, "%s%s", *name == '-' ? "" : "-", name + (*name == '-'));
	sort(t);
}

/* Take one "name=value"; false if it is none. */
static bool
take_filter(struct top *t, const char *word)
{
	const char	*value = strchr(word, '=') != NULL ? strchr(word, '=') + 1 : "";
	char		*end;

	if (strncmp(word, "peer=", 5) == 0)
		return pages_select_peer(t->ctl, value);
	if (strncmp(word, "state=", 6) == 0 && assocs_has_state(value)) {
		(void)snprintf(t->state, sizeof t->state, "%s", value);
		t->ctl->by_state = t->state;
		return true;
	}
	if (strncmp(word, "ppid=", 5) == 0)
		return t->ctl->by_ppid = ppid_parse(value, &t->ctl->ppid);
	if (strncmp(word, "sock=", 5) != 0 || *value < '0' || *value > '9')
		return false;
	t->ctl->by_sock = strtoull(value, &end, 10);
	return *end == '\0';
}

static void
forget_filters(struct ctl *ctl)
{
	ctl->by_peer = ctl->by_ppid = false;
	ctl->by_state = NULL;
	ctl->by_sock = 0;
}

static void
press_filter(struct top *t)
{
	char	line[128], *save, *word;

	if (!screen_ask("only peer=ADDRESS state=STATE ppid=PPID sock=N (nothing: all): ", line, sizeof line))
		return;
	forget_filters(t->ctl);
	for (word = strtok_r(line, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
		if (!take_filter(t, word)) {
			(void)snprintf(t->note, sizeof t->note, "\"%s\" is no filter; state is one of %s", word, ASSOC_STATES);
			forget_filters(t->ctl);
			break;
		}
	}
	t->now = true;
}

static void
press_delay(struct top *t)
{
	char	line[16], *end;
	double	seconds;

	if (!screen_ask("seconds between two screens: ", line, sizeof line))
		return;
	seconds = strtod(line, &end);
	if (end == line || *end != '\0' || !(seconds >= 0.1 && seconds <= 86400))
		(void)snprintf(t->note, sizeof t->note, "\"%s\" is not a number of seconds from 0.1 to 86400", line);
	else
		t->ctl->delay = (unsigned)(seconds * 1000);
}

static void
press_abort(struct top *t)
{
	const struct assoc_row	*r;
	char			 question[160], answer[8];
	int			 code;

	if (t->rows.n == 0)
		return;
	r = rows_at(&t->rows, t->chosen);
	(void)snprintf(question, sizeof question, "abort association %" PRIu32 " of socket %" PRIu64 ", peer %s? y or n: ",
	    r->assoc_id, r->sock, r->peer);
	if (!screen_ask(question, answer, sizeof answer) || (strcmp(answer, "y") != 0 && strcmp(answer, "yes") != 0)) {
		(void)snprintf(t->note, sizeof t->note, "not aborted");
		return;
	}
	code = sctpd_abort(t->ctl->c, r->sock, r->assoc_id);
	(void)snprintf(t->note, sizeof t->note, "%s", code == SCTPD_OK ? "aborted" : sctpd_error(t->ctl->c));
	t->now = true;
}

static void
press_refresh(struct top *t)
{
	t->now = true;
}

const struct top_key top_keys[] = {
	{ "Up", { SCREEN_UP, 'K' }, "Choose the association above.", press_up },
	{ "Down", { SCREEN_DOWN, 'J' }, "Choose the association below.", press_down },
	{ "PageUp", { SCREEN_PAGE_UP, 0 }, "Go up by a screen.", press_page_up },
	{ "PageDown", { SCREEN_PAGE_DOWN, 0 }, "Go down by a screen.", press_page_down },
	{ "Home", { SCREEN_HOME, 0 }, "Go to the first association.", press_home },
	{ "End", { SCREEN_END, 0 }, "Go to the last association.", press_end },
	{ "Enter", { SCREEN_ENTER, 0 }, "Show everything about the association; or the table again.", press_enter },
	{ "<", { '<', 0 }, "Sort by the column before.", press_left },
	{ ">", { '>', 0 }, "Sort by the column after.", press_right },
	{ "r", { 'r', 0 }, "Sort the other way round.", press_reverse },
	{ "f", { 'f', '/' }, "Show only associations of a peer, state, PPID or socket.", press_filter },
	{ "d", { 'd', 0 }, "Change the time between two screens.", press_delay },
	{ "k", { 'k', 0 }, "Abort the chosen association, after a question.", press_abort },
	{ "Space", { ' ', 0 }, "Look again now.", press_refresh },
	{ "h", { 'h', '?' }, "Show this help, or the table again.", press_help },
	{ "q", { 'q', 27 }, "Leave; from help or one association, go back to the table.", press_quit },
	{ NULL, { 0, 0 }, NULL, NULL }
};

static void
press(struct top *t, int key)
{
	*t->note = '\0';
	for (const struct top_key *k = top_keys; k->name != NULL; k++) {
		if (k->keys[0] == key || k->keys[1] == key)
			k->press(t);
	}
}

/* Draw, and serve keys, until the next frame is due. */
static void
serve_keys(struct top *t, double until)
{
	double	left;
	int	key;

	for (t->now = false; !t->now && !t->quit && t->fail == CTL_OK;) {
		draw(t);
		left = until - seconds_now();
		if (t->fail != CTL_OK || left <= 0)
			break;
		key = screen_key((int)(left * 1000) + 1);
		if (key == SCREEN_NOTHING && seconds_now() >= until)
			break;
		if (key != SCREEN_NOTHING)
			press(t, key);
	}
}

static int
run_screen(struct top *t)
{
	unsigned	n = 0;

	t->on_screen = true;
	if ((t->fail = take_frame(t)) != CTL_OK)	/* what fails at once is said without a screen */
		return t->fail;
	screen_begin();
	ctl_before_text(screen_end);
	while (!t->quit && t->fail == CTL_OK) {
		serve_keys(t, t->at + t->ctl->delay / 1000.0);
		if (t->quit || t->fail != CTL_OK || ++n == t->ctl->frames)
			break;
		t->fail = take_frame_when_back(t);
	}
	ctl_before_text(NULL);
	screen_end();
	return t->fail;
}

/* ---- the command ---------------------------------------------------- */

static int
run(struct top *t)
{
	if (t->ctl->batch || t->ctl->json)
		return run_batch(t);
	if (screen_why_not() != NULL)
		return ctl_fail(CTL_USAGE, "top: %s", screen_why_not());
	return run_screen(t);
}

int
top_run(struct ctl *ctl, int argc, char **argv)
{
	struct top	t = { .ctl = ctl };
	int		fail;

	(void)argv;
	if (argc > 1)
		return ctl_fail(CTL_USAGE, "top takes options only, such as --peer ADDRESS");
	if (ctl->sort != NULL && (table_find(top_columns, ctl->sort) == NULL || strlen(ctl->sort) >= sizeof t.sort))
		return table_fail(top_columns, ctl->sort);
	if (ctl->by_state != NULL && !assocs_has_state(ctl->by_state))
		return ctl_fail(CTL_USAGE, "--state: there is no state \"%s\"; there are: %s", ctl->by_state, ASSOC_STATES);
	(void)snprintf(t.sort, sizeof t.sort, "%s", ctl->sort != NULL ? ctl->sort : "msg/s");
	if (ctl->delay == 0)
		ctl->delay = CTL_DELAY;
	rows_keep_memory();
	fail = run(&t);
	pages_free(&t.rows);
	pages_free(&t.before);
	free(t.summary);
	return fail;
}

void
top_help(void)
{
	puts("\nkeys:");
	for (const struct top_key *k = top_keys; k->name != NULL; k++)
		help_row(k->name, k->doc);
	puts("\ncolumns:");
	for (const struct column *c = top_columns; c->name != NULL; c++)
		help_row(c->name, c->doc);
}
