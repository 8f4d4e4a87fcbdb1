/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes to clients: packed as it happens, written once a turn.
 */
#include <errno.h>
#include <string.h>

#include "client.h"
#include "codec.h"
#include "config.h"
#include "keep.h"
#include "sock.h"
#include "turn.h"

static struct client_list dirty = TAILQ_HEAD_INITIALIZER(dirty);
static struct client_list writing = TAILQ_HEAD_INITIALIZER(writing);

void
client_dirty(struct client *c)
{
	if (c->out.session && !c->dead)
		keep_output(c);
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
	char	done[HOT_DONE_MAX];

	client_dirty(c);
	output_begin(&c->out, MESSAGE_ANSWER, 0);
	output_add(&c->out, done, hot_write_done(done, msgid));
}

void
client_data(struct client *c, uint64_t sock, struct hot_from *f,
    const struct sockaddr_storage *from, const struct sndrcvinfo *info, struct slice data)
{
	char	head[HOT_EVENT_MAX];

	client_dirty(c);
	output_begin(&c->out, MESSAGE_EVENT, sock);
	output_add(&c->out, head, hot_write_data(head, c->token[0] != '\0' ? c->out.seq : 0,
	    sock, f, from, info, data.len));
	output_add(&c->out, data.ptr, data.len);
}

msgpack_packer *
client_event_begin(struct client *c, const struct notice *row, uint64_t sock,
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
client_tell(struct client *c, const struct notice *row, uint64_t sock, const void *body)
{
	msgpack_packer	*pk;

	if (!c->events || c->dead || (c->away && c->token[0] == '\0'))
		return;
	/* Of these only what comes from the stack is its next owner's business. */
	pk = client_event_begin(c, row, sock, codec_count(row->fields, body, row->size),
	    row == notice_send_failed || row == notice_passive);
	codec_pack_fields(pk, row->fields, body, row->size);
}

bool
client_has_room(struct client *c)
{
	size_t	most = account_is_short(&c->account) ? 1 : config.client_queue;

	if (!c->away && output_held(&c->out) < most)
		return true;
	c->starved = true;
	return false;
}

/* There is room again: what was kept back may come. */
static void
client_feed(struct client *c)
{
	struct event_overrun	 e = { .lost = c->lost };
	struct sock		*s, *next;

	if (c->lost > 0) {
		c->lost = 0;
		client_tell(c, notice_overrun, 0, &e);
	}
	if (!c->starved)
		return;
	c->starved = false;
	for (s = TAILQ_FIRST(&c->socks); s != NULL; s = next) {
		next = TAILQ_NEXT(s, owned);
		sock_pump(s);
	}
}

static void
client_write(struct client *c)
{
	size_t	left;
	ssize_t	n;

	if (c->away) {
		buf_free(&c->in);
		account_change(&c->account, &c->in_charged, 0);
		return;
	}
	if ((n = output_write(&c->out, c->fd)) == -1 && client_lacks_memory(errno)) {
		client_try_again(c, errno);
		return;
	}
	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		client_lost(c, strerror(errno));
		return;
	}
	if (n > 0) {
		c->trouble = 0;
		if (c->answers > 0)	/* what peers send is not its doing */
			turn_spend_calls(c->account.user, 2);
	}
	if (c->out.self_acking)
		keep_output(c);		/* what was written is handled */
	if (c->out.plain.cap != c->out_charged)
		account_change(&c->account, &c->out_charged, c->out.plain.cap);
	left = output_unwritten(&c->out);
	if (c->answers > left)
		c->answers = left;
	if (left > 0 && event_add(&c->writable, NULL) == -1) {
		client_lost(c, strerror(errno));
		return;
	}
	if (output_held(&c->out) < config.client_queue / 2)
		client_feed(c);	/* as much as client_has_room lets it */
	client_serve_again(c);
	client_end_if_done(c);
}

void
client_on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	client_dirty(arg);	/* written when the turn ends, and is in the journal */
}

/* ---- the end of a turn ---------------------------------------------- */

void
client_end_turn(void)
{
	struct client	*c;

	/* Nothing is said to anybody that is not in the journal. */
	do {
		keep_commit();
		TAILQ_CONCAT(&writing, &dirty, dirty_entry);
		TAILQ_FOREACH(c, &writing, dirty_entry)
			c->listed = true;
		while ((c = TAILQ_FIRST(&writing)) != NULL) {
			TAILQ_REMOVE(&writing, c, dirty_entry);
			c->dirty = c->listed = false;
			if (c->output_changed)
				client_dirty(c);	/* since the commit: after the next */
			else
				client_write(c);
		}
	} while (!TAILQ_EMPTY(&dirty));
	if (client_free_dead())
		keep_commit();	/* their messages are of no use any more */
	user_trim();
}
