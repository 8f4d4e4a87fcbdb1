/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Associations, as rows and in full.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/ppid.h"
#include "sctpctl/assocs.h"
#include "sctpctl/call.h"
#include "sctpctl/out.h"
#include "sctpctl/pages.h"
#include "sctpctl/process.h"

bool
assocs_has_state(const char *state)
{
	static const char *const	states[] = { "coming_up", "up", "going_down", "over" };

	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		if (strcmp(states[i], state) == 0)
			return true;
	}
	return false;
}

/* ---- the owner ------------------------------------------------------ */

/* "stp/1234": its name or its program's, and its process. */
static void
owner_text(const struct sctpd_value *v, char *to, size_t size)
{
	static int64_t	last_pid;
	static char	program[32];
	const char	*name = sctpd_get_str(v, "name");
	int64_t		pid = sctpd_get_int(v, "pid");

	if (*name == '\0' && pid != last_pid) {
		process_program(pid, program, sizeof program);
		last_pid = pid;
	}
	if (*name == '\0')
		name = *program != '\0' ? program : "client";
	if (pid > 0)
		(void)snprintf(to, size, "%s/%" PRId64, name, pid);
	else
		(void)snprintf(to, size, "%s#%" PRId64, name, sctpd_get_int(v, "owner"));
}

/* ---- rows ----------------------------------------------------------- */

static void
read_status(struct assoc_row *r, const struct sctpd_value *status, const struct sctpd_value *stats)
{
	const struct sctpd_value	*primary = sctpd_get(status, "primary");

	r->has_status = primary != NULL;
	r->srtt = (double)sctpd_get_int(primary, "srtt");
	r->rto = (double)sctpd_get_int(primary, "rto");
	r->cwnd = (double)sctpd_get_int(primary, "cwnd");
	r->mtu = (double)sctpd_get_int(primary, "mtu");
	r->rwnd = (double)sctpd_get_int(status, "rwnd");
	r->unacked = (double)sctpd_get_int(status, "unackdata");
	r->unread = (double)sctpd_get_int(status, "penddata");
	r->has_stats = sctpd_get(stats, "rtxchunks") != NULL;
	r->rtx = (double)sctpd_get_int(stats, "rtxchunks");
}

/* "m3ua,60,..." */
static void
read_ppids(struct assoc_row *r, const struct sctpd_value *v)
{
	const struct sctpd_value	*list = sctpd_get(v, "ppids");
	char				 text[PPID_TEXT];
	size_t				 n = 0;

	for (size_t i = 0; i < sctpd_count(list) && n < sizeof r->ppids; i++)
		n += (size_t)snprintf(r->ppids + n, sizeof r->ppids - n, "%s%s", i > 0 ? "," : "",
		    ppid_text(text, (uint32_t)sctpd_int(sctpd_item(list, i))));
	if (sctpd_get_int(v, "more_ppids") != 0 && n < sizeof r->ppids)
		(void)snprintf(r->ppids + n, sizeof r->ppids - n, ",...");
}

static void
read_counts(struct assoc_row *r, const struct sctpd_value *v)
{
	bool	is_up = strcmp(r->state, "up") == 0 || strcmp(r->state, "going_down") == 0;

	r->age = is_up ? (double)sctpd_get_int(v, "age") / 1000 : -1;
	r->recv_cnt = (double)sctpd_get_int(v, "recv_cnt");
	r->recv_oct = (double)sctpd_get_int(v, "recv_oct");
	r->send_cnt = (double)sctpd_get_int(v, "send_cnt");
	r->send_oct = (double)sctpd_get_int(v, "send_oct");
	(void)snprintf(r->error, sizeof r->error, "%s", sctpd_get_str(v, "last_error"));
}

