/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libsctpd: SCTP sockets from sctpd, the SCTP daemon. The manual page
 * libsctpd(3) and those of the functions say the same in more words.
 *
 * A tour. One struct sctpd is one connection to the daemon. Make it, dial it,
 * call functions with it, and free it:
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
 * Functions that can fail return SCTPD_OK, which is 0, or an enum sctpd_code.
 * sctpd_error() returns the error as text. Functions that wait have a deadline.
 *
 * Messages and notifications arrive as events: struct sctpd_event. A new socket
 * is passive, and sctpd_recv() returns one event at a time. After
 * sctpd_set_active(c, sock, SCTPD_ACTIVE) the daemon sends them as they arrive;
 * sctpd_next_event() returns them one by one, and sctpd_events() many at a time.
 *
 * A program with its own event loop polls sctpd_fd() for sctpd_wants(), calls
 * sctpd_process(), and uses the _async functions, whose answers go to a
 * callback. Nothing then blocks.
 *
 * Methods, options and events are those of the daemon, named as in Erlang's
 * gen_sctp and RFC 6458; "sctpctl help" lists them. Times are milliseconds,
 * sizes bytes, numbers in host order, including the PPID.
 *
 * A connection ends with the daemon, unless sctpd_resumable() made it a
 * session. Then the daemon may be restarted, and nothing is lost or duplicated.
 *
 * The library makes no threads, has no global variables, prints nothing, raises
 * no signals and never exits. One thread at a time may use a connection.
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
 * These numbers never change; new ones may be added. sctpd_code_name() returns
 * the daemon's word for a code, and sctpd_code_text() a sentence.
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
	SCTPD_UNKNOWN = 202,	/* a newer daemon's code; see sctpd_error */
	SCTPD_SUPERSEDED = 203,	/* another program has taken over the session */
	SCTPD_NO_SESSION = 204	/* the daemon does not know the session any more */
};

/*
 * The text of the last error of a connection, "code: what was wrong; what would
 * be right", or "" if there was none. It is valid until the next call.
 */
SCTPD_API const char *sctpd_error(const struct sctpd *);

/* The word of a code ("einval") and the sentence that describes it; never NULL. */
SCTPD_API const char *sctpd_code_name(int code);
SCTPD_API const char *sctpd_code_text(int code);

/* gen_sctp:error_string/1; RFC 9260 3.3.10. The text of an SCTP cause code. */
SCTPD_API const char *sctpd_cause_text(uint32_t cause);

/* ---- connections ---------------------------------------------------- */

/* Make a connection that is not dialed yet. Returns NULL if there is no memory. */
SCTPD_API struct sctpd *sctpd_new(void);

/*
 * Close the connection, and with it the sockets that it owns in the daemon.
 * Callbacks of unanswered calls are not called. The argument may be NULL; the
 * result always is. Inside a callback it takes effect when the callback returns.
 */
SCTPD_API struct sctpd *sctpd_free(struct sctpd *);

/*
 * Connect to the daemon's Unix socket. If path is NULL, the environment variable
 * SCTPD_SOCKET gives the path, or without it the macro SCTPD_SOCKET. Calls that
 * were begun before are sent now. ENOENT and ECONNREFUSED mean that no daemon
 * listens there, EACCES that the permissions of the socket do not admit the
 * program. After SCTPD_LOST a connection may be dialed again; it then owns
 * nothing, except what a session still has.
 */
SCTPD_API int sctpd_dial(struct sctpd *, const char *path);

/* The same with a stream socket that is connected already. The library owns fd. */
SCTPD_API int sctpd_use_fd(struct sctpd *, int fd);

/*
 * How long a blocking call waits for the daemon, in ms, in addition to the
 * timeout that it has itself; -1 waits without limit. The default is 30000. A
 * call whose time is over returns SCTPD_TIMEOUT, and the daemon may still carry
 * it out.
 */
SCTPD_API void sctpd_set_timeout(struct sctpd *, int ms);

/* ---- sessions ------------------------------------------------------- */

