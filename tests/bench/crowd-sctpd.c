/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sctpd as the one that answers a crowd: one one-to-many socket, one client.
 */
#include <err.h>
#include <string.h>

#include "crowd.h"

#define STALL_WINDOW	256	/* requests that wait for the one that does not read */

static const char stuff[1000];

static struct link *
listen_at(const char *path)
{
	struct link	*l = link_new(&link_sctpd, path);

	link_sctpd_listen(l, place.addr[RIGHT]);
	return l;
}

/* Only those to the association that is stalled are requests. */
static void
go_on_stalling(struct link *l, const struct wire_head *h)
{
	for (; l->unanswered < STALL_WINDOW; l->unanswered++)
		wire_put(&l->wire, h, stuff, sizeof stuff);
}

void
crowd_serve_sctpd(void *path)
{
	struct link		*l = listen_at(path);
	struct wire_head	 head, stalled = { .len = 0 };
	struct wire_msg		 m;

	(void)printf("port %u\n", l->port);
	(void)fflush(stdout);
	for (;;) {
		while (wire_next(&l->wire, &m)) {
			if (m.failed)
				errx(1, "sctpd: %.*s", (int)m.error_len, (const char *)m.error);
			if (m.answer)
				l->unanswered--;
			if (m.data == NULL)
				continue;
			if (m.data[0] == 's')
				wire_send_head(&stalled, true, l->sock, m.assoc_id, sizeof stuff);
			if (m.data[0] != 'e')
				continue;
			wire_send_head(&head, false, l->sock, m.assoc_id, m.len);
			wire_put(&l->wire, &head, m.data, m.len);
		}
		if (stalled.len > 0)
			go_on_stalling(l, &stalled);
		wire_push(&l->wire);
		wire_fill(&l->wire, true);
	}
}
