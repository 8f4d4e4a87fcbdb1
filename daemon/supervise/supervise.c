/* SPDX-License-Identifier: BSD-2-Clause */
/* What happens to them, changes of the configuration, start and end: see supervise.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "journal/fields.h"
#include "journal/journal.h"
#include "lines.h"
#include "rpc/connection.h"
#include "socket/assoc.h"
#include "socket/deliver.h"
#include "socket/owner.h"
#include "socket/supervised.h"
#include "socket/upcall.h"
#include "supervise/attempt.h"
#include "supervise/socket.h"
#include "supervise/supervise.h"
#include "supervise/wanted.h"
#include "util/counter.h"
#include "util/fault.h"
#include "util/log.h"
#include "util/loop.h"

/* ---- what happens ---------------------------------------------------- */

/* Who answers for whom cannot be seen: a firewall may do so for the peer. */
static const char *
not_set_up(const struct stack_event *e)
{
	if (e->error != 0)
		return "the peer refused it; the log says with which cause";
	if (e->assoc->ended_by == ENDED_BY_PEER)
		return "the peer refused it without a cause: nobody listens at its port, or a firewall answers for it";
	return e->assoc->ended_by == ENDED_BY_NOBODY ? "the peer does not answer: it is not there, or a firewall drops SCTP" :
	    "the peer refused it, or did not answer: nobody listens at its port, or a firewall refuses or drops SCTP";
}

static const char *
reason_of(const struct stack_event *e)
{
	switch (e->what) {
	case ASSOC_EVENT_CANT:
		return not_set_up(e);
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
		attempt_look_later(v);
	if (e->assoc == NULL || e->what == ASSOC_EVENT_NONE || e->assoc->unwanted)
		return;
	if (assoc_event_is_up(e->what)) {
		if (v->state != SUPERVISED_UP)
			attempt_is_up(v);
		return;
	}
	if (has_other(v, e->assoc))
		return;
	s->finish = false;
	if (v->role == ROLE_CONNECT) {
		attempt_later(v, reason_of(e));
		return;
	}
	(void)snprintf(v->why, sizeof v->why, "%s", reason_of(e));
	COUNT(supervised_lost, 1);
	supervised_enter(v, SUPERVISED_LISTENING);
}

static void
owned(struct sock *s)
{
	struct supervised	*v = s->supervised;

	fault_point("attached");
	s->finish = false;
	if (v->state == SUPERVISED_UP && s->npending_data > 0)
		attempt_look_later(v);
	supervised_say(v, LINE_supervised_owner, supervised_is_attached(v) ? "a client is attached" : "nobody is attached");
}

/* Something else closed the socket: a new one is opened. */
static void
closed(struct sock *s, const char *why)
{
	struct supervised	*v = s->supervised;

	s->supervised = NULL;
	v->sock = NULL;
	attempt_later(v, why != NULL ? why : "its socket was closed");
}

static const struct supervise_ops ops = {
	.happened = happened,
	.owned = owned,
	.closed = closed,
};

/* ---- life ------------------------------------------------------------ */

static void
supervise_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	attempt_on_timer(arg);
}

static struct supervised *
make(struct client *home, const char *map, size_t len, bool in_config)
{
	struct supervised	*v = supervised_make(home, map, len, in_config);

	(void)evtimer_assign(&v->timer, loop_base(), supervise_on_timer, v);
	return v;
}

static void
drop(struct supervised *v)
{
	attempt_end(v);
	(void)evtimer_del(&v->timer);
	supervised_drop(v);
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
	v->down = supervised_is_wanted_down(v);
	supervised_say(v, LINE_supervised_changed, in_config ? "added: it stands in the configuration" : "added by a client");
	if (v->down)
		supervised_enter(v, SUPERVISED_DOWN);
	else
		attempt_begin(v);
	fault_point("supervised");
	return v;
}

void
supervised_remove(struct supervised *v, const char *why)
{
	struct client	*home = v->home;

	supervised_say(v, LINE_supervised_changed, why);
	supervised_close(v, why);
	fault_point("supervised");
	drop(v);
	client_end(home);
}

void
supervised_up(struct supervised *v, const char *why)
{
	if (v->state == SUPERVISED_UP || v->state == SUPERVISED_LISTENING || v->state == SUPERVISED_CONNECTING)
		return;
	supervised_say(v, LINE_supervised_changed, why);
	v->down = false;
	v->attempts = 0;
	attempt_on_timer(v);
	fault_point("supervised");
}

