/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a daemon might say to libsctpd in a session: over connections that
 * break, each of which begins with an answer to hello, with descriptors that
 * nobody asked for, and with the rest of the input. The program makes calls of
 * every kind meanwhile. Nothing may crash, hang, leak memory or a descriptor.
 *
 * The last bytes of the input say where it is cut, what the answers to hello
 * are like, and which connections bring a descriptor. Time is the fuzzer's, so
 * nobody waits.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "proto/codec.h"
#include "lib/dial.h"

int	__wrap_clock_gettime(clockid_t, struct timespec *);

#define CUTS		7	/* of three connections' two parts */
#define TOKEN		"0123456789abcdef0123456789abcdef"

static int64_t			now_ms = 1000000;
static int			listener, null;
static struct sockaddr_un	where = { .sun_family = AF_UNIX };

int
__wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	(void)id;
	now_ms++;		/* who asks again and again sees it go by */
	t->tv_sec = (time_t)(now_ms / 1000);
	t->tv_nsec = (long)(now_ms % 1000 * 1000000);
	return 0;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	(void)snprintf(where.sun_path + 1, sizeof where.sun_path - 1, "sctpd-fuzz-%d", (int)getpid());
	must((null = open("/dev/null", O_RDWR | O_CLOEXEC)) != -1);
	must((listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) != -1);
	must(bind(listener, (struct sockaddr *)&where, sizeof where) == 0);
	must(listen(listener, 16) == 0);
	return 0;
}

/* ---- the daemon --------------------------------------------------------- */

/* How the answer to hello is, and what goes with it. */
struct plan {
	uint8_t	seq;
	uint8_t	notes;
	uint8_t	how;
};

enum { FORGOT = 1, SURVIVES = 2, HELLO_FIRST = 4, PASSES = 8, LITTLE = 16, OTHER_TOKEN = 32 };

static size_t
make_hello(char *to, size_t size, const struct plan *p)
{
	msgpack_sbuffer	buf;
	msgpack_packer	pk;
	size_t		n;

	msgpack_sbuffer_init(&buf);
	msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
	msgpack_pack_array(&pk, 4);
	msgpack_pack_int(&pk, 1);
	msgpack_pack_uint32(&pk, HELLO_ID);
	if (p->how & FORGOT)
		codec_pack_text(&pk, "eacces: no such session");
	else
		msgpack_pack_nil(&pk);
	msgpack_pack_map(&pk, 6);
	codec_pack_text(&pk, "resume");
	codec_pack_text(&pk, p->how & OTHER_TOKEN ? "x" : TOKEN);
	codec_pack_text(&pk, "client");
	msgpack_pack_int(&pk, 7);
	codec_pack_text(&pk, "seq");
	msgpack_pack_int(&pk, (int8_t)p->seq);
	codec_pack_text(&pk, "notifications");
	msgpack_pack_int(&pk, (int8_t)p->notes);
	codec_pack_text(&pk, "limits");
	msgpack_pack_map(&pk, 1);
	codec_pack_text(&pk, "client_queue");
	msgpack_pack_int(&pk, p->how & LITTLE ? 10 : 1000000);
	codec_pack_text(&pk, "features");
	msgpack_pack_array(&pk, 1);
	codec_pack_text(&pk, p->how & SURVIVES ? "survive" : "netns");
	n = buf.size < size ? buf.size : size;
	memcpy(to, buf.data, n);
	msgpack_sbuffer_destroy(&buf);
	return n;
}

