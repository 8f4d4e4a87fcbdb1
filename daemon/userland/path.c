/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: paths, which usrsctp takes for addresses.
 *
 * usrsctp wants each path registered as an address of this host, too. It looks
 * through all registered addresses at each packet, and hands an address that is
 * deregistered to a thread of its own. So paths are never deregistered. They
 * are used again once usrsctp no longer knows their peers by their numbers.
 * Besides the paths with associations there are IDLE_MAX paths, and up to
 * USED_MAX where so many peers come within USED_MS.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/addr.h"
#include "userland/userland.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"

#define IDLE_MAX	64
/*
 * The lifetime of a cookie, and the most paths that may wait until it is over.
 * The more paths there are, the longer usrsctp takes for each packet.
 */
#define USED_MS		60000
#define USED_MAX	1024

static struct hash		by_number, by_ends;
static TAILQ_HEAD(, path)	idle = TAILQ_HEAD_INITIALIZER(idle);
static LIST_HEAD(, path)	displaced = LIST_HEAD_INITIALIZER(displaced);
static size_t			nidle;

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	return h ^ h >> 29;
}

static uint64_t
mix_addr(uint64_t h, const struct sockaddr_storage *ss)
{
	struct sockaddr_in	s4;
	struct sockaddr_in6	s6;
	uint64_t		half[2] = { 0, 0 };

	if (ss->ss_family == AF_INET6) {
		memcpy(&s6, ss, sizeof s6);
		memcpy(half, &s6.sin6_addr, sizeof half);
	} else {
		memcpy(&s4, ss, sizeof s4);
		half[0] = s4.sin_addr.s_addr;
	}
	return mix(mix(mix(h, half[0]), half[1]), addr_port(ss));
}

/*
 * A keyed hash of both ends, so that no outsider can find two pairs of ends
 * with the same hash.
 */
static uint64_t
hash_of(const struct local *local, const struct sockaddr_storage *peer)
{
	static uint64_t	key;

	while (key == 0)
		random_fill(&key, sizeof key);
	return mix_addr(mix_addr(key, &local->addr), peer);
}

/*
 * Paths that usrsctp knows nothing of come first. The others follow, those that
 * usrsctp sent to longest ago first. A cookie that usrsctp gave is valid for
 * whoever has the number, so a path that was used has to wait.
 */
static void
rest(struct path *p, int64_t used)
{
	p->used = used;
	if (used == 0)
		TAILQ_INSERT_HEAD(&idle, p, idle);
	else
		TAILQ_INSERT_TAIL(&idle, p, idle);
	nidle++;
}

static void
leave_idle(struct path *p)
{
	TAILQ_REMOVE(&idle, p, idle);
	nidle--;
}

void
path_use(struct path *p)
{
	if (p->refs > 0)
		return;
	leave_idle(p);
	rest(p, clock_now());
}

static struct path *
path_new(void)
{
	struct path	*p = xcalloc(1, sizeof *p);

	hash_add(&by_number, &p->node, by_number.count + 1);
	usrsctp_register_address((void *)(uintptr_t)p->node.key);
	return p;
}

static void
list(struct path *p, uint64_t hash)
{
	hash_add(&by_ends, &p->ends, hash);
	p->listed = true;
}

static void
unlist(struct path *p)
{
	if (p->listed)
		hash_remove(&by_ends, &p->ends);
	if (p->displaced)
		LIST_REMOVE(p, displaced_entry);
	p->listed = p->displaced = false;
}

/*
 * The path that has been idle for longest, if there are enough idle ones, or a
 * new path. NULL: there are too many.
 */
static struct path *
path_for_use(bool ours)
{
	struct path	*p = TAILQ_FIRST(&idle);

	if (nidle < IDLE_MAX)
		return path_new();
	if (p->used != 0 && clock_now() - p->used < USED_MS) {
		if (ours || nidle < USED_MAX)
			return path_new();
		if (log_allowed(LOG_WARNING, "packets of new peers are lost"))
			log_warning("packets of new peers are lost: %d others began within the "
			    "last %d s, and have no association; existing associations go on",
			    USED_MAX, USED_MS / 1000);
		return NULL;
	}
	leave_idle(p);
	unlist(p);
	return p;
}

