/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event loop.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "util/log.h"
#include "util/loop.h"

/* How long the loop may fail, by the clock, before nothing will mend it. */
#define FAILURES	1000
#define FAILURE_MS	10

#define HOOKS_MAX	4

static struct event_base *base;
static bool stopping;
static struct loop_alarm *alarms;
static bool (*hook[HOOKS_MAX])(void);
static unsigned nhooks;

/* What libevent has to say of a failure we say ourselves, and better. */
static void
loop_on_log(int severity, const char *text)
{
	int	number = errno;

	if (severity == EVENT_LOG_ERR)
		log_err("libevent: %s", text);
	else
		log_debug("libevent: %s", text);
	errno = number;
}

/* What the log held back is said later, also if nothing else happens. */
static struct event	held;

static void
loop_wait_for_held(unsigned seconds)
{
	struct timeval	wait = { .tv_sec = (time_t)seconds };

	if (seconds > 0 && !event_pending(&held, EV_TIMEOUT, NULL))
		(void)event_add(&held, &wait);
}

static void
loop_on_held(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	loop_wait_for_held(log_say_held());
}

void
loop_init(void)
{
	struct event_config	*cfg = event_config_new();

	event_set_log_callback(loop_on_log);
	if (cfg == NULL)
		log_fatal("out of memory");
	(void)event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
	/* Asking for the time is a system call on some machines; only timers need it. */
	(void)event_config_set_flag(cfg, EVENT_BASE_FLAG_NO_CACHE_TIME);
	base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	if (base == NULL)
		log_fatal("cannot make an event loop");
	(void)event_assign(&held, base, -1, 0, loop_on_held, NULL);
	log_on_held(loop_wait_for_held);
}

struct event_base *
loop_base(void)
{
	return base;
}

void
loop_need(struct event *ev)
{
	if (event_add(ev, NULL) == -1)
		log_fatal("the event loop: %s", strerror(errno));
}

void
loop_watch(struct event *ev, int fd, short what)
{
	static const struct timeval	moment = { .tv_usec = 50000 };
	event_callback_fn		fn = event_get_callback(ev);
	void				*arg = event_get_callback_arg(ev);

	if (event_pending(ev, EV_READ | EV_WRITE | EV_TIMEOUT, NULL))
		return;
	(void)event_assign(ev, base, fd, what, fn, arg);
	if (event_add(ev, NULL) == 0)
		return;
	if (log_allowed(LOG_WARNING, "a descriptor that is polled"))
		log_warning("descriptor %d cannot be watched: %s; it is polled by a timer; see fs.epoll.max_user_watches",
		    fd, strerror(errno));
	(void)event_assign(ev, base, -1, EV_TIMEOUT | (what & EV_PERSIST), fn, arg);
	(void)event_add(ev, &moment);
}

static void
loop_on_alarm(evutil_socket_t fd, short what, void *arg)
{
	struct loop_alarm	*a = arg;

	(void)fd, (void)what;
	a->fn();
}

void
loop_alarm_init(struct loop_alarm *a, void (*fn)(void))
{
	int	fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	*a = (struct loop_alarm){ .fn = fn, .next = alarms };
	alarms = a;
	/* Each end of the time is an edge, and setting it again takes back what there was to read. */
	(void)event_assign(&a->event, base, fd, EV_READ | EV_ET | EV_PERSIST, loop_on_alarm, a);
	if (fd != -1 && event_add(&a->event, NULL) == 0)
		return;
	if (fd != -1)
		(void)close(fd);
	(void)evtimer_assign(&a->event, base, loop_on_alarm, a);	/* a timer like others, then */
}

void
loop_alarm_set(struct loop_alarm *a, int ms)
{
	struct itimerspec	t = { .it_value = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L } };
	struct timeval		tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000L };

	if (event_get_fd(&a->event) != -1)
		(void)timerfd_settime(event_get_fd(&a->event), 0, &t, NULL);
	else if (ms > 0)
		(void)event_add(&a->event, &tv);
	else
		(void)event_del(&a->event);
}

void
loop_free_alarms(void)
{
	for (; alarms != NULL; alarms = alarms->next) {
		(void)event_del(&alarms->event);
		if (event_get_fd(&alarms->event) != -1)
			(void)close(event_get_fd(&alarms->event));
		alarms->fn = NULL;
	}
}

/* The kernel may lack memory for a moment: that ends nobody. */
static void
wait_for_events(int flags)
{
	static unsigned	failures;

	if (event_base_loop(base, flags) != -1) {
		failures = 0;
		return;
	}
	if (log_allowed(LOG_ERR, "the event loop"))
		log_err("the event loop: %s", strerror(errno));
	if (++failures > FAILURES)
		log_fatal("the event loop failed %u times", failures);
	(void)poll(NULL, 0, FAILURE_MS);
}

void
loop_at_end_of_turn(bool (*fn)(void))
{
	for (unsigned i = 0; i < nhooks; i++) {
		if (hook[i] == fn)
			return;
	}
	if (nhooks == HOOKS_MAX)
		log_fatal("the loop has no room for one more hook");
	hook[nhooks++] = fn;
}

void
loop_run(void)
{
	bool	more = false;

	while (!stopping) {
		wait_for_events(EVLOOP_ONCE | (more ? EVLOOP_NONBLOCK : 0));
		more = false;
		for (unsigned i = 0; i < nhooks; i++)
			more |= hook[i]();
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
	log_on_held(NULL);
	(void)event_del(&held);
	loop_free_alarms();
	event_base_free(base);
	base = NULL;
}
