/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the userland stack share. From the wire upwards:
 * userland-udp.c has the UDP sockets, userland-out.c what goes out,
 * userland-sum.c checksums, userland-sound.c what is not let in,
 * userland-local.c our ends of paths,
 * userland-clock.c the time, userland-path.c the peers by number,
 * userland-follow.c where those are now, userland-port.c the SCTP ports,
 * userland-hold.c who came by them;
 * stack-userland.c makes sockets, userland-connect.c attempts,
 * userland-assoc.c has associations come and go, userland-recv.c reads,
 * userland-notice.c understands, userland-failed.c gives back,
 * userland-send.c writes, userland-given.c counts what it wrote,
 * userland-budget.c bounds the memory of all that,
 * userland-opt.c sets, and userland-field.c translates structs.
 *
 * usrsctp knows a peer by a pointer that means nothing to it (AF_CONN): here
 * it is the number of a path, so that nothing dangles when one is gone.
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

#include "assoc.h"
#include "hash.h"
#include "joint.h"
#include "sock.h"
#include "stack.h"

/* ---- the wire ------------------------------------------------------- */

/* An address of this host's that packets came to, at one of our UDP sockets. */
struct local {
	struct sockaddr_storage	 addr;		/* its port is the UDP port */
	int			 fd;
	unsigned		 refs;		/* paths from it */
	LIST_ENTRY(local)	 entry;
};

/* From one of our addresses to one UDP port of a peer's. */
struct path {
	struct hash_node	 node;		/* key: its number */
	struct hash_node	 ends;		/* key: a hash of both ends */
	struct local		*local;
	struct sockaddr_storage	 peer;		/* its port is the UDP port */
	bool			 listed;	/* found by its ends */
	bool			 displaced;	/* another has its ends still */
	LIST_ENTRY(path)	 displaced_entry;
	unsigned		 refs;		/* associations on it */
	int64_t			 used;		/* when usrsctp last sent there; 0: never */
	bool			 limited;	/* its MTU was set by a user */
	size_t			 longest;	/* packet that others may be joined to; 0: none */
	TAILQ_ENTRY(path)	 idle;		/* while there are none */
};

/* Packets that are received, or sent, with one call. */
#define UDP_BATCH	32
#define UDP_PACKET	65536
#define UDP_CONTROL	128
#define SCTP_HEADER	12
/* The longest packet of SCTP's that one of UDP's takes. */
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

/* NULL, or why there is no wire: tries to open what is not open. */
const char *udp_open(void);
void udp_close(void);

/* Serve nothing but the wire and what it wakes, for so long at most. */
void udp_run(unsigned ms, bool (*done)(void));

/* The first of our UDP sockets of a family; -1 with errno. */
int udp_fd(sa_family_t);
void local_free_all(void);
struct local *local_ref(struct local *);
void local_unref(struct local *);
/* Free one that no path is from. */
void local_drop(struct local *);

/* May usrsctp be given it? It has a header, and the head of a chunk. */
bool packet_is_sound(const char *packet, size_t);

/* usrsctp's packet to a path: its function for output. It goes out within this turn. */
int out_send(void *path, void *packet, size_t, uint8_t tos, uint8_t df);
void out_flush(void);

void out_begin(void);
void out_end(void);

/* As it is to stand in the packet, whose own is set to zero. */
uint32_t packet_checksum(char *packet, size_t);

/* usrsctp's clock runs while there are sockets of its own. */
void clock_start(void);
void clock_need(void);
void clock_forget(void);
void clock_tick(void);
void clock_stop(void);
/* In milliseconds, from any beginning. */
int64_t clock_now(void);

/* Our end where packets to that address go out, from a given one or any. */
struct local *udp_local(const struct sockaddr_storage *from,
    const struct sockaddr_storage *to);

/* Our end where a packet came in. */
struct local *udp_local_at(int fd, const struct sockaddr_storage *);

/* The longest packet of SCTP's that fits the way to there. */
uint32_t udp_mtu(const struct path *);

/* The path, new if there is none; NULL: there is no room for it. For ours there is. */
struct path *path_get(struct local *, const struct sockaddr_storage *peer, bool ours);
/* The path that a packet is of, whose peer may have another port by now. */
struct path *path_for(struct local *, const struct sockaddr_storage *from,
    const char *packet);
