/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing things into the journal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "assoc.h"
#include "client.h"
#include "codec.h"
#include "config.h"
#include "journal.h"
#include "keep.h"
#include "keep-record.h"
#include "log.h"
#include "mem.h"
#include "output.h"
#include "sock.h"
#include "stack.h"

static TAILQ_HEAD(, client) clients = TAILQ_HEAD_INITIALIZER(clients);
static TAILQ_HEAD(, client) outputs = TAILQ_HEAD_INITIALIZER(outputs);
static TAILQ_HEAD(, sock) socks = TAILQ_HEAD_INITIALIZER(socks);
static TAILQ_HEAD(, assoc) assocs = TAILQ_HEAD_INITIALIZER(assocs);

static bool waiting_kept;	/* a message that waits, since the last commit */

/* Put a thing on its list of those that changed, once. */
#define CHANGED(LIST, THING) do {					\
	if (!(THING)->changed) {					\
		(THING)->changed = true;				\
		TAILQ_INSERT_TAIL(&(LIST), (THING), changed_entry);	\
	}								\
} while (0)

#define UNCHANGED(LIST, THING) do {					\
	if ((THING)->changed)						\
		TAILQ_REMOVE(&(LIST), (THING), changed_entry);		\
	(THING)->changed = false;					\
} while (0)

void
keep_client(struct client *c)
{
	if (!c->dead)
		CHANGED(clients, c);
}

void
keep_output(struct client *c)
{
	if (c->output_changed)
		return;
	c->output_changed = true;
	TAILQ_INSERT_TAIL(&outputs, c, output_entry);
}

static void
forget_output(struct client *c)
{
	if (c->output_changed)
		TAILQ_REMOVE(&outputs, c, output_entry);
	c->output_changed = false;
}

void
keep_sock_words(struct sock *s)
{
	CHANGED(socks, s);
}

void
keep_sock(struct sock *s)
{
	s->words_changed = true;
	CHANGED(socks, s);
}

void
keep_assoc(struct assoc *a)
{
	CHANGED(assocs, a);
}

static void
drop(struct record **r)
{
	if (*r != NULL)
		journal_drop(*r);
	*r = NULL;
}

void
keep_drop_client(struct client *c)
{
	UNCHANGED(clients, c);
	forget_output(c);
	drop(&c->record);
}

void
keep_drop_sock(struct sock *s)
{
	UNCHANGED(socks, s);
	drop(&s->record);
}

void
keep_drop_assoc(struct assoc *a)
{
	UNCHANGED(assocs, a);
	drop(&a->record);
}

/* ---- records -------------------------------------------------------- */

/* A record with these fields takes the place of the one before. */
static void
write_record(struct record **r, enum record_kind kind, msgpack_sbuffer *b)
{
	struct record	*new = journal_new(b->size);

	memcpy(new->body, b->data, b->size);
	if (*r != NULL)
		memcpy(new->word, (*r)->word, sizeof new->word);
	journal_keep(new, kind);
	if (*r != NULL)
		journal_drop(*r);
	*r = new;
}

static void
set_word(struct record *r, unsigned i, uint64_t value)
{
	if (r->word[i] != value)
		journal_set(&r->word[i], value);
}

static void
write_client(struct client *c)
{
	struct keep_client	 k = {
		.number = c->node.key,
		.uid = c->uid,
		.pid = (uint32_t)c->pid,
		.events = c->events,
		.watching = c->watching,
	};
	msgpack_sbuffer		 b;
	msgpack_packer		 pk;

	strcpy(k.token, c->token);
	if (c->name != NULL)
		strncpy(k.name, c->name, sizeof k.name - 1);
	msgpack_sbuffer_init(&b);
	msgpack_packer_init(&pk, &b, msgpack_sbuffer_write);
	codec_pack(&pk, keep_client_fields, &k, sizeof k);
	write_record(&c->record, RECORD_CLIENT, &b);
	msgpack_sbuffer_destroy(&b);
}

