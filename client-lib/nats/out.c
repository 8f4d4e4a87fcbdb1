/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nats/clock.h"
#include "nats/config.h"
#include "nats/endpoint.h"
#include "nats/log.h"
#include "nats/mem.h"
#include "nats/metrics.h"
#include "nats/out.h"
#include "nats/refused.h"
#include "nats/standby.h"
#include "nats/state.h"
#include "nats/subject.h"

#define CONSUMER	"bridge"
#define FETCH_MS	INT64_C(500)
#define STATUS_MS	100	/* in which the status of a request comes after its end */
#define SILENCE_MS	2000
#define UNANSWERED	4	/* requests in a row that brought neither a message nor a status */
#define MARKS		8	/* what was sent is removed in steps of out_duplicates / MARKS */
/* Longer than a message can wait for room. It is not delivered again before, and if it is, that is noticed. */
#define ACK_WAIT	(3600 * 1000 * NS_PER_MS)
#define LOST		"a message of the queue was lost on its way here"
#define BEGINNING	65536	/* bytes of a message that is too long for sctpd */

/* Fetched, with the reply subject that it is acknowledged on. */
struct taken {
	uint64_t	 seq;
	uint64_t	 note;		/* which notification of the session it was */
	size_t		 len;
	natsMsg		*msg;
};

/* What JetStream was asked for, and has not delivered. */
struct pull {
	natsSubscription	*sub;		/* NULL: to be made, with the consumer */
	char			 inbox[64];
	bool			 floor_noted;	/* what the consumer before says was looked at */
	bool			 lacks;		/* something had not come when it was looked last */
	int64_t			 next_look;
	unsigned		 number;	/* of the request, in the subject of its statuses */
	unsigned		 unanswered;	/* before it */
	size_t			 credit;	/* messages that it may still bring */
	int64_t			 until;
};

/* One fetch. It belongs to the FETCH thread until it is done. */
struct fetch {
	struct life		*life;
	unsigned		 gen;
	struct pull		 pull;
	uint64_t		 last;		/* that is known to have been taken */
	uint64_t		 floor;		/* what was sent, as the consumer before says */
	size_t			 batch, n;
	natsMsg			**msgs;
	char			 why[512];
};

static struct {
	struct life		*life;
	struct sctpd		*c;
	unsigned		 gen;		/* a fetch of an earlier one is thrown away */
	bool			 fetching;
	bool			 asking;	/* sctpd was asked, and has not answered */
	uint64_t		 asked_note;	/* what that answer confirms */
	struct pull		 pull;
	uint64_t		 delivery;	/* the consumer's number of the last message */
	uint64_t		 last;		/* the sequence of the last message that was taken */
	uint64_t		 skip;		/* so many of the next are in sctpd already */
	natsMsg			**fetched;	/* of a fetch, what is not taken yet: from next on */
	size_t			 next, n_fetched;
	struct taken		*ring;		/* given to sctpd, not confirmed */
	size_t			 first, n, bytes;
	uint64_t		 marks[MARKS];	/* out_seq some time ago; the last is the oldest */
	int64_t			 next_mark;
	bool			 forgot;	/* the queue is another, or lost its end */
	char			 why[512];
} out;

static void
break_off(const char *why)
{
	if (out.why[0] == '\0')
		(void)snprintf(out.why, sizeof out.why, "%s", why);
}

const char *
out_broken(void)
{
	return out.why[0] != '\0' ? out.why : NULL;
}

/* ---- the FETCH thread ---------------------------------------------------- */

/* All that another member of a standby had sent is acknowledged at its consumer. The state must know it before that is removed. */
static natsStatus
find_floor(struct fetch *f)
{
	jsConsumerInfo	*ci = NULL;
	natsStatus	 s = js_GetConsumerInfo(&ci, f->life->js, subject_out_stream(), CONSUMER, NULL, NULL);

	if (s == NATS_OK)
		f->floor = ci->AckFloor.Stream;
	jsConsumerInfo_Destroy(ci);
	f->pull.floor_noted = s == NATS_OK || s == NATS_NOT_FOUND;
	return f->pull.floor_noted ? NATS_OK : s;
}

