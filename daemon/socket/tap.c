/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See tap.h.
 */
#include <event2/event_struct.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "proto/addr.h"
#include "proto/codec.h"
#include "proto/pcapng.h"
#include "rpc/call.h"
#include "socket/assoc.h"
#include "socket/report.h"
#include "socket/sock.h"
#include "socket/tap.h"
#include "util/loop.h"
#include "util/mem.h"

/* How long messages wait for others; and how often a client that does not read is looked at. */
#define GATHER_MS	20
#define STUCK_MS	200
/* So much goes at once: the Unix socket takes it whole, and malloc needs no pages for it. */
#define EVENT_BYTES	(48u << 10)
#define COMMENT		160		/* the longest about an association, with its NUL */
/* Bytes of a message in one packet, and more: see pcapng.c. */
#define LONG		60000u

struct tap {
	TAILQ_ENTRY(tap)	 entry;
	struct client		*client;
	struct tap_filter	 filter;
	struct tap_counts	 counts;
	uint64_t		 told;		/* of those dropped, in the file */
	struct event		 timer;
	struct pcapng		 out;		/* the buffer */
	char			 mem[TAP_BUFFER];
};

/* What is the same for all messages of an association. */
struct tapped {
	struct sockaddr_storage	 local;
	uint64_t		 sock;		/* of which it is said */
	uint64_t		 client;
	uint32_t		 tsn;		/* of the last message sent: stacks do not say it */
	char			 comment[COMMENT];
};

static TAILQ_HEAD(, tap) taps = TAILQ_HEAD_INITIALIZER(taps);
static unsigned ntaps;

bool tap_is_on;

/* When this turn of the loop began to serve: no system call for each message. */
static uint64_t
now_us(void)
{
	struct timeval	tv;

	(void)event_base_gettimeofday_cached(loop_base(), &tv);
	return (uint64_t)tv.tv_sec * 1000000 + (uint64_t)tv.tv_usec;
}

/* ---- from the buffer to the client ----------------------------------- */

/* Where messages are missing, the file says so. */
static void
tell_dropped(struct tap *t)
{
	char	text[96];

	if (t->counts.dropped == t->told || sizeof t->mem - t->out.len < 2 * sizeof text)
		return;
	(void)snprintf(text, sizeof text, "%" PRIu64 " messages are missing here: the reader of the tap was too slow",
	    t->counts.dropped - t->told);
	pcapng_statistics(&t->out, now_us(), t->counts.messages, t->counts.dropped, text);
	t->told = t->counts.dropped;
}

static void
send_blocks(struct tap *t, const char *blocks, size_t len)
{
	struct event_tap	 e = { .pcapng = { blocks, (uint32_t)len }, .dropped = t->counts.dropped };
	const struct event_type	*row = EVENT_tap;
	msgpack_packer		*pk;

	pk = client_event_begin(t->client, row, 0, codec_count(row->fields, &e, sizeof e), false);
	codec_pack_fields(pk, row->fields, &e, sizeof e);
}

/* Try again, or send what comes until then. */
static void
wait_ms(struct tap *t, unsigned ms)
{
	struct timeval	tv = { .tv_usec = (suseconds_t)ms * 1000 };

	if (!evtimer_pending(&t->timer, NULL))
		(void)evtimer_add(&t->timer, &tv);
}

static bool
has_room(struct tap *t)
{
	if (client_has_room(t->client))
		return true;
	wait_ms(t, STUCK_MS);
	return false;
}

/* Send the buffer. False: the client has no room, and the buffer stays. */
static bool
flush(struct tap *t)
{
	if (!has_room(t))
		return false;
	tell_dropped(t);
	if (t->out.len > 0)
		send_blocks(t, t->out.mem, t->out.len);
	t->out.len = 0;
	tell_dropped(t);	/* if it did not fit in before */
	if (t->out.len > 0)
		wait_ms(t, GATHER_MS);
	return true;
}

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	(void)flush(arg);
}

