/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include "nats/bus.h"
#include "nats/clock.h"
#include "nats/config.h"
#include "nats/log.h"
#include "nats/login.h"
#include "nats/mem.h"
#include "nats/metrics.h"

#define PAUSE		250	/* ms between two attempts to connect */
#define CONNECT_TIMEOUT	2000
#define PING_INTERVAL	2000	/* a path that is dead is noticed after three */
#define WRITE_DEADLINE	2000
#define API_TIMEOUT	10000	/* a stream of a cluster is made when its servers have chosen a leader */

struct job {
	STAILQ_ENTRY(job)	 entry;
	void			(*run)(void *);
	void			(*done)(void *);
	void			*arg;
};
STAILQ_HEAD(jobs, job);

struct worker {
	pthread_t		 thread;
	pthread_cond_t		 more;
	struct jobs		 jobs;
};

static struct {
	pthread_mutex_t		 lock;		/* guards the lists and "over" */
	struct worker		 workers[BUS_THREADS];
	struct jobs		 done;
	bool			 over;

	/* the loop's */
	struct event_base	*base;
	wire_handler		*handler;
	int			 wake;
	struct event		*ev;
	void			(*turn)(void);
	struct life		*life;
	bool			 connecting;
	int64_t			 next_try;
	char			 why[512];	/* the last attempt failed */
} bus = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = -1, .done = STAILQ_HEAD_INITIALIZER(bus.done) };

/* ---- threads --------------------------------------------------------- */

void
bus_wake(void)
{
	uint64_t	one = 1;
	ssize_t		n;

	do
		n = write(bus.wake, &one, sizeof one);
	while (n == -1 && errno == EINTR);
}

static void *
work(void *arg)
{
	struct worker	*w = arg;
	struct job	*j;

	pthread_mutex_lock(&bus.lock);
	for (;;) {
		while ((j = STAILQ_FIRST(&w->jobs)) == NULL && !bus.over)
			pthread_cond_wait(&w->more, &bus.lock);
		if (j == NULL)
			break;
		STAILQ_REMOVE_HEAD(&w->jobs, entry);
		pthread_mutex_unlock(&bus.lock);
		j->run(j->arg);
		pthread_mutex_lock(&bus.lock);
		STAILQ_INSERT_TAIL(&bus.done, j, entry);
		bus_wake();
	}
	pthread_mutex_unlock(&bus.lock);
	nats_ReleaseThreadMemory();
	return NULL;
}

void
bus_job(enum bus_thread t, void (*run)(void *), void (*done)(void *), void *arg)
{
	struct job	*j = xcalloc(1, sizeof *j);

	*j = (struct job){ .run = run, .done = done, .arg = arg };
	pthread_mutex_lock(&bus.lock);
	STAILQ_INSERT_TAIL(&bus.workers[t].jobs, j, entry);
	pthread_cond_signal(&bus.workers[t].more);
	pthread_mutex_unlock(&bus.lock);
}

static struct job *
take_done(void)
{
	struct job	*j;

	pthread_mutex_lock(&bus.lock);
	if ((j = STAILQ_FIRST(&bus.done)) != NULL)
		STAILQ_REMOVE_HEAD(&bus.done, entry);
	pthread_mutex_unlock(&bus.lock);
	return j;
}

/* ---- lives ----------------------------------------------------------- */

struct life *
bus_life(void)
{
	return bus.life;
}

struct life *
life_ref(struct life *l)
{
	l->refs++;
	return l;
}

static void
destroy(void *arg)
{
	struct life	*l = arg;

	jsCtx_Destroy(l->js);
	natsConnection_Destroy(l->nc);
	free(l);
}

/* To close a connection may wait for the network. */
void
life_unref(struct life *l)
{
	if (--l->refs > 0)
		return;
	wire_close(l->wire);
	bus_job(BUS_CONTROL, destroy, NULL, l);
}

const char *
bus_why(natsStatus s, char *why, size_t size)
{
	natsStatus	 last = NATS_OK;
	const char	*detail = nats_GetLastError(&last), *place;

	/* It begins with a place in libnats, and may say the same as the status. */
	if (detail != NULL && *detail == '(' && (place = strstr(detail, "): ")) != NULL)
		detail = place + 3;
	if (last == s && detail != NULL && *detail != '\0' && strcmp(detail, natsStatus_GetText(s)) != 0)
		(void)snprintf(why, size, "%s: %s", natsStatus_GetText(s), detail);
	else
		(void)snprintf(why, size, "%s", natsStatus_GetText(s));
	return why;
}