static natsStatus
consumer_anew(struct fetch *f)
{
	jsConsumerConfig	 c;
	jsErrCode		 code = 0;
	natsInbox		*inbox = NULL;
	char			 all[80];
	natsStatus		 s = js_DeleteConsumer(f->life->js, subject_out_stream(), CONSUMER, NULL, &code);

	if (s != NATS_OK && s != NATS_NOT_FOUND)
		return s;
	(void)jsConsumerConfig_Init(&c);
	c.Durable = CONSUMER;
	c.DeliverPolicy = js_DeliverByStartSequence;
	c.OptStartSeq = f->last + 1;
	c.AckPolicy = js_AckAll;
	c.AckWait = ACK_WAIT;
	c.MaxAckPending = (int64_t)config.window;
	if ((s = js_AddConsumer(NULL, f->life->js, subject_out_stream(), &c, NULL, &code)) != NATS_OK ||
	    (s = natsInbox_Create(&inbox)) != NATS_OK)
		return s;
	(void)snprintf(f->pull.inbox, sizeof f->pull.inbox, "%s", inbox);
	natsInbox_Destroy(inbox);
	(void)snprintf(all, sizeof all, "%s.*", f->pull.inbox);
	return natsConnection_SubscribeSync(&f->pull.sub, f->life->nc, all);
}

/* Ask for as many as there is room for. */
static natsStatus
ask_for_more(struct fetch *f)
{
	struct pull	*p = &f->pull;
	char		 to[SUBJECT_SIZE], reply[96], request[160];

	(void)snprintf(to, sizeof to, "$JS.API.CONSUMER.MSG.NEXT.%s." CONSUMER, subject_out_stream());
	(void)snprintf(reply, sizeof reply, "%s.%u", p->inbox, ++p->number);
	(void)snprintf(request, sizeof request, "{\"batch\":%zu,\"expires\":%" PRId64 ",\"max_bytes\":%" PRIu64 "}", f->batch,
	    FETCH_MS * NS_PER_MS, config.window_bytes + (uint64_t)f->life->max_payload);
	p->credit = f->batch;
	p->until = clock_ms() + FETCH_MS;
	return natsConnection_PublishRequestString(f->life->nc, to, reply, request);
}

/* Is it a status, and no message? That of the last request says that it brings nothing more. */
static bool
is_status(struct pull *p, natsMsg *msg)
{
	const char	*subject = natsMsg_GetSubject(msg);
	size_t		 len = strlen(p->inbox);

	if (strncmp(subject, p->inbox, len) != 0)
		return false;
	if (strtoul(subject + len + 1, NULL, 10) == p->number)
		p->credit = 0;
	return true;
}

/* The next that has come, or comes within that time. */
static natsStatus
receive(struct fetch *f, int64_t wait)
{
	natsMsg		*msg = NULL;
	natsStatus	 s = natsSubscription_NextMsg(&msg, f->pull.sub, wait);

	if (s != NATS_OK)
		return s;
	f->pull.unanswered = 0;
	if (is_status(&f->pull, msg)) {
		natsMsg_Destroy(msg);
		return NATS_OK;
	}
	f->msgs[f->n++] = msg;
	if (f->pull.credit > 0)
		f->pull.credit--;
	return NATS_OK;
}

/*
 * Nothing comes. Does the consumer say all the same that it has something for us, or that we have it, and twice? Then it was
 * lost on its way, as a server died.
 */
