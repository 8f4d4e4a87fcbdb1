/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Most options are the daemon's: their bytes go there and come back, and nobody
 * here knows what they mean. The table has those that are not: what the
 * supervisor itself does, or what is no option but a call by that way.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "proto/addr.h"
#include "run/decode.h"
#include "run/errnos.h"
#include "run/memory.h"
#include "run/names.h"
#include "run/notice.h"
#include "run/option.h"
#include "run/sock.h"

#define VALUE_MOST	4096	/* bytes of a value that are read; addresses are the longest */

/* Options of this number that older headers lack. */
#ifndef SCTP_SOCKOPT_PEELOFF_FLAGS
#define SCTP_SOCKOPT_PEELOFF_FLAGS	122
#endif

struct row {
	int	level;
	int	name;
	void	(*set)(struct call *, const void *, size_t len);	/* NULL: ENOPROTOOPT */
	void	(*get)(struct call *, const void *, size_t len);	/* what the program gave, and its room */
};

static int
level_of(const struct call *c)
{
	return (int)c->args[1];
}

static int
name_of(const struct call *c)
{
	return (int)c->args[2];
}

/* ---- values ---------------------------------------------------------- */

/* As much of it as the program has room for. */
static void
give(struct call *c, const void *value, size_t len, size_t room)
{
	int	n = (int)(len < room ? len : room);

	if (call_write(c, c->args[3], value, (size_t)n) && call_write(c, c->args[4], &n, sizeof n))
		(void)call_answer(c, 0);
}

static void
give_int(struct call *c, int value, size_t room)
{
	give(c, &value, sizeof value, room);
}

/* An int; false: the call was answered. */
static bool
take_int(struct call *c, const void *value, size_t len, int *n)
{
	if (len < sizeof *n) {
		(void)call_fail(c, EINVAL);
		return false;
	}
	memcpy(n, value, sizeof *n);
	return true;
}

/* ---- the socket's own ------------------------------------------------ */

static void
get_error(struct call *c, const void *value, size_t room)
{
	struct sock	*s = c->sock;
	int		 number = s->error;

	(void)value;
	sock_ref(s);
	s->error = 0;
	if (number != 0 && TAILQ_EMPTY(&s->arrivals))
		sock_clear_readable(c);
	give_int(c, number, room);
	sock_unref(s);
}

static void
get_type(struct call *c, const void *value, size_t room)
{
	(void)value;
	give_int(c, c->sock->peeled ? SOCK_SEQPACKET : c->sock->type, room);
}

static void
get_domain(struct call *c, const void *value, size_t room)
{
	(void)value;
	give_int(c, c->sock->family, room);
}

static void
get_protocol(struct call *c, const void *value, size_t room)
{
	(void)value;
	give_int(c, IPPROTO_SCTP, room);
}

static void
get_acceptconn(struct call *c, const void *value, size_t room)
{
	(void)value;
	give_int(c, c->sock->listening, room);
}

static int64_t *
timeout_of(const struct call *c)
{
	int	name = name_of(c);

	return name == SO_RCVTIMEO || name == SO_RCVTIMEO_NEW ? &c->sock->rcvtimeo : &c->sock->sndtimeo;
}

/* The daemon has it for messages that wait for room. */
static void
tell_send_timeout(const struct sock *s)
{
	struct words	w = { 0 };

	word_add(&w, "setopts");
	word_add(&w, "sock=%" PRIu64, s->handle);
	if (s->sndtimeo < 0)
		word_add(&w, "options.send_timeout=infinity");
	else
		word_add(&w, "options.send_timeout=%" PRId64, s->sndtimeo);
	if (s->handle != 0)
		daemon_tell(s->run, &w);
}

static void
set_timeout(struct call *c, const void *value, size_t len)
{
	struct timeval	tv;

	if (len < sizeof tv) {
		(void)call_fail(c, EINVAL);
		return;
	}
	memcpy(&tv, value, sizeof tv);
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000) {
		(void)call_fail(c, EDOM);
		return;
	}
	/* As the kernel: 0 is without end, and less is no wait; so is what has no place in milliseconds. */
	*timeout_of(c) = tv.tv_sec == 0 && tv.tv_usec == 0 ? -1 : tv.tv_sec < 0 ? 0 :
	    tv.tv_sec > INT32_MAX / 1000 ? -1 : tv.tv_sec * 1000 + (tv.tv_usec + 999) / 1000;
	if (timeout_of(c) == &c->sock->sndtimeo)
		tell_send_timeout(c->sock);
	(void)call_answer(c, 0);
}

