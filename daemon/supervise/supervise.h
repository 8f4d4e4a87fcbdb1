/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Supervised associations: the daemon sets them up, and again whenever they end,
 * whether a client has them or not.
 *
 * This room, supervise, may use sockets and clients, and knows no method; that
 * options are set by a function of methods/ is given to it. Its files, lowest first:
 *
 *	local		the host's addresses
 *	wanted		what is wanted of an association
 *	users		who may attach
 *	table		the associations, and their records
 *	socket		the socket of one
 *	attempt		pauses, names, INITs
 *	supervise	what happens to them, and the configuration
 *
 * A supervised association has a home, which is a resident client, and a socket,
 * whose home that is (socket/owner.h). Who attaches becomes the socket's owner by
 * sock_give, as whoever adopts one.
 *
 *	down		somebody said so: no socket
 *	waiting		its timer runs; then it tries again
 *	connecting	names are looked up, or an INIT was sent
 *	listening	role listen, and no peer is there
 *	up		there is an association
 *
 * A pause is twice the one before, from backoff_min to backoff_max, and jitter
 * percent of it are left out by chance: so a thousand that lost one peer together
 * do not call it together. Each waits with a timer of the loop, which is a heap;
 * nothing goes through all of them but requests that ask for all.
 *
 * The socket is opened when it is needed first, and stays. Its record in the
 * journal is one with the association's: after a death of the daemon what was up
 * is up, where the stack keeps associations, and what waited waits anew. Where it
 * does not, those of sctpd.conf are set up again, and those of programs are gone
 * like everything else of theirs.
 */
#ifndef SUPERVISE_H
#define SUPERVISE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "config.h"
#include "supervise/socket.h"
#include "supervise/table.h"

void supervise_init(supervise_options_fn *);

/* After all sockets and associations were restored. */
void supervise_restore(void);

/* Take in what the configuration says: what changed, and nothing else. */
void supervise_configure(const struct config *);

/* At the end of the daemon. */
void supervise_free(void);

/* Make one, and begin; map is the packed arguments, and checked. */
struct supervised *supervised_add(const char *map, size_t len, uid_t, bool config);

/* End it in order. why is for the log. */
void supervised_remove(struct supervised *, const char *why);

/* Up: try now. Down: shut it down, and stay so. */
void supervised_up(struct supervised *, const char *why);
void supervised_down(struct supervised *, const char *why);

#endif
