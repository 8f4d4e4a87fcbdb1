/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queues of messages to clients.
 *
 * A chunk is one record. The bytes of its messages begin at its start, so that
 * one write sends many. The descriptions of the messages begin at its end and
 * grow backwards. The record's words say how many messages there are, so a
 * message counts once the journal has committed those words, and not before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "journal/known.h"
#include "proto/frame.h"
#include "rpc/output.h"
#include "util/fault.h"

#define FIRST_CHUNK	4096u
#define CHUNK		65536u
#define IOV		16

/* The words of a chunk's record. */
enum { WORD_LENGTH, WORD_CLIENT, WORD_SEQ };

/* The description of a message. */
struct entry {
	uint64_t	seq;
	uint64_t	sock;
	uint32_t	start;
	uint32_t	len;
	uint64_t	kind;
};

static struct entry *
entry_at(const struct chunk *c, uint32_t i)
{
	char	*end = c->record->body + journal_room(c->record) / 8 * 8;

	return (struct entry *)(void *)end - (i + 1);
}

void
output_init(struct output *o, struct account *account)
{
	memset(o, 0, sizeof *o);
	o->account = account;
	o->pass = -1;
	TAILQ_INIT(&o->chunks);
}

static void
pass_nothing(struct output *o)
{
	if (o->pass != -1)
		(void)close(o->pass);
	o->pass = -1;
}

void
output_pass(struct output *o, int fd)
{
	pass_nothing(o);
	output_end(o);
	o->pass = dup(fd);
	o->pass_after = output_unwritten(o);
}

static size_t
chunk_cost(const struct chunk *c)
{
	return sizeof *c + MALLOC_EXTRA + c->record->size;
}

static void
chunk_free(struct output *o, struct chunk *c)
{
	TAILQ_REMOVE(&o->chunks, c, entry);
	account_discharge(o->account, chunk_cost(c));
	journal_drop(c->record);
	free(c);
}

void
output_free(struct output *o)
{
	struct chunk	*c;

	while ((c = TAILQ_FIRST(&o->chunks)) != NULL)
		chunk_free(o, c);
	buf_free(&o->unnumbered);
	pass_nothing(o);
}

void
output_keep(struct output *o, uint64_t client, bool self_acking)
{
	o->session = true;
	o->self_acking = self_acking;
	o->client = client;
}

size_t
output_unwritten(const struct output *o)
{
	return buf_len(&o->unnumbered) + o->unwritten;
}

size_t
output_unacked(const struct output *o)
{
	return buf_len(&o->unnumbered) + o->unacked;
}

/* ---- packing -------------------------------------------------------- */

static struct chunk *
chunk_new(struct output *o, size_t need)
{
	struct chunk	*c = xcalloc(1, sizeof *c);
	size_t		 size = TAILQ_EMPTY(&o->chunks) ? FIRST_CHUNK : CHUNK;

	size -= sizeof(struct record);
	if (need + 2 * sizeof(struct entry) > size)
		size = need * 2 + 2 * sizeof(struct entry);
	c->record = journal_new(size);
	c->record->word[WORD_CLIENT] = o->client;
	c->record->word[WORD_SEQ] = o->seq;
	account_charge(o->account, chunk_cost(c));
	journal_keep(c->record, RECORD_OUTPUT);
	TAILQ_INSERT_TAIL(&o->chunks, c, entry);
	if (o->at == NULL) {
		o->at = c;
		o->offset = 0;
	}
	return c;
}

/* The chunk where n more bytes of the message fit; the message moves there as a whole. */
static struct chunk *
find_room(struct output *o, size_t n)
{
	struct chunk	*c = TAILQ_LAST(&o->chunks, output_chunks), *to;
	uint32_t	 len;

	if (c != NULL && c->bytes + n + (c->count + 1) * sizeof(struct entry) <=
	    journal_room(c->record) / 8 * 8)
		return c;
	len = c != NULL ? c->bytes - o->start : 0;
	to = chunk_new(o, len + n);
	if (len > 0)
		memcpy(to->record->body, c->record->body + o->start, len);
	to->bytes = len;
	if (c != NULL)
		c->bytes = o->start;
	o->start = 0;
	/* A chunk that held nothing but this message is not needed any more. */
	if (c != NULL && c->count == 0 && c->bytes == 0) {
		if (o->at == c)
			o->at = to;
		chunk_free(o, c);
	}
	return to;
}

