/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From arguments to what they name: see arguments.h.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "group/member.h"
#include "methods/arguments.h"
#include "methods/auth.h"
#include "methods/policy.h"
#include "proto/addr.h"
#include "proto/codec.h"
#include "rpc/connection.h"
#include "rpc/turn.h"
#include "socket/deliver.h"
#include "socket/owner.h"
#include "watch/watch.h"

/* How many times one request may set an option, counting each association. */
#define SETS		131072u
#define OPTION_UNITS	4

enum error
find_sock(const struct call *call, uint64_t handle, struct sock **s)
{
	if ((*s = sock_find(handle)) == NULL)
		return call_fail(ERR_closed, "sock %llu: no such socket; it was closed, or never opened",
		    (unsigned long long)handle);
	if (!client_may_use(call->client, (*s)->uid) &&
	    ((*s)->group == 0 || !group_may_use(call->client, *s)))
		return call_fail(ERR_eacces, "sock %llu: it belongs to user %u, and you are user %u",
		    (unsigned long long)handle, (unsigned)(*s)->uid,
		    (unsigned)call->client->uid);
	return ERR_OK;
}

enum error
find_not_grouped(const struct sock *s)
{
	const struct group	*g = s->group != 0 ? group_find(s->group) : NULL;

	if (g == NULL)
		return ERR_OK;
	return call_fail(ERR_einval, "sock %llu: it belongs to the group \"%s\", which says who has it",
	    (unsigned long long)s->node.key, g->name);
}

enum error
find_assoc(struct sock *s, uint32_t id, struct assoc **a)
{
	if (s->lent)
		return call_fail(ERR_einval, "sock %llu: it is lent to its owner, which uses it without the daemon; give_back returns it",
		    (unsigned long long)s->node.key);
	if ((*a = assoc_find(s, id)) != NULL || (s->group != 0 && (*a = group_assoc(s, id)) != NULL))
		return ERR_OK;
	if (s->many && id == 0)
		return call_fail(ERR_badarg, "assoc_id: missing; a one-to-many socket needs it");
	return call_fail(ERR_epipe, "assoc_id %u: sock %llu has no such association; it has ended, or never existed",
	    id, (unsigned long long)s->node.key);
}

enum error
find_room(const struct user *u, enum charge kind, size_t n)
{
	if (user_may(u, kind, n))
		return ERR_OK;
	return call_fail(ERR_limit, "%s", user_why_not(u, kind, n));
}

/* ---- addresses ------------------------------------------------------ */

static void
any_or_loopback(bool loopback, int family, struct sockaddr_storage *ss)
{
	struct sockaddr_in	s4 = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(loopback ? INADDR_LOOPBACK : INADDR_ANY) };
	struct sockaddr_in6	s6 = { .sin6_family = AF_INET6,
	    .sin6_addr = loopback ? in6addr_loopback : in6addr_any };

	memset(ss, 0, sizeof *ss);
	if (family == AF_INET6)
		memcpy(ss, &s6, sizeof s6);
	else
		memcpy(ss, &s4, sizeof s4);
}

static enum error
find_addr(const msgpack_object *o, const char *name, bool local, int family,
    struct sockaddr_storage *ss)
{
	if (o->type != MSGPACK_OBJECT_STR)
		return call_fail(ERR_badarg, "%s: got %s; it takes an address such as \"10.0.0.1\", or a list of them",
		    name, codec_type(o));
	if (local && (codec_is(o, "any") || codec_is(o, "loopback"))) {
		any_or_loopback(codec_is(o, "loopback"), family, ss);
		return ERR_OK;
	}
	if (!addr_parse(o->via.str.ptr, o->via.str.size, ss))
		return call_fail(ERR_badarg, "%s: \"%.*s\" does not parse; an address is \"10.0.0.1\" or \"2001:db8::1\"%s",
		    name, o->via.str.size > 64 ? 64 : (int)o->via.str.size,
		    o->via.str.ptr, local ? ", any or loopback" : "");
	if (family == AF_INET && ss->ss_family == AF_INET6)
		return call_fail(ERR_eafnosupport, "%s: \"%.*s\" is IPv6, and the socket is inet; open it with family inet6",
		    name, (int)o->via.str.size, o->via.str.ptr);
	return ERR_OK;
}

/* Only a letter makes it a name; otherwise "10.0.0.256" would be looked up. */
bool
find_is_name(const msgpack_object *o)
{
	struct sockaddr_storage	ss;
	bool			letter = false;

	if (o->type != MSGPACK_OBJECT_STR || o->via.str.size > 253 ||
	    addr_parse(o->via.str.ptr, o->via.str.size, &ss))
		return false;
	for (uint32_t i = 0; i < o->via.str.size; i++) {
		unsigned char	c = (unsigned char)o->via.str.ptr[i];

		if (!isalnum(c) && c != '.' && c != '-' && c != '_')
			return false;
		letter = letter || isalpha(c);
	}
	return letter;
}

