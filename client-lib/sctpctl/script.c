/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --script: what to send and what must come.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/event_type.h"
#include "proto/ppid.h"
#include "sctpctl/in.h"
#include "sctpctl/out.h"
#include "sctpctl/pace.h"
#include "sctpctl/script.h"
#include "sctpctl/seen.h"

#define DEFAULT_TIMEOUT	5000	/* ms */
#define MAX_HEARD	4096	/* messages and events that no step has taken */
#define MAX_WORDS	64
#define MAX_LINE	(1u << 20)	/* bytes of a line */
#define MAX_FILE	(64u << 20)	/* bytes of a file that a step names */
#define SHOWN		64	/* bytes of a message in an error */

/* A line that is being read. */
struct reader {
	const char	*name;
	unsigned	 line;
	int		 timeout;	/* of steps that give none */
	char		*word[MAX_WORDS];
	bool		 quoted[MAX_WORDS];
	int		 n;
};

static int
fail_line(const struct reader *r, const char *what, const char *word)
{
	return ctl_fail(CTL_USAGE, "%s:%u: %s%s%s%s", r->name, r->line, word != NULL ? "\"" : "",
	    word != NULL ? word : "", word != NULL ? "\" " : "", what);
}

/* ---- words ---------------------------------------------------------- */

/* Find the end of the word at s, which it cuts; gives what follows, NULL if a quote is open. */
static char *
cut_word(struct reader *r, char *s)
{
	char	*end;

	r->quoted[r->n] = *s == '"';
	r->word[r->n++] = s + (*s == '"');
	if (*s != '"') {
		end = s + strcspn(s, " \t\r\n");
		if (*end != '\0')
			*end++ = '\0';
		return end;
	}
	for (end = s + 1; *end != '\0' && *end != '"'; end++)
		end += *end == '\\' && end[1] != '\0';
	if (*end == '\0')
		return NULL;
	*end = '\0';
	return end + 1;
}

static int
cut_line(struct reader *r, char *s)
{
	r->n = 0;
	while (*(s += strspn(s, " \t\r\n")) != '\0' && *s != '#') {
		if (r->n == MAX_WORDS)
			return fail_line(r, "too many words", NULL);
		if ((s = cut_word(r, s)) == NULL)
			return fail_line(r, "a \" is not closed", NULL);
	}
	return CTL_OK;
}

/* ---- bytes ---------------------------------------------------------- */

static bool
append(struct script_step *st, char byte, char mask)
{
	char	*data, *masks;

	if ((st->len & (st->len - 1)) == 0) {	/* room doubles when it is full */
		data = realloc(st->data, st->len == 0 ? 1 : 2 * st->len);
		st->data = data != NULL ? data : st->data;
		masks = realloc(st->mask, st->len == 0 ? 1 : 2 * st->len);
		st->mask = masks != NULL ? masks : st->mask;
		if (data == NULL || masks == NULL)
			exit(ctl_fail(CTL_FAILED, "there is no memory left"));
	}
	st->data[st->len] = byte;
	st->mask[st->len++] = mask;
	st->has_data = true;
	return true;
}

/* "text" with \n, \r, \t, \\, \" and \x0A. */
static bool
append_text(struct script_step *st, const char *s)
{
	static const char	 letters[] = "nrt\\\"", stand[] = "\n\r\t\\\"";
	const char		*p;
	char			 hex[3] = "";
	size_t			 len = 2;

	for (; *s != '\0'; s++) {
		if (*s != '\\') {
			append(st, *s, 1);
		} else if (*++s == 'x' && s[1] != '\0') {
			memcpy(hex, s + 1, 2);
			if (!in_unhex(hex, &len) || len != 1)
				return false;
			append(st, hex[0], 1);
			s += 2;
			len = 2;
		} else if (*s != '\0' && (p = strchr(letters, *s)) != NULL) {
			append(st, stand[p - letters], 1);
		} else {
			return false;
		}
	}
	st->has_data = true;
	return true;
}

/* Pairs of digits; ?? is any byte where it is expected. */
static bool
append_hex(struct script_step *st, const char *s)
{
	char	pair[3] = "";
	size_t	len;

	for (; *s != '\0'; s += 2) {
		memcpy(pair, s, 2);
		len = 2;
		if (strcmp(pair, "??") == 0 && st->kind == STEP_EXPECT)
			append(st, 0, 0);
		else if (pair[1] != '\0' && in_unhex(pair, &len) && len == 1)
			append(st, pair[0], 1);
		else
			return false;
	}
	return true;
}

