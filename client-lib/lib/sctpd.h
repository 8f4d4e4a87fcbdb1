/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libsctpd: SCTP sockets from sctpd, the SCTP daemon.
 *
 * A tour. One struct sctpd is one connection to the daemon. Make it, dial,
 * call, free it:
 *
 *	struct sctpd *c = sctpd_new();
 *	uint64_t sock;
 *
 *	if (sctpd_dial(c, NULL) != SCTPD_OK ||
 *	    sctpd_open(c, &sock, "port=%d ip=10.0.0.1,10.0.1.1", 2905) != SCTPD_OK)
 *		errx(1, "%s", sctpd_error(c));
 *	...
 *	sctpd_free(c);		// closes the sockets that this connection owns
 *
 * Calls that can fail return SCTPD_OK, which is 0, or an enum sctpd_code;
 * sctpd_error() has it in words. Those that wait have a deadline.
 *
 * What the peers do comes as events: struct sctpd_event. A new socket is
 * passive, and sctpd_recv() takes one event at a time. After
 * sctpd_set_active(c, sock, SCTPD_ACTIVE) they come by themselves, and
 * sctpd_next_event() gives them one by one, sctpd_events() many at a time.
 *
 * A program with a loop of its own polls sctpd_fd() for sctpd_wants(), calls
 * sctpd_process(), and makes its calls with the _async functions, whose
 * answers come to a callback. Nothing then blocks.
 *
 * Methods, options and events are those of the daemon, named as in Erlang's
 * gen_sctp and RFC 6458: sctpctl help lists them. Times are milliseconds,
 * sizes bytes, numbers in host order, the PPID included.
 *
 * A connection ends with the daemon, unless sctpd_resumable() made a session
 * of it: then the daemon may be restarted, and nothing is lost or doubled.
 *
 * The library makes no threads, keeps no globals, prints nothing, raises no
 * signal and never exits. A connection is for one thread at a time.
 */
#ifndef SCTPD_H
#define SCTPD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#define SCTPD_API		__attribute__((visibility("default")))
#define SCTPD_PRINTF(f, a)	__attribute__((format(printf, f, a)))
#else
#define SCTPD_API
#define SCTPD_PRINTF(f, a)
#endif

struct sctpd;
struct sctpd_value;

#define SCTPD_SOCKET	"/run/sctpd/sctpd.sock"

/* ---- errors --------------------------------------------------------- */

/*
 * Numbers never change; new ones may come. sctpd_code_name() has the daemon's
 * word for each, sctpd_code_text() a sentence.
 */
enum sctpd_code {
	SCTPD_OK = 0,

	/* gen_sctp's and the daemon's own */
	SCTPD_BADARG = 1,
	SCTPD_CLOSED = 2,
	SCTPD_NOT_OWNER = 3,
	SCTPD_TIMEOUT = 4,
	SCTPD_CANT_ASSOC = 5,
	SCTPD_LIMIT = 6,
	SCTPD_NXDOMAIN = 7,

	/* POSIX's */
	SCTPD_EACCES = 20,
	SCTPD_EADDRINUSE = 21,
	SCTPD_EADDRNOTAVAIL = 22,
	SCTPD_EAFNOSUPPORT = 23,
	SCTPD_EAGAIN = 24,
	SCTPD_EALREADY = 25,
	SCTPD_EBUSY = 26,
	SCTPD_ECONNABORTED = 27,
	SCTPD_ECONNREFUSED = 28,
	SCTPD_ECONNRESET = 29,
	SCTPD_EDESTADDRREQ = 30,
	SCTPD_EHOSTUNREACH = 31,
	SCTPD_EINPROGRESS = 32,
	SCTPD_EINVAL = 33,
	SCTPD_EIO = 34,
	SCTPD_EISCONN = 35,
	SCTPD_EMFILE = 36,
	SCTPD_EMSGSIZE = 37,
	SCTPD_ENETDOWN = 38,
	SCTPD_ENETUNREACH = 39,
	SCTPD_ENFILE = 40,
	SCTPD_ENOBUFS = 41,
	SCTPD_ENODEV = 42,
	SCTPD_ENOENT = 43,
	SCTPD_ENOMEM = 44,
	SCTPD_ENOPROTOOPT = 45,
	SCTPD_ENOSYS = 46,
	SCTPD_ENOTCONN = 47,
	SCTPD_EOPNOTSUPP = 48,
	SCTPD_EPERM = 49,
	SCTPD_EPIPE = 50,
	SCTPD_EPROTO = 51,
	SCTPD_EPROTONOSUPPORT = 52,
	SCTPD_ESOCKTNOSUPPORT = 53,
	SCTPD_ETIMEDOUT = 54,

