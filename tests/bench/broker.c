/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sctpd's client: set up with libsctpd, then by hand (wire.h), so that what
 * is measured is the daemon. Many sends share a write, and a window of them
 * waits for its answers.
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link.h"
#include "lib/sctpd.h"

#define WINDOW		512
#define WINDOW_BYTES	(4 << 20)

struct sctpd *
link_dial(const char *path)
{
	struct sctpd	*c = sctpd_new();

	for (int i = 0; c != NULL && sctpd_dial(c, path) != SCTPD_OK; i++) {
		if (i == 1000)
			errx(1, "%s", sctpd_error(c));
		(void)usleep(10000);
	}
	if (c == NULL)
		errx(1, "no memory");
	return c;
}

/* From here on it is ours: it stays open, and libsctpd does not read it. */
static void
take_over(struct link *l, struct sctpd *c)
{
	int	fd = sctpd_fd(c);

	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	wire_init(&l->wire, fd);
}

/* By hand already: what has come before is read with the answer. */
static void
activate(struct link *l, struct sctpd *c)
{
	struct wire_msg	m;

	take_over(l, c);
	wire_activate(&l->wire, l->sock);
	do {
		while (!wire_next(&l->wire, &m))
			wire_fill(&l->wire, true);
	} while (!m.answer && m.data == NULL);
	if (!m.answer || m.failed)
		errx(1, "sctpd: active: %.*s", m.failed ? (int)m.error_len : 0, (const char *)m.error);
}

static void
sctpd_call_peer(struct link *l, const char *addr, uint16_t port)
{
	struct sctpd		*c = link_dial(l->path);
	struct sctpd_assoc	 a;

	if (sctpd_open(c, &l->sock, "port=0") != SCTPD_OK ||
	    (l->udp_port != 0 && sctpd_call(c, NULL, "setopts sock=%" PRIu64
	    " options.sctp_remote_udp_encaps_port.port=%d", l->sock, l->udp_port) != SCTPD_OK) ||
	    sctpd_connect(c, l->sock, addr, port, 10000, &a) != SCTPD_OK)
		errx(1, "sctpd: %s", sctpd_error(c));
	l->assoc_id = a.assoc_id;
	activate(l, c);
}

static struct sctpd *
listen_at(struct link *l, const char *addr)
{
	struct sctpd	*c = link_dial(l->path);

	if (sctpd_open(c, &l->sock, "port=0 ip=%s", addr) != SCTPD_OK ||
	    sctpd_sockname(c, l->sock, NULL, 0, &l->port) != SCTPD_OK ||
	    sctpd_listen(c, l->sock, -1) != SCTPD_OK)
		errx(1, "sctpd: %s", sctpd_error(c));
	return c;
}

/* Many associations will come. */
void
link_sctpd_listen(struct link *l, const char *addr)
{
	activate(l, listen_at(l, addr));
}

static void
sctpd_serve(struct link *l, const char *addr, void (*say)(uint16_t port))
{
	struct sctpd			*c = listen_at(l, addr);
	const struct sctpd_event	*ev;

	say(l->port);
	if (sctpd_recv(c, l->sock, -1, &ev) != SCTPD_OK)
		errx(1, "sctpd: %s", sctpd_error(c));
	l->assoc_id = ev->assoc_id;
	activate(l, c);
}

/* The next message with data, or NULL; answers are counted on the way. */
static const void *
next_data(struct link *l, size_t *len)
{
	struct wire_msg	m;

	while (wire_next(&l->wire, &m)) {
		if (m.failed)
			errx(1, "sctpd: %.*s", (int)m.error_len, (const char *)m.error);
		if (m.answer)
			l->unanswered--;
		else if (m.data != NULL) {
			*len = m.len;
			return m.data;
		}
	}
	return NULL;
}

/* Wait until half the window is answered. No data comes meanwhile. */
static void
make_room(struct link *l, uint32_t window)
{
	size_t	len;

	wire_push(&l->wire);
	while (l->unanswered > window / 2) {
		wire_fill(&l->wire, true);
		if (next_data(l, &len) != NULL)
			errx(1, "sctpd: data came too early");
	}
}