enum error
find_addrs(const msgpack_object *o, const char *name, bool local, int family,
    struct sockaddr_storage to[FIND_ADDRS], size_t *n)
{
	enum error	e;

	if (o->type != MSGPACK_OBJECT_ARRAY) {
		*n = 1;
		return find_addr(o, name, local, family, &to[0]);
	}
	*n = o->via.array.size;
	if (*n == 0 || *n > FIND_ADDRS)
		return call_fail(ERR_badarg, "%s: a list of %zu addresses; it takes 1 to %d",
		    name, *n, FIND_ADDRS);
	for (size_t i = 0; i < *n; i++) {
		if ((e = find_addr(&o->via.array.ptr[i], name, local, family, &to[i])) != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* ---- options -------------------------------------------------------- */

/* The i-th option of a map or of a list of pairs; false if it is neither. */
static bool
option_at(const msgpack_object *o, uint32_t i, const msgpack_object **name,
    const msgpack_object **value)
{
	const msgpack_object	*pair;

	if (o->type == MSGPACK_OBJECT_MAP) {
		*name = &o->via.map.ptr[i].key;
		*value = &o->via.map.ptr[i].val;
		return (*name)->type == MSGPACK_OBJECT_STR;
	}
	pair = &o->via.array.ptr[i];
	if (pair->type != MSGPACK_OBJECT_ARRAY || pair->via.array.size != 2)
		return false;
	*name = &pair->via.array.ptr[0];
	*value = &pair->via.array.ptr[1];
	return (*name)->type == MSGPACK_OBJECT_STR;
}

/* As everywhere, a key whose value is nil counts as absent. */
static bool
is_absent(const msgpack_object *o, const msgpack_object *value)
{
	return o->type == MSGPACK_OBJECT_MAP && value->type == MSGPACK_OBJECT_NIL;
}

static uint32_t
option_count(const msgpack_object *o)
{
	if (o->type == MSGPACK_OBJECT_MAP)
		return o->via.map.size;
	return o->type == MSGPACK_OBJECT_ARRAY ? o->via.array.size : 0;
}

const msgpack_object *
find_option(const msgpack_object *o, const char *wanted)
{
	const msgpack_object	*name, *value;

	for (uint32_t i = 0; o != NULL && i < option_count(o); i++) {
		if (option_at(o, i, &name, &value) && codec_is(name, wanted) && !is_absent(o, value))
			return value;
	}
	return NULL;
}

static enum error
set_active(struct sock *s, const msgpack_object *v)
{
	bool	ok;

	if (v->type == MSGPACK_OBJECT_BOOLEAN)
		ok = sock_set_active(s, v->via.boolean ? ACTIVE_TRUE : ACTIVE_FALSE, 0);
	else if (codec_is(v, "once"))
		ok = sock_set_active(s, ACTIVE_ONCE, 0);
	else if (v->type == MSGPACK_OBJECT_POSITIVE_INTEGER && v->via.u64 <= ACTIVE_MAX)
		ok = sock_set_active(s, ACTIVE_COUNT, (int32_t)v->via.u64);
	else if (v->type == MSGPACK_OBJECT_NEGATIVE_INTEGER && v->via.i64 >= ACTIVE_MIN)
		ok = sock_set_active(s, ACTIVE_COUNT, (int32_t)v->via.i64);
	else
		return call_fail(ERR_einval, "active: it takes true, false, \"once\", or an integer from -32768 to 32767");
	if (!ok)
		return call_fail(ERR_einval, "active: the count would be over 32767; it is %d now", s->count);
	return ERR_OK;
}

enum error
find_bad_value(const struct sockopt *o, const struct errtext *err)
{
	return call_fail(ERR_badarg, "%s%s%s: %s", o->name,
	    err->path[0] != '\0' ? "." : "", err->path, err->why);
}

/* Subscribe once, after all the options of a request. */
static enum error
set_events(struct sock *s, const struct sockopt *o, const msgpack_object *v)
{
	uint8_t		new[SUBSCRIBE_SIZE];
	struct errtext	err;

	memcpy(new, s->subscribed, sizeof new);
	if (!codec_unpack(v, o->fields, new, NULL, &err))
		return find_bad_value(o, &err);
	memcpy(s->subscribed, new, sizeof new);
	return ERR_OK;
}

static enum error
set_auth(struct sock *s, const struct sockopt *o, const msgpack_object *v)
{
	struct sockopt_auth	a = { .keynumber = 0 };
	struct errtext		err;
	enum error		e;

	if (!codec_unpack(v, o->fields, &a, NULL, &err))
		e = find_bad_value(o, &err);
	else
		e = auth_require(s, o, &a);
	explicit_bzero(&a, sizeof a);
	return e;
}

/* Is a value larger than this stack accepts? */
static enum error
check_values(const struct sockopt *o, const char *buf)
{
	uint32_t	value, most;
	uint16_t	narrow;

	for (const struct field *f = o->fields; f->key != NULL; f++) {
		if ((f->type != FIELD_U32 && f->type != FIELD_U16) || (most = stack->most(o, f)) == 0)
			continue;
		memcpy(&narrow, buf + f->offset, sizeof narrow);
		value = narrow;
		if (f->width == sizeof value)
			memcpy(&value, buf + f->offset, sizeof value);
		if (value > most)
			return call_fail(ERR_einval, "%s%s%s: %u is more than this SCTP stack takes, which is %u at most",
			    o->name, f->key[0] != '\0' ? "." : "", f->key, value, most);
	}
	return ERR_OK;
}

/* Absent fields keep the socket's values: read those first. */
static void
read_absent(struct sock *s, const struct sockopt *o, const msgpack_object *v, char *new)
{
	char		now[SOCKOPT_MAX];
	struct errtext	err;

	if (o->access != SOCKOPT_RW || o->fields[0].key[0] == '\0')
		return;
	memcpy(now, new, sizeof now);
	if (stack->getopt(s, o, now) == 0 && codec_unpack(v, o->fields, now, NULL, &err))
		memcpy(new, now, sizeof now);
}

enum error
find_and_set_value(const struct call *call, struct sock *s, const struct sockopt *o, char *new)
{
	enum error	e;
	int		number;

	if ((e = check_values(o, new)) != ERR_OK ||
	    (e = policy_option(call->client->uid, o, new)) != ERR_OK)
		return e;
	number = stack->setopt(s, o, new);
	if (number == ENOENT)
		return call_fail(ERR_einval, "%s.assoc_id: the socket has no such association", o->name);
	if (number == EPERM && o->needs != NULL)
		return call_fail(ERR_eperm, "%s: %s", o->name, o->needs);
	if (number == ENOPROTOOPT)
		return call_fail(ERR_enoprotoopt, "%s: this SCTP stack does not have it", o->name);
	if (number == EINVAL && o->bounds != NULL)
		return call_fail(ERR_einval, "%s: %s", o->name, o->bounds);
	if (number != 0)
		return call_fail(error_from_errno(number), "%s: %s", o->name, strerror(number));
	return ERR_OK;
}

static enum error
set_by_row(const struct call *call, struct sock *s, const struct sockopt *o,
    const msgpack_object *v)
{
	char		new[SOCKOPT_MAX] = { 0 };
	struct errtext	err;
	enum error	e;

	if (!codec_unpack(v, o->fields, new, NULL, &err))
		e = find_bad_value(o, &err);
	else {
		read_absent(s, o, v, new);
		e = find_and_set_value(call, s, o, new);
	}
	if (o->secret)
		explicit_bzero(new, sizeof new);
	return e;
}

enum error
find_value(struct sock *s, const struct sockopt *o, char *value)
{
	int	number = stack->getopt(s, o, value);

	if (number == ENOENT)
		return call_fail(ERR_einval, "%s.assoc_id: the socket has no such association; the field assoc_id of %s selects one "
		    "(sctpctl: options.%s.assoc_id=N)", o->name, o->name, o->name);
	if (number == ENOPROTOOPT)
		return call_fail(ERR_enoprotoopt, "%s: this SCTP stack does not have it", o->name);
	if (number != 0)
		return call_fail(error_from_errno(number), "%s: %s", o->name, strerror(number));
	return ERR_OK;
}

static enum error
set_own(struct sock *s, const struct sockopt *o, const msgpack_object *v)
{
	struct sockopt_own	new = s->own;
	struct errtext		err;
	enum error		e;

	if (!codec_unpack(v, o->fields, (char *)&new + o->optname, NULL, &err))
		return find_bad_value(o, &err);
	if (o->kernel_only && !stack->has_option(o))
		return call_fail(ERR_enoprotoopt, "%s: this SCTP stack does not have it", o->name);
	if ((e = watch_option(s, o, &new)) != ERR_OK)
		return e;
	new.buffer += new.buffer == 0;
	new.high_msgq_watermark += new.high_msgq_watermark == 0;
	new.low_msgq_watermark += new.low_msgq_watermark == 0;
	s->own = new;
	sock_keeps_output(s);
	watch_option_set(s, o);
	return ERR_OK;
}

static enum error
set_option(const struct call *call, struct sock *s, const msgpack_object *name,
    const msgpack_object *value)
{
	const struct sockopt	*o = sockopt_find(name->via.str.ptr, name->via.str.size);
	bool			 opening = s->name.ss_family == 0;	/* open binds it as the last thing */

	if (o == NULL)
		return call_fail(ERR_einval, "%.*s: there is no such option; describe lists them",
		    name->via.str.size > 64 ? 64 : (int)name->via.str.size, name->via.str.ptr);
	if (!(o->access & SOCKOPT_SET) && !(o->access & SOCKOPT_OPEN && opening))
		return call_fail(ERR_einval, "%s: it can only be %s", o->name,
		    o->access & SOCKOPT_OPEN ? "given at open" : "read");
	if (o->level == LEVEL_STORED)
		return set_own(s, o, value);
	if (o->level != LEVEL_HANDLED)
		return set_by_row(call, s, o, value);
	switch ((enum sockopt_handled)o->optname) {
	case HANDLED_ACTIVE:
		return set_active(s, value);
	case HANDLED_EVENTS:
		return set_events(s, o, value);
	case HANDLED_AUTH:
		return set_auth(s, o, value);
	case HANDLED_NETNS:
		break;		/* open has done it before there was a socket */
	}
	return ERR_OK;
}

/* Options that are set are set in each association of the socket: that is work, and is charged. */
enum error
find_too_many(const struct sock *s, uint32_t n, bool set)
{
	if (n > FIND_OPTIONS)
		return call_fail(ERR_limit, "options: %u in one request; it takes at most %u",
		    n, FIND_OPTIONS);
	if (set && n > 1 && n * (s->assocs.count + 1) > SETS)
		return call_fail(ERR_limit, "options: %u in one request, each for %zu associations; that makes more than %u, so give them in several requests",
		    n, s->assocs.count, SETS);
	turn_cost(n * OPTION_UNITS + (set ? n * s->assocs.count : 0));
	return ERR_OK;
}

void
find_and_forget_secrets(const msgpack_object *o)
{
	const struct sockopt	*row;
	const msgpack_object	*name, *value;

	for (uint32_t i = 0; i < option_count(o); i++) {
		if (!option_at(o, i, &name, &value) || value->type != MSGPACK_OBJECT_MAP ||
		    (row = sockopt_find(name->via.str.ptr, name->via.str.size)) == NULL || !row->secret)
			continue;
		for (uint32_t j = 0; j < value->via.map.size; j++) {
			if (value->via.map.ptr[j].val.type == MSGPACK_OBJECT_STR)
				connection_forget(value->via.map.ptr[j].val.via.str.ptr,
				    value->via.map.ptr[j].val.via.str.size);
		}
	}
}

static enum error
set_options(const struct call *call, struct sock *s, const msgpack_object *o)
{
	const msgpack_object	*name, *value;
	char			 why[400];
	enum error		 e;

	for (uint32_t i = 0; i < option_count(o); i++) {
		if (!option_at(o, i, &name, &value))
			return call_fail(ERR_badarg, "options: number %u is not a [name, value] with a string as the name", i + 1);
		if (is_absent(o, value) || (e = set_option(call, s, name, value)) == ERR_OK)
			continue;
		strncpy(why, call_why(), sizeof why - 1);
		why[sizeof why - 1] = '\0';
		return call_fail(e, "options.%s; %u of %u were set", why, i, option_count(o));
	}
	return ERR_OK;
}

enum error
find_and_subscribe(struct sock *s, const uint8_t before[SUBSCRIBE_SIZE])
{
	int	number;

	if (memcmp(before, s->subscribed, SUBSCRIBE_SIZE) == 0 || (number = stack->subscribe(s)) == 0)
		return ERR_OK;
	memcpy(s->subscribed, before, SUBSCRIBE_SIZE);
	(void)stack->subscribe(s);
	return call_fail(error_from_errno(number), "options.sctp_events: %s; the events are unchanged",
	    strerror(number));
}

enum error
find_and_set_options(const struct call *call, struct sock *s, const msgpack_object *o)
{
	uint8_t		before[SUBSCRIBE_SIZE];
	enum error	e, events;

	if (o->type != MSGPACK_OBJECT_MAP && o->type != MSGPACK_OBJECT_ARRAY)
		return call_fail(ERR_badarg, "options: got %s; it takes a map, or a list of [name, value]",
		    codec_type(o));
	if ((e = find_too_many(s, option_count(o), true)) != ERR_OK)
		return e;
	sock_changed(s);
	memcpy(before, s->subscribed, sizeof before);
	e = set_options(call, s, o);
	return (events = find_and_subscribe(s, before)) != ERR_OK ? events : e;
}
