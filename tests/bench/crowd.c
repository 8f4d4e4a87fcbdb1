/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See crowd.h.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crowd.h"
#include "stat.h"

#define BATCH		64
#define MESSAGE_MAX	65536
#define FLOOD_BEGUN	15000		/* messages, with which buffers are full */

static uint16_t crowd_to;

static void
say_port(uint16_t port)
{
	(void)printf("port %u\n", port);
	(void)fflush(stdout);
}

uint16_t
crowd_port(struct end *e)
{
	char		line[64];
	uint16_t	port;

	if (!end_line(e, line, sizeof line) || sscanf(line, "port %hu", &port) != 1)
		errx(1, "a server ended");
	return port;
}

static void
watch(int set, int fd, uint32_t tag)
{
	struct epoll_event	e = { .events = EPOLLIN, .data.u32 = tag };

	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) == -1)
		err(1, "epoll_ctl");
}

static ssize_t
receive(int fd, char *buf)
{
	struct sctp_sndrcvinfo	info;
	int			flags = MSG_DONTWAIT;

	return sctp_recvmsg(fd, buf, MESSAGE_MAX, NULL, NULL, &info, &flags);
}

/* ---- the plain program that answers ---------------------------------- */

static void
fill(int fd, char *buf)
{
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	while (sctp_sendmsg(fd, buf, 1000, NULL, 0, 0, 0, 0, 0, 0) > 0)
		;
}

static void
answer(int fd, char *buf)
{
	ssize_t	n = receive(fd, buf);

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			(void)close(fd);
		return;
	}
	if (buf[0] == 's')
		fill(fd, buf);
	else if (buf[0] == 'e' && sctp_sendmsg(fd, buf, (size_t)n, NULL, 0, 0, 0, 0, 0, 0) == -1)
		err(1, "sctp_sendmsg");
}

void
crowd_serve_epoll(void *arg)
{
	static char		buf[MESSAGE_MAX];
	struct epoll_event	events[BATCH];
	uint16_t		port;
	int			set = epoll_create1(EPOLL_CLOEXEC), l = direct_listen(place.addr[RIGHT], &port), n;

	(void)arg;
	watch(set, l, (uint32_t)l);
	say_port(port);
	while ((n = epoll_wait(set, events, BATCH, -1)) != -1) {
		for (int i = 0; i < n; i++) {
			int	fd = (int)events[i].data.u32;

			if (fd != l) {
				answer(fd, buf);
			} else if ((fd = accept(l, NULL, NULL)) != -1) {
				link_tune(fd, true);
				watch(set, fd, (uint32_t)fd);
			}
		}
	}
}

/* ---- the program that has them -------------------------------------- */

struct client {
	int	*fds;
	unsigned n, size;
	int	 set;
	uint16_t port;
};

static void
grow(struct client *c, unsigned n)
{
	if (n > c->size && (c->fds = realloc(c->fds, (c->size = n) * sizeof *c->fds)) == NULL)
		err(1, "realloc");
	for (; c->n < n; c->n++) {
		c->fds[c->n] = direct_connect(place.addr[RIGHT], c->port);
		watch(c->set, c->fds[c->n], c->n);
	}
}

/*
 * The associations take turns. One with a message under way is given another
 * only if there are fewer of them than messages.
 */
static void
trips(struct client *c, const struct order *o, double *took)
{
	static char		 message[MESSAGE_MAX];
	double			*at = calloc(o->count, sizeof *at);
	uint32_t		*got = calloc(c->n, sizeof *got);
	struct epoll_event	 events[BATCH];
	uint32_t		 sent = 0, back = 0;

	if (at == NULL || got == NULL)
		err(1, "calloc");
	memset(message, 'e', o->bytes);
	while (back < o->count) {
		int	n;

		for (; sent < o->count && sent < back + o->in_flight; sent++) {
			at[sent] = now_us();
			if (sctp_sendmsg(c->fds[sent % c->n], message, o->bytes, NULL, 0, 0, 0, 0, 0, 0) == -1)
				err(1, "sctp_sendmsg");
		}
		if ((n = epoll_wait(c->set, events, BATCH, -1)) == -1)
			err(1, "epoll_wait");
		for (int i = 0; i < n && back < o->count; i++) {
			unsigned	k = events[i].data.u32;

			if (receive(c->fds[k], message) <= 0)
				errx(1, "association %u of %u ended", k, c->n);
			/* The k-th has messages k, k + n, k + 2n... in order. */
			took[back++] = now_us() - at[k + c->n * got[k]++];
			message[0] = 'e';
		}
	}
	free(at);
	free(got);
}