static bool
append_file(struct script_step *st, const char *path)
{
	FILE	*f = fopen(path, "rb");
	size_t	 left = MAX_FILE;
	int	 c = EOF;

	if (f == NULL)
		return false;
	while (left > 0 && (c = getc(f)) != EOF) {
		append(st, (char)c, 1);
		left--;
	}
	if (left == 0 && getc(f) != EOF)
		errno = EFBIG;
	else
		left = 1;
	c = left == 0 || ferror(f);
	fclose(f);
	st->has_data = true;
	return c == 0;
}

/* ---- steps ---------------------------------------------------------- */

static int
read_number(const struct reader *r, const char *word, const char *value, unsigned long max, unsigned long *to)
{
	char	*end;

	errno = 0;
	*to = strtoul(value, &end, 0);
	if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 || *to > max)
		return fail_line(r, "is out of range, or no number", word);
	return CTL_OK;
}

/* A word of send or expect that is no bytes; gives -1 for another. */
static int
read_key(const struct reader *r, const char *word, struct script_step *st)
{
	unsigned long	n;
	int		fail;

	if (strncmp(word, "stream=", 7) == 0) {
		fail = read_number(r, word, word + 7, UINT16_MAX, &n);
		st->stream = (uint16_t)n;
		st->has_stream = true;
		return fail;
	}
	if (strncmp(word, "ppid=", 5) == 0) {
		st->has_ppid = true;
		return ppid_parse(word + 5, &st->ppid) ? CTL_OK :
		    fail_line(r, "is neither the name of a PPID nor a number", word);
	}
	if (strncmp(word, "timeout=", 8) == 0 && st->kind != STEP_SEND) {
		fail = read_number(r, word, word + 8, 86400000, &n);
		st->timeout = (int)n;
		return fail;
	}
	if (strcmp(word, "unordered") == 0 && st->kind == STEP_SEND) {
		st->unordered = true;
		return CTL_OK;
	}
	return -1;
}

static int
read_bytes(const struct reader *r, int i, struct script_step *st)
{
	const char	*word = r->word[i];

	if (st->open)
		return fail_line(r, "\"...\" must be the last word", NULL);
	if (r->quoted[i])
		return append_text(st, word) ? CTL_OK :
		    fail_line(r, "has a \\ that is not \\n, \\r, \\t, \\\\, \\\" or \\x and two hexadecimal digits", word);
	if (strncmp(word, "hex:", 4) == 0)
		return append_hex(st, word + 4) ? CTL_OK :
		    fail_line(r, st->kind == STEP_EXPECT ? "is not pairs of hexadecimal digits, or ??, which is any byte" :
		    "is not pairs of hexadecimal digits", word);
	if (word[0] == '@')
		return append_file(st, word + 1) ? CTL_OK : fail_line(r, strerror(errno), word + 1);
	if (strcmp(word, "...") == 0 && st->kind == STEP_EXPECT) {
		st->open = st->has_data = true;
		return CTL_OK;
	}
	return fail_line(r, st->kind == STEP_SEND ?
	    "is not understood; send takes stream=N, ppid=PPID, unordered and bytes: \"text\", hex:0A0B or @FILE" :
	    "is not understood; expect takes event, nothing, stream=N, ppid=PPID, timeout=MS and bytes: \"text\", hex:0A?? or @FILE", word);
}

static int
read_message(const struct reader *r, struct script_step *st)
{
	int	fail = CTL_OK;

	for (int i = 1; i < r->n && fail == CTL_OK; i++) {
		fail = r->quoted[i] ? -1 : read_key(r, r->word[i], st);
		if (fail == -1)
			fail = read_bytes(r, i, st);
	}
	if (fail == CTL_OK && st->kind == STEP_SEND && st->len == 0)
		return fail_line(r, "send takes bytes: \"text\", hex:0A0B or @FILE; SCTP has no empty messages", NULL);
	return fail;
}

static int
read_event(const struct reader *r, struct script_step *st)
{
	int	fail = CTL_OK;

	if (r->n < 3)
		return fail_line(r, "expect event takes the name of an event; sctpctl help lists them", NULL);
	if (event_type_named(r->word[2], strlen(r->word[2])) == NULL)
		return fail_line(r, "is no event; sctpctl help lists them", r->word[2]);
	if ((st->words = calloc((size_t)r->n, sizeof *st->words)) == NULL)
		return ctl_fail(CTL_FAILED, "there is no memory left");
	for (int i = 2; i < r->n && fail == CTL_OK; i++) {
		if (strncmp(r->word[i], "timeout=", 8) == 0)
			fail = read_key(r, r->word[i], st);
		else if (i > 2 && strchr(r->word[i], '=') == NULL)
			fail = fail_line(r, "is not understood; an event takes key=value and timeout=MS", r->word[i]);
		else if ((st->words[st->n_words++] = strdup(r->word[i])) == NULL)
			fail = ctl_fail(CTL_FAILED, "there is no memory left");
	}
	return fail;
}