/* bus_turn sees that it is closed. */
static void
on_closed(natsConnection *nc, void *arg)
{
	(void)nc, (void)arg;
	bus_wake();
}

/* Without a handler libnats prints errors itself. They are noticed where they matter. */
static void
on_error(natsConnection *nc, natsSubscription *sub, natsStatus s, void *arg)
{
	(void)nc, (void)sub, (void)s, (void)arg;
}

/* ---- connect --------------------------------------------------------- */

static natsStatus
set_servers(natsOptions *o)
{
	char		*list = xstrdup(config.servers), *save = NULL;
	const char	*urls[CONFIG_SERVERS];
	int		 n = 0;
	natsStatus	 s;

	for (char *p = strtok_r(list, " ,\t", &save); p != NULL && n < CONFIG_SERVERS; p = strtok_r(NULL, " ,\t", &save))
		urls[n++] = p;
	s = natsOptions_SetServers(o, urls, n);
	free(list);
	return s;
}

static natsStatus
set_manners(natsOptions *o, int64_t connect_ms)
{
	natsStatus	s;

	if ((s = natsOptions_SetName(o, "sctpd-nats")) == NATS_OK &&
	    (s = natsOptions_SetAllowReconnect(o, false)) == NATS_OK &&
	    (s = natsOptions_SetTimeout(o, connect_ms)) == NATS_OK &&
	    (s = natsOptions_SetPingInterval(o, PING_INTERVAL)) == NATS_OK &&
	    (s = natsOptions_SetMaxPingsOut(o, 2)) == NATS_OK &&
	    (s = natsOptions_SetWriteDeadline(o, WRITE_DEADLINE)) == NATS_OK &&
	    (s = natsOptions_SetErrorHandler(o, on_error, NULL)) == NATS_OK)
		s = natsOptions_SetClosedCB(o, on_closed, NULL);
	return s;
}

#define SEE_TLS		"; see tls_ca, tls_cert, tls_key and tls_hostname"

/* What to do about it. A server that does not take our certificate says nothing. */
static const char *
hint(natsStatus s)
{
	switch (s) {
	case NATS_CONNECTION_AUTH_FAILED:
		return "; the servers do not take this login: see credentials, nkey, user and token_file, and what the servers' log says";
	case NATS_SECURE_CONNECTION_WANTED:
		return "; the servers have no TLS: remove tls and what begins with tls_, or give the servers a certificate";
	case NATS_SSL_ERROR:
		return SEE_TLS;
	case NATS_NO_SERVER:
		return "; does one run there, and does servers name it?";
	default:
		return login_tls() ? SEE_TLS ", and the login" : *config.credentials != '\0' ? "; see credentials" : *config.nkey != '\0' ? "; see nkey and nkey_seed" : "";
	}
}

struct attempt {
	struct life	*life;
	bool		 ok;
	char		 why[512];
};

bool
bus_connect(struct life *life, int64_t connect_ms, char *why, size_t size)
{
	natsOptions	*o = NULL;
	natsStatus	 s;
	jsOptions	 wait;
	char		 text[400];

	*why = '\0';
	(void)jsOptions_Init(&wait);
	wait.Wait = API_TIMEOUT;
	if ((s = natsOptions_Create(&o)) == NATS_OK && (s = set_servers(o)) == NATS_OK &&
	    (s = set_manners(o, connect_ms)) == NATS_OK && (s = login_options(o, why, size)) == NATS_OK &&
	    (s = natsConnection_Connect(&life->nc, o)) == NATS_OK &&
	    (s = natsConnection_JetStream(&life->js, life->nc, &wait)) == NATS_OK)
		life->max_payload = natsConnection_GetMaxPayload(life->nc);
	if (s != NATS_OK && *why == '\0')
		(void)snprintf(why, size, "%s%s", bus_why(s, text, sizeof text), hint(s));
	natsOptions_Destroy(o);
	return s == NATS_OK;
}

static void
attempt_run(void *arg)
{
	struct attempt	*a = arg;
	char		 url[512];

	a->ok = bus_connect(a->life, CONNECT_TIMEOUT, a->why, sizeof a->why) &&
	    natsConnection_GetConnectedUrl(a->life->nc, url, sizeof url) == NATS_OK &&
	    (a->life->wire = wire_connect(url, a->why, sizeof a->why)) != NULL;
}