/*
 * Make the connection a session; call this before it is dialed. When the
 * connection breaks because the daemon is restarted, or dies where systemd or
 * sctpd -k starts it again, the functions that wait and sctpd_process dial it
 * again, for max_ms (-1: without limit). Meanwhile calls that wait continue to
 * wait, calls that do not wait are kept, and no event arrives. Then everything
 * continues where it was: every call is carried out once, and no event is lost
 * or delivered twice. If max_ms are over, or if the daemon does not survive its
 * restart, calls and events end with LOST as without a session.
 *
 * The library acknowledges an event when you ask for the next one or when its
 * callback returns, and an answer when the call returns. There is one exception:
 * if you leave an event unread while more than twice client_queue bytes of
 * answers arrive, the library acknowledges it early. If your program then dies,
 * the event is not delivered again.
 *
 * In a session sctpd_dial waits for the daemon's answer, too. If the daemon dies
 * before it answers, sctpd_dial connects again, for the time of sctpd_set_timeout.
 */
enum sctpd_session_change {
	SCTPD_GONE,		/* the daemon is away; the library waits for it */
	SCTPD_REACHED,		/* there is a connection; missing messages follow */
	SCTPD_BACK,		/* the session has been restored */
	SCTPD_OVER		/* the session ended; the next call returns why */
};

/*
 * Called with each change, if not NULL. At GONE, REACHED and OVER the descriptor
 * of sctpd_fd() has changed; the old one is closed when this function returns.
 * It may make calls that do not wait.
 */
typedef void sctpd_session_fn(struct sctpd *, enum sctpd_session_change, void *arg);
SCTPD_API int sctpd_resumable(struct sctpd *, int max_ms, sctpd_session_fn *fn, void *arg);

/*
 * For a program that may end and come back: the token of its session, or "" if
 * there is none. Keep it secret. seq, if not NULL, receives the number of the
 * last message that was handled; the number of an event is in struct
 * sctpd_event. The token is valid until the connection is dialed again or freed.
 */
SCTPD_API const char *sctpd_session(const struct sctpd *, uint64_t *seq);

/*
 * Resume the session of an earlier program; call this after sctpd_resumable and
 * before sctpd_dial. The events after seq are delivered again, and sockets that
 * still exist belong to this connection: see the options on_owner_exit and
 * hold_time, and the method adopt. Answers to calls of the earlier program are
 * not delivered, but an event that its sctpd_recv took is. sctpd_dial returns
 * NO_SESSION if the session does not exist any more; dialed again, it makes a
 * new one. A connection that still has the session ends with SUPERSEDED.
 */
SCTPD_API int sctpd_resume(struct sctpd *, const char *token, uint64_t seq);

/*
 * For a program that hands events on and is told later that they are safe: the
 * library acknowledges no event by itself any more. sctpd_ack says that the
 * program has handled all events up to the number seq, which is in struct
 * sctpd_event. The daemon is told by the next sctpd_process, or function that
 * waits for events; once it is 64 messages, by any function that writes.
 * Answers are acknowledged with the events before them. If the program
 * acknowledges nothing, the daemon stops reading the sockets when client_queue
 * is full, and the windows of the peers close: so it must not have more events
 * than it has room for, and nothing is lost. Functions that wait for an answer
 * take in what comes before it, which client_queue bounds, up to 64 MiB: after
 * sctpd_resume all comes again that was not acknowledged. Call sctpd_own_acks after sctpd_resumable and
 * before the connection is dialed. BADARG means that this was not done, or that
 * no event of that number has been delivered.
 */
SCTPD_API int sctpd_own_acks(struct sctpd *);
SCTPD_API int sctpd_ack(struct sctpd *, uint64_t seq);

/*
 * How many notifications this session has made: messages that were sent with
 * sctpd_sendmsg_async and no function, and other calls without one. After
 * sctpd_resume and sctpd_dial it is the number that the daemon has accepted of
 * those that the program before had made, so that the next one can go on there.
 */
SCTPD_API uint64_t sctpd_notifications(const struct sctpd *);

/* ---- values --------------------------------------------------------- */

/*
 * A MessagePack value in an answer or an event; it is valid as long as that. All
 * these functions accept NULL and values of another type, and then return 0, ""
 * or NULL.
 */
enum sctpd_type {
	SCTPD_NIL, SCTPD_BOOL, SCTPD_INT, SCTPD_FLOAT, SCTPD_STR, SCTPD_BIN,
	SCTPD_LIST, SCTPD_MAP
};

SCTPD_API enum sctpd_type sctpd_type(const struct sctpd_value *);
SCTPD_API int64_t sctpd_int(const struct sctpd_value *);	/* a bool: 0, 1 */
SCTPD_API double sctpd_float(const struct sctpd_value *);

