/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What clients, sockets and associations that do nothing cost a daemon: its
 * memory, and how often they wake it.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "crowd.h"
#include "row.h"
#include "lib/sctpd.h"
#include "unixconn.h"

#define WATCH_S		3
#define SETTLE_S	5	/* for the last addresses to be confirmed */

/* A line of /proc/PID/status: KiB, or a count. */
static double
status(const struct end *e, const char *key)
{
	char	path[64], line[256];
	double	value = 0;
	FILE	*f;

	(void)snprintf(path, sizeof path, "/proc/%d/status", e->pid);
	if ((f = fopen(path, "r")) == NULL)
		err(1, "%s", path);
	while (fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, key, strlen(key)) == 0)
			value = strtod(line + strlen(key) + 1, NULL);
	(void)fclose(f);
	return value;
}

/* Memory that only this process has, or that only it fills: no code. */
static double
memory(const struct end *e)
{
	return 1024 * (status(e, "RssAnon") + status(e, "RssShmem"));
}

static void
say_done(void)
{
	(void)puts("done");
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}

static char path_idle[128];

static void
be_clients(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < effort.clients; i++) {
		struct sctpd	*c = link_dial(path_idle);

		if (sctpd_hello(c, "idle", NULL) != SCTPD_OK)
			errx(1, "sctpd: %s", sctpd_error(c));
	}
	say_done();
}

static void
be_sockets(void *arg)
{
	struct sctpd	*c = link_dial(path_idle);
	uint64_t	 sock;

	(void)arg;
	for (unsigned i = 0; i < effort.clients; i++)
		if (sctpd_open(c, &sock, "port=0") != SCTPD_OK)
			errx(1, "sctpd: %s", sctpd_error(c));
	say_done();
}

static struct end
wait_done(void (*be)(void *))
{
	struct end	e = end_start(RIGHT, be, NULL);
	char		line[16];

	if (!end_line(&e, line, sizeof line))
		errx(1, "idle: a client ended");
	return e;
}

static void
tell(const char *work, double bytes, unsigned n)
{
	struct row	*r = row_new("sctpd", work, "bytes", 0, 0);

	r->count = n;
	row_add(r, bytes / n, 0);
}

/* Nothing is to happen while nothing happens. */
static void
watch(const struct end *daemon, unsigned n)
{
	double		 before;
	unsigned	 seconds = effort.quick ? 1 : WATCH_S;
	struct row	*r = row_new("sctpd", "wake-ups", "a sec", 0, 0);

	(void)sleep(effort.quick ? 1 : SETTLE_S);
	before = status(daemon, "voluntary_ctxt_switches");
	(void)sleep(seconds);
	r->count = n;
	row_add(r, (status(daemon, "voluntary_ctxt_switches") - before) / seconds, 0);
}

void
idle_run(void)
{
	struct end	daemon, clients, sockets, server;
	struct crowd	crowd;
	double		m[4];

	(void)snprintf(path_idle, sizeof path_idle, "%s/idle", place.run);
	daemon = end_daemon(RIGHT, place.config, path_idle);
	(void)close(unix_connect(path_idle));
	server = end_start(RIGHT, crowd_serve_sctpd, path_idle);
	crowd = crowd_start(crowd_port(&server));
	(void)alarm(180);
	progress("idle: clients");
	m[0] = memory(&daemon);
	clients = wait_done(be_clients);
	m[1] = memory(&daemon);
	progress("idle: sockets");
	sockets = wait_done(be_sockets);
	m[2] = memory(&daemon);
	progress("idle: associations");
	if (!crowd_grow(&crowd, effort.assocs))
		errx(1, "idle: no associations");
	(void)usleep(300000);
	m[3] = memory(&daemon);
	tell("idle client", m[1] - m[0], effort.clients);
	tell("idle socket", m[2] - m[1], effort.clients);
	tell("idle assoc", m[3] - m[2], effort.assocs);
	watch(&daemon, effort.assocs);
	(void)alarm(0);
	end_stop(&clients);
	end_stop(&sockets);
	end_stop(&crowd.e);
	end_stop(&server);
	end_stop(&daemon);
	(void)unlink(path_idle);
}
