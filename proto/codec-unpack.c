/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MessagePack map to struct, by field table, and what each type is.
 *
 * Fields are copied through their offsets, never loaded in place: several of
 * the kernel's structs are packed.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/addr.h"
#include "proto/codec.h"

/* What each type is called, and the range of those that are integers. */
static const struct {
	const char	*name;
	bool		 number;
	int64_t		 min;
	int64_t		 max;
} types[] = {
	[FIELD_BOOL] = { .name = "true or false" },
	[FIELD_U8] = { "an integer from 0 to 255", true, 0, UINT8_MAX },
	[FIELD_U16] = { "an integer from 0 to 65535", true, 0, UINT16_MAX },
	[FIELD_U32] = { "an integer from 0 to 4294967295", true, 0, UINT32_MAX },
	[FIELD_S32] = { "an integer from -2147483648 to 2147483647", true, INT32_MIN, INT32_MAX },
	[FIELD_MAYBE16] = { "an integer from 0 to 65535", true, 0, UINT16_MAX },
	[FIELD_U64] = { "an integer from 0 to 2^53", true, 0, CODEC_MAX_INTEGER },
	[FIELD_BE16] = { "an integer from 0 to 65535", true, 0, UINT16_MAX },
	[FIELD_BE32] = { "an integer from 0 to 4294967295", true, 0, UINT32_MAX },
	[FIELD_TIMEOUT] = { "milliseconds from 0 to 4294967294, or \"infinity\"", true, 0, UINT32_MAX - 1 },
	[FIELD_WORD] = { .name = "one of its words" },
	[FIELD_WORDS] = { .name = "a list of its words" },
	[FIELD_ADDR] = { .name = "an address, such as \"10.0.0.1\" or \"2001:db8::1\"" },
	[FIELD_IP] = { .name = "an address, such as \"10.0.0.1\" or \"2001:db8::1\"" },
	[FIELD_ENDPOINT] = { .name = "an endpoint, such as {\"addr\": \"10.0.0.1\", \"port\": 2905}" },
	[FIELD_CHARS] = { .name = "a short string" },
	[FIELD_STR] = { .name = "a string" },
	[FIELD_BIN] = { .name = "bytes (bin, or a string)" },
	[FIELD_RECORD] = { .name = "a map of its fields" },
	[FIELD_ANY] = { .name = "a value" },
	[FIELD_TAIL] = { .name = "bytes" },
	[FIELD_TAIL16] = { .name = "a list of integers" },
	[FIELD_LIST] = { .name = "a list of its words" },
};

/* An endpoint while it is being read; in the tables it is one address. */
struct endpoint {
	struct sockaddr_storage	addr;
	uint16_t		port;
};

static const struct field endpoint_fields[] = {
	{ FIELD_BASE(endpoint, addr, ADDR, "addr", NULL), .required = true },
	{ FIELD_BASE(endpoint, port, U16, "port", NULL), .required = true },
	{ .key = NULL }
};

const char *
codec_field_type(const struct field *f)
{
	return types[f->type == FIELD_LIST && f->words == NULL ? FIELD_BIN : f->type].name;
}

/* Write an integer that is known to fit. */
static void
store(const struct field *f, char *base, int64_t v)
{
	void		*p = base + f->offset;
	uint8_t		 u8 = (uint8_t)v;
	uint16_t	 u16 = (uint16_t)v;
	uint32_t	 u32 = (uint32_t)v;

	if (f->type == FIELD_BE16)
		u16 = htons(u16);
	if (f->type == FIELD_BE32)
		u32 = htonl(u32);
	switch (f->width) {
	case 1:
		memcpy(p, &u8, 1);
		break;
	case 2:
		memcpy(p, &u16, 2);
		break;
	case 4:
		memcpy(p, &u32, 4);
		break;
	default:
		memcpy(p, &v, 8);
		break;
	}
}

