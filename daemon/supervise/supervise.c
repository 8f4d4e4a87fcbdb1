/* SPDX-License-Identifier: BSD-2-Clause */
/* The associations, their sockets and their attempts: see supervise.h. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "journal/fields.h"
#include "journal/journal.h"
#include "limits/drain.h"
#include "lines.h"
#include "proto/addr.h"
#include "proto/codec.h"
#include "proto/words.h"
#include "socket/assoc.h"
#include "socket/deliver.h"
#include "socket/ending.h"
#include "socket/event.h"
#include "socket/owner.h"
#include "socket/resolve.h"
#include "socket/supervised.h"
#include "socket/upcall.h"
#include "supervise/supervise.h"
#include "util/counter.h"
#include "util/fault.h"
#include "util/log.h"
#include "util/loop.h"
#include "util/mem.h"
#include "util/random.h"

#define BACKLOG		128
#define BLOCKED_MS	1000	/* between two looks at an association that nobody reads */

enum { FLAG_CONFIG = 1, FLAG_DOWN = 2 };

/* The names of a peer, while they are looked up one after another. */
struct attempt {
	struct resolve		*resolve;
	struct wanted		 w;
	uint32_t		 at;		/* the item */
	size_t			 n;
	struct sockaddr_storage	 addrs[LOCAL_ADDRS];
	char			 why[120];
};

static TAILQ_HEAD(, supervised) all = TAILQ_HEAD_INITIALIZER(all);
static size_t			nall;
static supervise_options_fn	*set_options;

static const char *const state_names[] = {
	[SUPERVISED_DOWN] = "down",
	[SUPERVISED_WAITING] = "waiting",
	[SUPERVISED_CONNECTING] = "connecting",
	[SUPERVISED_LISTENING] = "listening",
	[SUPERVISED_UP] = "up",
};