static natsStatus
look_for_missing(struct fetch *f)
{
	struct pull	*p = &f->pull;
	jsConsumerInfo	*ci = NULL;
	natsStatus	 s;
	bool		 lacks;

	if (clock_ms() < p->next_look)
		return NATS_OK;
	p->next_look = clock_ms() + SILENCE_MS;
	if ((s = js_GetConsumerInfo(&ci, f->life->js, subject_out_stream(), CONSUMER, NULL, NULL)) != NATS_OK)
		return s;
	lacks = ci->NumPending > 0 || ci->Delivered.Stream > f->last;
	jsConsumerInfo_Destroy(ci);
	if (lacks && p->lacks)
		(void)snprintf(f->why, sizeof f->why, LOST);
	p->lacks = lacks;
	return NATS_OK;
}

/*
 * Has the request ended without a status? Then it brings nothing more, and another is made. nats-server 2.9.10 sends none if a
 * message comes in the moment in which the request ends, and this process may have stood still and not have read it. If several
 * end so, somebody removed the consumer, or it is stuck.
 */
static bool
is_unanswered(struct pull *p)
{
	if (p->credit == 0 || clock_ms() < p->until + STATUS_MS)
		return false;
	p->credit = 0;
	p->unanswered++;
	return true;
}

/* Wait for the first message, and take those that have come with it. */
static natsStatus
fetch_some(struct fetch *f)
{
	natsStatus	s = NATS_OK;
	uint64_t	queued = 0;
	int64_t		left;

	if (!f->pull.floor_noted)
		return find_floor(f);
	if (f->pull.sub == NULL && (s = consumer_anew(f)) != NATS_OK)
		return s;
	if (is_unanswered(&f->pull) && f->pull.unanswered == UNANSWERED)
		return NATS_NO_RESPONDERS;
	if (f->pull.credit == 0 && (s = ask_for_more(f)) != NATS_OK)
		return s;
	left = f->pull.until + STATUS_MS - clock_ms();
	s = receive(f, left > 1 ? left : 1);
	while (s == NATS_OK && f->n < f->batch && natsSubscription_QueuedMsgs(f->pull.sub, &queued) == NATS_OK && queued > 0)
		s = receive(f, 1);
	if (f->n > 0)
		f->pull.lacks = false;
	else if (s == NATS_OK || s == NATS_TIMEOUT)
		return look_for_missing(f);
	return s == NATS_TIMEOUT ? NATS_OK : s;
}

/*
 * libnats' own natsSubscription_Fetch is not used: in 3.4 it writes behind its list if messages of an earlier request come
 * late, and it waits for a full batch.
 */
static void
fetch_run(void *arg)
{
	struct fetch	*f = arg;
	natsStatus	 s = fetch_some(f);
	char		 why[400];

	if (s != NATS_OK)
		(void)snprintf(f->why, sizeof f->why, "the queue %s cannot be read: %s", subject_out_stream(), bus_why(s, why, sizeof why));
}

/* ---- one message ------------------------------------------------------------ */

/* What becomes of a message: where to, and how. */
struct send {
	uint64_t		 sock;
	struct sctpd_sndrcvinfo	 info;
	const char		*data;
	size_t			 len;
};

static bool
number(const char *s, uint64_t most, uint32_t *n)
{
	char			*end;
	unsigned long long	 v;

	if (*s < '0' || *s > '9')
		return false;
	v = strtoull(s, &end, 10);
	*n = (uint32_t)v;
	return *end == '\0' && v <= most && end - s <= 10;
}

static bool
flags(const char *s, struct sctpd_sndrcvinfo *info)
{
	size_t	n;

	for (; *s != '\0'; s += n + (s[n] == ',')) {
		n = strcspn(s, ",");
		if (n == 9 && strncmp(s, "unordered", n) == 0)
			info->flags |= SCTPD_UNORDERED;
		else if (n == 16 && strncmp(s, "sack_immediately", n) == 0)
			info->flags |= SCTPD_SACK_IMMEDIATELY;
		else
			return false;
	}
	return true;
}