const char *
codec_type(const msgpack_object *o)
{
	switch (o->type) {
	case MSGPACK_OBJECT_NIL:
		return "nil";
	case MSGPACK_OBJECT_BOOLEAN:
		return "a boolean";
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		return "an integer";
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		return "a floating-point number";
	case MSGPACK_OBJECT_STR:
		return "a string";
	case MSGPACK_OBJECT_ARRAY:
		return "a list";
	case MSGPACK_OBJECT_MAP:
		return "a map";
	case MSGPACK_OBJECT_BIN:
		return "bytes";
	case MSGPACK_OBJECT_EXT:
		return "an extension type";
	}
	return "something unknown";
}

bool
codec_is(const msgpack_object *o, const char *text)
{
	size_t	n = strlen(text);

	/* An empty string's pointer is NULL. */
	return o->type == MSGPACK_OBJECT_STR && o->via.str.size == n &&
	    (n == 0 || memcmp(o->via.str.ptr, text, n) == 0);
}

static bool unpack_map(const msgpack_object *, const struct field *, void *,
    uint64_t *has, bool strict, struct errtext *);

/* ---- what clients spell in several ways ------------------------------ */

/* NaN and what no integer can hold stay what they are. */
static void
make_integer(msgpack_object *o)
{
	double	f = o->via.f64;

	if (f >= 0 && f < 0x1p64 && (double)(uint64_t)f == f) {
		o->type = MSGPACK_OBJECT_POSITIVE_INTEGER;
		o->via.u64 = (uint64_t)f;
	} else if (f < 0 && f >= -0x1p63 && (double)(int64_t)f == f) {
		o->type = MSGPACK_OBJECT_NEGATIVE_INTEGER;
		o->via.i64 = (int64_t)f;
	}
}

/* It goes as deep as the scanner lets a message nest. */
void
codec_normalize(msgpack_object *o)
{
	msgpack_object_str	s;

	if (o->type == MSGPACK_OBJECT_FLOAT32 || o->type == MSGPACK_OBJECT_FLOAT64)
		make_integer(o);
	else if (o->type == MSGPACK_OBJECT_BIN) {
		s = (msgpack_object_str){ .size = o->via.bin.size, .ptr = o->via.bin.ptr };
		o->type = MSGPACK_OBJECT_STR;
		o->via.str = s;
	} else if (o->type == MSGPACK_OBJECT_ARRAY) {
		for (uint32_t i = 0; i < o->via.array.size; i++)
			codec_normalize(&o->via.array.ptr[i]);
	} else if (o->type == MSGPACK_OBJECT_MAP) {
		for (uint32_t i = 0; i < o->via.map.size; i++) {
			codec_normalize(&o->via.map.ptr[i].key);
			codec_normalize(&o->via.map.ptr[i].val);
		}
	}
}

/* ---- values ---------------------------------------------------------- */

static bool
refuse_type(const struct field *f, const msgpack_object *o, struct errtext *err)
{
	if (types[f->type].number &&
	    (o->type == MSGPACK_OBJECT_FLOAT32 || o->type == MSGPACK_OBJECT_FLOAT64)) {
		errtext_set(err, "got %g; it takes %s", o->via.f64, codec_field_type(f));
		return false;
	}
	errtext_set(err, "got %s; it takes %s", codec_type(o), codec_field_type(f));
	return false;
}

/* Name a word that is not in the list, and the list. */
static bool
refuse_word(const struct field *f, const msgpack_object *o, struct errtext *err)
{
	char	known[224] = "";
	size_t	n = 0;

	for (const struct word *w = f->words; w->name != NULL; w++) {
		n += (size_t)snprintf(known + n, sizeof known - n, "%s%s",
		    n > 0 ? ", " : "", w->name);
		if (n >= sizeof known)
			break;
	}
	if (o->type == MSGPACK_OBJECT_STR)
		errtext_set(err, "\"%.*s\" is not one of its words: %s",
		    o->via.str.size > 64 ? 64 : (int)o->via.str.size, o->via.str.ptr, known);
	else
		errtext_set(err, "got %s; its words are: %s", codec_type(o), known);
	return false;
}

/* An integer; those past the type's end become its end. */
static bool
get_integer(const msgpack_object *o, int64_t *v)
{
	if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
		*v = o->via.i64;
	else if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
		*v = o->via.u64 <= INT64_MAX ? (int64_t)o->via.u64 : INT64_MAX;
	else
		return false;
	return true;
}

