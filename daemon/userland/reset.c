/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: resetting streams, and associations (RFC 6525).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userland/userland.h"
#include "util/mem.h"

/* usrsctp has errnos of its own for what the kernel says. */
static int
neutral(int number)
{
	switch (number) {
	case EALREADY:
		return EINPROGRESS;
	case EBUSY:
		return EAGAIN;
	case ENOMEM:
		return E2BIG;
	case EINVAL:
		return EPIPE;	/* it is not open any more */
	default:
		return number;
	}
}

static int
request(struct assoc *a, int optname, const void *arg, size_t len)
{
	if (a->stack.userland->so == NULL)
		return ENOTCONN;
	return usrsctp_setsockopt(userland_so(a), IPPROTO_SCTP, optname, arg,
	    (socklen_t)len) == -1 ? neutral(errno) : 0;
}

int
userland_reset_streams(struct assoc *a, unsigned directions, const uint16_t *streams, size_t n)
{
	struct sctp_reset_streams	*r = xcalloc(1, sizeof *r + n * sizeof *streams);
	int				 number;

	r->srs_assoc_id = userland_id(a);
	r->srs_flags = (uint16_t)((directions & RESET_INCOMING ? SCTP_STREAM_RESET_INCOMING : 0) |
	    (directions & RESET_OUTGOING ? SCTP_STREAM_RESET_OUTGOING : 0));
	r->srs_number_streams = (uint16_t)n;
	if (n > 0)
		memcpy(r->srs_stream_list, streams, n * sizeof *streams);
	number = request(a, SCTP_RESET_STREAMS, r, sizeof *r + n * sizeof *streams);
	free(r);
	return number;
}

int
userland_reset_assoc(struct assoc *a)
{
	sctp_assoc_t	id = userland_id(a);

	return request(a, SCTP_RESET_ASSOC, &id, sizeof id);
}
