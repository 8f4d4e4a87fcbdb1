/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets and clients, as rows.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>

#include "sctpctl/out.h"
#include "sctpctl/pages.h"
#include "sctpctl/process.h"
#include "sctpctl/things.h"

struct sock_row {
	char		*json;		/* allocated, or NULL; the first member of any row */
	uint64_t	sock, owner;
	uint16_t	port;
	char		type[12], family[8], active[12];
	bool		listening, held;
	double		assocs, recv_cnt, send_cnt;
};

struct client_row {
	char		*json;
	uint64_t	client;
	int64_t		uid, pid;
	char		name[68], program[32];
	double		sockets, queued, calls, memory;
	bool		away, resident;
};

/* ---- rows ----------------------------------------------------------- */

struct wanted {
	struct ctl	*ctl;
	struct rows	*rows;
};

/* true, false, once, or a number of messages. */
static void
active_text(const struct sctpd_value *v, char *to, size_t size)
{
	if (sctpd_type(v) == SCTPD_STR)
		(void)snprintf(to, size, "%s", sctpd_str(v, NULL));
	else if (sctpd_type(v) == SCTPD_BOOL)
		(void)snprintf(to, size, "%s", sctpd_int(v) != 0 ? "yes" : "no");
	else
		(void)snprintf(to, size, "%" PRId64, sctpd_int(v));
}

static void
take_sock(const struct sctpd_value *v, void *arg)
{
	const struct wanted	*w = arg;
	struct sock_row		*r = rows_add(w->rows);

	r->json = w->ctl->json ? out_json_text(v) : NULL;
	r->sock = (uint64_t)sctpd_get_int(v, "sock");
	r->owner = (uint64_t)sctpd_get_int(v, "owner");
	r->port = (uint16_t)sctpd_get_int(v, "port");
	(void)snprintf(r->type, sizeof r->type, "%s", sctpd_get_str(v, "type"));
	(void)snprintf(r->family, sizeof r->family, "%s", sctpd_get_str(v, "family"));
	active_text(sctpd_get(v, "active"), r->active, sizeof r->active);
	r->listening = sctpd_get_int(v, "listening") != 0;
	r->held = sctpd_get_int(v, "held") != 0;
	r->assocs = (double)sctpd_get_int(v, "associations");
	r->recv_cnt = (double)sctpd_get_int(v, "recv_cnt");
	r->send_cnt = (double)sctpd_get_int(v, "send_cnt");
}

static void
take_client(const struct sctpd_value *v, void *arg)
{
	const struct wanted	*w = arg;
	struct client_row	*r = rows_add(w->rows);

	r->json = w->ctl->json ? out_json_text(v) : NULL;
	r->client = (uint64_t)sctpd_get_int(v, "client");
	r->uid = sctpd_get_int(v, "uid");
	r->pid = sctpd_get_int(v, "pid");
	(void)snprintf(r->name, sizeof r->name, "%s", sctpd_get_str(v, "name"));
	process_program(r->pid, r->program, sizeof r->program);
	r->sockets = (double)sctpd_get_int(v, "sockets");
	r->queued = (double)sctpd_get_int(v, "queued");
	r->calls = (double)sctpd_get_int(v, "calls");
	r->memory = (double)sctpd_get_int(v, "memory");
	r->away = sctpd_get_int(v, "away") != 0;
	r->resident = sctpd_get_int(v, "resident") != 0;
}

int
things_get_socks(struct ctl *ctl, int argc, char **argv, struct rows *rows)
{
	static const char *const	none[] = { NULL };
	struct wanted			w = { ctl, rows };

	rows->size = sizeof(struct sock_row);
	return pages_get(ctl, argc, argv, none, take_sock, &w);
}

int
things_get_clients(struct ctl *ctl, int argc, char **argv, struct rows *rows)
{
	static const char *const	none[] = { NULL };
	struct wanted			w = { ctl, rows };
	int				fail;

	if (!ctl->json && (fail = process_look(ctl)) != CTL_OK)
		return fail;
	rows->size = sizeof(struct client_row);
	return pages_get(ctl, argc, argv, none, take_client, &w);
}