/* The bytes of a string or bin, followed by a NUL. len may be NULL. */
SCTPD_API const char *sctpd_str(const struct sctpd_value *, size_t *len);

/* The number of items of a list or pairs of a map; the i-th value; the i-th key. */
SCTPD_API size_t sctpd_count(const struct sctpd_value *);
SCTPD_API const struct sctpd_value *sctpd_item(const struct sctpd_value *, size_t i);
SCTPD_API const char *sctpd_key(const struct sctpd_value *, size_t i);

/* The value of a key in a map; the key may be a path, "key.key". NULL if there is none. */
SCTPD_API const struct sctpd_value *sctpd_get(const struct sctpd_value *, const char *key);
SCTPD_API int64_t sctpd_get_int(const struct sctpd_value *, const char *key);
SCTPD_API const char *sctpd_get_str(const struct sctpd_value *, const char *key);

/* ---- any method ----------------------------------------------------- */

/*
 * Call a method by name and wait for the answer:
 *
 *	sctpd_call(c, &v, "send sock=%" PRIu64 " data=%s", sock, text)
 *
 * The format is the name of the method, followed by key=value words. A word ends
 * at a blank in the format, so values that are filled in may contain blanks; they
 * must not contain the byte 0x1f. "sctpctl help METHOD" shows the arguments and
 * their types. Commas separate the items of a list; dots name the fields of a
 * record (sctp_sndrcvinfo.ppid=60, options.sctp_rtoinfo.max=4000). Bytes are
 * text, or hexadecimal digits as in hex:0A0B; text:... is taken literally.
 *
 * result, if not NULL, receives the map of results, which is valid until the
 * next blocking call. BADARG means that the words do not fit the method; nothing
 * was sent.
 *
 * LIMIT means that 4096 events (after sctpd_own_acks: any number), or 64 MiB of
 * them, wait for sctpd_next_event: the connection is not read until some are taken.
 */
SCTPD_API int sctpd_call(struct sctpd *, const struct sctpd_value **result,
    const char *format, ...) SCTPD_PRINTF(3, 4);

/* The same with the method and its words in an array, which is borrowed. */
SCTPD_API int sctpd_callv(struct sctpd *, const struct sctpd_value **result,
    int argc, const char *const *argv);

/*
 * Receives the answer to a call that did not wait. Either code is SCTPD_OK and
 * result the map of results, or code is an error, which sctpd_error() describes,
 * and result is NULL. It runs inside any function that reads: sctpd_process,
 * sctpd_next_event and those that block. result is valid until it returns.
 */
typedef void sctpd_reply_fn(struct sctpd *, int code,
    const struct sctpd_value *result, void *arg);

/*
 * Call a method without waiting. The next function that writes sends the call,
 * together with others that wait. fn is called exactly once, unless the
 * connection is freed first. If this function returns an error, the call was not
 * made, and fn is not called. If fn is NULL, the call is a MessagePack-RPC
 * notification and has no answer.
 */
SCTPD_API int sctpd_call_async(struct sctpd *, sctpd_reply_fn *fn, void *arg,
    const char *format, ...) SCTPD_PRINTF(4, 5);
SCTPD_API int sctpd_callv_async(struct sctpd *, sctpd_reply_fn *fn, void *arg,
    int argc, const char *const *argv);

/* The number of calls that have not been answered. */
SCTPD_API size_t sctpd_pending(const struct sctpd *);

/* Wait until every call is answered. Returns SCTPD_OK, TIMEOUT or LOST. */
SCTPD_API int sctpd_sync(struct sctpd *);

/* ---- sockets -------------------------------------------------------- */

/* gen_sctp's #sctp_assoc_change{}; RFC 6458 6.1.1. */
struct sctpd_assoc {
	uint32_t	assoc_id;
	uint16_t	outbound_streams;
	uint16_t	inbound_streams;
	uint16_t	error;
};

/* sctpd: name this client. client, if not NULL, receives its number. */
SCTPD_API int sctpd_hello(struct sctpd *, const char *name, uint64_t *client);

/*
 * gen_sctp:open/2; RFC 6458 3.1.1, 4.1.1, 9.1. Open a passive socket that this
 * connection owns. The format has the arguments of open as words, as in
 * sctpd_call: ip, port, type (seqpacket or stream), family, options.*. "port=0"
 * sets nothing but the default.
 */
