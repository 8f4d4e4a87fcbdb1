/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of the userland stack's options. The fields have the keys and the
 * words of proto/sockopt.c, in usrsctp's own structs and numbers.
 */
#include <arpa/inet.h>
#include <string.h>

#include "userland-optrow.h"
#include "userland.h"

static const struct word spp_flags[] = {
	{ SPP_HB_ENABLE, "hb_enable" },
	{ SPP_HB_DISABLE, "hb_disable" },
	{ SPP_HB_DEMAND, "hb_demand" },
	{ SPP_PMTUD_ENABLE, "pmtud_enable" },
	{ SPP_PMTUD_DISABLE, "pmtud_disable" },
	{ SPP_HB_TIME_IS_ZERO, "hb_time_is_zero" },
	{ SPP_IPV6_FLOWLABEL, "ipv6_flowlabel" },
	{ SPP_DSCP, "dscp" },
	{ 0, NULL }
};

static const struct word snd_flags[] = {
	{ SCTP_UNORDERED, "unordered" },
	{ SCTP_ADDR_OVER, "addr_over" },
	{ SCTP_ABORT, "abort" },
	{ SCTP_EOF, "eof" },
	{ 0, NULL }
};

static const struct word path_state[] = {
	{ SCTP_INACTIVE, "inactive" },
	{ SCTP_ACTIVE, "active" },
	{ SCTP_UNCONFIRMED, "unconfirmed" },
	{ 0, NULL }
};

static const struct word status_state[] = {
	{ SCTP_CLOSED, "closed" },
	{ SCTP_COOKIE_WAIT, "cookie_wait" },
	{ SCTP_COOKIE_ECHOED, "cookie_echoed" },
	{ SCTP_ESTABLISHED, "established" },
	{ SCTP_SHUTDOWN_PENDING, "shutdown_pending" },
	{ SCTP_SHUTDOWN_SENT, "shutdown_sent" },
	{ SCTP_SHUTDOWN_RECEIVED, "shutdown_received" },
	{ SCTP_SHUTDOWN_ACK_SENT, "shutdown_ack_sent" },
	{ 0, NULL }
};

static const struct word prinfo_policy[] = {
	{ SCTP_PR_SCTP_NONE, "none" },
	{ SCTP_PR_SCTP_TTL, "ttl" },
	{ SCTP_PR_SCTP_RTX, "rtx" },
	{ SCTP_PR_SCTP_BUF, "prio" },
	{ 0x0f, "all" },
	{ 0, NULL }
};

static const struct word scheduler[] = {
	{ SCTP_SS_FIRST_COME, "fcfs" },
	{ SCTP_SS_PRIORITY, "prio" },
	{ SCTP_SS_ROUND_ROBIN, "rr" },
	{ 0, NULL }
};

static const struct word reset_flags[] = {
	{ SCTP_ENABLE_RESET_STREAM_REQ, "reset_streams" },
	{ SCTP_ENABLE_RESET_ASSOC_REQ, "reset_assoc" },
	{ SCTP_ENABLE_CHANGE_ASSOC_REQ, "add_streams" },
	{ 0, NULL }
};

#define PADDRINFO_FIELDS						\
	FIELD(sctp_paddrinfo, spinfo_assoc_id, U32, "assoc_id", NULL),	\
	FIELD(sctp_paddrinfo, spinfo_address, ENDPOINT, "address", NULL), \
	WORDED(sctp_paddrinfo, spinfo_state, WORD, path_state, "state", NULL), \
	FIELD(sctp_paddrinfo, spinfo_cwnd, U32, "cwnd", NULL),		\
	FIELD(sctp_paddrinfo, spinfo_srtt, U32, "srtt", NULL),		\
	FIELD(sctp_paddrinfo, spinfo_rto, U32, "rto", NULL),		\
	FIELD(sctp_paddrinfo, spinfo_mtu, U32, "mtu", NULL)

#define PRSTATUS_FIELDS FIELDS(						\
	FIELD(sctp_prstatus, sprstat_assoc_id, U32, "assoc_id", NULL),	\
	FIELD(sctp_prstatus, sprstat_sid, U16, "sid", NULL),		\
	WORDED(sctp_prstatus, sprstat_policy, WORD, prinfo_policy, "policy", NULL), \
	FIELD(sctp_prstatus, sprstat_abandoned_unsent, U64, "abandoned_unsent", NULL), \
	FIELD(sctp_prstatus, sprstat_abandoned_sent, U64, "abandoned_sent", NULL))

