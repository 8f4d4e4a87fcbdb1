/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking over what a process before us wrote.
 *
 * Nothing in it is trusted. Where its records lie was checked when it was
 * opened; here it is what they say: each is read whole before anything is done
 * with it, what does not fit is left out, with a line in the log, and the rest
 * goes on.
 */
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "client.h"
#include "codec.h"
#include "frame.h"
#include "journal.h"
#include "keep.h"
#include "keep-record.h"
#include "log.h"
#include "mem.h"
#include "park.h"
#include "sock.h"
#include "stack.h"

static void
leave_out(struct record *r, const char *what)
{
	if (log_allowed())
		log_err("journal: left out: %s", what);
	journal_drop(r);
}

/* Are these n bytes one whole value, which msgpack-c may be given? */
static bool
is_value(const char *p, size_t n)
{
	size_t	len = 0;

	return frame_value(p, n, &len) == FRAME_MESSAGE && len == n;
}

/* The map in the first n bytes of a record into a struct, zero where it says nothing. */
static bool
read_record(const struct record *r, size_t n, const struct field *fields, void *to, size_t size,
    msgpack_unpacked *u)
{
	struct errtext	err;
	size_t		off = 0;

	memset(to, 0, size);
	if (!is_value(r->body, n) ||
	    msgpack_unpack_next(u, r->body, n, &off) != MSGPACK_UNPACK_SUCCESS)
		return false;
	if (u->data.type == MSGPACK_OBJECT_ARRAY && u->data.via.array.size == 2)
		return codec_read(&u->data.via.array.ptr[0], fields, to, NULL, &err);
	return codec_read(&u->data, fields, to, NULL, &err);
}

/* ---- clients -------------------------------------------------------- */

static void
restore_client(struct record *r, const struct keep_client *k)
{
	struct client	*c = client_make(k->number, k->uid);

	c->pid = (pid_t)k->pid;
	c->events = k->events;
	c->name = xstrdup(k->name);
	strcpy(c->token, k->token);
	c->record = r;
	c->expected = true;	/* it may lose sockets now: see expect_clients */
	c->notifications = r->word[CLIENT_NOTIFICATIONS];
	output_keep(&c->out, k->number, k->token[0] == '\0');
	c->out.acked = r->word[CLIENT_ACKED];
	c->out.seq = r->word[CLIENT_SEQ];
	client_watch(c, k->watching);
	keep_client(c);
}

static void
restore_clients(void)
{
	struct keep_client	 k;
	struct record		*r = NULL;
	msgpack_unpacked	 u;

	msgpack_unpacked_init(&u);
	while ((r = journal_next(r, RECORD_CLIENT)) != NULL) {
		if (!read_record(r, r->len, keep_client_fields, &k, sizeof k, &u) ||
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
		client_dirty(c);	/* what it is now goes with the first commit */
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
		    row->level == LEVEL_OWN)
			(void)codec_read(&o->via.map.ptr[i].val, row->fields,
			    (char *)own + row->optname, NULL, &err);
	}
}

static struct client *
owner_of(const struct keep_sock *k)
{
	struct client	*c = client_find(k->owner);

	if (c != NULL)
		return c;
	c = client_make(k->owner, k->uid);
	c->expected = true;
	return c;
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
	log_err("sock %llu: its descriptor is not there any more", (unsigned long long)s->node.key);
	sock_close(s, "its descriptor did not outlive the daemon");
}

static void
restore_sock(struct record *r, const struct keep_sock *k, const msgpack_object *own)
{
	struct sock	*s = sock_make(owner_of(k), k->many, k->inet6 ? AF_INET6 : AF_INET,
			    k->handle);

	sock_set_user(s, k->uid);
	s->peeled = k->peeled;
	s->listening = k->listening;
	s->over = k->over;
	s->lent = k->lent;
	s->port = k->port;
	s->name = k->name;
	s->stack.plain = k->plain;
	s->stack.netns_number = k->netns_number;
	s->stack.want.receive = (int)k->want_receive;
	s->stack.want.send = (int)k->want_send;
	for (unsigned i = 0; i < SUBSCRIBE_SIZE; i++)
		s->subscribed[i] = k->subscribed >> i & 1;
	read_own(own, &s->own);
	read_sock_words(s, r);
	s->record = r;
	if (stack_restore_sock(s) || s->over)
		return;
	if (s->many || s->listening)
		lose_sock(s);
	/* The descriptor of another is its association's: see say_what_is_gone. */
}

static void
restore_socks(void)
{
	struct keep_sock	 k;
	struct record		*r = NULL;
	msgpack_unpacked	 u;

	msgpack_unpacked_init(&u);
	while ((r = journal_next(r, RECORD_SOCK)) != NULL) {
		if (!read_record(r, r->len, keep_sock_fields, &k, sizeof k, &u) ||
		    u.data.type != MSGPACK_OBJECT_ARRAY || sock_find(k.handle) != NULL)
			leave_out(r, "a socket");
		else
			restore_sock(r, &k, &u.data.via.array.ptr[1]);
	}
	msgpack_unpacked_destroy(&u);
}

