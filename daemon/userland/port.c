/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: SCTP ports.
 *
 * A port stays known while associations that came by it live, though its
 * socket may be closed: their packets need it. Another socket may then have
 * it again, as the kernel allows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addr.h"
#include "mem.h"
#include "random.h"
#include "userland.h"

/* Those that are given to who asks for none, as Linux has them. */
#define FIRST_ANY	32768
#define LAST_ANY	60999

static struct hash	ports, inner_ports;

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

/* Does this one of a port's addresses cover the other? */
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

/* The next of those with a number, or the first. */
static struct port *
port_next(const struct port *p, uint16_t number)
{
	struct hash_node	*n = p == NULL ? hash_find(&ports, number) : p->node.next;

	while (n != NULL && n->key != number)
		n = n->next;
	return (struct port *)(void *)n;
}

struct userland_assoc *
port_assoc(const struct port *p, const struct path *path, uint16_t peer_port)
{
	struct userland_assoc	*ua;

	LIST_FOREACH(ua, &p->assocs, at_port) {
		if (ua->path == path && addr_port(&ua->assoc->peer) == peer_port)
			break;
	}
	return ua;
}

/* Of two the one that listens, or is at least open. */
static struct port *
better(struct port *a, struct port *b)
{
	if (a == NULL || (b->open && !a->open) || (b->listening && !a->listening))
		return b;
	return a;
}

struct port *
port_for(const struct path *path, uint16_t from, uint16_t to)
{
	struct port	*p = NULL, *best = NULL;
	unsigned	 n = 0;

	while ((p = port_next(p, to)) != NULL) {
		if (!port_covers(p, &path->local->addr))
			continue;
		best = better(best, p);
		n++;
	}
	if (n < 2)
		return best;
	/* More than one may be meant: whose association is it? */
	while ((p = port_next(p, to)) != NULL) {
		if (port_covers(p, &path->local->addr) && port_assoc(p, path, from) != NULL)
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

/* Has another socket an address of this port, without sharing it? */
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

/* A number inside that no other port has, the same if that may be. */
static uint16_t
inner_number(uint16_t number)
{
	while (port_is_inside(number))
		number = any_number();
	return number;
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
	p->inner = inner_number(number);
	return 0;
}

/* The kernel knows what is an address of this host: ask it with UDP. */
static int
check_addr(const struct sockaddr_storage *ss)
{
	struct sockaddr_storage	a = without_port(ss);
	int			fd = socket(a.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int			number = 0;

	if (fd == -1)
		return errno;
	if (bind(fd, (struct sockaddr *)&a, addr_len(&a)) == -1)
		number = errno;
	(void)close(fd);
	return number;
}

/* The i-th: of this host, none of those before it, and not any among others. */
static int
check_addrs(const struct sockaddr_storage *addrs, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (addr_equal(&addrs[k], &addrs[i]) || is_any(&addrs[k]) || is_any(&addrs[i]))
			return EINVAL;
	}
	return check_addr(&addrs[i]);
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
	TAILQ_INIT(&p->holds);
	memcpy(p->addrs, addrs, n * sizeof *addrs);
	for (size_t i = 0; error == 0 && i < n; i++)
		error = check_addrs(addrs, i);
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
	hold_drop_all(p);
	free(p);
}

void
port_close(struct port *p)
{
	if (p == NULL)
		return;
	p->open = p->listening = false;
	p->sock = NULL;
	hold_uncharge_all(p);
	port_unref(p);
}
