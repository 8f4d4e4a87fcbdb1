/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SCTP without a kernel that has it: usrsctp, without threads of its own, over
 * UDP sockets in our loop. Sockets, and how they come and go.
 *
 * As with the kernel's, each association of a one-to-many socket is peeled
 * off when it comes up, so that each can be paused, filled and closed alone.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "log.h"
#include "mem.h"
#include "stack-ops.h"
#include "userland.h"

/* The kernel's most streams, and the messages that may wait to be sent. */
#define STREAMS	65535
#define CHUNKS	65536

static bool	running;

/* What associations are offered by default is what the kernel offers. */
static void
start(void)
{
	usrsctp_init_nothreads(0, out_send, NULL);
	clock_start();
	usrsctp_enable_crc32c_offload();
	(void)usrsctp_sysctl_set_sctp_auth_enable(0);
	(void)usrsctp_sysctl_set_sctp_asconf_enable(0);
	(void)usrsctp_sysctl_set_sctp_auto_asconf(0);
	(void)usrsctp_sysctl_set_sctp_reconfig_enable(0);
	(void)usrsctp_sysctl_set_sctp_nrsack_enable(0);
	(void)usrsctp_sysctl_set_sctp_pktdrop_enable(0);
	(void)usrsctp_sysctl_set_sctp_nr_incoming_streams_default(STREAMS);
	(void)usrsctp_sysctl_set_sctp_max_chunks_on_queue(CHUNKS);
	/* Else 30 losses of one chunk end an association that may have more. */
	(void)usrsctp_sysctl_set_sctp_max_retran_chunk(0);
	(void)usrsctp_sysctl_set_sctp_default_frag_interleave(0);
	(void)usrsctp_sysctl_set_sctp_default_ss_module(SCTP_SS_FIRST_COME);
	userland_budget_init();
	running = true;
}

/* There may be more memory, or less. */
static void
reload(void)
{
	if (running)
		userland_budget_init();
}

static const char *
userland_probe(void)
{
	if (!running)
		start();
	return udp_open();
}

/* ---- coming --------------------------------------------------------- */

/*
 * One type at a time, as on the kernel. Changes of associations are always
 * wanted, by us.
 */
int
userland_subscribe(const struct sock *s, struct socket *so)
{
	static const struct {
		uint16_t	type;
		const char	*name;
	}			 types[] = {
		{ SCTP_ASSOC_CHANGE, "sctp_assoc_change" },
		{ SCTP_PEER_ADDR_CHANGE, "sctp_paddr_change" },
		{ SCTP_REMOTE_ERROR, "sctp_remote_error" },
		{ SCTP_SEND_FAILED_EVENT, "sctp_send_failed" },
		{ SCTP_SHUTDOWN_EVENT, "sctp_shutdown_event" },
		{ SCTP_ADAPTATION_INDICATION, "sctp_adaptation_event" },
		{ SCTP_PARTIAL_DELIVERY_EVENT, "sctp_pdapi_event" },
		{ SCTP_AUTHENTICATION_EVENT, "sctp_authkey_event" },
		{ SCTP_SENDER_DRY_EVENT, "sctp_sender_dry_event" },
		{ SCTP_STREAM_RESET_EVENT, "sctp_stream_reset_event" },
		{ SCTP_ASSOC_RESET_EVENT, "sctp_assoc_reset_event" },
		{ SCTP_STREAM_CHANGE_EVENT, "sctp_stream_change_event" },
	};
	struct sctp_event	 e = { .se_assoc_id = SCTP_ALL_ASSOC };
	int			 failed = 0;

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		const struct notice	*n = userland_notice(types[i].name);

		/* usrsctp has it of associations only, not of those to come. */
		if (types[i].type == SCTP_SENDER_DRY_EVENT && s->many &&
		    so == s->stack.userland->so)
			continue;
		e.se_type = types[i].type;
		e.se_on = e.se_type == SCTP_ASSOC_CHANGE || s->subscribed[n->subscribe];
		if (usrsctp_setsockopt(so, IPPROTO_SCTP, SCTP_EVENT, &e, sizeof e) == 0 || !e.se_on)
			continue;
		if (errno != EINVAL || e.se_type == SCTP_ASSOC_CHANGE)
			failed = errno;
		if (log_allowed())
			log_warning("sock %llu: no %s: %s",
			    (unsigned long long)s->node.key, n->name, strerror(errno));
	}
	return failed;
}

