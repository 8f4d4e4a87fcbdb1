/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translation between usrsctp's structs and those that the tables of proto/
 * describe.
 *
 * Both sides are tables of fields with the same keys and the same words. Each
 * table is made with its own header. A value goes from a key to the same key on
 * the other side.
 */
#ifndef USERLAND_FIELD_H
#define USERLAND_FIELD_H

#include "proto/field.h"

/* A struct and its description. */
struct shape {
	const struct field	*fields;
	char			*mem;
};

/* The association whose ids and addresses are translated, and the direction. */
struct turn {
	const struct assoc	*assoc;		/* NULL: none, or future ones */
	bool			 outward;	/* from usrsctp to us */
};

/*
 * Translate all fields that both sides have, and leave the others alone. False:
 * an address is not one of the association's.
 */
bool userland_convert(const struct turn *, const struct shape *from, const struct shape *to);

#endif
