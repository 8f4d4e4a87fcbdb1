/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event loop.
 */
#include <stdbool.h>

#include "client.h"
#include "log.h"
#include "loop.h"
#include "schedule.h"
#include "turn.h"

static struct event_base *base;
static bool stopping;

void
loop_init(void)
{
	struct event_config	*cfg = event_config_new();

	if (cfg == NULL)
		log_fatal("out of memory");
	(void)event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
	/* Asking for the time is a system call on some machines; only timers need it. */
	(void)event_config_set_flag(cfg, EVENT_BASE_FLAG_NO_CACHE_TIME);
	base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	if (base == NULL)
		log_fatal("cannot make an event loop");
}

struct event_base *
loop_base(void)
{
	return base;
}

void
loop_run(void)
{
	schedule_init();
	while (!stopping) {
		turn_begin();
		if (event_base_loop(base, turn_any() ? EVLOOP_NONBLOCK : EVLOOP_ONCE) == -1)
			log_fatal("the event loop failed");
		client_end_turn();
		if (turn_any()) {	/* after all others, and what they are told */
			turn_serve();
			client_end_turn();
		}
		schedule_fit();
	}
}

void
loop_stop(void)
{
	stopping = true;
}

void
loop_free(void)
{
	event_base_free(base);
	base = NULL;
}