static int
userland_subscribe_all(struct sock *s)
{
	struct assoc	*a = NULL;
	int		 failed = 0, number;

	if (s->stack.userland->so != NULL)
		failed = userland_subscribe(s, s->stack.userland->so);
	while ((a = assoc_next(s, a)) != NULL) {
		if (a->stack.userland->so != NULL &&
		    (number = userland_subscribe(s, a->stack.userland->so)) != 0)
			failed = number;
	}
	return failed;
}

/* What the socket itself says is read at once, unless it accepts. */
static void
sock_on_wake(void *arg)
{
	struct sock		*s = arg;
	struct userland_sock	*u = s->stack.userland;

	if (!s->many && s->listening) {
		u->acceptable = true;
		if (u->messages)
			wake_now(&u->deliver);
		return;
	}
	if (s->many && u->events && u->so != NULL) {
		userland_read_socket(s);
		sock_pump(s);
	}
}

static void
sock_on_deliver(void *arg)
{
	struct sock	*s = arg;

	if (s->stack.userland->messages)
		sock_readable(s);
}

struct userland_sock *
userland_sock_new(struct sock *s, struct socket *so)
{
	struct userland_sock	*u = xcalloc(1, sizeof *u);

	u->so = so;
	u->deliver.fn = sock_on_deliver;
	u->deliver.arg = s;
	u->events = true;
	TAILQ_INIT(&u->ready);
	s->stack.userland = u;
	if (s->many)
		wake_attach(&u->wake, so, sock_on_wake, s);
	return u;
}

static void
set(struct socket *so, int level, int name, int value)
{
	(void)usrsctp_setsockopt(so, level, name, &value, sizeof value);
}

static struct socket *
new_so(const struct sock *s)
{
	struct socket	*so = usrsctp_socket(AF_CONN, s->many ? SOCK_SEQPACKET : SOCK_STREAM,
			    IPPROTO_SCTP, NULL, NULL, 0, NULL);

	if (so != NULL)
		clock_need();
	return so;
}

static int
bind_so(struct socket *so, const struct port *port)
{
	struct sockaddr_conn	name = path_name(NULL, port->inner);

	return usrsctp_bind(so, (struct sockaddr *)&name, sizeof name) == -1 ? errno : 0;
}

/* usrsctp refuses to connect one again that was refused. */
void
userland_renew(struct sock *s)
{
	struct userland_sock	*u = s->stack.userland;
	struct socket		*so = new_so(s);

	if (so == NULL)
		return;
	(void)usrsctp_set_non_blocking(so, 1);
	userland_copy_options(u->so, so);
	set(so, IPPROTO_SCTP, SCTP_RECVRCVINFO, 1);
	(void)userland_subscribe(s, so);
	userland_close_so(u->so);
	u->so = so;
	if (bind_so(so, u->port) != 0)
		log_warning("sock %llu: not bound again: %s",
		    (unsigned long long)s->node.key, strerror(errno));
	userland_size_anew(s);
}

static int
userland_open(struct sock *s, const char *netns)
{
	const char	*why = userland_probe();
	struct socket	*so;

	if (netns != NULL)
		return ENOPROTOOPT;
	if (why != NULL)
		return EPROTONOSUPPORT;
	if ((so = new_so(s)) == NULL)
		return errno;
	(void)usrsctp_set_non_blocking(so, 1);
	set(so, IPPROTO_SCTP, SCTP_NODELAY, 1);
	set(so, IPPROTO_SCTP, SCTP_RECVRCVINFO, 1);
	(void)userland_sock_new(s, so);
	userland_begin_sizes(s);
	return userland_subscribe(s, so);
}

/* An IPv4 address as an inet6 socket shows it. */
static struct sockaddr_storage
in_family(const struct sockaddr_storage *ss, const struct sock *s)
{
	struct sockaddr_storage	a = *ss;

	if (s->family == AF_INET6)
		addr_map(&a);
	return a;
}

