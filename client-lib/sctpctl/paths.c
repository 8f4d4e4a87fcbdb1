/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths, as rows.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "sctpctl/out.h"
#include "sctpctl/pages.h"
#include "sctpctl/paths.h"

bool
paths_has_state(const char *state)
{
	static const char *const	states[] = { "active", "inactive", "potentially_failed", "unconfirmed" };

	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		if (strcmp(states[i], state) == 0)
			return true;
	}
	return false;
}

/* "10.0.0.1:2905", or all that there are with commas, and the port once. */
static void
local_text(const struct sctpd_value *v, char *to, size_t size)
{
	const struct sctpd_value	*list = sctpd_get(v, "local_addrs");
	const char			*addr;
	size_t				 n = 0;

	for (size_t i = 0; i < sctpd_count(list) && n < size; i++) {
		addr = sctpd_get_str(sctpd_item(list, i), "addr");
		n += (size_t)snprintf(to + n, size - n, strchr(addr, ':') != NULL ? "%s[%s]" : "%s%s", i > 0 ? "," : "", addr);
	}
	if (n < size)
		(void)snprintf(to + n, size - n, "%s:%" PRId64, n > 0 ? "" : "*", sctpd_get_int(v, "port"));
}

#define ENDPOINT	72	/* room for one, or for this side's list */

/* Gives how much of the row is used. */
static size_t
read_row(struct path_row *r, const struct sctpd_value *v)
{
	r->sock = (uint64_t)sctpd_get_int(v, "sock");
	r->assoc_id = (uint32_t)sctpd_get_int(v, "assoc_id");
	r->primary = sctpd_get_int(v, "primary") != 0;
	r->cwnd = (double)sctpd_get_int(v, "cwnd");
	r->srtt = (double)sctpd_get_int(v, "srtt");
	r->rto = (double)sctpd_get_int(v, "rto");
	r->mtu = (double)sctpd_get_int(v, "mtu");
	local_text(v, r->text, ENDPOINT);
	r->peer = (uint8_t)(strlen(r->text) + 1);
	out_endpoint(sctpd_get(v, "address"), r->text + r->peer, ENDPOINT);
	r->state = (uint8_t)(r->peer + strlen(r->text + r->peer) + 1);
	(void)snprintf(r->text + r->state, sizeof r->text - 2 * ENDPOINT, "%s", sctpd_get_str(v, "state"));
	return offsetof(struct path_row, text) + r->state + strlen(r->text + r->state) + 1;
}

struct wanted {
	struct ctl	*ctl;
	struct rows	*rows;
};

static void
take(const struct sctpd_value *v, void *arg)
{
	const struct wanted	*w = arg;
	struct path_row		 r = { .json = NULL };
	size_t			 used;

	if ((w->ctl->by_state != NULL && strcmp(w->ctl->by_state, sctpd_get_str(v, "state")) != 0) ||
	    !pages_is_peer(w->ctl, sctpd_get(v, "address")))
		return;
	used = read_row(&r, v);
	if (w->ctl->json)
		r.json = out_json_text(v);
	rows_copy(w->rows, &r, used);
}

int
paths_get(struct ctl *ctl, int argc, char **argv, struct rows *rows)
{
	const char	*more[4] = { "addrs=true", "limit=64" };
	struct wanted	 w = { ctl, rows };
	char		 sock[32];

	if (ctl->by_sock > 0) {
		(void)snprintf(sock, sizeof sock, "sock=%" PRIu64, ctl->by_sock);
		more[2] = sock;
	}
	return pages_get(ctl, argc, argv, more, take, &w);
}

/* ---- columns -------------------------------------------------------- */

COLUMN_TEXT(path_row, sock, "%" PRIu64, r->sock)
COLUMN_TEXT(path_row, assoc, "%" PRIu32, r->assoc_id)
COLUMN_TEXT(path_row, local, "%s", r->text)
COLUMN_TEXT(path_row, peer, "%s", r->text + r->peer)
COLUMN_TEXT(path_row, state, "%s", r->text + r->state)
COLUMN_TEXT(path_row, primary, "%s", r->primary ? "yes" : "no")
COLUMN_NUMBER(path_row, cwnd, r->cwnd, table_number)
COLUMN_NUMBER(path_row, srtt, r->srtt, table_number)
COLUMN_NUMBER(path_row, rto, r->rto, table_number)
COLUMN_NUMBER(path_row, mtu, r->mtu, table_number)

const struct column path_columns[] = {
	{ "sock", 0, true, "the socket's handle", show_sock, NULL },
	{ "assoc", 0, true, "the association's assoc_id", show_assoc, NULL },
	{ "local", 3, false, "addresses and port of this side; neither stack tells which of them the path uses", show_local, NULL },
	{ "peer", 0, false, "address of the peer, and its port", show_peer, NULL },
	{ "state", 0, false, PATH_STATES, show_state, NULL },
	{ "primary", 1, false, "whether messages are sent on this path as long as it works", show_primary, NULL },
	{ "cwnd", 4, true, "congestion window, bytes", show_cwnd, number_cwnd },
	{ "srtt", 0, true, "smoothed round trip time, ms", show_srtt, number_srtt },
	{ "rto", 2, true, "retransmission timeout, ms", show_rto, number_rto },
	{ "mtu", 5, true, "path MTU, bytes", show_mtu, number_mtu },
	{ NULL, 0, false, NULL, NULL, NULL }
};
