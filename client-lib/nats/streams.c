/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nats/clock.h"
#include "nats/config.h"
#include "nats/log.h"
#include "nats/streams.h"

/* Messages of the log carry ids for their readers. What keeps it free of doubles is their order: see in.h. */
#define IN_DUPLICATES	(100 * NS_PER_MS)

static bool
failed(struct look *l, const char *what, natsStatus s, jsErrCode code)
{
	char	why[400];

	if (s == NATS_OK)
		return false;
	(void)snprintf(l->why, sizeof l->why, "%s: %s (JetStream error %d)%s", what, bus_why(s, why, sizeof why), (int)code,
	    code == JSStorageResourcesExceededErr || code == JSMemoryResourcesExceededErr ?
	    "; set smaller in_max_bytes and out_max_bytes, or let the servers store more" : "");
	return true;
}

/* ---- streams --------------------------------------------------------- */

/* A stream that is there must be ours, and gets the limits of our settings. */
static void
check_stream(struct look *l, jsStreamInfo *si, const jsStreamConfig *want)
{
	jsStreamConfig	*is = si->Config;
	jsErrCode	 code = 0;
	bool		 same = is->SubjectsLen == want->SubjectsLen && is->Retention == want->Retention && is->Discard == want->Discard;

	for (int i = 0; same && i < want->SubjectsLen; i++)
		same = strcmp(is->Subjects[i], want->Subjects[i]) == 0;
	if (!same) {
		(void)snprintf(l->why, sizeof l->why, "the stream %s is there, and not as sctpd-nats makes it "
		    "(its subjects, its retention or what it discards): another program or version made it; remove it, or set another host",
		    want->Name);
		return;
	}
	if (is->MaxBytes == want->MaxBytes && is->MaxAge == want->MaxAge && is->Duplicates == want->Duplicates)
		return;
	is->MaxBytes = want->MaxBytes;
	is->MaxAge = want->MaxAge;
	is->Duplicates = want->Duplicates;
	(void)failed(l, want->Name, js_UpdateStream(NULL, l->life->js, is, NULL, &code), code);
}

/* It is there afterwards; its state, or NULL and why not. */
static jsStreamInfo *
stream_there(struct look *l, jsStreamConfig *want)
{
	jsStreamInfo	*si = NULL;
	jsErrCode	 code = 0;
	natsStatus	 s = js_GetStreamInfo(&si, l->life->js, want->Name, NULL, &code);

	if (s == NATS_NOT_FOUND)
		s = js_AddStream(&si, l->life->js, want, NULL, &code);
	if (failed(l, want->Name, s, code))
		return NULL;
	check_stream(l, si, want);
	if (l->why[0] == '\0')
		return si;
	jsStreamInfo_Destroy(si);
	return NULL;
}

/* Those of a stream, as libnats wants them. */
struct subjects {
	char		 text[SUBJECT_SIZE];
	const char	*list[1];
};

/* What was sent of the queue stays for a while, see out.h: so neither is a work queue. */
static void
common(jsStreamConfig *c, struct subjects *s, const char *way, const char *name, uint64_t max_bytes)
{
	jsStreamConfig_Init(c);
	(void)snprintf(s->text, sizeof s->text, "sctp.%s.%s.>", config.host, way);
	s->list[0] = s->text;
	c->Name = name;
	c->Subjects = s->list;
	c->SubjectsLen = 1;
	c->Retention = js_LimitsPolicy;
	c->MaxBytes = (int64_t)max_bytes;
	c->Discard = js_DiscardNew;
	c->Replicas = (int64_t)config.replicas;
	c->Storage = strcmp(config.storage, "memory") == 0 ? js_MemoryStorage : js_FileStorage;
}

static jsStreamInfo *
in_there(struct look *l)
{
	struct subjects	 s;
	jsStreamConfig	 c;

	common(&c, &s, "in", subject_in_stream(), config.in_max_bytes);
	if (config.replicas > 1)
		c.MaxBytes = -1;	/* in.c sees to that, see in.h */
	c.MaxAge = (int64_t)config.in_max_age * NS_PER_MS;
	c.Duplicates = IN_DUPLICATES;
	return stream_there(l, &c);
}

static bool
out_there(struct look *l)
{
	struct subjects	 s;
	jsStreamConfig	 c;
	jsStreamInfo	*si;

	common(&c, &s, "out", subject_out_stream(), config.out_max_bytes);
	c.Duplicates = (int64_t)config.out_duplicates * NS_PER_MS;
	if ((si = stream_there(l, &c)) == NULL)
		return false;
	l->out_last = si->State.LastSeq;
	jsStreamInfo_Destroy(si);
	return true;
}

/* ---- where the log ends ------------------------------------------------ */

/* Does it say that it follows the message before it, as all of ours do but the first of a log? By what it says JetStream took it. */
static bool
is_in_chain(const struct look *l, natsMsg *msg, uint64_t seq)
{
	const char	*text;
	struct log_id	 before;

	if (seq == 1)
		return true;
	if (natsMsgHeader_Get(msg, "Nats-Expected-Last-Msg-Id", &text) == NATS_OK)
		return log_id_read(text, &before) && before.epoch == l->epoch;
	return natsMsgHeader_Get(msg, "Nats-Expected-Last-Sequence", &text) == NATS_OK && strtoull(text, NULL, 10) == seq - 1;
}

static bool
is_ours(const struct look *l, natsMsg *msg, uint64_t seq, struct log_id *id)
{
	const char	*text;

	return natsMsgHeader_Get(msg, "Nats-Msg-Id", &text) == NATS_OK && log_id_read(text, id) && id->epoch == l->epoch &&
	    is_in_chain(l, msg, seq);
}

/* One message of the log: what it is is noted in l. */
static void
look_at(struct look *l, uint64_t seq)
{
	natsMsg		*msg = NULL;
	jsErrCode	 code = 0;
	natsStatus	 s = js_GetMsg(&msg, l->life->js, subject_in_stream(), seq, NULL, &code);

	if (s == NATS_NOT_FOUND) {
		l->unreadable++;
		return;
	}
	if (failed(l, "reading the end of the log", s, code))
		return;
	if (is_ours(l, msg, seq, &l->id))
		l->found = true;
	else
		log_warning("%s: message %" PRIu64 " is not of this session, and stands behind ours: another program publishes on subjects of the log", subject_in_stream(), seq);
	natsMsg_Destroy(msg);
}

/* From the end back to what is known, until there is one of ours. */
static void
find_end(struct look *l, const jsStreamInfo *si)
{
	l->last = si->State.LastSeq;
	if (l->epoch == 0 || l->last < l->from)
		return;
	for (uint64_t seq = l->last; seq > l->from && !l->found && l->why[0] == '\0'; seq--)
		look_at(l, seq);
}

uint64_t
streams_log_size(struct life *life)
{
	jsStreamInfo	*si = NULL;
	uint64_t	 bytes = UINT64_MAX;

	if (js_GetStreamInfo(&si, life->js, subject_in_stream(), NULL, NULL) == NATS_OK)
		bytes = si->State.Bytes;
	jsStreamInfo_Destroy(si);
	return bytes;
}

void
streams_look(void *arg)
{
	struct look	*l = arg;
	jsStreamInfo	*si;

	if ((si = in_there(l)) == NULL)
		return;
	l->alone = si->Config->Replicas <= 1;
	l->bytes = si->State.Bytes;
	l->made = si->Created;
	if (out_there(l))
		find_end(l, si);
	jsStreamInfo_Destroy(si);
}
