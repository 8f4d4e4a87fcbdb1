/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: sending.
 *
 * The send area. A message that sendmmsg has taken goes to the peer whatever
 * happens to us. If we died before the journal had that, a client with a session
 * would repeat its request, and the peer would get the message twice. So each
 * message of a session has a note in an area of the journal, and its header for
 * sendmmsg lies beside the note. Who writes what, in this order:
 *
 *  1. make_notes() writes the notes (the client, the request's msgid or the
 *     notification's ordinal) behind those that count, and sets the lengths in
 *     the headers to 0.
 *  2. count_notes() makes them count.
 *  3. The kernel writes msg_len into the header of each message that it takes.
 *  4. count_notes() cuts their number to those that were taken.
 *  5. The commit at the end of the turn makes the answers valid, and with the
 *     same transaction kernel_send_stage() sets the number of notes to 0.
 *
 * What a SIGKILL leaves:
 *
 *  before 2	nothing that counts, and nothing was sent.
 *  in 2	notes whose lengths are 0: nothing was sent. The client repeats its
 *		requests, as none of them was answered.
 *  in 3 to 5	notes with a length: these were sent, and no answer was committed.
 *		kernel_answer_last_sends() answers the requests, and moves a
 *		client's count of notifications on. kernel_took() says it of a
 *		notification that had waited, so that it is not sent again.
 *  after 5	nothing. The answers are in the journal.
 *
 * Messages without a session have no notes: nobody repeats them.
 *
 * send_many has a note for each of its messages, all with the msgid of the
 * request, and the number of its messages above that. They are handed to the
 * kernel by one call of kernel_send(), so no commit comes between them, and the
 * answer is packed in the same turn. So there are three cases only: nothing was
 * taken, and the client repeats the whole request; some were taken, and there is
 * a note of each, from which the next process answers how many, for the client
 * to send the rest; or the answer is in the journal. If the first message waits
 * (socket/sends.c), it is a send like others, and its answer is "one".
 *
 * Where there is no room for more notes, a commit makes some. While a batch is
 * dealt with no commit may come (see recv.c): then the message waits as if the
 * association had no room.
 *
 * Bundles. The kernel sends each message in a packet of its own, unless
 * MSG_MORE says that another follows. So of a run all messages but the last go
 * with MSG_MORE, and the last without. The trap is that the kernel keeps what
 * was sent with MSG_MORE, up to a packet's worth, until it gets a message
 * without it: neither SCTP_NODELAY nor an acknowledgement sends it. This is the
 * tail. What makes sure that the last message follows at once:
 *
 *  fits()	a run is a bundle only if the send buffer has room for all of it.
 *		Without room the kernel bundles anyway what waits for the window.
 *  kernel_flush()	the kernel took the first messages only, as its memory was
 *		short, and none that follows waits for room: all of them failed, or
 *		were given up with their client or by a timeout. socket/sends.c
 *		calls this wherever no message waits any more.
 *  kernel_restore_assoc()	the process died between the two calls. The journal
 *		need not know: the next process flushes whatever has messages to send.
 *
 * To flush is to ask for a heartbeat: to a packet with a control chunk the
 * kernel adds the messages that it has kept, as far as the peer's window allows.
 * So this is repeated, until nothing is queued, whenever the peer has sent a
 * SACK since: that is what tells of acknowledged messages and of a larger window.
 * Not more often: a heartbeat that is asked for while another has no answer
 * counts as a failure of the path, and would end an association whose peer cannot
 * be reached just now.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <linux/sock_diag.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "journal/changes.h"
#include "journal/journal.h"
#include "journal/known.h"
#include "kernel/kernel.h"
#include "proto/addr.h"
#include "rpc/client.h"
#include "util/fault.h"
#include "util/log.h"
#include "util/loop.h"

/* The most sends between two commits. */
#define NOTES	128

/* The protocol's neutral flags, and the kernel's. */
static const struct {
	uint16_t	neutral;
	uint16_t	kernel;
} flags[] = {
	{ SNDRCV_UNORDERED, SCTP_UNORDERED },
	{ SNDRCV_ADDR_OVER, SCTP_ADDR_OVER },
	{ SNDRCV_ABORT, SCTP_ABORT },
	{ SNDRCV_EOF, SCTP_EOF },
	{ SNDRCV_SACK_IMMEDIATELY, SCTP_SACK_IMMEDIATELY },
};

static const uint16_t policies[] = {
	[PR_NONE] = SCTP_PR_SCTP_NONE,
	[PR_TTL] = SCTP_PR_SCTP_TTL,
	[PR_RTX] = SCTP_PR_SCTP_RTX,
	[PR_PRIO] = SCTP_PR_SCTP_PRIO,
};

static uint16_t
to_kernel(uint16_t neutral)
{
	uint16_t	k = 0;

	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
		if (neutral & flags[i].neutral)
			k |= flags[i].kernel;
	}
	return k;
}