void
output_begin(struct output *o, enum message_kind kind, uint64_t sock)
{
	struct chunk	*c;

	output_end(o);
	if (!o->session)
		return;
	c = TAILQ_LAST(&o->chunks, output_chunks);
	o->open = true;
	o->kind = kind;
	o->sock = sock;
	o->start = c != NULL ? c->bytes : 0;
	o->seq++;
}

void
output_add(struct output *o, const char *p, size_t n)
{
	struct chunk	*c;

	if (!o->session) {
		buf_add(&o->unnumbered, p, n);
		return;
	}
	c = find_room(o, n);
	memcpy(c->record->body + c->bytes, p, n);
	c->bytes += (uint32_t)n;
}

void
output_end(struct output *o)
{
	struct chunk	*c;
	struct entry	*e;

	if (!o->open)
		return;
	o->open = false;
	c = find_room(o, 0);
	e = entry_at(c, c->count++);
	*e = (struct entry){ o->seq, o->sock, o->start, c->bytes - o->start, o->kind };
	c->changed = true;
	o->unwritten += e->len;
	o->unacked += e->len;
}

void
output_stage(struct output *o)
{
	struct chunk	*c;

	output_end(o);
	TAILQ_FOREACH(c, &o->chunks, entry) {
		/* All messages of the chunk are handled: the next ones may use its room. */
		if (c->first == c->count && c->count > 0 && o->unwritten == 0 &&
		    TAILQ_NEXT(c, entry) == NULL) {
			c->first = c->count = c->bytes = 0;
			o->at = c;
			o->offset = 0;
			c->changed = true;
		}
		if (!c->changed)
			continue;
		c->changed = false;
		journal_set(&c->record->word[WORD_LENGTH], (uint64_t)c->count << 32 | c->bytes);
	}
}

/* ---- writing -------------------------------------------------------- */

static int
gather(struct output *o, struct iovec iov[IOV])
{
	struct chunk	*c = o->at;
	uint32_t	 offset = o->offset;
	int		 n = 0;

	if (buf_len(&o->unnumbered) > 0)
		iov[n++] = (struct iovec){ buf_data(&o->unnumbered), buf_len(&o->unnumbered) };
	for (; c != NULL && n < IOV; c = TAILQ_NEXT(c, entry)) {
		if (c->bytes > offset)
			iov[n++] = (struct iovec){ c->record->body + offset, c->bytes - offset };
		offset = 0;
	}
	return n;
}

static void
advance(struct output *o, size_t n)
{
	size_t	part = n < buf_len(&o->unnumbered) ? n : buf_len(&o->unnumbered);

	buf_drop(&o->unnumbered, part);
	n -= part;
	o->unwritten -= n;
	while (n > 0 || (o->at != NULL && o->offset == o->at->bytes &&
	    TAILQ_NEXT(o->at, entry) != NULL)) {
		part = o->at->bytes - o->offset;
		if (part > n)
			part = n;
		o->offset += (uint32_t)part;
		n -= part;
		if (o->offset == o->at->bytes && TAILQ_NEXT(o->at, entry) != NULL) {
			o->at = TAILQ_NEXT(o->at, entry);
			o->offset = 0;
		}
	}
}

static void
forget_first(struct output *o)
{
	struct chunk	*c = TAILQ_FIRST(&o->chunks);
	struct chunk	*next = TAILQ_NEXT(c, entry);

	if (o->at == c) {
		o->unwritten -= c->bytes - o->offset;
		o->at = next;
		o->offset = 0;
	}
	chunk_free(o, c);
}

static void
forget_message(struct output *o, struct chunk *c)
{
	struct entry	*e = entry_at(c, c->first++);

	o->unacked -= e->len;
	o->acked = e->seq;
}

/* Without acknowledgements, a message counts as handled once it is written whole. */
static void
forget_written(struct output *o)
{
	struct chunk	*c;
	struct entry	*e;

	while ((c = TAILQ_FIRST(&o->chunks)) != NULL) {
		while (c->first < c->count) {
			e = entry_at(c, c->first);
			if (c == o->at && e->start + e->len > o->offset)
				return;
			forget_message(o, c);
		}
		if (TAILQ_NEXT(c, entry) == NULL)
			return;
		forget_first(o);
	}
}

