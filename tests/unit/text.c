/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MessagePack as text and back, for tests only.
 *
 * JSON's syntax with nil for null and x"00ff" for bytes, so that a test says
 * in one line what goes in and what comes out.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

/* ---- text to MessagePack -------------------------------------------- */

static const char *pack_value(msgpack_packer *, const char *);

static const char *
skip(const char *p)
{
	return p + strspn(p, " \t\n,:");
}

static const char *
pack_string(msgpack_packer *pk, const char *p)
{
	size_t	n = strcspn(p, "\"");

	ck_assert_msg(p[n] == '"', "no end of string: %s", p);
	msgpack_pack_str_with_body(pk, p, n);
	return p + n + 1;
}

static const char *
pack_bytes(msgpack_packer *pk, const char *p)
{
	unsigned char	bytes[256];
	unsigned	byte;
	size_t		n = 0;

	for (; *p != '"'; p += 2) {
		ck_assert(sscanf(p, "%2x", &byte) == 1 && n < sizeof bytes);
		bytes[n++] = (unsigned char)byte;
	}
	msgpack_pack_bin_with_body(pk, bytes, n);
	return p + 1;
}

static const char *
pack_number(msgpack_packer *pk, const char *p)
{
	size_t	 n = strcspn(p, " ,:]}");
	char	*end;

	if (memchr(p, '.', n) != NULL)
		msgpack_pack_double(pk, strtod(p, &end));
	else if (*p == '-')
		msgpack_pack_int64(pk, strtoll(p, &end, 10));
	else
		msgpack_pack_uint64(pk, strtoull(p, &end, 10));
	ck_assert_msg(end == p + n && n > 0, "no value: %s", p);
	return end;
}

/* The elements up to the closing bracket; they are packed aside to count. */
static const char *
pack_list(msgpack_packer *pk, const char *p, char close)
{
	msgpack_sbuffer	buf;
	msgpack_packer	inner;
	size_t		n = 0;

	msgpack_sbuffer_init(&buf);
	msgpack_packer_init(&inner, &buf, msgpack_sbuffer_write);
	for (p = skip(p); *p != close; p = skip(p), n++)
		p = pack_value(&inner, p);
	if (close == '}')
		msgpack_pack_map(pk, n / 2);
	else
		msgpack_pack_array(pk, n);
	if (n > 0)
		(void)pk->callback(pk->data, buf.data, buf.size);
	msgpack_sbuffer_destroy(&buf);
	return p + 1;
}

static const char *
pack_value(msgpack_packer *pk, const char *p)
{
	if (*p == '{' || *p == '[')
		return pack_list(pk, p + 1, *p == '{' ? '}' : ']');
	if (*p == '"')
		return pack_string(pk, p + 1);
	if (strncmp(p, "x\"", 2) == 0)
		return pack_bytes(pk, p + 2);
	if (strncmp(p, "nil", 3) == 0) {
		msgpack_pack_nil(pk);
		return p + 3;
	}
	if (strncmp(p, "true", 4) == 0) {
		msgpack_pack_true(pk);
		return p + 4;
	}
	if (strncmp(p, "false", 5) == 0) {
		msgpack_pack_false(pk);
		return p + 5;
	}
	return pack_number(pk, p);
}

void
text_pack(msgpack_packer *pk, const char *text)
{
	const char	*end = pack_value(pk, skip(text));

	ck_assert_msg(*skip(end) == '\0', "more than one value: %s", text);
}

/* Kept for the leak checker's sake: a test is one process. */
static struct {
	msgpack_sbuffer		buf;
	msgpack_unpacked	msg;
} objects[1024];
static size_t nobjects;

const msgpack_object *
text_object(const char *text)
{
	msgpack_packer	pk;
	size_t		i = nobjects++;

	ck_assert_uint_lt(i, sizeof objects / sizeof objects[0]);
	msgpack_sbuffer_init(&objects[i].buf);
	msgpack_unpacked_init(&objects[i].msg);
	msgpack_packer_init(&pk, &objects[i].buf, msgpack_sbuffer_write);
	text_pack(&pk, text);
	ck_assert_int_eq(msgpack_unpack_next(&objects[i].msg, objects[i].buf.data,
	    objects[i].buf.size, NULL), MSGPACK_UNPACK_SUCCESS);
	return &objects[i].msg.data;
}

/* ---- MessagePack to text -------------------------------------------- */

struct out {
	char	text[8192];
	size_t	len;
};

static void show(struct out *, const msgpack_object *);

static void __attribute__((format(printf, 2, 3)))
say(struct out *o, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	o->len += (size_t)vsnprintf(o->text + o->len, sizeof o->text - o->len,
	    fmt, ap);
	va_end(ap);
	ck_assert_uint_lt(o->len, sizeof o->text);
}

static void
show_array(struct out *out, const msgpack_object_array *a)
{
	say(out, "[");
	for (uint32_t i = 0; i < a->size; i++) {
		say(out, "%s", i > 0 ? ", " : "");
		show(out, &a->ptr[i]);
	}
	say(out, "]");
}

static void
show_map(struct out *out, const msgpack_object_map *m)
{
	say(out, "{");
	for (uint32_t i = 0; i < m->size; i++) {
		say(out, "%s", i > 0 ? ", " : "");
		show(out, &m->ptr[i].key);
		say(out, ": ");
		show(out, &m->ptr[i].val);
	}
	say(out, "}");
}

static void
show_bytes(struct out *out, const msgpack_object_bin *b)
{
	say(out, "x\"");
	for (uint32_t i = 0; i < b->size; i++)
		say(out, "%02x", (unsigned char)b->ptr[i]);
	say(out, "\"");
}

static void
show(struct out *out, const msgpack_object *o)
{
	switch (o->type) {
	case MSGPACK_OBJECT_NIL:
		say(out, "nil");
		break;
	case MSGPACK_OBJECT_BOOLEAN:
		say(out, "%s", o->via.boolean ? "true" : "false");
		break;
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		say(out, "%" PRIu64, o->via.u64);
		break;
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		say(out, "%" PRId64, o->via.i64);
		break;
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		say(out, "%.1f", o->via.f64);
		break;
	case MSGPACK_OBJECT_STR:
		say(out, "\"%.*s\"", (int)o->via.str.size, o->via.str.ptr);
		break;
	case MSGPACK_OBJECT_BIN:
		show_bytes(out, &o->via.bin);
		break;
	case MSGPACK_OBJECT_ARRAY:
		show_array(out, &o->via.array);
		break;
	case MSGPACK_OBJECT_MAP:
		show_map(out, &o->via.map);
		break;
	case MSGPACK_OBJECT_EXT:
		say(out, "ext");
		break;
	}
}

const char *
text_show_object(const msgpack_object *o)
{
	static struct out	outs[8];
	static unsigned		next;
	struct out		*out = &outs[next++ % 8];

	out->len = 0;
	show(out, o);
	return out->text;
}

const char *
text_show(const void *data, size_t len)
{
	msgpack_unpacked	 msg;
	size_t			 off = 0;
	const char		*text;

	msgpack_unpacked_init(&msg);
	ck_assert_int_eq(msgpack_unpack_next(&msg, data, len, &off),
	    MSGPACK_UNPACK_SUCCESS);
	ck_assert_uint_eq(off, len);
	text = text_show_object(&msg.data);
	msgpack_unpacked_destroy(&msg);
	return text;
}
