/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages in and out of associations.
 *
 * One loop polls standard input and the daemon. Nothing in it blocks: sends
 * are begun and counted. Input rests while too many are under way, and so does
 * a socket whose messages are echoed faster than they can be sent.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/ppid.h"
#include "sctpctl/out.h"
#include "sctpctl/progress.h"
#include "sctpctl/talk.h"

#define WINDOW		64	/* sends under way, of one association */
#define WINDOW_ALL	16384	/* and of all */
#define WINDOW_BYTES	(16 << 20)
#define WINDOW_ECHO	(1 << 20)	/* bytes of an echo; less than the daemon holds for an association */
#define END_WAIT	10	/* s for an association to shut down */
#define END_SAID	1	/* s of shutting down after which the user is told */
#define FOREGROUND_LOOK	300000000	/* ns until a job in the background looks whether it has the terminal */

/* A message that the daemon has not answered yet. */
struct sending {
	struct peer	*peer;
	size_t		 len;
};

static volatile sig_atomic_t	interrupted, writing;

/* If nobody reads standard output, nothing but _exit helps any more. */
static void
on_signal(int sig)
{
	(void)sig;
	if (++interrupted > 1 && writing)
		_exit(CTL_FAILED);
}

/* ---- associations --------------------------------------------------- */

struct peer *
talk_came_up(struct talk *t, uint64_t sock, uint32_t assoc_id)
{
	struct peer	*p = calloc(1, sizeof *p), **at = &t->peers;

	if (p == NULL) {
		t->fail = ctl_fail(CTL_FAILED, "there is no memory left");
		return NULL;
	}
	*p = (struct peer){ .talk = t, .sock = sock, .assoc_id = assoc_id, .up = true };
	while (t->listener == 0 && *at != NULL)
		at = &(*at)->next;
	p->next = *at;
	*at = p;
	return p;
}

static struct peer *
find(const struct talk *t, const struct sctpd_event *ev)
{
	struct peer	*p;

	for (p = t->peers; p != NULL && !(p->up && p->sock == ev->sock && p->assoc_id == ev->assoc_id); p = p->next)
		;
	return p;
}

static void
forget_echo(struct peer *p)
{
	struct echo	*e;

	while ((e = p->echo) != NULL) {
		p->echo = e->next;
		free(e);
	}
}

static void
forget(struct peer *p)
{
	script_run_free(&p->script);
	forget_echo(p);
	free(p);
}

/* Those that are over, and whose sends are all answered. */
static void
sweep(struct talk *t)
{
	struct peer	**at = &t->peers, *p;

	while ((p = *at) != NULL) {
		if (p->up || p->under_way > 0 || (t->script != NULL && !p->script.done)) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		forget(p);
	}
}

static bool
any_up(const struct talk *t)
{
	const struct peer	*p;

	for (p = t->peers; p != NULL && !p->up; p = p->next)
		;
	return p != NULL;
}

/* ---- messages out --------------------------------------------------- */

/* The sends under way fail as well; one message is enough. */
static void
refused(struct peer *p)
{
	struct talk	*t = p->talk;

	p->failed = true;
	if (p->script.sent)
		t->fail = script_fail_send(t->script, &p->script, sctpd_error(t->ctl->c));
	else if (!t->send_failed)
		t->fail = ctl_fail(CTL_FAILED, "send: %s", sctpd_error(t->ctl->c));
	t->send_failed = true;
}

static void
sent(struct sctpd *c, int code, const struct sctpd_value *v, void *arg)
{
	struct sending	 s = *(struct sending *)arg;
	struct talk	*t = s.peer->talk;

	(void)v;
	free(arg);
	t->bytes -= s.len;
	s.peer->bytes -= s.len;
	s.peer->under_way--;
	if (s.peer->script.sent && code == SCTPD_OK)
		script_did(&s.peer->script);
	if (code == SCTPD_OK)
		progress_sent(s.len);
	else if (sctpd_fd(c) != -1)
		refused(s.peer);
	s.peer->script.sent = false;
}