uint64_t
supervise_now(void)
{
	struct timespec	now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- which there are ------------------------------------------------- */

struct supervised *
supervised_find(struct slice name)
{
	struct supervised	*v;

	TAILQ_FOREACH(v, &all, entry) {
		if (strlen(v->name) == name.len && memcmp(v->name, name.ptr, name.len) == 0)
			return v;
	}
	return NULL;
}

struct supervised *
supervised_next(const struct supervised *v)
{
	return v == NULL ? TAILQ_FIRST(&all) : TAILQ_NEXT(v, entry);
}

size_t
supervised_count(void)
{
	return nall;
}

const char *
supervised_state_name(const struct supervised *v)
{
	return state_names[v->state];
}

bool
supervised_is_attached(const struct supervised *v)
{
	return v->sock != NULL && v->sock->owner != v->home;
}

struct assoc *
supervised_assoc(const struct supervised *v)
{
	struct assoc	*a = NULL;

	while (v->sock != NULL && (a = assoc_next(v->sock, a)) != NULL) {
		if (a->state == ASSOC_UP)
			return a;
	}
	return NULL;
}

size_t
supervised_cost(size_t len)
{
	return sizeof(struct supervised) + 2 * len + 3 * MALLOC_EXTRA + 512;
}

/* ---- what is said of it ---------------------------------------------- */

static void
say(const struct supervised *v, enum line which, const char *cause)
{
	struct log_field	f[] = {
		LINE_TEXT(name, v->name),
		LINE_TEXT(cause, cause),
		LINE_NUMBER(next, v->next > supervise_now() ? v->next - supervise_now() : 0),
		LINE_NUMBER(attempts, v->attempts),
		LINE_NUMBER(sock, v->sock != NULL ? v->sock->node.key : 0),
		LINE_NUMBER(client, v->sock != NULL ? v->sock->owner->node.key : 0),
		LINE_NUMBER(uid, v->home->uid),
	};

	if (log_wants(&line_table[which]))
		log_row(&line_table[which], f, sizeof f / sizeof *f);
}

static struct slice
text(const char *s)
{
	return (struct slice){ s, (uint32_t)strlen(s) };
}

static void
enter(struct supervised *v, enum supervised_state state)
{
	struct event_supervised	e;
	uint64_t		now = supervise_now();

	if (v->state != state)
		v->since = now;
	v->state = state;
	kept_changed(&v->kept);
	if (v->sock == NULL)
		return;
	e = (struct event_supervised){ .name = text(v->name), .state = text(state_names[state]),
	    .reason = text(state == SUPERVISED_UP ? "" : v->why), .next = v->next > now ? v->next - now : 0 };
	client_tell(v->sock->owner, EVENT_supervised, v->sock->node.key, &e);
	event_watch(v->sock, EVENT_supervised, NULL, &e, sizeof e);
}

/* ---- its record ------------------------------------------------------ */

static void
write_supervised(struct kept *kept)
{
	struct supervised	*v = (struct supervised *)(void *)((char *)kept - offsetof(struct supervised, kept));

	if (kept->record == NULL || kept->record->len != v->len || memcmp(kept->record->body, v->map, v->len) != 0)
		kept_write_packed(kept, RECORD_SUPERVISED, v->map, v->len);
	kept_set_word(kept, SUPERVISED_SOCK, v->sock != NULL ? v->sock->node.key : 0);
	kept_set_word(kept, SUPERVISED_HOME, v->home->node.key);
	kept_set_word(kept, SUPERVISED_UID, v->home->uid);
	kept_set_word(kept, SUPERVISED_FLAGS, (v->config ? FLAG_CONFIG : 0u) | (v->down ? FLAG_DOWN : 0u));
	kept_set_word(kept, SUPERVISED_ATTEMPTS, v->attempts);
}

/* ---- attempts -------------------------------------------------------- */

static void
end_attempt(struct supervised *v)
{
	if (v->attempt == NULL)
		return;
	if (v->attempt->resolve != NULL) {
		(void)resolve_cancel(v->attempt->resolve);
		user_discharge(v->home->account.user, CHARGE_LOOKUPS, 1);
	}
	wanted_free(&v->attempt->w);
	account_discharge(&v->home->account, sizeof *v->attempt);
	free(v->attempt);
	v->attempt = NULL;
}

/* min, twice that, and so on up to max; and of that jitter percent less, by chance. */
static uint64_t
pause_of(const struct supervised *v)
{
	uint64_t	ms = v->backoff_min;
	uint32_t	chance, less;

	for (uint32_t i = 0; i < v->attempts && ms < v->backoff_max; i++)
		ms *= 2;
	if (ms > v->backoff_max)
		ms = v->backoff_max;
	random_fill(&chance, sizeof chance);
	less = (uint32_t)(ms * v->jitter / 100);
	return ms - (less > 0 ? chance % (less + 1) : 0);
}

static void
wait_ms(struct supervised *v, uint64_t ms)
{
	struct timeval	tv = { .tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	v->next = supervise_now() + ms;
	(void)evtimer_add(&v->timer, &tv);
}

/* It ended, or could not begin: wait, and try again. */
static void
try_later(struct supervised *v, const char *why)
{
	end_attempt(v);
	(void)snprintf(v->why, sizeof v->why, "%s", why);
	COUNT(supervised_lost, 1);
	wait_ms(v, pause_of(v));
	say(v, LINE_supervised_waiting, v->why);
	v->attempts++;
	enter(v, SUPERVISED_WAITING);
}

static void
is_up(struct supervised *v)
{
	(void)evtimer_del(&v->timer);
	end_attempt(v);
	v->next = 0;
	COUNT(supervised_up, 1);
	say(v, LINE_supervised_up, "");
	v->attempts = 0;
	enter(v, SUPERVISED_UP);
}

/* ---- its socket ------------------------------------------------------ */

/*
 * What telecom expects, where the stack has it: an INIT that is not answered is
 * given up after two more, a path that does not answer is left at its first
 * time-out, and one that is gone is known in seconds. Linux alone takes minutes.
 */
static const char *const defaults[] = {
	"options.sctp_initmsg.max_attempts=2", "options.sctp_initmsg.max_init_timeo=1000",
	"options.sctp_rtoinfo.initial=500", "options.sctp_rtoinfo.min=300", "options.sctp_rtoinfo.max=600",
	"options.sctp_associnfo.asocmaxrxt=8",
	"options.sctp_peer_addr_params.hbinterval=1000", "options.sctp_peer_addr_params.flags=hb_enable",
	"options.sctp_peer_addr_params.pathmaxrxt=5",
	"options.sctp_peer_addr_thlds.pathmaxrxt=5", "options.sctp_peer_addr_thlds.pathpfthld=0",
	"options.sctp_nodelay=true",
	"options.path_manager.on=true",
};

static const char *
packed(const void *arg, size_t *len)
{
	const msgpack_sbuffer	*b = arg;

	*len = b->size;
	return b->data;
}

/* Set the options that these words say; the error of the last that was refused. */
static enum error
set_words(struct supervised *v, const struct word_arg *args, size_t n)
{
	struct call	 call = { .client = v->home };
	msgpack_unpacked u;
	msgpack_sbuffer	 b;
	msgpack_packer	 pk;
	struct words	 words = { .pk = &pk, .method = &rpc_table[RPC_supervise], .packed = packed, .arg = &b };
	size_t		 off = 0;
	enum error	 e = ERR_OK;

	msgpack_sbuffer_init(&b);
	msgpack_packer_init(&pk, &b, msgpack_sbuffer_write);
	msgpack_unpacked_init(&u);
	if (!words_pack(&words, args, n))
		e = call_fail(ERR_einval, "%s: %s", words.why.path, words.why.why);
	else if (msgpack_unpack_next(&u, b.data, b.size, &off) == MSGPACK_UNPACK_SUCCESS)
		e = set_options(&call, v->sock, &u.data.via.map.ptr[0].val);
	msgpack_unpacked_destroy(&u);
	msgpack_sbuffer_destroy(&b);
	return e;
}

/* One option after another, so that one that the stack lacks keeps no other from being set. */
static void
set_defaults(struct supervised *v)
{
	struct word_arg	args[sizeof defaults / sizeof *defaults];
	size_t		n = 0, head, before = 0;

	for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
		head = strcspn(defaults[i] + 8, ".=");
		if (n > 0 && (head != before || memcmp(args[0].key, defaults[i], 8 + head) != 0)) {
			(void)set_words(v, args, n);
			n = 0;
		}
		before = head;
		args[n++] = (struct word_arg){ defaults[i], strcspn(defaults[i], "="), strchr(defaults[i], '=') + 1 };
	}
	(void)set_words(v, args, n);
}

static enum error
set_wanted(struct supervised *v, const struct rpc_supervise_in *in)
{
	struct call	call = { .client = v->home };
	struct word_arg	args[2], primary[2];
	char		out[8], inward[8], addr[ADDR_TEXT];
	size_t		n = 0;
	enum error	e;

	(void)snprintf(out, sizeof out, "%u", in->streams_out);
	(void)snprintf(inward, sizeof inward, "%u", in->streams_in);
	if (RPC_HAS(in, supervise, streams_out))
		args[n++] = (struct word_arg){ "options.sctp_initmsg.num_ostreams", 33, out };
	if (RPC_HAS(in, supervise, streams_in))
		args[n++] = (struct word_arg){ "options.sctp_initmsg.max_instreams", 34, inward };
	set_defaults(v);
	if (RPC_HAS(in, supervise, primary)) {	/* where the stack has no paths to choose from, there is nothing to set */
		(void)snprintf(addr, sizeof addr, "%.*s", (int)in->primary.len, in->primary.ptr);
		primary[0] = (struct word_arg){ "options.path_manager.on", 23, "true" };
		primary[1] = (struct word_arg){ "options.path_manager.primary", 28, addr };
		(void)set_words(v, primary, 2);
	}
	if (n > 0 && (e = set_words(v, args, n)) != ERR_OK)
		return e;
	return in->options.obj != NULL ? set_options(&call, v->sock, in->options.obj) : ERR_OK;
}

void
supervised_local(const struct rpc_supervise_in *in, struct sockaddr_storage to[LOCAL_ADDRS], size_t *n,
    void (*tell)(void *, struct slice, const char *), void *arg)
{
	static const struct slice	host = { "0.0.0.0/0", 9 };
	struct sockaddr_storage		peer, from;
	struct slice			item;
	const char			*why;

	*n = 0;
	for (uint32_t i = 0; i < wanted_count(&in->local); i++) {
		item = wanted_item(&in->local, i);
		if ((why = local_add(item, to, n)) != NULL)
			tell(arg, item, why);
	}
	if (in->local.obj != NULL)
		return;
	if (in->role == ROLE_LISTEN && (why = local_add(host, to, n)) != NULL)
		tell(arg, host, why);
	for (uint32_t i = 0; i < wanted_count(&in->peer); i++) {
		item = wanted_item(&in->peer, i);
		if (addr_parse(item.ptr, item.len, &peer) && local_route(&peer, &from) == 0) {
			static char	addr[ADDR_TEXT];

			(void)addr_text(&from, addr);
			(void)local_add(text(addr), to, n);
		}
	}
}

/* Why a local address is missing; the last one counts. */
struct complaint {
	char	text[200];
};

static void
complain(void *arg, struct slice item, const char *why)
{
	struct complaint	*c = arg;

	(void)snprintf(c->text, sizeof c->text, "local: %.*s: %s", (int)item.len, item.ptr, why);
}

/* Of names without a local address: the routes to what they stand for. */
static void
add_routes(const struct sockaddr_storage *peers, size_t npeers, struct sockaddr_storage to[LOCAL_ADDRS], size_t *n)
{
	struct sockaddr_storage	from;
	char			addr[ADDR_TEXT];

	for (size_t i = 0; i < npeers; i++) {
		if (local_route(&peers[i], &from) == 0)
			(void)local_add(text(addr_text(&from, addr)), to, n);
	}
}

static int
family_of(const struct sockaddr_storage *addrs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (addrs[i].ss_family == AF_INET6)
			return AF_INET6;
	}
	return AF_INET;
}

