/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nats/config.h"
#include "nats/subject.h"
#include "nats/text.h"

#define TOKENS	7

/* Neighbours go to different ones, whatever the number of partitions is. */
unsigned
subject_part(uint32_t assoc_id)
{
	uint64_t	h = assoc_id * UINT64_C(0x9e3779b97f4a7c15);

	return assoc_id == 0 ? 0 : (unsigned)((h >> 32) % config.partitions);
}

void
subject_make(char to[SUBJECT_SIZE], const char *endpoint, uint32_t assoc_id, uint32_t epoch, const char *kind, const char *last)
{
	char	*p = to, *end = to + SUBJECT_SIZE;

	p = text_put(p, end, "sctp.");
	p = text_put(p, end, config.host);
	p = text_put(p, end, ".in.");
	p = text_put(p, end, endpoint);
	p = text_put(p, end, ".");
	p = text_number(p, end, subject_part(assoc_id));
	p = text_put(p, end, ".");
	p = text_number(p, end, assoc_id);
	p = text_put(p, end, "-");
	p = text_hex(p, end, epoch);
	p = text_put(p, end, ".");
	p = text_put(p, end, kind);
	(void)text_put(p, end, last);
}

/* A whole number and nothing else. */
static bool
read_number(const char *s, uint64_t most, uint64_t *n)
{
	char	*end;

	if (*s < '0' || *s > '9')
		return false;
	*n = strtoull(s, &end, 10);
	return *end == '\0' && *n <= most && end - s <= 10;
}

static bool
read_assoc(char *s, struct subject_out *o)
{
	char		*dash = strchr(s, '-'), *end;
	uint64_t	 n;

	if (dash == NULL || strlen(dash + 1) != 8 || strspn(dash + 1, "0123456789abcdef") != 8)
		return false;
	*dash = '\0';
	o->epoch = (uint32_t)strtoul(dash + 1, &end, 16);
	if (!read_number(s, UINT32_MAX, &n))
		return false;
	o->assoc_id = (uint32_t)n;
	return true;
}

bool
subject_read_out(const char *subject, struct subject_out *o)
{
	char		 copy[SUBJECT_SIZE], *token[TOKENS], *p = copy;
	size_t		 n = 0;
	uint64_t	 stream;

	memset(o, 0, sizeof *o);
	if (strlen(subject) >= sizeof copy)
		return false;
	memcpy(copy, subject, strlen(subject) + 1);
	while (n < TOKENS && (token[n] = strsep(&p, ".")) != NULL)
		n++;
	if (n != 6 || strlen(token[3]) >= sizeof o->endpoint)
		return false;
	(void)snprintf(o->endpoint, sizeof o->endpoint, "%s", token[3]);
	if (!read_assoc(token[4], o) || !read_number(token[5], UINT16_MAX, &stream))
		return false;
	o->stream = (uint16_t)stream;
	return true;
}

const char *
subject_in_stream(void)
{
	static char	name[CONFIG_NAME + 16];

	(void)snprintf(name, sizeof name, "sctp-%s-in", config.host);
	return name;
}

const char *
subject_out_stream(void)
{
	static char	name[CONFIG_NAME + 16];

	(void)snprintf(name, sizeof name, "sctp-%s-out", config.host);
	return name;
}

void
log_id_make(char to[LOG_ID_SIZE], const struct log_id *id)
{
	char	*p = to, *end = to + LOG_ID_SIZE;

	p = text_hex(p, end, id->epoch);
	p = text_put(p, end, "-");
	p = text_number(p, end, id->event);
	if (id->pieces > 1)
		(void)snprintf(p, (size_t)(end - p), "-%u-%u", id->piece, id->pieces);
}

bool
log_id_read(const char *s, struct log_id *id)
{
	int	n = 0;

	id->piece = id->pieces = 1;
	if (sscanf(s, "%8" SCNx32 "-%" SCNu64 "-%u-%u%n", &id->epoch, &id->event, &id->piece, &id->pieces, &n) == 4)
		return s[n] == '\0' && id->piece >= 1 && id->piece <= id->pieces;
	return sscanf(s, "%8" SCNx32 "-%" SCNu64 "%n", &id->epoch, &id->event, &n) == 2 && s[n] == '\0';
}
