/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nats/clock.h"
#include "nats/config.h"
#include "nats/log.h"
#include "nats/mem.h"
#include "nats/parts.h"
#include "nats/subject.h"

#define AGAIN_MS	5000	/* until one is tried again that could not be made */

static struct {
	int64_t		stream_made;
	unsigned	n;		/* of this stream, so many have their consumers */
	bool		making;		/* a job does */
	int64_t		next;
	char		why[512];	/* what was logged last */
} parts;

struct part {
	struct life	*life;
	int64_t		 stream_made;
	unsigned	 part;
	char		 why[512];	/* or empty */
};

/* One that is there gets what the settings say. */
static void
make(void *arg)
{
	struct part		*p = arg;
	char			 name[32], filter[SUBJECT_SIZE], text[300];
	jsConsumerConfig	 c;
	jsErrCode		 code = 0;
	natsStatus		 s;

	(void)snprintf(name, sizeof name, "part-%u", p->part);
	(void)snprintf(filter, sizeof filter, "sctp.%s.in.*.%u.>", config.host, p->part);
	jsConsumerConfig_Init(&c);
	c.Durable = name;
	c.FilterSubject = filter;
	c.AckPolicy = js_AckExplicit;
	c.AckWait = (int64_t)config.part_wait * NS_PER_MS;
	c.MaxAckPending = (int64_t)config.part_pending;
	if ((s = js_AddConsumer(NULL, p->life->js, subject_in_stream(), &c, NULL, &code)) == NATS_OK)
		return;
	(void)bus_why(s, text, sizeof text);
	(void)snprintf(p->why, sizeof p->why, "the consumer %s of %s cannot be made: %s (JetStream error %d)%s", name, subject_in_stream(), text, (int)code,
	    strstr(text, "can not be updated") != NULL ? "; another program made one of that name: remove it" : "");
}

static void
made(void *arg)
{
	struct part	*p = arg;

	parts.making = false;
	if (p->stream_made == parts.stream_made && p->why[0] == '\0') {
		if (++parts.n == config.partitions)
			log_notice("the partitions have their consumers");
	} else if (p->stream_made == parts.stream_made) {
		if (strcmp(parts.why, p->why) != 0)
			log_warning("%s; it is tried again", p->why);
		(void)snprintf(parts.why, sizeof parts.why, "%s", p->why);
		parts.next = clock_ms() + AGAIN_MS;
	}
	life_unref(p->life);
	free(p);
}

void
parts_turn(struct life *life, int64_t stream_made)
{
	struct part	*p;

	if (!config.part_consumers)
		return;
	if (parts.stream_made != stream_made) {
		parts.stream_made = stream_made;
		parts.n = 0;
		parts.next = 0;
	}
	if (parts.making || parts.n == config.partitions || clock_ms() < parts.next)
		return;
	p = xcalloc(1, sizeof *p);
	p->life = life_ref(life);
	p->stream_made = stream_made;
	p->part = parts.n;
	parts.making = true;
	bus_job(BUS_PARTS, make, made, p);
}
