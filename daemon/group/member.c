/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Members, and what happens on the sockets of groups.
 */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "group/member.h"
#include "group/share.h"
#include "group/spread.h"
#include "rpc/connection.h"
#include "socket/assoc.h"
#include "socket/deliver.h"
#include "socket/event.h"
#include "socket/owner.h"
#include "trace/trace.h"
#include "util/log.h"
#include "util/loop.h"
#include "util/mem.h"

#define COST		(sizeof(struct member) + MALLOC_EXTRA)
#define RESTART_GRACE	1000u		/* ms for members to come back to a new process, */
#define GONE_GRACE	250u		/* and for those whose own process is gone: another may have its connection */
#define TRY_AGAIN_US	100000		/* when there was no room for an association */

/* ---- what happens on the socket --------------------------------------- */

/* Whoever makes room does not know of it. */
static bool
try_again_later(struct group *g)
{
	static const struct timeval	later = { .tv_usec = TRY_AGAIN_US };

	(void)evtimer_add(&g->look, &later);
	return false;
}

/* An association came up on the one-to-many socket: it becomes a share. False: not now. */
static bool
take_assoc(struct group *g, struct assoc *a)
{
	struct sock	*s = g->sock, *to;
	uint32_t	 id = assoc_id(a);

	if (sock_no_room(g->resident) != NULL) {
		if (log_seldom(LOG_WARNING, "group lacks sockets"))
			log_warning("group \"%s\": associations wait, as %s", g->name,
			    sock_no_room(g->resident));
		return try_again_later(g);
	}
	to = sock_new(g->resident, false, s->family);
	if (stack->peeloff(a, to) != 0) {
		sock_close(to, NULL);
		return try_again_later(g);
	}
	sock_move_pending(s, to, id);
	share_assign(share_new(g, to));
	return true;
}

static void
take_assocs(struct group *g)
{
	struct assoc	*a, *next;

	for (a = assoc_next(g->sock, NULL); a != NULL; a = next) {
		next = assoc_next(g->sock, a);
		if (a->state == ASSOC_UP && !a->unwanted && !take_assoc(g, a))
			return;
	}
}

/* Sockets that were accepted belong to the resident, and are no shares yet. Shares have members by now. */
static void
take_accepted(struct group *g)
{
	struct sock	*s, *next;

	for (s = TAILQ_FIRST(&g->resident->socks); s != NULL; s = next) {
		next = TAILQ_NEXT(s, owned);
		if (s->share == NULL && s != g->sock)
			share_assign(share_new(g, s));
	}
}

/* The event is about an association that will be a share, and goes along. */
static bool
goes_along(struct sock *s, const struct pending *p)
{
	return s->many && assoc_find(s, p->assoc_id) != NULL;
}

/* What happens on the socket itself goes to the first member. */
static void
hand_out_rest(struct group *g)
{
	struct sock	*s = g->sock;
	struct client	*to = group_lead(g);
	struct pending	*p, *next;
	msgpack_packer	*pk;

	for (p = TAILQ_FIRST(&s->pending); p != NULL; p = next) {
		next = TAILQ_NEXT(p, entry);
		if (p->row == EVENT_accept) {
			sock_drop_pending(s, p);
			continue;
		}
		if (goes_along(s, p) || to == g->resident || !client_has_room(to))
			continue;
		pk = client_event_begin(to, p->row, s->node.key, p->fields, true);
		(void)pk->callback(pk->data, p->record->body, p->len);
		sock_drop_pending(s, p);
	}
}

/* Does one member have all of the socket? A supervised association is on the same one when it comes again. */
static bool
is_whole(const struct sock *s)
{
	return s->home != NULL || (!s->many && !s->listening);
}

/* Is its socket shared itself, as it has a single association? */
static bool
is_single(const struct group *g)
{
	return g->sock->share != NULL || g->slots != NULL;
}

static void
look(struct group *g)
{
	struct member	*m;

	if (g->nunheld > 0)
		share_assign_all(g);
	if (group_first(g) != NULL && !is_single(g)) {
		if (g->sock->many)
			take_assocs(g);
		else
			take_accepted(g);
		hand_out_rest(g);
		sock_pump(g->sock);
	}
	TAILQ_FOREACH(m, &g->members, entry) {
		if (!share_go_on(m))
			return;
	}
	if (g->slots != NULL) {
		spread_settle(g);
		sock_pump(g->sock);
	}
}

