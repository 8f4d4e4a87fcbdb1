/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that lies to its supervisor: pointers that lead nowhere, lengths
 * that are none, long lists, on an SCTP socket and on what is none. After all
 * of that its SCTP works. Prints the seed, and "well" at the end.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define COUNT(A)	(sizeof(A) / sizeof(A)[0])

static const long	calls[] = {
	SYS_bind, SYS_connect, SYS_listen, SYS_accept, SYS_accept4, SYS_getsockname, SYS_getpeername, SYS_shutdown,
	SYS_setsockopt, SYS_getsockopt, SYS_sendto, SYS_sendmsg, SYS_sendmmsg, SYS_write, SYS_writev, SYS_recvfrom,
	SYS_recvmsg, SYS_recvmmsg, SYS_read, SYS_readv, SYS_ioctl, SYS_sendfile, SYS_splice, SYS_dup3, SYS_fcntl,
};

static char	*page;		/* one that is there, in front of one that is not */
static size_t	 size;

/* A pointer: to something, to its end, to nothing, to what may not be written. */
static uint64_t
pointer(void)
{
	switch (rand() % 8) {
	case 0:
		return 0;
	case 1:
		return 1;
	case 2:
		return UINT64_MAX - (uint64_t)(rand() % 64);
	case 3:
		return (uintptr_t)page + size - (uint64_t)(rand() % 64);
	case 4:
		return (uintptr_t)"a constant";
	case 5:
		return (uint64_t)rand() << 32;
	default:
		return (uintptr_t)page + (uint64_t)(rand() % 512) * 8;
	}
}

static uint64_t
number(void)
{
	static const uint64_t	odd[] = { 0, 1, 4, 8, 14, 16, 28, 32, 128, 255, 4096, 65536, INT32_MAX, UINT32_MAX,
	    (uint64_t)INT64_MAX, UINT64_MAX, 0x80000000U, 132, 100, 102, 108, 110, 111 };

	return rand() % 2 ? odd[(size_t)rand() % COUNT(odd)] : (uint64_t)(rand() % 200);
}

/* Fill the page with bytes, pointers and numbers as structs have them. */
static void
fill(void)
{
	uint64_t	*p = (uint64_t *)(void *)page;

	for (size_t i = 0; i < size / 8; i++)
		p[i] = rand() % 3 == 0 ? pointer() : rand() % 2 ? number() : (uint64_t)rand();
	if (rand() % 2)
		*(struct sockaddr_in *)(void *)page = (struct sockaddr_in){ .sin_family = AF_INET,
		    .sin_port = htons((uint16_t)rand()), .sin_addr = { htonl(INADDR_LOOPBACK) } };
}

static void
lie(int fd)
{
	long	nr = calls[(size_t)rand() % COUNT(calls)];

	/* It is not to end up in a place that others need, nor to wait. */
	if (nr == SYS_dup3)
		(void)syscall(nr, fd, 50, 0);
	else if (nr == SYS_fcntl)
		(void)close((int)syscall(nr, fd, F_DUPFD, number()));
	else if (nr == SYS_ioctl)
		(void)syscall(nr, fd, FIONREAD, pointer());
	else if (nr == SYS_setsockopt || nr == SYS_getsockopt)
		(void)syscall(nr, fd, rand() % 4 ? (uint64_t)IPPROTO_SCTP : number(), number(), pointer(),
		    nr == SYS_getsockopt ? pointer() : number(), 0);
	else
		(void)syscall(nr, fd, pointer(), rand() % 2 ? number() : pointer(), MSG_DONTWAIT, pointer(), number());
}

/* An exchange of this process with itself. */
static void
exchange(void)
{
	struct sockaddr_in	sin = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t		len = sizeof sin;
	char			buf[16] = "";
	int			l = socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP), c = socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP), a;

	if (l == -1 || c == -1 || bind(l, (struct sockaddr *)&sin, sizeof sin) == -1 || listen(l, 5) == -1 ||
	    getsockname(l, (struct sockaddr *)&sin, &len) == -1 || connect(c, (struct sockaddr *)&sin, sizeof sin) == -1 ||
	    (a = accept(l, NULL, NULL)) == -1 || send(c, "hello", 5, 0) != 5 || recv(a, buf, sizeof buf, 0) != 5 ||
	    strcmp(buf, "hello") != 0 || close(c) == -1 || recv(a, buf, sizeof buf, 0) != 0)
		err(1, "an exchange failed after all");
}

int
main(int argc, char **argv)
{
	unsigned	seed = argc > 1 ? (unsigned)atoi(argv[1]) : (unsigned)time(NULL);
	int		times = argc > 2 ? atoi(argv[2]) : 3000, fds[4] = { -1, -1, -1, -1 };

	printf("seed %u\n", seed);
	fflush(stdout);
	srand(seed);
	(void)signal(SIGPIPE, SIG_IGN);
	size = (size_t)sysconf(_SC_PAGESIZE);
	page = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || munmap(page + size, size) == -1)
		err(1, "mmap");
	for (int i = 0; i < times; i++) {
		int	*fd = &fds[rand() % 4];

		if (*fd == -1 || rand() % 50 == 0) {
			if (*fd != -1)
				(void)close(*fd);
			*fd = socket(rand() % 2 ? AF_INET : AF_INET6, (rand() % 2 ? SOCK_STREAM : SOCK_SEQPACKET) | SOCK_NONBLOCK,
			    IPPROTO_SCTP);
			if (*fd == -1)
				err(1, "socket");
		}
		fill();
		lie(*fd);
	}
	exchange();
	puts("well");
	return 0;
}