static void
sctpd_put(struct link *l, const void *data, size_t len)
{
	uint32_t	window = len > WINDOW_BYTES / WINDOW ? (uint32_t)(WINDOW_BYTES / len) : WINDOW;

	if (l->head_bytes != len || l->head.request != l->answers) {
		wire_send_head(&l->head, l->answers, l->sock, l->assoc_id, len);
		l->head_bytes = len;
	}
	if (l->answers) {
		if (l->unanswered >= window)
			make_room(l, window);
		l->unanswered++;
	}
	wire_put(&l->wire, &l->head, data, len);
}

static void
sctpd_push(struct link *l)
{
	wire_push(&l->wire);
}

static const void *
sctpd_take(struct link *l, size_t *len)
{
	const void	*data;

	while ((data = next_data(l, len)) == NULL) {
		wire_push(&l->wire);
		wire_fill(&l->wire, true);
	}
	return data;
}

const struct link_kind link_sctpd = {
	"sctpd", sctpd_call_peer, sctpd_serve, sctpd_put, sctpd_push, sctpd_take
};

/* ---- requests that ask nothing of SCTP ------------------------------ */

static void
rpc_call(struct link *l, const char *addr, uint16_t port)
{
	(void)addr, (void)port;
	take_over(l, link_dial(l->path));
}

static void
rpc_put(struct link *l, const void *data, size_t len)
{
	(void)data, (void)len;
	wire_noop(&l->wire);
}

static const void *
rpc_take(struct link *l, size_t *len)
{
	struct wire_msg	m;

	while (!wire_next(&l->wire, &m)) {
		wire_push(&l->wire);
		wire_fill(&l->wire, true);
	}
	if (m.failed)
		errx(1, "sctpd: %.*s", (int)m.error_len, (const char *)m.error);
	*len = 0;
	return l->buf;
}

const struct link_kind link_rpc = {
	.name = "rpc", .call = rpc_call, .put = rpc_put, .push = sctpd_push, .take = rpc_take
};

/* ---- a descriptor that the daemon lends ----------------------------- */

static bool
has_lend(struct sctpd *c)
{
	const struct sctpd_value	*v, *methods;

	if (sctpd_call(c, &v, "describe") != SCTPD_OK)
		errx(1, "sctpd: %s", sctpd_error(c));
	methods = sctpd_get(v, "methods");
	for (size_t i = 0; i < sctpd_count(methods); i++)
		if (strcmp(sctpd_get_str(sctpd_item(methods, i), "name"), "lend") == 0)
			return true;
	return false;
}

/* The answer to lend, and the descriptor that comes beside it. */
static int
borrow(struct link *l)
{
	union {
		struct cmsghdr	h;
		char		space[CMSG_SPACE(sizeof(int))];
	}		 control;
	struct iovec	 iov = { l->buf, 4096 };
	struct msghdr	 msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof control };
	struct cmsghdr	*h;
	int		 fd;
	ssize_t		 n = recvmsg(l->wire.fd, &msg, MSG_CMSG_CLOEXEC);

	h = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (h == NULL || h->cmsg_type != SCM_RIGHTS)
		errx(1, "lend: no descriptor came: %.*s", n > 0 ? (int)n : 0, l->buf);
	memcpy(&fd, CMSG_DATA(h), sizeof fd);
	return fd;
}

static void
lend_call(struct link *l, const char *addr, uint16_t port)
{
	struct sctpd		*c = link_dial(l->path);
	struct sctpd_assoc	 a;

	if (!has_lend(c))
		_exit(3);
	if (sctpd_open(c, &l->sock, "port=0 type=stream") != SCTPD_OK ||
	    sctpd_connect(c, l->sock, addr, port, 10000, &a) != SCTPD_OK)
		errx(1, "sctpd: %s", sctpd_error(c));
	take_over(l, c);
	wire_lend(&l->wire, l->sock);
	l->fd = borrow(l);
	(void)fcntl(l->fd, F_SETFL, fcntl(l->fd, F_GETFL) & ~O_NONBLOCK);
	link_tune(l->fd, true);
}

static void
lend_put(struct link *l, const void *data, size_t len)
{
	link_direct.put(l, data, len);
}

static const void *
lend_take(struct link *l, size_t *len)
{
	return link_direct.take(l, len);
}

static void
lend_push(struct link *l)
{
	(void)l;
}

const struct link_kind link_lend = {
	.name = "lend", .call = lend_call, .put = lend_put, .push = lend_push, .take = lend_take
};
