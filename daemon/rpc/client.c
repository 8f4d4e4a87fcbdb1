/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients: which there are, and what is packed for them.
 */
#include <stddef.h>
#include <string.h>

#include "config.h"
#include "journal/fields.h"
#include "proto/codec.h"
#include "rpc/client.h"
#include "util/mem.h"

static struct hash clients;
static struct client_list watchers = TAILQ_HEAD_INITIALIZER(watchers);
static struct client_list dirty = TAILQ_HEAD_INITIALIZER(dirty);
static struct client_list writing = TAILQ_HEAD_INITIALIZER(writing);

struct client *
client_find(uint64_t number)
{
	return HASH_FIND(client, &clients, number);
}

struct client *
client_next(const struct client *c)
{
	return (struct client *)(void *)hash_next(&clients, c != NULL ? &c->node : NULL);
}

size_t
client_count(void)
{
	return clients.count;
}

size_t
client_count_away(void)
{
	struct client	*c = NULL;
	size_t		 n = 0;

	while ((c = client_next(c)) != NULL)
		n += c->away && !c->resident;
	return n;
}

bool
client_may_use(const struct client *c, uid_t uid)
{
	return c->uid == uid || c->uid == 0;
}

/* ---- what is packed for it ------------------------------------------ */

void
client_dirty(struct client *c)
{
	if (c->out.session && !c->dead)
		client_output_changed(c);
	if (c->dirty || c->dead)
		return;
	c->dirty = true;
	TAILQ_INSERT_TAIL(&dirty, c, dirty_entry);
}

void
client_said(struct client *c)
{
	if (c->token[0] == '\0')
		return;
	c->said = true;
	client_dirty(c);
}

void
client_begin_writing(void)
{
	struct client	*c;

	TAILQ_CONCAT(&writing, &dirty, dirty_entry);
	TAILQ_FOREACH(c, &writing, dirty_entry)
		c->listed = true;
}

struct client *
client_next_to_write(void)
{
	struct client	*c = TAILQ_FIRST(&writing);

	if (c != NULL) {
		TAILQ_REMOVE(&writing, c, dirty_entry);
		c->dirty = c->listed = false;
	}
	return c;
}

bool
client_any_dirty(void)
{
	return !TAILQ_EMPTY(&dirty);
}

void
client_clean(struct client *c)
{
	if (c->listed)
		TAILQ_REMOVE(&writing, c, dirty_entry);
	else if (c->dirty)
		TAILQ_REMOVE(&dirty, c, dirty_entry);
	c->dirty = c->listed = false;
}

static int
pack_to_client(void *arg, const char *p, size_t n)
{
	struct client	*c = arg;

	output_add(&c->out, p, n);
	return 0;
}

msgpack_packer *
client_packer(struct client *c, enum message_kind kind, uint64_t sock)
{
	static msgpack_packer	pk;

	client_dirty(c);
	output_begin(&c->out, kind, sock);
	msgpack_packer_init(&pk, c, pack_to_client);
	return &pk;
}

void
client_answer_done(struct client *c, uint32_t msgid)
{
	char	done[FASTPATH_DONE_MAX];

	client_dirty(c);
	output_begin(&c->out, MESSAGE_ANSWER, 0);
	output_add(&c->out, done, fastpath_write_done(done, msgid));
}

void
client_data(struct client *c, uint64_t sock, struct fastpath_from *f,
    const struct sockaddr_storage *from, const struct sndrcvinfo *info, uint64_t timestamp,
    struct slice data)
{
	char	head[FASTPATH_EVENT_MAX];

	client_dirty(c);
	output_begin(&c->out, MESSAGE_EVENT, sock);
	output_add(&c->out, head, fastpath_write_data(head, c->token[0] != '\0' ? c->out.seq : 0,
	    sock, f, from, info, timestamp, data.len));
	output_add(&c->out, data.ptr, data.len);
}

msgpack_packer *
client_event_begin(struct client *c, const struct event_type *row, uint64_t sock,
    unsigned n, bool moves)
{
	msgpack_packer		*pk = client_packer(c, MESSAGE_EVENT, moves ? sock : 0);
	struct event_head	 head = { .sock = sock };

	if (c->token[0] != '\0')
		head.seq = c->out.seq;
	msgpack_pack_array(pk, 3);
	msgpack_pack_uint8(pk, RPC_NOTIFICATION);
	codec_pack_text(pk, row->name);
	msgpack_pack_array(pk, 1);
	msgpack_pack_map(pk, n + (head.seq != 0) + (sock != 0));
	codec_pack_fields(pk, event_head_fields, &head, sizeof head);
	return pk;
}

