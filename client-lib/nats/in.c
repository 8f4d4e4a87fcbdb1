/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nats/clock.h"
#include "nats/config.h"
#include "nats/endpoint.h"
#include "nats/in.h"
#include "nats/json.h"
#include "nats/log.h"
#include "nats/mem.h"
#include "nats/metrics.h"
#include "nats/refused.h"
#include "nats/standby.h"
#include "nats/state.h"
#include "nats/subject.h"
#include "nats/text.h"

#define HEADERS		2048	/* bytes that the headers of a message may take */
#define CHAIN		256	/* of these, the ones that say where it stands in the log */
#define RECORD		64	/* and those that JetStream adds to it, at most */
#define SIZE_MS		200	/* between two looks at how large the log is, when it is full */
#define ASK_EVERY	64	/* of so many messages one asks for an acknowledgement, at least */

/* A piece that was given to JetStream, or is in the log already. */
struct slot {
	uint64_t	seq;	/* in the log */
	uint64_t	event;	/* whose last piece it is; 0: more follow */
	uint32_t	len;	/* bytes that it takes of the log, at most */
	int64_t		when;
};

static struct {
	struct life	*life;		/* or NULL */
	char		 reply[64];	/* where JetStream answers in this time from start to stop */
	unsigned	 starts;
	uint64_t	 acked;		/* all up to this sequence are in the log */
	uint64_t	 last;		/* the sequence of the piece that was given last, */
	char		 last_id[LOG_ID_SIZE];	/* and its id; empty: none was given yet */
	bool		 ids;		/* messages say the id before them, and only the first one the sequence */
	uint64_t	 size;		/* of the log, at most */
	bool		 sizing, full;	/* it is asked for; that it is full was logged */
	int64_t		 next_size;
	unsigned	 unasked;	/* pieces since the last one that asks for an acknowledgement, */
	int64_t		 when;		/* and when the first of these was given */
	uint64_t	 skip;
	size_t		 max_piece;
	struct slot	*slots;		/* a ring */
	size_t		 room, first, n;
	size_t		 bytes;		/* of all that is in it */
	char		 why[512];
} in;

void
in_init(void)
{
	in.room = config.window;
	in.slots = xcalloc(in.room, sizeof *in.slots);
}

/* ---- start and stop ----------------------------------------------------- */

static void
break_off(const char *why)
{
	if (in.why[0] == '\0')
		(void)snprintf(in.why, sizeof in.why, "%s", why);
}

const char *
in_broken(void)
{
	return in.why[0] != '\0' ? in.why : NULL;
}

/* Where the log is copied, nothing else would say that somebody took the place of a message. */
static void
hear_others(void)
{
	char	subject[SUBJECT_SIZE];

	(void)snprintf(subject, sizeof subject, "sctp.%s.in.>", config.host);
	if (!in.ids)
		wire_hear(in.life->wire, subject);
}

void
in_start(const struct look *l, uint64_t skip)
{
	struct life	*life = l->life;

	in_stop();
	in.life = life_ref(life);
	(void)snprintf(in.reply, sizeof in.reply, "%s.%u", wire_inbox(life->wire), ++in.starts);
	in.last = l->last;
	in.size = l->bytes;
	in.last_id[0] = '\0';
	in.ids = l->alone;
	in.acked = l->last;
	in.unasked = 0;
	in.skip = skip;
	in.first = in.n = in.bytes = 0;
	in.why[0] = '\0';
	in.max_piece = (size_t)(life->max_payload > 2 * HEADERS ? life->max_payload - HEADERS : HEADERS);
	hear_others();
}

void
in_stop(void)
{
	if (in.life != NULL)
		life_unref(in.life);
	in.life = NULL;
}

/* From this size on nothing is taken any more: there is room for what follows one short message. A full log goes on when it has more. */
static uint64_t
full_at(void)
{
	uint64_t	part = config.in_max_bytes / 64;

	return config.in_max_bytes - part - 4 * HEADERS - (in.full ? part : 0);
}

static bool
is_full(void)
{
	return in.size >= full_at();
}

