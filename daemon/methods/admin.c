/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What administrators do to what belongs to others, and to the daemon.
 */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "limits/drain.h"
#include "lines.h"
#include "methods/admin.h"
#include "methods/arguments.h"
#include "methods/handler.h"
#include "methods/policy.h"
#include "proto/error.h"
#include "rpc/connection.h"
#include "rpc/turn.h"
#include "socket/ending.h"
#include "socket/owner.h"
#include "socket/report.h"

/* ---- who it is ------------------------------------------------------- */

/* Who asks, as fields of a line and as one text. */
struct who {
	const struct client	*client;
	char			 program[64];
	char			 user[48];
	char			 text[256];
};

/* The name of a process, from the kernel's memory; it says for itself what it is called. */
static void
find_program(pid_t pid, char *to, size_t size)
{
	char	 path[40];
	FILE	*f;

	(void)snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	to[0] = '\0';
	if ((f = fopen(path, "re")) == NULL)
		return;
	if (fgets(to, (int)size, f) != NULL)
		to[strcspn(to, "\n")] = '\0';
	(void)fclose(f);
	errtext_clean(to);
}

static void
find_who(const struct client *c, struct who *w)
{
	w->client = c;
	find_program(c->pid, w->program, sizeof w->program);
	policy_user_name(c->uid, w->user, sizeof w->user);
	(void)snprintf(w->text, sizeof w->text, "%s (user %u, process %d%s%s, client %llu)", w->user,
	    (unsigned)c->uid, (int)c->pid, w->program[0] != '\0' ? ", " : "", w->program,
	    (unsigned long long)c->node.key);
}

/* A line about what was done, with n more fields of its own. */
static void
say(enum line which, const struct who *w, const struct log_field *more, size_t n)
{
	struct log_field	f[8] = {
		LINE_TEXT(by, w->text),
		LINE_TEXT(by_user, w->user),
		LINE_NUMBER(by_uid, w->client->uid),
		LINE_NUMBER(by_pid, (uint64_t)w->client->pid),
		LINE_TEXT(by_program, w->program),
	};

	for (size_t i = 0; i < n; i++)
		f[5 + i] = more[i];
	if (log_wants(&line_table[which]))
		log_row(&line_table[which], f, 5 + n);
}

/* ---- sockets and associations ---------------------------------------- */

enum error
admin_find_sock(const struct call *call, uint64_t handle, struct sock **s)
{
	if ((*s = sock_find(handle)) != NULL && policy_is_admin(call->client->uid))
		return ERR_OK;
	return find_sock(call, handle, s);
}

enum error
admin_abort(const struct client *c, struct assoc *a, const char *reason, size_t len)
{
	static const char	ours[] = "aborted by an administrator";
	struct who		w;

	find_who(c, &w);
	if (len == 0 && policy_is_admin(c->uid) && (a->sock->many || a->sock->peeled))
		return assoc_abort(w.text, a, ours, sizeof ours - 1);
	return assoc_abort(w.text, a, reason, len);
}

void
admin_close(const struct client *c, struct sock *s)
{
	char			why[280];
	struct who		w;

	find_who(c, &w);
	say(LINE_sock_closed, &w, (struct log_field[]){
	    LINE_NUMBER(sock, s->node.key), LINE_NUMBER(client, s->owner->node.key), LINE_NUMBER(uid, s->uid) }, 3);
	(void)snprintf(why, sizeof why, "it was closed by %s", w.text);
	sock_close(s, c->uid == s->uid ? "another client closed it" : why);
}

/* ---- clients --------------------------------------------------------- */

/* It is told why, if it hears of anything. */
static void
disconnect(struct client *c, const struct who *w)
{
	char			text[320];
	struct event_error	e = { .method = { "", 0 }, .error = { text, 0 } };

	e.error.len = (uint32_t)snprintf(text, sizeof text, "%s: this client was disconnected by %s",
	    error_table[ERR_eacces].code, w->text);
	client_tell(c, EVENT_error, 0, &e);
	connection_lost(c, "an administrator disconnected it");
}

enum error
handle_disconnect(struct call *call, const struct rpc_disconnect_in *in, struct rpc_disconnect_out *out)
{
	struct client	*c = client_find(in->client);
	struct who	 w;
	enum error	 e;

	(void)out;
	if ((c == NULL || c->uid != call->client->uid) &&
	    (e = policy_admin(call->client->uid, "disconnect")) != ERR_OK)
		return e;
	if (c == NULL || c->dead)
		return call_fail(ERR_badarg, "client %llu: there is no such client; the method clients lists them",
		    (unsigned long long)in->client);
	if (c == call->client)
		return call_fail(ERR_einval, "client %llu: it is you; close the connection instead",
		    (unsigned long long)in->client);
	if (c->resident)
		return call_fail(ERR_einval, "client %llu: it is the daemon itself, and has no connection",
		    (unsigned long long)in->client);
	if (c->away)
		return call_fail(ERR_einval, "client %llu: it has no connection; close its sockets instead",
		    (unsigned long long)in->client);
	turn_cost(1 + c->nsocks);
	find_who(call->client, &w);
	say(LINE_client_disconnected, &w, (struct log_field[]){ LINE_NUMBER(client, c->node.key),
	    LINE_NUMBER(uid, c->uid), LINE_NUMBER(pid, (uint64_t)c->pid) }, 3);
	disconnect(c, &w);
	return ERR_OK;
}

/* ---- the daemon ------------------------------------------------------ */

enum error
handle_drain(struct call *call, const struct rpc_drain_in *in, struct rpc_drain_out *out)
{
	bool		on = RPC_HAS(in, drain, on) ? in->on : drain_is_on();
	struct who	w;
	enum error	e;

	if (RPC_HAS(in, drain, on) && (e = policy_admin(call->client->uid, "drain")) != ERR_OK)
		return e;
	if (drain_set(on)) {
		find_who(call->client, &w);
		say(on ? LINE_drain_began : LINE_drain_ended, &w,
		    (struct log_field[]){ LINE_NUMBER(count, assoc_count()) }, 1);
	}
	out->on = on;
	out->associations = assoc_count();
	return ERR_OK;
}

enum error
handle_log_level(struct call *call, const struct rpc_log_level_in *in, struct rpc_log_level_out *out)
{
	const char	*was = log_level_name(log_level());
	struct who	 w;
	enum error	 e;

	if (RPC_HAS(in, log_level, level) && in->level != log_level()) {
		if ((e = policy_admin(call->client->uid, "log_level")) != ERR_OK)
			return e;
		find_who(call->client, &w);
		/* Said while either level lets it be written. */
		if (in->level > log_level())
			log_set_level(in->level);
		say(LINE_log_level_changed, &w, (struct log_field[]){
		    LINE_TEXT(was, was), LINE_TEXT(level, log_level_name(in->level)) }, 2);
		log_set_level(in->level);
	}
	out->level = log_level();
	return ERR_OK;
}
