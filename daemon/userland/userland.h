/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The room of the userland stack: usrsctp, over UDP. It knows sockets and
 * associations (socket/) and the rooms below them. It knows no method, and
 * nothing of the kernel's SCTP. main gets the table of functions from
 * userland/ops.h, and calls nothing else of this room.
 *
 * usrsctp knows a peer by an opaque pointer (AF_CONN). Here that pointer is the
 * number of a path, so usrsctp never holds a pointer to freed memory.
 *
 * A file calls only into the files that stand before it, lowest first:
 *
 *	sound.c		packets that usrsctp must not see
 *	sum.c		checksums
 *	raw.c		raw sockets, for SCTP over IP alone
 *	failed.c	messages that usrsctp gives back
 *	local.c		our UDP sockets, and our ends of paths
 *	clock.c		the time, and what usrsctp wakes
 *	path.c		peers by number
 *	so.c		usrsctp's sockets
 *	budget.c	how much of our memory usrsctp's buffers may take
 *	embryo.c	associations that have come and are not ours yet
 *	port.c		SCTP ports
 *	follow.c	peers whose UDP port changes
 *	out.c		packets that go out
 *	udp.c		packets that come in
 *	field.c		translating structs
 *	optrow.c	the table of options
 *	opt.c		options
 *	given.c		how many messages usrsctp has
 *	send.c		sending
 *	end.c		shutting down and aborting
 *	assoc.c		how an association gets a socket of its own, and ends
 *	reset.c		resetting streams, and associations
 *	accept.c	associations that come to a one-to-one listener
 *	connect.c	attempts to associate
 *	notice.c	notifications, and what they say about associations
 *	recv.c		reading
 *	close.c		closing, and associations that go on alone after that
 *	open.c		making a socket; bind, listen, names
 *	ops.c		the table
 */
#ifndef USERLAND_H
#define USERLAND_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <usrsctp.h>

#include "config.h"
#include "rpc/call.h"
#include "rpc/client.h"
#include "socket/assoc.h"
#include "socket/deliver.h"
#include "socket/ending.h"
#include "socket/owner.h"
#include "socket/sends.h"
#include "socket/sock.h"
#include "socket/upcall.h"
#include "stack/partial.h"
#include "stack/stack.h"
#include "util/hash.h"

/* ---- the wire ------------------------------------------------------- */

/* A local address at one of our UDP sockets: packets come to it or leave from it. */
struct local {
	struct sockaddr_storage	 addr;		/* its port is the UDP port */
	int			 fd;
	unsigned		 refs;		/* paths that begin here */
	LIST_ENTRY(local)	 entry;
};

/* A path leads from one of our addresses to one UDP port of a peer. */
struct path {
	struct hash_node	 node;		/* key: its number */
	struct hash_node	 ends;		/* key: a hash of both ends */
	struct local		*local;
	struct sockaddr_storage	 peer;		/* its port is the UDP port */
	bool			 listed;	/* can be found by its two ends */
	bool			 displaced;	/* another path still holds its ends */
	LIST_ENTRY(path)	 displaced_entry;
	unsigned		 refs;		/* associations on it */
	int64_t			 used;		/* when usrsctp last sent there; 0: never */
	bool			 limited;	/* a user has set its MTU */
	size_t			 longest;	/* packets grow to this at most; 0: not */
	uint64_t		 beats;		/* answers to heartbeats that came */
	TAILQ_ENTRY(path)	 idle;		/* while refs is 0 */
};

/* Packets that one call receives or sends. */
#define UDP_BATCH	32
#define UDP_PACKET	65536
#define UDP_CONTROL	128
#define SCTP_HEADER	12
/* The longest SCTP packet that fits into a UDP packet. */
#define UDP_LONGEST	65504

struct udp_batch {
	struct mmsghdr		header[UDP_BATCH];
	struct iovec		iov[UDP_BATCH];
	struct sockaddr_storage	addr[UDP_BATCH];
	_Alignas(struct cmsghdr) char control[UDP_BATCH][UDP_CONTROL];
	_Alignas(uint64_t) char	data[UDP_BATCH][UDP_PACKET];
	int			fd[UDP_BATCH];
	const struct path	*path[UDP_BATCH];
	uint8_t			tos[UDP_BATCH];
	unsigned		n;
};

static inline uint16_t
packet_port(const char *packet, size_t offset)
{
	uint16_t	port;

	memcpy(&port, packet + offset, sizeof port);
	return ntohs(port);
}

