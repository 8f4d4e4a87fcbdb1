/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages that are sent, and those that wait for room.
 *
 * Each association has its own queue. A full one delays neither the other
 * associations of its socket nor the other requests of the client that sent.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "journal/changes.h"
#include "journal/fields.h"
#include "journal/known.h"
#include "proto/addr.h"
#include "proto/codec.h"
#include "rpc/asked.h"
#include "rpc/turn.h"
#include "socket/sendcount.h"
#include "socket/sends.h"
#include "socket/sock.h"
#include "socket/stuck.h"
#include "socket/tap.h"
#include "trace/record.h"
#include "util/log.h"

/* Runs of messages that one wake-up may send for one association. */
#define RUNS_A_TURN	4
/* The first run is short: often there is room for no message, and gathering costs time. */
#define FIRST_RUN	4
/* Messages in a run beside another user: refusals are charged only when the run is over. */
#define RUN_SHARED	16

/* The stack took these messages. */
static void
count_sent(struct assoc *a, const struct stack_message *m, unsigned n)
{
	struct sock	*s = a->sock;
	size_t		 sum = 0, max = 0;

	if (n == 0)
		return;
	for (unsigned i = 0; i < n; i++) {
		sum += m[i].len;
		if (m[i].len > max)
			max = m[i].len;
		if (trace_ppid(&a->trace, m[i].info.ppid))
			assoc_changed(a);
		record_message(&a->trace, true, &m[i].info, m[i].data, m[i].len);
	}
	assoc_counted(a);
	assoc_has_sent(a);
	trace_count(&a->trace.sent, n, sum);
	if (tap_is_on)
		tap_sent(a, m, n);
	if (s == NULL)
		return;
	sock_words_changed(s);
	s->sent.cnt += n;
	s->sent.oct += sum;
	if (max > s->sent.max)
		s->sent.max = max;
}

/* ---- waiting -------------------------------------------------------- */

/* Bytes that a waiting message costs, including its structures. */
static size_t
cost_of(size_t len)
{
	return len + sizeof(struct waiting_send) + MALLOC_EXTRA + CALL_COST;
}

/* Charge n bytes to its sender's user or, without a sender, to the association's. */
static void
charge_send(struct waiting_send *w, size_t n)
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
discharge_send(struct waiting_send *w)
{
	if (w->call != NULL)
		account_discharge(&w->call->client->account, w->cost);
	else {
		w->assoc->left -= w->cost;
		user_discharge(w->assoc->user, CHARGE_MEMORY, w->cost);
	}
}

static void
waiting_send_free(struct waiting_send *w)
{
	struct assoc	*a = w->assoc;

	TAILQ_REMOVE(&a->sends, w, entry);
	if (TAILQ_EMPTY(&a->sends)) {
		stuck_unwatch(a);
		stack->flush(a);
	}
	a->waiting -= w->len;
	a->charged -= cost_of(w->len);
	if (a->sock != NULL)
		a->sock->waiting -= w->len;
	discharge_send(w);
	sendcount_take(w);
	if (w->free_request)
		a->free_requests--;
	if (w->asked != NULL)
		asked_answered(w->asked);
	if (w->record != NULL)
		journal_drop(w->record);
	free(w);
}

static void refuse_send(struct waiting_send *, enum error, const char *);

/*
 * The caller is gone, or send_timeout is over. A request that was not answered is
 * not sent. A notification is, as its sender counts on it once it was accepted.
 */
static void
send_ended(struct call *call, enum call_end why)
{
	struct waiting_send	*w = call->waits_for;
	size_t			 n = w->cost;
	char			 text[64];

	if (why == CALL_CLIENT_AWAY) {
		if (w->asked == NULL)
			w->asked = asked_new(call->client, call->msgid, w->data, w->len);
		return;
	}
	if (why == CALL_TIMED_OUT) {
		(void)snprintf(text, sizeof text, "assoc_id %u: no room within send_timeout",
		    assoc_id(w->assoc));
		refuse_send(w, ERR_timeout, text);
		return;
	}
	if (call->notification) {	/* from now on it belongs to its association alone */
		sendcount_take(w);
		discharge_send(w);
		w->call = NULL;
		w->cost = 0;
		charge_send(w, n);
	} else
		waiting_send_free(w);
	call_forget(call);
}

