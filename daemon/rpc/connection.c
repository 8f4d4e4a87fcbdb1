/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections: bytes in, messages out to their handlers, bytes out.
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

#include "config.h"
#include "journal/changes.h"
#include "journal/journal.h"
#include "rpc/asked.h"
#include "rpc/call.h"
#include "rpc/connection.h"
#include "rpc/superseded.h"
#include "rpc/turn.h"
#include "util/log.h"
#include "util/loop.h"

#define READ_SIZE	(256u << 10)
#define READ_SHARED	(32u << 10)	/* while others wait meanwhile */
#define READ_SHORT	(16u << 10)	/* while its user is short of memory */
#define FRAME_EXTRA	(1u << 20)	/* a frame may exceed the longest message by */
/* How many times client_queue a session may leave without acknowledgement. */
#define UNACKED_QUEUES	4

static const struct client_ops *ops;
static size_t npaused;
static struct client_list dead = TAILQ_HEAD_INITIALIZER(dead);

/*
 * A client that is not read may go as well, and it may be the last to hold what
 * others wait for. An epoll set reports that. It is asked for no event, and so
 * reports only what is always reported: that both directions are closed.
 *
 * A client that has closed only its own direction sends nothing more, but still
 * reads. Its requests are served, including those that were kept back, and it
 * ends when it has all its answers. Only a recv that waits is taken back, because
 * it might wait for ever. Until then it is a client like any other: if it does
 * not read, it waits.
 */
static int hangup_epoll = -1;
static struct event hangup;

/* The buffer of one read; only an unfinished message is copied out of it. */
static char input[READ_SIZE];

static bool end_turn(void);

/* ---- in ------------------------------------------------------------- */

/* Bytes of answers that may wait; only one answer while the user is short of memory. */
static size_t
most_answers(struct client *c)
{
	return account_is_short(&c->account) ? 1 : config.client_queue;
}

/*
 * Are there too many bytes of answers, or of messages that find no room? Events do
 * not count: they stop by themselves, and the client may be writing a request and
 * read nothing until that is taken.
 */
static bool
is_over_limit(const struct client *c, size_t most)
{
	return c->answers >= most || c->waiting >= config.client_queue;
}

/* A session that acknowledges nothing cannot be paused: its acknowledgements would wait, too. */
static bool
has_too_much_unacked(const struct client *c)
{
	return c->token[0] != '\0' && output_unacked(&c->out) >
	    UNACKED_QUEUES * config.client_queue + 2 * config.max_message;
}

/* Stop reading it, but learn when it goes. */
static void
stop_reading(struct client *c)
{
	struct epoll_event	ev = { .events = 0, .data.ptr = c };

	(void)event_del(&c->readable);
	if (epoll_ctl(hangup_epoll, EPOLL_CTL_ADD, c->fd, &ev) == -1)
		connection_lost(c, strerror(errno));
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
pause_reading(struct client *c)
{
	if (c->paused)
		return;
	if (c->deaf) {
		connection_lost(c, "it reads nothing, and has too much to read");
		return;
	}
	set_paused(c, true);
	turn_spend_calls(c->account.user, 4);	/* these calls, and those that resume reading */
	ops->paused();
	stop_reading(c);
}

static void
connection_on_hangup(evutil_socket_t fd, short what, void *arg)
{
	struct epoll_event	ev[16];
	int			n = epoll_wait(hangup_epoll, ev, 16, 0);

	(void)fd, (void)what, (void)arg;
	for (int i = 0; i < n; i++)
		connection_lost(ev[i].data.ptr, "it closed the connection");
}

/* Serve the message at p, if it is complete; returns its length, or 0. */
static size_t
serve_one(struct client *c, const char *p, size_t n)
{
	size_t			len = 0, before, after;
	enum frame_result	r;

	if (c->frame.at == 0 && (len = ops->serve_send(c, p, n)) > 0) {
		turn_spend_send(c->account.user);
		return len;
	}
	ops->flush();	/* what comes now may depend on what was sent */
	r = frame_scan(&c->frame, p, n, config.max_message + FRAME_EXTRA, &len);
	if (r == FRAME_MORE)
		return 0;
	before = output_unwritten(&c->out);
	if (r != FRAME_MESSAGE || !ops->serve(c, p, len)) {
		if (r == FRAME_MESSAGE)
			r = FRAME_GARBAGE;	/* MessagePack, but not MessagePack-RPC */
		if (log_allowed(LOG_NOTICE, "client dropped, it does not speak the protocol"))
			log_notice("client %llu: dropped, it sent %s, pid=%d uid=%u",
			    (unsigned long long)c->node.key, frame_why(r), (int)c->pid,
			    (unsigned)c->uid);
		connection_lost(c, frame_why(r));
		return 0;
	}
	output_end(&c->out);
	after = output_unwritten(&c->out);
	turn_spend(c->account.user, len + (after > before ? after - before : 0));
	return len;
}

/* Count answers, but not events. An answer that is still open counts, too. */
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
	if (has_too_much_unacked(c))
		connection_lost(c, "it acknowledges nothing");
}

