/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sctpctl listen and connect: messages from standard input and to standard
 * output, as nc(1) does with bytes.
 *
 * One loop polls standard input and the daemon. Nothing in it blocks: sends
 * are begun and counted, and input rests while too many are under way.
 */
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sctpctl.h"

#define WINDOW		64	/* sends under way */
#define END_PATIENCE	10000	/* ms for an association to shut down */
#define END_SAID	1000	/* ms of it after which that is said */

struct net {
	struct ctl	*ctl;
	struct in	 in;
	uint64_t	 listener;	/* 0: connect */
	uint64_t	 sock;		/* where the association is */
	uint32_t	 assoc_id;
	bool		 up;
	bool		 ending;	/* eof was asked for */
	bool		 over;
	int		 fail;		/* the exit code to be */
	bool		 send_failed;	/* that was said */
	int64_t		 end_at;	/* ms: when to send eof, or to give up */
	int64_t		 say_at;	/* ms: when to say that it takes time; 0 */
};

static volatile sig_atomic_t	interrupted, writing;

/* Where nobody reads standard output nothing else can be done any more. */
static void
on_signal(int sig)
{
	(void)sig;
	if (++interrupted > 1 && writing)
		_exit(CTL_FAILED);
}

static int64_t
now_ms(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- messages out --------------------------------------------------- */

static void
sent(struct sctpd *c, int code, const struct sctpd_value *v, void *arg)
{
	struct net	*n = arg;

	(void)v;
	if (code == SCTPD_OK || sctpd_fd(c) == -1 || n->send_failed)
		return;
	n->send_failed = true;	/* so do those that are under way: once is enough */
	n->fail = ctl_fail(CTL_FAILED, "send: %s", sctpd_error(c));
}

static void
send_one(struct net *n, char *data, size_t len)
{
	struct sctpd_sndrcvinfo	info = {
		.stream = (uint16_t)n->ctl->stream, .ppid = n->ctl->ppid,
		.assoc_id = n->assoc_id,
	};

	if (n->ctl->form == FORM_HEX && !in_unhex(data, &len)) {
		n->fail = ctl_fail(CTL_FAILED,
		    "\"%.40s\" is no line of hexadecimal bytes; not sent", data);
		return;
	}
	if (len == 0)
		return;		/* SCTP has no empty messages */
	if (sctpd_sendmsg_async(n->ctl->c, n->sock, &info, data, len, sent, n) != SCTPD_OK)
		n->fail = ctl_fail(CTL_FAILED, "send: %s", sctpd_error(n->ctl->c));
}

static bool
may_send(const struct net *n)
{
	return n->up && !n->ending && sctpd_pending(n->ctl->c) < WINDOW;
}

static void
send_input(struct net *n)
{
	char	*data;
	size_t	 len;

	while (may_send(n) && (data = in_next(&n->in, &len)) != NULL)
		send_one(n, data, len);
}

/* ---- the end of an association -------------------------------------- */

static void
ended(struct sctpd *c, int code, const struct sctpd_value *v, void *arg)
{
	struct net	*n = arg;

	(void)v;
	if (code == SCTPD_OK || sctpd_fd(c) == -1 || n->over)
		return;
	n->fail = ctl_fail(CTL_FAILED, "eof: %s", sctpd_error(c));
	n->over = true;
}

/* Shut the association down; its shutdown_comp is the end. */
static void
begin_end(struct net *n)
{
	if (n->ending)
		return;
	n->ending = true;
	n->end_at = now_ms() + END_PATIENCE;
	n->say_at = now_ms() + END_SAID;
	if (sctpd_call_async(n->ctl->c, ended, n, "eof sock=%" PRIu64 " assoc_id=%u",
	    n->sock, n->assoc_id) != SCTPD_OK) {
		n->fail = ctl_fail(CTL_FAILED, "eof: %s", sctpd_error(n->ctl->c));
		n->over = true;
	}
}

static bool
ends_at_eof(const struct net *n)
{
	return n->listener == 0 || n->ctl->end_at_eof;
}

/* All input is sent: end, at once or in a while. */
static void
check_end(struct net *n)
{
	if (n->say_at != 0 && now_ms() >= n->say_at) {
		n->say_at = 0;
		fprintf(stderr, "sctpctl: waiting for the peer to take everything, %d s at most; "
		    "an interrupt ends that\n", (END_PATIENCE - END_SAID) / 1000);
	}
	if (n->over || (n->ending && now_ms() < n->end_at))
		return;
	if (n->ending) {
		n->fail = ctl_fail(CTL_TIMEOUT,
		    "the association did not shut down within %d ms", END_PATIENCE);
		n->over = true;
		return;
	}
	if (!n->up || !n->in.eof || n->in.off < n->in.len || !ends_at_eof(n) ||
	    sctpd_pending(n->ctl->c) > 0)
		return;
	if (n->end_at == 0)
		n->end_at = now_ms() + n->ctl->linger;
	if (now_ms() >= n->end_at)
		begin_end(n);
}

/* Is there input that was not sent, though it may not be read yet? */
static bool
has_input(struct net *n)
{
	struct pollfd	pfd = { .fd = n->in.fd, .events = POLLIN };

	if (n->in.off == n->in.len && !n->in.eof && poll(&pfd, 1, 0) == 1)
		in_read(&n->in);
	return n->in.off < n->in.len;
}

static void
association_over(struct net *n, int fail)
{
	if (fail == CTL_OK && !n->ending && has_input(n))
		fail = ctl_fail(CTL_FAILED, "the peer shut down before all input was sent");
	n->up = n->ending = false;
	n->end_at = n->say_at = 0;
	if (n->listener != 0 && n->ctl->keep)
		return;
	n->over = true;
	if (fail != CTL_OK)
		n->fail = fail;
}

/* ---- events --------------------------------------------------------- */

static void
lost(struct net *n, const struct sctpd_event *ev)
{
	uint32_t	cause = (uint32_t)sctpd_get_int(ev->fields, "error");

	association_over(n, ctl_fail(CTL_FAILED, "the association with %s is lost: %s",
	    ev->from, cause != 0 ? sctpd_cause_text(cause) : "no answer from the peer"));
}

static void
came_up(struct net *n, const struct sctpd_event *ev)
{
	n->sock = ev->sock;
	n->assoc_id = ev->assoc_id;
	n->up = true;
	if (!n->ctl->keep && n->listener != 0 &&
	    sctpd_call_async(n->ctl->c, ended, n, "listen sock=%" PRIu64 " backlog=false",
	    n->listener) != SCTPD_OK)
		n->fail = ctl_fail(CTL_FAILED, "listen: %s", sctpd_error(n->ctl->c));
}

static void
on_assoc_change(struct net *n, const struct sctpd_event *ev)
{
	const char	*state = sctpd_get_str(ev->fields, "state");
	bool		 ours = n->up && ev->sock == n->sock && ev->assoc_id == n->assoc_id;

	if (strcmp(state, "comm_up") == 0) {
		if (!n->up || n->ctl->keep)
			came_up(n, ev);
	} else if (strcmp(state, "shutdown_comp") == 0 && ours) {
		association_over(n, CTL_OK);
	} else if (strcmp(state, "comm_lost") == 0 && ours) {
		lost(n, ev);
	}
}

/* A one-to-one association came as a socket of its own. */
static void
on_accept(struct net *n, const struct sctpd_event *ev)
{
	struct sctpd_event	 up = *ev;

	up.sock = (uint64_t)sctpd_get_int(ev->fields, "accepted");
	if (n->up && !n->ctl->keep)
		return;
	came_up(n, &up);
	if (sctpd_call_async(n->ctl->c, ended, n, "setopts sock=%" PRIu64 " options.active=true",
	    up.sock) != SCTPD_OK)
		n->fail = ctl_fail(CTL_FAILED, "setopts: %s", sctpd_error(n->ctl->c));
}

static void
print_data(struct net *n, const struct sctpd_event *ev)
{
	/* Another peer may have come before listening ended. */
	if (!n->ctl->keep && (ev->sock != n->sock || ev->assoc_id != n->assoc_id))
		return;
	if (n->ctl->form == FORM_HEX) {
		out_hex(stdout, ev->data, ev->len);
		putchar('\n');
	} else {
		fwrite(ev->data, 1, ev->len, stdout);
		if (n->ctl->form == FORM_LINES)
			putchar('\n');
	}
}

static void
on_event(struct sctpd *c, const struct sctpd_event *ev, void *arg)
{
	struct net	*n = arg;

	(void)c;
	if (n->ctl->json)
		out_event(n->ctl, stdout, ev);
	else if (n->ctl->verbose && n->ctl->form == FORM_HEX && strcmp(ev->name, "data") == 0)
		fprintf(stderr, "stream %u, PPID %u (0x%08x), %zu bytes\n", ev->info.stream,
		    ev->info.ppid, ev->info.ppid, ev->len);
	else if (n->ctl->verbose)
		out_event(n->ctl, stderr, ev);
	if (strcmp(ev->name, "data") == 0) {
		if (!n->ctl->json)
			print_data(n, ev);
	} else if (strcmp(ev->name, "sctp_assoc_change") == 0) {
		on_assoc_change(n, ev);
	} else if (strcmp(ev->name, "accept") == 0) {
		on_accept(n, ev);
	} else if (strcmp(ev->name, "sctp_closed") == 0 && n->up && ev->sock == n->sock) {
		association_over(n, CTL_OK);
	} else if (strcmp(ev->name, "sctp_send_failed") == 0) {
		n->fail = ctl_fail(CTL_FAILED, "a message of %zu bytes was not delivered", ev->len);
	}
}

/* ---- the loop ------------------------------------------------------- */

/* ms until something is to be done by the clock. */
static int
patience(const struct net *n)
{
	int64_t	at = n->say_at != 0 ? n->say_at : n->end_at, left = at - now_ms();

	if (at == 0)
		return -1;
	return left < 0 ? 0 : (int)left;
}

/* What came, to standard output, which may take its time: interrupts are let in. */
static int
take(struct net *n, const sigset_t *open)
{
	sigset_t	before;
	int		code, fail;

	sigprocmask(SIG_SETMASK, open, &before);
	writing = 1;
	code = sctpd_process(n->ctl->c);
	fail = code != SCTPD_OK ? ctl_fail_call(n->ctl, code) : out_flush();
	writing = 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return fail;
}

/* Poll both ends once. SIGINT is let in only here and above, so none is missed. */
static int
turn(struct net *n, const sigset_t *open)
{
	struct pollfd	pfd[2] = {
		{ .fd = sctpd_fd(n->ctl->c), .events = sctpd_wants(n->ctl->c) },
		{ .fd = may_send(n) && !n->in.eof ? n->in.fd : -1, .events = POLLIN },
	};
	int		ms = patience(n), code;
	struct timespec	ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	if (ppoll(pfd, 2, ms < 0 ? NULL : &ts, open) == -1 && errno != EINTR)
		return ctl_fail(CTL_FAILED, "poll: %s", strerror(errno));
	if ((code = take(n, open)) != CTL_OK)
		return code;
	if (pfd[1].revents != 0)
		in_read(&n->in);
	send_input(n);
	check_end(n);
	return CTL_OK;
}

/* The first SIGINT ends the association well, the second ends the waiting. */
static void
check_interrupt(struct net *n)
{
	if (interrupted == 0)
		return;
	if (n->up && interrupted == 1) {
		begin_end(n);
		return;
	}
	if (n->up && !n->over)
		n->fail = ctl_fail(CTL_FAILED,
		    "interrupted before the association was over; the peer may lack what was sent last");
	n->over = true;
}

/*
 * The association is over, and it is known what became of all that was sent: it
 * may have ended at the peer's side before the daemon was asked to send.
 */
static bool
is_done(const struct net *n)
{
	return n->over && (n->fail != CTL_OK || interrupted > 0 || sctpd_pending(n->ctl->c) == 0);
}

static int
loop(struct net *n)
{
	sigset_t	block, before;
	int		fail = CTL_OK;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &before);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	n->in.fd = STDIN_FILENO;
	n->in.raw = n->ctl->form == FORM_RAW;
	sctpd_on_event(n->ctl->c, on_event, n);
	while (fail == CTL_OK && !is_done(n)) {
		fail = turn(n, &before);
		check_interrupt(n);
	}
	sctpd_on_event(n->ctl->c, NULL, NULL);
	in_free(&n->in);
	return fail != CTL_OK ? fail : n->fail;
}