static uint16_t
to_neutral(uint16_t kernel)
{
	uint16_t	n = 0;

	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
		if (kernel & flags[i].kernel)
			n |= flags[i].neutral;
	}
	return n;
}

/* The descriptor on which an association's messages are sent. */
static int
fd_of(const struct assoc *a)
{
	if (a->stack.fd != -1 || a->sock == NULL)
		return a->stack.fd;
	return a->sock->stack.fd;
}

/* The error that ended an association is reported once, to the first call. Call again. */
static bool
is_old_error(int number)
{
	return number == ECONNABORTED || number == ECONNRESET ||
	    number == ECONNREFUSED || number == ETIMEDOUT;
}

/*
 * Messages that were received are being dealt with (recv.c). No commit may come
 * between them.
 */
bool		kernel_in_batch;

/*
 * The sends of sessions since the last commit, in the journal. The kernel
 * writes msg_len when it has taken a message. The next process answers the
 * messages that were taken and not answered.
 */
static struct send_area {
	uint64_t	n;
	struct {
		uint64_t	client;
		uint64_t	msgid;
		uint64_t	ordinal;	/* 0: it is a request */
	} note[NOTES];
	struct mmsghdr	header[NOTES];
} *sends;

/* The control data of one message of a run; and the address, if it goes to one. */
struct control {
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(struct sctp_sndrcvinfo)) +
	    CMSG_SPACE(sizeof(struct sctp_authinfo))];
	struct sockaddr_storage	to;
};

static struct mmsghdr headers[STACK_RUN];
static struct iovec iovs[STACK_RUN];
static struct control controls[STACK_RUN];

void
kernel_send_init(void)
{
	sends = journal_area(AREA_SEND, sizeof *sends);
	if (sends->n <= NOTES)
		return;
	log_err("journal: left out: the messages sent last: there are too many notes");
	sends->n = 0;
}

void
kernel_send_stage(void)
{
	if (sends->n != 0)
		journal_set(&sends->n, 0);
}

static void
make_header(struct mmsghdr *h, uint32_t assoc, const struct stack_message *m, unsigned i)
{
	struct sctp_sndrcvinfo	info = {
		.sinfo_stream = m->info.stream,
		.sinfo_ppid = htonl(m->info.ppid),
		.sinfo_context = m->info.context,
		.sinfo_timetolive = m->info.timetolive,
		.sinfo_assoc_id = (sctp_assoc_t)assoc,
	};
	union { const void *in; void *out; } p = { .in = m->data };
	struct cmsghdr		*c = (struct cmsghdr *)(void *)controls[i].room;

	c->cmsg_level = IPPROTO_SCTP;
	c->cmsg_type = SCTP_SNDRCV;
	c->cmsg_len = CMSG_LEN(sizeof info);
	memcpy(CMSG_DATA(c), &info, sizeof info);
	iovs[i] = (struct iovec){ .iov_base = p.out, .iov_len = m->len };
	h->msg_len = 0;
	h->msg_hdr = (struct msghdr){
		.msg_iov = &iovs[i],
		.msg_iovlen = 1,
		.msg_control = c,
		.msg_controllen = CMSG_SPACE(sizeof info),
	};
}