static void
run(struct client *c, const struct order *o)
{
	double	*took = calloc(o->count, sizeof *took), start = now_us(), us;

	if (took == NULL)
		err(1, "calloc");
	trips(c, o, took);
	us = now_us() - start;
	stat_sort(took, o->count);
	(void)printf("%.3f %.3f %.3f %.3f\n", us, stat_at(took, o->count, 0.5),
	    stat_at(took, o->count, 0.99), stat_at(took, o->count, 1));
	free(took);
}

static void
be_crowd(void *arg)
{
	struct client	c = { .set = epoll_create1(EPOLL_CLOEXEC), .port = crowd_to };
	struct order	o = { .work = 'r' };
	char		line[128];
	unsigned	n;

	(void)arg;
	while (fgets(line, sizeof line, stdin) != NULL) {
		if (sscanf(line, "grow %u", &n) == 1) {
			grow(&c, n);
			(void)puts("grown");
		} else if (sscanf(line, "run %zu %u %u", &o.bytes, &o.count, &o.in_flight) == 3) {
			run(&c, &o);
		}
		(void)fflush(stdout);
	}
}

struct crowd
crowd_start(uint16_t port)
{
	crowd_to = port;
	return (struct crowd){ .e = end_start(LEFT, be_crowd, NULL) };
}

bool
crowd_grow(struct crowd *c, unsigned n)
{
	char	line[128];

	end_say(&c->e, "grow %u\n", n);
	c->n = n;
	return end_line(&c->e, line, sizeof line);
}

bool
crowd_run(struct crowd *c, const struct order *o, struct crowd_run *r)
{
	char	line[128];

	end_say(&c->e, "run %zu %u %u\n", o->bytes, o->count, o->in_flight);
	return end_line(&c->e, line, sizeof line) &&
	    sscanf(line, "%lf %lf %lf %lf", &r->us, &r->median, &r->p99, &r->worst) == 4;
}

/* ---- mischief -------------------------------------------------------- */

static bool
say_f(int fd)
{
	static char	message[100] = "f";

	return sctp_sendmsg(fd, message, sizeof message, NULL, 0, 0, 0, 0, 0, 0) != -1;
}

/*
 * It is a flood once it has filled what there is to be filled. Until then
 * nothing holds it back but the processor, which on a machine with one it
 * shares with all others: that would measure the kernel's scheduler.
 */
static void
be_flood(void *arg)
{
	int	fd = direct_connect(place.addr[RIGHT], crowd_to);

	(void)arg;
	for (int i = 0; i < FLOOD_BEGUN; i++)
		if (!say_f(fd))
			err(1, "sctp_sendmsg");
	(void)puts("up");
	(void)fflush(stdout);
	while (say_f(fd))
		;
}

static void
be_stalled(void *arg)
{
	int	fd = direct_connect(place.addr[RIGHT], crowd_to);

	(void)arg;
	if (sctp_sendmsg(fd, "s", 1, NULL, 0, 0, 0, 0, 0, 0) == -1)
		err(1, "sctp_sendmsg");
	(void)puts("up");
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}

static struct end
mischief(uint16_t port, void (*be)(void *))
{
	struct end	e;
	char		line[16];

	crowd_to = port;
	e = end_start(LEFT, be, NULL);
	if (!end_line(&e, line, sizeof line))
		errx(1, "an association did not come up");
	return e;
}

struct end
crowd_flood(uint16_t port)
{
	return mischief(port, be_flood);
}

struct end
crowd_stall(uint16_t port)
{
	return mischief(port, be_stalled);
}
