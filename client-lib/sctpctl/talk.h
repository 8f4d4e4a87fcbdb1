/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What listen and connect have in common: messages in and out of any number of
 * associations, until they are over.
 */
#ifndef SCTPCTL_TALK_H
#define SCTPCTL_TALK_H

#include "sctpctl/ctl.h"
#include "sctpctl/in.h"
#include "sctpctl/pace.h"
#include "sctpctl/script.h"

/* A message that is to be sent back. */
struct echo {
	struct echo		*next;
	struct sctpd_sndrcvinfo	 info;
	size_t			 len;
	char			 data[];
};

/* An association. */
struct peer {
	struct peer	*next;
	struct talk	*talk;
	uint64_t	 sock;
	uint32_t	 assoc_id;
	bool		 up;
	bool		 ending;	/* eof was asked for */
	bool		 aborted;	/* by us */
	bool		 failed;	/* a message was refused: no more of --count */
	bool		 paused;	/* its socket is passive, until what is echoed has been sent */
	struct echo	*echo, **last_echo;	/* what waits to be sent back */
	unsigned	 under_way;	/* sends */
	size_t		 bytes;		/* of them */
	int64_t		 end_at;	/* ns: when to send eof, or to give up; 0 */
	int64_t		 say_at;	/* ns: when to say that it takes time; 0 */
	struct pace	 pace;		/* of --count: how many it was sent */
	struct script_run script;
};

struct talk {
	struct ctl	*ctl;
	struct in	 in;
	struct script	*script;	/* or NULL */
	uint64_t	 listener;	/* 0: connect */
	struct peer	*peers;		/* connect: in order; listen: the latest first */
	char		*payload;	/* of --count; NULL: there is none yet */
	size_t		 payload_len;
	struct pace	 pace;		/* of the input */
	size_t		 bytes;		/* under way, to all */
	bool		 met;		/* listen without --keep: its peer has come */
	bool		 over;
	bool		 send_failed;	/* the user was told */
	int		 fail;		/* the exit code to be */
};

/* An association that is up; gives NULL if there is no memory, which was said. */
struct peer *talk_came_up(struct talk *, uint64_t sock, uint32_t assoc_id);

/* Talk until all is over; gives the exit code. */
int talk_loop(struct talk *);

void talk_free(struct talk *);

#endif
