/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages of the queue that the bridge itself refuses.
 *
 * They, too, become one notification of the session: a send on socket 0, which there
 * is not, with the reason's number in the field of the time to live. sctpd
 * gives them back as it does any message that it cannot send, so they come into the
 * log as failed, once, whatever dies meanwhile.
 */
#ifndef NATS_REFUSED_H
#define NATS_REFUSED_H

#include <stdint.h>

#include "lib/sctpd.h"

#define REFUSED_SOCK	0

enum refused {
	REFUSED_NOT,		/* it is not refused */
	REFUSED_SUBJECT,
	REFUSED_ENDPOINT,
	REFUSED_SESSION,
	REFUSED_HEADER,
	REFUSED_LONG,
	REFUSED_COUNT
};

/* Why the bridge refused the message that this sctp_send_failed gives back; NULL: it was not the bridge. */
const char *refused_why(const struct sctpd_event *);

#endif