static void
get_timeout(struct call *c, const void *value, size_t room)
{
	int64_t		ms = *timeout_of(c);
	struct timeval	tv = { .tv_sec = ms < 0 ? 0 : ms / 1000, .tv_usec = ms < 0 ? 0 : ms % 1000 * 1000 };

	(void)value;
	give(c, &tv, sizeof tv, room);
}

/*
 * What the daemon need not know: whether messages have SCTP_RCVINFO and
 * SCTP_NXTINFO, and what changes nothing here, and programs set all the same.
 * Messages always come whole: so none interleave, and none is delivered in parts.
 */
static uint32_t *
kept(const struct call *c)
{
	return &c->sock->kept[level_of(c) == IPPROTO_SCTP][name_of(c)];
}

static void
set_kept(struct call *c, const void *value, size_t len)
{
	int	n;

	if (!take_int(c, value, len, &n))
		return;
	*kept(c) = name_of(c) == SCTP_PARTIAL_DELIVERY_POINT && level_of(c) == IPPROTO_SCTP ? (uint32_t)n : n != 0;
	(void)call_answer(c, 0);
}

static void
get_kept(struct call *c, const void *value, size_t room)
{
	(void)value;
	if (level_of(c) == IPPROTO_SCTP && room < sizeof(int))
		(void)call_fail(c, EINVAL);
	else
		give_int(c, (int)*kept(c), room);
}

/* ---- events ---------------------------------------------------------- */

/* Names of the daemon's, by the offset in struct sctp_event_subscribe; the first seven are always on there. */
static const char *const	event_names[] = {
	NULL, NULL, NULL, NULL, NULL, NULL, NULL, "adaptation_layer_event", "authentication_event",
	"sender_dry_event", "stream_reset_event", "assoc_reset_event", "stream_change_event",
};

#define EVENT_NAMES	(sizeof event_names / sizeof event_names[0])

static void
subscribe(struct call *c, size_t flag, bool on)
{
	struct words	w = { 0 };

	if (on && flag < EVENT_NAMES && event_names[flag] != NULL && !c->sock->subscribed[flag] && c->sock->handle != 0) {
		word_add(&w, "setopts");
		word_add(&w, "sock=%" PRIu64, c->sock->handle);
		word_add(&w, "options.sctp_events.%s=true", event_names[flag]);
		daemon_tell(c->run, &w);
	}
	c->sock->subscribed[flag] = on;
}

static void
set_events(struct call *c, const void *value, size_t len)
{
	const uint8_t	*flags = value;

	if (len > sizeof(struct sctp_event_subscribe) || len == 0) {
		(void)call_fail(c, EINVAL);
		return;
	}
	for (size_t i = 0; i < len; i++)
		subscribe(c, i, flags[i] != 0);
	(void)call_answer(c, 0);
}

static void
get_events(struct call *c, const void *value, size_t room)
{
	(void)value;
	if (room == 0)
		(void)call_fail(c, EINVAL);
	else
		give(c, c->sock->subscribed, sizeof(struct sctp_event_subscribe), room);
}

/* RFC 6458 6.2.2; se_on follows. */
static void
set_event(struct call *c, const void *value, size_t len)
{
	struct sctp_event	e;
	int			flag;

	if (len < sizeof e) {
		(void)call_fail(c, EINVAL);
		return;
	}
	memcpy(&e, value, sizeof e);
	if ((flag = notice_flag_of(e.se_type)) < 0) {
		(void)call_fail(c, EINVAL);
		return;
	}
	subscribe(c, (size_t)flag, e.se_on != 0);
	(void)call_answer(c, 0);
}