/* Associations by number, for what belongs to them. */
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

static void
restore_assoc(struct record *r, const struct keep_assoc *k)
{
	struct sock	*s = sock_find(k->sock);
	struct assoc	*a;

	if ((k->sock != 0 && s == NULL) || k->state < ASSOC_COMING_UP || k->state > ASSOC_OVER) {
		journal_drop(r);	/* its socket was left out, and that was said */
		return;
	}
	if (s != NULL && s->assocs.count > 0 &&
	    (!s->many || HASH_FIND(assoc, &s->assocs, k->id) != NULL)) {
		leave_out(r, "an association: its socket has it already");
		return;
	}
	a = assoc_make(s, k->id, &k->peer, k->number, s != NULL ? s->uid : k->uid);
	a->state = (enum assoc_state)k->state;
	a->outbound = k->outbound;
	a->inbound = k->inbound;
	a->unwanted = k->unwanted;
	a->eof_asked = k->eof_asked;
	a->asked = k->asked;
	a->stack.stream = k->stream;
	a->stack.owns_fd = k->own_descriptor;
	a->record = r;
	keep_assoc(a);
	if (!stack_restore_assoc(a) && s == NULL) {
		(void)assoc_free(a);	/* it lingered, and is over */
		return;
	}
	if (a->eof_asked && a->state < ASSOC_GOING_DOWN)
		stack_await_room(a, true);	/* then it is shut down */
	if (ntable % 1024 == 0)
		table = xrealloc(table, (ntable + 1024) * sizeof *table);
	table[ntable++] = (struct by_number){ k->number, a };
}

static void
restore_assocs(void)
{
	struct keep_assoc	 k;
	struct record		*r = NULL;
	msgpack_unpacked	 u;

	msgpack_unpacked_init(&u);
	while ((r = journal_next(r, RECORD_ASSOC)) != NULL) {
		if (!read_record(r, r->len, keep_assoc_fields, &k, sizeof k, &u))
			leave_out(r, "an association");
		else
			restore_assoc(r, &k);
	}
	msgpack_unpacked_destroy(&u);
	if (ntable > 0)
		qsort(table, ntable, sizeof *table, compare);
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
restore_joints(void)
{
	struct record	*r = NULL;
	enum joint_kind	 kind;
	uint64_t	 owner;

	while ((r = journal_next(r, RECORD_JOINT)) != NULL) {
		owner = joint_owner(r, &kind);
		if (!stack_restore_joint(sock_find(owner), find_assoc_numbered(owner), r))
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

/* All of a kind, the oldest first. */
static void
restore_in_order(enum record_kind kind, void (*restore)(struct record *))
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
		restore(all[i]);
	free(all);
}

/* n keys with their values, and nothing else. */
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
	const struct notice	*row = NULL;
	struct pending		*p;

	if (len <= r->len && r->word[PENDING_FIELDS] <= len &&
	    are_pairs(r->body, len, r->word[PENDING_FIELDS]))
		row = notice_named(r->body + len, r->len - len);
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
	sock_add_pending(s, p);
}

/* Its sender may be gone, and its socket: then it is its association's alone. */
static void
restore_waiting(struct record *r)
{
	struct assoc		*a = find_assoc_numbered(r->word[WAITING_ASSOC]);
	struct client		*c = client_find(r->word[WAITING_CLIENT]);
	uint64_t		 data = r->word[WAITING_DATA];
	uint64_t		 ordinal = r->word[WAITING_ORDINAL];
	bool			 bound = (ordinal & ORDINAL_BOUND) != 0;
	struct call		 call = { .client = c, .notification = !bound, .bound = bound,
				    .method = &rpc_table[RPC_send], .msgid = (uint32_t)ordinal,
				    .ordinal = ordinal };
	struct stack_message	 m = { .client = r->word[WAITING_CLIENT],
				    .ordinal = bound ? 0 : ordinal, .msgid = call.msgid };
	msgpack_unpacked	 u;

	if (stack_took(m.client, ordinal)) {
		journal_drop(r);	/* it has gone out */
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
 * An association whose descriptor is gone is over, and its owner must know. A
 * process before us may have ended it and died before it could say so.
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
				stack_gone(a);
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
		if (all[i]->token[0] != '\0')
			client_expect(all[i]);
		else
			client_exit(all[i]);
	}
	free(all);
}

void
keep_restore(void)
{
	size_t	orphans;

	restore_clients();
	restore_outputs();
	restore_socks();
	restore_assocs();
	restore_joints();
	restore_in_order(RECORD_PENDING, restore_pending);
	restore_in_order(RECORD_WAITING, restore_waiting);
	stack_restore_batches();
	say_what_is_gone();
	keep_commit();
	orphans = park_finish();
	log_notice("journal: restored, sockets=%zu associations=%zu clients=%zu closed=%zu",
	    sock_count(), assoc_count(), client_count(), orphans);
	expect_clients();
	free(table);
	table = NULL;
	ntable = 0;
}
