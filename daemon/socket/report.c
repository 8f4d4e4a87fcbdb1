/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log lines about associations and their paths.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/sctp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "proto/addr.h"
#include "proto/error.h"
#include "proto/field.h"
#include "socket/report.h"
#include "socket/sock.h"
#include "trace/record.h"
#include "trace/recordfile.h"
#include "util/counter.h"

#define CAUSE	320		/* room for a cause in words */
#define ADDRS	600		/* room for a list of addresses */

/* Causes of RFC 9260, 3.3.10, which bring a text of the peer's application. */
#define USER_INITIATED	12

/* ---- fields ---------------------------------------------------------- */

/* "10.0.0.1:2905", "[fd00::1]:2905" */
static const char *
endpoint(const struct sockaddr_storage *ss, char to[ADDR_TEXT + 8])
{
	char	text[ADDR_TEXT];

	(void)snprintf(to, ADDR_TEXT + 8, ss->ss_family == AF_INET6 ? "[%s]:%u" : "%s:%u",
	    addr_text(ss, text), addr_port(ss));
	return to;
}

/* All addresses of one side. The port is the same for all, and stands with the local ones. */
static const char *
addresses(struct assoc *a, bool peer, char to[ADDRS])
{
	struct sockaddr_storage	*list = NULL;
	char			 text[ADDR_TEXT];
	size_t			 n = 0, used = 0;

	to[0] = '\0';
	if (stack->names(a->sock, a, peer, &list, &n) != 0)
		return to;
	for (size_t i = 0; i < n && used < ADDRS - ADDR_TEXT - 8; i++)
		used += (size_t)snprintf(to + used, ADDRS - used, "%s%s", i > 0 ? "," : "",
		    addr_text(&list[i], text));
	if (!peer && n > 0)
		(void)snprintf(to + used, ADDRS - used, ":%u", a->sock->port);
	free(list);
	return to;
}

/* What a line says more than whose association it is about; what is NULL or 0 is left out. */
struct more {
	const char	*cause;
	unsigned	 code;
	const char	*by;
	const char	*path;
	bool		 all;		/* the addresses and streams */
};

#define MOST	16

/* After these it is asked why: they are written out with what was recorded. */
static bool
is_incident(enum line which)
{
	return which == LINE_assoc_lost || which == LINE_assoc_aborted ||
	    which == LINE_assoc_restarted || which == LINE_assoc_orphaned;
}

/* The line is recorded, however many of its kind go to the log. */
static void
record_line(enum line which, struct assoc *a, const char *text)
{
	char	*section;
	size_t	 len;

	record_event(&a->trace, line_table[which].priority, text);
	if (!is_incident(which) || !recordfile_may(user_uid(a->user)))
		return;
	section = report_section(a, text, &len);
	recordfile_put(user_uid(a->user), assoc_id(a), section, len);
}

static void
give_line(enum line which, struct assoc *a, const struct log_field *f, size_t n, bool to_log)
{
	char	text[LOGOUT_TEXT];

	if (to_log)
		log_row(&line_table[which], f, n);
	if (!record_is_on())
		return;
	log_row_text(text, &line_table[which], f, n);
	errtext_clean(text);	/* a client's reason may be any bytes */
	record_line(which, a, text);
}

static void
count(enum line which)
{
	static const struct {
		enum line	line;
		enum counter	counter;
	} counted[] = {
		{ LINE_assoc_up, COUNTER_assocs_up },
		{ LINE_assoc_failed, COUNTER_assocs_failed },
		{ LINE_assoc_refused, COUNTER_assocs_refused },
		{ LINE_assoc_restarted, COUNTER_assocs_restarted },
		{ LINE_assoc_ended, COUNTER_assocs_ended },
		{ LINE_assoc_aborted, COUNTER_assocs_aborted },
		{ LINE_assoc_lost, COUNTER_assocs_lost },
		{ LINE_path_unreachable, COUNTER_paths_unreachable },
		{ LINE_path_failing, COUNTER_paths_failing },
		{ LINE_path_available, COUNTER_paths_available },
		{ LINE_assoc_stalled, COUNTER_assocs_stalled },
		{ LINE_path_moved, COUNTER_primaries_moved },
		{ LINE_path_returned, COUNTER_primaries_returned },
		{ LINE_path_damped, COUNTER_paths_damped },
	};

	for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
		counters[counted[i].counter] += counted[i].line == which;
}

