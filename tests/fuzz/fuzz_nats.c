/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sctpd-nats reads of what others may have written: associations and owners in the bucket of a standby, subjects of
 * the queue, and ids of the log. What is taken can be written, read again, and is the same then.
 *
 * The first byte says which it is; the key of an association ends with a newline.
 */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "nats/row.h"
#include "nats/subject.h"

static bool
same_name(const struct standby_name *a, const struct standby_name *b)
{
	return a->assoc == b->assoc && a->epoch == b->epoch;
}

static bool
same_row(const struct row *a, const struct row *b)
{
	return same_name(&a->name, &b->name) && same_name(&a->at, &b->at) && strcmp(a->endpoint, b->endpoint) == 0 && a->port == b->port &&
	    a->udp == b->udp && a->out == b->out && a->in == b->in && strcmp(a->local, b->local) == 0 && strcmp(a->peers, b->peers) == 0;
}

static void
association(char *key)
{
	static struct row	r, again;
	char			text[ROW_SIZE], *value = strchr(key, '\n');

	if (value == NULL)
		return;
	*value++ = '\0';
	if (!row_read(key, value, &r))
		return;
	must(strpbrk(r.endpoint, " =") == NULL && strpbrk(r.peers, " =") == NULL && r.port <= UINT16_MAX && r.udp <= UINT16_MAX);
	row_write(text, &r);
	must(row_read(key, text, &again) && same_row(&r, &again));
}

static void
owner(const char *text)
{
	char		member[CONFIG_NAME], again[CONFIG_NAME], own[CONFIG_NAME + 64];
	uint64_t	term, same;

	if (!row_read_term(text, member, &term))
		return;
	must(config_is_token(member));
	(void)snprintf(own, sizeof own, "member=%s term=%llu", member, (unsigned long long)term);
	must(row_read_term(own, again, &same) && same == term && strcmp(member, again) == 0);
}

static void
subject(const char *text)
{
	struct subject_out	o;

	if (subject_read_out(text, &o))
		must(*o.endpoint == '\0' || strchr(o.endpoint, '.') == NULL);
}

static void
id(const char *text)
{
	struct log_id	i, again;
	char		own[LOG_ID_SIZE];

	if (!log_id_read(text, &i))
		return;
	must(i.piece >= 1 && i.piece <= i.pieces);
	log_id_make(own, &i);
	must(log_id_read(own, &again) && again.epoch == i.epoch && again.event == i.event && again.piece == i.piece && again.pieces == i.pieces);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static char	text[4097];

	if (n == 0)
		return 0;
	if (n > sizeof text)
		n = sizeof text;
	memcpy(text, data + 1, n - 1);
	text[n - 1] = '\0';
	switch (*data) {
	case 'a':
		association(text);
		break;
	case 'o':
		owner(text);
		break;
	case 's':
		subject(text);
		break;
	default:
		id(text);
	}
	return 0;
}