unsigned
in_room(void)
{
	uint64_t	places = config.window - in.n, room;

	if (in.life == NULL || is_full() || in.why[0] != '\0' || in.bytes >= config.window_bytes || in.n >= config.window)
		return 0;
	room = (full_at() - in.size) / (2 * HEADERS) + 1;	/* one by one in the end */
	return (unsigned)(room < places ? room : places);
}

/* If there is none for so many bytes, the log is full. */
static bool
has_room(size_t bytes)
{
	if (in.size + bytes <= config.in_max_bytes)
		return true;
	break_off("maximum bytes exceeded (in_max_bytes)");
	return false;
}

/* ---- pieces -------------------------------------------------------------- */

/* One event may have more pieces than the window has slots. sctpd's client_queue bounds what can be in the ring. */
static void
more_room(void)
{
	struct slot	*more = xcalloc(2 * in.room, sizeof *more);

	for (size_t i = 0; i < in.n; i++)
		more[i] = in.slots[(in.first + i) % in.room];
	free(in.slots);
	in.slots = more;
	in.first = 0;
	in.room *= 2;
}

static void
add_slot(uint64_t seq, uint64_t event, size_t len)
{
	struct slot	*s;

	if (in.n == in.room)
		more_room();
	s = &in.slots[(in.first + in.n) % in.room];
	*s = (struct slot){ .seq = seq, .event = event, .len = (uint32_t)len, .when = in.when };
	in.n++;
	in.bytes += len;
	metrics.in_waiting = in.n;
}

/* Headers that are being made. There is room for all that there are. */
struct block {
	size_t	len;
	char	text[HEADERS];
};

static void
put(struct block *b, const char *text, size_t len)
{
	if (len > sizeof b->text - b->len)
		log_fatal("the headers of a message are longer than they can be");
	memcpy(b->text + b->len, text, len);
	b->len += len;
}

static void
put_text(struct block *b, const char *text)
{
	put(b, text, strlen(text));
}

static void
begin(struct block *b)
{
	b->len = 0;
	put_text(b, "NATS/1.0\r\n");
}

/* A header; the key ends with ": ". */
static void
header(struct block *b, const char *key, const char *value)
{
	put_text(b, key);
	put_text(b, value);
	put(b, "\r\n", 2);
}

static void
header_number(struct block *b, const char *key, uint64_t value)
{
	char	text[TEXT_DIGITS + 1];

	(void)text_number(text, text + sizeof text, value);
	header(b, key, text);
}

/* Have all up to here acknowledged. */
static void
ask(void)
{
	if (in.unasked > 0)
		wire_ask(in.life->wire, in.reply);
	in.unasked = 0;
}

void
in_flush(void)
{
	if (in.life == NULL)
		return;
	ask();
	wire_flush(in.life->wire);
}

/* Publish a piece with the headers that it has, and those of the chain. */
static void
give(struct block *b, const char *subject, const struct log_id *id, const char *data, size_t len)
{
	struct wire_message	m = { .subject = subject, .headers = b->text, .data = data, .len = len };
	char			text[LOG_ID_SIZE];
	bool			first = in.last_id[0] == '\0';
	size_t			record;

	log_id_make(text, id);
	header(b, "Nats-Msg-Id: ", text);
	if (in.ids && !first)
		header(b, "Nats-Expected-Last-Msg-Id: ", in.last_id);
	else
		header_number(b, "Nats-Expected-Last-Sequence: ", in.last);
	put(b, "\r\n", 2);
	m.headers_len = b->len;
	wire_publish(in.life->wire, &m);
	/* To ask for the time is a system call in some places, and would be most of what a message costs there. */
	if (in.unasked == 0)
		in.when = clock_ms();
	/* The answer to the first one has the reason if the log takes nothing. */
	if (++in.unasked >= ASK_EVERY || first)
		ask();
	in.last++;
	record = strlen(subject) + m.headers_len + len + RECORD;
	in.size += record;
	memcpy(in.last_id, text, sizeof text);
	add_slot(in.last, id->piece == id->pieces ? id->event : 0, record);
	metrics.in_published++;
}

/* What a message of the log is made of. */
struct item {
	char				 subject[SUBJECT_SIZE];
	const char			*data;
	size_t				 len;
	const struct sctpd_event	*ev;		/* or NULL */
	const struct sctpd_sndrcvinfo	*info;		/* of a message, or NULL */
	const char			*reason;	/* why it failed, or NULL */
};