/*
 * A user's memory is used up. What a session has not acknowledged cannot be
 * dropped alone, so the session that holds the most of it ends.
 */
static void
end_the_greediest(const struct user *u)
{
	struct client	*c = NULL, *greediest = NULL;

	while ((c = client_next(c)) != NULL) {
		if (c->account.user != u || c->token[0] == '\0' || c->away)
			continue;
		if (greediest == NULL || output_unacked(&c->out) > output_unacked(&greediest->out))
			greediest = c;
	}
	if (greediest == NULL || output_unacked(&greediest->out) < config.client_queue)
		return;
	if (log_allowed(LOG_NOTICE, "client ended, it acknowledges nothing"))
		log_notice("client %llu: ended, it acknowledges nothing, %zu bytes: %s",
		    (unsigned long long)greediest->node.key, output_unacked(&greediest->out),
		    user_why_not(u, CHARGE_MEMORY, 1));
	connection_lost(greediest, "it acknowledges nothing, and its user has no memory left");
}

/* Serve the messages in n bytes; returns how many bytes they took. */
static size_t
serve_messages(struct client *c, const char *p, size_t n)
{
	size_t	before, len, done = 0, most = most_answers(c);

	while (done < n && !c->dead && !c->away) {
		if (is_over_limit(c, most)) {
			pause_reading(c);
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
	ops->flush();
	count_answers(c, before);
	if (c->token[0] != '\0' && !user_may(c->account.user, CHARGE_MEMORY, 1))
		end_the_greediest(c->account.user);
	return done;
}

static void serve_rest(struct client *);

/* Charge what waits to be served, or is incomplete, by the size of its buffer. */
static void
charge_input(struct client *c)
{
	if (c->in.cap != c->in_charged)
		account_change(&c->account, &c->in_charged, c->in.cap);
}

/* Another client has the connection now: what came on it belongs to that client. */
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

/* Serve what was read earlier and could not be served then. */
static void
serve_rest(struct client *c)
{
	size_t	done = serve_messages(c, buf_data(&c->in), buf_len(&c->in));

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
	done = serve_messages(c, input, n);
	if (!c->dead && !c->away) {
		buf_add(&c->in, input + done, n - done);
		turn_spend_kept(c->account.user, n - done);
	}
	pass_on(c, input + done, n - done);
}

void
connection_forget(const char *p, size_t n)
{
	if (p == NULL)
		return;
	/* What was read in pieces lies in the client's buffer, and its beginning still here. */
	if ((uintptr_t)p < (uintptr_t)input || (uintptr_t)p >= (uintptr_t)input + sizeof input)
		explicit_bzero(input, sizeof input);
	explicit_bzero((char *)(uintptr_t)p, n);
}

/* Its request is incomplete, and there is no memory for the rest. */
static void
refuse_input(struct client *c, enum error code, const char *why)
{
	char			 text[320];
	struct event_error	 e = { .method = { "", 0 }, .error = { text, 0 } };

	if (log_allowed(LOG_NOTICE, "client dropped, its request is too long"))
		log_notice("client %llu: dropped, its request is too long now: %s, pid=%d",
		    (unsigned long long)c->node.key, why, (int)c->pid);
	e.error.len = (uint32_t)snprintf(text, sizeof text, "%s: %s", error_table[code].code, why);
	client_tell(c, EVENT_error, 0, &e);
	connection_lost(c, why);
}

/*
 * Room for the next n bytes. NULL: the request was refused, and the client is gone.
 * The user's own share does not matter here: beyond it, the request is answered
 * with an error once it is complete.
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

static bool
takes_message(const struct call *call)
{
	return call->method == &rpc_table[RPC_recv] || call->method == &rpc_table[RPC_accept];
}

/* Has it closed both directions? There may still be something to read. */
static bool
has_hung_up(const struct client *c)
{
	struct pollfd	p = { .fd = c->fd };

	return poll(&p, 1, 0) == 1;
}

/* It sends nothing more: has it gone altogether? */
static void
read_end(struct client *c)
{
	if (c->deaf || has_hung_up(c)) {
		connection_lost(c, "it closed the connection");
		return;
	}
	c->ended = true;
	call_end_all(c, takes_message);
	stop_reading(c);
	client_dirty(c);	/* it may already have all its answers */
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

static void
end_if_done(struct client *c)
{
	if (c->ended && !c->dead && !c->away && !c->dirty && output_unwritten(&c->out) == 0 &&
	    !awaits_answer(c))
		connection_lost(c, "it closed its side, and has all its answers");
}

/* No reason is left not to read it: read it. */
static void
read_on(struct client *c)
{
	if (event_initialized(&c->timer) && evtimer_pending(&c->timer, NULL))
		return;		/* the kernel lacks memory: try later */
	if (!c->hungry && !c->paused && !c->ended && !c->dead && !c->away &&
	    event_add(&c->readable, NULL) == -1)
		connection_lost(c, strerror(errno));
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

static bool
lacks_memory(int number)
{
	return number == ENOMEM || number == ENOBUFS;
}

static void
connection_on_again(evutil_socket_t fd, short what, void *arg)
{
	struct client	*c = arg;

	(void)fd, (void)what;
	if (c->dead || c->away)
		return;
	client_dirty(c);
	read_on(c);
}

static void
try_again(struct client *c, int number)
{
	static const struct timeval	moment = { .tv_usec = AGAIN_US };

	if (event_initialized(&c->timer) && evtimer_pending(&c->timer, NULL))
		return;
	if (c->trouble == 0)
		c->trouble = now_ms();
	if (now_ms() - c->trouble > TROUBLE_MS) {
		connection_lost(c, strerror(number));
		return;
	}
	(void)event_del(&c->readable);
	(void)evtimer_assign(&c->timer, loop_base(), connection_on_again, c);
	(void)evtimer_add(&c->timer, &moment);
}

/* ---- when it is read ------------------------------------------------- */

static size_t
most_to_read(struct client *c)
{
	if (account_is_short(&c->account))
		return READ_SHORT;
	return turn_is_shared() ? READ_SHARED : READ_SIZE;
}

static void
read_some(struct client *c)
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
		read_end(c);
	else if (lacks_memory(errno))
		try_again(c, errno);
	else if (errno != EAGAIN && errno != EINTR)
		connection_lost(c, strerror(errno));
	if (n > 0)
		c->trouble = 0;
}

static void
connection_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct client	*c = arg;

	(void)fd, (void)what;
	if (turn_must_wait(c->account.user)) {
		turn_wait(c);
		return;
	}
	read_some(c);
	charge_input(c);
}

static void
serve_turn(struct client *c)
{
	if (buf_len(&c->in) > 0)
		serve_rest(c);
	if (!c->hungry && !c->paused && !c->ended && !c->dead && !c->away)
		read_some(c);
	charge_input(c);
	read_on(c);
}

static void
serve_again(struct client *c)
{
	if (!c->paused || c->dead || c->away || is_over_limit(c, most_answers(c)))
		return;
	set_paused(c, false);
	(void)epoll_ctl(hangup_epoll, EPOLL_CTL_DEL, c->fd, NULL);
	serve_rest(c);
	charge_input(c);
	read_on(c);
}

/* ---- out ------------------------------------------------------------- */

/* There is room again for what was kept back. */
static void
feed(struct client *c)
{
	struct event_overrun	 e = { .lost = c->lost };

	if (c->lost > 0) {
		c->lost = 0;
		client_tell(c, EVENT_overrun, 0, &e);
	}
	if (!c->starved)
		return;
	c->starved = false;
	ops->room(c);
}

/* It is written to in vain; what it had sent is still served. */
static void
went_deaf(struct client *c, const char *why)
{
	if (c->paused || c->ended || !has_hung_up(c)) {
		connection_lost(c, why);
		return;
	}
	log_debug("client %llu: reads no more: %s", (unsigned long long)c->node.key, why);
	c->deaf = true;
	(void)event_del(&c->writable);
}

static void
write_some(struct client *c)
{
	size_t	left;
	ssize_t	n;

	if (c->away) {
		buf_free(&c->in);
		account_change(&c->account, &c->in_charged, 0);
		return;
	}
	if (c->deaf)
		return;
	if ((n = output_write(&c->out, c->fd)) == -1 && lacks_memory(errno)) {
		try_again(c, errno);
		return;
	}
	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		went_deaf(c, strerror(errno));
		return;
	}
	if (n > 0) {
		c->trouble = 0;
		if (c->answers > 0)	/* events do not count: peers cause them */
			turn_spend_calls(c->account.user, 2);
	}
	if (c->out.self_acking)
		client_output_changed(c);	/* what was written is handled */
	if (c->out.unnumbered.cap != c->out_charged)
		account_change(&c->account, &c->out_charged, c->out.unnumbered.cap);
	left = output_unwritten(&c->out);
	if (c->answers > left)
		c->answers = left;
	if (left > 0 && event_add(&c->writable, NULL) == -1) {
		connection_lost(c, strerror(errno));
		return;
	}
	if (output_unacked(&c->out) < config.client_queue / 2)
		feed(c);	/* as much as client_has_room allows */
	serve_again(c);
	end_if_done(c);
}

static void
connection_on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	client_dirty(arg);	/* written when the turn ends, after the commit */
}