/* Its packets stay as usrsctp makes them. */
void path_limit(struct path *);
void path_move(struct path *, const struct sockaddr_storage *peer);
struct path *path_find(uintptr_t number);
/* usrsctp sent there what may be answered. */
void path_use(struct path *);
struct path *path_ref(struct path *);
void path_unref(struct path *);
void path_free_all(void);

/* The peer as usrsctp is told it, with an SCTP port; and back. */
struct sockaddr_conn path_name(const struct path *, uint16_t port);
struct path *path_of(const struct sockaddr_conn *);

/* The peer's address with its SCTP port. */
struct sockaddr_storage path_peer(const struct path *, uint16_t port);

/* ---- ports ---------------------------------------------------------- */

/*
 * A port that a socket is bound to. usrsctp has a port once, for all the
 * addresses; where sockets on two of them have the same, or share one, the
 * second has another number inside, and packets are given theirs on the way
 * in and out.
 */
struct port {
	struct hash_node	 node;		/* key: the port */
	struct hash_node	 inner_node;	/* key: the port inside */
	uint16_t		 number;
	uint16_t		 inner;
	bool			 open;		/* its socket is */
	bool			 v6only;
	bool			 reuse;
	bool			 listening;
	struct sock		*sock;		/* that is bound to it; NULL: closed */
	int			 tos;		/* of its packets; 0: as usual */
	int			 ttl;
	int			 tclass;
	unsigned		 refs;		/* its socket and associations */
	LIST_HEAD(, userland_assoc) assocs;
	TAILQ_HEAD(, hold)	 holds;		/* in the order in which they came */
	size_t			 naddrs;
	struct sockaddr_storage	 addrs[];
};

/*
 * An errno; port 0 is any. The addresses must be of this host: that is
 * checked. like says v6only and reuse.
 */
int port_open(const struct sockaddr_storage *, size_t n, uint16_t number,
    const struct port *like, struct port **);

/* Does another that has an address of its own listen? */
bool port_has_listener(const struct port *);
struct port *port_ref(struct port *);
void port_unref(struct port *);
void port_close(struct port *);

/* Where a packet goes inside: from a path and a peer's port to a port there. */
struct port *port_for(const struct path *, uint16_t from, uint16_t to);

/* Its association with a port at the end of a path; or NULL. */
struct userland_assoc *port_assoc(const struct port *, const struct path *, uint16_t peer_port);

/* Which one has that number inside; or NULL. */
struct port *port_inside(uint16_t inner);
bool port_is_inside(uint16_t inner);

/* ---- what has come and is not ours yet ------------------------------ */

/* A packet comes to this port, which usrsctp is given next. */
void hold_look(struct port *, const struct path *, const char *packet, size_t);
/* usrsctp has an association by this port: hold its path until it is ours. */
void hold_add(struct port *, struct path *, uint16_t peer_port);
/* It is: what came before it and is not will not be. Gives its receive buffer, or 0. */
int hold_taken(struct port *, const struct path *, uint16_t peer_port);
/* usrsctp ended it. */
void hold_over(const struct port *, const struct path *, uint16_t peer_port);
/* It was ours, and nothing is left of it. */
void hold_drop(const struct port *, const struct path *, uint16_t peer_port);
/* Its socket has another user. */
void hold_move_all(struct port *);
/* Its socket is closed: nobody is charged with what came and was not ours. */
void hold_uncharge_all(struct port *);
/* Nothing is left that came by this port, if there is one. */
void hold_drop_all(struct port *);
void hold_free_all(void);

/* ---- what usrsctp wakes --------------------------------------------- */

/* An end of usrsctp's that something happened at; looked at next turn. */
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

