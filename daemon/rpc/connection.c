/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections: bytes in, messages out to dispatch, bytes out.
 *
 * Raw libevent events and own buffers: a bufferevent reads 4 KiB a call and
 * re-arms itself for every answer, which costs two thirds of the speed.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "assoc.h"
#include "client.h"
#include "codec.h"
#include "config.h"
#include "dispatch.h"
#include "farewell.h"
#include "journal.h"
#include "keep.h"
#include "log.h"
#include "loop.h"
#include "sock.h"
#include "stuck.h"
#include "turn.h"

#define READ_SIZE	(256u << 10)
#define READ_SHARED	(32u << 10)	/* while others wait meanwhile */
#define READ_SHORT	(16u << 10)	/* while its user is short of memory */
#define FRAME_EXTRA	(1u << 20)	/* a frame may exceed the longest message by */
/* Queues' worth of messages that a session may leave without acknowledgement. */
#define HELD_QUEUES	4

static struct hash clients;
static size_t npaused;
static struct client_list watchers = TAILQ_HEAD_INITIALIZER(watchers);
static struct client_list dead = TAILQ_HEAD_INITIALIZER(dead);

/*
 * Those that are not read may go too, and be the last to hold what they wait
 * for. An epoll set tells, which is asked for no event but what is always
 * told: that both directions are closed.
 *
 * A client that closed its own direction alone has said all that it has to
 * say, and reads on: its requests are served, those that it had to wait with
 * as well, and its end comes when it has all its answers. Only a recv that
 * waits, which might do so for ever, is taken back. Until then it is a client
 * like any other, and if it does not read it waits like any other.
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

bool
client_or_sock(uint64_t number)
{
	return client_find(number) != NULL || sock_find(number) != NULL;
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
		n += c->away;
	return n;
}

bool
client_may_use(const struct client *c, uid_t uid)
{
	return c->uid == uid || c->uid == 0;
}

/* ---- in ------------------------------------------------------------- */

/* Bytes of answers that may wait: one answer, while its user is short of memory. */
static size_t
most_answers(struct client *c)
{
	return account_is_short(&c->account) ? 1 : config.client_queue;
}

/*
 * Its answers, or its messages that find no room, have become too many. Not
 * its events: they stop by themselves, and it may be writing a request, and
 * read nothing until that is taken.
 */
static bool
is_over_limit(const struct client *c, size_t most)
{
	return c->answers >= most || c->waiting >= config.client_queue;
}

/* A session that acknowledges nothing cannot be held up: its acks wait, too. */
static bool
holds_too_much(const struct client *c)
{
	return c->token[0] != '\0' && output_held(&c->out) >
	    HELD_QUEUES * config.client_queue + 2 * config.max_message;
}

/* It is not read: be told when it goes all the same. */
static void
stop_reading(struct client *c)
{
	struct epoll_event	ev = { .events = 0, .data.ptr = c };

	(void)event_del(&c->readable);
	if (epoll_ctl(gone_set, EPOLL_CTL_ADD, c->fd, &ev) == -1)
		client_lost(c, strerror(errno));
}

static void
set_paused(struct client *c, bool on)
{
	if (c->paused != on)
		npaused += on ? 1 : (size_t)-1;
	c->paused = on;
}

bool
client_any_paused(void)
{
	return npaused > 0;
}

