/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: associations that usrsctp has and we have not yet.
 *
 * They wait until they are accepted, or until it is read that they came. That
 * may take long, and they may end meanwhile, but usrsctp knows their peers by
 * the number of a path: it is held as long. usrsctp does not say which there
 * are, but answers each that comes with COOKIE ACK, and gives them in order.
 *
 * A peer can fill the receive buffer of such a one. usrsctp keeps what came until
 * it is taken, even when its peer is gone. So that much counts as held (budget.c)
 * for the user of the socket: until it is taken, or the peer is gone and sent
 * nothing. Nobody compares the tag of what says so: it may be a lie, and what
 * comes after it is charged again. The socket is sized anew before each that
 * comes, so those that come at once have no larger buffers than others.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "userland.h"

#define SCTP_I_DATA	0x40	/* RFC 8260, of which the library's header has not the number */

struct hold {
	struct hash_node	 node;		/* key: path and both ports */
	TAILQ_ENTRY(hold)	 entry;
	struct port		*port;
	struct path		*path;
	struct charged		 charged;	/* for its receive buffer */
	int			 receive;	/* which has so many bytes; 0: it is ours */
	bool			 filled;	/* messages came */
};

static struct hash	holds;
static bool		has_data;	/* the packet that usrsctp is given has messages */

static uint64_t
key_of(const struct port *port, const struct path *path, uint16_t peer_port)
{
	return path->node.key << 32 | (uint64_t)peer_port << 16 | port->inner;
}

static struct hold *
hold_find(const struct port *port, const struct path *path, uint16_t peer_port)
{
	return HASH_FIND(hold, &holds, key_of(port, path, peer_port));
}

static void
hold_free(struct hold *h)
{
	TAILQ_REMOVE(&h->port->holds, h, entry);
	hash_remove(&holds, &h->node);
	budget_uncharge(&h->charged);
	path_unref(h->path);
	free(h);
}

static void
charge(struct hold *h)
{
	const struct sock	*s = h->port->sock;

	if (s != NULL && h->receive > 0 && h->charged.user == NULL)
		userland_charge_hold(&h->charged, s, h->receive);
}

/* It may be ours already: it restarted, or the answer was lost and is sent again. */
void
hold_add(struct port *port, struct path *path, uint16_t peer_port)
{
	struct hold	*h;

	if (hold_find(port, path, peer_port) != NULL)
		return;			/* the answer was lost, and is sent again */
	h = xcalloc(1, sizeof *h);
	h->port = port;
	h->path = path_ref(path);
	if (port->sock != NULL && port_assoc(port, path, peer_port) == NULL)
		h->receive = userland_receive_size(port->sock);
	h->filled = has_data;
	hash_add(&holds, &h->node, key_of(port, path, peer_port));
	TAILQ_INSERT_TAIL(&port->holds, h, entry);
	charge(h);
}

int
hold_taken(struct port *port, const struct path *path, uint16_t peer_port)
{
	struct hold	*h = hold_find(port, path, peer_port);
	int		 receive;

	if (h == NULL)
		return 0;
	receive = h->receive;
	while (TAILQ_FIRST(&port->holds) != h)
		hold_free(TAILQ_FIRST(&port->holds));
	hold_free(h);
	return receive;
}

void
hold_over(const struct port *port, const struct path *path, uint16_t peer_port)
{
	struct hold	*h = hold_find(port, path, peer_port);

	if (h != NULL && !h->filled)
		hold_free(h);
}

void
hold_drop(const struct port *port, const struct path *path, uint16_t peer_port)
{
	struct hold	*h = hold_find(port, path, peer_port);

	if (h != NULL)
		hold_free(h);
}

/* ---- what comes for them -------------------------------------------- */

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

/* May it begin an association? */
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
hold_look(struct port *port, const struct path *path, const char *packet, size_t len)
{
	char		 kind = packet[SCTP_HEADER];
	struct hold	*h = NULL;

	if (may_begin(kind) && port->sock != NULL)
		userland_size_socket(port->sock);
	if (!TAILQ_EMPTY(&port->holds))
		h = hold_find(port, path, packet_port(packet, 0));
	has_data = (may_begin(kind) || h != NULL) && carries_data(packet, len);
	if (h == NULL)
		return;
	if (has_data) {
		h->filled = true;
		charge(h);
	} else if (ends(kind) && !h->filled)
		budget_uncharge(&h->charged);
}

/* ---- all of a port's ------------------------------------------------ */

void
hold_move_all(struct port *port)
{
	struct hold	*h;

	TAILQ_FOREACH(h, &port->holds, entry)
		budget_move(&h->charged, port->sock->user);
}

void
hold_uncharge_all(struct port *port)
{
	struct hold	*h;

	TAILQ_FOREACH(h, &port->holds, entry)
		budget_uncharge(&h->charged);
}

void
hold_drop_all(struct port *port)
{
	while (port != NULL && !TAILQ_EMPTY(&port->holds))
		hold_free(TAILQ_FIRST(&port->holds));
}

void
hold_free_all(void)
{
	struct hold	*h;

	while ((h = (struct hold *)(void *)hash_next(&holds, NULL)) != NULL)
		hold_free(h);
	hash_free(&holds);
}
