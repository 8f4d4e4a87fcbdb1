/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sctpd.conf might hold. A mistake is told with the file's name, and what
 * was taken can be printed, read again, and is the same then.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "fuzz.h"
#include "util/log.h"

static char	text[2][16384];		/* as it is printed */

static bool
parse(struct config *c, const void *data, size_t n, char *error, size_t size)
{
	union { const void *in; void *out; } p = { .in = data };
	FILE	*f = fmemopen(p.out, n, "r");
	bool	 ok;

	must(f != NULL);
	ok = config_parse(c, f, "file", error, size);
	(void)fclose(f);
	return ok;
}

static size_t
print(const struct config *c, char *to, size_t size)
{
	FILE	*f = fmemopen(to, size, "w");
	long	 n;

	must(f != NULL);
	config_print(c, f);
	n = ftell(f);
	(void)fclose(f);
	return (size_t)n;
}

static void
read_again(const struct config *c)
{
	struct config	again;
	char		error[512];
	size_t		n = print(c, text[0], sizeof text[0]);

	config_init(&again);
	must(n < sizeof text[0] - 1 && parse(&again, text[0], n, error, sizeof error));
	must(print(&again, text[1], sizeof text[1]) == n && memcmp(text[0], text[1], n) == 0);
	config_free(&again);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	log_set_level(-1);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct config	c;
	char		error[512] = "";

	if (n == 0)
		return 0;
	config_init(&c);
	if (parse(&c, data, n, error, sizeof error))
		read_again(&c);
	else
		must(strncmp(error, "file:", 5) == 0 && strlen(error) > 8);
	config_free(&c);
	return 0;
}