static void
read_row(struct assoc_row *r, const struct sctpd_value *v)
{
	r->sock = (uint64_t)sctpd_get_int(v, "sock");
	r->assoc_id = (uint32_t)sctpd_get_int(v, "assoc_id");
	r->port = (uint16_t)sctpd_get_int(v, "port");
	r->inbound = (uint16_t)sctpd_get_int(v, "inbound_streams");
	r->outbound = (uint16_t)sctpd_get_int(v, "outbound_streams");
	(void)snprintf(r->state, sizeof r->state, "%s", sctpd_get_str(v, "state"));
	out_endpoint(sctpd_get(v, "peer"), r->peer, sizeof r->peer);
	owner_text(v, r->owner, sizeof r->owner);
	r->send_pend = (uint64_t)sctpd_get_int(v, "send_pend");
	r->recv_pend = (uint64_t)sctpd_get_int(v, "recv_pend");
	read_ppids(r, v);
	read_counts(r, v);
	read_status(r, sctpd_get(v, "status"), sctpd_get(v, "stats"));
}

#define PAGE	"256"	/* associations at a time, so that others are served between two */

struct wanted {
	struct ctl	*ctl;
	struct rows	*rows;
};

static bool
has_ppid(const struct sctpd_value *list, uint32_t ppid)
{
	for (size_t i = 0; i < sctpd_count(list); i++) {
		if (sctpd_int(sctpd_item(list, i)) == ppid)
			return true;
	}
	return false;
}

static bool
is_wanted(const struct ctl *ctl, const struct sctpd_value *v)
{
	if (ctl->by_state != NULL && strcmp(ctl->by_state, sctpd_get_str(v, "state")) != 0)
		return false;
	if (ctl->by_ppid && !has_ppid(sctpd_get(v, "ppids"), ctl->ppid))
		return false;
	return pages_is_peer(ctl, sctpd_get(v, "peer")) || pages_is_peer(ctl, sctpd_get(v, "peer_addrs"));
}

static void
take(const struct sctpd_value *v, void *arg)
{
	const struct wanted	*w = arg;
	struct assoc_row	*r;

	if (!is_wanted(w->ctl, v))
		return;
	r = rows_add(w->rows);
	read_row(r, v);
	if (w->ctl->json)
		r->json = out_json_text(v);
}

int
assocs_get(struct ctl *ctl, int argc, char **argv, bool status, struct rows *rows)
{
	const char	*more[4] = { status ? "status=true" : "limit=" PAGE };
	struct wanted	 w = { ctl, rows };
	char		 sock[32];
	int		 n = 1, fail;

	if (!ctl->json && (fail = process_look(ctl)) != CTL_OK)
		return fail;
	rows->size = sizeof(struct assoc_row);
	if (ctl->by_peer || (ctl->json && ctl->verbose)) {
		more[0] = "status=true";	/* the page is small anyway */
		more[n++] = "addrs=true";
	}
	if (ctl->by_sock > 0) {
		(void)snprintf(sock, sizeof sock, "sock=%" PRIu64, ctl->by_sock);
		more[n++] = sock;
	}
	return pages_get(ctl, argc, argv, more, take, &w);
}

static void
take_status(struct sctpd *c, int code, const struct sctpd_value *result, void *arg)
{
	const struct sctpd_value	*v = sctpd_item(sctpd_get(result, "assocs"), 0);

	(void)c;
	if (code == SCTPD_OK && v != NULL)	/* else it has ended meanwhile */
		read_status(arg, sctpd_get(v, "status"), sctpd_get(v, "stats"));
}

int
assocs_ask_status(struct ctl *ctl, struct rows *rows, size_t from, size_t n)
{
	struct assoc_row	*r;
	int			 code;

	for (size_t i = from; i < rows->n && i - from < n; i++) {
		r = rows_at(rows, i);
		code = sctpd_call_async(ctl->c, take_status, r, "assocs sock=%llu assoc_id=%lu status=true",
		    (unsigned long long)r->sock, (unsigned long)r->assoc_id);
		if (code != SCTPD_OK)
			return ctl_fail_call(ctl, code);
	}
	code = sctpd_sync(ctl->c);
	return code == SCTPD_OK ? CTL_OK : ctl_fail_call(ctl, code);
}