	/* this library's */
	SCTPD_LOST = 200,	/* the connection to the daemon ended */
	SCTPD_NOT_DIALED = 201,	/* there is no connection to the daemon yet */
	SCTPD_UNKNOWN = 202,	/* a newer daemon's code: see sctpd_error */
	SCTPD_SUPERSEDED = 203,	/* another program has this session now */
	SCTPD_NO_SESSION = 204	/* the daemon has forgotten the session */
};

/*
 * The last error of a connection in words, "code: what was wrong; what would
 * be right"; "" if there was none. Borrowed: good until the next call.
 */
SCTPD_API const char *sctpd_error(const struct sctpd *);

/* A code's word ("einval") and sentence; never NULL. */
SCTPD_API const char *sctpd_code_name(int code);
SCTPD_API const char *sctpd_code_text(int code);

/* gen_sctp:error_string/1, RFC 9260 3.3.10: the text of an SCTP cause code. */
SCTPD_API const char *sctpd_cause_text(uint32_t cause);

/* ---- connections ---------------------------------------------------- */

/* Make a connection that is not dialed yet. NULL without memory. */
SCTPD_API struct sctpd *sctpd_new(void);

/*
 * Close the connection, and with it, in the daemon, the sockets that it owns.
 * Callbacks of unanswered calls are not called. Takes NULL; gives NULL. From
 * inside a callback it takes effect when the callback returns.
 */
SCTPD_API struct sctpd *sctpd_free(struct sctpd *);

/*
 * Connect to the daemon's Unix socket. path NULL: the environment's
 * SCTPD_SOCKET, else SCTPD_SOCKET. Calls that were begun before are sent now.
 * ENOENT or ECONNREFUSED: no daemon is there. EACCES: see its permissions.
 * After SCTPD_LOST a connection may be dialed again; it then owns nothing, but
 * for what a session still has.
 */
SCTPD_API int sctpd_dial(struct sctpd *, const char *path);

/* The same with a stream socket that is connected already. Takes the fd. */
SCTPD_API int sctpd_use_fd(struct sctpd *, int fd);

/*
 * How long calls that block may wait for the daemon, on top of the timeout
 * that they ask of it; -1: for ever. 30000 at first. A call whose time runs
 * out returns SCTPD_TIMEOUT, and may still be carried out.
 */
SCTPD_API void sctpd_set_timeout(struct sctpd *, int ms);

/* ---- sessions ------------------------------------------------------- */

/*
 * Make the connection a session, before it is dialed. When it breaks because
 * the daemon is restarted, or dies where something starts it again (systemd,
 * or sctpd -k), it is dialed again by the functions that wait and by
 * sctpd_process, for max_ms (-1: for ever). Meanwhile calls that wait do so,
 * calls that do not are kept, and no event comes; then all goes on where it
 * was: every call is carried out once, and no event is lost or comes twice.
 * If max_ms are over, or the daemon is one that does not survive, calls and
 * events end with LOST as without a session.
 *
 * An event is handled when the next one is asked for, or when its callback
 * returns; an answer when it was given. What is handled is acknowledged to
 * the daemon by itself, and not before; but an event that is not asked for
 * while megabytes of answers come (two times client_queue) is, too.
 *
 * sctpd_dial then waits for the daemon's answer, too.
 */