/* ---- those that are our own ----------------------------------------- */

static int
get_int(char *buf, int value)
{
	memcpy(buf, &value, sizeof value);
	return 0;
}

static int
put_int(const char *buf)
{
	int	value;

	memcpy(&value, buf, sizeof value);
	return value;
}

static int
get_v6only(struct sock *s, struct assoc *a, char *buf)
{
	(void)a;
	return s->family == AF_INET6 ? get_int(buf, s->stack.userland->v6only) : ENOPROTOOPT;
}

static int
set_v6only(struct sock *s, struct assoc *a, const char *buf)
{
	(void)a;
	if (s->family != AF_INET6)
		return ENOPROTOOPT;
	if (s->stack.userland->port != NULL)
		return EINVAL;
	s->stack.userland->v6only = put_int(buf) != 0;
	return 0;
}

static int
get_mapped(struct sock *s, struct assoc *a, char *buf)
{
	(void)a;
	return get_int(buf, !s->stack.userland->unmapped);
}

static int
set_mapped(struct sock *s, struct assoc *a, const char *buf)
{
	(void)a;
	s->stack.userland->unmapped = put_int(buf) == 0;
	return 0;
}

static int
get_reuse(struct sock *s, struct assoc *a, char *buf)
{
	(void)a;
	return get_int(buf, s->stack.userland->reuse);
}

/* A port whose socket is closed can be had again at once in any case. */
static int
set_reuse(struct sock *s, struct assoc *a, const char *buf)
{
	(void)a;
	s->stack.userland->reuse = put_int(buf) != 0;
	return 0;
}

/* ---- the table ------------------------------------------------------ */

#define INT		FIELDS({ .key = "", .type = FIELD_U32, .width = sizeof(int) })
#define VALUE_FIELDS	FIELDS(						\
	FIELD(sctp_assoc_value, assoc_id, U32, "assoc_id", NULL),	\
	FIELD(sctp_assoc_value, assoc_value, U32, "assoc_value", NULL))
#define VALUE_WORDS(TYPE, LIST)	FIELDS(					\
	FIELD(sctp_assoc_value, assoc_id, U32, "assoc_id", NULL),	\
	WORDED(sctp_assoc_value, assoc_value, TYPE, LIST, "assoc_value", NULL))

