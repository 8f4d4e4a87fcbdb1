/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every socket option, one row each: first the generic ones, then SCTP's in
 * the order of RFC 6458 section 8, then those of later RFCs.
 *
 * A row is the whole of an option: the daemon, the library, sctpctl, the
 * manual and the tests read this table. The structs are the system's own, so
 * each field is described where it lies. An #ifdef takes a whole row away
 * from those who build with older headers.
 */
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <string.h>

#include "sockopt.h"

#define RFC6458(section) "RFC 6458 " section

static const struct word spp_flags[] = {
	{ SPP_HB_ENABLE, "hb_enable" },
	{ SPP_HB_DISABLE, "hb_disable" },
	{ SPP_HB_DEMAND, "hb_demand" },
	{ SPP_PMTUD_ENABLE, "pmtud_enable" },
	{ SPP_PMTUD_DISABLE, "pmtud_disable" },
	{ SPP_SACKDELAY_ENABLE, "sackdelay_enable" },
	{ SPP_SACKDELAY_DISABLE, "sackdelay_disable" },
	{ SPP_HB_TIME_IS_ZERO, "hb_time_is_zero" },
	{ SPP_IPV6_FLOWLABEL, "ipv6_flowlabel" },
	{ SPP_DSCP, "dscp" },
	{ 0, NULL }
};

static const struct word sinfo_flags[] = {
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
	{ SCTP_PF, "potentially_failed" },
	{ SCTP_UNKNOWN, "undefined" },
	{ 0, NULL }
};

static const struct word status_state[] = {
	{ SCTP_EMPTY, "empty" },
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
	{ SCTP_PR_SCTP_PRIO, "prio" },
	{ SCTP_PR_SCTP_ALL, "all" },
	{ 0, NULL }
};

static const struct word scheduler[] = {
	{ SCTP_SS_FCFS, "fcfs" },
	{ SCTP_SS_PRIO, "prio" },
	{ SCTP_SS_RR, "rr" },
	{ 0, NULL }
};

static const struct word reset_flags[] = {
	{ SCTP_ENABLE_RESET_STREAM_REQ, "reset_streams" },
	{ SCTP_ENABLE_RESET_ASSOC_REQ, "reset_assoc" },
	{ SCTP_ENABLE_CHANGE_ASSOC_REQ, "add_streams" },
	{ 0, NULL }
};

#define PADDRINFO_FIELDS						\
	FIELD(sctp_paddrinfo, spinfo_assoc_id, U32, "assoc_id", "association; 0: found by the address"), \
	FIELD(sctp_paddrinfo, spinfo_address, ENDPOINT, "address", "address of the peer"), \
	WORDED(sctp_paddrinfo, spinfo_state, WORD, path_state, "state", "state of the path"), \
	FIELD(sctp_paddrinfo, spinfo_cwnd, U32, "cwnd", "congestion window, bytes"), \
	FIELD(sctp_paddrinfo, spinfo_srtt, U32, "srtt", "smoothed round trip time, ms"), \
	FIELD(sctp_paddrinfo, spinfo_rto, U32, "rto", "retransmission timeout, ms"), \
	FIELD(sctp_paddrinfo, spinfo_mtu, U32, "mtu", "path MTU, bytes")

/* The rows that are one assoc_id and one value. */
#define ASSOC_VALUE(T, DOC) FIELDS(					\
	FIELD(sctp_assoc_value, assoc_id, U32, "assoc_id", "association; 0: those to come"), \
	FIELD(sctp_assoc_value, assoc_value, T, "assoc_value", DOC))

#define PRSTATUS_FIELDS FIELDS(						\
	FIELD(sctp_prstatus, sprstat_assoc_id, U32, "assoc_id", "association"), \
	FIELD(sctp_prstatus, sprstat_sid, U16, "sid", "stream"),	\
	WORDED(sctp_prstatus, sprstat_policy, WORD, prinfo_policy, "policy", "policy asked about"), \
	FIELD(sctp_prstatus, sprstat_abandoned_unsent, U64, "abandoned_unsent", "messages given up before they were sent"), \
	FIELD(sctp_prstatus, sprstat_abandoned_sent, U64, "abandoned_sent", "messages given up after they were sent"))

