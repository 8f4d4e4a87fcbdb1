/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a peer might send to the userland stack, from the packet on: our own
 * code that reads packets, and usrsctp behind it, in this process.
 *
 * The input is a list of what happens: packets, from peers on some addresses
 * and ports, whose chunks are well formed or not; what a user of a listening
 * and of a connecting socket does; and time that goes by. A packet has the
 * tag, the cookie and the TSN that the stack itself gave when the input says
 * so, and a right checksum: the others come no farther than that.
 *
 * Nothing is sent to the network. What goes out must have a right checksum and,
 * where packets may have been joined, whole chunks, and no more than a UDP
 * packet takes.
 */
#include <stdint.h>
#include <stdlib.h>

#include "../../daemon/userland/udp.c"

#include "fuzz.h"
#include "rpc/client.h"
#include "methods/dispatch.h"
#include "userland/ops.h"
#include "util/log.h"
#include "methods/handler.h"
#include "journal/journal.h"
#include "rpc/connection.h"
#include "socket/owner.h"

int	__wrap_sendmmsg(int, struct mmsghdr *, unsigned, int);
int	__wrap_clock_gettime(clockid_t, struct timespec *);

#define PORT		5000
#define PEERS		4	/* SCTP ports of peers: PORT + 1 ... */
#define LONGEST_UDP	65507

/* ---- time -------------------------------------------------------------- */

static int64_t	now_ms = 1000000;

int
__wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	(void)id;
	t->tv_sec = (time_t)(now_ms / 1000);
	t->tv_nsec = (long)(now_ms % 1000 * 1000000);
	return 0;
}

/* ---- what goes out ----------------------------------------------------- */

/* What the stack gave to a peer, by the peer's SCTP port. */
static struct peer {
	uint32_t	tag;		/* of packets to the stack */
	uint32_t	tsn;		/* the next of the peer's */
	uint32_t	acked;		/* the last of the stack's that came */
	char		cookie[2048];
	size_t		ncookie;
} peers[PEERS];

static uint32_t
word_at(const char *p)
{
	uint32_t	v;

	memcpy(&v, p, sizeof v);
	return ntohl(v);
}

static void
learn_init(struct peer *to, const char *chunk, size_t n)
{
	if (n < 20)
		return;
	to->tag = word_at(chunk + 4);
	to->acked = word_at(chunk + 16) - 1;
	for (size_t at = 20, len; at + 4 <= n; at += (len + 3) & ~(size_t)3) {
		if ((len = packet_port(chunk, at + 2)) < 4 || len > n - at)
			return;
		if (packet_port(chunk, at) != 7 || len - 4 > sizeof to->cookie)
			continue;
		to->ncookie = len - 4;
		memcpy(to->cookie, chunk + at + 4, to->ncookie);
	}
}

static void
learn_chunk(struct peer *to, const char *chunk, size_t n)
{
	if (*chunk == SCTP_INITIATION || *chunk == SCTP_INITIATION_ACK)
		learn_init(to, chunk, n);
	else if (*chunk == SCTP_DATA && n >= 16)
		to->acked = word_at(chunk + 4);
}

/* May it be made of several of usrsctp's? Of its own not all are whole: it pads no ERROR. */
static bool
is_joined(const char *data)
{
	return data[SCTP_HEADER] == SCTP_DATA || data[SCTP_HEADER] == SCTP_SELECTIVE_ACK;
}

/* Every packet that goes out has a right checksum and, if it may be joined, whole chunks. */
static void
look(const char *data, size_t len)
{
	static char	copy[UDP_PACKET];
	uint32_t	sum;
	uint16_t	port = packet_port(data, 2);
	struct peer	*to = port > PORT && port <= PORT + PEERS ? &peers[port - PORT - 1] : NULL;

	must(len > SCTP_HEADER && len <= LONGEST_UDP);
	memcpy(copy, data, len);
	sum = packet_checksum(copy, len);
	must(memcmp(&sum, data + 8, sizeof sum) == 0);
	for (size_t at = SCTP_HEADER, n; at < len; at += (n + 3) & ~(size_t)3) {
		n = len - at >= 4 ? packet_port(data, at + 2) : 0;
		must((n >= 4 && n <= len - at) || !is_joined(data));
		if (n < 4 || n > len - at)
			return;
		if (to != NULL)
			learn_chunk(to, data + at, n);
	}
}

int
__wrap_sendmmsg(int fd, struct mmsghdr *h, unsigned n, int flags)
{
	(void)fd, (void)flags;
	for (unsigned i = 0; i < n; i++) {
		must(h[i].msg_hdr.msg_iovlen >= 1 && h[i].msg_hdr.msg_iovlen <= config.udp_segments);
		for (size_t k = 0; k < h[i].msg_hdr.msg_iovlen; k++)
			look(h[i].msg_hdr.msg_iov[k].iov_base, h[i].msg_hdr.msg_iov[k].iov_len);
	}
	return (int)n;
}

