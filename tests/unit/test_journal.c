/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal against a model: whatever was begun, who comes after us finds
 * what was committed, all of it, and nothing else.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"
#include "output.h"
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
	journal_keep(t->record, RECORD_JOINT);
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
	while ((r = journal_next(r, RECORD_JOINT)) != NULL) {
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
		journal_keep(r, RECORD_JOINT);
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

/* ---- messages to a client ------------------------------------------- */

static void
say(struct output *o, unsigned number, size_t len)
{
	char	*text = malloc(len + 8);

	memset(text, (int)('a' + number % 26), len + 8);
	memcpy(text, &number, sizeof number);
	output_begin(o, MESSAGE_EVENT, number % 3);
	output_add(o, text, 4);
	output_add(o, text + 4, len + 4);
	output_end(o);
	free(text);
}

static unsigned	 taken[1000];
static size_t	 ntaken;

static void
take(void *arg, enum message_kind kind, const char *p, size_t n)
{
	(void)arg;
	ck_assert(kind == MESSAGE_EVENT && n >= 8);
	memcpy(&taken[ntaken++], p, sizeof taken[0]);
}

START_TEST(messages_are_kept_until_they_are_acknowledged)
{
	struct output	 o, after;
	struct record	*r = NULL;
	struct chunk	*c;
	int		 fd;

	(void)journal_open(-1);
	output_init(&o);
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
	output_init(&after);
	output_keep(&after, 7, false);
	after.acked = 100;
	while ((r = journal_next(r, RECORD_OUTPUT)) != NULL)
		ck_assert(output_owner(r) == 7 && output_restore(&after, r));
	output_rewind(&after);
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
	tcase_add_test(t, messages_are_kept_until_they_are_acknowledged);
	suite_add_tcase(s, t);
	return s;
}