enum sctpd_session_change {
	SCTPD_GONE,		/* the daemon is away, and waited for */
	SCTPD_REACHED,		/* there is a connection; what is missing comes */
	SCTPD_BACK,		/* all is as it was */
	SCTPD_OVER		/* it is not: the code is that of the next call */
};

/*
 * Told of each change, if not NULL. At GONE, REACHED and OVER sctpd_fd() has
 * become another; the one before is closed when this returns. It may make
 * calls that do not wait.
 */
typedef void sctpd_session_fn(struct sctpd *, enum sctpd_session_change, void *arg);
SCTPD_API int sctpd_resumable(struct sctpd *, int max_ms, sctpd_session_fn *fn, void *arg);

/*
 * For a program that may die and come back: the token of its session, "" when
 * there is none, which is to be kept secret; seq, if not NULL, gets the number
 * of the last message that was handled. An event's own is in struct
 * sctpd_event. Borrowed until the connection is dialed again or freed.
 */
SCTPD_API const char *sctpd_session(const struct sctpd *, uint64_t *seq);

/*
 * Be that program again: after sctpd_resumable, before sctpd_dial, with what
 * was known last. The events after seq come again, and the sockets are this
 * connection's, if they live: see the options on_owner_exit and hold_time, and
 * the method adopt. Answers to calls of the program that died do not come,
 * but an event that its sctpd_recv took does. sctpd_dial gives NO_SESSION if
 * there is no such session any more; dialed again, it makes a new one. A
 * connection that has the session meanwhile ends with SUPERSEDED.
 */
SCTPD_API int sctpd_resume(struct sctpd *, const char *token, uint64_t seq);

/* ---- values --------------------------------------------------------- */

/*
 * What the daemon answers, in the shapes that MessagePack has. A value is
 * borrowed from the answer or event that it stands in. All of these take NULL
 * and values of another type, and then give 0, "" or NULL.
 */
enum sctpd_type {
	SCTPD_NIL, SCTPD_BOOL, SCTPD_INT, SCTPD_FLOAT, SCTPD_STR, SCTPD_BIN,
	SCTPD_LIST, SCTPD_MAP
};

SCTPD_API enum sctpd_type sctpd_type(const struct sctpd_value *);
SCTPD_API int64_t sctpd_int(const struct sctpd_value *);	/* a bool: 0, 1 */
SCTPD_API double sctpd_float(const struct sctpd_value *);

/* A string's or bin's bytes; a NUL follows them. len may be NULL. */
SCTPD_API const char *sctpd_str(const struct sctpd_value *, size_t *len);

/* Items of a list or pairs of a map, and the value and the key of one. */
SCTPD_API size_t sctpd_count(const struct sctpd_value *);
SCTPD_API const struct sctpd_value *sctpd_item(const struct sctpd_value *, size_t i);
SCTPD_API const char *sctpd_key(const struct sctpd_value *, size_t i);

/* A map's value by its key, also "key.key"; NULL if it has none. */
SCTPD_API const struct sctpd_value *sctpd_get(const struct sctpd_value *, const char *key);
SCTPD_API int64_t sctpd_get_int(const struct sctpd_value *, const char *key);
SCTPD_API const char *sctpd_get_str(const struct sctpd_value *, const char *key);

/* ---- any method ----------------------------------------------------- */

/*
 * Call a method by name and wait for the answer:
 *
 *	sctpd_call(c, &v, "send sock=%" PRIu64 " data=%s", sock, text)
 *
 * The format is the method's name, then key=value words. A word ends at a
 * blank of the format, so what is filled in may hold blanks; it may not hold
 * the byte 0x1f. Names of arguments and types of values are the method's own:
 * see sctpctl help METHOD. Lists are separated by commas; parts of a record
 * are named with dots (sctp_sndrcvinfo.ppid=60, options.sctp_rtoinfo.max=4000);
 * bytes are text, or hex:0A0B; text:... is taken as it stands.
 *
 * result, if not NULL, gets the answer's map, borrowed until the next blocking
 * call. BADARG, with nothing sent, if the words do not fit the method.
 *
 * LIMIT, if 4096 events or 64 MiB of them wait for sctpd_next_event: the
 * connection is not read until some are taken.
 */
