/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: SCTP ports.
 *
 * A port stays known as long as associations live that use it, though its
 * socket may be closed: their packets need the port. Another socket may then
 * bind the same number again, as the kernel allows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/addr.h"
#include "userland/userland.h"
#include "util/mem.h"
#include "util/random.h"

/* The range that sockets without a port of their choice get one from, as on Linux. */
#define FIRST_ANY	32768
#define LAST_ANY	60999

static struct hash	ports, inner_ports, by_both_ends;

static bool
is_any(const struct sockaddr_storage *ss)
{
	struct sockaddr_storage	any = { .ss_family = ss->ss_family };

	addr_set_port(&any, addr_port(ss));
	return addr_equal(ss, &any);
}

static struct sockaddr_storage
without_port(const struct sockaddr_storage *ss)
{
	struct sockaddr_storage	a = *ss;

	addr_set_port(&a, 0);
	return a;
}

/* The wildcard address of IPv6 covers IPv4, too, unless the socket is set otherwise. */
static bool
covers(const struct port *p, const struct sockaddr_storage *mine,
    const struct sockaddr_storage *other)
{
	struct sockaddr_storage	a = without_port(mine), b = without_port(other);

	if (!is_any(&a))
		return addr_equal(&a, &b);
	return a.ss_family == b.ss_family || (a.ss_family == AF_INET6 && !p->v6only);
}

static bool
port_covers(const struct port *p, const struct sockaddr_storage *to)
{
	for (size_t i = 0; i < p->naddrs; i++) {
		if (covers(p, &p->addrs[i], to))
			return true;
	}
	return false;
}

/* The next port that has a number, or the first. */
static struct port *
port_next(const struct port *p, uint16_t number)
{
	struct hash_node	*n = p == NULL ? hash_find(&ports, number) : p->node.next;

	while (n != NULL && n->key != number)
		n = n->next;
	return (struct port *)(void *)n;
}

/* Associations by their ends: as a port may have many, they are not searched one by one. */
static uint64_t
key_of(const struct port *p, const struct path *path, uint16_t peer_port)
{
	return path->node.key << 32 | (uint64_t)peer_port << 16 | p->inner;
}

void
port_add_assoc(struct userland_assoc *ua)
{
	(void)port_ref(ua->port);
	hash_add(&by_both_ends, &ua->both_ends,
	    key_of(ua->port, ua->path, addr_port(&ua->assoc->peer)));
}

void
port_remove_assoc(struct userland_assoc *ua)
{
	hash_remove(&by_both_ends, &ua->both_ends);
	port_unref(ua->port);
}

struct userland_assoc *
port_assoc(const struct port *p, const struct path *path, uint16_t peer_port,
    const struct userland_assoc *after)
{
	uint64_t		 key = key_of(p, path, peer_port);
	struct hash_node	*n = after == NULL ? hash_find(&by_both_ends, key) : after->both_ends.next;

	while (n != NULL && n->key != key)
		n = n->next;
	return n == NULL ? NULL : (struct userland_assoc *)(void *)((char *)n -
	    offsetof(struct userland_assoc, both_ends));
}

struct port *
port_for(const struct path *path, uint16_t from, uint16_t to)
{
	struct port	*p = NULL, *best = NULL;
	unsigned	 n = 0;

	while ((p = port_next(p, to)) != NULL) {
		if (!port_covers(p, &path->local->addr))
			continue;
		/* The best is one that listens, or at least one that is open. */
		if (best == NULL || (p->open && !best->open) ||
		    (p->listening && !best->listening))
			best = p;
		n++;
	}
	if (n < 2)
		return best;
	/* Several ports match: look for the one that has the packet's association. */
	while ((p = port_next(p, to)) != NULL) {
		if (port_covers(p, &path->local->addr) && port_assoc(p, path, from, NULL) != NULL)
			return p;
	}
	return best;
}

static struct port *
by_inner(uint16_t inner)
{
	struct hash_node	*n = hash_find(&inner_ports, inner);

	return n == NULL ? NULL :
	    (struct port *)(void *)((char *)n - offsetof(struct port, inner_node));
}

