/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Round trips and one way: each contestant has its association, and they take
 * turns at each piece of work, round by round, so that whatever else the
 * machine does falls on all of them.
 */
#include <dirent.h>
#include <err.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "bench.h"
#include "row.h"
#include "unixconn.h"

struct track {
	const char		*name;
	const struct link_kind	*caller, *server;	/* NULL: a program of its own: */
	const char		*mode, *beam;		/* which, if not gen_sctp_bench */
	const char		*caller_path, *server_path;
	bool			 near, far;		/* takes the daemons there */
	bool			 native;		/* needs no SCTP in the kernel */
	bool			 in_udp;
	bool			 tapped;		/* what is sent, while it runs */
	bool			 unrecorded;		/* its daemons are its own, with no flight recorder */
	struct end		 call, serve;
	bool			 absent;
};

static char path_bare[2][140];
static struct end daemon_bare[2];

static struct track tracks[] = {
	{ .name = "unix", .caller = &link_unix, .native = true },
	{ .name = "grpc", .mode = "grpc" },
	{ .name = "rpc", .caller = &link_rpc, .caller_path = path_near, .near = true, .native = true },
	{ .name = "direct", .caller = &link_direct, .server = &link_direct },
	{ .name = "batched", .caller = &link_batched, .server = &link_batched },
	{ .name = "batched-direct", .caller = &link_batched, .server = &link_direct },
	{ .name = "sctpd-direct", .caller = &link_sctpd, .server = &link_direct, .caller_path = path_near, .near = true },
	{ .name = "direct-sctpd", .caller = &link_direct, .server = &link_sctpd, .server_path = path_far, .far = true },
	{ .name = "sctpd-sctpd", .caller = &link_sctpd, .server = &link_sctpd,
	  .caller_path = path_near, .server_path = path_far, .near = true, .far = true },
	{ .name = "tapped", .caller = &link_sctpd, .server = &link_sctpd, .tapped = true,
	  .caller_path = path_near, .server_path = path_far, .near = true, .far = true },
	{ .name = "unrecorded", .caller = &link_sctpd, .server = &link_sctpd, .unrecorded = true,
	  .caller_path = path_bare[LEFT], .server_path = path_bare[RIGHT], .near = true, .far = true },
	{ .name = "relay-relay", .caller = &link_relay, .server = &link_relay },
	{ .name = "lend-direct", .caller = &link_lend, .server = &link_direct, .caller_path = path_near, .near = true },
	{ .name = "erlang", .mode = "passive" },
	{ .name = "erlang-active", .mode = "active" },
	{ .name = "sctpd-erlang", .mode = "passive", .beam = "sctpd_bench", .near = true, .far = true },
	{ .name = "sctpd-erlang-active", .mode = "active", .beam = "sctpd_bench", .near = true, .far = true },
#ifdef USERLAND
	{ .name = "usrsctp", .caller = &link_usrsctp, .server = &link_usrsctp, .in_udp = true, .native = true },
	{ .name = "userland-usrsctp", .caller = &link_sctpd, .server = &link_usrsctp, .caller_path = path_near,
	  .near = true, .in_udp = true, .native = true },
	{ .name = "usrsctp-userland", .caller = &link_usrsctp, .server = &link_sctpd, .server_path = path_far,
	  .far = true, .in_udp = true, .native = true },
	{ .name = "userland-userland", .caller = &link_sctpd, .server = &link_sctpd, .caller_path = path_near,
	  .server_path = path_far, .near = true, .far = true, .in_udp = true, .native = true },
#endif
};

#define NTRACKS	(sizeof tracks / sizeof tracks[0])

