/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "nats/mem.h"
#include "nats/state.h"

#define FORM	"sctpd-nats state 1\n"
/* Of a fixed length, so that a mark overwrites all of it. */
#define NUMBERS	"in %020" PRIu64 " %020" PRIu64 "\nout %020" PRIu64 " %020" PRIu64 "\n"

struct state	state;

static char	*path;
static int	 fd = -1;

static int
numbers(char *to, size_t size)
{
	return snprintf(to, size, FORM NUMBERS, state.in_event, state.in_seq, state.out_seq, state.out_note);
}

/* The socket of the endpoint with that name. */
static void
read_socket(const char *name, uint64_t sock)
{
	for (size_t i = 0; i < config.n_endpoints; i++) {
		if (strcmp(config.endpoints[i].name, name) == 0)
			state.socks[i] = sock;
	}
}

static void
read_lines(FILE *f)
{
	char		line[256], name[CONFIG_NAME], host[CONFIG_NAME] = "";
	uint64_t	sock;

	if (fgets(line, sizeof line, f) == NULL || strcmp(line, FORM) != 0)
		log_fatal("%s: its first line is not \"%.18s\": it is another version's, or no state at all; move it away, and the bridge begins anew", path, FORM);
	while (fgets(line, sizeof line, f) != NULL) {
		if (sscanf(line, "in %" SCNu64 " %" SCNu64, &state.in_event, &state.in_seq) == 2 ||
		    sscanf(line, "out %" SCNu64 " %" SCNu64, &state.out_seq, &state.out_note) == 2 ||
		    sscanf(line, "host %63s", host) == 1 ||
		    sscanf(line, "term %" SCNu64, &state.term) == 1 ||
		    sscanf(line, "session %8" SCNx32 " %32s", &state.epoch, state.token) == 2)
			continue;
		if (sscanf(line, "endpoint %63s %" SCNu64, name, &sock) == 2)
			read_socket(name, sock);
	}
	if (strcmp(host, config.host) != 0)
		log_fatal("%s is the state of host %s, and this is %s: give each host a state_dir of its own", path, host, config.host);
}

void
state_open(void)
{
	char	*lock = xprintf("%s/lock", config.state_dir);
	FILE	*f;
	int	 held;

	/* Held as long as the process is there. */
	if ((held = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) == -1)
		log_fatal("state_dir: %s: %s%s", lock, strerror(errno), errno == ENOENT ? "; make that folder, or set state_dir" : "");
	if (flock(held, LOCK_EX | LOCK_NB) == -1)
		log_fatal("state_dir: another sctpd-nats uses %s; give each a folder of its own", config.state_dir);
	free(lock);
	path = xprintf("%s/state", config.state_dir);
	if ((f = fopen(path, "re")) == NULL) {
		if (errno != ENOENT)
			log_fatal("%s: %s", path, strerror(errno));
		return;
	}
	read_lines(f);
	(void)fclose(f);
	if ((fd = open(path, O_WRONLY | O_CLOEXEC)) == -1)
		log_fatal("%s: %s", path, strerror(errno));
}

void
state_save(void)
{
	char	*new = xprintf("%s.new", path), head[256];
	int	 to = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE	*f = to == -1 ? NULL : fdopen(dup(to), "w");

	if (f == NULL)
		log_fatal("%s: %s", new, strerror(errno));
	(void)numbers(head, sizeof head);
	(void)fprintf(f, "%shost %s\n", head, config.host);
	(void)fprintf(f, "term %" PRIu64 "\n", state.term);
	if (state.epoch != 0)
		(void)fprintf(f, "session %08" PRIx32 " %s\n", state.epoch, state.token);
	for (size_t i = 0; i < config.n_endpoints; i++)
		(void)fprintf(f, "endpoint %s %" PRIu64 "\n", config.endpoints[i].name, state.socks[i]);
	if (fflush(f) != 0 || fsync(to) == -1 || rename(new, path) == -1)
		log_fatal("%s: %s", new, strerror(errno));
	(void)fclose(f);
	free(new);
	if (fd != -1)
		close(fd);
	fd = to;
}

void
state_mark(void)
{
	char	text[256];
	int	n = numbers(text, sizeof text);

	if (pwrite(fd, text, (size_t)n, 0) != n)
		log_fatal("%s: %s", path, strerror(errno));
}
