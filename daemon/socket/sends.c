/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Associations, and the messages that wait for room in them.
 *
 * Each has a queue of its own, so that a full one delays no other on the same
 * socket, nor any other request of the client that sent.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "assoc.h"
#include "client.h"
#include "config.h"
#include "journal.h"
#include "known.h"
#include "keep.h"
#include "log.h"
#include "mem.h"
#include "sock.h"
#include "stuck.h"
#include "turn.h"

/* Runs of messages that one wake-up may send for one association. */
#define RUNS_A_TURN	4
/* The first is short: often there is room for none, and gathering them costs. */
#define FIRST_RUN	4
/* Messages in a run beside another user: that none is taken is seen, and charged, when it is over. */
#define RUN_SHARED	16
/* Senders of an association that are gone through in the time of a system call. */
#define OTHERS_A_CALL	64
/* Longest reason of an abort: it travels in one packet. */
#define MAX_REASON	1024
/* What one is charged with, its record in the journal included. */
#define COST		(sizeof(struct assoc) + MALLOC_EXTRA + 512)

static size_t nassocs, nlingering;

struct assoc *
assoc_new(struct sock *s, uint32_t id, const struct sockaddr_storage *peer)
{
	struct assoc	*a = assoc_make(s, id, peer, journal_number(), s->uid);

	keep_assoc(a);
	return a;
}

static void
charge_user(struct assoc *a, uid_t uid)
{
	a->user = user_get(uid);
	user_charge(a->user, CHARGE_ASSOCIATIONS, 1);
	user_charge(a->user, CHARGE_MEMORY, COST + a->left);
}

static void
discharge_user(struct assoc *a)
{
	user_discharge(a->user, CHARGE_ASSOCIATIONS, 1);
	user_discharge(a->user, CHARGE_MEMORY, COST + a->left);
	a->user = user_put(a->user);
}

void
assoc_set_user(struct assoc *a, uid_t uid)
{
	discharge_user(a);
	charge_user(a, uid);
	budget_move(&a->stack.charged, a->user);
	keep_assoc(a);
}

struct assoc *
assoc_make(struct sock *s, uint32_t id, const struct sockaddr_storage *peer, uint64_t number,
    uid_t uid)
{
	struct assoc	*a = xcalloc(1, sizeof *a);

	a->sock = s;
	a->number = number;
	charge_user(a, uid);
	if (peer != NULL)
		a->peer = *peer;
	TAILQ_INIT(&a->sends);
	TAILQ_INIT(&a->counts);
	stack_assoc_init(a);
	a->node.key = id;
	if (s != NULL)
		hash_add(&s->assocs, &a->node, id);
	else
		nlingering++;
	nassocs++;
	return a;
}

static void
close_ended(struct call *call, enum call_end why)
{
	static const struct rpc_close_out	 out;
	struct closer				*c = call->waits_for;

	c->call = NULL;
	if (why == CALL_TIMED_OUT)
		call_finish(call, &out);	/* what is left goes on alone */
	else
		call_forget(call);
}

struct closer *
closer_new(const struct call *call, int seconds)
{
	struct closer	*c = xcalloc(1, sizeof *c);

	c->left = 1;		/* the socket itself */
	c->call = call_keep(call, (int64_t)seconds * 1000, close_ended, c);
	return c;
}

/* One of those that it waits for is over. */
static void
closer_less(struct closer *c)
{
	static const struct rpc_close_out	out;

	if (c == NULL || --c->left > 0)
		return;
	if (c->call != NULL)
		call_finish(c->call, &out);
	free(c);
}

enum error
closer_begin(struct closer *c)
{
	closer_less(c);
	return CALL_ANSWERED;
}

struct assoc *
assoc_free(struct assoc *a)
{
	if (a == NULL)
		return NULL;
	assoc_fail_sends(a, ERR_epipe, "the association is over");
	stack_assoc_free(a);
	keep_drop_assoc(a);
	if (a->sock != NULL)
		hash_remove(&a->sock->assocs, &a->node);
	else
		nlingering--;
	nassocs--;
	discharge_user(a);
	closer_less(a->closer);
	free(a);
	return NULL;
}

