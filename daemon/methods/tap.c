/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The method tap.
 */
#include "methods/handler.h"
#include "methods/policy.h"
#include "proto/addr.h"
#include "socket/tap.h"

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
	};
	struct tap_counts	counts;
	enum error		e;

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
	return tap_begin(call->client, &f, policy_is_root(call->client->uid));
}