static void
client_pause(struct client *c)
{
	if (c->paused)
		return;
	set_paused(c, true);
	turn_spend_calls(c->account.user, 4);	/* these, and those that make it read again */
	stuck_look();		/* at what its messages wait for */
	stop_reading(c);
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

/* Serve the message at p, if it is there; gives its length, or 0. */
static size_t
serve_one(struct client *c, const char *p, size_t n)
{
	size_t			len = 0, before, after;
	enum frame_result	r;

	if (c->frame.at == 0 && (len = dispatch_send(c, p, n)) > 0) {
		turn_spend_send(c->account.user);
		return len;
	}
	assoc_send_run();	/* what comes now may depend on what was sent */
	r = frame_scan(&c->frame, p, n, config.max_message + FRAME_EXTRA, &len);
	if (r == FRAME_MORE)
		return 0;
	before = output_unwritten(&c->out);
	if (r != FRAME_MESSAGE || !dispatch(c, p, len)) {
		refuse(c, r == FRAME_MESSAGE ? FRAME_GARBAGE : r);
		return 0;
	}
	output_end(&c->out);
	after = output_unwritten(&c->out);
	turn_spend(c->account.user, len + (after > before ? after - before : 0));
	return len;
}

/* Answers are counted, events are not; and the one that is still open is, too. */
static void
count_answers(struct client *c, size_t before)
{
	size_t	now;

	if (c->dead || c->away)
		return;
	output_end(&c->out);
	now = output_unwritten(&c->out);
	if (now > before)
		c->answers += now - before;
	if (holds_too_much(c))
		client_lost(c, "it acknowledges nothing");
}

/*
 * A user's memory is used up, and what a session does not acknowledge cannot
 * be refused: the session that holds the most of it ends.
 */
static void
end_the_greediest(const struct user *u)
{
	struct client	*c = NULL, *greediest = NULL;

	while ((c = client_next(c)) != NULL) {
		if (c->account.user != u || c->token[0] == '\0' || c->away)
			continue;
		if (greediest == NULL || output_held(&c->out) > output_held(&greediest->out))
			greediest = c;
	}
	if (greediest == NULL || output_held(&greediest->out) < config.client_queue)
		return;
	if (log_allowed())
		log_notice("client %llu: ended, it acknowledges nothing, %zu bytes: %s",
		    (unsigned long long)greediest->node.key, output_held(&greediest->out),
		    user_why_not(u, CHARGE_MEMORY, 1));
	client_lost(greediest, "it acknowledges nothing, and its user has no memory left");
}

/* Serve the messages in n bytes; gives how many bytes they took. */
static size_t
serve(struct client *c, const char *p, size_t n)
{
	size_t	before, len, done = 0, most = most_answers(c);

	while (done < n && !c->dead && !c->away) {
		if (is_over_limit(c, most)) {
			client_pause(c);
			break;
		}
		if (!turn_is(c->account.user)) {
			turn_wait(c);
			break;
		}
		before = output_unwritten(&c->out);
		if ((len = serve_one(c, p + done, n - done)) == 0)
			break;
		done += len;
		count_answers(c, before);
	}
	before = output_unwritten(&c->out);
	assoc_send_run();
	count_answers(c, before);
	if (c->token[0] != '\0' && !user_may(c->account.user, CHARGE_MEMORY, 1))
		end_the_greediest(c->account.user);
	return done;
}

static void serve_rest(struct client *);

/* What waits to be served, or is not all there, is charged by the room it has. */
static void
charge_input(struct client *c)
{
	if (c->in.cap != c->in_charged)
		account_change(&c->account, &c->in_charged, c->in.cap);
}

/* Another client has the connection now, and what came on it is for that one. */
static void
pass_on(struct client *c, const char *p, size_t n)
{
	struct client	*to = c->successor;

	if (to == NULL)
		return;
	c->successor = NULL;
	buf_add(&to->in, p, n);
	serve_rest(to);
	charge_input(to);
}

/* Serve what was read before and could not be served then. */
static void
serve_rest(struct client *c)
{
	size_t	done = serve(c, buf_data(&c->in), buf_len(&c->in));

	buf_drop(&c->in, done);
	pass_on(c, buf_data(&c->in), buf_len(&c->in));
}

static void
serve_input(struct client *c, size_t n)
{
	size_t	done;

	if (buf_len(&c->in) > 0) {
		buf_grow(&c->in, n);
		turn_spend_kept(c->account.user, n);
		serve_rest(c);
		return;
	}
	done = serve(c, input, n);
	if (!c->dead && !c->away) {
		buf_add(&c->in, input + done, n - done);
		turn_spend_kept(c->account.user, n - done);
	}
	pass_on(c, input + done, n - done);
}

/* Its request is not all there, and there is no memory for the rest. */
static void
refuse_input(struct client *c, enum error code, const char *why)
{
	char			 text[320];
	struct event_error	 e = { .method = { "", 0 }, .error = { text, 0 } };

	if (log_allowed())
		log_notice("client %llu: dropped, its request is too long now: %s, pid=%d",
		    (unsigned long long)c->node.key, why, (int)c->pid);
	e.error.len = (uint32_t)snprintf(text, sizeof text, "%s: %s", error_table[code].code, why);
	client_tell(c, notice_error, 0, &e);
	client_lost(c, why);
}

/*
 * Where the next n bytes go; NULL: its request is refused, and it is gone. Its
 * own share does not matter: then the request is, once it is there, answered.
 */
static char *
room_to_read(struct client *c, size_t n)
{
	size_t	 more = c->in.end + n;
	char	*to;

	if (buf_len(&c->in) == 0)
		return input;
	if (c->in.cap >= more)
		return c->in.mem + c->in.end;
	if (buf_len(&c->in) >= READ_SHORT && !user_may(c->account.user, CHARGE_MEMORY, more)) {
		refuse_input(c, ERR_limit, user_why_not(c->account.user, CHARGE_MEMORY, more));
		return NULL;
	}
	if ((to = buf_try_room(&c->in, n)) == NULL)
		refuse_input(c, ERR_enomem, "the system has no memory left");
	return to;
}

/* All of them; with the connection, but for a session's notifications and what is bound. */
static bool
every(const struct call *call)
{
	(void)call;
	return true;
}

static bool
ends_with_connection(const struct call *call)
{
	return call->client->token[0] == '\0' || !(call->notification || call->bound);
}

static bool
takes_message(const struct call *call)
{
	return call->method == &rpc_table[RPC_recv] || call->method == &rpc_table[RPC_accept];
}

/*
 * To end one may end others of the list: a connect that ends aborts its
 * association, and that ends the sends which wait for it. So the place is
 * kept by a call of our own that nobody ends.
 */
static void
end_calls(struct client *c, bool (*which)(const struct call *))
{
	struct call	 place = { .client = c };
	struct call	*call;

	TAILQ_INSERT_HEAD(&c->calls, &place, entry);
	while ((call = TAILQ_NEXT(&place, entry)) != NULL) {
		TAILQ_REMOVE(&c->calls, &place, entry);
		TAILQ_INSERT_AFTER(&c->calls, call, &place, entry);
		if (which(call))
			call->end(call, CALL_CLIENT_GONE);
	}
	TAILQ_REMOVE(&c->calls, &place, entry);
}

/* The end of what it sends: is it its own end? */
static void
client_read_end(struct client *c)
{
	struct pollfd	p = { .fd = c->fd };

	if (poll(&p, 1, 0) == 1) {
		client_lost(c, "it closed the connection");
		return;
	}
	c->ended = true;
	end_calls(c, takes_message);
	stop_reading(c);
	client_dirty(c);	/* it may have all its answers */
}

static bool
awaits_answer(const struct client *c)
{
	const struct call	*call;

	TAILQ_FOREACH(call, &c->calls, entry) {
		if (!call->notification)
			return true;
	}
	return false;
}

void
client_end_if_done(struct client *c)
{
	if (c->ended && !c->dead && !c->away && !c->dirty && output_unwritten(&c->out) == 0 &&
	    !awaits_answer(c))
		client_lost(c, "it closed its side, and has all its answers");
}

/* Nothing speaks against it any more: it is read. */
static void
read_on(struct client *c)
{
	if (event_initialized(&c->patience) && evtimer_pending(&c->patience, NULL))
		return;		/* the kernel lacks memory: later */
	if (!c->hungry && !c->paused && !c->ended && !c->dead && !c->away &&
	    event_add(&c->readable, NULL) == -1)
		client_lost(c, strerror(errno));
}

/* ---- a connection for which the kernel lacks memory ------------------ */

#define AGAIN_US	20000
#define TROUBLE_MS	10000	/* after which it is lost */

static uint64_t
now_ms(void)
{
	struct timespec	now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + 1;
}

bool
client_lacks_memory(int number)
{
	return number == ENOMEM || number == ENOBUFS;
}

static void
client_on_again(evutil_socket_t fd, short what, void *arg)
{
	struct client	*c = arg;

	(void)fd, (void)what;
	if (c->dead || c->away)
		return;
	client_dirty(c);
	read_on(c);
}

void
client_try_again(struct client *c, int number)
{
	static const struct timeval	moment = { .tv_usec = AGAIN_US };

	if (event_initialized(&c->patience) && evtimer_pending(&c->patience, NULL))
		return;
	if (c->trouble == 0)
		c->trouble = now_ms();
	if (now_ms() - c->trouble > TROUBLE_MS) {
		client_lost(c, strerror(number));
		return;
	}
	(void)event_del(&c->readable);
	(void)evtimer_assign(&c->patience, loop_base(), client_on_again, c);
	(void)evtimer_add(&c->patience, &moment);
}

static size_t
most_to_read(struct client *c)
{
	if (account_is_short(&c->account))
		return READ_SHORT;
	return turn_is_shared() ? READ_SHARED : READ_SIZE;
}

static void
client_read(struct client *c)
{
	size_t	 most = most_to_read(c);
	char	*to = room_to_read(c, most);
	ssize_t	 n;

	if (to == NULL)
		return;
	n = recv(c->fd, to, most, 0);
	if (n > 0) {
		turn_spend_read(c->account.user, (size_t)n);
		serve_input(c, (size_t)n);
	} else if (n == 0)
		client_read_end(c);
	else if (client_lacks_memory(errno))
		client_try_again(c, errno);
	else if (errno != EAGAIN && errno != EINTR)
		client_lost(c, strerror(errno));
	if (n > 0)
		c->trouble = 0;
}

static void
client_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct client	*c = arg;

	(void)fd, (void)what;
	if (turn_must_wait(c->account.user)) {
		turn_wait(c);
		return;
	}
	client_read(c);
	charge_input(c);
}

