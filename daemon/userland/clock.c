/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: its clock, and what it wakes.
 *
 * One thread calls usrsctp: ours. It is started without threads of its own
 * (usrsctp_init_nothreads), so it runs in three cases only: when we call one of
 * its functions, when a packet has come (usrsctp_conninput in udp.c), and when
 * the clock ticks (usrsctp_handle_timers in run_timers). Nothing of usrsctp's
 * runs beside us, and none of our data needs a lock.
 *
 * usrsctp has locks nevertheless, of its sockets and associations, and holds
 * some of them while it calls back. Its two callbacks therefore call no function
 * that takes a socket of usrsctp's, which might take such a lock again, or free
 * what usrsctp is at:
 *
 *	on_upcall	something happened at a socket. It notes the wake, and no more.
 *	out_send	a packet goes out. It copies the packet, notes what the packet
 *			says of its association, and sends full batches of packets.
 *
 * What is to be done for a wake is done by wake_all() in a turn of its own, with
 * usrsctp at rest. There all may be called; whoever frees what has a wake calls
 * wake_forget() or wake_detach() first. Wakes that come meanwhile have the next
 * turn.
 *
 * The clock runs while there are sockets of usrsctp's (clock_need and
 * clock_forget count them) and REST_MS longer, as what is closed has timers
 * left. A tick runs usrsctp's timers by the time that has passed, looks at some
 * associations for what usrsctp wakes nobody for (hooks->look), and at times for
 * attempts that it gave up without a word (hooks->find_lost). Where the clock
 * stood still, clock_need() first lets it catch up.
 *
 * The clock ticks by a descriptor: a timeout of libevent's would be one of
 * each wait for events, which is dear where many packets come one by one.
 *
 * usrsctp goes through all timers of all sockets and associations at each tick,
 * half a millisecond where there are some thousands, and meanwhile nobody is
 * served. So the more there are, the fewer are the ticks: they take one part in
 * SHARE of the time, unless that made them rarer than each SLOWEST_MS. A timer
 * is early or late by the time between two ticks at most, as usrsctp counts from
 * the last one.
 */
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdint.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "userland/userland.h"
#include "util/log.h"
#include "util/loop.h"

/* The shortest time between two ticks, as no timer of usrsctp's is finer; and the longest. */
#define TICK_MS		10
#define SLOWEST_MS	160
#define SHARE		256
/* About how many ticks the mean duration of a tick is taken over. */
#define MEAN		8
/* How long the clock goes on after the last need: closed sockets have timers left. */
#define REST_MS		5000

/* How often attempts that usrsctp gave up are looked for. */
#define LOOK_MS		100

static const struct clock_hooks *hooks;
static TAILQ_HEAD(, wake) woken = TAILQ_HEAD_INITIALIZER(woken);
static struct event	turn, tick, tick_instead;
static int		tick_fd = -1;
static bool		ticking;
static size_t		nwoken;
static unsigned		needs;
static int64_t		last, looked, idle_since;
static int64_t		period = TICK_MS, mean_us;