static void
close_sock(struct supervised *v, const char *why)
{
	struct sock	*s = v->sock;

	if (s == NULL)
		return;
	s->supervised = NULL;
	v->sock = NULL;
	kept_changed(&v->kept);
	sock_close(s, why);
}

/* Its options, its addresses, and for listen the rest. Gives NULL, or what is wrong. */
static const char *
prepare(struct supervised *v, const struct rpc_supervise_in *in, struct sockaddr_storage *local, size_t n)
{
	static char	why[160];
	int		number;

	if (set_wanted(v, in) != ERR_OK) {
		(void)snprintf(why, sizeof why, "%s", call_why());
		return why;
	}
	for (size_t i = 0; i < n; i++)
		addr_set_port(&local[i], in->local_port);
	if ((number = stack->bind(v->sock, local, n)) != 0) {
		(void)snprintf(why, sizeof why, number == EADDRINUSE ? "local_port: %u is in use" :
		    number == EADDRNOTAVAIL ? "local: an address is not this host's" : "local: port %u cannot be bound: %s",
		    in->local_port, strerror(number));
		return why;
	}
	if (in->role == ROLE_LISTEN && (number = stack->listen(v->sock, BACKLOG)) != 0) {
		(void)snprintf(why, sizeof why, "listen: %s", strerror(number));
		return why;
	}
	return NULL;
}

