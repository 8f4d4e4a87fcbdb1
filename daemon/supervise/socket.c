/* SPDX-License-Identifier: BSD-2-Clause */
/* Its addresses, its options, opening and closing it: see socket.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/journal.h"
#include "proto/addr.h"
#include "proto/codec.h"
#include "proto/words.h"
#include "socket/assoc.h"
#include "socket/deliver.h"
#include "socket/owner.h"
#include "supervise/socket.h"

#define BACKLOG		128

static supervise_options_fn	*set_options;

/*
 * What telecom expects, where the stack has it: an INIT that is not answered is
 * given up after two more, a path that does not answer is left at its first
 * time-out, and one that is gone is known in seconds. Linux alone takes minutes.
 */
static const char *const defaults[] = {
	"options.sctp_initmsg.max_attempts=2", "options.sctp_initmsg.max_init_timeo=1000",
	"options.sctp_rtoinfo.initial=500", "options.sctp_rtoinfo.min=300", "options.sctp_rtoinfo.max=600",
	"options.sctp_associnfo.asocmaxrxt=8",
	"options.sctp_peer_addr_params.hbinterval=1000", "options.sctp_peer_addr_params.flags=hb_enable",
	"options.sctp_peer_addr_params.pathmaxrxt=5",
	"options.sctp_peer_addr_thlds.pathmaxrxt=5", "options.sctp_peer_addr_thlds.pathpfthld=0",
	"options.sctp_nodelay=true",
	"options.path_manager.on=true",
};

static const char *
packed(const void *arg, size_t *len)
{
	const msgpack_sbuffer	*b = arg;

	*len = b->size;
	return b->data;
}

/* Set the options that these words say; the error of the last that was refused. */
static enum error
set_words(struct supervised *v, const struct word_arg *args, size_t n)
{
	struct call	 call = { .client = v->home };
	msgpack_unpacked u;
	msgpack_sbuffer	 b;
	msgpack_packer	 pk;
	struct words	 words = { .pk = &pk, .method = &rpc_table[RPC_supervise], .packed = packed, .arg = &b };
	size_t		 off = 0;
	enum error	 e = ERR_OK;

	msgpack_sbuffer_init(&b);
	msgpack_packer_init(&pk, &b, msgpack_sbuffer_write);
	msgpack_unpacked_init(&u);
	if (!words_pack(&words, args, n))
		e = call_fail(ERR_einval, "%s: %s", words.why.path, words.why.why);
	else if (msgpack_unpack_next(&u, b.data, b.size, &off) == MSGPACK_UNPACK_SUCCESS)
		e = set_options(&call, v->sock, &u.data.via.map.ptr[0].val);
	msgpack_unpacked_destroy(&u);
	msgpack_sbuffer_destroy(&b);
	return e;
}

/* One option after another, so that one that the stack lacks keeps no other from being set. */
static void
set_defaults(struct supervised *v)
{
	struct word_arg	args[sizeof defaults / sizeof *defaults];
	size_t		n = 0, head, before = 0;

	for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
		head = strcspn(defaults[i] + 8, ".=");
		if (n > 0 && (head != before || memcmp(args[0].key, defaults[i], 8 + head) != 0)) {
			(void)set_words(v, args, n);
			n = 0;
		}
		before = head;
		args[n++] = (struct word_arg){ defaults[i], strcspn(defaults[i], "="), strchr(defaults[i], '=') + 1 };
	}
	(void)set_words(v, args, n);
}

static enum error
set_wanted(struct supervised *v, const struct rpc_supervise_in *in)
{
	struct call	call = { .client = v->home };
	struct word_arg	args[2], primary[2];
	char		out[8], inward[8], addr[ADDR_TEXT];
	size_t		n = 0;
	enum error	e;

	(void)snprintf(out, sizeof out, "%u", in->streams_out);
	(void)snprintf(inward, sizeof inward, "%u", in->streams_in);
	if (RPC_HAS(in, supervise, streams_out))
		args[n++] = (struct word_arg){ "options.sctp_initmsg.num_ostreams", 33, out };
	if (RPC_HAS(in, supervise, streams_in))
		args[n++] = (struct word_arg){ "options.sctp_initmsg.max_instreams", 34, inward };
	set_defaults(v);
	if (RPC_HAS(in, supervise, primary)) {	/* where the stack has no paths to choose from, there is nothing to set */
		(void)snprintf(addr, sizeof addr, "%.*s", (int)in->primary.len, in->primary.ptr);
		primary[0] = (struct word_arg){ "options.path_manager.on", 23, "true" };
		primary[1] = (struct word_arg){ "options.path_manager.primary", 28, addr };
		(void)set_words(v, primary, 2);
	}
	if (n > 0 && (e = set_words(v, args, n)) != ERR_OK)
		return e;
	return in->options.obj != NULL ? set_options(&call, v->sock, in->options.obj) : ERR_OK;
}

