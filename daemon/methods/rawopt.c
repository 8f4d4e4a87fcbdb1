/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options by level, name and bytes, as Linux's setsockopt and getsockopt have
 * them. proto/rawopt.h goes from the bytes to the value of a row, which is then
 * set or read as by its name. What has no row has one here: the subscriptions,
 * and facts that other methods tell, too.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdlib.h>
#include <string.h>

#include "methods/arguments.h"
#include "methods/handler.h"
#include "proto/addr.h"
#include "proto/rawopt.h"
#include "rpc/turn.h"
#include "util/mem.h"

/* The most bytes of an answer, whatever the program has room for. */
#define ANSWER_MAX	65536
#define OPTION_UNITS	4	/* see rpc/turn.h */

/* Bytes of the caller; of getsockopt, where the answer goes. */
struct raw {
	const char	*given;
	size_t		 len;
	char		*answer;
	size_t		 n;
};

static enum error
bad_length(const struct raw *r)
{
	return call_fail(ERR_einval, "value: %zu bytes are not a length of this option, or what is in them is not valid", r->len);
}

/* ---- subscriptions -------------------------------------------------- */

/* Where the flag of a type is. There are two types for one event about messages that failed. */
static int
flag_of(uint16_t type)
{
	if (type == SCTP_SEND_FAILED_EVENT)
		type = SCTP_SEND_FAILED;
	if (type < SCTP_SN_TYPE_BASE || type >= SCTP_SN_TYPE_BASE + sizeof(struct sctp_event_subscribe))
		return -1;
	return type - SCTP_SN_TYPE_BASE;
}

static enum error
set_events(struct sock *s, const struct raw *r)
{
	uint8_t	before[SUBSCRIBE_SIZE];

	if (r->len == 0 || r->len > sizeof(struct sctp_event_subscribe))
		return bad_length(r);
	memcpy(before, s->subscribed, sizeof before);
	for (size_t i = 0; i < r->len; i++)
		s->subscribed[i] = r->given[i] != 0;
	return find_and_subscribe(s, before);
}

static enum error
get_events(struct sock *s, struct raw *r)
{
	if (r->len == 0)
		return bad_length(r);
	r->n = r->len < sizeof(struct sctp_event_subscribe) ? r->len : sizeof(struct sctp_event_subscribe);
	memcpy(r->answer, s->subscribed, r->n);
	return ERR_OK;
}

/* What the struct is about: the flag's place, or -1. */
static int
find_event(const struct raw *r, struct sctp_event *e)
{
	if (r->len < sizeof *e)
		return -1;
	memcpy(e, r->given, sizeof *e);
	return flag_of(e->se_type);
}

static enum error
set_event(struct sock *s, const struct raw *r)
{
	uint8_t			before[SUBSCRIBE_SIZE];
	struct sctp_event	e;
	int			i = find_event(r, &e);

	if (i == -1)
		return bad_length(r);
	if (s->many && e.se_assoc_id != SCTP_FUTURE_ASSOC && e.se_assoc_id != SCTP_ALL_ASSOC)
		return call_fail(ERR_eopnotsupp, "value: se_assoc_id %d: events are those of the whole socket; it takes 0 or 2",
		    (int)e.se_assoc_id);
	memcpy(before, s->subscribed, sizeof before);
	s->subscribed[i] = e.se_on != 0;
	return find_and_subscribe(s, before);
}

static enum error
get_event(struct sock *s, struct raw *r)
{
	struct sctp_event	e;
	int			i = find_event(r, &e);

	if (i == -1)
		return bad_length(r);
	e.se_on = s->subscribed[i];
	memcpy(r->answer, &e, r->n = sizeof e);
	return ERR_OK;
}

/* ---- facts ---------------------------------------------------------- */

/* As the kernel does, as much of the number as there is room for. */
static enum error
answer_int(struct raw *r, int value)
{
	r->n = r->len < sizeof value ? r->len : sizeof value;
	memcpy(r->answer, &value, r->n);
	return ERR_OK;
}

static enum error
get_type(struct sock *s, struct raw *r)
{
	return answer_int(r, s->many ? SOCK_SEQPACKET : SOCK_STREAM);
}

static enum error
get_domain(struct sock *s, struct raw *r)
{
	return answer_int(r, s->family);
}

static enum error
get_protocol(struct sock *s, struct raw *r)
{
	(void)s;
	return answer_int(r, IPPROTO_SCTP);
}

static enum error
get_acceptconn(struct sock *s, struct raw *r)
{
	return answer_int(r, s->listening);
}

/* The ids of the associations that are not over, as many as there is room for. Gives how many there are. */
static size_t
list_ids(struct sock *s, char *to, size_t room)
{
	struct assoc	*a = NULL;
	uint32_t	 id;
	size_t		 n = 0;

	while ((a = assoc_next(s, a)) != NULL) {
		if (a->state == ASSOC_OVER)
			continue;
		id = assoc_id(a);
		if (n < room)
			memcpy(to + n * sizeof id, &id, sizeof id);
		n++;
	}
	return n;
}