static const char *
open_sock(struct supervised *v, const struct rpc_supervise_in *in, const struct sockaddr_storage *peers, size_t npeers)
{
	static const uint8_t		events[SUBSCRIBE_SIZE] = { 1, 1, 1, 1, 1, 1, 1 };
	static struct complaint		c;
	struct sockaddr_storage		local[LOCAL_ADDRS];
	const char			*why;
	size_t				n = 0;
	int				number;

	if (v->sock != NULL)
		return NULL;
	c.text[0] = '\0';
	supervised_local(in, local, &n, complain, &c);
	if (in->local.obj == NULL && n == 0)
		add_routes(peers, npeers, local, &n);
	if (n == 0)
		return c.text[0] != '\0' ? c.text : "the host has no route to the peer";
	if ((why = sock_no_room(v->home)) != NULL)
		return why;
	v->sock = sock_new(v->home, true, family_of(local, n) == AF_INET6 ? AF_INET6 : family_of(peers, npeers));
	v->sock->home = v->home;
	memcpy(v->sock->subscribed, events, sizeof events);
	if ((number = stack->open(v->sock, NULL)) != 0)
		why = number == EPROTONOSUPPORT || number == ESOCKTNOSUPPORT ? stack->probe() : strerror(number);
	else
		why = prepare(v, in, local, n);
	if (why != NULL) {
		close_sock(v, NULL);
		return why;
	}
	v->sock->supervised = v;
	kept_changed(&v->kept);
	sock_pump(v->sock);
	return NULL;
}

static void
ignore(void *arg, struct slice item, const char *why)
{
	(void)arg, (void)item, (void)why;
}

const char *
supervised_try_open(struct supervised *v)
{
	struct sockaddr_storage	 local[LOCAL_ADDRS];
	struct wanted		 w;
	struct errtext		 err;
	const char		*why = NULL;
	size_t			 n;

	if (v->sock != NULL)
		return NULL;
	if (wanted_read(&w, v->map, v->len, &err)) {
		supervised_local(&w.in, local, &n, ignore, NULL);
		if (n > 0) {	/* otherwise the caller knows */
			w.in.role = ROLE_CONNECT;	/* no peer is let in */
			why = open_sock(v, &w.in, NULL, 0);
			close_sock(v, NULL);
		}
	}
	wanted_free(&w);
	return why;
}

/* ---- connecting ------------------------------------------------------ */

/* The addresses that the socket can talk to, the wanted primary first. */
static size_t
order_peers(const struct supervised *v, const struct rpc_supervise_in *in, struct sockaddr_storage *addrs, size_t n)
{
	struct sockaddr_storage	primary = { .ss_family = AF_UNSPEC }, ss;
	size_t			m = 0;

	if (RPC_HAS(in, supervise, primary))
		(void)addr_parse(in->primary.ptr, in->primary.len, &primary);
	for (size_t i = 0; i < n; i++) {
		if (v->sock->family == AF_INET && addrs[i].ss_family != AF_INET)
			continue;
		ss = addrs[i];
		if (addr_equal(&ss, &primary)) {
			memmove(addrs + 1, addrs, m * sizeof *addrs);
			addrs[0] = ss;
		} else
			addrs[m] = ss;
		m++;
	}
	for (size_t i = 0; i < m; i++)
		addr_set_port(&addrs[i], in->peer_port);
	return m;
}

/* What an earlier attempt left: nobody reads it, but it must be over. */
static bool
is_free(struct supervised *v)
{
	struct assoc	*a = NULL;

	while ((a = assoc_next(v->sock, a)) != NULL) {
		if (a->state != ASSOC_OVER)
			return false;
	}
	return true;
}

static void
call_peer(struct supervised *v, const struct rpc_supervise_in *in, struct sockaddr_storage *addrs, size_t n)
{
	struct assoc	*a;
	const char	*why;
	char		 text_of[200];
	int		 number;

	if ((why = open_sock(v, in, addrs, n)) == NULL && (n = order_peers(v, in, addrs, n)) == 0)
		why = "the peer has no address of the family of the local addresses";
	if (why == NULL)
		why = budget_no_room(v->sock->user);
	if (why != NULL) {
		(void)snprintf(text_of, sizeof text_of, "%s", why);
		try_later(v, text_of);
		return;
	}
	COUNT(supervised_attempts, 1);
	if ((number = stack->connect(v->sock, addrs, n, &a)) != 0 && number != EISCONN && number != EALREADY) {
		(void)snprintf(text_of, sizeof text_of, "connect: %s", strerror(number));
		try_later(v, text_of);
		return;
	}
	end_attempt(v);
	sock_pump(v->sock);
}

static void go_on(struct supervised *);