SCTPD_API int sctpd_open(struct sctpd *, uint64_t *sock, const char *format, ...)
    SCTPD_PRINTF(3, 4);

/*
 * gen_sctp:connect/4,5; RFC 6458 9.9. Set up an association and wait until it
 * is up, for at most timeout ms (-1: as long as SCTP retries). addr may be a
 * list with commas. assoc may be NULL. Errors: CANT_ASSOC, ECONNREFUSED,
 * TIMEOUT and others.
 */
SCTPD_API int sctpd_connect(struct sctpd *, uint64_t sock, const char *addr,
    uint16_t port, int timeout, struct sctpd_assoc *assoc);

/* gen_sctp:connect_init/4,5. Start only; the event sctp_assoc_change has the result. */
SCTPD_API int sctpd_connect_init(struct sctpd *, uint64_t sock, const char *addr,
    uint16_t port, uint32_t *assoc_id);

/*
 * gen_sctp:listen/2; RFC 6458 3.1.3, 4.1.3. A backlog of 0 stops listening; -1
 * stands for the default.
 */
SCTPD_API int sctpd_listen(struct sctpd *, uint64_t sock, int backlog);

/*
 * RFC 6458 4.1.4. Wait for the next association of a listening stream socket,
 * for at most timeout ms (-1: without limit), and make it a socket of its own.
 */
SCTPD_API int sctpd_accept(struct sctpd *, uint64_t sock, int timeout,
    uint64_t *accepted);

/* gen_sctp:peeloff/2; RFC 6458 9.2. Make an association a socket of its own. */
SCTPD_API int sctpd_peeloff(struct sctpd *, uint64_t sock, uint32_t assoc_id,
    uint64_t *peeled);

/* gen_sctp:eof/2; RFC 6458 5.3.2. Shut one association down; the socket stays open. */
SCTPD_API int sctpd_eof(struct sctpd *, uint64_t sock, uint32_t assoc_id);

/* gen_sctp:abort/2; RFC 6458 5.3.2. Abort one association; the socket stays open. */
SCTPD_API int sctpd_abort(struct sctpd *, uint64_t sock, uint32_t assoc_id);

/* gen_sctp:close/1; RFC 6458 3.1.5. Messages that were sent still arrive. */
SCTPD_API int sctpd_close(struct sctpd *, uint64_t sock);

/*
 * gen_sctp:controlling_process/2. Give the socket to another client. In a
 * session the new owner also gets the events that have not been taken yet. Until
 * the daemon has answered, no event is delivered.
 */
SCTPD_API int sctpd_controlling_process(struct sctpd *, uint64_t sock, uint64_t client);

/*
 * inet:sockname/1, inet:peername/1. addr, of addrlen bytes, receives the address
 * as text, and port the port. 64 bytes are enough for any address. Each may be
 * NULL.
 */
SCTPD_API int sctpd_sockname(struct sctpd *, uint64_t sock, char *addr,
    size_t addrlen, uint16_t *port);
SCTPD_API int sctpd_peername(struct sctpd *, uint64_t sock, char *addr,
    size_t addrlen, uint16_t *port);

/*
 * sctpd: borrow the SCTP descriptor of a socket, to talk to the kernel without
 * the daemon. The socket must be a stream, accepted or peeled off socket that
 * this connection owns; its association must be up, and nothing may wait in it.
 * Until sctpd_return the daemon neither reads the socket nor sends on it: no
 * event comes from it, and sctpd_send returns EINVAL. Its options may still be
 * set.
 *
 * fd receives a descriptor for sctp_recvv(3) and every other call of the kernel,
 * or -1 on errors. It is close-on-exec and non-blocking (fcntl may change that).
 * The caller must close it; this shuts nothing down, because the daemon has its
 * own descriptor. In a session the socket stays lent when the daemon dies. A
 * program that died and resumes must ask for the descriptor again.
 *
 * Errors: EINVAL for other sockets; ENOTCONN; EALREADY if the socket is lent;
 * EAGAIN if something waits in it, which must be received first. After TIMEOUT
 * the socket may be lent. If a session broke during the call, EALREADY says that
 * it is lent, but fd is -1. In both cases return the socket and ask again.
 * EOPNOTSUPP means that the connection cannot pass descriptors; nothing is lent.
 */