/* With non_block_send: is the queue above its watermark? */
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
 * The bytes that a waiting message counts against its client. One message at a
 * time is free: a client that waits for its answers is always read. If the
 * association is given up all are free, as it accepts no more than
 * association_queue. A message that the association has no place for counts so
 * much that its client is not read any more.
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

/* May a message of this client, of this length, wait? */
static enum error
may_wait(const struct client *c, size_t len)
{
	size_t	n = cost_of(len);

	if (account_may(&c->account, n))
		return ERR_OK;
	return call_fail(ERR_limit, "%s; a message that finds no room cannot wait",
	    account_why_not(&c->account, n));
}

/*
 * Let a message wait behind the others; call is NULL if it has no sender any more.
 * NULL: the system has no memory for it.
 */
static struct waiting_send *
wait_for_room(struct assoc *a, const struct call *call, const struct stack_message *m)
{
	struct waiting_send	*w = malloc(sizeof *w + m->len);
	size_t			 n;

	if (w == NULL)
		return NULL;
	*w = (struct waiting_send){
		.assoc = a,
		.info = m->info,
		.len = m->len,
		.session = m->client,
		.ordinal = m->ordinal,
		.many = MSGID_MANY(m->msgid),
	};
	memcpy(w->data, m->data, m->len);
	if (call != NULL) {
		n = count_of(a, m->len);
		w->call = call_keep(call, a->sock != NULL ? a->sock->own.send_timeout : -1,
		    send_ended, w);
		if (n > 0)
			sendcount_add(w, n);
	}
	charge_send(w, cost_of(m->len) - CALL_COST);	/* CALL_COST is charged with the call */
	if (TAILQ_EMPTY(&a->sends))
		stuck_watch(a);
	TAILQ_INSERT_TAIL(&a->sends, w, entry);
	a->waiting += m->len;
	a->charged += cost_of(m->len);
	if (a->sock != NULL)
		a->sock->waiting += m->len;
	assoc_has_sent(a);
	stack->await_room(a, true);
	return w;
}

