/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: peers whose UDP port changes while they are associated,
 * as that of one behind a NAT does when this forgets it (RFC 6951 5.4).
 *
 * A packet from a port that is none of its peer's is an association's if it
 * has the tag that usrsctp chose for that: who is not on the way cannot guess
 * it. An INIT has none. One from another port is another peer's, of which
 * there may be many at the address of a NAT, and changes nothing.
 */
#include <arpa/inet.h>
#include <string.h>

#include "addr.h"
#include "log.h"
#include "userland.h"

/* The library has it, though its header has not. */
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

static struct userland_assoc *
of_node(struct hash_node *n)
{
	return (struct userland_assoc *)(void *)((char *)n - offsetof(struct userland_assoc, tag));
}

static bool
is_host(const struct path *p, const struct sockaddr_storage *from)
{
	struct sockaddr_storage	a = p->peer;

	addr_set_port(&a, addr_port(from));
	return addr_equal(&a, from);
}

/* The path of the association that the packet is of; or NULL. */
static struct path *
by_packet(const struct local *local, const struct sockaddr_storage *from, const char *packet)
{
	struct {
		uint16_t	from;
		uint16_t	to;
		uint32_t	tag;
	}			 h;
	uint64_t		 key;
	struct path		*p;

	memcpy(&h, packet, sizeof h);
	key = key_of(ntohl(h.tag), ntohs(h.from), ntohs(h.to));
	for (struct hash_node *n = hash_find(&by_tag, key); n != NULL; n = n->next) {
		p = of_node(n)->path;
		if (n->key == key && p->local == local && is_host(p, from))
			return p;
	}
	return NULL;
}

/* Else it is the path that its ends name. */
struct path *
path_for(struct local *local, const struct sockaddr_storage *from, const char *packet)
{
	struct path	*p = by_packet(local, from, packet);

	if (p == NULL)
		return path_get(local, from, false);
	if (!addr_equal(&p->peer, from)) {
		if (log_allowed())
			log_debug("peer at UDP port %u: is at %u now", addr_port(&p->peer),
			    addr_port(from));
		path_move(p, from);
	}
	return p;
}