static const struct optrow optrows[] = {
	{ "sndbuf", true, SO_SNDBUF, sizeof(int), INT, NULL, NULL },
	{ "recbuf", true, SO_RCVBUF, sizeof(int), INT, NULL, NULL },
	{ "linger", true, SO_LINGER, sizeof(struct linger), FIELDS(
		FIELD(linger, l_onoff, BOOL, "on", NULL),
		FIELD(linger, l_linger, U32, "seconds", NULL)), NULL, NULL },
	{ .name = "reuseaddr", .get = get_reuse, .set = set_reuse },
	{ .name = "ipv6_v6only", .get = get_v6only, .set = set_v6only },
	{ .name = "sctp_i_want_mapped_v4_addr", .get = get_mapped, .set = set_mapped },
	{ "sctp_rtoinfo", false, SCTP_RTOINFO, sizeof(struct sctp_rtoinfo), FIELDS(
		FIELD(sctp_rtoinfo, srto_assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_rtoinfo, srto_initial, U32, "initial", NULL),
		FIELD(sctp_rtoinfo, srto_max, U32, "max", NULL),
		FIELD(sctp_rtoinfo, srto_min, U32, "min", NULL)), NULL, NULL },
	{ "sctp_associnfo", false, SCTP_ASSOCINFO, sizeof(struct sctp_assocparams), FIELDS(
		FIELD(sctp_assocparams, sasoc_assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_assocparams, sasoc_asocmaxrxt, U16, "asocmaxrxt", NULL),
		FIELD(sctp_assocparams, sasoc_number_peer_destinations, U16, "number_peer_destinations", NULL),
		FIELD(sctp_assocparams, sasoc_peer_rwnd, U32, "peer_rwnd", NULL),
		FIELD(sctp_assocparams, sasoc_local_rwnd, U32, "local_rwnd", NULL),
		FIELD(sctp_assocparams, sasoc_cookie_life, U32, "cookie_life", NULL)), NULL, NULL },
	{ "sctp_initmsg", false, SCTP_INITMSG, sizeof(struct sctp_initmsg), FIELDS(
		FIELD(sctp_initmsg, sinit_num_ostreams, U16, "num_ostreams", NULL),
		FIELD(sctp_initmsg, sinit_max_instreams, U16, "max_instreams", NULL),
		FIELD(sctp_initmsg, sinit_max_attempts, U16, "max_attempts", NULL),
		FIELD(sctp_initmsg, sinit_max_init_timeo, U16, "max_init_timeo", NULL)), NULL, NULL },
	{ "sctp_nodelay", false, SCTP_NODELAY, sizeof(int), INT, NULL, NULL },
	{ "sctp_autoclose", false, SCTP_AUTOCLOSE, sizeof(int), INT, NULL, NULL },
	{ "sctp_primary_addr", false, SCTP_PRIMARY_ADDR, sizeof(struct sctp_setprim), FIELDS(
		FIELD(sctp_setprim, ssp_assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_setprim, ssp_addr, ENDPOINT, "addr", NULL)), NULL, NULL },
	{ "sctp_adaptation_layer", false, SCTP_ADAPTATION_LAYER, sizeof(struct sctp_setadaptation), FIELDS(
		FIELD(sctp_setadaptation, ssb_adaptation_ind, U32, "adaptation_ind", NULL)), NULL, NULL },
	{ "sctp_disable_fragments", false, SCTP_DISABLE_FRAGMENTS, sizeof(int), INT, NULL, NULL },
	{ "sctp_peer_addr_params", false, SCTP_PEER_ADDR_PARAMS, sizeof(struct sctp_paddrparams), FIELDS(
		FIELD(sctp_paddrparams, spp_assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_paddrparams, spp_address, ENDPOINT, "address", NULL),
		FIELD(sctp_paddrparams, spp_hbinterval, U32, "hbinterval", NULL),
		FIELD(sctp_paddrparams, spp_pathmaxrxt, U16, "pathmaxrxt", NULL),
		FIELD(sctp_paddrparams, spp_pathmtu, U32, "pathmtu", NULL),
		WORDED(sctp_paddrparams, spp_flags, WORDS, spp_flags, "flags", NULL),
		FIELD(sctp_paddrparams, spp_ipv6_flowlabel, U32, "ipv6_flowlabel", NULL),
		FIELD(sctp_paddrparams, spp_dscp, U8, "dscp", NULL)), NULL, NULL },
	{ "sctp_maxseg", false, SCTP_MAXSEG, sizeof(struct sctp_assoc_value), VALUE_FIELDS, NULL, NULL },
	{ "sctp_status", false, SCTP_STATUS, sizeof(struct sctp_status), FIELDS(
		FIELD(sctp_status, sstat_assoc_id, U32, "assoc_id", NULL),
		WORDED(sctp_status, sstat_state, WORD, status_state, "state", NULL),
		FIELD(sctp_status, sstat_rwnd, U32, "rwnd", NULL),
		FIELD(sctp_status, sstat_unackdata, U16, "unackdata", NULL),
		FIELD(sctp_status, sstat_penddata, U16, "penddata", NULL),
		FIELD(sctp_status, sstat_instrms, U16, "instrms", NULL),
		FIELD(sctp_status, sstat_outstrms, U16, "outstrms", NULL),
		FIELD(sctp_status, sstat_fragmentation_point, U32, "fragmentation_point", NULL),
		RECORD(sctp_status, sstat_primary, FIELDS(PADDRINFO_FIELDS), "primary", NULL)), NULL, NULL },
	{ "sctp_get_peer_addr_info", false, SCTP_GET_PEER_ADDR_INFO, sizeof(struct sctp_paddrinfo),
	  FIELDS(PADDRINFO_FIELDS), NULL, NULL },
	{ "sctp_delayed_ack_time", false, SCTP_DELAYED_SACK, sizeof(struct sctp_sack_info), FIELDS(
		FIELD(sctp_sack_info, sack_assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_sack_info, sack_delay, U32, "assoc_value", NULL)), NULL, NULL },
	{ "sctp_delayed_sack", false, SCTP_DELAYED_SACK, sizeof(struct sctp_sack_info), FIELDS(
		FIELD(sctp_sack_info, sack_assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_sack_info, sack_delay, U32, "delay", NULL),
		FIELD(sctp_sack_info, sack_freq, U32, "freq", NULL)), NULL, NULL },
	{ "sctp_context", false, SCTP_CONTEXT, sizeof(struct sctp_assoc_value), VALUE_FIELDS, NULL, NULL },
	{ "sctp_fragment_interleave", false, SCTP_FRAGMENT_INTERLEAVE, sizeof(int), INT, NULL, NULL },
	{ "sctp_partial_delivery_point", false, SCTP_PARTIAL_DELIVERY_POINT, sizeof(int), INT, NULL, NULL },
	{ "sctp_max_burst", false, SCTP_MAX_BURST, sizeof(struct sctp_assoc_value), VALUE_FIELDS, NULL, NULL },
	{ "sctp_default_sndinfo", false, SCTP_DEFAULT_SNDINFO, sizeof(struct sctp_sndinfo), FIELDS(
		FIELD(sctp_sndinfo, snd_sid, U16, "sid", NULL),
		WORDED(sctp_sndinfo, snd_flags, WORDS, snd_flags, "flags", NULL),
		FIELD(sctp_sndinfo, snd_ppid, BE32, "ppid", NULL),
		FIELD(sctp_sndinfo, snd_context, U32, "context", NULL),
		FIELD(sctp_sndinfo, snd_assoc_id, U32, "assoc_id", NULL)), NULL, NULL },
	{ "sctp_default_prinfo", false, SCTP_DEFAULT_PRINFO, sizeof(struct sctp_default_prinfo), FIELDS(
		FIELD(sctp_default_prinfo, pr_assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_default_prinfo, pr_value, U32, "value", NULL),
		WORDED(sctp_default_prinfo, pr_policy, WORD, prinfo_policy, "policy", NULL)), NULL, NULL },
	{ "sctp_pr_supported", false, SCTP_PR_SUPPORTED, sizeof(struct sctp_assoc_value), VALUE_FIELDS, NULL, NULL },
	{ "sctp_pr_assoc_status", false, SCTP_PR_ASSOC_STATUS, sizeof(struct sctp_prstatus), PRSTATUS_FIELDS, NULL, NULL },
	{ "sctp_reconfig_supported", false, SCTP_RECONFIG_SUPPORTED, sizeof(struct sctp_assoc_value), VALUE_FIELDS, NULL, NULL },
	{ "sctp_enable_stream_reset", false, SCTP_ENABLE_STREAM_RESET, sizeof(struct sctp_assoc_value),
	  VALUE_WORDS(WORDS, reset_flags), NULL, NULL },
	{ "sctp_add_streams", false, SCTP_ADD_STREAMS, sizeof(struct sctp_add_streams), FIELDS(
		FIELD(sctp_add_streams, sas_assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_add_streams, sas_instrms, U16, "instrms", NULL),
		FIELD(sctp_add_streams, sas_outstrms, U16, "outstrms", NULL)), NULL, NULL },
	{ "sctp_stream_scheduler", false, SCTP_PLUGGABLE_SS, sizeof(struct sctp_assoc_value),
	  VALUE_WORDS(WORD, scheduler), NULL, NULL },
	{ "sctp_stream_scheduler_value", false, SCTP_SS_VALUE, sizeof(struct sctp_stream_value), FIELDS(
		FIELD(sctp_stream_value, assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_stream_value, stream_id, U16, "stream_id", NULL),
		FIELD(sctp_stream_value, stream_value, U16, "stream_value", NULL)), NULL, NULL },
	{ "sctp_auth_supported", false, SCTP_AUTH_SUPPORTED, sizeof(struct sctp_assoc_value), VALUE_FIELDS, NULL, NULL },
	{ "sctp_ecn_supported", false, SCTP_ECN_SUPPORTED, sizeof(struct sctp_assoc_value), VALUE_FIELDS, NULL, NULL },
	{ .name = NULL }
};

const struct optrow *
optrow_find(const char *name)
{
	const struct optrow	*r = optrows;

	while (r->name != NULL && strcmp(r->name, name) != 0)
		r++;
	return r->name != NULL ? r : NULL;
}
