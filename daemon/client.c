/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections: bytes in, messages out to dispatch, bytes out.
 *
 * Raw libevent events and own buffers: a bufferevent reads 4 KiB a call and
 * re-arms itself for every answer, which costs two thirds of the speed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "codec.h"
#include "config.h"
#include "dispatch.h"
#include "log.h"
#include "loop.h"
#include "sock.h"

#define READ_SIZE	(256u << 10)
#define FRAME_EXTRA	(1u << 20)	/* a frame may exceed the longest message by */

TAILQ_HEAD(client_list, client);

static struct hash clients;
static struct client_list dirty = TAILQ_HEAD_INITIALIZER(dirty);
static struct client_list watchers = TAILQ_HEAD_INITIALIZER(watchers);
static struct client_list dead = TAILQ_HEAD_INITIALIZER(dead);
static uint64_t last_number;

/*
 * Those that are paused may go too, and be the last to hold what they wait
 * for. An epoll set tells: libevent's EV_CLOSED is lost beside an error.
 */
static int gone_set = -1;
static struct event gone;

/* What one read brings; only an unfinished message is copied from it. */
static char input[READ_SIZE];

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

bool
client_may_use(const struct client *c, uid_t uid)
{
	return c->uid == uid || c->uid == 0;
}

/* ---- in ------------------------------------------------------------- */

/*
 * Its answers, or its messages that find no room, have become too many. Not
 * its events: they stop by themselves, and it may be writing a request, and
 * read nothing until that is taken.
 */
static bool
is_over_limit(const struct client *c)
{
	return c->answers >= config.client_queue ||
	    c->waiting >= config.client_queue;
}

static void
client_pause(struct client *c)
{
	struct epoll_event	ev = { .events = EPOLLRDHUP, .data.ptr = c };

	if (c->paused)
		return;
	c->paused = true;
	(void)event_del(&c->readable);
	if (epoll_ctl(gone_set, EPOLL_CTL_ADD, c->fd, &ev) == -1)
		client_lost(c, strerror(errno));
}

static void
lose_the_gone(void)
{
	struct epoll_event	ev[16];
	int			n = epoll_wait(gone_set, ev, 16, 0);

	for (int i = 0; i < n; i++)
		client_lost(ev[i].data.ptr, "it closed the connection");
}

static void
client_on_gone(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	lose_the_gone();
}

/* It sent what is no MessagePack-RPC: one line, and the connection is over. */
static void
refuse(struct client *c, enum frame_result r)
{
	if (log_allowed())
		log_notice("client %llu: dropped, it sent %s, pid=%d uid=%u",
		    (unsigned long long)c->node.key, frame_why(r), (int)c->pid,
		    (unsigned)c->uid);
	client_lost(c, frame_why(r));
}

/* Serve the messages in n bytes; gives how many bytes they took. */
static size_t
serve(struct client *c, const char *p, size_t n)
{
	size_t			len, before, done = 0;
	size_t			max = config.max_message + FRAME_EXTRA;
	enum frame_result	r;

	while (done < n && !c->dead) {
		before = buf_len(&c->out);
		if (is_over_limit(c)) {
			client_pause(c);
			break;
		}
		r = frame_scan(&c->frame, p + done, n - done, max, &len);
		if (r == FRAME_MORE)
			break;
		if (r != FRAME_MESSAGE || !dispatch(c, p + done, len)) {
			refuse(c, r == FRAME_MESSAGE ? FRAME_GARBAGE : r);
			break;
		}
		done += len;
		c->answers += buf_len(&c->out) - before;
	}
	return done;
}

/* Serve what was read before and could not be served then. */
static void
serve_rest(struct client *c)
{
	size_t	done = serve(c, buf_data(&c->in), buf_len(&c->in));

	if (!c->dead)
		buf_drop(&c->in, done);
}

static void
serve_input(struct client *c, size_t n)
{
	size_t	done;

	if (buf_len(&c->in) > 0) {
		buf_grow(&c->in, n);
		serve_rest(c);
		return;
	}
	done = serve(c, input, n);
	if (!c->dead)
		buf_add(&c->in, input + done, n - done);
}

static void
client_read(struct client *c)
{
	char	*to = buf_len(&c->in) > 0 ? buf_room(&c->in, READ_SIZE) : input;
	ssize_t	 n = recv(c->fd, to, READ_SIZE, 0);

	if (n > 0)
		serve_input(c, (size_t)n);
	else if (n == 0)
		client_lost(c, "it closed the connection");
	else if (errno != EAGAIN && errno != EINTR)
		client_lost(c, strerror(errno));
}

static void
client_on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	client_read(arg);
}

/* Read its requests again, if nothing speaks against it any more. */
static void
client_resume(struct client *c)
{
	if (!c->paused || c->dead || is_over_limit(c))
		return;
	c->paused = false;
	(void)epoll_ctl(gone_set, EPOLL_CTL_DEL, c->fd, NULL);
	serve_rest(c);
	if (!c->paused && !c->dead)
		(void)event_add(&c->readable, NULL);
}

void
client_wait_more(struct client *c, size_t n)
{
	c->waiting += n;
}

void
client_wait_less(struct client *c, size_t n)
{
	c->waiting -= n;
	if (c->paused && !c->dirty) {
		c->dirty = true;	/* looked at again when the turn ends */
		TAILQ_INSERT_TAIL(&dirty, c, dirty_entry);
	}
}

/* ---- out ------------------------------------------------------------ */

static int
pack_to_client(void *arg, const char *p, size_t n)
{
	struct client	*c = arg;

	buf_add(&c->out, p, n);
	return 0;
}

