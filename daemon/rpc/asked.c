/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests that the client will repeat: see asked.h.
 */
#include <stdlib.h>

#include "rpc/asked.h"
#include "rpc/client.h"
#include "util/mem.h"

/* FNV-1a: it tells requests apart; it need not resist an attacker. */
static uint64_t
sum_of(const char *data, size_t len)
{
	uint64_t	sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ (unsigned char)data[i]) * UINT64_C(0x100000001b3);
	return sum;
}

static void
forget(struct asked *k)
{
	TAILQ_REMOVE(&k->client->asked, k, entry);
	free(k);
}

struct asked *
asked_new(struct client *c, uint32_t msgid, const char *data, size_t len)
{
	struct asked	*k = xcalloc(1, sizeof *k);

	k->client = c;
	k->msgid = msgid;
	k->len = len;
	k->sum = sum_of(data, len);
	TAILQ_INSERT_TAIL(&c->asked, k, entry);
	return k;
}

bool
asked_again(struct client *c, uint32_t msgid, const char *data, size_t len)
{
	struct asked	*k;

	TAILQ_FOREACH(k, &c->asked, entry) {
		if (k->msgid == msgid && !k->passed && k->len == len && k->sum == sum_of(data, len))
			break;
	}
	if (k == NULL)
		return false;
	k->passed = true;
	if (k->answer != 0)
		forget(k);
	return true;
}

void
asked_answered(struct asked *k)
{
	k->answer = k->client->out.seq + 1;
	if (k->passed)
		forget(k);
}

void
asked_acked(struct client *c, uint64_t seq)
{
	struct asked	*k, *next;

	for (k = TAILQ_FIRST(&c->asked); k != NULL; k = next) {
		next = TAILQ_NEXT(k, entry);
		if (k->answer != 0 && k->answer <= seq)
			forget(k);
	}
}

void
asked_come_back(struct client *c)
{
	struct asked	*k;

	asked_acked(c, UINT64_MAX);
	TAILQ_FOREACH(k, &c->asked, entry)
		k->passed = false;
}

void
asked_free_all(struct client *c)
{
	while (!TAILQ_EMPTY(&c->asked))
		forget(TAILQ_FIRST(&c->asked));
}
