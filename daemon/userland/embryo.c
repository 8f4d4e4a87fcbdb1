/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: embryos, which are associations that usrsctp has and we
 * do not have yet.
 *
 * An embryo waits until it is accepted, or until the notification that it came
 * is read. That may take long, and the association may end meanwhile. But
 * usrsctp knows its peer by the number of a path, so the path is held as long
 * as the embryo is there. usrsctp does not list its associations. But usrsctp
 * answers each association that comes with COOKIE ACK, and hands them out in
 * order of arrival.
 *
 * The peer of an embryo can fill its receive buffer. usrsctp keeps what came
 * until it is taken, even when the peer is gone. So the buffer counts as held
 * (limits/budget.c) for the user of the socket, until the association is taken,
 * or until the peer is gone and had sent no messages. Nobody compares the
 * verification tag of a packet that says that the peer is gone. Such a packet
 * may be forged, so messages that come after it are charged again. The socket
 * is sized anew before each association that comes, so those that come at once
 * have no larger buffers than others.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "userland/userland.h"
#include "util/mem.h"

#define SCTP_I_DATA	0x40	/* RFC 8260; the library's header lacks this number */

struct embryo {
	struct hash_node	 node;		/* key: path and both ports */
	TAILQ_ENTRY(embryo)	 entry;
	struct port		*port;
	struct path		*path;
	struct charged		 charged;	/* for its receive buffer */
	int			 receive;	/* the size of that buffer; 0: it is ours */
	bool			 filled;	/* messages have come for it */
};

static struct hash	embryos;
static bool		has_data;	/* the packet that usrsctp is given now has messages */

static uint64_t
key_of(const struct port *port, const struct path *path, uint16_t peer_port)
{
	return path->node.key << 32 | (uint64_t)peer_port << 16 | port->inner;
}

static struct embryo *
embryo_find(const struct port *port, const struct path *path, uint16_t peer_port)
{
	return HASH_FIND(embryo, &embryos, key_of(port, path, peer_port));
}

static void
embryo_free(struct embryo *h)
{
	TAILQ_REMOVE(&h->port->embryos, h, entry);
	hash_remove(&embryos, &h->node);
	budget_uncharge(&h->charged);
	path_unref(h->path);
	free(h);
}

static void
charge(struct embryo *h)
{
	const struct sock	*s = h->port->sock;

	if (s != NULL && h->receive > 0 && h->charged.user == NULL)
		userland_charge_embryo(&h->charged, s, h->receive);
}

/*
 * The association may be ours already: it restarted, or our answer was lost and
 * is sent again.
 */
void
embryo_add(struct port *port, struct path *path, uint16_t peer_port, bool is_ours)
{
	struct embryo	*h;

	if (embryo_find(port, path, peer_port) != NULL)
		return;			/* COOKIE ACK was lost, and is sent again */
	h = xcalloc(1, sizeof *h);
	h->port = port;
	h->path = path_ref(path);
	if (port->sock != NULL && !is_ours)
		h->receive = userland_receive_size(port->sock);
	h->filled = has_data;
	hash_add(&embryos, &h->node, key_of(port, path, peer_port));
	TAILQ_INSERT_TAIL(&port->embryos, h, entry);
	charge(h);
}

int
embryo_taken(struct port *port, const struct path *path, uint16_t peer_port)
{
	struct embryo	*h = embryo_find(port, path, peer_port);
	int		 receive;

	if (h == NULL)
		return 0;
	receive = h->receive;
	while (TAILQ_FIRST(&port->embryos) != h)
		embryo_free(TAILQ_FIRST(&port->embryos));
	embryo_free(h);
	return receive;
}

void
embryo_over(const struct port *port, const struct path *path, uint16_t peer_port)
{
	struct embryo	*h = embryo_find(port, path, peer_port);

	if (h != NULL && !h->filled)
		embryo_free(h);
}

void
embryo_drop(const struct port *port, const struct path *path, uint16_t peer_port)
{
	struct embryo	*h = embryo_find(port, path, peer_port);

	if (h != NULL)
		embryo_free(h);
}

/* ---- packets for embryos -------------------------------------------- */

static bool
carries_data(const char *packet, size_t len)
{
	uint16_t	n;

	for (size_t at = SCTP_HEADER; at + 4 <= len; at += (n + 3u) & ~3u) {
		if (packet[at] == SCTP_DATA || packet[at] == SCTP_I_DATA)
			return true;
		memcpy(&n, packet + at + 2, sizeof n);
		if ((n = ntohs(n)) < 4)
			return false;
	}
	return false;
}

static bool
may_begin(char kind)
{
	return kind == SCTP_INITIATION || kind == SCTP_COOKIE_ECHO || kind == SCTP_AUTHENTICATION;
}

static bool
ends(char kind)
{
	return kind == SCTP_ABORT_ASSOCIATION || kind == SCTP_SHUTDOWN_COMPLETE ||
	    kind == SCTP_SHUTDOWN_ACK;
}

void
embryo_look(struct port *port, const struct path *path, const char *packet, size_t len)
{
	char		 kind = packet[SCTP_HEADER];
	struct embryo	*h = NULL;

	if (may_begin(kind) && port->sock != NULL)
		userland_size_socket(port->sock);
	if (!TAILQ_EMPTY(&port->embryos))
		h = embryo_find(port, path, packet_port(packet, 0));
	has_data = (may_begin(kind) || h != NULL) && carries_data(packet, len);
	if (h == NULL)
		return;
	if (has_data) {
		h->filled = true;
		charge(h);
	} else if (ends(kind) && !h->filled)
		budget_uncharge(&h->charged);
}

/* ---- all embryos of a port ------------------------------------------ */

void
embryo_move_all(struct port *port)
{
	struct embryo	*h;

	TAILQ_FOREACH(h, &port->embryos, entry)
		budget_move(&h->charged, port->sock->user);
}

void
embryo_uncharge_all(struct port *port)
{
	struct embryo	*h;

	TAILQ_FOREACH(h, &port->embryos, entry)
		budget_uncharge(&h->charged);
}

void
embryo_drop_all(struct port *port)
{
	while (port != NULL && !TAILQ_EMPTY(&port->embryos))
		embryo_free(TAILQ_FIRST(&port->embryos));
}

void
embryo_free_all(void)
{
	struct embryo	*h;

	while ((h = (struct embryo *)(void *)hash_next(&embryos, NULL)) != NULL)
		embryo_free(h);
	hash_free(&embryos);
}