static void
write_client_words(struct client *c)
{
	if (c->record == NULL)
		return;
	set_word(c->record, CLIENT_ACKED, c->out.acked);
	set_word(c->record, CLIENT_SEQ, c->out.seq);
	set_word(c->record, CLIENT_NOTIFICATIONS, c->notifications - assoc_unsettled(c));
	c->said = false;
}

/* The options that are kept here, each by its name. */
static void
pack_own(msgpack_packer *pk, const struct sockopt_own *own)
{
	uint32_t	n = 0;

	for (const struct sockopt *o = sockopt_table; o->name != NULL; o++)
		n += o->level == LEVEL_OWN;
	msgpack_pack_map(pk, n);
	for (const struct sockopt *o = sockopt_table; o->name != NULL; o++) {
		if (o->level != LEVEL_OWN)
			continue;
		codec_pack_text(pk, o->name);
		codec_pack(pk, o->fields, (const char *)own + o->optname, o->size);
	}
}

static void
write_sock(struct sock *s)
{
	struct keep_sock	 k = {
		.handle = s->node.key,
		.owner = s->owner->node.key,
		.uid = s->uid,
		.many = s->many,
		.peeled = s->peeled,
		.listening = s->listening,
		.over = s->over,
		.plain = s->stack.plain,
		.inet6 = s->family == AF_INET6,
		.lent = s->lent,
		.port = s->port,
		.name = s->name,
		.netns_number = s->stack.netns_number,
		.want_receive = (uint32_t)s->stack.want.receive,
		.want_send = (uint32_t)s->stack.want.send,
	};
	msgpack_sbuffer		 b;
	msgpack_packer		 pk;

	for (unsigned i = 0; i < SUBSCRIBE_SIZE; i++)
		k.subscribed |= s->subscribed[i] ? 1u << i : 0;
	msgpack_sbuffer_init(&b);
	msgpack_packer_init(&pk, &b, msgpack_sbuffer_write);
	msgpack_pack_array(&pk, 2);
	codec_pack(&pk, keep_sock_fields, &k, sizeof k);
	pack_own(&pk, &s->own);
	write_record(&s->record, RECORD_SOCK, &b);
	msgpack_sbuffer_destroy(&b);
}

static void
write_sock_words(struct sock *s)
{
	set_word(s->record, SOCK_ACTIVE, (uint64_t)s->active << 32 | (uint32_t)s->count);
	set_word(s->record, SOCK_RECV_CNT, s->received.cnt);
	set_word(s->record, SOCK_RECV_OCT, s->received.oct);
	set_word(s->record, SOCK_SEND_CNT, s->sent.cnt);
	set_word(s->record, SOCK_SEND_OCT, s->sent.oct);
	set_word(s->record, SOCK_MAX, s->received.max << 32 | s->sent.max);
}

static void
write_assoc(struct assoc *a)
{
	struct keep_assoc	 k = {
		.number = a->number,
		.id = assoc_id(a),
		.uid = user_uid(a->user),
		.sock = a->sock != NULL ? a->sock->node.key : 0,
		.state = (int32_t)a->state,
		.outbound = a->outbound,
		.inbound = a->inbound,
		.peer = a->peer,
		.unwanted = a->unwanted,
		.eof_asked = a->eof_asked,
		.asked = a->connect != NULL || a->asked,
		.stream = a->stack.stream,
		.own_descriptor = a->stack.owns_fd,
	};
	msgpack_sbuffer		 b;
	msgpack_packer		 pk;

	msgpack_sbuffer_init(&b);
	msgpack_packer_init(&pk, &b, msgpack_sbuffer_write);
	codec_pack(&pk, keep_assoc_fields, &k, sizeof k);
	write_record(&a->record, RECORD_ASSOC, &b);
	msgpack_sbuffer_destroy(&b);
}

