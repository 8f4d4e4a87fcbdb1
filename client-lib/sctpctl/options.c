/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options of the command line.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/ppid.h"
#include "sctpctl/assocs.h"
#include "sctpctl/options.h"
#include "sctpctl/pages.h"
#include "sctpctl/paths.h"

#define LONG		256	/* getopt's value for the name of row 0 */
#define MAX_ROWS	64

/* ---- what each does ------------------------------------------------- */

static unsigned
number(const char *option, const char *s, unsigned long max)
{
	char		*end;
	unsigned long	 v = strtoul(s, &end, 0);

	if (*s < '0' || *s > '9' || *end != '\0' || v > max)
		exit(ctl_fail(CTL_USAGE,
		    "--%s: \"%s\" is not a number from 0 to %lu", option, s, max));
	return (unsigned)v;
}

bool
options_wants_color(const char *when)
{
	const char	*term = getenv("TERM"), *no = getenv("NO_COLOR");

	if (strcmp(when, "auto") != 0)
		return strcmp(when, "always") == 0;
	return isatty(STDOUT_FILENO) && (no == NULL || *no == '\0') &&
	    term != NULL && strcmp(term, "dumb") != 0;
}

static void
take_socket(struct ctl *ctl, const char *value)
{
	ctl->path = value;
}

static void
take_json(struct ctl *ctl, const char *value)
{
	(void)value;
	ctl->json = true;
}

static void
take_timeout(struct ctl *ctl, const char *value)
{
	ctl->timeout = (int)number("timeout", value, INT32_MAX);
}

static void
take_color(struct ctl *ctl, const char *value)
{
	if (strcmp(value, "auto") != 0 && strcmp(value, "always") != 0 &&
	    strcmp(value, "never") != 0)
		exit(ctl_fail(CTL_USAGE, "--color takes auto, always or never, not \"%s\"", value));
	ctl->color = options_wants_color(value);
}

static void
take_fds(struct ctl *ctl, const char *value)
{
	if (strcmp(value, "range") != 0 && strcmp(value, "all") != 0)
		exit(ctl_fail(CTL_USAGE, "--fds takes range or all, not \"%s\"", value));
	ctl->all_fds = strcmp(value, "all") == 0;
}

static void
take_verbose(struct ctl *ctl, const char *value)
{
	(void)value;
	ctl->verbose = true;
}

static void
take_ip(struct ctl *ctl, const char *value)
{
	char	*all;

	if (asprintf(&all, "%s%s%s", ctl->ip != NULL ? ctl->ip : "", ctl->ip != NULL ? "," : "", value) == -1)
		exit(ctl_fail(CTL_FAILED, "there is no memory left"));
	free(ctl->ip);
	ctl->ip = all;
}

static void
take_stream(struct ctl *ctl, const char *value)
{
	ctl->stream = number("stream", value, UINT16_MAX);
}

static void
take_ppid(struct ctl *ctl, const char *value)
{
	uint32_t	n;

	if (!ppid_parse(value, &n))
		exit(ctl_fail(CTL_USAGE, "--ppid: \"%s\" is neither a name, such as m3ua, nor a number from 0 to 4294967295; "
		    "sctpctl help ppid lists the names", value));
	ctl->ppid = n;
}

static void
take_batch(struct ctl *ctl, const char *value)
{
	(void)value;
	ctl->batch = true;
}

static void
take_frames(struct ctl *ctl, const char *value)
{
	ctl->frames = number("frames", value, UINT32_MAX);
}

static void
take_delay(struct ctl *ctl, const char *value)
{
	char	*end;
	double	 seconds = strtod(value, &end);

	if (*value < '0' || *value > '9' || *end != '\0' || !(seconds >= 0.1 && seconds <= 86400))
		exit(ctl_fail(CTL_USAGE, "--delay: \"%s\" is not a number of seconds from 0.1 to 86400", value));
	ctl->delay = (unsigned)(seconds * 1000);
}

static void
take_by_ppid(struct ctl *ctl, const char *value)
{
	take_ppid(ctl, value);
	ctl->by_ppid = true;
}

static void
take_ostreams(struct ctl *ctl, const char *value)
{
	ctl->ostreams = number("ostreams", value, UINT16_MAX);
}

