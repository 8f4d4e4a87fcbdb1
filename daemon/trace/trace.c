/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is observed of an association.
 */
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "proto/addr.h"
#include "proto/codec.h"
#include "proto/error.h"
#include "trace/trace.h"
#include "trace/words.h"

uint64_t
trace_now(void)
{
	struct timespec	now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool
trace_new_ppid(struct trace *t, uint32_t ppid)
{
	for (uint8_t i = 0; i < t->nppids; i++) {
		if (t->ppid[i] == ppid) {
			t->last_ppid = i;
			return false;
		}
	}
	if (t->nppids == TRACE_PPIDS) {
		bool	is_first = !t->more_ppids;

		t->more_ppids = true;
		return is_first;
	}
	t->last_ppid = t->nppids;
	t->ppid[t->nppids++] = ppid;
	return true;
}

void
trace_up(struct trace *t)
{
	if (t->up == 0)
		t->up = trace_now();
}

/* ---- what was wrong -------------------------------------------------- */

static const char *
state_in(const struct stack_event *e)
{
	const struct field	*f = words_field(e->row, "state");

	return f != NULL ? words_name(f, words_number(e, f)) : "";
}

static void
say_cause(char *to, const char *what, unsigned cause)
{
	const char	*name = error_cause(cause);

	if (cause == 0)
		(void)snprintf(to, TRACE_ERROR, "%s", what);
	else
		(void)snprintf(to, TRACE_ERROR, "%s: %s (cause %u)", what,
		    name != NULL ? name : "unknown", cause);
}

static void
say_path(char *to, const char *what, const struct stack_event *e)
{
	const struct field	*f = words_field(e->row, "addr");
	struct sockaddr_storage	 ss;
	char			 text[ADDR_TEXT];

	memcpy(&ss, (const char *)e->body + f->offset, sizeof ss);
	(void)snprintf(to, TRACE_ERROR, "path to %s %s", addr_text(&ss, text), what);
}

static bool
path_is_wrong(char *to, const struct stack_event *e)
{
	const char	*state = state_in(e);

	if (strcmp(state, "addr_unreachable") == 0)
		say_path(to, "unreachable", e);
	else if (strcmp(state, "addr_potentially_failed") == 0)
		say_path(to, "potentially failed", e);
	else
		return false;
	return true;
}

/* Is something wrong? Then say it in words. */
static bool
is_wrong(char *to, const struct stack_event *e)
{
	switch (e->what) {
	case ASSOC_EVENT_RESTART:
		say_cause(to, "restarted by the peer", 0);
		return true;
	case ASSOC_EVENT_LOST:
		say_cause(to, "lost or aborted", e->error);
		return true;
	case ASSOC_EVENT_CANT:
		say_cause(to, "not set up", e->error);
		return true;
	default:
		break;
	}
	if (e->row->sn_type == SCTP_PEER_ADDR_CHANGE)
		return path_is_wrong(to, e);
	if (e->row->sn_type != SCTP_REMOTE_ERROR)
		return false;
	say_cause(to, "the peer reports an error", words_number(e, words_field(e->row, "error")));
	return true;
}

bool
trace_event(struct trace *t, const struct stack_event *e)
{
	if (!is_wrong(t->error, e))
		return false;
	t->error_at = trace_now();
	if (e->what == ASSOC_EVENT_RESTART)
		t->up = t->error_at;
	return true;
}

/* ---- for others ------------------------------------------------------ */

/* How long ago that was; 0: it was not yet. */
static uint64_t
since(uint64_t at, uint64_t now)
{
	return at != 0 && at < now ? now - at : 0;
}

void
trace_pack(msgpack_packer *pk, const struct trace *t, uint64_t now)
{
	codec_pack_number(pk, "age", since(t->up, now));
	codec_pack_number(pk, "recv_cnt", t->received.messages);
	codec_pack_number(pk, "recv_oct", t->received.bytes);
	codec_pack_number(pk, "send_cnt", t->sent.messages);
	codec_pack_number(pk, "send_oct", t->sent.bytes);
	codec_pack_text(pk, "ppids");
	msgpack_pack_array(pk, t->nppids);
	for (unsigned i = 0; i < t->nppids; i++)
		msgpack_pack_uint32(pk, t->ppid[i]);
	codec_pack_text(pk, "more_ppids");
	(void)(t->more_ppids ? msgpack_pack_true(pk) : msgpack_pack_false(pk));
	codec_pack_text(pk, "last_error");
	codec_pack_text(pk, t->error);
	codec_pack_number(pk, "last_error_age", since(t->error_at, now));
}