/* ---- the sockets, and their user --------------------------------------- */

static int		user[2];	/* the client's end, and ours */
static struct client	*owner;
static uint64_t		listener, connector;	/* handles */

static void
turn(void)
{
	char	room[65536];

	(void)event_base_loop(loop_base(), EVLOOP_NONBLOCK);
	wake_all();
	out_flush();
	connection_write_all();
	while (read(user[1], room, sizeof room) > 0)
		;
}

static void
pass_time(int64_t ms)
{
	now_ms += ms;
	clock_tick();
	turn();
}

static struct sockaddr_storage
address(uint8_t host, uint16_t port)
{
	struct sockaddr_in	s4 = { .sin_family = AF_INET, .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK + host) };
	struct sockaddr_storage	ss;

	memset(&ss, 0, sizeof ss);
	memcpy(&ss, &s4, sizeof s4);
	return ss;
}

static void
set_value(struct sock *s, const char *name, uint32_t value)
{
	struct { uint32_t id, value; } v = { .value = value };	/* as struct sctp_assoc_value is */
	char	room[SOCKOPT_MAX] = { 0 };

	memcpy(room, &v, sizeof v);
	must(stack->setopt(s, sockopt_find(name, strlen(name)), room) == 0);
}

/* Whoever closes it aborts what it has. */
static uint64_t
open_socket(bool many, bool listens, uint16_t port)
{
	struct sockaddr_storage	 at = address(0, port);
	struct sock		*s = sock_new(owner, many, AF_INET);
	struct linger		 l = { .l_onoff = 1 };

	must(stack->open(s, NULL) == 0);
	set_value(s, "sctp_reconfig_supported", 1);
	set_value(s, "sctp_enable_stream_reset", 7);
	memset(s->subscribed, 1, sizeof s->subscribed);
	stack->subscribe(s);
	must(usrsctp_setsockopt(s->stack.userland->so, SOL_SOCKET, SO_LINGER, &l, sizeof l) == 0);
	if (stack->bind(s, &at, 1) != 0 || (listens && stack->listen(s, 5) != 0))
		abort();
	s->active = ACTIVE_TRUE;
	sock_pump(s);
	return s->node.key;
}

static void
close_socket(uint64_t handle)
{
	struct sock	*s = sock_find(handle);

	if (s != NULL)
		sock_close(s, NULL);
}

static const struct stack *const only_stack = &userland_stack;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char	error[200], ports[24];

	(void)argc, (void)argv;
	mem_init();
	log_set_level(-1);
	config_init(&config);
	(void)config_set(&config, "stack", "userland", error, sizeof error);
	(void)config_set(&config, "udp_segments", "64", error, sizeof error);
	handle_start_clock();
	loop_init();
	connection_init(&dispatch_ops);
	dispatch_init();
	stack_give(&only_stack, 1);
	(void)journal_open(-1);
	for (int port = 20000 + getpid() % 20000; ; port++) {
		(void)snprintf(ports, sizeof ports, "%d", port);
		must(config_set(&config, "udp_port", ports, error, sizeof error));
		if (stack->probe() == NULL)
			break;
	}
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, user) == 0);
	connection_new(user[0]);
	owner = client_next(NULL);
	return 0;
}

/* ---- packets ----------------------------------------------------------- */

struct input {
	const uint8_t	*p;
	size_t		 n;
};

static uint32_t
take(struct input *script, unsigned n)
{
	uint32_t	v = 0;

	for (; n > 0 && script->n > 0; n--, script->p++, script->n--)
		v = v << 8 | *script->p;
	return v;
}

struct packet {
	char	data[4096];
	size_t	len;
};

static void
put(struct packet *p, const void *what, size_t n)
{
	if (n > sizeof p->data - p->len)
		n = sizeof p->data - p->len;
	memcpy(p->data + p->len, what, n);
	p->len += n;
}

static void
put_number(struct packet *p, uint32_t v, unsigned n)
{
	v = htonl(v << (32 - 8 * n));
	put(p, &v, n);
}

static void
put_input(struct packet *p, struct input *script, size_t n)
{
	if (n > script->n)
		n = script->n;
	put(p, script->p, n);
	script->p += n;
	script->n -= n;
}