/* The only word that the command takes is ms. */
static int
read_ms(const struct reader *r, int *ms)
{
	unsigned long	n;
	int		fail;

	if (r->n != 2)
		return fail_line(r, "takes milliseconds, and nothing else", r->word[0]);
	fail = read_number(r, r->word[1], r->word[1], 86400000, &n);
	*ms = (int)n;
	return fail;
}

static bool
is_word(const struct reader *r, int i, const char *word)
{
	return i < r->n && !r->quoted[i] && strcmp(r->word[i], word) == 0;
}

static int
read_nothing(const struct reader *r, struct script_step *st)
{
	int	fail;

	st->timeout = 0;
	for (int i = 2; i < r->n; i++) {
		fail = strncmp(r->word[i], "timeout=", 8) == 0 ? read_key(r, r->word[i], st) : -1;
		if (fail != CTL_OK)
			return fail != -1 ? fail : fail_line(r, "is not understood; expect nothing takes timeout=MS", r->word[i]);
	}
	return CTL_OK;
}

/* Read a line that is a step. */
static int
read_step(const struct reader *r, struct script_step *st)
{
	if (is_word(r, 0, "send")) {
		st->kind = STEP_SEND;
		return read_message(r, st);
	}
	if (is_word(r, 0, "expect")) {
		st->kind = is_word(r, 1, "event") ? STEP_EXPECT_EVENT : is_word(r, 1, "nothing") ? STEP_EXPECT_NOTHING : STEP_EXPECT;
		return st->kind == STEP_EXPECT ? read_message(r, st) :
		    st->kind == STEP_EXPECT_EVENT ? read_event(r, st) : read_nothing(r, st);
	}
	if (is_word(r, 0, "sleep")) {
		st->kind = STEP_SLEEP;
		return read_ms(r, &st->timeout);
	}
	st->kind = is_word(r, 0, "abort") ? STEP_ABORT : STEP_END;
	if (st->kind == STEP_END && !is_word(r, 0, "end"))
		return fail_line(r, "is not a command; there are: send, expect, timeout, sleep, end, abort", r->word[0]);
	return r->n == 1 ? CTL_OK : fail_line(r, "takes no words", r->word[0]);
}

static int
read_line(struct script *s, struct reader *r, char *line)
{
	struct script_step	*steps;
	int			 fail = cut_line(r, line);

	if (fail != CTL_OK || r->n == 0)
		return fail;
	if (is_word(r, 0, "timeout"))
		return read_ms(r, &r->timeout);
	if ((steps = realloc(s->steps, (s->n + 1) * sizeof *steps)) == NULL)
		return ctl_fail(CTL_FAILED, "there is no memory left");
	s->steps = steps;
	s->steps[s->n] = (struct script_step){ .line = r->line, .timeout = r->timeout };
	return read_step(r, &s->steps[s->n++]);
}

/* False: there is none, or it is none: a device would give bytes for ever. */
static bool
next_line(FILE *f, char *line, struct reader *r, int *fail)
{
	size_t	n = 0;
	int	c;

	r->line++;
	while ((c = getc(f)) != EOF && c != '\n') {
		if (c == '\0' || n == MAX_LINE - 1) {
			*fail = fail_line(r, c == '\0' ? "there is a byte 0: this is no text" : "the line is too long", NULL);
			return false;
		}
		line[n++] = (char)c;
	}
	line[n] = '\0';
	return c != EOF || n > 0;
}

struct script *
script_read(const char *path, int *fail)
{
	struct script	*s = calloc(1, sizeof *s);
	struct reader	 r = { .name = path, .timeout = DEFAULT_TIMEOUT };
	FILE		*f = fopen(path, "r");
	char		*line = malloc(MAX_LINE);

	*fail = CTL_OK;
	if (s == NULL || line == NULL)
		*fail = ctl_fail(CTL_FAILED, "there is no memory left");
	else if (f == NULL)
		*fail = ctl_fail(CTL_FAILED, "\"%s\": %s", path, strerror(errno));
	while (*fail == CTL_OK && next_line(f, line, &r, fail)) {
		s->name = path;
		*fail = read_line(s, &r, line);
	}
	if (*fail == CTL_OK && ferror(f))
		*fail = ctl_fail(CTL_FAILED, "\"%s\": %s", path, strerror(errno));
	free(line);
	if (f != NULL)
		fclose(f);
	if (*fail == CTL_OK)
		return s;
	script_free(s);
	return NULL;
}