static void
send_message(struct peer *p, const struct sctpd_sndrcvinfo *given, const char *data, size_t len)
{
	struct talk		*t = p->talk;
	struct sending		*s;
	struct sctpd_sndrcvinfo	 info = {
		.stream = given->stream, .ppid = given->ppid, .flags = given->flags & SCTPD_UNORDERED, .assoc_id = p->assoc_id,
	};

	if ((s = malloc(sizeof *s)) == NULL) {
		t->fail = ctl_fail(CTL_FAILED, "there is no memory left");
		return;
	}
	*s = (struct sending){ p, len };
	if (sctpd_sendmsg_async(t->ctl->c, p->sock, &info, data, len, sent, s) != SCTPD_OK) {
		t->fail = ctl_fail(CTL_FAILED, "send: %s", sctpd_error(t->ctl->c));
		p->failed = p->script.done = true;
		free(s);
		return;
	}
	p->under_way++;
	p->bytes += len;
	t->bytes += len;
}

static struct sctpd_sndrcvinfo
parameters(const struct ctl *ctl)
{
	return (struct sctpd_sndrcvinfo){ .stream = (uint16_t)ctl->stream, .ppid = ctl->ppid };
}

static bool
has_room(const struct peer *p)
{
	return p->up && !p->ending && p->under_way < WINDOW && p->talk->bytes < WINDOW_BYTES &&
	    sctpd_pending(p->talk->ctl->c) < WINDOW_ALL;
}

/* ---- --echo --------------------------------------------------------- */

static void
echo_goes_on(struct peer *p, bool on)
{
	p->paused = !on;
	(void)sctpd_call_async(p->talk->ctl->c, NULL, NULL, "setopts sock=%" PRIu64 " options.active=%s",
	    p->sock, on ? "true" : "false");
}

/* What waited. */
static void
send_echo(struct peer *p)
{
	struct echo	*e;

	while (p->up && (e = p->echo) != NULL && p->bytes < WINDOW_ECHO) {
		send_message(p, &e->info, e->data, e->len);
		p->echo = e->next;
		free(e);
	}
	if (p->paused && p->echo == NULL)
		echo_goes_on(p, true);
}

/* ---- input ---------------------------------------------------------- */

/* Input goes to all peers of connect, and to the one of listen that came last. */
static struct peer *
next_reader(const struct talk *t, struct peer *p)
{
	if (p != NULL && t->listener != 0)
		return NULL;
	for (p = p != NULL ? p->next : t->peers; p != NULL && (!p->up || p->ending); p = p->next)
		;
	return p;
}

static bool
takes_input(const struct talk *t)
{
	return t->script == NULL && !t->ctl->echo && (!t->ctl->has_count || (t->ctl->size == 0 && t->payload == NULL));
}

/* Is there someone to send to, and room for a message to each? */
static bool
may_send(const struct talk *t)
{
	struct peer	*p = next_reader(t, NULL);

	if (p == NULL || !takes_input(t))
		return false;
	for (; p != NULL; p = next_reader(t, p)) {
		if (!has_room(p))
			return false;
	}
	return true;
}

/* The message that is repeated, from here on. */
static void
keep_payload(struct talk *t, const char *data, size_t len)
{
	if ((t->payload = malloc(len + 1)) == NULL) {
		t->fail = ctl_fail(CTL_FAILED, "there is no memory left");
		return;
	}
	memcpy(t->payload, data, len);
	t->payload_len = len;
}

/* SCTP has no empty messages. */
static void
send_input(struct talk *t, char *data, size_t len)
{
	struct sctpd_sndrcvinfo	info = parameters(t->ctl);

	if (t->ctl->form == FORM_HEX && !in_unhex(data, &len)) {
		t->fail = ctl_fail(CTL_FAILED,
		    "\"%.40s\" is not a line of hexadecimal bytes; it was not sent", data);
		return;
	}
	if (len > 0 && t->ctl->has_count)
		keep_payload(t, data, len);
	for (struct peer *p = len > 0 && !t->ctl->has_count ? next_reader(t, NULL) : NULL; p != NULL; p = next_reader(t, p))
		send_message(p, &info, data, len);
	if (len > 0)
		pace_count(&t->pace, t->ctl->rate, pace_now());
}

