/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking the stack by the rows of options.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <string.h>

#include "proto/sockopt.h"
#include "socket/assoc.h"
#include "socket/sock.h"
#include "watch/ask.h"

static int
get(const struct assoc *a, const char *name, void *value)
{
	return stack->getopt(a->sock, sockopt_find(name, strlen(name)), value);
}

static int
set(struct sock *s, const char *name, void *value)
{
	const struct sockopt	*o = sockopt_find(name, strlen(name));

	return o != NULL && stack->has_option(o) ? stack->setopt(s, o, value) : ENOPROTOOPT;
}

int
ask_primary(const struct assoc *a, struct sockaddr_storage *to)
{
	struct sctp_prim	p = { .ssp_assoc_id = (sctp_assoc_t)assoc_id(a) };
	int			number = get(a, "sctp_primary_addr", &p);

	memcpy(to, &p.ssp_addr, sizeof *to);
	return number;
}

int
ask_set_primary(const struct assoc *a, const struct sockaddr_storage *addr)
{
	struct sctp_prim	p = { .ssp_assoc_id = (sctp_assoc_t)assoc_id(a) };

	memcpy(&p.ssp_addr, addr, sizeof *addr);
	return set(a->sock, "sctp_primary_addr", &p);
}

bool
ask_works(const struct assoc *a, const struct sockaddr_storage *addr, uint32_t *srtt)
{
	struct sctp_paddrinfo	p = { .spinfo_assoc_id = (sctp_assoc_t)assoc_id(a) };

	memcpy(&p.spinfo_address, addr, sizeof *addr);
	/* EACCES: it is potentially failed, and that is hidden. */
	if (get(a, "sctp_get_peer_addr_info", &p) != 0)
		return false;
	*srtt = p.spinfo_srtt;
	return p.spinfo_state == SCTP_ACTIVE;
}

void
ask_heartbeat(const struct assoc *a, const struct sockaddr_storage *addr)
{
	struct sctp_paddrparams	p = {
		.spp_assoc_id = (sctp_assoc_t)assoc_id(a),
		.spp_flags = SPP_HB_DEMAND,
	};

	memcpy(&p.spp_address, addr, sizeof *addr);
	(void)set(a->sock, "sctp_peer_addr_params", &p);
}

int
ask_peer(const struct assoc *a, const struct sockaddr_storage *addr)
{
	struct sctp_setpeerprim	p = { .sspp_assoc_id = (sctp_assoc_t)assoc_id(a) };

	memcpy(&p.sspp_addr, addr, sizeof *addr);
	return set(a->sock, "sctp_set_peer_primary_addr", &p);
}

/* ---- of a socket ----------------------------------------------------- */

/* The options that are set; id is that of the association, 0 for those to come. */
static int
set_fast(struct sock *s, sctp_assoc_t id)
{
	struct sctp_rtoinfo	rto = { .srto_assoc_id = id,
				    .srto_initial = 500, .srto_min = 300, .srto_max = 600 };
	struct sctp_paddrparams	heartbeat = { .spp_assoc_id = id,
				    .spp_flags = SPP_HB_ENABLE, .spp_hbinterval = 1000 };
	struct sctp_paddrthlds	most = { .spt_assoc_id = id, .spt_pathmaxrxt = 5, .spt_pathpfthld = 0 };
	int			number;

	if ((number = set(s, "sctp_rtoinfo", &rto)) != 0 ||
	    (number = set(s, "sctp_peer_addr_params", &heartbeat)) != 0)
		return number;
	return set(s, "sctp_peer_addr_thlds", &most);
}

static int
set_show(struct sock *s, sctp_assoc_t id)
{
	struct sctp_assoc_value	v = { .assoc_id = id, .assoc_value = 2 };

	return set(s, "sctp_expose_potentially_failed_state", &v);
}

static int
set_for_all(struct sock *s, int (*one)(struct sock *, sctp_assoc_t))
{
	struct assoc	*a = NULL;
	int		 number = one(s, SCTP_FUTURE_ASSOC);

	while (s->many && number == 0 && (a = assoc_next(s, a)) != NULL) {
		if (a->state == ASSOC_UP)
			number = one(s, (sctp_assoc_t)assoc_id(a));
	}
	return number;
}

int
ask_show_failing(struct sock *s)
{
	return set_for_all(s, set_show);
}

int
ask_fast_failover(struct sock *s)
{
	return set_for_all(s, set_fast);
}
