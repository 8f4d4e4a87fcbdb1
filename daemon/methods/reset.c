/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Methods that reset streams, and associations (RFC 6525).
 */
#include <errno.h>
#include <string.h>

#include "methods/arguments.h"
#include "methods/handler.h"
#include "proto/codec.h"

/* The most streams of one request: they fit into any packet, and usrsctp takes no more. */
#define STREAMS		200

/* May the association be reset now, or streams of it? */
static enum error
find_to_reset(const struct call *call, uint64_t handle, uint32_t id, struct assoc **a)
{
	struct sock	*s;
	enum error	 e;

	if ((e = find_sock(call, handle, &s)) != ERR_OK || (e = find_assoc(s, id, a)) != ERR_OK)
		return e;
	if ((*a)->state != ASSOC_UP)
		return call_fail(ERR_enotconn, "assoc_id %u: it is not up; the event sctp_assoc_change says when it is",
		    assoc_id(*a));
	return ERR_OK;
}

static enum error
reset_failed(int number, const struct assoc *a, const char *kind)
{
	switch (number) {
	case EOPNOTSUPP:
		return call_fail(ERR_eopnotsupp, "assoc_id %u: its peer has not agreed to RE-CONFIG; on both sides set sctp_reconfig_supported before the association is set up",
		    assoc_id(a));
	case EPERM:
		return call_fail(ERR_einval, "assoc_id %u: its sctp_enable_stream_reset has no %s; set that first",
		    assoc_id(a), kind);
	case EAGAIN:
		return call_fail(ERR_eagain, "assoc_id %u: not all of its messages have arrived; reset it once the event sctp_sender_dry_event says that they have",
		    assoc_id(a));
	case EINPROGRESS:
		return call_fail(ERR_einprogress, "assoc_id %u: the peer has not answered an earlier request; wait for its event",
		    assoc_id(a));
	case EPIPE:
		return call_fail(ERR_epipe, "assoc_id %u: it is ending; the event sctp_assoc_change says how",
		    assoc_id(a));
	default:
		return call_fail(error_from_errno(number), "assoc_id %u: %s", assoc_id(a),
		    strerror(number));
	}
}

/* ---- streams -------------------------------------------------------- */

static enum error
check_stream(const struct assoc *a, uint32_t directions, uint64_t stream)
{
	if (directions & RESET_OUTGOING && stream >= a->outbound)
		return call_fail(ERR_einval, "streams: %llu: the association has outbound streams 0 to %d",
		    (unsigned long long)stream, a->outbound - 1);
	if (directions & RESET_INCOMING && stream >= a->inbound)
		return call_fail(ERR_einval, "streams: %llu: the association has inbound streams 0 to %d",
		    (unsigned long long)stream, a->inbound - 1);
	return ERR_OK;
}

/* One stream, or a list. */
static enum error
find_streams(const msgpack_object *o, const struct assoc *a, uint32_t directions,
    uint16_t streams[STREAMS], size_t *n)
{
	const msgpack_object	*item = o->type == MSGPACK_OBJECT_ARRAY ? o->via.array.ptr : o;
	enum error		 e;

	*n = o->type == MSGPACK_OBJECT_ARRAY ? o->via.array.size : 1;
	if (*n == 0 || *n > STREAMS)
		return call_fail(ERR_badarg, "streams: a list of %zu; it takes 1 to %d, or leave it out to reset all streams",
		    *n, STREAMS);
	for (size_t i = 0; i < *n; i++, item++) {
		if (item->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
			return call_fail(ERR_badarg, "streams: got %s; it takes a list of streams, such as [0, 5]",
			    codec_type(item));
		if ((e = check_stream(a, directions, item->via.u64)) != ERR_OK)
			return e;
		streams[i] = (uint16_t)item->via.u64;
	}
	return ERR_OK;
}

enum error
handle_reset_streams(struct call *call, const struct rpc_reset_streams_in *in,
    struct rpc_reset_streams_out *out)
{
	uint32_t	 directions = RPC_HAS(in, reset_streams, flags) ? in->flags : RESET_OUTGOING;
	uint16_t	 streams[STREAMS];
	struct assoc	*a;
	size_t		 n = 0;
	enum error	 e;
	int		 number;

	(void)out;
	if ((e = find_to_reset(call, in->sock, in->assoc_id, &a)) != ERR_OK)
		return e;
	if (directions == 0)
		return call_fail(ERR_badarg, "flags: an empty list; it takes incoming, outgoing, or both");
	if (RPC_HAS(in, reset_streams, streams) &&
	    (e = find_streams(in->streams.obj, a, directions, streams, &n)) != ERR_OK)
		return e;
	/* Messages that wait here were sent before the request. */
	number = directions & RESET_OUTGOING && !TAILQ_EMPTY(&a->sends) ? EAGAIN :
	    stack->reset_streams(a, directions, streams, n);
	return number != 0 ? reset_failed(number, a, "reset_streams") : ERR_OK;
}

enum error
handle_reset_assoc(struct call *call, const struct rpc_reset_assoc_in *in,
    struct rpc_reset_assoc_out *out)
{
	struct assoc	*a;
	enum error	 e;
	int		 number;

	(void)out;
	if ((e = find_to_reset(call, in->sock, in->assoc_id, &a)) != ERR_OK)
		return e;
	number = !TAILQ_EMPTY(&a->sends) ? EAGAIN : stack->reset_assoc(a);
	return number != 0 ? reset_failed(number, a, "reset_assoc") : ERR_OK;
}