static void
send_all_input(struct talk *t)
{
	char	*data;
	size_t	 len;

	while (may_send(t) && pace_due(&t->pace, t->ctl->rate) <= pace_now() && (data = in_next(&t->in, &len)) != NULL)
		send_input(t, data, len);
	if (!t->ctl->has_count)
		progress_done(t->in.taken);
}

/* ---- --count -------------------------------------------------------- */

/* Letters, or bytes of which none follows from another. */
static void
fill(struct talk *t)
{
	for (size_t i = 0; i < t->payload_len; i++)
		t->payload[i] = (char)('a' + i % 26);
	for (size_t i = 0; t->ctl->random && i < t->payload_len; i += 256) {
		/* It gives so few bytes at once. */
		if (getrandom(t->payload + i, t->payload_len - i < 256 ? t->payload_len - i : 256, 0) == -1) {
			t->fail = ctl_fail(CTL_FAILED, "random bytes: %s", strerror(errno));
			return;
		}
	}
}

static bool
has_sent_all(const struct peer *p)
{
	const struct ctl	*ctl = p->talk->ctl;

	return p->failed || (ctl->count > 0 && p->pace.all >= ctl->count);
}

static void
send_count(struct peer *p)
{
	struct talk		*t = p->talk;
	struct sctpd_sndrcvinfo	 info = parameters(t->ctl);
	int64_t			 now = pace_now();

	while (has_room(p) && !has_sent_all(p) && pace_due(&p->pace, t->ctl->rate) <= now) {
		if (t->ctl->random)
			fill(t);
		send_message(p, &info, t->payload, t->payload_len);
		pace_count(&p->pace, t->ctl->rate, now);
	}
}

/* ---- the end of an association -------------------------------------- */

/* A call about an association, which may have ended meanwhile. */
static void
ended(struct sctpd *c, int code, const struct sctpd_value *v, void *arg)
{
	struct peer	*p = arg;

	(void)v;
	p->under_way--;
	if (code == SCTPD_OK || sctpd_fd(c) == -1 || p->talk->over || !p->up)
		return;
	if (code == SCTPD_EPIPE)	/* it has; the event that says how is on its way */
		return;
	p->talk->fail = ctl_fail(CTL_FAILED, "the end: %s", sctpd_error(c));
	p->talk->over = true;
}

static void
call(struct peer *p, const char *method)
{
	struct talk	*t = p->talk;

	p->under_way++;
	if (sctpd_call_async(t->ctl->c, ended, p, "%s sock=%" PRIu64 " assoc_id=%u",
	    method, p->sock, p->assoc_id) == SCTPD_OK)
		return;
	p->under_way--;
	t->fail = ctl_fail(CTL_FAILED, "%s: %s", method, sctpd_error(t->ctl->c));
	t->over = true;
}

/* Shut the association down; its shutdown_comp is the end. */
static void
begin_end(struct peer *p)
{
	if (p->ending)
		return;
	p->ending = true;
	p->end_at = pace_now() + (int64_t)END_WAIT * PACE_SECOND;
	p->say_at = pace_now() + (int64_t)END_SAID * PACE_SECOND;
	call(p, "eof");
}

/* Is nothing to be sent any more, and is the association ours to end? */
static bool
is_through(const struct peer *p)
{
	const struct talk	*t = p->talk;

	if (p->under_way > 0 || t->ctl->echo)
		return false;
	if (t->script != NULL)
		return p->script.done;
	if (t->listener != 0 && !t->ctl->end_at_eof)
		return false;
	if (t->payload != NULL)
		return has_sent_all(p);
	return t->in.eof && t->in.off >= t->in.len;
}