struct path *
path_find(uintptr_t number)
{
	return HASH_FIND(path, &by_number, number);
}

static struct path *
by_hash(uint64_t hash)
{
	struct hash_node	*n = hash_find(&by_ends, hash);

	return n == NULL ? NULL :
	    (struct path *)(void *)((char *)n - offsetof(struct path, ends));
}

struct path *
path_get(struct local *local, const struct sockaddr_storage *peer, bool ours)
{
	uint64_t	 hash = hash_of(local, peer);
	struct path	*p = by_hash(hash);

	if (p != NULL)
		return p->local == local && addr_equal(&p->peer, peer) ? p : NULL;
	if ((p = path_for_use(ours)) == NULL)
		return NULL;
	(void)local_ref(local);
	local_unref(p->local);
	p->local = local;
	p->peer = *peer;
	p->longest = 0;
	p->limited = false;
	list(p, hash);
	rest(p, 0);
	return p;
}

void
path_limit(struct path *p)
{
	p->limited = true;
	p->longest = 0;
}

/* A path that this one displaced has the ends from now on. */
static void
give_ends(struct path *p)
{
	uint64_t	 hash = p->ends.key;
	struct path	*q;

	if (!p->listed)
		return;
	LIST_FOREACH(q, &displaced, displaced_entry) {
		if (q->local == p->local && addr_equal(&q->peer, &p->peer))
			break;
	}
	if (q == NULL)
		return;
	unlist(p);
	unlist(q);
	list(q, hash);
}

/*
 * The peer's new UDP port may have a path already: that of the port's former
 * user, whose associations have not timed out yet. Until they have, that path
 * keeps the ends. Packets of the path that moved are recognized by their
 * verification tags.
 */
void
path_move(struct path *p, const struct sockaddr_storage *peer)
{
	uint64_t	 hash = hash_of(p->local, peer);
	struct path	*other = by_hash(hash);

	give_ends(p);
	unlist(p);
	p->peer = *peer;
	if (other != NULL && other->refs > 0) {
		LIST_INSERT_HEAD(&displaced, p, displaced_entry);
		p->displaced = true;
		return;
	}
	if (other != NULL)
		unlist(other);
	list(p, hash);
}

struct path *
path_ref(struct path *p)
{
	if (p->refs++ == 0)
		leave_idle(p);
	return p;
}

void
path_unref(struct path *p)
{
	if (p == NULL || --p->refs > 0)
		return;
	if (p->displaced)
		unlist(p);
	give_ends(p);
	rest(p, clock_now());
}

void
path_free_all(void)
{
	struct path	*p;

	while ((p = (struct path *)(void *)hash_next(&by_number, NULL)) != NULL) {
		hash_remove(&by_number, &p->node);
		free(p);
	}
	hash_free(&by_number);
	hash_free(&by_ends);
	TAILQ_INIT(&idle);
	LIST_INIT(&displaced);
	nidle = 0;
}

struct sockaddr_conn
path_name(const struct path *p, uint16_t port)
{
	return (struct sockaddr_conn){
		.sconn_family = AF_CONN,
		.sconn_port = htons(port),
		.sconn_addr = p != NULL ? (void *)(uintptr_t)p->node.key : NULL,
	};
}

struct path *
path_of(const struct sockaddr_conn *c)
{
	return c->sconn_family == AF_CONN ? path_find((uintptr_t)c->sconn_addr) : NULL;
}

struct sockaddr_storage
path_peer(const struct path *p, uint16_t port)
{
	struct sockaddr_storage	ss = p->peer;

	addr_set_port(&ss, port);
	return ss;
}