/* The addresses from which the host's routes lead to these. */
static void
add_routes(const struct sockaddr_storage *peers, size_t npeers, struct sockaddr_storage to[LOCAL_ADDRS], size_t *n)
{
	struct sockaddr_storage	from;
	char			addr[ADDR_TEXT];

	for (size_t i = 0; i < npeers; i++) {
		if (local_route(&peers[i], &from) == 0)
			(void)local_add(slice_of(addr_text(&from, addr)), to, n);
	}
}

void
supervised_local(const struct rpc_supervise_in *in, struct sockaddr_storage to[LOCAL_ADDRS], size_t *n,
    void (*tell)(void *, struct slice, const char *), void *arg)
{
	static const struct slice	host = { "0.0.0.0/0", 9 };
	struct sockaddr_storage		peer;
	struct slice			item;
	const char			*why;

	*n = 0;
	for (uint32_t i = 0; i < wanted_count(&in->local); i++) {
		item = wanted_item(&in->local, i);
		if ((why = local_add(item, to, n)) != NULL)
			tell(arg, item, why);
	}
	if (in->local.obj != NULL)
		return;
	if (in->role == ROLE_LISTEN && (why = local_add(host, to, n)) != NULL)
		tell(arg, host, why);
	for (uint32_t i = 0; i < wanted_count(&in->peer); i++) {
		item = wanted_item(&in->peer, i);
		if (addr_parse(item.ptr, item.len, &peer))
			add_routes(&peer, 1, to, n);
	}
}

/* Why a local address is missing; the last one counts. */
struct complaint {
	char	text[200];
};

static void
complain(void *arg, struct slice item, const char *why)
{
	struct complaint	*c = arg;

	(void)snprintf(c->text, sizeof c->text, "local: %.*s: %s", (int)item.len, item.ptr, why);
}

static int
family_of(const struct sockaddr_storage *addrs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (addrs[i].ss_family == AF_INET6)
			return AF_INET6;
	}
	return AF_INET;
}

void
supervised_close(struct supervised *v, const char *why)
{
	struct sock	*s = v->sock;

	if (s == NULL)
		return;
	s->supervised = NULL;
	v->sock = NULL;
	kept_changed(&v->kept);
	sock_close(s, why);
}

/* Its options, its addresses, and for listen the rest. Gives NULL, or what is wrong. */
static const char *
prepare(struct supervised *v, const struct rpc_supervise_in *in, struct sockaddr_storage *local, size_t n)
{
	static char	why[160];
	int		number;

	if (set_wanted(v, in) != ERR_OK) {
		(void)snprintf(why, sizeof why, "%s", call_why());
		return why;
	}
	for (size_t i = 0; i < n; i++)
		addr_set_port(&local[i], in->local_port);
	if ((number = stack->bind(v->sock, local, n)) != 0) {
		(void)snprintf(why, sizeof why, number == EADDRINUSE ? "local_port: %u is in use" :
		    number == EADDRNOTAVAIL ? "local: an address is not this host's" : "local: port %u cannot be bound: %s",
		    in->local_port, strerror(number));
		return why;
	}
	if (in->role == ROLE_LISTEN && (number = stack->listen(v->sock, BACKLOG)) != 0) {
		(void)snprintf(why, sizeof why, "listen: %s", strerror(number));
		return why;
	}
	return NULL;
}

bool
supervised_is_free(struct supervised *v)
{
	struct assoc	*a = NULL;

	while ((a = assoc_next(v->sock, a)) != NULL) {
		if (a->state != ASSOC_OVER)
			return false;
	}
	return true;
}

static bool
is_among(const struct sockaddr_storage *ss, const struct sockaddr_storage *of, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (addr_equal(ss, &of[i]))
			return true;
	}
	return false;
}