/* "unordered,sack_immediately", or "". */
static const char *
flags_text(uint16_t flags, char *text, size_t size)
{
	(void)snprintf(text, size, "%s%s%s", flags & SCTPD_UNORDERED ? "unordered" : "",
	    flags & SCTPD_UNORDERED && flags & SCTPD_SACK_IMMEDIATELY ? "," : "",
	    flags & SCTPD_SACK_IMMEDIATELY ? "sack_immediately" : "");
	return text;
}

static void
info_headers(struct block *b, const struct sctpd_sndrcvinfo *info, bool received)
{
	char	text[64];

	header_number(b, "Sctp-Stream: ", info->stream);
	header_number(b, "Sctp-Ppid: ", info->ppid);
	if (info->flags & (SCTPD_UNORDERED | SCTPD_SACK_IMMEDIATELY))
		header(b, "Sctp-Flags: ", flags_text(info->flags, text, sizeof text));
	if (received) {
		header_number(b, "Sctp-Ssn: ", info->ssn);
		header_number(b, "Sctp-Tsn: ", info->tsn);
	} else
		header_number(b, "Sctp-Out-Sequence: ", info->context);
}

/* Its address and port, that of IPv6 in brackets. */
static void
from_header(struct block *b, const struct sctpd_event *ev)
{
	char		 text[96], *p = text, *end = text + sizeof text;
	const char	*bracket = strchr(ev->from, ':');

	if (bracket != NULL)
		p = text_put(p, end, "[");
	p = text_put(p, end, ev->from);
	p = text_put(p, end, bracket != NULL ? "]:" : ":");
	(void)text_number(p, end, ev->from_port);
	header(b, "Sctp-From: ", text);
}

static void
headers(struct block *b, const struct item *it)
{
	if (it->ev != NULL && it->ev->assoc_id != 0)
		header_number(b, "Sctp-Assoc: ", standby_name(it->ev->assoc_id).assoc);
	if (it->ev != NULL && *it->ev->from != '\0')
		from_header(b, it->ev);
	if (it->info != NULL)
		info_headers(b, it->info, it->reason == NULL);
	if (it->ev != NULL && it->ev->timestamp != 0)
		header_number(b, "Sctp-Timestamp: ", it->ev->timestamp);
	if (it->reason != NULL)
		header(b, "Sctp-Reason: ", it->reason);
}

static void
publish_piece(const struct item *it, const struct log_id *id)
{
	size_t		from = (size_t)(id->piece - 1) * in.max_piece, len = it->len - from < in.max_piece ? it->len - from : in.max_piece;
	struct block	b;
	char		text[32];

	begin(&b);
	headers(&b, it);
	if (id->pieces > 1) {
		(void)snprintf(text, sizeof text, "%u/%u", id->piece, id->pieces);
		header(&b, "Sctp-Piece: ", text);
	}
	give(&b, it->subject, id, it->data + from, len);
}

static void
publish(const struct item *it, struct log_id *id)
{
	size_t	left = in.skip < id->pieces ? id->pieces - (size_t)in.skip : 0;

	if (left > 0 && !has_room(it->len - (size_t)in.skip * in.max_piece + left * (strlen(it->subject) + HEADERS + RECORD)))
		return;
	for (; id->piece <= id->pieces && in.why[0] == '\0'; id->piece++) {
		if (in.skip == 0) {
			publish_piece(it, id);
			continue;
		}
		in.skip--;
		if (id->piece == id->pieces)
			add_slot(in.last - in.skip, id->event, 0);	/* those that are skipped are the last ones of the log */
	}
}

static void
publish_item(const struct item *it, uint64_t event)
{
	struct log_id	id = { .epoch = state.epoch, .event = event, .piece = 1, .pieces = 1 };

	if (it->len > in.max_piece)
		id.pieces = (unsigned)((it->len + in.max_piece - 1) / in.max_piece);
	publish(it, &id);
}

/* ---- events --------------------------------------------------------------- */

static void
subject_of(char to[SUBJECT_SIZE], const struct sctpd_event *ev, const char *kind, const char *last)
{
	struct standby_name	n = standby_name(ev->assoc_id);

	subject_make(to, endpoint_name(ev->sock), n.assoc, n.epoch, kind, last);
}