static const struct work {
	const char	*name, *unit;
	char		 letter;
	size_t		 bytes;
	uint32_t	 in_flight;
} works[] = {
	{ "rpc", "us", 'r', 0, 1 },
	{ "rpc", "us", 'r', 0, 64 },
	{ "rpc-apart", "us", 'r', 0, 64 },	/* not on one processor */
	{ "rtt", "us", 'r', 100, 1 },
	{ "rtt", "us", 'r', 1000, 1 },
	{ "rtt", "us", 'r', 16000, 1 },
	{ "rtt", "us", 'r', 100, 64 },
	{ "rtt", "us", 'r', 1000, 64 },
	{ "rtt", "us", 'r', 16000, 64 },
	{ "oneway", "us/msg", 'o', 16, 0 },
	{ "oneway", "us/msg", 'o', 100, 0 },
	{ "oneway", "us/msg", 'o', 1000, 0 },
	{ "oneway", "us/msg", 'o', 16000, 0 },
	{ "oneway", "us/msg", 'o', 1 << 20, 0 },
	{ "senders", "us/msg", 'p', 100, 8 },	/* so many Erlang processes at once */
};

#define NWORKS	(sizeof works / sizeof works[0])

static struct contest {
	struct row	*row;
	uint32_t	 count;		/* messages in a run */
	struct losses	 lost;		/* in all of them */
} contests[NWORKS][NTRACKS];

unsigned long losses_bulk;

/* ---- the ends ------------------------------------------------------- */

static void
say_port(uint16_t port)
{
	(void)printf("port %u\n", port);
	(void)fflush(stdout);
}

static void
serve(void *arg)
{
	const struct track	*t = arg;
	struct link		*l = link_new(t->server, t->server_path);

	l->kind->serve(l, place.addr[RIGHT], say_port);
	link_answer(l);
}

static uint16_t calling_port;
static int unix_pair[2];

static void
serve_unix(void *arg)
{
	struct link	*l = link_new(&link_unix, NULL);

	(void)arg;
	(void)close(unix_pair[0]);
	l->fd = unix_pair[1];
	link_answer(l);
}

static void
call(void *arg)
{
	const struct track	*t = arg;
	struct link		*l = link_new(t->caller, t->caller_path);
	struct order		 o;
	char			 line[128];

	if (t->in_udp)
		l->udp_port = t->far ? place.udp[RIGHT] : calling_port;
	if (t->caller == &link_unix)
		l->fd = unix_pair[0];
	else
		l->kind->call(l, place.addr[RIGHT], calling_port);
	(void)puts("up");
	(void)fflush(stdout);
	while (fgets(line, sizeof line, stdin) != NULL &&
	    sscanf(line, "%c %zu %u %u", &o.work, &o.bytes, &o.count, &o.in_flight) == 4) {
		struct run	r = link_run(l, &o);

		(void)printf("%.3f %.3f\n", r.us, r.p99);
		(void)fflush(stdout);
	}
}

/* Where that side's program finds its daemon, for env. */
static char *
sctpd_socket(enum side side)
{
	static char	text[2][200];

	(void)snprintf(text[side], sizeof text[side], "SCTPD_SOCKET=%s", side == LEFT ? path_near : path_far);
	return text[side];
}

/* gen_sctp_bench.erl: as it stands, or over the daemon. */
static struct end
erlang(enum side side, const struct track *t, const char *what, uint16_t port)
{
	static char	 ebin[600];
	char		 text[16];
	char		*argv[] = { (char *)(uintptr_t)"env", sctpd_socket(side),
	    (char *)(uintptr_t)"erl", (char *)(uintptr_t)"-noshell", (char *)(uintptr_t)"-pa",
	    place.build, ebin, (char *)(uintptr_t)"-run",
	    (char *)(uintptr_t)(t->beam != NULL ? t->beam : "gen_sctp_bench"),
	    (char *)(uintptr_t)"main", (char *)(uintptr_t)what, (char *)(uintptr_t)t->mode,
	    (char *)(uintptr_t)place.addr[RIGHT], text, NULL };

	(void)snprintf(ebin, sizeof ebin, "%s/erlang/ebin", place.build);
	(void)snprintf(text, sizeof text, "%u", port);
	return end_exec(side, t->beam != NULL ? argv : argv + 2);
}

