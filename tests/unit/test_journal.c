/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal against a model: whatever was begun, who comes after us finds
 * what was committed, all of it, and nothing else.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "journal/journal.h"
#include "rpc/output.h"
#include "unit.h"

#define THINGS	200
#define STEPS	3000

/* A record as it should be: committed, and as it is now. */
struct thing {
	struct record	*record;
	uint64_t	 word;
	size_t		 len;
	unsigned char	 seed;
	bool		 there;
};

static struct thing now[THINGS], committed[THINGS];

static void
fill(struct record *r, size_t len, unsigned char seed)
{
	for (size_t i = 0; i < len; i++)
		r->body[i] = (char)(seed + i * 7);
}

static void
check_body(const struct record *r, const struct thing *t)
{
	size_t	wrong = 0;	/* each ck_assert is a system call */

	ck_assert_uint_eq(r->len, t->len);
	for (size_t i = 0; i < t->len; i++)
		wrong += r->body[i] != (char)(t->seed + i * 7);
	ck_assert_uint_eq(wrong, 0);
}

static size_t
some_length(void)
{
	switch (random() % 4) {
	case 0:
		return (size_t)random() % 40;
	case 1:
		return (size_t)random() % 4000;
	case 2:
		return (size_t)random() % 70000;
	}
	return (size_t)random() % 300000;
}

/* Another takes its place, or it goes, or its word changes. */
static void
change(unsigned i)
{
	struct thing	*t = &now[i];

	if (t->there && random() % 3 == 0) {
		t->word = (uint64_t)random();
		journal_set(&t->record->word[1], t->word);
		return;
	}
	if (t->there)
		journal_drop(t->record);
	t->there = !t->there || random() % 2;
	if (!t->there)
		return;
	t->len = some_length();
	t->seed = (unsigned char)random();
	t->word = 0;
	t->record = journal_new(t->len);
	t->record->word[0] = i;
	fill(t->record, t->len, t->seed);
	journal_keep(t->record, RECORD_PARTIAL);
}

/* The process ends here, and another takes over. */
static void
die(void)
{
	struct record	*r = NULL;
	unsigned	 n = 0;
	int		 fd = dup(journal_fd());

	journal_close();
	ck_assert(journal_open(fd));
	for (unsigned i = 0; i < THINGS; i++) {
		now[i] = committed[i];
		now[i].record = NULL;
		n += committed[i].there;
	}
	while ((r = journal_next(r, RECORD_PARTIAL)) != NULL) {
		struct thing	*t = &now[r->word[0]];

		ck_assert(r->word[0] < THINGS && t->there && t->record == NULL);
		ck_assert_uint_eq(r->word[1], t->word);
		check_body(r, t);
		t->record = r;
		n--;
	}
	ck_assert_uint_eq(n, 0);
	memcpy(committed, now, sizeof now);
}

START_TEST(what_was_committed_is_there_and_nothing_else)
{
	srandom((unsigned)_i + 1);
	memset(now, 0, sizeof now);
	memset(committed, 0, sizeof committed);
	ck_assert(!journal_open(-1));
	for (int step = 0; step < STEPS; step++) {
		change((unsigned)random() % THINGS);
		if (random() % 10 == 0) {
			journal_commit();
			memcpy(committed, now, sizeof now);
		}
		if (random() % 500 == 0)
			die();
	}
	journal_close();
}
END_TEST

START_TEST(dropped_memory_is_used_again)
{
	struct record	*r;
	size_t		 before;

	(void)journal_open(-1);
	before = journal_size();
	for (int i = 0; i < 20000; i++) {
		r = journal_new((size_t)i * 37 % 100000);
		journal_keep(r, RECORD_PARTIAL);
		journal_commit();
		journal_drop(r);
		journal_commit();
	}
	ck_assert_uint_eq(journal_size(), before);
	ck_assert(lseek(journal_fd(), 0, SEEK_END) < 32 << 20);
	journal_close();
}
END_TEST

