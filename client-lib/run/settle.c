/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In the kernel, what a program sends over loopback has arrived when the call
 * returns, and programs rely on that: one that connects finds the association
 * at its listener, without waiting. Here the event is on its way from the daemon
 * meanwhile. So a call that must not wait, and finds nothing, is answered only
 * when what the program did last, with another socket, has come.
 *
 * Answers and events come in the order in which the daemon made them, but it may
 * read a question before the sockets that had something before that. By the end
 * of that turn it has read those, too, and the answer to a second question comes
 * behind what they had.
 */
#include <errno.h>
#include <inttypes.h>

#include "run/settle.h"
#include "run/sock.h"

#define SETTLE_MOST	1000	/* ms: the daemon may be away */

/* Any question would do that changes nothing. */
static void
ask(struct call *c, call_reply *fn)
{
	struct words	w = { 0 };

	word_add(&w, "port");
	word_add(&w, "sock=%" PRIu64, c->sock->handle);
	call_question_idle(c, &w, fn);
}

static void
on_settled(struct call *c, int code, const struct sctpd_value *v)
{
	(void)code, (void)v;
	if (c->over)
		return;
	call_wait_no_more(c);
	sock_clear_readable(c);
	(void)call_fail(c, EAGAIN);
}

static void
on_asked(struct call *c, int code, const struct sctpd_value *v)
{
	if (code == SCTPD_OK && !c->over)
		ask(c, on_settled);
	else
		on_settled(c, code, v);
}

void
settle_did(const struct call *c)
{
	c->run->did = c->sock->handle;
}

void
settle(struct call *c, bool (*try)(struct call *))
{
	struct run	*r = c->run;
	uint64_t	 did = r->did;

	if (did == 0 || did == c->sock->handle || c->sock->handle == 0) {
		sock_clear_readable(c);
		(void)call_fail(c, EAGAIN);
		return;
	}
	r->did = 0;
	call_wait(c, try, SETTLE_MOST, EAGAIN);
	ask(c, on_asked);
}