static void
group_on_look(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	look(arg);
}

static void
happened(struct sock *s)
{
	struct group	*g = group_find(s->group);

	if (g == NULL)
		return;
	if (s->share != NULL && s->over)
		share_over(s->share);
	else if (s == g->sock && !is_single(g))
		group_look_soon(g);
}

static void
hand_out(struct sock *s)
{
	struct group	*g = group_find(s->group);

	if (g != NULL && g->slots != NULL)
		spread_pump(s);
	else if (g != NULL)
		group_look_soon(g);
}

/* ---- members ---------------------------------------------------------- */

static void
share_anew(struct group *g)
{
	if (g->slots != NULL)
		spread_deal(g);
	else
		share_balance(g);
	group_changed(g);
	group_look_soon(g);
}

size_t
member_shares(const struct member *m)
{
	return m->group->slots != NULL ? spread_count(m) : member_sockets(m);
}

/* It goes; its client has not ended. */
static void
remove_member(struct member *m, const char *cause)
{
	struct group	*g = m->group;
	size_t		 had = member_shares(m);
	uint64_t	 before = g->again;

	m->gone = true;
	TAILQ_REMOVE(&g->members, m, entry);
	g->nmembers--;
	LIST_REMOVE(m, of_client);
	if (g->slots != NULL) {
		spread_deal(g);
		spread_forget(m);
		spread_take(g, m->client);
	} else {
		share_take_all(m);
		if (g->sock->share == NULL)
			spread_take(g, m->client);
		share_balance(g);
	}
	group_changed(g);
	group_look_soon(g);
	member_say(m, LINE_member_left, cause, had, g->again - before);
	(void)event_del(&m->away);
	(void)event_del(&m->overdue);
	account_discharge(&g->resident->account, COST);
	free(m);
}

static void
tell_left(const struct member *m, const char *why, bool ended)
{
	struct event_left	e = {
		.group = { m->group->name, (uint32_t)strlen(m->group->name) },
		.reason = { why, (uint32_t)strlen(why) },
		.ended = ended,
	};

	client_tell(m->client, EVENT_left, 0, &e);
}

void
member_leave(struct member *m, const char *why)
{
	struct client	*c = m->client;

	if (why != NULL)
		tell_left(m, why, false);
	remove_member(m, why != NULL ? why : "it said so");
	owner_end_if_unneeded(c);
}

/* What is not known, as in another PID namespace, is not taken for an end. */
static bool
has_no_process(const struct member *m)
{
	return m->client->pid > 0 && kill(m->client->pid, 0) == -1 && errno == ESRCH;
}

static void
member_on_away(evutil_socket_t fd, short what, void *arg)
{
	struct member	*m = arg;

	(void)fd, (void)what;
	if (m->client->away)
		member_leave(m, has_no_process(m) ? "its process has ended, and nobody came back with its token in time" :
		    "it was away longer than the group allows");
}

size_t
member_going(const struct member *m, uint64_t *ms)
{
	uint64_t	since = m->going_since;
	size_t		n = m->group->slots != NULL ? m->going : share_going(m, &since);

	*ms = n > 0 ? trace_now() - since : 0;
	return n;
}

/* What it gives up has waited for it: too long, or that was something earlier. */
static void
member_on_overdue(evutil_socket_t fd, short what, void *arg)
{
	struct member	*m = arg;
	uint64_t	 ms;
	uint32_t	 most = m->group->hand_over_time;
	struct timeval	 tv;

	(void)fd, (void)what;
	if (member_going(m, &ms) == 0)
		return;
	if (ms >= most) {
		member_leave(m, "it acknowledged nothing for the group's hand_over_time, and others waited for that");
		return;
	}
	tv = (struct timeval){ .tv_sec = (time_t)((most - ms) / 1000), .tv_usec = (suseconds_t)((most - ms) % 1000 * 1000) };
	(void)evtimer_add(&m->overdue, &tv);
}

