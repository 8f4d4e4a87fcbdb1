/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signs of life for the service manager.
 */
#include <event2/event_struct.h>

#include "util/loop.h"
#include "service/notify.h"
#include "service/watchdog.h"

static struct event timer;

static void
watchdog_on_time(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	(void)notify_send("WATCHDOG=1", -1);
}

void
watchdog_start(void)
{
	uint64_t	usec = notify_watchdog_usec() / 2;
	struct timeval	every = { .tv_sec = (time_t)(usec / 1000000),
			    .tv_usec = (suseconds_t)(usec % 1000000) };

	if (usec == 0)
		return;
	(void)event_assign(&timer, loop_base(), -1, EV_PERSIST, watchdog_on_time, NULL);
	(void)event_add(&timer, &every);
}

void
watchdog_stop(void)
{
	if (event_initialized(&timer))
		(void)event_del(&timer);
}