/* ---- opening a socket ----------------------------------------------- */

static char *
word(const char *key, const char *value)
{
	char	*s;

	if (asprintf(&s, "%s%s", key, value) == -1)
		exit(ctl_fail(CTL_FAILED, "there is no memory left"));
	return s;
}

/* At the addresses of --ip or at all, with all of --option. */
static int
open_socket(const struct ctl *ctl, int family, const char *port, uint64_t *sock)
{
	const struct sctpd_value	*v;
	const char			*any = family == AF_INET6 ? "::" : "any";
	char				*words[CTL_OPTIONS + 8], streams[8];
	int				 n = 0, code;

	if (ctl->ip != NULL && strchr(ctl->ip, ':') != NULL)
		family = AF_INET6;	/* which takes those of both */
	(void)snprintf(streams, sizeof streams, "%u", ctl->ostreams);
	words[n++] = word("open", "");
	words[n++] = word("family=", family == AF_INET6 ? "inet6" : "inet");
	words[n++] = word("ip=", ctl->ip != NULL ? ctl->ip : any);
	words[n++] = word("port=", port);
	words[n++] = word("type=", ctl->one_to_one ? "stream" : "seqpacket");
	if (ctl->ostreams > 0)
		words[n++] = word("options.sctp_initmsg.num_ostreams=", streams);
	for (int i = 0; i < ctl->noptions; i++)
		words[n++] = word("options.", ctl->option[i]);
	code = sctpd_callv(ctl->c, &v, n, (const char *const *)words);
	if (code == SCTPD_OK)
		*sock = (uint64_t)sctpd_get_int(v, "sock");
	while (n > 0)
		free(words[--n]);
	return code;
}

