/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Test build: die by SIGKILL at the place named in the file SCTPD_FAULT.
 * The file holds a place and a number: "recvmmsg 3" is the third time from now
 * on. The file is removed first, so that the next process survives.
 */
#include "util/fault.h"

#ifdef FAULT_POINTS
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/log.h"

#define NAME(name, what)	name,

static const char *const places[] = { FAULT_PLACES(NAME) };

static bool
is_place(const char *name)
{
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		if (strcmp(places[i], name) == 0)
			return true;
	}
	return false;
}

void
known_check(bool holds, const char *what)
{
	if (!holds)
		log_fatal("not in the journal: %s", what);
}

/* The place that is wanted, and how often it is still to come; 0: no file has named one since. */
static char	wanted[32];
static int	left;

static void
read_wanted(void)
{
	const char	*path = getenv("SCTPD_FAULT");
	FILE		*f = path != NULL ? fopen(path, "re") : NULL;

	if (f == NULL)
		return;
	if (fscanf(f, "%31s %d", wanted, &left) != 2)
		left = 0;
	(void)fclose(f);
	(void)unlink(path);
}

/* The thread that writes records comes here as well as the loop. */
void
fault_point(const char *name)
{
	static pthread_mutex_t	one = PTHREAD_MUTEX_INITIALIZER;
	int			number = errno;

	if (!is_place(name))
		log_fatal("fault.h has no place \"%s\"", name);
	(void)pthread_mutex_lock(&one);
	if (left == 0)
		read_wanted();
	if (left > 0 && strcmp(wanted, name) == 0 && --left == 0)
		(void)kill(getpid(), SIGKILL);
	(void)pthread_mutex_unlock(&one);
	errno = number;
}
#else
typedef int fault_is_off;	/* a file must declare something */
#endif
