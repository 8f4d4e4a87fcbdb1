/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: peers whose UDP port changes while they are associated.
 * That happens to a peer behind a NAT when the NAT forgets the old port (RFC
 * 6951 5.4).
 *
 * A packet from an unknown UDP port belongs to an association if it carries the
 * verification tag that usrsctp chose for that association. Whoever is not on
 * the path cannot guess the tag. An INIT carries no tag. So an INIT from an
 * unknown port is taken as another peer's, of which there may be many at the
 * address of a NAT, and changes nothing.
 */
#include <arpa/inet.h>
#include <string.h>

#include "proto/addr.h"
#include "userland/userland.h"
#include "util/log.h"

/* The library has this option, though its header does not. */
#define GET_NONCE_VALUES	0x00001105

struct nonce_values {
	sctp_assoc_t	assoc_id;
	uint32_t	peers_tag;
	uint32_t	local_tag;
};

static struct hash	by_tag;

static uint64_t
key_of(uint32_t tag, uint16_t from, uint16_t to)
{
	return (uint64_t)tag << 32 | (uint64_t)from << 16 | to;
}

void
userland_forget(struct userland_assoc *ua)
{
	if (ua->is_known)
		hash_remove(&by_tag, &ua->tag);
	ua->is_known = false;
}

void
userland_know(struct userland_assoc *ua)
{
	struct nonce_values	v = { .assoc_id = userland_id(ua->assoc) };
	socklen_t		len = sizeof v;

	userland_forget(ua);
	if (usrsctp_getsockopt(userland_so(ua->assoc), IPPROTO_SCTP, GET_NONCE_VALUES, &v,
	    &len) == -1 || v.local_tag == 0)
		return;
	hash_add(&by_tag, &ua->tag,
	    key_of(v.local_tag, addr_port(&ua->assoc->peer), ua->port->number));
	ua->is_known = true;
}

void
userland_forget_all(void)
{
	hash_free(&by_tag);
}

/* The path of the association that a packet belongs to, whatever its UDP port; or NULL. */
static struct path *
by_packet(const struct local *local, const struct sockaddr_storage *from, const char *packet)
{
	struct {
		uint16_t	from;
		uint16_t	to;
		uint32_t	tag;
	}			 h;
	uint64_t		 key;
	struct userland_assoc	*ua;
	struct sockaddr_storage	 peer;

	memcpy(&h, packet, sizeof h);
	key = key_of(ntohl(h.tag), ntohs(h.from), ntohs(h.to));
	for (struct hash_node *n = hash_find(&by_tag, key); n != NULL; n = n->next) {
		if (n->key != key)
			continue;
		ua = (struct userland_assoc *)(void *)((char *)n -
		    offsetof(struct userland_assoc, tag));
		peer = ua->path->peer;
		addr_set_port(&peer, addr_port(from));
		if (ua->path->local == local && addr_equal(&peer, from))
			return ua->path;
	}
	return NULL;
}

/* A packet of no known association has the path that its two ends name. */
struct path *
path_for(struct local *local, const struct sockaddr_storage *from, const char *packet)
{
	struct path	*p = by_packet(local, from, packet);

	if (p == NULL)
		return path_get(local, from, false);
	if (!addr_equal(&p->peer, from)) {
		if (log_allowed(LOG_DEBUG, "peer at another UDP port"))
			log_debug("peer at UDP port %u: is at %u now", addr_port(&p->peer),
			    addr_port(from));
		path_move(p, from);
	}
	return p;
}