/* The daemon judges the name and the value. Of two options of one name the last counts. */
static void
take_option(struct ctl *ctl, const char *value)
{
	size_t	len = strcspn(value, "=") + 1;

	if (strchr(value, '=') == NULL || *value == '=')
		exit(ctl_fail(CTL_USAGE,
		    "--option takes NAME=VALUE, such as sndbuf=1000000, not \"%s\"", value));
	for (int i = 0; i < ctl->noptions; i++) {
		if (strncmp(ctl->option[i], value, len) == 0) {
			ctl->option[i] = value;
			return;
		}
	}
	if (ctl->noptions == CTL_OPTIONS)
		exit(ctl_fail(CTL_USAGE, "--option may be given %d times at most", CTL_OPTIONS));
	ctl->option[ctl->noptions++] = value;
}

static void
take_hex(struct ctl *ctl, const char *value)
{
	(void)value;
	ctl->form = FORM_HEX;
}

static void
take_raw(struct ctl *ctl, const char *value)
{
	(void)value;
	ctl->form = FORM_RAW;
}

static void
take_keep(struct ctl *ctl, const char *value)
{
	(void)value;
	ctl->keep = true;
}

static void
take_one_to_one(struct ctl *ctl, const char *value)
{
	(void)value;
	ctl->one_to_one = true;
}

static void
take_end_at_eof(struct ctl *ctl, const char *value)
{
	(void)value;
	ctl->end_at_eof = true;
}

static void
take_wait(struct ctl *ctl, const char *value)
{
	ctl->linger = (int)number("wait", value, 86400000);
}

static void
take_sort(struct ctl *ctl, const char *value)
{
	ctl->sort = value;
}

static void
take_state(struct ctl *ctl, const char *value)
{
	ctl->by_state = value;
}

static void
take_sock(struct ctl *ctl, const char *value)
{
	ctl->by_sock = number("sock", value, UINT32_MAX);
}

static void
take_output(struct ctl *ctl, const char *value)
{
	ctl->output = value;
}

static void
take_openmetrics(struct ctl *ctl, const char *value)
{
	(void)value;
	ctl->openmetrics = true;
}

static void
take_http(struct ctl *ctl, const char *value)
{
	(void)value;
	ctl->http = true;
}

static void
take_listen(struct ctl *ctl, const char *value)
{
	ctl->listen = value;
}

static void
take_idle(struct ctl *ctl, const char *value)
{
	ctl->idle = number("idle", value, 86400);
}

static void
take_series(struct ctl *ctl, const char *value)
{
	ctl->series = number("series", value, 10000);
}

static void
take_file(struct ctl *ctl, const char *value)
{
	ctl->file = value;
}

static void
take_by_assoc(struct ctl *ctl, const char *value)
{
	ctl->by_assoc = number("assoc", value, UINT32_MAX);
}

static void
take_by_client(struct ctl *ctl, const char *value)
{
	ctl->by_client = number("client", value, UINT32_MAX);
}

static void
take_snap(struct ctl *ctl, const char *value)
{
	ctl->snap = number("snap", value, UINT32_MAX);
}

static void
take_nice(struct ctl *ctl, const char *value)
{
	ctl->nice = number("nice", value, NICE_MOST);
	ctl->nice_given = true;
}

static void
take_file_size(struct ctl *ctl, const char *value)
{
	ctl->file_size = number("file-size", value, 1000000);
}

static void
take_files(struct ctl *ctl, const char *value)
{
	ctl->files = number("files", value, 100000);
}

static void
take_peer(struct ctl *ctl, const char *value)
{
	if (!pages_select_peer(ctl, value))
		exit(ctl_fail(CTL_USAGE, "--peer takes ADDRESS, ADDRESS:PORT or :PORT, not \"%s\"", value));
}

static void
take_count(struct ctl *ctl, const char *value)
{
	ctl->count = number("count", value, UINT32_MAX);
	ctl->has_count = true;
	ctl->count_given = true;
}

static void
take_size(struct ctl *ctl, const char *value)
{
	ctl->size = number("size", value, 16777216);
	if (ctl->size == 0)
		exit(ctl_fail(CTL_USAGE, "--size takes 1 byte or more; SCTP has no empty messages"));
	ctl->count = ctl->count_given ? ctl->count : 1;
	ctl->has_count = true;
}