/* When all is sent, end now or after --wait. */
static void
check_end(struct peer *p)
{
	int64_t	now = pace_now();

	if (p->say_at != 0 && now >= p->say_at) {
		p->say_at = 0;
		ctl_note("sctpctl: waiting for the peer to take everything, %d s at most; "
		    "an interrupt ends that", END_WAIT - END_SAID);
	}
	if (p->ending && now >= p->end_at) {
		p->talk->fail = ctl_fail(CTL_TIMEOUT,
		    "the association did not shut down within %d ms", END_WAIT * 1000);
		p->talk->over = true;
	}
	if (!p->up || p->ending || p->talk->over || !is_through(p))
		return;
	if (p->end_at == 0)
		p->end_at = now + (int64_t)p->talk->ctl->linger * 1000000;
	if (now >= p->end_at)
		begin_end(p);
}

/* Is there input that was not sent, though it may not be read yet? */
static bool
has_input(struct talk *t)
{
	struct pollfd	pfd = { .fd = t->in.fd, .events = POLLIN };

	if (!takes_input(t))
		return false;
	if (t->in.off == t->in.len && !t->in.eof && in_is_ours(&t->in) && poll(&pfd, 1, 0) == 1)
		in_read(&t->in);
	return t->in.off < t->in.len;
}

static void
association_over(struct peer *p, int fail)
{
	struct talk	*t = p->talk;
	bool		 more = t->listener != 0 && t->ctl->keep;

	if (fail == CTL_OK && !p->ending && (t->payload != NULL ? !more && !has_sent_all(p) && t->ctl->count > 0 : has_input(t)))
		fail = ctl_fail(CTL_FAILED, "the peer shut down before all input was sent");
	if (p->paused)
		echo_goes_on(p, true);
	forget_echo(p);
	p->up = p->ending = false;
	p->end_at = p->say_at = 0;
	if (more)
		return;
	if (fail != CTL_OK)
		t->fail = fail;
	t->over = t->over || !any_up(t);
}

/* ---- --script ------------------------------------------------------- */

static void
script_failed(struct peer *p, int fail)
{
	p->talk->fail = fail;
	if (p->up)
		begin_end(p);
}

/* Do what the script says, as far as it goes without what is still to come. */
static void
run_script(struct peer *p)
{
	const struct script_step *st;
	struct talk		*t = p->talk;
	struct sctpd_sndrcvinfo	 info = parameters(t->ctl);
	int			 fail;

	while (!p->script.done && !p->script.sent) {
		switch (script_next(t->script, &p->script, p->up, &st, &fail)) {
		case SCRIPT_WAITS:
		case SCRIPT_DONE:
			return;
		case SCRIPT_FAILED:
			script_failed(p, fail);
			return;
		case SCRIPT_ENDS:
			begin_end(p);
			script_did(&p->script);
			break;
		case SCRIPT_ABORTS:
			p->aborted = true;
			call(p, "abort");
			script_did(&p->script);
			break;
		case SCRIPT_SENDS:
			info.stream = st->has_stream ? st->stream : info.stream;
			info.ppid = st->has_ppid ? st->ppid : info.ppid;
			info.flags = st->unordered ? SCTPD_UNORDERED : 0;
			p->script.sent = true;
			send_message(p, &info, st->data, st->len);
			break;
		}
	}
}

/* ---- events --------------------------------------------------------- */

static void
lost(struct peer *p, const struct sctpd_event *ev)
{
	uint32_t	cause = (uint32_t)sctpd_get_int(ev->fields, "error");

	if (p->aborted)
		association_over(p, CTL_OK);
	else
		association_over(p, ctl_fail(CTL_FAILED, "the association with %s is lost: %s",
		    ev->from, cause != 0 ? sctpd_cause_text(cause) : "no answer from the peer"));
}