struct assoc *
assoc_find(struct sock *s, uint32_t id)
{
	if (!s->many)
		return assoc_next(s, NULL);
	return HASH_FIND(assoc, &s->assocs, id);
}

struct assoc *
assoc_next(struct sock *s, const struct assoc *a)
{
	return (struct assoc *)(void *)hash_next(&s->assocs, a != NULL ? &a->node : NULL);
}

size_t
assoc_count(void)
{
	return nassocs;
}

size_t
assoc_lingering(void)
{
	return nlingering;
}

uint32_t
assoc_id(const struct assoc *a)
{
	return (uint32_t)a->node.key;
}

void
assoc_set_id(struct assoc *a, uint32_t id)
{
	hash_remove(&a->sock->assocs, &a->node);
	hash_add(&a->sock->assocs, &a->node, id);
	keep_assoc(a);
}

static const char *const state_names[] = {
	[ASSOC_COMING_UP] = "coming_up",
	[ASSOC_UP] = "up",
	[ASSOC_GOING_DOWN] = "going_down",
	[ASSOC_OVER] = "over",
};

const char *
assoc_state_name(const struct assoc *a)
{
	return state_names[a->state];
}

void
assoc_enter(struct assoc *a, enum assoc_state state)
{
	char	text[ADDR_TEXT];

	log_debug("assoc %u: %s -> %s, sock=%llu peer=%s:%u", assoc_id(a),
	    state_names[a->state], state_names[state],
	    a->sock != NULL ? (unsigned long long)a->sock->node.key : 0,
	    addr_text(&a->peer, text), addr_port(&a->peer));
	a->state = state;
	keep_assoc(a);
}

static void
count_sent(struct assoc *a, size_t len)
{
	struct sock	*s = a->sock;

	if (s == NULL)
		return;
	keep_sock_words(s);
	s->sent.cnt++;
	s->sent.oct += len;
	if (len > s->sent.max)
		s->sent.max = len;
}

/* ---- waiting -------------------------------------------------------- */

/* What a message costs that waits: its structures count as well. */
static size_t
cost_of(size_t len)
{
	return len + sizeof(struct waiting_send) + MALLOC_EXTRA + CALL_COST;
}

/* It takes n bytes more, of its sender's user or, without a sender, of the association's. */
static void
charge(struct waiting_send *w, size_t n)
{
	w->cost += n;
	if (w->call != NULL) {
		account_charge(&w->call->client->account, n);
		return;
	}
	w->assoc->left += n;
	user_charge(w->assoc->user, CHARGE_MEMORY, n);
}

static void
discharge(struct waiting_send *w)
{
	if (w->call != NULL)
		account_discharge(&w->call->client->account, w->cost);
	else {
		w->assoc->left -= w->cost;
		user_discharge(w->assoc->user, CHARGE_MEMORY, w->cost);
	}
}

/* Senders are few, or their user pays for the search. */
static struct send_count *
find_count(struct assoc *a, const struct client *c)
{
	struct send_count	*k;
	unsigned		 others = 0;

	TAILQ_FOREACH(k, &a->counts, entry) {
		if (k->client == c)
			break;
		others++;
	}
	turn_spend_calls(c->account.user, others / OTHERS_A_CALL);
	if (k != NULL && k != TAILQ_FIRST(&a->counts)) {
		TAILQ_REMOVE(&a->counts, k, entry);
		TAILQ_INSERT_HEAD(&a->counts, k, entry);
	}
	return k;
}

/* NULL: the system has no memory for it. */
static struct send_count *
make_count(struct assoc *a, struct client *c)
{
	struct send_count	*k = malloc(sizeof *k);

	if (k == NULL)
		return NULL;
	*k = (struct send_count){ .client = c };
	TAILQ_INSERT_HEAD(&a->counts, k, entry);
	account_charge(&c->account, sizeof *k + MALLOC_EXTRA);
	return k;
}

static void
free_count(struct assoc *a, struct send_count *k)
{
	TAILQ_REMOVE(&a->counts, k, entry);
	account_discharge(&k->client->account, sizeof *k + MALLOC_EXTRA);
	free(k);
}