/* The waiting message is in the journal, too, and is charged for that. */
static void
has_record(struct waiting_send *w, struct record *r)
{
	w->record = r;
	charge_send(w, r->size);
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

/* An errno as an error of send. */
static enum error
send_failed(const struct assoc *a, int number, size_t len, const struct sndrcvinfo *info)
{
	struct sockaddr_storage	to;
	char			text[ADDR_TEXT];

	switch (number) {
	case EMSGSIZE:
		return call_fail(ERR_emsgsize, "data: %zu bytes are more than the send buffer takes; set sndbuf", len);
	case ENOBUFS:
		return call_fail(ERR_enobufs, "data: there is no memory for %zu bytes in %s", len, stack->memory);
	case EADDRNOTAVAIL:
		if ((info->flags & SNDRCV_ADDR_OVER) == 0)
			break;
		addr_unpack(&info->addr, &to);
		return call_fail(ERR_eaddrnotavail, "addr: %s is none of the peer's; peernames lists them",
		    addr_text(&to, text));
	case EOPNOTSUPP:
		if ((info->flags & SNDRCV_ADDR_OVER) == 0)
			break;
		return call_fail(ERR_eopnotsupp, "addr: the kernel takes it on a socket of type stream that was accepted or connected; on this one set sctp_primary_addr");
	case ENOPROTOOPT:
		return call_fail(ERR_enoprotoopt, "auth_keynumber: this SCTP stack sends with the active key only; see sctp_auth_active_key");
	case EACCES:
		if (info->auth_keynumber == 0)
			break;
		return call_fail(ERR_eacces, "auth_keynumber: the peer does not ask for authenticated DATA, so the message would go without it");
	case EINVAL:
		if (info->auth_keynumber != 0)
			return call_fail(ERR_einval, "auth_keynumber %u: the association has no such key",
			    info->auth_keynumber - 1);
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
		break;
	}
	return call_fail(error_from_errno(number), "assoc_id %u: %s", assoc_id(a), strerror(number));
}

/* ---- sending -------------------------------------------------------- */

/*
 * Consecutive messages of one client to one association. They are sent with one
 * system call when something else is to be done, or when there are no more. Until
 * then their bytes stay where they were read.
 */
static struct {
	struct assoc		*assoc;
	struct client		*client;
	unsigned		 n;
	unsigned		 done;		/* how many assoc_send_run has dealt with */
	unsigned		 going;		/* how many there were when it began */
	bool			 notification[STACK_RUN];
	struct stack_message	 message[STACK_RUN];
} run;

/* The commit that contains all waiting messages written to the journal. */
static uint64_t last_written;

/* Answer a send_many of which so many were taken; e and why say what became of the next. */
static void
answer_many(const struct call *call, unsigned taken, enum error e, const char *why)
{
	struct rpc_send_many_out	 out = { .taken = taken };
	const char			*text;

	if (e != ERR_OK) {
		text = call_error_text(e, why);
		out.error = (struct slice){ text, (uint32_t)strlen(text) };
	}
	call_reply(call, &out);
}

/* A message that waited is taken, or accepted for good. */
static void
answer_taken(const struct call *call, unsigned many)
{
	static const struct rpc_send_out	out;

	if (many == 0)
		call_reply(call, &out);
	else if (many == 1)
		answer_many(call, 1, ERR_OK, NULL);
	else
		answer_many(call, 1, ERR_eagain, "message [1]: the one before it had to wait for room; send this and the rest again");
}

static void refuse_message(const struct call *, uint64_t sock, const struct stack_message *,
    enum error, const char *);

/* The daemon has accepted it for good: answer now, and treat it as a notification from here on. */
static void
answer_early(struct waiting_send *w)
{
	if (w->call->notification)
		return;
	answer_taken(w->call, w->many);
	w->call->notification = true;
	w->call->ordinal = w->ordinal = ORDINAL_ANSWERED | journal_number();
}

bool
assoc_waiting_known(void)
{
	return last_written <= changes_commits();
}

struct record *
assoc_write_waiting(const struct assoc *a, const struct call *call, const struct sndrcvinfo *info,
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
	last_written = changes_commits() + 1;
	msgpack_sbuffer_destroy(&b);
	return r;
}

/* The client will not repeat it, and it is in the journal. */
static void
keep_for_good(struct waiting_send *w)
{
	has_record(w, assoc_write_waiting(w->assoc, w->call, &w->info, w->data, w->len));
}

/* See rpc/asked.h: a notification waits behind these requests. */
static void
bind_those_before(const struct waiting_send *w)
{
	struct waiting_send	*before;

	if (w->assoc->free_requests == 0)
		return;
	TAILQ_FOREACH(before, &w->assoc->sends, entry) {
		if (!before->free_request || before->session != w->session)
			continue;
		before->free_request = false;
		before->assoc->free_requests--;
		before->call->bound = true;
		before->call->ordinal = ORDINAL_BOUND | MSGID_OF_MANY(before->call->msgid, before->many);
		keep_for_good(before);
	}
}

/* A message waits: who is to be answered, and what must be kept for it? */
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
	} else {	/* a client repeats a request without an answer */
		w->free_request = true;
		w->assoc->free_requests++;
	}
}

/* May one more message wait? */
static enum error
has_place(struct assoc *a)
{
	if (is_full(a))
		return call_fail(ERR_eagain, "assoc_id %u: %zu bytes wait for room already",
		    assoc_id(a), a->waiting);
	if (stuck_refuses(a))
		return call_fail(ERR_eagain, "assoc_id %u: its peer accepts nothing, and %zu bytes wait for room already; association_queue allows no more",
		    assoc_id(a), a->waiting);
	return ERR_OK;
}

/* There is no room for it: it waits, or there is a reason why it may not. */
static enum error
let_wait(struct assoc *a, const struct call *call, const struct stack_message *m)
{
	struct waiting_send	*w;
	enum error		 e;

	if ((e = has_place(a)) != ERR_OK || (e = may_wait(call->client, m->len)) != ERR_OK)
		return e;
	if ((w = wait_for_room(a, call, m)) == NULL)
		return call_fail(ERR_enomem, "data: the system has no memory for %zu bytes that wait", m->len);
	now_waits(w);
	return ERR_OK;
}