/* ---- from a message to the buffer ------------------------------------ */

/* The first address of this side in the peer's family, or, if there is none, any. */
static void
find_local(struct assoc *a, struct sockaddr_storage *local)
{
	struct sockaddr_storage	*list = NULL;
	size_t			 n = 0;

	*local = (struct sockaddr_storage){ .ss_family = a->peer.ss_family };
	if (a->sock == NULL || stack->names(a->sock, a, false, &list, &n) != 0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (list[i].ss_family == a->peer.ss_family) {
			*local = list[i];
			break;
		}
	}
	addr_set_port(local, a->sock->port);
	free(list);
}

/* In words that sctpctl reads, too. */
static void
describe(struct tapped *d, const struct assoc *a, const struct client *owner)
{
	d->sock = a->sock != NULL ? a->sock->node.key : 0;
	d->client = owner != NULL ? owner->node.key : 0;
	(void)snprintf(d->comment, sizeof d->comment, "sock=%" PRIu64 " assoc_id=%u client=%" PRIu64 "%s%.64s",
	    d->sock, assoc_id(a), d->client, owner != NULL && owner->name != NULL ? " name=" : "",
	    owner != NULL && owner->name != NULL ? owner->name : "");
}

static struct tapped *
look_at(struct assoc *a)
{
	struct client	*owner = a->sock != NULL ? a->sock->owner : NULL;
	struct tapped	*d = a->tapped;

	if (d == NULL) {
		d = a->tapped = xcalloc(1, sizeof *d);
		find_local(a, &d->local);
		describe(d, a, owner);
	} else if (a->sock != NULL && (d->sock != a->sock->node.key || d->client != owner->node.key))
		describe(d, a, owner);
	return d;
}

/* Is it the address that is wanted? Its port is another matter. */
static bool
is_addr(const struct tap_filter *f, const struct sockaddr_storage *ss)
{
	struct sockaddr_storage	wanted = f->addr;

	addr_set_port(&wanted, addr_port(ss));
	return addr_equal(&wanted, ss);
}

static bool
is_wanted(const struct tap_filter *f, const struct assoc *a, const struct sockaddr_storage *peer,
    uint32_t ppid)
{
	const struct tapped	*d = a->tapped;

	return (f->sock == 0 || f->sock == d->sock) &&
	    (f->client == 0 || f->client == d->client) &&
	    (f->assoc_id == 0 || f->assoc_id == assoc_id(a)) &&
	    (!f->by_ppid || f->ppid == ppid) &&
	    (f->port == 0 || f->port == addr_port(peer)) &&
	    (f->addr.ss_family == AF_UNSPEC || is_addr(f, peer) || is_addr(f, &a->peer));
}

/* A message that takes more than a buffer. False: it is dropped. */
static bool
put_long(struct tap *t, const struct pcapng_message *m, size_t room)
{
	struct pcapng	o = { .size = room };

	if (!flush(t) || !has_room(t) || !account_may(&t->client->account, room) || (o.mem = malloc(room)) == NULL)
		return false;
	pcapng_message(&o, m);
	send_blocks(t, o.mem, o.len);
	free(o.mem);
	return true;
}

static bool
put(struct tap *t, struct pcapng_message *m)
{
	char	comment[COMMENT + 32];
	size_t	room;

	m->snap = t->filter.snap;
	if (m->len > LONG) {		/* several packets: the first says how long all are */
		(void)snprintf(comment, sizeof comment, "length=%zu %s", m->len, m->comment);
		m->comment = comment;
	}
	room = pcapng_room(m->snap != 0 && m->snap < m->len ? m->snap : m->len) + sizeof comment;
	if (room > sizeof t->mem)
		return put_long(t, m, room);
	if (sizeof t->mem - t->out.len < room && !flush(t))
		return false;
	pcapng_message(&t->out, m);
	if (t->out.len >= EVENT_BYTES)
		(void)flush(t);
	else
		wait_ms(t, GATHER_MS);
	return true;
}