static void
message(const struct sctpd_event *ev)
{
	struct item	it = { .data = ev->data, .len = ev->len, .ev = ev, .info = &ev->info };
	char		stream[16];

	(void)text_number(stream, stream + sizeof stream, ev->info.stream);
	subject_of(it.subject, ev, "", stream);
	metrics.in_bytes += ev->len;
	publish_item(&it, ev->seq);
}

/* A reason is one line of printable characters: it is a header. */
static void
clean(char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ')
			*text = ' ';
	}
}

static void
failed_message(const struct sctpd_event *ev)
{
	struct item	it = { .data = ev->data, .len = ev->len, .ev = ev, .info = &ev->info };
	const char	*own = refused_why(ev), *said_why = sctpd_get_str(ev->fields, "reason");
	char		stream[16], reason[512];

	if (own != NULL)
		(void)snprintf(reason, sizeof reason, "%s", own);
	else if (*said_why != '\0')
		(void)snprintf(reason, sizeof reason, "%s", said_why);
	else
		(void)snprintf(reason, sizeof reason, "the association ended before the peer acknowledged it%s: %s",
		    sctpd_int(sctpd_get(ev->fields, "flags")) ? "; parts of it were sent" : "; nothing of it was sent",
		    sctpd_cause_text((uint32_t)sctpd_get_int(ev->fields, "error")));
	clean(reason);
	it.reason = reason;
	(void)snprintf(stream, sizeof stream, "%u", ev->info.stream);
	subject_of(it.subject, ev, "failed.", stream);
	metrics.failed++;
	publish_item(&it, ev->seq);
}

static void
other(const struct sctpd_event *ev)
{
	struct item	 it = { .ev = ev };
	char		*text = NULL;
	FILE		*f = open_memstream(&text, &it.len);

	if (f == NULL)
		log_fatal("there is no memory left");
	json_value(f, ev->fields);
	if (fclose(f) != 0)
		log_fatal("there is no memory left");
	it.data = text;
	subject_of(it.subject, ev, "event.", ev->name);
	publish_item(&it, ev->seq);
	free(text);
}

void
in_event(const struct sctpd_event *ev)
{
	if (in.why[0] != '\0')
		return;		/* it is not acknowledged, so it comes again */
	if (strcmp(ev->name, "data") == 0)
		message(ev);
	else if (strcmp(ev->name, "sctp_send_failed") == 0)
		failed_message(ev);
	else
		other(ev);
}

void
in_session(uint64_t seq)
{
	struct item	 it = { .ev = NULL };
	struct log_id	 id = { .epoch = state.epoch, .event = seq, .piece = 1, .pieces = (unsigned)config.partitions };
	char		 text[512], member[128] = "";

	if (standby_on())
		(void)snprintf(member, sizeof member, ",\"standby\":\"%s\",\"term\":%" PRIu64, config.standby, standby_term());
	it.len = (size_t)snprintf(text, sizeof text, "{\"host\":\"%s\",\"session\":\"%08" PRIx32 "\",\"partitions\":%" PRIu64 "%s}",
	    config.host, state.epoch, config.partitions, member);
	it.data = text;
	if (in.skip < id.pieces && !has_room(id.pieces * (it.len + strlen(config.host) + 64 + CHAIN + RECORD)))
		return;
	for (unsigned part = 0; part < config.partitions; part++) {
		struct log_id	one = id;
		struct block	b;

		one.piece = part + 1;
		(void)snprintf(it.subject, sizeof it.subject, "sctp.%s.in." SUBJECT_NOBODY ".%u.0-%08" PRIx32 ".event.session",
		    config.host, part, state.epoch);
		if (in.skip > 0) {
			in.skip--;
			continue;
		}
		begin(&b);
		give(&b, it.subject, &one, it.data, it.len);
	}
}

/* ---- how large the log is --------------------------------------------------- */

struct size {
	struct life	*life;
	unsigned	 starts;
	uint64_t	 bytes;
	uint64_t	 was;		/* what it was thought to be, */
	uint64_t	 waiting;	/* and of that may not have been stored yet */
};

static void
size_run(void *arg)
{
	struct size	*s = arg;

	s->bytes = streams_log_size(s->life);
}

