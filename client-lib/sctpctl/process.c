/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs of processes.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "sctpctl/process.h"

/* The program's name is known where the daemon's numbers of processes are ours: it is in no container, or we are in it. */
static bool	sees_processes;

int
process_look(struct ctl *ctl)
{
	static bool			 asked;
	const struct sctpd_value	*v, *list;
	uint64_t			 own;
	int				 code;

	if (asked)
		return CTL_OK;
	asked = true;
	if ((code = ctl_dial(ctl)) != CTL_OK)
		return code;
	if ((code = sctpd_hello(ctl->c, "sctpctl", &own)) != SCTPD_OK ||
	    (code = sctpd_call(ctl->c, &v, "clients")) != SCTPD_OK)
		return ctl_fail_call(ctl, code);
	list = sctpd_get(v, "clients");
	for (size_t i = 0; i < sctpd_count(list); i++) {
		if ((uint64_t)sctpd_get_int(sctpd_item(list, i), "client") == own)
			sees_processes = sctpd_get_int(sctpd_item(list, i), "pid") == getpid();
	}
	return CTL_OK;
}

void
process_program(int64_t pid, char *to, size_t size)
{
	char	path[64];
	FILE	*f;

	*to = '\0';
	(void)snprintf(path, sizeof path, "/proc/%" PRId64 "/comm", pid);
	if (!sees_processes || pid <= 0 || (f = fopen(path, "re")) == NULL)
		return;
	if (fgets(to, (int)size, f) == NULL)
		*to = '\0';
	to[strcspn(to, "\n")] = '\0';
	fclose(f);
}