/* It counts n bytes against its client. */
static void
count(struct waiting_send *w, size_t n)
{
	struct client		*c = w->call->client;
	struct send_count	*k = find_count(w->assoc, c);

	if (k == NULL && (k = make_count(w->assoc, c)) == NULL)
		return;
	client_wait_more(c, n);
	k->bytes += n;
	k->sends++;
	w->count = k;
	w->counted = n;
	w->era = k->era;
}

static void
uncount(struct waiting_send *w)
{
	struct send_count	*k = w->count;

	if (k == NULL)
		return;
	if (w->era == k->era) {
		client_wait_less(k->client, w->counted);
		k->bytes -= w->counted;
	}
	if (--k->sends == 0)
		free_count(w->assoc, k);
	w->count = NULL;
}

void
assoc_uncount_sends(struct assoc *a)
{
	struct send_count	*k;

	TAILQ_FOREACH(k, &a->counts, entry) {
		if (k->bytes > 0)
			client_wait_less(k->client, k->bytes);
		k->bytes = 0;
		k->era++;
	}
}

static void
waiting_send_free(struct waiting_send *w)
{
	struct assoc	*a = w->assoc;

	TAILQ_REMOVE(&a->sends, w, entry);
	if (TAILQ_EMPTY(&a->sends))
		stuck_unwatch(a);
	a->waiting -= w->len;
	a->charged -= cost_of(w->len);
	if (a->sock != NULL)
		a->sock->waiting -= w->len;
	discharge(w);
	uncount(w);
	if (w->free_request)
		a->free_requests--;
	if (w->asked != NULL)
		asked_answered(w->asked);
	if (w->record != NULL)
		journal_drop(w->record);
	free(w);
}

static void refuse_send(struct waiting_send *, enum error, const char *);

/* Its sender is gone, and it is its association's alone. */
static void
leave_alone(struct waiting_send *w)
{
	size_t	n = w->cost;

	uncount(w);
	discharge(w);
	w->call = NULL;
	w->cost = 0;
	charge(w, n);
}

/*
 * The caller is gone, or its patience. A request that was not answered is not
 * sent; a notification is, as nothing is ever said of one that was taken.
 */
static void
send_ended(struct call *call, enum call_end why)
{
	struct waiting_send	*w = call->waits_for;
	char			 text[64];

	if (why == CALL_TIMED_OUT) {
		(void)snprintf(text, sizeof text, "assoc_id %u: no room within send_timeout",
		    assoc_id(w->assoc));
		refuse_send(w, ERR_timeout, text);
		return;
	}
	if (call->notification)
		leave_alone(w);
	else
		waiting_send_free(w);
	call_forget(call);
}

/* With non_block_send: is enough waiting already? */
static bool
is_full(struct assoc *a)
{
	const struct sockopt_own	*own = &a->sock->own;

	if (a->waiting > own->high_msgq_watermark)
		a->full = true;
	else if (a->waiting <= own->low_msgq_watermark)
		a->full = false;
	return own->non_block_send && a->full;
}

/*
 * What a message that waits counts against its client. One at a time is free:
 * a client that waits for its answers is always read. So are all where the
 * association is given up, as it takes no more of them than association_queue.
 * One that the association has no place for any more counts so much that its
 * client is not.
 */
static size_t
count_of(const struct assoc *a, size_t len)
{
	if (TAILQ_EMPTY(&a->sends) || a->given_up)
		return 0;
	if (a->charged >= config.association_queue && cost_of(len) < config.client_queue)
		return config.client_queue;
	return cost_of(len);
}

void
assoc_may_be_asked(struct call *call)
{
	struct waiting_send	*w = call->waits_for;

	if (w->asked == NULL)
		w->asked = asked_new(call->client, call->msgid, w->data, w->len);
}

/* May a message of this client's, so long, wait? */
static enum error
may_wait(const struct client *c, size_t len)
{
	size_t	n = cost_of(len);

	if (account_may(&c->account, n))
		return ERR_OK;
	return call_fail(ERR_limit, "%s; a message that finds no room cannot wait",
	    account_why_not(&c->account, n));
}