static void
copy(struct assoc *a, const struct pcapng_message *m, const struct sockaddr_storage *peer)
{
	struct pcapng_message	 one;
	struct tap		*t;

	TAILQ_FOREACH(t, &taps, entry) {
		if (!is_wanted(&t->filter, a, peer, m->ppid))
			continue;
		one = *m;
		t->counts.messages++;
		t->counts.dropped += !put(t, &one);
	}
}

void
tap_received(struct assoc *a, const struct sockaddr_storage *from, const struct event_data *e)
{
	struct tapped			*d = look_at(a);
	const struct sndrcvinfo		*info = &e->sctp_sndrcvinfo;
	const struct sockaddr_storage	*peer = from != NULL ? from : &a->peer;

	copy(a, &(struct pcapng_message){
		.us = now_us(),
		.from = peer,
		.to = &d->local,
		.stream = info->stream,
		.ssn = info->ssn,
		.tsn = info->tsn,
		.ppid = info->ppid,
		.unordered = (info->flags & SNDRCV_UNORDERED) != 0,
		.data = e->data.ptr,
		.len = e->data.len,
		.comment = d->comment,
	}, peer);
}

void
tap_sent(struct assoc *a, const struct stack_message *m, unsigned n)
{
	struct tapped	*d = look_at(a);
	uint64_t	 us = now_us();

	for (; n > 0; n--, m++) {
		copy(a, &(struct pcapng_message){
			.us = us,
			.sent = true,
			.from = &d->local,
			.to = &a->peer,
			.stream = m->info.stream,
			.ssn = (uint16_t)d->tsn,
			.tsn = d->tsn,
			.ppid = m->info.ppid,
			.unordered = (m->info.flags & SNDRCV_UNORDERED) != 0,
			.data = m->data,
			.len = m->len,
			.comment = d->comment,
		}, &a->peer);
		d->tsn += 1 + (uint32_t)(m->len / LONG);
	}
}

/* ---- taps ------------------------------------------------------------ */

static struct tap *
find(const struct client *c)
{
	struct tap	*t = NULL;

	TAILQ_FOREACH(t, &taps, entry) {
		if (t->client == c)
			break;
	}
	return t;
}

/* The last ones are root's, who may have to find out what goes on. */
static enum error
may_begin(const struct client *c, bool root)
{
	unsigned	 most = root ? TAPS_MAX : TAPS_MAX - TAPS_FOR_ROOT, own = 0;
	struct tap	*t;

	TAILQ_FOREACH(t, &taps, entry)
		own += t->client->uid == c->uid;
	if (!root && own >= TAPS_A_USER)
		return call_fail(ERR_limit, "tap: user %u has %u taps already, and that is the most of one user; end another first",
		    (unsigned)c->uid, own);
	if (ntaps >= most)
		return call_fail(ERR_limit, "tap: there are %u taps already, and that is the most%s; end another first",
		    ntaps, root ? "" : " for users other than root");
	return ERR_OK;
}

/* What is wanted, in words. */
static const char *
wanted(const struct tap_filter *f, char *to, size_t size)
{
	char	addr[ADDR_TEXT];
	size_t	n = (size_t)snprintf(to, size, "all messages");

#define ADD(...)	n += (size_t)snprintf(to + n, size - n, __VA_ARGS__)
	if (f->sock != 0)
		ADD(" of sock %" PRIu64, f->sock);
	if (f->client != 0)
		ADD(" of client %" PRIu64, f->client);
	if (f->assoc_id != 0)
		ADD(" of assoc %u", f->assoc_id);
	if (f->addr.ss_family != AF_UNSPEC)
		ADD(" with %s", addr_text(&f->addr, addr));
	if (f->port != 0)
		ADD(" with port %u", f->port);
	if (f->by_ppid)
		ADD(" with PPID %u", f->ppid);
	if (f->snap != 0)
		ADD(", %u bytes of each", f->snap);
#undef ADD
	return to;
}