/* Something happened: count it, and say so in the log, if that wants the line, and in the record. */
static void
write_line(enum line which, struct assoc *a, const struct more *m)
{
	bool			 to_log = log_wants(&line_table[which]);
	struct client		*c = a->sock != NULL ? a->sock->owner : NULL;
	char			 peer[ADDR_TEXT + 8], addrs[ADDRS], local[ADDRS];
	struct log_field	 f[MOST] = {
		LINE_NUMBER(assoc, assoc_id(a)),
		LINE_TEXT(peer, endpoint(&a->peer, peer)),
		LINE_NUMBER(sock, a->sock != NULL ? a->sock->node.key : 0),
		LINE_NUMBER(client, c != NULL ? c->node.key : 0),
		LINE_NUMBER(uid, user_uid(a->user)),
	};
	size_t			 n = 5;

	count(which);
	if (!to_log && !record_is_on())
		return;
#define ADD(...)	f[n++] = (struct log_field)__VA_ARGS__
	if (c != NULL && c->name != NULL)
		ADD(LINE_TEXT(client_name, c->name));
	if (c != NULL)
		ADD(LINE_NUMBER(pid, (uint64_t)c->pid));
	if (m->cause != NULL)
		ADD(LINE_TEXT(cause, m->cause));
	if (m->code != 0)
		ADD(LINE_NUMBER(cause_code, m->code));
	if (m->by != NULL)
		ADD(LINE_TEXT(by, m->by));
	if (m->path != NULL)
		ADD(LINE_TEXT(path, m->path));
	if (m->all && to_log) {		/* the stack is asked for them */
		ADD(LINE_TEXT(peer_addrs, addresses(a, true, addrs)));
		ADD(LINE_TEXT(local, addresses(a, false, local)));
		ADD(LINE_NUMBER(streams_out, a->outbound));
		ADD(LINE_NUMBER(streams_in, a->inbound));
	}
#undef ADD
	give_line(which, a, f, n, to_log);
}

const char *
report_who(const struct client *c, char to[REPORT_WHO])
{
	(void)snprintf(to, REPORT_WHO, "client %llu%s%s%s (user %u, process %d)",
	    (unsigned long long)c->node.key, c->name != NULL ? " \"" : "",
	    c->name != NULL ? c->name : "", c->name != NULL ? "\"" : "", (unsigned)c->uid, (int)c->pid);
	return to;
}

/* ---- causes ---------------------------------------------------------- */

static const char *
cause_name(unsigned code)
{
	const char	*name = code != 0 ? error_cause(code) : NULL;

	return name != NULL ? name : "an unknown cause";
}

/* The first error cause of the peer's ABORT: code, length, and what belongs to it. */
static const char *
peers_cause(const char *p, size_t len, unsigned code, char to[CAUSE])
{
	uint16_t	head[2] = { 0, 0 };
	size_t		n = 0;

	if (len >= sizeof head) {
		memcpy(head, p, sizeof head);
		code = ntohs(head[0]);
		n = ntohs(head[1]);
		n = n > len ? len : n;
		n = n > sizeof head ? n - sizeof head : 0;
	}
	if (code == 0)
		return "its ABORT gives no cause";
	n = n > 128 ? 128 : n;
	if (code == USER_INITIATED && n > 0)
		(void)snprintf(to, CAUSE, "%s: \"%.*s\" (cause %u)", cause_name(code), (int)n,
		    p + sizeof head, code);
	else
		(void)snprintf(to, CAUSE, "%s (cause %u)", cause_name(code), code);
	errtext_clean(to);
	return to;
}

/* The bytes of no fixed length of a change of an association. */
static const char *
tail_of(const struct stack_event *e, size_t *len)
{
	const struct field	*f = e->row->fields;

	while (f->key != NULL && f->type != FIELD_TAIL)
		f++;
	*len = f->key != NULL && e->len > f->offset ? e->len - f->offset : 0;
	return (const char *)e->body + f->offset;
}