/* Its sender waits for it, or at least is there. */
static void
has_sender(struct waiting_send *w, const struct call *call)
{
	struct sock	*s = w->assoc->sock;
	size_t		 n = count_of(w->assoc, w->len);

	w->call = call_keep(call, s != NULL ? s->own.send_timeout : -1, send_ended, w);
	if (n > 0)
		count(w, n);
}

/*
 * It waits, behind the others; call is NULL if it has no sender any more.
 * NULL: the system has no memory for it.
 */
static struct waiting_send *
wait_for_room(struct assoc *a, const struct call *call, const struct stack_message *m)
{
	struct waiting_send	*w = malloc(sizeof *w + m->len);

	if (w == NULL)
		return NULL;
	*w = (struct waiting_send){
		.assoc = a,
		.info = m->info,
		.len = m->len,
		.session = m->client,
		.ordinal = m->ordinal,
	};
	memcpy(w->data, m->data, m->len);
	if (call != NULL)
		has_sender(w, call);
	charge(w, cost_of(m->len) - CALL_COST);	/* that is the call's */
	if (TAILQ_EMPTY(&a->sends))
		stuck_watch(a);
	TAILQ_INSERT_TAIL(&a->sends, w, entry);
	a->waiting += m->len;
	a->charged += cost_of(m->len);
	if (a->sock != NULL)
		a->sock->waiting += m->len;
	stack_await_room(a, true);
	return w;
}

/* It is in the journal, too. */
static void
has_record(struct waiting_send *w, struct record *r)
{
	w->record = r;
	charge(w, r->size);
}

void
assoc_wait_again(struct assoc *a, const struct call *call, const struct stack_message *m,
    struct record *r)
{
	struct waiting_send	*w = wait_for_room(a, call, m);

	if (w == NULL)
		log_fatal("out of memory");
	has_record(w, r);
	if (call != NULL && call->bound)
		w->asked = asked_new(call->client, call->msgid, m->data, m->len);
}

/* An error of the system's in the words of a sender. */
static enum error
send_failed(const struct assoc *a, int number, size_t len, const struct sndrcvinfo *info)
{
	switch (number) {
	case EMSGSIZE:
		return call_fail(ERR_emsgsize, "data: %zu bytes are more than the send buffer takes; set sndbuf", len);
	case ENOBUFS:
		return call_fail(ERR_enobufs, "data: there is no memory for %zu bytes in %s", len, stack_memory());
	case EINVAL:
		if (a->outbound == 0)
			return call_fail(ERR_einval, "stream %u: more than sctp_initmsg asked for",
			    info->stream);
		return call_fail(ERR_einval, "stream %u: the association has streams 0 to %d",
		    info->stream, a->outbound - 1);
	case EPIPE:
	case ENOTCONN:
	case ESHUTDOWN:
		return call_fail(ERR_epipe, "assoc_id %u: the association is over, or is being shut down",
		    assoc_id(a));
	default:
		return call_fail(error_from_errno(number), "assoc_id %u: %s", assoc_id(a),
		    strerror(number));
	}
}

/* ---- sending -------------------------------------------------------- */

/*
 * Messages of one client's to one association, one after the other: they are
 * sent with one system call when something else is to be done, or there are
 * no more. Until then their bytes stay where they were read.
 */
static struct {
	struct assoc		*assoc;
	struct client		*client;
	unsigned		 n;
	unsigned		 done;		/* of them, by assoc_send_run */
	unsigned		 going;		/* how many there were when it began */
	bool			 notification[STACK_RUN];
	struct stack_message	 message[STACK_RUN];
} run;

static void refuse_message(const struct call *, uint64_t sock, const struct stack_message *,
    enum error, const char *);

static struct call
call_of(unsigned i)
{
	return (struct call){
		.client = run.client,
		.method = &rpc_table[RPC_send],
		.msgid = run.message[i].msgid,
		.notification = run.notification[i],
		.ordinal = run.message[i].ordinal,
	};
}

/* Nobody is to wait for a message that waits: it was taken by us, for good. */
static void
answer_early(struct waiting_send *w)
{
	static const struct rpc_send_out	out;

	if (w->call->notification)
		return;
	call_reply(w->call, &out);
	w->call->notification = true;
	w->call->ordinal = w->ordinal = ORDINAL_ANSWERED | journal_number();
}

