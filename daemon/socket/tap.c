/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See tap.h.
 */
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
#include "socket/tapring.h"
#include "trace/moment.h"
#include "util/loop.h"
#include "util/mem.h"

/* How long messages wait for others; and how often it is looked whether a client reads again. */
#define GATHER_MS	20
/* So much goes at once: the Unix socket takes it whole, and malloc needs no pages for it. */
#define EVENT_BYTES	(48u << 10)
#define DROPPED_ROOM	256u		/* the block that says so, at most */
#define HEAD_ROOM	512u		/* what begins a file */
#define COMMENT		160		/* the longest about an association, with its NUL */
#define LONG		PCAPNG_LIKE_MOST	/* a message of more takes several packets */

struct tap {
	TAILQ_ENTRY(tap)	 entry;
	struct client		*client;
	struct tap_filter	 filter;
	struct tap_counts	 counts;
	uint64_t		 told;		/* of those dropped, in the file */
	bool			 waiting;	/* for the alarm */
	struct pcapng		 out;		/* where the next message goes */
	struct tapring		*ring;		/* there, if the reader shares one */
	char			*mem;		/* there, TAP_BUFFER bytes, if not */
};

/* What is the same for all messages of an association. */
struct tapped {
	struct sockaddr_storage	 local;
	uint64_t		 sock;		/* of which it is said */
	uint64_t		 client;
	uint32_t		 tsn;		/* of the last message sent: stacks do not say it */
	char			 comment[COMMENT];
	bool			 has[2];	/* those for what was received, and for what was sent */
	struct pcapng_template	 template[2];
	struct sockaddr_storage	 from;		/* of that for what was received */
};

static TAILQ_HEAD(, tap) taps = TAILQ_HEAD_INITIALIZER(taps);
static unsigned ntaps;
static struct loop_alarm alarm_of_taps;
static bool alarm_is_set;

bool tap_is_on;

/* ---- from the buffer to the client ----------------------------------- */

