/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sctpd costs, side by side with what else there is, in one run on one
 * kernel. Prints a table, and writes the same as JSON and as plots.
 *
 * track.c has the contestants that send and receive, link.c what they do,
 * ratio.c what comes of it. Each end is a process (end.c), as it would be.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"
#include "row.h"

struct flags {
	bool		 veth, native;
	const char	*file, *only, *tracks, *rows;
};

static const char usage[] =
    "usage: bench [-q] [-v] [-c FILE] [-r ROUNDS] [-w WORDS] [-t NAMES] [-o FILE] [-n FILE]\n"
    "       bench --native [-q] [-v] [-c FILE] [-r ROUNDS] [-w WORDS] [-t NAMES] >FILE\n"
    "  -q        quick: see that all of it works; the figures mean little\n"
    "  -v        over a veth with an MTU of 1500 instead of lo\n"
    "  -c FILE   the daemons' configuration; /dev/null\n"
    "  -r ROUNDS turns that each contestant has; 7\n"
    "  -w WORDS  only some of the work: rpc,rtt,oneway,senders,setup,clients,idle,isolation,assocs,instr\n"
    "  -t NAMES  only some of the contestants of rpc, rtt, oneway and senders: erlang,sctpd-erlang for instance\n"
    "  -o FILE   the JSON; bench.json beside this program, with plots beside it\n"
    "  -n FILE   report this too: what --native wrote\n"
    "  --native  what needs no SCTP in the kernel: requests, and the userland stack\n";

struct effort effort = { .rounds = 7, .run_us = 150000, .assocs = 10000, .clients = 1000, .traffic = 20000 };
static const struct effort quick = { .rounds = 1, .run_us = 5000, .assocs = 200, .clients = 50,
    .traffic = 1000, .quick = true };

struct end daemon_near, daemon_far;
char path_near[128], path_far[128];

void
daemons_start(void)
{
	(void)snprintf(path_near, sizeof path_near, "%s/near", place.run);
	(void)snprintf(path_far, sizeof path_far, "%s/far", place.run);
	daemon_near = end_daemon(LEFT, place.config, path_near);
	daemon_far = end_daemon(RIGHT, place.config, path_far);
}

void
daemons_stop(void)
{
	end_stop(&daemon_near);
	end_stop(&daemon_far);
}

void
progress(const char *format, ...)
{
	va_list	ap;

	if (!isatty(STDERR_FILENO) && getenv("TEST_TRACE") == NULL)
		return;
	va_start(ap, format);
	(void)fputs(isatty(STDERR_FILENO) ? "\r\033[K" : "\n", stderr);
	(void)vfprintf(stderr, format, ap);
	va_end(ap);
	(void)fflush(stderr);
}

/* ---- what the kernel lost ------------------------------------------- */

static struct losses lost_before;

static void
losses_of(const struct end *e, struct losses *l)
{
	static const char *const	names[] = { "SctpInDataChunkDiscards", "SctpInPktDiscards", "SctpT3RtxExpireds",
	    "SctpOutSCTPPacks" };
	unsigned long			*const sums[] = { &l->data_discards, &l->packet_discards, &l->t3_expired, &l->packets };
	char				 path[64], name[64];
	unsigned long			 value;
	FILE				*f;

	(void)snprintf(path, sizeof path, "/proc/%d/net/sctp/snmp", e->pid);
	if ((f = fopen(path, "r")) == NULL)
		return;
	while (fscanf(f, "%63s %lu", name, &value) == 2)
		for (size_t i = 0; i < 4; i++)
			if (strcmp(name, names[i]) == 0)
				*sums[i] += value;
	(void)fclose(f);
}

/* Of both sides, which on lo are one. */
void
losses_read(struct losses *l)
{
	*l = (struct losses){ 0 };
	losses_of(&daemon_near, l);
	if (place.veth)
		losses_of(&daemon_far, l);
}

void
losses_report(void)
{
	struct losses	l;

	losses_read(&l);
	note_add("SctpInDataChunkDiscards %lu, SctpInPktDiscards %lu, SctpT3RtxExpireds %lu in the whole run",
	    l.data_discards - lost_before.data_discards, l.packet_discards - lost_before.packet_discards,
	    l.t3_expired - lost_before.t3_expired);
}

/* ---- the whole ------------------------------------------------------ */

static pid_t owner;

/* At the exit of this process, not of one that it started. */
static void
tidy(void)
{
	if (getpid() != owner)
		return;
	daemons_stop();
	(void)unlink(path_near);
	(void)unlink(path_far);
	(void)snprintf(path_far, sizeof path_far, "%s/grpc", place.run);
	(void)unlink(path_far);
	(void)rmdir(place.run);
}

