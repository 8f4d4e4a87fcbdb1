/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The row of a socket option.
 */
#ifndef SOCKOPT_H
#define SOCKOPT_H

#include "proto/field.h"

/* The longest key, bytes. */
#define SOCKOPT_KEY_MAX		256
/* How many items the lists of chunk types and of algorithms have at most. */
#define SOCKOPT_CHUNKS		256
#define SOCKOPT_AUTH_CHUNKS	16
#define SOCKOPT_HMACS		4

/* The part of the system that carries out the option. */
enum sockopt_level {
	LEVEL_HANDLED,		/* the daemon itself; optname is of enum sockopt_handled */
	LEVEL_STORED,		/* the same; optname is its place in sockopt_own */
	LEVEL_STACK,		/* the stack, by no option of that value; optname is of enum sockopt_stack */
	LEVEL_SOCKET,
	LEVEL_IP,
	LEVEL_IPV6,
	LEVEL_SCTP,
};

enum sockopt_handled {
	HANDLED_ACTIVE,
	HANDLED_EVENTS,
	HANDLED_NETNS,
	HANDLED_AUTH,
};

enum sockopt_stack {
	STACK_BLACKHOLE,
};

/* The value of sctp_auth_required. */
struct sockopt_auth {
	uint16_t	keynumber;
	uint16_t	keylength;
	uint32_t	nchunks;
	uint32_t	nhmacs;
	uint16_t	hmacs[SOCKOPT_HMACS];
	uint8_t		chunks[SOCKOPT_AUTH_CHUNKS];
	uint8_t		key[SOCKOPT_KEY_MAX];
};

/* The value of path_manager. */
struct sockopt_paths {
	struct sockaddr_storage	primary;	/* wanted; none: the one that it came up with */
	int64_t			wait;		/* ms of health until it is taken again; -1: never */
	int64_t			half_life;	/* ms, of the penalty; 0: no path is damped */
	int32_t			failover;	/* enum sockopt_failover */
	bool			on;
	bool			ask_peer;
};

enum sockopt_failover { FAILOVER_KEPT, FAILOVER_FAST };

/* The value of stall. */
struct sockopt_stall {
	int64_t			time;		/* ms; -1: nobody looks */
	bool			abort;
};

/* The options that the daemon keeps with a socket. */
struct sockopt_own {
	int32_t		mode;			/* enum sockopt_mode */
	uint32_t	buffer;
	uint32_t	high_msgq_watermark;
	uint32_t	low_msgq_watermark;
	int64_t		send_timeout;
	bool		non_block_send;
	bool		bundle;
	bool		refuse_without_auth;
	int32_t		on_owner_exit;		/* enum sockopt_exit */
	int64_t		hold_time;
	struct sockopt_paths paths;
	struct sockopt_stall stall;
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
	const char		*since;		/* the first Linux version that has it; NULL: all that sctpd runs on */
	bool			 kernel_only;	/* the userland stack does not have it */
	const char		*needs;		/* what the stack lacks if it says EPERM */
	const char		*bounds;	/* which values go together, for EINVAL; or NULL */
	bool			 secret;	/* its value is cleared wherever it was, once it is set */
	const struct field	*fields;
	const char		*doc;
};

/* Room for the largest option there is. */
#define SOCKOPT_MAX	512
extern const struct sockopt sockopt_table[];

/* Constants of the stacks' headers that are no rows, and why. */
struct sockopt_absent {
	const char	*name;
	const char	*why;
};

extern const struct sockopt_absent sockopt_absent_kernel[];
extern const struct sockopt_absent sockopt_absent_userland[];

/* The option of that name, NULL if there is none. */
const struct sockopt *sockopt_find(const char *name, size_t len);

/* The field that names the association, NULL if the option has none. */
const struct field *sockopt_assoc(const struct sockopt *);

/* The id in that field of a value; 0 if the option has none. */
uint32_t sockopt_get_assoc(const struct sockopt *, const char *value);

#endif