SCTPD_API int sctpd_call(struct sctpd *, const struct sctpd_value **result,
    const char *format, ...) SCTPD_PRINTF(3, 4);

/* The same with the method and its words in an array. Borrows them. */
SCTPD_API int sctpd_callv(struct sctpd *, const struct sctpd_value **result,
    int argc, const char *const *argv);

/*
 * The answer to a call that did not wait. code is SCTPD_OK, and result its
 * map, or an error, with sctpd_error() to say why, and result NULL. Runs
 * inside any function that reads: sctpd_process, sctpd_next_event and those
 * that block. result is borrowed until it returns.
 */
typedef void sctpd_reply_fn(struct sctpd *, int code,
    const struct sctpd_value *result, void *arg);

/*
 * Call without waiting. Written by the next function that writes, together
 * with what else waits. fn is called exactly once, unless the connection is
 * freed first. An error here means that the call was not made, and fn will
 * not be called. fn NULL makes a MessagePack-RPC notification of it: nothing
 * is answered.
 */
SCTPD_API int sctpd_call_async(struct sctpd *, sctpd_reply_fn *fn, void *arg,
    const char *format, ...) SCTPD_PRINTF(4, 5);
SCTPD_API int sctpd_callv_async(struct sctpd *, sctpd_reply_fn *fn, void *arg,
    int argc, const char *const *argv);

/* Calls that are not answered yet. */
SCTPD_API size_t sctpd_pending(const struct sctpd *);

/* Wait until every call is answered. Gives TIMEOUT or LOST, else SCTPD_OK. */
SCTPD_API int sctpd_sync(struct sctpd *);

/* ---- sockets -------------------------------------------------------- */

/* gen_sctp's #sctp_assoc_change{}; RFC 6458 6.1.1. */
struct sctpd_assoc {
	uint32_t	assoc_id;
	uint16_t	outbound_streams;
	uint16_t	inbound_streams;
	uint16_t	error;
};

/* sctpd: name this client; client, if not NULL, gets its number. */
SCTPD_API int sctpd_hello(struct sctpd *, const char *name, uint64_t *client);

/*
 * gen_sctp:open/2; RFC 6458 3.1.1, 4.1.1, 9.1. Open a socket, passive, owned
 * by this connection. The format has open's words, as for sctpd_call: ip,
 * port, type (seqpacket or stream), family, options.*. "port=0" asks for nothing.
 */
SCTPD_API int sctpd_open(struct sctpd *, uint64_t *sock, const char *format, ...)
    SCTPD_PRINTF(3, 4);

/*
 * gen_sctp:connect/4,5; RFC 6458 9.9. Set up an association and wait until it
 * is up, timeout ms at most (-1: as long as SCTP tries). addr may be a list
 * with commas. assoc may be NULL. CANT_ASSOC, ECONNREFUSED, TIMEOUT...
 */
SCTPD_API int sctpd_connect(struct sctpd *, uint64_t sock, const char *addr,
    uint16_t port, int timeout, struct sctpd_assoc *assoc);

/* gen_sctp:connect_init/4,5: begin only; sctp_assoc_change says how it ends. */
SCTPD_API int sctpd_connect_init(struct sctpd *, uint64_t sock, const char *addr,
    uint16_t port, uint32_t *assoc_id);

/*
 * gen_sctp:listen/2; RFC 6458 3.1.3, 4.1.3. backlog 0 stops listening; -1
 * takes the default.
 */
SCTPD_API int sctpd_listen(struct sctpd *, uint64_t sock, int backlog);

/*
 * RFC 6458 4.1.4. Wait for the next association of a listening stream socket,
 * timeout ms at most (-1: for ever), and take it as a socket of its own.
 */