static void
looked_up(void *arg, const struct sockaddr_storage *addrs, size_t n, const char *why)
{
	struct supervised	*v = arg;
	struct attempt		*t = v->attempt;
	struct slice		 name = wanted_item(&t->w.in.peer, t->at);

	t->resolve = NULL;
	user_discharge(v->home->account.user, CHARGE_LOOKUPS, 1);
	if (n == 0)
		(void)snprintf(t->why, sizeof t->why, "peer: %.*s: %s", (int)name.len, name.ptr, why);
	for (size_t i = 0; i < n && t->n < LOCAL_ADDRS; i++)
		t->addrs[t->n++] = addrs[i];
	t->at++;
	go_on(v);
}

/* Look up the next name; when there is none left, call. */
static void
go_on(struct supervised *v)
{
	struct attempt		*t = v->attempt;
	struct slice		 item;
	const struct sock	*s = v->sock;
	char			 why[120];

	for (; t->at < wanted_count(&t->w.in.peer); t->at++) {
		item = wanted_item(&t->w.in.peer, t->at);
		if (t->n < LOCAL_ADDRS && addr_parse(item.ptr, item.len, &t->addrs[t->n])) {
			t->n++;
			continue;
		}
		if (!user_may(v->home->account.user, CHARGE_LOOKUPS, 1)) {
			(void)snprintf(t->why, sizeof t->why, "%s", user_why_not(v->home->account.user, CHARGE_LOOKUPS, 1));
			continue;
		}
		user_charge(v->home->account.user, CHARGE_LOOKUPS, 1);
		t->resolve = resolve_start(v->home->account.user, item.ptr, item.len,
		    s != NULL ? s->family : AF_UNSPEC, looked_up, v);
		return;
	}
	if (t->n > 0) {
		call_peer(v, &t->w.in, t->addrs, t->n);
		return;
	}
	(void)snprintf(why, sizeof why, "%s", t->why);
	try_later(v, why);
}

static void
begin(struct supervised *v)
{
	struct attempt	*t;
	struct errtext	 err;
	const char	*why;

	(void)evtimer_del(&v->timer);
	end_attempt(v);
	v->next = 0;
	if (drain_is_on()) {
		try_later(v, "an administrator drains sctpd: it takes no new associations");
		return;
	}
	t = v->attempt = xcalloc(1, sizeof *t);
	account_charge(&v->home->account, sizeof *t);
	if (!wanted_read(&t->w, v->map, v->len, &err)) {
		try_later(v, err.why);
		return;
	}
	if (v->role == ROLE_LISTEN) {
		if ((why = open_sock(v, &t->w.in, NULL, 0)) != NULL) {
			try_later(v, why);
			return;
		}
		end_attempt(v);
		v->attempts = 0;
		v->why[0] = '\0';
		enter(v, SUPERVISED_LISTENING);
		return;
	}
	enter(v, SUPERVISED_CONNECTING);
	go_on(v);
}

/* Does the stack still have all of its associations? */
static bool
are_all_there(struct supervised *v)
{
	static const struct sockopt	*o;
	_Alignas(8) char		 value[SOCKOPT_MAX];
	struct assoc			*a = NULL;
	uint32_t			 id;

	if (o == NULL)
		o = sockopt_find("sctp_status", 11);
	while ((a = assoc_next(v->sock, a)) != NULL) {
		id = assoc_id(a);
		memset(value, 0, sizeof value);
		memcpy(value + sockopt_assoc(o)->offset, &id, sizeof id);
		if (a->state == ASSOC_UP && stack->getopt(v->sock, o, value) != 0)
			return false;
	}
	return true;
}

/*
 * A message waits, and nobody reads it. What the stack says of the
 * association's end stands behind what follows it: that is read when the end is seen.
 */
static void
look(struct supervised *v)
{
	if (v->sock->npending_data == 0)
		return;
	if (!v->sock->finish && !are_all_there(v))
		v->sock->finish = true;
	sock_pump(v->sock);
	if (v->state == SUPERVISED_UP)
		wait_ms(v, BLOCKED_MS);
}

/* An association that is over stands behind messages that nobody reads: read them now. */
static void
on_timer(struct supervised *v)
{
	if (v->state == SUPERVISED_UP) {
		look(v);
		return;
	}
	if (v->sock != NULL && v->role == ROLE_CONNECT && !is_free(v)) {
		v->sock->finish = true;
		sock_pump(v->sock);
		wait_ms(v, v->backoff_min);
		return;
	}
	if (v->sock != NULL)
		v->sock->finish = false;
	begin(v);
}

static void
supervise_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	on_timer(arg);
}

/* ---- what happens ---------------------------------------------------- */

