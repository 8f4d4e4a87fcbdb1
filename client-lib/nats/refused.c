/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>

#include "nats/refused.h"

static const char *const	reasons[REFUSED_COUNT] = {
	[REFUSED_SUBJECT] = "badarg: the subject is not sctp.HOST.out.ENDPOINT.ASSOC-SESSION.STREAM",
	[REFUSED_ENDPOINT] = "enoent: no endpoint of this name is open; see the configuration of sctpd-nats",
	[REFUSED_SESSION] = "epipe: the association is of an earlier session, and is over; it is not known whether the message was sent before",
	[REFUSED_HEADER] = "badarg: a header that begins with Sctp- is unknown, or its value is not one that it takes",
	[REFUSED_LONG] = "emsgsize: it is longer than a call of sctpd may be; only its beginning is here",
};

const char *
refused_why(const struct sctpd_event *ev)
{
	if (ev->sock != REFUSED_SOCK || ev->info.timetolive == REFUSED_NOT || ev->info.timetolive >= REFUSED_COUNT)
		return NULL;
	return reasons[ev->info.timetolive];
}