/* In the order of priority, behind those of the same. */
static struct member *
add_member(struct group *g, struct client *c, uint32_t priority)
{
	struct member	*m = xcalloc(1, sizeof *m), *before;

	m->group = g;
	m->client = c;
	m->priority = priority;
	TAILQ_INIT(&m->resting);
	TAILQ_INIT(&m->queue);
	(void)evtimer_assign(&m->away, loop_base(), member_on_away, m);
	(void)evtimer_assign(&m->overdue, loop_base(), member_on_overdue, m);
	TAILQ_FOREACH(before, &g->members, entry) {
		if (before->priority > priority)
			break;
	}
	if (before != NULL)
		TAILQ_INSERT_BEFORE(before, m, entry);
	else
		TAILQ_INSERT_TAIL(&g->members, m, entry);
	g->nmembers++;
	LIST_INSERT_HEAD(&c->memberships, m, of_client);
	account_charge(&g->resident->account, COST);
	return m;
}

void
member_join(struct group *g, struct client *c, uint32_t priority)
{
	struct member	*m;

	if (!c->out.session) {
		output_keep(&c->out, c->node.key, true);
		client_changed(c);
	}
	m = add_member(g, c, priority);
	share_anew(g);
	member_say(m, LINE_member_joined, "", g->slots != NULL ? spread_count(m) : m->n, 0);
	if (g->sock->share == NULL)
		spread_take(g, g->resident);
	/* The resident has nothing any more. */
	(void)output_ack(&g->resident->out, g->resident->out.seq);
	client_output_changed(g->resident);
}

void
member_drain(struct member *m, bool on)
{
	if (m->draining == on)
		return;
	m->draining = on;
	share_anew(m->group);
	member_say(m, on ? LINE_member_drained : LINE_member_back, "", member_shares(m), 0);
}

size_t
member_sockets(const struct member *m)
{
	struct share	*h;
	size_t		 n = 0;

	if (m->group->slots != NULL)
		return 0;
	TAILQ_FOREACH(h, &m->group->shares, entry)
		n += h->holder == m;
	return n;
}

/* ---- clients ---------------------------------------------------------- */