/* ---- the end --------------------------------------------------------- */

/* How an association ended that was not aborted through here. */
struct end {
	unsigned	 code;
	const char	*info;
	size_t		 len;
};

static const char *
closed(const struct assoc *a)
{
	return a->owner_gone ? "its owner is gone, and its socket was closed" : "its socket was closed";
}

static void
say_lost(struct assoc *a)
{
	write_line(LINE_assoc_lost, a, &(struct more){
	    .cause = a->ended_by == ENDED_WITH_DAEMON ? "its descriptor did not outlive the daemon before" :
	    "the peer does not answer: there were too many retransmissions" });
}

static void
say_aborted(struct assoc *a, const struct end *end)
{
	char		text[CAUSE];
	struct more	m = { .code = end->code, .by = "this side" };

	if (a->ended_by == ENDED_BY_PEER) {
		m.by = "the peer";
		m.cause = peers_cause(end->info, end->len, end->code, text);
	} else {
		(void)snprintf(text, sizeof text, "%s (cause %u)", cause_name(end->code), end->code);
		m.cause = end->code != 0 ? text : closed(a);
	}
	write_line(LINE_assoc_aborted, a, &m);
}

static void
say_ended(struct assoc *a)
{
	write_line(LINE_assoc_ended, a, &(struct more){ .cause =
	    a->sock == NULL ? closed(a) :
	    a->eof_asked ? "this side shut it down" : "the peer shut it down" });
}

static void
say_lost_or_aborted(struct assoc *a, const struct end *end)
{
	if (a->ended_by == ENDED_BY_NOBODY || a->ended_by == ENDED_WITH_DAEMON)
		say_lost(a);
	else
		say_aborted(a, end);
}

/* The stack says that it could not be set up: code is the cause of the peer's ABORT, or 0. */
static void
say_failed(struct assoc *a, const struct end *end)
{
	char		text[CAUSE], cause[CAUSE];
	struct more	m = { .code = end->code, .cause = "the peer refused it without a cause, or did not answer" };

	if (end->code != 0 || end->len > 0) {
		(void)snprintf(text, sizeof text, "the peer refused it: %s",
		    peers_cause(end->info, end->len, end->code, cause));
		m.cause = text;
	} else if (a->ended_by == ENDED_BY_NOBODY)
		m.cause = "the peer does not answer";
	else if (a->ended_by == ENDED_BY_PEER)
		m.cause = "the peer refused it without a cause";
	write_line(LINE_assoc_failed, a, &m);
}

static void
say_change(struct assoc *a, const struct stack_event *e)
{
	struct end	end = { .code = e->error };

	if (e->what == ASSOC_EVENT_NONE)
		return;
	if (assoc_event_is_up(e->what)) {
		enum line	which = e->what == ASSOC_EVENT_UP ? LINE_assoc_up : LINE_assoc_restarted;

		a->end_said = false;
		a->up_said = true;
		write_line(which, a, &(struct more){ .all = true });
		return;
	}
	if (a->end_said)
		return;
	a->end_said = true;
	end.info = tail_of(e, &end.len);
	if (e->what == ASSOC_EVENT_CANT)
		say_failed(a, &end);
	else if (e->what == ASSOC_EVENT_SHUTDOWN_COMP)
		say_ended(a);
	else
		say_lost_or_aborted(a, &end);
}

/* ---- paths ----------------------------------------------------------- */

static const struct {
	const char	*state;		/* the event's word */
	enum line	 line;
	const char	*cause;
} path_lines[] = {
	{ "addr_unreachable", LINE_path_unreachable, "it did not answer too often" },
	{ "addr_available", LINE_path_available, "it answers again" },
	{ "addr_confirmed", LINE_path_available, "it answered a heartbeat" },
	{ "addr_potentially_failed", LINE_path_failing, "it did not answer" },
	{ "addr_made_prim", LINE_path_primary, NULL },
	{ "addr_added", LINE_path_added, NULL },
	{ "addr_removed", LINE_path_removed, NULL },
};

