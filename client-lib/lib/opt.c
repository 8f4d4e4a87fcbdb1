/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options as the structs of <netinet/sctp.h>: packed and read by the same
 * rows as in the daemon.
 */
#include <inttypes.h>
#include <string.h>

#include "lib/codes.h"
#include "lib/core.h"
#include "lib/wait.h"
#include "proto/codec.h"
#include "proto/sockopt.h"

/* What a getopt reads from the value: which association, path, stream. */
static const char *const selectors[] = {
	"assoc_id", "address", "addr", "sid", "stream_id", "policy",
};

static bool
is_scalar(const struct sockopt *o)
{
	return o->fields[0].key != NULL && o->fields[0].key[0] == '\0';
}

static bool
is_selector(const struct field *f)
{
	for (size_t i = 0; i < sizeof selectors / sizeof selectors[0]; i++) {
		if (strcmp(f->key, selectors[i]) == 0)
			return true;
	}
	return false;
}

/* An address that is not there cannot be written as one. */
static bool
is_absent(const struct field *f, const void *value)
{
	sa_family_t	family;

	if (f->type != FIELD_ENDPOINT && f->type != FIELD_ADDR)
		return false;
	memcpy(&family, (const char *)value + f->offset, sizeof family);
	return family == AF_UNSPEC;
}

static bool
is_packed(const struct field *f, const void *value, bool selecting)
{
	return !is_absent(f, value) && (!selecting || is_selector(f));
}

static void
pack_value(struct sctpd *c, const struct sockopt *o, const void *value, bool selecting)
{
	struct field	one[2] = { { .key = NULL }, { .key = NULL } };
	uint32_t	n = 0;

	if (is_scalar(o)) {
		codec_pack(&c->pk, o->fields, value, o->size);
		return;
	}
	for (const struct field *f = o->fields; f->key != NULL; f++)
		n += is_packed(f, value, selecting);
	msgpack_pack_map(&c->pk, n);
	for (const struct field *f = o->fields; f->key != NULL; f++) {
		if (!is_packed(f, value, selecting))
			continue;
		one[0] = *f;
		codec_pack_fields(&c->pk, one, value, o->size);
	}
}

/* Where the list ends that is the last field of a value; 0: it has none. */
static size_t
list_end(const struct sockopt *o, const char *value)
{
	uint16_t	narrow;
	uint32_t	n;

	for (const struct field *f = o->fields; f->key != NULL; f++) {
		if (f->type != FIELD_LIST)
			continue;
		memcpy(&n, value + f->count, sizeof n);
		memcpy(&narrow, value + f->count, sizeof narrow);
		n = f->count_width == sizeof narrow ? narrow : n;
		return f->offset + (size_t)n * f->item;
	}
	return 0;
}

/* A value with a list has any length from that of its head on. */
static bool
has_length(const struct sockopt *o, size_t len)
{
	for (const struct field *f = o->fields; f->key != NULL; f++) {
		if (f->type == FIELD_LIST)
			return len >= f->offset && len <= o->size;
	}
	return len == o->size;
}

/* The row of an option whose value has that many bytes. */
static int
find(struct sctpd *c, const char *name, size_t len, uint16_t access, const struct sockopt **o)
{
	*o = sockopt_find(name, strlen(name));
	if (*o == NULL)
		return lib_error(c, SCTPD_BADARG, "there is no option \"%s\"", name);
	if (((*o)->access & access) == 0)
		return lib_error(c, SCTPD_BADARG, "%s can only be %s", name,
		    (*o)->access == SOCKOPT_GET ? "read" :
		    (*o)->access == SOCKOPT_SET ? "set" : "given at open");
	if ((*o)->level == LEVEL_HANDLED && (*o)->optname == HANDLED_ACTIVE)
		return lib_error(c, SCTPD_BADARG, "%s has no struct; see sctpd_set_active", name);
	if ((*o)->level == LEVEL_HANDLED && (*o)->optname == HANDLED_AUTH)
		return lib_error(c, SCTPD_BADARG, "%s has no struct; give it to sctpd_call in words", name);
	if (!has_length(*o, len))
		return lib_error(c, SCTPD_BADARG, "%s takes %u bytes, not %zu", name,
		    (unsigned)(*o)->size, len);
	return SCTPD_OK;
}

