/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of proto/sockopt.c that the userland stack has. */
#ifndef USERLAND_OPTROW_H
#define USERLAND_OPTROW_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/field.h"

struct sock;
struct assoc;
struct socket;

struct optrow {
	const char		*name;		/* as in sockopt_table */
	bool			 is_socket;	/* level SOL_SOCKET, else IPPROTO_SCTP */
	int			 least;		/* of a buffer, whose size is doubled */
	int			 optname;
	uint16_t		 size;
	const struct field	*fields;	/* with the same keys */

	/* For an option that is two in usrsctp. raw is a struct as fields describes it. */
	int			 (*get_raw)(struct socket *, void *raw);
	int			 (*set_raw)(struct socket *, const void *raw);

	/* For an option that we handle. raw is a struct as fields describes it. */
	int			 (*get_own)(struct sock *, struct assoc *, void *raw);
	int			 (*set_own)(struct sock *, struct assoc *, const void *raw);

	/* For an option that usrsctp does not have. buf is as sockopt_table describes it. */
	int			 (*get)(struct sock *, struct assoc *, char *buf);
	int			 (*set)(struct sock *, struct assoc *, const char *buf);
};

/* NULL: this stack does not have it. */
const struct optrow *optrow_find(const char *name);

#endif