void
client_serve_turn(struct client *c)
{
	if (buf_len(&c->in) > 0)
		serve_rest(c);
	if (!c->hungry && !c->paused && !c->ended && !c->dead && !c->away)
		client_read(c);
	charge_input(c);
	read_on(c);
}

void
client_serve_again(struct client *c)
{
	if (!c->paused || c->dead || c->away || is_over_limit(c, most_answers(c)))
		return;
	set_paused(c, false);
	(void)epoll_ctl(gone_set, EPOLL_CTL_DEL, c->fd, NULL);
	serve_rest(c);
	charge_input(c);
	read_on(c);
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
	if (c->paused)
		client_dirty(c);
}

void
client_watch(struct client *c, bool on)
{
	if (on == c->watching)
		return;
	c->watching = on;
	keep_client(c);
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
	loop_need(&gone);
}

/* A client without a connection. */
struct client *
client_make(uint64_t number, uid_t uid)
{
	struct client	*c = xcalloc(1, sizeof *c);

	c->fd = -1;
	c->uid = uid;
	c->away = true;
	TAILQ_INIT(&c->calls);
	TAILQ_INIT(&c->asked);
	TAILQ_INIT(&c->socks);
	account_open(&c->account, uid);
	account_charge(&c->account, sizeof *c + MALLOC_EXTRA);
	output_init(&c->out, &c->account);
	hash_add(&clients, &c->node, number);
	return c;
}