/* ---- life ----------------------------------------------------------- */

void
connection_init(const struct client_ops *o)
{
	ops = o;
	if ((hangup_epoll = epoll_create1(EPOLL_CLOEXEC)) == -1)
		log_fatal("epoll_create1: %s", strerror(errno));
	(void)event_assign(&hangup, loop_base(), hangup_epoll, EV_READ | EV_PERSIST,
	    connection_on_hangup, NULL);
	loop_need(&hangup);
	loop_at_end_of_turn(end_turn);
}

/* False: its connection cannot be watched. */
static bool
begin_to_read(struct client *c, int fd)
{
	c->fd = fd;
	c->away = false;
	buf_free(&c->in);
	charge_input(c);
	memset(&c->frame, 0, sizeof c->frame);
	(void)event_assign(&c->readable, loop_base(), fd, EV_READ | EV_PERSIST,
	    connection_on_readable, c);
	(void)event_assign(&c->writable, loop_base(), fd, EV_WRITE,
	    connection_on_writable, c);
	c->trouble = 0;
	return event_add(&c->readable, NULL) == 0;
}

/*
 * May this user have another client? One that is refused has asked for nothing
 * yet; an event tells it why its connection is closed.
 */
static bool
may_connect(int fd, const struct ucred *cred)
{
	struct user	*u = user_get(cred->uid);
	bool		 may = user_may(u, CHARGE_CLIENTS, 1);
	const char	*why;

	if (!may) {
		why = user_why_not(u, CHARGE_CLIENTS, 1);
		if (log_seldom(LOG_WARNING, "client refused"))
			log_warning("client: refused, pid=%d: %s", (int)cred->pid, why);
		superseded_refuse(fd, why);
	}
	user_put(u);
	return may;
}

