/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nats/bucket.h"
#include "nats/clock.h"
#include "nats/config.h"
#include "nats/endpoint.h"
#include "nats/lease.h"
#include "nats/log.h"
#include "nats/mem.h"

static struct {
	int64_t	next;
	bool	writing;	/* a job does */
} lease;

static void
written(void *arg)
{
	struct bucket_lease	*w = arg;

	lease.writing = false;
	if (w->why[0] != '\0')
		log_debug("the lease: %s", w->why);
	life_unref(w->life);
	free(w);
}

static void
begin(struct life *life, void (*run)(void *), uint64_t term)
{
	struct bucket_lease	*w = xcalloc(1, sizeof *w);

	w->life = life_ref(life);
	w->term = term;
	lease.writing = true;
	bus_job(BUS_CONTROL, run, written, w);
}

void
lease_turn(struct life *life)
{
	const struct bucket	*b = bucket();
	int64_t			 now = clock_ms();

	if (!b->known || b->why != NULL || b->owner.term == 0 || lease.writing || now < lease.next)
		return;
	lease.next = now + (int64_t)config.lease / 4;
	if (!endpoints_have_addresses())
		return;
	if (strcmp(b->owner.member, config.standby) == 0)
		begin(life, bucket_alive, b->owner.term);
	else if (now - b->alive > (int64_t)config.lease) {
		log_warning("this machine has the addresses, and nothing was heard of %s, the owner, for %" PRId64 " ms: %s takes over",
		    b->owner.member, now - b->alive, config.standby);
		begin(life, bucket_claim, b->owner.term);
	}
}