/* Gives false if its connection cannot be watched. */
static bool
begin_to_read(struct client *c, int fd)
{
	c->fd = fd;
	c->away = false;
	buf_free(&c->in);
	charge_input(c);
	memset(&c->frame, 0, sizeof c->frame);
	(void)event_assign(&c->readable, loop_base(), fd, EV_READ | EV_PERSIST,
	    client_on_readable, c);
	(void)event_assign(&c->writable, loop_base(), fd, EV_WRITE,
	    client_on_writable, c);
	c->trouble = 0;
	return event_add(&c->readable, NULL) == 0;
}

/*
 * May another of this user come? One that may not has asked for nothing yet,
 * and is told by an event why it is closed.
 */
static bool
may_connect(int fd, const struct ucred *cred)
{
	static time_t	 last;
	struct user	*u = user_get(cred->uid);
	bool		 may = user_may(u, CHARGE_CLIENTS, 1);
	const char	*why;

	if (!may) {
		why = user_why_not(u, CHARGE_CLIENTS, 1);
		if (log_seldom(&last))
			log_warning("client: refused, pid=%d: %s", (int)cred->pid, why);
		farewell_refuse(fd, why);
	}
	user_put(u);
	return may;
}

/*
 * It came, and went without a word. A program that does nothing else makes
 * a hundred thousand a second, and what the kernel keeps for each that is
 * watched it frees later, on our time.
 */
