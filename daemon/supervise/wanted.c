/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading, checking and packing what is wanted: see wanted.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "proto/addr.h"
#include "proto/codec.h"
#include "proto/frame.h"
#include "proto/sockopt.h"
#include "proto/words.h"
#include "supervise/local.h"
#include "supervise/wanted.h"
#include "util/mem.h"

#define BACKOFF_MIN	250
#define BACKOFF_MAX	5000
#define JITTER		20

#define BACKOFF_LEAST	10
#define BACKOFF_MOST	86400000
#define NAME_MAX_LEN	253	/* of a host */

static const struct field *
fields(void)
{
	return rpc_table[RPC_supervise].in;
}

bool
wanted_read(struct wanted *w, const char *bytes, size_t len, struct errtext *err)
{
	size_t	off = 0, end;

	memset(&w->in, 0, sizeof w->in);
	msgpack_unpacked_init(&w->u);
	if (frame_value(bytes, len, &end) != FRAME_MESSAGE || end != len ||
	    msgpack_unpack_next(&w->u, bytes, len, &off) != MSGPACK_UNPACK_SUCCESS) {
		errtext_set(err, "it does not parse");
		return false;
	}
	return codec_unpack(&w->u.data, fields(), &w->in, &w->in.has, err);
}

void
wanted_free(struct wanted *w)
{
	msgpack_unpacked_destroy(&w->u);
}

/* ---- values ---------------------------------------------------------- */

uint32_t
wanted_count(const struct any *a)
{
	if (a->obj == NULL)
		return 0;
	return a->obj->type == MSGPACK_OBJECT_ARRAY ? a->obj->via.array.size : 1;
}

/* A number counts as its text: users are given so. */
struct slice
wanted_item(const struct any *a, uint32_t i)
{
	static char		 number[24];
	const msgpack_object	*o = a->obj->type == MSGPACK_OBJECT_ARRAY ? &a->obj->via.array.ptr[i] : a->obj;

	if (o->type == MSGPACK_OBJECT_STR)
		return (struct slice){ o->via.str.ptr, o->via.str.size };
	if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
		return (struct slice){ "", 0 };
	return (struct slice){ number, (uint32_t)snprintf(number, sizeof number, "%llu", (unsigned long long)o->via.u64) };
}

uint32_t
wanted_backoff_min(const struct rpc_supervise_in *in)
{
	if (RPC_HAS(in, supervise, backoff_min))
		return in->backoff_min;
	return wanted_backoff_max(in) < BACKOFF_MIN ? wanted_backoff_max(in) : BACKOFF_MIN;
}

uint32_t
wanted_backoff_max(const struct rpc_supervise_in *in)
{
	if (RPC_HAS(in, supervise, backoff_max))
		return in->backoff_max;
	return RPC_HAS(in, supervise, backoff_min) && in->backoff_min > BACKOFF_MAX ? in->backoff_min : BACKOFF_MAX;
}

uint32_t
wanted_jitter(const struct rpc_supervise_in *in)
{
	return RPC_HAS(in, supervise, jitter) ? in->jitter : JITTER;
}

/* ---- checks ---------------------------------------------------------- */

static bool
wrong(struct errtext *err, const char *key, const char *why)
{
	errtext_set(err, "%s", why);
	errtext_under(err, key, strlen(key));
	return false;
}

static bool
wrong_item(struct errtext *err, const char *key, struct slice item, const char *why)
{
	errtext_set(err, "\"%.*s\" %s", item.len > 64 ? 64 : (int)item.len, item.ptr, why);
	errtext_under(err, key, strlen(key));
	return false;
}

static bool
check_name(struct slice name, struct errtext *err)
{
	bool	ok = name.len > 0 && name.len <= WANTED_NAME;

	for (uint32_t i = 0; ok && i < name.len; i++)
		ok = isalnum((unsigned char)name.ptr[i]) || strchr("._-", name.ptr[i]) != NULL;
	return ok || wrong_item(err, "name", name, "is no name; it takes 1 to 64 letters, digits, and characters of . _ -");
}

/* An address, or what may be a host's name: only a letter makes it one. */
static bool
is_peer(struct slice s)
{
	struct sockaddr_storage	ss;
	bool			letter = false;

	if (addr_parse(s.ptr, s.len, &ss))
		return !addr_is_any(&ss);
	if (s.len == 0 || s.len > NAME_MAX_LEN)
		return false;
	for (uint32_t i = 0; i < s.len; i++) {
		if (!isalnum((unsigned char)s.ptr[i]) && strchr(".-_", s.ptr[i]) == NULL)
			return false;
		letter = letter || isalpha((unsigned char)s.ptr[i]);
	}
	return letter;
}

static bool
is_number(struct slice s)
{
	for (uint32_t i = 0; i < s.len; i++) {
		if (!isdigit((unsigned char)s.ptr[i]))
			return false;
	}
	return s.len > 0 && s.len <= 10;
}

