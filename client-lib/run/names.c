/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/addr.h"
#include "run/decode.h"
#include "run/errnos.h"
#include "run/memory.h"
#include "run/names.h"
#include "run/settle.h"
#include "run/sock.h"

/* ---- socket(2) ------------------------------------------------------- */

/*
 * Give the program a descriptor of a socket that has none yet. Gives the
 * number, or -1 with errno, and the socket has none as before.
 */
int
names_give(struct call *c, struct sock *s, int flags, bool answers)
{
	struct run	*r = c->run;
	int		 end = sock_pair(s, flags), number, error;

	if (end == -1)
		return -1;
	number = call_give_fd(c, end, (flags & SOCK_CLOEXEC) != 0, answers);
	error = errno;
	(void)close(end);
	if (number == -1) {
		TAILQ_REMOVE(&r->by_inode[s->inode % RUN_BUCKETS], s, by_inode);
		s->inode = 0;
		(void)close(s->end);
		s->end = -1;
		errno = error;
		return -1;
	}
	s->number = number;
	return number;
}

void
names_begin_events(struct sock *s)
{
	struct words	w = { 0 };

	word_add(&w, "setopts");
	word_add(&w, "sock=%" PRIu64, s->handle);
	word_add(&w, "options.non_block_send=true");
	daemon_tell(s->run, &w);
	if (s->state == SOCK_UP)
		sock_learn_local(s);
	sock_ask_more(s);
}

/* An open that nobody waits for any more is closed. */
static void
on_open(struct call *c, int code, const struct sctpd_value *v)
{
	int		 type = (int)c->args[1];
	struct sock	*s;
	uint64_t	 handle;

	if (code != SCTPD_OK) {
		(void)call_fail(c, errno_of(code));
		return;
	}
	handle = (uint64_t)sctpd_get_int(v, "sock");
	if (c->over || (s = sock_new(c->run, handle, (int)c->args[0], type & 0xf)) == NULL) {
		daemon_tell_sock(c->run, "close", handle);
		if (!c->over)
			(void)call_fail(c, ENOMEM);
		return;
	}
	names_begin_events(s);
	if (names_give(c, s, type, true) != -1)
		return;
	code = errno;
	sock_close(s);
	if (code == ENOENT)
		call_drop(c);	/* if it is repeated it opens another one */
	else
		(void)call_fail(c, code);
}

void
names_socket(struct call *c)
{
	struct words	w = { 0 };

	if (c->run->lost) {
		(void)call_fail(c, ENETDOWN);
		return;
	}
	word_add(&w, "open");
	word_add(&w, "bind=false");
	word_add(&w, "family=%s", (int)c->args[0] == AF_INET6 ? "inet6" : "inet");
	word_add(&w, "type=%s", (c->args[1] & 0xf) == SOCK_STREAM ? "stream" : "seqpacket");
	word_add(&w, "options.sctp_nodelay=false");
	call_question(c, &w, on_open);
}

/* ---- bind ------------------------------------------------------------ */

/* "any" of a family, or the addresses, with commas. */
static void
word_addrs(struct words *w, const char *key, const struct sockaddr_storage *ss, size_t n)
{
	char	text[DECODE_ADDRS * ADDR_TEXT + 8], one[ADDR_TEXT];
	size_t	used = 0;

	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? "," : "", addr_text(&ss[i], one));
	word_add(w, "%s=%s", key, text);
}

static void
on_bound(struct call *c, int code, const struct sctpd_value *v)
{
	if (code == SCTPD_OK && c->sock != NULL)
		c->sock->bound = true;
	call_done(c, code, v);
}

static void
bind_to(struct call *c, const struct sockaddr_storage *ss, size_t n)
{
	struct words	w = { 0 };

	if (c->sock->handle == 0) {
		(void)call_fail(c, EINVAL);
		return;
	}
	word_add(&w, "bind");
	word_add(&w, "sock=%" PRIu64, c->sock->handle);
	word_addrs(&w, "ip", ss, n);
	word_add(&w, "port=%u", addr_port(&ss[0]));
	call_question(c, &w, on_bound);
}

/* The address of bind and connect. */
static bool
read_addr(struct call *c, struct sockaddr_storage *ss)
{
	char	bytes[sizeof *ss];
	int	len = (int)c->args[2], number;

	if (len < 0 || (size_t)len > sizeof bytes) {
		(void)call_fail(c, EINVAL);
		return false;
	}
	if (!call_read(c, c->args[1], bytes, (size_t)len))
		return false;
	if ((number = decode_addr(bytes, (size_t)len, ss)) != 0) {
		(void)call_fail(c, number);
		return false;
	}
	return true;
}