/* {sock, options: [ — the items come next. */
static int
begin(struct sctpd *c, const char *method, uint64_t sock)
{
	int	code;

	if ((code = core_begin(c, method, true)) != SCTPD_OK)
		return code;
	msgpack_pack_map(&c->pk, 2);
	codec_pack_text(&c->pk, "sock");
	msgpack_pack_uint64(&c->pk, sock);
	codec_pack_text(&c->pk, "options");
	msgpack_pack_array(&c->pk, 1);
	return SCTPD_OK;
}

int
sctpd_setopt(struct sctpd *c, uint64_t sock, const char *name, const void *value, size_t len)
{
	_Alignas(8) char	 whole[SOCKOPT_MAX] = { 0 };
	const struct sockopt	*o;
	int			 code;

	if ((code = find(c, name, len, SOCKOPT_SET, &o)) != SCTPD_OK)
		return code;
	memcpy(whole, value, len);
	if (list_end(o, whole) > len)
		code = lib_error(c, SCTPD_BADARG, "%s: the list in it takes %zu bytes, not %zu", name,
		    list_end(o, whole), len);
	else if ((code = begin(c, "setopts", sock)) == SCTPD_OK) {
		c->secret = c->secret || o->secret;
		msgpack_pack_array(&c->pk, 2);
		codec_pack_text(&c->pk, name);
		pack_value(c, o, whole, false);
	}
	if (o->secret)
		explicit_bzero(whole, sizeof whole);
	return code == SCTPD_OK ? conn_finish(c, 0) : code;
}

int
sctpd_getopt(struct sctpd *c, uint64_t sock, const char *name, void *value, size_t len)
{
	_Alignas(8) char		 whole[SOCKOPT_MAX] = { 0 };
	const struct sockopt		*o;
	const struct sctpd_value	*item;
	const msgpack_object		*got;
	struct errtext			 why;
	uint64_t			 has;
	int				 code;

	if ((code = find(c, name, len, SOCKOPT_GET, &o)) != SCTPD_OK ||
	    (code = begin(c, "getopts", sock)) != SCTPD_OK)
		return code;
	memcpy(whole, value, len);
	if (!is_scalar(o)) {
		msgpack_pack_array(&c->pk, 2);
		codec_pack_text(&c->pk, name);
		pack_value(c, o, whole, true);
	} else {
		codec_pack_text(&c->pk, name);
	}
	if ((code = conn_finish(c, 0)) != SCTPD_OK)
		return code;
	item = sctpd_item(sctpd_get(value_of(conn_result(c)), "options"), 0);
	got = (const msgpack_object *)(const void *)sctpd_item(item, 1);
	if (got == NULL)
		return lib_error(c, SCTPD_EPROTO, "sctpd answered without the value of %s", name);
	if (!(is_scalar(o) ? codec_unpack(got, o->fields, whole, NULL, &why) :
	    codec_read(got, o->fields, whole, &has, &why)))
		return lib_error(c, SCTPD_EPROTO,
		    "the value of %s that sctpd answered cannot be read: %s %s", name, why.path, why.why);
	if (list_end(o, whole) > len)
		return lib_error(c, SCTPD_BADARG, "%s: the list in it takes %zu bytes, not %zu", name,
		    list_end(o, whole), len);
	memcpy(value, whole, len);
	return SCTPD_OK;
}

int
sctpd_set_active(struct sctpd *c, uint64_t sock, int mode)
{
	const char	*word = NULL;

	if (mode == SCTPD_PASSIVE)
		word = "false";
	else if (mode == SCTPD_ACTIVE)
		word = "true";
	else if (mode == SCTPD_ONCE)
		word = "once";
	if (word != NULL)
		return sctpd_call(c, NULL,
		    "setopts sock=%" PRIu64 " options.active=%s", sock, word);
	return sctpd_call(c, NULL, "setopts sock=%" PRIu64 " options.active=%d", sock, mode);
}