static void
get_event(struct call *c, const void *value, size_t room)
{
	struct sctp_event	e;
	int			flag;

	if (room < sizeof e) {
		(void)call_fail(c, EINVAL);
		return;
	}
	memcpy(&e, value, sizeof e);
	if ((flag = notice_flag_of(e.se_type)) < 0) {
		(void)call_fail(c, EINVAL);
		return;
	}
	e.se_on = c->sock->subscribed[flag];
	give(c, &e, sizeof e, room);
}

/* ---- calls by the way of options ------------------------------------- */

static void
set_bindx(struct call *c, const void *value, size_t len)
{
	struct sockaddr_storage	ss[DECODE_ADDRS];
	size_t			n;
	int			number;

	if ((number = decode_addrs(value, len, ss, &n)) != 0)
		(void)call_fail(c, number);
	else
		names_bindx(c, ss, n, name_of(c) == SCTP_SOCKOPT_BINDX_ADD);
}

static void
set_connectx(struct call *c, const void *value, size_t len)
{
	struct sockaddr_storage	ss[DECODE_ADDRS];
	size_t			n;
	int			number;

	if ((number = decode_addrs(value, len, ss, &n)) != 0)
		(void)call_fail(c, number);
	else
		names_connectx(c, ss, n, name_of(c) == SCTP_SOCKOPT_CONNECTX);
}

/* The third form: the addresses are elsewhere in memory, and the number takes the place of the first field. */
static void
get_connectx(struct call *c, const void *value, size_t room)
{
	struct sctp_getaddrs_old {
		sctp_assoc_t	 assoc_id;
		int		 len;
		struct sockaddr	*addrs;
	} g;
	char			 bytes[VALUE_MOST];
	struct sockaddr_storage	 ss[DECODE_ADDRS];
	size_t			 n;
	int			 number;

	if (room < sizeof g) {
		(void)call_fail(c, EINVAL);
		return;
	}
	memcpy(&g, value, sizeof g);
	if (g.len <= 0 || (size_t)g.len > sizeof bytes)
		(void)call_fail(c, EINVAL);
	else if (call_read(c, (uintptr_t)g.addrs, bytes, (size_t)g.len)) {
		if ((number = decode_addrs(bytes, (size_t)g.len, ss, &n)) != 0) {
			(void)call_fail(c, number);
			return;
		}
		c->id_at = c->args[3];
		names_connectx(c, ss, n, false);
	}
}

/* What of this association had come to the first socket is the second one's. */
static void
move_arrivals(struct sock *from, struct sock *to, uint32_t assoc_id)
{
	struct arrival	*a, *next;

	for (a = TAILQ_FIRST(&from->arrivals); a != NULL; a = next) {
		next = TAILQ_NEXT(a, entry);
		if ((uint32_t)a->info.sinfo_assoc_id != assoc_id)
			continue;
		TAILQ_REMOVE(&from->arrivals, a, entry);
		from->narrivals--;
		TAILQ_INSERT_TAIL(&to->arrivals, a, entry);
		to->narrivals++;
	}
	if (!TAILQ_EMPTY(&to->arrivals))
		sock_set_readable(to);
}

static void
on_peeled(struct call *c, int code, const struct sctpd_value *v)
{
	uint64_t		 handle;
	struct sock		*from = c->sock, *s;
	struct peer		*p;
	struct sockaddr_storage	 none = { .ss_family = AF_UNSPEC };
	int			 number, error;

	if (code != SCTPD_OK) {
		(void)call_fail(c, errno_of(code));
		return;
	}
	handle = (uint64_t)sctpd_get_int(v, "sock");
	if (c->over) {
		daemon_tell_sock(c->run, "close", handle);
		return;
	}
	if ((s = sock_new(c->run, handle, from->family, SOCK_STREAM)) == NULL) {
		(void)call_fail(c, ENOMEM);
		return;
	}
	s->peeled = true;
	s->state = SOCK_UP;
	s->bound = true;
	s->assoc_id = c->assoc_id;
	memcpy(s->subscribed, from->subscribed, sizeof s->subscribed);
	memcpy(s->kept, from->kept, sizeof s->kept);
	p = sock_peer(from, c->assoc_id);
	(void)sock_add_peer(s, c->assoc_id, p != NULL ? &p->addr : &none);
	names_begin_events(s);
	number = names_give(c, s, c->len == sizeof(sctp_peeloff_arg_t) ? 0 : (int)c->handle, false);
	error = errno;
	if (number == -1) {
		sock_close(s);
		(void)call_fail(c, error);
		return;
	}
	sock_remove_peer(from, c->assoc_id);
	move_arrivals(from, s, c->assoc_id);
	if (TAILQ_EMPTY(&from->arrivals))
		sock_clear_readable(c);
	if (call_write(c, c->args[3] + offsetof(sctp_peeloff_arg_t, sd), &number, sizeof number))
		(void)call_answer(c, number);
}