/*
 * It connected and closed without sending anything. A program that does nothing
 * else makes a hundred thousand connections a second. What the kernel keeps for
 * each watched one it frees later, in our time, so these are not watched.
 */
static bool
is_gone(int fd)
{
	char	c;

	return recv(fd, &c, 1, MSG_PEEK) == 0;
}

bool
client_or_sock(uint64_t number)
{
	return client_find(number) != NULL || ops->is_taken(number);
}

void
connection_new(int fd)
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
		if (log_allowed(LOG_WARNING, "client refused, it cannot be watched"))
			log_warning("client: refused, it cannot be watched: %s; pid=%d; see fs.epoll.max_user_watches",
			    strerror(errno), (int)c->pid);
		connection_lost(c, "it cannot be watched");
		return;
	}
	log_debug("client %llu: connected, pid=%d uid=%u",
	    (unsigned long long)c->node.key, (int)c->pid, (unsigned)c->uid);
}

/* End all its calls. With the connection: all but a session's notifications and bound calls. */
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

void
client_end(struct client *c)
{
	if (c->dead)
		return;
	client_clean(c);
	c->dead = true;
	if (event_initialized(&c->timer))
		(void)evtimer_del(&c->timer);
	call_end_all(c, every);
	asked_free_all(c);
	client_watch(c, false);
	kept_drop(&c->kept);
	client_forget(c);
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
	if (event_initialized(&c->timer))
		(void)evtimer_del(&c->timer);
	c->away = true;
	call_end_all(c, ends_with_connection);
	TAILQ_FOREACH(call, &c->calls, entry) {
		if (call->bound)
			call->end(call, CALL_CLIENT_AWAY);
	}
	c->answers = 0;
	if (c->paused || c->ended) /* superseded.c may have a duplicate: fd would stay in the set */
		(void)epoll_ctl(hangup_epoll, EPOLL_CTL_DEL, c->fd, NULL);
	set_paused(c, false);
	c->ended = false;
	c->deaf = false;
	(void)close(c->fd);
	c->fd = -1;
	user_discharge(c->account.user, CHARGE_CLIENTS, 1);
	client_dirty(c);	/* what it sent may be in use: it is freed later */
}

