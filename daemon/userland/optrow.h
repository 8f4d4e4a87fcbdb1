/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What usrsctp has of the options in proto/sockopt.c.
 */
#ifndef USERLAND_OPTROW_H
#define USERLAND_OPTROW_H

#include <stdbool.h>
#include <stdint.h>

#include "field.h"

struct sock;
struct assoc;
struct socket;

struct optrow {
	const char		*name;		/* as in sockopt_table */
	bool			 is_socket;	/* SOL_SOCKET's, else SCTP's */
	int			 least;		/* a buffer: doubled, at least that */
	int			 optname;
	uint16_t		 size;
	const struct field	*fields;	/* with the same keys */

	/* Those that are two of usrsctp's: struct is as fields say. */
	int			 (*get_raw)(struct socket *, void *raw);
	int			 (*set_raw)(struct socket *, const void *raw);

	/* Those that are ours, with a struct as fields say. */
	int			 (*get_own)(struct sock *, struct assoc *, void *raw);
	int			 (*set_own)(struct sock *, struct assoc *, const void *raw);

	/* Those that are not usrsctp's; buf is as sockopt_table says. */
	int			 (*get)(struct sock *, struct assoc *, char *buf);
	int			 (*set)(struct sock *, struct assoc *, const char *buf);
};

/* NULL: this stack does not have it. */
const struct optrow *optrow_find(const char *name);

#endif