/* ---- what few messages have ------------------------------------------ */

static bool
is_rare(const struct sndrcvinfo *info)
{
	return (info->flags | info->pr_policy | info->auth_keynumber) != 0;
}

/*
 * The kernel looks at an address on one-to-one sockets only: on a descriptor that
 * was peeled off it passes it over without a word. An address that is none of
 * the peer's gets a clear answer.
 */
static int
find_path(const struct assoc *a, const struct in6_addr *ip, struct sockaddr_storage *to)
{
	struct sctp_paddrinfo	path = { .spinfo_assoc_id = (sctp_assoc_t)assoc_id(a) };
	struct sockaddr_in6	s6;
	socklen_t		len = sizeof path;

	if (!a->stack.one_to_one)
		return EOPNOTSUPP;
	memcpy(&s6, &a->peer, sizeof s6);
	addr_unpack(ip, to);
	addr_set_port(to, addr_port(&a->peer));
	if (IN6_IS_ADDR_LINKLOCAL(ip) && a->peer.ss_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)to)->sin6_scope_id = s6.sin6_scope_id;
	memcpy(&path.spinfo_address, to, sizeof path.spinfo_address);
	/* EACCES: it is a path, potentially failed, and not shown as that. */
	if (getsockopt(fd_of(a), IPPROTO_SCTP, SCTP_GET_PEER_ADDR_INFO, &path, &len) == 0 ||
	    errno == EACCES)
		return 0;
	return errno == EINVAL ? EADDRNOTAVAIL : errno;
}

/* The kernel uses the key only if the peer asked for it, and says nothing otherwise. */
static bool
wants_auth(const struct assoc *a)
{
	union {
		struct sctp_authchunks	chunks;
		char			room[sizeof(struct sctp_authchunks) + 256];
	}		peer = { .chunks.gauth_assoc_id = (sctp_assoc_t)assoc_id(a) };
	socklen_t	len = sizeof peer;

	return getsockopt(fd_of(a), IPPROTO_SCTP, SCTP_PEER_AUTH_CHUNKS, &peer, &len) == 0 &&
	    memchr(peer.room + offsetof(struct sctp_authchunks, gauth_chunks), 0,
	    peer.chunks.gauth_number_of_chunks <= 256 ? peer.chunks.gauth_number_of_chunks : 256) != NULL;
}

static int
add_key(const struct assoc *a, struct msghdr *h, uint16_t number)
{
	struct sctp_authinfo	 key = { .auth_keynumber = number };
	struct cmsghdr		*c = (struct cmsghdr *)(void *)((char *)h->msg_control + h->msg_controllen);

	if (!wants_auth(a))
		return EACCES;
	h->msg_controllen += CMSG_SPACE(sizeof key);
	c->cmsg_level = IPPROTO_SCTP;
	c->cmsg_type = SCTP_AUTHINFO;
	c->cmsg_len = CMSG_LEN(sizeof key);
	memcpy(CMSG_DATA(c), &key, sizeof key);
	return 0;
}

/* 0, or why the message cannot be sent so. In place it would cost the others a large frame. */
static int __attribute__((noinline))
add_rare(const struct assoc *a, struct msghdr *h, const struct sndrcvinfo *info, unsigned i)
{
	struct sctp_sndrcvinfo	to;
	int			number;

	memcpy(&to, CMSG_DATA(CMSG_FIRSTHDR(h)), sizeof to);
	to.sinfo_flags = to_kernel(info->flags) | policies[info->pr_policy & 3];
	if (info->pr_policy != PR_NONE)
		to.sinfo_timetolive = info->pr_value;
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(h)), &to, sizeof to);
	if (info->flags & SNDRCV_ADDR_OVER) {
		if ((number = find_path(a, &info->addr, &controls[i].to)) != 0)
			return number;
		h->msg_name = &controls[i].to;
		h->msg_namelen = addr_len(&controls[i].to);
	}
	return info->auth_keynumber != 0 ? add_key(a, h, (uint16_t)(info->auth_keynumber - 1)) : 0;
}

