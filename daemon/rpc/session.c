/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions.
 */
#include <stdio.h>
#include <string.h>

#include "keep.h"
#include "log.h"
#include "random.h"
#include "session.h"
#include "turn.h"

void
session_begin(struct client *c)
{
	unsigned char	bytes[CLIENT_TOKEN / 2];

	if (c->token[0] != '\0')
		return;
	random_fill(bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i++)
		(void)snprintf(c->token + 2 * i, 3, "%02x", bytes[i]);
	output_keep(&c->out, c->node.key, false);
	keep_client(c);
}

/* Without haste at the first digit that differs. */
static bool
is_token(const struct client *c, const char *token)
{
	unsigned	differ = 0;

	for (size_t i = 0; i < CLIENT_TOKEN; i++)
		differ |= (unsigned char)(c->token[i] ^ token[i]);
	return differ == 0;
}

struct client *
session_find(const char *token, size_t len)
{
	struct client	*c = NULL, *found = NULL;

	turn_cost(client_count() / 16);
	while (len == CLIENT_TOKEN && (c = client_next(c)) != NULL) {
		if (c->token[0] != '\0' && is_token(c, token))
			found = c;
	}
	return found;
}

void
session_come_back(struct client *c, struct client *on, uint64_t seq)
{
	if (log_allowed())
		log_info("client %llu: back, from message %llu of %llu", (unsigned long long)c->node.key,
		    (unsigned long long)seq + 1, (unsigned long long)c->out.seq);
	keep_commit();	/* what went to other owners has gone */
	client_take_connection(c, on);
	asked_come_back(c);
	(void)output_ack(&c->out, seq);
	output_rewind(&c->out);
}
