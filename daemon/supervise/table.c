/* SPDX-License-Identifier: BSD-2-Clause */
/* The list, what is said of each, and its record: see table.h. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "journal/fields.h"
#include "journal/journal.h"
#include "lines.h"
#include "socket/assoc.h"
#include "socket/deliver.h"
#include "socket/event.h"
#include "supervise/table.h"
#include "supervise/wanted.h"
#include "util/log.h"
#include "util/mem.h"

static TAILQ_HEAD(, supervised) all = TAILQ_HEAD_INITIALIZER(all);
static size_t			nall;

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
	return v->sock != NULL && !v->sock->owner->resident;
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

bool
supervised_may_attach(const struct supervised *v, const struct client *c)
{
	return client_may_use(c, v->home->uid) || users_have(&v->users, c);
}

size_t
supervised_cost(size_t len)
{
	return sizeof(struct supervised) + 2 * len + 3 * MALLOC_EXTRA + 512;
}

/* ---- what is said of it ---------------------------------------------- */

void
supervised_say(const struct supervised *v, enum line which, const char *cause)
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

struct slice
slice_of(const char *s)
{
	return (struct slice){ s, (uint32_t)strlen(s) };
}

void
supervised_enter(struct supervised *v, enum supervised_state state)
{
	struct event_supervised	e;
	uint64_t		now = supervise_now();

	if (v->state != state)
		v->since = now;
	v->state = state;
	kept_changed(&v->kept);
	if (v->sock == NULL)
		return;
	e = (struct event_supervised){ .name = slice_of(v->name), .state = slice_of(state_names[state]),
	    .reason = slice_of(state == SUPERVISED_UP ? "" : v->why), .next = v->next > now ? v->next - now : 0 };
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

/* ---- life ------------------------------------------------------------ */

void
supervised_set_map(struct supervised *v, const char *map, size_t len)
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
		users_find(&v->users, v->name, &w.in);
	}
	wanted_free(&w);
	kept_changed(&v->kept);
}

bool
supervised_is_wanted_down(const struct supervised *v)
{
	struct wanted	w;
	struct errtext	err;
	bool		down = wanted_read(&w, v->map, v->len, &err) && w.in.down;

	wanted_free(&w);
	return down;
}

struct supervised *
supervised_make(struct client *home, const char *map, size_t len, bool in_config)
{
	struct supervised	*v = xcalloc(1, sizeof *v);

	v->home = home;
	v->config = in_config;
	v->since = supervise_now();
	kept_init(&v->kept, write_supervised);
	supervised_set_map(v, map, len);
	TAILQ_INSERT_TAIL(&all, v, entry);
	nall++;
	return v;
}

void
supervised_drop(struct supervised *v)
{
	TAILQ_REMOVE(&all, v, entry);
	nall--;
	kept_drop(&v->kept);
	account_discharge(&v->home->account, supervised_cost(v->len));
	free(v->map);
	free(v);
}