/* ---- columns -------------------------------------------------------- */

COLUMN_TEXT(sock_row, sock, "%" PRIu64, r->sock)
COLUMN_TEXT(sock_row, type, "%s", r->type)
COLUMN_TEXT(sock_row, family, "%s", r->family)
COLUMN_TEXT(sock_row, active, "%s", r->active)
COLUMN_TEXT(sock_row, listening, "%s", r->listening ? "yes" : "no")
COLUMN_TEXT(sock_row, held, "%s", r->held ? "yes" : "no")
COLUMN_TEXT(sock_row, owner, "%" PRIu64, r->owner)
COLUMN_NUMBER(sock_row, port, r->port, table_number)
COLUMN_NUMBER(sock_row, assocs, r->assocs, table_count)
COLUMN_NUMBER(sock_row, in, r->recv_cnt, table_count)
COLUMN_NUMBER(sock_row, out, r->send_cnt, table_count)

const struct column sock_columns[] = {
	{ "sock", 0, true, "the socket's handle", show_sock, NULL },
	{ "type", 5, false, "seqpacket (one-to-many) or stream (one-to-one)", show_type, NULL },
	{ "family", 6, false, "inet or inet6", show_family, NULL },
	{ "port", 0, true, "local port", show_port, number_port },
	{ "active", 4, false, "whether its owner is sent messages: yes, no, once, or how many", show_active, NULL },
	{ "listening", 1, false, "whether peers may set up associations", show_listening, NULL },
	{ "held", 7, false, "whether its owner is gone and it waits for another", show_held, NULL },
	{ "assocs", 2, true, "its associations", show_assocs, number_assocs },
	{ "in", 3, true, "messages received", show_in, number_in },
	{ "out", 3, true, "messages sent", show_out, number_out },
	{ "owner", 0, true, "the number of the client that owns it", show_owner, NULL },
	{ NULL, 0, false, NULL, NULL, NULL }
};

COLUMN_TEXT(client_row, client, "%" PRIu64, r->client)
COLUMN_TEXT(client_row, name, "%s", r->name[0] != '\0' ? r->name : "-")
COLUMN_TEXT(client_row, program, "%s", r->program[0] != '\0' ? r->program : "-")
COLUMN_TEXT(client_row, away, "%s", r->resident ? "resident" : r->away ? "yes" : "no")
COLUMN_NUMBER(client_row, uid, r->uid, table_number)
COLUMN_NUMBER(client_row, pid, r->pid, table_number)
COLUMN_NUMBER(client_row, sockets, r->sockets, table_count)
COLUMN_NUMBER(client_row, queued, r->queued, table_count)
COLUMN_NUMBER(client_row, calls, r->calls, table_count)
COLUMN_NUMBER(client_row, memory, r->memory, table_count)

const struct column client_columns[] = {
	{ "client", 0, true, "its number", show_client, NULL },
	{ "name", 0, false, "the name that it gave itself", show_name, NULL },
	{ "program", 5, false, "the program that its process runs, where that can be told", show_program, NULL },
	{ "uid", 4, true, "its user", show_uid, number_uid },
	{ "pid", 1, true, "its process", show_pid, number_pid },
	{ "sockets", 0, true, "sockets that it owns", show_sockets, number_sockets },
	{ "queued", 0, true, "bytes that wait for it, or for room to be sent", show_queued, number_queued },
	{ "calls", 3, true, "its requests that wait", show_calls, number_calls },
	{ "memory", 2, true, "bytes that it is charged with", show_memory, number_memory },
	{ "away", 6, false, "whether it has no connection, but sockets or a session that wait for it; resident: it is the daemon itself", show_away, NULL },
	{ NULL, 0, false, NULL, NULL, NULL }
};