/* Make the headers of a run, up to a message that cannot be sent; number says why. */
static unsigned
make_headers(struct mmsghdr *h, const struct assoc *a, const struct stack_message *m, unsigned n,
    int *number)
{
	uint32_t	assoc = assoc_id(a);

	for (unsigned i = 0; i < n; i++) {
		make_header(&h[i], assoc, &m[i], i);
		if (is_rare(&m[i].info) &&
		    (*number = add_rare(a, &h[i].msg_hdr, &m[i].info, i)) != 0)
			return i;
	}
	return n;
}

/* ---- runs ------------------------------------------------------------ */

/* Make room for the notes of a run. The headers of the run then lie in the journal too. */
static struct mmsghdr *
make_notes(const struct stack_message *m, unsigned n)
{
	uint64_t	at;

	if (sends->n + n > NOTES) {
		if (kernel_in_batch)
			return NULL;	/* a commit must not come here */
		changes_commit();
	}
	at = sends->n;
	for (unsigned i = 0; i < n; i++) {
		sends->note[at + i].client = m[i].client;
		sends->note[at + i].msgid = m[i].msgid;
		sends->note[at + i].ordinal = m[i].ordinal;
		sends->header[at + i].msg_len = 0;
	}
	return &sends->header[at];
}

/* Before the call, count the notes of what will be sent; after it, the notes of what was sent. */
static void
count_notes(const struct mmsghdr *h, unsigned n)
{
	atomic_signal_fence(memory_order_seq_cst);
	*(volatile uint64_t *)&sends->n = (uint64_t)(h - sends->header) + n;
	atomic_signal_fence(memory_order_seq_cst);
}

/* What the kernel counts for a message of that length: its chunk and its buffer, at most. */
static size_t
memory_of(size_t len)
{
	return 2048 + 2 * len;
}

/* The send buffer, in bytes as the kernel counts them; false: it does not say. */
static bool
buffer_state(int fd, size_t *used, size_t *size)
{
	uint32_t	mem[SK_MEMINFO_VARS];
	socklen_t	len = sizeof mem;

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, mem, &len) == -1 ||
	    len <= SK_MEMINFO_WMEM_QUEUED * sizeof *mem)
		return false;
	*used = mem[SK_MEMINFO_WMEM_QUEUED];
	if (*used < mem[SK_MEMINFO_WMEM_ALLOC])
		*used = mem[SK_MEMINFO_WMEM_ALLOC];
	*size = mem[SK_MEMINFO_SNDBUF];
	return true;
}

/* Is there room for all of these, so that they can be a bundle? */
static bool
fits(const struct assoc *a, const struct stack_message *m, unsigned n)
{
	size_t	used, size, cost = 0;

	if (n < 2 || a->sock == NULL || !a->sock->own.bundle || a->stack.fd == -1 ||
	    !buffer_state(a->stack.fd, &used, &size))
		return false;
	for (unsigned i = 0; i < n; i++)
		cost += memory_of(m[i].len);
	return used + cost <= size;
}

/* sendmmsg; call again where the error is that of an association's end. */
static int
send_now(int fd, struct mmsghdr *h, unsigned n, int more)
{
	int	sent = sendmmsg(fd, h, n, MSG_NOSIGNAL | MSG_DONTWAIT | more);

	if (sent == -1 && is_old_error(errno))
		sent = sendmmsg(fd, h, n, MSG_NOSIGNAL | MSG_DONTWAIT | more);
	return sent;
}

/* Any message without MSG_MORE sends what the kernel has kept. */
static int
send_plain(struct assoc *a, struct mmsghdr *h, unsigned n)
{
	int	sent = send_now(fd_of(a), h, n, 0);

	if (sent > 0 && a->stack.has_tail)
		kernel_no_tail(a);
	return sent;
}