void
script_free(struct script *s)
{
	for (size_t i = 0; s != NULL && i < s->n; i++) {
		free(s->steps[i].data);
		free(s->steps[i].mask);
		for (int w = 0; w < s->steps[i].n_words; w++)
			free(s->steps[i].words[w]);
		free(s->steps[i].words);
	}
	if (s != NULL)
		free(s->steps);
	free(s);
}

/* ---- what came ------------------------------------------------------ */

static void
forget(struct script_run *run, size_t i)
{
	free(run->heard[i].text);
	free(run->heard[i].data);
	run->n_heard--;
	memmove(&run->heard[i], &run->heard[i + 1], (run->n_heard - i) * sizeof run->heard[0]);
}

void
script_run_free(struct script_run *run)
{
	while (run->n_heard > 0)
		forget(run, run->n_heard - 1);
	free(run->heard);
	run->heard = NULL;
}

void
script_hear(struct script_run *run, const struct sctpd_event *ev)
{
	struct script_heard	*heard, h = { .stream = ev->info.stream, .ppid = ev->info.ppid, .len = ev->len };
	bool			 message = strcmp(ev->name, "data") == 0;

	if (run->done || run->n_heard > MAX_HEARD)
		return;		/* script_next says that it is too much */
	heard = realloc(run->heard, (run->n_heard + 1) * sizeof *heard);
	if (heard != NULL)
		run->heard = heard;
	if (message)
		h.data = malloc(ev->len + 1);
	else
		h.text = seen_text(ev);
	if (heard == NULL || (h.data == NULL && h.text == NULL))
		exit(ctl_fail(CTL_FAILED, "there is no memory left"));
	if (message)
		memcpy(h.data, ev->data, ev->len);
	run->heard[run->n_heard++] = h;
}

/* ---- what is next --------------------------------------------------- */

static bool
is_expected(const struct script_step *st, const struct script_heard *h)
{
	if ((st->has_stream && st->stream != h->stream) || (st->has_ppid && st->ppid != h->ppid))
		return false;
	if (!st->has_data)
		return true;
	if (st->open ? h->len < st->len : h->len != st->len)
		return false;
	for (size_t i = 0; i < st->len; i++) {
		if (st->mask[i] != 0 && st->data[i] != h->data[i])
			return false;
	}
	return true;
}

static void
print_parameters(FILE *f, bool has_stream, unsigned stream, bool has_ppid, uint32_t ppid)
{
	char	name[PPID_TEXT];

	if (has_stream)
		fprintf(f, " on stream %u", stream);
	if (has_ppid)
		fprintf(f, " with PPID %s", ppid_text(name, ppid));
}

/* The bytes as in a script, with ?? for those that may be any. */
static void
print_bytes(FILE *f, const char *data, const char *mask, size_t len)
{
	bool	text = true;

	for (size_t i = 0; i < len; i++)
		text = text && (mask == NULL || mask[i] != 0) && isprint((unsigned char)data[i]);
	fputs(text ? "\"" : "hex:", f);
	for (size_t i = 0; i < len && i < SHOWN; i++) {
		if (text)
			fprintf(f, data[i] == '"' || data[i] == '\\' ? "\\%c" : "%c", data[i]);
		else if (mask == NULL || mask[i] != 0)
			fprintf(f, "%02x", (unsigned char)data[i]);
		else
			fputs("??", f);
	}
	fputs(text ? "\"" : "", f);
	if (len > SHOWN)
		fprintf(f, "... (%zu bytes)", len);
}

static void
print_expected(FILE *f, const struct script_step *st)
{
	if (st->kind == STEP_EXPECT_EVENT) {
		fputs("the event", f);
		for (int i = 0; i < st->n_words; i++)
			fprintf(f, " %s", st->words[i]);
		return;
	}
	if (st->has_data)
		print_bytes(f, st->data, st->mask, st->len);
	else
		fputs("a message", f);
	fputs(st->open ? " ..." : "", f);
	print_parameters(f, st->has_stream, st->stream, st->has_ppid, st->ppid);
}