static void
write_with(int fd, const void *data, size_t n, bool pass)
{
	union {
		char		buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr	head;
	} control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
	    .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec	iov = { (void *)(uintptr_t)data, n };
	struct msghdr	msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	memcpy(CMSG_DATA(&control.head), &null, sizeof null);
	if (pass) {
		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof control.buf;
	}
	if (n > 0)
		(void)!sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
say(int fd, const uint8_t *data, size_t n, const struct plan *p)
{
	char	hello[512];
	size_t	len = make_hello(hello, sizeof hello, p);

	if (p->how & HELLO_FIRST)
		write_with(fd, hello, len, false);
	write_with(fd, data, n, (p->how & PASSES) != 0);
	if (!(p->how & HELLO_FIRST))
		write_with(fd, hello, len, false);
}

/* ---- the program -------------------------------------------------------- */

/* Whoever reads a byte that is not there is caught by the sanitizer. */
static size_t
walk(const struct sctpd_value *v)
{
	size_t		 len, n;
	const char	*s = sctpd_str(v, &len);

	n = strlen(s) + len + (size_t)sctpd_int(v);
	for (size_t i = 0; i < sctpd_count(v); i++)
		n += strlen(sctpd_key(v, i)) + walk(sctpd_item(v, i));
	return n;
}

static size_t
read_event(const struct sctpd_event *ev)
{
	size_t	n = walk(ev->fields) + strlen(ev->name) + strlen(ev->from) +
		    (size_t)(unsigned char)ev->data[ev->len];

	for (size_t i = 0; i < ev->len; i++)
		n += (unsigned char)ev->data[i];
	return n;
}

static void
on_event(struct sctpd *c, const struct sctpd_event *ev, void *arg)
{
	*(size_t *)arg += read_event(ev);
	(void)sctpd_send(c, 1, 1, 0, "from inside", 11);
}

static void
on_reply(struct sctpd *c, int code, const struct sctpd_value *v, void *arg)
{
	*(size_t *)arg += walk(v) + strlen(sctpd_error(c)) + (size_t)code;
}

static void
on_change(struct sctpd *c, enum sctpd_session_change change, void *arg)
{
	uint64_t	seq;

	*(size_t *)arg += strlen(sctpd_session(c, &seq)) + (size_t)change + (size_t)sctpd_fd(c);
	(void)sctpd_call_async(c, on_reply, arg, "status");
}

/* What waits for its answer as the daemon speaks. */
static void
ask(struct sctpd *c, size_t *sum)
{
	struct sctpd_sndrcvinfo	info = { .assoc_id = 1 };

	(void)sctpd_call_async(c, on_reply, sum, "status");
	(void)sctpd_sendmsg_async(c, 1, &info, "noted", 5, NULL, NULL);
	(void)sctpd_sendmsg_async(c, 1, &info, "asked", 5, on_reply, sum);
	(void)sctpd_call_async(c, on_reply, sum, "close sock=1");
	(void)sctpd_flush(c);
}

static void
send_some(struct sctpd *c, size_t *sum)
{
	struct sctpd_message	m[3] = { { .data = "a", .len = 1 }, { .data = "b", .len = 1 },
				    { .data = "c", .len = 1 } };
	size_t			sent;

	(void)sctpd_send_many(c, 1, m, 3, &sent);
	*sum += sent;
}

static void
call_some(struct sctpd *c, size_t *sum)
{
	const struct sctpd_value	*v;
	struct sctpd_assoc		 a;
	uint64_t			 sock;
	int				 fd = -1;

	(void)sctpd_open(c, &sock, "port=0");
	(void)sctpd_connect(c, 1, "::1", 1, 0, &a);
	(void)sctpd_controlling_process(c, 1, 5);
	if (sctpd_lend(c, 1, &fd) == SCTPD_OK && fd != -1)
		close(fd);
	if (sctpd_call(c, &v, "status") == SCTPD_OK)
		*sum += walk(v);
}

static void
take_some(struct sctpd *c, size_t *sum)
{
	const struct sctpd_event	*ev, *many[4];
	size_t				 n = 0;

	if (sctpd_events(c, many, 4, 0, &n) == SCTPD_OK)
		send_some(c, sum);	/* what was given stays meanwhile */
	for (size_t i = 0; i < n; i++)
		*sum += read_event(many[i]);
	if (sctpd_recv(c, 1, 0, &ev) == SCTPD_OK)
		*sum += read_event(ev);
	for (int i = 0; i < 20 && sctpd_next_event(c, 0, &ev) == SCTPD_OK; i++)
		*sum += read_event(ev);
}

/* The next connection, if the library comes for one. */
static int
accept_next(struct sctpd *c)
{
	(void)sctpd_process(c);
	now_ms += 5000;
	(void)sctpd_process(c);
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

/* What comes with the answer to hello, what comes later, and the end. */
static void
talk(struct sctpd *c, int fd, const uint8_t *data, const size_t cut[CUTS], const struct plan *p,
    size_t *sum)
{
	(void)sctpd_process(c);
	for (int i = 0; fd != -1 && i + 1 < CUTS; i++) {
		ask(c, sum);
		if (i > 0 && i % 2 == 0)
			say(fd, data + cut[i], cut[i + 1] - cut[i], p);
		else if (i % 2 == 1)
			write_with(fd, data + cut[i], cut[i + 1] - cut[i], false);
		if (i > 3)
			(void)sctpd_process(c);	/* events come to a callback now */
		take_some(c, sum);
		call_some(c, sum);
		send_some(c, sum);
		if (i % 2 == 0)
			continue;
		sctpd_on_event(c, i == 3 ? on_event : NULL, sum);
		close(fd);
		fd = accept_next(c);
	}
	if (fd != -1)
		close(fd);
	take_some(c, sum);
	(void)sctpd_flush(c);
	sctpd_free(c);
	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) != -1)
		close(fd);
}

/* ---- the input ---------------------------------------------------------- */

#define LAST	(3 + CUTS - 2)

static int
next_fd(void)
{
	int	fd = dup(null);

	close(fd);
	return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static size_t	 sum;
	struct sctpd	*c;
	struct plan	 p;
	size_t		 cut[CUTS] = { 0 };
	int		 fds[2], before = next_fd();

	if (n < LAST)
		return 0;
	n -= LAST;
	p = (struct plan){ data[n], data[n + 1], data[n + 2] ^ SURVIVES };
	for (int i = 1; i < CUTS - 1; i++)
		cut[i] = cut[i - 1] + (n - cut[i - 1]) * data[n + 2 + (size_t)i] / 255;
	cut[CUTS - 1] = n;
	must((c = sctpd_new()) != NULL && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	must(sctpd_resumable(c, 60000, on_change, &sum) == SCTPD_OK);
	if (p.seq & 0x80)
		(void)sctpd_resume(c, TOKEN, p.notes);
	sctpd_set_timeout(c, 0);
	dial_remember(c, &where);	/* as sctpd_dial does */
	say(fds[1], data, cut[1], &p);
	(void)sctpd_use_fd(c, fds[0]);
	talk(c, fds[1], data, cut, &p, &sum);
	must(next_fd() == before);
	return 0;
}