/* ---- listen --------------------------------------------------------- */

static bool
is_port(const char *s)
{
	char	*end;
	long	 port = strtol(s, &end, 10);

	return *s != '\0' && *end == '\0' && port >= 0 && port <= 65535;
}

int
net_listen(struct ctl *ctl, int argc, char **argv)
{
	struct net	n = { .ctl = ctl };
	uint16_t	port = 0;
	int		code, fail;

	if (argc != 2 || !is_port(argv[1]))
		return ctl_fail(CTL_USAGE,
		    "listen takes a port, from 0 to 65535: sctpctl listen PORT");
	if ((fail = ctl_dial_session(ctl)) != CTL_OK)
		return fail;
	if ((code = open_socket(ctl, AF_INET, argv[1], &n.listener)) != SCTPD_OK ||
	    (code = sctpd_set_active(ctl->c, n.listener, SCTPD_ACTIVE)) != SCTPD_OK ||
	    (code = sctpd_sockname(ctl->c, n.listener, NULL, 0, &port)) != SCTPD_OK ||
	    (code = sctpd_listen(ctl->c, n.listener, -1)) != SCTPD_OK)
		return ctl_fail_call(ctl, code);
	if (ctl->verbose || strcmp(argv[1], "0") == 0)
		fprintf(stderr, "listening on port %u\n", port);
	return loop(&n);
}