static bool
is_user(struct slice s)
{
	if (s.len > 0 && s.ptr[0] == '@')
		s = (struct slice){ s.ptr + 1, s.len - 1 };
	return is_number(s) || (s.len == 3 && memcmp(s.ptr, "all", 3) == 0);
}

static bool
is_user_or_name(struct slice s)
{
	return s.len > (s.len > 0 && s.ptr[0] == '@') && s.len <= 32;
}

static bool
check_list(const char *key, const struct any *list, bool (*is_right)(struct slice), const char *what, struct errtext *err)
{
	struct slice	s, t;

	if (list->obj != NULL && (wanted_count(list) == 0 || wanted_count(list) > WANTED_ITEMS))
		return wrong(err, key, "it takes 1 to 16 items");
	for (uint32_t i = 0; i < wanted_count(list); i++) {
		s = wanted_item(list, i);
		if (!is_right(s))
			return wrong_item(err, key, s, what);
		for (uint32_t j = 0; j < i; j++) {
			t = wanted_item(list, j);
			if (s.len == t.len && s.ptr != t.ptr && memcmp(s.ptr, t.ptr, s.len) == 0)
				return wrong_item(err, key, s, "is there twice");
		}
	}
	return true;
}

static bool
check_role(const struct rpc_supervise_in *in, struct errtext *err)
{
	struct sockaddr_storage	ss;

	if (in->role == ROLE_LISTEN) {
		if (in->peer.obj != NULL)
			return wrong(err, "peer", "role listen waits for peers, and has none to call");
		if (RPC_HAS(in, supervise, peer_port) || RPC_HAS(in, supervise, primary))
			return wrong(err, RPC_HAS(in, supervise, peer_port) ? "peer_port" : "primary", "it is for role connect");
		return in->local_port != 0 || wrong(err, "local_port", "missing; role listen needs it, 1 to 65535");
	}
	if (in->peer.obj == NULL)
		return wrong(err, "peer", "missing; role connect needs it");
	if (in->peer_port == 0)
		return wrong(err, "peer_port", "missing; role connect needs it, 1 to 65535");
	if (!RPC_HAS(in, supervise, primary))
		return true;
	if (!addr_parse(in->primary.ptr, in->primary.len, &ss))
		return wrong_item(err, "primary", in->primary, "is no address");
	return true;
}

static bool
check_numbers(const struct rpc_supervise_in *in, struct errtext *err)
{
	uint32_t	min = wanted_backoff_min(in), max = wanted_backoff_max(in);

	if (min < BACKOFF_LEAST || min > BACKOFF_MOST)
		return wrong(err, "backoff_min", "it takes 10 to 86400000 milliseconds");
	if (max < BACKOFF_LEAST || max > BACKOFF_MOST)
		return wrong(err, "backoff_max", "it takes 10 to 86400000 milliseconds");
	if (max < min)
		return wrong(err, "backoff_max", "it is less than backoff_min");
	if (wanted_jitter(in) > 100)
		return wrong(err, "jitter", "it takes 0 to 100 percent");
	if (RPC_HAS(in, supervise, streams_out) && in->streams_out == 0)
		return wrong(err, "streams_out", "it takes 1 to 65535");
	if (RPC_HAS(in, supervise, streams_in) && in->streams_in == 0)
		return wrong(err, "streams_in", "it takes 1 to 65535");
	return true;
}

static bool
check_option(const msgpack_object *name, const msgpack_object *value, struct errtext *err)
{
	_Alignas(8) char	 scratch[SOCKOPT_MAX];
	const struct sockopt	*o = NULL;
	bool			 ok;

	if (name->type == MSGPACK_OBJECT_STR)
		o = sockopt_find(name->via.str.ptr, name->via.str.size);
	if (o == NULL) {
		errtext_set(err, "there is no such option");
		if (name->type == MSGPACK_OBJECT_STR)
			errtext_under(err, name->via.str.ptr, name->via.str.size);
		return false;
	}
	if ((o->access & SOCKOPT_SET) == 0 || o->secret) {
		errtext_set(err, "%s", o->secret ? "a key would be in the journal; it cannot be supervised" :
		    o->access & SOCKOPT_OPEN ? "it cannot be supervised" : "it can only be read");
		ok = false;
	} else
		ok = value->type == MSGPACK_OBJECT_NIL || codec_is(name, "active") ||
		    codec_unpack(value, o->fields, scratch, NULL, err);
	if (!ok)
		errtext_under(err, o->name, strlen(o->name));
	return ok;
}

static bool
check_options(const msgpack_object *o, struct errtext *err)
{
	bool	ok = o->type == MSGPACK_OBJECT_MAP || o->type == MSGPACK_OBJECT_ARRAY;

	if (!ok)
		errtext_set(err, "got %s; it takes a map, or a list of [name, value]", codec_type(o));
	for (uint32_t i = 0; ok && o->type == MSGPACK_OBJECT_MAP && i < o->via.map.size; i++)
		ok = check_option(&o->via.map.ptr[i].key, &o->via.map.ptr[i].val, err);
	for (uint32_t i = 0; ok && o->type == MSGPACK_OBJECT_ARRAY && i < o->via.array.size; i++) {
		const msgpack_object	*pair = &o->via.array.ptr[i];

		ok = pair->type == MSGPACK_OBJECT_ARRAY && pair->via.array.size == 2;
		if (!ok)
			errtext_set(err, "number %u is not a [name, value]", i + 1);
		else
			ok = check_option(&pair->via.array.ptr[0], &pair->via.array.ptr[1], err);
	}
	if (!ok)
		errtext_under(err, "options", strlen("options"));
	return ok;
}

