/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of the daemon, its sockets, associations and clients, for people.
 */
#include <inttypes.h>
#include <string.h>

#include "sctpctl.h"

static const struct {
	const char	*method;
	const char	*none;
} lists[] = {
	{ "status", NULL },
	{ "sockets", "no sockets" },
	{ "assocs", "no associations" },
	{ "clients", "no clients" },
};

bool
list_knows(const char *method)
{
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		if (strcmp(lists[i].method, method) == 0)
			return true;
	}
	return false;
}

static void
print_uptime(int64_t s)
{
	if (s >= 86400)
		printf("%" PRId64 "d ", s / 86400);
	printf("%02" PRId64 ":%02" PRId64 ":%02" PRId64 "\n", s / 3600 % 24, s / 60 % 60, s % 60);
}

static void
print_status(const struct sctpd_value *v)
{
	const struct sctpd_value	*limits = sctpd_get(v, "limits");

	printf("sctpd %s, process %" PRId64 ", on %s\n", sctpd_get_str(v, "version"),
	    sctpd_get_int(v, "pid"), sctpd_get_str(v, "system"));
	printf("SCTP stack:    %s\n", sctpd_get_str(v, "stack"));
	printf("up:            ");
	print_uptime(sctpd_get_int(v, "uptime"));
	printf("clients:       %" PRId64 "\n", sctpd_get_int(v, "clients"));
	printf("sockets:       %" PRId64 "\n", sctpd_get_int(v, "sockets"));
	printf("associations:  %" PRId64, sctpd_get_int(v, "associations"));
	if (sctpd_get_int(v, "lingering") > 0)
		printf(", and %" PRId64 " of closed sockets", sctpd_get_int(v, "lingering"));
	printf("\nmessages:      %" PRId64 " received, %" PRId64 " sent\n",
	    sctpd_get_int(v, "recv_cnt"), sctpd_get_int(v, "send_cnt"));
	if (sctpd_count(limits) > 0) {
		printf("limits:        ");
		out_words(stdout, limits);
		putchar('\n');
	}
}

void
list_print(const struct ctl *ctl, const char *method, const struct sctpd_value *v)
{
	const struct sctpd_value	*list = sctpd_get(v, method);

	if (strcmp(method, "status") == 0) {
		print_status(v);
		return;
	}
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		if (strcmp(lists[i].method, method) == 0 && sctpd_count(list) == 0)
			puts(lists[i].none);
	}
	if (sctpd_count(list) > 0)
		out_table(ctl, list);
}