SCTPD_API int sctpd_lend(struct sctpd *, uint64_t sock, int *fd);

/*
 * Return the socket to the daemon. What was not received from the descriptor
 * comes from the daemon, and what was sent on it still arrives. Close the
 * descriptor before or after, and do not read from it any more. If the
 * association ended meanwhile, the socket now reports that. EINVAL means that
 * the socket is not lent.
 */
SCTPD_API int sctpd_return(struct sctpd *, uint64_t sock);

/*
 * The descriptor that came with the answer of the last call, which is the
 * caller's to close; -1 if none came. The method tap answers with one if the
 * call has the argument ring: it is the memory that proto/tapring.h describes.
 */
SCTPD_API int sctpd_passed(struct sctpd *);

/* ---- groups --------------------------------------------------------- */

/*
 * sctpd: become a member of a group, whose members own a socket together: each
 * has a part of its associations, or of the messages of one. Whoever opened the
 * socket made the group: sctpd_call(c, NULL, "group sock=%" PRIu64 " name=%s",
 * sock, name). Make the connection a session before (sctpd_resumable), so that
 * nothing is lost when this program dies.
 *
 * The member with the smallest priority, 0 to 1000, is the first; -1 stands for
 * the default, 100. sock, if not NULL, receives the group's socket, on which any
 * member may send with an assoc_id. Events of the group's sockets follow, as of
 * any socket of this connection:
 *
 *	assigned	This client has the socket, with the association
 *			assoc_id. What happens on it comes next.
 *	unassigned	Another member has it now. All that came was acknowledged.
 *	left		This client is no member any more, and did not ask for
 *			that. reason says why.
 *
 * What the library has not acknowledged when the program ends, or its connection
 * breaks, goes to another member; sctpd_resumable says when it acknowledges. If
 * the daemon dies, the session goes on, and the client is a member again if it is
 * back within a second, or within the group's grace. Otherwise left comes.
 *
 * Errors: ENOENT, there is no such group; EACCES, it is another user's, and does
 * not name this user; EALREADY, the client is a member, as it is after
 * sctpd_resume; LIMIT, the group has 64 members; EINVAL, the connection is no
 * session and sctpd_hello was not called; BADARG, the name or priority.
 */
SCTPD_API int sctpd_join(struct sctpd *, const char *name, int priority, uint64_t *sock);

/*
 * Leave a group. The sockets that this client has go to the other members at
 * once. Events that it has taken count as handled; in a session, those that wait
 * go to the other members, and sctpd_next_event does not return them any more.
 * Until the daemon has answered, no event is delivered. Without a session, events
 * that were sent to this client stay its own. Errors: EINVAL, the client is no
 * member; ENOENT, there is no such group.
 *
 * After sctpd_resume the library does not know which sockets the program before
 * it was assigned: take the events that wait before you leave.
 */
SCTPD_API int sctpd_leave(struct sctpd *, const char *name);

/*
 * Take this client out of service in a group: it gets nothing new, and each of its
 * sockets goes to another member, with the event unassigned, when it has handled
 * what it was sent of that socket. sockets, if not NULL, receives how many it has
 * still; when none is left, the program can leave or end, and nobody handles a
 * message twice. Ask again after each unassigned. on = 0 puts it back into service.
 * Errors as for sctpd_leave.
 */
SCTPD_API int sctpd_drain_member(struct sctpd *, const char *name, int on, size_t *sockets);

/* ---- options -------------------------------------------------------- */

/*
 * Modes for sctpd_set_active, as in gen_sctp. A number from -32768 to 32767 is a
 * mode, too: it is added to the number of events that are to come before
 * sctp_passive.
 */
#define SCTPD_PASSIVE	(-100000)
#define SCTPD_ACTIVE	100000
#define SCTPD_ONCE	100001

SCTPD_API int sctpd_set_active(struct sctpd *, uint64_t sock, int mode);

/*
 * inet:setopts/2, getopts/2; RFC 6458 8, 9.5. Set or read one option by name.
 * The value is the struct, or int, that <netinet/sctp.h> has for the option, in
 * the form that setsockopt(2) takes, with numbers in the byte order documented
 * there. sctpd_getopt takes assoc_id and address from the value and then fills
 * it. BADARG means that the name is unknown, or that len is not the option's
 * length. Options can also be set by words: sctpd_call(c, NULL,
 * "setopts sock=%" PRIu64 " options.sctp_nodelay=true", sock).
 */