START_TEST(numbers_never_come_again)
{
	uint64_t	last = 0, n;
	int		fd;

	(void)journal_open(-1);
	for (int i = 0; i < 10000; i++) {
		n = journal_number();
		ck_assert(n > last);
		last = n;
		if (i % 5000 != 0)
			continue;
		fd = dup(journal_fd());
		journal_close();
		ck_assert(journal_open(fd));
	}
	journal_close();
}
END_TEST

/* How long the host is up, as the journal sees it; 0: as it is. */
static uint64_t	up_ms;

int
clock_gettime(clockid_t clock, struct timespec *to)
{
	if (up_ms == 0 || clock != CLOCK_BOOTTIME)
		return (int)syscall(SYS_clock_gettime, clock, to);
	*to = (struct timespec){ .tv_sec = (time_t)(up_ms / 1000), .tv_nsec = (long)(up_ms % 1000) * 1000000 };
	return 0;
}

static uint64_t	in_use;

static bool
is_in_use(uint64_t n)
{
	return n == in_use;
}

#define DAY	UINT64_C(86400000)

START_TEST(handles_have_32_bits_however_long_the_host_is_up)
{
	static const uint64_t	ups[] = { 1, DAY, 49 * DAY, 50 * DAY, 366 * DAY, 36525 * DAY };

	for (size_t i = 0; i < sizeof ups / sizeof ups[0]; i++) {
		uint64_t	h, n;

		up_ms = ups[i];
		(void)journal_open(-1);
		h = journal_handle(is_in_use);
		n = journal_number();
		ck_assert(h > 0 && h < JOURNAL_HANDLES && n >= JOURNAL_HANDLES && n < UINT64_C(1) << 53);
		ck_assert_uint_eq(journal_handle(is_in_use), h + 1);
		journal_close();
	}
	/* Without a journal of those before it a daemon begins later. */
	up_ms = 70 * DAY;
	(void)journal_open(-1);
	in_use = journal_handle(is_in_use);
	journal_close();
	up_ms += 1000;
	(void)journal_open(-1);
	ck_assert_uint_eq(journal_handle(is_in_use), in_use + 1000);
	journal_close();
}
END_TEST

START_TEST(handles_begin_again_with_those_that_nobody_has)
{
	int	fd;

	up_ms = JOURNAL_HANDLES - 3;
	in_use = 2;
	(void)journal_open(-1);
	ck_assert_uint_eq(journal_handle(is_in_use), JOURNAL_HANDLES - 2);
	ck_assert_uint_eq(journal_handle(is_in_use), JOURNAL_HANDLES - 1);
	ck_assert_uint_eq(journal_handle(is_in_use), 1);
	ck_assert_uint_eq(journal_handle(is_in_use), 3);
	fd = dup(journal_fd());
	journal_close();
	up_ms += 7 * DAY;
	ck_assert(journal_open(fd));
	ck_assert_uint_eq(journal_handle(is_in_use), 4);
	journal_close();
}
END_TEST

/* A word of the journal's head, wherever it lies, as another process left it. */
static void
replace(int fd, uint64_t old, uint64_t new)
{
	uint64_t	word = 0;

	for (off_t at = 0; at < 4 << 20; at += 8) {
		if (pread(fd, &word, sizeof word, at) == sizeof word && word == old) {
			ck_assert(pwrite(fd, &new, sizeof new, at) == sizeof new);
			return;
		}
	}
	ck_abort_msg("%llu is not there", (unsigned long long)old);
}

/* They took both from one count, and were up for less than 49 days, or for more. */
START_TEST(handles_go_on_behind_those_of_older_daemons)
{
	static const uint64_t	left[] = { 2 * DAY, 60 * DAY };

	for (int i = 0; i < 2; i++) {
		uint64_t	h, n;
		int		fd;

		up_ms = DAY;
		(void)journal_open(-1);
		h = journal_handle(is_in_use);
		n = journal_number();
		fd = dup(journal_fd());
		journal_close();
		replace(fd, n, left[i]);
		replace(fd, h, 0);
		ck_assert(journal_open(fd));
		ck_assert_uint_eq(journal_handle(is_in_use), i == 0 ? 2 * DAY + 1 : 1);
		ck_assert(journal_number() > left[i] && journal_number() >= JOURNAL_HANDLES);
		fd = dup(journal_fd());
		replace(fd, i == 0 ? 2 * DAY + 1 : 1, JOURNAL_HANDLES);
		journal_close();
		ck_assert(!journal_open(fd));		/* it is damaged */
		journal_close();
	}
}
END_TEST