/* The stack did not take it: it waits, or its sender is told why not. */
static void
settle_send(struct assoc *a, unsigned i, int number)
{
	const struct stack_message	*m = &run.message[i];
	struct call			 call = {
		.client = run.client,
		.method = &rpc_table[RPC_send],
		.msgid = (uint32_t)m->msgid,
		.notification = run.notification[i],
		.ordinal = m->ordinal,
	};
	enum error			 e;

	e = number == EAGAIN ? let_wait(a, &call, m) : send_failed(a, number, m->len, &m->info);
	if (e == ERR_OK)
		return;
	refuse_message(&call, a->sock->node.key, m, e, call_why());
}

/* The next of the run is dealt with. */
static void
one_done(void)
{
	if (run.notification[run.done++])
		run.client->unsettled--;
}

bool
assoc_has_queued(const struct client *c, uint64_t ordinal)
{
	return run.n > 0 && run.client == c && run.message[run.n - 1].ordinal == ordinal;
}

/*
 * The note of a notification that is sent also says that the notifications before
 * it were carried out. So what they did must be in the journal first.
 */
static void
commit_those_before(const struct client *c)
{
	if (c->said)
		changes_commit();
	must_be_known(!c->said || c->dead, "what notifications did, before the next is sent");
}

/* Send as many as possible, and deal with the next that was not taken. */
static void
send_some(struct assoc *a)
{
	unsigned	i, sent = 0;
	int		number = EAGAIN;	/* behind those that wait */

	if (TAILQ_EMPTY(&a->sends)) {
		commit_those_before(run.client);
		sent = stack->send(a, &run.message[run.done], run.going - run.done, &number);
		count_sent(a, &run.message[run.done], sent);
	}
	while (sent-- > 0) {
		i = run.done;
		one_done();
		if (!run.notification[i])
			client_answer_done(run.client, (uint32_t)run.message[i].msgid);
	}
	if ((i = run.done) == run.going)
		return;
	settle_send(a, i, number);
	if (run.notification[i] && run.message[i].client != 0)
		client_said(run.client);
	one_done();
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
	if (TAILQ_EMPTY(&run.assoc->sends))
		stack->flush(run.assoc);
	client_dirty(run.client);	/* how many notifications are carried out */
	if (run.client->said)
		changes_commit();
}

enum error
assoc_send(struct assoc *a, struct call *call, const struct sndrcvinfo *info,
    const char *data, size_t len)
{
	struct stack_message	*m;
	enum error		 e;

	if (!call->notification && !TAILQ_EMPTY(&call->client->asked) &&
	    asked_again(call->client, call->msgid, data, len))
		return CALL_ANSWERED;
	if (a->outbound != 0 && info->stream >= a->outbound) {
		stack->count_streams(a);
		if (info->stream >= a->outbound)
			return send_failed(a, EINVAL, len, info);
	}
	if (a->eof_asked || a->state == ASSOC_OVER)
		return send_failed(a, EPIPE, len, info);
	/* Charge a refused message to its user before the next one is read. */
	if (run.n == 0 && !TAILQ_EMPTY(&a->sends) &&
	    ((e = has_place(a)) != ERR_OK || (e = may_wait(call->client, len)) != ERR_OK))
		return e;
	if ((run.n >= RUN_SHARED && (run.n >= STACK_RUN || turn_is_shared())) ||
	    (run.n > 0 && (run.assoc != a || run.client != call->client)))
		assoc_send_run();
	run.assoc = a;
	run.client = call->client;
	run.notification[run.n] = call->notification;
	run.client->unsettled += call->notification;
	m = &run.message[run.n++];
	m->info = *info;
	m->data = data;
	m->len = len;
	m->client = call->client->token[0] != '\0' ? call->client->node.key : 0;
	m->ordinal = call->notification ? call->ordinal : 0;
	m->msgid = call->msgid;
	return CALL_ANSWERED;
}

/* How many of the messages come before one whose stream does not exist. */
static unsigned
with_stream(struct assoc *a, const struct stack_message *m, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (a->outbound == 0 || m[i].info.stream < a->outbound)
			continue;
		stack->count_streams(a);
		if (m[i].info.stream >= a->outbound)
			return i;
	}
	return n;
}

