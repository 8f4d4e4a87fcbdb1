/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The blocks that a tap sends, read again: as packets, and as messages for people
 * and programs. See proto/pcapng.h for what they are made of.
 */
#ifndef SCTPCTL_PACKETS_H
#define SCTPCTL_PACKETS_H

#include "sctpctl/ctl.h"

/* A packet, or a block of another kind. */
struct packet {
	const char	*block;		/* all of it */
	size_t		 size;
	bool		 is_message;	/* otherwise it is no packet */
	bool		 begins;	/* a message, of which it may be a part */
	bool		 sent;
	bool		 unordered;
	uint64_t	 us;		/* since 1970 */
	int		 family;
	const char	*from, *to;	/* addresses */
	uint16_t	 from_port, to_port;
	uint16_t	 stream;
	uint32_t	 ppid;
	size_t		 whole;		/* bytes in the packet, if it was not cut */
	const char	*data;		/* what is there of them */
	size_t		 len;
	const char	*comment;	/* not terminated; NULL: there is none */
	size_t		 ncomment;
};

/* The next block of those at *p, which is moved behind it. False: there is none. */
bool packets_next(const char **p, size_t *n, struct packet *);

/* Messages in the making: give it each packet. With --json all their bytes are printed. */
struct packets_print {
	struct ctl	*ctl;
	bool		 begun;		/* a message, which is not whole yet */
	struct packet	 first;		/* of that */
	char		 addrs[32];	/* of the first */
	char		 comment[256];
	size_t		 whole;		/* its length */
	char		*data;		/* with --json, allocated */
	size_t		 len, size;	/* of what came until now */
};

/* True: a message was printed. */
bool packets_print(struct packets_print *, const struct packet *);

#endif
