/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Methods about the daemon itself: its identity, its abilities, and what it holds.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "group/member.h"
#include "journal/fdpark.h"
#include "limits/drain.h"
#include "methods/arguments.h"
#include "methods/handler.h"
#include "methods/policy.h"
#include "proto/codec.h"
#include "proto/sockopt.h"
#include "rpc/asked.h"
#include "rpc/client.h"
#include "rpc/session.h"
#include "rpc/turn.h"
#include "socket/deliver.h"
#include "util/counter.h"
#include "util/mem.h"

#define MAX_NAME	64
#define THINGS_A_UNIT	16	/* see rpc/turn.h */

static struct slice
text(const char *s)
{
	return (struct slice){ s, (uint32_t)strlen(s) };
}

/* ---- hello and status ----------------------------------------------- */

static void
pack_limits(msgpack_packer *pk)
{
	msgpack_pack_map(pk, 11);
	codec_pack_number(pk, "max_clients", config.max_clients);
	codec_pack_number(pk, "max_sockets", config.max_sockets);
	codec_pack_number(pk, "max_associations", config.max_associations);
	codec_pack_number(pk, "max_memory", user_limit(CHARGE_MEMORY));
	codec_pack_number(pk, "max_clients_per_user", config.max_clients_per_user);
	codec_pack_number(pk, "max_sockets_per_user", config.max_sockets_per_user);
	codec_pack_number(pk, "max_associations_per_user", config.max_associations_per_user);
	codec_pack_number(pk, "max_lookups_per_user", config.max_lookups_per_user);
	codec_pack_number(pk, "max_memory_per_user", config.max_memory_per_user);
	codec_pack_number(pk, "max_message", config.max_message);
	codec_pack_number(pk, "client_queue", config.client_queue);
}

/* The features of this daemon on any stack. */
static const char *const features[] = {
	"seqpacket", "stream", "accept", "peeloff", "watch", "supervise", "resume",
};

/* These features, those of the stack, and whether a store holds what must survive. */
static void
pack_features(msgpack_packer *pk)
{
	const char *const	*more = stack->features();
	bool			 survive = stack->survives && fdpark_on();
	size_t			 n = 0;

	while (more[n] != NULL)
		n++;
	msgpack_pack_array(pk, sizeof features / sizeof features[0] + n + survive);
	for (size_t i = 0; i < sizeof features / sizeof features[0]; i++)
		codec_pack_text(pk, features[i]);
	for (size_t i = 0; i < n; i++)
		codec_pack_text(pk, more[i]);
	if (survive)
		codec_pack_text(pk, "survive");
}

/* What each user has. Root sees all users; others see themselves. */
static void
pack_users(msgpack_packer *pk, const struct client *c)
{
	struct user	*u = NULL;
	uint32_t	 n = 0;

	while ((u = user_next(u)) != NULL)
		n += policy_may_see(c, user_uid(u));
	msgpack_pack_array(pk, n);
	while ((u = user_next(u)) != NULL) {
		if (!policy_may_see(c, user_uid(u)))
			continue;
		msgpack_pack_map(pk, 6);
		codec_pack_number(pk, "uid", user_uid(u));
		codec_pack_number(pk, "clients", u->used[CHARGE_CLIENTS]);
		codec_pack_number(pk, "sockets", u->used[CHARGE_SOCKETS]);
		codec_pack_number(pk, "associations", u->used[CHARGE_ASSOCIATIONS]);
		codec_pack_number(pk, "lookups", u->used[CHARGE_LOOKUPS]);
		codec_pack_number(pk, "memory", u->used[CHARGE_MEMORY]);
	}
}

static struct slice
packed(const msgpack_sbuffer *b)
{
	return (struct slice){ b->data, (uint32_t)b->size };
}

