/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <pthread.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nats/bucket.h"
#include "nats/clock.h"
#include "nats/config.h"
#include "nats/json.h"
#include "nats/mem.h"
#include "nats/row.h"

#define FORM		"sctpd-nats standby 1"
#define ASSOC		"assoc."
#define WATCH_WAIT	100	/* ms until the watching thread looks whether it is to stop */
#define WATCH_PAUSE	250	/* ms between two attempts to watch */
#define TOGETHER	256	/* changes that are sent before an answer is waited for */
#define WRITE_WAIT	10000	/* ms for an answer: a cluster may have to choose a leader first */

static bool
failed(char *why, size_t size, const char *what, natsStatus s)
{
	char	text[400];

	(void)snprintf(why, size, "the bucket sctp-%s-standby: %s: %s", config.host, what, bus_why(s, text, sizeof text));
	return false;
}

/* The value of a key, or "". False: it could not be read. */
static bool
get(kvStore *kv, const char *key, char *value, size_t size, uint64_t *revision, char *why, size_t len)
{
	kvEntry		*e = NULL;
	natsStatus	 s = kvStore_Get(&e, kv, key);

	*value = '\0';
	if (revision != NULL)
		*revision = 0;
	if (s == NATS_NOT_FOUND)
		return true;
	if (s != NATS_OK)
		return failed(why, len, key, s);
	(void)snprintf(value, size, "%s", kvEntry_ValueString(e));
	if (revision != NULL)
		*revision = kvEntry_Revision(e);
	kvEntry_Destroy(e);
	return true;
}

static bool
check_form(const char *form, char *why, size_t len)
{
	*why = '\0';
	if (strcmp(form, FORM) == 0)
		return true;
	(void)snprintf(why, len, "the bucket sctp-%s-standby is of another version: its key form says \"%.60s\", and this program writes \"%s\"; "
	    "let all members have the same version, or delete the bucket while nothing is taken over", config.host, form, FORM);
	return false;
}

/* A bucket of this form: made if there is none. *wrong: it is of another form. */
static kvStore *
open_bucket(struct life *life, char *why, size_t len, bool *wrong)
{
	char		 name[CONFIG_NAME + 16], form[64];
	kvConfig	 c;
	kvStore		*kv = NULL;
	natsStatus	 s;

	(void)snprintf(name, sizeof name, "sctp-%s-standby", config.host);
	if ((s = js_KeyValue(&kv, life->js, name)) == NATS_NOT_FOUND) {
		(void)kvConfig_Init(&c);
		c.Bucket = name;
		c.Replicas = (int)config.replicas;
		c.StorageType = strcmp(config.storage, "memory") == 0 ? js_MemoryStorage : js_FileStorage;
		s = js_CreateKeyValue(&kv, life->js, &c);
	}
	if (s != NATS_OK) {
		(void)failed(why, len, "it cannot be used", s);
		return NULL;
	}
	if (!get(kv, "form", form, sizeof form, NULL, why, len))
		goto bad;
	if (*form == '\0' && (s = kvStore_PutString(NULL, kv, "form", FORM)) != NATS_OK) {
		(void)failed(why, len, "form", s);
		goto bad;
	}
	if (*form == '\0' || check_form(form, why, len))
		return kv;
	*wrong = true;
bad:
	kvStore_Destroy(kv);
	return NULL;
}

/* The key owner. Empty: nobody has taken over yet. */
static bool
read_owner(const char *text, struct bucket_owner *o, char *why, size_t len)
{
	*o = (struct bucket_owner){ .term = 0 };
	*why = '\0';
	if (*text == '\0' || row_read_term(text, o->member, &o->term))
		return true;
	(void)snprintf(why, len, "the bucket sctp-%s-standby: its key owner is \"%.100s\", and not \"member=NAME term=N\"; "
	    "delete the key, and take over", config.host, text);
	return false;
}

/* ---- the thread that watches -------------------------------------------- */