static void
get_peeloff(struct call *c, const void *value, size_t room)
{
	struct { sctp_peeloff_arg_t arg; unsigned flags; } peel = { .flags = 0 };
	size_t		len = name_of(c) == SCTP_SOCKOPT_PEELOFF ? sizeof peel.arg : sizeof peel;
	struct words	w = { 0 };

	if (room < len || c->sock->type == SOCK_STREAM) {
		(void)call_fail(c, EINVAL);
		return;
	}
	memcpy(&peel, value, len);
	c->assoc_id = (uint32_t)peel.arg.associd;
	c->len = len;
	c->handle = peel.flags;
	c->quick = true;
	word_add(&w, "peeloff");
	word_add(&w, "sock=%" PRIu64, c->sock->handle);
	word_add(&w, "assoc_id=%u", c->assoc_id);
	call_question(c, &w, on_peeled);
}

/* ---- addresses of an association ------------------------------------- */

/* struct sctp_getaddrs, whose addresses follow it. */
static void
on_addrs(struct call *c, int code, const struct sctpd_value *v)
{
	const struct sctpd_value	*list = sctpd_get(v, "addresses"), *one;
	struct sockaddr_storage		 ss[DECODE_ADDRS] = { 0 };
	char				 bytes[VALUE_MOST];
	uint32_t			 head[2];
	size_t				 n = 0, need, packed;
	int				 len;

	if (c->over)
		return;
	if (code != SCTPD_OK) {
		(void)call_fail(c, code == SCTPD_CLOSED ? EINVAL : errno_of(code));
		return;
	}
	for (size_t i = 0; i < sctpd_count(list) && n < DECODE_ADDRS; i++) {
		one = sctpd_item(list, i);
		if (addr_parse(sctpd_get_str(one, "addr"), strlen(sctpd_get_str(one, "addr")), &ss[n])) {
			addr_set_port(&ss[n], (uint16_t)sctpd_get_int(one, "port"));
			n++;
		}
	}
	need = decode_pack_addrs(ss, n, bytes, sizeof bytes, &packed);
	if (need + sizeof head > c->len) {
		(void)call_fail(c, ENOMEM);
		return;
	}
	head[0] = c->assoc_id;
	head[1] = (uint32_t)packed;
	len = (int)(sizeof head + need);
	if (call_write(c, c->args[3], head, sizeof head) && call_write(c, c->args[3] + sizeof head, bytes, need) &&
	    call_write(c, c->args[4], &len, sizeof len))
		(void)call_answer(c, 0);
}

static void
get_addrs(struct call *c, const void *value, size_t room)
{
	struct words	w = { 0 };

	if (room < 2 * sizeof(uint32_t)) {
		(void)call_fail(c, EINVAL);
		return;
	}
	memcpy(&c->assoc_id, value, sizeof c->assoc_id);
	c->len = room;
	if (c->sock->type == SOCK_STREAM)
		c->assoc_id = c->sock->assoc_id;
	word_add(&w, "%s", name_of(c) == SCTP_GET_PEER_ADDRS ? "peernames" : "socknames");
	word_add(&w, "sock=%" PRIu64, c->sock->handle);
	if (c->assoc_id != 0)
		word_add(&w, "assoc_id=%u", c->assoc_id);
	call_question(c, &w, on_addrs);
}

/* ---- the daemon's ---------------------------------------------------- */

