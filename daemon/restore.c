/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking over what the previous process wrote.
 *
 * Nothing in the journal is trusted. The places of the records were checked
 * when the journal was opened; here the contents are checked. Each record is
 * read whole before anything is done with it. A record that does not fit is
 * left out, with a line in the log, and the rest goes on.
 */
#include <stdlib.h>
#include <string.h>

#include "group/member.h"
#include "journal/changes.h"
#include "journal/fdpark.h"
#include "journal/fields.h"
#include "journal/journal.h"
#include "proto/codec.h"
#include "proto/frame.h"
#include "restore.h"
#include "rpc/call.h"
#include "rpc/client.h"
#include "socket/deliver.h"
#include "socket/ending.h"
#include "socket/owner.h"
#include "socket/sends.h"
#include "stack/stack.h"
#include "supervise/supervise.h"
#include "util/log.h"
#include "util/mem.h"
#include "watch/watch.h"

static void
leave_out(struct record *r, const char *what)
{
	if (log_allowed(LOG_ERR, "journal: left out"))
		log_err("journal: left out: %s", what);
	journal_drop(r);
}

/*
 * Read the map in the first n bytes of a record into a struct. Fields that the
 * map lacks are zero.
 */
static bool
read_record(const struct record *r, size_t n, const struct field *fields, void *to, size_t size,
    msgpack_unpacked *u)
{
	struct errtext	err;
	size_t		len = 0, off = 0;

	memset(to, 0, size);
	/* msgpack-c may be given nothing but one whole value. */
	if (frame_value(r->body, n, &len) != FRAME_MESSAGE || len != n ||
	    msgpack_unpack_next(u, r->body, n, &off) != MSGPACK_UNPACK_SUCCESS)
		return false;
	if (u->data.type == MSGPACK_OBJECT_ARRAY && u->data.via.array.size == 2)
		return codec_read(&u->data.via.array.ptr[0], fields, to, NULL, &err);
	return codec_read(&u->data, fields, to, NULL, &err);
}

/* ---- clients -------------------------------------------------------- */

static void
restore_client(struct record *r, const struct client_record *k)
{
	struct client	*c = client_make(k->number, k->uid);

	c->pid = (pid_t)k->pid;
	c->events = k->events;
	c->name = xstrdup(k->name);
	strcpy(c->token, k->token);
	c->kept.record = r;
	c->expected = true;	/* the client may lose sockets now: see expect_clients */
	c->resident = k->resident;
	c->notifications = r->word[CLIENT_NOTIFICATIONS];
	output_keep(&c->out, k->number, k->token[0] == '\0' && !k->resident);
	c->out.acked = r->word[CLIENT_ACKED];
	c->out.seq = r->word[CLIENT_SEQ];
	client_watch(c, k->watching);
	client_changed(c);
}

static void
restore_clients(void)
{
	struct client_record	 k;
	struct record		*r = NULL;
	msgpack_unpacked	 u;

	msgpack_unpacked_init(&u);
	while ((r = journal_next(r, RECORD_CLIENT)) != NULL) {
		if (!read_record(r, r->len, client_record_fields, &k, sizeof k, &u) ||
		    (k.token[0] != '\0' && strlen(k.token) != CLIENT_TOKEN) ||
		    r->word[CLIENT_ACKED] > r->word[CLIENT_SEQ] || client_find(k.number) != NULL)
			leave_out(r, "a client");
		else
			restore_client(r, &k);
	}
	msgpack_unpacked_destroy(&u);
}

static void
restore_outputs(void)
{
	struct record	*r = NULL;
	struct client	*c = NULL;

	while ((r = journal_next(r, RECORD_OUTPUT)) != NULL) {
		c = client_find(output_owner(r));
		if (c == NULL || !output_restore(&c->out, r))
			leave_out(r, "messages to a client");
	}
	c = NULL;
	while ((c = client_next(c)) != NULL) {
		if (!c->out.session)
			continue;
		output_rewind(&c->out);
		client_dirty(c);	/* the rewound output goes with the first commit */
	}
}

/* ---- sockets and associations --------------------------------------- */

static void
read_own(const msgpack_object *o, struct sockopt_own *own)
{
	const struct sockopt	*row;
	struct errtext		 err;

	if (o->type != MSGPACK_OBJECT_MAP)
		return;
	for (uint32_t i = 0; i < o->via.map.size; i++) {
		const msgpack_object	*key = &o->via.map.ptr[i].key;

		if (key->type == MSGPACK_OBJECT_STR &&
		    (row = sockopt_find(key->via.str.ptr, key->via.str.size)) != NULL &&
		    row->level == LEVEL_STORED)
			(void)codec_read(&o->via.map.ptr[i].val, row->fields,
			    (char *)own + row->optname, NULL, &err);
	}
}

