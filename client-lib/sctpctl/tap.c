/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tap: what the daemon copies goes to a file as it is, or is printed.
 */
#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/addr.h"
#include "sctpctl/call.h"
#include "sctpctl/out.h"
#include "sctpctl/packets.h"
#include "sctpctl/ring.h"
#include "sctpctl/tap.h"

#define MEGABYTE	1000000u	/* as tcpdump counts */
#define HEAD_MAX	1024
/* Of memory shared with the daemon, the most that it gives: so much may come while others have the processor. */
#define RING		"ring=4194304"

struct tap {
	struct ctl		*ctl;
	struct packets_print	 print;
	struct ring		 ring;		/* where messages come from */
	int			 fd;		/* of the file; -1: messages are printed */
	char			 head[HEAD_MAX]; /* the blocks before the first packet: of each file */
	size_t			 nhead;
	bool			 begun;		/* there was a packet */
	uint64_t		 in_file;	/* bytes */
	unsigned		 number;	/* of the file */
	uint64_t		 messages;	/* written, or printed */
	uint64_t		 dropped;	/* by the daemon, as it says */
	uint64_t		 said;		/* of these */
	bool			 closed;	/* nobody reads what is written */
	int			 fail;
};

static volatile sig_atomic_t interrupted;

static void
on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* ---- files ----------------------------------------------------------- */

static void
write_all(struct tap *t, const char *p, size_t n)
{
	ssize_t	done;

	t->in_file += n;
	for (; n > 0 && !t->closed && t->fail == CTL_OK; p += done, n -= (size_t)done) {
		if ((done = write(t->fd, p, n)) >= 0)
			continue;
		done = 0;
		if (errno == EPIPE)
			t->closed = true;
		else if (errno != EINTR)
			t->fail = ctl_fail(CTL_FAILED, "\"%s\": %s", t->ctl->file, strerror(errno));
	}
}

/* With --file-size, files are FILE, FILE1, FILE2 ...; with --files, so many are used in turn. */
static void
open_file(struct tap *t)
{
	unsigned	 n = t->ctl->files > 0 ? t->number % t->ctl->files : t->number;
	char		*path;

	if (strcmp(t->ctl->file, "-") == 0) {
		t->fd = STDOUT_FILENO;
		return;
	}
	if (asprintf(&path, n > 0 || t->ctl->files > 0 ? "%s%u" : "%s", t->ctl->file, n) == -1)
		exit(ctl_fail(CTL_FAILED, "there is no memory left"));
	if ((t->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) == -1)
		t->fail = ctl_fail(CTL_FAILED, "\"%s\": %s", path, strerror(errno));
	free(path);
}

static uint64_t
file_most(const struct tap *t)
{
	return (uint64_t)t->ctl->file_size * MEGABYTE;
}

/* The file is long enough: go on in the next one. */
static void
turn_over(struct tap *t)
{
	if (t->ctl->file_size == 0 || t->in_file < file_most(t))
		return;
	(void)close(t->fd);
	t->number++;
	t->in_file = 0;
	open_file(t);
	write_all(t, t->head, t->nhead);
}

/* ---- blocks ---------------------------------------------------------- */

static bool
is_enough(const struct tap *t)
{
	return t->ctl->count != 0 && t->messages >= t->ctl->count;
}

/* The head of the first file is the head of all. */
static void
keep_head(struct tap *t, const struct packet *k)
{
	if (t->begun || t->nhead + k->size > sizeof t->head)
		return;
	memcpy(t->head + t->nhead, k->block, k->size);
	t->nhead += k->size;
}

/* Can all of it go to the file that is open? Then nobody has to look for where a message begins. */
static bool
fits_whole(const struct tap *t, size_t n)
{
	return t->begun && t->ctl->count == 0 && t->in_file + n <= file_most(t);
}

/* Blocks go to the file as they came, but for those after the last that is wanted. */
static void
put_blocks(struct tap *t, const char *p, size_t n)
{
	const char	*from = p, *at = p;
	struct packet	 k;

	while (packets_next(&p, &n, &k)) {
		if (k.is_message && k.begins) {
			if (is_enough(t))
				break;
			if (t->ctl->file_size != 0 && t->in_file + (size_t)(at - from) >= file_most(t)) {
				write_all(t, from, (size_t)(at - from));
				from = at;
				turn_over(t);
			}
			t->messages++;
			t->begun = true;
		} else if (!k.is_message)
			keep_head(t, &k);
		at = p;
	}
	write_all(t, from, (size_t)(at - from));
}