/* The reason why this connection may not have a session, if any. */
static enum error
may_resume(const struct client *c, const struct rpc_hello_in *in)
{
	const msgpack_object	*o = in->resume.obj;

	if (o->type != MSGPACK_OBJECT_STR && (o->type != MSGPACK_OBJECT_BOOLEAN || !o->via.boolean))
		return call_fail(ERR_badarg, "resume: it takes true, or the token of a session");
	if (c->tapping)
		return call_fail(ERR_einval, "resume: this connection taps messages, and a session cannot; call tap with on=false first, or hello on a new connection");
	if (o->type == MSGPACK_OBJECT_STR && (c->token[0] != '\0' || c->nsocks > 0 || !LIST_EMPTY(&c->memberships) ||
	    !TAILQ_EMPTY(&c->calls) || output_unwritten(&c->out) > 0))
		return call_fail(ERR_einval, "resume: this connection has sockets, groups, calls, unread answers or a session of its own; call hello first on a new connection");
	return ERR_OK;
}

/* Make a session, or become the client whose token it is. */
static enum error
resume(struct call *call, const struct rpc_hello_in *in)
{
	const msgpack_object	*o = in->resume.obj;
	struct client		*c;
	enum error		 e;

	if ((e = may_resume(call->client, in)) != ERR_OK)
		return e;
	if (o->type == MSGPACK_OBJECT_BOOLEAN) {
		session_begin(call->client);
		return ERR_OK;
	}
	if ((c = session_find(o->via.str.ptr, o->via.str.size)) == NULL || c->uid != call->client->uid)
		return call_fail(ERR_eacces, "resume: no session of your user has this token; it may have ended with its client, or after resume_time");
	if (RPC_HAS(in, hello, seq) && in->seq > c->out.seq)
		return call_fail(ERR_einval, "seq: the last message of the session was %llu",
		    (unsigned long long)c->out.seq);
	session_come_back(c, call->client, RPC_HAS(in, hello, seq) ? in->seq : 0);
	call->client = c;
	return ERR_OK;
}

static enum error
introduce(struct call *call, const struct rpc_hello_in *in)
{
	struct client	*c;
	enum error	 e;

	if (RPC_HAS(in, hello, resume) && (e = resume(call, in)) != ERR_OK)
		return e;
	c = call->client;
	if (RPC_HAS(in, hello, name)) {
		free(c->name);
		c->name = xcalloc(1, in->name.len + 1);
		memcpy(c->name, in->name.ptr, in->name.len);
		errtext_clean(c->name);
	}
	c->events = true;
	client_changed(c);
	return ERR_OK;
}

enum error
handle_hello(struct call *call, const struct rpc_hello_in *in, struct rpc_hello_out *out)
{
	msgpack_sbuffer	can, limits;
	msgpack_packer	pk;
	enum error	e;

	if (RPC_HAS(in, hello, protocol) && in->protocol != RPC_PROTOCOL)
		return call_fail(ERR_einval, "protocol: this daemon speaks version %d, and you asked for %u",
		    RPC_PROTOCOL, in->protocol);
	if (in->name.len > MAX_NAME)
		return call_fail(ERR_einval, "name: it takes at most %d bytes", MAX_NAME);
	if ((e = introduce(call, in)) != ERR_OK)
		return e;
	msgpack_sbuffer_init(&can);
	msgpack_packer_init(&pk, &can, msgpack_sbuffer_write);
	pack_features(&pk);
	msgpack_sbuffer_init(&limits);
	msgpack_packer_init(&pk, &limits, msgpack_sbuffer_write);
	pack_limits(&pk);
	out->client = call->client->node.key;
	out->protocol = RPC_PROTOCOL;
	out->version = text(SCTPD_VERSION);
	out->stack = text(stack->name);
	out->features.packed = packed(&can);
	out->limits.packed = packed(&limits);
	if (call->client->token[0] != '\0') {
		out->resume = text(call->client->token);
		output_end(&call->client->out);
		out->seq = call->client->out.seq + 1;
		out->notifications = call->client->notifications;
	}
	codec_pack(call_reply_begin_as(call, MESSAGE_HELLO, 0), call->method->out, out,
	    call->method->out_size);
	msgpack_sbuffer_destroy(&can);
	msgpack_sbuffer_destroy(&limits);
	return CALL_ANSWERED;
}

