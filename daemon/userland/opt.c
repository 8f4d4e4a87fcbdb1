/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: options. A row of userland/optrow.c says which option of
 * usrsctp's is meant, and what its struct looks like. Some options are our own.
 */
#include <errno.h>
#include <string.h>

#include "proto/addr.h"
#include "userland/field.h"
#include "userland/optrow.h"
#include "userland/userland.h"

bool
userland_has_option(const struct sockopt *o)
{
	return optrow_find(o->name) != NULL;
}

/*
 * The largest values that usrsctp can stand. Its clock counts milliseconds in
 * 32 bits. To usrsctp a time of half that range is over already, and it would
 * serve such a timer for ever. The shutdown takes five times the upper bound of
 * the RTO. Bursts are multiplied by the MTU. Each association has a copy of all
 * keys in our memory.
 */
static const struct {
	const char	*option;
	const char	*key;
	uint32_t	 most;
} most[] = {
	{ "sctp_auth_key", "keynumber", 15 },
	{ "sctp_autoclose", "", INT32_MAX / 1000 },
	{ "sctp_max_burst", "assoc_value", UINT16_MAX },
	{ "sctp_peer_addr_params", "pathmtu", UDP_LONGEST - SCTP_HEADER },
	{ "sctp_rtoinfo", "initial", INT32_MAX / 5 },
	{ "sctp_rtoinfo", "max", INT32_MAX / 5 },
	{ "sctp_rtoinfo", "min", INT32_MAX / 5 },
};

uint32_t
userland_most(const struct sockopt *o, const struct field *f)
{
	for (size_t i = 0; i < sizeof most / sizeof *most; i++) {
		if (strcmp(most[i].option, o->name) == 0 && strcmp(most[i].key, f->key) == 0)
			return most[i].most;
	}
	return 0;
}

/* What is asked or told: a usrsctp socket, and the socket or association of ours. */
struct subject {
	struct sock		*sock;
	struct assoc		*assoc;		/* NULL: the socket itself */
	struct socket		*so;
	const struct sockopt	*option;
	const struct optrow	*row;
};

static int
from_usrsctp(const struct subject *j, char *raw, char *buf)
{
	const struct turn	turn = { .assoc = j->assoc, .outward = true };
	const struct shape	from = { j->row->fields, raw }, to = { j->option->fields, buf };

	return userland_convert(&turn, &from, &to) ? 0 : EINVAL;
}

static int
to_usrsctp(const struct subject *j, char *buf, char *raw)
{
	const struct turn	turn = { .assoc = j->assoc, .outward = false };
	const struct shape	from = { j->option->fields, buf }, to = { j->row->fields, raw };

	return userland_convert(&turn, &from, &to) ? 0 : EINVAL;
}

static int
level_of(const struct optrow *row)
{
	return row->is_socket ? SOL_SOCKET : IPPROTO_SCTP;
}

static int
get_one(const struct subject *j, char *buf)
{
	char		raw[SOCKOPT_MAX] = { 0 };
	socklen_t	len = j->row->size;
	int		number;

	if (j->row->get != NULL)
		return j->row->get(j->sock, j->assoc, buf);
	if (j->so == NULL)
		return ENOTCONN;
	if ((number = to_usrsctp(j, buf, raw)) != 0)
		return number;
	if (j->row->get_own != NULL)
		number = j->row->get_own(j->sock, j->assoc, raw);
	else if (j->row->get_raw != NULL)
		number = j->row->get_raw(j->so, raw);
	else
		number = usrsctp_getsockopt(j->so, level_of(j->row), j->row->optname, raw,
		    &len) == -1 ? errno : 0;
	return number != 0 ? number : from_usrsctp(j, raw, buf);
}

/* The kernel doubles the size of a buffer. So what is set reads back the same here. */
static bool
as_the_kernel_sets(int least, char *raw)
{
	int	bytes;

	memcpy(&bytes, raw, sizeof bytes);
	if (bytes < 0)
		return false;
	bytes = bytes > INT32_MAX / 2 ? INT32_MAX : 2 * bytes;
	bytes = bytes > least ? bytes : least;
	memcpy(raw, &bytes, sizeof bytes);
	return true;
}

/* A struct with a list ends where the list does: usrsctp takes the rest for items if there are none. */
static socklen_t
length_of(const struct optrow *row, const char *raw)
{
	uint16_t	n16;
	uint32_t	n32;

	for (const struct field *f = row->fields; f->key != NULL; f++) {
		if (f->type != FIELD_LIST)
			continue;
		memcpy(&n16, raw + f->count, sizeof n16);
		memcpy(&n32, raw + f->count, sizeof n32);
		return f->offset + (f->count_width == sizeof n16 ? n16 : n32) * f->item;
	}
	return row->size;
}

/*
 * usrsctp frees a key that was replaced or deleted as it is. malloc gives what was
 * freed last first, so that is taken here, in all lengths that a key can have.
 */
static void
wipe_freed_keys(void)
{
	enum { STEP = 16, ROOM = SOCKOPT_KEY_MAX + 2 * STEP, EACH = 4 };
	char	*freed[EACH];

	for (size_t len = STEP; len <= ROOM; len += STEP) {
		for (size_t i = 0; i < EACH; i++) {
			freed[i] = xmalloc(len);
			explicit_bzero(freed[i], len);
		}
		for (size_t i = EACH; i-- > 0; )
			free(freed[i]);
	}
}