static struct end
grpc(const char *what)
{
	static char	program[600], address[160];
	char		*argv[] = { program, (char *)(uintptr_t)what, address, NULL };

	(void)snprintf(program, sizeof program, "%s/bench-grpc", place.build);
	(void)snprintf(address, sizeof address, "unix:%s/grpc", place.run);
	return end_exec(LEFT, argv);
}

/* Erlang, or gRPC. */
static struct end
alien(enum side side, const struct track *t, const char *what, uint16_t port)
{
	return strcmp(t->mode, "grpc") == 0 ? grpc(what) : erlang(side, t, what, port);
}

static void
absent(struct track *t, const char *why)
{
	t->absent = true;
	end_stop(&t->call);
	end_stop(&t->serve);
	note_add("%s is left out: %s", t->name, why);
}

/* A server first; where it listens, the caller is told. */
static void
track_start(struct track *t)
{
	char	line[128] = "";

	progress("starting %s", t->name);
	if (t->caller == &link_unix) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, unix_pair) == -1)
			err(1, "socketpair");
		t->serve = end_start(RIGHT, serve_unix, NULL);
	} else if (t->server != NULL || t->mode != NULL) {
		t->serve = t->mode != NULL ? alien(RIGHT, t, "serve", 0) : end_start(RIGHT, serve, t);
		if (!end_line(&t->serve, line, sizeof line) || sscanf(line, "port %hu", &calling_port) != 1) {
			absent(t, t->mode == NULL ? "its server ended" : "its program is not here (packages erlang-base, libgrpc++-dev)");
			return;
		}
	}
	t->call = t->mode != NULL ? alien(LEFT, t, "call", calling_port) : end_start(LEFT, call, t);
	if (!end_line(&t->call, line, sizeof line))
		absent(t, t->caller == &link_lend ? "this sctpd has no method lend" : "its caller ended");
	if (t->caller == &link_unix) {
		(void)close(unix_pair[0]);
		(void)close(unix_pair[1]);
	}
}

/* ---- a tap ---------------------------------------------------------- */

static char tap_path[2][100];
static double tap_us;		/* processor time of all taps */
static double tapped;		/* messages meanwhile */

/* It writes two files in turn, so that a long run does not fill the disk. */
static struct end
tap_start(void)
{
	static char	program[600], file[100];
	char		*argv[] = { program, (char *)(uintptr_t)"-s", path_near, (char *)(uintptr_t)"tap",
	    (char *)(uintptr_t)"-w", file, (char *)(uintptr_t)"-C", (char *)(uintptr_t)"8",
	    (char *)(uintptr_t)"-W", (char *)(uintptr_t)"2", NULL };
	struct end	e;
	struct stat	st = { .st_size = 0 };

	(void)snprintf(program, sizeof program, "%s/sctpctl", place.build);
	(void)snprintf(file, sizeof file, "%s/tap", place.run);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(tap_path[i], sizeof tap_path[i], "%s/tap%d", place.run, i);
		(void)unlink(tap_path[i]);
	}
	e = end_exec(LEFT, argv);
	for (int i = 0; st.st_size == 0; i++) {		/* the head of the file says that the tap is there */
		if (i == 1000)
			errx(1, "sctpctl tap does not begin");
		(void)usleep(10000);
		(void)stat(tap_path[0], &st);
	}
	return e;
}

/* Gives the processor time of the tap, us. */
static double
tap_stop(struct end *e)
{
	double	us = end_cpu_us(e);

	end_stop(e);
	for (int i = 0; i < 2; i++)
		(void)unlink(tap_path[i]);
	return us;
}

/* ---- the contests --------------------------------------------------- */

/*
 * Erlang asks for 4 MiB of buffers as anyone may, and gets what the system
 * allows; in a lab we are the system. Gives whether it allows them.
 */
