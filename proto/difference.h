/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where sctpd behaves like gen_sctp and where it does not, for readers who know
 * gen_sctp. The tables are printed into the reference.
 */
#ifndef DIFFERENCE_H
#define DIFFERENCE_H

/* A row of either table. The text is Markdown. */
struct difference {
	const char	*what;
	const char	*otp;
	const char	*sctpd;
};

/* Behaviour, and the values that options have by default. */
extern const struct difference difference_table[];
extern const struct difference difference_defaults[];

/*
 * Where the two stacks differ. A test that cannot run on the userland stack
 * names the key of the row that says why.
 */
struct stack_difference {
	const char	*key;
	const char	*kernel;
	const char	*userland;
};

extern const struct stack_difference stack_difference_table[];

#endif