struct userland_sock {
	struct socket		*so;		/* NULL: an association has it */
	struct port		*port;
	bool			 guest;		/* of a port that its listener has */
	struct wake		 wake;
	struct wake		 deliver;
	bool			 messages;	/* wanted: see stack_read */
	bool			 events;
	uint16_t		 peer_udp_port;	/* 0: as the setting says */
	uint32_t		 pathmtu;	/* of its associations; 0: as the way is */
	bool			 v6only;
	bool			 unmapped;	/* IPv4 peers are shown as such */
	bool			 reuse;
	int			 tos;		/* of packets, until it is bound */
	int			 ttl;
	int			 tclass;
	TAILQ_HEAD(userland_assocs, userland_assoc) ready;	/* that may have something */
	bool			 acceptable;	/* a listener: so may it */
	bool			 resting;	/* but it accepts nothing now */
	struct hash		 coming;	/* still on so, by usrsctp's id */
	struct joint		 notice;
};

struct held;

/* Messages that usrsctp was given, and those of them that it has no more. */
#define GIVEN_MARKS	8

struct given {
	uint64_t		 messages;
	uint64_t		 bytes;
	uint64_t		 gone;		/* messages, at least */
	struct given_mark {
		uint64_t	 messages;
		uint64_t	 bytes;
	}			 mark[GIVEN_MARKS];
};

struct userland_assoc {
	struct hash_node	 coming;	/* key: usrsctp's id; in coming */
	TAILQ_ENTRY(userland_assoc) all;
	TAILQ_ENTRY(userland_assoc) ready;
	struct assoc		*assoc;
	struct socket		*so;		/* NULL: still on its socket's */
	bool			 owns_so;
	struct wake		 wake;
	struct wake		 finish;
	struct path		*path;
	uint32_t		 pathmtu;	/* that a user set; 0: none */
	struct port		*port;
	LIST_ENTRY(userland_assoc) at_port;
	bool			 is_coming;
	bool			 is_ready;
	bool			 is_lingering;
	bool			 awaits_room;
	bool			 aborted;	/* by us */
	uint16_t		 cause;		/* why usrsctp aborted it; 0: it did not say */
	struct given		 given;
	struct buffers		 buffers;	/* that it is charged with */
	int			 promised;	/* the receive buffer that it had when it was not ours yet; or 0 */
	unsigned		 messages;	/* that usrsctp may have of it */
	int			 want_send;	/* the longest message that there may be room for */
	bool			 eof_waits;	/* until it is up */
	struct joint		 data;
	struct joint		 message;	/* a notification */
	struct joint		 failed;	/* a message given back */
	TAILQ_HEAD(, held)	 held;		/* those that wait for the end */
	LIST_ENTRY(userland_assoc) lingering;
	bool			 is_starting;	/* by us, and not up yet */
	bool			 is_missed;	/* usrsctp did not know it lately */
	LIST_ENTRY(userland_assoc) starting;
	struct hash_node	 tag;		/* key: that of packets to us, and both ports */
	bool			 is_known;	/* by that */
};

/* ---- between the files ---------------------------------------------- */

/* The row of an event, by its name. */
const struct notice *userland_notice(const char *name);

void userland_close_so(struct socket *);
void userland_close_assoc(struct assoc *, bool abort);
void userland_abort_lingering(void);

/* An attempt of ours is up, or never will be. */
void userland_has_come(struct userland_assoc *);

/* Its tag was chosen, maybe anew: its packets are known by it. */
void userland_know(struct userland_assoc *);
void userland_forget(struct userland_assoc *);
void userland_forget_all(void);

/* Something happened at the socket of an association. */
void userland_assoc_on_wake(void *);

/* Look for what usrsctp wakes nobody for. */
void userland_look(int64_t ms);

/* Look for attempts that usrsctp gave up without a word. */
void userland_find_lost(void);

/* Abort one that is not up yet. */
int userland_take_back(struct assoc *);

/* One that is being set up on its socket's has one of its own; false, with errno: it is over. */
bool userland_own_so(struct assoc *);
/* It has none any more: what is left in its own is thrown away. */
void userland_drop_so(struct userland_assoc *);

/* What usrsctp calls an association, on the socket that it is on. */
sctp_assoc_t userland_id(const struct assoc *);
struct socket *userland_so(const struct assoc *);

int userland_subscribe(const struct sock *, struct socket *);

/* What waits for the end of the set-up does so no more, if it is up. */
void userland_go_on(struct assoc *);

/* Give a socket what another was set, but for associations. */
void userland_copy_options(struct socket *from, struct socket *to);

/* A stream socket that did not get through is made anew: it may try again. */
void userland_renew(struct sock *);