bool
wanted_check(const struct rpc_supervise_in *in, bool is_paragraph, struct errtext *err)
{
	return check_name(in->name, err) &&
	    check_list("local", &in->local, local_is_right,
	    "is neither an address nor an interface nor a network such as 10.0.0.0/8", err) &&
	    check_list("peer", &in->peer, is_peer, "is neither an address nor a name", err) &&
	    check_list("attach", &in->attach, is_paragraph ? is_user_or_name : is_user,
	    is_paragraph ? "is no user, no @group and not all" : "is no number of a user, no @number of a group and not all", err) &&
	    check_role(in, err) && check_numbers(in, err) &&
	    (in->options.obj == NULL || check_options(in->options.obj, err));
}

/* ---- packing --------------------------------------------------------- */

/* What may change without the association: when it is set up again, and who may own it. */
static bool
is_soft(const char *key)
{
	static const char *const	soft[] = { "backoff_min", "backoff_max", "jitter", "attach", "down" };

	for (size_t i = 0; i < sizeof soft / sizeof *soft; i++) {
		if (strcmp(soft[i], key) == 0)
			return true;
	}
	return false;
}

static bool
is_packed(const struct rpc_supervise_in *in, const struct field *f, enum wanted_part part)
{
	return (in->has >> (f - fields()) & 1) != 0 && (part == WANTED_ALL || !is_soft(f->key));
}

static void
pack_value(msgpack_packer *pk, const struct field *f, const void *at)
{
	const struct slice	*s = at;
	const struct any	*any = at;
	int32_t			 word = 0;
	uint32_t		 n = 0;
	uint16_t		 narrow = 0;

	if (f->type == FIELD_STR)
		msgpack_pack_str_with_body(pk, s->ptr, s->len);
	else if (f->type == FIELD_ANY)
		msgpack_pack_object(pk, *any->obj);
	else if (f->type == FIELD_BOOL)
		(void)(*(const bool *)at ? msgpack_pack_true(pk) : msgpack_pack_false(pk));
	else if (f->type == FIELD_WORD) {
		memcpy(&word, at, sizeof word);
		codec_pack_text(pk, f->words[word].name);
	} else {
		memcpy(&narrow, at, sizeof narrow);
		n = narrow;
		if (f->type == FIELD_U32)
			memcpy(&n, at, sizeof n);
		msgpack_pack_uint32(pk, n);
	}
}

void
wanted_pack(msgpack_sbuffer *to, const struct rpc_supervise_in *in, enum wanted_part part)
{
	msgpack_packer	pk;
	uint32_t	n = 0;

	msgpack_packer_init(&pk, to, msgpack_sbuffer_write);
	for (const struct field *f = fields(); f->key != NULL; f++)
		n += is_packed(in, f, part);
	msgpack_pack_map(&pk, n);
	for (const struct field *f = fields(); f->key != NULL; f++) {
		if (!is_packed(in, f, part))
			continue;
		codec_pack_text(&pk, f->key);
		pack_value(&pk, f, (const char *)in + f->offset);
	}
}

static const char *
packed(const void *arg, size_t *len)
{
	const msgpack_sbuffer	*b = arg;

	*len = b->size;
	return b->data;
}

bool
wanted_from_paragraph(msgpack_sbuffer *to, const struct paragraph *p, struct errtext *err)
{
	struct word_arg	 args[CONFIG_WORDS + 1];
	struct wanted	 w;
	msgpack_sbuffer	 b;
	msgpack_packer	 pk;
	struct words	 words = { .pk = &pk, .method = &rpc_table[RPC_supervise], .packed = packed, .arg = &b };
	bool		 ok = true;

	args[0] = (struct word_arg){ "name", 4, p->name };
	for (size_t i = 0; i < p->n; i++)
		args[i + 1] = (struct word_arg){ p->word[i], strcspn(p->word[i], "="), strchr(p->word[i], '=') + 1 };
	msgpack_sbuffer_init(&b);
	msgpack_packer_init(&pk, &b, msgpack_sbuffer_write);
	if (!words_pack(&words, args, p->n + 1)) {
		*err = words.why;
		msgpack_sbuffer_destroy(&b);
		return false;
	}
	ok = wanted_read(&w, b.data, b.size, err) && wanted_check(&w.in, true, err);
	if (ok)
		wanted_pack(to, &w.in, WANTED_ALL);
	wanted_free(&w);
	msgpack_sbuffer_destroy(&b);
	return ok;
}
