/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "nats/clock.h"
#include "nats/config.h"
#include "nats/endpoint.h"
#include "nats/log.h"
#include "nats/mem.h"
#include "nats/state.h"
#include "nats/subject.h"
#include "proto/words.h"

#define AGAIN	1000	/* ms */

static struct {
	int64_t	next_try;
	bool	told;
} tries[CONFIG_ENDPOINTS];

const char *
endpoint_name(uint64_t sock)
{
	for (size_t i = 0; i < config.n_endpoints && sock != 0; i++) {
		if (state.socks[i] == sock)
			return config.endpoints[i].name;
	}
	return SUBJECT_NOBODY;
}

uint64_t
endpoint_sock(const char *name)
{
	for (size_t i = 0; i < config.n_endpoints; i++) {
		if (strcmp(config.endpoints[i].name, name) == 0)
			return state.socks[i];
	}
	return 0;
}

void
endpoint_closed(uint64_t sock)
{
	for (size_t i = 0; i < config.n_endpoints; i++) {
		if (sock == 0 || state.socks[i] != sock)
			continue;
		log_warning("endpoint %s: its socket was closed; it is opened again", config.endpoints[i].name);
		state.socks[i] = 0;
		tries[i].next_try = clock_ms() + AGAIN;
		state_save();
	}
}

/* ---- open ------------------------------------------------------------ */

/* ---- what the configuration says ----------------------------------------- */

static const char *
packed(const void *arg, size_t *len)
{
	const msgpack_sbuffer	*b = arg;

	*len = b->size;
	return b->data;
}

/* Are its words arguments of the method open? sctpd reads them by the same table. */
static bool
check(const struct endpoint_config *e, struct errtext *why)
{
	struct rpc_open_in	in;
	struct word_arg		args[CONFIG_WORDS];
	msgpack_sbuffer		b;
	msgpack_packer		pk;
	struct words		w = { .pk = &pk, .method = &rpc_table[RPC_open], .packed = packed, .arg = &b };
	uint64_t		has;
	bool			ok;

	for (size_t i = 0; i < e->n; i++)
		args[i] = (struct word_arg){ e->word[i], strcspn(e->word[i], "="), strchr(e->word[i], '=') + 1 };
	msgpack_sbuffer_init(&b);
	msgpack_packer_init(&pk, &b, msgpack_sbuffer_write);
	memset(&in, 0, sizeof in);
	ok = words_pack(&w, args, e->n) && words_check(&w, 0, w.method->in, &in, &has);
	msgpack_sbuffer_destroy(&b);
	*why = w.why;
	return ok;
}

bool
endpoints_check(const char *file, char *error, size_t size)
{
	struct errtext	why;

	for (size_t i = 0; i < config.n_endpoints; i++) {
		const struct endpoint_config	*e = &config.endpoints[i];

		if (e->attach == NULL && !check(e, &why)) {
			(void)snprintf(error, size, "%s:%u: endpoint %s: %s: %s", file, e->line, e->name, why.path, why.why);
			return false;
		}
	}
	return true;
}

/* ---- sockets -------------------------------------------------------------- */

/*
 * What is lost of a handshake is sent again after the initial RTO, which is 3 s: too long for a peer that waits for the host that
 * takes it over. And the kernel itself throws packets of a handshake away: those that come while the daemon is in a call on the
 * socket, if its receive buffer is full of notifications. With many associations that buffer is small (daemon/kernel/budget.c).
 */
#define RTO_INITIAL	"options.sctp_rtoinfo.initial=250"

static bool
has_rtoinfo(const struct endpoint_config *e)
{
	for (size_t i = 0; i < e->n; i++) {
		if (strncmp(e->word[i], "options.sctp_rtoinfo.", strlen("options.sctp_rtoinfo.")) == 0)
			return true;
	}
	return false;
}

static int
open_socket(struct sctpd *c, const struct endpoint_config *e, uint64_t *sock)
{
	char				 hold[64];
	const char			*word[CONFIG_WORDS + 7] = { "open" };
	int				 n = 1, code;
	const struct sctpd_value	*v;

	for (size_t i = 0; i < e->n; i++)
		word[n++] = e->word[i];
	(void)snprintf(hold, sizeof hold, "options.hold_time=%" PRIu64, config.hold_time);
	word[n++] = "options.on_owner_exit=hold";
	word[n++] = hold;
	word[n++] = "options.active=true";
	if (*config.standby != '\0') {
		word[n++] = "options.freebind=true";
		word[n++] = "options.blackhole=true";
		if (!has_rtoinfo(e))
			word[n++] = RTO_INITIAL;
	}
	if ((code = sctpd_callv(c, &v, n, word)) == SCTPD_OK)
		*sock = (uint64_t)sctpd_get_int(v, "sock");
	return code;
}

static int
attach(struct sctpd *c, const struct endpoint_config *e, uint64_t *sock)
{
	const struct sctpd_value	*v;
	int				 code;

	code = sctpd_call(c, &v, "attach name=%s options.on_owner_exit=hold options.hold_time=%" PRIu64 " options.active=true",
	    e->attach, config.hold_time);
	if (code == SCTPD_OK)
		*sock = (uint64_t)sctpd_get_int(v, "sock");
	return code;
}

