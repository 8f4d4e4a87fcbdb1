/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/sctpd.h"
#include "nats/bridge.h"
#include "nats/bus.h"
#include "nats/clock.h"
#include "nats/config.h"
#include "nats/endpoint.h"
#include "nats/in.h"
#include "nats/lease.h"
#include "nats/log.h"
#include "nats/mem.h"
#include "nats/metrics.h"
#include "nats/out.h"
#include "nats/parts.h"
#include "nats/standby.h"
#include "nats/state.h"
#include "nats/streams.h"

#define TICK_MS		100
#define METRICS_MS	5000
#define CALL_TIMEOUT	5000	/* for calls of sctpd that wait, which are made while nothing else goes on */
#define PAUSE_MIN	20
#define PAUSE_MAX	1000
#define STANDBY_MS	500	/* between two looks of a standby at its sockets */
#define BATCH		64	/* events that are taken at one time */
#define BATCHES		16	/* in one turn of the loop */

enum phase { WAITING, ASKING, SETTLING, LOOKING, DIALING, RUNNING };

static struct {
	struct event_base	*base;
	enum phase		 phase;
	struct life		*life;		/* that the phases behind WAITING are about */
	struct look		*look;		/* what was found */
	int64_t			 stream_made;	/* when the log's stream was */
	bool			 stands_by;	/* that was logged */
	bool			 read;		/* events were taken from c that may not be in the log */
	struct sctpd		*c;
	bool			 away;		/* sctpd is; the library waits for it */
	struct event		*ev;		/* of the descriptor of c */
	int			 fd;
	short			 what;
	int64_t			 next;		/* when the phase goes on */
	int			 pause;
	uint64_t		 logged;	/* metrics.in_logged when it began to run */
	int64_t			 next_metrics;
	char			 why[512];	/* what was logged last */
} bridge;

/* Something that may happen again and again is logged once. */
static void
tell(const char *why)
{
	if (strcmp(bridge.why, why) != 0)
		log_warning("%s; looking where the log ends", why);
	else
		log_debug("%s; looking where the log ends", why);
	(void)snprintf(bridge.why, sizeof bridge.why, "%s", why);
}

/* ---- phases ------------------------------------------------------------- */

static void
wait_again(const char *why)
{
	tell(why);
	if (bridge.phase == RUNNING && metrics.in_logged > bridge.logged)
		bridge.pause = PAUSE_MIN;	/* it had gone on */
	else
		bridge.pause = bridge.pause * 2 > PAUSE_MAX ? PAUSE_MAX : bridge.pause * 2;
	in_stop();
	out_stop();
	if (bridge.life != NULL)
		life_unref(bridge.life);
	bridge.life = NULL;
	bridge.phase = WAITING;
	bridge.next = clock_ms() + bridge.pause;
	metrics.up = 0;
}

static void
look_done(void *arg)
{
	struct look	*l = arg;

	bridge.look = l;
	if (l->why[0] == '\0') {
		if (standby_on() && state.term != standby_term()) {
			state.in_seq = l->last;
			state.term = standby_term();
			state_save();
		}
		out_ends(l->out_last);
		bridge.stream_made = l->made;
		bridge.phase = DIALING;
		bridge.next = 0;
		return;
	}
	wait_again(l->why);
	life_unref(l->life);
	free(l);
	bridge.look = NULL;
}

static void
begin_look(struct life *life)
{
	struct look	*l = xcalloc(1, sizeof *l);

	l->life = life_ref(life);
	/* What is behind "from" is another member's, if we were not the owner. */
	l->epoch = standby_on() && state.term != standby_term() ? 0 : state.epoch;
	l->from = state.in_seq;
	if (bridge.life == NULL)
		bridge.life = life_ref(life);
	bridge.phase = LOOKING;
	metrics.rewinds++;
	bus_job(BUS_CONTROL, streams_look, look_done, l);
}

/* ---- the session ---------------------------------------------------------- */

static void
on_session(struct sctpd *c, enum sctpd_session_change change, void *arg)
{
	(void)c, (void)arg;
	bridge.away = change == SCTPD_GONE || change == SCTPD_REACHED;
	if (change == SCTPD_GONE)
		log_notice("sctpd is away; waiting for it");
	if (change == SCTPD_BACK)
		log_notice("sctpd is back; nothing was lost");
}

