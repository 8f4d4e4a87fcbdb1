/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions: see session.h, and socket/owner.h for a client's states.
 */
#include <stdio.h>
#include <string.h>

#include "journal/changes.h"
#include "rpc/asked.h"
#include "rpc/connection.h"
#include "rpc/session.h"
#include "rpc/turn.h"
#include "util/log.h"
#include "util/random.h"

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
	client_changed(c);
}

/* Compare all digits, so that the time says nothing about where they differ. */
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
	if (log_allowed(LOG_INFO, "client back"))
		log_info("client %llu: back, from message %llu of %llu", (unsigned long long)c->node.key,
		    (unsigned long long)seq + 1, (unsigned long long)c->out.seq);
	changes_commit();	/* removes what has gone to other owners */
	connection_take(c, on);
	asked_come_back(c);
	(void)output_ack(&c->out, seq);
	output_rewind(&c->out);
}