static int64_t
now_us(void)
{
	struct timespec	t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
clock_now(void)
{
	return now_us() / 1000;
}

/* ---- the clock ------------------------------------------------------ */

/* If the timer descriptor cannot be set, libevent's clock ticks instead. */
static void
set_ticking(bool on)
{
	const struct timeval	instead = { .tv_usec = period * 1000 };
	const struct timespec	ms = { .tv_nsec = on ? period * 1000000 : 0 };
	const struct itimerspec	t = { .it_interval = ms, .it_value = ms };
	bool			is_set = timerfd_settime(tick_fd, 0, &t, NULL) == 0;

	if (on && !is_set)
		(void)event_add(&tick_instead, &instead);
	else
		(void)event_del(&tick_instead);
	if (is_set)
		ticking = on;
}

/* A tick took so long: are there too many ticks, or could there be more? */
static void
adapt(int64_t took_us)
{
	int64_t	most_us = period * 1000 / SHARE, was = period;

	if (took_us > 2 * most_us)
		took_us = 2 * most_us;	/* another process may have had the processor */
	mean_us += (took_us - mean_us) / MEAN;
	if (mean_us > most_us && period < SLOWEST_MS)
		period *= 2;
	else if (mean_us < most_us / 4 && period > TICK_MS)
		period /= 2;
	if (period != was && ticking)
		set_ticking(true);
}

static void
run_timers(int64_t now)
{
	int64_t	start = now_us();

	usrsctp_handle_timers((uint32_t)(now - last));
	adapt(now_us() - start);
}

void
clock_tick(void)
{
	int64_t	now = clock_now(), passed = now - last;

	if (passed > 0)
		run_timers(now);
	last = now;
	hooks->look(passed < SLOWEST_MS ? passed : SLOWEST_MS);
	if (now - looked > LOOK_MS) {
		looked = now;
		hooks->find_lost();
	}
	if (needs == 0 && now - idle_since > REST_MS)
		set_ticking(false);
}

static void
clock_on_tick(evutil_socket_t fd, short what, void *arg)
{
	uint64_t	n;

	(void)what, (void)arg;
	if (read(fd, &n, sizeof n) == sizeof n)
		clock_tick();
}

static void
clock_on_instead(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	clock_tick();
}

void
clock_start(const struct clock_hooks *h)
{
	hooks = h;
	if ((tick_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) == -1)
		log_fatal("timerfd_create: %s", strerror(errno));
	(void)event_assign(&tick, loop_base(), tick_fd, EV_READ | EV_PERSIST, clock_on_tick, NULL);
	loop_need(&tick);
	(void)event_assign(&tick_instead, loop_base(), -1, EV_PERSIST, clock_on_instead, NULL);
	last = clock_now();
}

void
clock_need(void)
{
	if (needs++ > 0 || ticking)
		return;
	clock_tick();		/* the clock stood still: let it catch up first */
	set_ticking(true);
}

void
clock_forget(void)
{
	if (--needs == 0)
		idle_since = clock_now();
}

void
clock_stop(void)
{
	if (tick_fd != -1) {
		(void)event_del(&tick);
		(void)event_del(&tick_instead);
		(void)close(tick_fd);
		tick_fd = -1;
		ticking = false;
	}
	if (event_initialized(&turn))
		(void)event_del(&turn);
}

/* ---- wakes ---------------------------------------------------------- */

void
wake_forget(struct wake *w)
{
	if (!w->queued)
		return;
	TAILQ_REMOVE(&woken, w, entry);
	nwoken--;
	w->queued = false;
}

/* Wakes that come meanwhile have the next turn. */
void
wake_all(void)
{
	struct wake	*w;

	for (size_t n = nwoken; n > 0 && (w = TAILQ_FIRST(&woken)) != NULL; n--) {
		wake_forget(w);
		w->fn(w->arg);
	}
	if (!TAILQ_EMPTY(&woken))
		event_active(&turn, 0, 0);
}

static void
wake_on_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	wake_all();
}

void
wake_now(struct wake *w)
{
	if (w->queued)
		return;
	if (!event_initialized(&turn))
		(void)event_assign(&turn, loop_base(), -1, 0, wake_on_turn, NULL);
	if (TAILQ_EMPTY(&woken))
		event_active(&turn, 0, 0);
	w->queued = true;
	nwoken++;
	TAILQ_INSERT_TAIL(&woken, w, entry);
}

static void
on_upcall(struct socket *so, void *arg, int what)
{
	(void)so, (void)what;
	wake_now(arg);
}

void
wake_attach(struct wake *w, struct socket *so, void (*fn)(void *), void *arg)
{
	w->fn = fn;
	w->arg = arg;
	(void)usrsctp_set_upcall(so, on_upcall, w);
	wake_now(w);		/* for what is there already */
}

void
wake_detach(struct wake *w, struct socket *so)
{
	if (so != NULL)
		(void)usrsctp_set_upcall(so, NULL, NULL);
	wake_forget(w);
}
