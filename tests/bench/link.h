/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One association, or what stands for it, of one of the contestants; and the
 * work that is done over it.
 *
 * A message begins with what is to be done with it: 'e' is sent back; 'c' is
 * counted; 'l' is counted too, as the last, and the count sent back.
 */
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

#define MAX_BYTES	(1 << 20)
#define MAX_FLIGHT	1024

struct link;

struct link_kind {
	const char	*name;
	/* Call the peer; or listen, say where, and wait until one calls. */
	void		 (*call)(struct link *, const char *addr, uint16_t port);
	void		 (*serve)(struct link *, const char *addr, void (*say)(uint16_t port));
	/* Send, or have it sent before the next take that waits. */
	void		 (*put)(struct link *, const void *, size_t);
	void		 (*push)(struct link *);
	/* Wait for the next message; borrowed until the next take. */
	const void	*(*take)(struct link *, size_t *len);
};

struct link {
	const struct link_kind	*kind;
	const char		*path;		/* of the daemon's socket */
	int			 fd;
	char			*buf;
	struct wire		 wire;
	struct wire_head	 head;
	size_t			 head_bytes;	/* what the head is for */
	uint64_t		 sock;
	uint16_t		 port;
	uint16_t		 udp_port;	/* the peer's, if SCTP is in UDP */
	uint32_t		 assoc_id;
	bool			 answers;	/* ask for them */
	uint32_t		 unanswered;
};

extern const struct link_kind link_direct, link_batched, link_sctpd, link_relay, link_lend, link_unix, link_rpc, link_usrsctp;

void link_tune(int fd, bool up);
int direct_listen(const char *addr, uint16_t *port);
int direct_connect(const char *addr, uint16_t port);
int direct_begin(const char *addr, uint16_t port);	/* the same, and does not wait */
struct sctpd;
struct sctpd *link_dial(const char *path);
void link_sctpd_listen(struct link *, const char *addr);
struct link *link_new(const struct link_kind *, const char *path);

/* What one run took, microseconds: in all, and one trip's 99th percentile. */
struct run {
	double	us, p99;
};

struct order {
	char		work;		/* 'r'ound trips or 'o'ne way */
	size_t		bytes;
	uint32_t	count;
	uint32_t	in_flight;
};

double now_us(void);
struct run link_run(struct link *, const struct order *);
void link_answer(struct link *);

#endif