static bool
is_gone(int fd)
{
	char	c;

	return recv(fd, &c, 1, MSG_PEEK) == 0;
}

void
client_new(int fd)
{
	struct client	*c;
	struct ucred	 cred = { .uid = (uid_t)-1 };
	socklen_t	 len = sizeof cred;

	if (is_gone(fd)) {
		(void)close(fd);
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1) {
		log_warning("client: refused, its user is unknown: %s", strerror(errno));
		(void)close(fd);
		return;
	}
	if (!may_connect(fd, &cred)) {
		(void)close(fd);
		return;
	}
	c = client_make(journal_handle(client_or_sock), cred.uid);
	user_charge(c->account.user, CHARGE_CLIENTS, 1);
	turn_spend_connection(c->account.user);
	c->pid = cred.pid;
	if (!begin_to_read(c, fd)) {
		if (log_allowed())
			log_warning("client: refused, it cannot be watched: %s; pid=%d; see fs.epoll.max_user_watches",
			    strerror(errno), (int)c->pid);
		client_lost(c, "it cannot be watched");
		return;
	}
	log_debug("client %llu: connected, pid=%d uid=%u",
	    (unsigned long long)c->node.key, (int)c->pid, (unsigned)c->uid);
}

/* It is no more; its memory is freed when the turn ends. */
static void
client_end(struct client *c)
{
	if (c->dead)
		return;
	client_clean(c);
	c->dead = true;
	if (event_initialized(&c->patience))
		(void)evtimer_del(&c->patience);
	end_calls(c, every);
	asked_free_all(c);
	client_watch(c, false);
	keep_drop_client(c);
	hash_remove(&clients, &c->node);
	TAILQ_INSERT_TAIL(&dead, c, dirty_entry);
}

static void
cut_off(struct client *c)
{
	struct call	*call;

	turn_spend_connection(c->account.user);
	(void)event_del(&c->readable);
	(void)event_del(&c->writable);
	turn_leave(c);
	if (event_initialized(&c->patience))
		(void)evtimer_del(&c->patience);
	c->away = true;
	end_calls(c, ends_with_connection);
	TAILQ_FOREACH(call, &c->calls, entry) {
		if (call->bound)
			assoc_may_be_asked(call);
	}
	c->answers = 0;
	if (c->paused || c->ended) /* a farewell has a duplicate: it would stay in the set */
		(void)epoll_ctl(gone_set, EPOLL_CTL_DEL, c->fd, NULL);
	set_paused(c, false);
	c->ended = false;
	(void)close(c->fd);
	c->fd = -1;
	user_discharge(c->account.user, CHARGE_CLIENTS, 1);
	client_dirty(c);	/* what it has sent may be in use: it is freed later */
}

static void
disconnect(struct client *c)
{
	/* What it was answered is its own, though it is dropped for what came next. */
	keep_commit();
	(void)output_write(&c->out, c->fd);
	cut_off(c);
}

