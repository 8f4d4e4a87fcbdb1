/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>

#include "run/say.h"

/* In one piece: the program writes there, too. */
static void
say_all(const char *fmt, va_list ap)
{
	char	text[1024];

	(void)vsnprintf(text, sizeof text, fmt, ap);
	fprintf(stderr, "sctpctl: %s\n", text);
}

int
say_fail(int status, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	say_all(fmt, ap);
	va_end(ap);
	return status;
}

void
say(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	say_all(fmt, ap);
	va_end(ap);
}