/* Limit the vectors to max bytes; returns how many of them are used. */
static size_t
cut(struct iovec *iov, size_t n, size_t max)
{
	for (size_t i = 0; i < n; i++) {
		if (iov[i].iov_len >= max) {
			iov[i].iov_len = max;
			return i + 1;
		}
		max -= iov[i].iov_len;
	}
	return n;
}

/* Write up to the message that a descriptor goes with; or that message with it. */
static ssize_t
write_and_pass(struct output *o, int fd, struct msghdr *h)
{
	union {
		struct cmsghdr	c;
		char		room[CMSG_SPACE(sizeof(int))];
	} control = { .c = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
	    .cmsg_len = CMSG_LEN(sizeof(int)) } };
	ssize_t	n;

	if (o->pass_after > 0) {
		h->msg_iovlen = cut(h->msg_iov, h->msg_iovlen, o->pass_after);
		n = sendmsg(fd, h, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			o->pass_after -= (size_t)n;
		return n;
	}
	memcpy(CMSG_DATA(&control.c), &o->pass, sizeof o->pass);
	h->msg_control = &control;
	h->msg_controllen = sizeof control.room;
	n = sendmsg(fd, h, MSG_NOSIGNAL | MSG_DONTWAIT);
	h->msg_control = NULL;
	h->msg_controllen = 0;
	if (n > 0)
		pass_nothing(o);
	return n;
}

#ifdef FAULT_POINTS
static bool
is_known(const struct output *o)
{
	struct chunk	*c;

	TAILQ_FOREACH(c, &o->chunks, entry) {
		if (c->changed)
			return false;
	}
	return !o->open;
}
#endif

