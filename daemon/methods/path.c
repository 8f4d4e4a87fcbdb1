/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Methods about the paths of associations, and about the addresses that sockets
 * are bound to.
 *
 * What is said of a path is read through the rows of two options, so it is said
 * in the same words, and each stack gives what it has.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "methods/arguments.h"
#include "methods/handler.h"
#include "methods/policy.h"
#include "methods/walk.h"
#include "proto/addr.h"
#include "proto/codec.h"
#include "rpc/turn.h"

/* The most paths in one answer: the stack is asked for each. */
#define PATHS		1024
#define PATH_UNITS	4	/* see rpc/turn.h */

/* ---- paths ---------------------------------------------------------- */

struct path_list {
	msgpack_sbuffer	packed;
	msgpack_packer	pk;
	uint32_t	n;
	uint32_t	limit;
	bool		more;
	bool		addrs;		/* with the local addresses */

	/* The option that says what is said of a path, and where the address is in it. */
	const struct sockopt	*info;
	size_t			 address;
};

/* What the paths of an association have in common. */
struct path_ends {
	struct sockaddr_storage	 primary;
	struct sockaddr_storage	*local;
	size_t			 nlocal;
};

static const struct sockopt *
option_named(const char *name)
{
	return sockopt_find(name, strlen(name));
}

/* The option's field of that name, which it has. */
static const struct field *
field_named(const struct sockopt *o, const char *key)
{
	const struct field	*f = o->fields;

	while (strcmp(f->key, key) != 0)
		f++;
	return f;
}

static void
put_assoc(const struct sockopt *o, char *buf, const struct assoc *a)
{
	uint32_t	id = assoc_id(a);

	memcpy(buf + sockopt_assoc(o)->offset, &id, sizeof id);
}

static struct sockaddr_storage
primary_of(const struct assoc *a)
{
	const struct sockopt	*o = option_named("sctp_primary_addr");
	char			 buf[SOCKOPT_MAX] = { 0 };
	struct sockaddr_storage	 ss;

	put_assoc(o, buf, a);
	if (stack->getopt(a->sock, o, buf) != 0)
		memset(buf, 0, sizeof buf);
	memcpy(&ss, buf + field_named(o, "addr")->offset, sizeof ss);
	return ss;
}

/* The kernel says nothing of such a path where sctp_expose_potentially_failed_state is 1. */
static void
put_potentially_failed(const struct sockopt *o, char *buf)
{
	const struct field	*f = field_named(o, "state");
	int32_t			 state;

	for (const struct word *w = f->words; w->name != NULL; w++) {
		state = (int32_t)w->value;
		if (strcmp(w->name, "potentially_failed") == 0)
			memcpy(buf + f->offset, &state, sizeof state);
	}
}

static void
pack_ends(struct path_list *l, const struct path_ends *ends, const struct sockaddr_storage *addr)
{
	codec_pack_text(&l->pk, "primary");
	(void)(addr_equal(addr, &ends->primary) ? msgpack_pack_true(&l->pk) : msgpack_pack_false(&l->pk));
	if (!l->addrs)
		return;
	codec_pack_text(&l->pk, "local_addrs");
	msgpack_pack_array(&l->pk, ends->nlocal);
	for (size_t i = 0; i < ends->nlocal; i++)
		codec_pack_endpoint(&l->pk, &ends->local[i]);
}

static void
list_path(struct path_list *l, const struct assoc *a, const struct sockaddr_storage *addr,
    const struct path_ends *ends)
{
	const struct sockopt	*o = l->info;
	char			 buf[SOCKOPT_MAX] = { 0 };
	int			 number;

	put_assoc(o, buf, a);
	memcpy(buf + l->address, addr, sizeof *addr);
	if ((number = stack->getopt(a->sock, o, buf)) == EACCES)
		put_potentially_failed(o, buf);
	else if (number != 0)
		return;		/* the peer has removed the address meanwhile */
	msgpack_pack_map(&l->pk, 3 + l->addrs + codec_count(o->fields, buf, o->size));
	codec_pack_text(&l->pk, "sock");
	msgpack_pack_uint64(&l->pk, a->sock->node.key);
	codec_pack_fields(&l->pk, o->fields, buf, o->size);
	codec_pack_text(&l->pk, "port");
	msgpack_pack_uint16(&l->pk, a->sock->port);
	pack_ends(l, ends, addr);
	l->n++;
}

