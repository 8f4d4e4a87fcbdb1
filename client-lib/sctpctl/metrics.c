/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics: on standard output, into a file, or over HTTP.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sctpctl/expose.h"
#include "sctpctl/http.h"
#include "sctpctl/metrics.h"
#include "sctpctl/out.h"

/*
 * The file is there as a whole or not at all: node_exporter may read it at any
 * time. The name of the temporary file does not end with .prom.
 */
static int
write_file(const char *path, const struct scrape *s, bool openmetrics)
{
	char	*temporary;
	FILE	*f = NULL;
	int	 fd, fail = CTL_OK;

	if (asprintf(&temporary, "%s.XXXXXX", path) == -1)
		return ctl_fail(CTL_FAILED, "there is no memory left");
	if ((fd = mkstemp(temporary)) == -1 || (f = fdopen(fd, "w")) == NULL) {
		fail = ctl_fail(CTL_FAILED, "--output: \"%s\": %s", temporary, strerror(errno));
		if (fd != -1)
			(void)close(fd);
	} else {
		expose(f, s, openmetrics);
		(void)fchmod(fd, 0644);
		/* Both, whatever the first says. */
		if ((ferror(f) | fclose(f)) != 0 || rename(temporary, path) == -1)
			fail = ctl_fail(CTL_FAILED, "--output: \"%s\": %s", path, strerror(errno));
	}
	if (fail != CTL_OK && fd != -1)
		(void)unlink(temporary);
	free(temporary);
	return fail;
}

/* The metrics are written whatever the daemon says; then the exit status says it, too. */
static int
write_once(struct ctl *ctl)
{
	struct scrape	s;
	int		fail = CTL_OK;

	scrape_make(&s, ctl);
	if (ctl->output != NULL)
		fail = write_file(ctl->output, &s, ctl->openmetrics);
	else
		expose(stdout, &s, ctl->openmetrics);
	if (fail == CTL_OK)
		fail = out_flush();
	if (fail == CTL_OK && !s.complete)
		fail = ctl_fail(s.up ? CTL_FAILED : CTL_UNREACHABLE, "%s", s.why);
	scrape_free(&s);
	return fail;
}

int
metrics_run(struct ctl *ctl, int argc, char **argv)
{
	bool	serves = ctl->http || ctl->listen != NULL;

	(void)argv;
	if (argc > 1)
		return ctl_fail(CTL_USAGE, "metrics takes no words, and options only; see: sctpctl help metrics");
	if (ctl->json)
		return ctl_fail(CTL_USAGE, "metrics has formats of its own, so --json does not go with it; "
		    "status, assocs and paths have the same numbers");
	if (serves && (ctl->output != NULL || ctl->openmetrics))
		return ctl_fail(CTL_USAGE, "--output and --openmetrics do not go with HTTP, where each request says what it wants");
	if (ctl->http && ctl->listen != NULL)
		return ctl_fail(CTL_USAGE, "--http takes the sockets of systemd, so --listen does not go with it");
	if (ctl->idle > 0 && !serves)
		return ctl_fail(CTL_USAGE, "--idle goes with --http and --listen only");
	return serves ? http_serve(ctl) : write_once(ctl);
}