static const char *
reason_of(const struct stack_event *e)
{
	switch (e->what) {
	case ASSOC_EVENT_CANT:
		return "the peer refused it, or did not answer";
	case ASSOC_EVENT_SHUTDOWN_COMP:
		return e->assoc->eof_asked ? "this side shut it down" : "the peer shut it down";
	case ASSOC_EVENT_LOST:
		return e->assoc->ended_by == ENDED_BY_PEER ? "the peer aborted it" :
		    e->assoc->ended_by == ENDED_BY_US ? "this side aborted it" :
		    e->assoc->ended_by == ENDED_WITH_DAEMON ? "it ended with the daemon before" : "the peer does not answer";
	case ASSOC_EVENT_NONE: case ASSOC_EVENT_UP: case ASSOC_EVENT_RESTART:
		break;
	}
	return "";
}

/* Is another of its associations up? */
static bool
has_other(const struct supervised *v, const struct assoc *ended)
{
	struct assoc	*a = NULL;

	while ((a = assoc_next(v->sock, a)) != NULL) {
		if (a != ended && a->state == ASSOC_UP)
			return true;
	}
	return false;
}

static void
happened(struct sock *s, const struct stack_event *e)
{
	struct supervised	*v = s->supervised;

	if (e->row == EVENT_data && v->state == SUPERVISED_UP && s->active == ACTIVE_FALSE &&
	    !evtimer_pending(&v->timer, NULL))
		wait_ms(v, BLOCKED_MS);
	if (e->assoc == NULL || e->what == ASSOC_EVENT_NONE || e->assoc->unwanted)
		return;
	if (assoc_event_is_up(e->what)) {
		if (v->state != SUPERVISED_UP)
			is_up(v);
		return;
	}
	if (has_other(v, e->assoc))
		return;
	s->finish = false;
	if (v->role == ROLE_CONNECT) {
		try_later(v, reason_of(e));
		return;
	}
	(void)snprintf(v->why, sizeof v->why, "%s", reason_of(e));
	COUNT(supervised_lost, 1);
	enter(v, SUPERVISED_LISTENING);
}

static void
owned(struct sock *s)
{
	struct supervised	*v = s->supervised;

	s->finish = false;
	if (v->state == SUPERVISED_UP && s->npending_data > 0)
		wait_ms(v, BLOCKED_MS);
	say(v, LINE_supervised_owner, supervised_is_attached(v) ? "a client is attached" : "nobody is attached");
}

/* Something else closed the socket: a new one is opened. */
static void
closed(struct sock *s, const char *why)
{
	struct supervised	*v = s->supervised;

	s->supervised = NULL;
	v->sock = NULL;
	try_later(v, why != NULL ? why : "its socket was closed");
}

static const struct supervise_ops ops = {
	.happened = happened,
	.owned = owned,
	.closed = closed,
};

/* ---- users ----------------------------------------------------------- */

static bool
is_digits(const char *s)
{
	return *s != '\0' && s[strspn(s, "0123456789")] == '\0';
}

static void
add_user(struct supervised *v, const char *name)
{
	struct supervised_users	*u = &v->users;
	const struct passwd	*pw;
	const struct group	*gr;

	if (strcmp(name, "all") == 0)
		u->all = true;
	else if (name[0] == '@' && is_digits(name + 1))
		u->gid[u->ngids++] = (gid_t)strtoul(name + 1, NULL, 10);
	else if (is_digits(name))
		u->uid[u->nuids++] = (uid_t)strtoul(name, NULL, 10);
	else if (name[0] == '@' && (gr = getgrnam(name + 1)) != NULL)
		u->gid[u->ngids++] = gr->gr_gid;
	else if (name[0] != '@' && (pw = getpwnam(name)) != NULL)
		u->uid[u->nuids++] = pw->pw_uid;
	else
		log_err("supervised %s: attach: there is no %s \"%s\"", v->name, name[0] == '@' ? "group" : "user",
		    name + (name[0] == '@'));
}

static void
find_users(struct supervised *v, const struct rpc_supervise_in *in)
{
	char		name[40];
	struct slice	item;

	memset(&v->users, 0, sizeof v->users);
	for (uint32_t i = 0; i < wanted_count(&in->attach) && i < WANTED_ITEMS; i++) {
		item = wanted_item(&in->attach, i);
		(void)snprintf(name, sizeof name, "%.*s", (int)item.len, item.ptr);
		add_user(v, name);
	}
}

/* The kernel knows the groups of the process at the other end. */
static bool
is_in_groups(const struct client *c, const struct supervised_users *u)
{
	struct ucred	cred;
	gid_t		groups[256];
	socklen_t	len = sizeof cred;
	size_t		n = 0;

	if (u->ngids == 0 || c->fd == -1)
		return false;
	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
		groups[n++] = cred.gid;
	len = sizeof groups - sizeof groups[0];
	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERGROUPS, groups + n, &len) == 0)
		n += len / sizeof groups[0];
	for (size_t i = 0; i < n; i++) {
		for (uint32_t j = 0; j < u->ngids; j++) {
			if (groups[i] == u->gid[j])
				return true;
		}
	}
	return false;
}

bool
supervised_may_attach(const struct supervised *v, const struct client *c)
{
	if (client_may_use(c, v->home->uid) || v->users.all)
		return true;
	for (uint32_t i = 0; i < v->users.nuids; i++) {
		if (v->users.uid[i] == c->uid)
			return true;
	}
	return is_in_groups(c, &v->users);
}