/* Why m[0], the message number at of a request, was not taken. */
static enum error
why_not_taken(const struct assoc *a, const struct stack_message *m, unsigned at, int number)
{
	char		why[400];
	enum error	e;

	if (number == EAGAIN)
		return call_fail(ERR_eagain, "message [%u]: there is no room for it now; send it and the rest again", at);
	e = send_failed(a, number, m->len, &m->info);
	(void)snprintf(why, sizeof why, "%s", call_why());
	return call_fail(e, "message [%u]: %s", at, why);
}

/*
 * All of it happens in one turn, and in one call of the stack: a commit between
 * two of the messages would forget, before there is an answer, which were taken.
 */
enum error
assoc_send_many(struct assoc *a, struct call *call, struct stack_message *m, unsigned n)
{
	unsigned	taken = 0, most;
	int		number = EAGAIN;	/* behind those that wait */
	enum error	e;

	assoc_send_run();
	if (!TAILQ_EMPTY(&call->client->asked) &&
	    asked_again(call->client, call->msgid, m->data, m->len))
		return CALL_ANSWERED;
	if (a->eof_asked || a->state == ASSOC_OVER)
		return send_failed(a, EPIPE, m->len, &m->info);
	for (unsigned i = 0; i < n; i++) {
		m[i].client = call->client->token[0] != '\0' ? call->client->node.key : 0;
		m[i].ordinal = 0;
		m[i].msgid = MSGID_OF_MANY(call->msgid, n);
	}
	most = with_stream(a, m, n);
	if (TAILQ_EMPTY(&a->sends) && most > 0) {
		commit_those_before(call->client);
		taken = stack->send(a, m, most, &number);
		stack->flush(a);
	}
	count_sent(a, m, taken);
	if (taken == n) {
		answer_many(call, n, ERR_OK, NULL);
		return CALL_ANSWERED;
	}
	if (taken == most)
		number = EINVAL;	/* its stream does not exist */
	if (taken == 0 && number == EAGAIN)
		return (e = let_wait(a, call, m)) == ERR_OK ? CALL_ANSWERED : e;
	e = why_not_taken(a, &m[taken], taken, number);
	if (taken == 0)
		return e;
	answer_many(call, taken, e, call_why());
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
	struct sock			*s = sock_find(sock);

	client_tell(to, EVENT_send_failed, sock, &e);
	if (s != NULL && s->owner == to)
		s->last = to->out.seq;
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

/* Give it back to its sender or, if that is gone, to the owner of the socket. */
static void
give_send_back(const struct waiting_send *w, const char *error)
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
		give_send_back(w, call_error_text(code, why));
	waiting_send_free(w);
	if (call == NULL)
		return;
	if (call->notification)
		call_forget(call);
	else
		call_finish_error(call, code, "%s", why);
}

/* The first waiting message was taken, or never will be: answer and free it. */
static void
finish_send(struct waiting_send *w, int number)
{
	struct call	*call = w->call;
	unsigned	 many = w->many;
	enum error	 e;

	if (number == 0) {
		stuck_moves(w->assoc);
		waiting_send_free(w);
		if (call == NULL)
			return;
		answer_taken(call, many);
		call_forget(call);
		return;
	}
	e = send_failed(w->assoc, number, w->len, &w->info);
	refuse_send(w, e, call_why());
}

/* Gather the first waiting messages, all of one session, at most most. */
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
			.msgid = w->call != NULL ? MSGID_OF_MANY(w->call->msgid, w->many) : 0,
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
		sent = stack->send(a, m, n, &number);
		count_sent(a, m, sent);
		for (unsigned k = 0; k < sent; k++)
			finish_send(TAILQ_FIRST(&a->sends), 0);
		if (sent < n && number == EAGAIN)
			break;
		if (sent < n)
			finish_send(TAILQ_FIRST(&a->sends), number);
	}
	if (!TAILQ_EMPTY(&a->sends))
		stack->await_room(a, true);
	else if (a->eof_asked && a->state < ASSOC_GOING_DOWN)
		(void)stack->eof(a);
}

void
assoc_fail_sends(struct assoc *a, enum error code, const char *why)
{
	char			 text[128];
	struct waiting_send	*w;

	(void)snprintf(text, sizeof text, "assoc_id %u: %s", assoc_id(a), why);
	while ((w = TAILQ_FIRST(&a->sends)) != NULL)
		refuse_send(w, code, text);
	stack->await_room(a, false);
}