/* What a chunk of its type is to say first, as far as the peer knows. */
static void
put_body(struct packet *p, struct input *script, uint8_t type, struct peer *from)
{
	uint8_t	how = (uint8_t)take(script, 1);

	switch (type) {
	case SCTP_INITIATION:
	case SCTP_INITIATION_ACK:
		put_number(p, 0x10000000u + how, 4);	/* its tag, window, streams, TSN */
		put_number(p, how & 1 ? 1500 : 100000, 4);
		put_number(p, how & 2 ? 1 : 10, 2);
		put_number(p, how & 4 ? 1 : 10, 2);
		put_number(p, from->tsn = 1, 4);
		if (how & 8)
			put(p, "\200\10\0\5\202\0\0\0", 8);	/* it supports RE-CONFIG */
		if (type == SCTP_INITIATION_ACK)
			put(p, "\0\7\0\10cook", 8);
		break;
	case SCTP_COOKIE_ECHO:
		put(p, from->cookie, from->ncookie);
		break;
	case SCTP_DATA:
		put_number(p, how & 0x80 ? from->tsn + (how & 7) - 3 : from->tsn++, 4);
		put_number(p, how >> 4 & 7, 2);
		put_number(p, how & 0xf, 2);
		put_number(p, how, 4);
		break;
	case SCTP_SELECTIVE_ACK:
		put_number(p, how & 0x80 ? from->acked + (how & 7) - 3 : from->acked, 4);
		put_number(p, how & 0x40 ? 0 : 100000, 4);
		break;
	case SCTP_SHUTDOWN:
		put_number(p, from->acked, 4);
		break;
	}
}

/* The types that there are, and any other. */
static uint8_t
take_type(struct input *script)
{
	static const uint8_t	types[] = { SCTP_DATA, SCTP_INITIATION, SCTP_INITIATION_ACK,
	    SCTP_SELECTIVE_ACK, SCTP_HEARTBEAT_REQUEST, SCTP_HEARTBEAT_ACK, SCTP_ABORT_ASSOCIATION,
	    SCTP_SHUTDOWN, SCTP_SHUTDOWN_ACK, SCTP_OPERATION_ERROR, SCTP_COOKIE_ECHO, SCTP_COOKIE_ACK,
	    SCTP_SHUTDOWN_COMPLETE, 0x82, 0xc0, 0xc1, 0x40, 0x0f, 0x80 };
	uint8_t			b = (uint8_t)take(script, 1);

	return b < 200 ? types[b % sizeof types] : b;
}

static void
put_chunk(struct packet *p, struct input *script, struct peer *from)
{
	size_t	 start = p->len;
	uint8_t	 type = take_type(script), how = (uint8_t)take(script, 1);
	uint16_t len;

	put_number(p, type, 1);
	put_number(p, how & 0x80 ? take(script, 1) : type == SCTP_DATA ? 3 : 0, 1);
	put_number(p, 0, 2);
	if ((how & 0x40) == 0)
		put_body(p, script, type, from);
	put_input(p, script, how & 0x3f);
	len = (uint16_t)(p->len - start);
	if (take(script, 1) % 16 == 15)
		len = (uint16_t)take(script, 2);
	if (start + 4 <= sizeof p->data)
		packet_set_port(p->data, start + 2, len);
	while (p->len % 4 != 0)
		put(p, "", 1);
}

/* To one of our addresses, from one of theirs. */
static void
give(struct packet *p, uint8_t where, bool good)
{
	struct sockaddr_storage	from = address(where & 3, (uint16_t)(9000 + (where >> 2 & 3)));
	struct sockaddr_storage	to = address(where >> 4 & 1, 0);
	char			*exact;		/* whatever is read behind it is seen */
	uint32_t		 sum;

	if (good && p->len >= SCTP_HEADER) {
		sum = packet_checksum(p->data, p->len);
		memcpy(p->data + 8, &sum, sizeof sum);
	}
	exact = xmalloc(p->len + 1);
	memcpy(exact, p->data, p->len);
	take_packet(udp_fds[0], exact, p->len, &from, &to, where >> 5);
	free(exact);
}

static void
packet(struct input *script)
{
	uint8_t		 who = (uint8_t)take(script, 1), where = (uint8_t)take(script, 1);
	struct peer	*from = &peers[who % PEERS];
	struct packet	 p = { .len = 0 };

	put_number(&p, PORT + 1 + who % PEERS, 2);
	put_number(&p, who & 0x10 ? PORT + 10 : PORT, 2);
	put_number(&p, who & 0x20 ? take(script, 4) : who & 0x40 ? 0 : from->tag, 4);
	put_number(&p, 0, 4);
	for (unsigned n = 1 + (who >> 2 & 3); n > 0; n--)
		put_chunk(&p, script, from);
	give(&p, where, (who & 0x80) == 0);
}

/* Bytes as they are. */
static void
raw_packet(struct input *script)
{
	struct packet	p = { .len = 0 };
	uint8_t		how = (uint8_t)take(script, 1);

	put_input(&p, script, how & 0x7f);
	give(&p, (uint8_t)take(script, 1), (how & 0x80) != 0);
}