static inline void
packet_set_port(char *packet, size_t offset, uint16_t port)
{
	port = htons(port);
	memcpy(packet + offset, &port, sizeof port);
}

/*
 * SCTP goes over IP alone, and not in UDP: what is called a UDP socket here is a
 * raw socket then, and all UDP ports are 0. See raw.c.
 */
bool wire_is_raw(void);

/* Why raw sockets cannot be opened here; NULL: they can. */
const char *raw_why_not(void);

/* Open the raw socket of a family; -1 with errno. */
int raw_open(int family);

/* Take the IP header off a packet of a family. Gives the length of what is left; 0: it is no packet. */
size_t raw_strip(sa_family_t, char *packet, size_t len);

/* Open the UDP sockets unless they are open. Returns NULL, or why that failed. */
const char *udp_open(void);
void udp_close(void);

/* Serve only the UDP sockets and the wakes, until done() or for ms milliseconds at most. */
void udp_run(unsigned ms, bool (*done)(void));

/* Our UDP sockets. udp_fd returns the first of a family, or -1 with errno. */
#define UDP_MAX_FDS	(2 * CONFIG_UDP_PORTS)
extern int udp_fds[UDP_MAX_FDS];
extern unsigned udp_nfds;
int udp_fd(sa_family_t);
void local_free_all(void);
struct local *local_ref(struct local *);
void local_unref(struct local *);
/* Free a local end, unless a path begins there. */
void local_drop(struct local *);

/* Whether usrsctp may be given a packet, which has a header and the head of a chunk. */
bool packet_is_sound(const char *packet, size_t);

/*
 * usrsctp's output function: a packet to a path. The packet goes out within
 * this turn, unless its UDP socket is full.
 */
int out_send(void *path, void *packet, size_t, uint8_t tos, uint8_t df);
void out_flush(void);

void out_begin(void);
void out_end(void);

/* The checksum as the packet has to carry it. The packet's checksum field is set to zero. */
uint32_t packet_checksum(char *packet, size_t);

/* The clock runs while usrsctp has sockets. */
struct clock_hooks {
	/* Look for what usrsctp wakes nobody for; ms milliseconds have passed. */
	void	(*look)(int64_t ms);
	/* Look for attempts to associate that usrsctp has given up silently. */
	void	(*find_lost)(void);
};
void clock_start(const struct clock_hooks *);
void clock_need(void);
void clock_forget(void);
void clock_tick(void);
void clock_stop(void);
/* The time in milliseconds, from an arbitrary start. */
int64_t clock_now(void);

/* Our end for packets to an address, from a given address or from any. */
struct local *udp_local(const struct sockaddr_storage *from,
    const struct sockaddr_storage *to);

/* Our end where a packet came in. */
struct local *udp_local_at(int fd, const struct sockaddr_storage *);

/* The MTU of a path as usrsctp counts it: without the SCTP header. */
uint32_t udp_mtu(const struct path *);

/*
 * The path with these ends, a new one if there is none. NULL: there is no room
 * for a new path. There is always room for an attempt of ours.
 */
struct path *path_get(struct local *, const struct sockaddr_storage *peer, bool ours);
/* The path that a packet belongs to. The peer may have another UDP port by now. */
struct path *path_for(struct local *, const struct sockaddr_storage *from,
    const char *packet);
/* Packets on this path stay as usrsctp makes them: none are joined. */
void path_limit(struct path *);
void path_move(struct path *, const struct sockaddr_storage *peer);
struct path *path_find(uintptr_t number);
/* usrsctp has sent a packet to this path that may be answered. */
void path_use(struct path *);
struct path *path_ref(struct path *);
void path_unref(struct path *);
void path_free_all(void);

/* The name that usrsctp has for a peer, with an SCTP port; and back. */
struct sockaddr_conn path_name(const struct path *, uint16_t port);
struct path *path_of(const struct sockaddr_conn *);

/* The peer's address, with an SCTP port instead of the UDP port. */
struct sockaddr_storage path_peer(const struct path *, uint16_t port);

/* ---- ports ---------------------------------------------------------- */

/*
 * An SCTP port that a socket is bound to. usrsctp has each port number only
 * once, for all addresses. If sockets on two addresses have the same port, or
 * if two sockets share one, the second socket has another port number inside
 * usrsctp. Packets are given the right number on the way in and out.
 */