/* Gives an errno if the stack does not know the association's paths. */
static int
list_assoc(struct path_list *l, struct assoc *a)
{
	struct path_ends	 ends = { .nlocal = 0 };
	struct sockaddr_storage	*addrs;
	size_t			 n;
	int			 number;

	if ((number = stack->names(a->sock, a, true, &addrs, &n)) != 0)
		return number;
	if (l->addrs && stack->names(a->sock, a, false, &ends.local, &ends.nlocal) != 0)
		ends = (struct path_ends){ .nlocal = 0 };
	ends.primary = n == 1 ? addrs[0] : primary_of(a);
	for (size_t i = 0; i < n; i++)
		list_path(l, a, &addrs[i], &ends);
	free(ends.local);
	free(addrs);
	return 0;
}

/* The stacks differ in what they say of an association that is being set up. */
static bool
has_paths(const struct assoc *a)
{
	return a->state == ASSOC_UP || a->state == ASSOC_GOING_DOWN;
}

static enum error
list_one(struct path_list *l, struct walk *w, uint32_t id)
{
	struct assoc	*a = walk_next(w);

	if (!has_paths(a) || list_assoc(l, a) != 0 || l->n == 0)
		return call_fail(ERR_enotconn, "assoc_id %u: it has paths only while it is up; the event sctp_assoc_change says when that is",
		    id);
	return ERR_OK;
}

/* Of each association all paths or none, so that the next page may begin behind it. */
static enum error
list_wanted(struct path_list *l, struct walk *w, uint32_t id)
{
	struct assoc	*a;

	if (w->one_assoc)
		return list_one(l, w, id);
	while (l->n < l->limit && (a = walk_next(w)) != NULL) {
		if (has_paths(a))
			(void)list_assoc(l, a);
	}
	l->more = walk_more(w);
	return ERR_OK;
}

static void
reply_paths(const struct call *call, const struct path_list *l)
{
	msgpack_packer	*pk = call_reply_begin(call);

	msgpack_pack_map(pk, 2);
	codec_pack_text(pk, "paths");
	msgpack_pack_array(pk, l->n);
	if (l->n > 0)
		(void)pk->callback(pk->data, l->packed.data, l->packed.size);
	codec_pack_text(pk, "more");
	(void)(l->more ? msgpack_pack_true(pk) : msgpack_pack_false(pk));
}

enum error
handle_paths(struct call *call, const struct rpc_paths_in *in, struct rpc_paths_out *out)
{
	struct walk_range	range = {
		.sock = RPC_HAS(in, paths, sock) ? &in->sock : NULL,
		.assoc_id = RPC_HAS(in, paths, assoc_id) ? &in->assoc_id : NULL,
		.after_sock = RPC_HAS(in, paths, after_sock) ? &in->after_sock : NULL,
		.after_assoc = RPC_HAS(in, paths, after_assoc) ? &in->after_assoc : NULL,
	};
	struct path_list	l = { .limit = RPC_HAS(in, paths, limit) ? in->limit : PATHS, .addrs = in->addrs };
	struct walk		w;
	enum error		e;

	(void)out;
	if (l.limit == 0 || l.limit > PATHS)
		return call_fail(ERR_badarg, "limit: %u is out of range; 1 to %d", l.limit, PATHS);
	if ((e = walk_begin(&w, call, &range)) != ERR_OK)
		return e;
	l.info = option_named("sctp_get_peer_addr_info");
	l.address = field_named(l.info, "address")->offset;
	msgpack_sbuffer_init(&l.packed);
	msgpack_packer_init(&l.pk, &l.packed, msgpack_sbuffer_write);
	if ((e = list_wanted(&l, &w, in->assoc_id)) == ERR_OK) {
		turn_cost(l.n * PATH_UNITS);
		reply_paths(call, &l);
		e = CALL_ANSWERED;
	}
	msgpack_sbuffer_destroy(&l.packed);
	return e;
}

/* ---- addresses ------------------------------------------------------ */

/* Of which a change of addresses is: the words of the options' assoc_id, or an association. */
enum { OF_FUTURE, OF_CURRENT, OF_ALL };

static enum error
find_whose(struct sock *s, uint32_t id, struct stack_bindx *b)
{
	if (s->many && id > OF_ALL)
		return find_assoc(s, id, &b->only);
	b->socket = id != OF_CURRENT;
	b->current = id != OF_FUTURE;
	return ERR_OK;
}

