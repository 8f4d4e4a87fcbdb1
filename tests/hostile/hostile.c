/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile: a peer of the userland stack's that one would not wish for.
 *
 * hostile LISTEN-PORT VICTIM-PORT PACKETS SECONDS A-SECOND
 *
 * It stands between two daemons and passes their packets on, which it learns
 * from; from the first line of its input on it sends the victim, which is the
 * one at VICTIM-PORT of 127.0.0.1, those of the other mutated, and made anew
 * from their pieces, in the name of the other and in other names. Most have
 * a right checksum: the others are refused soon enough. It ends after so many
 * packets or seconds and prints how many it sent.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LEARNT		512
#define LONGEST		2048
#define NAMES		8	/* ports that it sends from, the first its own */

static struct packet {
	size_t		len;
	unsigned char	data[LONGEST];
} learnt[LEARNT];
static size_t		nlearnt;
static int		from[NAMES];
static struct sockaddr_in victim = { .sin_family = AF_INET };
static struct sockaddr_in other;
static uint32_t		table[256];

static uint32_t
random_below(uint32_t n)
{
	static uint64_t	x = 88172645463325252u;	/* the same run each time */

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)(x >> 16) % n;
}

static void
sign(struct packet *p)
{
	uint32_t	c = 0xffffffff;

	memset(p->data + 8, 0, 4);
	for (size_t i = 0; i < p->len; i++)
		c = table[(c ^ p->data[i]) & 0xff] ^ (c >> 8);
	c = ~c;
	memcpy(p->data + 8, &c, 4);	/* little-endian hosts */
}

static void
make_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t	c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0x82f63b78 : c >> 1;
		table[i] = c;
	}
}

/* ---- passing on ----------------------------------------------------- */

static void
learn(const unsigned char *data, size_t len)
{
	struct packet	*p = &learnt[nlearnt < LEARNT ? nlearnt++ : random_below(LEARNT)];

	p->len = len < LONGEST ? len : LONGEST;
	memcpy(p->data, data, p->len);
}

static void
pass_on(void)
{
	unsigned char		data[65536];
	struct sockaddr_in	who;
	socklen_t		size = sizeof who;
	ssize_t			n;

	while ((n = recvfrom(from[0], data, sizeof data, MSG_DONTWAIT,
	    (struct sockaddr *)&who, &size)) > 0) {
		bool	back = who.sin_port == victim.sin_port;

		if (!back) {
			other = who;
			learn(data, (size_t)n);
		}
		(void)sendto(from[0], data, (size_t)n, 0,
		    (struct sockaddr *)(back ? &other : &victim), sizeof victim);
	}
}

/* ---- mutation ------------------------------------------------------- */

static void
flip(struct packet *p)
{
	p->data[random_below((uint32_t)p->len)] ^= (unsigned char)(1u << random_below(8));
}

/* A number of two bytes that lengths and counts do not expect. */
static void
put_edge(struct packet *p)
{
	static const uint16_t	edges[] = { 0, 1, 3, 4, 5, 0x7fff, 0x8000, 0xfffc, 0xffff };
	uint16_t		v = htons(edges[random_below(9)]);

	if (p->len > 14)
		memcpy(p->data + 12 + 2 * random_below((uint32_t)(p->len - 12) / 2), &v, 2);
}

static void
cut(struct packet *p)
{
	p->len = 12 + random_below((uint32_t)p->len - 11);
}

static void
set_type(struct packet *p)
{
	if (p->len > 12)
		p->data[12] = (unsigned char)random_below(256);
}

/* The chunks of another behind its own. */
static void
splice(struct packet *p)
{
	const struct packet	*q = &learnt[random_below((uint32_t)nlearnt)];
	size_t			 n = q->len - 12;

	if (p->len + n > LONGEST)
		return;
	memcpy(p->data + p->len, q->data + 12, n);
	p->len += n;
}

static void
repeat(struct packet *p)
{
	size_t	n = p->len - 12;

	if (p->len + n > LONGEST)
		return;
	memcpy(p->data + p->len, p->data + 12, n);
	p->len += n;
}

static void
keep(struct packet *p)
{
	(void)p;
}

static void
mutate(struct packet *p)
{
	static void (*const	ways[])(struct packet *) = {
		flip, flip, flip, put_edge, put_edge, cut, set_type, splice, repeat, keep,
	};

	*p = learnt[random_below((uint32_t)nlearnt)];
	for (uint32_t n = 1 + random_below(4); n > 0; n--) {
		ways[random_below(sizeof ways / sizeof *ways)](p);
		if (p->len < 13)
			break;
	}
	if (random_below(16) != 0)
		sign(p);
}

/* ---- all of it ------------------------------------------------------ */

static double
now(void)
{
	struct timespec	t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
open_port(uint16_t port)
{
	struct sockaddr_in	a = { .sin_family = AF_INET, .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int			fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)&a, sizeof a) == -1) {
		perror("hostile");
		exit(1);
	}
	return fd;
}

static unsigned long
attack(unsigned long packets, double seconds, double rate)
{
	double		start = now();
	unsigned long	sent = 0;
	struct packet	p;

	while (sent < packets && now() - start < seconds) {
		for (int i = 0; i < 64 && sent < packets; i++, sent++) {
			mutate(&p);
			(void)sendto(from[random_below(NAMES)], p.data, p.len, MSG_DONTWAIT,
			    (struct sockaddr *)&victim, sizeof victim);
		}
		pass_on();
		while ((double)sent / rate > now() - start) {
			(void)usleep(200);
			pass_on();
		}
	}
	return sent;
}

int
main(int argc, char **argv)
{
	struct pollfd	p[2];

	if (argc != 6)
		return 2;
	make_table();
	victim.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	victim.sin_port = htons((uint16_t)atoi(argv[2]));
	for (int i = 0; i < NAMES; i++)
		from[i] = open_port(i == 0 ? (uint16_t)atoi(argv[1]) : 0);
	p[0] = (struct pollfd){ .fd = from[0], .events = POLLIN };
	p[1] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
	do {
		(void)poll(p, 2, -1);
		pass_on();
	} while (p[1].revents == 0);
	if (nlearnt == 0)
		return 1;
	(void)printf("%lu\n", attack(strtoul(argv[3], NULL, 10), atof(argv[4]), atof(argv[5])));
	return 0;
}