static int
userland_bind(struct sock *s, const struct sockaddr_storage *addrs, size_t n)
{
	struct userland_sock	*u = s->stack.userland;
	struct port		 like = { .v6only = u->v6only, .reuse = u->reuse };
	int			 number;

	if ((number = port_open(addrs, n, addr_port(&addrs[0]), &like, &u->port)) != 0)
		return number;
	if ((number = bind_so(u->so, u->port)) != 0)
		return number;
	u->port->sock = s;
	s->port = u->port->number;
	u->port->tos = u->tos;
	u->port->ttl = u->ttl;
	u->port->tclass = u->tclass;
	s->name = in_family(&addrs[n - 1], s);
	addr_set_port(&s->name, s->port);
	return 0;
}

int
userland_listen(struct sock *s, int backlog)
{
	struct userland_sock	*u = s->stack.userland;

	if (backlog == 0 && !s->listening)
		return 0;
	if (u->so == NULL)
		return ENOTCONN;
	if (backlog > 0 && port_has_listener(u->port))
		return EADDRINUSE;
	userland_size_socket(s);
	if (usrsctp_listen(u->so, backlog) == -1)
		return errno;
	s->listening = u->port->listening = backlog > 0;
	if (!s->many && s->listening)
		wake_attach(&u->wake, u->so, sock_on_wake, s);
	return 0;
}

/* ---- reading on demand ---------------------------------------------- */

void
userland_read(struct sock *s, bool messages, bool events)
{
	struct userland_sock	*u = s->stack.userland;
	bool			 more = events && !u->events;

	if (u == NULL)
		return;
	u->messages = messages;
	u->events = events;
	if (messages && (!TAILQ_EMPTY(&u->ready) || (u->acceptable && !u->resting)))
		wake_now(&u->deliver);
	if (more && s->many)
		wake_now(&u->wake);
}

/* ---- names ---------------------------------------------------------- */