/* What it was told, for the loop. */
struct note {
	STAILQ_ENTRY(note)	 entry;
	char			*key;		/* NULL: what there was at first was all told */
	char			*value;		/* NULL: the key was deleted */
};
STAILQ_HEAD(notes, note);

static struct {
	pthread_mutex_t	lock;
	struct notes	notes;
	bool		stop;
} told = { .lock = PTHREAD_MUTEX_INITIALIZER, .notes = STAILQ_HEAD_INITIALIZER(told.notes) };

struct watch {
	struct life	*life;
	char		 why[512];
};

static void
tell(kvEntry *e)
{
	struct note	*n = xcalloc(1, sizeof *n);
	bool		 first;

	if (e != NULL)
		n->key = xstrdup(kvEntry_Key(e));
	if (e != NULL && kvEntry_Operation(e) == kvOp_Put)
		n->value = xstrdup(kvEntry_ValueString(e));
	pthread_mutex_lock(&told.lock);
	first = STAILQ_EMPTY(&told.notes);
	STAILQ_INSERT_TAIL(&told.notes, n, entry);
	pthread_mutex_unlock(&told.lock);
	if (first)
		bus_wake();
}

static bool
is_to_stop(void)
{
	bool	stop;

	pthread_mutex_lock(&told.lock);
	stop = told.stop;
	pthread_mutex_unlock(&told.lock);
	return stop;
}

/* The watcher gives what is there, an empty entry, and then what changes. */
static natsStatus
follow(kvWatcher *w)
{
	kvEntry		*e;
	natsStatus	 s = NATS_OK;

	while (s == NATS_OK && !is_to_stop()) {
		e = NULL;
		if ((s = kvWatcher_Next(&e, w, WATCH_WAIT)) == NATS_OK)
			tell(e);
		kvEntry_Destroy(e);
		if (s == NATS_TIMEOUT)
			s = NATS_OK;
	}
	return s;
}

static void
watch_run(void *arg)
{
	struct watch	*job = arg;
	bool		 wrong;
	kvStore		*kv = open_bucket(job->life, job->why, sizeof job->why, &wrong);
	kvWatcher	*w = NULL;
	natsStatus	 s;

	if (kv == NULL)
		return;
	if ((s = kvStore_WatchAll(&w, kv, NULL)) == NATS_OK)
		s = follow(w);
	if (s != NATS_OK)
		(void)failed(job->why, sizeof job->why, "watching it", s);
	kvWatcher_Destroy(w);
	kvStore_Destroy(kv);
}

/* ---- the loop's copy ------------------------------------------------------ */

static struct bucket	 all = { .rows = LIST_HEAD_INITIALIZER(all.rows) };
static void		*by_name;	/* a tree of the rows */
static struct watch	*watch;		/* that runs, or NULL */
static int64_t		 next_watch;
static char		 why_watch[512], why_form[512], why_owner[512];

const struct bucket *
bucket(void)
{
	all.why = *why_watch != '\0' ? why_watch : *why_form != '\0' ? why_form : *why_owner != '\0' ? why_owner : NULL;
	return &all;
}

static int
order(const void *a, const void *b)
{
	return strcmp(((const struct bucket_row *)a)->name, ((const struct bucket_row *)b)->name);
}

static void
drop_row(struct bucket_row *r)
{
	(void)tdelete(r, &by_name, order);
	LIST_REMOVE(r, entry);
	free(r->name);
	free(r->text);
	free(r);
}

/* text is NULL if the row is gone, and is taken over. */
static void
set_row(char *name, char *text)
{
	struct bucket_row	 key = { .name = name };
	struct bucket_row	*r, **found = tfind(&key, &by_name, order);

	if (text == NULL) {
		if (found != NULL)
			drop_row(*found);
		return;
	}
	if (found != NULL) {
		free((*found)->text);
		(*found)->text = text;
		return;
	}
	r = xcalloc(1, sizeof *r);
	r->name = xstrdup(name);
	r->text = text;
	LIST_INSERT_HEAD(&all.rows, r, entry);
	if (tsearch(r, &by_name, order) == NULL)
		log_fatal("there is no memory left");
}