static void
on_alarm(int sig)
{
	static const char	text[] = "\nbench: nothing has happened for three minutes; ended\n";

	(void)sig;
	(void)!write(STDERR_FILENO, text, sizeof text - 1);
	_exit(1);
}

static const char *
kernel(void)
{
	static struct utsname	u;
	const char		*lab = getenv("LAB_KERNEL");

	(void)uname(&u);
	return lab != NULL ? lab : u.release;
}

static const struct part {
	const char	*words;
	void		 (*run)(void);
} parts[] = {
	{ "rpc,rtt,oneway,senders", tracks_run },
	{ "setup", setups_run },
	{ "clients", clients_run },
	{ "idle", idle_run },
	{ "isolation", isolation_run },
	{ "assocs", assocs_run },
	{ "instr", instructions_run },
};

/* Whether any of the comma-separated words is wanted. */
static bool
wanted(const char *words)
{
	char	copy[64];

	(void)snprintf(copy, sizeof copy, "%s", words);
	for (char *w = strtok(copy, ","); w != NULL; w = strtok(NULL, ","))
		if (effort.only == NULL || strstr(effort.only, w) != NULL)
			return true;
	return false;
}

/* Of a part whole: track.c tells of its runs one by one. */
static void
part_run(const struct part *p)
{
	struct losses	before, after;

	losses_read(&before);
	p->run();
	losses_read(&after);
	after.data_discards -= before.data_discards;
	after.packet_discards -= before.packet_discards;
	after.t3_expired -= before.t3_expired;
	if (p->run != tracks_run && after.data_discards + after.packet_discards + after.t3_expired > 0)
		note_add("%s: SctpInDataChunkDiscards %lu, SctpInPktDiscards %lu, SctpT3RtxExpireds %lu",
		    p->words, after.data_discards, after.packet_discards, after.t3_expired);
}

static void
parts_run(void)
{
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (wanted(parts[i].words))
			part_run(&parts[i]);
}

static void
report(const char *file)
{
	char	title[300];

	progress("%s", "");
	(void)snprintf(title, sizeof title, "kernel %s, %ld processors, over %s, %d rounds", kernel(),
	    sysconf(_SC_NPROCESSORS_ONLN), place.veth ? "veth with MTU 1500" : "lo", effort.rounds);
	losses_report();
	ratios_of_all_rounds(ratios_compute);
	report_table(title);
	(void)snprintf(title, sizeof title, "%.*s", (int)strcspn(file, "."), file);
	report_plots(title);
	report_json(file, kernel(), place.veth ? "veth" : "lo", effort.quick);
}

static void
read_flags(int argc, char **argv, struct flags *f)
{
	static const struct option	options[] = { { "native", no_argument, NULL, 'N' }, { 0 } };
	int				c, rounds = 0;

	while ((c = getopt_long(argc, argv, "qvc:r:w:t:o:n:", options, NULL)) != -1) {
		switch (c) {
		case 'q':
			effort = quick;
			break;
		case 'v':
			f->veth = true;
			break;
		case 'c':
			place.config = optarg;
			break;
		case 'r':
			rounds = atoi(optarg);
			break;
		case 'w':
			f->only = optarg;
			break;
		case 't':
			f->tracks = optarg;
			break;
		case 'o':
			f->file = optarg;
			break;
		case 'n':
			f->rows = optarg;
			break;
		case 'N':
			f->native = true;
			break;
		default:
			(void)fputs(usage, stderr);
			exit(2);
		}
	}
	effort.slow = strncmp(kernel(), "qemu", 4) == 0;
	if (effort.slow)
		effort.traffic /= 5;
	effort.only = f->only;
	effort.tracks = f->tracks;
	effort.native = f->native;
	if (rounds > 0 && rounds < MAX_RUNS)
		effort.rounds = rounds;
}

int
main(int argc, char **argv)
{
	struct flags	f = { 0 };
	char		preset[600];

	read_flags(argc, argv, &f);
	(void)signal(SIGALRM, on_alarm);
	(void)signal(SIGPIPE, SIG_IGN);
	place_init(argv[0], f.veth);
	(void)snprintf(preset, sizeof preset, "%s/bench.json", place.build);
	owner = getpid();
	(void)atexit(tidy);
	if (f.native)
		place_userland();
	daemons_start();
	if (f.native)
		return native_run();
	losses_read(&lost_before);
	parts_run();
	if (f.rows != NULL)
		native_add(f.rows);
	report(f.file != NULL ? f.file : preset);
	return 0;
}
