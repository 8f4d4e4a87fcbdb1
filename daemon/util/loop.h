/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event loop. One turn serves what is ready; then come the hooks.
 */
#ifndef LOOP_H
#define LOOP_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>

void loop_init(void);
struct event_base *loop_base(void);

/* At start: without this event there is no daemon. */
void loop_need(struct event *);

/*
 * Watch a descriptor that must be watched. Where the kernel has no room for
 * one more (no memory, or fs.epoll.max_user_watches is reached), the event
 * happens by the clock instead, a few times a second, which its function must
 * be content with. What can be refused by an error is refused, and calls
 * event_add itself.
 */
void loop_watch(struct event *, int fd, short what);

/*
 * A timer that may be waiting all the time. While a timer of libevent waits, each
 * turn asks the clock twice, which is a system call on some machines; the kernel
 * looks at the clock for this one.
 */
struct loop_alarm {
	struct event		  event;
	void			(*fn)(void);
	struct loop_alarm	 *next;
};

/* It is there, and fn set, until loop_free_alarms, which loop_free calls. */
void loop_alarm_init(struct loop_alarm *, void (*)(void));
void loop_free_alarms(void);

/* Once, after so many milliseconds; 0: not at all. One that is over already may call fn all the same in this turn. */
void loop_alarm_set(struct loop_alarm *, int ms);

/*
 * Called once at the end of each turn, in the order in which they were given. True:
 * there is more to do, and the next turn does not wait for events.
 */
void loop_at_end_of_turn(bool (*)(void));

/* Serve until loop_stop. */
void loop_run(void);
void loop_stop(void);
void loop_free(void);

#endif