/* Send a run as a bundle: the first message without MSG_MORE sends all. */
static int
send_bundle(struct assoc *a, struct mmsghdr *h, unsigned n)
{
	int	begun = send_now(a->stack.fd, h, n - 1, MSG_MORE), last;

	if (begun <= 0)
		return begun;
	a->stack.has_tail = true;
	fault_point("bundle");
	if (begun < (int)n - 1)
		return begun;
	last = send_plain(a, h + begun, 1);
	return begun + (last == 1);
}

/* Associations that may have a tail yet. So many of them are looked at each time. */
#define FLUSH_AT_ONCE	256
/* Looks without a SACK after which a heartbeat is asked for all the same: half a minute. */
#define LOOKS		60

static TAILQ_HEAD(tails, assoc) tails = TAILQ_HEAD_INITIALIZER(tails);
static struct event flush_timer;

void
kernel_no_tail(struct assoc *a)
{
	a->stack.has_tail = false;
	if (!a->stack.in_tails)
		return;
	a->stack.in_tails = false;
	TAILQ_REMOVE(&tails, a, stack.tail);
	if (TAILQ_EMPTY(&tails))
		(void)event_del(&flush_timer);
}

static void
demand_heartbeats(struct assoc *a)
{
	struct sctp_paddrparams	 p = { .spp_flags = SPP_HB_DEMAND };
	struct sockaddr_storage	*peer;
	size_t			 n;

	if (kernel_names(a->sock, a, true, &peer, &n) != 0)
		return;
	p.spp_assoc_id = (sctp_assoc_t)assoc_id(a);
	for (size_t i = 0; i < n; i++) {	/* one of them is the path of the messages */
		memcpy(&p.spp_address, &peer[i], sizeof p.spp_address);
		(void)setsockopt(a->stack.fd, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &p, sizeof p);
	}
	free(peer);
}

/* How many SACKs have come; 0 if the kernel does not say. The kernel begins sas_maxrto anew by that. */
static uint64_t
count_sacks(const struct assoc *a)
{
	struct sctp_assoc_stats	st = { .sas_assoc_id = (sctp_assoc_t)assoc_id(a) };
	socklen_t		len = sizeof st;

	return getsockopt(a->stack.fd, IPPROTO_SCTP, SCTP_GET_ASSOC_STATS, &st, &len) == 0 ?
	    st.sas_isacks : 0;
}

static bool
is_queued(const struct assoc *a)
{
	size_t	used, size;

	return a->stack.fd != -1 && buffer_state(a->stack.fd, &used, &size) && used > 0;
}

/* ---- what is not acknowledged ---------------------------------------- */

uint64_t
kernel_queued(struct assoc *a)
{
	size_t	used, size;

	return a->stack.fd != -1 && buffer_state(a->stack.fd, &used, &size) ? used : 0;
}

/*
 * SCTP_STATUS has the number of chunks as it was when the last SACK came. With
 * the number of new chunks that were sent since the association came up, it says
 * how many had been acknowledged; those sent after the SACK are counted as well.
 */
bool
kernel_outstanding(struct assoc *a, struct stack_outstanding *o)
{
	struct sctp_status	st = { .sstat_assoc_id = (sctp_assoc_t)assoc_id(a) };
	struct sctp_assoc_stats	n = { .sas_assoc_id = st.sstat_assoc_id };
	struct sctp_assocparams	own = { .sasoc_assoc_id = st.sstat_assoc_id };
	socklen_t		len = sizeof st;

	if (a->stack.fd == -1 || getsockopt(a->stack.fd, IPPROTO_SCTP, SCTP_STATUS, &st, &len) == -1)
		return false;
	len = sizeof n;
	if (getsockopt(a->stack.fd, IPPROTO_SCTP, SCTP_GET_ASSOC_STATS, &n, &len) == -1)
		return false;
	len = sizeof own;
	if (getsockopt(a->stack.fd, IPPROTO_SCTP, SCTP_ASSOCINFO, &own, &len) == -1)
		return false;
	*o = (struct stack_outstanding){
		.acked = n.sas_oodchunks + n.sas_ouodchunks - st.sstat_unackdata,
		.sacks = n.sas_isacks,
		.answers = n.sas_ictrlchunks - n.sas_isacks,
		.unacked = st.sstat_unackdata,
		.window = st.sstat_rwnd,
		.own_closed = own.sasoc_local_rwnd < st.sstat_fragmentation_point,
	};
	memcpy(&o->path, &st.sstat_primary.spinfo_address, sizeof o->path);
	return true;
}