static void
unwatch(void)
{
	if (bridge.ev != NULL)
		event_free(bridge.ev);
	bridge.ev = NULL;
	bridge.fd = -1;
}

static void
hang_up(void)
{
	unwatch();
	bridge.read = false;
	bridge.c = sctpd_free(bridge.c);
	bridge.away = false;
}

/* What the log says about where the session goes on. */
struct from {
	uint64_t	event;		/* all up to this one are in the log */
	uint64_t	skip;		/* pieces behind it that are, too */
	bool		head;		/* the partitions are not all told yet that the session began */
};

static struct from
where_from(const struct look *l)
{
	struct from	f = { .event = state.in_event, .skip = l->unreadable };

	if (l->found) {
		f.event = l->id.event;
		if (l->id.piece < l->id.pieces) {
			f.event--;
			f.skip += l->id.piece;
		}
	}
	f.head = f.event == 0;
	return f;
}

/* sctpd forgets what is in the log. So nobody may look there again for what may be removed from it meanwhile. */
static void
note_from(const struct look *l, const struct from *f)
{
	state.in_event = f->event;
	state.in_seq = l->last - f->skip;
	state_mark();
}

static int
dial(uint64_t seq)
{
	int	code;

	hang_up();
	if ((bridge.c = sctpd_new()) == NULL)
		log_fatal("there is no memory left");
	sctpd_set_timeout(bridge.c, CALL_TIMEOUT);
	if ((code = sctpd_resumable(bridge.c, -1, on_session, NULL)) != SCTPD_OK ||
	    (code = sctpd_own_acks(bridge.c)) != SCTPD_OK)
		return code;
	if (state.epoch != 0 && (code = sctpd_resume(bridge.c, state.token, seq > 0 ? seq : 1)) != SCTPD_OK)
		return code;
	return sctpd_dial(bridge.c, config.socket);
}

/* All that was of the session before is over. */
static void
forget_session(void)
{
	state.epoch = 0;
	state.in_event = 0;
	state.out_note = 0;
	memset(state.socks, 0, sizeof state.socks);
	standby_forget();
}

static void
new_session(uint64_t last)
{
	forget_session();
	while (state.epoch == 0) {
		if (getrandom(&state.epoch, sizeof state.epoch, 0) != sizeof state.epoch)
			log_fatal("there are no random numbers: %s", strerror(errno));
	}
	state.in_seq = last;
	(void)snprintf(state.token, sizeof state.token, "%s", sctpd_session(bridge.c, NULL));
	state_save();
	metrics.sessions++;
	log_notice("session %08" PRIx32 " with sctpd begins", state.epoch);
}

/* The session is there. Events that came with answers wait in the library. */
static bool
set_up(const struct look *l, const struct from *f)
{
	uint64_t	client;

	if (sctpd_hello(bridge.c, "sctpd-nats", &client) != SCTPD_OK || !endpoints_look(bridge.c, client))
		return false;
	in_start(l, f->skip);
	if (f->head)
		in_session(1);
	if (endpoints_open(bridge.c, true))
		standby_opened(bridge.c);
	out_start(l->life, bridge.c);
	return true;
}

static void
dial_failed(void)
{
	static char	last[512];
	const char	*why = sctpd_error(bridge.c);

	if (strcmp(last, why) != 0)
		log_err("sctpd cannot be reached at %s: %s; it is tried again", config.socket, why);
	(void)snprintf(last, sizeof last, "%s", why);
	bridge.next = clock_ms() + PAUSE_MAX / 4;
}

static void
run(void)
{
	bridge.phase = RUNNING;
	bridge.logged = metrics.in_logged;
	bridge.why[0] = '\0';
	metrics.up = 1;
	standby_run(bridge.c);
	bridge.read = true;
	log_info("the bridge runs");
}

/*
 * Is the session to be kept as it is? sctpd keeps one without sockets no longer than its connection: that of a standby whose
 * supervised associations are down. Nothing has come in it, so nothing is to come again.
 */
static bool
is_kept(void)
{
	for (size_t i = 0; i < config.n_endpoints; i++) {
		if (state.socks[i] != 0)
			return false;
	}
	return standby_on() && bridge.c != NULL && !bridge.read;
}