static enum error
get_assoc_number(struct sock *s, struct raw *r)
{
	uint32_t	n = (uint32_t)list_ids(s, NULL, 0);

	if (!s->many)
		return call_fail(ERR_eopnotsupp, "sock %llu: it is not one-to-many", (unsigned long long)s->node.key);
	if (r->len < sizeof n)
		return bad_length(r);
	memcpy(r->answer, &n, r->n = sizeof n);
	return ERR_OK;
}

static enum error
get_assoc_id_list(struct sock *s, struct raw *r)
{
	size_t		head = sizeof(struct sctp_assoc_ids), n;
	uint32_t	count;

	if (!s->many)
		return call_fail(ERR_eopnotsupp, "sock %llu: it is not one-to-many", (unsigned long long)s->node.key);
	if (r->len < head)
		return bad_length(r);
	n = list_ids(s, r->answer + head, (r->len - head) / sizeof(uint32_t));
	if (n > (r->len - head) / sizeof(uint32_t))
		return bad_length(r);
	count = (uint32_t)n;
	memcpy(r->answer, &count, sizeof count);
	r->n = head + n * sizeof count;
	return ERR_OK;
}

static enum error
pack_addrs(struct raw *r, const struct sockaddr_storage *names, size_t n)
{
	size_t		at = offsetof(struct sctp_getaddrs, addrs), len;
	uint32_t	count = (uint32_t)n;

	for (size_t i = 0; i < n; i++) {
		len = addr_len(&names[i]);
		if (len > r->len - at)
			return call_fail(ERR_enomem, "value: %zu bytes have no room for %zu addresses", r->len, n);
		memcpy(r->answer + at, &names[i], len);
		at += len;
	}
	memcpy(r->answer, r->given, offsetof(struct sctp_getaddrs, addrs));
	memcpy(r->answer + offsetof(struct sctp_getaddrs, addr_num), &count, sizeof count);
	r->n = at;
	return ERR_OK;
}

static enum error
get_addrs(struct sock *s, struct raw *r, bool peer)
{
	struct sockaddr_storage	*names;
	struct assoc		*a = NULL;
	uint32_t		 id;
	size_t			 n;
	enum error		 e;
	int			 number;

	if (r->len < offsetof(struct sctp_getaddrs, addrs))
		return bad_length(r);
	memcpy(&id, r->given, sizeof id);
	id = s->many ? id : 0;
	if ((peer || id != 0) && find_assoc(s, id, &a) != ERR_OK)
		return call_fail(ERR_einval, "value: assoc_id %u: the socket has no such association", id);
	if ((number = stack->names(s, a, peer, &names, &n)) != 0)
		return call_fail(error_from_errno(number), "value: %s", strerror(number));
	e = pack_addrs(r, names, n);
	free(names);
	return e;
}

static enum error
get_peer_addrs(struct sock *s, struct raw *r)
{
	return get_addrs(s, r, true);
}

static enum error
get_local_addrs(struct sock *s, struct raw *r)
{
	return get_addrs(s, r, false);
}

/* ---- what has no row ------------------------------------------------ */

static const struct plain {
	uint32_t	level, name;
	enum error	(*set)(struct sock *, const struct raw *);
	enum error	(*get)(struct sock *, struct raw *);
	const char	*method;	/* that does it instead */
} plains[] = {
	{ IPPROTO_SCTP, SCTP_EVENTS, set_events, get_events, NULL },
	{ IPPROTO_SCTP, SCTP_EVENT, set_event, get_event, NULL },
	{ SOL_SOCKET, SO_TYPE, NULL, get_type, NULL },
	{ SOL_SOCKET, SO_DOMAIN, NULL, get_domain, NULL },
	{ SOL_SOCKET, SO_PROTOCOL, NULL, get_protocol, NULL },
	{ SOL_SOCKET, SO_ACCEPTCONN, NULL, get_acceptconn, NULL },
	{ IPPROTO_SCTP, SCTP_GET_ASSOC_NUMBER, NULL, get_assoc_number, NULL },
	{ IPPROTO_SCTP, SCTP_GET_ASSOC_ID_LIST, NULL, get_assoc_id_list, NULL },
	{ IPPROTO_SCTP, SCTP_GET_PEER_ADDRS, NULL, get_peer_addrs, NULL },
	{ IPPROTO_SCTP, SCTP_GET_LOCAL_ADDRS, NULL, get_local_addrs, NULL },
	{ IPPROTO_SCTP, SCTP_SOCKOPT_BINDX_ADD, NULL, NULL, "bind or bindx_add" },
	{ IPPROTO_SCTP, SCTP_SOCKOPT_BINDX_REM, NULL, NULL, "bindx_rem" },
	{ IPPROTO_SCTP, SCTP_SOCKOPT_PEELOFF, NULL, NULL, "peeloff" },
	{ IPPROTO_SCTP, SCTP_SOCKOPT_CONNECTX, NULL, NULL, "connectx_init" },
	{ IPPROTO_SCTP, SCTP_SOCKOPT_CONNECTX_OLD, NULL, NULL, "connectx_init" },
	{ IPPROTO_SCTP, SCTP_SOCKOPT_CONNECTX3, NULL, NULL, "connectx_init" },
	{ IPPROTO_SCTP, SCTP_RESET_STREAMS, NULL, NULL, "reset_streams" },
	{ IPPROTO_SCTP, SCTP_RESET_ASSOC, NULL, NULL, "reset_assoc" },
};