void
client_tell(struct client *c, const struct event_type *row, uint64_t sock, const void *body)
{
	msgpack_packer	*pk;

	if (!c->events || c->dead || (c->away && c->token[0] == '\0'))
		return;
	/* Of these, only what comes from the stack goes to the socket's next owner. */
	pk = client_event_begin(c, row, sock, codec_count(row->fields, body, row->size),
	    row == EVENT_send_failed || row == EVENT_passive);
	codec_pack_fields(pk, row->fields, body, row->size);
}

bool
client_has_room(struct client *c)
{
	size_t	most = account_is_short(&c->account) ? 1 : config.client_queue;

	if (!c->away && output_unacked(&c->out) < most)
		return true;
	c->starved = true;
	return false;
}

/* ---- what waits, and who watches ------------------------------------ */

void
client_wait_more(struct client *c, size_t n)
{
	c->waiting += n;
}

void
client_wait_less(struct client *c, size_t n)
{
	c->waiting -= n;
	if (c->paused)
		client_dirty(c);
}

void
client_watch(struct client *c, bool on)
{
	if (on == c->watching)
		return;
	c->watching = on;
	client_changed(c);
	if (on)
		TAILQ_INSERT_TAIL(&watchers, c, watch_entry);
	else
		TAILQ_REMOVE(&watchers, c, watch_entry);
}

struct client *
client_next_watcher(const struct client *c)
{
	return c == NULL ? TAILQ_FIRST(&watchers) : TAILQ_NEXT(c, watch_entry);
}

/* ---- its record ------------------------------------------------------ */

static void
write_fields(struct client *c)
{
	struct client_record	 k = {
		.number = c->node.key,
		.uid = c->uid,
		.pid = (uint32_t)c->pid,
		.events = c->events,
		.watching = c->watching,
		.resident = c->resident,
	};

	strcpy(k.token, c->token);
	if (c->name != NULL)
		strncpy(k.name, c->name, sizeof k.name - 1);
	kept_write(&c->kept, RECORD_CLIENT, client_record_fields, &k, sizeof k);
}

/* Words are set after the fields, because a new record has none. The output goes with both. */
static void
write_client(struct kept *kept)
{
	struct client	*c = (struct client *)(void *)((char *)kept - offsetof(struct client, kept));

	if (c->fields_changed && c->out.session)
		write_fields(c);
	if (c->output_changed)
		output_stage(&c->out);
	c->fields_changed = c->output_changed = false;
	if (c->kept.record == NULL)
		return;
	kept_set_word(&c->kept, CLIENT_ACKED, c->out.acked);
	kept_set_word(&c->kept, CLIENT_SEQ, c->out.seq);
	kept_set_word(&c->kept, CLIENT_NOTIFICATIONS, c->notifications - c->unsettled);
	c->said = false;
}

void
client_changed(struct client *c)
{
	if (c->dead)
		return;
	c->fields_changed = true;
	kept_changed(&c->kept);
}

void
client_output_changed(struct client *c)
{
	c->output_changed = true;
	kept_changed(&c->kept);
}

/* ---- life ----------------------------------------------------------- */

struct client *
client_make(uint64_t number, uid_t uid)
{
	struct client	*c = xcalloc(1, sizeof *c);

	c->fd = -1;
	c->uid = uid;
	c->away = true;
	kept_init(&c->kept, write_client);
	TAILQ_INIT(&c->calls);
	TAILQ_INIT(&c->asked);
	TAILQ_INIT(&c->socks);
	LIST_INIT(&c->memberships);
	account_open(&c->account, uid);
	account_charge(&c->account, sizeof *c + MALLOC_EXTRA);
	output_init(&c->out, &c->account);
	hash_add(&clients, &c->node, number);
	return c;
}

struct client *
client_make_resident(uint64_t number, uid_t uid, const char *name)
{
	struct client	*c = client_make(number, uid);

	c->resident = true;
	c->name = xstrdup(name);
	output_keep(&c->out, number, false);
	client_changed(c);
	return c;
}

void
client_forget(struct client *c)
{
	hash_remove(&clients, &c->node);
}

void
client_free_all(void)
{
	hash_free(&clients);
}