static void
size_done(void *arg)
{
	struct size	*s = arg;
	bool		 was = in.full;

	in.sizing = false;
	if (s->bytes != UINT64_MAX && s->starts == in.starts)
		in.size = s->bytes + s->waiting + (in.size - s->was);
	in.full = is_full();
	if (in.full && !was)
		log_warning("%s: maximum bytes exceeded (in_max_bytes); nothing is read from the associations until there is room",
		    subject_in_stream());
	life_unref(s->life);
	free(s);
}

/* What was published is added until it seems full; then it is asked for, as readers and age remove messages. */
static void
look_at_size(void)
{
	struct size	*s;

	if (!is_full() || in.sizing || clock_ms() < in.next_size)
		return;
	in.next_size = clock_ms() + SIZE_MS;
	in.sizing = true;
	s = xcalloc(1, sizeof *s);
	s->life = life_ref(in.life);
	s->starts = in.starts;
	s->was = in.size;
	s->waiting = in.bytes;
	bus_job(BUS_CONTROL, size_run, size_done, s);
}

/* ---- acknowledgements ------------------------------------------------------ */

/* Forget the slots that are in the log. */
static bool
pop(uint64_t seq)
{
	const struct slot	*s;
	bool			 any = false;

	while (in.n > 0 && (s = &in.slots[in.first])->seq <= seq) {
		/* These two go together: what is behind in_seq in the log is behind in_event in the session. */
		if (s->event != 0) {
			state.in_event = s->event;
			state.in_seq = s->seq;
			any = true;
		}
		metrics.in_logged++;
		in.bytes -= s->len;
		in.first = (in.first + 1) % in.room;
		in.n--;
	}
	metrics.in_waiting = in.n;
	return any;
}

/* An acknowledgement of JetStream: {"stream":"...","seq":5} or {"error":{"err_code":10071,"description":"..."},...}. */
static void
acknowledged(const char *data)
{
	char	text[256], code[16] = "0", why[400];

	if (strstr(data, "\"error\":") != NULL) {
		if (!json_pick(data, "description", text, sizeof text))
			(void)snprintf(text, sizeof text, "JetStream refused a message");
		(void)json_pick(data, "err_code", code, sizeof code);
		(void)snprintf(why, sizeof why, "%s (JetStream error %s)", text, code);
		break_off(why);
	} else if (!json_pick(data, "seq", text, sizeof text))
		break_off("JetStream answered with something that is no acknowledgement");
	else if (strtoull(text, NULL, 10) > in.acked)
		in.acked = strtoull(text, NULL, 10);
}

/* What another connection has published. It may be this program's before it was killed, or another member of a standby. */
static void
heard(const struct wire_answer *a)
{
	static const char	key[] = "\r\nNats-Msg-Id: ";
	const char		*at = strstr(a->headers, key);
	char			 id[LOG_ID_SIZE] = "", why[400];
	struct log_id		 read;

	if (at != NULL)
		(void)snprintf(id, sizeof id, "%.*s", (int)strcspn(at + sizeof key - 1, "\r"), at + sizeof key - 1);
	if (log_id_read(id, &read))
		return;
	(void)snprintf(why, sizeof why, "another program publishes on subjects of the log (%.100s): what a peer sent in "
	    "that moment may be missing there; let nobody else publish on sctp.%s.in.>", a->subject, config.host);
	break_off(why);
}

void
in_answer(const struct wire_answer *a)
{
	if (in.life == NULL)
		return;
	if (a->subject == NULL)
		break_off(a->data);
	else if (strncmp(a->subject, "sctp.", 5) == 0 && !in.ids)
		heard(a);
	else if (strcmp(a->subject, in.reply) == 0 && a->len == 0)
		break_off(natsStatus_GetText(NATS_NO_RESPONDERS));
	else if (strcmp(a->subject, in.reply) == 0)
		acknowledged(a->data);
}

bool
in_turn(void)
{
	if (in.life == NULL)
		return false;
	look_at_size();
	if (in.n > 0 && in.slots[in.first].seq > in.acked && clock_ms() - in.slots[in.first].when > (int64_t)config.ack_wait)
		break_off("JetStream has not acknowledged a message within ack_wait");
	return pop(in.acked);
}