struct port *
port_inside(uint16_t inner)
{
	return by_inner(inner);
}

bool
port_is_inside(uint16_t inner)
{
	return by_inner(inner) != NULL;
}

/* ---- opening -------------------------------------------------------- */

static bool
port_meets(const struct port *a, const struct port *b)
{
	for (size_t i = 0; i < b->naddrs; i++) {
		if (port_covers(a, &b->addrs[i]))
			return true;
	}
	for (size_t i = 0; i < a->naddrs; i++) {
		if (port_covers(b, &a->addrs[i]))
			return true;
	}
	return false;
}

/* Whether another socket has an address with this port, and the two do not share the port. */
static bool
is_taken(const struct port *want, uint16_t number)
{
	struct port	*p = NULL;

	while ((p = port_next(p, number)) != NULL) {
		if (p->open && !(p->reuse && want->reuse) && port_meets(p, want))
			return true;
	}
	return false;
}

bool
port_has_listener(const struct port *own)
{
	struct port	*p = NULL;

	while ((p = port_next(p, own->number)) != NULL) {
		if (p != own && p->listening && port_meets(p, own))
			return true;
	}
	return false;
}

static uint16_t
any_number(void)
{
	uint32_t	r;

	random_fill(&r, sizeof r);
	return (uint16_t)(FIRST_ANY + r % (LAST_ANY - FIRST_ANY + 1));
}

static int
choose_number(struct port *p, uint16_t number)
{
	for (int i = 0; number == 0 && i < 4 * (LAST_ANY - FIRST_ANY); i++) {
		number = any_number();
		if (port_next(NULL, number) != NULL)
			number = 0;
	}
	if (number == 0 || is_taken(p, number))
		return EADDRINUSE;
	p->number = number;
	while (port_is_inside(number))	/* inside usrsctp the same number, if possible */
		number = any_number();
	p->inner = number;
	return 0;
}

/*
 * Check the i-th address. It must be of this host and differ from those before
 * it, and the wildcard must stand alone.
 */
static int
check_addr(const struct sockaddr_storage *addrs, size_t i)
{
	struct sockaddr_storage	a = without_port(&addrs[i]);
	int			fd, number = 0;

	for (size_t k = 0; k < i; k++) {
		if (addr_equal(&addrs[k], &addrs[i]) || is_any(&addrs[k]) || is_any(&addrs[i]))
			return EINVAL;
	}
	/* The kernel knows the addresses of this host: ask it by binding a UDP socket. */
	if ((fd = socket(a.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return errno;
	if (bind(fd, (struct sockaddr *)&a, addr_len(&a)) == -1)
		number = errno;
	(void)close(fd);
	return number;
}

int
port_open(const struct sockaddr_storage *addrs, size_t n, uint16_t number,
    const struct port *like, struct port **made)
{
	struct port	*p = xcalloc(1, sizeof *p + n * sizeof *addrs);
	int		 error = 0;

	p->open = true;
	p->v6only = like->v6only;
	p->reuse = like->reuse;
	p->refs = 1;
	p->naddrs = n;
	TAILQ_INIT(&p->embryos);
	memcpy(p->addrs, addrs, n * sizeof *addrs);
	for (size_t i = 0; error == 0 && i < n; i++)
		error = check_addr(addrs, i);
	if (error == 0)
		error = choose_number(p, number);
	if (error != 0) {
		free(p);
		return error;
	}
	hash_add(&ports, &p->node, p->number);
	hash_add(&inner_ports, &p->inner_node, p->inner);
	*made = p;
	return 0;
}

struct port *
port_ref(struct port *p)
{
	p->refs++;
	return p;
}

void
port_unref(struct port *p)
{
	if (p == NULL || --p->refs > 0)
		return;
	hash_remove(&ports, &p->node);
	hash_remove(&inner_ports, &p->inner_node);
	embryo_drop_all(p);
	free(p);
}

void
port_close(struct port *p)
{
	if (p == NULL)
		return;
	p->open = p->listening = false;
	p->sock = NULL;
	embryo_uncharge_all(p);
	port_unref(p);
}