void
names_bind(struct call *c)
{
	struct sockaddr_storage	ss;

	if (!read_addr(c, &ss))
		return;
	if (c->sock->family == AF_INET && ss.ss_family == AF_INET6)
		(void)call_fail(c, EINVAL);
	else if (c->sock->bound)
		(void)call_fail(c, EINVAL);
	else
		bind_to(c, &ss, 1);
}

void
names_bindx(struct call *c, const struct sockaddr_storage *ss, size_t n, bool adds)
{
	struct words	w = { 0 };

	if (adds && !c->sock->bound) {
		bind_to(c, ss, n);
		return;
	}
	word_add(&w, adds ? "bindx_add" : "bindx_rem");
	word_add(&w, "sock=%" PRIu64, c->sock->handle);
	word_addrs(&w, "addrs", ss, n);
	call_question(c, &w, call_done);
}

/* ---- connect --------------------------------------------------------- */

/* connect waits for the association; it is answered with 0, or with the number that connectx wants. */
static bool
try_connected(struct call *c)
{
	struct sock		*s = c->sock;
	const struct peer	*p = sock_peer(s, c->assoc_id);
	int			 number;

	if (p != NULL && !p->up && s->state != SOCK_ENDED)
		return false;
	if (p != NULL || (s->type == SOCK_STREAM && s->error == 0)) {
		(void)call_answer(c, (int64_t)c->handle);
		return true;
	}
	number = s->type == SOCK_STREAM ? s->error : s->not_up;
	s->error = 0;
	(void)call_fail(c, number != 0 ? number : ECONNREFUSED);
	return true;
}

static bool
put_id_len(struct call *c)
{
	int	len = sizeof c->assoc_id;

	return call_write(c, c->args[4], &len, sizeof len);
}

static void
on_connecting(struct call *c, int code, const struct sctpd_value *v)
{
	struct sock		*s = c->sock;
	struct sockaddr_storage	 none = { .ss_family = AF_UNSPEC };

	if (c->over)
		return;
	if (code != SCTPD_OK) {
		if (s->state == SOCK_CONNECTING)
			s->state = SOCK_IDLE;
		(void)call_fail(c, errno_of(code));
		return;
	}
	settle_did(c);
	c->assoc_id = (uint32_t)sctpd_get_int(v, "assoc_id");
	if (c->handle != 0)
		c->handle = c->assoc_id;	/* connectx's value */
	s->bound = true;
	(void)sock_add_peer(s, c->assoc_id, c->to != NULL ? c->to : &none);
	if (s->type == SOCK_STREAM)
		s->assoc_id = c->assoc_id;
	if (c->id_at != 0 && !(call_write(c, c->id_at, &c->assoc_id, sizeof c->assoc_id) && put_id_len(c)))
		return;
	if (!call_may_wait(c, 0)) {
		if (s->type == SOCK_STREAM)
			sock_set_full(c);
		(void)call_fail(c, EINPROGRESS);
	} else
		call_wait(c, try_connected, s->sndtimeo, EINPROGRESS);
}

static void
connect_to(struct call *c, const struct sockaddr_storage *ss, size_t n)
{
	struct sock	*s = c->sock;
	struct words	 w = { 0 };

	if (s->handle == 0 || s->state == SOCK_ENDED)
		(void)call_fail(c, EISCONN);
	else if (s->listening && s->type == SOCK_STREAM)
		(void)call_fail(c, EISCONN);
	else if (s->state == SOCK_UP)
		(void)call_fail(c, EISCONN);
	else if (s->state == SOCK_CONNECTING)
		(void)call_fail(c, EALREADY);
	else if ((c->to = malloc(sizeof *c->to)) == NULL)
		(void)call_fail(c, ENOMEM);
	else {
		*c->to = ss[0];
		if (s->type == SOCK_STREAM)
			s->state = SOCK_CONNECTING;
		s->not_up = 0;
		s->connecting_since = sock_now();
		word_add(&w, "connect_init");
		word_add(&w, "sock=%" PRIu64, s->handle);
		word_addrs(&w, "addr", ss, n);
		word_add(&w, "port=%u", addr_port(&ss[0]));
		call_question(c, &w, on_connecting);
	}
}

void
names_connect(struct call *c)
{
	struct sockaddr_storage	ss;

	if (read_addr(c, &ss))
		connect_to(c, &ss, 1);
}

void
names_connectx(struct call *c, const struct sockaddr_storage *ss, size_t n, bool wants_id)
{
	c->handle = wants_id;
	connect_to(c, ss, n);
}