static void
flush_again(struct assoc *a)
{
	uint64_t	sacks;

	if (!is_queued(a)) {
		kernel_no_tail(a);
		return;
	}
	sacks = count_sacks(a);
	if (sacks == a->stack.sacks && ++a->stack.looks < LOOKS)
		return;
	a->stack.sacks = sacks;
	a->stack.looks = 0;
	demand_heartbeats(a);
}

static void
on_flush_timer(evutil_socket_t fd, short what, void *arg)
{
	struct assoc	*a, *last = TAILQ_LAST(&tails, tails);
	bool		 more = true;

	(void)fd, (void)what, (void)arg;
	for (int i = 0; i < FLUSH_AT_ONCE && more && (a = TAILQ_FIRST(&tails)) != NULL; i++) {
		more = a != last;
		TAILQ_REMOVE(&tails, a, stack.tail);
		TAILQ_INSERT_TAIL(&tails, a, stack.tail);
		flush_again(a);
	}
}

void
kernel_flush(struct assoc *a)
{
	static const struct timeval	again = { .tv_usec = 500000 };

	if (!a->stack.has_tail || a->stack.in_tails)
		return;
	if (!is_queued(a)) {
		a->stack.has_tail = false;
		return;
	}
	a->stack.sacks = count_sacks(a);
	a->stack.looks = 0;
	demand_heartbeats(a);
	a->stack.in_tails = true;
	TAILQ_INSERT_TAIL(&tails, a, stack.tail);
	if (!event_initialized(&flush_timer))
		(void)event_assign(&flush_timer, loop_base(), -1, EV_PERSIST, on_flush_timer, NULL);
	if (!evtimer_pending(&flush_timer, NULL))
		(void)event_add(&flush_timer, &again);
}

/* Send as many as possible; if not all, number says why the next was not taken. */
static unsigned
send_all(struct assoc *a, const struct stack_message *m, struct mmsghdr *h, unsigned n, int *number)
{
	int		got = fits(a, m, n) ? send_bundle(a, h, n) : send_plain(a, h, n);
	unsigned	done = 0;

	for (;;) {
		if (got == -1 && errno == EMSGSIZE &&
		    (errno = kernel_grow_send(a, m[done].len)) == 0)
			got = send_plain(a, h + done, 1);
		if (got == -1)
			break;
		if ((done += (unsigned)got) == n)
			return n;
		got = send_plain(a, h + done, n - done);
	}
	*number = errno == EWOULDBLOCK ? EAGAIN : errno;
	return done;
}

unsigned
kernel_send(struct assoc *a, const struct stack_message *m, unsigned n, int *number)
{
	bool		 noted = m->client != 0;
	struct mmsghdr	*h = noted ? make_notes(m, n) : headers;
	unsigned	 sent;

	if ((*number = kernel_not_up_yet(a)) != 0)
		return 0;
	*number = EAGAIN;
	if (h == NULL)
		return 0;
	must_be_known(!noted || m->ordinal == 0 || assoc_waiting_known(), "a message that waits, before the next");
	if ((n = make_headers(h, a, m, n, number)) == 0)
		return 0;
	if (noted)
		count_notes(h, n);
	sent = send_all(a, m, h, n, number);
	if (sent > 0)
		fault_point("sendmmsg");
	if (noted)
		count_notes(h, sent);
	if (sent > 0 && (a->stack.is_lingering || a->state == ASSOC_COMING_UP)) {
		/* What was taken must arrive before the association is given up. */
		a->stack.has_sent = true;
		a->stack.moved = 0;	/* the peer still takes messages */
	}
	return sent;
}

