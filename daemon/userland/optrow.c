/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of the userland stack's options. The fields have the keys and the
 * words of proto/sockopt.c, and usrsctp's own structs and numbers.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "config.h"
#include "proto/addr.h"
#include "proto/sockopt.h"
#include "userland/optrow.h"
#include "userland/userland.h"

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
	{ SCTP_SS_FAIR_BANDWITH, "fc" },
	{ UINT16_MAX, "wfq" },		/* a number that usrsctp refuses: it has no such scheduler */
	{ 0, NULL }
};

static const struct word hmacs[] = {
	{ SCTP_AUTH_HMAC_ID_SHA1, "sha1" },
	{ SCTP_AUTH_HMAC_ID_SHA256, "sha256" },
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

/* ---- options of our own --------------------------------------------- */

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
get_timestamp(struct sock *s, struct assoc *a, char *buf)
{
	(void)a;
	return get_int(buf, s->stack.userland->timestamp);
}

static int
set_timestamp(struct sock *s, struct assoc *a, const char *buf)
{
	(void)a;
	s->stack.userland->timestamp = put_int(buf) != 0;
	return 0;
}

static int
get_reuse(struct sock *s, struct assoc *a, char *buf)
{
	(void)a;
	return get_int(buf, s->stack.userland->reuse);
}

/* The port of a closed socket can be bound again at once, with or without this option. */
static int
set_reuse(struct sock *s, struct assoc *a, const char *buf)
{
	(void)a;
	s->stack.userland->reuse = put_int(buf) != 0;
	return 0;
}

/* There is no I-DATA here, and messages are joined one after the other. */
static int
get_interleave(struct sock *s, struct assoc *a, char *buf)
{
	(void)s, (void)a;
	return get_int(buf, 0);
}

static int
set_interleave(struct sock *s, struct assoc *a, const char *buf)
{
	(void)s, (void)a;
	return put_int(buf) == 0 ? 0 : ENOPROTOOPT;
}

/* What the headers of packets get belongs to the port, which its associations share. */
#define OF_PACKETS(NAME, FAMILY, LEAST, MOST, DEFAULT)			\
static int								\
get_##NAME(struct sock *s, struct assoc *a, char *buf)			\
{									\
	const struct userland_sock	*u = s->stack.userland;		\
	int				 v = u->port != NULL ? u->port->NAME : u->NAME; \
									\
	(void)a;							\
	if ((FAMILY) != 0 && s->family != (FAMILY))			\
		return ENOPROTOOPT;					\
	return get_int(buf, v != 0 ? v : (DEFAULT));			\
}									\
									\
static int								\
set_##NAME(struct sock *s, struct assoc *a, const char *buf)		\
{									\
	struct userland_sock	*u = s->stack.userland;			\
	int			 v = put_int(buf) & 0xff;		\
									\
	(void)a;							\
	if ((FAMILY) != 0 && s->family != (FAMILY))			\
		return ENOPROTOOPT;					\
	if (v < (LEAST) || v > (MOST))					\
		return EINVAL;						\
	u->NAME = v;							\
	if (u->port != NULL)						\
		u->port->NAME = v;					\
	return 0;							\
}

OF_PACKETS(tos, 0, 0, 255, 0)
OF_PACKETS(ttl, 0, 1, 255, 64)
OF_PACKETS(tclass, AF_INET6, 0, 255, 0)

/* The peer's UDP port. For an association, it is the port that the path leads to. */
static int
get_encaps(struct sock *s, struct assoc *a, void *raw)
{
	struct sctp_udpencaps	e;

	memcpy(&e, raw, sizeof e);
	e.sue_port = htons(wire_is_raw() ? 0 : a != NULL ? addr_port(&a->stack.userland->path->peer) :
	    s->stack.userland->peer_udp_port != 0 ? s->stack.userland->peer_udp_port :
	    (uint16_t)config.peer_udp_port);
	memcpy(raw, &e, sizeof e);
	return 0;
}

/* The port of an existing association cannot be set: it is learnt from the peer's packets. */
static int
set_encaps(struct sock *s, struct assoc *a, const void *raw)
{
	struct sctp_udpencaps	e;

	memcpy(&e, raw, sizeof e);
	if (wire_is_raw())
		return e.sue_port == 0 ? 0 : ENOPROTOOPT;
	if (e.sue_port == 0)
		return EINVAL;
	if (a != NULL)
		return e.sue_port == htons(addr_port(&a->stack.userland->path->peer)) ? 0 : EISCONN;
	s->stack.userland->peer_udp_port = ntohs(e.sue_port);
	return 0;
}

/* Keep the MTU that is set, for an association or for those to come. */
static int
set_path(struct sock *s, struct assoc *a, const void *raw)
{
	struct sctp_paddrparams	p;
	struct userland_sock	*u = s->stack.userland;

	memcpy(&p, raw, sizeof p);
	if (usrsctp_setsockopt(a != NULL ? userland_so(a) : u->so, IPPROTO_SCTP,
	    SCTP_PEER_ADDR_PARAMS, &p, sizeof p) == -1)
		return errno;
	if (a != NULL && (p.spp_flags & SPP_PMTUD_DISABLE)) {
		a->stack.userland->pathmtu = p.spp_pathmtu;
		path_limit(a->stack.userland->path);
	}
	if (a == NULL && (p.spp_flags & (SPP_PMTUD_ENABLE | SPP_PMTUD_DISABLE)))
		u->pathmtu = p.spp_flags & SPP_PMTUD_DISABLE ? p.spp_pathmtu : 0;
	return 0;
}

/*
 * SCTP_DEFAULT_SEND_PARAM, which is two options in usrsctp: struct
 * sctp_sndrcvinfo without the fields that are not for sending.
 */
struct send_param {
	struct sctp_sndinfo	info;
	uint32_t		timetolive;
};

static int
get_send_param(struct socket *so, void *raw)
{
	struct send_param		p;
	struct sctp_default_prinfo	pr = { .pr_policy = 0 };
	socklen_t			len = sizeof p.info;

	memcpy(&p, raw, sizeof p);
	pr.pr_assoc_id = p.info.snd_assoc_id;
	if (usrsctp_getsockopt(so, IPPROTO_SCTP, SCTP_DEFAULT_SNDINFO, &p.info, &len) == -1)
		return errno;
	len = sizeof pr;
	if (usrsctp_getsockopt(so, IPPROTO_SCTP, SCTP_DEFAULT_PRINFO, &pr, &len) == -1)
		return errno;
	p.timetolive = pr.pr_policy != SCTP_PR_SCTP_NONE ? pr.pr_value : 0;
	memcpy(raw, &p, sizeof p);
	return 0;
}

static int
set_send_param(struct socket *so, const void *raw)
{
	struct send_param		p;
	struct sctp_default_prinfo	pr = { .pr_policy = SCTP_PR_SCTP_NONE };

	memcpy(&p, raw, sizeof p);
	pr.pr_assoc_id = p.info.snd_assoc_id;
	pr.pr_value = p.timetolive;
	if (p.timetolive != 0)
		pr.pr_policy = SCTP_PR_SCTP_TTL;
	if (usrsctp_setsockopt(so, IPPROTO_SCTP, SCTP_DEFAULT_SNDINFO, &p.info,
	    sizeof p.info) == -1 || usrsctp_setsockopt(so, IPPROTO_SCTP, SCTP_DEFAULT_PRINFO,
	    &pr, sizeof pr) == -1)
		return errno;
	return 0;
}

/*
 * Chunks that AUTH protects: usrsctp has no count in the struct, its length says
 * how many there are.
 */
struct auth_chunks {
	sctp_assoc_t	assoc_id;
	uint32_t	count;
	uint8_t		chunks[SOCKOPT_CHUNKS];
};

static int
get_auth_chunks(struct socket *so, int name, void *raw)
{
	struct auth_chunks	 to;
	char			 from[offsetof(struct sctp_authchunks, gauth_chunks) + SOCKOPT_CHUNKS] = { 0 };
	socklen_t		 len = sizeof from;
	const size_t		 head = offsetof(struct sctp_authchunks, gauth_chunks);

	memcpy(&to, raw, sizeof to);
	memcpy(from, &to.assoc_id, sizeof to.assoc_id);
	if (usrsctp_getsockopt(so, IPPROTO_SCTP, name, from, &len) == -1)
		return errno;
	to.count = len > head ? (uint32_t)(len - head) : 0;
	memcpy(to.chunks, from + head, sizeof to.chunks);
	memcpy(raw, &to, sizeof to);
	return 0;
}

static int
get_peer_chunks(struct socket *so, void *raw)
{
	return get_auth_chunks(so, SCTP_PEER_AUTH_CHUNKS, raw);
}

static int
get_local_chunks(struct socket *so, void *raw)
{
	return get_auth_chunks(so, SCTP_LOCAL_AUTH_CHUNKS, raw);
}

/* ---- the table ------------------------------------------------------ */

#define INT		FIELDS({ .key = "", .type = FIELD_U32, .width = sizeof(int) })
#define VALUE_FIELDS	FIELDS(						\
	FIELD(sctp_assoc_value, assoc_id, U32, "assoc_id", NULL),	\
	FIELD(sctp_assoc_value, assoc_value, U32, "assoc_value", NULL))