/* ---- listen, accept -------------------------------------------------- */

static void
on_listening(struct call *c, int code, const struct sctpd_value *v)
{
	if (code == SCTPD_OK && c->sock != NULL) {
		c->sock->listening = (int)c->args[1] != 0 || c->sock->type == SOCK_STREAM;
		c->sock->bound = true;
		if (c->sock->type == SOCK_STREAM)
			sock_set_full(c);	/* nobody writes there */
	}
	call_done(c, code, v);
}

void
names_listen(struct call *c)
{
	int		backlog = (int)c->args[1];
	struct words	w = { 0 };

	if (c->sock->state != SOCK_IDLE || c->sock->handle == 0) {
		(void)call_fail(c, EINVAL);
		return;
	}
	word_add(&w, "listen");
	word_add(&w, "sock=%" PRIu64, c->sock->handle);
	if (backlog < 0 || backlog > 65535)
		backlog = 65535;	/* as the kernel takes somaxconn */
	if (c->sock->type == SOCK_STREAM)
		/* One waits here, as the kernel's own queue cannot be looked into; usrsctp counts otherwise. */
		word_add(&w, "backlog=%d", backlog > 1 && c->run->kernel_stack ? backlog - 1 : backlog > 0 ? backlog : 1);
	else
		word_add(&w, "backlog=%s", backlog == 0 ? "false" : "true");
	call_question(c, &w, on_listening);
}

/* As much of an address as there is room for, and how long it is. */
static bool
put_addr(struct call *c, const struct sockaddr_storage *from, uint64_t at, uint64_t len_at)
{
	struct sockaddr_storage	ss = *from;
	socklen_t		room, len;

	if (at == 0)
		return true;
	if (c->sock->family == AF_INET6 && ss.ss_family == AF_INET)
		addr_map(&ss);
	len = addr_len(&ss);
	if (!call_read(c, len_at, &room, sizeof room))
		return false;
	if (room > INT32_MAX) {
		(void)call_fail(c, EINVAL);
		return false;
	}
	return call_write(c, at, &ss, len < room ? len : room) && call_write(c, len_at, &len, sizeof len);
}

/* It inherits what the kernel's would. */
static struct sock *
accepted(const struct sock *from, const struct arrival *a)
{
	struct sock	*s = sock_new(from->run, a->accepted, from->family, SOCK_STREAM);

	if (s == NULL)
		return NULL;
	s->state = SOCK_UP;
	s->bound = true;
	s->assoc_id = (uint32_t)a->info.sinfo_assoc_id;
	memcpy(s->subscribed, from->subscribed, sizeof s->subscribed);
	memcpy(s->kept, from->kept, sizeof s->kept);
	s->defaults = from->defaults;
	(void)sock_add_peer(s, s->assoc_id, &a->from);
	return s;
}

/* The association stays in the queue until the program has its descriptor. */
static void
accept_it(struct call *c, struct arrival *a)
{
	struct sock	*listener = c->sock, *s;
	int		 flags = c->nr == SYS_accept4 ? (int)c->args[3] : 0, number;

	if (!put_addr(c, &a->from, c->args[1], c->args[2]))
		return;
	if ((s = accepted(listener, a)) == NULL) {
		(void)call_fail(c, ENOMEM);
		return;
	}
	sock_ref(listener);
	TAILQ_REMOVE(&listener->arrivals, a, entry);
	sock_clear_readable(c);
	TAILQ_INSERT_HEAD(&listener->arrivals, a, entry);
	if (names_give(c, s, flags, true) != -1) {
		names_begin_events(s);
		sock_took(listener);
	} else {
		number = errno;
		s->handle = 0;		/* it is the queue's still */
		sock_forget(s);
		sock_set_readable(listener);
		if (number == ENOENT)
			call_drop(c);
		else
			(void)call_fail(c, number);
	}
	sock_unref(listener);
}

static bool
try_accept(struct call *c)
{
	struct arrival	*a;

	TAILQ_FOREACH(a, &c->sock->arrivals, entry) {
		if (a->accepted != 0)
			break;
	}
	if (a == NULL && c->sock->handle != 0)
		return false;
	if (a == NULL)
		(void)call_fail(c, ENETDOWN);
	else
		accept_it(c, a);
	return true;
}

void
names_accept(struct call *c)
{
	struct sock	*s = c->sock;

	if (s->type != SOCK_STREAM)
		(void)call_fail(c, EOPNOTSUPP);
	else if (!s->listening)
		(void)call_fail(c, EINVAL);
	else if (try_accept(c))
		return;
	else if (call_may_wait(c, 0))
		call_wait(c, try_accept, s->rcvtimeo, EAGAIN);
	else
		settle(c, try_accept);
}

