/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nats/bucket.h"
#include "nats/clock.h"
#include "nats/config.h"
#include "nats/mem.h"
#include "nats/row.h"

#define FORM		"sctpd-nats standby 1"
#define ASSOC		"assoc."
#define LOAD_WAIT	5000	/* ms */

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

/* A bucket of this form: made if there is none. */
static kvStore *
open_bucket(struct life *life, char *why, size_t len)
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
	if (*form != '\0' && strcmp(form, FORM) != 0) {
		(void)snprintf(why, len, "the bucket %s is of another version: its key form says \"%s\", and this program writes \"%s\"; "
		    "let all members have the same version, or delete the bucket while nothing is taken over", name, form, FORM);
		goto bad;
	}
	return kv;
bad:
	kvStore_Destroy(kv);
	return NULL;
}

static bool
read_owner(kvStore *kv, struct bucket_owner *o, uint64_t *revision, char *why, size_t len)
{
	char	text[256];

	*o = (struct bucket_owner){ .term = 0 };
	if (!get(kv, "owner", text, sizeof text, revision, why, len))
		return false;
	if (*text == '\0' || row_read_term(text, o->member, &o->term))
		return true;
	(void)snprintf(why, len, "the bucket sctp-%s-standby: its key owner is \"%.100s\", and not \"member=NAME term=N\"; "
	    "delete the key, and take over", config.host, text);
	return false;
}

/* ---- look -------------------------------------------------------------- */

static void
add_row(struct bucket_look *l, kvEntry *e)
{
	const char	*key = kvEntry_Key(e);

	if (strncmp(key, ASSOC, strlen(ASSOC)) != 0 || kvEntry_Operation(e) != kvOp_Put)
		return;
	if ((l->n & (l->n - 1)) == 0 && (l->rows = realloc(l->rows, (l->n > 0 ? 2 * l->n : 1) * sizeof *l->rows)) == NULL)
		log_fatal("there is no memory left");
	l->rows[l->n++] = (struct bucket_row){ .name = xstrdup(key + strlen(ASSOC)), .text = xstrdup(kvEntry_ValueString(e)) };
}

/* All that is in it: the watcher gives what is there, and then an empty entry. */
static void
load(struct bucket_look *l, kvStore *kv)
{
	kvWatcher	*w = NULL;
	kvWatchOptions	 o;
	kvEntry		*e;
	natsStatus	 s;

	(void)kvWatchOptions_Init(&o);
	o.IgnoreDeletes = true;
	s = kvStore_WatchAll(&w, kv, &o);
	while (s == NATS_OK && (s = kvWatcher_Next(&e, w, LOAD_WAIT)) == NATS_OK && e != NULL) {
		add_row(l, e);
		kvEntry_Destroy(e);
	}
	kvWatcher_Destroy(w);
	if (s != NATS_OK)
		(void)failed(l->why, sizeof l->why, "reading it", s);
}

void
bucket_look(void *arg)
{
	struct bucket_look	*l = arg;
	kvStore			*kv = open_bucket(l->life, l->why, sizeof l->why);
	char			 text[512], member[BUCKET_MEMBER];

	if (kv == NULL)
		return;
	if (read_owner(kv, &l->owner, NULL, l->why, sizeof l->why) &&
	    get(kv, "taken", text, sizeof text, NULL, l->why, sizeof l->why)) {
		if (!row_read_term(text, member, &l->taken))
			l->taken = 0;
		if (l->all && strcmp(l->owner.member, config.standby) == 0)
			load(l, kv);
	}
	kvStore_Destroy(kv);
}

void
bucket_forget(struct bucket_look *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->rows[i].name);
		free(l->rows[i].text);
	}
	free(l->rows);
	l->rows = NULL;
	l->n = 0;
}

/* ---- write --------------------------------------------------------------- */

void
bucket_write(void *arg)
{
	struct bucket_write	*w = arg;
	struct bucket_change	*c;
	kvStore			*kv = open_bucket(w->life, w->why, sizeof w->why);
	natsStatus		 s = NATS_OK;

	while (kv != NULL && s == NATS_OK && (c = STAILQ_FIRST(&w->changes)) != NULL) {
		s = c->value != NULL ? kvStore_PutString(NULL, kv, c->key, c->value) : kvStore_Delete(kv, c->key);
		if (s != NATS_OK) {
			(void)failed(w->why, sizeof w->why, c->key, s);
			break;
		}
		STAILQ_REMOVE_HEAD(&w->changes, entry);
		free(c->key);
		free(c->value);
		free(c);
	}
	kvStore_Destroy(kv);
}

/* ---- take over ------------------------------------------------------------- */

/* Wait until the bridge of this member has restarted what there was. */
static bool
wait_for_report(kvStore *kv, uint64_t term, int64_t wait_ms, char *text, size_t size)
{
	static const struct timespec	pause = { .tv_nsec = 20 * 1000 * 1000 };
	int64_t				deadline = clock_ms() + wait_ms;
	char				why[512], member[BUCKET_MEMBER];
	uint64_t			of;

	for (;;) {
		if (!get(kv, "taken", text, size, NULL, why, sizeof why)) {
			(void)snprintf(text, size, "%s", why);
			return false;
		}
		if (row_read_term(text, member, &of) && of >= term)
			return true;
		if (clock_ms() >= deadline)
			break;
		(void)nanosleep(&pause, NULL);
	}
	(void)snprintf(text, size, "term %" PRIu64 " is %s's, but its bridge has not said within %" PRId64
	    " ms that it has the associations; does it run, and has it a connection to NATS and to sctpd?", term, config.standby, wait_ms);
	return false;
}

bool
bucket_take_over(struct life *life, int64_t wait_ms, char *text, size_t size)
{
	char			 why[512], value[256];
	struct bucket_owner	 o;
	uint64_t		 revision;
	natsStatus		 s;
	bool			 ok = false;
	kvStore			*kv = open_bucket(life, why, sizeof why);

	if (kv == NULL || !read_owner(kv, &o, &revision, why, sizeof why)) {
		(void)snprintf(text, size, "%s", why);
		kvStore_Destroy(kv);
		return false;
	}
	(void)snprintf(value, sizeof value, "member=%s term=%" PRIu64, config.standby, o.term + 1);
	s = revision == 0 ? kvStore_CreateString(NULL, kv, "owner", value) : kvStore_UpdateString(NULL, kv, "owner", value, revision);
	if (s == NATS_OK)
		ok = wait_for_report(kv, o.term + 1, wait_ms, text, size);
	else
		(void)snprintf(text, size, "somebody else has taken over in this moment, or the bucket cannot be written: %s; "
		    "see who has the addresses, and try again there", bus_why(s, why, sizeof why));
	kvStore_Destroy(kv);
	return ok;
}