/* It will not be asked for again, and is in the journal. */
static void
keep_for_good(struct waiting_send *w)
{
	has_record(w, keep_waiting(w->assoc, w->call, &w->info, w->data, w->len));
}

/* See asked.h: a notification waits behind this request. */
static void
bind_request(struct waiting_send *w)
{
	w->free_request = false;
	w->assoc->free_requests--;
	w->call->bound = true;
	w->call->ordinal = ORDINAL_BOUND | w->call->msgid;
	keep_for_good(w);
}

static void
bind_those_before(const struct waiting_send *w)
{
	struct waiting_send	*before;

	if (w->assoc->free_requests == 0)
		return;
	TAILQ_FOREACH(before, &w->assoc->sends, entry) {
		if (before->free_request && before->session == w->session)
			bind_request(before);
	}
}

/* One that waits: who is to be answered, and what is to be kept for it? */
static void
now_waits(struct waiting_send *w)
{
	if (w->assoc->sock->own.non_block_send)
		answer_early(w);
	if (w->session == 0)
		return;
	if (w->call->notification) {
		bind_those_before(w);
		keep_for_good(w);
	} else {	/* whoever has no answer to a request asks again */
		w->free_request = true;
		w->assoc->free_requests++;
	}
}

/* May one more wait behind those that do? */
static enum error
has_place(struct assoc *a)
{
	if (is_full(a))
		return call_fail(ERR_eagain, "assoc_id %u: %zu bytes wait for room already",
		    assoc_id(a), a->waiting);
	if (stuck_refuses(a))
		return call_fail(ERR_eagain, "assoc_id %u: its peer takes nothing, and %zu bytes wait for room already; association_queue allows no more",
		    assoc_id(a), a->waiting);
	return ERR_OK;
}

/* It was not taken: it waits, or its sender is told why not. */
static void
settle(struct assoc *a, unsigned i, int number)
{
	const struct stack_message	*m = &run.message[i];
	struct call			 call = call_of(i);
	struct waiting_send		*w;
	enum error			 e;

	if (number != EAGAIN)
		e = send_failed(a, number, m->len, &m->info);
	else if ((e = has_place(a)) == ERR_OK && (e = may_wait(run.client, m->len)) == ERR_OK) {
		if ((w = wait_for_room(a, &call, m)) != NULL) {
			now_waits(w);
			return;
		}
		e = call_fail(ERR_enomem, "data: the system has no memory for %zu bytes that wait", m->len);
	}
	refuse_message(&call, a->sock->node.key, m, e, call_why());
}

static void
answer_sent(unsigned i)
{
	count_sent(run.assoc, run.message[i].len);
	if (!run.notification[i])
		client_answer_done(run.client, run.message[i].msgid);
}

bool
assoc_has_queued(const struct client *c, uint64_t ordinal)
{
	return run.n > 0 && run.client == c && run.message[run.n - 1].ordinal == ordinal;
}

unsigned
assoc_unsettled(const struct client *c)
{
	unsigned	n = 0;

	if (run.client != c)
		return 0;
	for (unsigned i = run.done; i < run.going || i < run.n; i++)
		n += run.notification[i];
	return n;
}

/*
 * A notification that is sent says, by its note, that those before it were
 * carried out: so what they did is in the journal first.
 */
static void
commit_those_before(void)
{
	if (run.client->said)
		keep_commit();
	must_be_known(!run.client->said || run.client->dead, "what notifications did, before the next is sent");
}

/* Send as many as can be, or settle the first. */
static void
send_some(struct assoc *a)
{
	unsigned	i = run.done, sent = 0;
	int		number = EAGAIN;	/* behind those that wait */

	if (TAILQ_EMPTY(&a->sends)) {
		commit_those_before();
		sent = stack_send(a, &run.message[i], run.going - i, &number);
	}
	if (sent == 0) {
		settle(a, i, number);
		if (run.notification[i] && run.message[i].client != 0)
			client_said(run.client);
		run.done++;
	}
	while (sent-- > 0)
		answer_sent(run.done++);
}