static int
set_one(const struct subject *j, char *buf)
{
	char	raw[SOCKOPT_MAX] = { 0 };
	int	number;

	if (j->row->set != NULL)
		return j->row->set(j->sock, j->assoc, buf);
	if (j->so == NULL)
		return ENOTCONN;
	if ((number = to_usrsctp(j, buf, raw)) != 0)
		return number;
	if (j->row->least != 0 && !as_the_kernel_sets(j->row->least, raw))
		return EINVAL;
	if (j->row->set_own != NULL)
		return j->row->set_own(j->sock, j->assoc, raw);
	if (j->row->set_raw != NULL)
		return j->row->set_raw(j->so, raw);
	number = usrsctp_setsockopt(j->so, level_of(j->row), j->row->optname, raw,
	    length_of(j->row, raw)) == -1 ? errno : 0;
	if (j->option->secret)
		explicit_bzero(raw, sizeof raw);
	if (j->option->secret || j->row->optname == SCTP_AUTH_DELETE_KEY)
		wipe_freed_keys();
	return number;
}

/* The socket's own so, or that of its only association. */
static struct subject
whole(struct sock *s, const struct sockopt *o)
{
	struct assoc	*a = s->many ? NULL : assoc_next(s, NULL);
	struct subject	 j = { .sock = s, .assoc = a, .option = o,
	    .row = optrow_find(o->name), .so = s->stack.userland->so };

	if (j.so == NULL && a != NULL)
		j.so = userland_so(a);
	return j;
}

static struct subject
one(struct assoc *a, const struct sockopt *o)
{
	return (struct subject){ .sock = a->sock, .assoc = a, .option = o,
	    .row = optrow_find(o->name), .so = userland_so(a) };
}

/* Set the option for all associations that have a socket of their own. */
static int
set_current(struct sock *s, const struct sockopt *o, char *buf)
{
	struct assoc	*a = NULL;
	struct subject	 j;
	int		 number, first = 0;

	while (s->many && (a = assoc_next(s, a)) != NULL) {
		if (a->stack.userland->so == NULL)
			continue;
		j = one(a, o);
		number = set_one(&j, buf);
		first = first == 0 ? number : first;
	}
	return first;
}

static int
set_scoped(struct sock *s, const struct sockopt *o, char *buf)
{
	uint32_t	 id = sockopt_get_assoc(o, buf);
	struct assoc	*a = upcall_meant(s, id);
	struct subject	 j;
	int		 number = 0;

	if (a != NULL) {
		j = one(a, o);
		return set_one(&j, buf);
	}
	if ((s->many && id > SCTP_ALL_ASSOC) || o->scope == SCOPE_ASSOC ||
	    (o->scope == SCOPE_FUTURE && id != 0))
		return ENOENT;
	j = whole(s, o);
	if (id != SCTP_CURRENT_ASSOC) {
		memset(buf + sockopt_assoc(o)->offset, 0, sizeof id);
		number = set_one(&j, buf);
	}
	if (number == 0 && id != SCTP_FUTURE_ASSOC)
		number = set_current(s, o, buf);
	return number;
}

int
userland_setopt(struct sock *s, const struct sockopt *o, void *buf)
{
	struct subject	j;
	int		number;

	if (optrow_find(o->name) == NULL)
		return ENOPROTOOPT;
	upcall_forget_defaults(s);
	s->stack.userland->set_only = s->stack.userland->set_only ||
	    (o->access == SOCKOPT_SET && o->scope != SCOPE_ASSOC);
	if (o->scope != SCOPE_SOCKET)
		return set_scoped(s, o, buf);
	j = whole(s, o);
	number = set_one(&j, buf);
	return number != 0 || j.row->set != NULL ? number : set_current(s, o, buf);
}

/* If the association's id is 0, the address of a path names the association. */
static struct assoc *
meant_by_address(struct sock *s, const struct sockopt *o, const char *buf)
{
	struct sockaddr_storage	 ss;
	struct assoc		*a = NULL;

	for (const struct field *f = o->fields; f->key != NULL; f++) {
		if (o->scope != SCOPE_ASSOC || f->type != FIELD_ENDPOINT)
			continue;
		memcpy(&ss, buf + f->offset, sizeof ss);
		while (ss.ss_family != 0 && (a = assoc_next(s, a)) != NULL) {
			if (addr_equal(&ss, &a->peer))
				return a;
		}
	}
	return NULL;
}

int
userland_getopt(struct sock *s, const struct sockopt *o, void *buf)
{
	struct assoc	*a = NULL;
	struct subject	 j;

	if (optrow_find(o->name) == NULL)
		return ENOPROTOOPT;
	if (o->scope != SCOPE_SOCKET) {
		if ((a = upcall_meant(s, sockopt_get_assoc(o, buf))) == NULL)
			a = meant_by_address(s, o, buf);
		if (a == NULL && (o->scope == SCOPE_ASSOC || sockopt_get_assoc(o, buf) != 0))
			return ENOENT;
	}
	j = a != NULL ? one(a, o) : whole(s, o);
	return get_one(&j, buf);
}

void
userland_copy_options(struct socket *from, struct socket *to)
{
	char			 raw[SOCKOPT_MAX];
	const struct optrow	*r;
	socklen_t		 len;

	for (const struct sockopt *o = sockopt_table; o->name != NULL; o++) {
		if (o->access != SOCKOPT_RW || o->scope == SCOPE_ASSOC ||
		    (r = optrow_find(o->name)) == NULL || r->size == 0 || r->optname == 0)
			continue;
		len = r->size;
		memset(raw, 0, sizeof raw);
		if (usrsctp_getsockopt(from, level_of(r), r->optname, raw, &len) == 0)
			(void)usrsctp_setsockopt(to, level_of(r), r->optname, raw, r->size);
	}
}