#define VALUE_WORDS(TYPE, LIST)	FIELDS(					\
	FIELD(sctp_assoc_value, assoc_id, U32, "assoc_id", NULL),	\
	WORDED(sctp_assoc_value, assoc_value, TYPE, LIST, "assoc_value", NULL))

#define KEY_ID_FIELDS	FIELDS(						\
	FIELD(sctp_authkeyid, scact_assoc_id, U32, "assoc_id", NULL),	\
	FIELD(sctp_authkeyid, scact_keynumber, U16, "keynumber", NULL))
#define CHUNKS_FIELDS	FIELDS(						\
	FIELD(auth_chunks, assoc_id, U32, "assoc_id", NULL),		\
	LIST(auth_chunks, chunks, count, SOCKOPT_CHUNKS, NULL, "chunks", NULL))

static const struct optrow optrows[] = {
	{ .name = "timestamp", .get = get_timestamp, .set = set_timestamp },
	{ .name = "sndbuf", .is_socket = true, .optname = SO_SNDBUF, .size = sizeof(int), .fields = INT,
	  .least = 4608, .set_own = userland_want_send },
	{ .name = "recbuf", .is_socket = true, .optname = SO_RCVBUF, .size = sizeof(int), .fields = INT,
	  .least = 2304, .set_own = userland_want_receive },
	{ .name = "linger", .is_socket = true, .optname = SO_LINGER, .size = sizeof(struct linger), .fields = FIELDS(
		FIELD(linger, l_onoff, BOOL, "on", NULL),
		FIELD(linger, l_linger, U32, "seconds", NULL)) },
	{ .name = "reuseaddr", .get = get_reuse, .set = set_reuse },
	{ .name = "tos", .get = get_tos, .set = set_tos },
	{ .name = "ttl", .get = get_ttl, .set = set_ttl },
	{ .name = "tclass", .get = get_tclass, .set = set_tclass },
	{ .name = "ipv6_v6only", .get = get_v6only, .set = set_v6only },
	{ .name = "sctp_i_want_mapped_v4_addr", .get = get_mapped, .set = set_mapped },
	{ .name = "sctp_rtoinfo", .optname = SCTP_RTOINFO, .size = sizeof(struct sctp_rtoinfo), .fields = FIELDS(
		FIELD(sctp_rtoinfo, srto_assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_rtoinfo, srto_initial, U32, "initial", NULL),
		FIELD(sctp_rtoinfo, srto_max, U32, "max", NULL),
		FIELD(sctp_rtoinfo, srto_min, U32, "min", NULL)) },
	{ .name = "sctp_associnfo", .optname = SCTP_ASSOCINFO, .size = sizeof(struct sctp_assocparams), .fields = FIELDS(
		FIELD(sctp_assocparams, sasoc_assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_assocparams, sasoc_asocmaxrxt, U16, "asocmaxrxt", NULL),
		FIELD(sctp_assocparams, sasoc_number_peer_destinations, U16, "number_peer_destinations", NULL),
		FIELD(sctp_assocparams, sasoc_peer_rwnd, U32, "peer_rwnd", NULL),
		FIELD(sctp_assocparams, sasoc_local_rwnd, U32, "local_rwnd", NULL),
		FIELD(sctp_assocparams, sasoc_cookie_life, U32, "cookie_life", NULL)) },
	{ .name = "sctp_initmsg", .optname = SCTP_INITMSG, .size = sizeof(struct sctp_initmsg), .fields = FIELDS(
		FIELD(sctp_initmsg, sinit_num_ostreams, U16, "num_ostreams", NULL),
		FIELD(sctp_initmsg, sinit_max_instreams, U16, "max_instreams", NULL),
		FIELD(sctp_initmsg, sinit_max_attempts, U16, "max_attempts", NULL),
		FIELD(sctp_initmsg, sinit_max_init_timeo, U16, "max_init_timeo", NULL)) },
	{ .name = "sctp_nodelay", .optname = SCTP_NODELAY, .size = sizeof(int), .fields = INT },
	{ .name = "sctp_autoclose", .optname = SCTP_AUTOCLOSE, .size = sizeof(int), .fields = INT },
	{ .name = "sctp_auth_chunk", .optname = SCTP_AUTH_CHUNK, .size = sizeof(struct sctp_authchunk), .fields = FIELDS(
		FIELD(sctp_authchunk, sauth_chunk, U8, "chunk", NULL)) },
	{ .name = "sctp_auth_key", .optname = SCTP_AUTH_KEY, .size = sizeof(struct sctp_authkey) + SOCKOPT_KEY_MAX, .fields = FIELDS(
		FIELD(sctp_authkey, sca_assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_authkey, sca_keynumber, U16, "keynumber", NULL),
		LIST(sctp_authkey, sca_key, sca_keylength, SOCKOPT_KEY_MAX, NULL, "key", NULL)) },
	{ .name = "sctp_auth_active_key", .optname = SCTP_AUTH_ACTIVE_KEY, .size = sizeof(struct sctp_authkeyid), .fields = KEY_ID_FIELDS },
	{ .name = "sctp_auth_deactivate_key", .optname = SCTP_AUTH_DEACTIVATE_KEY, .size = sizeof(struct sctp_authkeyid), .fields = KEY_ID_FIELDS },
	{ .name = "sctp_auth_delete_key", .optname = SCTP_AUTH_DELETE_KEY, .size = sizeof(struct sctp_authkeyid), .fields = KEY_ID_FIELDS },
	{ .name = "sctp_hmac_ident", .optname = SCTP_HMAC_IDENT, .size = sizeof(struct sctp_hmacalgo) + SOCKOPT_HMACS * sizeof(uint16_t), .fields = FIELDS(
		LIST(sctp_hmacalgo, shmac_idents, shmac_number_of_idents, SOCKOPT_HMACS, hmacs, "idents", NULL)) },
	{ .name = "sctp_peer_auth_chunks", .size = sizeof(struct auth_chunks), .get_raw = get_peer_chunks, .fields = CHUNKS_FIELDS },
	{ .name = "sctp_local_auth_chunks", .size = sizeof(struct auth_chunks), .get_raw = get_local_chunks, .fields = CHUNKS_FIELDS },
	{ .name = "sctp_primary_addr", .optname = SCTP_PRIMARY_ADDR, .size = sizeof(struct sctp_setprim), .fields = FIELDS(
		FIELD(sctp_setprim, ssp_assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_setprim, ssp_addr, ENDPOINT, "addr", NULL)) },
	{ .name = "sctp_adaptation_layer", .optname = SCTP_ADAPTATION_LAYER, .size = sizeof(struct sctp_setadaptation), .fields = FIELDS(
		FIELD(sctp_setadaptation, ssb_adaptation_ind, U32, "adaptation_ind", NULL)) },
	{ .name = "sctp_disable_fragments", .optname = SCTP_DISABLE_FRAGMENTS, .size = sizeof(int), .fields = INT },
	{ .name = "sctp_peer_addr_params", .optname = SCTP_PEER_ADDR_PARAMS, .size = sizeof(struct sctp_paddrparams),
	  .set_own = set_path, .fields = FIELDS(
		FIELD(sctp_paddrparams, spp_assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_paddrparams, spp_address, ENDPOINT, "address", NULL),
		FIELD(sctp_paddrparams, spp_hbinterval, U32, "hbinterval", NULL),
		FIELD(sctp_paddrparams, spp_pathmaxrxt, U16, "pathmaxrxt", NULL),
		FIELD(sctp_paddrparams, spp_pathmtu, U32, "pathmtu", NULL),
		WORDED(sctp_paddrparams, spp_flags, WORDS, spp_flags, "flags", NULL),
		FIELD(sctp_paddrparams, spp_ipv6_flowlabel, U32, "ipv6_flowlabel", NULL),
		FIELD(sctp_paddrparams, spp_dscp, U8, "dscp", NULL)) },
	{ .name = "sctp_maxseg", .optname = SCTP_MAXSEG, .size = sizeof(struct sctp_assoc_value), .fields = VALUE_FIELDS },
	{ .name = "sctp_status", .optname = SCTP_STATUS, .size = sizeof(struct sctp_status), .fields = FIELDS(
		FIELD(sctp_status, sstat_assoc_id, U32, "assoc_id", NULL),
		WORDED(sctp_status, sstat_state, WORD, status_state, "state", NULL),
		FIELD(sctp_status, sstat_rwnd, U32, "rwnd", NULL),
		FIELD(sctp_status, sstat_unackdata, U16, "unackdata", NULL),
		FIELD(sctp_status, sstat_penddata, U16, "penddata", NULL),
		FIELD(sctp_status, sstat_instrms, U16, "instrms", NULL),
		FIELD(sctp_status, sstat_outstrms, U16, "outstrms", NULL),
		FIELD(sctp_status, sstat_fragmentation_point, U32, "fragmentation_point", NULL),
		RECORD(sctp_status, sstat_primary, FIELDS(PADDRINFO_FIELDS), "primary", NULL)) },
	{ .name = "sctp_get_peer_addr_info", .optname = SCTP_GET_PEER_ADDR_INFO, .size = sizeof(struct sctp_paddrinfo), .fields =
	  FIELDS(PADDRINFO_FIELDS) },
	{ .name = "sctp_delayed_ack_time", .optname = SCTP_DELAYED_SACK, .size = sizeof(struct sctp_sack_info), .fields = FIELDS(
		FIELD(sctp_sack_info, sack_assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_sack_info, sack_delay, U32, "assoc_value", NULL)) },
	{ .name = "sctp_delayed_sack", .optname = SCTP_DELAYED_SACK, .size = sizeof(struct sctp_sack_info), .fields = FIELDS(
		FIELD(sctp_sack_info, sack_assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_sack_info, sack_delay, U32, "delay", NULL),
		FIELD(sctp_sack_info, sack_freq, U32, "freq", NULL)) },
	{ .name = "sctp_context", .optname = SCTP_CONTEXT, .size = sizeof(struct sctp_assoc_value), .fields = VALUE_FIELDS },
	{ .name = "sctp_fragment_interleave", .get = get_interleave, .set = set_interleave },
	{ .name = "sctp_partial_delivery_point", .optname = SCTP_PARTIAL_DELIVERY_POINT, .size = sizeof(int), .fields = INT },
	{ .name = "sctp_max_burst", .optname = SCTP_MAX_BURST, .size = sizeof(struct sctp_assoc_value), .fields = VALUE_FIELDS },
	{ .name = "sctp_default_sndinfo", .optname = SCTP_DEFAULT_SNDINFO, .size = sizeof(struct sctp_sndinfo), .fields = FIELDS(
		FIELD(sctp_sndinfo, snd_sid, U16, "sid", NULL),
		WORDED(sctp_sndinfo, snd_flags, WORDS, snd_flags, "flags", NULL),
		FIELD(sctp_sndinfo, snd_ppid, BE32, "ppid", NULL),
		FIELD(sctp_sndinfo, snd_context, U32, "context", NULL),
		FIELD(sctp_sndinfo, snd_assoc_id, U32, "assoc_id", NULL)) },
	{ .name = "sctp_default_send_param", .size = sizeof(struct send_param),
	  .get_raw = get_send_param, .set_raw = set_send_param, .fields = FIELDS(
		FIELD(send_param, info.snd_sid, U16, "stream", NULL),
		WORDED(send_param, info.snd_flags, WORDS, snd_flags, "flags", NULL),
		FIELD(send_param, info.snd_ppid, BE32, "ppid", NULL),
		FIELD(send_param, info.snd_context, U32, "context", NULL),
		FIELD(send_param, timetolive, U32, "timetolive", NULL),
		FIELD(send_param, info.snd_assoc_id, U32, "assoc_id", NULL)) },
	{ .name = "sctp_default_prinfo", .optname = SCTP_DEFAULT_PRINFO, .size = sizeof(struct sctp_default_prinfo), .fields = FIELDS(
		FIELD(sctp_default_prinfo, pr_assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_default_prinfo, pr_value, U32, "value", NULL),
		WORDED(sctp_default_prinfo, pr_policy, WORD, prinfo_policy, "policy", NULL)) },
	{ .name = "sctp_pr_supported", .optname = SCTP_PR_SUPPORTED, .size = sizeof(struct sctp_assoc_value), .fields = VALUE_FIELDS },
	{ .name = "sctp_pr_assoc_status", .optname = SCTP_PR_ASSOC_STATUS, .size = sizeof(struct sctp_prstatus), .fields = PRSTATUS_FIELDS },
	{ .name = "sctp_reconfig_supported", .optname = SCTP_RECONFIG_SUPPORTED, .size = sizeof(struct sctp_assoc_value), .fields = VALUE_FIELDS },
	{ .name = "sctp_enable_stream_reset", .optname = SCTP_ENABLE_STREAM_RESET, .size = sizeof(struct sctp_assoc_value), .fields =
	  VALUE_WORDS(WORDS, reset_flags) },
	{ .name = "sctp_add_streams", .optname = SCTP_ADD_STREAMS, .size = sizeof(struct sctp_add_streams), .fields = FIELDS(
		FIELD(sctp_add_streams, sas_assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_add_streams, sas_instrms, U16, "instrms", NULL),
		FIELD(sctp_add_streams, sas_outstrms, U16, "outstrms", NULL)) },
	{ .name = "sctp_stream_scheduler", .optname = SCTP_PLUGGABLE_SS, .size = sizeof(struct sctp_assoc_value), .fields =
	  VALUE_WORDS(WORD, scheduler) },
	{ .name = "sctp_stream_scheduler_value", .optname = SCTP_SS_VALUE, .size = sizeof(struct sctp_stream_value), .fields = FIELDS(
		FIELD(sctp_stream_value, assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_stream_value, stream_id, U16, "stream_id", NULL),
		FIELD(sctp_stream_value, stream_value, U16, "stream_value", NULL)) },
	{ .name = "sctp_remote_udp_encaps_port", .size = sizeof(struct sctp_udpencaps),
	  .get_own = get_encaps, .set_own = set_encaps, .fields = FIELDS(
		FIELD(sctp_udpencaps, sue_assoc_id, U32, "assoc_id", NULL),
		FIELD(sctp_udpencaps, sue_address, ENDPOINT, "address", NULL),
		FIELD(sctp_udpencaps, sue_port, BE16, "port", NULL)) },
	{ .name = "sctp_auth_supported", .optname = SCTP_AUTH_SUPPORTED, .size = sizeof(struct sctp_assoc_value), .fields = VALUE_FIELDS },
	{ .name = "sctp_ecn_supported", .optname = SCTP_ECN_SUPPORTED, .size = sizeof(struct sctp_assoc_value), .fields = VALUE_FIELDS },
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