SCTPD_API int sctpd_accept(struct sctpd *, uint64_t sock, int timeout,
    uint64_t *accepted);

/* gen_sctp:peeloff/2; RFC 6458 9.2. An association as a socket of its own. */
SCTPD_API int sctpd_peeloff(struct sctpd *, uint64_t sock, uint32_t assoc_id,
    uint64_t *peeled);

/* gen_sctp:eof/2; RFC 6458 5.3.2. Shut one association down; the socket stays. */
SCTPD_API int sctpd_eof(struct sctpd *, uint64_t sock, uint32_t assoc_id);

/* gen_sctp:abort/2; RFC 6458 5.3.2. End one association at once. */
SCTPD_API int sctpd_abort(struct sctpd *, uint64_t sock, uint32_t assoc_id);

/* gen_sctp:close/1; RFC 6458 3.1.5. What was sent still arrives. */
SCTPD_API int sctpd_close(struct sctpd *, uint64_t sock);

/*
 * gen_sctp:controlling_process/2: give the socket to another client. In a
 * session its events that were not taken yet are the new owner's, too; until
 * the daemon has answered, no event is given.
 */
SCTPD_API int sctpd_controlling_process(struct sctpd *, uint64_t sock, uint64_t client);

/*
 * inet:sockname/1, inet:peername/1. addr, of addrlen bytes (64 do for any),
 * gets the address as text, port its port. Each may be NULL.
 */
SCTPD_API int sctpd_sockname(struct sctpd *, uint64_t sock, char *addr,
    size_t addrlen, uint16_t *port);
SCTPD_API int sctpd_peername(struct sctpd *, uint64_t sock, char *addr,
    size_t addrlen, uint16_t *port);

/*
 * sctpd: have the SCTP descriptor itself, to talk to the kernel without the
 * daemon in between. For a stream, accepted or peeled off socket that this
 * connection owns, whose association is up, and in which nothing waits. Until
 * sctpd_return the daemon neither reads the socket nor sends on it: no event
 * comes of it, and sctpd_send gives EINVAL. Its options may still be set.
 *
 * fd gets a descriptor that is the caller's, close-on-exec and non-blocking
 * (fcntl may change that), for sctp_recvv(3) and whatever else the kernel
 * takes; -1 on errors. It is the caller's to close: nothing is shut down by
 * that, as the daemon has one of its own. In a session it stays lent when the
 * daemon dies, but a program that died and resumes has to ask for it anew.
 *
 * EINVAL for other sockets, ENOTCONN, EALREADY if it is lent, EAGAIN when
 * something waits: receive it first. After TIMEOUT it may be lent, and where a
 * session broke while this waited EALREADY says that it is, but fd is -1:
 * return it, and ask again.
 * EOPNOTSUPP, with nothing lent, if no descriptor could come this way.
 */
SCTPD_API int sctpd_lend(struct sctpd *, uint64_t sock, int *fd);

/*
 * The daemon has the socket again. What was not received from the descriptor
 * comes from the daemon, and what was sent on it still arrives. Close the
 * descriptor before or after, and do not read from it any more. If the
 * association ended meanwhile the socket now says so. EINVAL if it is not lent.
 */
SCTPD_API int sctpd_return(struct sctpd *, uint64_t sock);

/* ---- options -------------------------------------------------------- */

/*
 * gen_sctp's active, for sctpd_set_active; or a number from 1 to 32767 (and
 * to -32768 downwards): that many more events, then sctp_passive.
 */
#define SCTPD_PASSIVE	(-100000)
#define SCTPD_ACTIVE	100000
#define SCTPD_ONCE	100001

SCTPD_API int sctpd_set_active(struct sctpd *, uint64_t sock, int mode);

