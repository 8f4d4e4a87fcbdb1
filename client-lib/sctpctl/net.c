/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sctpctl listen and connect: how the associations come about with which
 * talk.c talks, as nc(1) does with bytes.
 */
#include <inttypes.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "proto/rpc.h"
#include "sctpctl/call.h"
#include "sctpctl/net.h"
#include "sctpctl/out.h"
#include "sctpctl/talk.h"

/* ---- opening a socket ----------------------------------------------- */

static char *
word(const char *key, const char *value)
{
	char	*s;

	if (asprintf(&s, "%s%s", key, value) == -1)
		exit(ctl_fail(CTL_FAILED, "there is no memory left"));
	return s;
}

/* The word for an --option, with the bytes of the file that it may name. */
static char *
option_word(const char *option)
{
	char	*plain = word("options.", option), *given;
	int	 fail;

	if ((fail = call_read_word(&rpc_table[RPC_open], plain, &given)) != CTL_OK)
		exit(fail);
	if (given == NULL)
		return plain;
	free(plain);
	return given;
}

/* Open a socket at the addresses of --ip, or at any address, with every --option. */
static int
open_socket(const struct ctl *ctl, int family, const char *port, uint64_t *sock)
{
	const struct sctpd_value	*v;
	const char			*any = family == AF_INET6 ? "::" : "any";
	char				*words[CTL_OPTIONS + 8], streams[8];
	int				 n = 0, code;

	if (ctl->ip != NULL && strchr(ctl->ip, ':') != NULL)
		family = AF_INET6;	/* such a socket takes IPv4 addresses as well */
	(void)snprintf(streams, sizeof streams, "%u", ctl->ostreams);
	words[n++] = word("open", "");
	words[n++] = word("family=", family == AF_INET6 ? "inet6" : "inet");
	words[n++] = word("ip=", ctl->ip != NULL ? ctl->ip : any);
	words[n++] = word("port=", port);
	words[n++] = word("type=", ctl->one_to_one ? "stream" : "seqpacket");
	if (ctl->ostreams > 0)
		words[n++] = word("options.sctp_initmsg.num_ostreams=", streams);
	for (int i = 0; i < ctl->noptions; i++)
		words[n++] = option_word(ctl->option[i]);
	code = sctpd_callv(ctl->c, &v, n, (const char *const *)words);
	if (code == SCTPD_OK)
		*sock = (uint64_t)sctpd_get_int(v, "sock");
	while (n > 0)
		call_forget_word(words[--n]);
	return code;
}

/* ---- what the words say --------------------------------------------- */

/* Options that contradict each other. */
static int
check_options(const struct ctl *ctl)
{
	static const char	streams[] = "sctp_initmsg.num_ostreams=";

	for (int i = 0; i < ctl->noptions && ctl->ostreams > 0; i++) {
		if (strncmp(ctl->option[i], streams, sizeof streams - 1) == 0)
			return ctl_fail(CTL_USAGE, "--ostreams %u and -o %s set the same number; give one of them",
			    ctl->ostreams, ctl->option[i]);
	}
	if (ctl->has_count + ctl->echo + (ctl->script != NULL) > 1)
		return ctl_fail(CTL_USAGE, "--count or --size, --echo and --script say what is sent; give one of them");
	if (ctl->random && ctl->size == 0)
		return ctl_fail(CTL_USAGE, "--random goes with --size");
	return CTL_OK;
}

static int
check_port(const char *takes, const char *port, long least)
{
	char	*end;
	long	 n = strtol(port, &end, 10);

	if (*port < '0' || *port > '9' || *end != '\0' || n < least || n > 65535)
		return ctl_fail(CTL_USAGE, "%s, from %ld to 65535, not \"%s\"", takes, least, port);
	return CTL_OK;
}

static int
check_host(const char *host)
{
	return host[strspn(host, " \t")] == '\0' ? ctl_fail(CTL_USAGE, "\"%s\" is not a host", host) : CTL_OK;
}

/* Read the script, and reach the daemon. */
static int
begin(struct talk *t)
{
	int	fail = CTL_OK;

	if (t->ctl->script != NULL && (t->script = script_read(t->ctl->script, &fail)) == NULL)
		return fail;
	return ctl_dial_session(t->ctl);
}