static void
take_random(struct ctl *ctl, const char *value)
{
	(void)value;
	ctl->random = true;
}

static void
take_rate(struct ctl *ctl, const char *value)
{
	char	*end;

	ctl->rate = strtod(value, &end);
	if (*value < '0' || *value > '9' || *end != '\0' || !(ctl->rate >= 0.001 && ctl->rate <= 1e9))
		exit(ctl_fail(CTL_USAGE, "--rate: \"%s\" is not a number of messages a second from 0.001 to 1000000000", value));
}

static void
take_associations(struct ctl *ctl, const char *value)
{
	ctl->associations = number("associations", value, 65535);
	if (ctl->associations == 0)
		exit(ctl_fail(CTL_USAGE, "--associations takes a number from 1 to 65535"));
}

static void
take_echo(struct ctl *ctl, const char *value)
{
	(void)value;
	ctl->echo = true;
}

static void
take_script(struct ctl *ctl, const char *value)
{
	ctl->script = value;
}

static void
take_progress(struct ctl *ctl, const char *value)
{
	(void)value;
	ctl->progress = true;
}

/* ---- the table ------------------------------------------------------ */

const struct option_row option_table[] = {
	{ "ip", 0, "address[,address]", WITH_TALK,
	  "Local addresses (default: any IPv4 address; \"::\" is any of both families). "
	  "If this option is given several times, all addresses count.",
	  take_ip, NULL },
	{ "stream", 0, "n", WITH_TALK,
	  "Stream to send on (default: 0).",
	  take_stream, NULL },
	{ "ppid", 0, "ppid", WITH_TALK,
	  "Payload protocol identifier to send with: a name, such as m3ua, or a number in host order (default: 0). "
	  "`sctpctl help ppid` lists the names.",
	  take_ppid, NULL },
	{ "ostreams", 0, "n", WITH_TALK,
	  "Number of outbound streams to ask for (default: the system's).",
	  take_ostreams, NULL },
	{ "option", 'o', "name=value", WITH_TALK,
	  "Socket option, as `open` takes it: `sndbuf=1000000`, `sctp_initmsg.max_attempts=2`; `sctpctl help` lists the names. "
	  "This option may be given 48 times. If a name is given twice, the last value counts.",
	  take_option, NULL },
	{ "hex", 0, NULL, WITH_TALK,
	  "Read and print messages as lines of hexadecimal bytes. "
	  "With `-v`, the stream, the PPID and the length of each received message are printed on standard error before it.",
	  take_hex, NULL },
	{ "raw", 0, NULL, WITH_TALK,
	  "Send blocks of input as they are read, and print messages with nothing between them.",
	  take_raw, NULL },
	{ "keep", 'k', NULL, WITH_TALK,
	  "`listen`: keep listening after a peer has gone. "
	  "Input goes to the peer that came last.",
	  take_keep, NULL },
	{ "one-to-one", 0, NULL, WITH_TALK,
	  "Use a one-to-one style socket (SOCK_STREAM).",
	  take_one_to_one, NULL },
	{ "end-at-eof", 'N', NULL, WITH_TALK,
	  "`listen`: shut the association down at the end of input, as `connect` does.",
	  take_end_at_eof, NULL },
	{ "wait", 'w', "ms", WITH_TALK,
	  "At the end of input, wait this long for answers before shutting down.",
	  take_wait, NULL },
	{ "count", 'c', "n", WITH_LOAD,
	  "Send the first message of the input this many times to each peer. "
	  "0 is without end. With `--size` no input is read.",
	  take_count, NULL },
	{ "size", 0, "bytes", WITH_LOAD,
	  "Send messages of this length, made up of letters, instead of input. "
	  "Without `--count` it is one message.",
	  take_size, NULL },
	{ "random", 0, NULL, WITH_LOAD,
	  "Fill each message of `--size` with new random bytes.",
	  take_random, NULL },
	{ "rate", 'r', "n", WITH_LOAD,
	  "Send at most this many messages a second to each peer; 0.5 is one in two seconds. "
	  "What is late by less than a second is sent at once, so that the average is right.",
	  take_rate, NULL },
	{ "associations", 0, "n", WITH_LOAD,
	  "`connect`: set up this many associations with each peer. "
	  "Each has a port of its own.",
	  take_associations, NULL },
	{ "echo", 'e', NULL, WITH_LOAD,
	  "Send each message back, on its stream and with its PPID, instead of printing it. "
	  "Input is not read. While a peer does not take what is sent back, its socket is not read; with `--one-to-one` each peer has its own.",
	  take_echo, NULL },
	{ "script", 0, "file", WITH_LOAD,
	  "Send and expect what the file says; see SCRIPTS in sctpctl(1). "
	  "Each association does so for itself, and ends after it. Input is not read.",
	  take_script, NULL },
	{ "progress", 0, NULL, WITH_LOAD,
	  "Print each second what was sent and received, on standard error. "
	  "Without this option that is done if standard error is a terminal and either standard output is none, "
	  "or what is sent comes from a file or from `--count`, after a second and not with `-v` or `--json`.",
	  take_progress, NULL },
	{ "sort", 0, "column", WITH_SORT,
	  "Sort by this column: text from A to Z, numbers with the largest first. "
	  "With a minus in front of the name the order is the other way round. "
	  "`sctpctl help` with the command's name describes the columns.",
	  take_sort, NULL },
	{ "peer", 0, "address", WITH_LISTS,
	  "Only what has this address of a peer, or with address:port this address and port, or with :port this port.",
	  take_peer, NULL },
	{ "state", 0, "state", WITH_LISTS,
	  "Only what is in this state: of an association " ASSOC_STATES "; of a path " PATH_STATES ".",
	  take_state, "coming_up up going_down over active inactive potentially_failed unconfirmed" },
	{ "ppid", 0, "ppid", WITH_ASSOCS,
	  "Only associations on which this payload protocol identifier was seen, either way.",
	  take_by_ppid, NULL },
	{ "sock", 0, "n", WITH_LISTS,
	  "Only what belongs to the socket of this handle.",
	  take_sock, NULL },
	{ "batch", 'b', NULL, WITH_TOP,
	  "Print tables as text, one after the other, instead of a screen.",
	  take_batch, NULL },
	{ "frames", 'n', "n", WITH_TOP,
	  "End after so many tables or screens (default: 0, which is never).",
	  take_frames, NULL },
	{ "delay", 'd', "seconds", WITH_TOP,
	  "Time between two tables or screens, 0.1 or more (default: 2).",
	  take_delay, NULL },
	{ "frames", 'n', "n", WITH_AGAIN,
	  "Print the list so many times (default: once; with `--delay` without end).",
	  take_frames, NULL },
	{ "delay", 'd', "seconds", WITH_AGAIN,
	  "Print the list again and again, with so many seconds between two, 0.1 or more (default with `--frames`: 2). "
	  "On a terminal each list takes the place of the last, as far as it fits.",
	  take_delay, NULL },
	{ "output", 'o', "file", WITH_METRICS,
	  "Write into this file, which is replaced as a whole. "
	  "node_exporter reads it if it is in the directory of its textfile collector and its name ends with .prom.",
	  take_output, NULL },
	{ "openmetrics", 0, NULL, WITH_METRICS,
	  "Print OpenMetrics 1.0 (default: the text format 0.0.4 of Prometheus, which node_exporter takes).",
	  take_openmetrics, NULL },
	{ "http", 0, NULL, WITH_METRICS,
	  "Serve HTTP on the sockets that systemd passes.",
	  take_http, NULL },
	{ "listen", 0, "address", WITH_METRICS,
	  "Serve HTTP at this ADDRESS:PORT or unix:PATH. "
	  "Anyone who reaches it may read the metrics, so take an address of the loopback device.",
	  take_listen, NULL },
	{ "idle", 0, "seconds", WITH_METRICS,
	  "End when nobody has asked for so long (default: 0, which is never).",
	  take_idle, NULL },
	{ "series", 0, "n", WITH_METRICS,
	  "List so many associations, users, supervised associations and groups one by one (default: 100; at most 10000).",
	  take_series, NULL },
	{ "fds", 0, "range|all", WITH_RUN,
	  "With all, descriptors of SCTP sockets have the lowest free numbers, and every call with a descriptor is trapped, which is slower (default: range, numbers from 600 on).",
	  take_fds, "range all" },
	{ "write", 'w', "file", WITH_TAP,
	  "Write a pcapng file, which Wireshark and tshark read, instead of text; \"-\" is standard output. "
	  "A named pipe is written to as well.",
	  take_file, NULL },
	{ "sock", 0, "n", WITH_TAP,
	  "Only messages of the socket of this handle.",
	  take_sock, NULL },
	{ "assoc", 0, "n", WITH_TAP,
	  "Only messages of the association of this number.",
	  take_by_assoc, NULL },
	{ "client", 0, "n", WITH_TAP,
	  "Only messages of sockets that this client owns; `clients` lists the numbers.",
	  take_by_client, NULL },
	{ "peer", 0, "address", WITH_TAP,
	  "Only messages from or to this address of a peer, or with address:port this address and port, or with :port this port.",
	  take_peer, NULL },
	{ "ppid", 0, "ppid", WITH_TAP,
	  "Only messages with this payload protocol identifier: a name, such as m3ua, or a number.",
	  take_by_ppid, NULL },
	{ "snap", 0, "bytes", WITH_TAP,
	  "Only so many of the first bytes of each message (default: 0, which is all).",
	  take_snap, NULL },
	{ "count", 'c', "n", WITH_TAP,
	  "End after so many messages (default: 0, which is never).",
	  take_count, NULL },
	{ "file-size", 'C', "n", WITH_TAP,
	  "Begin the next file, with a number behind its name, when a file has so many millions of bytes (default: 0, which is never).",
	  take_file_size, NULL },
	{ "files", 'W', "n", WITH_TAP,
	  "Use so many files in turn: the oldest is overwritten (default: 0, which is any number).",
	  take_files, NULL },
	{ "nice", 0, "n", WITH_TAP,
	  "With `-w`, leave the processor to other programs: from 0, like any other, to 19, only what nobody else needs (default: 19).",
	  take_nice, NULL },
	{ "socket", 's', "path", WITH_ANY,
	  "The daemon's socket (default: $SCTPD_SOCKET or, if that is not set, " SCTPD_SOCKET ").",
	  take_socket, NULL },
	{ "json", 'j', NULL, WITH_ANY,
	  "Print JSON: one document, or one object per line from `listen`, `connect` and `watch`. "
	  "Bytes are hexadecimal strings.",
	  take_json, NULL },
	{ "timeout", 0, "ms", WITH_ANY,
	  "How long the daemon may take to answer, beyond a timeout of the method itself (default: 30000). "
	  "`connect` also gives up after this time; without this option it tries as long as SCTP does.",
	  take_timeout, NULL },
	{ "verbose", 'v', NULL, WITH_ANY,
	  "`listen` and `connect`: print events on standard error. "
	  "`watch`: say when watching has begun. "
	  "`assocs`: print everything about each association. "
	  "`paths`: print all columns, however wide the terminal is.",
	  take_verbose, NULL },
	{ "color", 0, "when", WITH_ANY,
	  "Colour the output: auto, always or never.",
	  take_color, "auto always never" },
	{ "help", 'h', NULL, WITH_ANY, "Print a summary and exit.", NULL, NULL },
	{ "version", 'V', NULL, WITH_ANY, "Print the version and exit.", NULL, NULL },
	{ NULL, 0, NULL, WITH_ANY, NULL, NULL, NULL }
};