static const struct field *
field_named(const struct field *f, const char *key)
{
	while (f->key != NULL && strcmp(f->key, key) != 0)
		f++;
	return f;
}

/* The word of a state; the fields of the row say where it is and how wide. */
static const char *
state_of(const struct stack_event *e)
{
	const struct field	*f = field_named(e->row->fields, "state");
	const struct word	*w = f->words;
	uint32_t		 wide = 0;
	uint16_t		 narrow = 0;
	int64_t			 value;

	if (f->width == sizeof wide) {
		memcpy(&wide, (const char *)e->body + f->offset, sizeof wide);
		value = wide;
	} else {
		memcpy(&narrow, (const char *)e->body + f->offset, sizeof narrow);
		value = narrow;
	}
	while (w->name != NULL && w->value != value)
		w++;
	return w->name != NULL ? w->name : "";
}

static void
say_path(struct assoc *a, const struct stack_event *e)
{
	const char		*state = state_of(e);
	struct sockaddr_storage	 addr;
	char			 text[ADDR_TEXT];
	size_t			 i = 0;

	while (i < sizeof path_lines / sizeof *path_lines && strcmp(path_lines[i].state, state) != 0)
		i++;
	if (i == sizeof path_lines / sizeof *path_lines)
		return;
	memcpy(&addr, (const char *)e->body + field_named(e->row->fields, "addr")->offset, sizeof addr);
	write_line(path_lines[i].line, a, &(struct more){
	    .cause = path_lines[i].cause, .path = addr_text(&addr, text) });
}

/* ---- from others ----------------------------------------------------- */

void
report_event(struct sock *s, const struct stack_event *e)
{
	if (e->assoc == NULL || e->assoc->unwanted || e->assoc->sock != s)
		return;
	if (e->row->sn_type == SCTP_ASSOC_CHANGE)
		say_change(e->assoc, e);
	else if (e->row->sn_type == SCTP_PEER_ADDR_CHANGE && e->assoc->state != ASSOC_OVER)
		say_path(e->assoc, e);
	else
		record_stack_event(&e->assoc->trace, e);
}

void
report_watch(struct assoc *a, enum line which, const struct sockaddr_storage *path, const char *cause)
{
	char	text[ADDR_TEXT];

	write_line(which, a, &(struct more){ .cause = cause, .path = addr_text(path, text) });
}

void
report_gone(struct assoc *a)
{
	if (!a->up_said || a->end_said)
		return;
	a->end_said = true;
	if (a->ended_by != ENDED_UNKNOWN || a->sock != NULL)
		say_lost_or_aborted(a, &(struct end){ .code = 0 });
	else
		say_ended(a);
}

void
report_owner_gone(struct assoc *a, const struct client *c)
{
	char	who[REPORT_WHO];

	a->owner_gone = true;
	if (a->state == ASSOC_UP && !a->end_said)
		write_line(LINE_assoc_orphaned, a, &(struct more){ .by = report_who(c, who) });
}

char *
report_section(const struct assoc *a, const char *why, size_t *len)
{
	struct sockaddr_storage	local = { .ss_family = a->peer.ss_family };
	struct record_about	about = { .peer = &a->peer, .local = &local, .why = why };

	if (a->sock != NULL && a->sock->name.ss_family == local.ss_family)
		local = a->sock->name;
	addr_set_port(&local, a->port);
	return record_section(&a->trace, &about, len);
}

int
report_abort(struct assoc *a, const void *reason, size_t len, const char *by, const char *cause)
{
	bool	said = a->end_said;
	int	number;

	a->end_said = true;
	number = stack->abort(a, reason, len);
	if (number != 0)
		a->end_said = said;
	else if (!said)
		write_line(LINE_assoc_aborted, a, &(struct more){
		    .by = by != NULL ? by : "sctpd", .cause = cause, .code = USER_INITIATED });
	return number;
}

void
report_refuse(struct assoc *a, const char *reason, const char *cause)
{
	a->end_said = true;
	(void)stack->abort(a, reason, strlen(reason));
	a->unwanted = true;
	assoc_changed(a);
	write_line(LINE_assoc_refused, a, &(struct more){ .cause = cause });
}