struct port {
	struct hash_node	 node;		/* key: the port number */
	struct hash_node	 inner_node;	/* key: the number inside usrsctp */
	uint16_t		 number;
	uint16_t		 inner;
	bool			 open;		/* its socket is open */
	bool			 v6only;
	bool			 reuse;
	bool			 listening;
	struct sock		*sock;		/* bound to this port; NULL: closed */
	int			 tos;		/* of its packets; 0: the default */
	int			 ttl;
	int			 tclass;
	unsigned		 refs;		/* from its socket and associations */
	TAILQ_HEAD(, embryo)	 embryos;		/* in order of arrival */
	size_t			 naddrs;
	struct sockaddr_storage	 addrs[];
};

/*
 * Open a port; returns 0 or an errno. Port 0 means any. Checks that the
 * addresses are of this host. v6only and reuse are taken from like.
 */
int port_open(const struct sockaddr_storage *, size_t n, uint16_t number,
    const struct port *like, struct port **);

/* Whether another port listens on an address of this one. */
bool port_has_listener(const struct port *);
struct port *port_ref(struct port *);
void port_unref(struct port *);
void port_close(struct port *);

/* The port that a packet on a path is for, by the SCTP ports of both sides; or NULL. */
struct port *port_for(const struct path *, uint16_t from, uint16_t to);

/*
 * The association of a port with a peer's port at the end of a path, or NULL;
 * and the next one. An association that is over may have the same ends as its
 * successor.
 */
struct userland_assoc *port_assoc(const struct port *, const struct path *, uint16_t peer_port,
    const struct userland_assoc *after);

/* The port has one association more, which has its path and port; or one less. */
void port_add_assoc(struct userland_assoc *);
void port_remove_assoc(struct userland_assoc *);

/* The port that has a number inside usrsctp; or NULL. */
struct port *port_inside(uint16_t inner);
bool port_is_inside(uint16_t inner);

/* ---- associations that are not ours yet ----------------------------- */

/* A packet to this port has come. usrsctp is given the packet next. */
void embryo_look(struct port *, const struct path *, const char *packet, size_t);
/*
 * usrsctp has an association at this port: hold its path until the association
 * is ours. If it is ours already, it is not charged again.
 */
void embryo_add(struct port *, struct path *, uint16_t peer_port, bool is_ours);
/*
 * The association is ours now: free its embryo. Embryos before it will never be
 * ours, and are freed, too. Returns the size of its receive buffer, or 0.
 */
int embryo_taken(struct port *, const struct path *, uint16_t peer_port);
/* usrsctp ended the association: free its embryo, unless messages have come for it. */
void embryo_over(const struct port *, const struct path *, uint16_t peer_port);
/* The association was ours, and nothing of it is left. */
void embryo_drop(const struct port *, const struct path *, uint16_t peer_port);
/* The socket of the port has another user now. */
void embryo_move_all(struct port *);
/* The socket of the port is closed: nobody is charged for its embryos any more. */
void embryo_uncharge_all(struct port *);
/* usrsctp has no association left to hand out at this port, which may be NULL. */
void embryo_drop_all(struct port *);
void embryo_free_all(void);

/* ---- what usrsctp wakes --------------------------------------------- */

/* Something to be done in the next turn, mostly as something happened at a usrsctp socket. */
struct wake {
	TAILQ_ENTRY(wake)	 entry;
	bool			 queued;
	void			 (*fn)(void *);
	void			*arg;
};

void wake_attach(struct wake *, struct socket *, void (*fn)(void *), void *arg);
void wake_detach(struct wake *, struct socket *);
void wake_now(struct wake *);
void wake_forget(struct wake *);
void wake_all(void);

/*
 * What is done for a wake. The table is set once, as the files that define
 * these functions stand above those that call them.
 */
struct userland_wakes {
	void	(*sock)(void *);	/* something happened at a socket itself */
	void	(*deliver)(void *);	/* what is ready may be delivered */
	void	(*assoc)(void *);	/* something happened at an association's socket */
	void	(*finish)(void *);	/* an attempt has failed */
};

extern const struct userland_wakes *wakes;
void userland_sock_on_wake(void *);
void userland_sock_on_deliver(void *);
void userland_assoc_on_wake(void *);
void userland_assoc_on_finish(void *);

