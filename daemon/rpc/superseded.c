/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last message to a connection that its client has lost: see superseded.h.
 */
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "limits/user.h"
#include "proto/codec.h"
#include "proto/event_type.h"
#include "rpc/superseded.h"
#include "util/loop.h"
#include "util/mem.h"

/* For each user; more would serve only processes that supersede each other in a circle. */
#define MOST	16

struct superseded {
	TAILQ_ENTRY(superseded)	 entry;
	struct user		*user;
	size_t			 charged;
	struct event		 event;
	struct buf		 words;
	int			 fd;
};

static TAILQ_HEAD(, superseded) all = TAILQ_HEAD_INITIALIZER(all);

static const struct timeval time_to_read = { .tv_sec = 30 };

static void
superseded_end(struct superseded *f)
{
	TAILQ_REMOVE(&all, f, entry);
	user_discharge(f->user, CHARGE_CLIENTS, 1);
	user_discharge(f->user, CHARGE_MEMORY, f->charged);
	(void)user_put(f->user);
	(void)event_del(&f->event);
	(void)close(f->fd);
	buf_free(&f->words);
	free(f);
}

/* Read and discard what it still sends, so that it sees this message and not an error first. */
static void
superseded_on_readable(evutil_socket_t fd, short what, void *arg)
{
	char	trash[4096];

	if (what != EV_READ || recv(fd, trash, sizeof trash, MSG_DONTWAIT) <= 0)
		superseded_end(arg);
}

static void
superseded_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct superseded	*f = arg;
	ssize_t		 n = send(fd, buf_data(&f->words), buf_len(&f->words), MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0)
		buf_drop(&f->words, (size_t)n);
	else if (what != EV_WRITE || errno != EAGAIN) {
		superseded_end(f);
		return;
	}
	if (buf_len(&f->words) > 0)
		return;
	(void)shutdown(fd, SHUT_WR);
	(void)event_del(&f->event);
	(void)event_assign(&f->event, loop_base(), fd, EV_READ | EV_PERSIST, superseded_on_readable, f);
	if (event_add(&f->event, &time_to_read) == -1)
		superseded_end(f);
}

static int
pack_to_buf(void *arg, const char *p, size_t n)
{
	buf_add(arg, p, n);
	return 0;
}

/* A complete event with these fields. */
static void
pack_event(struct buf *b, const struct event_type *row, const void *body)
{
	msgpack_packer	pk;

	msgpack_packer_init(&pk, b, pack_to_buf);
	msgpack_pack_array(&pk, 3);
	msgpack_pack_uint8(&pk, RPC_NOTIFICATION);
	codec_pack_text(&pk, row->name);
	msgpack_pack_array(&pk, 1);
	codec_pack(&pk, row->fields, body, row->size);
}

/* Make room for one more of this user. */
static void
end_the_oldest(const struct user *u)
{
	struct superseded	*f, *oldest = NULL;
	unsigned	 n = 0;

	TAILQ_FOREACH(f, &all, entry) {
		if (f->user != u)
			continue;
		if (n++ == 0)
			oldest = f;
	}
	if (n >= MOST)
		superseded_end(oldest);
}

void
superseded_say(struct user *u, int fd, const char *rest, size_t len, pid_t pid)
{
	struct event_superseded		e = { .pid = (uint64_t)pid };
	struct superseded			*f;
	int				 own = dup(fd);

	if (own == -1)
		return;
	end_the_oldest(u);
	f = xcalloc(1, sizeof *f);
	f->fd = own;
	buf_add(&f->words, rest, len);
	pack_event(&f->words, EVENT_superseded, &e);
	f->user = user_get(user_uid(u));
	user_charge(u, CHARGE_CLIENTS, 1);
	f->charged = sizeof *f + f->words.cap;
	user_charge(u, CHARGE_MEMORY, f->charged);
	TAILQ_INSERT_TAIL(&all, f, entry);
	(void)event_assign(&f->event, loop_base(), f->fd, EV_WRITE | EV_PERSIST,
	    superseded_on_writable, f);
	if (event_add(&f->event, &time_to_read) == -1)
		superseded_end(f);
}

void
superseded_refuse(int fd, const char *why)
{
	char			 text[320];
	struct event_error	 e = { .method = { "", 0 }, .error = { text, 0 } };
	struct buf		 b = { .mem = NULL };

	e.error.len = (uint32_t)snprintf(text, sizeof text, "%s: %s", error_table[ERR_limit].code, why);
	pack_event(&b, EVENT_error, &e);
	(void)send(fd, buf_data(&b), buf_len(&b), MSG_NOSIGNAL | MSG_DONTWAIT);
	buf_free(&b);
}