/* The state knows the socket before the first peer can come: then nobody's messages are of a socket without a name. */
static bool
open_endpoint(struct sctpd *c, size_t i)
{
	const struct endpoint_config	*e = &config.endpoints[i];
	uint64_t			 sock = 0;
	int				 code = e->attach != NULL ? attach(c, e, &sock) : open_socket(c, e, &sock);

	if (code == SCTPD_OK) {
		state.socks[i] = sock;
		state_save();
		if (e->attach == NULL)
			code = sctpd_listen(c, sock, -1);
	}
	if (code == SCTPD_OK) {
		log_notice("endpoint %s: %s socket %" PRIu64, e->name, e->attach != NULL ? "attached to" : "listens on", sock);
		tries[i].told = false;
		return true;
	}
	if (!tries[i].told)
		log_err("endpoint %s (line %u): %s; it is tried again", e->name, e->line, sctpd_error(c));
	tries[i].told = true;
	tries[i].next_try = clock_ms() + AGAIN;
	return false;
}

bool
endpoints_open(struct sctpd *c, bool now)
{
	bool	any = false;

	for (size_t i = 0; i < config.n_endpoints; i++) {
		if (state.socks[i] == 0 && (now || clock_ms() >= tries[i].next_try))
			any = open_endpoint(c, i) || any;
	}
	return any;
}

/* ---- what is there ----------------------------------------------------- */

static const struct sctpd_value *
find(const struct sctpd_value *list, uint64_t sock, uint64_t owner)
{
	const struct sctpd_value	*s;

	for (size_t i = 0; i < sctpd_count(list); i++) {
		s = sctpd_item(list, i);
		if ((uint64_t)sctpd_get_int(s, "sock") == sock && (uint64_t)sctpd_get_int(s, "owner") == owner)
			return s;
	}
	return NULL;
}

/* Sockets that the program before opened, and was killed before it had noted them. Nobody listens on them yet. */
static void
close_unknown(struct sctpd *c, const struct sctpd_value *list, uint64_t client)
{
	uint64_t	unknown[CONFIG_ENDPOINTS], sock;
	size_t		n = 0;

	for (size_t i = 0; i < sctpd_count(list) && n < CONFIG_ENDPOINTS; i++) {
		sock = (uint64_t)sctpd_get_int(sctpd_item(list, i), "sock");
		if ((uint64_t)sctpd_get_int(sctpd_item(list, i), "owner") == client && strcmp(endpoint_name(sock), SUBJECT_NOBODY) == 0)
			unknown[n++] = sock;
	}
	while (n > 0)
		(void)sctpd_close(c, unknown[--n]);	/* or an attached one, which is nobody's then */
}

bool
endpoints_look(struct sctpd *c, uint64_t client)
{
	const struct sctpd_value	*v, *s;
	uint64_t			 listen[CONFIG_ENDPOINTS];
	size_t				 n = 0;

	if (sctpd_call(c, &v, "sockets") != SCTPD_OK)
		return false;
	v = sctpd_get(v, "sockets");
	for (size_t i = 0; i < config.n_endpoints; i++) {
		if (state.socks[i] == 0)
			continue;
		if ((s = find(v, state.socks[i], client)) == NULL)
			state.socks[i] = 0;
		else if (config.endpoints[i].attach == NULL && !sctpd_int(sctpd_get(s, "listening")))
			listen[n++] = state.socks[i];
	}
	close_unknown(c, v, client);
	while (n > 0) {
		if (sctpd_listen(c, listen[--n], -1) != SCTPD_OK)
			log_warning("endpoint %s: %s", endpoint_name(listen[n]), sctpd_error(c));
	}
	state_save();
	return true;
}

/* ---- addresses --------------------------------------------------------- */

static bool
is_here(const struct ifaddrs *all, const char *text)
{
	struct in_addr	four;
	struct in6_addr	six;
	int		family = inet_pton(AF_INET, text, &four) == 1 ? AF_INET : inet_pton(AF_INET6, text, &six) == 1 ? AF_INET6 : AF_UNSPEC;

	for (const struct ifaddrs *a = all; a != NULL; a = a->ifa_next) {
		if (a->ifa_addr == NULL || a->ifa_addr->sa_family != family)
			continue;
		if (family == AF_INET ?
		    memcmp(&((const struct sockaddr_in *)(const void *)a->ifa_addr)->sin_addr, &four, sizeof four) == 0 :
		    memcmp(&((const struct sockaddr_in6 *)(const void *)a->ifa_addr)->sin6_addr, &six, sizeof six) == 0)
			return true;
	}
	return false;
}

/* The addresses of a word "ip=A,B"; *any says that there was one. */
static bool
are_here(const struct ifaddrs *all, const char *word, bool *any)
{
	char	*list = xstrdup(word), *save = NULL;
	bool	 here = true;

	for (char *a = strtok_r(list, ", \t", &save); a != NULL && here; a = strtok_r(NULL, ", \t", &save)) {
		*any = true;
		here = is_here(all, a);
	}
	free(list);
	return here;
}

bool
endpoints_have_addresses(void)
{
	static const char	 ip[] = "ip=";
	struct ifaddrs		*all = NULL;
	bool			 any = false, here = getifaddrs(&all) == 0;

	for (size_t i = 0; i < config.n_endpoints && here; i++) {
		for (size_t k = 0; k < config.endpoints[i].n && here; k++) {
			const char	*word = config.endpoints[i].word[k];

			if (strncmp(word, ip, strlen(ip)) == 0)
				here = are_here(all, word + strlen(ip), &any);
		}
	}
	freeifaddrs(all);
	return any && here;
}