struct userland_sock {
	struct socket		*so;		/* NULL: an association has taken it over */
	struct port		*port;
	bool			 guest;		/* the port is another socket's */
	struct wake		 wake;
	struct wake		 deliver;
	bool			 messages;	/* messages are wanted: see stack->read */
	bool			 events;
	uint16_t		 peer_udp_port;	/* 0: as configured */
	uint32_t		 pathmtu;	/* of its associations; 0: that of the route */
	bool			 v6only;
	bool			 unmapped;	/* IPv4 peers are not shown as mapped addresses */
	bool			 timestamp;	/* messages come with the time */
	bool			 reuse;
	bool			 set_only;	/* options were set that cannot be read, and so not copied */
	int			 tos;		/* of packets, until the socket has a port */
	int			 ttl;
	int			 tclass;
	TAILQ_HEAD(userland_assocs, userland_assoc) ready;	/* may have something to read */
	bool			 acceptable;	/* a listener may have something to accept */
	bool			 resting;	/* but accepts nothing for a moment */
	struct hash		 coming;	/* associations still on so, by usrsctp's id */
	struct partial		 notice;
};

struct deferred;

/* The messages that usrsctp was given, and how many of them usrsctp no longer has. */
#define GIVEN_MARKS	8

struct given {
	uint64_t		 messages;
	uint64_t		 bytes;
	uint64_t		 gone;		/* messages that are gone, at least */
	struct given_mark {
		uint64_t	 messages;
		uint64_t	 bytes;
	}			 mark[GIVEN_MARKS];
};

struct userland_assoc {
	struct hash_node	 coming;	/* key: usrsctp's id; in the socket's coming */
	TAILQ_ENTRY(userland_assoc) all;
	TAILQ_ENTRY(userland_assoc) ready;
	struct assoc		*assoc;
	struct socket		*so;		/* NULL: still on its socket's so */
	bool			 owns_so;
	struct wake		 wake;
	struct wake		 finish;
	struct path		*path;
	uint32_t		 pathmtu;	/* set by a user; 0: none */
	struct port		*port;
	struct hash_node	 both_ends;	/* key: path and both ports */
	bool			 is_coming;
	bool			 is_ready;
	bool			 is_lingering;
	bool			 awaits_room;
	bool			 aborted;	/* by us */
	uint16_t		 cause;		/* why usrsctp aborted it; 0: unknown */
	struct given		 given;
	struct buffers		 buffers;	/* what it is charged for */
	int			 promised;	/* its receive buffer as an embryo; or 0 */
	unsigned		 messages;	/* how many usrsctp may have */
	int			 want_send;	/* its send buffer grows to this at most */
	bool			 eof_waits;	/* the shutdown waits until it is up */
	struct partial		 data;
	struct partial		 message;	/* a notification */
	struct partial		 failed;	/* a message given back */
	TAILQ_HEAD(, deferred)	 deferred;		/* messages given back */
	LIST_ENTRY(userland_assoc) lingering;
	bool			 is_starting;	/* begun by us, and not up yet */
	bool			 is_missed;	/* usrsctp did not know it at the last look */
	LIST_ENTRY(userland_assoc) starting;
	struct hash_node	 tag;		/* key: our tag, and both SCTP ports */
	bool			 is_known;	/* the tag is in the table */
};

/* ---- between the files ---------------------------------------------- */

/* The row of an event, by its name. */
const struct event_type *userland_notice(const char *name);

void userland_close_so(struct socket *);
void userland_abort_lingering(void);

/*
 * userland_has_come: an association is up, or never will be. It is not starting
 * any more, and leaves the socket that it came on. userland_leave_coming does
 * only the latter.
 */
void userland_has_come(struct userland_assoc *);
void userland_leave_coming(struct userland_assoc *);

/*
 * usrsctp has chosen a verification tag, perhaps a new one. Packets of the
 * association are recognized by the tag.
 */
void userland_know(struct userland_assoc *);
void userland_forget(struct userland_assoc *);
void userland_forget_all(void);

/* The functions of struct clock_hooks. */
void userland_look(int64_t ms);
void userland_find_lost(void);

/* Abort an association that is not up yet. */
int userland_abandon(struct assoc *);

/*
 * Give an association that is being set up a socket of its own. False, with
 * errno: there is none to be had, mostly as the association is over.
 */
bool userland_own_so(struct assoc *);
/* Take an association's socket away. Data left in a socket of its own is thrown away. */
void userland_drop_so(struct userland_assoc *);

