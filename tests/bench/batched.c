/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plain program that does its best: runs of 32 messages by sendmmsg, all but
 * the last with MSG_MORE so that they share packets, and recvmmsg. It is the
 * floor for what goes one way.
 */
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "link.h"

#define RUN		32
#define MOST_BYTES	16000

static char sending[RUN][MOST_BYTES], receiving[RUN][MOST_BYTES];
static struct mmsghdr out[RUN], in[RUN];
static struct iovec out_iov[RUN], in_iov[RUN];
static unsigned gathered, taken, there;

static void
send_all(struct link *l, struct mmsghdr *h, unsigned n, int flags)
{
	int	sent;

	for (; n > 0; n -= (unsigned)sent, h += sent) {
		if ((sent = sendmmsg(l->fd, h, n, MSG_NOSIGNAL | flags)) == -1)
			err(1, "sendmmsg");
	}
}

static void
batched_push(struct link *l)
{
	if (gathered == 0)
		return;
	send_all(l, out, gathered - 1, MSG_MORE);
	send_all(l, &out[gathered - 1], 1, 0);
	gathered = 0;
}

static void
batched_put(struct link *l, const void *data, size_t len)
{
	unsigned	i = gathered++;

	memcpy(sending[i], data, len);
	out_iov[i] = (struct iovec){ .iov_base = sending[i], .iov_len = len };
	out[i].msg_hdr = (struct msghdr){ .msg_iov = &out_iov[i], .msg_iovlen = 1 };
	if (gathered == RUN)
		batched_push(l);
}

static const void *
batched_take(struct link *l, size_t *len)
{
	int	n;

	batched_push(l);
	if (taken == there) {
		for (unsigned i = 0; i < RUN; i++) {
			in_iov[i] = (struct iovec){ .iov_base = receiving[i], .iov_len = MOST_BYTES };
			in[i].msg_hdr = (struct msghdr){ .msg_iov = &in_iov[i], .msg_iovlen = 1 };
		}
		if ((n = recvmmsg(l->fd, in, RUN, MSG_WAITFORONE, NULL)) == -1)
			err(1, "recvmmsg");
		taken = 0;
		there = (unsigned)n;
	}
	*len = in[taken].msg_len;
	if (*len == 0)
		return NULL;
	if (!(in[taken].msg_hdr.msg_flags & MSG_EOR))
		errx(1, "a message came in parts");
	return receiving[taken++];
}

static void
batched_call(struct link *l, const char *addr, uint16_t port)
{
	link_direct.call(l, addr, port);
}

static void
batched_serve(struct link *l, const char *addr, void (*say)(uint16_t port))
{
	link_direct.serve(l, addr, say);
}

const struct link_kind link_batched = {
	"batched", batched_call, batched_serve, batched_put, batched_push, batched_take
};
