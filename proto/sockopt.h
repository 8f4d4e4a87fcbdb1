/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The row of a socket option.
 */
#ifndef SOCKOPT_H
#define SOCKOPT_H

#include "field.h"

/* Who carries the option out. */
enum sockopt_level {
	LEVEL_BROKER,		/* the daemon itself; optname is BROKER_* */
	LEVEL_OWN,		/* the same; optname is its place in sockopt_own */
	LEVEL_SOCKET,
	LEVEL_IP,
	LEVEL_IPV6,
	LEVEL_SCTP,
};

enum sockopt_broker {
	BROKER_ACTIVE,
	BROKER_EVENTS,
	BROKER_NETNS,
};

/* The options that the daemon keeps with a socket. */
struct sockopt_own {
	int32_t		mode;			/* enum sockopt_mode */
	uint32_t	buffer;
	uint32_t	high_msgq_watermark;
	uint32_t	low_msgq_watermark;
	int64_t		send_timeout;
	bool		non_block_send;
	int32_t		on_owner_exit;		/* enum sockopt_exit */
	int64_t		hold_time;
};

enum sockopt_exit { EXIT_CLOSE, EXIT_ABORT, EXIT_HOLD };
enum sockopt_mode { MODE_BINARY, MODE_LIST };

extern const struct sockopt_own sockopt_own_defaults;

/* What the option is about; its assoc_id, if it has one, may name... */
enum sockopt_scope {
	SCOPE_SOCKET,		/* nothing: the socket and all on it */
	SCOPE_FUTURE,		/* 0, those to come; or an association */
	SCOPE_CURRENT,		/* also 1, those that are; and 2, both */
	SCOPE_ASSOC,		/* an association; 0 does on one-to-one */
};

#define SOCKOPT_GET	0x1
#define SOCKOPT_SET	0x2
#define SOCKOPT_RW	(SOCKOPT_GET | SOCKOPT_SET)
#define SOCKOPT_OPEN	0x4		/* at open only */

struct sockopt {
	const char		*name;
	const char		*from;
	enum sockopt_level	 level;
	int			 optname;
	uint16_t		 size;
	uint16_t		 access;
	enum sockopt_scope	 scope;
	const struct field	*fields;
	const char		*doc;
};

/* Room for the largest option there is. */
#define SOCKOPT_MAX	512

extern const struct sockopt sockopt_table[];

/* The option of that name, NULL if there is none. */
const struct sockopt *sockopt_find(const char *name, size_t len);

/* The field that names the association, NULL if the option has none. */
const struct field *sockopt_assoc(const struct sockopt *);

#endif