/* ---- names ----------------------------------------------------------- */

static void
on_name(struct call *c, int code, const struct sctpd_value *v)
{
	const char		*text = sctpd_get_str(v, "addr");
	struct sockaddr_storage	 ss = { 0 };

	if (c->over)
		return;
	if (code != SCTPD_OK) {
		(void)call_fail(c, errno_of(code));
		return;
	}
	if (!addr_parse(text, strlen(text), &ss))
		ss.ss_family = (sa_family_t)c->sock->family;
	addr_set_port(&ss, (uint16_t)sctpd_get_int(v, "port"));
	if (put_addr(c, &ss, c->args[1], c->args[2]))
		(void)call_answer(c, 0);
}

static void
ask_name(struct call *c, const char *method)
{
	struct words	w = { 0 };

	word_add(&w, "%s", method);
	word_add(&w, "sock=%" PRIu64, c->sock->handle);
	call_question(c, &w, on_name);
}

/* An address that is known here. */
static void
give_name(struct call *c, const struct sockaddr_storage *ss)
{
	if (put_addr(c, ss, c->args[1], c->args[2]))
		(void)call_answer(c, 0);
}

static void
give_local(struct call *c)
{
	struct sockaddr_storage	any = { .ss_family = (sa_family_t)c->sock->family };

	give_name(c, c->sock->local.ss_family != AF_UNSPEC ? &c->sock->local : &any);
}

/* The first of the association's addresses; it may have ended meanwhile. */
static void
on_names(struct call *c, int code, const struct sctpd_value *v)
{
	if (code != SCTPD_OK && !c->over)
		give_local(c);
	else
		on_name(c, code, sctpd_item(sctpd_get(v, "addresses"), 0));
}

/* A socket that is bound to any address has the association's own, once it has one. */
static void
ask_local_of_assoc(struct call *c)
{
	struct words	w = { 0 };

	word_add(&w, "socknames");
	word_add(&w, "sock=%" PRIu64, c->sock->handle);
	word_add(&w, "assoc_id=%u", c->sock->assoc_id);
	call_question(c, &w, on_names);
}

void
names_local(struct call *c)
{
	if (c->sock->handle != 0 && c->sock->state == SOCK_UP)
		ask_local_of_assoc(c);
	else if (c->sock->handle != 0 && c->sock->state != SOCK_ENDED)
		ask_name(c, "sockname");
	else
		give_local(c);
}

void
names_peer(struct call *c)
{
	const struct peer	*p = sock_peer(c->sock, c->sock->assoc_id);

	if (c->sock->type != SOCK_STREAM || (c->sock->state != SOCK_UP && c->sock->state != SOCK_ENDED))
		(void)call_fail(c, ENOTCONN);
	else if (p != NULL && p->addr.ss_family != AF_UNSPEC)
		give_name(c, &p->addr);
	else if (c->sock->remote.ss_family != AF_UNSPEC)
		give_name(c, &c->sock->remote);
	else if (c->sock->state == SOCK_ENDED)
		(void)call_fail(c, ENOTCONN);
	else
		ask_name(c, "peername");
}

/* ---- shutdown -------------------------------------------------------- */

/* It is being shut down already, or has ended. */
static void
on_shut(struct call *c, int code, const struct sctpd_value *v)
{
	if (!c->over)
		settle_did(c);
	call_done(c, code == SCTPD_EPIPE || code == SCTPD_CLOSED ? SCTPD_ENOTCONN : code, v);
}

/* SCTP has no half of an association (RFC 6458 4.1.7): what is sent arrives, and then it ends. */
void
names_shutdown(struct call *c)
{
	struct sock	*s = c->sock;
	int		 how = (int)c->args[1];
	struct words	 w = { 0 };

	if (how < SHUT_RD || how > SHUT_RDWR) {
		(void)call_fail(c, EINVAL);
		return;
	}
	if (s->type != SOCK_STREAM && s->listening) {
		(void)call_answer(c, 0);
		return;
	}
	if (s->state != SOCK_UP) {
		(void)call_fail(c, ENOTCONN);
		return;
	}
	if (how == SHUT_RD) {
		s->cannot_read = true;
		sock_set_readable(s);
		(void)call_answer(c, 0);
		return;
	}
	s->cannot_read |= how == SHUT_RDWR;
	word_add(&w, "eof");
	word_add(&w, "sock=%" PRIu64, s->handle);
	call_question(c, &w, on_shut);
}
