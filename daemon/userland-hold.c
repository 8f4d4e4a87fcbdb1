/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: associations that usrsctp has and we have not yet.
 *
 * They wait until they are accepted, or until it is read that they came. That
 * may take long, and they may end meanwhile, but usrsctp knows their peers by
 * the number of a path: it is held as long. usrsctp does not say which there
 * are, but answers each that comes with COOKIE ACK, and gives them in order.
 *
 * They have buffers, with which the user of their socket is charged. usrsctp is
 * not to be called from where it sends: the socket is sized a little later.
 */
#include <stdlib.h>

#include "mem.h"
#include "userland.h"

struct hold {
	struct hash_node	 node;		/* key: path and both ports */
	TAILQ_ENTRY(hold)	 entry;
	struct port		*port;
	struct path		*path;
	struct charged		 charged;	/* for its buffers */
};

static struct hash	holds;

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

/* It may be ours already: it restarted, or the answer was lost and is sent again. */
static void
charge(struct hold *h, uint16_t peer_port)
{
	struct sock	*s = h->port->sock;

	if (s == NULL || port_assoc(h->port, h->path, peer_port) != NULL)
		return;
	userland_charge_hold(&h->charged, s);
	wake_now(&s->stack.userland->size);
}

void
hold_add(struct port *port, struct path *path, uint16_t peer_port)
{
	struct hold	*h;

	if (hold_find(port, path, peer_port) != NULL)
		return;			/* the answer was lost, and is sent again */
	h = xcalloc(1, sizeof *h);
	h->port = port;
	h->path = path_ref(path);
	hash_add(&holds, &h->node, key_of(port, path, peer_port));
	TAILQ_INSERT_TAIL(&port->holds, h, entry);
	charge(h, peer_port);
}

void
hold_taken(struct port *port, const struct path *path, uint16_t peer_port)
{
	struct hold	*h = hold_find(port, path, peer_port);

	while (h != NULL && TAILQ_FIRST(&port->holds) != h)
		hold_free(TAILQ_FIRST(&port->holds));
	if (h != NULL)
		hold_free(h);
}

void
hold_drop(const struct port *port, const struct path *path, uint16_t peer_port)
{
	struct hold	*h = hold_find(port, path, peer_port);

	if (h != NULL)
		hold_free(h);
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
