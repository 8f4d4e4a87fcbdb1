/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between usrsctp's structs and those that the tables of proto/ describe.
 *
 * Both sides are tables of fields with the same keys and the same words, each
 * made with its own header: values go from a key to the same key.
 */
#ifndef USERLAND_FIELD_H
#define USERLAND_FIELD_H

#include "field.h"

/* A struct and what describes it. */
struct shape {
	const struct field	*fields;
	char			*mem;
};

/* Whose ids and addresses are meant. */
struct turn {
	const struct assoc	*assoc;		/* NULL: no one's, or future ones' */
	bool			 outward;	/* away from usrsctp */
};

/*
 * All fields that both sides have; the others are left alone. False: an
 * address is not one of the association's.
 */
bool userland_convert(const struct turn *, const struct shape *from, const struct shape *to);

#endif