const struct sockopt sockopt_table[] = {
	{ .name = "active",
	  .from = "gen_sctp",
	  .level = LEVEL_BROKER, .optname = BROKER_ACTIVE,
	  .size = sizeof(struct any), .access = SOCKOPT_RW,
	  .fields = SCALAR(ANY, struct any, "true, false, \"once\", or an integer from -32768 to 32767 that is added to the count"),
	  .doc = "Whether messages and events are sent to the owner as they come (true, with flow control), one (once), as many as counted, after which sctp_passive comes, or only in answer to recv (false).",
	},
	{ .name = "sctp_events",
	  .from = "gen_sctp; " RFC6458("6.2"),
	  .level = LEVEL_BROKER, .optname = BROKER_EVENTS,
	  .size = sizeof(struct sctp_event_subscribe), .access = SOCKOPT_RW,
	  .doc = "The events that come with the data. The first seven are on by default.",
	  .fields = FIELDS(
		FIELD(sctp_event_subscribe, sctp_data_io_event, BOOL, "data_io_event", "sctp_sndrcvinfo with each message"),
		FIELD(sctp_event_subscribe, sctp_association_event, BOOL, "association_event", "sctp_assoc_change"),
		FIELD(sctp_event_subscribe, sctp_address_event, BOOL, "address_event", "sctp_paddr_change"),
		FIELD(sctp_event_subscribe, sctp_send_failure_event, BOOL, "send_failure_event", "sctp_send_failed"),
		FIELD(sctp_event_subscribe, sctp_peer_error_event, BOOL, "peer_error_event", "sctp_remote_error"),
		FIELD(sctp_event_subscribe, sctp_shutdown_event, BOOL, "shutdown_event", "sctp_shutdown_event"),
		FIELD(sctp_event_subscribe, sctp_partial_delivery_event, BOOL, "partial_delivery_event", "sctp_pdapi_event"),
		FIELD(sctp_event_subscribe, sctp_adaptation_layer_event, BOOL, "adaptation_layer_event", "sctp_adaptation_event"),
		FIELD(sctp_event_subscribe, sctp_authentication_event, BOOL, "authentication_event", "sctp_authkey_event"),
		FIELD(sctp_event_subscribe, sctp_sender_dry_event, BOOL, "sender_dry_event", "sctp_sender_dry_event"),
		FIELD(sctp_event_subscribe, sctp_stream_reset_event, BOOL, "stream_reset_event", "sctp_stream_reset_event"),
		FIELD(sctp_event_subscribe, sctp_assoc_reset_event, BOOL, "assoc_reset_event", "sctp_assoc_reset_event"),
		FIELD(sctp_event_subscribe, sctp_stream_change_event, BOOL, "stream_change_event", "sctp_stream_change_event")),
	},
	{ .name = "sndbuf",
	  .from = "gen_sctp; socket(7) SO_SNDBUF",
	  .level = LEVEL_SOCKET, .optname = SO_SNDBUF,
	  .size = sizeof(int), .access = SOCKOPT_RW,
	  .fields = SCALAR(U32, int, "bytes"),
	  .doc = "Send buffer of each association; no message may be longer. The kernel doubles what is set. Default 2 MiB.",
	},
	{ .name = "recbuf",
	  .from = "gen_sctp; socket(7) SO_RCVBUF",
	  .level = LEVEL_SOCKET, .optname = SO_RCVBUF,
	  .size = sizeof(int), .access = SOCKOPT_RW,
	  .fields = SCALAR(U32, int, "bytes"),
	  .doc = "Receive buffer that the window of an association is made from. Once it is up it has five times that, as the window counts bytes and the buffer whole packets. The kernel doubles what is set. Default 1 MiB.",
	},
	{ .name = "linger",
	  .from = "gen_sctp; socket(7) SO_LINGER; " RFC6458("8.1.4"),
	  .level = LEVEL_SOCKET, .optname = SO_LINGER,
	  .size = sizeof(struct linger), .access = SOCKOPT_RW,
	  .doc = "With on and 0 seconds, close aborts the associations instead of shutting them down.",
	  .fields = FIELDS(
		FIELD(linger, l_onoff, BOOL, "on", "whether it lingers"),
		FIELD(linger, l_linger, U32, "seconds", "how long at most")),
	},
	{ .name = "reuseaddr",
	  .from = "gen_sctp; socket(7) SO_REUSEADDR",
	  .level = LEVEL_SOCKET, .optname = SO_REUSEADDR,
	  .size = sizeof(int), .access = SOCKOPT_RW,
	  .fields = SCALAR(BOOL, int, "true or false"),
	  .doc = "Let two sockets that both have it bind the same address and port; one of them may listen.",
	},
	{ .name = "reuseport",
	  .from = "socket(7) SO_REUSEPORT",
	  .level = LEVEL_SOCKET, .optname = SO_REUSEPORT,
	  .size = sizeof(int), .access = SOCKOPT_RW,
	  .fields = SCALAR(BOOL, int, "true or false"),
	  .doc = "Let several sockets of one user listen on the same port; the kernel shares the peers out.",
	},
	{ .name = "dontroute",
	  .from = "gen_sctp; socket(7) SO_DONTROUTE",
	  .level = LEVEL_SOCKET, .optname = SO_DONTROUTE,
	  .size = sizeof(int), .access = SOCKOPT_RW,
	  .fields = SCALAR(BOOL, int, "true or false"),
	  .doc = "Send to directly connected hosts only.",
	},
	{ .name = "priority",
	  .from = "gen_sctp; socket(7) SO_PRIORITY",
	  .level = LEVEL_SOCKET, .optname = SO_PRIORITY,
	  .size = sizeof(int), .access = SOCKOPT_RW,
	  .fields = SCALAR(U32, int, "0 to 6; more needs CAP_NET_ADMIN"),
	  .doc = "Priority of the packets in the queues of this host.",
	},
	{ .name = "tos",
	  .from = "gen_sctp; ip(7) IP_TOS",
	  .level = LEVEL_IP, .optname = IP_TOS,
	  .size = sizeof(int), .access = SOCKOPT_RW,
	  .fields = SCALAR(U8, int, "the byte; its two low bits are the kernel's"),
	  .doc = "Type of service of IPv4 packets. Set it before the association is made.",
	},
	{ .name = "ttl",
	  .from = "gen_sctp; ip(7) IP_TTL",
	  .level = LEVEL_IP, .optname = IP_TTL,
	  .size = sizeof(int), .access = SOCKOPT_RW,
	  .fields = SCALAR(U8, int, "1 to 255"),
	  .doc = "Hops that an IPv4 packet may take.",
	},
	{ .name = "tclass",
	  .from = "gen_sctp; ipv6(7) IPV6_TCLASS",
	  .level = LEVEL_IPV6, .optname = IPV6_TCLASS,
	  .size = sizeof(int), .access = SOCKOPT_RW,
	  .fields = SCALAR(U8, int, "the byte"),
	  .doc = "Traffic class of IPv6 packets; inet6 sockets only.",
	},
	{ .name = "ipv6_v6only",
	  .from = "gen_sctp; ipv6(7) IPV6_V6ONLY",
	  .level = LEVEL_IPV6, .optname = IPV6_V6ONLY,
	  .size = sizeof(int), .access = SOCKOPT_RW,
	  .fields = SCALAR(BOOL, int, "true or false"),
	  .doc = "Keep an inet6 socket to IPv6. At open only: bound sockets refuse it.",
	},
	{ .name = "sctp_rtoinfo",
	  .from = "gen_sctp; " RFC6458("8.1.1"),
	  .level = LEVEL_SCTP, .optname = SCTP_RTOINFO,
	  .size = sizeof(struct sctp_rtoinfo), .access = SOCKOPT_RW, .scope = SCOPE_FUTURE,
	  .doc = "Bounds of the retransmission timeout.",
	  .fields = FIELDS(
		FIELD(sctp_rtoinfo, srto_assoc_id, U32, "assoc_id", "association; 0: those to come"),
		FIELD(sctp_rtoinfo, srto_initial, U32, "initial", "first timeout, ms"),
		FIELD(sctp_rtoinfo, srto_max, U32, "max", "upper bound, ms"),
		FIELD(sctp_rtoinfo, srto_min, U32, "min", "lower bound, ms")),
	},
	{ .name = "sctp_associnfo",
	  .from = "gen_sctp; " RFC6458("8.1.2"),
	  .level = LEVEL_SCTP, .optname = SCTP_ASSOCINFO,
	  .size = sizeof(struct sctp_assocparams), .access = SOCKOPT_RW, .scope = SCOPE_FUTURE,
	  .doc = "Limits of an association.",
	  .fields = FIELDS(
		FIELD(sctp_assocparams, sasoc_assoc_id, U32, "assoc_id", "association; 0: those to come"),
		FIELD(sctp_assocparams, sasoc_asocmaxrxt, U16, "asocmaxrxt", "retransmissions until it is given up"),
		FIELD(sctp_assocparams, sasoc_number_peer_destinations, U16, "number_peer_destinations", "addresses of the peer; read only"),
		FIELD(sctp_assocparams, sasoc_peer_rwnd, U32, "peer_rwnd", "the peer's window, bytes; read only"),
		FIELD(sctp_assocparams, sasoc_local_rwnd, U32, "local_rwnd", "our window, bytes; read only"),
		FIELD(sctp_assocparams, sasoc_cookie_life, U32, "cookie_life", "how long a cookie is good, ms")),
	},
	{ .name = "sctp_initmsg",
	  .from = "gen_sctp; " RFC6458("8.1.3"),
	  .level = LEVEL_SCTP, .optname = SCTP_INITMSG,
	  .size = sizeof(struct sctp_initmsg), .access = SOCKOPT_RW,
	  .doc = "What the next association asks for.",
	  .fields = FIELDS(
		FIELD(sctp_initmsg, sinit_num_ostreams, U16, "num_ostreams", "streams to the peer that are asked for"),
		FIELD(sctp_initmsg, sinit_max_instreams, U16, "max_instreams", "streams from the peer that are taken"),
		FIELD(sctp_initmsg, sinit_max_attempts, U16, "max_attempts", "INITs until it is given up"),
		FIELD(sctp_initmsg, sinit_max_init_timeo, U16, "max_init_timeo", "longest wait between them, ms")),
	},
	{ .name = "sctp_nodelay",
	  .from = "gen_sctp; " RFC6458("8.1.5"),
	  .level = LEVEL_SCTP, .optname = SCTP_NODELAY,
	  .size = sizeof(int), .access = SOCKOPT_RW,
	  .fields = SCALAR(BOOL, int, "true or false"),
	  .doc = "Send small messages at once instead of waiting for more. Default true, unlike gen_sctp's.",
	},
	{ .name = "sctp_autoclose",
	  .from = "gen_sctp; " RFC6458("8.1.8"),
	  .level = LEVEL_SCTP, .optname = SCTP_AUTOCLOSE,
	  .size = sizeof(int), .access = SOCKOPT_RW,
	  .fields = SCALAR(U32, int, "seconds; 0: never"),
	  .doc = "Shut associations down that were idle for so long. One-to-many sockets only.",
	},
	{ .name = "sctp_set_peer_primary_addr",
	  .from = "gen_sctp; " RFC6458("8.3.1"),
	  .level = LEVEL_SCTP, .optname = SCTP_SET_PEER_PRIMARY_ADDR,
	  .size = sizeof(struct sctp_setpeerprim), .access = SOCKOPT_SET, .scope = SCOPE_ASSOC,
	  .doc = "Ask the peer to send to this address of ours. Needs sctp_asconf_supported on both sides.",
	  .fields = FIELDS(
		FIELD(sctp_setpeerprim, sspp_assoc_id, U32, "assoc_id", "association"),
		FIELD(sctp_setpeerprim, sspp_addr, ENDPOINT, "addr", "our address and port")),
	},
	{ .name = "sctp_primary_addr",
	  .from = "gen_sctp; " RFC6458("8.1.9"),
	  .level = LEVEL_SCTP, .optname = SCTP_PRIMARY_ADDR,
	  .size = sizeof(struct sctp_prim), .access = SOCKOPT_RW, .scope = SCOPE_ASSOC,
	  .doc = "The address of the peer that is sent to while it works.",
	  .fields = FIELDS(
		FIELD(sctp_prim, ssp_assoc_id, U32, "assoc_id", "association"),
		FIELD(sctp_prim, ssp_addr, ENDPOINT, "addr", "the peer's address and port")),
	},
	{ .name = "sctp_adaptation_layer",
	  .from = "gen_sctp; " RFC6458("8.1.10"),
	  .level = LEVEL_SCTP, .optname = SCTP_ADAPTATION_LAYER,
	  .size = sizeof(struct sctp_setadaptation), .access = SOCKOPT_RW,
	  .doc = "The adaptation indication that associations to come announce.",
	  .fields = FIELDS(
		FIELD(sctp_setadaptation, ssb_adaptation_ind, U32, "adaptation_ind", "the indication")),
	},
	{ .name = "sctp_disable_fragments",
	  .from = "gen_sctp; " RFC6458("8.1.11"),
	  .level = LEVEL_SCTP, .optname = SCTP_DISABLE_FRAGMENTS,
	  .size = sizeof(int), .access = SOCKOPT_RW,
	  .fields = SCALAR(BOOL, int, "true or false"),
	  .doc = "Refuse messages that do not fit in one packet.",
	},
	{ .name = "sctp_peer_addr_params",
	  .from = "gen_sctp; " RFC6458("8.1.12"),
	  .level = LEVEL_SCTP, .optname = SCTP_PEER_ADDR_PARAMS,
	  .size = sizeof(struct sctp_paddrparams), .access = SOCKOPT_RW, .scope = SCOPE_FUTURE,
	  .doc = "Heartbeat, path MTU and SACK delay of a path. A value is taken only with its enabling flag.",
	  .fields = FIELDS(
		FIELD(sctp_paddrparams, spp_assoc_id, U32, "assoc_id", "association; 0: those to come"),
		SPARSE(sctp_paddrparams, spp_address, ENDPOINT, "address", "address of the peer; absent: all"),
		FIELD(sctp_paddrparams, spp_hbinterval, U32, "hbinterval", "heartbeat interval, ms"),
		FIELD(sctp_paddrparams, spp_pathmaxrxt, U16, "pathmaxrxt", "retransmissions until the path is held dead"),
		FIELD(sctp_paddrparams, spp_pathmtu, U32, "pathmtu", "path MTU, bytes, where it is not discovered"),
		FIELD(sctp_paddrparams, spp_sackdelay, U32, "sackdelay", "delay of SACKs, ms"),
		WORDED(sctp_paddrparams, spp_flags, WORDS, spp_flags, "flags", "what is set and what it is set to"),
		FIELD(sctp_paddrparams, spp_ipv6_flowlabel, U32, "ipv6_flowlabel", "with the flag: flow label of IPv6 packets"),
		FIELD(sctp_paddrparams, spp_dscp, U8, "dscp", "with the flag: traffic class; clears ECN")),
	},
	{ .name = "sctp_default_send_param",
	  .from = "gen_sctp; " RFC6458("8.1.13"),
	  .level = LEVEL_SCTP, .optname = SCTP_DEFAULT_SEND_PARAM,
	  .size = sizeof(struct sctp_sndrcvinfo), .access = SOCKOPT_RW, .scope = SCOPE_CURRENT,
	  .doc = "What send by assoc_id and stream sends with.",
	  .fields = FIELDS(
		FIELD(sctp_sndrcvinfo, sinfo_stream, U16, "stream", "stream"),
		WORDED(sctp_sndrcvinfo, sinfo_flags, WORDS, sinfo_flags, "flags", "unordered, addr_over"),
		FIELD(sctp_sndrcvinfo, sinfo_ppid, BE32, "ppid", "payload protocol identifier"),
		FIELD(sctp_sndrcvinfo, sinfo_context, U32, "context", "returned with messages that fail"),
		FIELD(sctp_sndrcvinfo, sinfo_timetolive, U32, "timetolive", "ms; 0: for ever"),
		FIELD(sctp_sndrcvinfo, sinfo_assoc_id, U32, "assoc_id", "association; 0: those to come, 1: those that are, 2: both")),
	},
	{ .name = "sctp_i_want_mapped_v4_addr",
	  .from = "gen_sctp; " RFC6458("8.1.15"),
	  .level = LEVEL_SCTP, .optname = SCTP_I_WANT_MAPPED_V4_ADDR,
	  .size = sizeof(int), .access = SOCKOPT_RW,
	  .fields = SCALAR(BOOL, int, "true or false"),
	  .doc = "Show IPv4 peers of an inet6 socket as ::ffff:a.b.c.d.",
	},
	{ .name = "sctp_maxseg",
	  .from = "gen_sctp; " RFC6458("8.1.16"),
	  .level = LEVEL_SCTP, .optname = SCTP_MAXSEG,
	  .size = sizeof(struct sctp_assoc_value), .access = SOCKOPT_RW, .scope = SCOPE_FUTURE,
	  .doc = "Longest piece that a message is cut into.",
	  .fields = ASSOC_VALUE(U32, "bytes; 0: as the path allows"),
	},
	{ .name = "sctp_status",
	  .from = "gen_sctp; " RFC6458("8.2.1"),
	  .level = LEVEL_SCTP, .optname = SCTP_STATUS,
	  .size = sizeof(struct sctp_status), .access = SOCKOPT_GET, .scope = SCOPE_ASSOC,
	  .doc = "State of an association.",
	  .fields = FIELDS(
		FIELD(sctp_status, sstat_assoc_id, U32, "assoc_id", "association"),
		WORDED(sctp_status, sstat_state, WORD, status_state, "state", "its state"),
		FIELD(sctp_status, sstat_rwnd, U32, "rwnd", "the peer's window, bytes"),
		FIELD(sctp_status, sstat_unackdata, U16, "unackdata", "chunks that are not acknowledged"),
		FIELD(sctp_status, sstat_penddata, U16, "penddata", "chunks that wait to be received"),
		FIELD(sctp_status, sstat_instrms, U16, "instrms", "streams from the peer"),
		FIELD(sctp_status, sstat_outstrms, U16, "outstrms", "streams to the peer"),
		FIELD(sctp_status, sstat_fragmentation_point, U32, "fragmentation_point", "longest message that is not cut, bytes"),
		RECORD(sctp_status, sstat_primary, FIELDS(PADDRINFO_FIELDS), "primary", "the primary path, as sctp_get_peer_addr_info")),
	},
	{ .name = "sctp_get_peer_addr_info",
	  .from = "gen_sctp; " RFC6458("8.2.2"),
	  .level = LEVEL_SCTP, .optname = SCTP_GET_PEER_ADDR_INFO,
	  .size = sizeof(struct sctp_paddrinfo), .access = SOCKOPT_GET, .scope = SCOPE_ASSOC,
	  .doc = "State of a path.",
	  .fields = FIELDS(PADDRINFO_FIELDS),
	},
	{ .name = "sctp_delayed_ack_time",
	  .from = "gen_sctp; " RFC6458("8.1.19"),
	  .level = LEVEL_SCTP, .optname = SCTP_DELAYED_ACK_TIME,
	  .size = sizeof(struct sctp_assoc_value), .access = SOCKOPT_RW, .scope = SCOPE_CURRENT,
	  .doc = "How long a SACK may wait.",
	  .fields = ASSOC_VALUE(U32, "ms; 0: no delay; at most 500"),
	},
	{ .name = "sctp_delayed_sack",
	  .from = RFC6458("8.1.19"),
	  .level = LEVEL_SCTP, .optname = SCTP_DELAYED_SACK,
	  .size = sizeof(struct sctp_sack_info), .access = SOCKOPT_RW, .scope = SCOPE_CURRENT,
	  .doc = "How long, and for how many packets, a SACK may wait.",
	  .fields = FIELDS(
		FIELD(sctp_sack_info, sack_assoc_id, U32, "assoc_id", "association; 0: those to come, 1: those that are, 2: both"),
		FIELD(sctp_sack_info, sack_delay, U32, "delay", "ms"),
		FIELD(sctp_sack_info, sack_freq, U32, "freq", "packets; 1: no delay")),
	},
	{ .name = "sctp_context",
	  .from = RFC6458("8.1.21"),
	  .level = LEVEL_SCTP, .optname = SCTP_CONTEXT,
	  .size = sizeof(struct sctp_assoc_value), .access = SOCKOPT_RW, .scope = SCOPE_CURRENT,
	  .doc = "The context that received messages carry.",
	  .fields = ASSOC_VALUE(U32, "the context"),
	},
	{ .name = "sctp_fragment_interleave",
	  .from = RFC6458("8.1.20"),
	  .level = LEVEL_SCTP, .optname = SCTP_FRAGMENT_INTERLEAVE,
	  .size = sizeof(int), .access = SOCKOPT_GET,
	  .fields = SCALAR(U32, int, "0 to 2"),
	  .doc = "How the stack mixes long messages; the daemon puts them together and needs 0.",
	},
	{ .name = "sctp_partial_delivery_point",
	  .from = RFC6458("8.1.22"),
	  .level = LEVEL_SCTP, .optname = SCTP_PARTIAL_DELIVERY_POINT,
	  .size = sizeof(uint32_t), .access = SOCKOPT_RW,
	  .fields = SCALAR(U32, uint32_t, "bytes"),
	  .doc = "From what size on the stack hands a message over in pieces; the daemon puts them together.",
	},
	{ .name = "sctp_max_burst",
	  .from = RFC6458("8.1.24"),
	  .level = LEVEL_SCTP, .optname = SCTP_MAX_BURST,
	  .size = sizeof(struct sctp_assoc_value), .access = SOCKOPT_RW, .scope = SCOPE_CURRENT,
	  .doc = "Packets that may be sent at once.",
	  .fields = ASSOC_VALUE(U32, "packets; 0: any number"),
	},
	{ .name = "sctp_default_sndinfo",
	  .from = RFC6458("8.1.31"),
	  .level = LEVEL_SCTP, .optname = SCTP_DEFAULT_SNDINFO,
	  .size = sizeof(struct sctp_sndinfo), .access = SOCKOPT_RW, .scope = SCOPE_CURRENT,
	  .doc = "What send by assoc_id and stream sends with, without a time to live.",
	  .fields = FIELDS(
		FIELD(sctp_sndinfo, snd_sid, U16, "sid", "stream"),
		WORDED(sctp_sndinfo, snd_flags, WORDS, sinfo_flags, "flags", "unordered, addr_over"),
		FIELD(sctp_sndinfo, snd_ppid, BE32, "ppid", "payload protocol identifier"),
		FIELD(sctp_sndinfo, snd_context, U32, "context", "returned with messages that fail"),
		FIELD(sctp_sndinfo, snd_assoc_id, U32, "assoc_id", "association; 0: those to come, 1: those that are, 2: both")),
	},
	{ .name = "sctp_default_prinfo",
	  .from = RFC6458("8.1.32"),
	  .level = LEVEL_SCTP, .optname = SCTP_DEFAULT_PRINFO,
	  .size = sizeof(struct sctp_default_prinfo), .access = SOCKOPT_RW, .scope = SCOPE_CURRENT,
	  .doc = "When messages are given up.",
	  .fields = FIELDS(
		FIELD(sctp_default_prinfo, pr_assoc_id, U32, "assoc_id", "association; 0: those to come, 1: those that are, 2: both"),
		FIELD(sctp_default_prinfo, pr_value, U32, "value", "ms (ttl), retransmissions (rtx) or priority (prio)"),
		WORDED(sctp_default_prinfo, pr_policy, WORD, prinfo_policy, "policy", "by what rule")),
	},
	{ .name = "sctp_auto_asconf",
	  .from = RFC6458("8.1.23"),
	  .level = LEVEL_SCTP, .optname = SCTP_AUTO_ASCONF,
	  .size = sizeof(int), .access = SOCKOPT_RW,
	  .fields = SCALAR(BOOL, int, "true or false"),
	  .doc = "Tell peers of addresses that come and go; sockets bound to any address only.",
	},
	{ .name = "sctp_pr_supported",
	  .from = "RFC 7496 4.5",
	  .level = LEVEL_SCTP, .optname = SCTP_PR_SUPPORTED,
	  .size = sizeof(struct sctp_assoc_value), .access = SOCKOPT_RW, .scope = SCOPE_FUTURE,
	  .doc = "Offer to give messages up (PR-SCTP).",
	  .fields = ASSOC_VALUE(U32, "1 or 0"),
	},
	{ .name = "sctp_pr_assoc_status",
	  .from = "RFC 7496 4.4",
	  .level = LEVEL_SCTP, .optname = SCTP_PR_ASSOC_STATUS,
	  .size = sizeof(struct sctp_prstatus), .access = SOCKOPT_GET, .scope = SCOPE_ASSOC,
	  .doc = "Messages of an association that were given up.",
	  .fields = PRSTATUS_FIELDS,
	},
	{ .name = "sctp_pr_stream_status",
	  .from = "RFC 7496 4.3",
	  .level = LEVEL_SCTP, .optname = SCTP_PR_STREAM_STATUS,
	  .size = sizeof(struct sctp_prstatus), .access = SOCKOPT_GET, .scope = SCOPE_ASSOC,
	  .doc = "Messages of a stream that were given up.",
	  .fields = PRSTATUS_FIELDS,
	},
	{ .name = "sctp_reconfig_supported",
	  .from = "RFC 6525 6.3",
	  .level = LEVEL_SCTP, .optname = SCTP_RECONFIG_SUPPORTED,
	  .size = sizeof(struct sctp_assoc_value), .access = SOCKOPT_RW, .scope = SCOPE_FUTURE,
	  .doc = "Offer to reset and add streams.",
	  .fields = ASSOC_VALUE(U32, "1 or 0"),
	},
	{ .name = "sctp_enable_stream_reset",
	  .from = "RFC 6525 6.3.1",
	  .level = LEVEL_SCTP, .optname = SCTP_ENABLE_STREAM_RESET,
	  .size = sizeof(struct sctp_assoc_value), .access = SOCKOPT_RW, .scope = SCOPE_CURRENT,
	  .doc = "What the peer may ask for.",
	  .fields = FIELDS(
		FIELD(sctp_assoc_value, assoc_id, U32, "assoc_id", "association; 0: those to come"),
		WORDED(sctp_assoc_value, assoc_value, WORDS, reset_flags, "assoc_value", "reset_streams, reset_assoc, add_streams")),
	},
	{ .name = "sctp_add_streams",
	  .from = "RFC 6525 6.3.4",
	  .level = LEVEL_SCTP, .optname = SCTP_ADD_STREAMS,
	  .size = sizeof(struct sctp_add_streams), .access = SOCKOPT_SET, .scope = SCOPE_ASSOC,
	  .doc = "Add streams to an association; sctp_stream_change_event says how it went.",
	  .fields = FIELDS(
		FIELD(sctp_add_streams, sas_assoc_id, U32, "assoc_id", "association"),
		FIELD(sctp_add_streams, sas_instrms, U16, "instrms", "streams from the peer to add"),
		FIELD(sctp_add_streams, sas_outstrms, U16, "outstrms", "streams to the peer to add")),
	},
	{ .name = "sctp_stream_scheduler",
	  .from = "RFC 8260 4.3.2",
	  .level = LEVEL_SCTP, .optname = SCTP_STREAM_SCHEDULER,
	  .size = sizeof(struct sctp_assoc_value), .access = SOCKOPT_RW, .scope = SCOPE_CURRENT,
	  .doc = "Which stream is sent next.",
	  .fields = FIELDS(
		FIELD(sctp_assoc_value, assoc_id, U32, "assoc_id", "association; 0: those to come, 1: those that are, 2: both"),
		WORDED(sctp_assoc_value, assoc_value, WORD, scheduler, "assoc_value", "fcfs, prio or rr")),
	},
	{ .name = "sctp_stream_scheduler_value",
	  .from = "RFC 8260 4.3.3",
	  .level = LEVEL_SCTP, .optname = SCTP_STREAM_SCHEDULER_VALUE,
	  .size = sizeof(struct sctp_stream_value), .access = SOCKOPT_RW, .scope = SCOPE_ASSOC,
	  .doc = "A stream's priority for the scheduler.",
	  .fields = FIELDS(
		FIELD(sctp_stream_value, assoc_id, U32, "assoc_id", "association"),
		FIELD(sctp_stream_value, stream_id, U16, "stream_id", "stream"),
		FIELD(sctp_stream_value, stream_value, U16, "stream_value", "its priority; 0 is the highest")),
	},
	{ .name = "sctp_asconf_supported",
	  .from = "RFC 5061",
	  .level = LEVEL_SCTP, .optname = SCTP_ASCONF_SUPPORTED,
	  .size = sizeof(struct sctp_assoc_value), .access = SOCKOPT_RW, .scope = SCOPE_FUTURE,
	  .doc = "Offer to add and remove addresses while an association is up. Needs sctp_auth_supported.",
	  .fields = ASSOC_VALUE(U32, "1 or 0"),
	},
	{ .name = "sctp_auth_supported",
	  .from = "RFC 4895",
	  .level = LEVEL_SCTP, .optname = SCTP_AUTH_SUPPORTED,
	  .size = sizeof(struct sctp_assoc_value), .access = SOCKOPT_RW, .scope = SCOPE_FUTURE,
	  .doc = "Offer authenticated chunks.",
	  .fields = ASSOC_VALUE(U32, "1 or 0"),
	},
	{ .name = "sctp_ecn_supported",
	  .from = "RFC 9260 appendix A",
	  .level = LEVEL_SCTP, .optname = SCTP_ECN_SUPPORTED,
	  .size = sizeof(struct sctp_assoc_value), .access = SOCKOPT_RW, .scope = SCOPE_FUTURE,
	  .doc = "Offer explicit congestion notification.",
	  .fields = ASSOC_VALUE(U32, "1 or 0"),
	},
#ifdef SCTP_EXPOSE_POTENTIALLY_FAILED_STATE
	{ .name = "sctp_expose_potentially_failed_state",
	  .from = "RFC 7829 7.3",
	  .level = LEVEL_SCTP, .optname = SCTP_EXPOSE_POTENTIALLY_FAILED_STATE,
	  .size = sizeof(struct sctp_assoc_value), .access = SOCKOPT_RW, .scope = SCOPE_FUTURE,
	  .doc = "Whether a path may be seen as potentially_failed.",
	  .fields = ASSOC_VALUE(U32, "0: as the system has it; 1: no; 2: yes, with events"),
	},
#endif
#ifdef SCTP_REMOTE_UDP_ENCAPS_PORT
	{ .name = "sctp_remote_udp_encaps_port",
	  .from = "RFC 6951 6.1",
	  .level = LEVEL_SCTP, .optname = SCTP_REMOTE_UDP_ENCAPS_PORT,
	  .size = sizeof(struct sctp_udpencaps), .access = SOCKOPT_RW, .scope = SCOPE_FUTURE,
	  .doc = "Send SCTP inside UDP, to this port. To receive it the host needs the sysctl net.sctp.udp_port.",
	  .fields = FIELDS(
		FIELD(sctp_udpencaps, sue_assoc_id, U32, "assoc_id", "association; 0: those to come"),
		SPARSE(sctp_udpencaps, sue_address, ENDPOINT, "address", "address of the peer; absent: all"),
		FIELD(sctp_udpencaps, sue_port, BE16, "port", "UDP port; 0: no UDP")),
	},
#endif
	{ .name = NULL }
};

const struct sockopt *
sockopt_find(const char *name, size_t len)
{
	for (const struct sockopt *o = sockopt_table; o->name != NULL; o++) {
		if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
			return o;
	}
	return NULL;
}

const struct field *
sockopt_assoc(const struct sockopt *o)
{
	for (const struct field *f = o->fields; f->key != NULL; f++) {
		if (strcmp(f->key, "assoc_id") == 0)
			return f;
	}
	return NULL;
}