/* ---- a commit of many words ------------------------------------------ */

#define MANY	12000		/* records of RECORD_WORDS: more than the header has room for */

static struct record	*many[MANY];

static void
make_many(void)
{
	(void)journal_open(-1);
	for (size_t i = 0; i < MANY; i++) {
		many[i] = journal_new(8);
		journal_keep(many[i], RECORD_ASSOC);
	}
	journal_commit();
}

static void
set_all_words(uint64_t value)
{
	for (size_t i = 0; i < MANY; i++) {
		for (size_t k = 0; k < RECORD_WORDS; k++)
			journal_set(&many[i]->word[k], value);
	}
}

/* Another takes over: how many words have that value there? */
static size_t
count_after(uint64_t value)
{
	struct record	*r = NULL;
	size_t		 n = 0;
	int		 fd = dup(journal_fd());

	journal_close();
	ck_assert(journal_open(fd));
	while ((r = journal_next(r, RECORD_ASSOC)) != NULL) {
		for (size_t k = 0; k < RECORD_WORDS; k++)
			n += r->word[k] == value;
	}
	return n;
}

START_TEST(nothing_is_done_before_the_commit)
{
	make_many();
	set_all_words(1);
	ck_assert_uint_eq(count_after(0), MANY * RECORD_WORDS);
	journal_close();
}
END_TEST

/* The process is killed when the commit is made and before anything is done. */
START_TEST(a_commit_of_any_size_is_done_by_who_comes_after)
{
	char	path[] = "/tmp/sctpd-fault-XXXXXX";
	FILE	*f = fdopen(mkstemp(path), "w");
	int	status;
	size_t	size;
	pid_t	pid;

	ck_assert_ptr_nonnull(f);
	(void)fputs("committed 1", f);
	(void)fclose(f);
	make_many();
	size = journal_size();
	if ((pid = fork()) == 0) {
		(void)setenv("SCTPD_FAULT", path, 1);
		set_all_words(1);
		journal_commit();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "status %d", status);
	ck_assert_uint_eq(count_after(1), MANY * RECORD_WORDS);
	ck_assert_uint_eq(journal_size(), size);	/* where the words were is free */
	journal_close();
}
END_TEST

START_TEST(many_commits_of_many_words_need_no_more_memory)
{
	size_t	size;

	make_many();
	size = journal_size();
	for (uint64_t i = 1; i < 20; i++) {
		set_all_words(i);
		journal_commit();
		ck_assert_uint_eq(journal_size(), size);
		ck_assert_uint_eq(many[MANY - 1]->word[RECORD_WORDS - 1], i);
	}
	journal_close();
}
END_TEST

/* ---- damage ----------------------------------------------------------- */

/* Where things are in the header. */
enum { AT_LAST_NUMBER = 72, AT_NREDO = 88, AT_REDO = 96, AT_FIRST_AREA = 24 };

static struct record	*small, *large;

static void
put(int fd, off_t at, uint64_t value)
{
	ck_assert_int_eq(pwrite(fd, &value, sizeof value, at), sizeof value);
}

