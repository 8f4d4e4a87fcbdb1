/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <pthread.h>
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

#define HEADERS		2048	/* bytes that the headers of a message may take */
#define ASK_EVERY	64	/* of so many messages one asks JetStream for an acknowledgement, at least */

/* A piece that was given to JetStream, or is in the log already. */
struct slot {
	uint64_t	seq;	/* in the log */
	uint64_t	event;	/* whose last piece it is; 0: more follow */
	uint32_t	len;
	int64_t		when;
};

/* What libnats' threads say. gen tells an answer of the life before from one of this. */
static struct {
	pthread_mutex_t	lock;
	uintptr_t	gen;
	uint64_t	seq;		/* all up to this one are in the log */
	bool		woken;
	char		why[512];	/* something was refused; or empty */
} said = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct {
	struct life	*life;
	jsCtx		*js;
	uint64_t	 last;		/* the sequence of the piece that was given last, */
	char		 last_id[LOG_ID_SIZE];	/* and its id; empty: none was given yet */
	bool		 ids;		/* messages say the id before them, too */
	natsSubscription *others;	/* of messages that are not ours */
	natsMsg		*held;		/* that piece, until it is known whether another one follows; or NULL */
	unsigned	 unasked;	/* pieces since the last one that asked */
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

/* ---- what libnats' threads do ------------------------------------------ */

static void
on_ack(jsCtx *js, natsMsg *msg, jsPubAck *ack, jsPubAckErr *err, void *gen)
{
	bool	wake = false;

	(void)js;
	pthread_mutex_lock(&said.lock);
	if ((uintptr_t)gen == said.gen) {
		if (ack != NULL && ack->Sequence > said.seq)
			said.seq = ack->Sequence;
		if (err != NULL && said.why[0] == '\0')
			(void)snprintf(said.why, sizeof said.why, "%s (JetStream error %d)",
			    err->ErrText != NULL ? err->ErrText : natsStatus_GetText(err->Err), (int)err->ErrCode);
		wake = !said.woken;
		said.woken = true;
	}
	pthread_mutex_unlock(&said.lock);
	natsMsg_Destroy(msg);
	if (wake)
		bus_wake();
}

/* What another connection has published. It may be this program's before it was killed, or another member of a standby. */
static void
on_others(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *gen)
{
	const char	*id;
	struct log_id	 read;

	(void)nc, (void)sub;
	if (natsMsgHeader_Get(msg, "Nats-Msg-Id", &id) != NATS_OK || !log_id_read(id, &read)) {
		pthread_mutex_lock(&said.lock);
		if ((uintptr_t)gen == said.gen && said.why[0] == '\0')
			(void)snprintf(said.why, sizeof said.why, "another program publishes on subjects of the log (%s): what a peer sent in "
			    "that moment may be missing there; let nobody else publish on sctp.%s.in.>", natsMsg_GetSubject(msg), config.host);
		pthread_mutex_unlock(&said.lock);
		bus_wake();
	}
	natsMsg_Destroy(msg);
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
static natsStatus
hear_others(void)
{
	char	subject[SUBJECT_SIZE];

	if (in.ids)
		return NATS_OK;
	(void)snprintf(subject, sizeof subject, "sctp.%s.in.>", config.host);
	return natsConnection_Subscribe(&in.others, in.life->nc, subject, on_others, (void *)said.gen);
}

bool
in_start(struct life *life, uint64_t last, uint64_t skip, bool alone)
{
	jsOptions	 o;
	char		 why[400];
	natsStatus	 s;

	in_stop();
	in.life = life_ref(life);
	in.last = last;
	in.last_id[0] = '\0';
	in.ids = alone;
	in.unasked = ASK_EVERY;		/* the first one asks: its answer has the reason if the log takes nothing */
	in.skip = skip;
	in.first = in.n = in.bytes = 0;
	in.why[0] = '\0';
	in.max_piece = (size_t)(life->max_payload > 2 * HEADERS ? life->max_payload - HEADERS : HEADERS);
	pthread_mutex_lock(&said.lock);
	said.gen++;
	said.seq = last;
	said.woken = false;
	said.why[0] = '\0';
	pthread_mutex_unlock(&said.lock);
	(void)jsOptions_Init(&o);
	o.PublishAsync.AckHandler = on_ack;
	o.PublishAsync.AckHandlerClosure = (void *)said.gen;
	if ((s = natsConnection_JetStream(&in.js, life->nc, &o)) != NATS_OK || (s = hear_others()) != NATS_OK)
		break_off(bus_why(s, why, sizeof why));
	return s == NATS_OK;
}

void
in_stop(void)
{
	natsMsg_Destroy(in.held);
	in.held = NULL;
	natsSubscription_Destroy(in.others);
	in.others = NULL;
	jsCtx_Destroy(in.js);
	in.js = NULL;
	if (in.life != NULL)
		life_unref(in.life);
	in.life = NULL;
}

unsigned
in_room(void)
{
	if (in.js == NULL || in.why[0] != '\0' || in.bytes >= config.window_bytes || in.n >= config.window)
		return 0;
	return (unsigned)(config.window - in.n);
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
	*s = (struct slot){ .seq = seq, .event = event, .len = (uint32_t)len, .when = clock_ms() };
	in.n++;
	in.bytes += len;
	metrics.in_waiting = in.n;
}

/* A message that is being made. The first error stands. */
struct making {
	natsMsg		*msg;
	natsStatus	 s;
};

static void
header(struct making *m, const char *key, const char *value)
{
	if (m->s == NATS_OK)
		m->s = natsMsgHeader_Set(m->msg, key, value);
}

static void
header_number(struct making *m, const char *key, uint64_t value)
{
	char	text[24];

	(void)snprintf(text, sizeof text, "%" PRIu64, value);
	header(m, key, text);
}

/* Publish what was held back; with "ask", or after many that did not ask, JetStream acknowledges it. */
static void
let_go(bool ask)
{
	char		why[400];
	natsStatus	s;

	if (in.held == NULL)
		return;
	if (ask || ++in.unasked >= ASK_EVERY) {
		s = js_PublishMsgAsync(in.js, &in.held, NULL);
		in.unasked = 0;
	} else
		s = natsConnection_PublishMsg(in.life->nc, in.held);
	natsMsg_Destroy(in.held);
	in.held = NULL;
	if (s != NATS_OK)
		break_off(bus_why(s, why, sizeof why));
}

void
in_flush(void)
{
	let_go(true);
}

static void
chain(struct making *m, const char *id)
{
	header(m, "Nats-Msg-Id", id);
	header_number(m, "Nats-Expected-Last-Sequence", in.last);
	if (in.ids && in.last_id[0] != '\0')
		header(m, "Nats-Expected-Last-Msg-Id", in.last_id);
}

static void
give(struct making *m, const struct log_id *id, size_t len)
{
	char	text[LOG_ID_SIZE], why[400];

	log_id_make(text, id);
	chain(m, text);
	let_go(false);
	if (m->s != NATS_OK)
		break_off(bus_why(m->s, why, sizeof why));
	if (in.why[0] != '\0') {
		natsMsg_Destroy(m->msg);
		return;
	}
	in.held = m->msg;
	in.last++;
	memcpy(in.last_id, text, sizeof text);
	add_slot(in.last, id->piece == id->pieces ? id->event : 0, len);
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
info_headers(struct making *m, const struct sctpd_sndrcvinfo *info, bool received)
{
	char	text[64];

	header_number(m, "Sctp-Stream", info->stream);
	header_number(m, "Sctp-Ppid", info->ppid);
	if (*flags_text(info->flags, text, sizeof text) != '\0')
		header(m, "Sctp-Flags", text);
	if (received) {
		header_number(m, "Sctp-Ssn", info->ssn);
		header_number(m, "Sctp-Tsn", info->tsn);
	} else
		header_number(m, "Sctp-Out-Sequence", info->context);
}

static void
headers(struct making *m, const struct item *it)
{
	char	text[96];

	if (it->ev != NULL && it->ev->assoc_id != 0)
		header_number(m, "Sctp-Assoc", standby_name(it->ev->assoc_id).assoc);
	if (it->ev != NULL && *it->ev->from != '\0') {
		(void)snprintf(text, sizeof text, strchr(it->ev->from, ':') != NULL ? "[%s]:%u" : "%s:%u", it->ev->from, it->ev->from_port);
		header(m, "Sctp-From", text);
	}
	if (it->info != NULL)
		info_headers(m, it->info, it->reason == NULL);
	if (it->ev != NULL && it->ev->timestamp != 0)
		header_number(m, "Sctp-Timestamp", it->ev->timestamp);
	if (it->reason != NULL)
		header(m, "Sctp-Reason", it->reason);
}

static void
publish_piece(const struct item *it, const struct log_id *id)
{
	size_t		from = (size_t)(id->piece - 1) * in.max_piece, len = it->len - from < in.max_piece ? it->len - from : in.max_piece;
	struct making	m = { .msg = NULL };
	char		text[32];

	m.s = natsMsg_Create(&m.msg, it->subject, NULL, it->data + from, (int)len);
	headers(&m, it);
	if (id->pieces > 1) {
		(void)snprintf(text, sizeof text, "%u/%u", id->piece, id->pieces);
		header(&m, "Sctp-Piece", text);
	}
	give(&m, id, len);
}

static void
publish(const struct item *it, struct log_id *id)
{
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

	(void)snprintf(stream, sizeof stream, "%u", ev->info.stream);
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
	for (unsigned part = 0; part < config.partitions; part++) {
		struct log_id	one = id;

		one.piece = part + 1;
		(void)snprintf(it.subject, sizeof it.subject, "sctp.%s.in." SUBJECT_NOBODY ".%u.0-%08" PRIx32 ".event.session",
		    config.host, part, state.epoch);
		if (in.skip > 0) {
			in.skip--;
			continue;
		}
		struct making	m = { .msg = NULL };

		m.s = natsMsg_Create(&m.msg, it.subject, NULL, it.data, (int)it.len);
		give(&m, &one, it.len);
		if (in.why[0] != '\0')
			return;
	}
}

/* ---- acknowledgements ------------------------------------------------------ */

/* Forget the slots that are in the log. */
static bool
pop(uint64_t seq)
{
	const struct slot	*s;
	bool			 any = false;

	while (in.n > 0 && (s = &in.slots[in.first])->seq <= seq) {
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

bool
in_turn(void)
{
	uint64_t	seq;
	char		why[512];

	if (in.js == NULL)
		return false;
	pthread_mutex_lock(&said.lock);
	seq = said.seq;
	said.woken = false;
	memcpy(why, said.why, sizeof why);
	pthread_mutex_unlock(&said.lock);
	if (why[0] != '\0')
		break_off(why);
	if (in.n > 0 && in.slots[in.first].seq > seq && clock_ms() - in.slots[in.first].when > (int64_t)config.ack_wait)
		break_off("JetStream has not acknowledged a message within ack_wait");
	return pop(seq);
}