void
assoc_send_run(void)
{
	if (run.n == 0)
		return;
	run.going = run.n;
	run.n = 0;
	while (run.done < run.going)
		send_some(run.assoc);
	run.done = run.going = 0;
	client_dirty(run.client);	/* how many notifications are carried out */
	if (run.client->said)
		keep_commit();
}

enum error
assoc_send(struct assoc *a, struct call *call, const struct sndrcvinfo *info,
    const char *data, size_t len)
{
	enum error	e;

	if (!call->notification && !TAILQ_EMPTY(&call->client->asked) &&
	    asked_again(call->client, call->msgid, data, len))
		return CALL_ANSWERED;
	if (a->outbound != 0 && info->stream >= a->outbound) {
		stack_count_streams(a);
		if (info->stream >= a->outbound)
			return send_failed(a, EINVAL, len, info);
	}
	if (a->eof_asked || a->state == ASSOC_OVER)
		return send_failed(a, EPIPE, len, info);
	/* One that is refused anyway costs its user what that takes, before the next is read. */
	if (run.n == 0 && !TAILQ_EMPTY(&a->sends) &&
	    ((e = has_place(a)) != ERR_OK || (e = may_wait(call->client, len)) != ERR_OK))
		return e;
	if (run.n >= (turn_is_shared() ? RUN_SHARED : STACK_RUN) ||
	    (run.n > 0 && (run.assoc != a || run.client != call->client)))
		assoc_send_run();
	run.assoc = a;
	run.client = call->client;
	run.notification[run.n] = call->notification;
	run.message[run.n++] = (struct stack_message){
		.info = *info,
		.data = data,
		.len = len,
		.client = call->client->token[0] != '\0' ? call->client->node.key : 0,
		.ordinal = call->notification ? call->ordinal : 0,
		.msgid = call->msgid,
	};
	return CALL_ANSWERED;
}

void
assoc_give_back(struct client *to, uint64_t sock, const struct sndrcvinfo *info,
    struct slice data, const char *error)
{
	struct event_send_failed	e = {
		.info = *info,
		.assoc_id = info->assoc_id,
		.reason = { error, (uint32_t)strlen(error) },
		.data = data,
	};

	client_tell(to, notice_send_failed, sock, &e);
}

static void
refuse_message(const struct call *call, uint64_t sock, const struct stack_message *m,
    enum error code, const char *why)
{
	struct sndrcvinfo	info = m->info;

	turn_spend_refusal(call->client->account.user);
	if (!call->notification) {
		call_reply_error(call, code, why);
		return;
	}
	info.assoc_id = assoc_id(run.assoc);
	assoc_give_back(call->client, sock, &info, (struct slice){ m->data, (uint32_t)m->len },
	    call_error_text(code, why));
}

/* It goes back to its sender; if that is gone, to the owner of the socket. */
static void
give_back(const struct waiting_send *w, const char *error)
{
	struct sock		*s = w->assoc->sock;
	struct client		*to = s != NULL ? s->owner : NULL;
	struct sndrcvinfo	 info = w->info;

	if (w->call != NULL)
		to = w->call->client;
	info.assoc_id = assoc_id(w->assoc);
	if (to != NULL)
		assoc_give_back(to, s != NULL ? s->node.key : 0, &info,
		    (struct slice){ w->data, (uint32_t)w->len }, error);
}

/* A message that waited will not be sent. Frees it. */
static void
refuse_send(struct waiting_send *w, enum error code, const char *why)
{
	struct call	*call = w->call;

	if (call == NULL || call->notification)
		give_back(w, call_error_text(code, why));
	waiting_send_free(w);
	if (call == NULL)
		return;
	if (call->notification)
		call_forget(call);
	else
		call_finish_error(call, code, "%s", why);
}

/* The first that waits was taken, or never will be. */
static void
finish_send(struct waiting_send *w, int number)
{
	static const struct rpc_send_out	 out;
	struct call				*call = w->call;
	enum error				 e;

	if (number == 0) {
		stuck_moves(w->assoc);
		count_sent(w->assoc, w->len);
		waiting_send_free(w);
		if (call != NULL)
			call_finish(call, &out);
		return;
	}
	e = send_failed(w->assoc, number, w->len, &w->info);
	refuse_send(w, e, call_why());
}