static bool
allow_buffers(void)
{
	static const char *const	names[] = { "/proc/sys/net/core/wmem_max", "/proc/sys/net/core/rmem_max" };
	const char			*lab = getenv("LAB_KERNEL");
	long				 allowed = 0, least = 4 << 20;

	for (size_t i = 0; i < 2; i++) {
		FILE	*f = fopen(names[i], lab != NULL && strncmp(lab, "host", 4) != 0 ? "r+" : "r");

		if (f == NULL || fscanf(f, "%ld", &allowed) != 1)
			allowed = 0;
		if (f != NULL && allowed < 4 << 20) {
			rewind(f);
			if (fprintf(f, "%d\n", 4 << 20) > 0 && fflush(f) == 0)
				allowed = 4 << 20;
		}
		if (f != NULL)
			(void)fclose(f);
		least = allowed < least ? allowed : least;
	}
	return least >= 4 << 20;
}

static bool small_buffers;

/*
 * RPC has nothing else to do; a tap and the flight recorder cost most where messages are many; the Unix socket does one trip at a time; the relay
 * is there for what the processors are all busy with, and batches for what goes one way; Erlang's long messages
 * must fit into the buffer, and in active mode it loses its way.
 */
static bool
does(const struct track *t, const struct work *w)
{
	if (t->absent || t->call.pid == 0 || (t->caller == NULL && w->bytes > 100000 &&
	    (small_buffers || strcmp(t->mode, "active") == 0)))
		return false;
	if ((strncmp(w->name, "rpc", 3) == 0) != (t->caller == &link_rpc || strcmp(t->name, "grpc") == 0))
		return false;
	if (w->letter == 'p')
		return t->mode != NULL && strcmp(t->mode, "grpc") != 0;
	if (t->tapped || t->unrecorded)
		return w->letter == 'o' && (w->bytes == 100 || w->bytes == 1000);
	if (t->caller == &link_relay || t->caller == &link_batched)
		return w->letter == 'o' && w->bytes <= 16000;
	return t->caller != &link_unix || (w->letter == 'r' && w->in_flight == 1);
}

static double
order(struct track *t, const struct work *w, uint32_t count, double *p99)
{
	char	line[128];
	double	us = NAN;

	(void)alarm(180);
	end_say(&t->call, "%c %zu %u %u\n", w->letter, w->bytes, count, w->in_flight);
	if (!end_line(&t->call, line, sizeof line) || sscanf(line, "%lf %lf", &us, p99) != 2) {
		note_add("%s ended in the middle of %s of %zu bytes", t->name, w->name, w->bytes);
		t->absent = true;
	}
	(void)alarm(0);
	return us;
}

/* The daemons that a track takes: pid 0 for none. */
static const struct end *
daemon_of(const struct track *t, enum side side)
{
	static const struct end	none = { .pid = 0 };

	if (!(side == LEFT ? t->near : t->far))
		return &none;
	if (t->unrecorded)
		return &daemon_bare[side];
	return side == LEFT ? &daemon_near : &daemon_far;
}

static void
cpu_read(const struct track *t, double cpu[NPROCESSES])
{
	cpu[CALLER] = end_cpu_us(&t->call);
	cpu[NEAR] = end_cpu_us(daemon_of(t, LEFT));
	cpu[FAR] = end_cpu_us(daemon_of(t, RIGHT));
	cpu[SERVER] = end_cpu_us(&t->serve);
}