static void
damage(unsigned i, int fd)
{
	switch (i) {
	case 0:
		small->size = 8;
		return;
	case 1:
		small->len = small->size;
		return;
	case 2:
		small->kind = RECORD_KINDS;
		return;
	case 3:
		large->size += 8;	/* the next would lie askew */
		return;
	case 4:
		large->size *= 1000;
		return;
	case 5:
		large->size = 0;	/* the next would be the same */
		return;
	case 6:
		large->len = large->size - 8;
		return;
	case 7:
		put(fd, AT_NREDO, UINT64_MAX / 4);
		return;
	case 8:				/* a change of the header itself */
		put(fd, AT_REDO, AT_NREDO);
		put(fd, AT_NREDO, 1);
		return;
	case 9:
		put(fd, AT_LAST_NUMBER, UINT64_MAX);
		return;
	case 10:
		put(fd, AT_FIRST_AREA, 8);
		return;
	}
}

START_TEST(a_damaged_journal_is_ignored_as_a_whole)
{
	int	fd;

	(void)journal_open(-1);
	small = journal_new(20);
	large = journal_new(300000);
	journal_keep(small, RECORD_SOCK);
	journal_keep(large, RECORD_PARTIAL);
	journal_keep(journal_new(300000), RECORD_PARTIAL);
	journal_commit();
	fd = dup(journal_fd());
	damage((unsigned)_i, fd);
	journal_close();
	ck_assert(!journal_open(fd));
	for (enum record_kind k = RECORD_CLIENT; k < RECORD_KINDS; k++)
		ck_assert_ptr_null(journal_next(NULL, k));
	/* And the new one is a good one. */
	journal_keep(journal_new(20), RECORD_SOCK);
	journal_commit();
	fd = dup(journal_fd());
	journal_close();
	ck_assert(journal_open(fd));
	ck_assert_ptr_nonnull(journal_next(NULL, RECORD_SOCK));
	journal_close();
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_no_journal)
{
	char	path[] = "/tmp/sctpd-journal-XXXXXX";
	int	fd = mkstemp(path), copy;
	char	room[4096];
	off_t	at = 0;
	ssize_t	n;

	(void)journal_open(-1);
	journal_keep(journal_new(20), RECORD_SOCK);
	journal_commit();
	while ((n = pread(journal_fd(), room, sizeof room, at)) > 0)
		at += write(fd, room, (size_t)n);
	journal_close();
	(void)close(fd);
	copy = open(path, O_RDONLY);
	(void)unlink(path);
	ck_assert(!journal_open(copy));
	journal_close();
}
END_TEST

/* ---- messages to a client ------------------------------------------- */

/* An event whose data begin with a number. */
#define HEAD	8

static void
say(struct output *o, unsigned number, size_t len)
{
	size_t	 n = len + 4;
	char	 head[HEAD] = { (char)0x93, 2, (char)0xa0, (char)0xc6, (char)(n >> 24), (char)(n >> 16),
		    (char)(n >> 8), (char)n };
	char	*text = malloc(n);

	memset(text, (int)('a' + number % 26), n);
	memcpy(text, &number, sizeof number);
	output_begin(o, MESSAGE_EVENT, number % 3);
	output_add(o, head, HEAD);
	output_add(o, text, n);
	output_end(o);
	free(text);
}

static unsigned	 taken[1000];
static size_t	 ntaken;

static struct account account;

static void
take(void *arg, enum message_kind kind, const char *p, size_t n)
{
	(void)arg;
	ck_assert(kind == MESSAGE_EVENT && n >= HEAD + 4);
	memcpy(&taken[ntaken++], p + HEAD, sizeof taken[0]);
}

