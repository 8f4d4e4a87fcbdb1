/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of waiting messages that count against the clients that sent them.
 */
#include <stdlib.h>

#include "rpc/call.h"
#include "rpc/turn.h"
#include "socket/assoc.h"
#include "socket/sendcount.h"

/* Senders of an association that can be searched in the time of a system call. */
#define OTHERS_A_CALL	64

/* Senders are few; if they are not, their user pays for the search. */
static struct send_count *
find_count(struct assoc *a, const struct client *c)
{
	struct send_count	*k;
	unsigned		 others = 0;

	TAILQ_FOREACH(k, &a->counts, entry) {
		if (k->client == c)
			break;
		others++;
	}
	turn_spend_calls(c->account.user, others / OTHERS_A_CALL);
	if (k != NULL && k != TAILQ_FIRST(&a->counts)) {
		TAILQ_REMOVE(&a->counts, k, entry);
		TAILQ_INSERT_HEAD(&a->counts, k, entry);
	}
	return k;
}

/* Count n bytes against its client. */
void
sendcount_add(struct waiting_send *w, size_t n)
{
	struct client		*c = w->call->client;
	struct send_count	*k = find_count(w->assoc, c);

	if (k == NULL) {
		if ((k = malloc(sizeof *k)) == NULL)
			return;		/* without memory it does not count */
		*k = (struct send_count){ .client = c };
		TAILQ_INSERT_HEAD(&w->assoc->counts, k, entry);
		account_charge(&c->account, sizeof *k + MALLOC_EXTRA);
	}
	client_wait_more(c, n);
	k->bytes += n;
	k->sends++;
	w->count = k;
	w->counted = n;
	w->era = k->era;
}

void
sendcount_take(struct waiting_send *w)
{
	struct send_count	*k = w->count;

	if (k == NULL)
		return;
	if (w->era == k->era) {
		client_wait_less(k->client, w->counted);
		k->bytes -= w->counted;
	}
	if (--k->sends == 0) {
		TAILQ_REMOVE(&w->assoc->counts, k, entry);
		account_discharge(&k->client->account, sizeof *k + MALLOC_EXTRA);
		free(k);
	}
	w->count = NULL;
}

void
sendcount_clear(struct assoc *a)
{
	struct send_count	*k;

	TAILQ_FOREACH(k, &a->counts, entry) {
		if (k->bytes > 0)
			client_wait_less(k->client, k->bytes);
		k->bytes = 0;
		k->era++;
	}
}
