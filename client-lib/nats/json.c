/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <string.h>

#include "nats/json.h"

void
json_string(FILE *f, const char *s, size_t len)
{
	(void)putc('"', f);
	for (size_t i = 0; i < len; i++) {
		unsigned char	c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			(void)fprintf(f, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			(void)fprintf(f, "\\u%04x", c);
		else
			(void)putc(c, f);
	}
	(void)putc('"', f);
}

static void
bytes(FILE *f, const struct sctpd_value *v)
{
	size_t		 len;
	const char	*s = sctpd_str(v, &len);

	(void)putc('"', f);
	for (size_t i = 0; i < len; i++)
		(void)fprintf(f, "%02x", (unsigned char)s[i]);
	(void)putc('"', f);
}

static void
container(FILE *f, const struct sctpd_value *v, bool map)
{
	(void)putc(map ? '{' : '[', f);
	for (size_t i = 0; i < sctpd_count(v); i++) {
		if (i > 0)
			(void)putc(',', f);
		if (map) {
			json_string(f, sctpd_key(v, i), strlen(sctpd_key(v, i)));
			(void)putc(':', f);
		}
		json_value(f, sctpd_item(v, i));
	}
	(void)putc(map ? '}' : ']', f);
}

void
json_value(FILE *f, const struct sctpd_value *v)
{
	size_t		 len;
	const char	*s;

	switch (sctpd_type(v)) {
	case SCTPD_NIL:
		(void)fputs("null", f);
		break;
	case SCTPD_BOOL:
		(void)fputs(sctpd_int(v) ? "true" : "false", f);
		break;
	case SCTPD_INT:
		(void)fprintf(f, "%" PRId64, sctpd_int(v));
		break;
	case SCTPD_FLOAT:
		(void)fprintf(f, "%.17g", sctpd_float(v));
		break;
	case SCTPD_STR:
		s = sctpd_str(v, &len);
		json_string(f, s, len);
		break;
	case SCTPD_BIN:
		bytes(f, v);
		break;
	case SCTPD_LIST:
	case SCTPD_MAP:
		container(f, v, sctpd_type(v) == SCTPD_MAP);
		break;
	}
}

bool
json_pick(const char *text, const char *name, char *to, size_t size)
{
	char		 key[64];
	const char	*p;
	size_t		 n = 0;
	bool		 quoted;

	(void)snprintf(key, sizeof key, "\"%s\":", name);
	if ((p = strstr(text, key)) == NULL)
		return false;
	p += strlen(key);
	quoted = *p == '"';
	for (p += quoted; *p != '\0' && strchr(quoted ? "\"" : ",}] ", *p) == NULL && n + 1 < size; p++) {
		if (quoted && *p == '\\' && p[1] != '\0')
			p++;
		to[n++] = *p;
	}
	to[n] = '\0';
	return true;
}
