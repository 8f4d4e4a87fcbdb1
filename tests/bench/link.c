/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The work: round trips and one way, the same for all contestants.
 */
#include <arpa/inet.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "link.h"
#include "stat.h"

double
now_us(void)
{
	struct timespec	t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

struct link *
link_new(const struct link_kind *kind, const char *path)
{
	struct link	*l = calloc(1, sizeof *l);

	if (l == NULL || (l->buf = calloc(1, MAX_BYTES)) == NULL)
		err(1, "calloc");
	l->kind = kind;
	l->path = path;
	l->fd = -1;
	return l;
}

/* Trips come back in the order in which they went, so a ring will do. */
static struct run
round_trips(struct link *l, const struct order *o, const char *message)
{
	double		 left_at[MAX_FLIGHT];
	double		*trips = calloc(o->count, sizeof *trips);
	struct run	 run;
	double		 start = now_us();
	uint32_t	 sent = 0;
	size_t		 len;

	if (trips == NULL)
		err(1, "calloc");
	for (uint32_t i = 0; i < o->count; i++) {
		for (; sent < o->count && sent < i + o->in_flight; sent++) {
			left_at[sent % MAX_FLIGHT] = now_us();
			l->kind->put(l, message, o->bytes);
		}
		(void)l->kind->take(l, &len);
		if (len != o->bytes && l->kind != &link_rpc)
			errx(1, "%s: %zu bytes came back, not %zu", l->kind->name, len, o->bytes);
		trips[i] = now_us() - left_at[i % MAX_FLIGHT];
	}
	run.us = now_us() - start;
	stat_sort(trips, o->count);
	run.p99 = stat_at(trips, o->count, 0.99);
	free(trips);
	return run;
}

static struct run
one_way(struct link *l, const struct order *o, char *message)
{
	double		 start = now_us();
	uint32_t	 seen;
	const char	*back;
	size_t		 len;

	for (uint32_t i = 1; i <= o->count; i++) {
		if (i == o->count)
			message[0] = 'l';
		l->kind->put(l, message, o->bytes);
	}
	back = l->kind->take(l, &len);
	if (len < 5 || back[0] != 'd')
		errx(1, "%s: no count came back", l->kind->name);
	memcpy(&seen, back + 1, sizeof seen);
	if (ntohl(seen) != o->count)
		errx(1, "%s: %u of %u messages arrived", l->kind->name, ntohl(seen), o->count);
	return (struct run){ .us = now_us() - start };
}

struct run
link_run(struct link *l, const struct order *o)
{
	static char	message[MAX_BYTES];

	if (o->bytes > sizeof message || o->in_flight > MAX_FLIGHT)
		errx(1, "too much is asked");
	memset(message, 'x', o->bytes);
	message[0] = o->work == 'r' ? 'e' : 'c';
	l->answers = o->work == 'o';
	return o->work == 'r' ? round_trips(l, o, message) : one_way(l, o, message);
}

/* Do for ever what the messages say. */
void
link_answer(struct link *l)
{
	char		 count[5] = "d";
	uint32_t	 seen = 0, n;

	for (;;) {
		size_t		 len;
		const char	*m = l->kind->take(l, &len);

		if (m == NULL)
			return;
		if (m[0] == 'e') {
			l->kind->put(l, m, len);
			continue;
		}
		seen++;
		if (m[0] != 'l')
			continue;
		n = htonl(seen);
		memcpy(count + 1, &n, sizeof n);
		l->kind->put(l, count, sizeof count);
		seen = 0;
	}
}