ssize_t
output_write(struct output *o, int fd)
{
	struct iovec	iov[IOV];
	struct msghdr	h = { .msg_iov = iov };
	bool		passing;
	ssize_t		n, all = 0;

	must_be_known(is_known(o), "what is written to a session");
	output_end(o);
	while (output_unwritten(o) > 0) {
		h.msg_iovlen = (size_t)gather(o, iov);
		passing = o->pass != -1;
		if (passing)
			n = write_and_pass(o, fd, &h);
		else if (h.msg_iovlen == 1)
			n = send(fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
		else
			n = sendmsg(fd, &h, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1)
			return all > 0 && errno == EAGAIN ? all : -1;
		fault_point("written");
		advance(o, (size_t)n);
		if (o->self_acking)
			forget_written(o);
		all += n;
		if (h.msg_iovlen < IOV && !passing)
			break;
	}
	return all;
}

size_t
output_rest(const struct output *o, const char **rest)
{
	const struct entry	*e;

	for (uint32_t i = 0; o->at != NULL && i < o->at->count; i++) {
		e = entry_at(o->at, i);
		if (o->offset <= e->start || o->offset >= e->start + e->len)
			continue;
		*rest = o->at->record->body + o->offset;
		return e->start + e->len - o->offset;
	}
	return 0;
}

/* ---- acknowledging -------------------------------------------------- */

uint64_t
output_told(struct output *o)
{
	const struct entry	*e;
	uint32_t		 offset = o->offset;

	output_end(o);
	for (const struct chunk *c = o->at; c != NULL && o->unwritten > 0; c = TAILQ_NEXT(c, entry)) {
		for (uint32_t i = c->first; i < c->count; i++) {
			e = entry_at(c, i);
			if (e->start + e->len > offset)
				return e->seq - 1;
		}
		offset = 0;
	}
	return o->seq;
}

bool
output_ack(struct output *o, uint64_t seq)
{
	struct chunk	*c;

	output_end(o);
	if (seq > o->seq)
		return false;
	while ((c = TAILQ_FIRST(&o->chunks)) != NULL) {
		while (c->first < c->count && entry_at(c, c->first)->seq <= seq)
			forget_message(o, c);
		if (c->first < c->count || TAILQ_NEXT(c, entry) == NULL)
			break;
		forget_first(o);
	}
	if (seq > o->acked)
		o->acked = seq;
	return true;
}

/* Messages that are not acknowledged and are to be packed again. */
void
output_rewind(struct output *o)
{
	struct output	 old = *o;
	struct chunk	*c;

	output_end(&old);
	TAILQ_INIT(&old.chunks);
	TAILQ_CONCAT(&old.chunks, &o->chunks, entry);
	buf_drop(&o->unnumbered, buf_len(&o->unnumbered));
	pass_nothing(o);
	o->at = NULL;
	o->offset = 0;
	o->unwritten = o->unacked = 0;
	o->open = false;
	while ((c = TAILQ_FIRST(&old.chunks)) != NULL) {
		for (uint32_t i = c->first; i < c->count; i++) {
			struct entry	*e = entry_at(c, i);

			if (e->kind == MESSAGE_VOID || e->kind == MESSAGE_HELLO ||
			    e->seq <= o->acked)
				continue;
			output_begin(o, (enum message_kind)e->kind, e->sock);
			o->seq = e->seq;
			output_add(o, c->record->body + e->start, e->len);
			output_end(o);
		}
		chunk_free(&old, c);
	}
	o->seq = old.seq;
}

void
output_take(struct output *o, uint64_t sock,
    void (*give)(void *, enum message_kind, const char *, size_t), void *arg)
{
	struct chunk	*c;

	output_end(o);
	TAILQ_FOREACH(c, &o->chunks, entry) {
		for (uint32_t i = c->first; i < c->count; i++) {
			struct entry	*e = entry_at(c, i);

			if (e->sock != sock || (e->kind != MESSAGE_EVENT && e->kind != MESSAGE_RECEIVED))
				continue;
			give(arg, (enum message_kind)e->kind, c->record->body + e->start, e->len);
			journal_set(&e->kind, MESSAGE_VOID);
		}
	}
}

void
output_each_event(const struct output *o, void (*each)(void *, uint64_t, uint64_t,
    enum message_kind, struct slice), void *arg)
{
	const struct chunk	*c;
	const struct entry	*e;

	TAILQ_FOREACH(c, &o->chunks, entry) {
		for (uint32_t i = c->first; i < c->count; i++) {
			e = entry_at(c, i);
			if (e->sock != 0 && (e->kind == MESSAGE_EVENT || e->kind == MESSAGE_RECEIVED))
				each(arg, e->seq, e->sock, (enum message_kind)e->kind,
				    (struct slice){ c->record->body + e->start, e->len });
		}
	}
}

/* ---- restoring ------------------------------------------------------ */

/* An answer may have more items than a client may send. */
static bool
is_message(const char *p, size_t n)
{
	struct frame		f = { .at = 0 };
	size_t			len = 0;
	enum frame_result	r = frame_scan(&f, p, n, n, &len);

	return r == FRAME_TOO_MANY || (r == FRAME_MESSAGE && len == n);
}

static bool
is_sound(const struct chunk *c)
{
	size_t			 room = journal_room(c->record) / 8 * 8;
	const struct entry	*e;

	if (c->bytes > room || (uint64_t)c->count * sizeof(struct entry) > room - c->bytes)
		return false;
	for (uint32_t i = 0; i < c->count; i++) {
		e = entry_at(c, i);
		if (e->start > c->bytes || e->len > c->bytes - e->start || e->kind > MESSAGE_VOID ||
		    (i > 0 && e->seq <= entry_at(c, i - 1)->seq) ||
		    !is_message(c->record->body + e->start, e->len))
			return false;
	}
	return true;
}

uint64_t
output_owner(const struct record *r)
{
	return r->word[WORD_CLIENT];
}

bool
output_restore(struct output *o, struct record *r)
{
	struct chunk	*c = xcalloc(1, sizeof *c), *before;

	c->record = r;
	c->count = (uint32_t)(r->word[WORD_LENGTH] >> 32);
	c->bytes = (uint32_t)r->word[WORD_LENGTH];
	if (!is_sound(c)) {
		free(c);
		return false;
	}
	account_charge(o->account, chunk_cost(c));
	if (c->count > 0 && entry_at(c, c->count - 1)->seq > o->seq)
		o->seq = entry_at(c, c->count - 1)->seq;
	TAILQ_FOREACH(before, &o->chunks, entry) {
		if (before->record->word[WORD_SEQ] > r->word[WORD_SEQ])
			break;
	}
	if (before != NULL)
		TAILQ_INSERT_BEFORE(before, c, entry);
	else
		TAILQ_INSERT_TAIL(&o->chunks, c, entry);
	return true;
}
