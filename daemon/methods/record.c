/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the flight recorder has of an association.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lines.h"
#include "methods/arguments.h"
#include "methods/handler.h"
#include "rpc/client.h"
#include "rpc/turn.h"
#include "socket/report.h"
#include "socket/sock.h"
#include "trace/record.h"

/* What it costs: see rpc/turn.h. */
#define UNITS		4
#define BYTES_A_UNIT	4096

static void
say_given(const struct assoc *a, const struct client *c, const char *who)
{
	const struct log_field	f[] = {
		LINE_NUMBER(assoc, assoc_id(a)),
		LINE_TEXT(by, who),
		LINE_NUMBER(sock, a->sock->node.key),
		LINE_NUMBER(uid, a->sock->uid),
		LINE_NUMBER(by_uid, c->uid),
		LINE_NUMBER(by_pid, (uint64_t)c->pid),
	};

	if (log_wants(&line_table[LINE_record_given]))
		log_row(&line_table[LINE_record_given], f, sizeof f / sizeof *f);
}

enum error
handle_record(struct call *call, const struct rpc_record_in *in, struct rpc_record_out *out)
{
	char		 why[REPORT_WHO + 64], who[REPORT_WHO], *section;
	struct sock	*s;
	struct assoc	*a;
	enum error	 e;
	size_t		 len;

	if ((e = find_sock(call, in->sock, &s)) != ERR_OK ||
	    (e = find_assoc(s, in->assoc_id, &a)) != ERR_OK)
		return e;
	if (!record_is_on())
		return call_fail(ERR_einval, "record: the flight recorder is off; record_messages in sctpd.conf turns it on");
	(void)snprintf(why, sizeof why, "assoc %u: asked for by %s", assoc_id(a),
	    report_who(call->client, who));
	say_given(a, call->client, who);
	section = report_section(a, why, &len);
	turn_cost(UNITS + len / BYTES_A_UNIT);
	out->pcapng = (struct slice){ section, (uint32_t)len };
	call_reply(call, out);
	free(section);
	return CALL_ANSWERED;
}
