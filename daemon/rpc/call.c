/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests that wait, and answers.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "rpc/call.h"
#include "rpc/client.h"
#include "util/loop.h"
#include "util/mem.h"

static char why[512];

enum error
call_fail(enum error code, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	return code;
}

const char *
call_why(void)
{
	return why;
}

static void
call_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct call	*call = arg;

	(void)fd, (void)what;
	call->end(call, CALL_TIMED_OUT);
}

struct call *
call_keep(const struct call *call, int64_t timeout,
    void (*end)(struct call *, enum call_end), void *waits_for)
{
	struct call	*kept = xmalloc(sizeof *kept);
	struct timeval	 tv;

	account_charge(&call->client->account, CALL_COST);
	call->client->account.calls++;
	*kept = *call;
	kept->end = end;
	kept->waits_for = waits_for;
	TAILQ_INSERT_TAIL(&call->client->calls, kept, entry);
	(void)evtimer_assign(&kept->timer, loop_base(), call_on_timer, kept);
	if (timeout >= 0) {
		tv.tv_sec = (time_t)(timeout / 1000);
		tv.tv_usec = (suseconds_t)(timeout % 1000 * 1000);
		(void)evtimer_add(&kept->timer, &tv);
	}
	return kept;
}

static int
throw_away(void *arg, const char *p, size_t n)
{
	(void)arg, (void)p, (void)n;
	return 0;
}

msgpack_packer *
call_reply_begin_as(const struct call *call, enum message_kind kind, uint64_t sock)
{
	static msgpack_packer	 none = { .callback = throw_away };
	msgpack_packer		*pk;

	if (call->notification)
		return &none;
	pk = client_packer(call->client, kind, sock);
	msgpack_pack_array(pk, 4);
	msgpack_pack_uint8(pk, RPC_RESPONSE);
	msgpack_pack_uint32(pk, call->msgid);
	msgpack_pack_nil(pk);
	return pk;
}

msgpack_packer *
call_reply_begin(const struct call *call)
{
	return call_reply_begin_as(call, MESSAGE_ANSWER, 0);
}

void
call_reply(const struct call *call, const void *out)
{
	if (!call->notification)
		codec_pack(call_reply_begin(call), call->method->out, out,
		    call->method->out_size);
}

const char *
call_error_text(enum error code, const char *text)
{
	static char	line[640];

	(void)snprintf(line, sizeof line, "%s: %s", error_table[code].code, text);
	errtext_clean(line);
	return line;
}

void
call_reply_error(const struct call *call, enum error code, const char *text)
{
	const char	*line = call_error_text(code, text);
	msgpack_packer	*pk;

	if (call->notification) {	/* it has no answer; an event reports the error */
		struct event_error	e = {
			.method = { call->method->name, (uint32_t)strlen(call->method->name) },
			.error = { line, (uint32_t)strlen(line) },
		};

		client_tell(call->client, EVENT_error, 0, &e);
		return;
	}
	pk = client_packer(call->client, MESSAGE_ANSWER, 0);
	msgpack_pack_array(pk, 4);
	msgpack_pack_uint8(pk, RPC_RESPONSE);
	msgpack_pack_uint32(pk, call->msgid);
	codec_pack_text(pk, line);
	msgpack_pack_nil(pk);
}

void
call_forget(struct call *call)
{
	(void)evtimer_del(&call->timer);
	TAILQ_REMOVE(&call->client->calls, call, entry);
	account_discharge(&call->client->account, CALL_COST);
	call->client->account.calls--;
	free(call);
}

void
call_finish(struct call *call, const void *out)
{
	call_reply(call, out);
	call_forget(call);
}

void
call_finish_error(struct call *call, enum error code, const char *fmt, ...)
{
	char	text[512];
	va_list	ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	call_reply_error(call, code, text);
	call_forget(call);
}

/*
 * Ending one call may end others in the list: a connect that ends aborts its
 * association, and that ends the sends that wait for it. A marker call, which
 * nobody ends, therefore keeps the position.
 */
void
call_end_all(struct client *c, bool (*which)(const struct call *))
{
	struct call	 place = { .client = c };
	struct call	*call;

	TAILQ_INSERT_HEAD(&c->calls, &place, entry);
	while ((call = TAILQ_NEXT(&place, entry)) != NULL) {
		TAILQ_REMOVE(&c->calls, &place, entry);
		TAILQ_INSERT_AFTER(&c->calls, call, &place, entry);
		if (which(call))
			call->end(call, CALL_CLIENT_GONE);
	}
	TAILQ_REMOVE(&c->calls, &place, entry);
}
