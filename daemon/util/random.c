/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See random.h. The kernel gives so few bytes whole, once it has any.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>

#include "util/log.h"
#include "util/random.h"

#define AGAIN_MS	10

void
random_fill(void *to, size_t n)
{
	while (getrandom(to, n, 0) != (ssize_t)n) {
		if (errno != EINTR && errno != EAGAIN)
			log_fatal("getrandom: %s", strerror(errno));
		(void)poll(NULL, 0, errno == EINTR ? 0 : AGAIN_MS);
	}
}
