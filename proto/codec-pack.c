/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Struct to MessagePack map, by field table.
 *
 * Fields are copied through their offsets, never loaded in place: several of
 * the kernel's structs are packed.
 */
#include <arpa/inet.h>
#include <string.h>

#include "proto/addr.h"
#include "proto/codec.h"

void
codec_pack_text(msgpack_packer *pk, const char *s)
{
	msgpack_pack_str_with_body(pk, s, strlen(s));
}

void
codec_pack_number(msgpack_packer *pk, const char *key, uint64_t value)
{
	codec_pack_text(pk, key);
	msgpack_pack_uint64(pk, value);
}

void
codec_pack_string(msgpack_packer *pk, const char *key, const char *value)
{
	codec_pack_text(pk, key);
	codec_pack_text(pk, value);
}

void
codec_pack_endpoint(msgpack_packer *pk, const struct sockaddr_storage *ss)
{
	char	text[ADDR_TEXT];

	msgpack_pack_map(pk, 2);
	codec_pack_text(pk, "addr");
	codec_pack_text(pk, addr_text(ss, text));
	codec_pack_text(pk, "port");
	msgpack_pack_uint16(pk, addr_port(ss));
}

/* Read an integer of any width, in host order. */
static int64_t
load(const struct field *f, const char *base)
{
	const void	*p = base + f->offset;
	uint8_t		 u8;
	uint16_t	 u16;
	uint32_t	 u32;
	int64_t		 s64;

	switch (f->width) {
	case 1:
		memcpy(&u8, p, 1);
		return u8;
	case 2:
		memcpy(&u16, p, 2);
		return f->type == FIELD_BE16 ? ntohs(u16) : u16;
	case 4:
		memcpy(&u32, p, 4);
		if (f->type == FIELD_BE32)
			return ntohl(u32);
		return f->type == FIELD_S32 || f->type == FIELD_WORD ?
		    (int64_t)(int32_t)u32 : (int64_t)u32;
	default:
		memcpy(&s64, p, 8);
		return s64;
	}
}

static void
pack_word(msgpack_packer *pk, const struct field *f, int64_t v)
{
	for (const struct word *w = f->words; w->name != NULL; w++) {
		if (w->value == v) {
			codec_pack_text(pk, w->name);
			return;
		}
	}
	msgpack_pack_int64(pk, v);	/* a newer stack's: passed on as it is */
}

/* The named bits that are set; those without a name follow as one number. */
static void
pack_words(msgpack_packer *pk, const struct field *f, int64_t v)
{
	int64_t		 rest = v;
	uint32_t	 n = 0;

	for (const struct word *w = f->words; w->name != NULL; w++) {
		if ((v & w->value) == w->value) {
			n++;
			rest &= ~w->value;
		}
	}
	msgpack_pack_array(pk, n + (rest != 0));
	for (const struct word *w = f->words; w->name != NULL; w++) {
		if ((v & w->value) == w->value)
			codec_pack_text(pk, w->name);
	}
	if (rest != 0)
		msgpack_pack_int64(pk, rest);
}

static void
pack_address(msgpack_packer *pk, const struct field *f, const char *base)
{
	struct sockaddr_storage	 ss;
	char			 text[ADDR_TEXT];

	memcpy(&ss, base + f->offset, sizeof ss);
	if (f->type == FIELD_ENDPOINT)
		codec_pack_endpoint(pk, &ss);
	else
		codec_pack_text(pk, addr_text(&ss, text));
}

static void
pack_ip(msgpack_packer *pk, const struct field *f, const char *base)
{
	struct in6_addr		 ip;
	struct sockaddr_storage	 ss;
	char			 text[ADDR_TEXT];

	memcpy(&ip, base + f->offset, sizeof ip);
	addr_unpack(&ip, &ss);
	codec_pack_text(pk, addr_text(&ss, text));
}

static void
pack_slice(msgpack_packer *pk, const struct field *f, const char *base)
{
	struct slice	s;

	memcpy(&s, base + f->offset, sizeof s);
	if (f->type == FIELD_STR)
		msgpack_pack_str_with_body(pk, s.ptr, s.len);
	else
		msgpack_pack_bin_with_body(pk, s.ptr, s.len);
}

static void
pack_any(msgpack_packer *pk, const struct field *f, const char *base)
{
	struct any	a;

	memcpy(&a, base + f->offset, sizeof a);
	if (a.packed.ptr != NULL)
		(void)pk->callback(pk->data, a.packed.ptr, a.packed.len);
	else if (a.obj != NULL)
		(void)msgpack_pack_object(pk, *a.obj);
	else
		msgpack_pack_nil(pk);
}

static void
pack_tail(msgpack_packer *pk, const struct field *f, const char *base, size_t len)
{
	size_t		n = len > f->offset ? len - f->offset : 0;
	uint16_t	u16;

	if (f->type == FIELD_TAIL) {
		msgpack_pack_bin_with_body(pk, base + f->offset, n);
		return;
	}
	msgpack_pack_array(pk, n / 2);
	for (size_t i = 0; i + 2 <= n; i += 2) {
		memcpy(&u16, base + f->offset + i, 2);
		msgpack_pack_uint16(pk, u16);
	}
}

/* How many items a list has: never more than there is room for, whatever the count says. */
static size_t
list_count(const struct field *f, const char *base)
{
	const struct field	count = { .type = FIELD_U32, .offset = f->count, .width = f->count_width };
	size_t			n = (size_t)load(&count, base), room = f->width / f->item;

	return n < room ? n : room;
}