static void
read_sock_words(struct sock *s, const struct record *r)
{
	uint64_t	active = r->word[SOCK_ACTIVE];

	s->active = active >> 32 <= ACTIVE_COUNT ? (enum active_mode)(active >> 32) : ACTIVE_FALSE;
	s->count = (int32_t)(uint32_t)active;
	s->received.cnt = r->word[SOCK_RECV_CNT];
	s->received.oct = r->word[SOCK_RECV_OCT];
	s->received.max = r->word[SOCK_MAX] >> 32;
	s->sent.cnt = r->word[SOCK_SEND_CNT];
	s->sent.oct = r->word[SOCK_SEND_OCT];
	s->sent.max = r->word[SOCK_MAX] & 0xffffffff;
}

static void
lose_sock(struct sock *s)
{
	log_err("sock %llu: its descriptor is missing", (unsigned long long)s->node.key);
	sock_close(s, "its descriptor did not outlive the daemon");
}

static void
restore_sock(struct record *r, const struct sock_record *k, const msgpack_object *own)
{
	struct client	*owner = client_find(k->owner);
	struct sock	*s;

	if (owner == NULL) {
		owner = client_make(k->owner, k->uid);
		owner->expected = true;
	}
	s = sock_make(owner, k->many, k->inet6 ? AF_INET6 : AF_INET, k->handle);
	sock_set_user(s, k->uid);
	s->peeled = k->peeled;
	s->listening = k->listening;
	s->over = k->over;
	s->lent = k->lent;
	s->home = k->home != 0 ? client_find(k->home) : NULL;
	s->group = k->group;
	s->port = k->port;
	s->name = k->name;
	s->stack.has_local_options = k->plain;
	s->stack.own_point = k->own_point;
	s->stack.own_port = k->own_port;
	s->stack.netns_number = k->netns_number;
	s->stack.sizes.want.receive = (int)k->want_receive;
	s->stack.sizes.want.send = (int)k->want_send;
	for (unsigned i = 0; i < SUBSCRIBE_SIZE; i++)
		s->subscribed[i] = k->subscribed >> i & 1;
	read_own(own, &s->own);
	read_sock_words(s, r);
	s->kept.record = r;
	if (stack->restore_sock(s) || s->over)
		return;
	if (s->many || s->listening)
		lose_sock(s);
	/* Other sockets share the descriptor with their association: see say_what_is_gone. */
}

static void
restore_socks(void)
{
	struct sock_record	 k;
	struct record		*r = NULL;
	msgpack_unpacked	 u;

	msgpack_unpacked_init(&u);
	while ((r = journal_next(r, RECORD_SOCK)) != NULL) {
		if (!read_record(r, r->len, sock_record_fields, &k, sizeof k, &u) ||
		    u.data.type != MSGPACK_OBJECT_ARRAY || sock_find(k.handle) != NULL)
			leave_out(r, "a socket");
		else
			restore_sock(r, &k, &u.data.via.array.ptr[1]);
	}
	msgpack_unpacked_destroy(&u);
}

/* Associations by number, to find the owner of a record. */
struct by_number {
	uint64_t	 number;
	struct assoc	*assoc;
};

static struct by_number *table;
static size_t ntable;

