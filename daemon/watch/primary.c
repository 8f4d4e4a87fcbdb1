/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The path manager.
 *
 * While the wanted path works, it is the primary. When it fails, another one is
 * made the primary: the stack would use that one anyway, but it would also return
 * by itself at the first answer. When the wanted path has worked for as long as
 * the option's return says, and is not damped, it is made the primary again; and
 * at once, if the other one fails meanwhile, if the association just came up, or
 * if the option just named it.
 *
 * All is found by looking at the paths: when the stack says that something became
 * of one, and when a wait is over. So nothing depends on having heard of each
 * change, also not while the daemon was not there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/addr.h"
#include "socket/assoc.h"
#include "socket/deliver.h"
#include "socket/report.h"
#include "socket/sock.h"
#include "watch/ask.h"
#include "watch/damp.h"
#include "watch/primary.h"

#define REASON	200

/* What one look sees. */
struct paths {
	const struct sockopt_paths	*own;
	struct sockaddr_storage		*addrs;
	size_t				 n;
	struct sockaddr_storage		 primary;
	struct sockaddr_storage		 wanted;
	uint64_t			 now;
};

/* ---- what is said ---------------------------------------------------- */

static void
tell(struct watch *w, const struct paths *p, const char *action, const struct sockaddr_storage *addr,
    uint64_t wait, const char *reason)
{
	struct event_primary	e = {
		.action = { action, (uint32_t)strlen(action) },
		.reason = { reason, (uint32_t)strlen(reason) },
		.addr = *addr,
		.wanted = p->wanted,
		.wait = wait,
		.assoc_id = assoc_id(w->assoc),
	};

	sock_tell(w->assoc->sock, EVENT_primary, w->assoc, &e);
}

/* ---- the peer -------------------------------------------------------- */

/* How many leading bits two addresses have in common. */
static unsigned
common(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	struct in6_addr	x, y;
	unsigned	n = 0;

	addr_pack(a, &x);
	addr_pack(b, &y);
	while (n < 128 && ((x.s6_addr[n / 8] ^ y.s6_addr[n / 8]) >> (7 - n % 8) & 1) == 0)
		n++;
	return n;
}

static const char *
why_not(int number)
{
	switch (number) {
	case EPERM:
	case EOPNOTSUPP:
		return "it is not asked: it has not agreed to that; both sides need sctp_asconf_supported and sctp_auth_supported before the association is set up";
	case EADDRNOTAVAIL:
		return "it is not asked: the association does not have that address of ours";
	default:
		return strerror(number);
	}
}

/* Ask the peer to send to that address of ours which is nearest to the path. */
static void
move_peer(struct watch *w, const struct paths *p)
{
	struct sockaddr_storage	*addrs;
	size_t			 n, best = 0;
	const char		*reason = "it is asked to send on the same path";
	int			 number;

	if (!p->own->ask_peer || stack->names(w->assoc->sock, w->assoc, false, &addrs, &n) != 0)
		return;
	for (size_t i = 1; i < n; i++) {
		if (common(&addrs[i], &p->primary) > common(&addrs[best], &p->primary))
			best = i;
	}
	if (n > 0) {
		if ((number = ask_peer(w->assoc, &addrs[best])) != 0)
			reason = why_not(number);
		report_watch(w->assoc, LINE_path_asked, &addrs[best], reason);
		tell(w, p, number == 0 ? "asked" : "not_asked", &addrs[best], 0, reason);
	}
	free(addrs);
}

/* ---- the primary ----------------------------------------------------- */

/* Make it the primary. False: the stack does not. */
static bool
move(struct watch *w, struct paths *p, const struct sockaddr_storage *to, const char *reason)
{
	bool	back = addr_equal(to, &p->wanted);

	if (ask_set_primary(w->assoc, to) != 0)
		return false;
	p->primary = *to;
	report_watch(w->assoc, back ? LINE_path_returned : LINE_path_moved, to, reason);
	tell(w, p, back ? "returned" : "moved", to, 0, reason);
	move_peer(w, p);
	return true;
}

/* The fastest path that works, other than the primary; NULL: none does. */
static const struct sockaddr_storage *
another(const struct watch *w, const struct paths *p)
{
	const struct sockaddr_storage	*best = NULL;
	uint32_t			 srtt, least = UINT32_MAX;

	for (size_t i = 0; i < p->n; i++) {
		if (addr_equal(&p->addrs[i], &p->primary) || !ask_works(w->assoc, &p->addrs[i], &srtt))
			continue;
		if (best == NULL || srtt < least) {
			best = &p->addrs[i];
			least = srtt;
		}
	}
	return best;
}

/* The path that is the primary fails, and is not the wanted one or fails as that. */
static void
leave(struct watch *w, struct paths *p)
{
	const struct sockaddr_storage	*to = another(w, p);
	char				 reason[REASON], text[ADDR_TEXT];

	if (to == NULL)
		return;		/* the stack tries them all */
	(void)snprintf(reason, sizeof reason, "%s does not answer", addr_text(&p->primary, text));
	(void)move(w, p, to, reason);
}

