/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A peer that knows nothing of sctpd: lksctp_peer PORT. It listens on 127.0.0.1, says
 * "listening", and for each association that comes up the time in milliseconds.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long long
now_ms(void)
{
	struct timespec	t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int
fail(const char *what)
{
	perror(what);
	return 1;
}

int
main(int argc, char **argv)
{
	struct sctp_event_subscribe	 events = { .sctp_association_event = 1 };
	struct sockaddr_in		 sin = { .sin_family = AF_INET };
	union sctp_notification		*n;
	char				 buf[4096];
	int				 fd, flags, on = 1;
	ssize_t				 len;

	if (argc != 2)
		return 2;
	sin.sin_port = htons((unsigned short)atoi(argv[1]));
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP)) == -1)
		return fail("socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (setsockopt(fd, IPPROTO_SCTP, SCTP_EVENTS, &events, sizeof events) == -1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof sin) == -1 || listen(fd, 128) == -1)
		return fail("listen");
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("listening %lld\n", now_ms());
	for (;;) {
		flags = 0;
		if ((len = sctp_recvmsg(fd, buf, sizeof buf, NULL, NULL, NULL, &flags)) < 0)
			return fail("sctp_recvmsg");
		n = (union sctp_notification *)(void *)buf;
		if ((flags & MSG_NOTIFICATION) && n->sn_header.sn_type == SCTP_ASSOC_CHANGE &&
		    n->sn_assoc_change.sac_state == SCTP_COMM_UP)
			printf("up %lld\n", now_ms());
	}
}