/* A call about a listening or an accepted socket. */
static void
arranged(struct sctpd *c, int code, const struct sctpd_value *v, void *arg)
{
	struct talk	*t = arg;

	(void)v;
	if (code == SCTPD_OK || sctpd_fd(c) == -1 || t->over)
		return;
	t->fail = ctl_fail(CTL_FAILED, "%s", sctpd_error(c));
	t->over = true;
}

static void
arrange(struct talk *t, uint64_t sock, const char *what)
{
	if (sctpd_call_async(t->ctl->c, arranged, t, "%s sock=%" PRIu64 " %s", strncmp(what, "options", 7) == 0 ?
	    "setopts" : "listen", sock, what) != SCTPD_OK)
		t->fail = ctl_fail(CTL_FAILED, "%s", sctpd_error(t->ctl->c));
}

/* Without --keep the first peer is the only one; connect's are known. Gives NULL for others. */
static struct peer *
came(struct talk *t, uint64_t sock, const struct sctpd_event *ev)
{
	struct peer	*p;

	if (t->listener == 0 || (t->met && !t->ctl->keep))
		return NULL;
	if ((p = talk_came_up(t, sock, ev->assoc_id)) == NULL)
		return NULL;
	t->met = true;
	if (!t->ctl->keep)
		arrange(t, t->listener, "backlog=false");
	return p;
}

static void
on_assoc_change(struct talk *t, struct peer *p, const struct sctpd_event *ev)
{
	const char	*state = sctpd_get_str(ev->fields, "state");

	if (strcmp(state, "comm_up") == 0 && p == NULL)
		(void)came(t, ev->sock, ev);
	else if (strcmp(state, "shutdown_comp") == 0 && p != NULL)
		association_over(p, CTL_OK);
	else if (strcmp(state, "comm_lost") == 0 && p != NULL)
		lost(p, ev);
}

/* A one-to-one association came as a socket of its own. */
static void
on_accept(struct talk *t, const struct sctpd_event *ev)
{
	struct peer	*p = came(t, (uint64_t)sctpd_get_int(ev->fields, "accepted"), ev);

	if (p != NULL)
		arrange(t, p->sock, "options.active=true");
}

/* Its socket was closed, and with it all that it had. */
static void
on_closed(struct talk *t, const struct sctpd_event *ev)
{
	for (struct peer *p = t->peers; p != NULL; p = p->next) {
		if (p->up && p->sock == ev->sock)
			association_over(p, CTL_OK);
	}
}

/* It waits here while its peer does not take what was sent before, and the socket is not read. */
static void
echo(struct peer *p, const struct sctpd_event *ev)
{
	struct echo	*e;

	if (p->echo == NULL && p->bytes < WINDOW_ECHO) {
		send_message(p, &ev->info, ev->data, ev->len);
		return;
	}
	if ((e = malloc(sizeof *e + ev->len)) == NULL) {
		p->talk->fail = ctl_fail(CTL_FAILED, "there is no memory left");
		return;
	}
	*e = (struct echo){ .info = ev->info, .len = ev->len };
	memcpy(e->data, ev->data, ev->len);
	*(p->echo != NULL ? p->last_echo : &p->echo) = e;
	p->last_echo = &e->next;
	if (!p->paused)
		echo_goes_on(p, false);
}

static void
print_data(const struct talk *t, const struct sctpd_event *ev)
{
	if (isatty(STDOUT_FILENO))
		progress_hide();
	if (t->ctl->form == FORM_HEX) {
		out_hex(stdout, ev->data, ev->len);
		putchar('\n');
	} else {
		fwrite(ev->data, 1, ev->len, stdout);
		if (t->ctl->form == FORM_LINES)
			putchar('\n');
	}
}

/* Another peer may have come before listening ended: it is nobody's. */
static void
on_data(struct talk *t, struct peer *p, const struct sctpd_event *ev)
{
	if (p == NULL)
		return;
	progress_received(ev->len);
	if (t->ctl->echo)
		echo(p, ev);
	else if (!t->ctl->json)
		print_data(t, ev);
}