/* All addresses of this host that a socket bound to any would have. */
static size_t
host_addrs(const struct sock *s, struct sockaddr_storage **names)
{
	struct ifaddrs	*all, *i;
	size_t		 n = 0;

	*names = NULL;
	if (getifaddrs(&all) == -1)
		return 0;
	for (i = all; i != NULL; i = i->ifa_next) {
		sa_family_t	family = i->ifa_addr != NULL ? i->ifa_addr->sa_family : 0;

		if (family != AF_INET && (family != AF_INET6 || s->family != AF_INET6))
			continue;
		*names = xrealloc(*names, (n + 1) * sizeof **names);
		memset(&(*names)[n], 0, sizeof **names);
		memcpy(&(*names)[n], i->ifa_addr, family == AF_INET ?
		    sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		addr_set_port(&(*names)[n], s->port);
		(*names)[n] = in_family(&(*names)[n], s);
		n++;
	}
	freeifaddrs(all);
	return n;
}

static bool
is_bound_to_any(const struct port *p)
{
	struct sockaddr_storage	any = { .ss_family = p->addrs[0].ss_family };

	addr_set_port(&any, addr_port(&p->addrs[0]));
	return addr_equal(&p->addrs[0], &any);
}

static size_t
sock_addrs(const struct sock *s, struct sockaddr_storage **names)
{
	const struct port	*p = s->stack.userland->port;

	if (is_bound_to_any(p))
		return host_addrs(s, names);
	*names = xcalloc(p->naddrs, sizeof **names);
	for (size_t i = 0; i < p->naddrs; i++) {
		(*names)[i] = in_family(&p->addrs[i], s);
		addr_set_port(&(*names)[i], p->number);
	}
	return p->naddrs;
}

int
userland_names(struct sock *s, struct assoc *a, bool peer,
    struct sockaddr_storage **names, size_t *n)
{
	struct userland_assoc	*ua;

	if (a == NULL && !s->many)
		a = assoc_next(s, NULL);
	if (a == NULL && s->stack.userland->port == NULL)
		return ENOTCONN;
	if (a == NULL) {
		*n = sock_addrs(s, names);
		return 0;
	}
	ua = a->stack.userland;
	*names = xcalloc(1, sizeof **names);
	*n = 1;
	(*names)[0] = peer ? a->peer : ua->path->local->addr;
	if (!peer)
		addr_set_port(&(*names)[0], ua->port->number);
	return 0;
}

/* ---- going ---------------------------------------------------------- */

int
userland_linger(const struct sock *s)
{
	struct linger	 l = { .l_onoff = 0 };
	socklen_t	 len = sizeof l;
	struct assoc	*a = assoc_next((struct sock *)(uintptr_t)s, NULL);
	struct socket	*so = s->stack.userland != NULL ? s->stack.userland->so : NULL;

	if (so == NULL && a != NULL)
		so = a->stack.userland->so;
	if (so == NULL || usrsctp_getsockopt(so, SOL_SOCKET, SO_LINGER, &l, &len) == -1 ||
	    !l.l_onoff)
		return -1;
	return l.l_linger;
}

void
userland_close_so(struct socket *so)
{
	if (so == NULL)
		return;
	(void)usrsctp_set_upcall(so, NULL, NULL);
	usrsctp_close(so);
	clock_forget();
}

void
userland_set_user(struct sock *s)
{
	struct userland_sock	*u = s->stack.userland;

	if (u != NULL && u->port != NULL && !u->guest)
		hold_move_all(u->port);
	userland_size_anew(s);
}

void
userland_close(struct sock *s)
{
	struct userland_sock	*u = s->stack.userland;
	struct assoc		*a;
	bool			 abort;

	if (u == NULL)
		return;
	abort = userland_linger(s) == 0;	/* with linger {on, 0} */
	/* Associations that the socket has not spoken of yet are closed too. */
	if (s->many && !abort && u->so != NULL)
		userland_read_socket(s);
	userland_read(s, false, false);
	while ((a = assoc_next(s, NULL)) != NULL)
		userland_close_assoc(a, abort);
	wake_forget(&u->wake);
	wake_forget(&u->deliver);
	userland_close_so(u->so);
	if (u->guest)
		port_unref(u->port);
	else
		port_close(u->port);
	joint_clear(&u->notice);
	hash_free(&u->coming);
	free(u);
	s->stack.userland = NULL;
}

static bool
is_quiet(void)
{
	return assoc_lingering() == 0;
}

/* Associations end with the process: each is given the time to be shut down. */
void
userland_free(void)
{
	if (!running)
		return;
	udp_run(1000, is_quiet);
	userland_abort_lingering();
	udp_run(20, is_quiet);
	clock_stop();
	for (int i = 0; i < 10 && usrsctp_finish() != 0; i++)
		usrsctp_handle_timers(100);
	udp_close();
	path_free_all();
	userland_forget_all();
	budget_free();
	running = false;
}

static const char *const features[] = { "udp_encapsulation", NULL };

static const char *const *
what_it_can(void)
{
	return features;
}

const struct stack_ops userland_stack = {
	.name = "userland",
	.memory = "the userland stack; see max_memory and max_memory_per_user in sctpd.conf(5)",
	.survives = false,
	.features = what_it_can,
	.probe = userland_probe,
	.has_option = userland_has_option,
	.most = userland_most,
	.open = userland_open,
	.bind = userland_bind,
	.listen = userland_listen,
	.connect = userland_connect,
	.accept = userland_accept,
	.peeloff = userland_peeloff,
	.send = userland_send,
	.eof = userland_eof,
	.abort = userland_abort,
	.await_room = userland_await_room,
	.read = userland_read,
	.receive = userland_receive,
	.setopt = userland_setopt,
	.getopt = userland_getopt,
	.defaults = userland_defaults,
	.count_streams = userland_count_streams,
	.subscribe = userland_subscribe_all,
	.names = userland_names,
	.set_user = userland_set_user,
	.close = userland_close,
	.linger = userland_linger,
	.assoc_init = userland_assoc_init,
	.assoc_free = userland_assoc_free,
	.free = userland_free,
	.reload = reload,
};
