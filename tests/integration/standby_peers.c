/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Peers that know nothing of sctpd and of standbys: plain programs of lksctp. Each sends back what comes.
 *
 *	standby_peers connect N LOCAL[,LOCAL] REMOTE[,REMOTE] PORT	N one-to-one sockets, with an association to PORT each
 *	standby_peers listen N LOCAL[,LOCAL] PORT			N one-to-many sockets, which listen at PORT and above
 *
 * The first line of output is "ready". A line of input is answered with a line, by names: the sockets that are open,
 * those that were closed or had an error, the restarts that the events of one-to-many sockets told, the echoes, and
 * when the last restart and the last end was, in milliseconds of the monotonic clock.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "addresses.h"

static struct {
	int		open, closed, restarts, echoes;
	long long	last_restart, last_end;
} count;

static long long
now_ms(void)
{
	struct timespec	t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int
bound(int type, struct sockaddr_in *local, int n)
{
	int	fd = socket(AF_INET, type, IPPROTO_SCTP);

	if (fd == -1 || sctp_bindx(fd, (struct sockaddr *)local, n, SCTP_BINDX_ADD_ADDR) == -1)
		err(1, "bind");
	return fd;
}

static int
connected(struct sockaddr_in *local, int nlocal, struct sockaddr_in *remote, int nremote)
{
	int	fd = bound(SOCK_STREAM, local, nlocal);

	if (sctp_connectx(fd, (struct sockaddr *)remote, nremote, NULL) == -1)
		err(1, "connect");
	return fd;
}

static int
listening(struct sockaddr_in *local, int nlocal, int port)
{
	struct sctp_event_subscribe	events = { .sctp_association_event = 1, .sctp_data_io_event = 1 };
	int				fd;

	for (int i = 0; i < nlocal; i++)
		local[i].sin_port = htons((uint16_t)port);
	fd = bound(SOCK_SEQPACKET, local, nlocal);
	if (setsockopt(fd, IPPROTO_SCTP, SCTP_EVENTS, &events, sizeof events) == -1 || listen(fd, 5) == -1)
		err(1, "listen");
	return fd;
}

/* The end of an association counts as that of its socket: each has one. */
static void
note(const union sctp_notification *n)
{
	if (n->sn_header.sn_type != SCTP_ASSOC_CHANGE)
		return;
	if (n->sn_assoc_change.sac_state == SCTP_RESTART) {
		count.restarts++;
		count.last_restart = now_ms();
	} else if (n->sn_assoc_change.sac_state != SCTP_COMM_UP) {
		count.closed++;
		count.last_end = now_ms();
	}
}

static void
end(struct pollfd *p)
{
	(void)close(p->fd);
	p->fd = -1;
	count.open--;
	count.closed++;
	count.last_end = now_ms();
}

static void
echo_one_to_one(struct pollfd *p)
{
	char	buf[2048];
	ssize_t	len = recv(p->fd, buf, sizeof buf, 0);

	if (len <= 0 || send(p->fd, buf, (size_t)len, MSG_NOSIGNAL) != len)
		end(p);
	else
		count.echoes++;
}

static void
echo_one_to_many(struct pollfd *p)
{
	char			 buf[2048];
	struct sctp_sndrcvinfo	 info;
	int			 flags = 0;
	ssize_t			 len = sctp_recvmsg(p->fd, buf, sizeof buf, NULL, NULL, &info, &flags);

	if (len < 0)
		end(p);
	else if (flags & MSG_NOTIFICATION)
		note((union sctp_notification *)(void *)buf);
	else if (sctp_send(p->fd, buf, (size_t)len, &info, MSG_NOSIGNAL) == len)
		count.echoes++;
}

static void
report(void)
{
	printf("open=%d closed=%d restarts=%d echoes=%d last_restart=%lld last_end=%lld\n", count.open, count.closed,
	    count.restarts, count.echoes, count.last_restart, count.last_end);
}

static void
serve(struct pollfd *p, int n, bool one_to_one)
{
	char	c;

	p[n] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
	for (;;) {
		if (poll(p, (nfds_t)n + 1, -1) == -1)
			err(1, "poll");
		for (int i = 0; i < n; i++)
			if (p[i].fd != -1 && p[i].revents != 0)
				(one_to_one ? echo_one_to_one : echo_one_to_many)(&p[i]);
		if (p[n].revents == 0)
			continue;
		if (read(STDIN_FILENO, &c, 1) != 1)
			return;
		if (c == '\n')
			report();
	}
}

int
main(int argc, char **argv)
{
	struct sockaddr_in	 local[MOST], remote[MOST];
	bool			 connects = argc == 6 && strcmp(argv[1], "connect") == 0;
	int			 n = argc > 2 ? atoi(argv[2]) : 0, nlocal, nremote = 0;
	struct pollfd		*p;

	if (n < 1 || (!connects && (argc != 5 || strcmp(argv[1], "listen") != 0)) ||
	    (p = calloc((size_t)n + 1, sizeof *p)) == NULL)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	nlocal = addresses(local, argv[3], 0);
	if (connects)
		nremote = addresses(remote, argv[4], atoi(argv[5]));
	for (int i = 0; i < n; i++)
		p[i] = (struct pollfd){ .events = POLLIN, .fd = connects ? connected(local, nlocal, remote, nremote) :
		    listening(local, nlocal, atoi(argv[4]) + i) };
	count.open = n;
	puts("ready");
	serve(p, n, connects);
	return 0;
}
