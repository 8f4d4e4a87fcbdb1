/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests that will be asked for again: see asked.h.
 */
#include <stdlib.h>

#include "asked.h"
#include "client.h"
#include "mem.h"

/* FNV-1a: told apart are requests, not attackers. */
static uint64_t
sum_of(const char *data, size_t len)
{
	uint64_t	sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ (unsigned char)data[i]) * UINT64_C(0x100000001b3);
	return sum;
}

struct asked *
asked_new(struct client *c, uint32_t msgid, const char *data, size_t len)
{
	struct asked	*k = xcalloc(1, sizeof *k);

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
	if (k->answered) {
		TAILQ_REMOVE(&c->asked, k, entry);
		free(k);
	}
	return true;
}

void
asked_forget_answered(struct client *c)
{
	struct asked	*k, *next;

	for (k = TAILQ_FIRST(&c->asked); k != NULL; k = next) {
		next = TAILQ_NEXT(k, entry);
		k->passed = false;
		if (!k->answered)
			continue;
		TAILQ_REMOVE(&c->asked, k, entry);
		free(k);
	}
}

void
asked_free_all(struct client *c)
{
	struct asked	*k;

	while ((k = TAILQ_FIRST(&c->asked)) != NULL) {
		TAILQ_REMOVE(&c->asked, k, entry);
		free(k);
	}
}