static bool
header(natsMsg *msg, const char *key, struct sctpd_sndrcvinfo *info)
{
	const char	*value = "";

	if (strncmp(key, "Sctp-", 5) != 0)
		return true;
	if (natsMsgHeader_Get(msg, key, &value) != NATS_OK)
		return false;
	if (strcmp(key, "Sctp-Ppid") == 0)
		return number(value, UINT32_MAX, &info->ppid);
	if (strcmp(key, "Sctp-Timetolive") == 0)
		return number(value, UINT32_MAX, &info->timetolive);
	return strcmp(key, "Sctp-Flags") == 0 && flags(value, info);
}

static bool
headers(natsMsg *msg, struct sctpd_sndrcvinfo *info)
{
	const char	**keys = NULL;
	int		  n = 0;
	bool		  ok = true;
	natsStatus	  s = natsMsgHeader_Keys(msg, &keys, &n);

	if (s == NATS_NOT_FOUND)	/* there are none */
		return true;
	for (int i = 0; ok && i < n; i++)
		ok = header(msg, keys[i], info);
	free((void *)keys);
	return s == NATS_OK && ok;
}

static enum refused
understand(natsMsg *msg, struct send *to)
{
	struct subject_out	 where;
	bool			 ok = subject_read_out(natsMsg_GetSubject(msg), &where);

	to->data = natsMsg_GetData(msg);
	to->len = (size_t)natsMsg_GetDataLength(msg);
	to->info = (struct sctpd_sndrcvinfo){ .stream = where.stream, .assoc_id = where.assoc_id };
	to->sock = REFUSED_SOCK;
	if (!ok)
		return REFUSED_SUBJECT;
	if (!headers(msg, &to->info))
		return REFUSED_HEADER;
	if (!standby_find(&where, &to->info.assoc_id) && where.epoch != state.epoch)
		return REFUSED_SESSION;
	if ((to->sock = endpoint_sock(where.endpoint)) == 0)
		return REFUSED_ENDPOINT;
	return REFUSED_NOT;
}

static int
refuse(struct send *to, enum refused why)
{
	to->info.timetolive = why;
	to->info.flags = 0;
	return sctpd_sendmsg_async(out.c, REFUSED_SOCK, &to->info, to->data, to->len, NULL, NULL);
}

static void
send_message(struct taken *t)
{
	struct send	to;
	enum refused	why = understand(t->msg, &to);
	int		code;

	to.info.context = (uint32_t)t->seq;
	if (why != REFUSED_NOT)
		code = refuse(&to, why);
	else
		code = sctpd_sendmsg_async(out.c, to.sock, &to.info, to.data, to.len, NULL, NULL);
	if (code == SCTPD_EMSGSIZE) {
		to.len = BEGINNING;
		code = refuse(&to, REFUSED_LONG);
	}
	if (code != SCTPD_OK) {
		break_off(sctpd_error(out.c));
		return;
	}
	metrics.out_taken++;
	metrics.out_bytes += t->len;
}

/* ---- what was fetched --------------------------------------------------------- */

/* The numbers of the queue and of the consumer, of a message. */
static bool
numbers(natsMsg *msg, uint64_t *seq, uint64_t *delivery)
{
	jsMsgMetaData	*meta = NULL;

	if (natsMsg_GetMetaData(&meta, msg) != NATS_OK)
		return false;
	*seq = meta->Sequence.Stream;
	*delivery = meta->Sequence.Consumer;
	jsMsgMetaData_Destroy(meta);
	return true;
}

static void
acknowledge(natsMsg *msg)
{
	/* It is for another member of a standby. If it is lost, the next one says the same. */
	(void)natsConnection_PublishString(out.life->nc, natsMsg_GetReply(msg), "+ACK");
	natsMsg_Destroy(msg);
}

/*
 * Nothing up to that one comes any more: somebody removed it, or another member of a standby sent it. What sctpd had of it is
 * passed over as if it had come. The rest this bridge never sent; and the state has to say so before anything behind it is
 * sent, as the bridge after this one only counts, and would take what was sent next for it. So this waits until sctpd has
 * confirmed all before, and gives false if it has not.
 */