static bool
unpack_number(const msgpack_object *o, const struct field *f, char *base,
    struct errtext *err)
{
	int64_t	v;

	if (!get_integer(o, &v))
		return refuse_type(f, o, err);
	if (v < types[f->type].min || v > types[f->type].max) {
		errtext_set(err, "%" PRId64 " is out of range; it takes %s", v,
		    types[f->type].name);
		return false;
	}
	store(f, base, v + (f->type == FIELD_MAYBE16));
	return true;
}

/*
 * The value of a word. A daemon sends a number for a value that has no word.
 * Numbers from clients are refused, because a client could invent any.
 */
static bool
find_word(const msgpack_object *o, const struct field *f, bool strict, int64_t *v)
{
	for (const struct word *w = f->words; w->name != NULL; w++) {
		if (codec_is(o, w->name)) {
			*v = w->value;
			return true;
		}
	}
	return !strict && get_integer(o, v);
}

static bool
unpack_word(const msgpack_object *o, const struct field *f, char *base, bool strict,
    struct errtext *err)
{
	int64_t	v;

	if (!find_word(o, f, strict, &v))
		return refuse_word(f, o, err);
	store(f, base, v);
	return true;
}

static bool
unpack_words(const msgpack_object *o, const struct field *f, char *base, bool strict,
    struct errtext *err)
{
	int64_t	v, bits = 0;

	if (o->type != MSGPACK_OBJECT_ARRAY)
		return refuse_type(f, o, err);
	for (uint32_t i = 0; i < o->via.array.size; i++) {
		if (!find_word(&o->via.array.ptr[i], f, strict, &v))
			return refuse_word(f, &o->via.array.ptr[i], err);
		bits |= v;
	}
	store(f, base, bits);
	return true;
}

static bool
unpack_addr(const msgpack_object *o, const struct field *f,
    struct sockaddr_storage *ss, struct errtext *err)
{
	if (o->type != MSGPACK_OBJECT_STR)
		return refuse_type(f, o, err);
	if (addr_parse(o->via.str.ptr, o->via.str.size, ss))
		return true;
	errtext_set(err, "\"%.*s\" does not parse; it takes %s",
	    o->via.str.size > 64 ? 64 : (int)o->via.str.size, o->via.str.ptr,
	    types[f->type].name);
	return false;
}

static bool
unpack_endpoint(const msgpack_object *o, struct sockaddr_storage *ss, bool strict,
    struct errtext *err)
{
	struct endpoint	ep = { .port = 0 };
	uint64_t	has = 0;

	if (!unpack_map(o, endpoint_fields, &ep, &has, strict, err))
		return false;
	*ss = ep.addr;
	addr_set_port(ss, ep.port);
	return true;
}

static bool
unpack_address(const msgpack_object *o, const struct field *f, char *base, bool strict,
    struct errtext *err)
{
	struct sockaddr_storage	ss = { .ss_family = AF_UNSPEC };

	if (f->type == FIELD_ENDPOINT) {
		if (!unpack_endpoint(o, &ss, strict, err))
			return false;
	} else if (strict || !codec_is(o, "")) {	/* a daemon's "none" */
		if (!unpack_addr(o, f, &ss, err))
			return false;
	}
	memcpy(base + f->offset, &ss, sizeof ss);
	return true;
}

static bool
unpack_ip(const msgpack_object *o, const struct field *f, char *base, struct errtext *err)
{
	struct sockaddr_storage	ss;
	struct in6_addr		ip;

	if (!unpack_addr(o, f, &ss, err))
		return false;
	addr_pack(&ss, &ip);
	if (IN6_IS_ADDR_UNSPECIFIED(&ip)) {
		errtext_set(err, "\"::\" is the address of no host");
		return false;
	}
	memcpy(base + f->offset, &ip, sizeof ip);
	return true;
}

static bool
unpack_chars(const msgpack_object *o, const struct field *f, char *base,
    struct errtext *err)
{
	if (o->type != MSGPACK_OBJECT_STR)
		return refuse_type(f, o, err);
	if (o->via.str.size >= f->width) {
		errtext_set(err, "%u bytes are too long; it takes at most %u",
		    o->via.str.size, f->width - 1u);
		return false;
	}
	memset(base + f->offset, 0, f->width);
	if (o->via.str.size > 0)
		memcpy(base + f->offset, o->via.str.ptr, o->via.str.size);
	return true;
}