/* The addresses that the socket has are to be these. Gives 0 or an errno. */
static int
bind_again(struct sock *s, struct sockaddr_storage *local, size_t n)
{
	struct sockaddr_storage	*has;
	struct stack_bindx	 b = { .add = true, .socket = true, .addrs = local, .n = n };
	unsigned		 told;
	size_t			 nhas, gone = 0;
	int			 number;

	if ((number = stack->names(s, NULL, false, &has, &nhas)) != 0)
		return number;
	for (size_t i = 0; i < n; i++)
		addr_set_port(&local[i], s->port);
	for (size_t i = 0; i < nhas; i++) {
		if (!is_among(&has[i], local, n))
			has[gone++] = has[i];
	}
	if (nhas - gone < n)
		number = stack->bindx(s, &b, &told);
	if (gone > 0 && (number == 0 || number == EALREADY)) {
		b = (struct stack_bindx){ .socket = true, .addrs = has, .n = gone };
		number = stack->bindx(s, &b, &told);
	}
	free(has);
	return number == EALREADY ? 0 : number;
}

/*
 * Interfaces and routes come and go: before an attempt the socket gets the
 * addresses that what is wanted stands for now. Where the stack cannot change
 * them, there is a new socket. Gives NULL, or why it cannot be.
 */
static const char *
follow_local(struct supervised *v, struct sockaddr_storage *local, size_t n)
{
	static char	why[160];
	int		number = ENOPROTOOPT;

	if (!supervised_is_free(v))
		return NULL;
	if ((v->sock->family == AF_INET6 || family_of(local, n) == AF_INET) && (number = bind_again(v->sock, local, n)) == 0)
		return NULL;
	if (number == ENOPROTOOPT) {
		supervised_close(v, "its local addresses have changed; attach again");
		return NULL;
	}
	(void)snprintf(why, sizeof why, "local: the host's addresses have changed, and port %u cannot be bound to them: %s",
	    v->sock->port, strerror(number));
	return why;
}

const char *
supervised_open(struct supervised *v, const struct rpc_supervise_in *in, const struct sockaddr_storage *peers, size_t npeers)
{
	static const uint8_t		events[SUBSCRIBE_SIZE] = { 1, 1, 1, 1, 1, 1, 1 };
	static struct complaint		c;
	struct sockaddr_storage		local[LOCAL_ADDRS];
	const char			*why;
	size_t				n = 0;
	int				number;

	c.text[0] = '\0';
	supervised_local(in, local, &n, complain, &c);
	if (in->local.obj == NULL && n == 0)
		add_routes(peers, npeers, local, &n);
	if (n == 0)
		return c.text[0] != '\0' ? c.text : "the host has no route to the peer";
	if (v->sock != NULL && (why = follow_local(v, local, n)) != NULL)
		return why;
	if (v->sock != NULL)
		return NULL;
	if ((why = sock_no_room(v->home)) != NULL)
		return why;
	v->sock = sock_new(v->home, true, family_of(local, n) == AF_INET6 ? AF_INET6 : family_of(peers, npeers));
	v->sock->home = v->home;
	memcpy(v->sock->subscribed, events, sizeof events);
	if ((number = stack->open(v->sock, NULL)) != 0)
		why = number == EPROTONOSUPPORT || number == ESOCKTNOSUPPORT ? stack->probe() : strerror(number);
	else
		why = prepare(v, in, local, n);
	if (why != NULL) {
		supervised_close(v, NULL);
		return why;
	}
	v->sock->supervised = v;
	kept_changed(&v->kept);
	sock_pump(v->sock);
	return NULL;
}

static void
ignore(void *arg, struct slice item, const char *why)
{
	(void)arg, (void)item, (void)why;
}

void
supervised_set_by(supervise_options_fn *fn)
{
	set_options = fn;
}

const char *
supervised_try_open(struct supervised *v)
{
	struct sockaddr_storage	 local[LOCAL_ADDRS];
	struct wanted		 w;
	struct errtext		 err;
	const char		*why = NULL;
	size_t			 n;

	if (v->sock != NULL)
		return NULL;
	if (wanted_read(&w, v->map, v->len, &err)) {
		supervised_local(&w.in, local, &n, ignore, NULL);
		if (n > 0) {	/* otherwise the caller knows */
			w.in.role = ROLE_CONNECT;	/* no peer is let in */
			why = supervised_open(v, &w.in, NULL, 0);
			supervised_close(v, NULL);
		}
	}
	wanted_free(&w);
	return why;
}