static int
compare(const void *a, const void *b)
{
	const struct by_number	*x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

/* What was observed of the association, in its fields and words. */
static void
restore_trace(struct trace *t, const struct assoc_record *k, const struct record *r)
{
	t->received = (struct traffic){ r->word[ASSOC_RECV_CNT], r->word[ASSOC_RECV_OCT] };
	t->sent = (struct traffic){ r->word[ASSOC_SEND_CNT], r->word[ASSOC_SEND_OCT] };
	t->up = k->up;
	t->error_at = k->error_at;
	_Static_assert(sizeof t->error == sizeof k->error, "room for a text");
	memcpy(t->error, k->error, sizeof t->error);
	t->nppids = (uint8_t)(k->ppids.len > sizeof t->ppid ? TRACE_PPIDS : k->ppids.len / sizeof t->ppid[0]);
	if (t->nppids > 0)
		memcpy(t->ppid, k->ppids.ptr, t->nppids * sizeof t->ppid[0]);
	t->more_ppids = k->more_ppids;
}

static void
restore_assoc(struct record *r, const struct assoc_record *k)
{
	struct sock	*s = sock_find(k->sock);
	struct assoc	*a;

	if ((k->sock != 0 && s == NULL) || k->state < ASSOC_COMING_UP || k->state > ASSOC_OVER) {
		journal_drop(r);	/* its socket was left out, and that was logged */
		return;
	}
	if (s != NULL && s->assocs.count > 0 &&
	    (!s->many || HASH_FIND(assoc, &s->assocs, k->id) != NULL)) {
		leave_out(r, "an association: its socket has it already");
		return;
	}
	a = assoc_make(s, k->id, &k->peer, k->number, s != NULL ? s->uid : k->uid);
	a->state = (enum assoc_state)k->state;
	a->up_said = a->state == ASSOC_UP || a->state == ASSOC_GOING_DOWN;
	a->outbound = k->outbound;
	a->inbound = k->inbound;
	a->unwanted = k->unwanted;
	a->eof_asked = k->eof_asked;
	a->asked = k->asked;
	if (s != NULL)
		s->any_asked = s->any_asked || a->asked;
	a->stack.one_to_one = k->stream;
	a->stack.owns_fd = k->own_descriptor;
	a->kept.record = r;
	restore_trace(&a->trace, k, r);
	watch_restore(a, k);
	assoc_changed(a);
	if (!stack->restore_assoc(a) && s == NULL) {
		(void)assoc_free(a);	/* it lingered, and is over */
		return;
	}
	if (a->eof_asked && a->state < ASSOC_GOING_DOWN)
		stack->await_room(a, true);	/* once there is room, it is shut down */
	if (ntable % 1024 == 0)
		table = xrealloc(table, (ntable + 1024) * sizeof *table);
	table[ntable++] = (struct by_number){ k->number, a };
}

static void
restore_assocs(void)
{
	struct assoc_record	 k;
	struct record		*r = NULL;
	msgpack_unpacked	 u;

	msgpack_unpacked_init(&u);
	while ((r = journal_next(r, RECORD_ASSOC)) != NULL) {
		if (!read_record(r, r->len, assoc_record_fields, &k, sizeof k, &u))
			leave_out(r, "an association");
		else
			restore_assoc(r, &k);
	}
	msgpack_unpacked_destroy(&u);
	if (ntable > 0)
		qsort(table, ntable, sizeof *table, compare);
}

/* ---- groups --------------------------------------------------------- */

static void
restore_groups(void)
{
	struct group_record	 k;
	struct record		*r = NULL;
	msgpack_unpacked	 u;

	msgpack_unpacked_init(&u);
	while ((r = journal_next(r, RECORD_GROUP)) != NULL) {
		if (!read_record(r, r->len, group_record_fields, &k, sizeof k, &u) || !group_restore(&k, r))
			leave_out(r, "a group");
	}
	msgpack_unpacked_destroy(&u);
	group_restore_shares();
}

static struct assoc *
find_assoc_numbered(uint64_t number)
{
	struct by_number	 wanted = { number, NULL }, *found = NULL;

	if (ntable > 0)
		found = bsearch(&wanted, table, ntable, sizeof *table, compare);
	return found != NULL ? found->assoc : NULL;
}

static void
restore_partials(void)
{
	struct record	*r = NULL;
	enum partial_kind	 kind;
	uint64_t	 owner;

	while ((r = journal_next(r, RECORD_PARTIAL)) != NULL) {
		owner = partial_owner(r, &kind);
		if (!stack->restore_partial(sock_find(owner), find_assoc_numbered(owner), r))
			leave_out(r, "the beginning of a message");
	}
}

/* ---- events that wait ----------------------------------------------- */

/* Both kinds of record have their order in the same word. */
_Static_assert((int)PENDING_ORDER == (int)WAITING_ORDER, "the order's word");

static int
compare_order(const void *a, const void *b)
{
	const struct record	*const *x = a, *const *y = b;
	uint64_t		 i = (*x)->word[PENDING_ORDER], j = (*y)->word[PENDING_ORDER];

	return i < j ? -1 : i > j;
}

/* Restore all records of a kind, the oldest first. */
static void
restore_in_order(enum record_kind kind, void (*one)(struct record *))
{
	struct record	*r = NULL, **all = NULL;
	size_t		 n = 0;

	while ((r = journal_next(r, kind)) != NULL) {
		if (n % 1024 == 0)
			all = xrealloc(all, (n + 1024) * sizeof(struct record *));
		all[n++] = r;
	}
	if (n > 0)
		qsort(all, n, sizeof *all, compare_order);
	for (size_t i = 0; i < n; i++)
		one(all[i]);
	free(all);
}

/* Are these bytes n keys with their values, and nothing else? */
static bool
are_pairs(const char *p, size_t len, uint64_t n)
{
	size_t	at = 0, one = 0;

	for (n *= 2; n > 0 && frame_value(p + at, len - at, &one) == FRAME_MESSAGE; n--)
		at += one;
	return n == 0 && at == len;
}

static void
restore_pending(struct record *r)
{
	struct sock		*s = sock_find(r->word[PENDING_SOCK]);
	uint64_t		 len = r->word[PENDING_LEN];
	const struct event_type	*row = NULL;
	struct pending		*p;

	if (len <= r->len && r->word[PENDING_FIELDS] <= len &&
	    are_pairs(r->body, len, r->word[PENDING_FIELDS]))
		row = event_type_named(r->body + len, r->len - len);
	if (s == NULL || row == NULL) {
		leave_out(r, "an event");
		return;
	}
	p = xcalloc(1, sizeof *p);
	p->row = row;
	p->record = r;
	p->assoc_id = (uint32_t)r->word[PENDING_ASSOC];
	p->fields = (uint32_t)r->word[PENDING_FIELDS];
	p->len = (uint32_t)len;
	p->slot = (uint32_t)r->word[PENDING_SLOT];
	sock_add_pending(s, p);
}

/*
 * The message's sender and its socket may be gone. Then the message belongs to
 * the association alone.
 */
static void
restore_waiting(struct record *r)
{
	struct assoc		*a = find_assoc_numbered(r->word[WAITING_ASSOC]);
	struct client		*c = client_find(r->word[WAITING_CLIENT]);
	uint64_t		 data = r->word[WAITING_DATA];
	uint64_t		 ordinal = r->word[WAITING_ORDINAL];
	bool			 bound = (ordinal & ORDINAL_BOUND) != 0;
	struct stack_message	 m = { .client = r->word[WAITING_CLIENT],
				    .ordinal = bound ? 0 : ordinal,
				    .msgid = bound ? ordinal & ~ORDINAL_BOUND : (uint32_t)ordinal };
	struct call		 call = { .client = c, .notification = !bound, .bound = bound,
				    .method = &rpc_table[MSGID_MANY(m.msgid) > 0 ? RPC_send_many : RPC_send],
				    .msgid = (uint32_t)ordinal, .ordinal = ordinal };
	msgpack_unpacked	 u;

	if (stack->took(m.client, ordinal)) {
		journal_drop(r);	/* it was sent */
		return;
	}
	msgpack_unpacked_init(&u);
	if (a == NULL || data > r->len ||
	    !read_record(r, data, sndrcvinfo_fields, &m.info, sizeof m.info, &u))
		leave_out(r, "a message that waited for room");
	else {
		m.data = r->body + data;
		m.len = r->len - data;
		assoc_wait_again(a, c != NULL ? &call : NULL, &m, r);
	}
	msgpack_unpacked_destroy(&u);
}

/* ---- all ------------------------------------------------------------ */

/*
 * An association whose descriptor is gone is over, and its owner must know. The
 * previous process may have ended the association and died before it could say
 * so.
 */
static void
say_what_is_gone(void)
{
	struct sock	*s, *next_sock;
	struct assoc	*a, *next;

	for (s = sock_next(NULL); s != NULL; s = next_sock) {
		next_sock = sock_next(s);
		for (a = assoc_next(s, NULL); a != NULL; a = next) {
			next = assoc_next(s, a);
			if (a->stack.fd == -1 && (a->stack.owns_fd || !s->many))
				stack->gone(a);
		}
		if (!s->many && s->stack.fd == -1 && !s->over)
			lose_sock(s);
	}
}

static void
expect_clients(void)
{
	struct client	*c = NULL, **all = xcalloc(client_count() + 1, sizeof(struct client *));
	size_t		 n = 0;

	while ((c = client_next(c)) != NULL)
		all[n++] = c;
	for (size_t i = 0; i < n; i++) {
		if (all[i]->resident && !all[i]->expected)
			continue;	/* it has no connection to come back with */
		all[i]->resident = false;	/* of what it existed for, nothing was there */
		if (all[i]->token[0] != '\0')
			owner_expect(all[i]);
		else
			owner_exit(all[i]);
	}
	free(all);
	group_expect();
}

void
restore(void)
{
	size_t	orphans;

	restore_clients();
	restore_outputs();
	restore_socks();
	restore_assocs();
	restore_groups();
	restore_partials();
	restore_in_order(RECORD_PENDING, restore_pending);
	restore_in_order(RECORD_WAITING, restore_waiting);
	stack->restore_batches();
	say_what_is_gone();
	supervise_restore();
	changes_commit();
	orphans = fdpark_finish();
	log_notice("journal: restored, sockets=%zu associations=%zu clients=%zu closed=%zu",
	    sock_count(), assoc_count(), client_count(), orphans);
	expect_clients();
	free(table);
	table = NULL;
	ntable = 0;
}