/* The key alive, of the term that is known; or something that begins a lease anew. */
static void
take_alive(const char *text)
{
	char		member[BUCKET_MEMBER];
	uint64_t	term;

	if (text == NULL || (row_read_term(text, member, &term) && term == all.owner.term))
		all.alive = clock_ms();
}

static void
take_note(struct note *n, void (*on_row)(const char *, const char *))
{
	char	member[BUCKET_MEMBER];

	if (n->key == NULL || strcmp(n->key, "owner") == 0)
		take_alive(NULL);
	if (n->key == NULL)
		all.known = true;
	else if (strcmp(n->key, "alive") == 0)
		take_alive(n->value != NULL ? n->value : "");
	else if (strncmp(n->key, ASSOC, strlen(ASSOC)) == 0) {
		if (all.known)
			on_row(n->key + strlen(ASSOC), n->value);
		set_row(n->key + strlen(ASSOC), n->value);
		n->value = NULL;
	} else if (strcmp(n->key, "form") == 0)
		(void)check_form(n->value != NULL ? n->value : "", why_form, sizeof why_form);
	else if (strcmp(n->key, "owner") == 0)
		(void)read_owner(n->value != NULL ? n->value : "", &all.owner, why_owner, sizeof why_owner);
	else if (strcmp(n->key, "taken") == 0 && (n->value == NULL || !row_read_term(n->value, member, &all.taken)))
		all.taken = 0;
}

/* They are thrown away if there is no function. */
static void
take_notes(void (*on_row)(const char *, const char *))
{
	struct notes	 notes = STAILQ_HEAD_INITIALIZER(notes);
	struct note	*n;

	pthread_mutex_lock(&told.lock);
	STAILQ_CONCAT(&notes, &told.notes);
	pthread_mutex_unlock(&told.lock);
	while ((n = STAILQ_FIRST(&notes)) != NULL) {
		STAILQ_REMOVE_HEAD(&notes, entry);
		if (on_row != NULL)
			take_note(n, on_row);
		free(n->key);
		free(n->value);
		free(n);
	}
}

static void
forget(void)
{
	take_notes(NULL);
	while (!LIST_EMPTY(&all.rows))
		drop_row(LIST_FIRST(&all.rows));
	all.known = false;
	all.taken = 0;
	all.owner = (struct bucket_owner){ .term = 0 };
	why_form[0] = why_owner[0] = '\0';
}

static void
watched(void *arg)
{
	struct watch	*job = arg;

	(void)snprintf(why_watch, sizeof why_watch, "%s", job->why);
	forget();
	life_unref(job->life);
	free(job);
	watch = NULL;
	next_watch = clock_ms() + WATCH_PAUSE;
}

static void
set_stop(bool stop)
{
	pthread_mutex_lock(&told.lock);
	told.stop = stop;
	pthread_mutex_unlock(&told.lock);
}

void
bucket_stop(void)
{
	set_stop(true);
}

void
bucket_turn(struct life *life, void (*on_row)(const char *name, const char *text))
{
	if (watch != NULL && watch->life != life) {
		set_stop(true);
		forget();
		return;
	}
	take_notes(on_row);
	if (watch != NULL || life == NULL || clock_ms() < next_watch)
		return;
	why_watch[0] = '\0';
	set_stop(false);
	watch = xcalloc(1, sizeof *watch);
	watch->life = life_ref(life);
	bus_job(BUS_WATCH, watch_run, watched, watch);
}

/* ---- write --------------------------------------------------------------- */

/*
 * A member that has taken over writes all associations anew. libnats waits for the answer to each value, which makes 20 s of a
 * thousand on a busy machine, and the lease and the log wait for this thread. So some are sent together, as kvStore_PutString
 * and kvStore_Delete send one.
 */
