/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pump has one end of a pair of Unix sockets, whose other end the program
 * has, under as many numbers as it likes. One message at a time is under way to
 * the daemon, and no more than HELD bytes wait for the program: then nothing is
 * taken from the socket.
 */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/descriptor.h"
#include "run/pump.h"
#include "run/sock.h"

#define HELD	(64U << 10)	/* bytes for the program */
#define PIECE	(16U << 10)	/* bytes of a message that is made of what it writes */

struct pump {
	struct sock		*sock;
	struct bufferevent	*be;
	uint64_t		 inode;		/* of the program's end */
	int			 number;	/* which it had first */
	unsigned		 asks;		/* messages under way */
	bool			 sent_end;	/* the program writes no more */
	bool			 ended;		/* the program has no descriptor of it */
};

static void	take_arrivals(struct pump *);

/* ---- the end --------------------------------------------------------- */

static void
free_pump(struct pump *p)
{
	struct sock	*s = p->sock;

	s->pump = NULL;
	s->arrived = NULL;
	bufferevent_free(p->be);
	free(p);
	if (s->end_closed)
		sock_close(s);	/* and the pump's was the last */
	sock_unref(s);
}

static bool
is_closed(const struct pump *p)
{
	struct pollfd	fd = { .fd = bufferevent_getfd(p->be), .events = POLLIN };

	return poll(&fd, 1, 0) == 1 && (fd.revents & (POLLHUP | POLLERR)) != 0;
}

static void
send_end(struct pump *p)
{
	struct words	w = { 0 };

	p->sent_end = true;
	if (p->sock->handle == 0 || p->sock->state != SOCK_UP)
		return;
	word_add(&w, "eof");
	word_add(&w, "sock=%" PRIu64, p->sock->handle);
	daemon_tell(p->sock->run, &w);
}

/* The program reads and writes no more, or writes no more. */
static void
on_end(struct bufferevent *be, short what, void *arg)
{
	struct pump	*p = arg;

	(void)be;
	p->ended = (what & BEV_EVENT_ERROR) != 0 || is_closed(p);
	if (!p->sent_end && p->asks == 0)
		send_end(p);
	if (p->ended && p->asks == 0)
		free_pump(p);
}

/* ---- to the peer ----------------------------------------------------- */

static void	send_some(struct pump *);

static void
on_sent(struct sctpd *c, int code, const struct sctpd_value *v, void *arg)
{
	struct pump	*p = arg;

	(void)c, (void)v;
	p->asks--;
	if (code != SCTPD_OK)
		p->ended = true;
	if (p->ended && evbuffer_get_length(bufferevent_get_input(p->be)) == 0)
		free_pump(p);
	else if (p->ended && code != SCTPD_OK)
		free_pump(p);
	else
		send_some(p);
}

static void
send_some(struct pump *p)
{
	struct evbuffer			*in = bufferevent_get_input(p->be);
	struct sctpd_sndrcvinfo		 info = { .assoc_id = p->sock->assoc_id };
	size_t				 n = evbuffer_get_length(in);

	if (p->asks > 0 || n == 0)
		return;
	if (n > PIECE)
		n = PIECE;
	p->asks++;
	if (p->sock->handle == 0 || sctpd_sendmsg_async(p->sock->run->c, p->sock->handle, &info,
	    evbuffer_pullup(in, (ssize_t)n), n, on_sent, p) != SCTPD_OK) {
		p->asks--;
		(void)evbuffer_drain(in, evbuffer_get_length(in));
		return;
	}
	(void)evbuffer_drain(in, n);
	daemon_asked(p->sock->run);
}

static void
on_readable(struct bufferevent *be, void *arg)
{
	(void)be;
	send_some(arg);
}

/* ---- to the program -------------------------------------------------- */

static void
take_arrivals(struct pump *p)
{
	struct sock	*s = p->sock;
	struct arrival	*a;

	while ((a = TAILQ_FIRST(&s->arrivals)) != NULL && evbuffer_get_length(bufferevent_get_output(p->be)) < HELD) {
		if (!a->is_notice && a->accepted == 0)
			(void)bufferevent_write(p->be, a->data + a->read, a->len - a->read);
		sock_took(s);
	}
	if (a == NULL && s->state == SOCK_ENDED && evbuffer_get_length(bufferevent_get_output(p->be)) == 0)
		(void)shutdown(bufferevent_getfd(p->be), SHUT_WR);
}

static void
on_writable(struct bufferevent *be, void *arg)
{
	(void)be;
	take_arrivals(arg);
}

static void
arrived(struct sock *s)
{
	take_arrivals(s->pump);
}

/* ---- the beginning --------------------------------------------------- */

static void
set_blocking(const struct sock *s)
{
	struct words	w = { 0 };

	word_add(&w, "setopts");
	word_add(&w, "sock=%" PRIu64, s->handle);
	word_add(&w, "options.non_block_send=false");
	daemon_tell(s->run, &w);
}

/* Gives the program's end of a new one, or -1. */
static int
make(struct sock *s, int number)
{
	struct pump	*p = calloc(1, sizeof *p);
	struct stat	 st;
	int		 fds[2];

	if (p == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1) {
		free(p);
		return -1;
	}
	(void)evutil_make_socket_nonblocking(fds[0]);
	if (fstat(fds[1], &st) == -1 ||
	    (p->be = bufferevent_socket_new(s->run->base, fds[0], BEV_OPT_CLOSE_ON_FREE)) == NULL) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		free(p);
		return -1;
	}
	p->sock = s;
	p->inode = st.st_ino;
	p->number = number;
	sock_ref(s);
	s->pump = p;
	s->arrived = arrived;
	bufferevent_setcb(p->be, on_readable, on_writable, on_end, p);
	bufferevent_setwatermark(p->be, EV_READ, 0, HELD);
	(void)bufferevent_enable(p->be, EV_READ | EV_WRITE);
	set_blocking(s);
	return fds[1];
}

void
pump_begin(struct call *c, int to, bool cloexec)
{
	struct sock			*s = c->sock;
	struct seccomp_notif_addfd	 add = { .id = c->id, .newfd = (uint32_t)to, .flags = SECCOMP_ADDFD_FLAG_SETFD,
	    .newfd_flags = cloexec ? O_CLOEXEC : 0 };
	bool				 is_new = s->pump == NULL;
	int				 fd;

	if (s->type != SOCK_STREAM) {
		(void)call_fail(c, EINVAL);
		return;
	}
	if ((fd = is_new ? make(s, to) : descriptor_take(c->tid, s->pump->number, s->pump->inode)) == -1) {
		(void)call_fail(c, EMFILE);
		return;
	}
	call_note(c, "descriptor %d is a stream of bytes now: a copy of an SCTP socket; --fds all avoids that", to);
	add.srcfd = (uint32_t)fd;
	if (ioctl(c->run->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) == -1) {
		int	number = errno;

		if (is_new)
			free_pump(s->pump);
		(void)call_fail(c, number);
	} else {
		if (is_new)
			take_arrivals(s->pump);
		(void)call_answer(c, to);
	}
	(void)close(fd);
}