/* What --hex has no room for. */
static void
say_data(const struct sctpd_event *ev)
{
	const char	*name = ev->info.ppid != 0 ? ppid_name(ev->info.ppid) : NULL;

	ctl_note("stream %u, PPID %u (0x%08x%s%s), %zu bytes", ev->info.stream, ev->info.ppid,
	    ev->info.ppid, name != NULL ? ", " : "", name != NULL ? name : "", ev->len);
}

static void
say_event(const struct ctl *ctl, const struct sctpd_event *ev)
{
	if (ctl->json) {
		out_event(ctl, stdout, ev);
	} else if (ctl->verbose && ctl->form == FORM_HEX && strcmp(ev->name, "data") == 0) {
		say_data(ev);
	} else if (ctl->verbose) {
		progress_hide();
		out_event(ctl, stderr, ev);
	}
}

static void
on_event(struct sctpd *c, const struct sctpd_event *ev, void *arg)
{
	struct talk	*t = arg;
	struct peer	*p = find(t, ev);

	(void)c;
	say_event(t->ctl, ev);
	if (p != NULL && t->script != NULL)
		script_hear(&p->script, ev);
	if (strcmp(ev->name, "data") == 0)
		on_data(t, p, ev);
	else if (strcmp(ev->name, "sctp_assoc_change") == 0)
		on_assoc_change(t, p, ev);
	else if (strcmp(ev->name, "accept") == 0)
		on_accept(t, ev);
	else if (strcmp(ev->name, "sctp_closed") == 0)
		on_closed(t, ev);
	else if (strcmp(ev->name, "sctp_send_failed") == 0)
		t->fail = ctl_fail(CTL_FAILED, "a message of %zu bytes was not delivered", ev->len);
}

/* ---- the loop ------------------------------------------------------- */

static void
sooner(int64_t *ns, int64_t at, int64_t now)
{
	int64_t	left = at > now ? at - now : 0;

	if (at != 0 && (*ns < 0 || left < *ns))
		*ns = left;
}

/* ns until something is to be done by the clock; -1: nothing is. */
static int64_t
patience(const struct talk *t)
{
	int64_t	due, now = pace_now(), ns = progress_tick();

	for (const struct peer *p = t->peers; p != NULL; p = p->next) {
		sooner(&ns, p->say_at != 0 ? p->say_at : p->end_at, now);
		if (!p->script.done)
			sooner(&ns, p->script.deadline, now);
		if (t->payload != NULL && has_room(p) && !has_sent_all(p))
			sooner(&ns, pace_due(&p->pace, t->ctl->rate), now);
	}
	due = pace_due(&t->pace, t->ctl->rate);
	if (may_send(t) && (in_has_next(&t->in) || (!t->in.eof && due > now)))
		sooner(&ns, due, now);
	return ns;
}

/* Print what came. Standard output may block, so interrupts are let in meanwhile. */
static int
take(struct talk *t, const sigset_t *open)
{
	sigset_t	before;
	int		code, fail;

	sigprocmask(SIG_SETMASK, open, &before);
	writing = 1;
	code = sctpd_process(t->ctl->c);
	fail = code != SCTPD_OK ? ctl_fail_call(t->ctl, code) : out_flush();
	writing = 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return fail;
}

/* What there is to send, and to end. */
static void
go_on(struct talk *t)
{
	uint64_t	n = 0;

	send_all_input(t);
	for (struct peer *p = t->peers; p != NULL; p = p->next) {
		if (t->payload != NULL)
			send_count(p);
		if (t->ctl->echo)
			send_echo(p);
		if (t->script != NULL)
			run_script(p);
		check_end(p);
		n += p->pace.all;
	}
	if (t->payload != NULL)
		progress_done(n);
	sweep(t);
}