/* ---- life ------------------------------------------------------------ */

/* Take over what is wanted; the arguments were checked. */
static void
set_map(struct supervised *v, const char *map, size_t len)
{
	struct wanted	w;
	struct errtext	err;

	account_discharge(&v->home->account, v->map != NULL ? supervised_cost(v->len) : 0);
	free(v->map);
	v->map = xmalloc(len);
	memcpy(v->map, map, len);
	v->len = len;
	account_charge(&v->home->account, supervised_cost(len));
	if (wanted_read(&w, v->map, v->len, &err)) {
		(void)snprintf(v->name, sizeof v->name, "%.*s", (int)w.in.name.len, w.in.name.ptr);
		v->role = (enum supervise_role)w.in.role;
		v->backoff_min = wanted_backoff_min(&w.in);
		v->backoff_max = wanted_backoff_max(&w.in);
		v->jitter = wanted_jitter(&w.in);
		find_users(v, &w.in);
	}
	wanted_free(&w);
	kept_changed(&v->kept);
}

static bool
is_wanted_down(const struct supervised *v)
{
	struct wanted	w;
	struct errtext	err;
	bool		down = wanted_read(&w, v->map, v->len, &err) && w.in.down;

	wanted_free(&w);
	return down;
}

static struct supervised *
make(struct client *home, const char *map, size_t len, bool in_config)
{
	struct supervised	*v = xcalloc(1, sizeof *v);

	v->home = home;
	v->config = in_config;
	v->since = supervise_now();
	kept_init(&v->kept, write_supervised);
	(void)evtimer_assign(&v->timer, loop_base(), supervise_on_timer, v);
	set_map(v, map, len);
	TAILQ_INSERT_TAIL(&all, v, entry);
	nall++;
	return v;
}

struct supervised *
supervised_add(const char *map, size_t len, uid_t uid, bool in_config)
{
	struct wanted		 w;
	struct errtext		 err;
	char			 name[WANTED_NAME + 1] = "";
	struct supervised	*v;

	if (wanted_read(&w, map, len, &err))
		(void)snprintf(name, sizeof name, "%.*s", (int)w.in.name.len, w.in.name.ptr);
	wanted_free(&w);
	v = make(client_make_resident(journal_handle(client_or_sock), uid, name), map, len, in_config);
	v->down = is_wanted_down(v);
	say(v, LINE_supervised_changed, in_config ? "added: it stands in the configuration" : "added by a client");
	if (v->down)
		enter(v, SUPERVISED_DOWN);
	else
		begin(v);
	return v;
}

static void
supervised_drop(struct supervised *v)
{
	end_attempt(v);
	(void)evtimer_del(&v->timer);
	TAILQ_REMOVE(&all, v, entry);
	nall--;
	kept_drop(&v->kept);
	account_discharge(&v->home->account, supervised_cost(v->len));
	free(v->map);
	free(v);
}

void
supervised_remove(struct supervised *v, const char *why)
{
	struct client	*home = v->home;

	say(v, LINE_supervised_changed, why);
	close_sock(v, why);
	supervised_drop(v);
	client_end(home);
}

void
supervised_up(struct supervised *v, const char *why)
{
	if (v->state == SUPERVISED_UP || v->state == SUPERVISED_LISTENING || v->state == SUPERVISED_CONNECTING)
		return;
	say(v, LINE_supervised_changed, why);
	v->down = false;
	v->attempts = 0;
	on_timer(v);
}

void
supervised_down(struct supervised *v, const char *why)
{
	if (v->down)
		return;
	say(v, LINE_supervised_changed, why);
	end_attempt(v);
	(void)evtimer_del(&v->timer);
	v->down = true;
	v->next = 0;
	(void)snprintf(v->why, sizeof v->why, "%s", why);
	enter(v, SUPERVISED_DOWN);
	close_sock(v, why);
}

/* ---- the configuration ----------------------------------------------- */

static bool
is_same_hard(const char *a, size_t alen, const char *b, size_t blen)
{
	msgpack_sbuffer	 one, two;
	struct wanted	 w;
	struct errtext	 err;
	bool		 same;

	msgpack_sbuffer_init(&one);
	msgpack_sbuffer_init(&two);
	(void)wanted_read(&w, a, alen, &err);
	wanted_pack(&one, &w.in, WANTED_HARD);
	wanted_free(&w);
	(void)wanted_read(&w, b, blen, &err);
	wanted_pack(&two, &w.in, WANTED_HARD);
	wanted_free(&w);
	same = one.size == two.size && memcmp(one.data, two.data, one.size) == 0;
	msgpack_sbuffer_destroy(&one);
	msgpack_sbuffer_destroy(&two);
	return same;
}