/* Defaults of a message without parameters of its own are needed here, too. */
static void
remember(struct sock *s, int name, const void *value, size_t len)
{
	struct sctp_sndrcvinfo	*d = &s->defaults;
	struct sctp_sndinfo	 i;

	if (name == SCTP_DEFAULT_SEND_PARAM && len >= sizeof *d)
		memcpy(d, value, sizeof *d);
	if (name == SCTP_DEFAULT_SNDINFO && len >= sizeof i) {
		memcpy(&i, value, sizeof i);
		*d = (struct sctp_sndrcvinfo){ .sinfo_stream = i.snd_sid, .sinfo_flags = i.snd_flags,
		    .sinfo_ppid = i.snd_ppid, .sinfo_context = i.snd_context, .sinfo_timetolive = d->sinfo_timetolive };
	}
	d->sinfo_assoc_id = 0;
}

/*
 * May what this stack does not have be taken for set? What is off there may be
 * switched off. And a stack with one path has no addresses that could follow
 * the host's: freeDiameter does not begin without that option.
 */
static bool
is_as_it_is(const struct call *c)
{
	int	n;

	if (name_of(c) == SCTP_AUTO_ASCONF)
		return true;
	if (c->len != sizeof n && c->len != 2 * sizeof n)
		return false;
	memcpy(&n, c->data + c->len - sizeof n, sizeof n);
	return n == 0;
}

static void
on_set(struct call *c, int code, const struct sctpd_value *v)
{
	if (code == SCTPD_ENOPROTOOPT && level_of(c) == IPPROTO_SCTP && is_as_it_is(c)) {
		call_note(c, "taken for set, as nothing would follow from it here");
		code = SCTPD_OK;
	}
	if (code == SCTPD_OK && level_of(c) == IPPROTO_SCTP && c->sock != NULL)
		remember(c->sock, name_of(c), c->data, c->len);
	call_done(c, code == SCTPD_CLOSED ? SCTPD_EINVAL : code, v);
}

static bool
is_level(int level)
{
	return level == SOL_SOCKET || level == IPPROTO_SCTP || level == IPPROTO_IP || level == IPPROTO_IPV6;
}

static void
ask_option(struct call *c, const char *method, const void *value, size_t len, call_reply *fn)
{
	struct words	w = { 0 };

	if (c->sock->handle == 0 || !is_level(level_of(c))) {
		(void)call_fail(c, c->sock->handle == 0 ? EINVAL : ENOPROTOOPT);
		return;
	}
	word_add(&w, "%s", method);
	word_add(&w, "sock=%" PRIu64, c->sock->handle);
	word_add(&w, "level=%d", level_of(c));
	word_add(&w, "name=%d", name_of(c));
	word_bytes(&w, "value", value, len);
	call_question(c, &w, fn);
}

static void
set_raw(struct call *c, const void *value, size_t len)
{
	if (level_of(c) == IPPROTO_SCTP && len > 0 && (c->data = malloc(len)) != NULL) {
		memcpy(c->data, value, len);
		c->len = len;
	}
	ask_option(c, "setsockopt", value, len, on_set);
}

static void
on_get(struct call *c, int code, const struct sctpd_value *v)
{
	const char	*bytes;
	size_t		 n;

	if (c->over)
		return;
	if (code != SCTPD_OK) {
		(void)call_fail(c, code == SCTPD_CLOSED ? EINVAL : errno_of(code));
		return;
	}
	bytes = sctpd_str(sctpd_get(v, "value"), &n);
	give(c, bytes, n, c->len);
}

static void
get_raw(struct call *c, const void *value, size_t room)
{
	c->len = room;
	ask_option(c, "getsockopt", value, room, on_get);
}

/* RFC 6458 8.1.8: of one-to-many only, whatever the length. */
static void
set_autoclose(struct call *c, const void *value, size_t len)
{
	if (c->sock->type == SOCK_STREAM && !c->sock->peeled)
		(void)call_fail(c, EOPNOTSUPP);
	else
		set_raw(c, value, len);
}

/* ---- the table ------------------------------------------------------- */

