/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * assocs, paths, sockets and clients: the rows that are wanted, sorted, as a table, in full or
 * as JSON.
 */
#include <stdlib.h>
#include <string.h>

#include "sctpctl/assocs.h"
#include "sctpctl/groups.h"
#include "sctpctl/help.h"
#include "sctpctl/out.h"
#include "sctpctl/pages.h"
#include "sctpctl/paths.h"
#include "sctpctl/things.h"
#include "sctpctl/view.h"

/* A kind of list. */
struct view {
	const char		*name, *none;
	const struct column	*columns;
	const char		*order[2];	/* columns that the rows are sorted by first */
	int			(*get)(struct ctl *, int argc, char **argv, struct rows *);
	bool			(*has_state)(const char *);	/* NULL: it has none */
	const char		*states;
};

/* ---- printing ------------------------------------------------------- */

static void
print_json(const struct view *view, const struct rows *rows)
{
	printf("{\"%s\": [", view->name);
	for (size_t i = 0; i < rows->n; i++)
		printf("%s%s", i > 0 ? ", " : "", *(char **)rows_at(rows, i));
	puts(view->has_state != NULL ? "], \"more\": false}" : "]}");
}

/* One by one, as each needs requests of its own. */
static int
print_in_full(struct ctl *ctl, const struct rows *rows)
{
	const struct assoc_row	*r;
	int			 fail = CTL_OK;

	for (size_t i = 0; i < rows->n && fail == CTL_OK; i++) {
		r = rows_at(rows, i);
		if (i > 0)
			putchar('\n');
		fail = assocs_describe(ctl, stdout, r->sock, r->assoc_id);
	}
	return fail;
}

static int
print(struct ctl *ctl, const struct view *view, const struct rows *rows)
{
	struct table_form	form = { 0, rows->n, ctl->verbose ? TABLE_ALL : table_width(), 2, ctl->color };

	if (ctl->json)
		print_json(view, rows);
	else if (rows->n == 0)
		puts(view->none);
	else if (ctl->verbose && view->columns == assoc_columns)
		return print_in_full(ctl, rows);
	else
		table_print(stdout, view->columns, rows, &form);
	return CTL_OK;
}

/* ---- the commands --------------------------------------------------- */

static int
get_assocs(struct ctl *ctl, int argc, char **argv, struct rows *rows)
{
	return assocs_get(ctl, argc, argv, true, rows);
}

static int
run(struct ctl *ctl, const struct view *view, int argc, char **argv)
{
	struct rows	rows = { .n = 0 };
	int		fail;

	if (ctl->sort != NULL && table_find(view->columns, ctl->sort) == NULL)
		return table_fail(view->columns, ctl->sort);
	if (ctl->by_state != NULL && !view->has_state(ctl->by_state))
		return ctl_fail(CTL_USAGE, "--state: there is no state \"%s\"; there are: %s", ctl->by_state, view->states);
	rows_keep_memory();
	if ((fail = view->get(ctl, argc, argv, &rows)) == CTL_OK) {
		/* The daemon's order is of no use to people. */
		for (size_t i = 0; i < 2 && view->order[i] != NULL; i++)
			table_sort(&rows, view->columns, view->order[i]);
		if (ctl->sort != NULL)
			table_sort(&rows, view->columns, ctl->sort);
		fail = print(ctl, view, &rows);
	}
	pages_free(&rows);
	return fail != CTL_OK ? fail : out_flush();
}

int
view_assocs(struct ctl *ctl, int argc, char **argv)
{
	static const struct view	view = { "assocs", "no associations", assoc_columns, { "assoc", "sock" }, get_assocs,
	    assocs_has_state, ASSOC_STATES };

	return run(ctl, &view, argc, argv);
}

int
view_paths(struct ctl *ctl, int argc, char **argv)
{
	static const struct view	view = { "paths", "no paths", path_columns, { "assoc", "sock" }, paths_get,
	    paths_has_state, PATH_STATES };

	return run(ctl, &view, argc, argv);
}

int
view_sockets(struct ctl *ctl, int argc, char **argv)
{
	static const struct view	view = { "sockets", "no sockets", sock_columns, { "sock" }, things_get_socks, NULL, NULL };

	return run(ctl, &view, argc, argv);
}

int
view_clients(struct ctl *ctl, int argc, char **argv)
{
	static const struct view	view = { "clients", "no clients", client_columns, { "client" }, things_get_clients,
	    NULL, NULL };

	return run(ctl, &view, argc, argv);
}

/* The lists by name: the shell has them, too. */
static const struct {
	const char	*name;
	int		(*run)(struct ctl *, int argc, char **argv);
} views[] = {
	{ "assocs", view_assocs }, { "clients", view_clients }, { "groups", groups_run }, { "paths", view_paths }, { "sockets", view_sockets },
};

bool
view_knows(const char *name)
{
	for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
		if (strcmp(views[i].name, name) == 0)
			return true;
	}
	return false;
}

int
view_run(struct ctl *ctl, int argc, char **argv)
{
	size_t	i = 0;

	while (strcmp(views[i].name, argv[0]) != 0)
		i++;
	return views[i].run(ctl, argc, argv);
}

/* ---- help ----------------------------------------------------------- */

static void
help(const struct column *columns)
{
	puts("\ncolumns:");
	for (const struct column *c = columns; c->name != NULL; c++)
		help_row(c->name, c->doc);
}

void
view_assoc_columns(void)
{
	help(assoc_columns);
}

void
view_sock_columns(void)
{
	help(sock_columns);
}

void
view_client_columns(void)
{
	help(client_columns);
}

void
view_path_columns(void)
{
	help(path_columns);
}
