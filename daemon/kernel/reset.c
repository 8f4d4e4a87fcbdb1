/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: resetting streams, and associations (RFC 6525).
 *
 * The kernel sends the request, repeats it, and says in a notification what
 * became of it. That goes on if the process dies, and the next one reads the
 * notification.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/kernel.h"
#include "util/fault.h"
#include "util/mem.h"

/* The kernel has one errno for two causes: the peer did not agree, or this side does not allow it. */
static int
why_not(const struct assoc *a, int number)
{
	struct sctp_assoc_value	v = { .assoc_id = (sctp_assoc_t)assoc_id(a) };
	socklen_t		len = sizeof v;

	if (number == EINVAL && !kernel_knows(a))
		return EPIPE;
	if (number != ENOPROTOOPT)
		return number;
	return getsockopt(a->stack.fd, IPPROTO_SCTP, SCTP_RECONFIG_SUPPORTED, &v, &len) == 0 &&
	    v.assoc_value != 0 ? EPERM : EOPNOTSUPP;
}

static int
request(const struct assoc *a, int optname, const void *arg, size_t len)
{
	int	number = 0;

	if (a->stack.fd == -1)
		return ENOTCONN;
	if (setsockopt(a->stack.fd, IPPROTO_SCTP, optname, arg, (socklen_t)len) == -1)
		number = why_not(a, errno);
	fault_point("reset");
	return number;
}

int
kernel_reset_streams(struct assoc *a, unsigned directions, const uint16_t *streams, size_t n)
{
	struct sctp_reset_streams	*r = xcalloc(1, sizeof *r + n * sizeof *streams);
	int				 number;

	kernel_flush(a);
	r->srs_assoc_id = (sctp_assoc_t)assoc_id(a);
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
kernel_reset_assoc(struct assoc *a)
{
	sctp_assoc_t	id = (sctp_assoc_t)assoc_id(a);

	kernel_flush(a);
	return request(a, SCTP_RESET_ASSOC, &id, sizeof id);
}
