/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the keeper holds.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "service/fdstore.h"

#define FIRST_PASSED	3
#define FIRST_HELD	64	/* above all that are passed */

#define PATIENCE	5	/* deaths in a row that are nothing special */
#define PAUSE_MIN	100
#define PAUSE_MAX	5000

static struct {
	int	fd;
	char	name[FDSTORE_NAME_MAX];	/* empty: free */
} held[FDSTORE_MAX];

/* The empty name finds a place that is free. */
static int
find(const char *name)
{
	for (int i = 0; i < FDSTORE_MAX; i++) {
		if (strcmp(held[i].name, name) == 0)
			return i;
	}
	return -1;
}

static void
forget(int i)
{
	(void)close(held[i].fd);
	held[i].name[0] = '\0';
}

bool
fdstore_put(const char *name, int fd)
{
	int	high = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_HELD), i;

	(void)close(fd);
	if (high == -1)
		return false;
	fdstore_remove(name);
	if (name[0] == '\0' || strlen(name) >= FDSTORE_NAME_MAX || strchr(name, ':') != NULL ||
	    (i = find("")) == -1) {
		(void)close(high);
		return false;
	}
	held[i].fd = high;
	(void)snprintf(held[i].name, sizeof held[i].name, "%s", name);
	return true;
}

void
fdstore_remove(const char *name)
{
	int	i;

	if (name[0] != '\0' && (i = find(name)) != -1)
		forget(i);
}

int
fdstore_get(const char *name)
{
	int	i = find(name);

	return i == -1 ? -1 : held[i].fd;
}

void
fdstore_close(void)
{
	for (int i = 0; i < FDSTORE_MAX; i++) {
		if (held[i].name[0] != '\0')
			forget(i);
	}
}

unsigned
fdstore_pass(char *names, size_t size)
{
	size_t		len = 0;
	unsigned	n = 0;

	names[0] = '\0';
	for (int i = 0; i < FDSTORE_MAX; i++) {
		if (held[i].name[0] == '\0' || dup2(held[i].fd, FIRST_PASSED + (int)n) == -1)
			continue;
		len += (size_t)snprintf(names + len, size - len, "%s%s", n > 0 ? ":" : "", held[i].name);
		n++;
	}
	return n;
}

bool
fdstore_value(const char *lines, const char *key, char *value, size_t size)
{
	size_t	n = strlen(key);

	value[0] = '\0';
	while (lines != NULL && *lines != '\0') {
		if (strncmp(lines, key, n) == 0 && lines[n] == '=') {
			(void)snprintf(value, size, "%.*s",
			    (int)strcspn(lines + n + 1, "\n"), lines + n + 1);
			return true;
		}
		if ((lines = strchr(lines, '\n')) != NULL)
			lines++;
	}
	return false;
}

int
fdstore_pause(unsigned n)
{
	int	pause = PAUSE_MIN;

	if (n < PATIENCE)
		return 0;
	for (; n > PATIENCE && pause < PAUSE_MAX; n--)
		pause *= 2;
	return pause < PAUSE_MAX ? pause : PAUSE_MAX;
}