static bool
pass_over(uint64_t last, bool by_another)
{
	uint64_t	gone = last - out.last, sent = gone < out.skip ? gone : out.skip;

	if (gone > sent && out.n > 0)
		return false;
	out.skip -= sent;
	metrics.out_skipped += sent;
	out.last = last;
	if (out.n > 0)
		return true;
	state.out_seq = last;
	state.out_note += sent;
	state_mark();
	if (gone == sent || by_another)
		return true;
	log_warning("messages %" PRIu64 " to %" PRIu64 " of the queue %s are not sent: they were removed from it, or a bridge with another state_dir had them",
	    last - (gone - sent) + 1, last, subject_out_stream());
	metrics.out_removed += gone - sent;
	return true;
}

/* False if it has to wait. */
static bool
take(natsMsg *msg)
{
	struct taken	t = { .msg = msg, .len = (size_t)natsMsg_GetDataLength(msg) };
	uint64_t	delivery;

	if (!numbers(msg, &t.seq, &delivery) || delivery != out.delivery + 1) {
		break_off(LOST);
		natsMsg_Destroy(msg);
		return true;
	}
	if (t.seq > out.last + 1 && !pass_over(t.seq - 1, false))
		return false;
	out.delivery = delivery;
	if (t.seq <= out.last) {	/* noted before, and the acknowledgement was lost */
		acknowledge(msg);
		return true;
	}
	out.last = t.seq;
	if (out.skip > 0) {
		t.note = sctpd_notifications(out.c) - --out.skip;
		metrics.out_skipped++;
	} else {
		send_message(&t);
		t.note = sctpd_notifications(out.c);
	}
	out.ring[(out.first + out.n++) % config.window] = t;
	out.bytes += t.len;
	return true;
}

/* What is left of it comes again. */
static void
drop_fetched(void)
{
	for (; out.next < out.n_fetched; out.next++)
		natsMsg_Destroy(out.fetched[out.next]);
	free(out.fetched);
	out.fetched = NULL;
	out.next = out.n_fetched = 0;
}

static void
take_fetched(void)
{
	while (out.next < out.n_fetched && out.why[0] == '\0') {
		if (!take(out.fetched[out.next]))
			return;
		out.next++;
	}
	drop_fetched();
}

static void
fetch_done(void *arg)
{
	struct fetch	*f = arg;
	bool		 ours = f->gen == out.gen;

	out.fetching = false;
	if (ours)
		out.pull = f->pull;
	if (ours && f->floor > out.last)
		(void)pass_over(f->floor, standby_on());	/* before the first message: there is none to wait for */
	if (ours && f->why[0] != '\0')
		break_off(f->why);
	if (ours) {
		out.fetched = f->msgs;
		out.n_fetched = f->n;
		take_fetched();
	} else {
		for (size_t i = 0; i < f->n; i++)
			natsMsg_Destroy(f->msgs[i]);	/* it comes again */
		free(f->msgs);
		natsSubscription_Destroy(f->pull.sub);
	}
	life_unref(f->life);
	free(f);
}

static void
fetch(void)
{
	struct fetch	*f;

	if (out.fetching || out.fetched != NULL || out.n >= config.window || out.bytes >= config.window_bytes)
		return;
	f = xcalloc(1, sizeof *f);
	f->life = life_ref(out.life);
	f->gen = out.gen;
	f->pull = out.pull;
	f->last = out.last;
	f->batch = config.window - out.n;
	f->msgs = xcalloc(f->batch, sizeof(natsMsg *));
	out.fetching = true;
	bus_job(BUS_FETCH, fetch_run, fetch_done, f);
}

/* ---- what is in the stack -------------------------------------------------------- */

/* All notifications up to that one were carried out. */
static void
confirmed(uint64_t note)
{
	size_t		 n = 0;
	struct taken	*t = NULL;

	while (n < out.n && out.ring[(out.first + n) % config.window].note <= note) {
		t = &out.ring[(out.first + n++) % config.window];
		state.out_seq = t->seq;
		state.out_note = t->note;
	}
	if (n == 0)
		return;
	state_mark();
	for (; n > 0; n--) {
		t = &out.ring[out.first];
		if (n == 1)
			acknowledge(t->msg);
		else
			natsMsg_Destroy(t->msg);
		out.bytes -= t->len;
		out.first = (out.first + 1) % config.window;
		out.n--;
	}
}

