/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event loop. One turn serves what is ready; then come the hooks.
 */
#ifndef LOOP_H
#define LOOP_H

#include <event2/event.h>
#include <stdbool.h>

struct event;

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
 * Called once at the end of each turn, in the order in which they were given. True:
 * there is more to do, and the next turn does not wait for events.
 */
void loop_at_end_of_turn(bool (*)(void));

/* Serve until loop_stop. */
void loop_run(void);
void loop_stop(void);
void loop_free(void);

#endif