/* The first of those that wait, as many as there are of a session, up to most. */
static unsigned
gather_waiting(struct assoc *a, struct stack_message *m, unsigned most)
{
	uint64_t		 session = TAILQ_FIRST(&a->sends)->session;
	struct waiting_send	*w;
	unsigned		 n = 0;

	TAILQ_FOREACH(w, &a->sends, entry) {
		if (n == most || w->session != session)
			break;
		m[n++] = (struct stack_message){
			.info = w->info,
			.data = w->data,
			.len = w->len,
			.client = session,
			.ordinal = w->ordinal,
			.msgid = w->call != NULL ? w->call->msgid : 0,
		};
	}
	return n;
}

void
assoc_writable(struct assoc *a)
{
	static struct stack_message	m[STACK_RUN];
	unsigned			n, sent;
	int				number;

	for (int i = 0; i < RUNS_A_TURN && !TAILQ_EMPTY(&a->sends); i++) {
		n = gather_waiting(a, m, i == 0 ? FIRST_RUN : STACK_RUN);
		sent = stack_send(a, m, n, &number);
		if (sent == 0 && number == EAGAIN)
			break;
		if (sent == 0)
			finish_send(TAILQ_FIRST(&a->sends), number);
		for (unsigned k = 0; k < sent; k++)
			finish_send(TAILQ_FIRST(&a->sends), 0);
	}
	if (!TAILQ_EMPTY(&a->sends))
		stack_await_room(a, true);
	else if (a->eof_asked && a->state < ASSOC_GOING_DOWN)
		(void)stack_eof(a);
}

/* One that the peer shuts down already needs no more: its end comes anyway. */
int
assoc_eof(struct assoc *a)
{
	if (a->eof_asked || a->state == ASSOC_OVER)
		return EPIPE;
	a->eof_asked = true;
	keep_assoc(a);
	if (a->state == ASSOC_GOING_DOWN || !TAILQ_EMPTY(&a->sends))
		return 0;	/* assoc_writable will, where it is still to be */
	return stack_eof(a);
}

static enum error
end_failed(int number, uint32_t id)
{
	if (number == ENOTCONN)
		number = EPIPE;
	return call_fail(error_from_errno(number), "assoc_id %u: %s", id,
	    number == EPIPE ? "it is over, or is being shut down" : strerror(number));
}

enum error
assoc_shut(struct assoc *a)
{
	int	number = assoc_eof(a);

	return number == 0 ? ERR_OK : end_failed(number, assoc_id(a));
}

enum error
assoc_abort(struct assoc *a, const char *reason, size_t len)
{
	int	number;

	if (len > MAX_REASON)
		return call_fail(ERR_emsgsize, "reason: %zu bytes; it takes %d at most",
		    len, MAX_REASON);
	if (len > 0 && !a->sock->many && !a->sock->peeled)
		return call_fail(ERR_einval, "reason: a stream socket cannot give one");
	if (a->state == ASSOC_OVER)
		return end_failed(EPIPE, assoc_id(a));
	if ((number = stack_abort(a, reason, len)) != 0)
		return end_failed(number, assoc_id(a));
	return ERR_OK;
}

void
assoc_fail_sends(struct assoc *a, enum error code, const char *why)
{
	char			 text[128];
	struct waiting_send	*w;

	(void)snprintf(text, sizeof text, "assoc_id %u: %s", assoc_id(a), why);
	while ((w = TAILQ_FIRST(&a->sends)) != NULL)
		refuse_send(w, code, text);
	stack_await_room(a, false);
}

void
assoc_move(struct assoc *a, struct sock *to)
{
	if (to == NULL && (a->closer = a->sock->closer) != NULL)
		a->closer->left++;
	if (a->sock != NULL) {
		a->sock->waiting -= a->waiting;
		hash_remove(&a->sock->assocs, &a->node);
	}
	a->sock = to;
	if (to != NULL)
		assoc_set_user(a, to->uid);
	keep_assoc(a);
	if (to != NULL) {
		to->waiting += a->waiting;
		hash_add(&to->assocs, &a->node, a->node.key);
	} else
		nlingering++;
}
