/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the daemon has and can do, for people.
 */
#include <inttypes.h>
#include <string.h>

#include "sctpctl/list.h"
#include "sctpctl/out.h"

static const struct {
	const char	*method;
	const char	*none;
} lists[] = {
	{ "status", NULL },
	{ "describe", NULL },
	{ "sockets", "no sockets" },
	{ "assocs", "no associations" },
	{ "paths", "no paths" },
	{ "clients", "no clients" },
	{ "supervised", "nothing is supervised" },
	{ "groups", "no groups" },
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
print_status(const struct sctpd_value *v)
{
	const struct sctpd_value	*limits = sctpd_get(v, "limits");
	const struct sctpd_value	*users = sctpd_get(v, "users");
	int64_t				 up = sctpd_get_int(v, "uptime");	/* s */

	printf("sctpd %s, process %" PRId64 ", on %s\n", sctpd_get_str(v, "version"),
	    sctpd_get_int(v, "pid"), sctpd_get_str(v, "system"));
	printf("SCTP stack:    %s\n", sctpd_get_str(v, "stack"));
	printf("up:            ");
	if (up >= 86400)
		printf("%" PRId64 "d ", up / 86400);
	printf("%02" PRId64 ":%02" PRId64 ":%02" PRId64 "\n", up / 3600 % 24, up / 60 % 60, up % 60);
	printf("clients:       %" PRId64, sctpd_get_int(v, "clients"));
	if (sctpd_get_int(v, "away") > 0)
		printf(", and %" PRId64 " without a connection", sctpd_get_int(v, "away"));
	putchar('\n');
	printf("sockets:       %" PRId64 "\n", sctpd_get_int(v, "sockets"));
	printf("associations:  %" PRId64, sctpd_get_int(v, "associations"));
	if (sctpd_get_int(v, "lingering") > 0)
		printf(", and %" PRId64 " of closed sockets", sctpd_get_int(v, "lingering"));
	if (sctpd_get_int(v, "draining") != 0)
		printf("; drained: no new ones are taken until sctpctl undrain");
	printf("\nmessages:      %" PRId64 " received, %" PRId64 " sent\n",
	    sctpd_get_int(v, "recv_cnt"), sctpd_get_int(v, "send_cnt"));
	printf("memory:        %" PRId64 " KiB\n", sctpd_get_int(v, "memory") / 1024);
	for (size_t i = 0; i < sctpd_count(users); i++) {
		printf("user:          ");
		out_words(stdout, sctpd_item(users, i));
		putchar('\n');
	}
	if (sctpd_count(limits) > 0) {
		printf("limits:        ");
		out_words(stdout, limits);
		putchar('\n');
	}
}

/* Every table of the daemon's: names, and where they come from. */
static void
print_description(const struct sctpd_value *v)
{
	const struct sctpd_value	*row;
	const char			*name;

	for (size_t i = 0; i < sctpd_count(v); i++) {
		printf("%s%s:\n", i > 0 ? "\n" : "", sctpd_key(v, i));
		for (size_t j = 0; j < sctpd_count(sctpd_item(v, i)); j++) {
			row = sctpd_item(sctpd_item(v, i), j);
			name = sctpd_str(sctpd_item(row, 0), NULL);
			printf("  %-38s %s\n", name, sctpd_get(row, "from") != NULL ?
			    sctpd_get_str(row, "from") : sctpd_get_str(row, "doc"));
		}
	}
	puts("\nTheir fields: sctpctl help NAME, or sctpctl --json describe");
}

void
list_print(const struct ctl *ctl, const char *method, const struct sctpd_value *v)
{
	const struct sctpd_value	*list = sctpd_get(v, method);

	if (strcmp(method, "status") == 0) {
		print_status(v);
		return;
	}
	if (strcmp(method, "describe") == 0) {
		print_description(v);
		return;
	}
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		if (strcmp(lists[i].method, method) == 0 && sctpd_count(list) == 0)
			puts(lists[i].none);
	}
	if (sctpd_count(list) > 0)
		out_table(ctl, list);
	if (sctpd_get_int(v, "more") != 0)
		puts("there are more: give after_sock and after_assoc, which are sock and assoc_id of the last one");
}