static void
disconnect(struct client *c)
{
	/* Write the answers that it already has, even if a later message was the reason to drop it. */
	changes_commit();
	(void)output_write(&c->out, c->fd);
	cut_off(c);
}

void
connection_lost(struct client *c, const char *why)
{
	if (c->dead || c->away)
		return;
	ops->flush();	/* its associations may go: carry out the sends first */
	log_debug("client %llu: lost, it has %zu sockets: %s",
	    (unsigned long long)c->node.key, c->nsocks, why);
	/* Until its sockets are dealt with: closing one must not end it. */
	c->expected = true;
	disconnect(c);
	ops->gone(c);
}

void
connection_take(struct client *c, struct client *from)
{
	int		 fd = from->fd;
	const char	*rest = NULL;
	size_t		 len;
	bool		 is_watched;

	if (!c->away) {
		if (log_allowed(LOG_NOTICE, "client superseded"))
			log_notice("client %llu: superseded by pid=%d", (unsigned long long)c->node.key,
			    (int)from->pid);
		len = output_rest(&c->out, &rest);
		superseded_say(c->account.user, c->fd, rest, len, from->pid);
		cut_off(c);
	}
	if (event_initialized(&c->timer))
		(void)evtimer_del(&c->timer);
	turn_leave(from);
	(void)event_del(&from->readable);
	(void)event_del(&from->writable);
	if (event_initialized(&from->timer))
		(void)evtimer_del(&from->timer);
	from->fd = -1;
	from->away = true;
	from->successor = c;
	client_end(from);
	c->expected = false;
	is_watched = begin_to_read(c, fd);
	ops->back(c, c->pid == from->pid);
	c->pid = from->pid;
	c->starved = true;	/* so its sockets are looked at when the turn ends */
	client_dirty(c);
	if (!is_watched)
		connection_lost(c, "it cannot be watched");
}

/* ---- the end of a turn ---------------------------------------------- */

static void
client_free(struct client *c)
{
	buf_free(&c->in);
	output_free(&c->out);
	account_close(&c->account);
	free(c->name);
	free(c);
}

void
connection_write_all(void)
{
	struct client	*c;

	/* Nothing is written to any client before the journal has it. */
	do {
		changes_commit();
		client_begin_writing();
		while ((c = client_next_to_write()) != NULL) {
			if (c->output_changed)
				client_dirty(c);	/* changed since the commit: written after the next */
			else
				write_some(c);
		}
	} while (client_any_dirty());
	if (!TAILQ_EMPTY(&dead)) {
		while ((c = TAILQ_FIRST(&dead)) != NULL) {
			TAILQ_REMOVE(&dead, c, dirty_entry);
			client_free(c);
		}
		changes_commit();	/* drops their messages */
	}
	user_trim();
}

/* Does a client still wait for its turn? */
static bool
end_turn(void)
{
	connection_write_all();
	if (turn_any()) {	/* after all others, and after their answers are written */
		turn_serve(serve_turn);
		connection_write_all();
	}
	turn_begin();
	return turn_any();
}

void
connection_free(void)
{
	connection_write_all();
	client_free_all();
	(void)event_del(&hangup);
	(void)close(hangup_epoll);
}