void
keep_pending(struct sock *s, struct pending *p, const char *packed)
{
	size_t		 name = strlen(p->row->name);
	struct record	*r = journal_new(p->len + name);

	memcpy(r->body, packed, p->len);
	memcpy(r->body + p->len, p->row->name, name);
	r->word[PENDING_SOCK] = s->node.key;
	r->word[PENDING_ORDER] = journal_number();
	r->word[PENDING_ASSOC] = p->assoc_id;
	r->word[PENDING_FIELDS] = p->fields;
	r->word[PENDING_LEN] = p->len;
	journal_keep(r, RECORD_PENDING);
	p->record = r;
}

void
keep_pending_moved(struct sock *to, struct pending *p)
{
	journal_set(&p->record->word[PENDING_SOCK], to->node.key);
}

bool
keep_waiting_known(void)
{
	return !waiting_kept;
}

struct record *
keep_waiting(const struct assoc *a, const struct call *call, const struct sndrcvinfo *info,
    const char *data, size_t len)
{
	msgpack_sbuffer	 b;
	msgpack_packer	 pk;
	struct record	*r;

	msgpack_sbuffer_init(&b);
	msgpack_packer_init(&pk, &b, msgpack_sbuffer_write);
	codec_pack(&pk, sndrcvinfo_fields, info, sizeof *info);
	r = journal_new(b.size + len);
	memcpy(r->body, b.data, b.size);
	memcpy(r->body + b.size, data, len);
	r->word[WAITING_CLIENT] = call->client->node.key;
	r->word[WAITING_ASSOC] = a->number;
	r->word[WAITING_ORDER] = journal_number();
	r->word[WAITING_DATA] = b.size;
	r->word[WAITING_ORDINAL] = call->ordinal;
	journal_keep(r, RECORD_WAITING);
	waiting_kept = true;
	msgpack_sbuffer_destroy(&b);
	return r;
}

/* ---- configuration -------------------------------------------------- */

void
keep_config(const struct config *c)
{
	struct record	*before = journal_next(NULL, RECORD_CONFIG), *r;
	char		*text = NULL;
	size_t		 len = 0;
	FILE		*f = open_memstream(&text, &len);

	if (f == NULL)
		log_fatal("out of memory");
	config_print(c, f);
	(void)fclose(f);
	r = journal_new(len);
	memcpy(r->body, text, len);
	journal_keep(r, RECORD_CONFIG);
	if (before != NULL)
		journal_drop(before);
	free(text);
}

bool
keep_last_config(struct config *c, char *error, size_t size)
{
	struct record	*r = journal_next(NULL, RECORD_CONFIG);
	FILE		*f;
	bool		 ok;

	if (r == NULL || (f = fmemopen(r->body, r->len, "r")) == NULL)
		return false;
	ok = config_parse(c, f, "journal", error, size);
	(void)fclose(f);
	return ok;
}

/* ---- committing ----------------------------------------------------- */

static void
stage_clients(void)
{
	struct client	*c;

	while ((c = TAILQ_FIRST(&clients)) != NULL) {
		UNCHANGED(clients, c);
		if (c->out.session)
			write_client(c);
		write_client_words(c);
	}
}

/* After the records, which have the words. */
static void
stage_outputs(void)
{
	struct client	*c;

	while ((c = TAILQ_FIRST(&outputs)) != NULL) {
		forget_output(c);
		output_stage(&c->out);
		write_client_words(c);
	}
}

static void
stage_socks(void)
{
	struct sock	*s;

	while ((s = TAILQ_FIRST(&socks)) != NULL) {
		UNCHANGED(socks, s);
		if (s->words_changed || s->record == NULL)
			write_sock(s);
		s->words_changed = false;
		write_sock_words(s);
	}
}

static void
stage_assocs(void)
{
	struct assoc	*a;

	while ((a = TAILQ_FIRST(&assocs)) != NULL) {
		UNCHANGED(assocs, a);
		write_assoc(a);
	}
}

void
keep_commit(void)
{
	stage_clients();
	stage_outputs();
	stage_socks();
	stage_assocs();
	stack_stage();
	journal_commit();
	waiting_kept = false;
}