/* Say that the step failed: why, what was expected, what came instead. */
static enum script_want
failed(const struct script *s, struct script_run *run, const char *why, const struct script_heard *got, int *fail)
{
	const struct script_step	*st = &s->steps[run->at];
	char				*text = NULL;
	size_t				 size;
	FILE				*f = open_memstream(&text, &size);

	if (f == NULL)
		exit(ctl_fail(CTL_FAILED, "there is no memory left"));
	fputs(why, f);
	if (st->kind == STEP_EXPECT || st->kind == STEP_EXPECT_EVENT) {
		fputs(*why != '\0' ? "; expected " : "expected ", f);
		print_expected(f, st);
	}
	if (got != NULL) {
		fputs(st->kind == STEP_EXPECT ? ", got " : ": ", f);
		print_bytes(f, got->data, NULL, got->len);
		print_parameters(f, true, got->stream, true, got->ppid);
	}
	fclose(f);
	*fail = ctl_fail(*fail, "%s:%u: %s", s->name, st->line, text);
	free(text);
	run->done = true;
	return SCRIPT_FAILED;
}

int
script_fail_send(const struct script *s, struct script_run *run, const char *why)
{
	run->done = true;
	return ctl_fail(CTL_FAILED, "%s:%u: send: %s", s->name, s->steps[run->at].line, why);
}

void
script_did(struct script_run *run)
{
	run->at++;
	run->deadline = 0;
}

static struct script_heard *
first_message(struct script_run *run)
{
	for (size_t i = 0; i < run->n_heard; i++) {
		if (run->heard[i].text == NULL)
			return &run->heard[i];
	}
	return NULL;
}

/* Take the event that is waited for, and pass those before it. */
static bool
take_event(struct script_run *run, const struct script_step *st)
{
	for (size_t i = 0; i < run->n_heard; i++) {
		if (run->heard[i].text == NULL || !seen_matches(run->heard[i].text, st->n_words, st->words))
			continue;
		for (size_t j = i + 1; j-- > 0;) {
			if (run->heard[j].text != NULL)
				forget(run, j);
		}
		return true;
	}
	return false;
}

/* Has what the step waits for come? */
static enum script_want
check(const struct script *s, struct script_run *run, int *fail)
{
	const struct script_step	*st = &s->steps[run->at];
	struct script_heard		*h = first_message(run);

	*fail = CTL_FAILED;
	if (st->kind == STEP_EXPECT_EVENT)
		return take_event(run, st) ? SCRIPT_DONE : SCRIPT_WAITS;
	if (st->kind == STEP_SLEEP || h == NULL)
		return SCRIPT_WAITS;
	if (st->kind == STEP_EXPECT_NOTHING)
		return failed(s, run, "expected nothing, but a message came", h, fail);
	if (!is_expected(st, h))
		return failed(s, run, "", h, fail);
	forget(run, (size_t)(h - run->heard));
	return SCRIPT_DONE;
}

/* What if it has not: is its time over, or the association? */
static enum script_want
wait_more(const struct script *s, struct script_run *run, bool up, int *fail)
{
	const struct script_step	*st = &s->steps[run->at];
	int64_t				 now = pace_now();
	char				 why[64];

	if (run->deadline == 0)
		run->deadline = now + (int64_t)st->timeout * 1000000;
	if (now >= run->deadline) {
		if (st->kind == STEP_SLEEP || st->kind == STEP_EXPECT_NOTHING)
			return SCRIPT_DONE;
		*fail = CTL_TIMEOUT;
		(void)snprintf(why, sizeof why, "it did not come within %d ms", st->timeout);
		return failed(s, run, why, NULL, fail);
	}
	*fail = CTL_FAILED;
	if (!up && (st->kind == STEP_EXPECT || st->kind == STEP_EXPECT_EVENT))
		return failed(s, run, "the association is over", NULL, fail);
	return SCRIPT_WAITS;
}

enum script_want
script_next(const struct script *s, struct script_run *run, bool up, const struct script_step **step, int *fail)
{
	enum script_want	 want = SCRIPT_DONE;

	*fail = CTL_FAILED;
	for (; want == SCRIPT_DONE && !run->done && run->at < s->n; script_did(run)) {
		*step = &s->steps[run->at];
		if (run->n_heard > MAX_HEARD)
			return failed(s, run, "too many messages and events came that the script has not expected yet", NULL, fail);
		if ((*step)->kind == STEP_SEND || (*step)->kind == STEP_END || (*step)->kind == STEP_ABORT) {
			if (!up)
				return failed(s, run, "the association is over, and this cannot be done", NULL, fail);
			return (*step)->kind == STEP_SEND ? SCRIPT_SENDS : (*step)->kind == STEP_END ? SCRIPT_ENDS : SCRIPT_ABORTS;
		}
		want = check(s, run, fail);
		if (want == SCRIPT_WAITS)
			want = wait_more(s, run, up, fail);
		if (want != SCRIPT_DONE)
			return want;
	}
	run->done = true;
	return SCRIPT_DONE;
}
