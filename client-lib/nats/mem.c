/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nats/mem.h"

static void *
there(void *p)
{
	if (p == NULL)
		log_fatal("there is no memory left");
	return p;
}

void *
xcalloc(size_t n, size_t size)
{
	return there(calloc(n, size));
}

char *
xstrdup(const char *s)
{
	return there(strdup(s));
}

char *
xprintf(const char *format, ...)
{
	va_list	 ap;
	char	*s;

	va_start(ap, format);
	if (vasprintf(&s, format, ap) == -1)
		s = NULL;
	va_end(ap);
	return there(s);
}