/* ---- listen --------------------------------------------------------- */

static int
listen_at(struct talk *t, const char *wanted)
{
	struct ctl	*ctl = t->ctl;
	uint16_t	 port = 0;
	int		 code;

	if ((code = open_socket(ctl, AF_INET, wanted, &t->listener)) != SCTPD_OK ||
	    (code = sctpd_set_active(ctl->c, t->listener, SCTPD_ACTIVE)) != SCTPD_OK ||
	    (code = sctpd_sockname(ctl->c, t->listener, NULL, 0, &port)) != SCTPD_OK ||
	    (code = sctpd_listen(ctl->c, t->listener, -1)) != SCTPD_OK)
		return ctl_fail_call(ctl, code);
	if (ctl->verbose || strcmp(wanted, "0") == 0)
		fprintf(stderr, "listening on port %u\n", port);
	return CTL_OK;
}

int
net_listen(struct ctl *ctl, int argc, char **argv)
{
	struct talk	t = { .ctl = ctl };
	int		fail;

	if (argc != 2)
		return ctl_fail(CTL_USAGE, "listen takes one argument: sctpctl listen PORT");
	if (ctl->associations > 0)
		return ctl_fail(CTL_USAGE, "--associations goes with connect only; listen takes all that come with -k");
	if ((fail = check_port("listen takes a port", argv[1], 0)) != CTL_OK || (fail = check_options(ctl)) != CTL_OK)
		return fail;
	if ((fail = begin(&t)) == CTL_OK && (fail = listen_at(&t, argv[1])) == CTL_OK)
		fail = talk_loop(&t);
	talk_free(&t);
	return fail;
}

/* ---- connect -------------------------------------------------------- */

/*
 * A one-to-many socket has associations with several peers, and one with each.
 * So the peers of a command line share a socket, as far as that goes.
 */
struct net {
	struct talk	*talk;
	uint64_t	 shared[2];	/* of each family, or 0 */
};

/* It is up: say so. */
static int
came_up(struct net *n, uint64_t sock, const char *addr, const char *port, const struct sctpd_value *v)
{
	struct ctl	*ctl = n->talk->ctl;
	struct peer	*p = talk_came_up(n->talk, sock, (uint32_t)sctpd_get_int(v, "assoc_id"));

	if (p == NULL)
		return SCTPD_ENOMEM;
	if (ctl->verbose)
		ctl_note("connected to %s port %s, association %u, %d streams out, %d in",
		    addr, port, p->assoc_id, (int)sctpd_get_int(v, "outbound_streams"),
		    (int)sctpd_get_int(v, "inbound_streams"));
	if (ctl->json)
		out_connected(sock, addr, port, v);
	return SCTPD_OK;
}

static int
connect_on(struct net *n, uint64_t sock, const char *addr, const char *port)
{
	const struct sctpd_value	*v;
	const struct ctl		*ctl = n->talk->ctl;
	char				 ms[16] = "infinity";
	int				 code;

	if (ctl->timeout >= 0)
		(void)snprintf(ms, sizeof ms, "%d", ctl->timeout);
	code = sctpd_call(ctl->c, &v, "connect sock=%" PRIu64 " addr=%s port=%d timeout=%s", sock, addr, atoi(port), ms);
	return code == SCTPD_OK ? came_up(n, sock, addr, port, v) : code;
}

/* Say why there is no association; without a socket it was not the peer's address that was wrong. */
static int
fail_connect(const struct net *n, int code, uint64_t sock, const char *addr, const char *port)
{
	const struct ctl	*ctl = n->talk->ctl;

	if (ctl->json)
		out_failed("connect", addr, port, sctpd_error(ctl->c));
	if (sock == 0)
		return ctl_fail_call(ctl, code);
	return ctl_fail(ctl_exit(ctl, code), "%s port %s: %s", addr, port, sctpd_error(ctl->c));
}

