/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets: which there are, the users they are charged to, and their records.
 */
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "journal/fields.h"
#include "proto/codec.h"
#include "rpc/client.h"
#include "socket/sock.h"
#include "util/counter.h"
#include "util/mem.h"

/* Bytes that a socket is charged with, including its record in the journal. */
#define COST		(sizeof(struct sock) + MALLOC_EXTRA + 1024)

const struct sock_ops *sock_ops;

static struct hash socks;

void
sock_init(const struct sock_ops *ops)
{
	sock_ops = ops;
}

struct sock *
sock_find(uint64_t handle)
{
	return HASH_FIND(sock, &socks, handle);
}

struct sock *
sock_next(const struct sock *s)
{
	return (struct sock *)(void *)hash_next(&socks, s != NULL ? &s->node : NULL);
}

struct sock *
sock_after(const uint64_t *handle)
{
	return (struct sock *)(void *)hash_after(&socks, handle);
}

size_t
sock_count(void)
{
	return socks.count;
}

/* ---- its record ------------------------------------------------------ */

/* The options that the daemon keeps, each by its name. */
static void
pack_own(msgpack_packer *pk, const struct sockopt_own *own)
{
	uint32_t	n = 0;

	for (const struct sockopt *o = sockopt_table; o->name != NULL; o++)
		n += o->level == LEVEL_STORED;
	msgpack_pack_map(pk, n);
	for (const struct sockopt *o = sockopt_table; o->name != NULL; o++) {
		if (o->level != LEVEL_STORED)
			continue;
		codec_pack_text(pk, o->name);
		codec_pack(pk, o->fields, (const char *)own + o->optname, o->size);
	}
}

static void
write_fields(struct sock *s)
{
	struct sock_record	 k = {
		.handle = s->node.key,
		.owner = s->owner->node.key,
		.uid = s->uid,
		.many = s->many,
		.peeled = s->peeled,
		.listening = s->listening,
		.over = s->over,
		.plain = s->stack.has_local_options,
		.own_point = s->stack.own_point,
		.own_port = s->stack.own_port,
		.inet6 = s->family == AF_INET6,
		.lent = s->lent,
		.home = s->home != NULL ? s->home->node.key : 0,
		.group = s->group,
		.port = s->port,
		.name = s->name,
		.netns_number = s->stack.netns_number,
		.want_receive = (uint32_t)s->stack.sizes.want.receive,
		.want_send = (uint32_t)s->stack.sizes.want.send,
	};
	msgpack_sbuffer		 b;
	msgpack_packer		 pk;

	for (unsigned i = 0; i < SUBSCRIBE_SIZE; i++)
		k.subscribed |= s->subscribed[i] ? 1u << i : 0;
	msgpack_sbuffer_init(&b);
	msgpack_packer_init(&pk, &b, msgpack_sbuffer_write);
	msgpack_pack_array(&pk, 2);
	codec_pack(&pk, sock_record_fields, &k, sizeof k);
	pack_own(&pk, &s->own);
	kept_write_packed(&s->kept, RECORD_SOCK, b.data, b.size);
	msgpack_sbuffer_destroy(&b);
}

static void
write_sock(struct kept *kept)
{
	struct sock	*s = (struct sock *)(void *)((char *)kept - offsetof(struct sock, kept));

	if (s->fields_changed || kept->record == NULL)
		write_fields(s);
	s->fields_changed = false;
	kept_set_word(kept, SOCK_ACTIVE, (uint64_t)s->active << 32 | (uint32_t)s->count);
	kept_set_word(kept, SOCK_RECV_CNT, s->received.cnt);
	kept_set_word(kept, SOCK_RECV_OCT, s->received.oct);
	kept_set_word(kept, SOCK_SEND_CNT, s->sent.cnt);
	kept_set_word(kept, SOCK_SEND_OCT, s->sent.oct);
	kept_set_word(kept, SOCK_MAX, s->received.max << 32 | s->sent.max);
}

void
sock_changed(struct sock *s)
{
	s->fields_changed = true;
	kept_changed(&s->kept);
}

/* ---- life ----------------------------------------------------------- */

const char *
sock_no_room(const struct client *c)
{
	const struct user	*u = c->account.user;

	if (!user_may(u, CHARGE_SOCKETS, 1))
		return user_why_not(u, CHARGE_SOCKETS, 1);
	return budget_no_room(u);
}

void
sock_charge(struct sock *s, uid_t uid)
{
	s->uid = uid;
	s->user = user_get(uid);
	user_charge(s->user, CHARGE_SOCKETS, 1);
	user_charge(s->user, CHARGE_MEMORY, COST);
}

void
sock_discharge(struct sock *s)
{
	user_discharge(s->user, CHARGE_SOCKETS, 1);
	user_discharge(s->user, CHARGE_MEMORY, COST);
	s->user = user_put(s->user);
}

struct sock *
sock_make(struct client *owner, bool many, int family, uint64_t handle)
{
	struct sock	*s = xcalloc(1, sizeof *s);

	s->owner = owner;
	sock_charge(s, owner->uid);
	s->many = many;
	s->family = family;
	s->own = sockopt_own_defaults;
	s->stack.fd = s->stack.set = s->stack.only = s->stack.netns = -1;
	TAILQ_INIT(&s->pending);
	LIST_INIT(&s->lookups);
	hash_add(&socks, &s->node, handle);
	TAILQ_INSERT_TAIL(&owner->socks, s, owned);
	owner->nsocks++;
	kept_init(&s->kept, write_sock);
	sock_changed(s);
	return s;
}

bool
sock_is_taken(uint64_t number)
{
	return sock_find(number) != NULL;
}

void
sock_add_counts(uint64_t to[])
{
	struct sock	*s = NULL;

	while ((s = sock_next(s)) != NULL) {
		to[COUNTER_recv_cnt] += s->received.cnt;
		to[COUNTER_send_cnt] += s->sent.cnt;
		to[COUNTER_recv_oct] += s->received.oct;
		to[COUNTER_send_oct] += s->sent.oct;
	}
}

void
sock_free(struct sock *s)
{
	COUNT(recv_cnt, s->received.cnt);
	COUNT(send_cnt, s->sent.cnt);
	COUNT(recv_oct, s->received.oct);
	COUNT(send_oct, s->sent.oct);
	kept_drop(&s->kept);
	TAILQ_REMOVE(&s->owner->socks, s, owned);
	s->owner->nsocks--;
	hash_remove(&socks, &s->node);
	hash_free(&s->assocs);
	sock_discharge(s);
	free(s);
}

void
sock_free_all(void)
{
	hash_free(&socks);
}
