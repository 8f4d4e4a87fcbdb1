/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See unixconn.h.
 */
#include <err.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "unixconn.h"

int
unix_connect(const char *path)
{
	struct sockaddr_un	a = { .sun_family = AF_UNIX };
	int			fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	for (int i = 0; fd != -1 && connect(fd, (struct sockaddr *)&a, sizeof a) == -1; i++) {
		if (i == 1000)
			err(1, "%s", path);
		(void)usleep(10000);
	}
	if (fd == -1)
		err(1, "socket");
	return fd;
}