/* ---- the command line ----------------------------------------------- */

/* Is the row of the option's name, or of its letter? */
static bool
is_of(const struct option_row *r, const struct given_option *g)
{
	return g->name != NULL ? strcmp(r->name, g->name) == 0 : r->letter == g->letter;
}

/* What getopt_long wants to know. */
static void
describe(struct option *to, char *letters)
{
	const struct option_row	*r, *first;

	for (r = option_table; r->name != NULL; r++) {
		for (first = option_table; strcmp(first->name, r->name) != 0; first++)
			;
		*to++ = (struct option){ r->name, r->argument != NULL ? required_argument : no_argument,
		    NULL, LONG + (int)(first - option_table) };
		if (r->letter == 0)
			continue;
		*letters++ = (char)r->letter;
		if (r->argument != NULL)
			*letters++ = ':';
	}
	*to = (struct option){ .name = NULL };
	*letters = '\0';
}

/* Say what is wrong with the word that getopt_long does not take. */
static int
fail_word(int opt, const char *word)
{
	if (opt == ':' && optopt < LONG)
		(void)ctl_fail(CTL_USAGE, "option -%c takes an argument; see: sctpctl --help", optopt);
	else if (opt == ':')
		(void)ctl_fail(CTL_USAGE, "option %s takes an argument; see: sctpctl --help", word);
	else if (optopt > 0 && optopt < LONG)
		(void)ctl_fail(CTL_USAGE, "unrecognized option -%c; see: sctpctl --help", optopt);
	else if (optopt >= LONG)
		(void)ctl_fail(CTL_USAGE, "option %s takes no argument; see: sctpctl --help", word);
	else
		(void)ctl_fail(CTL_USAGE, "unrecognized option %s; see: sctpctl --help", word);
	return -1;
}