/* Must each message be looked at, or is it enough to write what comes? */
static bool
must_look(const struct tap *t)
{
	return t->ctl->count != 0 || t->ctl->file_size != 0;
}

static void
say_dropped(struct tap *t)
{
	if (t->dropped == t->said || t->fd != -1)
		return;
	if (t->ctl->json)
		printf("{\"dropped\": %" PRIu64 "}\n", t->dropped - t->said);
	else
		printf("%" PRIu64 " messages are missing here: sctpctl was too slow for them\n", t->dropped - t->said);
	t->said = t->dropped;
}

static void
print_blocks(struct tap *t, const char *p, size_t n)
{
	struct packet	k;

	while (!is_enough(t) && packets_next(&p, &n, &k)) {
		if (k.is_message)
			t->messages += packets_print(&t->print, &k);
	}
	say_dropped(t);
	t->fail = t->fail == CTL_OK ? out_flush() : t->fail;
}

/* What the daemon has written until now. */
static void
drain(struct tap *t)
{
	const char	*p;
	size_t		 n;

	while (!is_enough(t) && !t->closed && t->fail == CTL_OK && (n = ring_read(&t->ring, &p)) > 0) {
		t->dropped = ring_dropped(&t->ring);
		if (t->fd == -1)
			print_blocks(t, p, n);
		else if (must_look(t) && !fits_whole(t, n))
			put_blocks(t, p, n);
		else
			write_all(t, p, n);
		ring_done(&t->ring, n);
	}
}

static void
on_event(struct sctpd *c, const struct sctpd_event *ev, void *arg)
{
	struct tap	*t = arg;

	(void)c;
	if (strcmp(ev->name, "error") == 0 && strcmp(sctpd_get_str(ev->fields, "method"), "tap") == 0)
		t->fail = ctl_fail(CTL_FAILED, "%s", sctpd_get_str(ev->fields, "error"));
	if (strcmp(ev->name, "tap") == 0)
		drain(t);
}

/* ---- the command ----------------------------------------------------- */

/* Ask for the tap, with what is to be seen. */
static int
begin(struct tap *t)
{
	struct ctl			*ctl = t->ctl;
	const struct sctpd_value	*v;
	const char			*argv[9];
	char				 word[6][32], addr[ADDR_TEXT], peer[ADDR_TEXT + 8];
	int				 n = 0, w = 0, fail;

	argv[n++] = "tap";
	argv[n++] = RING;
#define WORD(if_given, key, value)						\
	if (if_given) {								\
		(void)snprintf(word[w], sizeof word[w], key "=%" PRIu64, (uint64_t)(value)); \
		argv[n++] = word[w++];						\
	}
	WORD(ctl->by_sock != 0, "sock", ctl->by_sock)
	WORD(ctl->by_assoc != 0, "assoc_id", ctl->by_assoc)
	WORD(ctl->by_client != 0, "client", ctl->by_client)
	WORD(ctl->by_peer && ctl->peer_port != 0, "port", ctl->peer_port)
	WORD(ctl->by_ppid, "ppid", ctl->ppid)
	WORD(ctl->snap != 0, "snap", ctl->snap)
#undef WORD
	if (ctl->by_peer && ctl->peer.ss_family != AF_UNSPEC) {
		(void)snprintf(peer, sizeof peer, "addr=%s", addr_text(&ctl->peer, addr));
		argv[n++] = peer;
	}
	if ((fail = call_ask(ctl, n, argv, &v)) != CTL_OK)
		return fail;
	if (!ring_open(&t->ring, sctpd_passed(ctl->c), (size_t)sctpd_get_int(v, "ring")))
		return ctl_fail(CTL_FAILED, "no memory can be shared with sctpd: %s", strerror(errno));
	return CTL_OK;
}

/* What is left is in the ring when the answer comes. */
static int
finish(struct tap *t)
{
	const struct sctpd_value	*v;
	int				 code;

	if ((code = sctpd_call(t->ctl->c, &v, "tap on=false")) != SCTPD_OK)
		return ctl_fail_call(t->ctl, code);
	drain(t);
	t->dropped = (uint64_t)sctpd_get_int(v, "dropped");
	say_dropped(t);
	return out_flush();
}

