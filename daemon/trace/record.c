/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is recorded of an association, and its section of a file.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "limits/user.h"
#include "proto/addr.h"
#include "proto/error.h"
#include "trace/moment.h"
#include "trace/record.h"
#include "trace/words.h"
#include "util/counter.h"
#include "util/log.h"
#include "util/mem.h"

#define FIRST_EVENTS	256u
#define MOST_TEXT	320u

/* A message, in front of its first bytes. */
struct head {
	uint64_t	us;		/* since 1970 */
	uint32_t	len;
	uint32_t	ppid;
	uint32_t	tsn;
	uint16_t	stream;
	uint16_t	ssn;
	uint16_t	kept;		/* bytes that follow */
	bool		sent;
	bool		unordered;
};

/* An event, in front of its text, which ends with a NUL. */
struct note {
	uint64_t	us;
	uint16_t	len;		/* of the text */
	uint16_t	priority;
};

struct recorder {
	char		*events;	/* one after the other, the oldest first */
	uint32_t	 events_len;
	uint32_t	 events_room;
	bool		 forgot_events;	/* there were older ones */
	char		*messages;	/* places for so many, each of so many bytes; or NULL */
	char		*next;		/* the place of the next one */
	char		*end;
	uint32_t	 places;
	uint32_t	 place;
	uint64_t	 written;	/* messages, also those that are overwritten */
	uint32_t	 tsn;		/* of the next that is sent: a stack does not say */
};

/* Once for each association, however many of its messages find no memory. */
static void
say_not_recorded(struct trace *t, size_t n)
{
	if (t->not_recorded)
		return;
	t->not_recorded = true;
	COUNT(record_lost, 1);
	if (log_seldom(LOG_WARNING, "no memory for records"))
		log_warning("an association is not recorded, or not all of it: %s",
		    user_why_not(t->user, CHARGE_RECORDS, n));
}

/* More memory, if the user may have as much. */
static void *
take(struct trace *t, void *old, size_t was, size_t now)
{
	if (!user_may(t->user, CHARGE_RECORDS, now - was)) {
		say_not_recorded(t, now - was);
		return NULL;
	}
	user_charge(t->user, CHARGE_RECORDS, now - was);
	return xrealloc(old, now);
}

static size_t
size_of(const struct recorder *r)
{
	return r == NULL ? 0 : sizeof *r + r->events_room + (size_t)r->places * r->place;
}

void
record_set_user(struct trace *t, struct user *u)
{
	if (t->user != NULL)
		user_discharge(t->user, CHARGE_RECORDS, size_of(t->recorder));
	t->user = u;
	if (u != NULL)
		user_charge(u, CHARGE_RECORDS, size_of(t->recorder));
}

static struct recorder *
record_of(struct trace *t)
{
	if (t->recorder == NULL && (t->recorder = take(t, NULL, 0, sizeof *t->recorder)) != NULL)
		memset(t->recorder, 0, sizeof *t->recorder);
	return t->recorder;
}

void
record_free(struct trace *t)
{
	struct recorder	*r = t->recorder;

	if (r == NULL)
		return;
	user_discharge(t->user, CHARGE_RECORDS, size_of(r));
	free(r->events);
	free(r->messages);
	free(r);
	t->recorder = NULL;
}

/* ---- messages -------------------------------------------------------- */

/* What the settings say when the first message comes holds for the association. */
static bool
begin_messages(struct trace *t)
{
	struct recorder	*r = t->recorder;
	uint32_t	place = (uint32_t)(sizeof(struct head) + ((config.record_payload + 7) & ~UINT64_C(7)));
	uint32_t	n = (uint32_t)config.record_messages;

	if ((r->messages = take(t, NULL, 0, (size_t)n * place)) == NULL)
		return false;
	r->next = r->messages;
	r->end = r->messages + (size_t)n * place;
	r->places = n;
	r->place = place;
	return true;
}

/* Most copies are of as many bytes as the settings say by default: these take no call. */
static inline void
copy(void *to, const void *from, size_t n)
{
	if (n == 64)
		memcpy(to, from, 64);
	else
		memcpy(to, from, n);
}

static __attribute__((noinline)) bool
has_place(struct trace *t)
{
	struct recorder	*r = record_of(t);

	return r != NULL && (r->messages != NULL || begin_messages(t));
}

void
record_put(struct trace *t, bool sent, const struct sndrcvinfo *info, const void *data, size_t len)
{
	struct recorder	*r = t->recorder;
	struct head	*h;
	size_t		 kept;

	if (r == NULL || r->next == NULL) {
		if (!has_place(t))
			return;
		r = t->recorder;
	}
	h = (struct head *)(void *)r->next;
	kept = r->place - sizeof *h;
	kept = config.record_payload < kept ? config.record_payload : kept;
	kept = len < kept ? len : kept;
	h->us = moment_us();
	h->len = (uint32_t)len;
	h->ppid = info->ppid;
	h->tsn = sent ? r->tsn++ : info->tsn;
	h->stream = info->stream;
	h->ssn = info->ssn;
	h->kept = (uint16_t)kept;
	h->sent = sent;
	h->unordered = (info->flags & SNDRCV_UNORDERED) != 0;
	copy((char *)(h + 1), data, kept);
	r->written++;
	if ((r->next += r->place) == r->end)
		r->next = r->messages;
}

/* ---- events ---------------------------------------------------------- */

static struct note
event_at(const struct recorder *r, size_t at)
{
	struct note	h;

	memcpy(&h, r->events + at, sizeof h);
	return h;
}