/* ---- connect -------------------------------------------------------- */

/* Open a socket of that family and connect it. */
static int
try_connect(struct net *n, int family, const char *addr, const char *port)
{
	struct ctl			*ctl = n->ctl;
	const struct sctpd_value	*v;
	char				 ms[16] = "infinity";
	int				 code;

	if ((code = open_socket(ctl, family, "0", &n->sock)) != SCTPD_OK)
		return code;
	if (ctl->timeout >= 0)
		(void)snprintf(ms, sizeof ms, "%d", ctl->timeout);
	code = sctpd_call(ctl->c, &v, "connect sock=%" PRIu64 " addr=%s port=%d timeout=%s", n->sock, addr, atoi(port), ms);
	if (code != SCTPD_OK)
		return code;
	n->assoc_id = (uint32_t)sctpd_get_int(v, "assoc_id");
	n->up = true;
	if (ctl->verbose)
		fprintf(stderr, "connected to %s port %s, association %u, %d streams out, %d in\n",
		    addr, port, n->assoc_id, (int)sctpd_get_int(v, "outbound_streams"),
		    (int)sctpd_get_int(v, "inbound_streams"));
	if (ctl->json)
		out_connected(n->sock, addr, port, v);
	return sctpd_set_active(ctl->c, n->sock, SCTPD_ACTIVE);
}

static int
connected(const struct net *n, int code, const char *addr, const char *port)
{
	if (code == SCTPD_OK)
		return CTL_OK;
	return ctl_fail(ctl_exit(n->ctl, code),
	    "%s port %s: %s", addr, port, sctpd_error(n->ctl->c));
}

/* The addresses of a name, one after the other, until one answers. */
static int
connect_name(struct net *n, const char *host, const char *port)
{
	struct addrinfo	 hints = { .ai_socktype = SOCK_STREAM }, *list;
	char		 addr[NI_MAXHOST] = "";
	int		 code, fail;

	if ((code = getaddrinfo(host, port, &hints, &list)) != 0)
		return ctl_fail(CTL_FAILED, "%s: %s", host, gai_strerror(code));
	fail = CTL_FAILED;
	for (struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next) {
		if (getnameinfo(ai->ai_addr, ai->ai_addrlen, addr, sizeof addr, NULL, 0,
		    NI_NUMERICHOST) != 0)
			continue;
		fail = connected(n, try_connect(n, ai->ai_family, addr, port), addr, port);
		if (fail == CTL_OK || sctpd_fd(n->ctl->c) == -1)
			break;
		if (n->sock != 0)
			(void)sctpd_close(n->ctl->c, n->sock);
		n->sock = 0;
	}
	freeaddrinfo(list);
	return fail;
}

int
net_connect(struct ctl *ctl, int argc, char **argv)
{
	struct net	n = { .ctl = ctl };
	int		family, fail;

	if (argc != 3 || !is_port(argv[2]) || atoi(argv[2]) == 0)
		return ctl_fail(CTL_USAGE,
		    "connect takes a host and a port, from 1 to 65535: sctpctl connect HOST PORT");
	if ((fail = ctl_dial_session(ctl)) != CTL_OK)
		return fail;
	if (strchr(argv[1], ',') != NULL) {
		/* Addresses of one peer, to be tried together. */
		family = strchr(argv[1], ':') != NULL ? AF_INET6 : AF_INET;
		fail = connected(&n, try_connect(&n, family, argv[1], argv[2]), argv[1], argv[2]);
	} else {
		fail = connect_name(&n, argv[1], argv[2]);
	}
	return fail != CTL_OK ? fail : loop(&n);
}
