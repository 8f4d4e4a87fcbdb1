/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One word's text as a MessagePack value.
 *
 * The field's type only suggests what the text may be; whether it fits is
 * said later, by the reader that the daemon has too.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/words-text.h"

bool
words_refuse(struct words *p, const char *why)
{
	errtext_set(&p->why, "%s", why);
	return false;
}

static bool
parse_number(const char *s, size_t len, int64_t *v)
{
	char	 buf[32], *end;
	bool	 hex;

	if (len == 0 || len >= sizeof buf)
		return false;
	memcpy(buf, s, len);
	buf[len] = '\0';
	hex = buf[0] == '0' && (buf[1] == 'x' || buf[1] == 'X');
	if (!isdigit((unsigned char)buf[0]) && buf[0] != '-')
		return false;
	*v = strtoll(buf, &end, hex ? 16 : 10);
	return *end == '\0';
}

/* The value that a text looks like, where the type does not say. */
static void
pack_guess(msgpack_packer *pk, const char *s, size_t len, bool words)
{
	int64_t	v;

	if (parse_number(s, len, &v))
		msgpack_pack_int64(pk, v);
	else if (!words && len == 4 && memcmp(s, "true", 4) == 0)
		msgpack_pack_true(pk);
	else if (!words && len == 5 && memcmp(s, "false", 5) == 0)
		msgpack_pack_false(pk);
	else
		msgpack_pack_str_with_body(pk, s, len);
}

/* a,b,c as a list. */
static void
pack_list(msgpack_packer *pk, const char *s, bool words)
{
	uint32_t	n = *s != '\0';
	size_t		len;

	for (const char *q = s; *q != '\0'; q++)
		n += *q == ',';
	msgpack_pack_array(pk, n);
	for (uint32_t i = 0; i < n; i++) {
		len = strcspn(s, ",");
		pack_guess(pk, s, len, words);
		s += len + (s[len] == ',');
	}
}

static void
pack_bool(msgpack_packer *pk, const char *s)
{
	if (strcmp(s, "1") == 0 || strcmp(s, "true") == 0)
		msgpack_pack_true(pk);
	else if (strcmp(s, "0") == 0 || strcmp(s, "false") == 0)
		msgpack_pack_false(pk);
	else
		codec_pack_text(pk, s);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
pack_hex(struct words *p, const char *s)
{
	msgpack_packer	*pk = p->pk;
	size_t		 len = strlen(s);
	char		 byte;

	for (size_t i = 0; i < len; i++) {
		if (hex_digit(s[i]) < 0 || len % 2 != 0)
			return words_refuse(p, "hex: takes pairs of the digits 0-9 and a-f");
	}
	msgpack_pack_bin(pk, len / 2);
	for (size_t i = 0; i < len; i += 2) {
		byte = (char)(hex_digit(s[i]) << 4 | hex_digit(s[i + 1]));
		msgpack_pack_bin_body(pk, &byte, 1);
	}
	return true;
}

static bool
pack_bytes(struct words *p, const char *s)
{
	if (strncmp(s, "hex:", 4) == 0)
		return pack_hex(p, s + 4);
	if (strncmp(s, "text:", 5) == 0)
		s += 5;
	msgpack_pack_bin_with_body(p->pk, s, strlen(s));
	return true;
}

/* 10.0.0.1:2905 or [2001:db8::1]:2905 */
static bool
pack_endpoint(struct words *p, const char *s)
{
	msgpack_packer	*pk = p->pk;
	const char	*colon = strrchr(s, ':');
	size_t		 len = colon != NULL ? (size_t)(colon - s) : 0;

	if (len == 0)
		return words_refuse(p,
		    "it takes ADDRESS:PORT, such as 10.0.0.1:2905 or [2001:db8::1]:2905");
	if (s[0] == '[' && s[len - 1] == ']') {
		s++;
		len -= 2;
	}
	msgpack_pack_map(pk, 2);
	codec_pack_text(pk, "addr");
	msgpack_pack_str_with_body(pk, s, len);
	codec_pack_text(pk, "port");
	pack_guess(pk, colon + 1, strlen(colon + 1), true);
	return true;
}

bool
words_refuse_record(struct words *p, const struct field *sub)
{
	char	known[224] = "";
	size_t	n = 0;

	for (const struct field *f = sub; f != NULL && f->key != NULL && n < sizeof known; f++)
		n += (size_t)snprintf(known + n, sizeof known - n, " .%s", f->key);
	errtext_set(&p->why, "it is a record; name its parts:%s", known);
	return false;
}

bool
words_pack_text(struct words *p, const struct field *f, const char *s)
{
	msgpack_packer	*pk = p->pk;

	switch (f->type) {
	case FIELD_BOOL:
		pack_bool(pk, s);
		return true;
	case FIELD_WORDS:
		pack_list(pk, s, true);
		return true;
	case FIELD_CHARS:
	case FIELD_STR:
	case FIELD_ADDR:
	case FIELD_IP:
		codec_pack_text(pk, s);
		return true;
	case FIELD_BIN:
		return pack_bytes(p, s);
	case FIELD_LIST:
		if (f->words == NULL)
			return pack_bytes(p, s);
		pack_list(pk, s, true);
		return true;
	case FIELD_ENDPOINT:
		return pack_endpoint(p, s);
	case FIELD_ANY:
		if (strchr(s, ',') != NULL)
			pack_list(pk, s, false);
		else
			pack_guess(pk, s, strlen(s), false);
		return true;
	case FIELD_RECORD:
		return words_refuse_record(p, f->sub);
	case FIELD_U8:
	case FIELD_U16:
	case FIELD_U32:
	case FIELD_S32:
	case FIELD_MAYBE16:
	case FIELD_U64:
	case FIELD_BE16:
	case FIELD_BE32:
	case FIELD_TIMEOUT:
	case FIELD_WORD:
	case FIELD_TAIL:
	case FIELD_TAIL16:
		pack_guess(pk, s, strlen(s), true);
		return true;
	}
	return false;
}
