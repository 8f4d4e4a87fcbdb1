/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See schedule.h.
 */
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>

#include "assoc.h"
#include "config.h"
#include "log.h"
#include "schedule.h"

static bool is_ours;	/* to choose */
static bool batch;

void
schedule_init(void)
{
	is_ours = (sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) == SCHED_OTHER;
}

/* Not to change at each association that comes and goes, half as many to go back. */
static bool
are_many(size_t n)
{
	return config.batch_associations != 0 &&
	    n >= (batch ? (config.batch_associations + 1) / 2 : config.batch_associations);
}

void
schedule_fit(void)
{
	static const struct sched_param	none;
	bool				many = are_many(assoc_count());

	if (!is_ours || many == batch)
		return;
	batch = many;
	if (sched_setscheduler(0, many ? SCHED_BATCH : SCHED_OTHER, &none) == 0) {
		log_debug("schedule: %s, with %zu associations", many ? "SCHED_BATCH" : "SCHED_OTHER", assoc_count());
		return;
	}
	log_info("schedule: SCHED_BATCH: %s; the daemon is scheduled as it was", strerror(errno));
	is_ours = false;
}
