/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the daemon has and can do, for people.
 */
#include <inttypes.h>
#include <string.h>

#include "sctpctl/help.h"
#include "sctpctl/list.h"
#include "sctpctl/out.h"
#include "sctpctl/table.h"

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

/* ---- groups ---------------------------------------------------------- */

/* A member of a group, or a group that has none. */
struct member_row {
	const struct sctpd_value	*group, *member;
};

static void
of_member(FILE *f, const struct member_row *r, const char *key)
{
	fputs(r->member != NULL && *sctpd_get_str(r->member, key) != '\0' ? sctpd_get_str(r->member, key) : "-", f);
}

static double
number_of_member(const struct member_row *r, const char *key)
{
	return r->member != NULL ? (double)sctpd_get_int(r->member, key) : -1;
}

static void
show_name(FILE *f, const void *row)
{
	of_member(f, row, "name");
}

static void
show_state(FILE *f, const void *row)
{
	of_member(f, row, "state");
}

COLUMN_TEXT(member_row, group, "%s", sctpd_get_str(r->group, "name"))
COLUMN_TEXT(member_row, policy, "%s", sctpd_get_str(r->group, "policy"))
COLUMN_NUMBER(member_row, sock, sctpd_get_int(r->group, "sock"), table_number)
COLUMN_NUMBER(member_row, waiting, sctpd_get_int(r->group, "waiting"), table_count)
COLUMN_NUMBER(member_row, unassigned, sctpd_get_int(r->group, "unassigned"), table_count)
COLUMN_NUMBER(member_row, client, number_of_member(r, "client"), table_number)
COLUMN_NUMBER(member_row, pid, number_of_member(r, "pid"), table_number)
COLUMN_NUMBER(member_row, priority, number_of_member(r, "priority"), table_number)
COLUMN_NUMBER(member_row, shares, number_of_member(r, "sockets"), table_count)
COLUMN_NUMBER(member_row, going, number_of_member(r, "going"), table_count)
COLUMN_NUMBER(member_row, age, r->member != NULL && sctpd_get_int(r->member, "going") > 0 ?
    (double)sctpd_get_int(r->member, "going_for") / 1000 : -1.0, table_age)
COLUMN_NUMBER(member_row, queued, number_of_member(r, "queued"), table_count)

static const struct column member_columns[] = {
	{ "group", 0, false, "the group's name", show_group, NULL },
	{ "policy", 4, false, "how it shares", show_policy, NULL },
	{ "sock", 3, true, "its socket", show_sock, number_sock },
	{ "waiting", 0, true, "events that wait in the daemon, of the whole group", show_waiting, number_waiting },
	{ "unassigned", 5, true, "its associations that wait for a member", show_unassigned, number_unassigned },
	{ "client", 0, true, "the number of a member", show_client, number_client },
	{ "name", 1, false, "the name that it gave itself", show_name, NULL },
	{ "pid", 6, true, "its process", show_pid, number_pid },
	{ "priority", 7, true, "the smallest is the first", show_priority, number_priority },
	{ "state", 0, false, "active, draining, or away", show_state, NULL },
	{ "shares", 0, true, "associations that it has; with spread, slots of 256", show_shares, number_shares },
	{ "going", 0, true, "of them, those that go to another once it has acknowledged what it was sent", show_going, number_going },
	{ "for", 2, true, "how long the first of these has waited", show_age, number_age },
	{ "queued", 0, true, "bytes that it was sent and has not acknowledged", show_queued, number_queued },
	{ NULL, 0, false, NULL, NULL, NULL }
};

void
list_group_columns(void)
{
	puts("\ncolumns:");
	for (const struct column *c = member_columns; c->name != NULL; c++)
		help_row(c->name, c->doc);
}

static void
print_groups(const struct ctl *ctl, const struct sctpd_value *groups)
{
	struct rows			 rows = { .size = sizeof(struct member_row) };
	struct table_form		 form = { 0, 0, ctl->verbose ? TABLE_ALL : table_width(), 2, ctl->color };
	const struct sctpd_value	*members;
	size_t				 n;

	for (size_t i = 0; i < sctpd_count(groups); i++) {
		members = sctpd_get(sctpd_item(groups, i), "members");
		n = sctpd_count(members);
		for (size_t j = 0; j < n || j == 0; j++)
			*(struct member_row *)rows_add(&rows) = (struct member_row){ sctpd_item(groups, i),
			    n > 0 ? sctpd_item(members, j) : NULL };
	}
	form.n = rows.n;
	table_print(stdout, member_columns, &rows, &form);
	rows_free(&rows);
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
	if (sctpd_count(list) > 0 && strcmp(method, "groups") == 0)
		print_groups(ctl, list);
	else if (sctpd_count(list) > 0)
		out_table(ctl, list);
	if (sctpd_get_int(v, "more") != 0)
		puts("there are more: give after_sock and after_assoc, which are sock and assoc_id of the last one");
}
