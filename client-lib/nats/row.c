/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nats/row.h"

#define DIGITS	"0123456789"

/* A whole number that is written as this program writes it. */
static bool
read_number(const char *s, uint64_t most, uint64_t *n)
{
	size_t	len = strspn(s, DIGITS);

	if (len == 0 || len > 19 || s[len] != '\0' || (*s == '0' && len > 1))
		return false;
	*n = strtoull(s, NULL, 10);
	return *n <= most;
}

bool
row_read_name(const char *s, struct standby_name *n)
{
	char		 assoc[16];
	const char	*dash = strchr(s, '-');
	uint64_t	 v;

	if (dash == NULL || (size_t)(dash - s) >= sizeof assoc || strspn(dash + 1, DIGITS "abcdef") != 8 || dash[9] != '\0')
		return false;
	(void)snprintf(assoc, sizeof assoc, "%.*s", (int)(dash - s), s);
	if (!read_number(assoc, UINT32_MAX, &v))
		return false;
	n->assoc = (uint32_t)v;
	n->epoch = (uint32_t)strtoul(dash + 1, NULL, 16);
	return true;
}

/* The next word must be key=value. The rest begins behind the blank that ends it. */
static bool
word(const char **rest, const char *key, char *value, size_t size)
{
	const char	*p = *rest;
	size_t		 n = strlen(key), len;

	if (strncmp(p, key, n) != 0 || p[n] != '=')
		return false;
	p += n + 1;
	len = strcspn(p, " ");
	if (len == 0 || len >= size)
		return false;
	(void)snprintf(value, size, "%.*s", (int)len, p);
	*rest = p + len + (p[len] == ' ');
	return true;
}

static bool
number(const char **rest, const char *key, uint64_t most, unsigned *n)
{
	char		text[24];
	uint64_t	v;

	if (!word(rest, key, text, sizeof text) || !read_number(text, most, &v))
		return false;
	*n = (unsigned)v;
	return true;
}

/* They are given to sctpd, which refuses what is none; here it must be one word of the call. */
static bool
addresses(const char **rest, const char *key, char *value, size_t size)
{
	return word(rest, key, value, size) && strspn(value, DIGITS "abcdefABCDEF.:%,") == strlen(value);
}

bool
row_read(const char *name, const char *text, struct row *r)
{
	char	at[32];

	return strlen(text) < ROW_SIZE && row_read_name(name, &r->name) &&
	    word(&text, "endpoint", r->endpoint, sizeof r->endpoint) && config_is_token(r->endpoint) &&
	    word(&text, "at", at, sizeof at) && row_read_name(at, &r->at) &&
	    number(&text, "port", UINT16_MAX, &r->port) && number(&text, "udp", UINT16_MAX, &r->udp) &&
	    number(&text, "out", UINT16_MAX, &r->out) && number(&text, "in", UINT16_MAX, &r->in) &&
	    addresses(&text, "local", r->local, sizeof r->local) && addresses(&text, "peers", r->peers, sizeof r->peers) &&
	    *text == '\0';
}

void
row_write(char to[ROW_SIZE], const struct row *r)
{
	(void)snprintf(to, ROW_SIZE, "endpoint=%s at=%" PRIu32 "-%08" PRIx32 " port=%u udp=%u out=%u in=%u local=%s peers=%s", r->endpoint,
	    r->at.assoc, r->at.epoch, r->port, r->udp, r->out, r->in, r->local, r->peers);
}

bool
row_read_term(const char *text, char member[CONFIG_NAME], uint64_t *term)
{
	char	number[24];

	return word(&text, "member", member, CONFIG_NAME) && config_is_token(member) &&
	    word(&text, "term", number, sizeof number) && read_number(number, UINT64_MAX, term);
}
