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

/*
 * Where the stacks below the daemon differ. The tests name a row by its key
 * where one of theirs cannot run on the userland stack.
 */
struct stack_difference {
	const char	*key;
	const char	*kernel;
	const char	*userland;
};

extern const struct stack_difference stack_difference_table[];

#endif