static bool
unpack_slice(const msgpack_object *o, const struct field *f, char *base,
    struct errtext *err)
{
	struct slice	s;

	if (o->type == MSGPACK_OBJECT_BIN && f->type == FIELD_BIN)
		s = (struct slice){ o->via.bin.ptr, o->via.bin.size };
	else if (o->type == MSGPACK_OBJECT_STR)
		s = (struct slice){ o->via.str.ptr, o->via.str.size };
	else
		return refuse_type(f, o, err);
	memcpy(base + f->offset, &s, sizeof s);
	return true;
}

/* The bytes of a list without words. */
static bool
unpack_list_bytes(const msgpack_object *o, const struct field *f, char *base, struct errtext *err)
{
	const struct field	count = { .offset = f->count, .width = f->count_width };
	struct field		slice = { .type = FIELD_BIN };
	struct slice		s;

	slice.key = f->key;
	if (!unpack_slice(o, &slice, (char *)&s, err))
		return false;
	if (s.len > f->width) {
		errtext_set(err, "%u bytes are too long; it takes at most %u", s.len, (unsigned)f->width);
		return false;
	}
	memset(base + f->offset, 0, f->width);
	if (s.len > 0)
		memcpy(base + f->offset, s.ptr, s.len);
	store(&count, base, s.len);
	return true;
}

static bool
unpack_list(const msgpack_object *o, const struct field *f, char *base, bool strict,
    struct errtext *err)
{
	const struct field	count = { .offset = f->count, .width = f->count_width };
	struct field		item = { .offset = f->offset, .width = f->item };
	int64_t			v;

	if (f->words == NULL)
		return unpack_list_bytes(o, f, base, err);
	if (o->type != MSGPACK_OBJECT_ARRAY)
		return refuse_type(f, o, err);
	if (o->via.array.size > (uint32_t)(f->width / f->item)) {
		errtext_set(err, "%u are too many; it takes at most %u", o->via.array.size,
		    (unsigned)(f->width / f->item));
		return false;
	}
	memset(base + f->offset, 0, f->width);
	for (uint32_t i = 0; i < o->via.array.size; i++) {
		if (!find_word(&o->via.array.ptr[i], f, strict, &v))
			return refuse_word(f, &o->via.array.ptr[i], err);
		store(&item, base, v);
		item.offset += item.width;
	}
	store(&count, base, o->via.array.size);
	return true;
}

static bool
unpack_record(const msgpack_object *o, const struct field *f, char *base, bool strict,
    struct errtext *err)
{
	uint64_t	has = 0;

	return unpack_map(o, f->sub, base + f->offset, &has, strict, err);
}

static bool
unpack_value(const msgpack_object *o, const struct field *f, char *base, bool strict,
    struct errtext *err)
{
	struct any	a = { .obj = o };

	switch (f->type) {
	case FIELD_BOOL:
		if (o->type != MSGPACK_OBJECT_BOOLEAN)
			return refuse_type(f, o, err);
		store(f, base, o->via.boolean);
		return true;
	case FIELD_TIMEOUT:
		if (!codec_is(o, "infinity"))
			return unpack_number(o, f, base, err);
		store(f, base, -1);
		return true;
	case FIELD_WORD:
		return unpack_word(o, f, base, strict, err);
	case FIELD_WORDS:
		return unpack_words(o, f, base, strict, err);
	case FIELD_ADDR:
	case FIELD_ENDPOINT:
		return unpack_address(o, f, base, strict, err);
	case FIELD_IP:
		return unpack_ip(o, f, base, err);
	case FIELD_CHARS:
		return unpack_chars(o, f, base, err);
	case FIELD_STR:
	case FIELD_BIN:
		return unpack_slice(o, f, base, err);
	case FIELD_RECORD:
		return unpack_record(o, f, base, strict, err);
	case FIELD_ANY:
		memcpy(base + f->offset, &a, sizeof a);
		return true;
	case FIELD_TAIL:
	case FIELD_TAIL16:
		errtext_set(err, "only the daemon writes this");
		return false;
	case FIELD_LIST:
		return unpack_list(o, f, base, strict, err);
	case FIELD_U8:
	case FIELD_U16:
	case FIELD_U32:
	case FIELD_S32:
	case FIELD_MAYBE16:
	case FIELD_U64:
	case FIELD_BE16:
	case FIELD_BE32:
		return unpack_number(o, f, base, err);
	}
	return false;
}