/* All threads of a process: Erlang has many. */
static void
place_process(pid_t pid, const cpu_set_t *on)
{
	char		 path[64];
	struct dirent	*e;
	DIR		*d;

	(void)snprintf(path, sizeof path, "/proc/%d/task", pid);
	if (pid <= 0 || (d = opendir(path)) == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			(void)sched_setaffinity((pid_t)strtol(e->d_name, NULL, 10), sizeof *on, on);
	(void)closedir(d);
}

/*
 * In trips one at a time one process runs at a time, and so do client and
 * daemon when one has a pile of requests and the other one of answers. All are
 * on one processor then: else it is where the kernel puts them that is measured.
 */
static void
place_processes(const struct track *t, const struct work *w)
{
	const pid_t	pids[] = { t->call.pid, t->serve.pid, daemon_of(t, LEFT)->pid, daemon_of(t, RIGHT)->pid };
	cpu_set_t	all, one;
	size_t		first = 0;

	if (sched_getaffinity(0, sizeof all, &all) == -1 || CPU_COUNT(&all) < 2)
		return;
	while (first < CPU_SETSIZE - 1 && !CPU_ISSET(first, &all))
		first++;
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	for (size_t i = 0; i < sizeof pids / sizeof pids[0]; i++)
		place_process(pids[i], w->in_flight == 1 || strcmp(w->name, "rpc") == 0 ? &one : &all);
}

/* The first run is to warm up, and to see how many messages fill a run. */
static void
contest_begin(struct contest *c, struct track *t, const struct work *w)
{
	uint32_t	first = w->bytes > 100000 ? 4 : w->bytes > 10000 ? 40 : 200;
	double		us, p99;

	c->row = row_new(t->name, w->name, w->unit, w->bytes, w->in_flight);
	c->row->trips = w->letter == 'r';
	place_processes(t, w);
	us = order(t, w, first, &p99) / first;
	if (!t->absent && !effort.quick)
		us = order(t, w, first * 2, &p99) / (first * 2);
	if (t->absent)
		return;
	c->count = (uint32_t)(effort.run_us / us);
	if (c->count < first)
		c->count = first;
	if (c->count > 2000000)
		c->count = 2000000;
}

static void
contest_run(struct contest *c, struct track *t, const struct work *w)
{
	double		before[NPROCESSES], after[NPROCESSES], us, p99;
	struct end	tap = { .pid = 0 };
	struct losses	l0, l1;

	if (t->tapped)
		tap = tap_start();
	place_processes(t, w);
	losses_read(&l0);
	cpu_read(t, before);
	us = order(t, w, c->count, &p99);
	cpu_read(t, after);
	losses_read(&l1);
	if (t->tapped) {
		tap_us += tap_stop(&tap);
		tapped += c->count;
	}
	if (t->absent)
		return;
	row_add(c->row, us / c->count, p99);
	c->row->done += c->count;
	c->row->packets += (double)(l1.packets - l0.packets);
	for (int i = 0; i < NPROCESSES; i++)
		c->row->cpu[i] += after[i] - before[i];
	c->lost.data_discards += l1.data_discards - l0.data_discards;
	c->lost.packet_discards += l1.packet_discards - l0.packet_discards;
	c->lost.t3_expired += l1.t3_expired - l0.t3_expired;
}

/* Ours are a ratio as well: it is to be 0. */
static void
losses_tell(const struct contest *c, const struct work *w)
{
	const struct losses	*l = &c->lost;
	unsigned long		 sum = l->data_discards + l->packet_discards + l->t3_expired;

	if (strstr(c->row->contestant, "sctpd") != NULL && w->letter == 'o')
		losses_bulk += sum;
	if (sum > 0)
		note_add("%s, %s of %zu bytes, %zu in flight: SctpInDataChunkDiscards %lu, SctpInPktDiscards %lu, "
		    "SctpT3RtxExpireds %lu", c->row->contestant, w->name, w->bytes, c->row->in_flight, l->data_discards,
		    l->packet_discards, l->t3_expired);
}

/* Is this contestant among those that -t names? */
static bool
is_named(const struct track *t)
{
	size_t		 len = strlen(t->name), n;
	const char	*p = effort.tracks;

	for (; p != NULL && *p != '\0'; p += n + (p[n] == ',')) {
		n = strcspn(p, ",");
		if (n == len && strncmp(p, t->name, n) == 0)
			return true;
	}
	return effort.tracks == NULL;
}

static bool
wanted(const struct work *w)
{
	if (effort.quick && (w->bytes == 16 || w->bytes > 16000 || w->in_flight == 64) && w->bytes > 0)
		return false;
	if (strcmp(w->name, "rpc-apart") == 0)
		return effort.native;
	return effort.only == NULL || strstr(effort.only, w->name) != NULL ||
	    (effort.native && w->bytes == 100 && w->in_flight == 1);
}

static void
works_run(int round)
{
	for (size_t i = 0; i < NWORKS; i++) {
		if (!wanted(&works[i]))
			continue;
		if (round >= 0)
			progress("round %d of %d: %s of %zu bytes", round + 1, effort.rounds, works[i].name, works[i].bytes);
		else
			progress("warming up: %s of %zu bytes", works[i].name, works[i].bytes);
		for (size_t j = 0; j < NTRACKS; j++) {
			if (!does(&tracks[j], &works[i]))
				continue;
			if (round < 0)
				contest_begin(&contests[i][j], &tracks[j], &works[i]);
			else
				contest_run(&contests[i][j], &tracks[j], &works[i]);
		}
	}
}

/* One piece of work over an association that is there for it alone. */
void
track_once(const struct link_kind *caller, const struct link_kind *server, const char *path, const struct order *o)
{
	struct track		t = { .name = "sctpd", .caller = caller, .server = server,
	    .caller_path = path, .server_path = path };
	const struct work	w = { "work", "us", o->work, o->bytes, o->in_flight };
	double			p99;

	track_start(&t);
	(void)order(&t, &w, o->count, &p99);
	end_stop(&t.call);
	end_stop(&t.serve);
}

/* Their configuration is that of all, and a line more. */
static void
bare_start(void)
{
	char	config[140], line[1024];
	FILE	*from = fopen(place.config, "r"), *to;

	(void)snprintf(config, sizeof config, "%s/bare.conf", place.run);
	if (from == NULL || (to = fopen(config, "w")) == NULL)
		err(1, "%s, %s", place.config, config);
	while (fgets(line, sizeof line, from) != NULL)
		(void)fputs(line, to);
	(void)fputs("record_messages = 0\n", to);
	(void)fclose(from);
	(void)fclose(to);
	for (enum side side = LEFT; side <= RIGHT; side++) {
		(void)snprintf(path_bare[side], sizeof path_bare[side], "%s/bare%d", place.run, (int)side);
		daemon_bare[side] = end_daemon(side, config, path_bare[side]);
		(void)close(unix_connect(path_bare[side]));
	}
	(void)unlink(config);
}

static void
bare_stop(void)
{
	for (enum side side = LEFT; side <= RIGHT; side++) {
		end_stop(&daemon_bare[side]);
		(void)unlink(path_bare[side]);
	}
}

void
tracks_run(void)
{
	for (size_t j = 0; j < NTRACKS; j++)
		tracks[j].absent = !is_named(&tracks[j]) || (effort.native ? !tracks[j].native : tracks[j].in_udp);
	if (!effort.native && (small_buffers = !allow_buffers()))
		note_add("Erlang has smaller buffers than 4 MiB: net.core.rmem_max and wmem_max do not allow them");
	(void)setenv("ERL_CRASH_DUMP", "/dev/null", 1);
	for (size_t j = 0; j < NTRACKS; j++)
		if (tracks[j].unrecorded && !tracks[j].absent)
			bare_start();
	for (size_t j = 0; j < NTRACKS; j++)
		if (!tracks[j].absent && !(effort.quick && tracks[j].mode != NULL && strcmp(tracks[j].mode, "active") == 0))
			track_start(&tracks[j]);
	for (int round = -1; round < effort.rounds; round++)
		works_run(round);
	if (tap_us > 0)
		note_add("sctpctl tap had %.0f ms of the processor in all runs of tapped, %.2f us a message", tap_us / 1000, tap_us / tapped);
	for (size_t i = 0; i < NWORKS; i++)
		for (size_t j = 0; j < NTRACKS; j++)
			if (contests[i][j].row != NULL)
				losses_tell(&contests[i][j], &works[i]);
	for (size_t j = 0; j < NTRACKS; j++) {
		end_stop(&tracks[j].call);
		end_stop(&tracks[j].serve);
	}
	bare_stop();
}