static natsStatus
send_change(struct life *life, const struct bucket_change *c, const char *inbox)
{
	char		*to = xprintf("$KV.sctp-%s-standby.%s", config.host, c->key);
	natsMsg		*msg = NULL;
	natsStatus	 s = natsMsg_Create(&msg, to, inbox, c->value, c->value != NULL ? (int)strlen(c->value) : 0);

	if (s == NATS_OK && c->value == NULL)
		s = natsMsgHeader_Set(msg, "KV-Operation", "DEL");
	if (s == NATS_OK)
		s = natsConnection_PublishMsg(life->nc, msg);
	natsMsg_Destroy(msg);
	free(to);
	return s;
}

/* False: one of them was not written. */
static bool
take_answer(struct bucket_write *w, natsSubscription *sub)
{
	natsMsg		*msg = NULL;
	natsStatus	 s = natsSubscription_NextMsg(&msg, sub, WRITE_WAIT);
	char		 text[256], *answer;
	bool		 ok;

	if (s != NATS_OK)
		return failed(w->why, sizeof w->why, "writing associations", s);
	answer = xprintf("%.*s", natsMsg_GetDataLength(msg), natsMsg_GetData(msg));
	ok = !json_pick(answer, "description", text, sizeof text) && json_pick(answer, "seq", text, sizeof text);
	if (!ok)
		(void)snprintf(w->why, sizeof w->why, "the bucket sctp-%s-standby: writing associations: %.300s", config.host, answer);
	free(answer);
	natsMsg_Destroy(msg);
	return ok;
}

/* The first n have been written. */
static void
drop_changes(struct bucket_write *w, size_t n)
{
	struct bucket_change	*c;

	for (; n > 0; n--) {
		c = STAILQ_FIRST(&w->changes);
		STAILQ_REMOVE_HEAD(&w->changes, entry);
		free(c->key);
		free(c->value);
		free(c);
	}
}

/* Those that were written although another was not are written once more, which changes nothing. */
static void
write_together(struct bucket_write *w, natsSubscription *sub, const char *inbox)
{
	struct bucket_change	*c;
	size_t			 sent = 0, done = 0;
	natsStatus		 s = NATS_OK;

	STAILQ_FOREACH(c, &w->changes, entry) {
		if (sent == TOGETHER || (s = send_change(w->life, c, inbox)) != NATS_OK)
			break;
		sent++;
	}
	if (s != NATS_OK)
		(void)failed(w->why, sizeof w->why, c->key, s);
	while (done < sent && take_answer(w, sub))
		done++;
	if (w->why[0] == '\0')
		drop_changes(w, done);
}

void
bucket_write(void *arg)
{
	struct bucket_write	*w = arg;
	bool			 wrong;
	kvStore			*kv = open_bucket(w->life, w->why, sizeof w->why, &wrong);
	natsInbox		*inbox = NULL;
	natsSubscription	*sub = NULL;
	natsStatus		 s;

	if (kv == NULL)
		return;
	if ((s = natsInbox_Create(&inbox)) != NATS_OK || (s = natsConnection_SubscribeSync(&sub, w->life->nc, inbox)) != NATS_OK)
		(void)failed(w->why, sizeof w->why, "writing associations", s);
	else
		write_together(w, sub, inbox);
	natsSubscription_Destroy(sub);
	natsInbox_Destroy(inbox);
	kvStore_Destroy(kv);
}

/* ---- take over ------------------------------------------------------------- */

/* Wait until the bridge of this member has restarted what there was: the watcher gives its report. */
static enum bucket_try
wait_for_report(kvWatcher *w, uint64_t term, int64_t deadline, char *text, size_t size)
{
	int64_t		 left;
	char		 member[BUCKET_MEMBER];
	uint64_t	 of;
	kvEntry		*e;
	natsStatus	 s = NATS_OK;

	while (s == NATS_OK && (left = deadline - clock_ms()) > 0) {
		e = NULL;
		if ((s = kvWatcher_Next(&e, w, left)) != NATS_OK || e == NULL)
			continue;
		(void)snprintf(text, size, "%s", kvEntry_ValueString(e) != NULL ? kvEntry_ValueString(e) : "");
		kvEntry_Destroy(e);
		if (row_read_term(text, member, &of) && of >= term)
			return BUCKET_DONE;
	}
	if (s != NATS_OK && s != NATS_TIMEOUT) {
		(void)failed(text, size, "taken", s);
		return BUCKET_AGAIN;
	}
	(void)snprintf(text, size, "term %" PRIu64 " is %s's, but its bridge has not said within take_over_wait that it has the associations; "
	    "does it run, and has it a connection to NATS and to sctpd?", term, config.standby);
	return BUCKET_REFUSED;
}