static const struct row rows[] = {
	{ SOL_SOCKET, SO_ERROR, NULL, get_error },
	{ SOL_SOCKET, SO_TYPE, NULL, get_type },
	{ SOL_SOCKET, SO_DOMAIN, NULL, get_domain },
	{ SOL_SOCKET, SO_PROTOCOL, NULL, get_protocol },
	{ SOL_SOCKET, SO_ACCEPTCONN, NULL, get_acceptconn },
	{ SOL_SOCKET, SO_RCVTIMEO, set_timeout, get_timeout },
	{ SOL_SOCKET, SO_SNDTIMEO, set_timeout, get_timeout },
	{ SOL_SOCKET, SO_RCVTIMEO_NEW, set_timeout, get_timeout },
	{ SOL_SOCKET, SO_SNDTIMEO_NEW, set_timeout, get_timeout },
	{ SOL_SOCKET, SO_KEEPALIVE, set_kept, get_kept },
	{ SOL_SOCKET, SO_BROADCAST, set_kept, get_kept },
	{ SOL_SOCKET, SO_DEBUG, set_kept, get_kept },
	{ SOL_SOCKET, SO_OOBINLINE, set_kept, get_kept },
	{ SOL_SOCKET, SO_RCVLOWAT, set_kept, get_kept },
	{ IPPROTO_SCTP, SCTP_AUTOCLOSE, set_autoclose, get_raw },
	{ IPPROTO_SCTP, SCTP_EVENTS, set_events, get_events },
	{ IPPROTO_SCTP, SCTP_EVENT, set_event, get_event },
	{ IPPROTO_SCTP, SCTP_FRAGMENT_INTERLEAVE, set_kept, get_kept },
	{ IPPROTO_SCTP, SCTP_PARTIAL_DELIVERY_POINT, set_kept, get_kept },
	{ IPPROTO_SCTP, SCTP_RECVRCVINFO, set_kept, get_kept },
	{ IPPROTO_SCTP, SCTP_RECVNXTINFO, set_kept, get_kept },
	{ IPPROTO_SCTP, SCTP_SOCKOPT_BINDX_ADD, set_bindx, NULL },
	{ IPPROTO_SCTP, SCTP_SOCKOPT_BINDX_REM, set_bindx, NULL },
	{ IPPROTO_SCTP, SCTP_SOCKOPT_CONNECTX_OLD, set_connectx, NULL },
	{ IPPROTO_SCTP, SCTP_SOCKOPT_CONNECTX, set_connectx, NULL },
	{ IPPROTO_SCTP, SCTP_SOCKOPT_CONNECTX3, NULL, get_connectx },
	{ IPPROTO_SCTP, SCTP_SOCKOPT_PEELOFF, NULL, get_peeloff },
	{ IPPROTO_SCTP, SCTP_SOCKOPT_PEELOFF_FLAGS, NULL, get_peeloff },
	{ IPPROTO_SCTP, SCTP_GET_PEER_ADDRS, NULL, get_addrs },
	{ IPPROTO_SCTP, SCTP_GET_LOCAL_ADDRS, NULL, get_addrs },
};

static const struct row *
row_of(const struct call *c)
{
	static const struct row	raw = { 0, 0, set_raw, get_raw };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (rows[i].level == level_of(c) && rows[i].name == name_of(c))
			return &rows[i];
	}
	return &raw;
}

static void
note_name(const struct call *c)
{
	call_note(c, "descriptor %d, level %d, option %d", call_fd(c), level_of(c), name_of(c));
}

void
option_set(struct call *c)
{
	char			 value[VALUE_MOST];
	int			 len = (int)c->args[4];
	const struct row	*row = row_of(c);

	note_name(c);
	if (len < 0 || (size_t)len > sizeof value)
		(void)call_fail(c, EINVAL);
	else if (row->set == NULL)
		(void)call_fail(c, ENOPROTOOPT);
	else if (call_read(c, c->args[3], value, (size_t)len))
		row->set(c, value, (size_t)len);
}

void
option_get(struct call *c)
{
	char			 value[VALUE_MOST];
	int			 len;
	size_t			 room;
	const struct row	*row = row_of(c);

	note_name(c);
	if (!call_read(c, c->args[4], &len, sizeof len))
		return;
	room = len < 0 ? 0 : (size_t)len < sizeof value ? (size_t)len : sizeof value;
	if (len < 0)
		(void)call_fail(c, EINVAL);
	else if (row->get == NULL)
		(void)call_fail(c, ENOPROTOOPT);
	else if (call_read(c, c->args[3], value, room))
		row->get(c, value, room);
}