static enum error
find_new_addrs(const msgpack_object *o, const struct sock *s, struct sockaddr_storage *addrs,
    size_t *n)
{
	enum error	e;
	char		text[ADDR_TEXT];

	if ((e = find_addrs(o, "addrs", false, s->family, addrs, n)) != ERR_OK)
		return e;
	for (size_t i = 0; i < *n; i++) {
		(void)addr_text(&addrs[i], text);
		if (addr_is_any(&addrs[i]))
			return call_fail(ERR_einval, "addrs: %s stands for all addresses; name each", text);
		for (size_t j = 0; j < i; j++) {
			if (addr_equal(&addrs[i], &addrs[j]))
				return call_fail(ERR_einval, "addrs: %s is there twice", text);
		}
	}
	return ERR_OK;
}

static enum error
may_bindx(const struct call *call, const struct sock *s)
{
	if (s->lent)
		return call_fail(ERR_einval, "sock %llu: it is lent to its owner, which uses it without the daemon; give_back returns it",
		    (unsigned long long)s->node.key);
	if (s->over)
		return call_fail(ERR_closed, "sock %llu: its association has ended; open another socket",
		    (unsigned long long)s->node.key);
	if (s->port == 0)
		return call_fail(ERR_einval, "sock %llu: it is not bound yet; the method bind takes all its addresses",
		    (unsigned long long)s->node.key);
	if (addr_is_any(&s->name))
		return call_fail(ERR_einval, "sock %llu: it is bound to any address, so it has all of this host already; sctp_auto_asconf tells peers of changes",
		    (unsigned long long)s->node.key);
	return policy_port(call->client->uid, s->port);
}

static enum error
bindx_failed(int number, const struct sock *s, uint32_t id, bool add)
{
	switch (number) {
	case EALREADY:
		return call_fail(ERR_einval, add ? "addrs: the socket has them already" :
		    "addrs: they are not addresses of the socket; socknames lists those");
	case EADDRNOTAVAIL:
		return call_fail(ERR_eaddrnotavail, "addrs: not an address of this host");
	case EADDRINUSE:
		return call_fail(ERR_eaddrinuse, "addrs: another socket has the address at port %u", s->port);
	case EBUSY:
		return call_fail(ERR_ebusy, "addrs: a socket must keep one address; add another first, or close the socket");
	case EOPNOTSUPP:
		return call_fail(ERR_eopnotsupp, "assoc_id %u: its peer has not agreed to changes of addresses; on both sides set sctp_auth_supported and sctp_asconf_supported before the association is set up",
		    id);
	case E2BIG:
		return call_fail(ERR_limit, "sock %llu: it has %zu associations, too many to change in one request; change each by its assoc_id, and the socket with assoc_id 0",
		    (unsigned long long)s->node.key, s->assocs.count);
	case ENOPROTOOPT:
		return call_fail(ERR_enoprotoopt, "addrs: the %s stack has one address for each association and cannot change it; open another socket",
		    stack->name);
	default:
		return call_fail(error_from_errno(number), "addrs: %s; what was done stays, so the request may be repeated",
		    strerror(number));
	}
}

static enum error
change_addrs(const struct call *call, uint64_t handle, const msgpack_object *o, uint32_t id,
    bool add, uint32_t *told)
{
	struct sockaddr_storage	 addrs[FIND_ADDRS];
	struct stack_bindx	 b = { .add = add, .addrs = addrs };
	struct sock		*s;
	unsigned		 n = 0;
	enum error		 e;
	int			 number;

	if ((e = find_sock(call, handle, &s)) != ERR_OK ||
	    (e = find_new_addrs(o, s, addrs, &b.n)) != ERR_OK ||
	    (e = may_bindx(call, s)) != ERR_OK || (e = find_whose(s, id, &b)) != ERR_OK)
		return e;
	turn_cost(PATH_UNITS * b.n * (1 + s->assocs.count));
	if ((number = stack->bindx(s, &b, &n)) != 0)
		return bindx_failed(number, s, id, add);
	*told = n;
	return ERR_OK;
}

enum error
handle_bindx_add(struct call *call, const struct rpc_bindx_add_in *in,
    struct rpc_bindx_add_out *out)
{
	return change_addrs(call, in->sock, in->addrs.obj,
	    RPC_HAS(in, bindx_add, assoc_id) ? in->assoc_id : OF_ALL, true, &out->told);
}

enum error
handle_bindx_rem(struct call *call, const struct rpc_bindx_rem_in *in,
    struct rpc_bindx_rem_out *out)
{
	return change_addrs(call, in->sock, in->addrs.obj,
	    RPC_HAS(in, bindx_rem, assoc_id) ? in->assoc_id : OF_ALL, false, &out->told);
}