bool
assocs_needs_status(const char *column)
{
	static const char *const	names[] = { "rtt", "rto", "cwnd", "rwnd", "mtu", "unacked", "unread", "rtx", "rtx/s" };

	column += *column == '-';
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(names[i], column) == 0)
			return true;
	}
	return false;
}

/* ---- columns -------------------------------------------------------- */

COLUMN_TEXT(assoc_row, sock, "%" PRIu64, r->sock)
COLUMN_TEXT(assoc_row, assoc, "%" PRIu32, r->assoc_id)
COLUMN_TEXT(assoc_row, state, "%s", r->state)
COLUMN_TEXT(assoc_row, peer, "%s", r->peer)
COLUMN_TEXT(assoc_row, owner, "%s", r->owner)
COLUMN_TEXT(assoc_row, streams, "%u/%u", r->inbound, r->outbound)
COLUMN_TEXT(assoc_row, ppids, "%s", r->ppids[0] != '\0' ? r->ppids : "-")
COLUMN_TEXT(assoc_row, error, "%s", r->error[0] != '\0' ? r->error : "-")
COLUMN_NUMBER(assoc_row, age, r->age, table_age)
COLUMN_NUMBER(assoc_row, in, r->recv_cnt, table_count)
COLUMN_NUMBER(assoc_row, out, r->send_cnt, table_count)
COLUMN_NUMBER(assoc_row, in_bytes, r->recv_oct, table_count)
COLUMN_NUMBER(assoc_row, out_bytes, r->send_oct, table_count)
COLUMN_NUMBER(assoc_row, in_rate, r->rate.recv_cnt, table_count)
COLUMN_NUMBER(assoc_row, out_rate, r->rate.send_cnt, table_count)
COLUMN_NUMBER(assoc_row, in_bytes_rate, r->rate.recv_oct, table_count)
COLUMN_NUMBER(assoc_row, out_bytes_rate, r->rate.send_oct, table_count)
COLUMN_NUMBER(assoc_row, rtx_rate, r->rate.rtx, table_count)
COLUMN_NUMBER(assoc_row, bytes_rate, r->rate.recv_oct + r->rate.send_oct, table_count)
COLUMN_NUMBER(assoc_row, msg_rate, r->rate.recv_cnt + r->rate.send_cnt, table_count)
COLUMN_NUMBER(assoc_row, port, r->port, table_number)
COLUMN_NUMBER(assoc_row, send_q, r->send_pend, table_count)
COLUMN_NUMBER(assoc_row, recv_q, r->recv_pend, table_count)
COLUMN_NUMBER(assoc_row, rtt, r->has_status ? r->srtt : -1, table_number)
COLUMN_NUMBER(assoc_row, rto, r->has_status ? r->rto : -1, table_number)
COLUMN_NUMBER(assoc_row, cwnd, r->has_status ? r->cwnd : -1, table_count)
COLUMN_NUMBER(assoc_row, rwnd, r->has_status ? r->rwnd : -1, table_count)
COLUMN_NUMBER(assoc_row, mtu, r->has_status ? r->mtu : -1, table_number)
COLUMN_NUMBER(assoc_row, unacked, r->has_status ? r->unacked : -1, table_count)
COLUMN_NUMBER(assoc_row, unread, r->has_status ? r->unread : -1, table_count)
COLUMN_NUMBER(assoc_row, rtx, r->has_stats ? r->rtx : -1, table_count)

