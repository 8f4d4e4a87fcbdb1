/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * groups: a table with a line for each member.
 */
#include "sctpctl/call.h"
#include "sctpctl/groups.h"
#include "sctpctl/help.h"
#include "sctpctl/out.h"
#include "sctpctl/table.h"

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

const struct column member_columns[] = {
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
groups_columns(void)
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
	if (ctl->sort != NULL)
		table_sort(&rows, member_columns, ctl->sort);
	form.n = rows.n;
	table_print(stdout, member_columns, &rows, &form);
	rows_free(&rows);
}

int
groups_run(struct ctl *ctl, int argc, char **argv)
{
	const struct sctpd_value	*v, *list;
	int				 fail;

	if (ctl->sort != NULL && table_find(member_columns, ctl->sort) == NULL)
		return table_fail(member_columns, ctl->sort);
	if ((fail = call_ask(ctl, argc, (const char *const *)argv, &v)) != CTL_OK)
		return fail;
	list = sctpd_get(v, "groups");
	if (ctl->json || sctpd_count(list) == 0)
		return call_print(ctl, argv[0], v);
	print_groups(ctl, list);
	return out_flush();
}