static const struct field *
find_field(const msgpack_object *key, const struct field *fields)
{
	for (const struct field *f = fields; f->key != NULL; f++) {
		if (codec_is(key, f->key))
			return f;
	}
	return NULL;
}

/* Name an unknown key, and those that there are. */
static bool
refuse_key(const msgpack_object *key, const struct field *fields,
    struct errtext *err)
{
	char	known[224] = "";
	size_t	n = 0;

	for (const struct field *f = fields; f->key != NULL && n < sizeof known; f++)
		n += (size_t)snprintf(known + n, sizeof known - n, "%s%s",
		    n > 0 ? ", " : "", f->key);
	if (key->type != MSGPACK_OBJECT_STR) {
		errtext_set(err, "a key is %s; keys are strings", codec_type(key));
		return false;
	}
	if (key->via.str.size == 0)
		errtext_set(err, "a key is empty; there are: %s", known);
	else if (n > 0)
		errtext_set(err, "unknown; there are: %s", known);
	else
		errtext_set(err, "unknown; there are no arguments here");
	errtext_under(err, key->via.str.ptr, key->via.str.size);
	return false;
}

static bool
all_required(const struct field *fields, uint64_t has, struct errtext *err)
{
	for (const struct field *f = fields; f->key != NULL; f++) {
		if (!f->required || has & (UINT64_C(1) << (f - fields)))
			continue;
		errtext_set(err, "missing; it takes %s", codec_field_type(f));
		errtext_under(err, f->key, strlen(f->key));
		return false;
	}
	return true;
}

/* The pairs of a map; lists of Lua and PHP are maps if nothing is in them. */
static bool
unpack_map(const msgpack_object *map, const struct field *fields, void *base,
    uint64_t *has, bool strict, struct errtext *err)
{
	const struct field	*f;
	uint32_t		 n = map->type == MSGPACK_OBJECT_MAP ? map->via.map.size : 0;

	if (map->type != MSGPACK_OBJECT_MAP &&
	    (map->type != MSGPACK_OBJECT_ARRAY || map->via.array.size > 0)) {
		errtext_set(err, "got %s; it takes a map", codec_type(map));
		return false;
	}
	for (uint32_t i = 0; i < n; i++) {
		if ((f = find_field(&map->via.map.ptr[i].key, fields)) == NULL) {
			if (!strict)
				continue;
			return refuse_key(&map->via.map.ptr[i].key, fields, err);
		}
		if (map->via.map.ptr[i].val.type == MSGPACK_OBJECT_NIL)
			continue;	/* as good as absent */
		if (!unpack_value(&map->via.map.ptr[i].val, f, base, strict, err)) {
			errtext_under(err, f->key, strlen(f->key));
			return false;
		}
		*has |= UINT64_C(1) << (f - fields);
	}
	return !strict || all_required(fields, *has, err);
}

static bool
unpack(const msgpack_object *o, const struct field *fields, void *base,
    uint64_t *has, bool strict, struct errtext *err)
{
	uint64_t	got = 0;
	bool		ok;

	if (fields->key != NULL && fields->key[0] == '\0')
		return unpack_value(o, fields, base, strict, err);
	ok = unpack_map(o, fields, base, &got, strict, err);
	if (has != NULL)
		*has = got;
	return ok;
}

bool
codec_unpack(const msgpack_object *o, const struct field *fields, void *base,
    uint64_t *has, struct errtext *err)
{
	return unpack(o, fields, base, has, true, err);
}

bool
codec_read(const msgpack_object *o, const struct field *fields, void *base,
    uint64_t *has, struct errtext *err)
{
	return unpack(o, fields, base, has, false, err);
}