static size_t
event_size(size_t len)
{
	return sizeof(struct note) + len + 1;
}

static void
forget_first(struct recorder *r)
{
	uint32_t	n = (uint32_t)event_size(event_at(r, 0).len);

	r->events_len -= n;
	memmove(r->events, r->events + n, r->events_len);
	r->forgot_events = true;
}

static bool
make_room(struct trace *t, size_t n)
{
	struct recorder	*r = t->recorder;
	uint32_t	 room = r->events_room > 0 ? r->events_room : FIRST_EVENTS;
	char		*p;

	while (room < r->events_len + n && room < RECORD_EVENTS)
		room *= 2;
	if (room > r->events_room && (p = take(t, r->events, r->events_room, room)) != NULL) {
		r->events = p;
		r->events_room = room;
	}
	while (r->events_len > 0 && r->events_len + n > r->events_room)
		forget_first(r);
	return n <= r->events_room;
}

void
record_event(struct trace *t, int priority, const char *text)
{
	size_t			 len = strnlen(text, MOST_TEXT);
	struct note		 h = { .len = (uint16_t)len, .priority = (uint16_t)priority };
	struct recorder		*r;

	if (!record_is_on() || (r = record_of(t)) == NULL || !make_room(t, event_size(len)))
		return;
	h.us = moment_exact_us();	/* an event is worth it anywhere */
	memcpy(r->events + r->events_len, &h, sizeof h);
	memcpy(r->events + r->events_len + sizeof h, text, len);
	r->events[r->events_len + sizeof h + len] = '\0';
	errtext_clean(r->events + r->events_len + sizeof h);	/* it may have been cut in a character */
	r->events_len += (uint32_t)event_size(len);
}

void
record_stack_event(struct trace *t, const struct stack_event *e)
{
	char	text[MOST_TEXT];

	if (!record_is_on())
		return;
	words_of(text, sizeof text, e);
	record_event(t, LOG_INFO, text);
}

/* ---- its section ----------------------------------------------------- */

static uint32_t
messages_in(const struct recorder *r)
{
	return r->written < r->places ? (uint32_t)r->written : r->places;
}

/* The i-th of them; the oldest is the first. */
static const struct head *
message_at(const struct recorder *r, uint32_t i)
{
	uint64_t	n = r->written - messages_in(r) + i;

	return (const struct head *)(const void *)(r->messages + (size_t)(n % r->places) * r->place);
}

static void
write_message(struct pcapng *o, const struct head *h, const struct record_about *about)
{
	char			comment[64];
	struct pcapng_message	m = {
		.us = h->us,
		.sent = h->sent,
		.from = h->sent ? about->local : about->peer,
		.to = h->sent ? about->peer : about->local,
		.stream = h->stream,
		.ssn = h->ssn,
		.tsn = h->tsn,
		.ppid = h->ppid,
		.unordered = h->unordered,
		.data = h + 1,
		.len = h->kept,
	};

	if (m.len > config.record_payload)	/* a reload forbade it */
		m.len = config.record_payload;
	if (m.len < h->len) {
		(void)snprintf(comment, sizeof comment, "the first %zu of %" PRIu32 " bytes", m.len, h->len);
		m.comment = comment;
	}
	pcapng_message(o, &m);
}

/* Both lists, by time; an event comes after a message of the same turn. */
static void
write_all(struct pcapng *o, const struct recorder *r, const struct record_about *about)
{
	uint32_t		i = 0, n = messages_in(r);
	size_t			at = 0;
	struct note	e = { .us = 0 };

	while (i < n || at < r->events_len) {
		if (at < r->events_len)
			e = event_at(r, at);
		if (i < n && (at == r->events_len || message_at(r, i)->us <= e.us)) {
			write_message(o, message_at(r, i++), about);
			continue;
		}
		pcapng_entry(o, e.us, e.priority, r->events + at + sizeof e);
		at += event_size(e.len);
	}
}

static void
write_comment(char *to, size_t size, const struct trace *t, const struct record_about *about)
{
	const struct recorder	*r = t->recorder;

	(void)snprintf(to, size,
	    "%s\nIt had received %" PRIu64 " messages, %" PRIu64 " bytes, and sent %" PRIu64
	    " messages, %" PRIu64 " bytes. Here are the last %" PRIu32 " of them, with at most %"
	    PRIu64 " bytes of each, and what happened.",
	    about->why, t->received.messages, t->received.bytes, t->sent.messages, t->sent.bytes,
	    r != NULL ? messages_in(r) : 0, config.record_payload);
}

/* The most bytes that the section takes. */
static size_t
most(const struct recorder *r, size_t comment)
{
	size_t	n = pcapng_room(comment) + pcapng_room(0);

	if (r != NULL)
		n += messages_in(r) * pcapng_room(r->place + 64) +
		    r->events_len / event_size(0) * pcapng_room(128) + r->events_len;
	return n;
}

char *
record_section(const struct trace *t, const struct record_about *about, size_t *len)
{
	char		comment[1024];
	struct pcapng	o = { .len = 0 };

	write_comment(comment, sizeof comment, t, about);
	o.size = most(t->recorder, sizeof comment);
	o.mem = xmalloc(o.size);
	pcapng_section(&o, "sctpd " SCTPD_VERSION, comment);
	if (t->recorder != NULL)
		write_all(&o, t->recorder, about);
	*len = o.len;
	return o.mem;
}
