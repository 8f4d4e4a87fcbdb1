/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How an association ends: shut down, aborted, or with its socket.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/call.h"
#include "socket/ending.h"
#include "socket/report.h"
#include "socket/sends.h"
#include "socket/sock.h"
#include "util/mem.h"

/* Longest reason of an abort: it travels in one packet. */
#define MAX_REASON	1024

/* ---- a close that waits ---------------------------------------------- */

static void
close_ended(struct call *call, enum call_end why)
{
	static const struct rpc_close_out	 out;
	struct closer				*c = call->waits_for;

	c->call = NULL;
	if (why == CALL_TIMED_OUT)
		call_finish(call, &out);	/* the remaining associations end by themselves */
	else
		call_forget(call);
}

struct closer *
closer_new(const struct call *call, int seconds)
{
	struct closer	*c = xcalloc(1, sizeof *c);

	c->left = 1;		/* the socket itself */
	c->call = call_keep(call, (int64_t)seconds * 1000, close_ended, c);
	return c;
}

/* One of the things that the close waits for is over. */
static void
closer_unref(struct closer *c)
{
	static const struct rpc_close_out	out;

	if (c == NULL || --c->left > 0)
		return;
	if (c->call != NULL)
		call_finish(c->call, &out);
	free(c);
}

enum error
closer_begin(struct closer *c)
{
	closer_unref(c);
	return CALL_ANSWERED;
}

struct assoc *
assoc_free(struct assoc *a)
{
	struct closer	*closer;

	if (a == NULL)
		return NULL;
	report_gone(a);
	assoc_fail_sends(a, ERR_epipe, "the association is over");
	stack->assoc_free(a);
	closer = a->closer;
	assoc_forget(a);
	closer_unref(closer);
	return NULL;
}

/* ---- by request ------------------------------------------------------ */

/* If the peer is shutting it down already, nothing is to be done: its end comes anyway. */
int
assoc_eof(struct assoc *a)
{
	if (a->eof_asked || a->state == ASSOC_OVER)
		return EPIPE;
	a->eof_asked = true;
	assoc_changed(a);
	if (a->state == ASSOC_GOING_DOWN || !TAILQ_EMPTY(&a->sends))
		return 0;	/* assoc_writable will, where it is still to be */
	return stack->eof(a);
}

static enum error
end_failed(int number, uint32_t id)
{
	if (number == ENOTCONN)
		number = EPIPE;
	return call_fail(error_from_errno(number), "assoc_id %u: %s", id,
	    number == EPIPE ? "it is over, or is being shut down" : strerror(number));
}

enum error
assoc_shut(struct assoc *a)
{
	int	number = assoc_eof(a);

	return number == 0 ? ERR_OK : end_failed(number, assoc_id(a));
}

enum error
assoc_abort(const char *who, struct assoc *a, const char *reason, size_t len)
{
	char	cause[MAX_REASON + 40] = "it gave no reason";
	int	number;

	if (len > MAX_REASON)
		return call_fail(ERR_emsgsize, "reason: %zu bytes; it takes at most %d",
		    len, MAX_REASON);
	if (len > 0 && !a->sock->many && !a->sock->peeled)
		return call_fail(ERR_einval, "reason: a stream socket cannot give one");
	if (a->state == ASSOC_OVER)
		return end_failed(EPIPE, assoc_id(a));
	if (len > 0)
		(void)snprintf(cause, sizeof cause, "its reason is \"%.*s\"", (int)len, reason);
	if ((number = report_abort(a, reason, len, who, cause)) != 0)
		return end_failed(number, assoc_id(a));
	return ERR_OK;
}