static const struct plain *
find_plain(uint32_t level, uint32_t name)
{
	for (size_t i = 0; i < sizeof plains / sizeof *plains; i++) {
		if (plains[i].level == level && plains[i].name == name)
			return &plains[i];
	}
	return NULL;
}

/* Nothing has it, or not in this direction. */
static enum error
no_option(uint32_t level, uint32_t name, const struct plain *p, const struct sockopt *o)
{
	if (p != NULL && p->method != NULL)
		return call_fail(ERR_enoprotoopt, "name %u: the method %s does that", name, p->method);
	if (p != NULL)
		return call_fail(ERR_enoprotoopt, "name %u: it can only be read", name);
	if (o != NULL)
		return call_fail(ERR_enoprotoopt, "%s: it can only be %s", o->name, o->access & SOCKOPT_GET ? "read" : "set");
	return call_fail(ERR_enoprotoopt, "level %u, name %u: sctpd has no such option; describe lists those that it has, by their names",
	    level, name);
}

/* ---- the methods ---------------------------------------------------- */

static enum error
set_by_row(const struct call *call, struct sock *s, const struct sockopt *o, const struct raw *r)
{
	char		value[SOCKOPT_MAX];
	enum error	e;

	if (!stack->has_option(o))
		return call_fail(ERR_enoprotoopt, "%s: this SCTP stack does not have it", o->name);
	if (rawopt_set(o, r->given, r->len, value) != 0)
		e = bad_length(r);
	else
		e = find_and_set_value(call, s, o, value);
	if (o->secret)
		explicit_bzero(value, sizeof value);
	return e;
}

enum error
handle_setsockopt(struct call *call, const struct rpc_setsockopt_in *in,
    struct rpc_setsockopt_out *out)
{
	const struct raw	 r = { .given = in->value.ptr, .len = in->value.len };
	const struct plain	*p = find_plain(in->level, in->name);
	const struct sockopt	*o = rawopt_find(in->level, in->name, r.len);
	struct sock		*s;
	enum error		 e;

	(void)out;
	if ((e = find_sock(call, in->sock, &s)) != ERR_OK)
		return e;
	turn_cost(OPTION_UNITS + s->assocs.count);
	sock_changed(s);
	if (p != NULL && p->set != NULL)
		return p->set(s, &r);
	if (p != NULL || o == NULL || !(o->access & SOCKOPT_SET))
		return no_option(in->level, in->name, p, o);
	return set_by_row(call, s, o, &r);
}

static enum error
get_by_row(struct sock *s, const struct sockopt *o, struct raw *r)
{
	char		value[SOCKOPT_MAX];
	enum error	e;
	int		n;

	if (!stack->has_option(o))
		return call_fail(ERR_enoprotoopt, "%s: this SCTP stack does not have it", o->name);
	if (rawopt_ask(o, r->given, r->len, value) != 0)
		return bad_length(r);
	if ((e = find_value(s, o, value)) != ERR_OK)
		return e;
	memcpy(r->answer, r->given, r->len < ANSWER_MAX ? r->len : ANSWER_MAX);
	if ((n = rawopt_answer(o, value, r->answer, r->len)) == -1)
		return bad_length(r);
	r->n = (size_t)n;
	return ERR_OK;
}

enum error
handle_getsockopt(struct call *call, const struct rpc_getsockopt_in *in,
    struct rpc_getsockopt_out *out)
{
	struct raw		 r = { .given = in->value.ptr,
				    .len = in->value.len < ANSWER_MAX ? in->value.len : ANSWER_MAX };
	const struct plain	*p = find_plain(in->level, in->name);
	const struct sockopt	*o = rawopt_find(in->level, in->name, r.len);
	struct sock		*s;
	enum error		 e;

	if ((e = find_sock(call, in->sock, &s)) != ERR_OK)
		return e;
	turn_cost(OPTION_UNITS);
	r.answer = xcalloc(1, r.len + 1);
	if (p != NULL && p->get != NULL)
		e = p->get(s, &r);
	else if (p != NULL || o == NULL || !(o->access & SOCKOPT_GET))
		e = no_option(in->level, in->name, p, o);
	else
		e = get_by_row(s, o, &r);
	out->value = (struct slice){ r.answer, (uint32_t)r.n };
	if (e == ERR_OK)
		call_reply(call, out);
	free(r.answer);
	return e == ERR_OK ? CALL_ANSWERED : e;
}