static void
on_answer(struct sctpd *c, int code, const struct sctpd_value *v, void *arg)
{
	(void)c, (void)v;
	if ((unsigned)(uintptr_t)arg != out.gen)
		return;
	out.asking = false;
	if (code == SCTPD_OK)
		confirmed(out.asked_note);
}

static void
ask(void)
{
	if (out.asking || out.n == 0)
		return;
	out.asked_note = sctpd_notifications(out.c);
	out.asking = sctpd_call_async(out.c, on_answer, (void *)(uintptr_t)out.gen, "error_string error=0") == SCTPD_OK;
}

/* ---- what was sent some time ago ---------------------------------------------------- */

struct purge {
	struct life	*life;
	uint64_t	 seq;		/* the first that stays */
};

static void
purge_run(void *arg)
{
	struct purge	*p = arg;
	jsOptions	 o;
	natsStatus	 s;
	char		 why[400];

	(void)jsOptions_Init(&o);
	o.Stream.Purge.Sequence = p->seq;
	s = js_PurgeStream(p->life->js, subject_out_stream(), &o, NULL);
	if (s != NATS_OK)
		log_warning("what was sent is not removed from the queue %s: %s; it is tried again", subject_out_stream(), bus_why(s, why, sizeof why));
}

static void
purge_done(void *arg)
{
	struct purge	*p = arg;

	life_unref(p->life);
	free(p);
}

static void
remove_old(void)
{
	struct purge	*p;

	if (clock_ms() < out.next_mark)
		return;
	out.next_mark = clock_ms() + (int64_t)config.out_duplicates / MARKS;
	if (out.marks[MARKS - 1] > 0) {
		p = xcalloc(1, sizeof *p);
		p->life = life_ref(out.life);
		p->seq = out.marks[MARKS - 1] + 1;
		bus_job(BUS_CONTROL, purge_run, purge_done, p);
	}
	memmove(&out.marks[1], &out.marks[0], (MARKS - 1) * sizeof *out.marks);
	out.marks[0] = state.out_seq;
}

/* ---- start and stop --------------------------------------------------------------- */

void
out_ends(uint64_t last)
{
	if (state.out_seq <= last)
		return;
	state.out_seq = last;
	memset(out.marks, 0, sizeof out.marks);
	out.forgot = true;
}

void
out_start(struct life *life, struct sctpd *c)
{
	uint64_t	counted = sctpd_notifications(c);

	out_stop();
	if (out.ring == NULL)
		out.ring = xcalloc(config.window, sizeof *out.ring);
	out.life = life_ref(life);
	out.c = c;
	out.delivery = 0;
	out.last = state.out_seq;
	if (out.forgot)
		state.out_note = counted;
	out.forgot = false;
	out.skip = counted > state.out_note ? counted - state.out_note : 0;
	out.why[0] = '\0';
}

void
out_stop(void)
{
	for (; out.n > 0; out.n--) {
		natsMsg_Destroy(out.ring[out.first].msg);
		out.first = (out.first + 1) % config.window;
	}
	out.bytes = 0;
	drop_fetched();
	out.asking = false;
	if (!out.fetching)
		natsSubscription_Destroy(out.pull.sub);
	out.pull = (struct pull){ .sub = NULL };
	if (out.life != NULL)
		life_unref(out.life);
	out.life = NULL;
	out.c = NULL;
	out.gen++;
}

void
out_turn(void)
{
	if (out.c == NULL || out.why[0] != '\0')
		return;
	ask();
	if (out.fetched != NULL)
		take_fetched();
	fetch();
	remove_old();
	metrics.out_waiting = out.n;
}