/* A new socket's own part; and what a socket is given by another. */
struct userland_sock *userland_sock_new(struct sock *, struct socket *);
void userland_inherit(struct sock *to, const struct sock *from);

/* Something may have come for an association: it is read on demand. */
void userland_ready(struct userland_assoc *);
void userland_unready(struct userland_assoc *);

/* Read what the socket itself says. */
void userland_read_socket(struct sock *);

/* An association came up: give it a socket of its own. */
void userland_came_up(struct assoc *);

/* Read and throw away; false: it is over. */
bool userland_discard(struct assoc *);

/* It is over and nothing is left of it: free it. */
void userland_finish(struct assoc *);

/* It is on its socket's socket until it is up. */
struct assoc *userland_new_assoc(struct sock *, struct path *, uint16_t port, sctp_assoc_t);
struct assoc *userland_find_coming(struct sock *, sctp_assoc_t);

/* The cause of an abort of ours, which usrsctp does not say (RFC 9260 3.3.10.12). */
#define USER_INITIATED	12

/* One whole notification. */
void userland_take_notification(struct sock *, struct assoc *, char *, size_t,
    const struct sockaddr_conn *from);
/* Tell of the messages given back that were held until it was said why. */
void userland_tell_held(struct assoc *);
void userland_drop_held(struct userland_assoc *);
void userland_take_failed(struct sock *, struct assoc *, const char *, size_t);
/* Does it say that an association is up, or that it is over? */
bool userland_is_up(const char *notification, size_t);
bool userland_is_end(const char *notification, size_t);

/* Set what belongs to the path. */
void userland_set_mtu(struct assoc *);

/* The memory that there is for associations: look how much. */
void userland_budget_init(void);

/*
 * Buffers: those of a new socket; those that its next association begins with,
 * if that changes, or in any case; and those of an association that begins, or
 * has a socket of its own.
 */
void userland_begin_sizes(struct sock *);
void userland_size_socket(struct sock *);
void userland_size_anew(struct sock *);
void userland_charge_new(struct assoc *);
void userland_size_assoc(struct assoc *);

/* One that comes to a socket and is not ours yet: what it can receive, and its charge. */
int userland_receive_size(const struct sock *);
void userland_charge_hold(struct charged *, const struct sock *, int receive);

/*
 * A message is longer than the send buffer: make room for it. Gives 0, ENOBUFS
 * as there is no memory, or EMSGSIZE, as the buffer was not to be larger.
 */
int userland_grow_send(struct assoc *, size_t len);

/* The client wants buffers of that size; none is larger than there is memory. */
int userland_want_send(struct sock *, struct assoc *, const void *);
int userland_want_receive(struct sock *, struct assoc *, const void *);

/* May usrsctp have one more message? It was given one, of so many bytes. */
bool given_may_be_more(struct assoc *);
void given_more(struct assoc *, size_t, bool may_be_given_up);

/* The functions of struct stack_ops. */
int userland_listen(struct sock *, int);
int userland_connect(struct sock *, const struct sockaddr_storage *, size_t, struct assoc **);
int userland_accept(struct sock *, struct sock *, struct assoc **);
int userland_peeloff(struct assoc *, struct sock *);
unsigned userland_send(struct assoc *, const struct stack_message *, unsigned, int *);
int userland_eof(struct assoc *);
int userland_abort(struct assoc *, const void *, size_t);
void userland_await_room(struct assoc *, bool);
void userland_read(struct sock *, bool, bool);
void userland_receive(struct sock *, unsigned);
int userland_setopt(struct sock *, const struct sockopt *, void *);
int userland_getopt(struct sock *, const struct sockopt *, void *);
bool userland_has_option(const struct sockopt *);
uint32_t userland_most(const struct sockopt *, const struct field *);
void userland_defaults(struct assoc *, struct sndrcvinfo *);
void userland_count_streams(struct assoc *);
int userland_names(struct sock *, struct assoc *, bool, struct sockaddr_storage **, size_t *);
void userland_set_user(struct sock *);
void userland_close(struct sock *);
int userland_linger(const struct sock *);
void userland_assoc_init(struct assoc *);
void userland_assoc_free(struct assoc *);
void userland_free(void);

#endif
