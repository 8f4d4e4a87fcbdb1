/* SPDX-License-Identifier: BSD-2-Clause */
/* Choosing the stack that is used. */
#include <string.h>

#include "config.h"
#include "stack/stack.h"

const struct stack		*stack;

static const struct stack *const	*all;
static size_t			 nall;
static const char		*why = "the setting stack says so";

void
stack_give(const struct stack *const *stacks, size_t n)
{
	all = stacks;
	nall = n;
	stack = all[0];
}

void
stack_choose(void)
{
	size_t	i = 0;

	if (nall == 1)
		why = "sctpd was built without usrsctp, and has no other";
	else if (strcmp(config.stack, "auto") == 0) {
		/* The first that the host has; or else the last, which says what is missing. */
		while (i + 1 < nall && all[i]->probe() != NULL)
			i++;
		stack = all[i];
		why = i == 0 ? "this kernel has SCTP" : "this kernel has no SCTP";
	} else {
		for (; i < nall; i++)
			if (strcmp(config.stack, all[i]->name) == 0)
				stack = all[i];
	}
}

const char *
stack_why(void)
{
	return why;
}