int
options_read(struct ctl *ctl, int argc, char **argv)
{
	struct option		 rows[MAX_ROWS];
	char			 letters[2 * MAX_ROWS + 1];
	const struct option_row	*r;
	struct given_option	 g;
	int			 opt;

	_Static_assert(sizeof option_table / sizeof option_table[0] <= MAX_ROWS, "room for all");
	letters[0] = ':';
	describe(rows, letters + 1);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-j") == 0 || strcmp(argv[i], "--json") == 0)
			ctl_errors_are_json();
	}
	opterr = 0;
	while ((opt = getopt_long(argc, argv, letters, rows, NULL)) != -1) {
		g = (struct given_option){ opt >= LONG ? option_table[opt - LONG].name : NULL, opt, optarg };
		for (r = option_table; r->name != NULL && !is_of(r, &g); r++)
			;
		if (r->name == NULL)
			return fail_word(opt, argv[optind - 1]);
		if (r->take == NULL)
			return r->letter;
		if (ctl->ngiven == CTL_GIVEN) {
			(void)ctl_fail(CTL_USAGE, "at most %d options may be given", CTL_GIVEN);
			return -1;
		}
		ctl->given[ctl->ngiven++] = g;
	}
	return 0;
}

/* Say which commands the option is for. */
static int
fail_option(const struct ctl *ctl, const struct given_option *g)
{
	const char	*name = NULL;
	char		 names[256] = "";
	unsigned	 goes = 0, left = 0;
	size_t		 n = 0;

	for (const struct option_row *r = option_table; r->name != NULL; r++) {
		goes |= is_of(r, g) ? (unsigned)r->goes : 0;
		name = is_of(r, g) ? r->name : name;
	}
	for (const struct command *c = ctl->commands; c->doc != NULL; c++)
		left += (c->goes & goes) != 0;
	for (const struct command *c = ctl->commands; c->doc != NULL && n < sizeof names; c++) {
		if ((c->goes & goes) != 0)
			n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", c->name,
			    --left > 1 ? ", " : left == 1 ? " and " : "");
	}
	return ctl_fail(CTL_USAGE, "--%s goes with %s only", name, names);
}

int
options_take(struct ctl *ctl, const struct command *c)
{
	const struct option_row	*r;

	for (const struct given_option *g = ctl->given; g < ctl->given + ctl->ngiven; g++) {
		for (r = option_table; r->name != NULL; r++) {
			if (is_of(r, g) && (r->goes == WITH_ANY || ((unsigned)r->goes & c->goes) != 0))
				break;
		}
		if (r->name == NULL)
			return fail_option(ctl, g);
		r->take(ctl, g->value);
	}
	return CTL_OK;
}

const struct option_row *
options_find(const char *word)
{
	const struct option_row	*r;

	if (word[0] != '-')
		return NULL;
	for (r = option_table; r->name != NULL; r++) {
		if (word[1] == '-' ? strcmp(word + 2, r->name) == 0 :
		    word[1] != '\0' && word[1] == r->letter && word[2] == '\0')
			return r;
	}
	return NULL;
}