SCTPD_API int sctpd_setopt(struct sctpd *, uint64_t sock, const char *name,
    const void *value, size_t len);
SCTPD_API int sctpd_getopt(struct sctpd *, uint64_t sock, const char *name,
    void *value, size_t len);

/* ---- messages ------------------------------------------------------- */

enum sctpd_flag {
	SCTPD_UNORDERED = 1,
	SCTPD_ADDR_OVER = 2,	/* with the parameter addr, which sctpd_call can give */
	SCTPD_SACK_IMMEDIATELY = 16	/* RFC 7053 */
};

/* gen_sctp's #sctp_sndrcvinfo{}; RFC 6458 5.3.2. Host order throughout. */
struct sctpd_sndrcvinfo {
	uint16_t	stream;
	uint16_t	ssn;		/* received only */
	uint16_t	flags;		/* enum sctpd_flag */
	uint32_t	ppid;
	uint32_t	context;	/* returned with sctp_send_failed */
	uint32_t	timetolive;	/* ms; 0: without limit */
	uint32_t	tsn;		/* received only */
	uint32_t	cumtsn;		/* received only */
	uint32_t	assoc_id;	/* may be 0 on a one-to-one socket */
};

/*
 * gen_sctp:send/4. Send a message on a stream; the other parameters are those of
 * sctp_default_send_param. Returns when the SCTP stack has accepted the message,
 * which takes a while if the peer is slow. Borrows data.
 *
 * If a peer accepts nothing, messages to it wait, but no other call does: send
 * returns TIMEOUT after the time of sctpd_set_timeout, and the message continues
 * to wait; eof, abort and close are answered. If more than the daemon's
 * association_queue (3 MiB) waits for one peer, which is possible after TIMEOUT
 * and with sctpd_sendmsg_async, the daemon does not read the connection for
 * queue_time (30 seconds). During that time all calls of the connection wait or
 * return TIMEOUT, including close and abort; events still arrive, and sctpd_free
 * works at once. After it calls are answered, and a message to that peer fails
 * with EAGAIN. A program that cannot wait calls sctpd_close or sctpd_abort on
 * another connection, which may use any socket of the same user.
 */
SCTPD_API int sctpd_send(struct sctpd *, uint64_t sock, uint32_t assoc_id,
    uint16_t stream, const void *data, size_t len);

/* gen_sctp:send/3. The same with all parameters. */
SCTPD_API int sctpd_sendmsg(struct sctpd *, uint64_t sock,
    const struct sctpd_sndrcvinfo *, const void *data, size_t len);

/*
 * The same without waiting for the answer, which fn receives. Many messages then
 * share one write and one round trip. Copies data. If fn is NULL, there is no
 * answer, and the event sctp_send_failed reports a failure. Returns EAGAIN and
 * does nothing while 64 MiB wait to be written: call sctpd_flush or sctpd_sync.
 * This function, sctpd_flush and sctpd_process never block, whatever waits.
 */
SCTPD_API int sctpd_sendmsg_async(struct sctpd *, uint64_t sock,
    const struct sctpd_sndrcvinfo *, const void *data, size_t len,
    sctpd_reply_fn *fn, void *arg);

/* For sctpd_send_many. No members will be added. */
struct sctpd_message {
	const void		*data;
	size_t			 len;
	struct sctpd_sndrcvinfo	 info;
	int			 code;	/* result: SCTPD_OK, or why it was not sent */
};

/*
 * Send n messages in order, with as few writes as possible, and wait for all
 * answers. Borrows data until it returns. Each message gets its own code; a
 * message that fails does not stop those after it. sent, if not NULL, receives
 * the number of messages that the SCTP stack has accepted.
 *
 * Returns SCTPD_OK if the stack has accepted all. Otherwise it returns the code
 * of the first message that failed, and sctpd_error() names the message,
 * "einval: message [2] of 10: ...". If it had to stop waiting, it returns the
 * reason: TIMEOUT if nothing was answered for the time of sctpd_set_timeout,
 * LOST, or LIMIT if 65536 events arrived meanwhile. Messages with this code were
 * not answered and may have been sent.
 */
SCTPD_API int sctpd_send_many(struct sctpd *, uint64_t sock,
    struct sctpd_message *, size_t n, size_t *sent);