/* Resume the session, or begin one: then *had is false. */
static bool
reach(uint64_t event, uint64_t last, bool *had)
{
	int	code = is_kept() ? SCTPD_OK : dial(event);

	*had = state.epoch != 0;
	if (code == SCTPD_NO_SESSION) {
		log_err("session %08" PRIx32 " is over, as sctpd does not know it any more: its sockets were closed, and what they had received and is not in the log is lost (%s)",
		    state.epoch, sctpd_error(bridge.c));
		forget_session();
		*had = false;
		code = dial(0);
	}
	if (code != SCTPD_OK) {
		dial_failed();
		return false;
	}
	if (!*had)
		new_session(last);
	return true;
}

static void
forget_look(void)
{
	if (bridge.look != NULL)
		life_unref(bridge.look->life);
	free(bridge.look);
	bridge.look = NULL;
}

static void
try_dial(void)
{
	struct from	f = where_from(bridge.look);
	bool		had;

	if (state.epoch != 0)
		note_from(bridge.look, &f);
	if (!reach(f.event, bridge.look->last, &had))
		return;
	if (!had)
		f = (struct from){ .head = true };
	if (!had && standby_on())
		wait_again("the associations are to be taken over into the new session");
	else if (set_up(bridge.look, &f))
		run();
	else {
		wait_again(in_broken() != NULL ? in_broken() : sctpd_error(bridge.c));
		if (is_kept())
			hang_up();	/* it may be of no use */
	}
	forget_look();
}

/* ---- standby ---------------------------------------------------------------- */

static void
begin_ask(struct life *life)
{
	bridge.life = life_ref(life);
	bridge.phase = ASKING;
}

/* The bucket is read on a thread of its own. */
static void
try_ask(void)
{
	if (bucket()->why != NULL) {
		wait_again(bucket()->why);
		return;
	}
	if (!bucket()->known)
		return;
	bridge.phase = SETTLING;
	bridge.next = 0;
}

/* Nothing is to be done until the bucket says something else, but to look after the sockets. */
static void
stand_by(void)
{
	const char	*owner = bucket()->owner.member;

	if (!bridge.stands_by)
		log_notice("%s stands by; the owner is %s", config.standby, *owner != '\0' ? owner : "nobody yet");
	bridge.stands_by = true;
	life_unref(bridge.life);
	bridge.life = NULL;
	bridge.phase = WAITING;
	bridge.next = clock_ms() + STANDBY_MS;
}

/* Who the owner is is known. A standby, too, has a session, and its sockets in it. */
static void
try_settle(void)
{
	bool		had;
	uint64_t	client;

	/* What is not in the log is to be counted: it comes again when the session is resumed. */
	if (bridge.read && strcmp(bucket()->owner.member, config.standby) != 0)
		hang_up();
	if (bridge.c == NULL && (!reach(state.in_event, state.in_seq, &had) || sctpd_hello(bridge.c, "sctpd-nats", &client) != SCTPD_OK ||
	    !endpoints_look(bridge.c, client))) {
		hang_up();
		if (bridge.next <= clock_ms())
			dial_failed();
		return;
	}
	if (endpoints_open(bridge.c, false))
		standby_opened(bridge.c);
	if (!standby_settle(bridge.c)) {
		wait_again(sctpd_error(bridge.c));
		hang_up();
	} else if (standby_owns()) {
		bridge.stands_by = false;
		(void)standby_turn(bridge.life);	/* who waits for the take over is told before it is looked where the log ends */
		begin_look(bridge.life);
	} else
		stand_by();
}

/* ---- running ---------------------------------------------------------------- */

static void
take_event(const struct sctpd_event *ev)
{
	standby_before(ev);
	in_event(ev);
	if (in_broken() == NULL)
		standby_after(bridge.c, ev);
	if (strcmp(ev->name, "sctp_closed") == 0 && in_broken() == NULL)
		endpoint_closed(ev->sock);
}

/* Take events as long as there is room for them. False: the session is over. */
static bool
take_events(void)
{
	const struct sctpd_event	*ev[BATCH];
	size_t				 n = 0;
	unsigned			 room;
	int				 code = SCTPD_OK;

	for (int i = 0; i < BATCHES && (room = in_room()) > 0; i++) {
		code = sctpd_events(bridge.c, ev, room < BATCH ? room : BATCH, 0, &n);
		for (size_t k = 0; k < n; k++)
			take_event(ev[k]);
		if (code != SCTPD_OK)
			break;
	}
	return code == SCTPD_OK || code == SCTPD_TIMEOUT;
}