static void
wait_for(struct member *m, uint32_t ms)
{
	struct timeval	tv = { .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	(void)evtimer_add(&m->away, &tv);
}

static void
gone(struct client *c)
{
	struct member	*m, *next;

	for (m = LIST_FIRST(&c->memberships); m != NULL; m = next) {
		next = LIST_NEXT(m, of_client);
		if (c->token[0] != '\0' && m->group->grace > 0 && !event_pending(&m->away, EV_TIMEOUT, NULL))
			wait_for(m, m->group->grace);
		else {
			tell_left(m, "its connection ended", false);
			remove_member(m, "its connection ended");
		}
	}
}

void
group_is_back(struct client *c, bool same_process)
{
	struct member	*m;

	owner_is_back(c, same_process);
	LIST_FOREACH(m, &c->memberships, of_client) {
		(void)event_del(&m->away);
		if (m->group->slots != NULL && spread_lacks(m))
			share_anew(m->group);
	}
}

void
group_acked(struct client *c)
{
	struct member	*m, *next;

	for (m = LIST_FIRST(&c->memberships); m != NULL; m = next) {
		next = LIST_NEXT(m, of_client);
		if (!TAILQ_EMPTY(&m->resting) && !share_go_on(m))
			continue;
		if (m->group->slots == NULL)
			continue;
		spread_go_on(m);
		if (m->group->sock->npending > 0)
			sock_pump(m->group->sock);
	}
}

void
group_has_room(struct client *c)
{
	struct member	*m;

	owner_has_room(c);
	group_acked(c);
	LIST_FOREACH(m, &c->memberships, of_client) {
		if (m->group->sock->npending > 0 || m->group->nunheld > 0 ||
		    m->group->sock->assocs.count > 0)
			group_look_soon(m->group);
	}
}

bool
group_may_use(const struct client *c, const struct sock *s)
{
	const struct member	*m;

	LIST_FOREACH(m, &c->memberships, of_client) {
		if (m->group->node.key == s->group)
			return true;
	}
	return false;
}

struct assoc *
group_assoc(const struct sock *s, uint32_t id)
{
	const struct group	*g = s->group == s->node.key ? group_find(s->group) : NULL;
	const struct share	*h = g != NULL ? share_find(g, id) : NULL;

	return h != NULL ? assoc_next(h->sock, NULL) : NULL;
}

/* ---- groups ----------------------------------------------------------- */


static void
write_group(struct kept *kept)
{
	struct group		*g = (struct group *)(void *)((char *)kept - offsetof(struct group, kept));
	struct member_record	 members[GROUP_MEMBERS];
	unsigned char		 slots[2 * GROUP_SLOTS];
	struct member		*m;
	size_t			 n = 0;
	struct group_record	 k = {
		.sock = g->node.key,
		.resident = g->resident->node.key,
		.policy = (int32_t)g->policy,
		.by = (int32_t)g->by,
		.offset = g->offset,
		.length = g->length,
		.grace = g->grace,
		.hand_over_time = g->hand_over_time,
		.users = { (const char *)g->users, (uint32_t)(g->nusers * sizeof g->users[0]) },
	};

	TAILQ_FOREACH(m, &g->members, entry)
		members[n++] = (struct member_record){ m->client->node.key, m->priority, m->draining };
	k.members = (struct slice){ (const char *)members, (uint32_t)(n * sizeof members[0]) };
	if (g->slots != NULL) {
		spread_write(g, slots);
		k.slots = (struct slice){ (const char *)slots, sizeof slots };
	}
	memcpy(k.name, g->name, sizeof g->name);
	kept_write(kept, RECORD_GROUP, group_record_fields, &k, sizeof k);
}

static void
group_on_wait(evutil_socket_t fd, short what, void *arg)
{
	struct group	*g = arg;
	struct member	*m, *next;

	(void)fd, (void)what;
	for (m = TAILQ_FIRST(&g->members); m != NULL; m = next) {
		next = TAILQ_NEXT(m, entry);
		if (m->client->away)
			member_leave(m, "it did not come back to a new daemon in time");
	}
	share_anew(g);
}

static void
assign_events(struct group *g)
{
	(void)event_assign(&g->look, loop_base(), -1, 0, group_on_look, g);
	(void)evtimer_assign(&g->wait, loop_base(), group_on_wait, g);
}

struct group *
group_make(struct sock *s, const char *name)
{
	char		 text[16 + GROUP_NAME] = "group ";
	struct client	*resident;
	struct group	*g;

	resident = client_make_resident(journal_handle(client_or_sock), s->uid, strcat(text, name));
	g = group_new(s, resident, name, write_group);
	assign_events(g);
	return g;
}

void
group_begin(struct group *g)
{
	struct sock	*s = g->sock;

	sock_move(s, g->resident);
	s->group = s->node.key;
	sock_changed(s);
	if (g->policy == GROUP_SPREAD)
		spread_begin(g);
	else if (is_whole(s))
		(void)share_new(g, s);
	else
		s->pends = !s->many;	/* else no association would be accepted */
	group_changed(g);
	group_say(g, LINE_group_made, "");
	sock_pump(s);
}

/* A share stays with who has it, if that is there; what nobody has goes to the client, or ends. */
static void
end_share(struct share *h, struct client *to)
{
	struct sock	*s = h->sock;
	bool		 is_all = s == h->group->sock;

	s->passing = false;
	share_free(h);
	if (!is_all && s->owner->away && !s->owner->expected && !s->owner->resident)
		owner_has_left(s);
	else if (is_all || !s->owner->resident)
		sock_pump(s);
	else if (to != NULL)
		sock_give(s, to);
	else
		sock_close(s, NULL);
}

/* The same of what was accepted and was no share yet. */
static void
end_accepted(struct group *g, struct client *to)
{
	struct sock	*s, *next;

	for (s = TAILQ_FIRST(&g->resident->socks); s != NULL; s = next) {
		next = TAILQ_NEXT(s, owned);
		if (s == g->sock)
			continue;
		if (to != NULL)
			sock_give(s, to);
		else
			sock_close(s, NULL);
	}
}

void
group_end(struct group *g, struct client *to, const char *why)
{
	struct sock	*s = g->sock;
	struct client	*resident = g->resident;
	struct member	*m;
	struct share	*h;

	group_say(g, LINE_group_ended, why);
	s->group = 0;
	s->pends = false;
	sock_changed(s);
	spread_end(g);
	while ((h = TAILQ_FIRST(&g->shares)) != NULL)
		end_share(h, to);
	while ((m = TAILQ_FIRST(&g->members)) != NULL) {
		tell_left(m, why, true);
		TAILQ_REMOVE(&g->members, m, entry);
		LIST_REMOVE(m, of_client);
		(void)event_del(&m->away);
		(void)event_del(&m->overdue);
		account_discharge(&resident->account, COST);
		owner_end_if_unneeded(m->client);
		free(m);
	}
	if (to != NULL)
		sock_give(s, to);
	end_accepted(g, to);
	group_free(g);
	resident->resident = false;
	owner_end_if_unneeded(resident);
}

/* A socket of a group is being closed. */
static void
closed(struct sock *s)
{
	struct group	*g = group_find(s->group);

	if (g == NULL)
		return;
	if (s == g->sock)
		group_end(g, NULL, "the group's socket was closed");
	else if (s->share != NULL)
		share_free(s->share);
}

/* ---- after a restart -------------------------------------------------- */

static void
add_members(struct group *g, const struct group_record *k)
{
	struct member_record	 r;
	struct client		*c;

	for (size_t at = 0; at + sizeof r <= k->members.len; at += sizeof r) {
		memcpy(&r, k->members.ptr + at, sizeof r);
		if ((c = client_find(r.client)) != NULL && g->nmembers < GROUP_MEMBERS &&
		    group_find_member(g, c) == NULL)
			add_member(g, c, r.priority)->draining = r.draining != 0;
	}
}

bool
group_restore(const struct group_record *k, struct record *r)
{
	struct client	*resident = client_find(k->resident);
	struct sock	*s = sock_find(k->sock);
	struct group	*g;

	if (s == NULL || s->group != k->sock || group_find(k->sock) != NULL || k->name[0] == '\0' ||
	    resident == NULL || !resident->resident || !resident->expected || k->policy < 0 || k->policy > GROUP_SPREAD ||
	    k->by < 0 || k->by > GROUP_BY_BYTES || k->users.len > sizeof g->users)
		return false;
	resident->expected = false;	/* it has what it exists for */
	g = group_new(s, resident, k->name, write_group);
	assign_events(g);
	g->kept.record = r;
	g->policy = (enum group_policy)k->policy;
	g->by = (enum group_by)k->by;
	g->offset = k->offset;
	g->length = k->length;
	g->grace = k->grace;
	g->hand_over_time = k->hand_over_time;
	g->nusers = k->users.len / sizeof g->users[0];
	memcpy(g->users, k->users.ptr, g->nusers * sizeof g->users[0]);
	add_members(g, k);
	if (g->policy == GROUP_SPREAD) {
		spread_begin(g);
		spread_restore(g, (const unsigned char *)k->slots.ptr, k->slots.len);
	}
	group_changed(g);
	return true;
}

void
group_restore_shares(void)
{
	struct sock	*s = NULL;
	struct group	*g;
	struct member	*m;

	while ((s = sock_next(s)) != NULL) {
		if (s->group == 0)
			continue;
		if ((g = group_find(s->group)) == NULL)
			s->group = 0;
		else if (s != g->sock || (is_whole(s) && g->slots == NULL))
			share_restore(g, s);
		else
			s->pends = !s->many;
	}
	for (g = group_next(NULL); g != NULL; g = group_next(g)) {
		TAILQ_FOREACH(m, &g->members, entry)
			output_each_event(&m->client->out, share_was_sent, m);
	}
}

/*
 * A process that has ended will hardly come back, and nobody else is to wait for
 * it as long as for those that are there.
 */
static void
expect_members(struct group *g)
{
	struct member	*m;

	TAILQ_FOREACH(m, &g->members, entry) {
		if (has_no_process(m))
			wait_for(m, g->grace > GONE_GRACE ? g->grace : GONE_GRACE);
	}
}

void
group_expect(void)
{
	struct group	*g = NULL;
	uint32_t	 ms;
	struct timeval	 tv;

	while ((g = group_next(g)) != NULL) {
		expect_members(g);
		ms = g->grace > RESTART_GRACE ? g->grace : RESTART_GRACE;
		tv = (struct timeval){ .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
		(void)evtimer_add(&g->wait, &tv);
		group_look_soon(g);
	}
}

void
group_init(void)
{
	static const struct sock_ops	ops = {
		.gone = gone,
		.closed = closed,
		.happened = happened,
		.slot = spread_slot,
		.waits = spread_waits,
		.hand_out = hand_out,
	};

	sock_init(&ops);
}