#define SOCK	{ "sock", 0, true, "the socket's handle", show_sock, NULL }
#define ASSOC	{ "assoc", 0, true, "the association's assoc_id", show_assoc, NULL }
#define STATE(rank)	{ "state", rank, false, ASSOC_STATES, show_state, NULL }
#define PEER	{ "peer", 0, false, "the peer's primary address, and its port", show_peer, NULL }
#define AGE	{ "age", 7, true, "how long it has been up", show_age, number_age }
#define PPIDS	{ "ppids", 11, false, "the payload protocol identifiers that were seen", show_ppids, NULL }
#define SEND_Q	{ "sendq", 3, true, "bytes that wait in the daemon for room in the stack", show_send_q, number_send_q }
#define RECV_Q	{ "recvq", 6, true, "bytes that wait for the socket's owner", show_recv_q, number_recv_q }
#define UNACKED	{ "unacked", 10, true, "DATA chunks that the peer has not acknowledged", show_unacked, number_unacked }
#define RTT	{ "rtt", 2, true, "smoothed round trip time of the primary path, ms", show_rtt, number_rtt }
#define OWNER	{ "owner", 4, false, "the client that owns the socket, and its process", show_owner, NULL }
#define END	{ NULL, 0, false, NULL, NULL, NULL }

const struct column assoc_columns[] = {
	SOCK, ASSOC, STATE(0),
	{ "port", 9, true, "local port", show_port, number_port },
	PEER, AGE,
	{ "streams", 14, true, "inbound and outbound streams", show_streams, NULL },
	{ "in", 8, true, "messages received", show_in, number_in },
	{ "out", 8, true, "messages sent", show_out, number_out },
	{ "in-bytes", 12, true, "their bytes", show_in_bytes, number_in_bytes },
	{ "out-bytes", 12, true, "their bytes", show_out_bytes, number_out_bytes },
	SEND_Q, UNACKED,
	{ "unread", 13, true, "DATA chunks that were received and not read", show_unread, number_unread },
	RECV_Q, RTT,
	{ "rto", 15, true, "retransmission timeout of the primary path, ms", show_rto, number_rto },
	{ "cwnd", 15, true, "congestion window of the primary path, bytes", show_cwnd, number_cwnd },
	{ "rwnd", 15, true, "the peer's window, bytes", show_rwnd, number_rwnd },
	{ "mtu", 16, true, "MTU of the primary path", show_mtu, number_mtu },
	{ "rtx", 5, true, "chunks sent again; - if the stack does not count them", show_rtx, number_rtx },
	PPIDS, OWNER,
	{ "error", 17, false, "what was wrong last", show_error, NULL },
	END
};

const struct column top_columns[] = {
	SOCK, ASSOC, STATE(8), PEER, AGE,
	{ "in/s", 0, true, "messages received in a second", show_in_rate, number_in_rate },
	{ "out/s", 0, true, "messages sent in a second", show_out_rate, number_out_rate },
	{ "msg/s", 13, true, "both together; top sorts by it", show_msg_rate, number_msg_rate },
	{ "B/s", 1, true, "bytes in a second, both ways together", show_bytes_rate, number_bytes_rate },
	{ "inB/s", 12, true, "bytes received in a second", show_in_bytes_rate, number_in_bytes_rate },
	{ "outB/s", 12, true, "bytes sent in a second", show_out_bytes_rate, number_out_bytes_rate },
	SEND_Q, UNACKED, RECV_Q, RTT,
	{ "rtx/s", 5, true, "chunks sent again in a second; - if the stack does not count them", show_rtx_rate, number_rtx_rate },
	PPIDS, OWNER,
	END
};

/* ---- in full -------------------------------------------------------- */

static void
print_endpoints(FILE *f, const char *title, const struct sctpd_value *list, const struct sctpd_value *otherwise)
{
	char	text[72];
	size_t	n = sctpd_count(list);

	fprintf(f, "  %-13s", title);
	for (size_t i = 0; i < (n > 0 ? n : otherwise != NULL); i++) {
		out_endpoint(n > 0 ? sctpd_item(list, i) : otherwise, text, sizeof text);
		fprintf(f, "%s%s", i > 0 ? ", " : "", text);
	}
	putc('\n', f);
}

