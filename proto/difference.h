/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where sctpd behaves as gen_sctp does, and where it does not: for who knows
 * the one and writes for the other. Printed into the reference.
 */
#ifndef DIFFERENCE_H
#define DIFFERENCE_H

/* A row of either table: the words are Markdown's. */
struct difference {
	const char	*what;
	const char	*otp;
	const char	*sctpd;
};

/* Behaviour, and the values that options have by default. */
extern const struct difference difference_table[];
extern const struct difference difference_defaults[];

#endif