enum error
handle_ack(struct call *call, const struct rpc_ack_in *in, struct rpc_ack_out *out)
{
	struct client	*c = call->client;

	(void)out;
	if (c->token[0] == '\0')
		return call_fail(ERR_einval, "ack: this connection has no session; hello with resume: true makes one");
	/* A message that is written in part cannot be acknowledged: its rest must still be written. */
	if (in->seq > output_told(&c->out))
		return call_fail(ERR_einval, "seq: the last message of the session was %llu",
		    (unsigned long long)output_told(&c->out));
	(void)output_ack(&c->out, in->seq);
	asked_acked(c, in->seq);
	group_acked(c);
	client_dirty(c);	/* there may be room for more events now */
	return ERR_OK;
}

static time_t	started;	/* when the process did */

static uint64_t
uptime(void)
{
	static struct timespec	start;
	static bool		is_set;	/* separate, because the clock may read 0 */
	struct timespec		now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (!is_set)
		start = now;
	is_set = true;
	return (uint64_t)(now.tv_sec - start.tv_sec);
}

void
handle_start_clock(void)
{
	(void)uptime();
	started = time(NULL);
}

/*
 * A list costs by its length, and by what is examined for it. A notification has
 * no answer, so no list is made for it.
 */
static bool
is_for_nobody(const struct call *call, size_t looked_at)
{
	if (!call->notification)
		turn_cost(looked_at / THINGS_A_UNIT);
	return call->notification;
}

enum error
handle_status(struct call *call, const struct rpc_status_in *in, struct rpc_status_out *out)
{
	struct utsname		u;
	char			system[sizeof u.sysname + sizeof u.release];
	uint64_t		all[COUNTERS];
	msgpack_sbuffer		limits, users;
	msgpack_packer		pk;

	(void)in;
	if (is_for_nobody(call, sock_count() + client_count()))
		return CALL_ANSWERED;
	memcpy(all, counters, sizeof all);
	sock_add_counts(all);
	(void)uname(&u);
	strcpy(system, u.sysname);
	strcat(system, " ");
	strcat(system, u.release);
	msgpack_sbuffer_init(&limits);
	msgpack_packer_init(&pk, &limits, msgpack_sbuffer_write);
	pack_limits(&pk);
	msgpack_sbuffer_init(&users);
	msgpack_packer_init(&pk, &users, msgpack_sbuffer_write);
	pack_users(&pk, call->client);
	out->version = text(SCTPD_VERSION);
	out->stack = text(stack->name);
	out->system = text(system);
	out->pid = (uint64_t)getpid();
	out->uptime = uptime();
	out->started = (uint64_t)started;
	out->clients = user_total(CHARGE_CLIENTS);
	out->away = client_count_away();
	out->sockets = sock_count();
	out->associations = assoc_count() - assoc_lingering();
	out->lingering = assoc_lingering();
	out->draining = drain_is_on();
#define COUNTER(name, metric, label, value, doc) out->name = all[COUNTER_##name];
#include "proto/counter.def"
	out->limits.packed = packed(&limits);
	out->memory = user_total(CHARGE_MEMORY);
	out->users.packed = packed(&users);
	call_reply(call, out);
	msgpack_sbuffer_destroy(&limits);
	msgpack_sbuffer_destroy(&users);
	return CALL_ANSWERED;
}

/* ---- lists ---------------------------------------------------------- */

static uint32_t
count_usable(const struct client *c)
{
	struct sock	*s = NULL;
	uint32_t	 n = 0;

	while ((s = sock_next(s)) != NULL) {
		if (policy_may_see(c, s->uid))
			n++;
	}
	return n;
}