/* Where messages are missing, the file says so. */
static void
tell_dropped(struct tap *t)
{
	char	text[96];

	if (t->counts.dropped == t->told || t->out.size - t->out.len < DROPPED_ROOM)
		return;
	(void)snprintf(text, sizeof text, "%" PRIu64 " messages are missing here: the reader of the tap was too slow",
	    t->counts.dropped - t->told);
	pcapng_statistics(&t->out, moment_us(), t->counts.messages, t->counts.dropped, text);
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
wait_a_little(struct tap *t)
{
	t->waiting = true;
	if (alarm_is_set)
		return;
	alarm_is_set = true;
	loop_alarm_set(&alarm_of_taps, GATHER_MS);
}

static bool
has_room(struct tap *t)
{
	if (client_has_room(t->client))
		return true;
	wait_a_little(t);
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
		wait_a_little(t);
	return true;
}

/* Let the reader see what the ring has. */
static bool
show(struct tap *t)
{
	bool	more = tapring_show(t->ring, t->counts.messages, t->counts.dropped);

	if (more)
		send_blocks(t, "", 0);
	return more;
}

/* Room for so much; NULL: there is none. */
static struct pcapng *
begin_blocks(struct tap *t, size_t room)
{
	if (t->ring == NULL)
		return t->out.size - t->out.len >= room || flush(t) ? &t->out : NULL;
	if (t->counts.dropped != t->told)
		room += DROPPED_ROOM;
	if (!tapring_begin(t->ring, room, &t->out))
		return NULL;
	tell_dropped(t);
	return &t->out;
}

static void
end_blocks(struct tap *t)
{
	if (t->ring != NULL)
		tapring_wrote(t->ring, t->out.len);
	if (t->ring == NULL && t->out.len >= EVENT_BYTES)
		(void)flush(t);
	else
		wait_a_little(t);
}

static void
on_time(struct tap *t)
{
	t->waiting = false;
	if (t->ring == NULL) {
		(void)flush(t);
		return;
	}
	(void)show(t);
	if (t->ring->shown != t->ring->written)		/* in this turn, and not committed yet */
		wait_a_little(t);
}

static void
on_alarm(void)
{
	struct tap	*t;

	alarm_is_set = false;
	TAILQ_FOREACH(t, &taps, entry) {
		if (t->waiting)
			on_time(t);
	}
}

/* The journal knows of all that was written: readers may see it. A ring that fills up does not wait for its timer. */
static bool
end_turn(void)
{
	struct tap	*t;
	bool		 more = false;

	TAILQ_FOREACH(t, &taps, entry) {
		if (t->ring == NULL)
			continue;
		tapring_commit(t->ring);
		if (t->ring->committed - t->ring->shown >= t->ring->size / 4)
			more |= show(t);
	}
	return more;
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
	d->has[false] = d->has[true] = false;
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

/* A message that takes more than the buffer goes by itself. False: it is dropped. */
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

/* One of several packets, the first of which says how long all are; or one of which a part is wanted. */
static bool
put_parts(struct tap *t, struct pcapng_message *m)
{
	char		 comment[COMMENT + 32];
	size_t		 room;
	struct pcapng	*o;

	m->snap = t->filter.snap;
	if (t->ring != NULL && (m->snap == 0 || m->snap > t->ring->size / 2))
		m->snap = (uint32_t)(t->ring->size / 2);
	if (m->len > LONG) {
		(void)snprintf(comment, sizeof comment, "length=%zu %s", m->len, m->comment);
		m->comment = comment;
	}
	room = pcapng_room(m->snap != 0 && m->snap < m->len ? m->snap : m->len) + sizeof comment;
	if (t->ring == NULL && room > TAP_BUFFER)
		return put_long(t, m, room);
	if ((o = begin_blocks(t, room)) == NULL)
		return false;
	pcapng_message(o, m);
	end_blocks(t);
	return true;
}

/* What is the same for all messages of the association that go this way. NULL: nothing is. */
static const struct pcapng_template *
template_of(struct tapped *d, const struct pcapng_message *m)
{
	if (!m->sent && d->has[false] && !addr_equal(m->from, &d->from))
		d->has[false] = false;
	if (!d->has[m->sent]) {
		pcapng_template(&d->template[m->sent], m);
		d->has[m->sent] = true;
		if (!m->sent)
			d->from = *m->from;
	}
	return &d->template[m->sent];
}

static bool
put(struct tap *t, struct tapped *d, const struct pcapng_message *m)
{
	const struct pcapng_template	*like;
	struct pcapng_message		 one;
	struct pcapng			*o;

	if (m->len > LONG || (t->filter.snap != 0 && t->filter.snap < m->len)) {
		one = *m;
		return put_parts(t, &one);
	}
	like = template_of(d, m);
	if ((o = begin_blocks(t, pcapng_like_room(like, m->len))) == NULL)
		return false;
	pcapng_like(o, like, m);
	end_blocks(t);
	return true;
}

static void
copy(struct assoc *a, const struct pcapng_message *m, const struct sockaddr_storage *peer)
{
	struct tap	*t;

	TAILQ_FOREACH(t, &taps, entry) {
		if (!is_wanted(&t->filter, a, peer, m->ppid))
			continue;
		t->counts.messages++;
		t->counts.dropped += !put(t, a->tapped, m);
	}
}

void
tap_received(struct assoc *a, const struct sockaddr_storage *from, const struct event_data *e)
{
	struct tapped			*d = look_at(a);
	const struct sndrcvinfo		*info = &e->sctp_sndrcvinfo;
	const struct sockaddr_storage	*peer = from != NULL ? from : &a->peer;

	copy(a, &(struct pcapng_message){
		.us = moment_us(),
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
	uint64_t	 us = moment_us();

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

static void
tap_free(struct tap *t)
{
	if (t->ring != NULL) {
		tapring_close(t->ring);
		account_discharge(&t->client->account, t->ring->size);
		free(t->ring);
	}
	if (t->mem != NULL)
		account_discharge(&t->client->account, TAP_BUFFER);
	account_discharge(&t->client->account, sizeof *t);
	free(t->mem);
	free(t);
}

/* The memory that it needs. */
static enum error
make_room(struct tap *t, size_t ring, int *fd)
{
	if (ring == 0) {
		t->mem = xcalloc(1, TAP_BUFFER);
		account_charge(&t->client->account, TAP_BUFFER);
		t->out = (struct pcapng){ .mem = t->mem, .size = TAP_BUFFER };
		return ERR_OK;
	}
	t->ring = xcalloc(1, sizeof *t->ring);
	if ((*fd = tapring_open(t->ring, ring)) != -1) {
		account_charge(&t->client->account, ring);
		return ERR_OK;
	}
	free(t->ring);
	t->ring = NULL;
	return call_fail(error_from_errno(errno), "tap: no memory for a ring of %zu bytes: %s", ring, strerror(errno));
}

static void
begin_file(struct tap *t)
{
	struct pcapng	*o = begin_blocks(t, HEAD_ROOM);

	pcapng_section(o, "sctpd " SCTPD_VERSION, "Messages as programs sent and received them through sctpd. IP and SCTP headers are made from what the stack says.");
	end_blocks(t);
	if (t->ring == NULL)
		(void)flush(t);
}

enum error
tap_begin(struct client *c, const struct tap_filter *f, bool root, int *fd)
{
	struct tap	*t;
	size_t		 need = sizeof *t + (f->ring != 0 ? f->ring : TAP_BUFFER);
	enum error	 e;

	tap_end(c);
	if ((e = may_begin(c, root)) != ERR_OK)
		return e;
	if (!account_may(&c->account, need))
		return call_fail(ERR_limit, "tap: %s", account_why_not(&c->account, need));
	t = xcalloc(1, sizeof *t);
	account_charge(&c->account, sizeof *t);
	t->client = c;
	t->filter = *f;
	if ((e = make_room(t, f->ring, fd)) != ERR_OK) {
		tap_free(t);
		return e;
	}
	if (alarm_of_taps.fn == NULL)
		loop_alarm_init(&alarm_of_taps, on_alarm);
	loop_at_end_of_turn(end_turn);
	TAILQ_INSERT_TAIL(&taps, t, entry);
	ntaps++;
	c->tapping = c->events = tap_is_on = true;
	say_begun(t);
	begin_file(t);
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
	tap_free(t);
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
	if (t->ring != NULL) {
		if (begin_blocks(t, 0) != NULL)
			tapring_wrote(t->ring, t->out.len);
		tapring_commit(t->ring);
		(void)tapring_show(t->ring, counts.messages, counts.dropped);
	} else
		tell_dropped(t);
	if (t->ring == NULL && t->out.len > 0)	/* this once, room or not: it is the last */
		send_blocks(t, t->out.mem, t->out.len);
	tap_end(c);
	return counts;
}