/* The whole of a beginning at once: there is little to be seen without. */
static void
associate(struct input *script)
{
	uint8_t		 who = (uint8_t)take(script, 1) % PEERS;
	struct peer	*from = &peers[who];
	struct input	 none = { NULL, 0 };
	struct packet	 p;

	for (int i = 0; i < 2; i++) {
		p.len = 0;
		put_number(&p, PORT + 1u + who, 2);
		put_number(&p, PORT, 2);
		put_number(&p, i == 0 ? 0 : from->tag, 4);
		put_number(&p, 0, 4);
		put_number(&p, i == 0 ? SCTP_INITIATION : SCTP_COOKIE_ECHO, 1);
		put_number(&p, 0, 1);
		put_number(&p, (uint32_t)(i == 0 ? 20 : 4 + from->ncookie), 2);
		put_body(&p, &none, i == 0 ? SCTP_INITIATION : SCTP_COOKIE_ECHO, from);
		give(&p, 0, true);
		turn();
	}
}

/* ---- what the user does ------------------------------------------------- */

static struct assoc *
some_assoc(uint8_t n)
{
	struct sock	*s = sock_find(n & 1 ? listener : connector);
	struct assoc	*a = s != NULL ? assoc_next(s, NULL) : NULL;

	return a != NULL && (n & 2) && assoc_next(s, a) != NULL ? assoc_next(s, a) : a;
}

static void
connect_to(uint8_t n)
{
	struct sock		*s = sock_find(connector);
	struct sockaddr_storage	 to = address(n & 3, (uint16_t)(PORT + 1 + (n >> 2) % PEERS));
	struct assoc		*a;

	if (s != NULL)
		(void)stack->connect(s, &to, 1, &a);
}

static void
send_some(uint8_t n, size_t len)
{
	static char		 data[70000];
	struct assoc		*a = some_assoc(n);
	struct stack_message	 m = { .info.stream = n >> 4, .data = data, .len = len };
	int			 number;

	if (a != NULL && a->state == ASSOC_UP)
		(void)stack->send(a, &m, 1, &number);
}

static void
reset_some(uint8_t n)
{
	struct assoc	*a = some_assoc(n);
	uint16_t	 streams[] = { n >> 5, (uint16_t)(n >> 5) + 1 };

	if (a == NULL || a->state != ASSOC_UP)
		return;
	if ((n & 4) == 0)
		(void)stack->reset_streams(a, 1 + (n >> 3 & 3) % 3, streams, n >> 6 & 2);
	else
		(void)stack->reset_assoc(a);
}

static void
use(struct input *script)
{
	uint8_t		 what = (uint8_t)take(script, 1), n = (uint8_t)take(script, 1);
	struct assoc	*a = some_assoc(n);

	if (what >= 245) {		/* so that the seeds keep their meaning */
		reset_some(n);
		return;
	}
	switch (what % 7) {
	case 0:
		connect_to(n);
		break;
	case 1:
		send_some(n, n);
		break;
	case 2:
		send_some(n, (size_t)n * 270);
		break;
	case 3:
		if (a != NULL)
			(void)stack->eof(a);
		break;
	case 4:
		if (a != NULL)
			(void)stack->abort(a, "why", 3);
		break;
	case 5:
		close_socket(n & 1 ? listener : connector);
		break;
	case 6:
		pass_time((int64_t)n * n);
		break;
	}
}

static void
happen(struct input *script)
{
	uint8_t	what = (uint8_t)take(script, 1);

	switch (what % 8) {
	case 0:
		raw_packet(script);
		break;
	case 1:
		associate(script);
		break;
	case 2:
		use(script);
		break;
	default:
		packet(script);
		break;
	}
	if (what & 0x80)
		turn();
}

/* What an address of ours, and its type of service, are read from. */
static void
read_some_control(const uint8_t *data, size_t n)
{
	struct sockaddr_storage	to = { .ss_family = 0 };
	char			*room = xcalloc(1, UDP_CONTROL);
	struct msghdr		h = { .msg_control = room, .msg_controllen = n < UDP_CONTROL ? n : UDP_CONTROL };
	uint8_t			tos = 0;
	size_t			each = 0;

	memcpy(room, data, h.msg_controllen);
	read_control(&h, &to, &tos, &each);
	free(room);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct input	script = { data, n };

	memset(peers, 0, sizeof peers);
	listener = open_socket(true, true, PORT);
	connector = open_socket(true, false, PORT + 10);
	while (script.n > 0)
		happen(&script);
	turn();
	close_socket(listener);
	close_socket(connector);
	pass_time(1000);
	pass_time(70000);	/* cookies are void, paths may be used again */
	if (n < 200)
		read_some_control(data, n);
	must(assoc_count() == 0 && sock_count() == 0);
	return 0;
}
