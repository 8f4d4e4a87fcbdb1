/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Peers that know nothing of sctpd and of standbys: one-to-one sockets of usrsctp, with an association to PORT each, which send
 * back what comes. SCTP is over UDP, from UDP-PORT to 9899.
 *
 *	standby_usrsctp N LOCAL[,LOCAL] REMOTE PORT UDP-PORT LOCAL-PORT
 *
 * The sockets have LOCAL-PORT and those above; every other is bound to the first address alone. Input and output are those of standby_peers.c.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <usrsctp.h>

#include "addresses.h"

#define REMOTE_UDP	9899

/* Callbacks come in threads of usrsctp's. */
static atomic_int	nopen, closed, restarts, echoes;

/* The end of an association may be told more than once. */
static void
end(atomic_bool *over)
{
	if (atomic_exchange(over, true))
		return;
	nopen--;
	closed++;
}

static void
note(const union sctp_notification *n, atomic_bool *over)
{
	if (n->sn_header.sn_type != SCTP_ASSOC_CHANGE)
		return;
	if (n->sn_assoc_change.sac_state == SCTP_RESTART)
		restarts++;
	else if (n->sn_assoc_change.sac_state != SCTP_COMM_UP)
		end(over);
}

static int
came(struct socket *so, union sctp_sockstore from, void *data, size_t len, struct sctp_rcvinfo info, int flags, void *over)
{
	struct sctp_sndinfo	to = { .snd_sid = info.rcv_sid };

	(void)from;
	if (data == NULL)
		end(over);
	else if (flags & MSG_NOTIFICATION)
		note(data, over);
	else if (usrsctp_sendv(so, data, len, NULL, 0, &to, sizeof to, SCTP_SENDV_SNDINFO, 0) == (ssize_t)len)
		echoes++;
	else
		warn("send");
	free(data);
	return 1;
}

static struct socket *
connected(struct sockaddr_in *local, int nlocal, int port, struct sockaddr_in *remote)
{
	struct sctp_udpencaps	 udp = { .sue_port = htons(REMOTE_UDP) };
	struct sctp_event	 changes = { .se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = SCTP_ASSOC_CHANGE, .se_on = 1 };
	atomic_bool		*over = calloc(1, sizeof *over);
	struct socket		*so = usrsctp_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP, came, NULL, 0, over);

	if (over == NULL || so == NULL ||
	    usrsctp_setsockopt(so, IPPROTO_SCTP, SCTP_REMOTE_UDP_ENCAPS_PORT, &udp, sizeof udp) == -1 ||
	    usrsctp_setsockopt(so, IPPROTO_SCTP, SCTP_EVENT, &changes, sizeof changes) == -1)
		err(1, "socket");
	for (int i = 0; i < nlocal; i++)
		local[i].sin_port = htons((uint16_t)port);
	if (usrsctp_bindx(so, (struct sockaddr *)local, nlocal, SCTP_BINDX_ADD_ADDR) == -1)
		err(1, "bind");
	if (usrsctp_connect(so, (struct sockaddr *)remote, sizeof *remote) == -1 || usrsctp_set_non_blocking(so, 1) == -1)
		err(1, "connect");
	nopen++;
	return so;
}

/* With ABORT, as the kernel does for a program that ends: nobody else would. */
static void
abort_it(struct socket *so)
{
	struct linger	now = { .l_onoff = 1, .l_linger = 0 };

	(void)usrsctp_setsockopt(so, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	usrsctp_close(so);
}

/* As for an ordinary user, usrsctp opens no raw socket then: it would answer what comes for the kernel's sockets with ABORT. */
static void
unprivileged(void)
{
	struct __user_cap_header_struct	head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct	none[2] = { 0 };

	if (syscall(SYS_capset, &head, none) == -1)
		err(1, "capset");
}

int
main(int argc, char **argv)
{
	struct sockaddr_in	local[MOST], remote[MOST];
	int			nlocal, n = argc == 7 ? atoi(argv[1]) : 0;
	struct socket		**sockets;
	char			c;

	if (n < 1 || (sockets = calloc((size_t)n, sizeof *sockets)) == NULL)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	nlocal = addresses(local, argv[2], 0);
	(void)addresses(remote, argv[3], atoi(argv[4]));
	unprivileged();
	usrsctp_init((uint16_t)atoi(argv[5]), NULL, NULL);
	for (int i = 0; i < n; i++)
		sockets[i] = connected(local, i % 2 == 0 ? 1 : nlocal, atoi(argv[6]) + i, remote);
	puts("ready");
	while (read(STDIN_FILENO, &c, 1) == 1)
		if (c == '\n')
			printf("open=%d closed=%d restarts=%d echoes=%d\n", nopen, closed, restarts, echoes);
	for (int i = 0; i < n; i++)
		abort_it(sockets[i]);
	return 0;
}