/* Poll both ends once. SIGINT is let in only here and above, so none is missed. */
static int
turn(struct talk *t, const sigset_t *open)
{
	int64_t		ns = patience(t);
	bool		wants = may_send(t) && !t->in.eof && pace_due(&t->pace, t->ctl->rate) <= pace_now();
	bool		ours = in_is_ours(&t->in);
	struct pollfd	pfd[2] = {
		{ .fd = sctpd_fd(t->ctl->c), .events = sctpd_wants(t->ctl->c) },
		{ .fd = wants && ours ? t->in.fd : -1, .events = POLLIN },
	};
	struct timespec	ts;
	int		code;

	if (wants && !ours && (ns < 0 || ns > FOREGROUND_LOOK))
		ns = FOREGROUND_LOOK;
	ts = (struct timespec){ ns / PACE_SECOND, ns % PACE_SECOND };
	if (ppoll(pfd, 2, ns < 0 ? NULL : &ts, open) == -1 && errno != EINTR)
		return ctl_fail(CTL_FAILED, "poll: %s", strerror(errno));
	if ((code = take(t, open)) != CTL_OK)
		return code;
	if (pfd[1].revents != 0)
		in_read(&t->in);
	return CTL_OK;
}

/* The first SIGINT ends the associations well, the second ends the waiting. */
static void
check_interrupt(struct talk *t)
{
	if (interrupted == 0)
		return;
	for (struct peer *p = t->peers; p != NULL && interrupted == 1; p = p->next) {
		p->script.done = true;
		if (p->up)
			begin_end(p);
	}
	if (any_up(t) && interrupted == 1)
		return;
	if (any_up(t) && !t->over)
		t->fail = ctl_fail(CTL_FAILED,
		    "interrupted before the association was shut down; the last messages may not have reached the peer");
	t->over = true;
}

/*
 * The associations are over, and it is known what became of all that was sent:
 * they may have ended at the peer's side before the daemon was asked to send.
 */
static bool
is_done(const struct talk *t)
{
	if (!t->over)
		return false;
	for (const struct peer *p = t->script != NULL && interrupted == 0 ? t->peers : NULL; p != NULL; p = p->next) {
		if (!p->script.done)
			return false;
	}
	return t->fail != CTL_OK || interrupted > 0 || sctpd_pending(t->ctl->c) == 0;
}

/* What the progress is reckoned of: messages of --count, or bytes of a file. */
static uint64_t
total(const struct talk *t)
{
	struct stat	st;
	uint64_t	n = 0;

	for (const struct peer *p = t->peers; p != NULL; p = p->next)
		n++;
	if (t->ctl->has_count)
		return t->ctl->count * (n > 0 ? n : !t->ctl->keep);
	return takes_input(t) && fstat(t->in.fd, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

static void
begin(struct talk *t)
{
	t->in.fd = STDIN_FILENO;
	t->in.raw = t->ctl->form == FORM_RAW;
	t->in.eof = !takes_input(t);
	if (t->ctl->size > 0) {
		t->payload_len = t->ctl->size;
		if ((t->payload = malloc(t->payload_len)) == NULL)
			t->fail = ctl_fail(CTL_FAILED, "there is no memory left");
		else
			fill(t);
	}
	if (t->ctl->rate > 0)
		prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);	/* ns */
	progress_begin(t->ctl, total(t));
}

int
talk_loop(struct talk *t)
{
	sigset_t	block, before;
	int		fail = CTL_OK;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &before);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	begin(t);
	sctpd_on_event(t->ctl->c, on_event, t);
	while (go_on(t), fail == CTL_OK && !is_done(t)) {
		fail = turn(t, &before);
		check_interrupt(t);
	}
	sctpd_on_event(t->ctl->c, NULL, NULL);
	progress_end();
	return fail != CTL_OK ? fail : t->fail;
}

void
talk_free(struct talk *t)
{
	struct peer	*p;

	while ((p = t->peers) != NULL) {
		t->peers = p->next;
		forget(p);
	}
	free(t->payload);
	script_free(t->script);
	in_free(&t->in);
}
