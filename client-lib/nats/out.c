/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
#define NS_PER_MS	INT64_C(1000000)
#define FETCH_WAIT	(500 * NS_PER_MS)
/* Longer than a message can wait for room. It is not delivered again before, and if it is, that is noticed. */
#define ACK_WAIT	(3600 * 1000 * NS_PER_MS)
#define BEGINNING	65536	/* bytes of a message that is too long for sctpd */

/* Fetched, with the reply subject that it is acknowledged on. */
struct taken {
	uint64_t	 seq;
	uint64_t	 note;		/* which notification of the session it was */
	size_t		 len;
	natsMsg		*msg;
};

/* One fetch. It belongs to the FETCH thread until it is done. */
struct fetch {
	struct life		*life;
	unsigned		 gen;
	natsSubscription	*sub;		/* NULL: to be made, with the consumer */
	int			 batch;
	natsMsgList		 list;
	char			 why[512];
};

static struct {
	struct life		*life;
	struct sctpd		*c;
	unsigned		 gen;		/* a fetch of an earlier one is thrown away */
	bool			 fetching;
	bool			 asking;	/* sctpd was asked, and has not answered */
	uint64_t		 asked_note;	/* what that answer confirms */
	natsSubscription	*sub;
	uint64_t		 delivery;	/* the consumer's number of the last message */
	uint64_t		 last;		/* the sequence of the last message that was taken */
	uint64_t		 skip;
	struct taken		*ring;		/* given to sctpd, not confirmed */
	size_t			 first, n, bytes;
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

static natsStatus
consumer_anew(struct fetch *f)
{
	jsConsumerConfig	 c;
	jsSubOptions		 o;
	jsErrCode		 code = 0;
	natsStatus		 s = js_DeleteConsumer(f->life->js, subject_out_stream(), CONSUMER, NULL, &code);

	if (s != NATS_OK && s != NATS_NOT_FOUND)
		return s;
	(void)jsConsumerConfig_Init(&c);
	c.Durable = CONSUMER;
	c.AckPolicy = js_AckExplicit;
	c.AckWait = ACK_WAIT;
	c.MaxAckPending = (int64_t)config.window;
	if ((s = js_AddConsumer(NULL, f->life->js, subject_out_stream(), &c, NULL, &code)) != NATS_OK)
		return s;
	(void)jsSubOptions_Init(&o);
	o.Stream = subject_out_stream();
	o.Consumer = CONSUMER;
	return js_PullSubscribe(&f->sub, f->life->js, NULL, CONSUMER, NULL, &o, &code);
}

static void
fetch_run(void *arg)
{
	struct fetch	*f = arg;
	jsFetchRequest	 r;
	natsStatus	 s = NATS_OK;
	char		 why[400];

	if (f->sub == NULL && (s = consumer_anew(f)) != NATS_OK) {
		(void)snprintf(f->why, sizeof f->why, "the queue %s cannot be read: %s", subject_out_stream(), bus_why(s, why, sizeof why));
		return;
	}
	(void)jsFetchRequest_Init(&r);
	r.Batch = f->batch;
	r.MaxBytes = (int64_t)config.window_bytes + f->life->max_payload;
	r.Expires = FETCH_WAIT;
	s = natsSubscription_FetchRequest(&f->list, f->sub, &r);
	if (s != NATS_OK && s != NATS_TIMEOUT)
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
	(void)natsMsg_Ack(msg, NULL);	/* if that is lost, the message is acknowledged when it comes again */
	natsMsg_Destroy(msg);
}

static void
take(natsMsg *msg)
{
	struct taken	t = { .msg = msg, .len = (size_t)natsMsg_GetDataLength(msg) };
	uint64_t	delivery;

	if (!numbers(msg, &t.seq, &delivery) || delivery != out.delivery + 1) {
		break_off("a message of the queue was lost on its way here");
		natsMsg_Destroy(msg);
		return;
	}
	out.delivery = delivery;
	if (t.seq <= out.last) {	/* noted before, and the acknowledgement was lost */
		acknowledge(msg);
		return;
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
}

static void
fetch_done(void *arg)
{
	struct fetch	*f = arg;
	bool		 ours = f->gen == out.gen;

	out.fetching = false;
	if (ours)
		out.sub = f->sub;
	if (ours && f->why[0] != '\0')
		break_off(f->why);
	for (int i = 0; i < f->list.Count; i++) {
		if (!ours || out.why[0] != '\0')
			continue;	/* it comes again */
		take(f->list.Msgs[i]);
		f->list.Msgs[i] = NULL;
	}
	natsMsgList_Destroy(&f->list);
	if (!ours)
		natsSubscription_Destroy(f->sub);
	life_unref(f->life);
	free(f);
}

static void
fetch(void)
{
	struct fetch	*f;

	if (out.fetching || out.n >= config.window || out.bytes >= config.window_bytes)
		return;
	f = xcalloc(1, sizeof *f);
	f->life = life_ref(out.life);
	f->gen = out.gen;
	f->sub = out.sub;
	f->batch = (int)(config.window - out.n);
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
		acknowledge(t->msg);
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

/* ---- start and stop --------------------------------------------------------------- */

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
	out.asking = false;
	if (!out.fetching)
		natsSubscription_Destroy(out.sub);
	out.sub = NULL;
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
	fetch();
	metrics.out_waiting = out.n;
}
