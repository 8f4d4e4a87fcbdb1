/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The method tap.
 */
#include <unistd.h>

#include "methods/handler.h"
#include "methods/policy.h"
#include "proto/addr.h"
#include "proto/tapring.h"
#include "rpc/turn.h"
#include "socket/tap.h"

#define RING_A_UNIT	(32u << 10)	/* see rpc/turn.h: each page is touched when the tap begins */

/* Can its descriptor be passed? */
static enum error
may_share(const struct call *call, uint32_t size)
{
	if (size < TAP_RING_MIN || size > TAP_RING_MAX || (size & (size - 1)) != 0)
		return call_fail(ERR_badarg, "ring: %u is no power of two from %u to %u", size, TAP_RING_MIN, TAP_RING_MAX);
	if (call->notification)
		return call_fail(ERR_einval, "ring: a notification has no answer that could pass a descriptor; send a request");
	if (call->client->out.pass != -1)
		return call_fail(ERR_eagain, "ring: another descriptor is still being passed; read that answer first");
	return ERR_OK;
}

enum error
handle_tap(struct call *call, const struct rpc_tap_in *in, struct rpc_tap_out *out)
{
	struct tap_filter	f = {
		.sock = in->sock,
		.client = in->client,
		.assoc_id = in->assoc_id,
		.by_ppid = RPC_HAS(in, tap, ppid),
		.ppid = in->ppid,
		.port = in->port,
		.snap = in->snap,
		.ring = in->ring,
	};
	struct tap_counts	counts;
	enum error		e;
	int			fd = -1;

	if (RPC_HAS(in, tap, on) && !in->on) {
		counts = tap_finish(call->client);
		out->messages = counts.messages;
		out->dropped = counts.dropped;
		return ERR_OK;
	}
	if ((e = policy_tap(call->client->uid)) != ERR_OK)
		return e;
	if (call->client->token[0] != '\0')
		return call_fail(ERR_einval, "tap: this connection has a session, which cannot tap; call it on another connection");
	if (RPC_HAS(in, tap, addr) && !addr_parse(in->addr.ptr, in->addr.len, &f.addr))
		return call_fail(ERR_badarg, "addr: \"%.*s\" is not an address, such as 10.0.0.1 or ::1",
		    (int)(in->addr.len < 64 ? in->addr.len : 64), in->addr.ptr);
	if (RPC_HAS(in, tap, ring) && (e = may_share(call, in->ring)) != ERR_OK)
		return e;
	turn_cost(in->ring / RING_A_UNIT);
	if ((e = tap_begin(call->client, &f, policy_is_root(call->client->uid), &fd)) != ERR_OK || fd == -1)
		return e;
	output_pass(&call->client->out, fd);
	(void)close(fd);
	out->ring = in->ring;
	return ERR_OK;
}
