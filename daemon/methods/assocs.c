/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of associations: what the daemon knows of each and, for who asks,
 * what the stack says.
 */
#include <stdlib.h>
#include <string.h>

#include "methods/handler.h"
#include "methods/walk.h"
#include "proto/codec.h"
#include "proto/sockopt.h"
#include "rpc/client.h"
#include "rpc/turn.h"
#include "stack/stack.h"

/* The most associations in one answer, and if the stack is asked for each. */
#define MOST		1024
#define MOST_ASKED	64
/* What they cost: see rpc/turn.h. */
#define ASSOCS_A_UNIT	4
#define UNITS_ASKED	6

struct assoc_list {
	msgpack_sbuffer	packed;
	msgpack_packer	pk;
	uint32_t	n;
	bool		status;		/* with what the stack counts */
	bool		addrs;		/* with all addresses */
	uint64_t	now;		/* as trace_now; asked for once, as it may be a system call */
};

/* ---- what the stack says -------------------------------------------- */

/* Before and after that the stacks differ in what they say. */
static bool
is_up(const struct assoc *a)
{
	return a->state == ASSOC_UP || a->state == ASSOC_GOING_DOWN;
}

/* Reads an option of the association; gives NULL if the stack has none. */
static const struct sockopt *
read_option(const struct assoc *a, const char *name, char *buf)
{
	const struct sockopt	*o = sockopt_find(name, strlen(name));
	uint32_t		 id = assoc_id(a);

	if (!is_up(a) || !stack->has_option(o))
		return NULL;
	memset(buf, 0, o->size);
	memcpy(buf + sockopt_assoc(o)->offset, &id, sizeof id);
	return stack->getopt(a->sock, o, buf) == 0 ? o : NULL;
}

static void
pack_option(msgpack_packer *pk, const char *key, const struct sockopt *o, const char *buf)
{
	codec_pack_text(pk, key);
	if (o != NULL)
		codec_pack(pk, o->fields, buf, o->size);
	else
		msgpack_pack_map(pk, 0);
}

static void
pack_status(msgpack_packer *pk, const struct assoc *a)
{
	char	buf[SOCKOPT_MAX];

	pack_option(pk, "status", read_option(a, "sctp_status", buf), buf);
	pack_option(pk, "stats", read_option(a, "sctp_assoc_stats", buf), buf);
}

static void
pack_addrs(msgpack_packer *pk, const char *key, struct assoc *a, bool peer)
{
	struct sockaddr_storage	*addrs = NULL;
	size_t			 n = 0;

	if (is_up(a) && stack->names(a->sock, a, peer, &addrs, &n) != 0)
		n = 0;
	codec_pack_text(pk, key);
	msgpack_pack_array(pk, n);
	for (size_t i = 0; i < n; i++)
		codec_pack_endpoint(pk, &addrs[i]);
	if (n > 0)
		free(addrs);
}

/* ---- rows ----------------------------------------------------------- */

static void
pack_owner(msgpack_packer *pk, const struct client *c)
{
	codec_pack_number(pk, "owner", c->node.key);
	codec_pack_string(pk, "name", c->name != NULL ? c->name : "");
	codec_pack_number(pk, "pid", (uint64_t)c->pid);
	codec_pack_number(pk, "uid", c->uid);
}
#define OWNER_PAIRS	4u

static void
pack_assoc(struct assoc_list *l, struct assoc *a)
{
	msgpack_packer	*pk = &l->pk;
	struct sock	*s = a->sock;

	msgpack_pack_map(pk, 10 + OWNER_PAIRS + TRACE_PAIRS + (l->status ? 2u : 0) + (l->addrs ? 2u : 0));
	codec_pack_number(pk, "sock", s->node.key);
	codec_pack_number(pk, "assoc_id", assoc_id(a));
	codec_pack_string(pk, "state", assoc_state_name(a));
	codec_pack_text(pk, "peer");
	codec_pack_endpoint(pk, &a->peer);
	codec_pack_number(pk, "port", s->port);
	codec_pack_number(pk, "inbound_streams", a->inbound);
	codec_pack_number(pk, "outbound_streams", a->outbound);
	codec_pack_number(pk, "send_pend", a->waiting);
	codec_pack_number(pk, "recv_pend", s->pending_bytes + output_unacked(&s->owner->out));
	codec_pack_number(pk, "stalled", a->watched != NULL && a->watched->stalled != 0 ?
	    l->now - a->watched->stalled : 0);
	pack_owner(pk, s->owner);
	trace_pack(pk, &a->trace, l->now);
	if (l->status)
		pack_status(pk, a);
	if (l->addrs) {
		pack_addrs(pk, "local_addrs", a, false);
		pack_addrs(pk, "peer_addrs", a, true);
	}
	l->n++;
}

/* ---- the method ----------------------------------------------------- */

/* How many associations are wanted at most; 0: that was refused. */
static uint32_t
find_limit(const struct rpc_assocs_in *in, const struct assoc_list *l)
{
	uint32_t	most = l->status || l->addrs ? MOST_ASKED : MOST;

	if (!RPC_HAS(in, assocs, limit))
		return most;
	if (in->limit >= 1 && in->limit <= most)
		return in->limit;
	(void)call_fail(ERR_badarg, "limit: %u is out of range; 1 to %u%s", in->limit, most,
	    most == MOST ? "" : " with status or addrs");
	return 0;
}

static void
reply_assocs(const struct call *call, const struct assoc_list *l, const struct walk *w)
{
	msgpack_packer	*pk = call_reply_begin(call);

	msgpack_pack_map(pk, 2);
	codec_pack_text(pk, "assocs");
	msgpack_pack_array(pk, l->n);
	if (l->n > 0)
		(void)pk->callback(pk->data, l->packed.data, l->packed.size);
	codec_pack_text(pk, "more");
	(void)(walk_more(w) ? msgpack_pack_true(pk) : msgpack_pack_false(pk));
}

static void
list_assocs(struct assoc_list *l, struct walk *w, uint32_t limit)
{
	struct assoc	*a;

	msgpack_sbuffer_init(&l->packed);
	msgpack_packer_init(&l->pk, &l->packed, msgpack_sbuffer_write);
	while (l->n < limit && (a = walk_next(w)) != NULL)
		pack_assoc(l, a);
	turn_cost(l->status || l->addrs ? l->n * UNITS_ASKED : l->n / ASSOCS_A_UNIT);
}

enum error
handle_assocs(struct call *call, const struct rpc_assocs_in *in, struct rpc_assocs_out *out)
{
	struct walk_range	range = {
		.sock = RPC_HAS(in, assocs, sock) ? &in->sock : NULL,
		.assoc_id = RPC_HAS(in, assocs, assoc_id) ? &in->assoc_id : NULL,
		.after_sock = RPC_HAS(in, assocs, after_sock) ? &in->after_sock : NULL,
		.after_assoc = RPC_HAS(in, assocs, after_assoc) ? &in->after_assoc : NULL,
	};
	struct assoc_list	l = { .status = in->status, .addrs = in->addrs, .now = trace_now() };
	struct walk		w;
	uint32_t		limit = find_limit(in, &l);
	enum error		e;

	(void)out;
	if (limit == 0)
		return ERR_badarg;
	if ((e = walk_begin(&w, call, &range)) != ERR_OK)
		return e;
	list_assocs(&l, &w, limit);
	reply_assocs(call, &l, &w);
	msgpack_sbuffer_destroy(&l.packed);
	return CALL_ANSWERED;
}