void
supervised_down(struct supervised *v, const char *why)
{
	if (v->down)
		return;
	supervised_say(v, LINE_supervised_changed, why);
	attempt_end(v);
	(void)evtimer_del(&v->timer);
	v->down = true;
	v->next = 0;
	(void)snprintf(v->why, sizeof v->why, "%s", why);
	supervised_enter(v, SUPERVISED_DOWN);
	supervised_close(v, why);
	fault_point("supervised");
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
	bool	hard = !is_same_hard(v->map, v->len, map, len), was_down = supervised_is_wanted_down(v);

	supervised_set_map(v, map, len);
	supervised_say(v, LINE_supervised_changed, hard ? "changed, and set up anew" : "changed");
	if (supervised_is_wanted_down(v) != was_down && (v->down || !was_down)) {
		if (was_down)
			supervised_up(v, "the configuration says so");
		else
			supervised_down(v, "the configuration says so");
		return;
	}
	if (v->down)
		return;
	if (hard) {
		attempt_end(v);
		(void)evtimer_del(&v->timer);
		supervised_close(v, "its configuration has changed; attach again");
		fault_point("supervised");
		v->attempts = 0;
		attempt_begin(v);
	} else if (v->state == SUPERVISED_WAITING) {
		v->attempts -= v->attempts > 0;	/* the new pause takes the old one's place */
		attempt_wait(v, attempt_pause(v));
		v->attempts++;
	}
}

static void
take_in(const struct paragraph *p)
{
	struct supervised	*v = supervised_find(slice_of(p->name));
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

	for (v = supervised_next(NULL); v != NULL; v = supervised_next(v))
		v->listed = false;
	for (const struct paragraph *p = c->paragraphs; p != NULL; p = p->next) {
		take_in(p);
		fault_point("reloaded");
	}
	for (v = supervised_next(NULL); v != NULL; v = next) {
		next = supervised_next(v);
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
	supervised_set_by(fn);
	config_check_paragraph = check_paragraph;
	supervised_tell(&ops);
}

/* What the process before left: its state follows from its associations. */
static void
go_on_with(struct supervised *v)
{
	if (v->down) {
		supervised_enter(v, SUPERVISED_DOWN);
		return;
	}
	if (v->sock != NULL && v->role == ROLE_LISTEN)
		supervised_enter(v, SUPERVISED_LISTENING);
	if (supervised_assoc(v) != NULL) {
		v->attempts = 0;
		supervised_enter(v, SUPERVISED_UP);
	} else if (v->role == ROLE_CONNECT && v->sock != NULL && !supervised_is_free(v))
		supervised_enter(v, SUPERVISED_CONNECTING);
	else if (v->sock == NULL || v->role == ROLE_CONNECT) {
		(void)snprintf(v->why, sizeof v->why, "sctpd was started again");
		attempt_wait(v, attempt_pause(v));
		supervised_enter(v, SUPERVISED_WAITING);
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

	ok = home != NULL && home->resident && home->expected && wanted_read(&w, r->body, r->len, &err) && wanted_check(&w.in, true, &err) &&
	    supervised_find(w.in.name) == NULL;
	if (home != NULL && home->resident && home->expected)
		wanted_free(&w);
	if (!ok) {
		log_err("journal: left out: a supervised association");
		journal_drop(r);
		return;
	}
	home->expected = false;		/* it has what it exists for */
	v = make(home, r->body, r->len, (r->word[SUPERVISED_FLAGS] & FLAG_CONFIG) != 0);
	v->kept.record = r;
	v->down = (r->word[SUPERVISED_FLAGS] & FLAG_DOWN) != 0;
	v->attempts = (uint32_t)r->word[SUPERVISED_ATTEMPTS];
	if ((v->sock = sock_find(r->word[SUPERVISED_SOCK])) != NULL && v->sock->home == home)
		v->sock->supervised = v;
	else
		v->sock = NULL;
	go_on_with(v);
	if (v->sock != NULL)
		sock_pump(v->sock);	/* it is read whether somebody is attached or not */
}

/* A socket whose association was left out: nobody could close it, and its port would stay taken. */
static void
close_what_is_left(void)
{
	struct sock	*s, *next;

	for (s = sock_next(NULL); s != NULL; s = next) {
		next = sock_next(s);
		if (s->home == NULL || s->supervised != NULL)
			continue;
		s->home = NULL;
		sock_close(s, "what the daemon before wrote of its supervised association does not read");
	}
}

void
supervise_restore(void)
{
	struct record	*r = NULL;

	while ((r = journal_next(r, RECORD_SUPERVISED)) != NULL)
		restore_one(r);
	close_what_is_left();
}

void
supervise_free(void)
{
	struct supervised	*v;

	while ((v = supervised_next(NULL)) != NULL) {
		if (v->sock != NULL)
			v->sock->supervised = NULL;
		drop(v);
	}
}