/* usrsctp's id of an association, and the usrsctp socket that the association is on. */
sctp_assoc_t userland_id(const struct assoc *);
struct socket *userland_so(const struct assoc *);

int userland_subscribe_one(const struct sock *, struct socket *);

/* A usrsctp socket for one of ours, or NULL; binding it to a port; setting an int option. */
struct socket *userland_new_so(const struct sock *);
int userland_bind_so(struct socket *, const struct port *);
void userland_set(struct socket *, int level, int name, int value);

/* Give one message to usrsctp now. Returns 0 or an errno. */
int userland_send_one(struct assoc *, const struct sndrcvinfo *, const void *, size_t);

/* Make a listener's next association a socket. False: there is none, or no room. */
bool userland_receive_accept(struct sock *);

/* Do what waited for the end of the set-up, if the association is up. */
void userland_go_on(struct assoc *);

/* Copy the options of a socket to another one, except those of single associations. */
void userland_copy_options(struct socket *from, struct socket *to);

/* Make the stack's part of a socket; and let a socket inherit the settings of another. */
struct userland_sock *userland_sock_new(struct sock *, struct socket *);
void userland_inherit(struct sock *to, const struct sock *from);

/* Something may have come for an association: it is read when the client wants messages. */
void userland_ready(struct userland_assoc *);
void userland_unready(struct userland_assoc *);

/* Read what has come on the socket itself, mostly notifications. */
void userland_read_socket(struct sock *);

/* An association is up: give it a socket of its own. */
void userland_came_up(struct assoc *);

/* Read all that has come and throw it away. False: the association is over. */
bool userland_discard(struct assoc *);

/* The association is over and nothing of it is left: free it. */
void userland_finish(struct assoc *);

/* Make an association. That of a one-to-many socket stays on the socket's so until it is up. */
struct assoc *userland_new_assoc(struct sock *, struct path *, uint16_t port, sctp_assoc_t);
struct assoc *userland_find_coming(struct sock *, sctp_assoc_t);

/* The error cause of our own aborts, which usrsctp does not report (RFC 9260 3.3.10.12). */
#define USER_INITIATED	12

/* Handle one whole notification. */
void userland_take_notification(struct sock *, struct assoc *, char *, size_t,
    const struct sockaddr_conn *from);
/* Report the messages given back that were held until the end was reported. */
void userland_tell_deferred(struct assoc *);
void userland_drop_deferred(struct userland_assoc *);
void userland_take_failed(struct sock *, struct assoc *, const char *, size_t);
/* Whether a notification says that an association is up, or that it is over. */
bool userland_is_up(const char *notification, size_t);
bool userland_is_end(const char *notification, size_t);

void userland_set_mtu(struct assoc *);

/* Find out how much memory there is for the buffers of associations. */
void userland_budget_init(void);

/*
 * Buffers. userland_begin_sizes sizes a new socket. userland_size_socket sizes
 * a socket for its next association if that changes anything,
 * userland_size_anew in any case. userland_charge_new charges for an
 * association that begins. userland_size_assoc sizes an association that has a
 * socket of its own.
 */
void userland_begin_sizes(struct sock *);
void userland_size_socket(struct sock *);
void userland_size_anew(struct sock *);
void userland_charge_new(struct assoc *);
void userland_size_assoc(struct assoc *);

/* For an embryo: the size of its receive buffer, and its charge. */
int userland_receive_size(const struct sock *);
void userland_charge_embryo(struct charged *, const struct sock *, int receive);

/*
 * A message is longer than the send buffer: enlarge the buffer. Returns 0,
 * ENOBUFS if there is no memory, or EMSGSIZE if the buffer must not grow so
 * far.
 */
int userland_grow_send(struct assoc *, size_t len);

/* The client wants buffers of a size. No buffer gets larger than the memory allows. */
int userland_want_send(struct sock *, struct assoc *, const void *);
int userland_want_receive(struct sock *, struct assoc *, const void *);

/* Whether usrsctp may have one more message; and: usrsctp was given one of len bytes. */
bool given_may_be_more(struct assoc *);
void given_more(struct assoc *, size_t, bool may_be_given_up);

/* The functions of the stack: stack/ops.def says what they do. */
#define OP(result, name, ...)	result userland_##name(__VA_ARGS__);
#include "stack/ops.def"

#endif