static void
pack_sock(msgpack_packer *pk, const struct sock *s)
{
	msgpack_pack_map(pk, 11);
	codec_pack_number(pk, "sock", s->node.key);
	codec_pack_string(pk, "type", s->many ? "seqpacket" : "stream");
	codec_pack_string(pk, "family", s->family == AF_INET6 ? "inet6" : "inet");
	codec_pack_number(pk, "port", s->port);
	codec_pack_number(pk, "owner", s->owner->node.key);
	codec_pack_text(pk, "active");
	sock_pack_active(pk, s);
	codec_pack_text(pk, "listening");
	(void)(s->listening ? msgpack_pack_true(pk) : msgpack_pack_false(pk));
	codec_pack_number(pk, "associations", s->assocs.count);
	codec_pack_number(pk, "recv_cnt", s->received.cnt);
	codec_pack_number(pk, "send_cnt", s->sent.cnt);
	codec_pack_text(pk, "held");
	(void)(s->held ? msgpack_pack_true(pk) : msgpack_pack_false(pk));
}

enum error
handle_sockets(struct call *call, const struct rpc_sockets_in *in, struct rpc_sockets_out *out)
{
	struct sock	*s = NULL;
	msgpack_packer	*pk;

	(void)in, (void)out;
	if (is_for_nobody(call, 2 * sock_count()))
		return CALL_ANSWERED;
	pk = call_reply_begin(call);
	msgpack_pack_map(pk, 1);
	codec_pack_text(pk, "sockets");
	msgpack_pack_array(pk, count_usable(call->client));
	while ((s = sock_next(s)) != NULL) {
		if (policy_may_see(call->client, s->uid))
			pack_sock(pk, s);
	}
	return CALL_ANSWERED;
}

static void
pack_client(msgpack_packer *pk, const struct client *c)
{
	msgpack_pack_map(pk, 10);
	codec_pack_number(pk, "client", c->node.key);
	codec_pack_string(pk, "name", c->name != NULL ? c->name : "");
	codec_pack_number(pk, "uid", c->uid);
	codec_pack_number(pk, "pid", (uint64_t)c->pid);
	codec_pack_number(pk, "sockets", c->nsocks);
	codec_pack_number(pk, "queued", output_unacked(&c->out) + c->waiting);
	codec_pack_number(pk, "calls", c->account.calls);
	codec_pack_number(pk, "memory", c->account.memory);
	codec_pack_text(pk, "away");
	(void)(c->away ? msgpack_pack_true(pk) : msgpack_pack_false(pk));
	codec_pack_text(pk, "resident");
	(void)(c->resident ? msgpack_pack_true(pk) : msgpack_pack_false(pk));
}

enum error
handle_clients(struct call *call, const struct rpc_clients_in *in, struct rpc_clients_out *out)
{
	struct client	*c = NULL;
	uint32_t	 n = 0;
	msgpack_packer	*pk;

	(void)in, (void)out;
	if (is_for_nobody(call, 2 * client_count()))
		return CALL_ANSWERED;
	while ((c = client_next(c)) != NULL)
		n += policy_may_see(call->client, c->uid);
	pk = call_reply_begin(call);
	msgpack_pack_map(pk, 1);
	codec_pack_text(pk, "clients");
	msgpack_pack_array(pk, n);
	while ((c = client_next(c)) != NULL) {
		if (policy_may_see(call->client, c->uid))
			pack_client(pk, c);
	}
	return CALL_ANSWERED;
}

enum error
handle_watch(struct call *call, const struct rpc_watch_in *in, struct rpc_watch_out *out)
{
	(void)out;
	call->client->events = true;
	client_watch(call->client, !RPC_HAS(in, watch, on) || in->on);
	return ERR_OK;
}

enum error
handle_error_string(struct call *call, const struct rpc_error_string_in *in,
    struct rpc_error_string_out *out)
{
	const char	*s = error_cause(in->error);