void
client_exit(struct client *c)
{
	struct sock	*s, *next;

	c->expected = false;
	if (event_initialized(&c->patience))
		(void)evtimer_del(&c->patience);
	for (s = TAILQ_FIRST(&c->socks); s != NULL; s = next) {
		next = TAILQ_NEXT(s, owned);
		sock_owner_gone(s);
	}
	client_less(c);
}

void
client_less(struct client *c)
{
	if (c->away && !c->expected && c->nsocks == 0)
		client_end(c);
}

void
client_lost(struct client *c, const char *why)
{
	if (c->dead || c->away)
		return;
	assoc_send_run();	/* its associations may go: no message may be left for them */
	log_debug("client %llu: lost, it has %zu sockets: %s",
	    (unsigned long long)c->node.key, c->nsocks, why);
	/* Until its sockets are seen to: closing one does not end it. */
	c->expected = true;
	disconnect(c);
	client_exit(c);
}

static void
client_on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct client	*c = arg;

	(void)fd, (void)what;
	if (log_allowed())
		log_notice("client %llu: it did not come back within resume_time, %zu sockets",
		    (unsigned long long)c->node.key, c->nsocks);
	c->expected = true;
	client_exit(c);
}

void
client_expect(struct client *c)
{
	struct timeval	tv = {
		.tv_sec = (time_t)(config.resume_time / 1000),
		.tv_usec = (suseconds_t)(config.resume_time % 1000 * 1000),
	};

	c->expected = true;
	(void)evtimer_assign(&c->patience, loop_base(), client_on_patience, c);
	(void)evtimer_add(&c->patience, &tv);
}

void
client_take_connection(struct client *c, struct client *from)
{
	struct sock	*s;
	int		 fd = from->fd;
	const char	*rest = NULL;
	size_t		 len;
	bool		 is_watched;

	if (!c->away) {
		if (log_allowed())
			log_notice("client %llu: superseded by pid=%d", (unsigned long long)c->node.key,
			    (int)from->pid);
		len = output_rest(&c->out, &rest);
		farewell_say(c->account.user, c->fd, rest, len, from->pid);
		cut_off(c);
	}
	if (event_initialized(&c->patience))
		(void)evtimer_del(&c->patience);
	turn_leave(from);
	(void)event_del(&from->readable);
	(void)event_del(&from->writable);
	if (event_initialized(&from->patience))
		(void)evtimer_del(&from->patience);
	from->fd = -1;
	from->away = true;
	from->successor = c;
	client_end(from);
	c->expected = false;
	is_watched = begin_to_read(c, fd);
	TAILQ_FOREACH(s, &c->socks, owned) {
		sock_unhold(s);
		if (c->pid != from->pid)
			sock_take_back(s);	/* another process has no descriptor */
	}
	c->pid = from->pid;
	c->starved = true;	/* its sockets are looked at when the turn ends */
	client_dirty(c);
	if (!is_watched)
		client_lost(c, "it cannot be watched");
}

static void
client_free(struct client *c)
{
	buf_free(&c->in);
	output_free(&c->out);
	account_close(&c->account);
	free(c->name);
	free(c);
}

bool
client_free_dead(void)
{
	struct client	*c;
	bool		 any = !TAILQ_EMPTY(&dead);

	while ((c = TAILQ_FIRST(&dead)) != NULL) {
		TAILQ_REMOVE(&dead, c, dirty_entry);
		client_free(c);
	}
	return any;
}

void
client_free_all(void)
{
	struct client	*c;

	while ((c = client_next(NULL)) != NULL) {
		client_lost(c, "the daemon ends");
		c->expected = false;
		while (!TAILQ_EMPTY(&c->socks))
			sock_close(TAILQ_FIRST(&c->socks), NULL);
		client_end(c);
	}
	client_end_turn();
	hash_free(&clients);
	(void)event_del(&gone);
	(void)close(gone_set);
}
