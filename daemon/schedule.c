/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See schedule.h.
 */
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>

#include "config.h"
#include "schedule.h"
#include "socket/assoc.h"
#include "util/log.h"
#include "util/loop.h"

static bool is_ours;	/* the daemon may choose its policy */
static bool batch;

/*
 * The daemon goes back only below half as many associations, so that the policy
 * does not change with each association that comes or goes.
 */
static bool
fit(void)
{
	static const struct sched_param	none;
	size_t				n = assoc_count();
	bool				many = config.batch_associations != 0 && n >= (batch ?
					    (config.batch_associations + 1) / 2 : config.batch_associations);

	if (!is_ours || many == batch)
		return false;
	batch = many;
	if (sched_setscheduler(0, many ? SCHED_BATCH : SCHED_OTHER, &none) == 0) {
		log_debug("schedule: %s, with %zu associations", many ? "SCHED_BATCH" : "SCHED_OTHER", n);
		return false;
	}
	log_info("schedule: SCHED_BATCH: %s; the daemon is scheduled as it was", strerror(errno));
	is_ours = false;
	return false;
}

void
schedule_init(void)
{
	is_ours = (sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) == SCHED_OTHER;
	loop_at_end_of_turn(fit);
}