/* A send_many has a note for each message. Gives the last of them that was taken. */
static uint64_t
answer_last_many(struct call *call, uint64_t i)
{
	static const char		text[] = "eagain: sctpd died before it took the next message; send it and the rest again";
	struct rpc_send_many_out	out = { .taken = 1 };
	uint64_t			msgid = sends->note[i].msgid;

	call->method = &rpc_table[RPC_send_many];
	while (i + 1 < sends->n && i + 1 < NOTES && sends->note[i + 1].client == sends->note[i].client &&
	    sends->note[i + 1].msgid == msgid && sends->header[i + 1].msg_len > 0) {
		out.taken++;
		i++;
	}
	if (out.taken < MSGID_MANY(msgid))
		out.error = (struct slice){ text, sizeof text - 1 };
	call_reply(call, &out);
	return i;
}

void
kernel_answer_last_sends(void)
{
	static const struct rpc_send_out	 out;
	struct client				*c;

	for (uint64_t i = 0; i < sends->n && i < NOTES; i++) {
		struct call	call = { .msgid = (uint32_t)sends->note[i].msgid,
		    .method = &rpc_table[RPC_send] };

		if (sends->header[i].msg_len == 0 ||
		    (c = client_find(sends->note[i].client)) == NULL)
			continue;
		call.client = c;
		log_info("journal: a send that was taken and not answered, client=%llu",
		    (unsigned long long)c->node.key);
		if (sends->note[i].ordinal == 0 && MSGID_MANY(sends->note[i].msgid) > 0)
			i = answer_last_many(&call, i);
		else if (sends->note[i].ordinal == 0)
			call_reply(&call, &out);
		else if (sends->note[i].ordinal > c->notifications &&
		    !(sends->note[i].ordinal & ORDINAL_ANSWERED))
			c->notifications = sends->note[i].ordinal;
		client_dirty(c);
	}
}

/*
 * Is this the note of a client's notification, or of a bound send, that waited
 * and that the kernel took as the previous process died?
 */
static bool
is_note_of(uint64_t i, uint64_t ordinal)
{
	if (ordinal & ORDINAL_BOUND)
		return sends->note[i].ordinal == 0 &&
		    sends->note[i].msgid == (ordinal & ~ORDINAL_BOUND);
	return sends->note[i].ordinal == ordinal;
}

bool
kernel_took(uint64_t client, uint64_t ordinal)
{
	for (uint64_t i = 0; i < sends->n && i < NOTES; i++) {
		if (sends->note[i].client == client && sends->header[i].msg_len > 0 &&
		    is_note_of(i, ordinal))
			return true;
	}
	return false;
}

void
kernel_await_room(struct assoc *a, bool on)
{
	if (a->stack.fd == -1 || event_get_events(&a->stack.writable) == 0)
		return;		/* the association is asked again when it comes up */
	if (on)
		loop_watch(&a->stack.writable, a->stack.fd, EV_WRITE);
	else
		(void)event_del(&a->stack.writable);
}

void
kernel_defaults(struct assoc *a, struct sndrcvinfo *to)
{
	struct sctp_sndrcvinfo	i = { .sinfo_assoc_id = (sctp_assoc_t)assoc_id(a) };
	socklen_t		len = sizeof i;

	memset(to, 0, sizeof *to);
	if (getsockopt(fd_of(a), IPPROTO_SCTP, SCTP_DEFAULT_SEND_PARAM, &i, &len) == -1)
		return;
	to->flags = to_neutral(i.sinfo_flags);
	while (to->pr_policy < PR_PRIO &&
	    (i.sinfo_flags & SCTP_PR_SCTP_MASK) != policies[to->pr_policy])
		to->pr_policy++;
	to->ppid = ntohl(i.sinfo_ppid);
	to->context = i.sinfo_context;
	*(to->pr_policy == PR_NONE ? &to->timetolive : &to->pr_value) = i.sinfo_timetolive;
}