	(void)call;
	out->text = text(s != NULL ? s : "unknown_error");
	return ERR_OK;
}

/* ---- describe ------------------------------------------------------- */

static void
pack_fields(msgpack_packer *pk, const char *key, const struct field *f)
{
	codec_pack_text(pk, key);
	codec_pack_table(pk, f);
}

static void
pack_methods(msgpack_packer *pk)
{
	codec_pack_text(pk, "methods");
	msgpack_pack_array(pk, RPC_COUNT);
	for (int m = 0; m < RPC_COUNT; m++) {
		msgpack_pack_map(pk, 5);
		codec_pack_string(pk, "name", rpc_table[m].name);
		codec_pack_string(pk, "from", rpc_table[m].from);
		codec_pack_string(pk, "doc", rpc_table[m].doc);
		pack_fields(pk, "in", rpc_table[m].in);
		pack_fields(pk, "out", rpc_table[m].out);
	}
}

static void
pack_options(msgpack_packer *pk)
{
	static const char *const	access[] = { "", "get", "set", "get, set", "open" };
	static const char *const	scope[] = { "socket", "future", "current", "assoc" };
	bool				here;
	uint32_t			n = 0;

	while (sockopt_table[n].name != NULL)
		n++;
	codec_pack_text(pk, "options");
	msgpack_pack_array(pk, n);
	for (const struct sockopt *o = sockopt_table; o->name != NULL; o++) {
		msgpack_pack_map(pk, 7);
		codec_pack_string(pk, "name", o->name);
		codec_pack_string(pk, "from", o->from);
		codec_pack_string(pk, "doc", o->doc);
		codec_pack_text(pk, "here");	/* the daemon's own, or one that the stack in use has */
		here = ((o->level == LEVEL_HANDLED || o->level == LEVEL_STORED) && !o->kernel_only) ||
		    stack->has_option(o);
		(void)(here ? msgpack_pack_true(pk) : msgpack_pack_false(pk));
		codec_pack_string(pk, "access", access[o->access]);
		codec_pack_string(pk, "scope", scope[o->scope]);
		pack_fields(pk, "fields", o->fields);
	}
}

static void
pack_events(msgpack_packer *pk)
{
	uint32_t	n = 0;

	while (event_type_table[n].name != NULL)
		n++;
	codec_pack_text(pk, "events");
	msgpack_pack_array(pk, n);
	for (const struct event_type *e = event_type_table; e->name != NULL; e++) {
		msgpack_pack_map(pk, 4);
		codec_pack_string(pk, "name", e->name);
		codec_pack_string(pk, "from", e->from);
		codec_pack_string(pk, "doc", e->doc);
		pack_fields(pk, "fields", e->fields);
	}
}

/* What never changes is packed once. */
static void
pack_description(msgpack_packer *pk)
{
	msgpack_pack_map(pk, 4);
	pack_methods(pk);
	pack_options(pk);
	pack_events(pk);
	codec_pack_text(pk, "errors");
	msgpack_pack_array(pk, ERR_COUNT - 1);
	for (int e = 1; e < ERR_COUNT; e++) {
		msgpack_pack_map(pk, 2);
		codec_pack_string(pk, "code", error_table[e].code);
		codec_pack_string(pk, "doc", error_table[e].doc);
	}
}

enum error
handle_describe(struct call *call, const struct rpc_describe_in *in, struct rpc_describe_out *out)
{
	static msgpack_sbuffer	 all;
	msgpack_packer		*pk, to_all;

	(void)in, (void)out;
	if (is_for_nobody(call, 0))
		return CALL_ANSWERED;
	if (all.size == 0) {
		msgpack_packer_init(&to_all, &all, msgpack_sbuffer_write);
		pack_description(&to_all);
	}
	pk = call_reply_begin(call);
	(void)pk->callback(pk->data, all.data, all.size);
	return CALL_ANSWERED;
}