START_TEST(messages_are_kept_until_they_are_acknowledged)
{
	struct output	 o, after;
	struct record	*r = NULL;
	struct chunk	*c;
	size_t		 others;	/* what the first was charged with */
	int		 fd;

	(void)journal_open(-1);
	account_open(&account, 1);
	output_init(&o, &account);
	output_keep(&o, 7, false);
	for (unsigned i = 1; i <= 300; i++)
		say(&o, i, i * 97 % 9000);
	ck_assert(output_ack(&o, 100) && !output_ack(&o, 301));
	output_stage(&o);
	journal_commit();
	say(&o, 301, 10);	/* of which the journal does not hear */
	fd = dup(journal_fd());
	journal_close();
	while ((c = TAILQ_FIRST(&o.chunks)) != NULL) {
		TAILQ_REMOVE(&o.chunks, c, entry);
		free(c);
	}
	ck_assert(journal_open(fd));
	others = account.memory;
	output_init(&after, &account);
	output_keep(&after, 7, false);
	after.acked = 100;
	while ((r = journal_next(r, RECORD_OUTPUT)) != NULL)
		ck_assert(output_owner(r) == 7 && output_restore(&after, r));
	output_rewind(&after);
	ck_assert_uint_gt(account.memory, others);
	ck_assert_uint_eq(after.seq, 300);
	ntaken = 0;
	for (uint64_t sock = 0; sock < 3; sock++)
		output_take(&after, sock, take, NULL);
	ck_assert_uint_eq(ntaken, 200);
	output_stage(&after);
	journal_commit();
	output_rewind(&after);	/* they are another's now */
	ck_assert_uint_eq(output_unwritten(&after), 0);
	output_free(&after);
	ck_assert_uint_eq(account.memory, others);
	account_close(&account);
	ck_assert_uint_eq(user_total(CHARGE_MEMORY), 0);
	journal_close();
}
END_TEST

/* What is not messages in order, each of them whole, is not written to anybody. */
START_TEST(damaged_messages_are_left_out)
{
	struct output	 o, after;
	struct record	*r;
	uint64_t	*words;
	int		 fd;

	(void)journal_open(-1);
	account_open(&account, 1);
	output_init(&o, &account);
	output_keep(&o, 7, false);
	say(&o, 1, 10);
	say(&o, 2, 10);
	output_stage(&o);
	journal_commit();
	r = journal_next(NULL, RECORD_OUTPUT);
	words = (uint64_t *)(void *)(r->body + journal_room(r) / 8 * 8);
	switch (_i) {		/* an entry: seq, sock, start and length, kind; the first is the last */
	case 0:
		r->body[0] = 'x';	/* no message begins so */
		break;
	case 1:
		words[-1] = MESSAGE_VOID + 1;
		break;
	case 2:
		words[-2] += (uint64_t)1 << 32;	/* longer than its message */
		break;
	case 3:
		words[-2] = (uint64_t)20 << 32 | 4000;
		break;
	case 4:
		words[-8] = 1;		/* the second is the first, too */
		break;
	case 5:
		r->word[0] = UINT64_MAX;
		break;
	}
	fd = dup(journal_fd());
	free(TAILQ_FIRST(&o.chunks));
	journal_close();
	ck_assert(journal_open(fd));
	output_init(&after, &account);
	output_keep(&after, 7, false);
	r = journal_next(NULL, RECORD_OUTPUT);
	ck_assert(r != NULL && output_restore(&after, r) == (_i == 6));
	output_free(&after);
	account_close(&account);
	journal_close();
}
END_TEST

Suite *
journal_suite(void)
{
	Suite	*s = suite_create("journal");
	TCase	*t = tcase_create("journal");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, what_was_committed_is_there_and_nothing_else, 0, 2);
	tcase_add_test(t, dropped_memory_is_used_again);
	tcase_add_test(t, numbers_never_come_again);
	tcase_add_test(t, handles_have_32_bits_however_long_the_host_is_up);
	tcase_add_test(t, handles_begin_again_with_those_that_nobody_has);
	tcase_add_test(t, handles_go_on_behind_those_of_older_daemons);
	tcase_add_test(t, nothing_is_done_before_the_commit);
	tcase_add_test(t, a_commit_of_any_size_is_done_by_who_comes_after);
	tcase_add_test(t, many_commits_of_many_words_need_no_more_memory);
	tcase_add_loop_test(t, a_damaged_journal_is_ignored_as_a_whole, 0, 11);
	tcase_add_test(t, a_file_that_cannot_be_written_is_no_journal);
	tcase_add_test(t, messages_are_kept_until_they_are_acknowledged);
	tcase_add_loop_test(t, damaged_messages_are_left_out, 0, 7);
	suite_add_tcase(s, t);
	return s;
}