/* ---- the wanted path ------------------------------------------------- */

/* The wanted path failed: that counts against it. */
static void
punish(struct watch *w, const struct paths *p)
{
	uint64_t	half_life = (uint64_t)p->own->half_life, wait;
	char		reason[REASON];

	if (half_life == 0)
		return;
	w->kept.penalty = damp_fail(damp_decay(w->kept.penalty, p->now - w->kept.penalty_at, half_life));
	w->kept.penalty_at = p->now;
	assoc_changed(w->assoc);
	if (w->kept.damped || w->kept.penalty < DAMP_SUPPRESS)
		return;
	w->kept.damped = true;
	wait = damp_wait(w->kept.penalty, half_life);
	(void)snprintf(reason, sizeof reason, "it fails too often, penalty %u; it is not taken for %llu ms",
	    (unsigned)w->kept.penalty, (unsigned long long)wait);
	report_watch(w->assoc, LINE_path_damped, &p->wanted, reason);
	tell(w, p, "damped", &p->primary, wait, reason);
}

/* Until when it is damped; 0: it is not. */
static uint64_t
damped_until(struct watch *w, const struct paths *p)
{
	uint64_t	end;

	if (!w->kept.damped)
		return 0;
	end = w->kept.penalty_at + damp_wait(w->kept.penalty, (uint64_t)p->own->half_life);
	if (end > p->now && p->own->half_life > 0)
		return end;
	w->kept.damped = false;
	assoc_changed(w->assoc);
	return 0;
}

/* Does the wanted path work? Remember since when, and count its failures. */
static bool
look_at_wanted(struct watch *w, const struct paths *p)
{
	uint32_t	srtt;
	bool		works = ask_works(w->assoc, &p->wanted, &srtt);

	if (works && w->healthy == 0)
		w->healthy = p->now;
	if (!works && w->healthy != 0) {
		w->healthy = 0;
		w->fresh = false;
		punish(w, p);
	}
	return works;
}

/* It works, and is not the primary. When to take it, if not now. */
static uint64_t
take_again(struct watch *w, struct paths *p)
{
	char		reason[REASON];
	uint64_t	due = w->healthy + (uint64_t)p->own->wait, until = damped_until(w, p);
	uint32_t	srtt;

	if (!ask_works(w->assoc, &p->primary, &srtt)) {
		leave(w, p);
		return NO_MORE_LOOKS;
	}
	if (w->fresh) {
		w->fresh = false;
		(void)move(w, p, &p->wanted, "it is the wanted path, and works");
		return NO_MORE_LOOKS;
	}
	if (p->own->wait < 0)
		return NO_MORE_LOOKS;
	due = due > until ? due : until;
	if (due > p->now)
		return due - p->now;
	(void)snprintf(reason, sizeof reason, "it has worked for %llu ms",
	    (unsigned long long)(p->now - w->healthy));
	(void)move(w, p, &p->wanted, reason);
	return NO_MORE_LOOKS;
}

/* ---- a look ---------------------------------------------------------- */

static const struct sockaddr_storage *
find(const struct paths *p, const struct sockaddr_storage *addr)
{
	struct sockaddr_storage	with_port = *addr;

	if (addr->ss_family == 0)
		return NULL;
	for (size_t i = 0; i < p->n; i++) {
		addr_set_port(&with_port, addr_port(&p->addrs[i]));
		if (addr_equal(&with_port, &p->addrs[i]))
			return &p->addrs[i];
	}
	return NULL;
}

/* Which path is wanted: by the option; or the one that it came up with. */
static void
find_wanted(struct watch *w, struct paths *p)
{
	const struct sockaddr_storage	*found = find(p, &p->own->primary);

	if (found == NULL && find(p, &w->kept.wanted) == NULL) {
		w->kept.wanted = p->primary;
		assoc_changed(w->assoc);
	}
	if (found == NULL)
		found = find(p, &w->kept.wanted);
	p->wanted = found != NULL ? *found : p->primary;
}

static uint64_t
look(struct watch *w, struct paths *p)
{
	uint32_t	srtt;

	find_wanted(w, p);
	if (!look_at_wanted(w, p)) {
		if (addr_equal(&p->primary, &p->wanted) || !ask_works(w->assoc, &p->primary, &srtt))
			leave(w, p);
		return NO_MORE_LOOKS;
	}
	if (!addr_equal(&p->primary, &p->wanted))
		return take_again(w, p);
	w->fresh = false;
	return NO_MORE_LOOKS;
}

uint64_t
primary_look(struct watch *w)
{
	struct paths	p = { .own = &w->assoc->sock->own.paths, .now = trace_now() };
	uint64_t	again = NO_MORE_LOOKS;

	if (!p.own->on || stack->names(w->assoc->sock, w->assoc, true, &p.addrs, &p.n) != 0)
		return again;
	if (p.n > 1 && ask_primary(w->assoc, &p.primary) == 0)
		again = look(w, &p);
	free(p.addrs);
	return again;
}