/*
 * Send up to 64 messages of one association with one call of the daemon, as
 * sendmmsg(2) does. The SCTP stack takes as many as it has room for, from the
 * first on; taken, if not NULL, receives how many. The members assoc_id of the
 * messages may be 0. Messages that were taken have the code SCTPD_OK.
 *
 * Returns SCTPD_OK if all were taken. Otherwise it returns the code of the first
 * that was not, which the others that were not taken have, too: send them again
 * from there. EAGAIN means that there was no room for it. If there is no room for
 * the first message, the function waits until that one was taken. With TIMEOUT and
 * LOST it is not known what was taken.
 */
SCTPD_API int sctpd_sendmmsg(struct sctpd *, uint64_t sock, uint32_t assoc_id,
    struct sctpd_message *, size_t n, size_t *taken);

/* ---- events --------------------------------------------------------- */

/*
 * An event on a socket: a message (with the name "data"), a notification of RFC
 * 6458 6.1 ("sctp_assoc_change"...) or an event of the daemon ("sctp_closed",
 * "sctp_passive"...). It is valid until the next event is asked for, or until
 * the callback returns. New members may be added at the end.
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
	const struct sctpd_value	*fields;	/* all fields, for sctpd_get_str(); see sctpd_events */
	uint64_t			 seq;		/* number of the event, in a session */
	uint64_t			 timestamp;	/* of data: us since 1970; 0 without that option */
};

/*
 * gen_sctp:recv/2; RFC 6458 5.3.5. Take the next event of a passive socket.
 * Waits for at most timeout ms (-1: without limit; 0: does not wait).
 */
SCTPD_API int sctpd_recv(struct sctpd *, uint64_t sock, int timeout,
    const struct sctpd_event **);

/*
 * Take the next event of the active sockets, in the order of arrival; events
 * that arrived during other calls come first. Waits for at most timeout ms (-1:
 * without limit; 0: does not wait), then returns TIMEOUT. LOST comes after the
 * last event.
 */
SCTPD_API int sctpd_next_event(struct sctpd *, int timeout,
    const struct sctpd_event **);

/*
 * The same for many events: wait for the first, and take all others that have
 * been read with it, at most max. ev[0] to ev[n - 1] receive them; n is 0 on
 * errors. They are valid until this function, sctpd_next_event or sctpd_recv is
 * called. Other calls leave them alone, so sctpd_send_many may send their data.
 *
 * Messages are not copied, and their fields is NULL, because the event has all
 * of them. In an event loop this function can replace sctpd_process: call it
 * with timeout 0 until it returns TIMEOUT. A callback that it runs must not call
 * it (BADARG).
 */
SCTPD_API int sctpd_events(struct sctpd *, const struct sctpd_event **ev,
    size_t max, int timeout, size_t *n);

/* ---- event loops ---------------------------------------------------- */

/*
 * The connection's descriptor, or -1 without a connection. It changes when the
 * connection is dialed again, which a session does by itself: see
 * sctpd_session_fn, or ask before each poll. While the daemon is away, it is the
 * descriptor of a timer.
 */
SCTPD_API int sctpd_fd(const struct sctpd *);

/* The events to poll it for: POLLIN, POLLOUT, both or 0. Ask before each poll. */
SCTPD_API short sctpd_wants(const struct sctpd *);

/*
 * Write and read without blocking, and run the callbacks of the answers that
 * arrived. Returns SCTPD_OK, LOST, EPROTO, ENOMEM, SUPERSEDED or NO_SESSION.
 * Events go to the callback of sctpd_on_event. Without one they wait for
 * sctpd_next_event(c, 0, &ev), which must be called until it returns TIMEOUT. A
 * call that waits for its answer reads the events that come before it, and nothing
 * makes the descriptor readable for those: take them before the next poll.
 */
SCTPD_API int sctpd_process(struct sctpd *);

/* Set the function to which sctpd_process passes events; NULL removes it. */
typedef void sctpd_event_fn(struct sctpd *, const struct sctpd_event *, void *arg);
SCTPD_API void sctpd_on_event(struct sctpd *, sctpd_event_fn *fn, void *arg);

/* Write as much as possible without blocking. */
SCTPD_API int sctpd_flush(struct sctpd *);

#ifdef __cplusplus
}
#endif

#endif