static void
run_turn(void)
{
	int	code = SCTPD_OK;
	bool	ok;

	if (in_turn()) {
		state_mark();
		(void)sctpd_ack(bridge.c, state.in_event);
	}
	if (in_broken() != NULL) {
		wait_again(in_broken());
		return;
	}
	out_turn();
	standby_mend(bridge.c);
	parts_turn(bridge.life, bridge.stream_made);
	ok = take_events();
	in_flush();
	if (!ok || (code = sctpd_flush(bridge.c)) != SCTPD_OK) {
		wait_again(sctpd_error(bridge.c));
		return;
	}
	if (out_broken() != NULL)
		wait_again(out_broken());
	else if (endpoints_open(bridge.c, false))
		standby_opened(bridge.c);
}

/* ---- the loop ------------------------------------------------------------------ */

static void	turn(void);

static void
on_fd(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)arg;
	/* Nothing is to be read, but the library must see that the daemon is gone, and look for it. */
	if (bridge.c != NULL && (bridge.away || (what & EV_CLOSED)))
		(void)sctpd_process(bridge.c);
	turn();
}

/* Wait for what the library wants, but read only if there is room for events. */
static void
watch(void)
{
	int	fd = bridge.c != NULL ? sctpd_fd(bridge.c) : -1;
	short	wants = fd != -1 ? sctpd_wants(bridge.c) : 0, what = EV_PERSIST;

	if (wants & POLLIN && (bridge.away || (bridge.phase == RUNNING && in_room() > 0)))
		what |= EV_READ;
	if (wants & POLLOUT)
		what |= EV_WRITE;
	if (!bridge.away)
		what |= EV_CLOSED;
	if (fd == bridge.fd && what == bridge.what)
		return;
	unwatch();
	bridge.fd = fd;
	bridge.what = what;
	if (fd != -1 && ((bridge.ev = event_new(bridge.base, fd, what, on_fd, NULL)) == NULL || event_add(bridge.ev, NULL) == -1))
		log_fatal("the event loop cannot be used: %s", strerror(errno));
}

static void
turn(void)
{
	const char	*why;

	bus_turn();
	if (standby_on())
		bucket_turn(bus_life(), standby_row);
	if (standby_on() && bus_life() != NULL)
		lease_turn(bus_life());
	if (bus_life() == NULL)
		standby_doubt(bridge.c);
	if (bridge.phase != WAITING && bridge.phase != LOOKING && bus_life() != bridge.life) {
		forget_look();
		wait_again("the connection to NATS ended");
	}
	if (bridge.phase == WAITING && bus_life() != NULL && (clock_ms() >= bridge.next || (bridge.stands_by && standby_is_news()))) {
		if (standby_on())
			begin_ask(bus_life());
		else
			begin_look(bus_life());
	}
	if (bridge.phase == ASKING || (bridge.phase == SETTLING && (!bucket()->known || bucket()->why != NULL)))
		try_ask();
	if (bridge.phase == SETTLING && clock_ms() >= bridge.next)
		try_settle();
	if (bridge.phase == DIALING && clock_ms() >= bridge.next)
		try_dial();
	why = standby_turn(bus_life());
	if (bridge.phase == RUNNING && why != NULL)
		wait_again(why);
	if (bridge.phase == RUNNING)
		run_turn();
	watch();
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	turn();
	if (clock_ms() < bridge.next_metrics)
		return;
	metrics_write();
	bridge.next_metrics = clock_ms() + METRICS_MS;
}

void
bridge_start(struct event_base *base)
{
	struct timeval	tv = { .tv_usec = TICK_MS * 1000 };
	struct event	*tick;

	bridge.base = base;
	bridge.fd = -1;
	bridge.pause = PAUSE_MIN;
	state_open();
	in_init();
	bus_init(base, turn, in_answer);
	if ((tick = event_new(base, -1, EV_PERSIST, on_tick, NULL)) == NULL || event_add(tick, &tv) == -1)
		log_fatal("the event loop cannot be used");
	turn();
}

void
bridge_stop(void)
{
	in_stop();
	out_stop();
	if (bridge.life != NULL)
		life_unref(bridge.life);
	bridge.life = NULL;
	hang_up();
	metrics.up = 0;
	metrics_write();
	bucket_stop();
	bus_end();
}