static void
say_begun(const struct tap *t)
{
	char			who[REPORT_WHO], what[256];
	const struct log_field	f[] = {
		LINE_TEXT(by, report_who(t->client, who)),
		LINE_TEXT(wanted, wanted(&t->filter, what, sizeof what)),
		LINE_NUMBER(by_uid, t->client->uid),
		LINE_NUMBER(by_pid, (uint64_t)t->client->pid),
	};

	if (log_wants(&line_table[LINE_tap_began]))
		log_row(&line_table[LINE_tap_began], f, sizeof f / sizeof *f);
}

static void
say_ended(const struct tap *t)
{
	char			who[REPORT_WHO];
	const struct log_field	f[] = {
		LINE_TEXT(by, report_who(t->client, who)),
		LINE_NUMBER(messages, t->counts.messages),
		LINE_NUMBER(dropped, t->counts.dropped),
		LINE_NUMBER(by_uid, t->client->uid),
		LINE_NUMBER(by_pid, (uint64_t)t->client->pid),
	};

	if (log_wants(&line_table[LINE_tap_ended]))
		log_row(&line_table[LINE_tap_ended], f, sizeof f / sizeof *f);
}

enum error
tap_begin(struct client *c, const struct tap_filter *f, bool root)
{
	struct tap	*t;
	enum error	 e;

	tap_end(c);
	if ((e = may_begin(c, root)) != ERR_OK)
		return e;
	if (!account_may(&c->account, sizeof *t))
		return call_fail(ERR_limit, "tap: %s", account_why_not(&c->account, sizeof *t));
	t = xcalloc(1, sizeof *t);
	account_charge(&c->account, sizeof *t);
	t->client = c;
	t->filter = *f;
	t->out = (struct pcapng){ .mem = t->mem, .size = sizeof t->mem };
	evtimer_assign(&t->timer, loop_base(), on_time, t);
	pcapng_section(&t->out, "sctpd " SCTPD_VERSION, "Messages as programs sent and received them through sctpd. IP and SCTP headers are made from what the stack says.");
	TAILQ_INSERT_TAIL(&taps, t, entry);
	ntaps++;
	c->tapping = c->events = tap_is_on = true;
	say_begun(t);
	(void)flush(t);
	return ERR_OK;
}

void
tap_end(struct client *c)
{
	struct tap	*t;

	if (!c->tapping)
		return;
	t = find(c);
	say_ended(t);
	c->tapping = false;
	TAILQ_REMOVE(&taps, t, entry);
	tap_is_on = --ntaps > 0;
	(void)evtimer_del(&t->timer);
	account_discharge(&c->account, sizeof *t);
	free(t);
}

void
tap_end_unless(bool (*may)(uid_t))
{
	static const char	why[] = "eacces: the tap was ended: tap_users in sctpd.conf does not name you any more";
	struct event_error	e = { .method = { "tap", 3 }, .error = { why, sizeof why - 1 } };
	struct tap		*t, *next;
	struct client		*c;

	for (t = TAILQ_FIRST(&taps); t != NULL; t = next) {
		next = TAILQ_NEXT(t, entry);
		c = t->client;
		if (may(c->uid))
			continue;
		tap_end(c);
		client_tell(c, EVENT_error, 0, &e);
	}
}

struct tap_counts
tap_finish(struct client *c)
{
	struct tap_counts	 counts = { 0, 0 };
	struct tap		*t = c->tapping ? find(c) : NULL;

	if (t == NULL)
		return counts;
	counts = t->counts;
	tell_dropped(t);
	if (t->out.len > 0)	/* this once, room or not: it is the last */
		send_blocks(t, t->out.mem, t->out.len);
	tap_end(c);
	return counts;
}
