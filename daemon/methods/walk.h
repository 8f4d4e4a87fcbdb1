/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A walk over the associations of the sockets that a client may use, in pages.
 *
 * There may be a million associations, and an answer is made in one go, during
 * which nobody else is served. So a list of associations, or of what belongs to
 * them, is a page of it. The client asks for the next page by naming the last
 * association of the one before, which may have ended meanwhile. The order
 * depends on handles and ids alone (hash_after), so what was there all the time
 * is met exactly once, whatever else comes and goes between two pages.
 */
#ifndef WALK_H
#define WALK_H

#include "methods/arguments.h"

/* What a request says of the associations that it wants. */
struct walk_range {
	const uint64_t	*sock;		/* of this socket only; or NULL */
	const uint32_t	*assoc_id;	/* this one only; or NULL */
	const uint64_t	*after_sock;	/* those after this one; or both NULL */
	const uint32_t	*after_assoc;
};

struct walk {
	const struct client	*client;
	struct sock		*sock;		/* where the walk is; NULL: at its end */
	struct assoc		*next;		/* that was not given yet; or NULL */
	bool			 one_sock;
	bool			 one_assoc;
};

/* Begin; says by call_fail what is wrong with the range. */
enum error walk_begin(struct walk *, const struct call *, const struct walk_range *);

/* The next association, NULL at the end. */
struct assoc *walk_next(struct walk *);

/* Does another come? */
bool walk_more(const struct walk *);

#endif