msgpack_packer *
client_packer(struct client *c)
{
	static msgpack_packer	pk;

	if (!c->dirty && !c->dead) {
		c->dirty = true;
		TAILQ_INSERT_TAIL(&dirty, c, dirty_entry);
	}
	msgpack_packer_init(&pk, c, pack_to_client);
	return &pk;
}

void
client_tell(struct client *c, const struct notice *row, uint64_t sock, const void *body)
{
	struct event_head	 head = { .sock = sock };
	msgpack_packer		*pk;

	if (!c->events || c->dead)
		return;
	pk = client_packer(c);
	msgpack_pack_array(pk, 3);
	msgpack_pack_uint8(pk, RPC_NOTIFICATION);
	codec_pack_text(pk, row->name);
	msgpack_pack_array(pk, 1);
	msgpack_pack_map(pk, (sock != 0) + codec_count(row->fields, body, row->size));
	if (sock != 0)
		codec_pack_fields(pk, event_head_fields, &head, sizeof head);
	codec_pack_fields(pk, row->fields, body, row->size);
}

bool
client_has_room(struct client *c)
{
	if (buf_len(&c->out) < config.client_queue)
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
	ssize_t	n;

	if (buf_len(&c->out) > 0) {
		n = send(c->fd, buf_data(&c->out), buf_len(&c->out), MSG_NOSIGNAL);
		if (n == -1 && errno != EAGAIN && errno != EINTR) {
			client_lost(c, strerror(errno));
			return;
		}
		if (n > 0)
			buf_drop(&c->out, (size_t)n);
		if (c->answers > buf_len(&c->out))
			c->answers = buf_len(&c->out);
	}
	if (buf_len(&c->out) > 0)
		(void)event_add(&c->writable, NULL);
	if (buf_len(&c->out) < config.client_queue / 2)
		client_feed(c);
	client_resume(c);
}

static void
client_on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	client_write(arg);
}

void
client_watch(struct client *c, bool on)
{
	if (on == c->watching)
		return;
	c->watching = on;
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

/* ---- life ----------------------------------------------------------- */

void
client_init(void)
{
	if ((gone_set = epoll_create1(EPOLL_CLOEXEC)) == -1)
		log_fatal("epoll_create1: %s", strerror(errno));
	(void)event_assign(&gone, loop_base(), gone_set, EV_READ | EV_PERSIST,
	    client_on_gone, NULL);
	(void)event_add(&gone, NULL);
}

void
client_new(int fd)
{
	struct client	*c = xcalloc(1, sizeof *c);
	struct ucred	 cred = { .uid = (uid_t)-1 };
	socklen_t	 len = sizeof cred;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1) {
		log_warning("client: refused, its user is unknown: %s", strerror(errno));
		(void)close(fd);
		free(c);
		return;
	}
	c->fd = fd;
	c->uid = cred.uid;
	c->pid = cred.pid;
	TAILQ_INIT(&c->calls);
	TAILQ_INIT(&c->socks);
	hash_add(&clients, &c->node, ++last_number);
	(void)event_assign(&c->readable, loop_base(), fd, EV_READ | EV_PERSIST,
	    client_on_readable, c);
	(void)event_assign(&c->writable, loop_base(), fd, EV_WRITE,
	    client_on_writable, c);
	(void)event_add(&c->readable, NULL);
	log_debug("client %llu: connected, pid=%d uid=%u",
	    (unsigned long long)c->node.key, (int)c->pid, (unsigned)c->uid);
}

static void
end_calls(struct client *c)
{
	struct call	*call;

	while ((call = TAILQ_FIRST(&c->calls)) != NULL)
		call->end(call, CALL_CLIENT_GONE);
}

void
client_lost(struct client *c, const char *why)
{
	struct sock	*s;

	if (c->dead)
		return;
	c->dead = true;
	log_debug("client %llu: lost, %zu sockets closed: %s",
	    (unsigned long long)c->node.key, c->nsocks, why);
	client_watch(c, false);
	(void)event_del(&c->readable);
	(void)event_del(&c->writable);
	/* It may have closed its side only, and wait for what it was answered. */
	if (buf_len(&c->out) > 0)
		(void)send(c->fd, buf_data(&c->out), buf_len(&c->out), MSG_NOSIGNAL);
	end_calls(c);
	while ((s = TAILQ_FIRST(&c->socks)) != NULL)
		sock_close(s, "its owner is gone");
	(void)close(c->fd);
	hash_remove(&clients, &c->node);
	if (c->dirty)
		TAILQ_REMOVE(&dirty, c, dirty_entry);
	TAILQ_INSERT_TAIL(&dead, c, dirty_entry);
}

static void
client_free(struct client *c)
{
	buf_free(&c->in);
	buf_free(&c->out);
	free(c->name);
	free(c);
}

void
client_end_turn(void)
{
	struct client	*c;

	while ((c = TAILQ_FIRST(&dirty)) != NULL) {
		TAILQ_REMOVE(&dirty, c, dirty_entry);
		c->dirty = false;
		client_write(c);
	}
	while ((c = TAILQ_FIRST(&dead)) != NULL) {
		TAILQ_REMOVE(&dead, c, dirty_entry);
		client_free(c);
	}
}

void
client_free_all(void)
{
	struct client	*c;

	while ((c = client_next(NULL)) != NULL)
		client_lost(c, "the daemon ends");
	client_end_turn();
	hash_free(&clients);
	(void)event_del(&gone);
	(void)close(gone_set);
}