/*
 * inet:setopts/2, getopts/2; RFC 6458 8, 9.5. One option, by its name, as the
 * struct (or int) that <netinet/sctp.h> has for it, in the form that
 * setsockopt(2) takes: numbers in the byte order documented there. sctpd_getopt
 * reads its assoc_id and its address from the value and then fills it. BADARG
 * for unknown names and for a len that is not the option's. Options can also
 * be set by words: sctpd_call(c, NULL, "setopts sock=%" PRIu64
 * " options.sctp_nodelay=true", sock).
 */
SCTPD_API int sctpd_setopt(struct sctpd *, uint64_t sock, const char *name,
    const void *value, size_t len);
SCTPD_API int sctpd_getopt(struct sctpd *, uint64_t sock, const char *name,
    void *value, size_t len);

/* ---- messages ------------------------------------------------------- */

enum sctpd_flag {
	SCTPD_UNORDERED = 1,
	SCTPD_ADDR_OVER = 2
};

/* gen_sctp's #sctp_sndrcvinfo{}; RFC 6458 5.3.2. Host order throughout. */
struct sctpd_sndrcvinfo {
	uint16_t	stream;
	uint16_t	ssn;		/* received only */
	uint16_t	flags;		/* enum sctpd_flag */
	uint32_t	ppid;
	uint32_t	context;	/* comes back with messages that fail */
	uint32_t	timetolive;	/* ms; 0: for ever */
	uint32_t	tsn;		/* received only */
	uint32_t	cumtsn;		/* received only */
	uint32_t	assoc_id;	/* 0 does on a one-to-one socket */
};

/*
 * gen_sctp:send/4: send a message on a stream, all else as
 * sctp_default_send_param has it. Returns when the SCTP stack has taken it:
 * that may be a while when the peer is slow. Borrows data.
 *
 * A peer that takes nothing holds up what is sent to it, and no other call:
 * TIMEOUT after sctpd_set_timeout, and the message still waits; eof, abort and
 * close are answered. Only when more than the daemon's association_queue waits
 * for one peer (3 MiB; TIMEOUT and sctpd_sendmsg_async make that possible) is
 * the connection not read for queue_time, 30 seconds. Then all its calls wait,
 * or give TIMEOUT, close and abort too; events still come, and sctpd_free is
 * immediate. After that time calls are answered, and a message to that peer is
 * EAGAIN. A program that cannot wait calls sctpd_close or sctpd_abort on
 * another connection: they take any socket of the same user.
 */
SCTPD_API int sctpd_send(struct sctpd *, uint64_t sock, uint32_t assoc_id,
    uint16_t stream, const void *data, size_t len);

/* gen_sctp:send/3: the same with all its parameters. */
SCTPD_API int sctpd_sendmsg(struct sctpd *, uint64_t sock,
    const struct sctpd_sndrcvinfo *, const void *data, size_t len);

/*
 * The same without waiting for the answer, which fn gets: many messages share
 * one write and one round trip. Copies data. With fn NULL nothing is answered,
 * and a failure comes as the event sctp_send_failed. EAGAIN, with nothing
 * done, while 64 MiB wait to be written: call sctpd_flush, or sctpd_sync. It
 * never blocks, and neither do sctpd_flush and sctpd_process, whatever waits.
 */
SCTPD_API int sctpd_sendmsg_async(struct sctpd *, uint64_t sock,
    const struct sctpd_sndrcvinfo *, const void *data, size_t len,
    sctpd_reply_fn *fn, void *arg);

/* For sctpd_send_many. It will not get other members. */
struct sctpd_message {
	const void		*data;
	size_t			 len;
	struct sctpd_sndrcvinfo	 info;
	int			 code;	/* given: SCTPD_OK, or why it was not sent */
};

/*
 * Send n messages in their order, with as few writes as they fit in, and wait
 * for all the answers. Borrows data until it returns. Each message gets its
 * own code; one that fails does not hold up those behind it. sent, if not NULL,
 * gets how many the SCTP stack has taken.
 *
 * Gives SCTPD_OK if that is all. Else the code of the first that failed, and
 * sctpd_error() says which, "einval: message [2] of 10: ...", or, if it had to
 * stop waiting, that of why: TIMEOUT, when for as long as sctpd_set_timeout
 * says nothing was answered; LOST; LIMIT, if 65536 events came meanwhile. The
 * messages that have this code were not answered: they may have been sent.
 */
