/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last words to a connection that is not its client's any more.
 */
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec.h"
#include "farewell.h"
#include "loop.h"
#include "mem.h"
#include "notice.h"

struct farewell {
	struct event	event;
	struct buf	words;
	int		fd;
};

static const struct timeval farewell_patience = { .tv_sec = 30 };

static void
farewell_end(struct farewell *f)
{
	(void)event_del(&f->event);
	(void)close(f->fd);
	buf_free(&f->words);
	free(f);
}

/* What it still sends is taken and thrown away: else it would see that first. */
static void
farewell_on_readable(evutil_socket_t fd, short what, void *arg)
{
	char	trash[4096];

	if (what != EV_READ || recv(fd, trash, sizeof trash, MSG_DONTWAIT) <= 0)
		farewell_end(arg);
}

static void
farewell_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct farewell	*f = arg;
	ssize_t		 n = send(fd, buf_data(&f->words), buf_len(&f->words), MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0)
		buf_drop(&f->words, (size_t)n);
	else if (what != EV_WRITE || errno != EAGAIN) {
		farewell_end(f);
		return;
	}
	if (buf_len(&f->words) > 0)
		return;
	(void)shutdown(fd, SHUT_WR);
	(void)event_del(&f->event);
	(void)event_assign(&f->event, loop_base(), fd, EV_READ | EV_PERSIST, farewell_on_readable, f);
	(void)event_add(&f->event, &farewell_patience);
}

static int
pack_to_buf(void *arg, const char *p, size_t n)
{
	buf_add(arg, p, n);
	return 0;
}

void
farewell_say(int fd, const char *rest, size_t len, pid_t pid)
{
	struct event_superseded		e = { .pid = (uint64_t)pid };
	struct farewell			*f = xcalloc(1, sizeof *f);
	msgpack_packer			 pk;

	if ((f->fd = dup(fd)) == -1) {
		free(f);
		return;
	}
	buf_add(&f->words, rest, len);
	msgpack_packer_init(&pk, &f->words, pack_to_buf);
	msgpack_pack_array(&pk, 3);
	msgpack_pack_uint8(&pk, RPC_NOTIFICATION);
	codec_pack_text(&pk, notice_superseded->name);
	msgpack_pack_array(&pk, 1);
	codec_pack(&pk, notice_superseded->fields, &e, sizeof e);
	(void)event_assign(&f->event, loop_base(), f->fd, EV_WRITE | EV_PERSIST,
	    farewell_on_writable, f);
	(void)event_add(&f->event, &farewell_patience);
}
