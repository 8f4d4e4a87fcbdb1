/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The owner's lease.
 *
 * Who moves the addresses calls --take-over where they come to. But two machines that do not see each other both get them, and
 * when they see each other again, one loses them: if that is the owner, nobody is told, as the other had them all the time. So
 * the owner, as long as its machine has the addresses, writes the key "alive" four times in each lease. A member whose
 * machine has them, and that has heard nothing for a whole lease, makes itself the owner. It reads the bucket's watch, so
 * one that is cut off from the servers never does so.
 */
#ifndef NATS_LEASE_H
#define NATS_LEASE_H

#include "nats/bus.h"

/* Called in each turn, with the connection that is up. */
void lease_turn(struct life *);

#endif