/* An association with the peer, on the socket that others have or on one of its own; *sock is 0 if none could be opened. */
static int
try_connect(struct net *n, int family, const char *addr, const char *port, uint64_t *sock)
{
	struct ctl	*ctl = n->talk->ctl;
	uint64_t	*shared = &n->shared[family == AF_INET6];
	int		 code = SCTPD_EISCONN, fail;

	*sock = *shared;
	if (*sock != 0 && !ctl->one_to_one)
		code = connect_on(n, *sock, addr, port);
	if (code != SCTPD_EISCONN && code != SCTPD_EALREADY)
		return code == SCTPD_OK ? CTL_OK : fail_connect(n, code, *sock, addr, port);
	*sock = 0;
	if ((code = open_socket(ctl, family, "0", sock)) != SCTPD_OK)
		return fail_connect(n, code, 0, addr, port);
	if ((code = connect_on(n, *sock, addr, port)) == SCTPD_OK) {
		*shared = *sock;
		return CTL_OK;
	}
	fail = fail_connect(n, code, *sock, addr, port);
	if (sctpd_fd(ctl->c) != -1)
		(void)sctpd_close(ctl->c, *sock);
	return fail;
}

/* The addresses of a name, one after the other, until one answers. */
static int
connect_name(struct net *n, const char *host, const char *port)
{
	struct addrinfo	 hints = { .ai_socktype = SOCK_STREAM }, *list;
	char		 addr[NI_MAXHOST] = "";
	uint64_t	 sock;
	int		 code, fail;

	if ((code = getaddrinfo(host, port, &hints, &list)) != 0) {
		if (n->talk->ctl->json)
			out_failed("connect", host, port, gai_strerror(code));
		return ctl_fail(CTL_FAILED, "%s: %s", host, gai_strerror(code));
	}
	fail = CTL_FAILED;
	for (struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next) {
		if (getnameinfo(ai->ai_addr, ai->ai_addrlen, addr, sizeof addr, NULL, 0,
		    NI_NUMERICHOST) != 0)
			continue;
		fail = try_connect(n, ai->ai_family, addr, port, &sock);
		if (fail == CTL_OK || sock == 0 || sctpd_fd(n->talk->ctl->c) == -1)
			break;
	}
	freeaddrinfo(list);
	return fail;
}

static int
connect_one(struct net *n, const char *host, const char *port)
{
	uint64_t	sock;

	if (strchr(host, ',') == NULL)
		return connect_name(n, host, port);
	/* Addresses of one peer, to be tried together. */
	return try_connect(n, strchr(host, ':') != NULL ? AF_INET6 : AF_INET, host, port, &sock);
}

/* Messages come once all associations are there to be talked with. */
static int
read_all(const struct talk *t)
{
	int	code = SCTPD_OK;

	for (const struct peer *p = t->peers; p != NULL && code == SCTPD_OK; p = p->next)
		code = sctpd_set_active(t->ctl->c, p->sock, SCTPD_ACTIVE);
	return code == SCTPD_OK ? CTL_OK : ctl_fail_call(t->ctl, code);
}

/* So many associations with each HOST PORT. */
static int
connect_all(struct net *n, int argc, char **argv)
{
	unsigned	times = n->talk->ctl->associations > 0 ? n->talk->ctl->associations : 1;
	int		fail = CTL_OK;

	for (unsigned round = 0; round < times; round++) {
		n->shared[0] = n->shared[1] = 0;
		for (int i = 1; i + 1 < argc && fail == CTL_OK; i += 2)
			fail = connect_one(n, argv[i], argv[i + 1]);
	}
	return fail == CTL_OK ? read_all(n->talk) : fail;
}

int
net_connect(struct ctl *ctl, int argc, char **argv)
{
	struct talk	t = { .ctl = ctl };
	struct net	n = { .talk = &t };
	int		fail = check_options(ctl);

	if (argc < 3 || argc % 2 == 0)
		return ctl_fail(CTL_USAGE, "connect takes a host and a port, or several: sctpctl connect HOST PORT [HOST PORT ...]");
	for (int i = 1; i < argc && fail == CTL_OK; i += 2) {
		if ((fail = check_host(argv[i])) == CTL_OK)
			fail = check_port("connect takes a host and a port", argv[i + 1], 1);
	}
	if (fail == CTL_OK && (fail = begin(&t)) == CTL_OK && (fail = connect_all(&n, argc, argv)) == CTL_OK)
		fail = talk_loop(&t);
	talk_free(&t);
	return fail;
}