/* Is this version of nats-server known to be good for streams with copies? See "WHICH NATS-SERVER" in sctpd-nats(8). */
static bool
copies_hold(const char *version)
{
	unsigned	major = 0, minor = 0, patch = 0;

	(void)sscanf(version, "%u.%u.%u", &major, &minor, &patch);
	return major > 2 || (major == 2 && (minor > 10 || (minor == 10 && patch >= 27)));
}

/* Once in the life of the program. */
static void
look_at_version(const char *version)
{
	static bool	said;

	if (said || config.replicas == 1 || copies_hold(version))
		return;
	said = true;
	log_warning("nats-server %s: when a server stands still for some seconds, copies of a stream may come to differ, and messages that were "
	    "acknowledged are lost; with replicas = %" PRIu64 " let the servers be of version 2.10.27 or later", version, config.replicas);
}

static void
attempt_done(void *arg)
{
	struct attempt	*a = arg;
	char		 url[256] = "";

	bus.connecting = false;
	if (a->ok) {
		(void)natsConnection_GetConnectedUrl(a->life->nc, url, sizeof url);
		log_notice("connected to NATS at %s", url);
		look_at_version(wire_version(a->life->wire));
		bus.why[0] = '\0';
		bus.life = a->life;
		wire_begin(bus.life->wire, bus.base, bus.handler, bus.turn);
		metrics.connects++;
	} else {
		if (strcmp(bus.why, a->why) != 0)
			log_err("no connection to NATS (%s): %s; it is tried again", config.servers, a->why);
		(void)snprintf(bus.why, sizeof bus.why, "%s", a->why);
		life_unref(a->life);
	}
	bus.next_try = clock_ms() + PAUSE;
	free(a);
}

static void
begin_attempt(void)
{
	struct attempt	*a = xcalloc(1, sizeof *a);

	a->life = xcalloc(1, sizeof *a->life);
	a->life->refs = 1;
	bus.connecting = true;
	bus_job(BUS_CONTROL, attempt_run, attempt_done, a);
}

/* ---- the loop -------------------------------------------------------- */

void
bus_turn(void)
{
	struct job	*j;

	while ((j = take_done()) != NULL) {
		if (j->done != NULL)
			j->done(j->arg);
		free(j);
	}
	if (bus.life != NULL && (natsConnection_IsClosed(bus.life->nc) || wire_ended(bus.life->wire) != NULL)) {
		log_warning("the connection to NATS ended%s%s; nothing is read from the associations until there is another",
		    wire_ended(bus.life->wire) != NULL ? ": " : "", wire_ended(bus.life->wire) != NULL ? wire_ended(bus.life->wire) : "");
		life_unref(bus.life);
		bus.life = NULL;
	}
	if (bus.life == NULL && !bus.connecting && clock_ms() >= bus.next_try)
		begin_attempt();
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	uint64_t	n;

	(void)what, (void)arg;
	if (read((int)fd, &n, sizeof n) == sizeof n)
		bus.turn();
}

void
bus_init(struct event_base *base, void (*turn)(void), wire_handler *handler)
{
	bus.base = base;
	bus.handler = handler;
	bus.turn = turn;
	if (nats_Open(-1) != NATS_OK)
		log_fatal("libnats cannot be used");
	if ((bus.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1 ||
	    (bus.ev = event_new(base, bus.wake, EV_READ | EV_PERSIST, on_wake, NULL)) == NULL || event_add(bus.ev, NULL) == -1)
		log_fatal("the event loop cannot be used: %s", strerror(errno));
	for (int i = 0; i < BUS_THREADS; i++) {
		STAILQ_INIT(&bus.workers[i].jobs);
		if (pthread_cond_init(&bus.workers[i].more, NULL) != 0 ||
		    pthread_create(&bus.workers[i].thread, NULL, work, &bus.workers[i]) != 0)
			log_fatal("no thread can be made");
	}
}

void
bus_end(void)
{
	if (bus.life != NULL)
		life_unref(bus.life);
	bus.life = NULL;
	pthread_mutex_lock(&bus.lock);
	bus.over = true;
	for (int i = 0; i < BUS_THREADS; i++)
		pthread_cond_signal(&bus.workers[i].more);
	pthread_mutex_unlock(&bus.lock);
	for (int i = 0; i < BUS_THREADS; i++)
		(void)pthread_join(bus.workers[i].thread, NULL);
	event_free(bus.ev);
}