/*
 * The next term is ours, unless somebody else wrote meanwhile. *term is that which an attempt before may have written: its
 * answer may have been lost.
 */
static enum bucket_try
write_owner(kvStore *kv, uint64_t *term, char *text, size_t size)
{
	char			 value[256], why[400];
	struct bucket_owner	 o;
	uint64_t		 revision;
	natsStatus		 s;

	if (!get(kv, "owner", value, sizeof value, &revision, text, size))
		return BUCKET_AGAIN;
	if (!read_owner(value, &o, text, size))
		return BUCKET_REFUSED;
	if (*term != 0 && o.term >= *term && strcmp(o.member, config.standby) == 0)
		return BUCKET_DONE;
	if (*term != 0 && o.term >= *term) {
		(void)snprintf(text, size, "%s has taken over in this moment, term %" PRIu64 "; see who has the addresses, and try again there",
		    o.member, o.term);
		return BUCKET_REFUSED;
	}
	*term = o.term + 1;
	(void)snprintf(value, sizeof value, "member=%s term=%" PRIu64, config.standby, *term);
	s = revision == 0 ? kvStore_CreateString(NULL, kv, "owner", value) : kvStore_UpdateString(NULL, kv, "owner", value, revision);
	if (s == NATS_OK)
		return BUCKET_DONE;
	(void)snprintf(text, size, "the bucket cannot be written: %s", bus_why(s, why, sizeof why));
	return BUCKET_AGAIN;
}

enum bucket_try
bucket_take_over(struct life *life, int64_t deadline, uint64_t *term, char *text, size_t size)
{
	natsStatus	 s;
	bool		 wrong = false;
	kvWatcher	*w = NULL;
	kvStore		*kv = open_bucket(life, text, size, &wrong);
	enum bucket_try	 t = wrong ? BUCKET_REFUSED : BUCKET_AGAIN;

	if (kv == NULL)
		return t;
	if ((s = kvStore_Watch(&w, kv, "taken", NULL)) != NATS_OK)
		(void)failed(text, size, "taken", s);
	else if ((t = write_owner(kv, term, text, size)) == BUCKET_DONE)
		t = wait_for_report(w, *term, deadline, text, size);
	kvWatcher_Destroy(w);
	kvStore_Destroy(kv);
	return t;
}

/* ---- the lease --------------------------------------------------------------- */

void
bucket_alive(void *arg)
{
	static uint64_t		 n;
	struct bucket_lease	*w = arg;
	char			 value[256];
	bool			 wrong;
	kvStore			*kv = open_bucket(w->life, w->why, sizeof w->why, &wrong);
	natsStatus		 s;

	if (kv == NULL)
		return;
	(void)snprintf(value, sizeof value, "member=%s term=%" PRIu64 " n=%" PRIu64, config.standby, w->term, ++n);
	if ((s = kvStore_PutString(NULL, kv, "alive", value)) != NATS_OK)
		(void)failed(w->why, sizeof w->why, "alive", s);
	kvStore_Destroy(kv);
}

void
bucket_claim(void *arg)
{
	struct bucket_lease	*w = arg;
	bool			 wrong;
	uint64_t		 term = 0;
	kvStore			*kv = open_bucket(w->life, w->why, sizeof w->why, &wrong);
	char			 value[256];
	struct bucket_owner	 o;

	if (kv == NULL)
		return;
	if (get(kv, "owner", value, sizeof value, NULL, w->why, sizeof w->why) && read_owner(value, &o, w->why, sizeof w->why) &&
	    o.term == w->term)
		(void)write_owner(kv, &term, w->why, sizeof w->why);
	kvStore_Destroy(kv);
}
