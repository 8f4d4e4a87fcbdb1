/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The consumers of the partitions, where part_consumers is set.
 *
 * They are made while the bridge runs, one by one, on a thread of their own. Where several servers keep the log, each takes
 * half a second, and some seconds if one of the servers is away: nothing else can wait for all of them, neither sctpd, which
 * holds the sockets for hold_time, nor the lease of a standby. If one cannot be made, the bridge goes on without it and tries
 * again.
 */
#ifndef NATS_PARTS_H
#define NATS_PARTS_H

#include <stdint.h>

#include "nats/bus.h"

/*
 * In each turn while the bridge runs. stream_made is when the log's stream was made, which has no consumers then. By whom is
 * not asked: another member may have made it, or our own request, whose answer did not come.
 */
void parts_turn(struct life *, int64_t stream_made);

#endif