static void
pack_list(msgpack_packer *pk, const struct field *f, const char *base)
{
	struct field	item = { .type = FIELD_U32, .offset = f->offset, .width = f->item };
	size_t		n = list_count(f, base);

	if (f->words == NULL) {
		msgpack_pack_bin_with_body(pk, base + f->offset, n * f->item);
		return;
	}
	msgpack_pack_array(pk, n);
	for (; n > 0; n--) {
		pack_word(pk, f, load(&item, base));
		item.offset += item.width;
	}
}

static void
pack_value(msgpack_packer *pk, const struct field *f, const char *base, size_t len)
{
	int64_t	v;

	switch (f->type) {
	case FIELD_BOOL:
		if (load(f, base) != 0)
			msgpack_pack_true(pk);
		else
			msgpack_pack_false(pk);
		break;
	case FIELD_TIMEOUT:
		if ((v = load(f, base)) < 0)
			codec_pack_text(pk, "infinity");
		else
			msgpack_pack_int64(pk, v);
		break;
	case FIELD_WORD:
		pack_word(pk, f, load(f, base));
		break;
	case FIELD_WORDS:
		pack_words(pk, f, load(f, base));
		break;
	case FIELD_ADDR:
	case FIELD_ENDPOINT:
		pack_address(pk, f, base);
		break;
	case FIELD_IP:
		pack_ip(pk, f, base);
		break;
	case FIELD_CHARS:
		msgpack_pack_str_with_body(pk, base + f->offset,
		    strnlen(base + f->offset, f->width));
		break;
	case FIELD_STR:
	case FIELD_BIN:
		pack_slice(pk, f, base);
		break;
	case FIELD_RECORD:
		codec_pack(pk, f->sub, base + f->offset, f->width);
		break;
	case FIELD_ANY:
		pack_any(pk, f, base);
		break;
	case FIELD_TAIL:
	case FIELD_TAIL16:
		pack_tail(pk, f, base, len);
		break;
	case FIELD_LIST:
		pack_list(pk, f, base);
		break;
	case FIELD_U64:
		v = load(f, base);	/* counters stop where clients cannot follow */
		msgpack_pack_int64(pk, v < 0 || v > CODEC_MAX_INTEGER ?
		    CODEC_MAX_INTEGER : v);
		break;
	case FIELD_U8:
	case FIELD_U16:
	case FIELD_U32:
	case FIELD_S32:
	case FIELD_BE16:
	case FIELD_BE32:
		msgpack_pack_int64(pk, load(f, base));
		break;
	case FIELD_MAYBE16:
		msgpack_pack_int64(pk, load(f, base) - 1);
		break;
	}
}

/* A sparse field that says nothing. */
static bool
is_empty(const struct field *f, const char *base, size_t len)
{
	struct slice	s;
	struct any	a;
	struct in6_addr	ip;
	sa_family_t	family;

	if (!f->sparse)
		return false;
	switch (f->type) {
	case FIELD_STR:
	case FIELD_BIN:
		memcpy(&s, base + f->offset, sizeof s);
		return s.ptr == NULL;
	case FIELD_ANY:
		memcpy(&a, base + f->offset, sizeof a);
		return a.obj == NULL && a.packed.ptr == NULL;
	case FIELD_ADDR:
	case FIELD_ENDPOINT:
		memcpy(&family, base + f->offset, sizeof family);
		return family == 0;
	case FIELD_IP:
		memcpy(&ip, base + f->offset, sizeof ip);
		return IN6_IS_ADDR_UNSPECIFIED(&ip);
	case FIELD_TAIL:
	case FIELD_TAIL16:
		return len <= f->offset;
	case FIELD_LIST:
		return list_count(f, base) == 0;
	default:
		return load(f, base) == 0;
	}
}

unsigned
codec_count(const struct field *f, const void *base, size_t len)
{
	unsigned	n = 0;

	for (; f->key != NULL; f++)
		n += !is_empty(f, base, len);
	return n;
}

void
codec_pack_fields(msgpack_packer *pk, const struct field *f, const void *base,
    size_t len)
{
	for (; f->key != NULL; f++) {
		if (is_empty(f, base, len))
			continue;
		codec_pack_text(pk, f->key);
		pack_value(pk, f, base, len);
	}
}

void
codec_pack(msgpack_packer *pk, const struct field *f, const void *base, size_t len)
{
	if (f->key != NULL && f->key[0] == '\0') {
		pack_value(pk, f, base, len);
		return;
	}
	msgpack_pack_map(pk, codec_count(f, base, len));
	codec_pack_fields(pk, f, base, len);
}

static void
pack_words_list(msgpack_packer *pk, const struct word *words)
{
	uint32_t	n = 0;

	while (words[n].name != NULL)
		n++;
	msgpack_pack_array(pk, n);
	for (; words->name != NULL; words++)
		codec_pack_text(pk, words->name);
}

void
codec_pack_table(msgpack_packer *pk, const struct field *fields)
{
	uint32_t	n = 0;

	while (fields[n].key != NULL)
		n++;
	msgpack_pack_array(pk, n);
	for (const struct field *f = fields; f->key != NULL; f++) {
		msgpack_pack_map(pk, 4u + (f->words != NULL) + (f->sub != NULL));
		codec_pack_text(pk, "name");
		codec_pack_text(pk, f->key);
		codec_pack_text(pk, "type");
		codec_pack_text(pk, codec_field_type(f));
		codec_pack_text(pk, "doc");
		codec_pack_text(pk, f->doc);
		codec_pack_text(pk, "required");
		(void)(f->required ? msgpack_pack_true(pk) : msgpack_pack_false(pk));
		if (f->words != NULL) {
			codec_pack_text(pk, "words");
			pack_words_list(pk, f->words);
		}
		if (f->sub != NULL) {
			codec_pack_text(pk, "fields");
			codec_pack_table(pk, f->sub);
		}
	}
}