SCTPD_API int sctpd_send_many(struct sctpd *, uint64_t sock,
    struct sctpd_message *, size_t n, size_t *sent);

/* ---- events --------------------------------------------------------- */

/*
 * What happened on a socket: a message (name "data"), a notification of RFC
 * 6458 6.1 ("sctp_assoc_change"...) or one of the daemon's own ("sctp_closed",
 * "sctp_passive"...). Borrowed until the next event is asked for, or until the
 * callback returns. New members may come at the end.
 */
struct sctpd_event {
	const char			*name;
	uint64_t			 sock;
	const char			*from;		/* peer's address, or "" */
	uint16_t			 from_port;
	uint32_t			 assoc_id;	/* 0: none */
	const char			*data;		/* a NUL follows it */
	size_t				 len;
	struct sctpd_sndrcvinfo		 info;		/* of data, sctp_send_failed */
	const struct sctpd_value	*fields;	/* all: for sctpd_get_str(); but see sctpd_events */
	uint64_t			 seq;		/* in a session: its number */
};

/*
 * gen_sctp:recv/2; RFC 6458 5.3.5. Take the next event of a passive socket;
 * wait for it timeout ms at most (-1: for ever; 0: look once).
 */
SCTPD_API int sctpd_recv(struct sctpd *, uint64_t sock, int timeout,
    const struct sctpd_event **);

/*
 * Take the next event of the active sockets, in the order in which they came,
 * those that came during other calls first. Waits timeout ms at most (-1: for
 * ever; 0: looks once), then gives TIMEOUT. LOST comes after the last event.
 */
SCTPD_API int sctpd_next_event(struct sctpd *, int timeout,
    const struct sctpd_event **);

/*
 * The same with many at once: wait for the first, and take with it what else
 * has been read, max at most. ev[0] to ev[n - 1] get them; n is 0 on errors.
 * They are borrowed until this, sctpd_next_event or sctpd_recv is called, but
 * not by other calls, so sctpd_send_many may send their data back.
 *
 * Messages are given where they were read, without a copy; their fields is
 * NULL, as the event has all there is. In a loop of one's own this may stand
 * for sctpd_process: call it with timeout 0 until it gives TIMEOUT. A callback
 * that it runs may not call it: BADARG.
 */
SCTPD_API int sctpd_events(struct sctpd *, const struct sctpd_event **ev,
    size_t max, int timeout, size_t *n);

/* ---- a loop of the caller's own ------------------------------------- */

/*
 * The connection's descriptor, -1 without one. It changes when dialed again,
 * in a session by itself: see sctpd_session_fn, or ask before each poll. While
 * the daemon is away it is a timer's.
 */
SCTPD_API int sctpd_fd(const struct sctpd *);

/* What to poll it for: POLLIN, POLLOUT, both or 0. Ask before each poll. */
SCTPD_API short sctpd_wants(const struct sctpd *);

/*
 * Write and read what can be without blocking; run the callbacks of what has
 * come. SCTPD_OK, or LOST, EPROTO, ENOMEM, SUPERSEDED or NO_SESSION. Events go to the callback of
 * sctpd_on_event; without one they wait for sctpd_next_event(c, 0, &ev), which
 * is to be called until it gives TIMEOUT.
 */
SCTPD_API int sctpd_process(struct sctpd *);

/* Have events given to fn by sctpd_process; NULL: no longer. */
typedef void sctpd_event_fn(struct sctpd *, const struct sctpd_event *, void *arg);
SCTPD_API void sctpd_on_event(struct sctpd *, sctpd_event_fn *fn, void *arg);

/* Write what waits to be written, as far as that goes without blocking. */
SCTPD_API int sctpd_flush(struct sctpd *);

#ifdef __cplusplus
}
#endif

#endif
