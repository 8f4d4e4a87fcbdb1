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
	LEVEL_SOCKET,
	LEVEL_IP,
	LEVEL_IPV6,
	LEVEL_SCTP,
};

enum sockopt_broker {
	BROKER_ACTIVE,
	BROKER_EVENTS,
};

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
