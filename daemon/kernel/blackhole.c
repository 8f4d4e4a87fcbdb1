/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: the option blackhole.
 *
 * A host that takes associations over has their address before it has them. What peers send to it in that moment is out of
 * the blue for its kernel, which answers with an ABORT (RFC 9260 8.4): the peer would lose what was to be kept. The same
 * happens on the host that had them, once its kernel has given them up and as long as the address is there.
 *
 * A packet that belongs to no association goes to the socket that listens at its address and port, and there through the
 * socket's filter, before the kernel thinks about an answer. So a filter on the one-to-many socket's own descriptor sees
 * such packets, and those of associations that have not been peeled off yet, and no others. It lets pass what an
 * association is made with, what refuses one, and what the kernel answers with nothing or with an end that is one already.
 * The kernel keeps the filter, so it outlives the daemon.
 */
#include <errno.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/kernel.h"

/*
 * The kernel has taken the common header off: a packet begins with the type of its first chunk. Where a chunk has its length,
 * and an ERROR its first cause.
 */
#define FIRST_CHUNK	0
#define LENGTH		2
#define CAUSE		4
#define STALE_COOKIE	3

/* Chunk types of RFC 9260, and AUTH of RFC 4895, which may stand before others. */
enum { INIT = 1, INIT_ACK = 2, ABORT = 6, SHUTDOWN_ACK = 8, ERROR = 9, COOKIE_ECHO = 10, COOKIE_ACK = 11,
    SHUTDOWN_COMPLETE = 14, AUTH = 15 };

#define IF_IS(type, then, otherwise)	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (type), (then), (otherwise))
#define PASS_IF(type, to_pass)		IF_IS(type, to_pass, 0)

static const struct sock_filter filter[] = {
	BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, FIRST_CHUNK),
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
	IF_IS(AUTH, 0, 5),
	/* The chunk behind AUTH: chunks begin at multiples of 4. */
	BPF_STMT(BPF_LD | BPF_H | BPF_IND, LENGTH),
	BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, FIRST_CHUNK + 3),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~3U),
	BPF_STMT(BPF_MISC | BPF_TAX, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
	PASS_IF(INIT, 10),
	PASS_IF(INIT_ACK, 9),
	PASS_IF(COOKIE_ECHO, 8),
	PASS_IF(COOKIE_ACK, 7),
	PASS_IF(ABORT, 6),
	PASS_IF(SHUTDOWN_ACK, 5),
	PASS_IF(SHUTDOWN_COMPLETE, 4),
	/* An ERROR of another kind is answered with an ABORT. */
	IF_IS(ERROR, 0, 2),
	BPF_STMT(BPF_LD | BPF_H | BPF_IND, CAUSE),
	IF_IS(STALE_COOKIE, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, 0),
	BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
};

/* On a one-to-one socket the filter would meet the data of its association. */
int
kernel_set_blackhole(const struct sock *s, bool on)
{
	struct sock_fprog	program = {
		.len = sizeof filter / sizeof *filter,
		.filter = (struct sock_filter *)(uintptr_t)filter,
	};
	int			none = 0;

	if (!s->many)
		return EOPNOTSUPP;
	if (on)
		return setsockopt(s->stack.fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == -1 ? errno : 0;
	if (setsockopt(s->stack.fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof none) == -1 && errno != ENOENT)
		return errno;
	return 0;
}

/* The kernel gives the length of a socket's filter, in instructions. */
int
kernel_get_blackhole(const struct sock *s, int *on)
{
	socklen_t	len = 0;

	if (getsockopt(s->stack.fd, SOL_SOCKET, SO_GET_FILTER, NULL, &len) == -1)
		return errno;
	*on = len > 0;
	return 0;
}