static void
change(struct supervised *v, const char *map, size_t len)
{
	bool	hard = !is_same_hard(v->map, v->len, map, len), was_down = is_wanted_down(v);

	set_map(v, map, len);
	say(v, LINE_supervised_changed, hard ? "changed, and set up anew" : "changed");
	if (is_wanted_down(v) != was_down) {
		if (was_down)
			supervised_up(v, "the configuration says so");
		else
			supervised_down(v, "the configuration says so");
		return;
	}
	if (v->down)
		return;
	if (hard) {
		end_attempt(v);
		(void)evtimer_del(&v->timer);
		close_sock(v, "its configuration has changed; attach again");
		v->attempts = 0;
		begin(v);
	} else if (v->state == SUPERVISED_WAITING) {
		v->attempts -= v->attempts > 0;	/* the new pause takes the old one's place */
		wait_ms(v, pause_of(v));
		v->attempts++;
	}
}

static void
take_in(const struct paragraph *p)
{
	struct supervised	*v = supervised_find(text(p->name));
	msgpack_sbuffer		 b;
	struct errtext		 err;

	msgpack_sbuffer_init(&b);
	if (v != NULL && !v->config) {
		supervised_remove(v, "removed: the configuration has one of this name");
		v = NULL;
	}
	if (!wanted_from_paragraph(&b, p, &err))
		log_err("association %s: %s: %s", p->name, err.path, err.why);
	else if (v == NULL)
		v = supervised_add(b.data, b.size, geteuid(), true);
	else if (b.size != v->len || memcmp(b.data, v->map, v->len) != 0)
		change(v, b.data, b.size);
	if (v != NULL)
		v->listed = true;
	msgpack_sbuffer_destroy(&b);
}

void
supervise_configure(const struct config *c)
{
	struct supervised	*v, *next;

	TAILQ_FOREACH(v, &all, entry)
		v->listed = false;
	for (const struct paragraph *p = c->paragraphs; p != NULL; p = p->next)
		take_in(p);
	for (v = TAILQ_FIRST(&all); v != NULL; v = next) {
		next = TAILQ_NEXT(v, entry);
		if (v->config && !v->listed)
			supervised_remove(v, "removed: it stands in the configuration no more");
	}
}

static bool
check_paragraph(const struct paragraph *p, char *error, size_t size)
{
	msgpack_sbuffer	b;
	struct errtext	err;
	bool		ok;

	msgpack_sbuffer_init(&b);
	if (!(ok = wanted_from_paragraph(&b, p, &err)))
		(void)snprintf(error, size, "%s%s%s", err.path, err.path[0] != '\0' ? ": " : "", err.why);
	msgpack_sbuffer_destroy(&b);
	return ok;
}

/* ---- start, and end -------------------------------------------------- */

void
supervise_init(supervise_options_fn *fn)
{
	set_options = fn;
	config_check_paragraph = check_paragraph;
	supervised_tell(&ops);
}

/* What the process before left: its state follows from its associations. */
static void
go_on_with(struct supervised *v)
{
	if (v->down) {
		enter(v, SUPERVISED_DOWN);
		return;
	}
	if (v->sock != NULL && v->role == ROLE_LISTEN)
		enter(v, SUPERVISED_LISTENING);
	if (supervised_assoc(v) != NULL) {
		v->attempts = 0;
		enter(v, SUPERVISED_UP);
	} else if (v->role == ROLE_CONNECT && v->sock != NULL && !is_free(v))
		enter(v, SUPERVISED_CONNECTING);
	else if (v->sock == NULL || v->role == ROLE_CONNECT) {
		(void)snprintf(v->why, sizeof v->why, "sctpd was started again");
		wait_ms(v, pause_of(v));
		enter(v, SUPERVISED_WAITING);
	}
}

static void
restore_one(struct record *r)
{
	struct client		*home = client_find(r->word[SUPERVISED_HOME]);
	struct supervised	*v;
	struct wanted		 w;
	struct errtext		 err;
	bool			 ok;

	ok = home != NULL && home->resident && wanted_read(&w, r->body, r->len, &err) && wanted_check(&w.in, true, &err) &&
	    supervised_find(w.in.name) == NULL;
	if (home != NULL && home->resident)
		wanted_free(&w);
	if (!ok) {
		log_err("journal: left out: a supervised association");
		journal_drop(r);
		return;
	}
	v = make(home, r->body, r->len, (r->word[SUPERVISED_FLAGS] & FLAG_CONFIG) != 0);
	v->kept.record = r;
	v->down = (r->word[SUPERVISED_FLAGS] & FLAG_DOWN) != 0;
	v->attempts = (uint32_t)r->word[SUPERVISED_ATTEMPTS];
	if ((v->sock = sock_find(r->word[SUPERVISED_SOCK])) != NULL && v->sock->home == home)
		v->sock->supervised = v;
	else
		v->sock = NULL;
	go_on_with(v);
}

void
supervise_restore(void)
{
	struct record	*r = NULL;

	while ((r = journal_next(r, RECORD_SUPERVISED)) != NULL)
		restore_one(r);
}

void
supervise_free(void)
{
	struct supervised	*v;

	while ((v = TAILQ_FIRST(&all)) != NULL) {
		if (v->sock != NULL)
			v->sock->supervised = NULL;
		supervised_drop(v);
	}
}