/* Wait for the daemon, for a signal, or for the reader to go. */
static int
turn(struct tap *t, const sigset_t *open)
{
	struct pollfd	pfd[2] = {
		{ .fd = sctpd_fd(t->ctl->c), .events = sctpd_wants(t->ctl->c) },
		{ .fd = t->fd != -1 ? t->fd : STDOUT_FILENO, .events = 0 },
	};
	int		code;

	if (ppoll(pfd, 2, NULL, open) == -1)
		return errno == EINTR ? CTL_OK : ctl_fail(CTL_FAILED, "poll: %s", strerror(errno));
	if ((pfd[1].revents & (POLLERR | POLLHUP)) != 0)
		t->closed = true;
	if (pfd[0].revents != 0 && (code = sctpd_process(t->ctl->c)) != SCTPD_OK)
		return ctl_fail_call(t->ctl, code);
	return t->fail;
}

static int
loop(struct tap *t, const sigset_t *open)
{
	int	fail = CTL_OK;

	drain(t);		/* the head of the file is there */
	while (fail == CTL_OK && !interrupted && !t->closed && !is_enough(t))
		fail = turn(t, open);
	if (fail == CTL_OK && !t->closed)
		fail = finish(t);
	else
		drain(t);	/* what a daemon that died has left */
	if (t->fd != -1 && t->ctl->count == 0)
		t->messages = ring_messages(&t->ring) - t->dropped;
	ctl_note("%" PRIu64 " messages; %" PRIu64 " more were dropped", t->messages, t->dropped);
	return fail != CTL_OK ? fail : t->fail;
}

/* Programs that talk come first: what is in the ring can wait for the processor, and a message cannot. */
static void
stand_back(const struct tap *t)
{
	if (t->fd != -1 && setpriority(PRIO_PROCESS, 0, (int)t->ctl->nice) == -1 && errno != EACCES)
		ctl_note("the tap keeps its priority: %s", strerror(errno));
}

/* Begin, and go on until a signal, which is let in only while nothing else happens. */
static int
run(struct tap *t)
{
	sigset_t	block, before;
	void		(*on_int)(int), (*on_term)(int);
	int		fail;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &before);
	on_int = signal(SIGINT, on_signal);
	on_term = signal(SIGTERM, on_signal);
	interrupted = 0;
	sctpd_on_event(t->ctl->c, on_event, t);
	if ((fail = begin(t)) == CTL_OK) {
		stand_back(t);
		if (t->ctl->verbose || t->fd != -1)
			ctl_note("tapping; ^C ends it");
		fail = loop(t, &before);
	}
	sctpd_on_event(t->ctl->c, NULL, NULL);
	signal(SIGINT, on_int);
	signal(SIGTERM, on_term);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return fail;
}

static int
check(const struct ctl *ctl, int argc)
{
	if (argc > 1)
		return ctl_fail(CTL_USAGE, "tap takes options only, such as --sock %s", "1; see: sctpctl help tap");
	if (ctl->file == NULL && ctl->nice_given)
		return ctl_fail(CTL_USAGE, "--nice goes with -w FILE");
	if (ctl->file == NULL && (ctl->file_size != 0 || ctl->files != 0))
		return ctl_fail(CTL_USAGE, "--file-size and --files go with -w FILE");
	if (ctl->files != 0 && ctl->file_size == 0)
		return ctl_fail(CTL_USAGE, "--files goes with --file-size, which says when the next file begins");
	if (ctl->file != NULL && strcmp(ctl->file, "-") == 0 && ctl->file_size != 0)
		return ctl_fail(CTL_USAGE, "--file-size goes with the name of a file, not with \"-\"");
	if (ctl->file != NULL && strcmp(ctl->file, "-") == 0 && isatty(STDOUT_FILENO))
		return ctl_fail(CTL_USAGE, "a terminal cannot show pcapng: sctpctl tap -w - | tshark -r -, or leave -w out");
	return CTL_OK;
}

int
tap_run(struct ctl *ctl, int argc, char **argv)
{
	struct tap	t = { .ctl = ctl, .print = { .ctl = ctl }, .fd = -1 };
	int		fail;

	(void)argv;
	if ((fail = check(ctl, argc)) != CTL_OK || (fail = ctl_dial(ctl)) != CTL_OK)
		return fail;
	if (ctl->file != NULL)
		open_file(&t);
	if (t.fail != CTL_OK)
		return t.fail;
	fail = run(&t);
	if (t.fd > STDOUT_FILENO)
		(void)close(t.fd);
	ring_close(&t.ring);
	free(t.print.data);
	return fail;
}
