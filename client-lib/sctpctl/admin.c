/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands for administrators of the daemon.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sctpctl/admin.h"
#include "sctpctl/call.h"
#include "sctpctl/out.h"

#define LOOK_MS		200	/* between two looks at how many associations are left */
#define SAY_MS		10000	/* between two lines where there is no terminal */

static int64_t
now_ms(void)
{
	struct timespec	t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- drain ----------------------------------------------------------- */

struct drain {
	int64_t	 began;
	int64_t	 said;
	int64_t	 first;		/* associations that there were */
	bool	 terminal;
};

static void
say_left(struct drain *d, int64_t left)
{
	if (d->terminal)
		fprintf(stderr, "\rdraining: %" PRId64 " of %" PRId64 " associations left, %" PRId64 " s \033[K",
		    left, d->first, (now_ms() - d->began) / 1000);
	else if (d->said == 0 || now_ms() - d->said >= SAY_MS) {
		fprintf(stderr, "draining: %" PRId64 " of %" PRId64 " associations left\n", left, d->first);
		d->said = now_ms();
	}
}

static void
end_saying(const struct drain *d)
{
	if (d->terminal)
		fputs("\r\033[K", stderr);
}

/* Ask until none is left, or the time is over; ms -1: whatever it takes. */
static int
wait_until_none(struct ctl *ctl, int64_t ms, int64_t left, const struct sctpd_value **v)
{
	static const char *const	 ask[] = { "drain" };
	struct drain			 d = { .began = now_ms(), .first = left, .terminal = isatty(STDERR_FILENO) };
	int				 fail;

	while (left > 0 && (ms < 0 || now_ms() - d.began < ms)) {
		say_left(&d, left);
		(void)poll(NULL, 0, LOOK_MS);
		if ((fail = call_ask(ctl, 1, ask, v)) != CTL_OK) {
			end_saying(&d);
			return fail;
		}
		if (!sctpd_get_int(*v, "on")) {
			end_saying(&d);
			return ctl_fail(CTL_FAILED, "somebody ended the draining; %" PRId64 " associations are left",
			    sctpd_get_int(*v, "associations"));
		}
		left = sctpd_get_int(*v, "associations");
	}
	end_saying(&d);
	if (left > 0)
		return ctl_fail(CTL_TIMEOUT, "%" PRId64 " associations are left; sctpctl assocs lists them, and the daemon takes no new ones until sctpctl undrain",
		    left);
	return CTL_OK;
}

static bool
read_seconds(const char *text, int64_t *ms)
{
	char		*end;
	unsigned long	 n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || n > 1000000000)
		return false;
	*ms = (int64_t)n * 1000;
	return true;
}

int
admin_drain(struct ctl *ctl, int argc, char **argv)
{
	static const char *const	 on[] = { "drain", "on=true" };
	const struct sctpd_value	*v;
	int64_t				 ms = -1;
	int				 fail;

	if (argc > 2 || (argc == 2 && !read_seconds(argv[1], &ms)))
		return ctl_fail(CTL_USAGE, "drain takes the longest time to wait, in seconds: sctpctl drain [SECONDS]");
	if ((fail = call_ask(ctl, 2, on, &v)) != CTL_OK ||
	    (fail = wait_until_none(ctl, ms, sctpd_get_int(v, "associations"), &v)) != CTL_OK)
		return fail;
	if (ctl->json)
		out_result(ctl, v);
	else
		puts("drained: no association is left; sctpctl undrain takes new ones again");
	return out_flush();
}

int
admin_undrain(struct ctl *ctl, int argc, char **argv)
{
	static const char *const	 off[] = { "drain", "on=false" };
	const struct sctpd_value	*v;
	int				 fail;

	(void)argv;
	if (argc > 1)
		return ctl_fail(CTL_USAGE, "undrain takes no words");
	if ((fail = call_ask(ctl, 2, off, &v)) != CTL_OK)
		return fail;
	if (ctl->json)
		out_result(ctl, v);
	return out_flush();
}

/* ---- the log level --------------------------------------------------- */

int
admin_log_level(struct ctl *ctl, int argc, char **argv)
{
	char				 word[32];
	const char			*words[] = { "log_level", word };
	const struct sctpd_value	*v;
	int				 fail;

	if (argc > 2 || (argc == 2 && strlen(argv[1]) > 16))
		return ctl_fail(CTL_USAGE, "log-level takes one of err, warning, notice, info, debug, or nothing");
	(void)snprintf(word, sizeof word, "level=%s", argc == 2 ? argv[1] : "");
	if ((fail = call_ask(ctl, argc, words, &v)) != CTL_OK)
		return fail;
	if (ctl->json)
		out_result(ctl, v);
	else
		puts(sctpd_get_str(v, "level"));
	return out_flush();
}