static void
print_owner(FILE *f, const struct sctpd_value *v)
{
	char	program[32];

	process_program(sctpd_get_int(v, "pid"), program, sizeof program);
	fprintf(f, "  %-13sclient %" PRId64, "owner:", sctpd_get_int(v, "owner"));
	if (*sctpd_get_str(v, "name") != '\0')
		fprintf(f, " \"%s\"", sctpd_get_str(v, "name"));
	if (sctpd_get_int(v, "pid") > 0)
		fprintf(f, ", process %" PRId64, sctpd_get_int(v, "pid"));
	fprintf(f, *program != '\0' ? " (%s)" : "%s", program);
	fprintf(f, ", user %" PRId64 "\n", sctpd_get_int(v, "uid"));
}

static void
print_way(FILE *f, const char *title, int64_t messages, int64_t bytes)
{
	fprintf(f, "  %-13s%" PRId64 " messages, %" PRId64 " bytes\n", title, messages, bytes);
}

/* The PPIDs by name and number, or by number alone. */
static void
print_ppids(FILE *f, const struct sctpd_value *v)
{
	const struct sctpd_value	*list = sctpd_get(v, "ppids");
	uint32_t			 n;

	fprintf(f, "  %-13s", "PPIDs:");
	for (size_t i = 0; i < sctpd_count(list); i++) {
		n = (uint32_t)sctpd_int(sctpd_item(list, i));
		fprintf(f, "%s%s%s%" PRIu32 "%s", i > 0 ? ", " : "", ppid_name(n) != NULL ? ppid_name(n) : "",
		    ppid_name(n) != NULL ? " (" : "", n, ppid_name(n) != NULL ? ")" : "");
	}
	fprintf(f, "%s\n", sctpd_count(list) == 0 ? "none seen" : sctpd_get_int(v, "more_ppids") != 0 ? ", and others" : "");
}

/* What passed since it came up. */
static void
print_traffic(FILE *f, const struct sctpd_value *v)
{
	if (sctpd_count(sctpd_get(v, "status")) > 0) {
		fprintf(f, "  %-13s", "up for:");
		table_age(f, (double)sctpd_get_int(v, "age") / 1000);
		putc('\n', f);
	}
	print_way(f, "received:", sctpd_get_int(v, "recv_cnt"), sctpd_get_int(v, "recv_oct"));
	print_way(f, "sent:", sctpd_get_int(v, "send_cnt"), sctpd_get_int(v, "send_oct"));
	print_ppids(f, v);
	if (*sctpd_get_str(v, "last_error") == '\0')
		return;
	fprintf(f, "  %-13s%s, ", "last error:", sctpd_get_str(v, "last_error"));
	table_age(f, (double)sctpd_get_int(v, "last_error_age") / 1000);
	fputs(" ago\n", f);
}

static void
print_queues(FILE *f, const struct sctpd_value *v)
{
	fprintf(f, "  %-13s%" PRId64 " bytes, in the daemon for room in the stack\n", "to send:", sctpd_get_int(v, "send_pend"));
	fprintf(f, "  %-13s%" PRId64 " bytes, for the owner of the socket\n", "to deliver:", sctpd_get_int(v, "recv_pend"));
	if (sctpd_count(sctpd_get(v, "status")) == 0)
		return;
	fprintf(f, "  %-13s%" PRId64 " chunks not acknowledged, %" PRId64 " received and not read\n", "DATA:",
	    sctpd_get_int(v, "status.unackdata"), sctpd_get_int(v, "status.penddata"));
	fprintf(f, "  %-13s%" PRId64 " bytes, which the peer has room for\n", "window:", sctpd_get_int(v, "status.rwnd"));
}

/* What the stack counts, in words. */
static void
print_stats(FILE *f, const struct sctpd_value *v)
{
	static const struct {
		const char	*title, *words[2][2];
	} lines[] = {
		{ "packets:", { { "ipackets", "received" }, { "opackets", "sent" } } },
		{ "ordered:", { { "iodchunks", "chunks received" }, { "oodchunks", "sent" } } },
		{ "unordered:", { { "iuodchunks", "chunks received" }, { "ouodchunks", "sent" } } },
		{ "control:", { { "ictrlchunks", "chunks received" }, { "octrlchunks", "sent" } } },
		{ "SACKs:", { { "isacks", "received" }, { "osacks", "sent" } } },
		{ "gaps:", { { "gapcnt", "told by SACKs" }, { "outofseqtsns", "chunks received out of order" } } },
		{ "again:", { { "rtxchunks", "chunks sent again" }, { "idupchunks", "received twice" } } },
	};

	for (size_t i = 0; sctpd_count(v) > 0 && i < sizeof lines / sizeof lines[0]; i++)
		fprintf(f, "  %-13s%" PRId64 " %s, %" PRId64 " %s\n", lines[i].title,
		    sctpd_get_int(v, lines[i].words[0][0]), lines[i].words[0][1],
		    sctpd_get_int(v, lines[i].words[1][0]), lines[i].words[1][1]);
}

static void
print_path(FILE *f, const struct sctpd_value *v)
{
	char	addr[72];

	out_endpoint(sctpd_get(v, "address"), addr, sizeof addr);
	fprintf(f, "  %-13s%s %s%s\n", "path:", addr, sctpd_get_str(v, "state"),
	    sctpd_get_int(v, "primary") != 0 ? ", primary" : "");
	fprintf(f, "  %-13sRTT %" PRId64 " ms, RTO %" PRId64 " ms, cwnd %" PRId64 ", MTU %" PRId64 "\n", "",
	    sctpd_get_int(v, "srtt"), sctpd_get_int(v, "rto"), sctpd_get_int(v, "cwnd"), sctpd_get_int(v, "mtu"));
}

static void
print_assoc(FILE *f, const struct sctpd_value *v)
{
	fprintf(f, "association %" PRId64 " of socket %" PRId64 ": %s\n", sctpd_get_int(v, "assoc_id"),
	    sctpd_get_int(v, "sock"), sctpd_get_str(v, "state"));
	print_endpoints(f, "peer:", sctpd_get(v, "peer_addrs"), sctpd_get(v, "peer"));
	print_endpoints(f, "local:", sctpd_get(v, "local_addrs"), NULL);
	print_owner(f, v);
	fprintf(f, "  %-13s%" PRId64 " in, %" PRId64 " out\n", "streams:", sctpd_get_int(v, "inbound_streams"),
	    sctpd_get_int(v, "outbound_streams"));
	print_traffic(f, v);
	print_queues(f, v);
	print_stats(f, sctpd_get(v, "stats"));
}

int
assocs_describe(struct ctl *ctl, FILE *f, uint64_t sock, uint32_t assoc_id)
{
	const struct sctpd_value	*v, *list;
	int				 code;

	code = sctpd_call(ctl->c, &v, "assocs sock=%llu assoc_id=%lu status=true addrs=true",
	    (unsigned long long)sock, (unsigned long)assoc_id);
	if (code == SCTPD_CLOSED || code == SCTPD_EPIPE || code == SCTPD_EINVAL)
		return CTL_OK;
	if (code != SCTPD_OK)
		return ctl_fail_call(ctl, code);
	print_assoc(f, sctpd_item(sctpd_get(v, "assocs"), 0));
	code = sctpd_call(ctl->c, &v, "paths sock=%llu assoc_id=%lu", (unsigned long long)sock, (unsigned long)assoc_id);
	list = code == SCTPD_OK ? sctpd_get(v, "paths") : NULL;
	for (size_t i = 0; i < sctpd_count(list); i++)
		print_path(f, sctpd_item(list, i));
	return CTL_OK;
}
